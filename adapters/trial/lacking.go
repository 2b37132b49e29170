package trial

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// Lacking leaves a test out on a machine that lacks something it needs, and says so. Where
// the variable CI is "true" the test fails.
func Lacking(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		require.FailNow(t, "this machine lacks "+what)
	}
	t.Logf("NOT TESTED: this machine lacks %s", what)
	t.SkipNow()
}
