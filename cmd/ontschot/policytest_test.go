package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/internal/approval"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
)

const composeTable = "rules/matrix/integral_budget.compose/data.yaml"

// ownPolicies is a folder of one's own, with something replaced in a file of it.
func ownPolicies(t *testing.T, edits ...[3]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "policies")
	require.NoError(t, writePolicies(dir))
	for _, e := range edits {
		editFile(t, filepath.Join(dir, e[0]), e[1], e[2])
	}
	return dir
}

func editFile(t *testing.T, file, old, now string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(raw), old, file)
	require.NoError(t, os.WriteFile(file, bytes.Replace(raw, []byte(old), []byte(now), 1), 0o600))
}

// Every case is a line in the words of who wrote it; what fails says what was expected, what
// it is, and why; in both languages, and as JSON and JUnit. The exit codes are apart.
func TestPolicyTest(t *testing.T) {
	code, out, errs := cli(t, "policy", "test")
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "  PASS De overeenkomst is gisteren afgelopen\n")
	require.NotContains(t, out, "FAIL")
	require.Regexp(t, `integral_budget.compose +careoffice +wlz +6/6 +\d+\n`, out)
	require.Regexp(t, `Codes: SYS-02 1, `, out)

	broken := ownPolicies(t, [3]string{composeTable, "roles: [consulent, regisseur]", "roles: [regisseur]"})
	code, out, errs = cli(t, "policy", "test", "--dir", broken)
	require.Equal(t, exitNo, code)
	require.Contains(t, errs, "not every case comes out as it says")
	require.Contains(t, out, "  FAIL De eigen bron heeft geen overeenkomst met zichzelf nodig\n       verwacht: mag; ")
	require.Contains(t, out, "       gekregen: mag niet; ROL-01\n       ROL-01: Deze rol mag dit niet. ")
	_, out, _ = cli(t, "policy", "test", "--dir", broken, "--lang", "en")
	require.Contains(t, out, "       got:      not allowed; ROL-01\n       ROL-01: This role may not do this. ")

	code, out, _ = cli(t, "policy", "test", "--dir", broken, "--format", "junit")
	require.Equal(t, exitNo, code)
	var suites caseSuites
	require.NoError(t, xml.Unmarshal([]byte(out), &suites))
	tests, failures := 0, 0
	for _, s := range suites.Suites {
		tests, failures = tests+s.Tests, failures+s.Failures
	}
	require.GreaterOrEqual(t, tests, 150)
	require.Positive(t, failures)

	code, _, errs = cli(t, "policy", "test", "--dir", ownPolicies(t, [3]string{composeTable, "roles: [consulent, regisseur]", "roles: [consulent, regiseur]"}))
	require.Equal(t, exitRules, code)
	require.Contains(t, errs, composeTable+":41:26: sources.municipality.wmo.roles.1: het woord \"regiseur\" staat niet in de lijst; bedoelt u regisseur?")
	code, _, _ = cli(t, "policy", "test", "--dir", filepath.Join(t.TempDir(), "nowhere"))
	require.Equal(t, exitRules, code)
	for _, wrong := range [][]string{{"--format", "xml"}, {"--lang", "fy"}, {"extra"}} {
		code, _, _ = cli(t, append([]string{"policy", "test"}, wrong...)...)
		require.Equal(t, exitUsage, code)
	}
}

// The report is of a fixed form, and its bytes are the same each time: an approval names them.
func TestTheReportOfTheCasesIsAlwaysTheSame(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		code, out, errs := cli(t, "policy", "test", "--format", "json", "--out", filepath.Join(dir, name))
		require.Equal(t, exitDone, code, errs)
		raw, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, string(raw), out)
	}
	a, err := os.ReadFile(filepath.Join(dir, "a"))
	require.NoError(t, err)
	b, err := os.ReadFile(filepath.Join(dir, "b"))
	require.NoError(t, err)
	require.Equal(t, sha256.Sum256(a), sha256.Sum256(b))
	var report map[string]any
	require.NoError(t, json.Unmarshal(a, &report))
	require.Equal(t, policy.ContractTest, report["contract"])
	require.Equal(t, true, report["passed"])
	require.Len(t, report["revision"], 64)
	first := report["cases"].([]any)[0].(map[string]any)
	require.Equal(t, "Zonder overeenkomst mag het niet, ook niet met toestemming", first["name"])
	require.Equal(t, true, first["passed"])
	require.NotContains(t, string(a), dir)
}

