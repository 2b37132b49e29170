package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// archive is an organisation's own archive of the messages it sent: POST
// /berichten/zoeken {bsn, soorten}. The request and the envelope are ours: the messages
// really travel in batches and have no query interface. What is in the envelope has the
// published structure (iPgb 2.1, iWmo and iJw 3.2); a case tells it in a shape of its own.
func (h *host) archive(w http.ResponseWriter, r *http.Request, body []byte) {
	var q struct {
		Bsn     string   `json:"bsn"`
		Soorten []string `json:"soorten"`
	}
	if json.Unmarshal(body, &q) != nil || q.Bsn == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.note(r, Request{Operation: "/berichten/zoeken", Values: slices.Clone(q.Soorten)})
	e := newElement()
	e.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<berichten>")
	for _, kind := range q.Soorten {
		switch kind {
		case "WMO501", "JW501", "WLZ501":
			h.awards501(e, kind, q.Bsn)
		case "WMO301":
			h.allocations301(e, standard{kind, "iwmo"}, q.Bsn)
		case "JW301":
			h.allocations301(e, standard{kind, "ijw"}, q.Bsn)
		case "WMO507", "JW507", "WLZ507", interim:
			h.spendings507(e, kind, q.Bsn)
		}
	}
	e.raw("</berichten>\n")
	reply(w, "application/xml; charset=utf-8", e.to.Bytes())
}

// codeOf is the BerichtCode of each kind of iPgb message, and the law it is of.
func codeOf(kind string) (code, law string) {
	code = map[string]string{
		"WMO501": "458", "JW501": "460", "WLZ501": "462", "WMO507": "464", "JW507": "466", "WLZ507": "468",
	}[kind]
	return code, strings.TrimRight(kind, "0123456789")
}

// fields are the members of a record that a message has in another place, by name; what
// is left goes along where it would stand.
type fields map[string]json.RawMessage

func fieldsOf(raw json.RawMessage) fields {
	f := fields{}
	eachField(raw, func(name string, value json.RawMessage) { f[name] = value })
	return f
}

// header writes the header of an iPgb message. A case that does not say when a message
// was sent means that it does not matter.
func (h *host) header(e *element, code, party string, f fields, otherwise civil.Date) {
	e.open("Header")
	e.text("BerichtCode", code)
	e.text("BerichtVersie", "2")
	e.text("BerichtSubversie", "1")
	e.text(party, text(f[party]))
	id := f["BerichtIdentificatie"]
	if id == nil {
		id, _ = json.Marshal(map[string]string{
			"Identificatie": strconv.Itoa(len(e.to.Bytes())), "Dagtekening": min(otherwise, h.today).String(),
		})
	}
	e.write("BerichtIdentificatie", id)
	e.raw("<XsdVersie><BasisschemaXsdVersie>2.1.0</BasisschemaXsdVersie><BerichtXsdVersie>2.1.0</BerichtXsdVersie></XsdVersie>")
	e.close("Header")
}

func (h *host) awards501(e *element, kind, bsn string) {
	code, law := codeOf(kind)
	for _, raw := range of(h.store.lists["award"], bsn, "Bsn") {
		if strings.EqualFold(text(raw, "Wet"), law) {
			e.raw(`<bericht soort="` + kind + `"><Bericht>`)
			h.award501(e, code, raw)
			e.raw("</Bericht></bericht>")
		}
	}
}

func (h *host) award501(e *element, code string, raw json.RawMessage) {
	f := fieldsOf(raw)
	f["Afzender"] = f["Verstrekker"]
	rows := list(f["Functiebudgetten"])
	first := h.today
	for _, row := range rows {
		if d, err := civil.Parse(text(row, "Begindatum")); err == nil {
			first = min(first, d)
		}
	}
	h.header(e, code, "Afzender", f, first)
	e.open("Client")
	e.write("Bsn", f["Bsn"])
	e.write("Contact", f["Contact"])
	e.write("Relaties", f["Relaties"])
	e.open("Budget")
	e.write("BudgetIdentificatie", f["Budgetidentificatie"])
	e.write("BudgetIdentificatieOud", f["BudgetidentificatieOud"])
	eachField(raw, func(name string, value json.RawMessage) {
		if !slices.Contains([]string{
			"Verstrekker", "Bsn", "Wet", "Contact", "Relaties", "BerichtIdentificatie",
			"Budgetidentificatie", "BudgetidentificatieOud", "Functiebudgetten",
		}, name) {
			e.write(name, value)
		}
	})
	e.open("FunctieBudgetten")
	for _, row := range rows {
		e.open("FunctieBudget")
		r := fieldsOf(row)
		e.write("Zorgfunctie", r["Zorgfunctie"])
		e.open("FunctieBudgetPeriode")
		e.write("Begindatum", r["Begindatum"])
		e.write("Einddatum", r["Einddatum"])
		e.close("FunctieBudgetPeriode")
		e.write("FunctieBudgetBedrag", r["Bedrag"])
		eachField(row, func(name string, value json.RawMessage) {
			if !slices.Contains([]string{"Zorgfunctie", "Begindatum", "Einddatum", "Bedrag"}, name) {
				e.write(name, value)
			}
		})
		e.close("FunctieBudget")
	}
	e.close("FunctieBudgetten")
	e.close("Budget")
	e.close("Client")
}

