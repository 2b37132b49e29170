package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// printBudget writes the household matrix, rights, totals, findings, gaps, sources and receipt.
func (o *output) printBudget(w io.Writer, cf *casefile.Case, b *budgetv1.Budget) error {
	p, err := o.newPage(w, cf)
	if err != nil {
		return err
	}
	p.b = b
	p.text(0, p.titleOf())
	if me := b.GetViewOf(); me != "" {
		p.text(0, fmt.Sprintf("%s %s. %s", p.say("Dit overzicht is van", "This view is of"), p.person(me),
			p.say("Wat van anderen is, staat er niet in. Elk totaal is van deze persoon alleen.", "What is of others is not in it. Every total is of this person alone.")))
	}
	p.text(0, fmt.Sprintf("%s %s.", p.say("Periode:", "Period:"), p.span(b.GetWindow().GetFrom(), b.GetWindow().GetTo())))
	p.text(0, fmt.Sprintf("%s %s%s.", p.say("Opgemaakt op", "Drawn up on"), p.date(b.GetToday()), p.setByHand()))
	p.matrix()
	p.lines()
	p.totals()
	p.findings()
	p.gaps()
	p.sources()
	p.receipt()
	return p.err
}

// titleOf is what the case is called; on a Dutch page it says how many people it is about.
func (p *page) titleOf() string {
	switch rows := p.b.GetMatrix(); {
	case p.lang == "en" && p.title != "":
		return p.title
	case len(rows) == 1:
		return fmt.Sprintf("%s %s", p.say("Integraal budget van", "Integrated budget of"), p.person(rows[0].GetPerson()))
	default:
		return fmt.Sprintf(p.say("Integraal budget van een gezin van %d personen", "Integrated budget of a household of %d persons"), len(rows))
	}
}

func (p *page) setByHand() string {
	if !p.b.GetTodayIsSet() {
		return ""
	}
	return p.say(" (datum met de hand gezet, alleen voor ontwikkeling)", " (date set by hand, for development only)")
}

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
	header := []string{""}
	for _, law := range laws {
		header = append(header, p.coded(p.law(law), law))
	}
	var rows [][]string
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
		switch cells := slices.Compact(slices.Clone(line[1:])); {
		case slices.Equal(cells, []string{"-"}):
			line = []string{line[0] + ": " + p.say("niets gevraagd", "nothing asked")}
		case slices.Equal(cells, []string{p.label("statuses", budgetv1.StatusNotShared)}):
			line = []string{line[0] + ": " + cells[0]}
		}
		rows = append(rows, line)
	}
	p.table(header, rows)
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
	switch status := p.label("statuses", c.GetStatus()); {
	case c.GetStatus() == budgetv1.StatusNotAsked:
		return "-"
	case len(parts) == 0:
		return status
	case c.GetStatus() != budgetv1.StatusOK:
		parts = append(parts, "("+status+")")
	}
	return strings.Join(parts, " ")
}

// lines shows the rights of each person.
func (p *page) lines() {
	p.heading("De rechten", "The rights")
	person := ""
	for _, l := range p.b.GetLines() {
		if l.GetPerson() != person {
			person = l.GetPerson()
			p.text(2, p.bold(p.person(person)))
		}
		p.right(l)
	}
	if len(p.b.GetLines()) == 0 {
		p.text(2, p.say("niets", "nothing"))
	}
}

func (p *page) right(l *budgetv1.BudgetLine) {
	value := p.say("geen bedrag bekend", "no amount known")
	if l.ValueCents != nil {
		value = p.euro(l.GetValueCents())
	}
	p.pair(4, p.product(l), value)
	if l.GetPeriod() != nil {
		p.text(6, p.span(l.GetPeriod().GetStart(), l.GetPeriod().GetEnd()))
	}
	p.text(6, p.say("van ", "of ")+p.party(l.GetFunder()))
	if l.GetContested() {
		p.text(6, p.contested(l))
	}
	if cents, known := p.b.GetCarryOverCents()[l.GetId()]; known {
		p.text(6, p.say("na deze periode nog ", "after this period another ")+p.euro(cents))
	}
	if cents, known := p.b.GetRemainingCents()[l.GetId()]; known {
		left := p.say("nog te besteden: ", "left to spend: ") + p.euro(cents)
		if day := p.b.GetSpentAsOf()[l.GetId()]; day != "" {
			left += p.say(", stand per ", ", as of ") + p.date(day)
		}
		p.text(6, left)
	}
	p.code(6, l.GetId())
}

// contested says that a line may not stay as it is, and each reason that a finding gives.
func (p *page) contested(l *budgetv1.BudgetLine) string {
	var why []string
	for _, f := range p.b.GetFindings() {
		switch {
		case f.GetLine() != l.GetId():
		case f.GetCode() == budgetv1.FindingPriorityLawOverlap && f.GetSeverity() == budgetv1.SeverityError:
			why = append(why, p.say("de Wlz gaat mogelijk voor", "the Wlz may go first"))
		case f.GetCode() == budgetv1.FindingOverlappingAwards:
			why = append(why, p.say("er loopt al een budget voor dezelfde hulp", "a budget for the same care runs already"))
		}
	}
	slices.Sort(why)
	text := p.say("onder voorbehoud", "provisional")
	if why = slices.Compact(why); len(why) > 0 {
		text += ": " + strings.Join(why, p.say(" en ", " and "))
	}
	return text
}

