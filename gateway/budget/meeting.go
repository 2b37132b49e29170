package budget

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// meeting is a line and the other lines of the same person that it shares days
// with inside the window.
type meeting struct {
	line   line
	others []line     // in the order of their ids, at most mostListed
	days   civil.Span // from the first shared day to the last
}

// meetings finds, for each line that one accepts, the lines it meets. A line
// without readable dates meets nobody.
func (v *view) meetings(one func(line) bool, with func(a, b line) bool) []meeting {
	var all []meeting
	for _, person := range v.persons {
		for _, l := range v.own[person] {
			if !l.dated || !one(l) {
				continue
			}
			if m := v.meet(l, with); len(m.others) > 0 {
				all = append(all, m)
			}
		}
	}
	return all
}

func (v *view) meet(l line, with func(a, b line) bool) meeting {
	m := meeting{line: l}
	mine, touches := l.term.span.Overlap(v.q.Window)
	for _, other := range v.own[l.GetPerson()] {
		if !touches || len(m.others) == mostListed {
			break
		}
		if !other.dated || !with(l, other) {
			continue
		}
		shared, ok := mine.Overlap(other.term.span)
		if !ok {
			continue
		}
		if len(m.others) == 0 {
			m.days = shared
		}
		m.days = civil.Span{From: min(m.days.From, shared.From), To: max(m.days.To, shared.To)}
		m.others = append(m.others, other)
	}
	return m
}

// finding reports a meeting, with its lines and days.
func (m meeting) finding(code, severity string) *budgetv1.Finding {
	f := about(m.line, code, severity)
	for _, other := range m.others {
		f.Lines = append(f.Lines, other.GetId())
	}
	f.From, f.To, f.Days = m.days.From.String(), m.days.To.String(), int32(m.days.Days())
	return f
}

// findingsOf gives one finding for each meeting.
func findingsOf(meetings []meeting, code, severity string) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for _, m := range meetings {
		found = append(found, m.finding(code, severity))
	}
	return found
}

// twoForms: one product as a personal budget and in kind on the same days, which
// the award message forbids (iPgb rule OP043; that it is the product and not the category
// is assumed). The line is the personal budget. A funder's two products of one category
// stand beside each other. Where a side names the category alone it may be one product or
// two, and it is a question.
func twoForms(v *view) []*budgetv1.Finding {
	asBudget := func(l line) bool {
		return l.GetDeliveryForm() == budgetv1.FormPGB && (l.GetLaw() == budgetv1.LawWMO || l.GetLaw() == budgetv1.LawJW)
	}
	inKind := func(of func(a, b line) bool) func(a, b line) bool {
		return func(a, b line) bool { return b.GetDeliveryForm() == budgetv1.FormZIN && sameProduct(a, b) && of(a, b) }
	}
	return slices.Concat(
		findingsOf(v.meetings(asBudget, inKind(sameLocally)), budgetv1.FindingDupDelivery, budgetv1.SeverityError),
		findingsOf(v.meetings(asBudget, inKind(maybeSame)), budgetv1.FindingDupDelivery, budgetv1.SeverityWarning),
		findingsOf(v.meetings(asBudget, partOfWhole), budgetv1.FindingDupDelivery, budgetv1.SeverityWarning),
	)
}

// partOfWhole reports whether one line is a budget for a whole package and the other is care
// in kind under the same law, which may be a part of it, or the other way round.
func partOfWhole(a, b line) bool {
	return b.GetDeliveryForm() == budgetv1.FormZIN && a.GetLaw() == b.GetLaw() &&
		(a.GetProduct().GetCode() == whole) != (b.GetProduct().GetCode() == whole)
}

// sameLocally reports whether two lines of one category name the same product in it.
func sameLocally(a, b line) bool {
	return a.GetProduct().GetLocalCode() != "" && strings.EqualFold(a.GetProduct().GetLocalCode(), b.GetProduct().GetLocalCode())
}

