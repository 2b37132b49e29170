package municipality

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/native"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// product writes the line of one awarded product.
func (c cases) product(application, p native.Node, days adapters.Days, out *adapters.Writer) error {
	law := lawOf(application)
	if days.Lapsed() { // it never was a right, whatever else is said of it
		out.Skipped(adapters.SkippedLapsed, law, p.At().Path)
		return nil
	}
	issued, err := adapters.DateISO.DayOrNone(application.Text("beschikking/datumAfgifte"))
	if err != nil {
		return application.Bad("beschikking/datumAfgifte", "a day")
	}
	line := &budgetv1.BudgetLine{
		Law: law, Funder: c.party, Kind: "ENTITLEMENT", Product: productOf(law, p),
		Decision: &budgetv1.Decision{Number: application.Text("beschikking/beschikkingNummer"), Issued: issued},
	}
	g := p.Get("toegewezenProduct")
	if line.Quantity, err = c.quantity(g.Get("omvang")); err != nil {
		return err
	}
	oneOff := false
	switch strings.ToLower(g.Text("leveringsvorm")) {
	case "zin": // in kind: money goes to the provider and is nobody's budget
		line.DeliveryForm, line.Fungibility = "ZIN", "IN_KIND"
	case "pgb":
		line.DeliveryForm, line.Fungibility = "PGB", "POOLABLE"
		if line.Amount, err = c.amount(g.Get("budget")); err != nil {
			return err
		}
		oneOff = line.GetAmount().GetBasis() == "ONE_OFF" && days.To == 0
	default:
		return g.Bad("leveringsvorm", "zin or pgb")
	}
	if law == "LLV" && line.GetDeliveryForm() == "PGB" { // for the journey to school and for nothing else
		line.Fungibility = "RINGFENCED"
	}
	if line.Period, err = out.Period(days, line.GetAmount().GetBasis(), g.At()); err != nil {
		return err
	}
	if oneOff {
		line.Period.End = proto.String(line.GetPeriod().GetStart()) // paid on its day and not again
	}
	c.notices(line, p, out)
	out.Line(line, p.At().Record(adapters.RecordDecision, application.Text("identificatie")))
	return nil
}

// notices says what of a line is not known, and takes away money without a value in any
// window: a total without an end. The right stands.
func (c cases) notices(line *budgetv1.BudgetLine, p native.Node, out *adapters.Writer) {
	law, budget := line.GetLaw(), p.At().Field("toegewezenProduct/budget")
	if line.GetProduct().GetLabel() == codelist.Unknown {
		out.Notice(adapters.NoticeUnknownCode, law, p.At().Field("productCategorie/code").Path)
	}
	switch {
	case line.Amount == nil:
	case line.GetAmount().GetBasis() == "":
		out.Notice(adapters.NoticeUnknownCode, law, budget.Field("per").Path)
		line.Amount = nil
	case line.GetAmount().GetBasis() == "PERIOD_TOTAL" && line.GetPeriod().End == nil:
		out.Skipped(adapters.SkippedAmount, law, budget.Field("bedrag").Path)
		line.Amount = nil
	}
}

// productOf takes the national category, and for school transport, which has no
// national list, the municipality's own code.
func productOf(law string, p native.Node) *budgetv1.Product {
	list, code, local := codelist.Transport, p.Text("product/identificatie"), ""
	switch law {
	case "WMO":
		list, code, local = codelist.Wmo, p.Text("productCategorie/code"), code
	case "JW":
		list, code, local = codelist.Jeugd, p.Text("productCategorie/code"), code
	}
	code = codelist.Code(list, code)
	label, _ := codelist.Label(list, code)
	return &budgetv1.Product{System: string(list), Code: code, Label: label, LocalCode: local}
}

func (c cases) quantity(omvang native.Node) (*budgetv1.Quantity, error) {
	volume := omvang.Number("volume")
	if volume.String() == "" {
		return nil, nil
	}
	exact, err := c.numbers.Volume(volume)
	if err != nil {
		return nil, omvang.Bad("volume", "a number with at most four decimals")
	}
	return &budgetv1.Quantity{
		Volume: exact,
		Unit:   codelist.Code(codelist.Unit, code(omvang, "eenheid")), Frequency: codelist.Code(codelist.Frequency, code(omvang, "frequentie")),
	}, nil
}

// code is a code by itself or in an object {"code": ...}: suppliers differ.
func code(n native.Node, name string) string {
	if bare := n.Text(name); bare != native.Unclear {
		return bare
	}
	return n.Text(name + "/code")
}

// amount reads the budget in euros, with an empty basis when that is not known; nil where
// a decision names none, which is usual: the money of a personal budget is in the award
// message.
func (c cases) amount(budget native.Node) (*budgetv1.Amount, error) {
	bedrag := budget.Number("bedrag")
	if bedrag.String() == "" {
		return nil, nil
	}
	cents, err := c.numbers.Euros(bedrag)
	if err != nil {
		return nil, budget.Bad("bedrag", "an amount in euros with at most two decimals")
	}
	per := strings.Join(strings.Fields(strings.ToLower(budget.Word("per"))), " ")
	if per == "" || per == native.Unclear {
		return nil, budget.Bad("per", "over what time the amount is")
	}
	return &budgetv1.Amount{Cents: cents, Basis: bases()[per]}, nil
}

func bases() map[string]string {
	return map[string]string{
		"jaar": "PER_YEAR", "kwartaal": "PER_QUARTER", "maand": "PER_MONTH", "dag": "PER_DAY",
		"week": "PER_WEEK", "2 weken": "PER_2_WEEKS", "twee weken": "PER_2_WEEKS",
		"4 weken": "PER_4_WEEKS", "vier weken": "PER_4_WEEKS", "periode van 4 weken": "PER_4_WEEKS",
		"13 weken": "PER_13_WEEKS", "52 weken": "PER_52_WEEKS",
		"beschikking": "PERIOD_TOTAL", "totaal": "PERIOD_TOTAL", "periode": "PERIOD_TOTAL",
		"eenmalig": "ONE_OFF",
	}
}
