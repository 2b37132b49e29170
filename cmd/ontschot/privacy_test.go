package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/sandbox"
	"github.com/ontschot/ontschot/internal/server"
)

// secretsOf lists what must be found in no sink: BSNs, other identifiers and names,
// and every amount of six or more digits in the forms in which systems write it.
func secretsOf(t *testing.T, cf *casefile.Case) []string {
	t.Helper()
	var all []string
	for _, m := range cf.Household {
		all = append(all, m.BSN, m.Name, hex.EncodeToString([]byte(m.BSN)))
		for _, part := range strings.Fields(m.Name) {
			if len(part) > 5 { // a shorter one turns up in base64 by chance; the whole name never does
				all = append(all, part)
			}
		}
		for _, id := range []string{m.IDs.Onderwijsnummer, m.IDs.Pasnummer} {
			if id != "" {
				all = append(all, id)
			}
		}
	}
	amounts := map[string]bool{}
	add := func(cents int64) {
		text := fmt.Sprint(cents)
		if len(text) < 6 {
			return
		}
		euros := text[:len(text)-2]
		dotted := euros
		if len(euros) > 3 {
			dotted = euros[:len(euros)-3] + "." + euros[len(euros)-3:]
		}
		for _, form := range []string{text, euros + "," + text[len(text)-2:], euros + "." + text[len(text)-2:], dotted + "," + text[len(text)-2:]} {
			amounts[form] = true
		}
	}
	for _, v := range cf.Expected.Lines {
		if v != nil {
			add(*v)
		}
	}
	for _, sums := range cf.Expected.Totals {
		for _, v := range sums {
			add(v)
		}
	}
	for _, v := range []*int64{cf.Expected.CareTotalCents, cf.Expected.IncomeCents} {
		add(*v)
	}
	for _, kinds := range cf.Records {
		for _, raw := range kinds {
			for _, m := range regexp.MustCompile(`"(?:Bedrag|BedragOorspronkelijk|WaardeBedr|Besteed)":\s*(\d{6,})`).FindAllSubmatch(raw, -1) {
				var cents int64
				_, err := fmt.Sscan(string(m[1]), &cents)
				require.NoError(t, err)
				add(cents)
			}
		}
	}
	require.Greater(t, len(amounts), 10)
	for form := range amounts {
		all = append(all, form)
	}
	return all
}

// search fails the test when a secret is in a text.
func search(t *testing.T, where string, content []byte, secrets []string) {
	t.Helper()
	for _, s := range secrets {
		if i := bytes.Index(content, []byte(s)); i >= 0 && !inDigits(content, i, len(s), s) {
			t.Errorf("%s holds personal data (%d characters, at %d)", where, len(s), i)
		}
	}
}

// inDigits reports whether a number was only found inside a longer one, such as a time
// in nanoseconds or an id.
func inDigits(content []byte, at, length int, s string) bool {
	if strings.Trim(s, "0123456789") != "" {
		return false
	}
	before := at > 0 && isHexDigit(content[at-1])
	after := at+length < len(content) && isHexDigit(content[at+length])
	return before || after
}

func isHexDigit(b byte) bool { return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' }

// After a whole case, with errors of every kind on the way, nothing of a person is
// in the gateway's data folder, database pages included, nor in what it wrote.
func TestNothingOfAPersonIsLeftBehind(t *testing.T) {
	for _, name := range casefile.Names() {
		t.Run(name, func(t *testing.T) {
			f := open(t, name)
			h := play(t, f, options{})
			for _, fault := range []sandbox.Fault{sandbox.None(), sandbox.Garbage(), sandbox.Down(), sandbox.Deny()} {
				for _, p := range f.Case.Parties {
					h.box.SetFault(p.Code, fault)
				}
				_, err := h.ask()
				require.NoError(t, err)
			}
			bad := requestOf(f.Case)
			bad.Persons[0].Identifiers.Bsn = "123456789"
			_, err := h.put(bad)
			require.Error(t, err)
			h.server.Close()

			secrets := append(secretsOf(t, f.Case), "123456789")
			files := 0
			require.NoError(t, filepath.WalkDir(filepath.Join(h.dir), func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				content, err := os.ReadFile(path)
				files++
				search(t, filepath.Base(path), content, secrets)
				return err
			}))
			require.Greater(t, files, 10)
			search(t, "standard error", []byte(h.stderr.String()), secrets)
			require.Contains(t, h.stderr.String(), "source gave no answer", "there was something to leak it in")
		})
	}
}

// The demo leaves what it says it leaves; its standard error, and everything but the
// case itself, is free of personal data.
func TestTheDemosProgressNamesNobody(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "left")
	code, out, errs := cli(t, "demo", "--keep", dir)
	require.Equal(t, exitDone, code, errs)
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	secrets := secretsOf(t, cf)
	search(t, "standard error", []byte(errs), secrets)
	require.Contains(t, out, "€ 111.844,37")
	require.Contains(t, out, "Femke Veldkamp")
	require.Contains(t, errs, "ontschot serve --config "+dir)
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "case.json" {
			return err
		}
		content, err := os.ReadFile(path)
		search(t, path, content, secrets)
		return err
	}))
}

// What the demo left goes on: the same folder serves again, with its audit log, and
// a withdrawn consent stays withdrawn.
func TestTheFolderThatIsLeftGoesOn(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	cf.Consents[0].Withdrawn.Date = cf.Today.Date
	raw, err := casefile.Raw("meppel")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "withdrawn.json")
	changed := strings.Replace(string(raw), `"until": "2025-12-31"`, `"until": "2025-12-31", "withdrawn": "2025-06-30"`, 1)
	require.NoError(t, os.WriteFile(file, []byte(changed), 0o600))
	dir := filepath.Join(t.TempDir(), "left")
	code, _, errs := cli(t, "demo", "--case", file, "--keep", dir)
	require.Equal(t, exitDone, code, errs)
	for range 2 {
		conf, err := config.ReadGateway(filepath.Join(dir, "gateway.yaml"))
		require.NoError(t, err)
		s, err := server.Start(t.Context(), conf, new(buffer))
		require.NoError(t, err)
		require.Empty(t, s.Refused)
		token, err := mintToken(dir)
		require.NoError(t, err)
		cl := openClient(t, filepath.Join(dir, "client.yaml"), func() (string, error) { return token, nil })
		b, err := cl.AssembleBudget(t.Context(), requestOf(cf), nil)
		require.NoError(t, err)
		require.Equal(t, "CONSENT_WITHDRAWN", gapOf(b, "A1", "UWV"))
		require.NoError(t, cl.Close())
		s.Close()
	}
	code, out, errs := cli(t, "audit", "verify", "--data", filepath.Join(dir, "data"))
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "7 releases")
}

// Only the request to a source, and the check of a number, may open a BSN.
func TestWhoMayRevealABSN(t *testing.T) {
	var found []string
	root := "../.."
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		raw, err := os.ReadFile(path)
		for range bytes.Count(raw, []byte(".Reveal()")) {
			if rel, _ := filepath.Rel(root, path); !strings.HasPrefix(rel, "adapters") {
				found = append(found, rel)
			}
		}
		return err
	}))
	slices.Sort(found)
	require.Equal(t, []string{"gateway/ask.go"}, found)
}
