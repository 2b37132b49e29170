package identity

import "strings"

const hexadecimal = "0123456789abcdef"

// IsUUIDv7 reports whether a text is a UUID of version 7 in lower case, the id of every
// document (RFC 9562, section 5.7): 8-4-4-4-12 digits, variant 10.
func IsUUIDv7(s string) bool {
	if len(s) != 36 || s[14] != '7' || !strings.Contains("89ab", s[19:20]) {
		return false
	}
	for i := range len(s) {
		switch dash := i == 8 || i == 13 || i == 18 || i == 23; {
		case dash != (s[i] == '-'):
			return false
		case !dash && (s[i] < '0' || s[i] > '9') && (s[i] < 'a' || s[i] > 'f'):
			return false
		}
	}
	return true
}

// IsSHA256 reports whether a text is a SHA-256 in lower-case hexadecimal.
func IsSHA256(s string) bool { return len(s) == 64 && strings.Trim(s, hexadecimal) == "" }
