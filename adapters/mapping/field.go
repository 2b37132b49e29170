package mapping

import (
	"slices"

	"cel.dev/cel-go/cel"

	"github.com/ontschot/ontschot/adapters/codelist"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// lineFields are what a line is made of.
type lineFields struct {
	law, kind, form, fungibility *expression
	system, code, local          *expression
	labels                       map[string]string
	from, to                     *expression
	volume, unit, frequency      *expression
	amount, income               sum
	number, issued, budget       *expression
	provider, id                 *expression
}

// sum is money over a basis of time.
type sum struct {
	cents, basis   *expression
	derived, gross bool
}

func (l *lineFields) all() []*expression {
	return []*expression{
		l.law, l.kind, l.form, l.fungibility, l.system, l.code, l.local, l.from, l.to, l.volume, l.unit, l.frequency,
		l.amount.cents, l.amount.basis, l.income.cents, l.income.basis, l.number, l.issued, l.budget, l.provider, l.id,
	}
}

// ownFields are what an own contribution is made of.
type ownFields struct{ law, from, to, cents, household *expression }

func kinds() []string { return []string{"ENTITLEMENT", "BENEFIT", "PROVISION"} }

func bases() []string {
	return []string{
		"PERIOD_TOTAL", "PER_YEAR", "PER_QUARTER", "PER_MONTH", "PER_4_WEEKS", "PER_2_WEEKS", "PER_WEEK", "PER_DAY",
		"PER_13_WEEKS", "PER_52_WEEKS", "ONE_OFF",
	}
}

func (m *Mapping) lineFields(s *Section, c *compiler) *lineFields {
	s.Known("law", "kind", "form", "fungibility", "product", "period", "quantity", "amount", "income", "decision", "provider", "id")
	s.Need("law", "kind", "form", "fungibility", "product", "period")
	l := &lineFields{
		law: c.word(s, "law", m.laws), kind: c.word(s, "kind", kinds()),
		form: c.word(s, "form", budgetv1.DeliveryForms()), fungibility: c.word(s, "fungibility", budgetv1.Fungibilities()),
		provider: c.text(s, "provider"), id: c.text(s, "id"),
	}
	if p := s.Under("product"); p != nil {
		p.Known("system", "code", "labels", "local_code")
		p.Need("system", "code")
		l.system, l.code, l.local = c.text(p, "system"), c.text(p, "code"), c.text(p, "local_code")
		l.labels = labels(p, m.codes)
	}
	l.from, l.to = c.period(s)
	if q := s.Under("quantity"); q != nil {
		q.Known("volume", "unit", "frequency")
		q.Need("volume", "unit")
		l.volume, l.unit, l.frequency = c.field(q, "volume", volumeType()), c.text(q, "unit"), c.text(q, "frequency")
	}
	l.amount, l.income = c.sum(s.Under("amount")), c.sum(s.Under("income"))
	if d := s.Under("decision"); d != nil {
		d.Known("number", "issued", "budget")
		l.number, l.issued, l.budget = c.text(d, "number"), c.text(d, "issued"), c.text(d, "budget")
	}
	return l
}

func (m *Mapping) ownFields(s *Section, c *compiler) *ownFields {
	s.Known("law", "period", "cents_per_month", "household")
	s.Need("law", "period", "cents_per_month")
	o := &ownFields{law: c.word(s, "law", m.laws), cents: c.field(s, "cents_per_month", moneyType()), household: c.text(s, "household")}
	o.from, o.to = c.period(s)
	return o
}

func (c *compiler) text(s *Section, key string) *expression {
	return c.field(s, key, recordType(), cel.StringType)
}

// word is a field of a closed list.
func (c *compiler) word(s *Section, key string, list []string) *expression {
	x := c.field(s, key, recordType(), cel.StringType)
	if x != nil && x.program == nil && !slices.Contains(list, x.word) {
		near := nearest(x.word, list)
		s.Problem(key, "niet op de lijst"+suggest("; bedoelt u %s?", near), "not on the list"+suggest("; did you mean %s?", near))
	}
	return x
}

func (c *compiler) period(s *Section) (from, to *expression) {
	p := s.Under("period")
	if p == nil {
		return nil, nil
	}
	p.Known("from", "to")
	p.Need("from") // without to a right is open
	return c.text(p, "from"), c.text(p, "to")
}

func (c *compiler) sum(s *Section) sum {
	if s == nil {
		return sum{}
	}
	s.Known("cents", "basis", "derived", "gross")
	s.Need("cents", "basis")
	return sum{c.field(s, "cents", moneyType()), c.word(s, "basis", bases()), s.Flag("derived"), s.Flag("gross")}
}

// labels are those of the product itself, and those of every table.
func labels(p *Section, codes map[string]*table) map[string]string {
	all := texts(p.Under("labels"))
	for _, t := range codes {
		for code, label := range t.labels {
			all[code] = label
		}
	}
	for _, label := range all {
		if len(label) > 128 {
			p.Problem("labels", "ten hoogste 128 tekens", "at most 128 characters")
		}
	}
	return all
}

// label is that of the national list; else of the mapping.
func (l *lineFields) label(system, code string) string {
	if label, known := codelist.Label(codelist.List(system), code); known {
		return label
	}
	if label := l.labels[code]; label != "" {
		return label
	}
	return codelist.Unknown
}
