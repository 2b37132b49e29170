package identity

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBSNVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/vectors-bsn.json")
	require.NoError(t, err)
	var vectors struct {
		Valid   []string
		Invalid map[string]string
	}
	require.NoError(t, json.Unmarshal(raw, &vectors))
	require.NotEmpty(t, vectors.Valid)
	require.NotEmpty(t, vectors.Invalid)
	for _, v := range vectors.Valid {
		_, err := ParseBSN(v)
		require.NoError(t, err, v)
	}
	for v, why := range vectors.Invalid {
		_, err := ParseBSN(v)
		require.ErrorIs(t, err, ErrBSN, why)
		require.NotContains(t, err.Error(), v)
	}
}

func TestBSNPrintsNothing(t *testing.T) {
	b, err := ParseBSN("999940004")
	require.NoError(t, err)
	asJSON, err := json.Marshal(map[string]any{"b": b, "p": &b})
	require.NoError(t, err)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "b", b, "in", struct{ B BSN }{b})
	for _, s := range []string{
		fmt.Sprint(b), fmt.Sprintf("%v %+v %#v %s %q %x %d", b, b, b, b, b, b, b),
		fmt.Sprintf("%v %+v %#v", struct{ B BSN }{b}, &b, []BSN{b}), string(asJSON), log.String(),
	} {
		require.NotContains(t, s, "999940004")
		require.NotContains(t, s, "393939393430303034", "hexadecimal")
	}
}

func TestPseudonymsOfTwoPurposesCannotBeJoined(t *testing.T) {
	b, _ := ParseBSN("999940004")
	key := make([]byte, 32)
	require.NotEqual(t, b.Pseudonym(key, "00000099000000119000", "a"), b.Pseudonym(key, "00000099000000119000", "b"))
	require.NotEqual(t, b.Pseudonym(key, "00000099000000119000", "a"), b.Pseudonym(key, "00000099000000193000", "a"))
}

func FuzzParseBSN(f *testing.F) {
	f.Add("999940004")
	f.Add("000000000")
	f.Fuzz(func(t *testing.T, s string) {
		if b, err := ParseBSN(s); err == nil && (len(s) != 9 || b.Reveal() != s) {
			t.Fatalf("accepted a number of %d characters", len(s))
		}
	})
}

func TestWhatLooksLikeABSN(t *testing.T) {
	for text, want := range map[string]struct{ holds, looks bool }{
		"999940004":                              {true, true},
		"P999940004x":                            {true, true},
		"999.940.004":                            {true, true},
		"999 94 00 04":                           {true, true},
		"zaak-9999-40-004-1":                     {true, true},
		"999_940_004":                            {true, true},
		"999940005":                              {false, false},
		"999--940004":                            {false, false},
		"99940016":                               {false, false},
		"12345672":                               {false, true}, // 012345672
		"123-456-72":                             {false, true},
		"2025-01-01":                             {false, false}, // as 020250101 it would be one
		"20250101":                               {false, true},
		"1999940004123":                          {true, false}, // a longer number
		"0190e2d4-9999-7400-8400-1234567890ab":   {true, false},
		"0190e2d499997400840012345678900a":       {true, false},
		"99994000400000000000000000000000":       {true, false},
		"0198c1e2-0000-7000-8000-000000000001-n": {true, false},
		"P":                                      {false, false},
		"":                                       {false, false},
	} {
		require.Equal(t, want.holds, HoldsBSN(text), text)
		require.Equal(t, want.looks, LooksLikeBSN(text), text)
	}
}
