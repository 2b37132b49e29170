package plan

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// findings are what a human should look at in the plan; the budget's own are not
// repeated. The gravest come first, then they go by code, line and date.
func (o *outcome) findings(q Input) []*budgetv1.Finding {
	all := o.lines()
	for _, c := range o.standing {
		all = append(all, o.others(c)...)
	}
	for _, c := range o.claims {
		all = append(all, o.tariffs(c, q.Tariffs)...)
	}
	all = append(all, o.carers()...)
	slices.SortFunc(all, byGravity)
	all = slices.CompactFunc(all, func(a, b *budgetv1.Finding) bool { return byGravity(a, b) == 0 })
	for _, f := range all {
		o.word(f, q.Texts)
	}
	return all
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
// which it spends though another law goes first.
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

func (o *outcome) word(f *budgetv1.Finding, texts Texts) {
	if texts == nil {
		return
	}
	params := map[string]string{
		"person": f.GetPerson(), "law": f.GetLaw(), "product": f.GetProduct(), "line": f.GetLine(),
		"from": f.GetFrom(), "to": f.GetTo(), "date": f.GetDate(), "days": strconv.Itoa(int(f.GetDays())),
	}
	if i, ok := o.purse.byID[f.GetLine()]; ok {
		params["source"] = o.purse.lines[i].GetFunder()
		params["label"] = o.purse.lines[i].GetProduct().GetLabel()
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
