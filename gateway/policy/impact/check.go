package impact

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ontschot/ontschot/gateway/policy"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// ErrDisagree means that an engine itself answers a combination otherwise than what the
// comparison came to: a mistake in this program, and nothing of the comparison counts.
var ErrDisagree = errors.New("the engine answers otherwise than the comparison came to; please report it, with both folders of rules")

// seed of the combinations that are drawn: the same in every run, so that a second run is
// the same.
const seed = 20260105

// Checked is how many combinations both engines were asked themselves.
type Checked struct {
	Seed   uint64 `json:"seed"`
	Points int    `json:"points"`
	// Allowed is how many of them one of the two allows.
	Allowed int `json:"allowed"`
	// SeveralCategories is how many were asked once more for all categories at once: each was
	// decided for itself.
	SeveralCategories int `json:"several_categories"`
	Witnesses         int `json:"witnesses"`
}

// check asks both engines for combinations drawn at random. Whether the revision decides each
// of several categories for itself is told by the invariant.
func (p *comparison) check(ctx context.Context, d differences, apart *Invariant) (Checked, error) {
	random := rand.New(rand.NewPCG(seed, uint64(len(p.name)))) //nolint:gosec // it must be the same each time
	done := Checked{Seed: seed}
	for range p.options.Points {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		point := p.domain.draw(random)
		allowed, err := p.ask(ctx, point, d)
		if err != nil {
			return done, err
		}
		if allowed {
			done.Allowed++
		}
		if done.Points++; p.doors() || done.Points%8 != 0 {
			continue
		}
		if !p.apart(ctx, point) {
			apart.broken(dimCategory, p.domain.document(point))
		}
		done.SeveralCategories++
	}
	return done, nil
}

// draw draws a combination, one that is in order more often than chance would have it.
func (d *domain) draw(random *rand.Rand) []int {
	point, c, tidy := d.somewhere(), d.start(), random.IntN(4) > 0 && len(d.cells) > 0
	cell := d.whole()
	if tidy {
		cell = d.cells[random.IntN(len(d.cells))]
	}
	for level, dim := range d.dims {
		allowed := d.allowed(level, c)
		for _, fine := range []set{cell[level], dim.order} {
			if fine &= allowed; fine != 0 && tidy && random.IntN(20) > 0 {
				allowed = fine
			}
		}
		skip := random.IntN(allowed.size())
		for ; skip > 0; skip-- {
			allowed &= allowed - 1
		}
		point[level] = allowed.first()
		c = c.with(dim.control, point[level])
	}
	return point
}

// whole is what an engine itself answers, in the words of the rules.
func (p *comparison) whole(ctx context.Context, i int, point []int) ast.Value {
	if !p.doors() {
		return p.cores[i].Decide(ctx, p.domain.asked(point))
	}
	var second *policy.Worker
	if p.domain.is(point, dimSecond) == present {
		second = &policy.Worker{Role: p.domain.text(point, dimSecondRole), Assurance: p.domain.text(point, dimSecondAssurance)}
	}
	return p.cores[i].MayDo(ctx, p.domain.text(point, dimOrganisation), p.domain.text(point, dimOperation),
		policy.Worker{Role: p.domain.text(point, dimRole), Assurance: p.domain.text(point, dimAssurance)}, second)
}

func (p *comparison) joined(i int, point []int) ast.Value {
	values := make([]int32, len(p.answers[i].nodes))
	for k, n := range p.answers[i].nodes {
		values[k] = p.of(n, point)
	}
	return p.session.value(p.answers[i].names, values)
}

// ask holds what the comparison came to for one combination against both engines, and
// reports whether one of them allows it.
func (p *comparison) ask(ctx context.Context, point []int, d differences) (bool, error) {
	var said [2]ast.Value
	for i := range p.cores {
		said[i] = p.whole(ctx, i, point)
		if joined := p.joined(i, point); !same(said[i], joined) {
			return false, fmt.Errorf("%w: %s of revision %.12s for %v: the engine %v, the comparison %v", ErrDisagree, p.rule, p.cores[i].Revision(), p.domain.document(point), said[i], joined)
		}
	}
	a, b := p.answers[0].read(said[0], p.category(point)), p.answers[1].read(said[1], p.category(point))
	change, changed := compared(a, b)
	if n := p.of(d.node, point); changed != (n != 0) || changed && !reflect.DeepEqual(change, d.changes[n]) {
		return false, fmt.Errorf("%w: %s for %v: between the engines %+v changes, by the comparison %+v", ErrDisagree, p.rule, p.domain.document(point), change, d.changes[n])
	}
	return a.Allow || b.Allow, nil
}

func (p *comparison) category(point []int) []string {
	if p.doors() {
		return nil
	}
	return []string{p.domain.text(point, dimCategory)}
}

func same(a, b ast.Value) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Compare(b) == 0
}

// apart asks the revision for all categories at once, and reports whether what passes, what
// is dropped and why are those of each category asked alone.
func (p *comparison) apart(ctx context.Context, point []int) bool {
	var all []string
	for _, c := range budgetv1.Categories() {
		all = append(all, string(c))
	}
	whole := policy.ReadDecision(p.cores[1].Decide(ctx, p.domain.asked(point, all...)), all)
	fields, dropped, allow := map[string]string{}, map[string]string{}, false
	at, level := slices.Clone(point), p.domain.at[dimCategory]
	var reasons []string // those that stand whichever category is asked
	for k, v := range p.domain.dims[level].values {
		if !slices.Contains(all, v.name) {
			continue
		}
		at[level] = k
		one := policy.ReadDecision(p.joined(1, at), []string{v.name})
		allow = allow || one.Allow
		maps.Copy(fields, one.Fields)
		maps.Copy(dropped, one.Dropped)
		if reasons == nil || len(one.Reasons) < len(reasons) {
			reasons = append([]string{}, one.Reasons...)
		}
	}
	return whole.Allow == allow && maps.Equal(whole.Fields, fields) && maps.Equal(whole.Dropped, dropped) && slices.Equal(whole.Reasons, reasons)
}
