package municipality

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/money"
	"github.com/ontschot/ontschot/adapters/source"
)

// The case system's answer, as far as it is read. Descriptions are free text
// and are not.
type (
	answer struct {
		Embedded struct {
			Aanvraag []json.RawMessage `json:"aanvraag"`
		} `json:"_embedded"`
	}
	application struct {
		Identificatie money.Text `json:"identificatie"`
		Bsn           money.Text `json:"bsn"`
		Regeling      struct {
			Identificatie string `json:"identificatie"`
		} `json:"regeling"`
		Beschikking *decision `json:"beschikking"`
	}
	decision struct {
		BeschikkingNummer  money.Text       `json:"beschikkingNummer"`
		DatumAfgifte       string           `json:"datumAfgifte"`
		BeschikteProducten []decidedProduct `json:"beschikteProducten"`
	}
	decidedProduct struct {
		Product struct {
			Identificatie money.Text `json:"identificatie"`
		} `json:"product"`
		ProductCategorie struct {
			Code money.Text `json:"code"`
		} `json:"productCategorie"`
		Resultaat         string   `json:"resultaat"`
		ToegewezenProduct *granted `json:"toegewezenProduct"`
	}
	granted struct {
		DatumIngangGeldigheid string  `json:"datumIngangGeldigheid"`
		DatumEindeGeldigheid  string  `json:"datumEindeGeldigheid"`
		Leveringsvorm         string  `json:"leveringsvorm"`
		Omvang                *volume `json:"omvang"`
		Budget                *budget `json:"budget"`
	}
	volume struct {
		Volume     money.Text `json:"volume"`
		Eenheid    code       `json:"eenheid"`
		Frequentie code       `json:"frequentie"`
	}
	budget struct {
		Bedrag money.Text `json:"bedrag"`
		Per    string     `json:"per"`
	}
)

// code is a code by itself or in an object {"code": ...}: suppliers differ.
type code struct{ money.Text }

// UnmarshalJSON reads both.
func (c *code) UnmarshalJSON(raw []byte) error {
	if len(raw) == 0 || raw[0] != '{' {
		return c.Text.UnmarshalJSON(raw)
	}
	var object struct {
		Code money.Text `json:"code"`
	}
	err := json.Unmarshal(raw, &object)
	c.Text = object.Code
	return err
}

// mostApplications bounds what is accepted of one person.
const mostApplications = 1000

func askCases(ctx context.Context, src *source.Source, bsn adapters.BSN, laws []string) ([]byte, error) {
	body, err := json.Marshal(map[string]any{"bsn": bsn.Reveal(), "regelingen": laws})
	if err != nil {
		return nil, adapters.Bug()
	}
	return src.Post(ctx, source.Message{
		Path: "/aanvragen", Type: "application/json", Body: body,
		Accept: []string{"application/json", "application/hal+json"},
	})
}

// cases reads the applications of one person.
type cases struct {
	bsn   adapters.BSN
	party string
}

func (c cases) read(raw []byte, out *adapters.Writer) error {
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		return adapters.BadData("/", "JSON of the case system")
	}
	if len(a.Embedded.Aanvraag) > mostApplications {
		return adapters.BadData("/_embedded/aanvraag", "at most "+strconv.Itoa(mostApplications))
	}
	for i, native := range a.Embedded.Aanvraag {
		at := adapters.Cursor{}.Field("_embedded/aanvraag").Item(i).Begin(native)
		if err := c.application(at, out); err != nil {
			return err
		}
	}
	return nil
}

func (c cases) application(at adapters.Cursor, out *adapters.Writer) error {
	var a application
	if err := json.Unmarshal(at.Native, &a); err != nil {
		return at.Bad("an application")
	}
	law := strings.ToUpper(a.Regeling.Identificatie)
	switch {
	case a.Bsn.String() != c.bsn.Reveal():
		return at.Field("bsn").Bad("the person who was asked about")
	case law != "WMO" && law != "JW" && law != "LLV":
		return at.Field("regeling/identificatie").Bad("WMO, JW or LLV")
	case a.Beschikking == nil || len(a.Beschikking.BeschikteProducten) == 0:
		out.Skipped(adapters.SkippedNoDecision, law, at.Path)
		return nil
	}
	for i, p := range a.Beschikking.BeschikteProducten {
		at := at.Field("beschikking/beschikteProducten").Item(i)
		if reason := p.refused(); reason != "" {
			out.Skipped(reason, law, at.Path)
			continue
		}
		line, err := c.line(law, p, at, out)
		if err != nil {
			return err
		}
		line.Decision = a.Beschikking.numbers()
		out.Line(line, at.Record(adapters.RecordDecision, a.Identificatie.String()))
	}
	return nil
}

// refused gives why a product was not awarded; empty when it was.
func (p decidedProduct) refused() string {
	switch {
	case strings.EqualFold(p.Resultaat, "afgewezen"):
		return adapters.SkippedRefused
	case !strings.EqualFold(p.Resultaat, "toegewezen") || p.ToegewezenProduct == nil:
		return adapters.SkippedNoDecision
	}
	return ""
}
