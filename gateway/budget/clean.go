package budget

import (
	"slices"

	"google.golang.org/protobuf/proto"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Clean takes out of a source's answer what cannot be shown: of a label the label, with
// a notice; of a code, identifier or date the record, which is then a gap beside the rest.
// The answer is minimised before: a gap names no law that was not granted. Not ok is an
// answer that breaks its contract: what cannot be shown is in no record.
func Clean(r *budgetv1.FetchResponse) (odd []*budgetv1.Gap, ok bool) {
	if budgetv1.Unprintable(r) == "" {
		return nil, true
	}
	var notices []*budgetv1.Notice
	label := func(law string, p *budgetv1.Product, pointer string) {
		if budgetv1.DropLabel(p) {
			notices = append(notices, budgetv1.NoticeOfText(law, pointer))
		}
	}
	gap := func(law string, c budgetv1.Category) *budgetv1.Gap {
		g := &budgetv1.Gap{Reason: budgetv1.ReasonBadDataAtSource, Code: "TEXT_UNPRINTABLE"}
		if law != "" && budgetv1.Printable(law) {
			g.Laws = []string{law}
		}
		if c != "" {
			g.Categories = []string{string(c)}
		}
		return g
	}
	for _, l := range r.GetLines() {
		pointer := ""
		if len(l.GetProvenance()) > 0 {
			pointer = l.GetProvenance()[0].GetPointer()
		}
		label(l.GetLaw(), l.GetProduct(), pointer)
	}
	for _, l := range r.GetHistory() {
		label(l.GetLaw(), l.GetProduct(), "")
	}
	for _, n := range r.GetNotices() {
		label(n.GetLaw(), n.GetProduct(), n.GetPointer())
	}
	r.Lines = setAside(r.Lines, &odd, func(l *budgetv1.BudgetLine) *budgetv1.Gap { return gap(l.GetLaw(), "") })
	r.History = setAside(r.History, &odd, func(l *budgetv1.HistoryLine) *budgetv1.Gap { return gap(l.GetLaw(), "") })
	r.Spends = setAside(r.Spends, &odd, func(*budgetv1.Spend) *budgetv1.Gap { return gap("", budgetv1.CategorySpending) })
	r.OwnContributions = setAside(r.OwnContributions, &odd, func(c *budgetv1.OwnContribution) *budgetv1.Gap {
		return gap(c.GetLaw(), budgetv1.CategoryOwnContribution)
	})
	r.Notices = setAside(r.Notices, &odd, func(n *budgetv1.Notice) *budgetv1.Gap { return gap(n.GetLaw(), "") })
	if budgetv1.Unprintable(r) != "" {
		return nil, false // not a record: the adapter does not say well who answers
	}
	r.Notices = append(r.Notices, notices...)
	return odd, true
}

// setAside takes out the records that cannot be shown. Each is a gap; one that says the
// same as another is listed once.
func setAside[M proto.Message](records []M, odd *[]*budgetv1.Gap, gap func(M) *budgetv1.Gap) []M {
	return slices.DeleteFunc(records, func(m M) bool {
		if budgetv1.Unprintable(m) == "" {
			return false
		}
		g := gap(m)
		if !slices.ContainsFunc(*odd, func(o *budgetv1.Gap) bool { return proto.Equal(o, g) }) {
			*odd = append(*odd, g)
		}
		return true
	})
}
