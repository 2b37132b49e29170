package policy

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
)

// Bounds of the tests that a folder brings: of all of them, and of one. They run one after
// another, so that a gateway answers meanwhile.
const (
	proofTimeout = 2 * time.Minute
	testTimeout  = time.Minute
)

// Prove runs the cases that a folder of policies brings, and its tests as "opa test" does: each
// rule test_… in rules/core/*_test.rego, with the tables under data and the cases under
// data.cases. All must pass. Errors: ErrRules, naming the case or the test.
func Prove(ctx context.Context, fsys fs.FS) error {
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	tree, err := load(ctx, fsys)
	if err != nil {
		return err
	}
	set, problems := gatherCases(fsys)
	if len(problems) > 0 {
		return problems
	}
	report, err := tree.run(ctx, set)
	if err != nil {
		return err
	}
	if err := report.Err(); err != nil {
		return err
	}
	modules, err := tree.withTests()
	if err != nil {
		return err
	}
	tree.data["cases"] = set.data
	compiler := ast.NewCompiler().WithStrict(true).WithCapabilities(tree.capabilities)
	results, err := tester.NewRunner().SetParallel(1).SetTimeout(testTimeout).SetCompiler(compiler).
		SetStore(inmem.NewFromObject(tree.data)).SetModules(modules).RunTests(ctx, nil)
	if err != nil {
		return fmt.Errorf("%w: its tests: %w", ErrRules, err)
	}
	passed := 0
	for r := range results {
		switch {
		case r.Error != nil:
			err = fmt.Errorf("%w: its test %s.%s cannot be run: %w", ErrRules, r.Package, r.Name, r.Error)
		case r.Skip || !r.Pass():
			err = fmt.Errorf("%w: its test %s.%s does not pass; see: ontschot policy test", ErrRules, r.Package, r.Name)
		default:
			passed++
		}
	}
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("%w: its tests take longer than %s", ErrRules, proofTimeout)
	case passed == 0:
		return fmt.Errorf("%w: it brings no test; rules/core/*_test.rego is missing", ErrRules)
	}
	return nil
}

// withTests are the modules with those of the tests.
func (t *tree) withTests() (map[string]*ast.Module, error) {
	sources := maps.Clone(t.modules)
	maps.Copy(sources, t.tests)
	modules := map[string]*ast.Module{}
	for file, source := range sources {
		module, err := ast.ParseModuleWithOpts(file, source, ast.ParserOptions{Capabilities: t.capabilities, RegoVersion: ast.RegoV1})
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRules, err)
		}
		modules[file] = module
	}
	return modules, nil
}
