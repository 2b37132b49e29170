package money

import (
	"encoding/json"
	"math/big"
	"strings"
)

func unquote(raw []byte) (s string, err error) {
	err = json.Unmarshal(raw, &s)
	return s, err
}

// Decimal reads a number that is not negative, exactly, with a comma or a point
// and with or without points between thousands.
func Decimal(s string) (*big.Rat, error) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > longest {
		return nil, ErrVolume
	}
	whole, fraction, comma := strings.Cut(s, ",")
	if !comma {
		whole, fraction = point(s)
	}
	plain, ok := join(whole)
	if !ok || !digits(fraction) && fraction != "" || comma && fraction == "" {
		return nil, ErrVolume
	}
	r, ok := new(big.Rat).SetString(plain + "." + fraction + "0")
	if !ok {
		return nil, ErrVolume
	}
	return r, nil
}

// point takes a text without a comma apart: its last point is decimal unless
// exactly three digits follow it.
func point(s string) (whole, fraction string) {
	at := strings.LastIndexByte(s, '.')
	if at < 0 || len(s)-at-1 == 3 || at == len(s)-1 {
		return s, ""
	}
	return s[:at], s[at+1:]
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
func Volume(s string) (string, error) {
	r, err := Decimal(s)
	if err != nil {
		return "", err
	}
	scaled := new(big.Rat).Mul(r, big.NewRat(10000, 1))
	if !scaled.IsInt() || r.Cmp(big.NewRat(1_000_000_000, 1)) >= 0 {
		return "", ErrVolume
	}
	text := r.FloatString(4) // exact: it has no more than four decimals
	return strings.TrimSuffix(strings.TrimRight(text, "0"), "."), nil
}
