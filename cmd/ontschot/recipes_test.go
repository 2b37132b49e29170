package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// recipe is a section of docs/recipes.md.
type recipe struct {
	title   string
	example *regexp.Regexp // finds the example, in what a file says or in its path
	places  []string       // files, and folders with a slash at the end
	tests   []string
}

var (
	exampleOf = regexp.MustCompile("(?m)^The example is .*\n?.*`git grep -E '([^`]+)'`")
	rowOf     = regexp.MustCompile(`(?m)^\| \d+ \| ([^|]*) \|`)
	quoted    = regexp.MustCompile("`([^`]+)`")
	testName  = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")
)

func readDoc(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile("../../docs/" + name)
	require.NoError(t, err)
	return string(raw)
}

func recipes(t *testing.T) []recipe {
	t.Helper()
	var all []recipe
	for _, section := range strings.Split(readDoc(t, "recipes.md"), "\n## ")[1:] {
		title, _, _ := strings.Cut(section, "\n")
		found := exampleOf.FindStringSubmatch(section)
		require.NotNil(t, found, "%s: it says by which words its example is found", title)
		r := recipe{title: title, example: regexp.MustCompile(found[1])}
		for _, row := range rowOf.FindAllStringSubmatch(section, -1) {
			for _, place := range quoted.FindAllStringSubmatch(row[1], -1) {
				r.places = append(r.places, place[1])
			}
		}
		for _, name := range testName.FindAllStringSubmatch(section, -1) {
			r.tests = append(r.tests, name[1])
		}
		all = append(all, r)
	}
	return all
}

// sources are the files of the repository by path: what a person writes. Not what is
// generated, nor documents, nor the data of tests; tests themselves stand apart.
func sources(t *testing.T) (code, tests map[string]string) {
	t.Helper()
	code, tests = map[string]string{}, map[string]string{}
	require.NoError(t, filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, filepath.Join("..", "..")+string(filepath.Separator)))
		if d.IsDir() {
			if slices.Contains([]string{".git", "testdata", "third_party", "cases"}, d.Name()) && name != "policies/cases" || name == "docs" {
				return filepath.SkipDir
			}
			return nil
		}
		switch filepath.Ext(name) {
		case ".go", ".proto", ".yaml", ".json", ".rego":
		default:
			return nil
		}
		if strings.HasSuffix(name, ".pb.go") || strings.HasPrefix(filepath.Base(name), "openapi.") {
			return nil
		}
		raw, err := os.ReadFile(path)
		stem := strings.TrimSuffix(name, filepath.Ext(name))
		if strings.HasSuffix(stem, "_test") {
			tests[name] = string(raw)
		} else {
			code[name] = string(raw)
		}
		return err
	}))
	require.Greater(t, len(code), 200)
	return code, tests
}

func has(r *regexp.Regexp, name, content string) bool {
	return r.MatchString(content) || r.MatchString(name)
}

// Each recipe names every file in which its example stands, and none in which it does not:
// a step that is lacking in the recipe is a file too many here. The tests that it names
// are there.
func TestRecipesNameEveryFileOfTheirExample(t *testing.T) {
	code, tests := sources(t)
	all := recipes(t)
	require.Len(t, all, 8)
	for _, r := range all {
		t.Run(r.title, func(t *testing.T) {
			for name, content := range code {
				if has(r.example, name, content) {
					named := slices.ContainsFunc(r.places, func(place string) bool {
						return place == name || strings.HasSuffix(place, "/") && strings.HasPrefix(name, place)
					})
					require.True(t, named, "%s has the example, and the recipe does not say so", name)
				}
			}
			every := maps.Clone(code)
			maps.Copy(every, tests)
			for _, place := range r.places {
				found := false
				for name, content := range every {
					in := name == place || strings.HasSuffix(place, "/") && strings.HasPrefix(name, place)
					found = found || in && has(r.example, name, content)
				}
				require.True(t, found, "%s has nothing of the example", place)
			}
			require.NotEmpty(t, r.tests)
			for _, name := range r.tests {
				there := func(content string) bool { return strings.Contains(content, "func "+name+"(") }
				require.True(t, slices.ContainsFunc(slices.Collect(maps.Values(tests)), there), name)
			}
		})
	}
}

