package identity_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/identity"
)

func TestTheFormOfAnID(t *testing.T) {
	for range 200 {
		id, err := uuid.NewV7()
		require.NoError(t, err)
		require.True(t, identity.IsUUIDv7(id.String()), id)
	}
	const good = "01900000-0000-7000-8000-00000000000a"
	require.True(t, identity.IsUUIDv7(good))
	for _, bad := range []string{
		"", "7", strings.ToUpper(good), "{" + good + "}", "urn:uuid:" + good, strings.ReplaceAll(good, "-", ""), good + "0", good[1:],
		"01900000-0000-4000-8000-00000000000a", "01900000-0000-7000-7000-00000000000a", "01900000-0000-7000-c000-00000000000a",
		"0190000g-0000-7000-8000-00000000000a", "019000000-000-7000-8000-00000000000a", "01900000-0000-7000-8000-0000000000-a", " 1900000-0000-7000-8000-00000000000a",
		"01900000-0000-7000-8000-0000-000000a", "01900000--000-7000-8000-00000000000a",
	} {
		require.False(t, identity.IsUUIDv7(bad), bad)
	}
}

func TestTheFormOfADigest(t *testing.T) {
	require.True(t, identity.IsSHA256(strings.Repeat("0123456789abcdef", 4)))
	for _, bad := range []string{"", strings.Repeat("a", 63), strings.Repeat("a", 65), strings.Repeat("A", 64), strings.Repeat("a", 63) + "g", strings.Repeat("a", 32) + " " + strings.Repeat("a", 31)} {
		require.False(t, identity.IsSHA256(bad), bad)
	}
}

func TestTheFormOfATrace(t *testing.T) {
	require.True(t, identity.IsTrace(strings.Repeat("0123456789abcdef", 2)))
	require.True(t, identity.IsTrace(strings.Repeat("0", 32)))
	for _, bad := range []string{"", strings.Repeat("a", 31), strings.Repeat("a", 33), strings.Repeat("A", 32), strings.Repeat("a", 31) + "g", "a" + strings.Repeat("-", 30) + "a"} {
		require.False(t, identity.IsTrace(bad), bad)
	}
}

// A hash has one text only: whatever else decodes to the same bytes is another text.
func TestTheFormOfAHash(t *testing.T) {
	for n := range 256 {
		sum := sha256.Sum256([]byte{byte(n)})
		text := base64.RawURLEncoding.EncodeToString(sum[:])
		require.True(t, identity.IsHash(text), text)
		for c := range 256 {
			last := text[:42] + string([]byte{byte(c)})
			_, err := base64.RawURLEncoding.Strict().DecodeString(last)
			require.Equal(t, err == nil && c != '\r' && c != '\n', identity.IsHash(last), last)
			middle := text[:20] + string([]byte{byte(c)}) + text[21:]
			_, err = base64.RawURLEncoding.Strict().DecodeString(middle)
			require.Equal(t, err == nil && c != '\r' && c != '\n', identity.IsHash(middle), middle)
		}
		require.False(t, identity.IsHash(text+"="))
		require.False(t, identity.IsHash(text[1:]))
	}
}

// A place and a rule are written down as they are, or not at all.
func TestAPlaceHoldsNothingOfAPerson(t *testing.T) {
	for text, want := range map[string][2]bool{
		"/records/0/amount":            {true, true},
		"lines[3].period.start":        {true, true},
		"a civil date, or (none); 1/2": {false, true},
		"/records/999940004":           {false, false},
		"/records/99-99-40":            {true, true},
		"naam: Harm Jansén":            {false, false},
		"a\nb":                         {false, false},
		"":                             {false, false},
		strings.Repeat("a", 128):       {true, true},
		strings.Repeat("a", 129):       {false, true},
		strings.Repeat("a", 257):       {false, false},
	} {
		require.Equal(t, want, [2]bool{identity.Place(text) != "", identity.Rule(text) != ""}, "%q", text)
		require.Contains(t, []string{"", text}, identity.Place(text))
	}
}
