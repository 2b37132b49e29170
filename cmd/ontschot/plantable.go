package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// printAny prints a message as JSON, or as a page.
func (o *output) printAny(c *cobra.Command, m proto.Message, show func(*page)) error {
	return o.printFor(c, nil, nil, m, show)
}

// printFor prints for who asked about a case and a budget, whose names it may then use;
// both may be nil.
func (o *output) printFor(c *cobra.Command, cf *casefile.Case, b *budgetv1.Budget, m proto.Message, show func(*page)) error {
	if o.format == "json" {
		return printJSON(c.OutOrStdout(), m)
	}
	p, err := o.newPage(c.OutOrStdout(), cf)
	if err != nil {
		return err
	}
	p.b = b
	show(p)
	return p.err
}

// planCheck shows what a plan comes to.
func (p *page) planCheck(c *budgetv1.PlanCheck) {
	switch b := c.GetLegalBasis(); {
	case b == nil:
		p.heading("Het plan, zonder wettelijke grond om geld samen te voegen", "The plan, without a legal basis to pool money")
	case c.GetBasisIsAssumed():
		p.heading("Het plan, als deze wettelijke grond zou gelden", "The plan, if this legal basis were in force")
		p.text(2, p.coded(b.GetArticle(), b.GetId()))
	default:
		p.heading("Het plan, met wettelijke grond", "The plan, with a legal basis")
		p.text(2, p.coded(b.GetArticle(), b.GetId()))
	}
	p.table(nil, [][]string{
		{p.say("Verdeeld", "Allocated"), p.euro(c.GetAllocatedCents())},
		{p.say("Nog te verdelen", "Left to allocate"), p.euro(c.GetUnallocatedCents())},
	})
	rows := [][]string{}
	for _, l := range c.GetLines() {
		rows = append(rows, []string{p.lineName(l.GetLine()), p.euro(l.GetValueCents()), p.euro(l.GetAllocatedCents()), p.euro(l.GetLeftCents())})
	}
	if len(rows) > 0 {
		p.line("")
		p.table([]string{"", p.say("budget", "budget"), p.say("verdeeld", "allocated"), p.say("over", "left")}, rows)
	}
	if len(c.GetRefused())+len(c.GetFindings()) > 0 {
		p.line("")
	}
	p.refusals(c.GetRefused())
	p.allFindings(c.GetFindings())
	for _, code := range c.GetNotJudged() {
		p.text(2, p.notJudged(code))
	}
	p.leftOut(c.GetLeftOut())
}

// notJudged says what a plan does not say enough of.
func (p *page) notJudged(code string) string {
	if code == budgetv1.FindingOneCaregiverOver40H {
		return p.say("Niet bekeken: of een zorgverlener meer dan 40 uur per week werkt. Daarvoor ontbreken uren.",
			"Not judged: whether a carer works more than 40 hours a week. Hours are missing for that.")
	}
	return p.say("Niet bekeken: of een uurtarief te hoog is. Daarvoor ontbreken tarieven.",
		"Not judged: whether a tariff per hour is too high. Tariffs are missing for that.")
}

// leftOut says what of a budget was not disclosed, because what it rests on counts no longer.
func (p *page) leftOut(gaps []*budgetv1.Gap) {
	if len(gaps) == 0 {
		return
	}
	p.heading("Wat van dit budget is weggelaten, en waarom", "What of this budget was left out, and why")
	p.gapLines(gaps)
}

func (p *page) refusals(list []*budgetv1.Refusal) {
	for _, r := range list {
		p.line("  %s", p.in(red, fmt.Sprintf(p.say("Deel %s van het plan kan zo niet", "Part %s of the plan cannot be done so"), r.GetAllocation())))
		p.text(4, p.named(p.say(r.GetTextNl(), r.GetTextEn())))
		p.text(4, p.say("Wat wel kan: ", "What can be done: ")+p.named(p.say(r.GetInsteadNl(), r.GetInsteadEn())))
		p.code(4, r.GetCode())
	}
}

