// Package approval answers: have two people approved these policies? An approval is a
// signature of one person, apart from the bundle that it is about: the bundle itself says
// nothing of who may approve it. Whose key counts stands in the configuration of the gateway.
package approval

import (
	"crypto"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// ErrApproval means that policies are not approved; the message says by what.
var ErrApproval = errors.New("these policies are not approved")

// Roles in which a person approves. The list is closed.
const (
	PrivacyOfficer = "privacy_officer"
	Author         = "author"
	LegalAdviser   = "legal_adviser"
)

// Roles lists them.
func Roles() []string { return []string{PrivacyOfficer, Author, LegalAdviser} }

// Bounds: of the approvals of one bundle, and how far clocks may be apart.
const (
	most = 8
	skew = 5 * time.Minute
)

// Officer is a person whose approval counts.
type Officer struct {
	// Name is as the person is called in the configuration: letters, digits and . _ - @.
	Name string
	// Roles in which this person may approve.
	Roles []string
	// Key is the public half of theirs, P-256.
	Key crypto.PublicKey
}

// Subject is what is approved: one bundle, in the place of one revision, with what its
// reports say. All are 64 hexadecimal digits; of files it is the SHA-256.
type Subject struct {
	Bundle   string // the file
	Revision string // of its rules
	Parent   string // the revision in whose place it comes
	// The reports: of its cases, of what it changes, and of past decisions (empty: none).
	Test, Diff, Replay string
}

// Claims are what one person signs.
type Claims struct {
	Bundle   string `json:"bundle"`
	Diff     string `json:"diff"`
	At       int64  `json:"iat"` // seconds since 1970
	Name     string `json:"name"`
	Parent   string `json:"parent"`
	Replay   string `json:"replay"`
	Revision string `json:"revision"`
	Role     string `json:"role"`
	Test     string `json:"test"`
}

// Subject is what was approved.
func (c Claims) Subject() Subject {
	return Subject{Bundle: c.Bundle, Revision: c.Revision, Parent: c.Parent, Test: c.Test, Diff: c.Diff, Replay: c.Replay}
}

// Person is who signs, as what, with which key.
type Person struct {
	Name, Role string
	Key        crypto.Signer
}

// here stands for the issuer that every signature has: people are no organisations.
const here identity.OIN = "00000000000000000000"

// Sign approves. Errors: ErrApproval, when it could not count.
func (p Person) Sign(about Subject, now time.Time) ([]byte, error) {
	c := Claims{
		Bundle: about.Bundle, Diff: about.Diff, At: now.Unix(), Name: p.Name, Parent: about.Parent, Replay: about.Replay,
		Revision: about.Revision, Role: p.Role, Test: about.Test,
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	raw, err := signed.Together(signed.Approval, c, signed.Signer{Issuer: here, KeyID: p.Name, Alg: "ES256", Key: p.Key})
	if err != nil {
		return nil, fmt.Errorf("%w: the key does not sign: %w", ErrApproval, err)
	}
	_, err = verify([]Officer{{p.Name, []string{p.Role}, p.Key.Public()}}, raw)
	return raw, err
}

// IsName reports whether a person can be called that.
func IsName(s string) bool {
	for _, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '.' && c != '_' && c != '-' && c != '@' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

func (c Claims) check() error {
	for what, sum := range map[string]string{"bundle": c.Bundle, "revision": c.Revision, "parent": c.Parent, "test": c.Test, "diff": c.Diff} {
		if !identity.IsSHA256(sum) {
			return fmt.Errorf("%w: an approval names the %s by 64 hexadecimal digits", ErrApproval, what)
		}
	}
	switch {
	case c.Replay != "" && !identity.IsSHA256(c.Replay):
		return fmt.Errorf("%w: an approval names the replay by 64 hexadecimal digits", ErrApproval)
	case !IsName(c.Name):
		return fmt.Errorf("%w: a name is at most 64 letters, digits and . _ - @", ErrApproval)
	case !slices.Contains(Roles(), c.Role):
		return fmt.Errorf("%w: the role is one of %v", ErrApproval, Roles())
	}
	return nil
}

// Unverified reads what an approval says that counted when it was taken in. It proves nothing.
func Unverified(raw []byte) (Claims, error) {
	var c Claims
	if err := signed.Unverified(signed.Approval, raw, &c); err != nil {
		return Claims{}, fmt.Errorf("%w: %w", ErrApproval, err)
	}
	return c, c.check()
}

// verify gives what one of these people has signed.
func verify(officers []Officer, raw []byte) (Claims, error) {
	c, err := Unverified(raw)
	if err != nil {
		return Claims{}, err
	}
	i := slices.IndexFunc(officers, func(o Officer) bool { return o.Name == c.Name })
	if i < 0 {
		return Claims{}, fmt.Errorf("%w: %s is none of the officers of gateway.yaml", ErrApproval, c.Name)
	}
	v, err := signed.NewVerifier(map[identity.OIN][]signed.Key{
		here: {{ID: c.Name, Alg: "ES256", Public: officers[i].Key, Kinds: []signed.Kind{signed.Approval}}},
	})
	if err != nil {
		return Claims{}, fmt.Errorf("%w: the key of %s: %w", ErrApproval, c.Name, err)
	}
	if _, err := v.All(signed.Approval, raw, &c, func() []identity.OIN { return []identity.OIN{here} }); err != nil {
		return Claims{}, fmt.Errorf("%w: the approval that names %s is not signed with their key in gateway.yaml: %w", ErrApproval, c.Name, err)
	}
	if !slices.Contains(officers[i].Roles, c.Role) {
		return Claims{}, fmt.Errorf("%w: %s is no %s by gateway.yaml", ErrApproval, c.Name, c.Role)
	}
	return c, nil
}

// Check reports whether two people have approved: every approval must be of this subject and
// hold, they are of two keys at least, and one privacy officer among them is not the only
// author. Who signs as author is one; when nobody does, it is who signed first. Errors:
// ErrApproval, saying what is lacking.
func Check(officers []Officer, about Subject, approvals [][]byte, now time.Time) ([]Claims, error) {
	if len(approvals) > most {
		return nil, fmt.Errorf("%w: more than %d approvals", ErrApproval, most)
	}
	var all []Claims
	for _, raw := range approvals {
		c, err := verify(officers, raw)
		if err != nil {
			return nil, err
		}
		if what := c.differs(about); what != "" {
			return nil, fmt.Errorf("%w: %s approved another %s; each must approve the very same files", ErrApproval, c.Name, what)
		}
		if time.Unix(c.At, 0).After(now.Add(skew)) {
			return nil, fmt.Errorf("%w: the approval of %s is of a time that has not come; set the clocks", ErrApproval, c.Name)
		}
		all = append(all, c)
	}
	return all, enough(all)
}

// differs names what was approved and is another one.
func (c Claims) differs(about Subject) string {
	is := c.Subject()
	for _, one := range []struct{ what, is, want string }{
		{"bundle", is.Bundle, about.Bundle}, {"revision", is.Revision, about.Revision}, {"parent revision", is.Parent, about.Parent},
		{"test report", is.Test, about.Test}, {"diff certificate", is.Diff, about.Diff}, {"replay report", is.Replay, about.Replay},
	} {
		if one.is != one.want {
			return one.what
		}
	}
	return ""
}

// enough holds the rule about who. A name is one key, and a key has one name, by the
// configuration.
func enough(all []Claims) error {
	people, authors := map[string]bool{}, map[string]bool{}
	var first Claims
	for _, c := range all {
		people[c.Name] = true
		if c.Role == Author {
			authors[c.Name] = true
		}
		if first.Name == "" || c.At < first.At {
			first = c
		}
	}
	if len(people) < 2 {
		return fmt.Errorf("%w: two different people must approve, and there is %d", ErrApproval, len(people))
	}
	if len(authors) == 0 {
		authors[first.Name] = true
	}
	for _, c := range all {
		if c.Role == PrivacyOfficer && !(len(authors) == 1 && authors[c.Name]) {
			return nil
		}
	}
	return fmt.Errorf("%w: a %s who is not the only author must be among those who approve", ErrApproval, PrivacyOfficer)
}
