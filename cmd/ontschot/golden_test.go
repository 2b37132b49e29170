package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/dev/casefile"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// What differs from run to run: times, and the revision of the policy.
var (
	took     = regexp.MustCompile(`\s+\d+ ms`)
	revision = regexp.MustCompile(`(beleid|policy)(\s+)[0-9a-f]{16}`)
)

// The page a case worker sees, in both languages, as it was last read and approved
// by a human. After a change: go test ./cmd/ontschot -run Golden -update, and read.
func TestGoldenPages(t *testing.T) {
	for _, name := range casefile.Names() {
		cf, err := casefile.Open(name)
		require.NoError(t, err)
		played, err := demo(t.Context(), cf, name, "", io.Discard)
		require.NoError(t, err)
		for _, lang := range []string{"nl", "en"} {
			var page bytes.Buffer
			out := output{format: "table", lang: lang}
			c := new(cobra.Command)
			c.SetOut(&page)
			require.NoError(t, out.print(&page, cf, played.budget))
			require.NoError(t, out.printFor(c, cf, nil, played.show))
			got := took.ReplaceAllString(page.String(), " … ms")
			got = revision.ReplaceAllString(got, "$1 …")
			file := filepath.Join("testdata", "golden", name+"."+lang+".txt")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), got, file)
			require.NotContains(t, got, "{")
		}
	}
}
