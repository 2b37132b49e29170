package plan

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// mostHours is what one carer may be paid for in a week, in hundredths of an hour:
// forty hours, as the rules of the Wlz-pgb have it. That it holds for every law of
// care, and for family, is assumed: the finding asks a human to look.
const mostHours = 40_00

// shift is the change in a carer's weekly hours, in hundredths, on a day.
type shift struct {
	day   civil.Date
	hours int
}

// carers: one carer works more than forty hours a week on some day. Hours of all
// allocations count, also of those that cannot be paid so: who is to do the work
// does not depend on who pays. An allocation without hours is not judged, and
// counts for nothing. Whose name it is stays unsaid, unless they are of the household.
func (o *outcome) carers() []*budgetv1.Finding {
	work := map[string][]claim{}
	for _, c := range o.claims {
		if _, known := hours(c.GetHoursPerWeek()); known && c.dated && carer(c) != "" {
			work[carer(c)] = append(work[carer(c)], c)
		}
	}
	var found []*budgetv1.Finding
	for _, name := range slices.Sorted(maps.Keys(work)) {
		if days, over := tooLong(work[name]); over {
			found = append(found, o.overworked(work[name], days))
		}
	}
	return found
}

// carer is a name as it is compared: case and spacing make no difference.
func carer(c claim) string {
	return strings.ToLower(strings.Join(strings.Fields(c.GetCaregiver()), " "))
}

// hours reads "12.5" as hundredths of an hour; known is false for anything that
// is not one to three digits, and at most two behind a point.
func hours(text string) (hundredths int, known bool) {
	whole, part, point := strings.Cut(text, ".")
	if len(whole) < 1 || len(whole) > 3 || len(part) > 2 || point && part == "" || strings.Trim(whole+part, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(whole + (part + "00")[:2])
	return n, err == nil
}

// tooLong walks over the days on which hours change, and gives the first and the
// last day on which they come to more than is allowed.
func tooLong(work []claim) (days civil.Span, over bool) {
	var shifts []shift
	for _, c := range work {
		n, _ := hours(c.GetHoursPerWeek())
		shifts = append(shifts, shift{c.days.From, n}, shift{c.days.To + 1, -n})
	}
	// What ends on a day is taken off before what begins on it is added.
	slices.SortFunc(shifts, func(a, b shift) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.hours, b.hours))
	})
	sum := 0
	for _, s := range shifts {
		if sum > mostHours {
			days.To = s.day - 1
		}
		if sum += s.hours; sum > mostHours && !over {
			days.From, over = s.day, true
		}
	}
	return days, over
}

func (o *outcome) overworked(work []claim, days civil.Span) *budgetv1.Finding {
	f := &budgetv1.Finding{
		Code: budgetv1.FindingOneCaregiverOver40H, Severity: budgetv1.SeverityWarning,
		From: days.From.String(), To: days.To.String(), Days: int32(days.Days()),
	}
	for _, c := range work {
		if _, both := c.days.Overlap(days); !both {
			continue
		}
		if ref := strings.TrimSpace(c.GetCaregiver()); o.purse.refs[ref] {
			f.Person, f.Persons = ref, []string{ref}
		}
		for _, s := range c.shares {
			f.Lines = append(f.Lines, o.purse.lines[s.line].GetId())
		}
	}
	f.Lines = among(f.Lines)
	return f
}
