package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

var update = flag.Bool("update", false, "write the golden pages anew")

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
			require.NoError(t, out.printFor(c, cf, played.budget, nil, played.show))
			got := page.String()
			file := filepath.Join("testdata", "golden", name+"."+lang+".txt")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), got, file)
			require.NotContains(t, got, "{")
			requireWords(t, file, got, played.budget, cf)
		}
	}
}

// requireWords holds a page to eighty columns, and to words: of the codes of a budget none is
// on it that has a word, and no date as computers write it.
func requireWords(t *testing.T, file, page string, b *budgetv1.Budget, cf *casefile.Case) {
	t.Helper()
	for line := range strings.Lines(page) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), defaultWidth, "%s: %s", file, line)
	}
	require.NotRegexp(t, `\d{4}-\d\d-\d\d`, page, file)
	codes := slices.Concat(budgetv1.FindingCodes(), budgetv1.GapReasons(), budgetv1.RefusalCodes(), budgetv1.Statuses(), budgetv1.Fungibilities(), budgetv1.Severities())
	codes = append(codes, budgetv1.DeliveryForms()...)
	for _, l := range b.GetLines() {
		codes = append(codes, l.GetId(), "product "+l.GetProduct().GetCode())
	}
	for _, m := range cf.Household {
		codes = append(codes, string(m.Ref))
	}
	for _, p := range cf.Parties {
		if p.Code != p.Name {
			codes = append(codes, p.Code)
		}
	}
	for _, code := range codes {
		if code == budgetv1.FindingGap || code == budgetv1.StatusOK { // too short to be told from words
			continue
		}
		require.NotRegexp(t, `(^|[^\pL\d_])`+regexp.QuoteMeta(code)+`($|[^\pL\d_])`, page, file)
	}
}

// The codes are there for who asks for them.
func TestCodesStandBehindTheWords(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	played, err := demo(t.Context(), cf, "meppel", "", io.Discard)
	require.NoError(t, err)
	var page bytes.Buffer
	out := output{format: "table", lang: "nl", codes: true}
	require.NoError(t, out.print(&page, cf, played.budget))
	for _, part := range []string{
		"Bram Veldkamp (A3)", "Gemeente Meppel (GM0119)", "begeleiding (02) (Wmo 2015), pgb", "[A3/WMO/02/2025-01-01]",
		"[LINE_CROSSES_WINDOW A5/JW/45/2025-08-01]", "[NO_CONSENT TOEST-01]", "ontschot.nl/log/",
	} {
		require.Contains(t, page.String(), part)
	}
	for line := range strings.Lines(page.String()) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), defaultWidth, line)
	}
	require.NotContains(t, page.String(), "\x1b", "colours are for terminals")
}
