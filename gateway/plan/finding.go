package plan

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// findings are what a human should look at in the plan; the budget's own are not
// repeated. The gravest come first, then they go by code, line and date.
func (o *outcome) findings(q Input) []*budgetv1.Finding {
	all := slices.Concat(o.lines(), o.beyond(q.Budget))
	for _, c := range o.standing {
		all = append(all, o.others(c)...)
	}
	for _, c := range o.claims {
		all = append(all, o.tariffs(c, q.Tariffs)...)
		all = append(all, o.outside(c)...)
	}
	all = append(all, o.carers()...)
	return o.purse.worded(all, q.Texts)
}

// worded puts findings in order, each once, and words them.
func (p *purse) worded(all []*budgetv1.Finding, texts Texts) []*budgetv1.Finding {
	slices.SortFunc(all, byGravity)
	all = slices.CompactFunc(all, func(a, b *budgetv1.Finding) bool { return byGravity(a, b) == 0 })
	for _, f := range all {
		p.word(f, texts)
	}
	return all
}

// notJudged says which findings there may be for all that is known.
func (o *outcome) notJudged(q Input) []string {
	var codes []string
	if slices.ContainsFunc(o.claims, func(c claim) bool { _, known := hours(c.GetHoursPerWeek()); return !known }) {
		codes = append(codes, budgetv1.FindingOneCaregiverOver40H)
	}
	if slices.ContainsFunc(o.claims, func(c claim) bool { return len(q.Tariffs) == 0 || c.TariffCents == nil }) {
		codes = append(codes, budgetv1.FindingTariffAboveMax)
	}
	return codes
}

func byGravity(a, b *budgetv1.Finding) int {
	weight := func(f *budgetv1.Finding) int {
		return slices.Index(budgetv1.Severities(), f.GetSeverity())
	}
	return cmp.Or(
		cmp.Compare(weight(a), weight(b)),
		cmp.Compare(a.GetCode(), b.GetCode()),
		cmp.Compare(a.GetLine(), b.GetLine()),
		cmp.Compare(a.GetPerson(), b.GetPerson()),
		cmp.Compare(a.GetFrom(), b.GetFrom()),
		cmp.Compare(a.GetTo(), b.GetTo()),
		slices.Compare(a.GetPersons(), b.GetPersons()),
		slices.Compare(a.GetLines(), b.GetLines()),
	)
}

// about starts a finding on one line.
func about(l line, code, severity string) *budgetv1.Finding {
	return &budgetv1.Finding{
		Code: code, Severity: severity, Person: l.GetPerson(), Law: l.law(), Product: l.GetProduct().GetCode(),
		Line: l.GetId(), Persons: []string{l.GetPerson()}, Lines: []string{l.GetId()},
	}
}

// lines: of which line the plan asks too much, of which it leaves money, and
// which it spends though it is provisional.
func (o *outcome) lines() []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for i, l := range o.purse.lines {
		if !l.payable() {
			continue
		}
		if o.wanted[i] > l.value() {
			found = append(found, about(l, budgetv1.FindingOverallocated, budgetv1.SeverityError))
		}
		if o.taken[i] < l.value() {
			found = append(found, about(l, budgetv1.FindingUnallocated, budgetv1.SeverityInfo))
		}
		if l.GetContested() && o.taken[i] > 0 {
			found = append(found, about(l, budgetv1.FindingPlanContestedLine, budgetv1.SeverityWarning))
		}
	}
	return found
}

// beyond: allocations spend more of a line after today than is left of the whole award.
// Those that do not fit in the line count too. What is left is as of the day of the
// spending, which is the date. A line of which it is not known is not judged.
func (o *outcome) beyond(b *budgetv1.Budget) []*budgetv1.Finding {
	today, err := civil.Parse(b.GetToday())
	if err != nil {
		return nil
	}
	ahead := civil.Span{From: max(o.purse.window.From, today+1), To: o.purse.window.To}
	later := map[int]int64{}
	for _, c := range o.wanting {
		for _, s := range c.shares {
			later[s.line] = plus(later[s.line], o.purse.later(c, s, ahead))
		}
	}
	var found []*budgetv1.Finding
	for i, l := range o.purse.lines {
		left, known := b.GetRemainingCents()[l.GetId()]
		if !known || later[i] == 0 || later[i] <= left {
			continue
		}
		f := about(l, budgetv1.FindingExceedsRemaining, budgetv1.SeverityError)
		f.Date, f.From, f.To, f.Days = b.GetSpentAsOf()[l.GetId()], ahead.From.String(), ahead.To.String(), int32(ahead.Days())
		found = append(found, f)
	}
	return found
}

