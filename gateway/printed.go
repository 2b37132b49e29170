package gateway

import (
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// What comes from outside is printed, by callers and by whom they show it to, and signed.
// It is checked here, where it enters.

// showable refuses a request with a text that cannot be shown, or with a reference that
// can be somebody's BSN. A budget that is brought back is held against its signature.
func showable(req proto.Message) error {
	wrong := ""
	path := budgetv1.FindText(req,
		func(f protoreflect.FieldDescriptor) bool {
			return f.Message() == nil || f.Message() != (*budgetv1.Budget)(nil).ProtoReflect().Descriptor()
		},
		func(f protoreflect.FieldDescriptor, text string) bool {
			switch {
			case !budgetv1.Printable(text):
				wrong = notShowable
			case slices.Contains(chosen(), string(f.FullName())) && identity.LooksLikeBSN(text):
				wrong = likeBSN
			}
			return wrong != ""
		})
	if path != "" {
		return invalid(path, "%s", wrong)
	}
	return nil
}

const (
	notShowable = "holds a control, format or line character that cannot be shown; leave it out"
	likeBSN     = "looks like a BSN; choose one that says nothing of the person, such as P1"
)

// chosen are the fields in which a caller names things as it likes. They come back in
// what is printed, logged and signed.
func chosen() []string {
	return []string{
		"ontschot.v1.Person.ref", "ontschot.v1.Ask.person", "ontschot.v1.ViewRequest.person",
		"ontschot.budget.v1.Allocation.id", "ontschot.budget.v1.Allocation.caregiver", "ontschot.budget.v1.Allocation.contract",
		"ontschot.budget.v1.Allocation.beneficiaries", "ontschot.budget.v1.LegalBasis.id",
	}
}

// cleaned takes out of a source's answer what cannot be shown: of a label the label, with
// a notice; of a code, identifier or date the record, which is then a gap beside the rest.
// The answer is minimised before: a gap tells of no law that was not granted.
func cleaned(r *budgetv1.FetchResponse) (odd []*budgetv1.Gap, err error) {
	var told []*budgetv1.Notice
	label := func(law string, p *budgetv1.Product, pointer string) {
		if budgetv1.DropLabel(p) {
			told = append(told, budgetv1.NoticeOfText(law, pointer))
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
		return nil, errBadAnswer // not a record: the adapter does not say well who answers
	}
	r.Notices = append(r.Notices, told...)
	return odd, nil
}

// setAside takes out the records that cannot be shown. Each is a gap; one that says the
// same as another is told once.
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
