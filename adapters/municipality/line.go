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

// line maps one awarded product. The path is for errors and notices.
func (c cases) line(law string, p decidedProduct, path string, out *adapters.Writer) (*budgetv1.BudgetLine, error) {
	g, at := p.ToegewezenProduct, path
	path += "/toegewezenProduct"
	period, err := message.Dates(g.DatumIngangGeldigheid, g.DatumEindeGeldigheid, path,
		"/datumIngangGeldigheid", "/datumEindeGeldigheid")
	if err != nil {
		return nil, err
	}
	line := &budgetv1.BudgetLine{Law: law, Funder: c.party, Kind: "ENTITLEMENT", Product: product(law, p), Period: period}
	if line.GetProduct().GetLabel() == codelist.Unknown {
		out.Notice(adapters.NoticeUnknownCode, law, at+"/productCategorie/code")
	}
	if g.Omvang != nil {
		o := g.Omvang
		line.Quantity, err = message.Quantity(o.Volume.String(), o.Eenheid.String(), o.Frequentie.String(), path+"/omvang")
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
		return nil, adapters.BadData(path+"/leveringsvorm", "zin or pgb")
	}
	if law == "LLV" { // for the journey to school and for nothing else
		line.Fungibility = "RINGFENCED"
	}
	line.Amount, err = g.Budget.amount(law, path+"/budget", period, out)
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
func (b *budget) amount(law, path string, period *budgetv1.Period, out *adapters.Writer) (*budgetv1.Amount, error) {
	if b == nil || b.Bedrag.String() == "" {
		return nil, nil
	}
	cents, err := money.Euros(b.Bedrag.String())
	if err != nil {
		return nil, adapters.BadData(path+"/bedrag", "an amount in euros with at most two decimals")
	}
	basis, known := bases()[strings.Join(strings.Fields(strings.ToLower(b.Per)), " ")]
	switch {
	case !known:
		out.Notice(adapters.NoticeUnknownCode, law, path+"/per")
		return nil, nil
	case basis == "PERIOD_TOTAL" && period.End == nil:
		// A total without an end has no value in any window. The right stands.
		out.Skipped(adapters.SkippedAmount, law, path+"/bedrag")
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
