package main

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// printAny prints a message as JSON, or as a page.
func (o *output) printAny(c *cobra.Command, m proto.Message, show func(*page)) error {
	return o.printFor(c, nil, m, show)
}

// printFor prints for who asked about a case, whose names it may then use.
func (o *output) printFor(c *cobra.Command, cf *casefile.Case, m proto.Message, show func(*page)) error {
	if o.format == "json" {
		return printJSON(c.OutOrStdout(), m)
	}
	texts, err := wording.ReadTexts(policies.FS)
	if err != nil {
		return err
	}
	p := &page{w: c.OutOrStdout(), texts: texts, lang: o.lang, names: namesOf(cf)}
	show(p)
	return p.err
}

// planCheck shows what a plan comes to.
func (p *page) planCheck(c *budgetv1.PlanCheck) {
	switch b := c.GetLegalBasis(); {
	case b == nil:
		p.heading("Het plan, zonder wettelijke basis om geld samen te voegen", "The plan, without a legal basis to pool money")
	case c.GetBasisIsAssumed():
		p.heading("Het plan, als deze wettelijke basis zou gelden", "The plan, if this legal basis were in force")
		p.line("  %s %s", b.GetId(), b.GetArticle())
	default:
		p.heading("Het plan, met wettelijke basis", "The plan, with a legal basis")
		p.line("  %s %s", b.GetId(), b.GetArticle())
	}
	p.table([][]string{
		{p.say("Verdeeld", "Allocated"), p.euro(c.GetAllocatedCents())},
		{p.say("Nog te verdelen", "Left to allocate"), p.euro(c.GetUnallocatedCents())},
	})
	rows := [][]string{{"", p.say("recht", "right"), p.say("verdeeld", "allocated"), p.say("over", "left")}}
	for _, l := range c.GetLines() {
		rows = append(rows, []string{l.GetLine(), p.euro(l.GetValueCents()), p.euro(l.GetAllocatedCents()), p.euro(l.GetLeftCents())})
	}
	p.table(rows)
	p.refusals(c.GetRefused())
	for _, f := range c.GetFindings() {
		p.finding(f)
	}
	p.leftOut(c.GetLeftOut())
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
		p.line("  %s: %s [%s]", r.GetAllocation(), p.named(p.say(r.GetTextNl(), r.GetTextEn())), r.GetCode())
		p.line("     %s %s", p.say("In plaats daarvan:", "Instead:"), p.named(p.say(r.GetInsteadNl(), r.GetInsteadEn())))
	}
}

// accounts shows the account to each funder.
func (p *page) accounts(list []*budgetv1.Account) {
	p.heading("Verantwoording per verstrekker", "Account per funder")
	if len(list) > 0 && list[0].GetBasisIsAssumed() {
		p.line("  %s", p.say("Dit is een berekening bij een aangenomen wettelijke basis, geen verantwoording.", "This is a calculation under an assumed legal basis, not an account."))
	}
	rows := [][]string{{"", p.say("toegekend", "awarded"), p.say("verdeeld", "allocated"), p.say("besteed", "spent"), p.say("niet besteed", "unspent"), p.say("erbij", "shifted in"), p.say("eraf", "shifted out")}}
	for _, a := range list {
		for _, l := range a.GetLaws() {
			rows = append(rows, []string{
				a.GetFunder() + " " + l.GetLaw(), p.euro(l.GetAwardedCents()), p.euro(l.GetAllocatedCents()),
				p.amount(l.SpentCents), p.amount(l.UnspentCents), p.euro(l.GetShiftedInCents()), p.euro(l.GetShiftedOutCents()),
			})
		}
	}
	p.table(rows)
}

// dissolution shows both halves of a budget that was taken apart.
func (p *page) dissolution(d *budgetv1.Dissolution) {
	p.heading("Uit elkaar gehaald op "+d.GetDate(), "Taken apart on "+d.GetDate())
	p.line("  %s %s", p.say("De rechten: stand per", "The rights: as of"), d.GetAsOf())
	for _, half := range []*budgetv1.DissolvedHalf{d.GetBefore(), d.GetAfter()} {
		if half == nil {
			continue
		}
		p.line("  %s - %s", half.GetWindow().GetFrom(), half.GetWindow().GetTo())
		rows := [][]string{}
		for _, id := range slices.Sorted(maps.Keys(half.GetLines())) {
			rows = append(rows, []string{"  " + id, p.euro(half.GetLines()[id])})
		}
		rows = append(rows, []string{"  " + p.say("budget voor zorg en ondersteuning", "budget for care and support"), p.amount(half.CareTotalCents)})
		p.table(rows)
	}
	if len(d.GetReturned()) > 0 {
		p.line("  %s", p.say("niet besteed, terug naar", "unspent, back to"))
		rows := [][]string{}
		for _, r := range d.GetReturned() {
			asOf := r.GetSpentAsOf()
			if asOf == "" {
				asOf = p.say("onbekend", "unknown")
			}
			rows = append(rows, []string{"  " + r.GetLine(), r.GetFunder(), r.GetLaw(), p.euro(r.GetCents()), p.say("besteed: stand per ", "spent: as of ") + asOf})
		}
		p.table(rows)
	}
	p.leftOut(d.GetLeftOut())
}

// sunset shows what stays.
func (p *page) sunset(s *budgetv1.Sunset) {
	p.heading("Wat blijft vanaf "+s.GetFrom(), "What stays from "+s.GetFrom())
	p.line("  %s", p.say(s.GetTextNl(), s.GetTextEn()))
	rows := [][]string{}
	for _, l := range s.GetLines() {
		rows = append(rows, []string{l.GetLine(), l.GetFunder(), p.euro(l.GetValueCents())})
	}
	p.table(rows)
	p.refusals(s.GetEnds())
	p.leftOut(s.GetLeftOut())
}
