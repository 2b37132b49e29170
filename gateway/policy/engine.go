// Package policy answers: what may pass, and why? The rules answer it in Rego,
// as a pure function of a request and a revision; this package is the only
// place that knows OPA. Rules can narrow what agreement and consent allow and
// never widen it.
package policy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// ErrRules means that a folder of rules cannot be used; the message says which
// file, which line and what to do.
var ErrRules = errors.New("these rules cannot be used")

// Config says what an engine judges by.
type Config struct {
	// FS is the folder of the policies: rules/, schemas/ and capabilities.json.
	// Required; the default of the program is policies.FS.
	FS fs.FS
	// Timeout bounds one judgement. A judgement that takes longer denies with
	// SYS-01. Zero means 50 ms.
	Timeout time.Duration
	// CacheSize bounds how many outcomes are cached. Zero means 4096.
	CacheSize int
}

const (
	defaultTimeout   = 50 * time.Millisecond
	defaultCacheSize = 4096
	typicalKey       = 1024 // bytes
	doorsCacheSize   = 1024
)

// Engine judges by one revision of the rules. It is safe for concurrent use and
// its answers never change: another revision is another engine.
type Engine struct {
	revision string
	timeout  time.Duration
	names    vocabulary
	matrix   matrix
	needs    matrix
	// How long what passes may be retained.
	retention retention
	bases     []*budgetv1.LegalBasis
	cells     []Cell
	words     map[string][]string // of the catalogs
	query     rego.PreparedEvalQuery
	cache     *cache
	ways      *domain        // what a way to yes can be made of
	tables    map[string]any // nobody changes them
	// What may be done at the doors.
	operations rego.PreparedEvalQuery
	doors      *cache
	// A candidate that judges beside it; nil: none.
	shadow *atomic.Pointer[Shadow]
}

// New loads the rules, checks the tables against their schemas, compiles strictly
// with nothing but the listed capabilities, prepares the query once, and lets it
// deny an empty request before it may judge a real one. Errors: ErrRules.
func New(ctx context.Context, config Config) (*Engine, error) {
	if config.FS == nil {
		return nil, errors.New("policy: Config.FS is required")
	}
	tree, err := load(ctx, config.FS)
	if err != nil {
		return nil, err
	}
	return tree.engine(ctx, config)
}

// engine judges by a folder that was read.
func (t *tree) engine(ctx context.Context, config Config) (*Engine, error) {
	compiler, err := t.compile()
	if err != nil {
		return nil, err
	}
	store := t.store()
	query, err := t.prepare(ctx, compiler, store, "data.core.decision")
	if err != nil {
		return nil, err
	}
	operations, err := t.prepare(ctx, compiler, store, "data.core.operation")
	if err != nil {
		return nil, err
	}
	e := &Engine{
		revision:  t.revision,
		timeout:   orDefault(config.Timeout, defaultTimeout),
		names:     newVocabulary(t.data),
		matrix:    newMatrix(t.data),
		needs:     newNeeds(t.data),
		retention: newRetention(t.data),
		bases:     newBases(t.data),
		cells:     newCells(t.data),
		words:     newWords(t.data),
		query:     query,
		ways:      newDomain(t.data), tables: t.data,
		cache:      newCache(orDefault(config.CacheSize, defaultCacheSize)),
		operations: operations, doors: newCache(doorsCacheSize),
		shadow: new(atomic.Pointer[Shadow]),
	}
	return e, e.selfTest(ctx)
}

func orDefault[T int | time.Duration](value, fallback T) T {
	if value <= 0 {
		return fallback
	}
	return value
}

// selfTest asks nothing at all: rules that do not answer it with a reasoned no
// are not the rules of this program.
func (e *Engine) selfTest(ctx context.Context) error {
	if _, err := e.judge(ctx, ast.NewObject(), nil); err != nil { // a yes to it is no answer
		return fmt.Errorf("%w: rules/core does not answer an empty request: %w", ErrRules, err)
	}
	o, err := e.judgeOperation(ctx, ast.NewObject())
	if err != nil {
		return fmt.Errorf("%w: rules/core does not answer who may do nothing at all: %w", ErrRules, err)
	}
	if o.Allow {
		return fmt.Errorf("%w: rules/core allows what nobody does", ErrRules)
	}
	return nil
}

// Revision is the SHA-256, in hex, of all files under rules/ and their paths.
func (e *Engine) Revision() string { return e.revision }

// Evaluate judges one request. It never fails: what cannot be judged, in time
// and in full, is denied with SYS-01. The caller may change the outcome.
func (e *Engine) Evaluate(ctx context.Context, in Input) Outcome { return e.evaluate(ctx, &in).clone() }

// evaluate is Evaluate for who changes nothing: the outcome is that of the cache.
func (e *Engine) evaluate(ctx context.Context, in *Input) Outcome {
	key := in.key(make([]byte, 0, typicalKey))
	if o, ok := e.cache.get(key); ok {
		return o
	}
	if in.check() != nil {
		return undecided()
	}
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	o, err := e.judge(ctx, e.names.value(in), in.Resource.Properties.Fields)
	if err != nil || ctx.Err() != nil {
		return undecided() // not cached: the next time may be better
	}
	e.cache.put(in.Context.Date, key, o)
	return o
}

// judge lets the rules answer. Undefined, several answers and an answer out of
// contract are errors.
func (e *Engine) judge(ctx context.Context, input ast.Value, asked []string) (Outcome, error) {
	results, err := e.query.Eval(ctx, rego.EvalParsedInput(input))
	if err != nil {
		return Outcome{}, err
	}
	if len(results) != 1 || len(results[0].Expressions) != 1 {
		return Outcome{}, errAnswer
	}
	value, _ := results[0].Expressions[0].Value.(ast.Value)
	return outcome(value, asked)
}
