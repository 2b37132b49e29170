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

// award reads an award message (iPgb 501): the money of a personal budget, from the
// funder to SVB. Amounts are cents, and the whole of a row's period. A message of which
// nobody can tell which budget it is about is skipped; any other takes its place in a
// chain, and what cannot be read of it gives no line.
func (r Reader) award(f Found, awards []award, out *adapters.Writer) ([]award, error) {
	o := r.open(f, map[string]string{"458": "WMO", "460": "JW", "462": "WLZ"}, "Header/Afzender", out)
	a := award{
		law: o.law, funder: f.Text("Header/Afzender"),
		number: f.Text("Client/Budget/BudgetIdentificatie"), old: f.Text("Client/Budget/BudgetIdentificatieOud"),
		at: f.At(), odd: o.odd,
	}
	a.sent, _ = adapters.DateISO.Day(f.Text("Header/BerichtIdentificatie/Dagtekening"))
	for _, n := range f.All("Client/Budget/FunctieBudgetten/FunctieBudget") {
		row := readRow(a.law, n)
		a.rows, a.unread = append(a.rows, row), a.unread || row.function == "" || row.start == 0
	}
	switch {
	case o.unknown != nil:
		return awards, out.Odd(o.unknown, a.law, a.days()...)
	case a.number == "" || a.number == native.Unclear:
		return awards, out.Odd(cmp.Or(o.odd, f.Bad("Client/Budget/BudgetIdentificatie", "the number of a budget")), a.law, a.days()...)
	case a.odd == nil && a.old == native.Unclear, a.odd == nil && len(a.rows) == 0:
		a.odd = f.Bad("Client/Budget", "one number that it replaces, and rows")
	}
	if a.odd != nil {
		a.unread = true
		for i := range a.rows {
			a.rows[i].odd = a.odd
		}
	}
	return append(awards, a), nil
}

// days are those of the rows, as far as they are known.
func (a award) days() (all []adapters.Days) {
	for _, r := range a.rows {
		all = append(all, r.days)
	}
	return all
}

// readRow reads the budget for one function. Of one that is odd the key is kept, as far as
// it can be read.
func readRow(law string, n native.Node) row {
	r := row{at: n.At()}
	r.function = codelist.Code(awardList(law), n.Text("Zorgfunctie"))
	if !code(r.function) {
		r.function = ""
	}
	r.days, r.odd = adapters.Dates{
		From: n.Text("FunctieBudgetPeriode/Begindatum"), To: n.Text("FunctieBudgetPeriode/Einddatum"),
		FromAt: "FunctieBudgetPeriode/Begindatum", ToAt: "FunctieBudgetPeriode/Einddatum",
	}.Read(n.At())
	r.start, r.end = r.days.From, r.days.Until()
	var err error
	if r.cents, err = money.Cents(n.Text("FunctieBudgetBedrag")); err != nil && r.odd == nil {
		r.odd = n.Bad("FunctieBudgetBedrag", "a whole number of cents")
	}
	switch {
	case r.odd != nil:
	case r.function == "":
		r.odd = n.Bad("Zorgfunctie", "the code of a function")
	case n.Text("FunctieBudgetPeriode/Einddatum") == "" || r.cents > 0 && r.days.Lapsed():
		r.odd = n.Bad("FunctieBudgetPeriode/Einddatum", "a last day, not before the first")
	case !r.days.Whole(): // a total is over all of its days
		r.odd = n.Bad("FunctieBudgetPeriode", "two whole days")
	}
	return r
}

func awardList(law string) codelist.List {
	return map[string]codelist.List{"WMO": codelist.WmoAward, "JW": codelist.JeugdAward, "WLZ": codelist.WlzAward}[law]
}

// awards writes the lines of the rows that count.
func (r Reader) awards(awards []award, out *adapters.Writer) error {
	s := resolve(awards)
	for _, a := range s.past {
		out.Skipped(adapters.SkippedSuperseded, a.law, a.at.Path)
	}
	for _, a := range s.counted {
		if a.odd != nil {
			if err := out.Odd(a.odd, a.law, a.days()...); err != nil {
				return err
			}
			continue
		}
		for _, row := range a.rows {
			if err := out.Odd(row.odd, a.law, row.days); err != nil {
				return err
			}
			if row.odd == nil && row.cents == 0 {
				withdrawn(a.law, row, out)
			}
		}
	}
	for _, row := range s.rights {
		r.line(row, out)
	}
	for _, row := range s.omitted {
		product, _ := product(row)
		out.Omitted(row.law, product, row.period(), row.at)
	}
	return nil
}

// withdrawn accounts for a row without money: it is as it should be on the first day alone
// (iPgb CD505).
func withdrawn(law string, r row, out *adapters.Writer) {
	if r.end == r.start {
		out.Skipped(adapters.SkippedRemoved, law, r.at.Path)
		return
	}
	was := right{row: r, law: law}
	product, _ := product(was)
	out.Zeroed(law, product, was.period(), r.at)
}

func (r Reader) line(row right, out *adapters.Writer) {
	line := &budgetv1.BudgetLine{
		Law: row.law, Funder: r.Party, Kind: "ENTITLEMENT", DeliveryForm: "PGB", Fungibility: "POOLABLE",
		Period: row.period(), Decision: &budgetv1.Decision{Budget: row.number, EarlierBudgets: row.others},
	}
	var known bool
	if line.Product, known = product(row); !known {
		out.Notice(adapters.NoticeUnknownCode, row.law, row.at.Field("Zorgfunctie").Pointer)
	}
	switch {
	case row.disputed:
	case row.end == adapters.Forever:
		out.Skipped(adapters.SkippedAmount, row.law, row.at.Field("FunctieBudgetBedrag").Path)
	default:
		line.Amount = &budgetv1.Amount{Cents: row.cents, Basis: "PERIOD_TOTAL"}
	}
	out.Line(line, row.records...)
	if row.disputed {
		out.Disputed(line)
	}
}

func (r right) period() *budgetv1.Period {
	p := &budgetv1.Period{Start: r.start.String()}
	if r.end != adapters.Forever {
		p.End = proto.String(r.end.String())
	}
	if r.original != 0 {
		p.OriginalEnd = proto.String(r.original.String())
	}
	return p
}

// product is the function of an award as a product. The Wlz has one function for
// everything, which is no care profile.
func product(r right) (*budgetv1.Product, bool) {
	list := awardList(r.law)
	label, known := codelist.Label(list, r.function)
	return &budgetv1.Product{System: string(list), Code: r.function, Label: label}, known
}
