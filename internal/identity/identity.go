// Package identity answers: who is this, and may it be written down? Its types
// keep a person's number from being printed and an organisation's from being
// mixed up with it.
package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

// Errors of the numbers. They never repeat what was given.
var (
	ErrBSN = errors.New("no burgerservicenummer: nine digits that pass the 11-check")
	ErrOIN = errors.New("no OIN: twenty digits")
)

// harmless are UUIDs, and civil dates as people and systems write them.
var harmless = regexp.MustCompile(`(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|` +
	`\b((19|20)\d\d-(0[1-9]|1[0-2])-([0-2]\d|3[01])|([0-2]\d|3[01])-(0[1-9]|1[0-2])-(19|20)\d\d)\b`)

// OIN is an organisation's identification number: 20 digits, a string because
// leading zeros matter (prefix 00000099 is for tests).
type OIN string

// ParseOIN checks the form.
func ParseOIN(s string) (OIN, error) {
	if len(s) != 20 || !digits(s) {
		return "", ErrOIN
	}
	return OIN(s), nil
}

// IsOIN reports whether an OIN has the form of one.
func IsOIN(o OIN) bool {
	_, err := ParseOIN(string(o))
	return err == nil
}

// PersonRef is the caller's own reference to a person. It is not personal data
// by itself, and the only way an answer speaks of anybody.
type PersonRef string

// BSN is a burgerservicenummer. It prints as "***" in every way Go prints.
type BSN struct{ digits string }

// ParseBSN checks nine digits and the 11-check: weights 9 to 2 and -1, the sum
// divisible by eleven and not zero (Wet algemene bepalingen bsn, logical design BSN).
func ParseBSN(s string) (BSN, error) {
	if len(s) != 9 || !digits(s) {
		return BSN{}, ErrBSN
	}
	sum := 0
	for i := range 8 {
		sum += int(s[i]-'0') * (9 - i)
	}
	sum -= int(s[8] - '0')
	if sum%11 != 0 || s == "000000000" {
		return BSN{}, ErrBSN
	}
	return BSN{s}, nil
}

func digits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// Reveal gives the digits. Its callers are the request to a source and the
// commitments below; a test has the list of them.
func (b BSN) Reveal() string { return b.digits }

// IsZero reports whether there is no number.
func (b BSN) IsZero() bool { return b.digits == "" }

const masked = "***"

// String hides the digits.
func (b BSN) String() string { return masked }

// GoString hides them from %#v.
func (b BSN) GoString() string { return masked }

// Format hides them from every other verb.
func (b BSN) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(masked)) }

// LogValue hides them from log/slog.
func (b BSN) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalJSON hides them in JSON.
func (b BSN) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

// MarshalText hides them in every other text.
func (b BSN) MarshalText() ([]byte, error) { return []byte(masked), nil }

// Commitment binds a document to a person without naming them:
// HMAC-SHA-256(key, BSN), with a fresh key of 32 bytes per document.
func (b BSN) Commitment(key []byte) [32]byte { return mac(key, b.digits) }

// Pseudonym stands for a person inside one organisation and for one purpose:
// HMAC-SHA-256(key, organisation || purpose || BSN), so that two logs cannot be joined.
func (b BSN) Pseudonym(key []byte, org OIN, purpose string) [32]byte {
	return mac(key, "ontschot/pseudonym/1\x00"+string(org)+"\x00"+purpose+"\x00"+b.digits)
}

func mac(key []byte, text string) (sum [32]byte) {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	h.Sum(sum[:0])
	return sum
}

// HoldsBSN reports whether nine digits that pass the 11-check are anywhere in a text,
// with at most one sign between each two. Such a text is not signed or written down.
func HoldsBSN(s string) bool {
	for _, groups := range runs(s) {
		run := strings.Join(groups, "")
		for i := 0; i+9 <= len(run); i++ {
			if _, err := ParseBSN(run[i : i+9]); err == nil {
				return true
			}
		}
	}
	return false
}

// LooksLikeBSN reports whether a reference that somebody chose is, or holds, what people
// write as a BSN: nine digits that pass the 11-check, together or in groups, or eight,
// by systems that lose the leading zero. A longer number is none, nor is a UUID or a civil
// date: by chance many of them hold such digits.
func LooksLikeBSN(s string) bool {
	for _, groups := range runs(harmless.ReplaceAllString(s, "x")) {
		for i := range groups {
			for j := i + 1; j <= len(groups); j++ {
				number := strings.Join(groups[i:j], "")
				if len(number) == 8 {
					number = "0" + number
				}
				if _, err := ParseBSN(number); err == nil {
					return true
				}
			}
		}
	}
	return false
}

// runs gives the digits of a text in groups that are one sign apart.
func runs(s string) (all [][]string) {
	var groups []string
	run := ""
	add := func() {
		if run != "" {
			groups = append(groups, run)
		}
		run = ""
	}
	parted := false
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			run, parted = run+string(r), false
		case strings.ContainsRune(" .-/_", r) && !parted:
			add()
			parted = true
		default:
			add()
			all, groups, parted = append(all, groups), nil, false
		}
	}
	add()
	return append(all, groups)
}