// accounts shows the account to each funder.
func (p *page) accounts(list []*budgetv1.Account) {
	p.heading("Verantwoording per verstrekker", "Account per funder")
	if len(list) > 0 && list[0].GetBasisIsAssumed() {
		p.text(2, p.say("Dit is een berekening bij een aangenomen wettelijke grond, geen verantwoording.", "This is a calculation under an assumed legal basis, not an account."))
	}
	if len(list) > 0 {
		p.text(2, p.say("De rechten: stand per ", "The rights: as of ")+p.date(list[0].GetAsOf()))
	}
	rows := [][]string{}
	for _, a := range list {
		for _, l := range a.GetLaws() {
			rows = append(rows, []string{
				p.party(a.GetFunder()) + ", " + p.law(l.GetLaw()), p.euro(l.GetAwardedCents()), p.euro(l.GetAllocatedCents()),
				p.amount(l.SpentCents), p.amount(l.UnspentCents), p.euro(l.GetShiftedInCents()), p.euro(l.GetShiftedOutCents()),
			})
		}
	}
	p.table([]string{
		"", p.say("toegekend", "awarded"), p.say("verdeeld", "allocated"), p.say("besteed", "spent"), p.say("niet besteed", "unspent"),
		p.say("van andere wetten", "from other laws"), p.say("naar andere wetten", "to other laws"),
	}, rows)
	for _, a := range list {
		for _, l := range a.GetLaws() {
			whose := p.party(a.GetFunder()) + ", " + p.law(l.GetLaw())
			if l.GetSpentCents() != 0 || l.GetSpentAsOf() != "" {
				p.text(2, whose+": "+p.say("besteed, stand per ", "spent, as of ")+cmp.Or(p.date(l.GetSpentAsOf()), p.say("onbekend", "unknown")))
			}
			if l.GetOverspentCents() > 0 {
				p.pair(2, whose+": "+p.say("te veel besteed", "overspent"), p.euro(l.GetOverspentCents()))
			}
		}
	}
}

// dissolution shows both halves of a budget that was taken apart.
func (p *page) dissolution(d *budgetv1.Dissolution) {
	p.heading("Uit elkaar gehaald op "+p.date(d.GetDate()), "Taken apart on "+p.date(d.GetDate()))
	p.text(2, p.say("De rechten: stand per ", "The rights: as of ")+p.date(d.GetAsOf()))
	for _, half := range []*budgetv1.DissolvedHalf{d.GetBefore(), d.GetAfter()} {
		if half == nil {
			continue
		}
		p.line("")
		p.text(2, p.bold(p.span(half.GetWindow().GetFrom(), half.GetWindow().GetTo())))
		for _, id := range slices.Sorted(maps.Keys(half.GetLines())) {
			p.pair(4, p.lineName(id), p.euro(half.GetLines()[id]))
		}
		p.pair(4, p.say("Budget voor zorg en ondersteuning", "Budget for care and support"), p.amount(half.CareTotalCents))
	}
	if len(d.GetReturned()) > 0 {
		p.line("")
		p.text(2, p.bold(p.say("Niet besteed, terug naar de verstrekker", "Unspent, back to the funder")))
		for _, r := range d.GetReturned() {
			p.pair(4, p.lineName(r.GetLine()), p.euro(r.GetCents()))
			p.text(6, p.say("naar ", "to ")+p.party(r.GetFunder()))
			p.text(6, p.say("besteed: stand per ", "spent: as of ")+cmp.Or(p.date(r.GetSpentAsOf()), p.say("onbekend", "unknown")))
		}
	}
	p.allFindings(d.GetFindings())
	p.leftOut(d.GetLeftOut())
}

// sunset shows what stays.
func (p *page) sunset(s *budgetv1.Sunset) {
	p.heading("Wat blijft vanaf "+p.date(s.GetFrom()), "What stays from "+p.date(s.GetFrom()))
	p.text(2, p.say(s.GetTextNl(), s.GetTextEn()))
	for _, l := range s.GetLines() {
		p.pair(4, p.lineName(l.GetLine()), p.euro(l.GetValueCents()))
		p.text(6, p.say("van ", "of ")+p.party(l.GetFunder()))
	}
	p.refusals(s.GetEnds())
	p.leftOut(s.GetLeftOut())
}
