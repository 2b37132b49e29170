package money

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
)

func unquote(raw []byte) (s string, err error) {
	err = json.Unmarshal(raw, &s)
	return s, err
}

// Number is a number as a source wrote it.
type Number struct {
	Text string
	// JSON says that it was a JSON number: there the point is decimal, always.
	JSON bool
}

// String gives the text without space around it.
func (n Number) String() string { return strings.TrimSpace(n.Text) }

// Style is how a source writes numbers in text. The zero Style is Dutch.
type Style string

// The styles.
const (
	Dutch Style = "nl"    // comma decimal, points between thousands: 1.234,5
	Point Style = "point" // point decimal, nothing between thousands: 1234.5
)

// Known reports whether there is such a style.
func (s Style) Known() bool { return s == "" || s == Dutch || s == Point }

// Decimal reads a number that is not negative, exactly, with at most so many decimals as
// they are written. A Dutch text with one point that stands before one or two digits can
// be read one way only, so it is read; before three it parts thousands, unless the field
// may have three decimals: then it could be either, and is refused.
func (s Style) Decimal(n Number, decimals int) (*big.Rat, error) {
	text := n.String()
	if text == "" || len(text) > longest {
		return nil, ErrVolume
	}
	if n.JSON {
		return plain(text, decimals)
	}
	whole, fraction, comma := strings.Cut(text, ",")
	switch {
	case s == Point && comma:
		return nil, ErrVolume
	case s == Point:
		whole, fraction, comma = strings.Cut(text, ".")
	case !comma:
		whole, fraction, comma = point(text, decimals)
	}
	joined, ok := join(whole)
	if !ok || comma && !digits(fraction) || len(fraction) > decimals {
		return nil, ErrVolume
	}
	return plain(joined+"."+fraction+"0", decimals+1)
}

// plain reads a number with a decimal point. An exponent moves the point; 12 places are
// more than any amount has.
func plain(text string, decimals int) (*big.Rat, error) {
	mantissa, exponent, scaled := strings.Cut(strings.ToLower(text), "e")
	moved := 0
	if scaled {
		var err error
		if moved, err = strconv.Atoi(exponent); err != nil || moved < -12 || moved > 12 {
			return nil, ErrVolume
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if !digits(whole) || fraction != "" && !digits(fraction) || len(fraction)-moved > decimals {
		return nil, ErrVolume
	}
	r, ok := new(big.Rat).SetString(whole + "." + fraction + "0e" + strconv.Itoa(moved))
	if !ok {
		return nil, ErrVolume
	}
	return r, nil
}

// point takes a text without a comma apart. Its only point is decimal unless exactly
// three digits follow it; a whole that is none is refused by the caller.
func point(text string, decimals int) (whole, fraction string, decimal bool) {
	at := strings.IndexByte(text, '.')
	if at < 0 || at != strings.LastIndexByte(text, '.') {
		return text, "", false
	}
	if len(text)-at-1 != 3 {
		return text[:at], text[at+1:], true
	}
	if decimals >= 3 {
		return "", "", false
	}
	return text, "", false
}

// join takes the points out from between groups of three digits.
func join(whole string) (string, bool) {
	groups := strings.Split(whole, ".")
	for i, g := range groups {
		if !digits(g) || i > 0 && len(g) != 3 || i == 0 && len(groups) > 1 && len(g) > 3 {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// Volume reads a volume and writes it with a point, as the messages have it: at
// most nine digits before and four behind it.
func (s Style) Volume(n Number) (string, error) {
	r, err := s.Decimal(n, 4)
	if err != nil || r.Cmp(big.NewRat(1_000_000_000, 1)) >= 0 {
		return "", ErrVolume
	}
	text := r.FloatString(4) // exact: it has no more than four decimals
	return strings.TrimSuffix(strings.TrimRight(text, "0"), "."), nil
}
