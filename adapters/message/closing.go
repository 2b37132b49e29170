package message

import (
	"cmp"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/money"
	"github.com/ontschot/ontschot/adapters/native"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Spent writes what closing messages (iPgb 507) and interim figures tell: what SVB paid out
// of one function of one budget in one slice of its period, as of the day of sending. Law
// and funder are those of the message. Which of several about one slice counts is not known
// here: the award says which numbers are of one budget.
func (r Reader) Spent(found []Found, out *adapters.Writer) error {
	for _, f := range found {
		switch f.Kind {
		case ClosingWmo, ClosingJeugd, ClosingWlz, Interim:
			if err := r.closing(f, out); err != nil {
				return err
			}
		default:
			out.Skipped(adapters.SkippedOtherMessage, "", f.At().Path)
		}
	}
	return nil
}

func (r Reader) closing(f Found, out *adapters.Writer) error {
	o := r.open(f, map[string]string{"464": "WMO", "466": "JW", "468": "WLZ"}, "Header/Ontvanger", out)
	rows := f.All("Client/FunctieBudgettenBesteed/FunctieBudgetBesteed")
	sent, err := adapters.DateISO.Day(f.Text("Header/BerichtIdentificatie/Dagtekening"))
	switch {
	case o.unknown != nil || o.odd != nil:
		return out.Odd(cmp.Or(o.unknown, o.odd), o.law)
	case err != nil:
		return out.Odd(f.Bad("Header/BerichtIdentificatie/Dagtekening", "a civil date"), o.law)
	case len(rows) == 0:
		return out.Odd(f.Bad("Client/FunctieBudgettenBesteed", "at least one"), o.law)
	}
	for _, n := range rows {
		s, days, err := slice(o.law, n)
		if err != nil {
			if err := out.Odd(err, o.law, days); err != nil {
				return err
			}
			continue
		}
		s.Law, s.Funder, s.AsOf = o.law, f.Text("Header/Ontvanger"), sent.String()
		out.Spend(s, n.At().Record("payments", ""))
	}
	return nil
}

// slice reads what was spent in one slice of a row.
func slice(law string, n native.Node) (*budgetv1.Spend, adapters.Days, error) {
	days, err := adapters.Dates{
		From: n.Text("BestedingsPeriode/Begindatum"), To: n.Text("BestedingsPeriode/Einddatum"),
		FromAt: "BestedingsPeriode/Begindatum", ToAt: "BestedingsPeriode/Einddatum",
	}.Read(n.At())
	switch {
	case err != nil:
	case n.Text("BestedingsPeriode/Einddatum") == "" || days.Lapsed():
		err = n.Bad("BestedingsPeriode/Einddatum", "a last day, not before the first")
	case !days.Whole(): // it says which row the slice is of
		err = n.Bad("BestedingsPeriode", "two whole days")
	}
	cents, wrong := money.Cents(n.Text("FunctieBudgetBesteed"))
	if wrong != nil {
		err = cmp.Or(err, n.Bad("FunctieBudgetBesteed", "a whole number of cents"))
	}
	s := &budgetv1.Spend{
		Budget: n.Text("BudgetIdentificatie"), Function: codelist.Code(awardList(law), n.Text("Zorgfunctie")),
		Start: days.From.String(), End: days.To.String(), Cents: proto.Int64(cents),
	}
	switch {
	case s.Budget == "" || s.Budget == native.Unclear:
		err = cmp.Or(err, n.Bad("BudgetIdentificatie", "the number of a budget"))
	case !code(s.Function):
		err = cmp.Or(err, n.Bad("Zorgfunctie", "the code of a function"))
	}
	return s, days, err
}

// code reports whether a text is the code of a function, and no sentence.
func code(text string) bool {
	for _, r := range text {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return text != "" && len(text) <= 16
}
