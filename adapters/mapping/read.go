package mapping

import (
	"slices"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
)

// reader reads what a source has on one person.
type reader struct {
	*Mapping
	person Person
	us     Us
	in     *reading
	out    *adapters.Writer
	seen   []native.Node // codes that were not known, in the record that is read
}

// Read writes the lines of records about one person, who is one of the source's.
func (m *Mapping) Read(records []native.Node, person Person, us Us, out *adapters.Writer) error {
	r := &reader{Mapping: m, person: person, us: us, out: out}
	r.in = &reading{numbers: m.numbers, dates: m.dates, unit: m.unit, codes: m.codes, unknown: func(n native.Node) {
		r.seen = append(r.seen, n)
	}}
	if us.Numbers != "" {
		r.in.numbers = us.Numbers
	}
	return native.Reader{
		Table: m.table, Read: r.record,
		Law: func(n native.Node) string { return r.law(r.scopes(n)[0]) },
		Days: func(n native.Node) (all []adapters.Days) {
			for _, s := range r.scopes(n) {
				all = append(all, r.days(s)...)
			}
			return all
		},
	}.All(records, out)
}

// scopes are what lines are made of: the record, or each of its elements. There is always
// one, be it without an element.
func (r *reader) scopes(n native.Node) (all []scope) {
	if r.each != "" {
		for _, e := range n.All(r.each) {
			all = append(all, scope{n, e, r.in})
		}
	}
	if len(all) == 0 {
		all = append(all, scope{r: n, in: r.in})
	}
	return all
}

// record writes what is sound in a record. An element that is odd costs itself alone.
func (r *reader) record(n native.Node) error {
	scopes := r.scopes(n)
	if err := r.whose(scopes[0]); err != nil {
		return err
	}
	if r.each != "" && !scopes[0].e.Has() {
		r.out.Skipped(adapters.SkippedNoAward, r.law(scopes[0]), n.At().Path)
		return nil
	}
	for _, s := range scopes {
		if err := r.out.Odd(r.one(s), r.law(s), r.days(s)...); err != nil {
			return err
		}
	}
	return nil
}

// whose refuses a record of somebody else, or of another party.
func (r *reader) whose(s scope) error {
	if whose, err := r.Mapping.person.text(s); err != nil || whose != r.person.Reveal() {
		return s.where(r.Mapping.person).Bad("the person who was asked about")
	}
	for _, x := range r.party {
		if code, err := x.text(s); err == nil && slices.Contains(r.us.Codes, code) {
			return nil
		}
	}
	if len(r.party) > 0 {
		return s.where(r.party[0]).Bad("a code of the party that answers")
	}
	return nil
}

// law is that of a scope; empty when it is not known, or none of the mapping's.
func (r *reader) law(s scope) string {
	x := r.lawOf()
	if law, err := x.text(s); err == nil && slices.Contains(r.laws, law) {
		return law
	}
	return ""
}

func (r *reader) lawOf() *expression {
	if r.own != nil {
		return r.own.law
	}
	return r.line.law
}

// days are those of a scope as far as they can be read; none for somebody else.
func (r *reader) days(s scope) []adapters.Days {
	if whose, err := r.Mapping.person.text(s); err != nil || whose != r.person.Reveal() {
		return nil
	}
	days, _ := r.between(s)
	return []adapters.Days{days}
}

func (r *reader) between(s scope) (adapters.Days, error) {
	from, to := r.lineDays()
	first, err := from.text(s)
	if err != nil {
		return adapters.Days{}, err
	}
	last, err := to.text(s)
	if err != nil {
		return adapters.Days{}, err
	}
	days, err := adapters.Dates{From: first, To: last, FromAt: "from", ToAt: "to", Form: r.form(from)}.Read(adapters.Cursor{})
	if r.form(from) != r.form(to) && last != "" { // one of them was worked out, and is written otherwise
		days, err = r.mixed(first, last)
	}
	switch adapters.Path(err) {
	case "/from":
		err = s.where(from).Bad(adapters.Rule(err))
	case "/to":
		err = s.where(to).Bad(adapters.Rule(err))
	}
	return days, err
}

func (r *reader) lineDays() (from, to *expression) {
	if r.own != nil {
		return r.own.from, r.own.to
	}
	return r.line.from, r.line.to
}

// form is that of a member as the source writes it, and else that of date().
func (r *reader) form(x *expression) adapters.DateForm {
	if x == nil || x.program != nil && x.out.IsExactType(recordType()) {
		return r.dates
	}
	return adapters.DateISO
}

// mixed reads days of which one was worked out.
func (r *reader) mixed(first, last string) (adapters.Days, error) {
	from, to := r.lineDays()
	iso := func(text string, form adapters.DateForm, at string) (string, error) {
		if form == adapters.DateISO || form.Open(text) {
			return text, nil
		}
		day, err := form.Day(text)
		if err != nil {
			return "", adapters.BadData(at, "a whole day "+string(form))
		}
		return day.String(), nil
	}
	first, err := iso(first, r.form(from), "/from")
	if err != nil {
		return adapters.Days{}, err
	}
	if last, err = iso(last, r.form(to), "/to"); err != nil {
		return adapters.Days{}, err
	}
	return adapters.Dates{From: first, To: last, FromAt: "from", ToAt: "to"}.Read(adapters.Cursor{})
}

// one writes what comes of one scope.
func (r *reader) one(s scope) error {
	r.seen = nil
	for _, k := range r.skips {
		is, err := k.when.holds(s)
		if err != nil {
			return err
		}
		if is {
			r.out.Skipped(k.reason, r.law(s), s.at().Path)
			return nil
		}
	}
	for _, c := range r.checks {
		holds, err := c.that.holds(s)
		if err != nil {
			return err
		}
		if !holds {
			return s.where(c.that).Bad(c.rule)
		}
	}
	law, err := r.lawOf().text(s)
	switch {
	case err != nil:
		return err
	case law == "":
		return s.where(r.lawOf()).Bad("a law")
	case !slices.Contains(r.laws, law):
		days, _ := r.between(s)
		r.out.OtherLaw(s.at(), s.where(r.lawOf()).Path, days)
		return nil
	}
	if r.own != nil {
		return r.contribution(s, law)
	}
	return r.right(s, law)
}
