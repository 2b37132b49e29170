package agreement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/internal/identity"
)

// What can happen to a term.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// Change is one difference between two versions of the terms.
type Change struct {
	// Path of the term, for example grants[0].rate_per_minute: in the new terms, or
	// in the old ones when it is not in the new.
	Path string
	Kind string // added, removed or changed
	// Old and New are what it was and is. Of a list: what was taken out and what was
	// added, with ", " between.
	Old, New string
	// Party whose role it is; Consumer and Source whose grant it is; else empty.
	Party, Consumer, Source identity.OIN
	// Purposes of the grant, with ", " between, when there are more grants between the
	// same two and it must be said which of them it is.
	Purposes string
}

// differ collects changes. about is what they have in common.
type differ struct {
	changes []Change
	about   Change
}

// Diff says what changes from the old terms to the new, in the order of the
// document: nothing is left out but the order of lists, which means nothing. Grants
// belong together when they are between the same two and share a purpose. What only
// a proposal has (id, replaces, proposed_at) is not compared with a draft.
func Diff(old, new Terms) []Change {
	var d differ
	d.number("version", int64(old.Version), int64(new.Version))
	if old.ID != "" && new.ID != "" {
		d.value("id", old.ID, new.ID)
		d.value("replaces", old.Replaces, new.Replaces)
		d.number("proposed_at", old.ProposedAt, new.ProposedAt)
	}
	d.parties(old.Parties, new.Parties)
	d.grants(old.Grants, new.Grants)
	d.value("finance.settlement", old.Finance.Settlement, new.Finance.Settlement)
	d.value("finance.cost_share", old.Finance.CostShare, new.Finance.CostShare)
	d.list("oversight.auditors", texts(old.Oversight.Auditors), texts(new.Oversight.Auditors))
	d.value("oversight.dpia_sha256", old.Oversight.DPIA, new.Oversight.DPIA)
	d.value("oversight.breach_contact", old.Oversight.BreachContact, new.Oversight.BreachContact)
	d.number("oversight.witnesses", int64(old.Oversight.Witnesses), int64(new.Oversight.Witnesses))
	d.value("sunset", old.Sunset, new.Sunset)
	d.value("from", old.From, new.From)
	d.value("until", old.Until, new.Until)
	return d.changes
}

func (d *differ) add(path, kind, old, new string) {
	c := d.about
	c.Path, c.Kind, c.Old, c.New = path, kind, old, new
	d.changes = append(d.changes, c)
}

func (d *differ) value(path, old, new string) {
	switch {
	case old == new:
	case old == "":
		d.add(path, Added, "", new)
	case new == "":
		d.add(path, Removed, old, "")
	default:
		d.add(path, Changed, old, new)
	}
}

func (d *differ) number(path string, old, new int64) {
	d.value(path, strconv.FormatInt(old, 10), strconv.FormatInt(new, 10))
}

// list gives first what was added, then what was taken out.
func (d *differ) list(path string, old, new []string) {
	if more := without(new, old); len(more) > 0 {
		d.add(path, Added, "", strings.Join(more, ", "))
	}
	if less := without(old, new); len(less) > 0 {
		d.add(path, Removed, strings.Join(less, ", "), "")
	}
}

func without(list, others []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(others, s) })
}

func texts(list []identity.OIN) []string {
	out := make([]string, 0, len(list))
	for _, o := range list {
		out = append(out, string(o))
	}
	return out
}

func (d *differ) parties(old, new []Party) {
	for i, p := range new {
		d.about = Change{Party: p.OIN}
		path := fmt.Sprintf("parties[%d]", i)
		before := slices.IndexFunc(old, func(o Party) bool { return o.OIN == p.OIN })
		if before < 0 {
			d.add(path, Added, "", string(p.OIN))
			d.value(path+".role", "", p.Role)
			continue
		}
		d.value(path+".role", old[before].Role, p.Role)
	}
	for i, p := range old {
		d.about = Change{Party: p.OIN}
		if !isParty(new, p.OIN) {
			d.add(fmt.Sprintf("parties[%d]", i), Removed, string(p.OIN), "")
		}
	}
}

func (d *differ) grants(old, new []Grant) {
	pairs := pair(old, new)
	for i, g := range new {
		path := fmt.Sprintf("grants[%d]", i)
		d.about = aboutGrant(g, old, new)
		if pairs[i] < 0 {
			d.add(path, Added, "", strings.Join(g.Purposes, ", "))
			d.grant(path, Grant{Purposes: g.Purposes}, g) // the line above has the purposes
			continue
		}
		d.grant(path, old[pairs[i]], g)
	}
	for i, g := range old {
		if !slices.Contains(pairs, i) {
			d.about = aboutGrant(g, old, new)
			d.add(fmt.Sprintf("grants[%d]", i), Removed, strings.Join(g.Purposes, ", "), "")
		}
	}
	d.about = Change{}
}

// grant compares two grants; what is empty in one was not there.
func (d *differ) grant(path string, old, new Grant) {
	d.list(path+".purposes", old.Purposes, new.Purposes)
	d.list(path+".categories", old.Categories, new.Categories)
	d.value(path+".legal_basis", old.LegalBasis, new.LegalBasis)
	d.value(path+".assurance", old.Assurance, new.Assurance)
	d.positive(path+".retention_days", old.RetentionDays, new.RetentionDays)
	d.positive(path+".max_age_days", old.MaxAgeDays, new.MaxAgeDays)
	d.positive(path+".rate_per_minute", old.RatePerMinute, new.RatePerMinute)
}

// positive compares numbers of which none can be zero: zero is what was not there.
func (d *differ) positive(path string, old, new int) {
	text := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	d.value(path, text(old), text(new))
}

// aboutGrant says whose grant it is, and which when they have more than one.
func aboutGrant(g Grant, old, new []Grant) Change {
	c := Change{Consumer: g.Consumer, Source: g.Source}
	if between(old, g) > 1 || between(new, g) > 1 {
		c.Purposes = strings.Join(g.Purposes, ", ")
	}
	return c
}

func between(grants []Grant, g Grant) (n int) {
	for _, o := range grants {
		if o.Consumer == g.Consumer && o.Source == g.Source {
			n++
		}
	}
	return n
}

// pair gives for each new grant the place of the old one it continues, or -1: of
// those not yet taken the one with which it shares most purposes, the first of equals.
func pair(old, new []Grant) []int {
	pairs := make([]int, 0, len(new))
	for _, g := range new {
		best, most := -1, 0
		for i, o := range old {
			if n := shared(o, g); n > most && !slices.Contains(pairs, i) {
				best, most = i, n
			}
		}
		pairs = append(pairs, best)
	}
	return pairs
}
