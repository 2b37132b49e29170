package transport

import (
	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/money"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/source"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// list is where the passes stand in an answer.
const list = "passen"

// Tables are the formats of record that are read here, with their members.
func Tables() []native.Table { return []native.Table{passesTable()} }

// passesTable lists the members of a Valys pass: kilometres over a period, of which tot is the
// last day.
func passesTable() native.Table {
	return native.Table{Format: "valys", Read: []string{"pas", "pkbKm", "vanaf", "tot"}}
}

// standard is the code of the ordinary personal kilometre budget.
const standard = "PKB-STD"

// reader turns an answer into lines.
type reader struct {
	pass    adapters.Number
	party   string
	numbers money.Style
}

func (r reader) read(found source.List, out *adapters.Writer) error {
	found.Notice(out)
	return native.Reader{
		Table: passesTable(), Law: func(native.Node) string { return "VALYS" }, Days: r.days,
		Read: func(n native.Node) error {
			line, err := r.line(n, out)
			if line != nil { // no record id: the number of the pass identifies the traveller
				out.Line(line, n.At().Record("valys", ""))
			}
			return err
		},
	}.All(found.Records, out)
}

func (r reader) days(n native.Node) []adapters.Days {
	if n.Text("pas") != r.pass.Reveal() {
		return nil
	}
	days, _ := daysOf(n)
	return []adapters.Days{days}
}

func daysOf(n native.Node) (adapters.Days, error) {
	return adapters.Dates{From: n.Text("vanaf"), To: n.Text("tot"), FromAt: "vanaf", ToAt: "tot"}.Read(n.At())
}

// line gives rides, not money: delivered in kind (ZIN). REIMBURSEMENT would say
// that somebody gets money back, and nobody does. Nil for a pass that ended before it began.
func (r reader) line(n native.Node, out *adapters.Writer) (*budgetv1.BudgetLine, error) {
	if n.Text("pas") != r.pass.Reveal() {
		return nil, n.Bad("pas", "the pass that was asked about")
	}
	days, err := daysOf(n)
	if err != nil {
		return nil, err
	}
	if days.Lapsed() {
		out.Skipped(adapters.SkippedLapsed, "VALYS", n.At().Path)
		return nil, nil
	}
	label, _ := codelist.Label(codelist.Travel, standard)
	line := &budgetv1.BudgetLine{
		Law: "VALYS", Funder: r.party, Kind: "PROVISION", DeliveryForm: "ZIN", Fungibility: "IN_KIND",
		Product: &budgetv1.Product{System: string(codelist.Travel), Code: standard, Label: label},
	}
	if line.Period, err = out.Period(days, "", n.At()); err != nil {
		return nil, err
	}
	km := n.Number("pkbKm")
	if km.String() == "" {
		return line, nil
	}
	volume, err := r.numbers.Volume(km)
	if err != nil {
		return nil, n.Bad("pkbKm", "a number of kilometres")
	}
	line.Quantity = &budgetv1.Quantity{Volume: volume, Unit: "KM"}
	if line.GetPeriod().End != nil { // WMO757: a total over the period; without an end it is one over nothing
		line.Quantity.Frequency = "6"
	}
	return line, nil
}
