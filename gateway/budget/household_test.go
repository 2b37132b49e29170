package budget_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/identity"
)

// sources of a drawn household, with the kinds of record each of them holds.
func parties() []casefile.Organisation {
	local := []string{"WMO", "JW", "LLV"}
	return []casefile.Organisation{
		{Code: "GM0001", Kind: "MUNICIPALITY", Laws: local}, {Code: "GM0002", Kind: "MUNICIPALITY", Laws: local},
		{Code: "ZK5501", Kind: "CARE_OFFICE", Laws: []string{"WLZ"}}, {Code: "ZK5502", Kind: "CARE_OFFICE", Laws: []string{"WLZ"}},
		{Code: "UWV", Kind: "UWV", Laws: []string{"WIA", "WAJONG", "UWV_PROVISION"}},
		{Code: "UZOVI9991", Kind: "INSURER", Laws: []string{"ZVW"}},
		{Code: "SWV2602", Kind: "EDUCATION", Laws: []string{"EDU"}}, {Code: "VALYS", Kind: "TRANSPORT", Laws: []string{"VALYS"}},
		{Code: "SVB", Kind: "SVB"}, {Code: "CAK", Kind: "CAK"},
	}
}

func kindsOf(p casefile.Organisation) []string {
	return map[string][]string{
		"MUNICIPALITY": {"award", "case_system", "wmo301", "jw301"},
		"CARE_OFFICE":  {"award", "iwlz"},
		"UWV":          {"suwi"}, "INSURER": {"zvw"}, "EDUCATION": {"education"}, "TRANSPORT": {"valys"},
		"SVB": {"payments"}, "CAK": {"own_contribution"},
	}[p.Kind]
}

// record is a native record, before it is JSON.
type record = map[string]any

// household draws a case of one to eight people with up to 60 records in their
// native shapes, and asks every person at some of the sources.
func household(t *rapid.T) *casefile.Case {
	c := &casefile.Case{
		Name: "drawn", Purpose: "integral_budget.compose", Requester: "GM0001", Parties: parties(),
		Records: map[string]map[string]json.RawMessage{}, Ask: map[string][]string{},
	}
	c.Window.From.Date = drawDate(t, "from")
	c.Window.To.Date = c.Window.From.Date + civil.Date(rapid.IntRange(0, 500).Draw(t, "length"))
	c.Today.Date = drawDate(t, "today")
	for i := range rapid.IntRange(1, 8).Draw(t, "people") {
		c.Household = append(c.Household, member(t, i+1))
		consent := casefile.Consent{Person: c.Household[i].Ref}
		for _, p := range c.Parties {
			switch rapid.IntRange(0, 5).Draw(t, "asked") {
			case 0:
				c.Ask[string(consent.Person)] = append(c.Ask[string(consent.Person)], p.Code)
			case 1:
			default:
				consent.Sources = append(consent.Sources, p.Code)
			}
		}
		c.Consents = append(c.Consents, consent)
	}
	drawRecords(t, c)
	return c
}

func member(t *rapid.T, n int) casefile.Member {
	m := casefile.Member{Ref: identity.PersonRef("P" + strconv.Itoa(n)), BSN: fmt.Sprintf("%09d", n)}
	m.Born.Date = civil.New(1950, 1, 1) + civil.Date(rapid.IntRange(0, 27000).Draw(t, "born"))
	m.IDs.Onderwijsnummer, m.IDs.Pasnummer = "O"+m.BSN, "V"+m.BSN
	m.Municipality = []casefile.Residence{{Code: "0001"}}
	if rapid.Bool().Draw(t, "moves") {
		day := drawDate(t, "moved")
		m.Municipality[0].To.Date = day - 1
		m.Municipality = append(m.Municipality, casefile.Residence{Code: "0002", From: casefile.Date{Date: day}})
	}
	return m
}

func drawRecords(t *rapid.T, c *casefile.Case) {
	native := map[string]map[string][]record{}
	mediations := map[string][]record{}
	for n := range rapid.IntRange(0, 60).Draw(t, "records") {
		p := rapid.SampledFrom(c.Parties).Draw(t, "party")
		m := rapid.SampledFrom(c.Household).Draw(t, "person")
		kind := rapid.SampledFrom(kindsOf(p)).Draw(t, "kind")
		if kind == "iwlz" {
			mediations[p.Code] = append(mediations[p.Code], mediation(t, m))
			continue
		}
		if native[p.Code] == nil {
			native[p.Code] = map[string][]record{}
		}
		native[p.Code][kind] = append(native[p.Code][kind], drawRecord(t, kind, p, m, n))
	}
	for code, kinds := range native {
		c.Records[code] = map[string]json.RawMessage{}
		for kind, records := range kinds {
			c.Records[code][kind] = written(records)
		}
	}
	for code, records := range mediations {
		if c.Records[code] == nil {
			c.Records[code] = map[string]json.RawMessage{}
		}
		c.Records[code]["iwlz"] = written(record{"bemiddelingspecificaties": records})
	}
}

func written(v any) json.RawMessage {
	raw, _ := json.Marshal(v) // maps of texts and numbers
	return raw
}

// days draws a span; the end may be open.
func days(t *rapid.T) (start, end string) {
	s := drawSpan(t)
	if rapid.IntRange(0, 3).Draw(t, "open") == 0 {
		return s.From.String(), ""
	}
	return s.From.String(), s.To.String()
}

func drawSpan(t *rapid.T) civil.Span {
	// Few starts, so that lines adjoin, overlap and coincide.
	from := civil.New(2023, 1, 1).AddMonths(rapid.IntRange(0, 40).Draw(t, "month"))
	return civil.Span{From: from, To: from.AddMonths(rapid.IntRange(1, 24).Draw(t, "months")) - 1}
}

