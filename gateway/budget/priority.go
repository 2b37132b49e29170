package budget

import (
	"slices"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// priorityOverlaps: a right on days on which the same person has a Wlz right,
// which goes first. Youth care 40–53 is an error and the line contested: with a
// Wlz right the municipality owes nothing for the same problem (Jw 1.2). For the
// rest a human looks: a municipality may refuse (Wmo 2.3.5 lid 6), youth
// psychiatry may be about another problem, the categories of 2015 (JW 31 to 38) and a
// whole package (99) do not tell enough, foster care stands beside much of the Wlz, and
// what the insurer pays depends on the form of the Wlz right. Aids at home, WMO 11 to
// 14, stand beside the Wlz.
// Which codes are in which group is assumed until a lawyer reads it.
func priorityOverlaps(v *view) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for _, m := range v.meetings(yields, besideWlz) {
		severity := budgetv1.SeverityWarning
		if contestable(m.line) {
			severity = budgetv1.SeverityError
		}
		found = append(found, m.finding(budgetv1.FindingPriorityLawOverlap, severity))
	}
	return found
}

// contest marks the lines that another law's right goes before, and awards that begin
// while another one of the same right runs. They count in every total as granted: the
// system never decides a right.
func (v *view) contest() {
	for _, m := range append(v.meetings(contestable, besideWlz), v.meetings(line.isAward, laterAward)...) {
		m.line.Contested = true
	}
}

func besideWlz(_, other line) bool { return other.GetLaw() == budgetv1.LawWLZ }

// whole is the function of an award for every category of its law (WMO022, JZ022).
const whole = "99"

// contestable: youth care that the Wlz replaces, JZ020 40 to 53.
func contestable(l line) bool {
	code := l.GetProduct().GetCode()
	return l.GetLaw() == budgetv1.LawJW && len(code) == 2 && code >= "40" && code <= "53"
}

// yields reports whether a right may have to give way to the Wlz.
func yields(l line) bool {
	code := l.GetProduct().GetCode()
	switch l.GetLaw() {
	case budgetv1.LawWMO: // housework, guidance, personal care, day activities, sheltered living
		return slices.Contains([]string{"01", "02", "03", "07", "15", whole}, code)
	case budgetv1.LawJW:
		old := len(code) == 2 && code >= "31" && code <= "38"
		return contestable(l) || old || slices.Contains([]string{"54", "55", whole}, code) // 54, 55: youth psychiatry, bought nationally
	case budgetv1.LawZVW: // the only personal budget of the Zvw is for nursing and care (Zvw 13a)
		return true
	}
	return false
}
