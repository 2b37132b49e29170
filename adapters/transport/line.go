package transport

import (
	"encoding/json"
	"strconv"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/money"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// pass is what a Valys pass is good for: a number of kilometres over a period.
type pass struct {
	Pas   money.Text `json:"pas"`
	PkbKm money.Text `json:"pkbKm"`
	Vanaf string     `json:"vanaf"`
	Tot   string     `json:"tot"` // last day, inclusive
}

// standard is the code of the ordinary personal kilometre budget.
const standard = "PKB-STD"

// mostPasses bounds what is accepted of one traveller.
const mostPasses = 500

// reader turns an answer into lines.
type reader struct {
	pass  adapters.Number
	party string
}

func (r reader) read(raw []byte, out *adapters.Writer) error {
	var answer struct {
		Passes []json.RawMessage `json:"passen"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return adapters.BadData("/", "JSON of Valys")
	}
	if answer.Passes == nil || len(answer.Passes) > mostPasses {
		return adapters.BadData("/passen", "a list of at most "+strconv.Itoa(mostPasses))
	}
	for i, native := range answer.Passes {
		at := adapters.Cursor{}.Field("passen").Item(i).Begin(native)
		var p pass
		if err := json.Unmarshal(native, &p); err != nil {
			return at.Bad("a pass")
		}
		line, err := r.line(p, at)
		if err != nil {
			return err
		}
		// No record id: the number of the pass identifies the traveller.
		out.Line(line, at.Record("valys", ""))
	}
	return nil
}

// line gives rides, not money: delivered in kind (ZIN). REIMBURSEMENT would say
// that somebody gets money back, and nobody does.
func (r reader) line(p pass, at adapters.Cursor) (*budgetv1.BudgetLine, error) {
	if p.Pas.String() != r.pass.Reveal() {
		return nil, at.Field("pas").Bad("the pass that was asked about")
	}
	period, err := adapters.Dates{From: p.Vanaf, To: p.Tot, FromAt: "vanaf", ToAt: "tot"}.Period(at)
	if err != nil {
		return nil, err
	}
	label, _ := codelist.Label(codelist.Travel, standard)
	line := &budgetv1.BudgetLine{
		Law: "VALYS", Funder: r.party, Kind: "PROVISION", DeliveryForm: "ZIN", Fungibility: "IN_KIND",
		Product: &budgetv1.Product{System: string(codelist.Travel), Code: standard, Label: label},
		Period:  period,
	}
	if p.PkbKm.String() == "" {
		return line, nil
	}
	km, err := money.Volume(p.PkbKm.String())
	if err != nil {
		return nil, at.Field("pkbKm").Bad("a number of kilometres")
	}
	line.Quantity = &budgetv1.Quantity{Volume: km, Unit: "KM"}
	if period.End != nil { // WMO757: a total over the period; without an end it is one over nothing
		line.Quantity.Frequency = "6"
	}
	return line, nil
}
