package budget

import (
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// View is the projection of a budget for one member of the household; ok is false when
// they are none. What is not theirs is not in it: of others there is a row in which every
// cell says NOT_SHARED, whether they have a right, said no or were never asked. Every
// total is of their own lines, so that nothing of others can be had by subtraction. The
// budget is not changed, and receipt and signature are not carried over.
func View(b *budgetv1.Budget, person identity.PersonRef) (*budgetv1.Budget, bool) {
	me := string(person)
	row := slices.IndexFunc(b.GetMatrix(), func(r *budgetv1.MatrixRow) bool { return r.GetPerson() == me })
	if row < 0 || b.GetViewOf() != "" && b.GetViewOf() != me {
		return nil, false
	}
	own := proto.CloneOf(b)
	own.ViewOf, own.Receipt, own.Signature = me, nil, ""
	own.Lines = slices.DeleteFunc(own.Lines, func(l *budgetv1.BudgetLine) bool { return l.GetPerson() != me })
	own.Gaps = slices.DeleteFunc(own.Gaps, func(g *budgetv1.Gap) bool { return g.GetPerson() != me })
	own.Sources = slices.DeleteFunc(own.Sources, func(s *budgetv1.SourceReport) bool { return s.GetPerson() != me })
	own.Complete = len(own.Gaps) == 0
	own.Findings = slices.DeleteFunc(own.Findings, func(f *budgetv1.Finding) bool { return !isOf(f, me, own) })
	for _, f := range own.Findings { // what is about several is said of them alone
		if !ofAll(f) {
			f.Person, f.Persons = me, []string{me}
		}
		f.Lines = slices.DeleteFunc(f.Lines, func(id string) bool { return !strings.HasPrefix(id, me+"/") })
	}
	own.Matrix = shareRows(own.Matrix, own.Matrix[row])
	others := func(id string) bool { return !strings.HasPrefix(id, me+"/") }
	for _, figures := range []map[string]int64{own.CarryOverCents, own.SpentCents, own.RemainingCents} {
		maps.DeleteFunc(figures, func(id string, _ int64) bool { return others(id) })
	}
	maps.DeleteFunc(own.SpentAsOf, func(id, _ string) bool { return others(id) })
	sumUp(own, own.Matrix[row])
	return own, true
}

// ofAll reports whether a finding is of the budget and not of anybody in it.
func ofAll(f *budgetv1.Finding) bool {
	return f.GetCode() == budgetv1.FindingPartial || f.GetCode() == budgetv1.FindingLegalBasisEnds
}

// isOf reports whether a finding is about this person and no other; that the budget
// is not complete is only said when it is their part that is not.
func isOf(f *budgetv1.Finding, me string, own *budgetv1.Budget) bool {
	if f.GetCode() == budgetv1.FindingPartial {
		return !own.GetComplete()
	}
	if ofAll(f) {
		return true
	}
	// One that names no single person is given in the same words to each whom it
	// concerns, whether it concerns others or not.
	return f.GetPerson() == me || f.GetPerson() == "" && slices.Contains(f.GetPersons(), me)
}

// shareRows closes every row but one's own. The columns are one's own too: which
// laws others were asked about is theirs.
func shareRows(rows []*budgetv1.MatrixRow, own *budgetv1.MatrixRow) []*budgetv1.MatrixRow {
	own.Cells = slices.DeleteFunc(own.Cells, func(c *budgetv1.MatrixCell) bool {
		return c.GetStatus() == budgetv1.StatusNotAsked && c.OwnContributionCents == nil && c.SpentCents == nil
	})
	for _, r := range rows {
		if r == own {
			continue
		}
		r.Cells = nil
		for _, c := range own.GetCells() {
			r.Cells = append(r.Cells, &budgetv1.MatrixCell{Law: c.GetLaw(), Status: budgetv1.StatusNotShared})
		}
	}
	return rows
}

// sumUp draws up the figures of the lines that are left.
func sumUp(own *budgetv1.Budget, row *budgetv1.MatrixRow) {
	v := &view{}
	for _, l := range own.GetLines() {
		v.lines = append(v.lines, line{BudgetLine: l})
	}
	v.sum(own)
	// From one's own cells alone: that the household's figure is not known may be
	// because somebody else said no.
	own.OwnContributionCents = nil
	for _, c := range row.GetCells() {
		if c.OwnContributionCents != nil {
			own.OwnContributionCents = new(own.GetOwnContributionCents() + c.GetOwnContributionCents())
		}
	}
}
