package budget

import (
	"slices"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// sameRecords: an award message and a decision describe one right. It counts
// once and keeps both provenances (contracts 31).
func sameRecords(v *view) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for _, l := range v.lines {
		if slices.ContainsFunc(l.Provenance, func(p *budgetv1.Provenance) bool {
			first := l.Provenance[0]
			return p.GetRecordType() != first.GetRecordType() || p.GetRecordId() != first.GetRecordId()
		}) {
			found = append(found, about(l, sameRecord, severityInfo))
		}
	}
	return found
}

// crossings: only a part of one decided total falls in the window, because the
// line began before it or runs past it. A line without known money and a rate
// per month or week have no total that is divided, and are no finding.
func crossings(v *view) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for _, l := range v.lines {
		span := l.term.span
		if !l.isTotal() || span.From >= v.q.Window.From && span.Until() <= v.q.Window.Until() {
			continue
		}
		f := about(l, lineCrosses, severityInfo)
		f.From, f.To, f.Days = span.From.String(), span.To.String(), int32(span.Days())
		found = append(found, f)
	}
	return found
}

// partial: something is missing. Once per budget; the gaps say what.
func partial(v *view) []*budgetv1.Finding {
	if len(v.gaps) == 0 {
		return nil
	}
	return []*budgetv1.Finding{{Code: partialBudget, Severity: severityWarning}}
}

// unknownCodes: a source used a code that no list of ours has. Nothing was
// dropped for it.
func unknownCodes(v *view) []*budgetv1.Finding {
	return v.noticed(noticeOfUnknown, unknownCode)
}

// conflicts: two records of one right name unequal money (contracts 31).
func conflicts(v *view) []*budgetv1.Finding {
	return v.noticed(noticeOfConflict, recordsConflict)
}

// noticed gives a finding for each person and law about which a source gave
// the notice.
func (v *view) noticed(notice, code string) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for _, a := range v.answers {
		for _, n := range a.Response.GetNotices() {
			if n.GetCode() == notice {
				found = append(found, &budgetv1.Finding{
					Code: code, Severity: severityWarning, Person: string(a.Person), Law: n.GetLaw(),
				})
			}
		}
	}
	return found
}
