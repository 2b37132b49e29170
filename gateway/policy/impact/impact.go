// Package impact answers: which answers change when the rules change, in how many
// combinations of everything that can be asked, and does what must always hold still hold?
//
// Combinations are counted, never gone through. The rules of each revision are taken apart
// by their syntax trees; each piece is evaluated by OPA for the values of just what it reads;
// and what the pieces come to is joined in decision diagrams, in which equal parts are one.
// No rule is written anew here. Thousands of combinations are then asked of the engines
// themselves, and one that is answered differently is an error.
package impact

import (
	"context"
	"fmt"

	"github.com/ontschot/ontschot/gateway/policy"
)

// Options of a comparison. The zero value is fit for use.
type Options struct {
	// Points is how many combinations, drawn at random, are asked of both engines. Zero: 4,000.
	Points int
	// Progress hears what is being done; nil: nobody does.
	Progress func(step string)
}

const defaultPoints = 4000

// Compare compares two revisions over everything that can be asked of them. Errors:
// ErrFactor, and ErrDisagree.
func Compare(ctx context.Context, parent, revision *policy.Core, options Options) (*Certificate, error) {
	return newSession().compare(ctx, parent, revision, options)
}

func (s *session) compare(ctx context.Context, parent, revision *policy.Core, options Options) (*Certificate, error) {
	if options.Points <= 0 {
		options.Points = defaultPoints
	}
	if options.Progress == nil {
		options.Progress = func(string) {}
	}
	words := readVocabulary(parent, revision)
	c := &Certificate{Contract: Contract, Parent: parent.Revision(), Revision: revision.Revision()}
	for _, kind := range domains() {
		options.Progress(kind.name)
		domain, err := kind.domain(words)
		if err != nil {
			return nil, err
		}
		p := &comparison{world: newWorld(s, domain), name: kind.name, rule: kind.rule, cores: [2]*policy.Core{parent, revision}, options: options}
		if err := p.run(ctx, c); err != nil {
			return nil, err
		}
	}
	return c, c.seal()
}

// kind is one of the two things that are asked: for data, or to do something.
type kind struct {
	name   string
	domain func(vocabulary) (*domain, error)
	rule   string
	names  func() []string // the members of an answer
}

func domains() []kind {
	return []kind{{"requests", requests, "data.core.decision", requestMembers}, {"doors", doors, "data.core.operation", doorMembers}}
}

// comparison is that of two revisions over one domain.
type comparison struct {
	*world
	name    string
	rule    string
	cores   [2]*policy.Core
	options Options
	answers [2]*answer
}

func (p *comparison) doors() bool { return p.name == "doors" }

// answer works out what each revision answers.
func (p *comparison) answer(ctx context.Context) error {
	for i, core := range p.cores {
		names, read := requestMembers(), policy.ReadDecision
		if p.doors() {
			names, read = doorMembers(), policy.ReadOperation
		}
		nodes, err := p.revision(newSource(core)).members(ctx, p.rule, names)
		if err != nil {
			return fmt.Errorf("revision %.12s: %w", core.Revision(), err)
		}
		counts := nodes
		if !p.doors() {
			if counts, err = p.askedAlone(names, nodes); err != nil {
				return err
			}
		}
		p.answers[i] = &answer{names: names, nodes: nodes, counts: counts, read: read, known: map[string]policy.Outcome{}}
	}
	return nil
}

func (p *comparison) run(ctx context.Context, c *Certificate) error {
	if err := p.answer(ctx); err != nil {
		return err
	}
	p.options.Progress("changes")
	d, err := p.compare(p.answers[0], p.answers[1])
	if err != nil {
		return err
	}
	p.options.Progress("invariants")
	held, err := p.invariants()
	if err != nil {
		return err
	}
	p.options.Progress("check")
	apart := Invariant{Name: CategoriesApart, Holds: true}
	checked, err := p.check(ctx, d, &apart)
	if err != nil {
		return err
	}
	if !p.doors() {
		held = append(held, apart)
	}
	return c.add(ctx, p, d, held, checked)
}