func cents(t *rapid.T) int64 { return rapid.Int64Range(0, 5_000_000).Draw(t, "cents") }

func euros(t *rapid.T) string {
	n := cents(t)
	return fmt.Sprintf("%d,%02d", n/100, n%100)
}

func code(t *rapid.T, codes ...string) string { return rapid.SampledFrom(codes).Draw(t, "code") }

// budgetOf is one of a few Budgetidentificaties, so that spending finds its line.
func budgetOf(t *rapid.T, m casefile.Member) string {
	return m.BSN + "-" + strconv.Itoa(rapid.IntRange(1, 3).Draw(t, "budget"))
}

func mediation(t *rapid.T, m casefile.Member) record {
	start, end := days(t)
	return record{"bsn": m.BSN, "zzpCode": code(t, "804", "830"), "toewijzingIngangsdatum": start, "toewijzingEinddatum": end}
}

func drawRecord(t *rapid.T, kind string, p casefile.Organisation, m casefile.Member, n int) record {
	start, end := days(t)
	id := strconv.Itoa(1000 + n)
	switch kind {
	case "award":
		return drawAward(t, p, m)
	case "case_system":
		return drawDecision(t, m, 1000+n)
	case "wmo301", "jw301":
		return record{"Client": record{"Bsn": m.BSN}, "ToegewezenProducten": []record{{
			"ToewijzingNummer": id, "Ingangsdatum": start, "Einddatum": end, "Product": record{"Categorie": code(t, "02", "07", "45", "54")},
			"Omvang": record{"Volume": 4, "Eenheid": "16", "Frequentie": "2"},
		}}}
	case "suwi":
		return drawBenefit(t, m)
	case "zvw":
		s := drawSpan(t)
		return record{
			"bsn": m.BSN, "toekenning": id, "functie": "VV", "urenPerWeek": rapid.IntRange(0, 40).Draw(t, "hours"), "tarief": euros(t),
			"ingangsdatum": s.From.Dutch(), "einddatum": s.To.Dutch(),
		}
	case "education":
		year := rapid.IntRange(2022, 2026).Draw(t, "year")
		return record{"onderwijsnummer": m.IDs.Onderwijsnummer, "nummer": id, "schooljaar": fmt.Sprintf("%d-%d", year, year+1), "bedrag": euros(t)}
	case "valys":
		return record{"pas": m.IDs.Pasnummer, "pkbKm": 350, "vanaf": start, "tot": end}
	case "payments":
		return record{
			"Bsn": m.BSN, "Budgetidentificatie": budgetOf(t, m), "Zorgfunctie": code(t, "02", "45", "99"), "Begindatum": start,
			"Besteed": cents(t), "Peildatum": drawDate(t, "asOf").String(),
		}
	default:
		return record{"Bsn": m.BSN, "Wet": code(t, "Wmo", "Wlz"), "BedragPerMaand": rapid.Int64Range(0, 5000).Draw(t, "month"), "Ingangsdatum": start, "Einddatum": end}
	}
}

func drawAward(t *rapid.T, p casefile.Organisation, m casefile.Member) record {
	s := drawSpan(t)
	fund := record{"Begindatum": s.From.String(), "Einddatum": s.To.String(), "Bedrag": cents(t)}
	if rapid.IntRange(0, 3).Draw(t, "cut") == 0 {
		fund["Einddatum"] = (s.From + civil.Date(rapid.IntRange(0, s.Days()-1).Draw(t, "days"))).String()
		fund["OorspronkelijkeEinddatum"], fund["BedragOorspronkelijk"] = s.To.String(), fund["Bedrag"]
		delete(fund, "Bedrag")
	}
	law := "Wlz"
	fund["Zorgfunctie"] = "99"
	if p.Kind == "MUNICIPALITY" {
		law, fund["Zorgfunctie"] = code(t, "Wmo", "Jw"), code(t, "02", "45")
	}
	return record{"Bsn": m.BSN, "Wet": law, "Budgetidentificatie": budgetOf(t, m), "Functiebudgetten": []record{fund}}
}

func drawDecision(t *rapid.T, m casefile.Member, number int) record {
	start, end := days(t)
	granted := record{"DatumIngangGeldigheid": start, "DatumEindeGeldigheid": end}
	if rapid.Bool().Draw(t, "money") {
		granted["Budget"] = record{"bedrag": euros(t), "per": "jaar"}
	}
	return record{
		"bsn": m.BSN, "regeling": record{"identificatie": code(t, "WMO", "JW", "LLV")},
		"beschikking": record{"beschikkingNummer": number, "beschikteProducten": []record{{
			"product": record{"identificatie": "LLVKM"}, "productCategorie": record{"code": code(t, "02", "12", "45")}, "toegewezenProduct": granted,
		}}},
	}
}

func drawBenefit(t *rapid.T, m casefile.Member) record {
	start, end := days(t)
	compact := func(day string) string { return strings.ReplaceAll(day, "-", "") }
	period := record{
		"DatBUitkeringsperiode": compact(start), "DatEUitkeringsperiode": compact(end),
		"BrutoUitkeringsbedr": []record{{"WaardeBedr": cents(t), "CdUitkeringsperiode": code(t, "6", "9")}},
	}
	s := drawSpan(t)
	return record{
		"Burgerservicenr":      m.BSN,
		"Uitkeringsverhouding": []record{{"SzWet": record{"CdSzWet": code(t, "WIA", "WAJ")}, "Uitkeringsperiode": []record{period}}},
		"Voorziening":          []record{{"soort": code(t, "jobcoach", "vervoer"), "DatB": s.From.Compact(), "DatE": s.To.Compact(), "WaardeBedr": cents(t)}},
	}
}
