package budget

import (
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// sameRecords: an award message and a decision describe one right. It counts
// once and has both provenances.
func sameRecords(v *view) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for _, l := range v.lines {
		if l.isMerged() {
			found = append(found, about(l, budgetv1.FindingSameRecord, budgetv1.SeverityInfo))
		}
	}
	return found
}

// awardsMissing: a decision grants days of which no award or allocation is known, while
// there is one for other days of the same right.
func awardsMissing(v *view) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for _, l := range v.lines {
		if l.GetAwardMissing() {
			f := about(l, budgetv1.FindingAwardMissing, budgetv1.SeverityInfo)
			if l.dated {
				f.From = l.term.span.From.String()
			}
			found = append(found, f)
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
		f := about(l, budgetv1.FindingLineCrossesWindow, budgetv1.SeverityInfo)
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
	return []*budgetv1.Finding{{Code: budgetv1.FindingPartial, Severity: budgetv1.SeverityWarning}}
}
