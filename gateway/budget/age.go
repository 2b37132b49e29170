package budget

import (
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// adulthood: somebody turns 18 inside the window. Youth care ends (Jw 1.1), Wmo
// and Wajong can begin, and they must give their own consents.
func adulthood(v *view) []*budgetv1.Finding {
	return v.reached(budgetv1.FindingTransition18, func(born civil.Date) (civil.Date, bool) {
		return born.Birthday(18), true
	})
}

// pensions: somebody reaches the age of the state pension inside the window.
// Benefits of UWV end then; care does not.
func pensions(v *view) []*budgetv1.Finding {
	return v.reached(budgetv1.FindingAowAge, aowDate)
}

// reached gives a finding for each member whose day lies in the window.
func (v *view) reached(code string, day func(born civil.Date) (civil.Date, bool)) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for _, p := range v.q.Persons {
		if p.Born.IsZero() {
			continue
		}
		if d, ok := day(p.Born); ok && v.q.Window.Contains(d) {
			found = append(found, &budgetv1.Finding{
				Code: code, Severity: budgetv1.SeverityWarning, Person: string(p.Ref), Date: d.String(),
			})
		}
	}
	return found
}

// pensionAge is the age of the state pension in one calendar year.
type pensionAge struct{ year, years, months int }

// pensionAges is data: the ages of AOW art. 7a, which are set five years ahead
// by decree (lid 2 and 3): that of 2029 was announced to parliament in November 2023,
// that of 2030 in November 2024, that of 2031 a year later. The first year has the age of
// the one before it, so that nobody who reached it then is given a later day. A year after
// the last is not in the table, and nothing is concluded for it.
func pensionAges() []pensionAge {
	return []pensionAge{
		{2021, 66, 4}, {2022, 66, 7}, {2023, 66, 10}, {2024, 67, 0}, {2025, 67, 0}, {2026, 67, 0}, {2027, 67, 0}, {2028, 67, 3},
		{2029, 67, 3}, {2030, 67, 3}, {2031, 67, 3},
	}
}

// aowDate is the day on which somebody reaches the age of the year it falls in.
// ok is false when that year is not in the table.
func aowDate(born civil.Date) (d civil.Date, ok bool) {
	for _, a := range pensionAges() {
		if d := born.AddMonths(12*a.years + a.months); d.Year() == a.year {
			return d, true
		}
	}
	return 0, false
}
