package host

import (
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// asked is whom is asked: what an adapter says of itself decides what it is sent, and what it
// may answer.
type asked struct {
	party    string // the code of the party it answers for
	describe *adapterv1.DescribeResponse
}

// narrowed is the request with those identifiers only that the adapter declared to need.
func (a asked) narrowed(r *budgetv1.FetchRequest) *budgetv1.FetchRequest {
	q := proto.CloneOf(r)
	if q.Proofs != nil { // what gateways show one another
		q.Proofs.Case, q.Proofs.Role, q.Proofs.Assurance, q.Proofs.Permit, q.Proofs.Salt = "", "", "", "", nil
	}
	needs := a.describe.GetIdentifiers()
	ids := q.GetIdentifiers()
	if ids == nil {
		return q
	}
	if !slices.Contains(needs, budgetv1.IdentifierBSN) {
		ids.Bsn = ""
		if q.Proofs != nil { // with it the BSN could be found by trying all there are
			q.Proofs.SubjectKey = nil
		}
	}
	if !slices.Contains(needs, budgetv1.IdentifierEducationNumber) {
		ids.EducationNumber = ""
	}
	if !slices.Contains(needs, budgetv1.IdentifierPassNumber) {
		ids.PassNumber = ""
	}
	return q
}

// check holds an answer against the request. Whether it is as the message allows, whose
// money a line is, and what only assembly may set in one, it leaves to the gateway: every
// answer passes there, of whatever kind of source.
func (a asked) check(q *budgetv1.FetchRequest, answer *budgetv1.FetchResponse) error {
	for i, l := range answer.GetLines() {
		if field := a.misplaced(q, l); field != "" {
			return adapters.BadData("lines["+strconv.Itoa(i)+"]."+field, "of this party and this request")
		}
	}
	if len(answer.GetWithheld()) > 0 || answer.GetDisclosure() != nil { // that is for gateways to say
		return adapters.BadData("disclosure", "not of an adapter")
	}
	for i, h := range answer.GetHistory() {
		if len(adapters.Granted(q, h.GetLaw())) == 0 {
			return adapters.BadData("history["+strconv.Itoa(i)+"].law", "of this request")
		}
	}
	for i, s := range answer.GetSpends() {
		if field := a.overspoken(q, s); field != "" {
			return adapters.BadData("spends["+strconv.Itoa(i)+"]"+field, "of this request")
		}
	}
	for i, c := range answer.GetOwnContributions() {
		if field := a.uncalledFor(q, c); field != "" {
			return adapters.BadData("own_contributions["+strconv.Itoa(i)+"]"+field, "of this request")
		}
	}
	return nil
}

// misplaced names the field of a line that is of another law than was asked for, or rests
// on another party's records; empty when there is none.
func (a asked) misplaced(q *budgetv1.FetchRequest, l *budgetv1.BudgetLine) string {
	if len(adapters.Asked(q, l.GetLaw())) == 0 {
		return "law"
	}
	for _, from := range l.GetProvenance() {
		if from.GetSource() != a.party {
			return "provenance.source"
		}
	}
	return ""
}

// overspoken names what a spending says that was not asked for under its law; "" is nothing.
func (a asked) overspoken(q *budgetv1.FetchRequest, s *budgetv1.Spend) string {
	granted := adapters.Granted(q, s.GetLaw())
	switch {
	case !a.declares(budgetv1.CategorySpending), !slices.Contains(granted, budgetv1.CategorySpending), !minimal(s, granted, adapters.Masks(q, s.GetLaw())):
		return whole
	case s.GetStart() > q.GetWindow().GetTo(): // ISO dates are in order as texts
		return ".start"
	}
	return ""
}

// uncalledFor names what an own contribution says that was not asked; "" is nothing.
func (a asked) uncalledFor(q *budgetv1.FetchRequest, c *budgetv1.OwnContribution) string {
	granted := adapters.Granted(q, c.GetLaw())
	period, window := c.GetPeriod(), q.GetWindow()
	switch {
	case len(granted) == 0:
		return ".law"
	case !a.declares(budgetv1.CategoryOwnContribution), !slices.Contains(granted, budgetv1.CategoryOwnContribution), !minimal(c, granted, adapters.Masks(q, c.GetLaw())):
		return whole
	case period.GetStart() > window.GetTo(), period.GetEnd() != "" && period.GetEnd() < window.GetFrom():
		return ".period"
	}
	return ""
}

// whole is the path, behind its own, of a message that is wrong as a whole.
const whole = ".*"

// declares reports whether the adapter declared that it has data of a category.
func (a asked) declares(c budgetv1.Category) bool {
	return slices.Contains(a.describe.GetCategories(), string(c))
}

// minimal reports whether nothing is left to clear: neither what was not granted, nor what
// a mask keeps back, nor a field that nobody has given a category.
func minimal(m proto.Message, granted []budgetv1.Category, masks budgetv1.Masks) bool {
	cut := proto.Clone(m)
	budgetv1.Minimise(cut, granted, masks)
	return proto.Equal(cut, m)
}
