package audit

import (
	"fmt"

	"github.com/ontschot/ontschot/internal/identity"
)

// Limits of an entry. Numbers stay below 2^53, where JSON numbers are exact
// (RFC 8785, section 3.2.2.3).
const (
	maxText          = 128
	maxID            = 64
	maxOrganisations = 32
	maxAgreements    = 64
	maxDocument      = 64 << 10
	maxOpenings      = 128 << 10 // sixteen disclosures of 4 KiB, and a key
	maxGrants        = 16
	maxPseudonyms    = 8 // versions of the key
	maxIndex         = 1<<53 - 2
	maxTime          = 1<<53 - 1
)

// isText allows the empty text. The set holds nothing that JSON would escape.
func isText(s string) bool {
	return len(s) <= maxText && only(s, &textual)
}

// isID reports whether s can be the id of a document.
func isID(s string) bool {
	return s != "" && len(s) <= maxID && only(s, &idly)
}

func isHex(s string) bool { return only(s, &hexadecimal) }

const (
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" + digits
)

var (
	textual     = setOf(letters + "._:/#@=,-")
	idly        = setOf(letters + "._:-")
	hexadecimal = setOf(digits + "abcdef")
)

func setOf(characters string) (set [256]bool) {
	for i := range len(characters) {
		set[characters[i]] = true
	}
	return set
}

// only reports whether a text has characters of a set only, which are ASCII.
func only(s string, set *[256]bool) bool {
	for i := range len(s) {
		if !set[s[i]] {
			return false
		}
	}
	return true
}

func checkOrganisations(list []identity.OIN) error {
	if len(list) > maxOrganisations {
		return fmt.Errorf("%w: organisations", errLeaf)
	}
	for i, o := range list {
		if !identity.IsOIN(o) {
			return fmt.Errorf("%w: organisations[%d]", errLeaf, i)
		}
	}
	return nil
}

func checkAgreements(list []string) error {
	if len(list) > maxAgreements {
		return fmt.Errorf("%w: agreements", errLeaf)
	}
	for i, a := range list {
		if !identity.IsSHA256(a) {
			return fmt.Errorf("%w: agreements[%d]", errLeaf, i)
		}
	}
	return nil
}
