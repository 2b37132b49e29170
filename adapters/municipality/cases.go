package municipality

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/money"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/source"
)

// list is where the applications stand in an answer of the case system.
const list = "_embedded/aanvraag"

// Members of an application: where its products stand, and what of a product was granted.
const (
	products = "beschikking/beschikteProducten"
	granted  = products + "[]/toegewezenProduct/"
)

// Tables are the formats of record that are read here, with their members.
func Tables() []native.Table { return []native.Table{applicationTable()} }

// applicationTable lists the members of an application in the case system. Descriptions are free
// text and are not read.
func applicationTable() native.Table {
	return native.Table{
		Format: adapters.RecordDecision,
		Read: []string{
			"identificatie", "bsn", "regeling/identificatie", "beschikking/beschikkingNummer", "beschikking/datumAfgifte",
			products + "[]/product/identificatie", products + "[]/productCategorie/code", products + "[]/resultaat",
			granted + "datumIngangGeldigheid", granted + "datumEindeGeldigheid", granted + "leveringsvorm",
			granted + "omvang/volume", // a code stands by itself or in an object: suppliers differ
			granted + "omvang/eenheid", granted + "omvang/eenheid/code", granted + "omvang/frequentie", granted + "omvang/frequentie/code",
			granted + "budget/bedrag", granted + "budget/per",
		},
		Ignored: []string{
			"_links/*", "datumAanvraag", "regeling/omschrijving", products + "[]/identificatie",
			products + "[]/product/productsoortCode", products + "[]/product/omschrijving", products + "[]/productCategorie/omschrijving",
			granted + "actueel", granted + "toewijzingen[]/*",
			granted + "omvang/eenheid/omschrijving", granted + "omvang/frequentie/omschrijving",
		},
	}
}

func askCases(ctx context.Context, src *source.Source, bsn adapters.BSN, laws []string) (source.List, error) {
	body, err := json.Marshal(map[string]any{"bsn": bsn.Reveal(), "regelingen": laws})
	if err != nil {
		return source.List{}, adapters.Bug()
	}
	return src.Records(ctx, source.Message{
		Path: "/aanvragen", Type: "application/json", Body: body,
		Accept: []string{"application/json", "application/hal+json"},
	}, list)
}

// cases reads the applications of one person.
type cases struct {
	bsn     adapters.BSN
	party   string
	numbers money.Style
}

func (c cases) read(found source.List, out *adapters.Writer) error {
	found.Notice(out)
	return native.Reader{
		Table: applicationTable(), Law: lawOf, Days: c.days,
		Read: func(n native.Node) error { return c.application(n, out) },
	}.All(found.Records, out)
}

// lawOf is the law of an application; empty when it is none that is read here.
func lawOf(n native.Node) string {
	law := strings.ToUpper(n.Text("regeling/identificatie"))
	if !slices.Contains([]string{"WMO", "JW", "LLV"}, law) {
		return ""
	}
	return law
}

// days gives those of every product in an application of the person.
func (c cases) days(n native.Node) (all []adapters.Days) {
	if n.Text("bsn") != c.bsn.Reveal() {
		return nil
	}
	for _, p := range n.All(products) {
		days, _ := daysOf(p)
		all = append(all, days)
	}
	return all
}

func daysOf(product native.Node) (adapters.Days, error) {
	g := product.Get("toegewezenProduct")
	return adapters.Dates{
		From: g.Text("datumIngangGeldigheid"), To: g.Text("datumEindeGeldigheid"),
		FromAt: "datumIngangGeldigheid", ToAt: "datumEindeGeldigheid",
	}.Read(g.At())
}

// application reads one. A product in it that is odd costs that product.
func (c cases) application(n native.Node, out *adapters.Writer) error {
	law, found := lawOf(n), n.All(products)
	switch {
	case n.Text("bsn") != c.bsn.Reveal():
		return n.Bad("bsn", "the person who was asked about")
	case law == "":
		return n.Bad("regeling/identificatie", "WMO, JW or LLV")
	case len(found) == 0:
		out.Skipped(adapters.SkippedNoDecision, law, n.At().Path)
		return nil
	}
	for _, p := range found {
		days, _ := daysOf(p)
		if err := out.Odd(c.decided(n, p, out), law, days); err != nil {
			return err
		}
	}
	return nil
}

// decided reads a product that was asked for. What came of it must be clear.
func (c cases) decided(application, p native.Node, out *adapters.Writer) error {
	law, result := lawOf(application), strings.ToLower(p.Text("resultaat"))
	awarded := p.Get("toegewezenProduct").Has()
	switch {
	case result == "afgewezen":
		out.Skipped(adapters.SkippedRefused, law, p.At().Path)
		return nil
	case result == "toegewezen" && awarded:
		days, err := daysOf(p)
		if err != nil {
			return err
		}
		return c.product(application, p, days, out)
	case result == "toegewezen" || awarded:
		return p.Bad("resultaat", "toegewezen with what was awarded, or neither")
	}
	out.Skipped(adapters.SkippedNoDecision, law, p.At().Path)
	return nil
}
