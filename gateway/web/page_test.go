package web_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/trial"
)

// The commands of docs/http.md print what the page says that they print.
func TestThePageSaysWhatCurlPrints(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		trial.Lacking(t, "curl, for the commands of docs/http.md: apt-get install curl")
	}
	raw, err := os.ReadFile("../../docs/http.md")
	require.NoError(t, err)
	blocks := func(language string) []string {
		var all []string
		for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(raw), -1) {
			all = append(all, m[1])
		}
		require.NotEmpty(t, all, language)
		return all
	}
	require.Contains(t, blocks("sh")[0], "ontschot serve", "which the house does")
	h := newHouse(t)
	require.NoError(t, os.WriteFile(filepath.Join(h.dir, "question.json"), []byte(blocks("json")[0]), 0o600))
	script := "set -e\n" + blocks("bash")[0]
	var want strings.Builder
	for line := range strings.Lines(strings.Join(blocks("console"), "")) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			script += command
			continue
		}
		want.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", `\d+`))
	}
	c := exec.CommandContext(t.Context(), "bash", "-c", strings.ReplaceAll(script, "localhost:8445", h.web))
	c.Dir, c.Env = h.dir, append(os.Environ(), "PATH="+filepath.Dir(built)+":"+os.Getenv("PATH"))
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Regexp(t, "^"+want.String()+"$", string(out))
}