// Every package of the program stands in the table of rooms, with the sentence that says
// which question it answers.
func TestArchitectureNamesEveryRoom(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `([a-z0-9/]+)` \\| (.+) \\|$")
	rooms := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(section(t, "architecture.md", "Rooms"), -1) {
		rooms[m[1]] = m[2]
	}
	for _, p := range packages(t) {
		room := strings.TrimPrefix(p.ImportPath, module)
		if !strings.HasPrefix(room, "gateway") && !strings.HasPrefix(room, "internal/") {
			continue
		}
		require.Contains(t, rooms, room, "a room that is in no table")
		doc := sentence(t, "../../"+room)
		asks := strings.ToLower(rooms[room][:1]) + rooms[room][1:]
		require.Contains(t, doc, " "+asks, "%s: the first sentence of its comment", room)
		delete(rooms, room)
	}
	require.Empty(t, slices.Collect(maps.Keys(rooms)), "these are not there")
}

// section is what a page says under a heading.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	_, text, found := strings.Cut(readDoc(t, page), "\n## "+heading+"\n")
	require.True(t, found, heading)
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// Whatever outlives a call in memory stands in the table of caches, and whatever locks in
// that of who owns what: both are looked for by what Go code of either kind looks like.
func TestArchitectureNamesEveryCacheAndLock(t *testing.T) {
	caches, owners := section(t, "architecture.md", "What is kept in memory, and what empties it"), section(t, "architecture.md", "Who owns which state")
	cached := regexp.MustCompile(`\bsync\.(Map|Pool)\b|(?m)^type \w*([cC]ache|seen)\w*\b.* struct|ValueCache\(`)
	code, _ := sources(t)
	locks := 0
	for name, text := range code {
		if !strings.HasSuffix(name, ".go") || strings.HasPrefix(name, "internal/dev/") || strings.HasPrefix(name, "cmd/") {
			continue
		}
		if cached.MatchString(text) {
			require.Contains(t, caches, path.Dir(name), "%s: what it keeps stands in no table", name)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		require.NoError(t, err)
		for _, lock := range locksOf(file) {
			locks++
			require.Contains(t, owners, "`"+lock+"`", "%s: what it guards stands in no table", name)
		}
	}
	require.Greater(t, locks, 15)
}

// locksOf are the mutexes of a file's structs, as Struct.field.
func locksOf(file *ast.File) (locks []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		named, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if made, ok := named.Type.(*ast.StructType); ok {
			for _, f := range made.Fields.List {
				if of, ok := f.Type.(*ast.SelectorExpr); ok && strings.HasSuffix(of.Sel.Name, "Mutex") {
					for _, n := range f.Names {
						locks = append(locks, named.Name.Name+"."+n.Name)
					}
				}
			}
		}
		return true
	})
	return locks
}

// sentence is what the comment of a package says, on one line.
func sentence(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(folder + "/*.go")
	require.NoError(t, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		if comment, _, found := strings.Cut(string(raw), "\npackage "); found && strings.HasPrefix(comment, "//") && !strings.HasSuffix(file, "_test.go") {
			return strings.Join(strings.Fields(strings.ReplaceAll(comment, "//", " ")), " ")
		}
	}
	t.Fatalf("%s says nowhere what it is", folder)
	return ""
}

// What the documents name of the repository is there.
func TestDocumentsNamePlacesThatExist(t *testing.T) {
	place := regexp.MustCompile(`(?:^|[\s(\x60\[])((?:cmd|gateway|internal|adapters|policies|proto|docs)/[A-Za-z0-9_./-]*[A-Za-z0-9_])`)
	symbol := regexp.MustCompile(`\.[A-Z]\w*$`)
	seen := 0
	for _, page := range pages(t) {
		raw, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range place.FindAllStringSubmatch(string(raw), -1) {
			folder := symbol.ReplaceAllString(m[1], "") // of a package, what it exports
			_, err := os.Stat("../../" + folder)
			require.NoError(t, err, page)
			seen++
		}
	}
	require.Greater(t, seen, 100)
}

