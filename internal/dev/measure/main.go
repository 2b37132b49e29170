// Command measure answers: how hard is this house to enter? It prints the figures that
// docs/architecture.md quotes: run it in the root of the repository.
//
//	go run ./internal/dev/measure
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const module = "github.com/ontschot/ontschot"

func main() {
	if err := measure(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func measure(out io.Writer) error {
	packages, err := list()
	if err != nil {
		return err
	}
	code, err := read()
	if err != nil {
		return err
	}
	root := code.of("gateway")
	fmt.Fprintf(out, "root package: %d lines, %d files, %d methods on Gateway\n", root.lines, root.files, root.methods)
	fmt.Fprintf(out, "longest chain of imports %d, with the adapters %d; imports that run upward %d, circles 0 (Go takes none)\n", depth(withoutAdapters(packages))-1, depth(packages)-1, len(upward(packages)))
	for _, one := range upward(packages) {
		fmt.Fprintln(out, "  upward:", one)
	}
	fmt.Fprintf(out, "functions: %d, over 60 lines %d, with more than four parameters besides ctx %d\n", code.functions, len(code.long), len(code.wide))
	for _, one := range append(slices.Clone(code.long), code.wide...) {
		fmt.Fprintln(out, " ", one)
	}
	fmt.Fprintf(out, "exported without a comment: %d\n", len(code.silent))
	for _, one := range code.silent {
		fmt.Fprintln(out, " ", one)
	}
	for _, journey := range []struct{ name, test string }{
		{"a question", "TestJourneyOfARequest"}, {"the registration of a consent", "TestJourneyOfAConsent"},
	} {
		files, err := entered(journey.test)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "files of the broker entered by %s: %d (%s)\n", journey.name, len(files), strings.Join(files, " "))
	}
	return nil
}

// pack is a package as go list knows it.
type pack struct {
	ImportPath string
	Imports    []string
}

func list() (map[string]pack, error) {
	raw, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	all := map[string]pack{}
	for d := json.NewDecoder(strings.NewReader(string(raw))); ; {
		var p pack
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all[p.ImportPath] = p
	}
}

// withoutAdapters are the packages without the adapters that are built on the kit: those rest on the
// rooms of a mapping, one on another, and nobody enters the broker by them.
func withoutAdapters(all map[string]pack) map[string]pack {
	kept := maps.Clone(all)
	maps.DeleteFunc(kept, func(path string, _ pack) bool {
		room, adapter := strings.CutPrefix(path, module+"/adapters/")
		return adapter && room != "host" && room != "handshake" && !strings.HasPrefix(room, "boundary")
	})
	return kept
}

// depth is the longest chain of imports within the packages, in packages.
func depth(all map[string]pack) int {
	known := map[string]int{}
	var of func(path string) int
	of = func(path string) int {
		if n, ok := known[path]; ok {
			return n
		}
		deepest := 0
		for _, i := range all[path].Imports {
			if _, ours := all[i]; ours {
				deepest = max(deepest, of(i))
			}
		}
		known[path] = deepest + 1
		return known[path]
	}
	most := 0
	for path := range all {
		most = max(most, of(path))
	}
	return most
}

// floors are the rooms from the door down; what is on one may import what is on
// it or below. The first prefix that fits counts.
var floors = []struct {
	prefix string
	floor  int
}{
	{"cmd/", 0}, {"internal/dev/measure", 0}, {"internal/server", 1}, {"internal/setup", 2}, {"internal/telemetry", 2}, {"docs/examples", 0}, {"docs", 6}, {"deploy/systemd", 6}, {"internal/dev", 2}, {"gateway/client", 2}, {"adapters/host", 2}, {"gateway/store", 3}, {"gateway/documents", 3}, {"gateway/refusal", 3},
	{"gateway/token", 5}, {"gateway/agreement", 5}, {"gateway/consent", 5}, {"gateway/", 4}, {"gateway", 3},
	{"adapters", 4}, {"policies", 6}, {"internal/", 6}, {"proto", 7},
}

func floorOf(path string) int {
	inside := strings.TrimPrefix(path, module+"/")
	for _, f := range floors {
		if strings.HasPrefix(inside, f.prefix) {
			return f.floor
		}
	}
	return 0
}

// upward are the imports of what is on a higher floor.
func upward(all map[string]pack) (list []string) {
	for path, p := range all {
		for _, i := range p.Imports {
			if _, ours := all[i]; ours && floorOf(i) < floorOf(path) {
				list = append(list, strings.TrimPrefix(path, module+"/")+" -> "+strings.TrimPrefix(i, module+"/"))
			}
		}
	}
	slices.Sort(list)
	return list
}

// room is a folder of code.
type room struct{ lines, files, methods int }

type source struct {
	rooms              map[string]room
	functions          int
	long, wide, silent []string
}

func (s source) of(folder string) room { return s.rooms[folder] }

// read parses all code that is not generated and no test.
func read() (source, error) {
	s := source{rooms: map[string]room{}}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".pb.go"):
			return nil
		}
		return s.file(path)
	})
	return s, err
}

