package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/wording"
)

// explainPage tells what the policies would answer.
type explainPage struct {
	officer
	texts *wording.Texts
	told  explanation
	// Names of parties, by OIN or code, and of the persons of a case, by reference.
	parties, names map[string]string
	out            strings.Builder
}

func (p *explainPage) print(w io.Writer) error {
	if p.format == "json" {
		return json.NewEncoder(w).Encode(p.told)
	}
	if p.told.Question != nil {
		p.question(p.told.Question)
	}
	if x := p.told.Entry; x != nil {
		p.entry(x)
	}
	if x := p.told.Switched; x != nil {
		p.switched(x)
		if x.Question != nil {
			p.line("")
			p.line(p.say("De vraag, als dat zo is:", "The question, were it so:"))
			p.question(x.Question)
		}
	}
	_, err := io.WriteString(w, p.out.String())
	return err
}

func (p *explainPage) line(format string, values ...any) {
	if len(values) == 0 {
		p.out.WriteString(format + "\n")
		return
	}
	fmt.Fprintf(&p.out, format+"\n", values...)
}

func (p *explainPage) label(list, word string) string { return p.texts.Label(list, word, p.lang) }

func (p *explainPage) labels(list string, words []string) string {
	named := make([]string, 0, len(words))
	for _, one := range words {
		named = append(named, p.label(list, one))
	}
	return strings.Join(named, "; ")
}

func (p *explainPage) question(x *explained) {
	in := x.Asked
	p.line(p.say("Vraag: %s, bij %s, over %s, op %s.", "Question: %s, of %s, about %s, on %s."),
		p.label("purposes", in.Action.Properties.Purpose), p.label("source_kinds", in.Resource.Properties.SourceKind), p.label("laws", in.Action.Properties.Law), p.texts.Date(in.Context.Date, p.lang))
	p.line(p.say("Wie vraagt: %s, niveau %s, van %s. Grond: %s.", "Who asks: %s, level %s, of %s. Basis: %s."),
		p.label("roles", in.Subject.Properties.Role), p.label("assurance", in.Subject.Properties.Assurance), in.Subject.ID, p.label("legal_bases", in.Resource.Properties.LegalBasis))
	p.line("")
	p.answer(x)
}

func (p *explainPage) answer(x *explained) {
	p.line(map[bool]string{true: p.say("Antwoord: JA", "Answer: YES"), false: p.say("Antwoord: NEE", "Answer: NO")}[x.Allow])
	if p.told.Entry == nil {
		p.line("")
	}
	p.checks(x.Checks)
	p.line(p.say("Gegevens", "Data"))
	for _, f := range x.Fields {
		p.field(f)
	}
	p.bases(x.Bases)
	if len(x.Way) > 0 {
		p.line(p.say("De weg naar ja", "The way to yes"))
	}
	for _, act := range x.Way {
		p.line("  %s", act)
	}
	if x.Allow {
		p.line(p.say("Daarna", "Then"))
		p.line("  "+p.say("ten hoogste %s bewaren", "retained %s at most"), p.days(x.RetentionDays))
		p.line("  "+p.say("bericht aan: %s", "notified: %s"), p.labels("notified", x.Notify))
	}
}

// checks tells each check; of a decision with many questions those that pass by their codes.
func (p *explainPage) checks(checks []explainedCheck) {
	p.line(p.say("Controles", "Checks"))
	var passed []string
	for _, c := range checks {
		if c.Passed && p.told.Entry != nil {
			passed = append(passed, c.Code)
			continue
		}
		p.line("  %-4s %s (%s; %s)", p.mark(c.Passed), c.Title, c.Code, c.Article)
		if !c.Passed {
			p.line("       %s", c.Why)
			p.line("       %s %s", p.say("Wat nu?", "What now?"), c.Do)
		}
	}
	if len(passed) > 0 {
		p.line("  %-4s %s", p.mark(true), strings.Join(passed, ", "))
	}
}

func (p *explainPage) days(n int) string {
	if n == 1 {
		return p.say("1 dag", "1 day")
	}
	return fmt.Sprintf(p.say("%d dagen", "%d days"), n)
}

func (p *explainPage) mark(yes bool) string {
	if yes {
		return p.say("ja", "yes")
	}
	return p.say("NEE", "NO")
}

func (p *explainPage) field(f explainedField) {
	name := p.label("categories", f.Category)
	masks := map[string]string{
		"none": p.say("in zijn geheel", "whole"), "group": p.say("alleen de groep", "its group only"), "exists": p.say("alleen dat het er is", "only that it is there"),
	}
	switch {
	case f.Mask != "":
		p.line("  %-4s %s: %s", p.mark(true), name, masks[f.Mask])
	case f.Would:
		p.line("  %-4s %s: %s", p.mark(false), name, p.say("hiervan houdt alleen een controle het tegen", "only a check keeps it back"))
	case f.Code == "":
		p.line("  %-4s %s: %s", p.mark(false), name, f.Why)
	case f.Article == "":
		p.line("  %-4s %s: %s (%s)", p.mark(false), name, f.Why, f.Code)
	default:
		p.line("  %-4s %s: %s (%s; %s)", p.mark(false), name, f.Why, f.Code, f.Article)
	}
}

