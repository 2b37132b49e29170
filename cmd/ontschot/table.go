package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// page prints a budget for a case worker. It is shown to who asked, so it may
// name the persons: the budget itself speaks of references only.
type page struct {
	w     io.Writer
	b     *budgetv1.Budget
	names map[string]string
	texts *wording.Texts
	lang  string
	err   error
}

// printBudget writes the household matrix, totals, findings, gaps, times and receipt.
func printBudget(w io.Writer, cf *casefile.Case, b *budgetv1.Budget, lang string) error {
	texts, err := wording.ReadTexts(policies.FS)
	if err != nil {
		return err
	}
	p := &page{w: w, b: b, names: namesOf(cf), texts: texts, lang: lang}
	if cf != nil {
		p.line("%s", cf.Title)
	}
	if me := b.GetViewOf(); me != "" {
		p.line("%s %s. %s", p.say("Dit overzicht is van", "This view is of"), p.person(me),
			p.say("Wat van anderen is, staat er niet in; elk totaal is alleen van hem of haar.", "What is of others is not in it; every total is of this person alone."))
	}
	p.line("%s %s %s %s; %s %s%s", p.say("Periode", "Period"), b.GetWindow().GetFrom(), p.say("tot en met", "to"), b.GetWindow().GetTo(),
		p.say("opgemaakt op", "drawn up on"), b.GetToday(), p.setByHand())
	p.matrix()
	p.lines()
	p.totals()
	p.findings()
	p.gaps()
	p.sources()
	p.receipt()
	return p.err
}

// namesOf gives the names of a case by reference; none without a case.
func namesOf(cf *casefile.Case) map[string]string {
	names := map[string]string{}
	if cf != nil {
		for _, m := range cf.Household {
			names[string(m.Ref)] = m.Name
		}
	}
	return names
}

func (p *page) say(nl, en string) string {
	if p.lang == "en" {
		return en
	}
	return nl
}

func (p *page) setByHand() string {
	if !p.b.GetTodayIsSet() {
		return ""
	}
	return p.say(" (datum met de hand gezet, alleen voor ontwikkeling)", " (date set by hand, for development only)")
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *page) heading(nl, en string) { p.line("\n%s", strings.ToUpper(p.say(nl, en))) }

// euro writes cents as € 1.234,56, or € 1,234.56 in English.
func (p *page) euro(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	whole := fmt.Sprint(cents / 100)
	point, comma := ".", ","
	if p.lang == "en" {
		point, comma = ",", "."
	}
	var groups []string
	for len(whole) > 3 {
		groups = append([]string{whole[len(whole)-3:]}, groups...)
		whole = whole[:len(whole)-3]
	}
	return fmt.Sprintf("€ %s%s%s%02d", sign, strings.Join(append([]string{whole}, groups...), point), comma, cents%100)
}

// table prints rows in columns; the first column to the left, the others, which are
// figures, to the right.
func (p *page) table(rows [][]string) { p.columns(rows, true) }

// columnsOfText prints rows in columns, all to the left.
func (p *page) columnsOfText(rows [][]string) { p.columns(rows, false) }

func (p *page) columns(rows [][]string, figures bool) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var cells []string
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 || !figures {
				cells = append(cells, cell+pad)
			} else {
				cells = append(cells, pad+cell)
			}
		}
		p.line("  %s", strings.TrimRight(strings.Join(cells, "   "), " "))
	}
}

// word is what a reference to a person can look like in a text.
var word = regexp.MustCompile(`[A-Za-z0-9_-]+`)

// named puts the names of persons for their references in a text.
func (p *page) named(text string) string {
	return word.ReplaceAllStringFunc(text, func(w string) string { return cmp.Or(p.names[w], w) })
}

func (p *page) person(ref string) string { return strings.TrimSpace(ref + " " + p.names[ref]) }

