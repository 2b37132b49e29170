package agreement

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Limits of the terms.
const (
	maxGrants  = 16
	maxList    = 16       // purposes of a grant, auditors, witnesses
	maxCode    = 64       // characters of a purpose or a legal basis
	maxDays    = 3650     // retention_days, max_age_days
	maxRate    = 10000000 // rate_per_minute
	maxText    = 500
	maxSunset  = 1000
	maxContact = 200
	maxMonths  = 60
	maxSecond  = 253402300799 // the last second of the year 9999
)

// FieldError says which field of the terms cannot be so, and what it must be. It
// never repeats the value.
type FieldError struct {
	Path string // for example grants[0].rate_per_minute; empty for the whole
	What string
	Line int // of a draft; 0 elsewhere
}

// Error gives line and path, where there are, and what it must be.
func (e *FieldError) Error() string {
	text := e.What
	if e.Path != "" {
		text = e.Path + ": " + text
	}
	if e.Line > 0 {
		text = fmt.Sprintf("line %d: %s", e.Line, text)
	}
	return text
}

// checker remembers the first field that is wrong.
type checker struct {
	list  string // within which list, and at which place; empty outside lists
	index int
	wrong *FieldError
}

func (c *checker) within(list string, index int) { c.list, c.index = list, index }

func (c *checker) must(ok bool, field, be string) {
	if ok || c.wrong != nil {
		return
	}
	if c.list != "" {
		field = fmt.Sprintf("%s[%d].%s", c.list, c.index, field)
	}
	c.wrong = &FieldError{Path: field, What: "must be " + be}
}

func (c *checker) number(n, least, most int, field string) {
	if n < least || n > most {
		c.must(false, field, fmt.Sprintf("a whole number of %d to %d", least, most))
	}
}

func (c *checker) text(s string, most int, field string) {
	c.must(!identity.HoldsBSN(s), field, "without what can be a burgerservicenummer: nine digits that pass the 11-check")
	if !isText(s, most) {
		c.must(false, field, fmt.Sprintf("a text of 1 to %d characters on one line, with single spaces", most))
	}
}

// check judges all terms, the one place that does: whatever passes can be
// enforced. A draft has no id, replaces and proposed_at yet. Errors: *FieldError.
func check(t Terms, draft bool) error {
	var c checker
	c.must(t.Version == 1, "version", "1")
	if !draft {
		c.heading(t)
	}
	c.parties(t.Parties)
	c.must(len(t.Grants) > 0 && len(t.Grants) <= maxGrants, "grants", "a list of 1 to 16")
	for i := range t.Grants {
		c.within("grants", i)
		c.grant(t, i)
	}
	for i, p := range t.Parties {
		c.within("parties", i)
		c.must(p.Role == roleOf(t.Grants, p.OIN), "role", "consumer, source or both, as the grants have it")
	}
	c.within("", 0)
	c.text(t.Finance.Settlement, maxText, "finance.settlement")
	c.text(t.Finance.CostShare, maxText, "finance.cost_share")
	c.oversight(t.Oversight)
	c.text(t.Sunset, maxSunset, "sunset")
	c.days(t.From, t.Until)
	if c.wrong != nil {
		return c.wrong
	}
	return nil
}

// heading is what the gateway adds to a draft when it is proposed.
func (c *checker) heading(t Terms) {
	c.must(identity.IsUUIDv7(t.ID), "id", "a UUID of version 7 in lower case")
	c.must(t.Replaces == "" || identity.IsUUIDv7(t.Replaces) && t.Replaces != t.ID, "replaces", "empty or the id of another agreement")
	c.must(t.ProposedAt > 0 && t.ProposedAt <= maxSecond, "proposed_at", "a moment in seconds since 1970")
}

func (c *checker) parties(ps []Party) {
	c.must(len(ps) == 2, "parties", "a list of two")
	for i, p := range ps {
		c.within("parties", i)
		c.must(identity.IsOIN(p.OIN), "oin", "twenty digits")
		c.must(i == 0 || p.OIN != ps[0].OIN, "oin", "another than that of the first party")
	}
	c.within("", 0)
}

// roleOf is the role that the grants give a party; empty when none names it.
func roleOf(grants []Grant, party identity.OIN) string {
	asks := slices.ContainsFunc(grants, func(g Grant) bool { return g.Consumer == party })
	asked := slices.ContainsFunc(grants, func(g Grant) bool { return g.Source == party })
	switch {
	case asks && asked:
		return Both
	case asks:
		return Consumer
	case asked:
		return Source
	}
	return "none"
}

func (c *checker) grant(t Terms, at int) {
	g := t.Grants[at]
	c.must(isParty(t.Parties, g.Consumer), "consumer", "the OIN of a party")
	c.must(isParty(t.Parties, g.Source) && g.Source != g.Consumer, "source", "the OIN of the other party")
	c.must(isList(g.Purposes, maxList, isPurpose), "purposes", "a list of 1 to 16 different purpose codes, such as integral_budget.compose")
	c.must(onlyHere(t.Grants[:at], g), "purposes", "other ones than an earlier grant between the same parties has")
	if !isList(g.Categories, maxList, isCategory) { // the words are made only when they are needed
		c.must(false, "categories", "a list of different categories: "+known())
	}
	c.must(isCode(g.LegalBasis), "legal_basis", "a code of small letters, digits and -, such as avg-6-1-e")
	c.must(slices.Contains(ontschotv1.Assurances(), g.Assurance), "assurance", "laag, substantieel or hoog")
	c.number(g.RetentionDays, 1, maxDays, "retention_days")
	c.number(g.MaxAgeDays, 1, maxDays, "max_age_days")
	c.number(g.RatePerMinute, 1, maxRate, "rate_per_minute")
}

// onlyHere reports whether no earlier grant is for a purpose of this one: else it would
// depend on their order which of the two is enforced.
func onlyHere(earlier []Grant, g Grant) bool {
	return !slices.ContainsFunc(earlier, func(e Grant) bool { return shared(e, g) > 0 })
}

// shared counts the purposes of two grants between the same parties that are in both.
func shared(a, b Grant) (n int) {
	if a.Consumer != b.Consumer || a.Source != b.Source {
		return 0
	}
	for _, p := range a.Purposes {
		if slices.Contains(b.Purposes, p) {
			n++
		}
	}
	return n
}

func (c *checker) oversight(o Oversight) {
	auditors := o.Auditors != nil && (len(o.Auditors) == 0 || isList(o.Auditors, maxList, identity.IsOIN))
	c.must(auditors, "oversight.auditors", "a list of 0 to 16 different OINs")
	c.must(identity.IsSHA256(o.DPIA), "oversight.dpia_sha256", "64 hexadecimal digits in lower case")
	c.must(isContact(o.BreachContact), "oversight.breach_contact", "an e-mail address, an https address or tel:+31..., of at most 200 characters")
	c.number(o.Witnesses, 0, maxList, "oversight.witnesses")
}

func (c *checker) days(from, until string) {
	first, err := civil.Parse(from)
	c.must(err == nil, "from", "a date, YYYY-MM-DD")
	last, err := civil.Parse(until)
	c.must(err == nil, "until", "a date, YYYY-MM-DD")
	c.must(first <= last, "until", "on or after from")
	c.must(last < first.AddMonths(maxMonths), "until", "at most five years from from")
}

func known() string {
	names := make([]string, 0, maxList)
	for _, c := range budgetv1.Categories() {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}
