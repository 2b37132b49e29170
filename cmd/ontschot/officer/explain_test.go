// Package officer_test does what a privacy officer does with a log and a case, with the program
// itself.
package officer_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ontschot-officer-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "ontschot")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/ontschot/ontschot/cmd/ontschot").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %s\n", err, out)
		return 1
	}
	return m.Run()
}

// does runs a command to its end.
func does(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(t.Context(), program, args...)
	c.Stdout, c.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return c.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

func done(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := does(t, args...)
	require.Zero(t, code, "%v: %s", args, errs)
	return out
}

// running starts a command that ends with the test, or when stop is called. What it says is in log.
func running(t *testing.T, args ...string) (stop func(), log string) {
	c := exec.Command(program, args...)
	said, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	require.NoError(t, err)
	c.Stderr = said
	require.NoError(t, c.Start())
	ended := false
	stop = func() {
		if !ended {
			ended = true
			_ = c.Process.Signal(syscall.SIGTERM)
			_ = c.Wait()
			_ = said.Close()
		}
	}
	t.Cleanup(stop)
	return stop, said.Name()
}

// resting is a folder of policies in which the Wmo rests on a statute: without it nothing of
// the Wmo passes.
func resting(t *testing.T, active bool) string {
	dir := filepath.Join(t.TempDir(), "policies")
	done(t, "policy", "init", "--dir", dir)
	change(t, filepath.Join(dir, "rules/matrix/integral_budget.compose/data.yaml"), "avg-6-1-e", "OTHER", "avg-6-1-c", "avg-6-1-e", "OTHER", "avg-6-1-c")
	change(t, filepath.Join(dir, "rules/catalog/statutes/data.yaml"), "2026-01-01", "2025-01-01", "\n  active: false", "\n  active: "+strconv.FormatBool(active))
	return dir
}

// change replaces the first of each pair by the second, once, in turn.
func change(t *testing.T, file string, pairs ...string) {
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	text := string(raw)
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, text, pairs[i])
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
}

// told is what policy explain says as JSON, as far as it is looked at here.
type told struct {
	Revision string
	Date     string
	Entry    struct {
		Kind  string
		Pairs []struct {
			Persons []int
			Source  string
			Laws    []struct {
				Law      string
				Decision bool
				Checks   []struct {
					Code    string
					Passed  bool
					Article string
				}
				Fields []struct{ Category, Mask, Code, Article string }
				Way    []string
			}
		}
	}
	Switched struct {
		Entry []struct {
			Persons      []int
			Source, Law  string
			Article      []string
			Gained, Lost []string
		}
		Case struct {
			Lines []struct {
				Change, Person, Law string
				Cents               int64
				Article             []string
			}
			Persons map[string]int64
			Cents   int64
			Pooled  []struct {
				Statute, Person, Law string
				Allowed              bool
				Cents                int64
			}
		}
		Silent []struct{ Statute string }
	}
}

func explained(t *testing.T, args ...string) (x told) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(done(t, append([]string{"policy", "explain", "--format", "json"}, args...)...)), &x))
	return x
}

