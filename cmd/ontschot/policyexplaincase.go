package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// switchedCase is what a switch changes of the budget of a case.
type switchedCase struct {
	Case string `json:"case"`
	// From and Until are the window of the budget, civil and inclusive.
	From  string         `json:"from"`
	Until string         `json:"until"`
	Lines []switchedLine `json:"lines"`
	// Persons are the cents that a person has more in the budget, or less; Cents of all together.
	Persons map[string]int64 `json:"persons"`
	Cents   int64            `json:"cents"`
	// Pooled is the money that may be put together, with the switch or no longer; none: that
	// does not change.
	Pooled []switchedMoney `json:"pooled,omitempty"`
}

// switchedLine is a line that comes in, drops out, or has another amount: then Was is the one
// without the switch. Amounts are cents in the window, absent where none is known or shared.
type switchedLine struct {
	Change  string   `json:"change"` // in, out or amount
	Person  string   `json:"person"` // reference of the case
	Law     string   `json:"law"`
	Source  string   `json:"source"` // party code
	Line    string   `json:"line"`   // id
	Cents   *int64   `json:"cents,omitempty"`
	Was     *int64   `json:"was,omitempty"`
	Basis   string   `json:"basis"`
	Article []string `json:"article"`
	product string
}

// switchedMoney is money of a person under a law that a statute has put together.
type switchedMoney struct {
	Statute string `json:"statute"`
	Article string `json:"article"`
	Allowed bool   `json:"allowed"` // with the switch
	Person  string `json:"person"`
	Law     string `json:"law"`
	Cents   int64  `json:"cents"`
}

// explainCase plays a case without the switch and with it, and tells what differs.
func (q *whatIf) explainCase(c *cobra.Command, fsys fs.FS) error {
	cf, err := casefile.Open(q.caseName)
	if err != nil {
		return err
	}
	if q.asOf {
		if cf.Today.Date, err = civil.Parse(q.date); err != nil {
			return err
		}
	}
	e, texts, err := q.read(c.Context(), fsys)
	if err != nil {
		return err
	}
	was, is, err := q.playTwice(c.Context(), cf, fsys)
	if err != nil {
		return err
	}
	told := explanation{Contract: contractExplain, Revision: e.Revision(), Date: cf.Today.String()}
	told.Switched = &switchedLaws{Statutes: q.statutes, Cells: []switchedCell{}, Pooling: []switchedPool{}, Silent: []silentStatute{}, Case: q.compare(e, cf, was, is)}
	if x := told.Switched; len(x.Case.Lines)+len(x.Case.Pooled) == 0 {
		for _, name := range slices.Sorted(maps.Keys(q.statutes)) {
			x.Silent = append(x.Silent, silentStatute{name, q.nothing(texts, name, told.Date)})
		}
	}
	p := &explainPage{officer: q.officer, texts: texts, told: told, parties: map[string]string{}, names: map[string]string{}}
	for _, party := range cf.Parties {
		p.parties[party.Code] = party.Name
	}
	for _, m := range cf.Household {
		p.names[string(m.Ref)] = m.Name
	}
	return p.print(c.OutOrStdout())
}

// playTwice plays the case by the rules as they are, and with the statutes switched.
func (q *whatIf) playTwice(ctx context.Context, cf *casefile.Case, fsys fs.FS) (was, is *budgetv1.Budget, err error) {
	switched, err := policy.Switched(fsys, q.statutes)
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "ontschot-explain-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	budgets := make([]*budgetv1.Budget, 2)
	for i, folder := range []fs.FS{fsys, switched} {
		s := staging{policies: filepath.Join(dir, fmt.Sprint(i)), basis: q.basis}
		if err := os.CopyFS(s.policies, folder); err != nil {
			return nil, nil, err
		}
		one, err := s.play(ctx, cf, q.caseName, io.Discard)
		if err != nil {
			return nil, nil, q.told(err)
		}
		budgets[i] = one.budget
	}
	return budgets[0], budgets[1], nil
}

// compare lays two budgets beside each other, line by line.
func (q *whatIf) compare(e *policy.Engine, cf *casefile.Case, was, is *budgetv1.Budget) *switchedCase {
	x := &switchedCase{Case: cf.Name, From: is.GetWindow().GetFrom(), Until: is.GetWindow().GetTo(), Lines: []switchedLine{}, Persons: map[string]int64{}}
	before, after := linesByID(was), linesByID(is)
	for _, id := range slices.Sorted(maps.Keys(before)) {
		old, now := before[id], after[id]
		switch {
		case now == nil:
			x.add(q.line(e, cf, "out", old), -old.GetValueCents())
		case old.GetValueCents() != now.GetValueCents() || (old.ValueCents == nil) != (now.ValueCents == nil):
			one := q.line(e, cf, "amount", now)
			one.Was = old.ValueCents
			x.add(one, now.GetValueCents()-old.GetValueCents())
		}
	}
	for _, id := range slices.Sorted(maps.Keys(after)) {
		if now := after[id]; before[id] == nil {
			x.add(q.line(e, cf, "in", now), now.GetValueCents())
		}
	}
	if was.GetLegalBasis().GetId() != is.GetLegalBasis().GetId() {
		x.pool(was, false)
		x.pool(is, true)
	}
	return x
}

func linesByID(b *budgetv1.Budget) map[string]*budgetv1.BudgetLine {
	all := map[string]*budgetv1.BudgetLine{}
	for _, l := range b.GetLines() {
		all[l.GetId()] = l
	}
	return all
}

func (x *switchedCase) add(l switchedLine, cents int64) {
	x.Lines = append(x.Lines, l)
	x.Persons[l.Person] += cents
	x.Cents += cents
}

// line is a line of the budget, with the ground on which it is asked and the articles of the
// statutes that are switched.
func (q *whatIf) line(e *policy.Engine, cf *casefile.Case, change string, l *budgetv1.BudgetLine) switchedLine {
	one := switchedLine{Change: change, Person: l.GetPerson(), Law: l.GetLaw(), Source: l.GetFunder(), Line: l.GetId(), Cents: l.ValueCents, Basis: q.basis, Article: []string{}}
	one.product = cmp.Or(l.GetProduct().GetLabel(), l.GetProduct().GetCode())
	kind := ""
	for _, party := range cf.Parties {
		if party.Code == l.GetFunder() {
			kind = policy.KindKey(party.Kind)
		}
	}
	if l.GetFunder() == cf.Requester {
		one.Basis = policy.StatutoryBasis
	}
	if cell := cellOf(e, cf.Purpose, kind, policy.LawKey(l.GetLaw())); cell != nil {
		one.Article = q.articles(*cell, one.Basis)
	}
	return one
}

// pool notes the money that a budget's basis has put together.
func (x *switchedCase) pool(b *budgetv1.Budget, allowed bool) {
	basis := b.GetLegalBasis()
	sums := map[[2]string]int64{}
	for _, l := range b.GetLines() {
		if l.GetFungibility() == budgetv1.MoneyPoolable && slices.Contains(basis.GetPoolableLaws(), l.GetLaw()) && l.ValueCents != nil {
			sums[[2]string{l.GetPerson(), l.GetLaw()}] += l.GetValueCents()
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(sums), func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }) {
		x.Pooled = append(x.Pooled, switchedMoney{basis.GetId(), basis.GetArticle(), allowed, at[0], at[1], sums[at]})
	}
}