func (s *source) file(path string) error {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	r := s.rooms[filepath.Dir(path)]
	r.files++
	r.lines += set.File(f.Pos()).LineCount()
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			s.function(set, d)
			if receiver(d) == "Gateway" {
				r.methods++
			}
		case *ast.GenDecl:
			s.general(set, d)
		}
	}
	s.rooms[filepath.Dir(path)] = r
	return nil
}

func (s *source) function(set *token.FileSet, d *ast.FuncDecl) {
	s.functions++
	at := set.Position(d.Pos())
	name := fmt.Sprintf("%s:%d %s", at.Filename, at.Line, d.Name.Name)
	if lines := set.Position(d.End()).Line - at.Line + 1; lines > 60 {
		s.long = append(s.long, fmt.Sprintf("%s: %d lines", name, lines))
	}
	count := 0
	for _, p := range d.Type.Params.List {
		if t, ok := p.Type.(*ast.SelectorExpr); ok && t.Sel.Name == "Context" {
			continue
		}
		count += max(1, len(p.Names))
	}
	if count > 4 {
		s.wide = append(s.wide, fmt.Sprintf("%s: %d parameters", name, count))
	}
	if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || ast.IsExported(receiver(d))) {
		s.silent = append(s.silent, name)
	}
}

func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// general looks at types, constants and variables. A comment over a group is one for each.
func (s *source) general(set *token.FileSet, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		var names []*ast.Ident
		said := d.Doc != nil
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			names, said = []*ast.Ident{spec.Name}, said || spec.Doc != nil || spec.Comment != nil
		case *ast.ValueSpec:
			names, said = spec.Names, said || spec.Doc != nil || spec.Comment != nil
		}
		for _, name := range names {
			if name.IsExported() && !said {
				s.silent = append(s.silent, fmt.Sprintf("%s %s", set.Position(name.Pos()), name.Name))
			}
		}
	}
}

// broker are the rooms that carry a request: the root package, who may ask, what counts, the
// documents and the edge.
const broker = "./gateway,./gateway/admission,./gateway/evidence,./gateway/documents,./gateway/refusal"

// entered are the files of the broker that run more of their code when a test makes
// its call than when it only prepares it.
func entered(test string) ([]string, error) {
	before, err := counts(test, "1")
	if err != nil {
		return nil, err
	}
	after, err := counts(test, "")
	if err != nil {
		return nil, err
	}
	var files []string
	for block, n := range after {
		name, _, _ := strings.Cut(block, ":")
		if name = strings.TrimPrefix(name, module+"/gateway/"); n > before[block] && !slices.Contains(files, name) {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return files, nil
}

// counts are how often each block of the broker is run by a test.
func counts(test, prepareOnly string) (map[string]int, error) {
	profile, err := os.CreateTemp("", "measure-*.cover")
	if err != nil {
		return nil, err
	}
	defer os.Remove(profile.Name())
	defer profile.Close()
	run := exec.Command("go", "test", "./gateway", "-count=1", "-run", "^"+test+"$", "-covermode=count", "-coverpkg="+broker, "-coverprofile="+profile.Name())
	run.Env = append(os.Environ(), "ONTSCHOT_PREPARE_ONLY="+prepareOnly)
	if out, err := run.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", test, err, out)
	}
	all := map[string]int{}
	for lines := bufio.NewScanner(profile); lines.Scan(); {
		fields := strings.Fields(lines.Text()) // file:from,to statements count
		if n, err := strconv.Atoi(fields[len(fields)-1]); err == nil && len(fields) == 3 {
			all[fields[0]] = n
		}
	}
	return all, nil
}