func (p *explainPage) bases(bases []policy.CellBasis) {
	if len(bases) == 0 {
		return
	}
	p.line(p.say("Gronden van dit vak", "Bases of this cell"))
	for _, b := range bases {
		parts := []string{p.label("legal_bases", b.AVG6)}
		if b.AVG9 != "geen" {
			parts = append(parts, p.label("legal_bases", b.AVG9))
		}
		parts = slices.Concat(parts, b.National)
		if b.BSN != "geen" {
			parts = append(parts, "bsn: "+b.BSN)
		}
		if b.Statute != "" {
			parts = append(parts, p.say("telt zolang deze wet telt: ", "counts as long as this statute does: ")+p.label("statutes", b.Statute))
		}
		p.line("  %s", strings.Join(parts, "; "))
	}
}

// switched tells what changes when a statute counts, or not.
func (p *explainPage) switched(x *switchedLaws) {
	if p.told.Question != nil || p.told.Entry != nil {
		p.line("")
	}
	var names []string
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range x.Statutes {
			if !yield(name) {
				return
			}
		}
	}) {
		state := p.say("telt niet", "does not count")
		if x.Statutes[name] {
			state = p.say("telt", "counts")
		}
		names = append(names, p.label("statutes", name)+" "+state)
	}
	p.line(p.say("Stel: %s, op %s.", "Suppose: %s, on %s."), strings.Join(names, "; "), p.texts.Date(cmp.Or(x.Date, p.told.Date), p.lang))
	p.line("")
	switch {
	case x.Case != nil:
		p.switchedCase(x)
	case p.told.Entry != nil:
		p.switchedEntry(x)
	default:
		p.switchedCells(x)
	}
}

// switchedCells tells what changes of any question.
func (p *explainPage) switchedCells(x *switchedLaws) {
	p.line(p.say("Wat er verandert, als de rest in orde is", "What changes, the rest being in order"))
	for _, c := range x.Cells {
		p.line("  %s; %s; %s", p.label("purposes", c.Purpose), p.label("source_kinds", c.Source), p.label("laws", c.Law))
		p.line("    "+p.say("op grond van: %s; %s", "on the basis of: %s; %s"), p.label("legal_bases", c.Basis), strings.Join(c.Article, "; "))
		p.list(p.say("wel: ", "may: "), c.Gained)
		p.list(p.say("niet meer: ", "may no longer: "), c.Lost)
	}
	for _, b := range x.Pooling {
		text := p.say("geld van %s mag niet meer bij elkaar", "money of %s may no longer be put together")
		if b.Allowed {
			text = p.say("geld van %s mag bij elkaar", "money of %s may be put together")
		}
		p.line("  "+text+p.say(", in %s, van %s tot en met %s (%s)", ", in %s, from %s up to and including %s (%s)"), strings.Join(b.Laws, ", "),
			strings.Join(b.Municipalities, ", "), p.texts.Date(b.From, p.lang), p.texts.Date(b.To, p.lang), b.Article)
	}
	p.silent(x)
	p.line(p.say("Om wie en om hoeveel geld gaat het? Vraag dat over een casus, met --case.", "Who and how much money is it about? Ask that of a case, with --case."))
}

func (p *explainPage) silent(x *switchedLaws) {
	for _, s := range x.Silent {
		p.line("  %s.", s.Why)
	}
}

// entry tells what was decided, about whom by number.
func (p *explainPage) entry(x *explainedEntry) {
	p.line(p.say("Logboek, regel %d. Beslist op %s, met regels %.12s.", "Audit log, entry %d. Decided on %s, by rules %.12s."), x.Index, p.texts.Date(p.told.Date, p.lang), p.told.Revision)
	p.line(p.say("Doel: %s.", "Purpose: %s."), p.label("purposes", x.Purpose))
	if len(x.Pairs) > 0 && len(x.Pairs[0].Laws) > 0 {
		in := x.Pairs[0].Laws[0].Asked
		p.line(p.say("Wie vraagt: %s, niveau %s, van %s.", "Who asks: %s, level %s, of %s."), p.label("roles", in.Subject.Properties.Role), p.label("assurance", in.Subject.Properties.Assurance), p.party(in.Subject.ID))
	}
	for _, pair := range x.Pairs {
		for _, law := range pair.Laws {
			p.line("")
			p.line("%s, %s, %s", p.persons(pair.Persons), p.party(pair.Source), p.texts.Law(law.Law, p.lang))
			p.restsOn(pair, law.Asked)
			p.answer(law.explained)
		}
	}
}

