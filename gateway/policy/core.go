package policy

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
)

// Core is one revision laid open, for who compares revisions and judges nothing by them:
// its rules as they are written, with every name resolved, and its tables.
type Core struct {
	// Modules are the rules by file, their tests left out. Each name in them stands with
	// its whole path: data.core.cell.
	Modules map[string]*ast.Module
	// Data are the tables: matrix, catalog, overlays.
	Data map[string]any
	// Store holds the same tables for the rules.
	Store storage.Store
	// Capabilities are all that the rules may call.
	Capabilities *ast.Capabilities

	engine *Engine
}

// unhurried bounds one judgement of a Core. Nobody waits for it.
const unhurried = 10 * time.Second

// ReadCore reads a revision as New does, and lays it open. Errors: ErrRules.
func ReadCore(ctx context.Context, fsys fs.FS) (*Core, error) {
	engine, err := New(ctx, Config{FS: fsys, Timeout: unhurried})
	if err != nil {
		return nil, err
	}
	tree, err := load(ctx, fsys)
	if err != nil {
		return nil, err
	}
	modules := map[string]*ast.Module{}
	for file, source := range tree.modules {
		if modules[file], err = ast.ParseModuleWithOpts(file, source, ast.ParserOptions{Capabilities: tree.capabilities, RegoVersion: ast.RegoV1}); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRules, err)
		}
	}
	compiler := ast.NewCompiler().WithCapabilities(tree.capabilities).WithOnlyStagesUpTo(ast.StageResolveRefs)
	if compiler.Compile(modules); compiler.Failed() {
		return nil, fmt.Errorf("%w: %w", ErrRules, compiler.Errors)
	}
	return &Core{
		Modules: compiler.Modules, Data: tree.data, Store: tree.store(), Capabilities: tree.capabilities, engine: engine,
	}, nil
}

// Revision is that of the engine.
func (c *Core) Revision() string { return c.engine.Revision() }

// Decide is what the engine answers to a request, in the words of the rules; nil where it
// has no answer.
func (c *Core) Decide(ctx context.Context, in Input) ast.Value {
	if in.check() != nil {
		return nil
	}
	return answerOf(ctx, c.engine.query, c.engine.names.value(&in))
}

// MayDo is what the engine answers to who comes to do something for an organisation, with a
// second or with nobody, in the words of the rules; nil where it has no answer.
func (c *Core) MayDo(ctx context.Context, organisation, operation string, who Worker, second *Worker) ast.Value {
	d := doing{contract: ContractOperation, organisation: organisation, operation: operation, worker: worker{who.Role, who.Assurance}}
	if second != nil {
		d.second = &worker{second.Role, second.Assurance}
	}
	return answerOf(ctx, c.engine.operations, c.engine.names.operation(d))
}

func answerOf(ctx context.Context, query rego.PreparedEvalQuery, input ast.Value) ast.Value {
	ctx, cancel := context.WithTimeout(ctx, unhurried)
	defer cancel()
	results, err := query.Eval(ctx, rego.EvalParsedInput(input))
	if err != nil || len(results) != 1 || len(results[0].Expressions) != 1 {
		return nil
	}
	value, _ := results[0].Expressions[0].Value.(ast.Value)
	return value
}

// ReadDecision is what the gateway makes of an answer of the rules to a request for these
// categories: what is out of contract denies with SYS-01. A nil value is no answer.
func ReadDecision(value ast.Value, asked []string) Outcome {
	if value == nil {
		return undecided()
	}
	o, err := outcome(value, asked)
	if err != nil {
		return undecided()
	}
	return o
}

// ReadOperation is what the gateway makes of an answer of the rules to who comes to do
// something; no categories are asked for then.
func ReadOperation(value ast.Value, _ []string) Outcome {
	if value == nil {
		return undecided()
	}
	o, err := operationOutcome(value)
	if err != nil {
		return undecided()
	}
	return o
}