// outside: an allocation has days of its own on which its line has not begun yet, or has
// ended. The date is the first day of the line, or the last.
func (o *outcome) outside(c claim) []*budgetv1.Finding {
	if !c.dated {
		return nil
	}
	var found []*budgetv1.Finding
	say := func(l line, edge civil.Date, days civil.Span) {
		f := about(l, budgetv1.FindingPlanOutsideLine, budgetv1.SeverityWarning)
		f.Date, f.From, f.To, f.Days = edge.String(), days.From.String(), days.To.String(), int32(days.Days())
		found = append(found, f)
	}
	for _, s := range c.shares {
		l := o.purse.lines[s.line]
		if l.dated && c.GetFrom() != "" && c.days.From < l.span.From {
			say(l, l.span.From, civil.Span{From: c.days.From, To: min(c.days.To, l.span.From-1)})
		}
		if l.dated && c.GetTo() != "" && c.days.To > l.span.Until() {
			say(l, l.span.Until(), civil.Span{From: max(c.days.From, l.span.Until()+1), To: c.days.To})
		}
	}
	return found
}

// others: a line pays for somebody who does not hold it, though they have a right
// under the same law; or somebody shares in what only others pay for. What a
// basis pools is no finding: it is the point of pooling.
func (o *outcome) others(c claim) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	pays := map[string]bool{}
	for _, s := range c.shares {
		pays[o.purse.holder(s)] = true
		if o.purse.use(c, s, o.pool) == sameLaw {
			found = append(found, o.other(c, s, c.GetBeneficiaries()))
		}
	}
	free := slices.DeleteFunc(slices.Clone(c.GetBeneficiaries()), func(ref string) bool { return pays[ref] })
	if len(found) > 0 || len(free) == 0 || len(c.shares) == 0 || o.pool.covers(c.days, c.laws...) {
		return found
	}
	return append(found, o.other(c, c.shares[0], free))
}

func (o *outcome) other(c claim, s share, persons []string) *budgetv1.Finding {
	f := about(o.purse.lines[s.line], budgetv1.FindingPlanOtherBeneficiary, budgetv1.SeverityWarning)
	f.Persons = among(append(f.Persons, persons...))
	if c.from() {
		f.From, f.To, f.Days = c.days.From.String(), c.days.To.String(), int32(c.days.Days())
	}
	return f
}

// from reports whether an allocation has days of its own.
func (c claim) from() bool { return c.GetFrom() != "" || c.GetTo() != "" }

// tariffs: an agreement pays more per hour than is allowed. Not judged without a
// tariff, or without a maximum for the law, the kind of agreement and the days.
func (o *outcome) tariffs(c claim, limits []Tariff) []*budgetv1.Finding {
	if c.TariffCents == nil || !c.dated {
		return nil
	}
	var found []*budgetv1.Finding
	for _, s := range c.shares {
		l := o.purse.lines[s.line]
		if slices.ContainsFunc(limits, func(t Tariff) bool { return t.forbids(c, l.law()) }) {
			found = append(found, about(l, budgetv1.FindingTariffAboveMax, budgetv1.SeverityWarning))
		}
	}
	return found
}

func (t Tariff) forbids(c claim, law string) bool {
	_, both := t.Span.Overlap(c.days)
	return both && (t.Law == "" || t.Law == law) && (t.Contract == "" || t.Contract == c.GetContract()) &&
		c.GetTariffCents() > t.Cents
}

func (p *purse) word(f *budgetv1.Finding, texts Texts) {
	if texts == nil {
		return
	}
	params := map[string]string{
		"person": f.GetPerson(), "law": f.GetLaw(), "product": f.GetProduct(), "line": f.GetLine(),
		"from": f.GetFrom(), "to": f.GetTo(), "date": f.GetDate(), "days": strconv.Itoa(int(f.GetDays())),
	}
	params["code"] = budgetv1.FindingDetail(f, "")
	if i, ok := p.byID[f.GetLine()]; ok {
		params["label"] = p.lines[i].GetProduct().GetLabel()
	}
	f.TextNl, f.TextEn = texts.Finding(f.GetCode(), "nl", params), texts.Finding(f.GetCode(), "en", params)
}

// among gives a list in order, each once.
func among(list []string) []string {
	set := map[string]bool{}
	for _, one := range list {
		set[one] = true
	}
	return slices.Sorted(maps.Keys(set))
}
