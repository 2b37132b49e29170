// Package mapping answers: what do the records of an agency's own system say of a budget,
// by a file that its engineer writes? One format for a database, a REST or GraphQL
// interface, an XML service and a file of every night: how the source is asked, where the
// records stand, what each field is made of, what the codes mean, what must hold, and
// tests of it. An expression is CEL; money and volumes are exact, and never a float.
package mapping

import (
	"regexp"
	"slices"

	"cel.dev/cel-go/cel"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/money"
	"github.com/ontschot/ontschot/adapters/native"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Format is the version of the format, the value of the key mapping.
const Format = "1"

// Mapping is a mapping that was read, and in which nothing is wrong.
type Mapping struct {
	id, version, record string
	laws, categories    []string
	identifier          string
	rows, each          string
	numbers             money.Style
	dates               adapters.DateForm
	unit                string
	person              *expression
	party               []*expression
	skips               []skip
	checks              []check
	line                *lineFields
	own                 *ownFields
	codes               map[string]*table
	table               native.Table
	plan                Plan
	tests               []trial
}

// skip is a record that gives no line, and why.
type skip struct {
	when   *expression
	reason string
}

// check is what must hold for a record, in a sentence that a notice can carry.
type check struct {
	that *expression
	rule string
}

// Parse reads a mapping for one kind of source. An error is Problems: everything that is
// wrong, with its line and column.
func Parse(kind Kind, raw []byte) (*Mapping, error) {
	doc := &document{}
	root := doc.open(raw)
	if root == nil {
		return nil, doc.failed()
	}
	env, err := language()
	if err != nil {
		return nil, err
	}
	m := &Mapping{}
	m.head(root)
	m.codes = tables(root.Under("codes"))
	c := &compiler{env: env, doc: doc, codes: m.codes, each: m.each != ""}
	m.body(root, c)
	m.table = m.members(root)
	if s := root.Under("source"); s != nil {
		if want := kind.Facts().Name; s.Text("kind") != want {
			s.Problem("kind", "deze adapter is van soort "+want, "this adapter is of kind "+want)
		} else {
			m.plan = kind.Plan(s, m.rows)
		}
	}
	if known, ok := m.plan.(Columned); ok && len(known.Columns()) > 0 {
		m.columns(root, known.Columns())
	}
	m.tests = trials(root)
	if err := doc.failed(); err != nil {
		return nil, err
	}
	return m, nil
}

var (
	idForm  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
	release = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`)
)

// head reads what the adapter is, and how its source writes things.
func (m *Mapping) head(s *Section) {
	s.Known("mapping", "id", "version", "laws", "categories", "identifiers", "record", "source", "rows", "each", "numbers", "dates", "amounts",
		"person", "party", "skip", "checks", "fields", "own_contribution", "codes", "ignored", "tests")
	s.Need("mapping", "id", "version", "laws", "identifiers", "source", "person", "tests")
	s.Word("mapping", Format)
	m.id, m.version, m.laws = s.Text("id"), s.Text("version"), s.Words("laws")
	if s.Has("id") && !idForm.MatchString(m.id) {
		s.Problem("id", "kleine letters, cijfers en streepjes", "small letters, digits and hyphens")
	}
	if s.Has("version") && !release.MatchString(m.version) {
		s.Problem("version", "drie getallen, zoals 1.0.0", "three numbers, as in 1.0.0")
	}
	for _, law := range m.laws {
		if !slices.Contains(budgetv1.Laws(), law) {
			near := nearest(law, budgetv1.Laws())
			s.Problem("laws", "onbekende wet"+suggest("; bedoelt u %s?", near), "unknown law"+suggest("; did you mean %s?", near))
		}
	}
	if ids := s.Words("identifiers"); len(ids) != 1 || !slices.Contains([]string{"bsn", "education_number", "pass_number"}, ids[0]) {
		s.Problem("identifiers", "een van: bsn, education_number, pass_number", "one of: bsn, education_number, pass_number")
	} else {
		m.identifier = ids[0]
	}
	m.rows, m.each, m.record = s.Text("rows"), s.Text("each"), s.Text("record")
	if m.record == "" {
		m.record = m.id[:min(len(m.id), 32)]
	}
	if len(m.record) > 32 || !plainWord.MatchString(m.record) {
		s.Problem("record", "een woord van ten hoogste 32 tekens", "a word of at most 32 characters")
	}
	m.numbers = money.Style(s.Word("numbers", string(money.Dutch), string(money.Point)))
	m.dates = adapters.DateForm(s.Word("dates", string(adapters.DateISO), string(adapters.DateCompact), string(adapters.DateDutch)))
	m.unit = s.Word("amounts", "euros", "cents")
}

// body compiles what is read of a record.
func (m *Mapping) body(s *Section, c *compiler) {
	text := []*cel.Type{recordType(), cel.StringType}
	m.person = c.field(s, "person", text...)
	if v := s.value("party"); v != nil && len(v.Content) > 0 {
		for i, item := range v.Content {
			m.party = append(m.party, c.node(item, s.path+"party["+string(rune('0'+i%10))+"]", text))
		}
	} else if v != nil {
		m.party = append(m.party, c.field(s, "party", text...))
	}
	for _, one := range s.List("skip") {
		one.Known("when", "reason")
		one.Need("when", "reason")
		m.skips = append(m.skips, skip{c.field(one, "when", cel.BoolType), one.Word("reason", reasons()...)})
	}
	for _, one := range s.List("checks") {
		one.Known("that", "rule")
		one.Need("that", "rule")
		if rule := one.Text("rule"); len(rule) > 128 {
			one.Problem("rule", "ten hoogste 128 tekens", "at most 128 characters")
		}
		m.checks = append(m.checks, check{c.field(one, "that", cel.BoolType), one.Text("rule")})
	}
	if fields := s.Under("fields"); fields != nil {
		m.line = m.lineFields(fields, c)
	}
	if own := s.Under("own_contribution"); own != nil {
		m.own = m.ownFields(own, c)
	}
	if (m.line == nil) == (m.own == nil) {
		s.Problem("fields", "fields of own_contribution nodig, een van de twee", "fields or own_contribution is needed, one of the two")
	}
	m.supplies(s)
}

// reasons are why a record may give no line (adapters.Skipped...); the first is the default.
func reasons() []string {
	return []string{
		adapters.SkippedOtherMessage, adapters.SkippedRefused, adapters.SkippedNoAward, adapters.SkippedOtherParty,
		adapters.SkippedNoDecision, adapters.SkippedRemoved, adapters.SkippedSuperseded, adapters.SkippedLapsed,
	}
}

// Table is the format of a record with its members, for documentation.
func (m *Mapping) Table() native.Table { return m.table }

// Describe is what an adapter with this mapping is.
func (m *Mapping) Describe() *adapterv1.DescribeResponse {
	return &adapterv1.DescribeResponse{
		Id: m.id, Version: m.version, Laws: slices.Clone(m.laws), Categories: slices.Clone(m.categories),
		Identifiers: []string{m.identifier},
	}
}
