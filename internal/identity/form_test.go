package identity_test

import (
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
