package budget

import (
	"slices"
	"strings"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// unknownCodes: a source used a code that no list of ours has. Nothing was
// dropped for it. A line with such a product is reported by itself; what else a
// source gives notice of is reported with it, or with the person and the law.
func unknownCodes(v *view) []*budgetv1.Finding {
	found := slices.DeleteFunc(v.noticed(budgetv1.FindingUnknownCode, line.isUnlisted), v.saidByLine)
	for _, l := range v.lines {
		if l.isUnlisted() {
			found = append(found, about(l, budgetv1.FindingUnknownCode, budgetv1.SeverityWarning))
		}
	}
	return found
}

// saidByLine reports whether a finding without a line says no more than that of a
// line of the same person and law.
func (v *view) saidByLine(f *budgetv1.Finding) bool {
	return f.GetLine() == "" && slices.ContainsFunc(v.own[f.GetPerson()], func(l line) bool {
		return l.isUnlisted() && (f.GetLaw() == "" || f.GetLaw() == l.GetLaw())
	})
}

func (l line) isUnlisted() bool { return l.GetProduct().GetLabel() == budgetv1.Unlisted }

// unknownElements: a record had a member that its adapter does not know. What is known
// of it stands.
func unknownElements(v *view) []*budgetv1.Finding {
	found := v.noticed(budgetv1.FindingUnknownElement, line.isDated)
	for _, f := range found {
		f.Severity = budgetv1.SeverityInfo
	}
	return found
}

func (l line) isDated() bool { return l.dated }

// conflicts: two records of one right name unequal money. It is an error where nobody can
// tell which of two versions holds: then neither counts.
func conflicts(v *view) []*budgetv1.Finding {
	return v.noticed(budgetv1.FindingConflict, line.isMerged)
}

// rowsOmitted: an award left out a right that the one before it had, or withdrew it in
// another way than it should.
func rowsOmitted(v *view) []*budgetv1.Finding {
	return v.noticed(budgetv1.FindingRowOmitted, func(line) bool { return false })
}

// isMerged tells that a line rests on several native records.
func (l line) isMerged() bool {
	return slices.ContainsFunc(l.Provenance, func(p *budgetv1.Provenance) bool {
		first := l.Provenance[0]
		return p.GetRecordType() != first.GetRecordType() || p.GetRecordId() != first.GetRecordId()
	})
}

// noticed gives a finding for each notice with a code: about the line it points
// at, else about the person and the law. A pointer is a path inside one record,
// and several lines can have the same: then those that are likely go first.
func (v *view) noticed(code string, likely func(line) bool) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for _, a := range v.answers {
		for _, n := range a.Response.GetNotices() {
			if n.GetCode() == code {
				found = append(found, v.notice(a, n, likely))
			}
		}
	}
	return found
}

func (v *view) notice(a Answer, n *budgetv1.Notice, likely func(line) bool) *budgetv1.Finding {
	severity := budgetv1.SeverityWarning
	if n.GetCode() == budgetv1.FindingConflict && n.GetGap() != "" {
		severity = budgetv1.SeverityError
	}
	if n.GetReason() == budgetv1.NoticeReasonZero { // what the family cannot mend, and changes no cent of what counts
		severity = budgetv1.SeverityInfo
	}
	lines := v.pointedAt(a, n)
	if slices.ContainsFunc(lines, likely) {
		lines = slices.DeleteFunc(lines, func(l line) bool { return !likely(l) })
	}
	if len(lines) == 1 {
		return about(lines[0], n.GetCode(), severity)
	}
	return &budgetv1.Finding{
		Code: n.GetCode(), Severity: severity, Person: string(a.Person), Law: n.GetLaw(), Product: n.GetProduct().GetCode(),
		From: n.GetPeriod().GetStart(), To: n.GetPeriod().GetEnd(),
	}
}

// pointedAt lists the lines of an answer at whose native record, or a field of
// it, a notice points.
func (v *view) pointedAt(a Answer, n *budgetv1.Notice) []line {
	var lines []line
	for _, l := range v.own[string(a.Person)] {
		other := func(told, has string) bool { return told != "" && told != has }
		if l.GetFunder() != a.Source || other(n.GetLaw(), l.GetLaw()) || n.GetCode() == budgetv1.NoticeRowOmitted ||
			other(n.GetProduct().GetCode(), l.GetProduct().GetCode()) || other(n.GetPeriod().GetStart(), l.GetPeriod().GetStart()) {
			continue
		}
		if slices.ContainsFunc(l.Provenance, func(p *budgetv1.Provenance) bool {
			at := p.GetPointer()
			return at != "" && (n.GetPointer() == at || strings.HasPrefix(n.GetPointer(), at+"/"))
		}) {
			lines = append(lines, l)
		}
	}
	return lines
}