// matrix shows person × law. Laws that nobody was asked about are left out.
func (p *page) matrix() {
	p.heading("Het gezin: persoon en wet", "The household: person by law")
	var laws []string
	for _, row := range p.b.GetMatrix() {
		for _, c := range row.GetCells() {
			if c.GetStatus() != budgetv1.StatusNotAsked && !slices.Contains(laws, c.GetLaw()) {
				laws = append(laws, c.GetLaw())
			}
		}
	}
	rows := [][]string{append([]string{""}, laws...)}
	for _, row := range p.b.GetMatrix() {
		line := []string{p.person(row.GetPerson())}
		for _, law := range laws {
			i := slices.IndexFunc(row.GetCells(), func(c *budgetv1.MatrixCell) bool { return c.GetLaw() == law })
			if i < 0 {
				line = append(line, "-")
				continue
			}
			line = append(line, p.cell(row.GetCells()[i]))
		}
		rows = append(rows, line)
	}
	p.table(rows)
}

func (p *page) cell(c *budgetv1.MatrixCell) string {
	var parts []string
	for _, cents := range []*int64{c.EntitlementCents, c.RingfencedCents, c.IncomeCents} {
		if cents != nil {
			parts = append(parts, p.euro(*cents))
		}
	}
	if len(parts) == 0 && len(c.GetLines()) > 0 {
		parts = append(parts, p.say("recht zonder bedrag", "right without an amount"))
	}
	if c.GetStatus() == budgetv1.StatusNotAsked {
		return "-"
	}
	if c.GetStatus() == budgetv1.StatusNotShared {
		return p.say("niet gedeeld", "not shared")
	}
	if c.GetStatus() != budgetv1.StatusOK || len(parts) == 0 {
		parts = append(parts, "("+p.texts.Label("statuses", c.GetStatus(), p.lang)+")")
	}
	return strings.Join(parts, " ")
}

func (p *page) lines() {
	p.heading("De rechten", "The rights")
	rows := [][]string{{"", "", "", "", "", p.say("in deze periode", "in this period"), p.say("daarna", "after it"), p.say("nog te besteden", "left to spend")}}
	for _, l := range p.b.GetLines() {
		value := p.say("geen bedrag bekend", "no amount known")
		if l.ValueCents != nil {
			value = p.euro(l.GetValueCents())
		}
		if l.GetContested() {
			value += p.say(" (betwist)", " (contested)")
		}
		end := cmp.Or(l.GetPeriod().GetEnd(), p.say("doorlopend", "open"))
		if l.GetPeriod() == nil {
			end = ""
		}
		rows = append(rows, []string{
			l.GetId(), cmp.Or(l.GetProduct().GetLabel(), l.GetProduct().GetCode()), l.GetDeliveryForm(),
			strings.TrimSpace(l.GetPeriod().GetStart() + " - " + end), l.GetFunder(), value,
			p.figure(p.b.GetCarryOverCents(), l.GetId()), p.figure(p.b.GetRemainingCents(), l.GetId()),
		})
	}
	p.table(rows)
}

func (p *page) figure(by map[string]int64, id string) string {
	if cents, known := by[id]; known {
		return p.euro(cents)
	}
	return "-"
}

func (p *page) totals() {
	p.heading("Totalen", "Totals")
	if !p.b.GetComplete() {
		p.line("  %s", p.say("Niet volledig: wat ontbreekt is niet meegeteld en is geen nul. Zie onder.", "Not complete: what is missing is not counted and is no zero. See below."))
	}
	p.table([][]string{
		{p.say("Budget voor zorg en ondersteuning", "Budget for care and support"), p.amount(p.b.CareTotalCents)},
		{p.say("  waarvan betwist", "  of which contested"), p.amount(p.b.ContestedCents)},
		{p.say("Geld met een eigen doel (apart)", "Money with a purpose of its own (apart)"), p.amount(p.b.RingfencedCents)},
		{p.say("Inkomen, bruto (apart, geen budget)", "Income, gross (apart, no budget)"), p.amount(p.b.IncomeCents)},
		{p.say("Eigen bijdrage", "Own contribution"), p.amount(p.b.OwnContributionCents)},
	})
	t := p.b.GetTotals()
	for _, by := range []struct {
		nl, en string
		sums   map[string]int64
		label  func(string) string
	}{
		{"per wet", "by law", t.GetByLaw(), func(c string) string { return p.texts.Label("laws", c, p.lang) }},
		{"per verstrekker", "by funder", t.GetByFunder(), func(c string) string { return c }},
		{"per persoon", "by person", t.GetByPerson(), p.person},
	} {
		p.line("  %s", p.say(by.nl, by.en))
		rows := [][]string{}
		for _, key := range slices.Sorted(maps.Keys(by.sums)) {
			rows = append(rows, []string{"  " + by.label(key), p.euro(by.sums[key])})
		}
		p.table(rows)
	}
}