// product is what a line is for, under which law and in which form.
func (p *page) product(l *budgetv1.BudgetLine) string {
	text := p.coded(p.texts.Product(l.GetProduct().GetCode(), l.GetProduct().GetLabel(), p.lang), l.GetProduct().GetCode())
	if l.GetLaw() != "" {
		text += " (" + p.law(l.GetLaw()) + ")"
	}
	if l.GetDeliveryForm() != "" {
		text += ", " + p.label("delivery_forms", l.GetDeliveryForm())
	}
	return text
}

// lineName names a line of the budget: what for, of whom, from when. One that is not there
// has its id only.
func (p *page) lineName(id string) string {
	i := slices.IndexFunc(p.b.GetLines(), func(l *budgetv1.BudgetLine) bool { return l.GetId() == id })
	if i < 0 {
		return id
	}
	l := p.b.GetLines()[i]
	text := p.texts.Product(l.GetProduct().GetCode(), l.GetProduct().GetLabel(), p.lang)
	if l.GetLaw() != "" {
		text += " (" + p.law(l.GetLaw()) + ")"
	}
	text += p.say(" van ", " of ") + cmp.Or(p.names[l.GetPerson()], l.GetPerson())
	if start := l.GetPeriod().GetStart(); start != "" {
		text += p.say(", vanaf ", ", from ") + p.date(start)
	}
	return p.coded(text, id)
}

// Columns of the totals: money is never added up across these.
const (
	columnCare = iota + 1
	columnOwnPurpose
	columnIncome
	columnUnknown
)

func (p *page) totals() {
	p.heading("Totalen", "Totals")
	if !p.b.GetComplete() {
		p.text(2, p.say("Niet volledig. Wat ontbreekt, is niet meegeteld en is geen nul. Zie onder.", "Not complete. What is missing is not counted and is no zero. See below."))
	}
	p.table(nil, [][]string{
		{p.say("Budget voor zorg en ondersteuning", "Budget for care and support"), p.amount(p.b.CareTotalCents)},
		{p.say("  waarvan onder voorbehoud", "  of which provisional"), p.amount(p.b.ContestedCents)},
		{p.say("Geld met een eigen doel (apart)", "Money with a purpose of its own (apart)"), p.amount(p.b.RingfencedCents)},
		{p.say("Inkomen, bruto (apart, geen budget)", "Income, gross (apart, no budget)"), p.amount(p.b.IncomeCents)},
		{p.say("Eigen bijdrage", "Own contribution"), p.amount(p.b.OwnContributionCents)},
	})
	p.totalsBy("Per wet", "By law", func(l *budgetv1.BudgetLine) string { return l.GetLaw() }, func(c string) string { return p.coded(p.label("laws", c), c) })
	p.totalsBy("Per verstrekker", "By funder", (*budgetv1.BudgetLine).GetFunder, p.party)
	p.totalsBy("Per persoon", "By person", (*budgetv1.BudgetLine).GetPerson, p.person)
}

// totalsBy adds up the lines with known money by what they have in common: budget, money with
// a purpose of its own and income each in a column.
func (p *page) totalsBy(nl, en string, key func(*budgetv1.BudgetLine) string, name func(string) string) {
	sums, used := map[string]map[int]int64{}, map[int]bool{}
	for _, l := range p.b.GetLines() {
		if l.ValueCents == nil {
			continue
		}
		if sums[key(l)] == nil {
			sums[key(l)] = map[int]int64{}
		}
		column := columnOf(l.GetFungibility())
		sums[key(l)][column] += l.GetValueCents()
		used[column] = true
	}
	if len(sums) == 0 {
		return
	}
	names := map[int]string{
		columnCare: p.say("budget", "budget"), columnOwnPurpose: p.say("eigen doel", "own purpose"),
		columnIncome: p.say("inkomen", "income"), columnUnknown: p.say("soort niet bekend", "kind not known"),
	}
	header := []string{p.say(nl, en)}
	columns := slices.Sorted(maps.Keys(used))
	for _, column := range columns {
		header = append(header, names[column])
	}
	var rows [][]string
	for _, k := range slices.Sorted(maps.Keys(sums)) {
		row := []string{name(cmp.Or(k, "-"))}
		for _, column := range columns {
			cents, has := sums[k][column]
			if !has {
				row = append(row, "-")
				continue
			}
			row = append(row, p.euro(cents))
		}
		rows = append(rows, row)
	}
	p.line("")
	p.table(header, rows)
}

func columnOf(fungibility string) int {
	switch fungibility {
	case budgetv1.MoneyPoolable:
		return columnCare
	case budgetv1.MoneyIncome:
		return columnIncome
	case "":
		return columnUnknown
	}
	return columnOwnPurpose
}

