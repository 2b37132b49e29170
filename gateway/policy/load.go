package policy

import (
	"bytes"
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
	data         map[string]any
	schemas      schemas
}

// load reads what OPA would load from rules/: *.rego, and data.yaml at the path
// of its folder. Other files are refused, so that none is silently without effect.
func load(ctx context.Context, fsys fs.FS) (*tree, error) {
	t := &tree{modules: map[string]string{}, data: map[string]any{}}
	raw, err := readFile(fsys, "capabilities.json")
	if err != nil {
		return nil, err
	}
	if t.capabilities, err = ast.LoadCapabilitiesJSON(bytes.NewReader(raw)); err != nil {
		return nil, fmt.Errorf("%w: capabilities.json: %w", ErrRules, err)
	}
	if t.schemas, err = newSchemas(ctx); err != nil {
		return nil, err
	}
	files, err := list(fsys)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	for _, file := range files {
		raw, err := readFile(fsys, file)
		if err != nil {
			return nil, err
		}
		fold(hash, file, raw)
		if err := t.add(ctx, fsys, file, raw); err != nil {
			return nil, err
		}
	}
	t.revision = hex.EncodeToString(hash.Sum(nil))
	return t, nil
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
		return nil // belongs to the revision, not to the judgement
	case strings.HasSuffix(file, ".rego"):
		t.modules[file] = string(raw)
		return nil
	case path.Base(file) == "data.yaml":
		return t.addTable(ctx, fsys, file, raw)
	}
	return fmt.Errorf("%w: %s: only *.rego and data.yaml count here; rename it or move it out of rules/", ErrRules, file)
}

// compile compiles strictly, with nothing but the listed capabilities.
func (t *tree) compile() (*ast.Compiler, error) {
	modules := map[string]*ast.Module{}
	for file, source := range t.modules {
		module, err := ast.ParseModuleWithOpts(file, source, ast.ParserOptions{Capabilities: t.capabilities, RegoVersion: ast.RegoV1})
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRules, err)
		}
		modules[file] = module
	}
	compiler := ast.NewCompiler().WithCapabilities(t.capabilities).WithStrict(true)
	if compiler.Compile(modules); compiler.Failed() {
		return nil, fmt.Errorf("%w: %w", ErrRules, compiler.Errors)
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
