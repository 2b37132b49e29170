package consent

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// field of a draft, and whether it may stand as it does.
type field struct {
	name string
	ok   bool
}

// check refuses a draft with a field that is missing or malformed, and names the
// first. What was signed before is not checked again when it is narrowed: nothing
// stands in the way of saying less.
func (d Draft) check(by identity.OIN, subject identity.BSN) error {
	fields := []field{
		{"keeper: must be the organisation that signs", identity.IsOIN(d.Keeper) && d.Keeper == by},
		{"subject: a person is needed", d.old != nil || !subject.IsZero()},
	}
	if d.old == nil {
		fields = slices.Concat(fields, d.terms(), d.people())
	}
	fields = append(fields, d.granted()...)
	return first(fields)
}

// first is the ErrDocument of the first field that may not stand as it does.
func first(fields []field) error {
	for _, f := range fields {
		if !f.ok {
			return fmt.Errorf("%w: %s", ErrDocument, f.name)
		}
	}
	return nil
}

// place names a signature: the first is given_by.
func place(i int) string {
	if i == 0 {
		return "given_by"
	}
	return fmt.Sprintf("co_given_by[%d]", i-1)
}

func (d Draft) terms() []field {
	return []field{
		{"purpose: a code is needed", isCode(d.Purpose, 128)},
		{"case: a commitment is needed", isCode(d.Case, 128)},
		{"controller: must be an OIN", identity.IsOIN(d.Controller)},
		{"recipients: one to 16 OINs, each once", areOINs(d.Recipients)},
		{"basis.avg6: needed", isText(d.Basis.AVG6, 64)},
		{"basis: too long", len(d.Basis.AVG9) <= 64 && len(d.Basis.National) <= 200},
		{"from: a date is needed", !d.From.IsZero()},
		{"until: must not be before from", d.Until >= d.From},
		{"notice.version: needed", isText(d.Notice.Version, 32)},
		{"notice.sha256: 64 hexadecimal digits", identity.IsSHA256(d.Notice.SHA256)},
		{"withdraw_url: an https address is needed", isHTTPS(d.Withdraw)},
		{"replaces: must be an id", d.Replaces == "" || isCode(d.Replaces, 128)},
	}
}

func (d Draft) people() []field {
	looked, err := civil.Parse(d.Authority.LookedUp)
	last, ended := civil.Parse(d.Authority.Until)
	fields := []field{
		{"born: must not be after from", d.Born <= d.From},
		{"authority.looked_up: a date is needed, not after from", err == nil && looked <= d.From},
		{"authority.kind: too long", len(d.Authority.Kind) <= 64},
		{"authority.until: must be a date that is not before from", d.Authority.Until == "" || ended == nil && last >= d.From},
		{"authority.settled: must be one of " + strings.Join(settlements()[1:], ", ") + " or empty", slices.Contains(settlements(), d.Authority.Settled)},
		{"co_given_by: too many", len(d.CoGivenBy) <= 8},
	}
	for i, s := range append([]Signature{d.GivenBy}, d.CoGivenBy...) {
		name := place(i)
		fields = append(fields,
			field{name + ".role: none of the list", s.Role == "" || slices.Contains(ontschotv1.SigningRoles(), s.Role)},
			field{name + ".proof.kind: must be one of " + strings.Join(ontschotv1.Proofs(), ", "), s.Proof.Kind == "" || slices.Contains(ontschotv1.Proofs(), s.Proof.Kind)},
			field{name + ".proof: too long", len(s.Proof.LOA) <= 32 && len(s.Proof.Hash) <= 128},
		)
	}
	return fields
}

func (d Draft) granted() []field {
	fields := []field{{"grants: one to 16 sources are needed", len(d.Grants) > 0 && len(d.Grants) <= maxGrants}}
	yes := false
	seen := map[identity.OIN]bool{}
	for i, g := range d.Grants {
		name := fmt.Sprintf("grants[%d]", i)
		fields = append(fields,
			field{name + ".source: must be an OIN, and listed once", identity.IsOIN(g.Source) && !seen[g.Source]},
			field{name + ".categories: each must be known, and listed once", known(g.Categories)},
		)
		seen[g.Source] = true
		yes = yes || len(g.Categories) > 0
	}
	return append(fields, field{"grants: it says yes to nothing", yes})
}

func areOINs(list []identity.OIN) bool {
	once := slices.Compact(slices.Sorted(slices.Values(list)))
	return len(list) > 0 && len(list) <= maxGrants && len(once) == len(list) && !slices.ContainsFunc(list, func(o identity.OIN) bool { return !identity.IsOIN(o) })
}

// isCode reports whether a text is of letters, digits and a few signs, as the log can store it.
func isCode(s string, longest int) bool {
	odd := func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-", r)
	}
	return s != "" && len(s) <= longest && !strings.ContainsFunc(s, odd)
}

func isText(s string, longest int) bool { return strings.TrimSpace(s) != "" && len(s) <= longest }

func isHTTPS(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= 300 && u.Scheme == "https" && u.Host != "" && u.User == nil
}