func (p *page) findings() {
	p.heading("Wat opvalt", "What stands out")
	p.allFindings(p.b.GetFindings())
	if len(p.b.GetFindings()) == 0 {
		p.text(2, p.say("niets", "nothing"))
	}
}

// allFindings prints findings. Of two that say the same each names its line, so that a
// reader sees that they are about two budgets.
func (p *page) allFindings(list []*budgetv1.Finding) {
	said := map[string]int{}
	for _, f := range list {
		said[f.GetTextNl()]++
	}
	for _, f := range list {
		p.finding(f)
		if said[f.GetTextNl()] > 1 && f.GetLine() != "" {
			p.text(4, p.say("Dit gaat over: ", "This is about: ")+p.lineName(f.GetLine())+".")
		}
	}
}

func (p *page) finding(f *budgetv1.Finding) {
	weight, colour := p.say("Ter info", "For info"), plain
	switch f.GetSeverity() {
	case budgetv1.SeverityError:
		weight, colour = p.say("Klopt niet", "Wrong"), red
	case budgetv1.SeverityWarning:
		weight, colour = p.say("Let op", "Look at"), yellow
	}
	p.line("  %s", p.in(colour, weight))
	p.text(4, p.named(p.say(f.GetTextNl(), f.GetTextEn())))
	p.code(4, f.GetCode(), f.GetLine())
}

func (p *page) gaps() {
	p.heading("Wat ontbreekt, en waarom", "What is missing, and why")
	p.gapLines(p.b.GetGaps())
	if len(p.b.GetGaps()) == 0 {
		if p.b.GetViewOf() != "" {
			p.text(2, p.say("niets van wat van deze persoon is", "nothing of what is of this person"))
			return
		}
		p.text(2, p.say("niets: dit budget is volledig", "nothing: this budget is complete"))
	}
}

func (p *page) gapLines(gaps []*budgetv1.Gap) {
	for _, g := range gaps {
		about := p.party(g.GetSource())
		if g.GetPerson() != "" {
			about = p.person(g.GetPerson()) + ", " + about
		}
		p.text(2, p.bold(about))
		p.text(4, p.named(p.say(g.GetTextNl(), g.GetTextEn())))
		p.way(g)
		p.code(4, g.GetReason(), strings.Join(g.GetLaws(), ","), strings.Join(g.GetCategories(), ","), g.GetCode(), budgetv1.WrittenWay(g.GetWay()))
	}
}

// way is the way to yes for who asks for codes: what a case worker does and types, and
// what an officer reads.
func (p *page) way(g *budgetv1.Gap) {
	if !p.codes || len(g.GetWay()) == 0 {
		return
	}
	params := map[string]string{
		"person": p.person(g.GetPerson()), "source": p.party(g.GetSource()), "source_code": g.GetSource(), "code": g.GetCode(),
		"article": p.texts.Article(g.GetCode()), "cell": strings.Join(append([]string{p.b.GetPurpose()}, g.GetLaws()...), " "),
	}
	for _, w := range g.GetWay() {
		params["party "+w.GetParty()] = p.party(w.GetParty())
	}
	p.text(4, p.texts.Way(g.GetWay(), wording.ReaderWorker, p.lang, params))
	params["person"] = g.GetPerson()
	for _, command := range p.texts.Commands(g.GetWay(), p.lang, params) {
		p.line("    $ %s", command)
	}
	params["person"] = p.person(g.GetPerson())
	p.text(4, p.texts.Way(g.GetWay(), wording.ReaderOfficer, p.lang, params))
}

// sources says how each source fared for each person.
func (p *page) sources() {
	p.heading("Bronnen", "Sources")
	for _, s := range p.b.GetSources() {
		p.pair(2, p.party(s.GetSource())+", "+p.person(s.GetPerson()), p.sourceStatus(s.GetStatus()))
		p.code(4, s.GetStatus(), fmt.Sprintf("%d ms", s.GetElapsedMs()), s.GetAdapter(), s.GetVersion())
	}
}

// sourceStatus is what came of asking a source: an answer, or why there is none.
func (p *page) sourceStatus(status string) string {
	if status == budgetv1.StatusOK {
		return p.say("antwoord gekregen", "answer received")
	}
	if name := p.texts.GapName(status, p.lang); name != status {
		return name
	}
	return p.label("statuses", status)
}

func (p *page) receipt() {
	r := p.b.GetReceipt()
	p.heading("Bewijs", "Receipt")
	p.text(2, p.say("Handtekening en bewijs zijn gecontroleerd.", "Signature and receipt have been verified."))
	p.text(2, fmt.Sprintf(p.say("Het besluit is regel %d van het logboek. De vrijgave is regel %d.", "The log holds the decision (entry %d) and the release (entry %d)."), r.GetDecisionIndex(), r.GetIndex()))
	if p.codes {
		p.columnsOfText(nil, [][]string{{p.say("logboek", "log"), r.GetOrigin()}, {p.say("beleid", "policy"), fmt.Sprintf("%.16s", p.b.GetPolicyRevision())}})
	}
}
