package insurer

import (
	"math/big"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/money"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/source"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// list is where the awards stand in an answer.
const list = "toekenningen"

// Tables are the formats of record that are read here, with their members.
func Tables() []native.Table { return []native.Table{awardsTable()} }

// awardsTable lists the members of a toekenning: hours a week at a tariff in euros.
func awardsTable() native.Table {
	return native.Table{
		Format: "zvw",
		Read:   []string{"uzovi", "bsn", "toekenning", "functie", "urenPerWeek", "tarief", "ingangsdatum", "einddatum"},
	}
}

// reader turns an answer into lines.
type reader struct {
	bsn     adapters.BSN
	party   string
	ours    func(code string) bool
	numbers money.Style
}

func (r reader) read(found source.List, out *adapters.Writer) error {
	found.Notice(out)
	return native.Reader{
		Table: awardsTable(), Law: func(native.Node) string { return "ZVW" }, Days: r.days,
		Read: func(n native.Node) error { return r.award(n, out) },
	}.All(found.Records, out)
}

func (r reader) days(n native.Node) []adapters.Days {
	if n.Text("bsn") != r.bsn.Reveal() {
		return nil
	}
	days, _ := daysOf(n)
	return []adapters.Days{days}
}

func daysOf(n native.Node) (adapters.Days, error) {
	return adapters.Dates{
		From: n.Text("ingangsdatum"), To: n.Text("einddatum"), FromAt: "ingangsdatum", ToAt: "einddatum", Form: adapters.DateDutch,
	}.Read(n.At())
}

func (r reader) award(n native.Node, out *adapters.Writer) error {
	switch {
	case n.Text("bsn") != r.bsn.Reveal():
		return n.Bad("bsn", "the person who was asked about")
	case !r.ours(n.Text("uzovi")):
		return n.Bad("uzovi", "a code of the party that answers")
	}
	line, err := r.line(n, out)
	if line == nil || err != nil {
		return err
	}
	if line.GetProduct().GetLabel() == codelist.Unknown {
		out.Notice(adapters.NoticeUnknownCode, "ZVW", n.At().Field("functie").Path)
	}
	out.Line(line, n.At().Record("zvw", n.Text("toekenning")))
	return nil
}

// line is nil for an award that ended before it began and has no money: it was none.
func (r reader) line(n native.Node, out *adapters.Writer) (*budgetv1.BudgetLine, error) {
	days, err := daysOf(n)
	if err != nil {
		return nil, err
	}
	label, _ := codelist.Label(codelist.Nursing, n.Text("functie"))
	line := &budgetv1.BudgetLine{
		Law: "ZVW", Funder: r.party, Kind: "ENTITLEMENT", DeliveryForm: "PGB", Fungibility: "POOLABLE",
		Product:  &budgetv1.Product{System: string(codelist.Nursing), Code: n.Text("functie"), Label: label},
		Decision: &budgetv1.Decision{Number: n.Text("toekenning")},
	}
	if line.Quantity, line.Amount, err = r.money(n); err != nil {
		return nil, err
	}
	if days.Lapsed() && line.Amount == nil {
		out.Skipped(adapters.SkippedLapsed, "ZVW", n.At().Path)
		return nil, nil
	}
	line.Period, err = out.Period(days, line.GetAmount().GetBasis(), n.At())
	return line, err
}

// money reads hours and tariff; what is absent is not known, and not zero.
func (r reader) money(n native.Node) (*budgetv1.Quantity, *budgetv1.Amount, error) {
	hours, tariff := n.Number("urenPerWeek"), n.Number("tarief")
	if hours.String() == "" {
		return nil, nil, nil
	}
	volume, err := r.numbers.Volume(hours)
	if err != nil {
		return nil, nil, n.Bad("urenPerWeek", "hours with at most four decimals")
	}
	quantity := &budgetv1.Quantity{Volume: volume, Unit: "04", Frequency: "2"}
	if tariff.String() == "" {
		return quantity, nil, nil
	}
	euros, err := r.numbers.Decimal(tariff, 2)
	if err != nil {
		return nil, nil, n.Bad("tarief", "an amount in euros with at most two decimals")
	}
	exact, _ := new(big.Rat).SetString(volume) // Volume writes nothing else
	amount := weekly(exact, euros)
	if amount == nil {
		return nil, nil, n.Bad("tarief", "an amount within bounds")
	}
	return quantity, amount, nil
}

// weekly gives hours times tariff, which is the award itself: an amount that is
// derived and counted. What is no whole number of cents a week is given as a
// fraction, so that it is rounded once, where it is valued (N2). nil when it is
// too large to be accepted.
func weekly(hours, tariff *big.Rat) *budgetv1.Amount {
	week := new(big.Rat).Mul(hours, tariff)
	week.Mul(week, big.NewRat(100, 1))
	if week.Num().Cmp(big.NewInt(money.Most)) > 0 || !week.Denom().IsInt64() || week.Denom().Int64() > mostParts {
		return nil
	}
	a := &budgetv1.Amount{Cents: week.Num().Int64(), Basis: "PER_WEEK", Derived: true}
	if !week.IsInt() {
		a.Divisor = week.Denom().Int64()
	}
	return a
}

// mostParts bounds the fraction: four decimals of an hour and two of a euro.
const mostParts = 1_000_000
