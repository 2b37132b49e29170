package message

import (
	"encoding/xml"
	"strconv"
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
		return adapters.BadData(f.Path, "an allocation message")
	}
	switch {
	case m.BerichtCode != code:
		return adapters.BadData(f.Path+"/Header/BerichtCode", code)
	case m.Bsn != r.BSN.Reveal():
		return adapters.BadData(f.Path+"/Client/Bsn", "the person who was asked about")
	case !r.Ours(m.Afzender):
		return adapters.BadData(f.Path+"/Header/Afzender", "a code of the party that answers")
	case len(m.Products) == 0:
		return adapters.BadData(f.Path+"/ToegewezenProducten", "at least one")
	}
	for i, p := range m.Products {
		pointer := "/ToegewezenProducten/" + strconv.Itoa(i)
		if p.RedenWijziging == removed {
			out.Skipped(adapters.SkippedRemoved, law, pointer)
			continue
		}
		line, err := p.line(f.Path+pointer, law, list)
		if err != nil {
			return err
		}
		line.Funder, line.Provider = r.Party, provider(m.Ontvanger)
		if line.GetProduct().GetLabel() == codelist.Unknown {
			out.Notice(adapters.NoticeUnknownCode, law, pointer+"/Product/Categorie")
		}
		out.Line(line, adapters.Record{
			Native: f.Native, Type: strings.ToLower(string(f.Kind)), ID: p.ToewijzingNummer, Pointer: pointer,
		})
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

func (p Product) line(path, law string, list codelist.List) (*budgetv1.BudgetLine, error) {
	period, err := Dates(p.Ingangsdatum, p.Einddatum, path, "/Ingangsdatum", "/Einddatum")
	if err != nil {
		return nil, err
	}
	quantity, err := Quantity(p.Volume, p.Eenheid, p.Frequentie, path+"/Omvang")
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

// Quantity reads a volume with its unit (WJ756) and frequency (WMO757); nil when
// there is none.
func Quantity(volume, unit, frequency, path string) (*budgetv1.Quantity, error) {
	if volume == "" {
		return nil, nil
	}
	exact, err := money.Volume(volume)
	if err != nil {
		return nil, adapters.BadData(path+"/volume", "a number with at most four decimals")
	}
	return &budgetv1.Quantity{Volume: exact, Unit: unit, Frequency: frequency}, nil
}