// standard is a kind of message, for example WMO301, and the standard it is of.
type standard struct{ kind, name string }

// allocations301 writes the messages of a standard in the shape of iWmo or iJw 3.2: what
// the case has beside the client goes to the header, what was allocated into the client.
func (h *host) allocations301(e *element, s standard, bsn string) {
	for _, raw := range of(h.store.lists[strings.ToLower(s.kind)], bsn, "Client", "Bsn") {
		e.raw(`<bericht soort="` + s.kind + `"><Bericht xmlns="http://www.istandaarden.nl/` + s.name + `/3_2/` +
			strings.ToLower(s.kind) + `/schema" xmlns:b="http://www.istandaarden.nl/` + s.name + `/3_2/basisschema/schema">`)
		f := fieldsOf(raw)
		products := list(f["ToegewezenProducten"])
		e.open("Header")
		e.write("BerichtCode", f["BerichtCode"])
		e.text("BerichtVersie", "3")
		e.text("BerichtSubversie", "2")
		eachField(raw, func(name string, value json.RawMessage) {
			if !slices.Contains([]string{"BerichtCode", "BerichtIdentificatie", "Client", "ToegewezenProducten"}, name) {
				e.write(name, value)
			}
		})
		id := f["BerichtIdentificatie"]
		if id == nil {
			id, _ = json.Marshal(map[string]string{"Identificatie": strconv.Itoa(len(e.to.Bytes())), "Dagtekening": h.sent(products)})
		}
		e.composite("BerichtIdentificatie", id)
		e.close("Header")
		e.open("Client")
		eachField(f["Client"], e.write)
		e.open("ToegewezenProducten")
		for _, product := range products {
			e.allocation(product)
		}
		e.close("ToegewezenProducten")
		e.close("Client")
		e.raw("</Bericht></bericht>")
	}
}

// sent is the newest day on which one of the products was allocated.
func (h *host) sent(products []json.RawMessage) (day string) {
	for _, p := range products {
		day = max(day, text(p, "Toewijzingsdatum"))
	}
	return day
}

// allocation writes one product in the order of the standard. The time of day is required
// there, and a case need not have one.
func (e *element) allocation(product json.RawMessage) {
	f := fieldsOf(product)
	if f["Toewijzingstijd"] == nil {
		f["Toewijzingstijd"] = json.RawMessage(`"00:00:00"`)
	}
	order := []string{
		"ToewijzingNummer", "ReferentieAanbieder", "Product", "Toewijzingsdatum", "Toewijzingstijd",
		"Ingangsdatum", "Einddatum", "RedenWijziging", "Omvang", "Budget", "Commentaar",
	}
	e.open("ToegewezenProduct")
	for _, name := range order {
		if name == "Product" || name == "Omvang" {
			e.composite(name, f[name])
		} else {
			e.write(name, f[name])
		}
	}
	eachField(product, func(name string, value json.RawMessage) {
		if !slices.Contains(order, name) {
			e.write(name, value)
		}
	})
	e.close("ToegewezenProduct")
}

// interim is what SVB says of a budget that still runs. No message of iPgb does: that it
// has the structure of a 507 without a reason is assumed.
const interim = "TUSSENSTAND"

// spendings507 writes what SVB paid, each figure in a message of its own. A case has a
// figure up to and including a day; where the case has another of a later year beside it,
// or says when the period ended, it is the closing of a slice, and else it stands in
// between.
func (h *host) spendings507(e *element, kind, bsn string) {
	payments := of(h.store.lists["payments"], bsn, "Bsn")
	for _, raw := range payments {
		f, law, funder := fieldsOf(raw), "", ""
		law, funder = h.awardOf(bsn, raw)
		closed := text(f["Einddatum"]) != "" || slices.ContainsFunc(payments, func(other json.RawMessage) bool { return follows(other, raw) })
		of := law + "507"
		if code, _ := codeOf(of); closed && kind == of || !closed && kind == interim {
			e.raw(`<bericht soort="` + kind + `"><Bericht>`)
			h.spending507(e, code, funder, closed, f)
			e.raw("</Bericht></bericht>")
		}
	}
}