func (p *page) amount(cents *int64) string {
	if cents == nil {
		return p.say("niet bekend", "not known")
	}
	return p.euro(*cents)
}

func (p *page) findings() {
	p.heading("Wat opvalt", "What stands out")
	for _, f := range p.b.GetFindings() {
		p.finding(f)
	}
	if len(p.b.GetFindings()) == 0 {
		p.line("  %s", p.say("niets", "nothing"))
	}
}

func (p *page) finding(f *budgetv1.Finding) {
	weight := map[string]string{budgetv1.SeverityError: p.say("klopt niet", "wrong"), budgetv1.SeverityWarning: p.say("let op", "look at"), budgetv1.SeverityInfo: p.say("ter info", "for info")}[f.GetSeverity()]
	p.line("  %-10s %s", cmp.Or(weight, f.GetSeverity()), p.named(p.say(f.GetTextNl(), f.GetTextEn())))
	p.line("             [%s]", strings.TrimSpace(f.GetCode()+" "+f.GetLine()))
}

func (p *page) gaps() {
	p.heading("Wat ontbreekt, en waarom", "What is missing, and why")
	p.gapLines(p.b.GetGaps())
	if len(p.b.GetGaps()) == 0 {
		if p.b.GetViewOf() != "" {
			p.line("  %s", p.say("niets van wat van deze persoon is", "nothing of what is of this person"))
			return
		}
		p.line("  %s", p.say("niets: dit budget is volledig", "nothing: this budget is complete"))
	}
}

func (p *page) gapLines(gaps []*budgetv1.Gap) {
	for _, g := range gaps {
		p.line("  %s, %s: %s", p.person(g.GetPerson()), g.GetSource(), p.named(p.say(g.GetTextNl(), g.GetTextEn())))
		only := ""
		if len(g.GetLaws()) > 0 {
			only += " " + strings.Join(g.GetLaws(), ",")
		}
		if len(g.GetCategories()) > 0 {
			only += " " + strings.Join(g.GetCategories(), ",")
		}
		p.line("             [%s]", strings.TrimSpace(g.GetReason()+only+" "+g.GetCode()))
	}
}

func (p *page) sources() {
	p.heading("Bronnen", "Sources")
	rows := [][]string{}
	for _, s := range p.b.GetSources() {
		took := fmt.Sprintf("%d ms", s.GetElapsedMs())
		if s.GetElapsedMs() == 0 && s.GetStatus() != budgetv1.StatusOK {
			took = p.say("niet gevraagd", "not asked")
		}
		rows = append(rows, []string{s.GetSource(), p.person(s.GetPerson()), s.GetStatus(), took, strings.TrimSpace(s.GetAdapter() + " " + s.GetVersion())})
	}
	p.table(rows)
}

func (p *page) receipt() {
	r := p.b.GetReceipt()
	p.heading("Bewijs", "Receipt")
	p.line("  %s", p.say("Handtekening en bewijs zijn gecontroleerd.", "Signature and receipt have been verified."))
	p.table([][]string{
		{p.say("logboek", "log"), r.GetOrigin()},
		{p.say("besluit en vrijgave", "decision and release"), fmt.Sprintf("%d, %d", r.GetDecisionIndex(), r.GetIndex())},
		{p.say("beleid", "policy"), fmt.Sprintf("%.16s", p.b.GetPolicyRevision())},
	})
}
