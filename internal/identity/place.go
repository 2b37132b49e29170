package identity

import (
	"regexp"
	"strings"
)

// What a source may say of where its own message is wrong, and of what should stand there, is
// written down only when it looks like that: else it could be a value of somebody's record.
const (
	letters    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	ofAPlace   = letters + "_/.[]-"
	ofARule    = letters + "_ ,.:;()/[]-"
	mostPlace  = 128 // bytes
	mostOfRule = 256
)

var manyDigits = regexp.MustCompile(`[0-9]{6}`)

// Place gives back a text that looks like a place in a message, a path of at most 128 bytes,
// and holds no six digits in a row; else it is empty.
func Place(text string) string { return looking(text, ofAPlace, mostPlace) }

// Rule gives back a text that looks like a rule about a place, at most 256 bytes, and holds no
// six digits in a row; else it is empty.
func Rule(text string) string { return looking(text, ofARule, mostOfRule) }

func looking(text, of string, most int) string {
	if len(text) > most || strings.Trim(text, of) != "" || manyDigits.MatchString(text) {
		return ""
	}
	return text
}
