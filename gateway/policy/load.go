package policy

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"go.yaml.in/yaml/v3"
)

// Bounds of a folder of rules.
const (
	maxFileBytes = 1 << 20
	maxFiles     = 1024
)

// tree is a folder of rules that has been read and checked.
type tree struct {
	revision     string
	capabilities *ast.Capabilities
	modules      map[string]string // Rego by file, tests left out
	tests        map[string]string // Rego of tests by file
	data         map[string]any
	nodes        map[string]*yaml.Node // of the tables, by file
	schemas      schemas
}

// load reads what OPA would load from rules/: *.rego, and data.yaml at the path
// of its folder. Other files are refused, so that none is silently without effect. Every
// problem of every file is reported at once.
func load(ctx context.Context, fsys fs.FS) (*tree, error) {
	t, problems := readTree(ctx, fsys)
	if len(problems) > 0 {
		return nil, problems
	}
	return t, nil
}

// readTree is load for who goes on with what could be read.
func readTree(ctx context.Context, fsys fs.FS) (*tree, Problems) {
	t := &tree{modules: map[string]string{}, tests: map[string]string{}, data: map[string]any{}, nodes: map[string]*yaml.Node{}}
	var problems Problems
	var err error
	if t.capabilities, err = readCapabilities(fsys); err != nil {
		problems = append(problems, asProblems("capabilities.json", err)...)
	}
	if t.schemas, err = newSchemas(ctx); err != nil {
		return t, asProblems("schemas", err)
	}
	files, err := list(fsys)
	if err != nil {
		return t, append(problems, asProblems("rules", err)...)
	}
	hash := sha256.New()
	for _, file := range files {
		raw, err := readFile(fsys, file)
		if err == nil {
			fold(hash, file, raw)
			err = t.add(ctx, fsys, file, raw)
		}
		problems = append(problems, asProblems(file, err)...)
	}
	t.revision = hex.EncodeToString(hash.Sum(nil))
	return t, problems
}

// fold puts one file into the revision; lengths keep names and contents apart.
func fold(w io.Writer, file string, raw []byte) {
	sizes := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(file))), uint64(len(raw)))
	for _, part := range [][]byte{sizes, []byte(file), raw} {
		_, _ = w.Write(part) // a hash takes everything
	}
}

// list gives the files under rules/ in the order of their paths.
func list(fsys fs.FS) ([]string, error) {
	var files []string
	err := fs.WalkDir(fsys, "rules", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if files = append(files, file); len(files) > maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: rules: %w", ErrRules, err)
	}
	slices.Sort(files)
	return files, nil
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRules, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrRules, name, err)
	}
	if len(raw) > maxFileBytes {
		return nil, fmt.Errorf("%w: %s: larger than %d bytes", ErrRules, name, maxFileBytes)
	}
	return raw, nil
}

func (t *tree) add(ctx context.Context, fsys fs.FS, file string, raw []byte) error {
	switch {
	case strings.HasSuffix(file, "_test.rego"):
		t.tests[file] = string(raw) // belongs to the revision, not to the judgement
		return nil
	case strings.HasSuffix(file, ".rego"):
		t.modules[file] = string(raw)
		return nil
	case path.Base(file) == "data.yaml":
		return t.addTable(ctx, fsys, file, raw)
	}
	return fmt.Errorf("%w: %s: only *.rego and data.yaml count here; rename it or move it out of rules/", ErrRules, file)
}

// compile compiles strictly, with nothing but the listed capabilities.
func (t *tree) compile() (*ast.Compiler, error) { return t.compileAll(t.modules) }

// compileAll compiles modules, with every error of them.
func (t *tree) compileAll(sources map[string]string) (*ast.Compiler, error) {
	modules := map[string]*ast.Module{}
	var problems Problems
	for file, source := range sources {
		module, err := ast.ParseModuleWithOpts(file, source, ast.ParserOptions{Capabilities: t.capabilities, RegoVersion: ast.RegoV1})
		if err != nil {
			problems = append(problems, compileProblems(file, err)...)
			continue
		}
		modules[file] = module
	}
	if len(problems) > 0 {
		problems.sort()
		return nil, problems
	}
	compiler := ast.NewCompiler().WithCapabilities(t.capabilities).WithStrict(true)
	if compiler.Compile(modules); compiler.Failed() {
		return nil, compileProblems("rules", compiler.Errors)
	}
	return compiler, nil
}

// store holds the tables as terms, so that reading a cell copies nothing.
func (t *tree) store() storage.Store {
	return inmem.NewFromObjectWithOpts(t.data, inmem.OptReturnASTValuesOnRead(true))
}

// prepare prepares one query.
func (t *tree) prepare(ctx context.Context, compiler *ast.Compiler, store storage.Store, name string) (rego.PreparedEvalQuery, error) {
	query, err := rego.New(
		rego.Query(name),
		rego.Compiler(compiler),
		rego.Capabilities(t.capabilities),
		rego.Store(store),
		rego.StrictBuiltinErrors(true),
		rego.GenerateJSON(func(t *ast.Term, _ *rego.EvalContext) (any, error) { return t.Value, nil }),
	).PrepareForEval(ctx)
	if err != nil {
		return rego.PreparedEvalQuery{}, fmt.Errorf("%w: %w", ErrRules, err)
	}
	return query, nil
}