// maybeSame reports whether two lines of one category may be of the same product and do
// not say so: one names none, or they name those of two funders.
func maybeSame(a, b line) bool {
	unnamed := a.GetProduct().GetLocalCode() == "" || b.GetProduct().GetLocalCode() == ""
	return unnamed || a.GetFunder() != b.GetFunder() && !sameLocally(a, b)
}

// twoFunders: two municipalities, two care offices or two insurers grant one product on
// the same days. Only one of them should: the municipality where the person lives (Wmo
// 1.2.1, Jw 1.1 woonplaats), the care office that is responsible on that day, the one
// insurer that a person has (that the Zvw-pgb has no exception is assumed). Who executes
// the care does not matter, and an indication without care grants nothing: each office
// knows of it.
func twoFunders(v *view) []*budgetv1.Finding {
	kind := func(l line) string { return v.party(l.GetFunder()).Kind }
	grants := func(l line) bool {
		one := []string{budgetv1.KindMunicipality, budgetv1.KindCareOffice, budgetv1.KindInsurer}
		return slices.Contains(one, kind(l)) && l.GetDeliveryForm() != budgetv1.FormUndecided
	}
	meetings := v.meetings(grants, func(a, b line) bool {
		return a.GetId() < b.GetId() && a.GetFunder() != b.GetFunder() && kind(a) == kind(b) && sameProduct(a, b) && grants(b)
	})
	return findingsOf(meetings, budgetv1.FindingDupFunder, budgetv1.SeverityError)
}

func sameProduct(a, b line) bool {
	return a.GetProduct().GetCode() != "" && a.GetLaw() != "" && a.right() == b.right()
}

// oneNeedTwice: transport, or personal care, under two laws on the same days.
// Valys is for other journeys, outside the region, and is left out.
func oneNeedTwice(v *view) []*budgetv1.Finding {
	meetings := v.meetings(func(l line) bool { return need(l) != "" }, func(a, b line) bool {
		return a.GetId() < b.GetId() && a.GetLaw() != b.GetLaw() && need(a) == need(b)
	})
	return findingsOf(meetings, budgetv1.FindingDupNeed, budgetv1.SeverityWarning)
}

// need names the need a line serves, as far as two laws serve it: Wmo transport
// (08, 12), school transport and transport by UWV; nursing and care by the
// insurer and personal care for children (JW 40).
func need(l line) string {
	code := l.GetProduct().GetCode()
	switch l.GetLaw() {
	case budgetv1.LawWMO:
		if code == "08" || code == "12" {
			return "transport"
		}
	case budgetv1.LawLLV:
		return "transport"
	case budgetv1.LawUWVProvision:
		if code == "VERVOER" || code == "VERVOERSVOORZIENING" {
			return "transport"
		}
	case budgetv1.LawZVW:
		return "care"
	case budgetv1.LawJW:
		if code == "40" {
			return "care"
		}
	}
	return ""
}

// overlappingAwards: two awards of one funder for one function share days, and their
// numbers are not of one chain (iPgb OP508 forbids it). Both count; the one that starts
// later is contested, and is the line of the finding.
func overlappingAwards(v *view) []*budgetv1.Finding {
	meetings := v.meetings(line.isAward, laterAward)
	for i := range meetings {
		meetings[i].others = meetings[i].others[:min(len(meetings[i].others), mostAwards)]
	}
	return findingsOf(meetings, budgetv1.FindingOverlappingAwards, budgetv1.SeverityWarning)
}

// mostAwards bounds the awards that one finding names beside its own: each of a pile of
// them meets all the others.
const mostAwards = 8

// laterAward reports whether an award starts later than another one of the same right, or
// on the same day and stands behind it.
func laterAward(a, b line) bool {
	return b.isAward() && a.GetFunder() == b.GetFunder() && sameProduct(a, b) &&
		cmp.Or(cmp.Compare(a.term.span.From, b.term.span.From), cmp.Compare(a.GetId(), b.GetId())) > 0
}

// isAward reports whether a line is of an award message.
func (l line) isAward() bool {
	return slices.ContainsFunc(l.Provenance, func(p *budgetv1.Provenance) bool { return p.GetRecordType() == "award" })
}