// A decision of the log of a gateway that runs is explained by the rules of that time, in both
// languages; what cannot be explained says why, and what to do.
func TestADecisionOfTheLogIsExplained(t *testing.T) {
	dir, rules := t.TempDir(), resting(t, true)
	done(t, "dev", "init", "--case", "meppel", "--dir", dir)
	raw, err := os.ReadFile(filepath.Join(dir, "gateway.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "gateway.yaml"), append(raw, "policies: "+rules+"\n"...), 0o600))
	running(t, "sandbox", "--case", dir+"/case.json", "--dir", dir)
	stop, _ := running(t, "serve", "--config", dir+"/gateway.yaml")
	require.Eventually(t, func() bool {
		code, out, _ := does(t, "dev", "token", "--dir", dir)
		if code != 0 || os.WriteFile(dir+"/client/token", []byte(out), 0o600) != nil {
			return false
		}
		code, _, _ = does(t, "budget", "get", "--config", dir+"/client.yaml", "--case", dir+"/case.json")
		return code == 0
	}, 60*time.Second, 100*time.Millisecond)
	config := []string{"policy", "explain", "--config", dir + "/gateway.yaml", "--entry"}
	entry, release := find(t, config)

	x := explained(t, append(config[2:], entry)...)
	require.Equal(t, "decision", x.Entry.Kind)
	yes, no := 0, 0
	for _, pair := range x.Entry.Pairs {
		require.NotEmpty(t, pair.Persons)
		for _, law := range pair.Laws {
			if law.Decision {
				yes++
			} else {
				no++
				require.NotEmpty(t, law.Way, law.Law)
			}
			for _, f := range law.Fields {
				require.NotEqual(t, f.Mask == "", f.Code == "", "%s %s: it passes, or says why it does not", law.Law, f.Category)
				require.Equal(t, f.Code == "", f.Article == "")
			}
		}
	}
	require.Positive(t, yes)
	require.Positive(t, no)

	nl := done(t, append(config, entry)...)
	require.Contains(t, nl, "Logboek, regel "+entry+". Beslist op 30 juni 2025, met regels "+x.Revision[:12]+".\n")
	require.Contains(t, nl, "Wie vraagt: consulent, niveau substantieel, van Gemeente Meppel.\n")
	require.Contains(t, nl, "De eigen bron: een overeenkomst is niet nodig.\n")
	require.Contains(t, nl, "Er was geen toestemming die telt.\nAntwoord: NEE\n")
	require.Contains(t, nl, "De weg naar ja\n  Er is toestemming nodig van deze persoon voor UWV.")
	en := done(t, append(config, entry, "--lang", "en")...)
	require.Contains(t, en, "Audit log, entry "+entry+".")
	require.NotContains(t, nl+en, "Veldkamp", "persons are numbers")
	require.NotRegexp(t, `\b[0-9]{9}\b`, nl+en)

	off := explained(t, append(config[2:], entry, "--law", "wams=off")...)
	require.NotEmpty(t, off.Switched.Entry)
	for _, one := range off.Switched.Entry {
		require.Equal(t, "WMO", one.Law)
		require.Equal(t, []string{"Wams (wetsvoorstel 36 295)"}, one.Article)
		require.Contains(t, one.Lost, "amount")
		require.Empty(t, one.Gained)
	}
	require.Contains(t, done(t, append(config, entry, "--law", "wams=off")...), "  niet meer: ")
	before := explained(t, append(config[2:], entry, "--law", "wams=off", "--as-of", "2024-12-31")...)
	require.Empty(t, before.Switched.Entry, "the statute did not hold yet")
	require.NotEmpty(t, before.Switched.Silent)

	// What goes wrong is told in the language that was asked for, and not in the other.
	other := resting(t, false)
	for args, says := range map[string]struct {
		code   int
		nl, en string
	}{
		"0":                         {1, "geen besluit, maar van de soort", "explain one of the kinds decision and deny"},
		release:                     {1, "voert het besluit van regel " + entry + " uit: vraag daarnaar", "carries out the decision of entry " + entry},
		entry + " --dir builtin":    {5, "deze regels kunnen niet worden gebruikt.*init --dir", "these rules cannot be used.*init --dir"},
		entry + " --dir " + other:   {1, "Wat andere regels ervan vinden, zegt: ontschot policy replay --dir", "ontschot policy replay --dir"},
		"9999":                      {2, `verkeerd gebruik: --entry 9999: het logboek heeft \d+ regels, van 0 tot en met \d+`, `the log has \d+ entries, from 0 to \d+`},
		entry + " --law nowhere=on": {2, "geen tabel kent", "no table has"},
		entry + " --role x":         {2, "zeggen zelf wie wat vraagt", "say themselves who asks what"},
		entry + " --config " + dir + "/nowhere.y": {2, "het logboek is niet te lezen. Geef met --config aan", "there is no such file"},
	} {
		code, _, nl := does(t, append(config, append(strings.Fields(args), "--lang", "nl")...)...)
		require.Equal(t, says.code, code, "%s: %s", args, nl)
		require.Regexp(t, says.nl, nl, args)
		code, _, en := does(t, append(config, append(strings.Fields(args), "--lang", "en")...)...)
		require.Equal(t, says.code, code, "%s: %s", args, en)
		require.Regexp(t, says.en, en, args)
		require.NotRegexp(t, `\b(regel|logboek|verkeerd|vraag)\b`, en, args)
		if !strings.Contains(args, " ") {
			require.NotRegexp(t, ` (the|entry|explain|wrong|which) `, nl, args)
		}
	}

	stop()
	require.NoError(t, os.RemoveAll(dir+"/data/policies"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "gateway.yaml"), raw, 0o600))
	code, _, errs := does(t, append(config, entry)...)
	require.Equal(t, 1, code)
	require.Contains(t, errs, "Wijs de map of de bundel aan met --dir")
	require.NotContains(t, errs, "the rules")
	_, _, errs = does(t, append(config, entry, "--lang", "en")...)
	require.Contains(t, errs, "name the folder or the bundle with --dir")
	require.Equal(t, nl, done(t, append(config, entry, "--dir", rules)...))
}

// find gives the entry of a decision, and that of its release.
func find(t *testing.T, config []string) (decision, release string) {
	for n := 8; release == "" && n < 100; n++ { // after keys and documents
		code, _, errs := does(t, append(config, strconv.Itoa(n))...)
		switch {
		case code == 0:
			decision = strconv.Itoa(n)
		case decision != "" && strings.Contains(errs, "voert het besluit van regel "+decision+" uit"):
			release = strconv.Itoa(n)
		}
	}
	require.NotEmpty(t, decision)
	require.NotEmpty(t, release)
	return decision, release
}

// A statute as a switch over a case: which lines, of whom, how much money, and on which article.
func TestASwitchIsToldInPersonsAndEuros(t *testing.T) {
	x := explained(t, "--dir", resting(t, false), "--case", "meppel", "--law", "wams=on")
	sum := int64(0)
	for _, line := range x.Switched.Case.Lines {
		require.Equal(t, "in", line.Change)
		require.Equal(t, []string{"A3", "WMO"}, []string{line.Person, line.Law})
		require.Equal(t, []string{"Wams (wetsvoorstel 36 295)"}, line.Article)
		sum += line.Cents
	}
	require.EqualValues(t, 1872000, sum)
	require.Equal(t, map[string]int64{"A3": sum}, x.Switched.Case.Persons)
	require.Equal(t, sum, x.Switched.Case.Cents)

	out := done(t, "policy", "explain", "--dir", resting(t, true), "--case", "meppel", "--law", "wams=off", "--lang", "en")
	require.Contains(t, out, "  drops out: Bram Veldkamp (A3); Wmo 2015; Gemeente Meppel\n")
	require.Contains(t, out, "  Difference for Bram Veldkamp (A3): € -18,720.00\n  Difference for all together: € -18,720.00\n")
	out = done(t, "policy", "explain", "--case", "meppel", "--law", "wams=on")
	require.Contains(t, out, "verandert op 30 juni 2025 niets", "the built-in cells rest on other grounds as well")
	require.NotContains(t, out, "Verschil")
}

// Money that may be put together: a decree that counts on the days of the budget.
func TestAPoolIsToldInPersonsAndEuros(t *testing.T) {
	rules := filepath.Join(t.TempDir(), "policies")
	done(t, "policy", "init", "--dir", rules)
	change(t, filepath.Join(rules, "rules/catalog/statutes/data.yaml"), "2022-09-30", "2025-12-31")
	x := explained(t, "--dir", rules, "--case", "meppel", "--law", "besluit-2016=off")
	require.Empty(t, x.Switched.Case.Lines, "the budget itself does not change")
	sums := map[string]int64{}
	for _, m := range x.Switched.Case.Pooled {
		require.False(t, m.Allowed)
		require.Equal(t, "besluit-2016", m.Statute)
		sums[m.Person] += m.Cents
	}
	require.Positive(t, sums["A3"])
	require.Contains(t, done(t, "policy", "explain", "--dir", rules, "--case", "meppel", "--law", "besluit-2016=off"), "mag niet meer bij elkaar (Wlz art. 10.1.2 en Stb. 2016, 418)")
}

func TestWhatDoesNotGoTogether(t *testing.T) {
	for _, wrong := range []string{
		"--entry 1 --case meppel", "--case meppel", "--entry 1 --source uwv --law wia", "--entry 1 --as-of 2026-01-01", "--entry 1 --role x", "--case meppel --law wams=on --purpose x",
		"--entry 1 --basis avg-6-1-c", "--case meppel --law wamz=on", "--case meppel --law wams=on --as-of x", "--case meppel --law wams=on --basis x",
	} {
		code, _, errs := does(t, append([]string{"policy", "explain"}, strings.Fields(wrong)...)...)
		require.Equal(t, 2, code, "%s: %s", wrong, errs)
	}
	code, _, errs := does(t, "policy", "explain", "--case", "nope", "--law", "wams=on")
	require.Equal(t, 2, code)
	require.Contains(t, errs, "meppel, woerden")
}
