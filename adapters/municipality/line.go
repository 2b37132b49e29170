package municipality

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/message"
	"github.com/ontschot/ontschot/adapters/money"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func (d decision) numbers() *budgetv1.Decision {
	day, _, _ := strings.Cut(d.DatumAfgifte, "T") // some suppliers add a time of day
	return &budgetv1.Decision{Number: d.BeschikkingNummer.String(), Issued: day}
}

// line maps one awarded product.
func (c cases) line(law string, p decidedProduct, at adapters.Cursor, out *adapters.Writer) (*budgetv1.BudgetLine, error) {
	g, granted := p.ToegewezenProduct, at.Field("toegewezenProduct")
	period, err := adapters.Dates{
		From: g.DatumIngangGeldigheid, To: g.DatumEindeGeldigheid,
		FromAt: "datumIngangGeldigheid", ToAt: "datumEindeGeldigheid",
	}.Period(granted)
	if err != nil {
		return nil, err
	}
	line := &budgetv1.BudgetLine{Law: law, Funder: c.party, Kind: "ENTITLEMENT", Product: product(law, p), Period: period}
	if line.GetProduct().GetLabel() == codelist.Unknown {
		out.Notice(adapters.NoticeUnknownCode, law, at.Field("productCategorie/code").Path)
	}
	if g.Omvang != nil {
		o := g.Omvang
		line.Quantity, err = message.Quantity(granted.Field("omvang"), o.Volume.String(), o.Eenheid.String(), o.Frequentie.String())
		if err != nil {
			return nil, err
		}
	}
	switch strings.ToLower(g.Leveringsvorm) {
	case "zin": // in kind: money goes to the provider and is nobody's budget
		line.DeliveryForm, line.Fungibility = "ZIN", "IN_KIND"
		return line, nil
	case "pgb":
		line.DeliveryForm, line.Fungibility = "PGB", "POOLABLE"
	default:
		return nil, granted.Field("leveringsvorm").Bad("zin or pgb")
	}
	if law == "LLV" { // for the journey to school and for nothing else
		line.Fungibility = "RINGFENCED"
	}
	line.Amount, err = g.Budget.amount(law, period, granted.Field("budget"), out)
	return line, err
}

// product takes the national category, and for school transport, which has no
// national list, the municipality's own code.
func product(law string, p decidedProduct) *budgetv1.Product {
	list, code, local := codelist.Transport, p.Product.Identificatie.String(), ""
	switch law {
	case "WMO":
		list, code, local = codelist.Wmo, p.ProductCategorie.Code.String(), code
	case "JW":
		list, code, local = codelist.Jeugd, p.ProductCategorie.Code.String(), code
	}
	label, _ := codelist.Label(list, code)
	return &budgetv1.Product{System: string(list), Code: code, Label: label, LocalCode: local}
}

// amount reads the budget in euros; nil where a decision names none, which is
// usual: the money of a personal budget is in the award message.
func (b *budget) amount(law string, period *budgetv1.Period, at adapters.Cursor, out *adapters.Writer) (*budgetv1.Amount, error) {
	if b == nil || b.Bedrag.String() == "" {
		return nil, nil
	}
	cents, err := money.Euros(b.Bedrag.String())
	if err != nil {
		return nil, at.Field("bedrag").Bad("an amount in euros with at most two decimals")
	}
	basis, known := bases()[strings.Join(strings.Fields(strings.ToLower(b.Per)), " ")]
	switch {
	case !known:
		out.Notice(adapters.NoticeUnknownCode, law, at.Field("per").Path)
		return nil, nil
	case basis == "PERIOD_TOTAL" && period.End == nil:
		// A total without an end has no value in any window. The right stands.
		out.Skipped(adapters.SkippedAmount, law, at.Field("bedrag").Path)
		return nil, nil
	case basis == "ONE_OFF" && period.End == nil:
		period.End = proto.String(period.GetStart()) // paid on its day and not again
	}
	return &budgetv1.Amount{Cents: cents, Basis: basis}, nil
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