// A finding that cannot be drawn up anew from a presented budget says there when it stands:
// without that it would be lost when something of the budget is left out, and nobody would
// notice.
func TestEveryRuleIsDrawnAnewOrStands(t *testing.T) {
	code, _ := sources(t)
	rulesIn := func(file, after string) []string {
		_, rest, found := strings.Cut(code[file], after)
		require.True(t, found, after)
		_, rest, _ = strings.Cut(rest, "[]rule{\n")
		list, _, _ := strings.Cut(rest, "\n\t}")
		var names []string
		for _, m := range regexp.MustCompile(`([a-zA-Z]\w+),`).FindAllStringSubmatch(list, -1) {
			names = append(names, m[1])
		}
		return names
	}
	every := rulesIn("gateway/budget/finding.go", "func rules()")
	anew := rulesIn("gateway/budget/without.go", "drawn()")
	require.Greater(t, len(every), 15)
	require.Subset(t, every, anew)
	_, stands, _ := strings.Cut(code["gateway/budget/without.go"], ") stands(")
	finding := regexp.MustCompile(`budgetv1\.(Finding[A-Z]\w+)`)
	for _, name := range every {
		if slices.Contains(anew, name) {
			continue
		}
		var codes [][]string
		for file, content := range code {
			if _, body, found := strings.Cut(content, "func "+name+"(v *view)"); found && strings.HasPrefix(file, "gateway/budget/") {
				body, _, _ = strings.Cut(body, "\n}")
				if codes = finding.FindAllStringSubmatch(body, -1); len(codes) == 0 { // a helper says it
					codes = finding.FindAllStringSubmatch(content, -1)
				}
			}
		}
		require.NotEmpty(t, codes, name)
		for _, m := range codes {
			require.Contains(t, stands, "budgetv1."+m[1], "%s: gateway/budget/without.go", name)
		}
	}
}

// Every reason of a gap and every finding has something that gives it, and a code of the
// policy that a gap holds has a text. Beside its field the message names every reason.
func TestEveryReasonFindingAndCodeIsGivenAndNamed(t *testing.T) {
	code, _ := sources(t)
	constants := func(file string) map[string]string {
		all := map[string]string{}
		for _, m := range regexp.MustCompile(`(?m)^\t((?:Reason|Finding)\w+)\s+= "([A-Z0-9_]+)"`).FindAllStringSubmatch(code[file], -1) {
			all[m[2]] = m[1]
		}
		return all
	}
	reasons, findings := constants("proto/ontschot/budget/v1/reason.go"), constants("proto/ontschot/budget/v1/finding.go")
	require.ElementsMatch(t, budgetv1.GapReasons(), slices.Collect(maps.Keys(reasons)))
	require.ElementsMatch(t, budgetv1.FindingCodes(), slices.Collect(maps.Keys(findings)))

	var gateway strings.Builder
	for name, content := range code {
		if strings.HasPrefix(name, "gateway/") {
			gateway.WriteString(content)
		}
	}
	nobody := []string{budgetv1.ReasonHeldForRelease} // for a source whose own officer releases: none does yet
	for list, names := range map[string]map[string]string{"reason": reasons, "finding": findings} {
		for word, name := range names {
			given := regexp.MustCompile(`\bbudgetv1\.`+name+`\b`).MatchString(gateway.String()) || strings.Contains(gateway.String(), `"`+word+`"`)
			require.NotEqual(t, slices.Contains(nobody, word), given, "%s %s: nothing gives it", list, word)
		}
	}
	_, comment, _ := strings.Cut(code["proto/ontschot/budget/v1/budget.proto"], "message Gap {")
	comment, _, _ = strings.Cut(comment, "string reason")
	for word := range reasons {
		require.Regexp(t, `\b`+word+`\b`, comment, "the comment of Gap.reason")
	}
	for _, m := range regexp.MustCompile(`"([A-Z]+-\d\d)`).FindAllStringSubmatch(gateway.String(), -1) {
		require.Contains(t, code["policies/reasons/nl.yaml"], "\n"+m[1]+":", "a code without a text")
	}
}