// follows reports whether a payment is of a later year of the same function.
func follows(other, raw json.RawMessage) bool {
	year := func(p json.RawMessage) string { return text(p, "Begindatum")[:min(4, len(text(p, "Begindatum")))] }
	function := func(p json.RawMessage) string { return strings.TrimLeft(text(p, "Zorgfunctie"), "0") }
	return function(other) == function(raw) && year(other) > year(raw)
}

func (h *host) spending507(e *element, code, funder string, closed bool, f fields) {
	f["Ontvanger"], _ = json.Marshal(funder)
	day, _ := civil.Parse(text(f["Peildatum"]))
	if day.IsZero() {
		day = h.today
	}
	if f["BerichtIdentificatie"] == nil {
		f["BerichtIdentificatie"], _ = json.Marshal(map[string]string{
			"Identificatie": strconv.Itoa(len(e.to.Bytes())), "Dagtekening": day.String(),
		})
	}
	h.header(e, code, "Ontvanger", f, day)
	e.open("Client")
	e.write("Bsn", f["Bsn"])
	e.open("FunctieBudgettenBesteed")
	e.open("FunctieBudgetBesteed")
	e.write("BudgetIdentificatie", f["Budgetidentificatie"])
	e.write("Zorgfunctie", f["Zorgfunctie"])
	start := text(f["Begindatum"])
	end := text(f["Einddatum"])
	switch {
	case end != "":
	case closed:
		end = start[:min(4, len(start))] + "-12-31"
	default:
		end = max(start, day.String())
	}
	e.open("BestedingsPeriode")
	e.text("Begindatum", start)
	e.text("Einddatum", end)
	e.close("BestedingsPeriode")
	e.write("FunctieBudgetBesteed", f["Besteed"])
	for _, name := range []string{"VerantwoordingsvrijBedragBesteed", "ZiekengeldBesteed", "RedenBudgetafsluiting", "Nieuw"} {
		e.write(name, f[name])
	}
	if closed && f["RedenBudgetafsluiting"] == nil {
		e.text("RedenBudgetafsluiting", map[bool]string{true: "2", false: "1"}[strings.HasSuffix(end, "-12-31")])
	}
	e.close("FunctieBudgetBesteed")
	e.close("FunctieBudgettenBesteed")
	e.close("Client")
}

// awardOf gives the law and the funder of the budget that a payment names, which SVB
// knows from the award. Of one that nobody awarded the function says the law, and where
// the person lives the funder.
func (h *host) awardOf(bsn string, payment json.RawMessage) (law, funder string) {
	number := text(payment, "Budgetidentificatie")
	function := func(of json.RawMessage) string { return strings.TrimLeft(text(of, "Zorgfunctie"), "0") }
	for _, party := range h.whole.Parties {
		for _, award := range list(h.whole.Records[party.Code]["award"]) {
			if text(award, "Bsn") != bsn || text(award, "Budgetidentificatie") != number && text(award, "BudgetidentificatieOud") != number {
				continue
			}
			// One number can stand under two laws: the function says which.
			var parts struct{ Functiebudgetten json.RawMessage }
			_ = json.Unmarshal(award, &parts)
			named := slices.ContainsFunc(list(parts.Functiebudgetten), func(f json.RawMessage) bool { return function(f) == function(payment) })
			if named || law == "" {
				law, funder = strings.ToUpper(text(award, "Wet")), text(award, "Verstrekker")
			}
			if named {
				return law, funder
			}
		}
	}
	if law != "" {
		return law, funder
	}
	kind := budgetv1.KindMunicipality
	switch function, _ := strconv.Atoi(text(payment, "Zorgfunctie")); {
	case function == 99:
		law, kind = "WLZ", budgetv1.KindCareOffice
	case function > 30:
		law = "JW"
	default:
		law = "WMO"
	}
	i := slices.IndexFunc(h.whole.Parties, func(p casefile.Organisation) bool { return p.Kind == kind })
	if i >= 0 {
		funder = h.whole.Parties[i].SchemeCode()
	}
	return law, funder
}
