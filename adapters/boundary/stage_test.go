package boundary

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The stage runs before everything that it does not import: with one package of another
// module among them it would wait for half the program.
func TestTheStageImportsTheStandardLibraryAlone(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./stage").Output()
	require.NoError(t, err)
	require.Equal(t, "github.com/ontschot/ontschot/adapters/boundary/stage", strings.TrimSpace(string(out)))
}
