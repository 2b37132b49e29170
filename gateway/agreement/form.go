package agreement

import (
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func isList[E comparable](list []E, most int, is func(E) bool) bool {
	for i, e := range list {
		if i == most || !is(e) || slices.Contains(list[:i], e) {
			return false
		}
	}
	return len(list) > 0
}

func isParty(ps []Party, oin identity.OIN) bool {
	return slices.ContainsFunc(ps, func(p Party) bool { return p.OIN == oin })
}

func isCategory(s string) bool { return slices.Contains(budgetv1.Categories(), budgetv1.Category(s)) }

const (
	lower = "abcdefghijklmnopqrstuvwxyz"
	digit = "0123456789"
)

func only(s, set string) bool { return strings.Trim(s, set) == "" }

func isPurpose(s string) bool { return len(s) <= maxCode && ontschotv1.IsPurpose(s) }

func isCode(s string) bool { return s != "" && len(s) <= maxCode && only(s, lower+digit+"-") }

// isText is one line that looks the same to everybody: nothing that cannot be
// seen, that turns the order of the letters around, or that a rewritten draft would
// lose (a space at an end, two in a row).
func isText(s string, most int) bool {
	if s == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > most {
		return false
	}
	unseen := strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
	return !unseen && strings.Trim(s, " ") == s && !strings.Contains(s, "  ")
}

// isContact is an e-mail address, an https address or a telephone number (RFC 3966).
func isContact(s string) bool {
	if !isText(s, maxContact) || strings.ContainsAny(s, ` "<>(),;\`) {
		return false
	}
	if number, ok := strings.CutPrefix(s, "tel:+"); ok {
		digits := strings.ReplaceAll(number, "-", "")
		return len(digits) >= 8 && len(digits) <= 15 && only(digits, digit) && len(number) <= 20
	}
	if strings.HasPrefix(s, "https://") {
		u, err := url.Parse(s)
		return err == nil && u.Hostname() != "" && u.User == nil
	}
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && strings.Contains(s[strings.LastIndex(s, "@"):], ".")
}
