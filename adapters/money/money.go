// Package money answers: how many whole cents stand here? It reads amounts and
// volumes as Dutch systems write them, exactly: no floating point.
package money

import (
	"errors"
	"math/big"
	"strings"
)

// Errors never repeat what was read.
var (
	ErrEuros  = errors.New("no amount in euros with at most two decimals")
	ErrCents  = errors.New("no whole number of cents")
	ErrVolume = errors.New("no number with at most four decimals")
)

// Most is the largest amount that is accepted, in cents.
const Most = 100_000_000_000

// longest bounds a number's text.
const longest = 32

// Text is a JSON value that one system writes as a number and the next as a
// string: both are kept as written. null and absent are empty.
type Text string

// UnmarshalJSON keeps the digits of a number and the text of a string.
func (t *Text) UnmarshalJSON(raw []byte) error {
	s := string(raw)
	switch {
	case s == "null":
		*t = ""
	case len(s) >= 2 && s[0] == '"':
		unquoted, err := unquote(raw)
		*t = Text(unquoted)
		return err
	case len(s) > 0 && strings.IndexByte("-0123456789", s[0]) >= 0:
		*t = Text(s)
	default:
		return errors.New("neither a number nor a string")
	}
	return nil
}

// String gives the text without space around it.
func (t Text) String() string { return strings.TrimSpace(string(t)) }

// Euros reads an amount in euros as cents: "1.500,00", "1500", or the JSON number 1500.5.
// More than two decimals are refused, zeros too.
func (s Style) Euros(n Number) (int64, error) {
	r, err := s.Decimal(n, 2)
	if err != nil {
		return 0, ErrEuros
	}
	return cents(r.Mul(r, big.NewRat(100, 1)), ErrEuros)
}

// Cents reads a whole number of cents. A comma or a point is refused: a system
// that writes cents has none, and the unit is not to be guessed.
func Cents(s string) (int64, error) {
	if s == "" || len(s) > longest || strings.Trim(s, "0123456789") != "" {
		return 0, ErrCents
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return 0, ErrCents
	}
	return cents(r, ErrCents)
}

// WholeCents reads a whole number of cents that was a JSON number, where the point is
// decimal and 2100.0 is whole, or digits as Cents reads them.
func WholeCents(n Number) (int64, error) {
	text := n.String()
	if whole, rest, found := strings.Cut(text, "."); n.JSON && found && rest != "" && strings.Trim(rest, "0") == "" {
		text = whole
	}
	return Cents(text)
}

func cents(r *big.Rat, otherwise error) (int64, error) {
	if !r.IsInt() || r.Sign() < 0 || r.Cmp(big.NewRat(Most, 1)) > 0 {
		return 0, otherwise
	}
	return r.Num().Int64(), nil
}
