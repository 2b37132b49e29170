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

// IsTrace reports whether a text is a trace id: 16 bytes in lower-case hexadecimal (W3C trace
// context, section 3.2.2.3). Who may not take one of zeros only, or one that holds what can
// be a BSN, looks at that too.
func IsTrace(s string) bool { return len(s) == 32 && strings.Trim(s, hexadecimal) == "" }

// IsHash reports whether a text is 32 bytes in base64url without padding (RFC 4648, section
// 5), as hashes and commitments in signed documents are; its unused last bits are zero.
func IsHash(s string) bool {
	if len(s) != 43 || strings.IndexByte("AEIMQUYcgkosw048", s[42]) < 0 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
