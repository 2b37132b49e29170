package message

import (
	"encoding/xml"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/money"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Allocation is a toewijzingsbericht (WMO301, JW301): care in kind that a
// municipality assigns to a provider. It never carries a personal budget.
type Allocation struct {
	BerichtCode string    `xml:"Header>BerichtCode"`
	Afzender    string    `xml:"Header>Afzender"`
	Ontvanger   string    `xml:"Header>Ontvanger"` // AGB code of the provider
	Bsn         string    `xml:"Client>Bsn"`
	Products    []Product `xml:"Client>ToegewezenProducten>ToegewezenProduct"`
}

// Product is one allocated product.
type Product struct {
	ToewijzingNummer string `xml:"ToewijzingNummer"`
	Categorie        string `xml:"Product>Categorie"`
	Code             string `xml:"Product>Code"`
	Toewijzingsdatum string `xml:"Toewijzingsdatum"`
	Ingangsdatum     string `xml:"Ingangsdatum"`
	Einddatum        string `xml:"Einddatum"`
	RedenWijziging   string `xml:"RedenWijziging"`
	Volume           string `xml:"Omvang>Volume"`
	Eenheid          string `xml:"Omvang>Eenheid"`
	Frequentie       string `xml:"Omvang>Frequentie"`
}

// removed is the reason of change of an allocation that is to be taken as never
// sent (list JZ002, code 13).
const removed = "13"

func (r Reader) allocation(f Found, out *adapters.Writer) error {
	law, code, list := "WMO", "414", codelist.Wmo
	if f.Kind == Jeugd {
		law, code, list = "JW", "436", codelist.Jeugd
	}
	var m Allocation
	if err := xml.Unmarshal(f.Native, &m); err != nil {
		return f.Bad("an allocation message")
	}
	switch {
	case m.BerichtCode != code:
		return f.Field("Header/BerichtCode").Bad(code)
	case m.Bsn != r.BSN.Reveal():
		return f.Field("Client/Bsn").Bad("the person who was asked about")
	case !r.Ours(m.Afzender):
		return f.Field("Header/Afzender").Bad("a code of the party that answers")
	case len(m.Products) == 0:
		return f.Field("ToegewezenProducten").Bad("at least one")
	}
	for i, p := range m.Products {
		at := f.Field("ToegewezenProducten").Item(i)
		if p.RedenWijziging == removed {
			out.Skipped(adapters.SkippedRemoved, law, at.Pointer)
			continue
		}
		line, err := p.line(at, law, list)
		if err != nil {
			return err
		}
		line.Funder, line.Provider = r.Party, provider(m.Ontvanger)
		if line.GetProduct().GetLabel() == codelist.Unknown {
			out.Notice(adapters.NoticeUnknownCode, law, at.Field("Product/Categorie").Pointer)
		}
		out.Line(line, at.Record(strings.ToLower(string(f.Kind)), p.ToewijzingNummer))
	}
	return nil
}

// provider keeps an AGB code, eight digits, and nothing else that may stand there.
func provider(code string) string {
	if len(code) != 8 || strings.Trim(code, "0123456789") != "" {
		return ""
	}
	return code
}

func (p Product) line(at adapters.Cursor, law string, list codelist.List) (*budgetv1.BudgetLine, error) {
	days := adapters.Dates{From: p.Ingangsdatum, To: p.Einddatum, FromAt: "Ingangsdatum", ToAt: "Einddatum"}
	period, err := days.Period(at)
	if err != nil {
		return nil, err
	}
	quantity, err := Quantity(at.Field("Omvang"), p.Volume, p.Eenheid, p.Frequentie)
	if err != nil {
		return nil, err
	}
	label, _ := codelist.Label(list, p.Categorie)
	return &budgetv1.BudgetLine{
		Law: law, Kind: "ENTITLEMENT", DeliveryForm: "ZIN", Fungibility: "IN_KIND",
		Product:  &budgetv1.Product{System: string(list), Code: p.Categorie, Label: label, LocalCode: p.Code},
		Period:   period,
		Quantity: quantity,
		Decision: &budgetv1.Decision{Number: p.ToewijzingNummer, Issued: p.Toewijzingsdatum},
	}, nil
}

// Quantity reads a volume with its unit (code list WJ756) and frequency (WMO757); nil
// when there is none. An error is bad data at the volume of at.
func Quantity(at adapters.Cursor, volume, unit, frequency string) (*budgetv1.Quantity, error) {
	if volume == "" {
		return nil, nil
	}
	exact, err := money.Volume(volume)
	if err != nil {
		return nil, at.Field("volume").Bad("a number with at most four decimals")
	}
	return &budgetv1.Quantity{Volume: exact, Unit: unit, Frequency: frequency}, nil
}