func (p *explainPage) persons(numbers []int) string {
	if len(numbers) == 1 {
		return fmt.Sprintf(p.say("Persoon %d", "Person %d"), numbers[0])
	}
	var list []string
	for _, n := range numbers {
		list = append(list, fmt.Sprint(n))
	}
	return p.say("Personen ", "Persons ") + strings.Join(list, ", ")
}

func (p *explainPage) party(code string) string { return cmp.Or(p.parties[code], code) }

// restsOn says on which ground, agreement and consent it was judged.
func (p *explainPage) restsOn(pair explainedPair, in policy.Input) {
	p.line(p.say("Grond: %s.", "Basis: %s."), p.label("legal_bases", in.Resource.Properties.LegalBasis))
	switch a := in.Context.Agreement; {
	case in.Subject.ID == pair.Source:
		p.line(p.say("De eigen bron: een overeenkomst is niet nodig.", "Its own source: no agreement is needed."))
	case a == nil:
		p.line(p.say("Er was geen overeenkomst die telt.", "There was no agreement that counts."))
	default:
		p.line(p.say("Overeenkomst %s: %s.", "Agreement %s: %s."), pair.Agreement, p.span(a.From, a.Until))
	}
	if c := in.Context.Consent; c == nil {
		p.line(p.say("Er was geen toestemming die telt.", "There was no consent that counts."))
	} else {
		p.line(p.say("Toestemming: %s; gegeven door: %s.", "Consent: %s; given by: %s."), p.span(c.From, c.Until), p.label("signers", c.By))
	}
	if pair.NotAsked != "" {
		p.line(p.say("De bron is niet gevraagd, en dat ligt niet aan de regels: %s.", "The source was not asked, and not because of the rules: %s."), p.texts.GapName(pair.NotAsked, p.lang))
	}
}

func (p *explainPage) span(from, until string) string {
	return p.texts.Date(from, p.lang) + p.say(" tot en met ", " up to and including ") + p.texts.Date(until, p.lang)
}

// switchedEntry tells what changes of the decision. Money is not in a log.
func (p *explainPage) switchedEntry(x *switchedLaws) {
	p.line(p.say("Wat er van deze beslissing verandert", "What changes of this decision"))
	for _, c := range x.Entry {
		p.line("  %s; %s; %s", p.persons(c.Persons), p.party(c.Source), p.texts.Law(c.Law, p.lang))
		p.ground(c.Basis, c.Article)
		p.list(p.say("wel: ", "may: "), c.Gained)
		p.list(p.say("niet meer: ", "may no longer: "), c.Lost)
	}
	p.silent(x)
	p.line(p.say("Bedragen staan niet in het logboek. Hoeveel geld het is, leest u met --case.", "Amounts are not in the log. How much money it is, you read with --case."))
}

func (p *explainPage) ground(basis string, articles []string) {
	p.line("    "+p.say("op grond van: %s", "on the basis of: %s"), strings.Join(append([]string{p.label("legal_bases", basis)}, articles...), "; "))
}

// switchedCase tells whom it is about, and how much money.
func (p *explainPage) switchedCase(x *switchedLaws) {
	c := x.Case
	p.line(p.say("Wat er in het budget verandert: %s, %s", "What changes in the budget: %s, %s"), c.Case, p.span(c.From, c.Until))
	money := &page{lang: p.lang}
	for _, l := range c.Lines {
		what := map[string]string{"in": p.say("komt erbij", "comes in"), "out": p.say("valt weg", "drops out"), "amount": p.say("ander bedrag", "another amount")}[l.Change]
		amount := money.amount(l.Cents)
		if l.Change == "amount" {
			amount = money.amount(l.Was) + " → " + amount
		}
		p.line("  %s: %s; %s; %s", what, p.person(l.Person), p.texts.Law(l.Law, p.lang), p.party(l.Source))
		p.line("    %s: %s", cmp.Or(l.product, p.say("zonder product", "without a product")), amount)
		p.ground(l.Basis, l.Article)
	}
	for _, ref := range slices.Sorted(maps.Keys(c.Persons)) {
		p.line("  "+p.say("Verschil voor %s: %s", "Difference for %s: %s"), p.person(ref), money.euro(c.Persons[ref]))
	}
	if len(c.Lines) > 0 {
		p.line("  "+p.say("Verschil voor iedereen samen: %s", "Difference for all together: %s"), money.euro(c.Cents))
	}
	for _, m := range c.Pooled {
		text := p.say("mag niet meer bij elkaar", "may no longer be put together")
		if m.Allowed {
			text = p.say("mag bij elkaar", "may be put together")
		}
		p.line("  %s; %s; %s: %s (%s)", p.person(m.Person), p.texts.Law(m.Law, p.lang), money.euro(m.Cents), text, m.Article)
	}
	p.silent(x)
}

func (p *explainPage) person(ref string) string {
	if p.names[ref] == "" {
		return ref
	}
	return p.names[ref] + " (" + ref + ")"
}

func (p *explainPage) list(before string, fields []string) {
	if len(fields) > 0 {
		p.line("    %s%s", before, p.labels("categories", fields))
	}
}