func TestPolicyCheck(t *testing.T) {
	code, out, errs := cli(t, "policy", "check")
	require.Equal(t, exitDone, code, errs)
	require.Regexp(t, `^In orde\. \d+ gevallen, \d+ vakken, \d+ deuren\. Revisie [0-9a-f]{12}\.\n$`, out)

	odd := ownPolicies(t, [3]string{"reasons/en.yaml", "short: There is no agreement\n", "short: \"\"\n"})
	code, out, errs = cli(t, "policy", "check", "--dir", odd, "--lang", "en")
	require.Equal(t, exitNo, code)
	require.Contains(t, out, "reasons/en.yaml:4:10: OVK-01 short: there is no text here\n")
	require.Contains(t, errs, "1 mistake(s)")
	place := ownPolicies(t, [3]string{"reasons/nl.yaml", "short: Er is geen overeenkomst\n", "short: Er is geen overeenkomst met {wie}\n"})
	code, out, _ = cli(t, "policy", "check", "--dir", place)
	require.Equal(t, exitNo, code)
	require.Contains(t, out, "reasons/nl.yaml: de teksten zijn niet volledig: OVK-01 has a place {wie}")

	apart := ownPolicies(t, [3]string{"rules/core/decision.rego", "count(granted) > 0", "count(granted) > 0 with input.action.name as \"read\""})
	code, out, _ = cli(t, "policy", "check", "--dir", apart)
	require.Equal(t, exitNo, code)
	require.Contains(t, out, "rules/core: deze regels zijn met geen andere te vergelijken: ")

	broken := ownPolicies(t, [3]string{composeTable, "roles: [consulent, regisseur]", "roles: [consulent, regiseur]"}, [3]string{"capabilities.json", `"allow_net": []`, `"allow_net": ["example.org"]`})
	code, out, _ = cli(t, "policy", "check", "--dir", broken, "--format", "json")
	require.Equal(t, exitRules, code)
	var report struct {
		Contract string          `json:"contract"`
		Passed   bool            `json:"passed"`
		Problems policy.Problems `json:"problems"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Equal(t, contractCheck, report.Contract)
	require.False(t, report.Passed)
	require.Len(t, report.Problems, 2)
	notice := ownPolicies(t, [3]string{"rules/catalog/purposes/data.yaml", "      wmo: [entitlement, product, period, quantity, amount]", "      wmo: [entitlement, product, period, quantity, amount, provider]"})
	code, out, _ = cli(t, "policy", "check", "--dir", notice)
	require.Equal(t, exitDone, code)
	require.Contains(t, out, "In orde, 1 keer let op.")
}

var (
	editOf  = regexp.MustCompile(`^<!-- edit ([^ ]+): (.*) => (.*) -->$`)
	hexOf   = regexp.MustCompile(`[0-9a-f]{12}`)
	shownOf = regexp.MustCompile("(?s)```console\n(.*?)```")
)

// serveOfficers has a gateway run with the configuration in this folder, which anna and bram may
// approve policies for, and which was asked something.
func serveOfficers(t *testing.T) {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	h := &house{t: t, dir: dir, family: open(t, "meppel"), stderr: new(buffer)}
	layout, err := h.family.FreeLayout()
	require.NoError(t, err)
	require.NoError(t, h.family.Write(dir, layout))
	conf, err := config.ReadGateway("gateway.yaml")
	require.NoError(t, err)
	conf.Sources = nil
	for name, role := range map[string]string{"anna": approval.PrivacyOfficer, "bram": approval.Author} {
		code, out, errs := cli(t, "keys", "new", "--kind", "officer", "--id", name, "--out", name+".pem")
		require.Equal(t, exitDone, code, errs)
		key := out[strings.Index(out, "-----BEGIN"):]
		key = key[:strings.Index(key, "-----END PUBLIC KEY-----")] + "-----END PUBLIC KEY-----\n"
		require.NoError(t, os.WriteFile(name+".pub.pem", []byte(key), 0o600))
		conf.Officers = append(conf.Officers, config.Officer{Name: name, Roles: []string{role}, Key: name + ".pub.pem"})
	}
	h.server, err = server.Start(t.Context(), conf, h.stderr)
	require.NoError(t, err)
	t.Cleanup(func() { h.server.Close() })
	_, err = h.ask()
	require.NoError(t, err)
}

// The page of the privacy officer is run from its beginning to its end: each command as it
// stands there, after each edit that it tells of, and each line that it shows is printed. Of
// a revision only the length is held.
func TestTheOfficersPage(t *testing.T) {
	raw, err := os.ReadFile("../../policies/README.md")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	ran, console := 0, false
	var out string
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSuffix(line, "\n")
		edit := editOf.FindStringSubmatch(line)
		command, isCommand := strings.CutPrefix(line, "$ ontschot ")
		switch {
		case edit != nil:
			editFile(t, edit[1], edit[2], edit[3])
		case line == "<!-- serve -->":
			serveOfficers(t)
		case line == "```console":
			console = true
		case line == "```":
			console = false
		case console && isCommand:
			_, stdout, errs := cli(t, strings.Fields(command)...)
			out = hexOf.ReplaceAllString(stdout+errs, "revision")
			ran++
		case console && line != "...":
			require.Contains(t, out, hexOf.ReplaceAllString(line, "revision")+"\n", "after: %s", command)
		}
	}
	require.Equal(t, strings.Count(strings.Join(shownOf.FindAllString(string(raw), -1), ""), "$ ontschot "), ran)
	require.GreaterOrEqual(t, ran, 16)
}
