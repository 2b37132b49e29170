package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/policy"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const module = "github.com/ontschot/ontschot/"

// mayImport is the house: which room may know which. Imports point one way, and
// only the door, and the server behind it, know every room.
func mayImport() map[string][]string {
	words := []string{"proto/ontschot/adapter/v1", "proto/ontschot/budget/v1", "proto/ontschot/v1"}
	facts := []string{"gateway/token", "gateway/agreement", "gateway/consent"}
	ground := []string{"internal/civil", "internal/identity", "internal/pseudonym"}
	with := func(lists ...[]string) []string { return slices.Concat(lists...) }
	return map[string][]string{
		"proto/ontschot/budget/v1":  {},
		"proto/ontschot/v1":         {"proto/ontschot/budget/v1"},
		"proto/ontschot/adapter/v1": {"proto/ontschot/budget/v1"},
		"internal/civil":            {},
		"internal/identity":         {},
		"internal/pseudonym":        {"internal/identity"},
		"internal/signed":           {"internal/identity"},
		"internal/certificate":      {"internal/identity"},
		"internal/dev/casefile":     {"internal/civil", "internal/identity"},
		"internal/config":           {"internal/certificate", "internal/civil", "internal/identity", "internal/signed", "proto/ontschot/v1"},
		"internal/directory":        {"internal/certificate", "internal/config", "internal/identity", "internal/signed", "proto/ontschot/budget/v1"},
		"internal/peercheck":        {"internal/certificate", "internal/config", "proto/ontschot/v1"},
		"internal/dev/sandbox":      {"adapters/wss", "internal/dev/casefile", "internal/civil", "internal/identity", "proto/ontschot/budget/v1"},
		"internal/dev/bench": {"adapters", "internal/civil", "internal/config", "internal/dev/casefile", "internal/dev/family",
			"proto/ontschot/adapter/v1", "proto/ontschot/budget/v1", "proto/ontschot/v1"},
		"internal/dev/family": with(facts, words, []string{
			"internal/dev/casefile", "internal/civil", "internal/config", "internal/identity", "internal/signed", "gateway/wording", "policies"}),
		"policies":                  {},
		"gateway/wording":           {"internal/civil", "proto/ontschot/budget/v1", "proto/ontschot/v1"},
		"gateway/token":             {"internal/certificate", "internal/civil", "internal/identity", "internal/signed", "proto/ontschot/v1"},
		"gateway/agreement":         {"internal/civil", "internal/identity", "internal/signed", "proto/ontschot/budget/v1", "proto/ontschot/v1"},
		"gateway/consent":           {"internal/civil", "internal/identity", "internal/signed", "proto/ontschot/budget/v1", "proto/ontschot/v1"},
		"gateway/policy":            with(facts, []string{"internal/civil", "internal/identity", "proto/ontschot/budget/v1", "proto/ontschot/v1"}),
		"gateway/budget":            {"internal/civil", "internal/identity", "proto/ontschot/budget/v1"},
		"gateway/plan":              {"gateway/budget", "internal/civil", "internal/identity", "proto/ontschot/budget/v1"},
		"gateway/register":          {"internal/civil", "internal/identity"},
		"gateway/audit":             {"gateway/register", "internal/civil", "internal/identity", "proto/ontschot/budget/v1"},
		"gateway/store/sqlite":      {"gateway/audit", "internal/identity"},
		"gateway/store/conformance": {"gateway/audit", "internal/identity"},
		"gateway/store/storetest":   {"gateway/audit", "gateway/store/sqlite"},
		"gateway/result":            {"gateway/audit", "internal/identity", "internal/signed", "proto/ontschot/budget/v1"},
		"gateway/client":            {"gateway/audit", "gateway/result", "internal/certificate", "internal/config", "proto/ontschot/budget/v1", "proto/ontschot/v1"},
		"gateway/admission":         with(words, ground, []string{"gateway/audit", "gateway/register", "gateway/token", "internal/certificate"}),
		"gateway/evidence":          with(facts, ground, []string{"gateway/audit", "gateway/register", "internal/signed", "proto/ontschot/budget/v1"}),
		"gateway/documents": with(facts, words, ground, []string{
			"gateway/admission", "gateway/evidence", "gateway/audit", "gateway/register", "gateway/wording", "internal/signed"}),
		"gateway/federation": with(facts, ground, []string{
			"gateway/admission", "gateway/evidence", "gateway/policy", "gateway/audit", "gateway/register", "gateway/result", "internal/signed", "proto/ontschot/budget/v1", "proto/ontschot/v1"}),
		"gateway/refusal": with(facts, words, []string{
			"gateway/admission", "gateway/audit", "gateway/federation", "gateway/policy", "gateway/register", "gateway/result"}),
		"gateway": with(facts, words, ground, []string{
			"gateway/admission", "gateway/evidence", "gateway/policy", "gateway/budget", "gateway/plan", "gateway/audit", "gateway/register", "gateway/result",
			"internal/signed"}),
	}
}

// homes are the rooms in which a library may be used, tests included.
func homes() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"github.com/lestrrat-go/jwx":       regexp.MustCompile(`^internal/signed$`),
		"github.com/open-policy-agent/opa": regexp.MustCompile(`^gateway/policy$|^internal/dev/bench$`),
		"github.com/hashicorp/go-plugin":   regexp.MustCompile(`^adapters(/host)?$`),
		"github.com/spf13/cobra":           regexp.MustCompile(`^cmd/ontschot$`),
		"golang.org/x/oauth2":              regexp.MustCompile(`^adapters/`),
		"github.com/russellhaering":        regexp.MustCompile(`^adapters/wss$`),
		"github.com/beevik/etree":          regexp.MustCompile(`^adapters/wss$`),
		"github.com/vektah/gqlparser":      regexp.MustCompile(`^internal/dev/sandbox$|^adapters/`),
	}
}

type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	c := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	c.Dir = "../.."
	out, err := c.Output()
	require.NoError(t, err)
	var all []pkg
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		all = append(all, p)
	}
	require.Greater(t, len(all), 20)
	return all
}

func TestImportsPointOneWay(t *testing.T) {
	table := mayImport()
	for _, p := range packages(t) {
		room := strings.TrimPrefix(p.ImportPath, module)
		for _, path := range p.Imports {
			other, ours := strings.CutPrefix(path, module)
			if !ours || strings.HasPrefix(room, "cmd/") || room == "internal/server" { // the one place that knows every room
				require.NotEqual(t, "internal/server -> cmd/ontschot", room+" -> "+other)
				continue
			}
			if strings.HasPrefix(room, "adapters") {
				// What an agency's developer copies imports nothing that their module cannot: the kit alone rests on the ground.
				ground := room == "adapters" && (other == "internal/civil" || other == "internal/identity")
				allowed := strings.HasPrefix(other, "adapters") || strings.HasPrefix(other, "proto/") || ground
				require.True(t, allowed, "%s may not import %s: an agency's adapter knows nothing of the gateway", room, other)
				continue
			}
			allowed, known := table[room]
			require.True(t, known, "%s is a new room: say in the table what it may know", room)
			require.Contains(t, allowed, other, "%s may not import %s", room, other)
		}
		for _, path := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			for library, home := range homes() {
				if path == library || strings.HasPrefix(path, library+"/") {
					require.Regexp(t, home, room, "%s has one home, and %s is not it", library, room)
				}
			}
		}
		if !slices.Contains([]string{"gateway/store/sqlite", "gateway/store/storetest"}, room) {
			require.NotContains(t, p.Imports, "database/sql", "%s: databases live in gateway/store", room)
		}
	}
}

// The architecture fits on one screen.
func TestTheStraightLineFitsOnOneScreen(t *testing.T) {
	raw, err := os.ReadFile("../../gateway/exchange.go")
	require.NoError(t, err)
	require.LessOrEqual(t, strings.Count(string(raw), "\n"), 80)
	main, err := os.ReadFile("main.go")
	require.NoError(t, err)
	require.LessOrEqual(t, strings.Count(string(main), "\n"), 20)
}

// Every exported sentinel of a checking room is mapped to what a caller gets.
func TestEverySentinelIsInTheTable(t *testing.T) {
	var tables strings.Builder
	for _, file := range []string{"../../gateway/refusal/meanings.go", "../../gateway/policy/decide.go"} {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		tables.Write(raw)
	}
	// Met at start and by auditors only, never by a caller; what audit has under the same name; what is a gap
	inside := []string{"audit.ErrKey", "audit.ErrInvalid", "audit.ErrWhole", "audit.ErrClock", "register.ErrSnapshot", "register.ErrEnded", "register.ErrNoDocument", "register.ErrConflict",
		"policy.ErrRules", "policy.ErrInput", "documents.ErrRegisteredBefore", "documents.ErrKeyGone", "evidence.ErrChanged", "evidence.ErrSuperseded",
		"result.ErrStatement"}
	sentinel := regexp.MustCompile(`(?m)^\s*(?:var )?(Err[A-Z]\w*)\s*=`)
	seen := 0
	for _, room := range []string{"token", "agreement", "consent", "audit", "register", "admission", "policy", "result", "documents", "evidence", "federation"} {
		entries, err := os.ReadDir("../../gateway/" + room)
		require.NoError(t, err)
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), "_test.go") || !strings.HasSuffix(e.Name(), ".go") {
				continue
			}
			raw, err := os.ReadFile("../../gateway/" + room + "/" + e.Name())
			require.NoError(t, err)
			for _, m := range sentinel.FindAllStringSubmatch(string(raw), -1) {
				name := room + "." + m[1]
				seen++
				if !slices.Contains(inside, name) {
					require.True(t, strings.Contains(tables.String(), name), "%s is said to nobody: put it in gateway/refusal/meanings.go", name)
				}
			}
		}
	}
	require.Greater(t, seen, 15)
}

// The page of threats names tests that exist.
func TestThreatsNameTestsThatExist(t *testing.T) {
	raw, err := os.ReadFile("../../docs/threats.md")
	require.NoError(t, err)
	var code strings.Builder
	require.NoError(t, filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		code.Write(text)
		return err
	}))
	names := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(string(raw), -1)
	require.Greater(t, len(names), 30)
	for _, m := range names {
		require.Contains(t, code.String(), "func "+m[1]+"(", "docs/threats.md")
	}
}

// There is an adapter for each kind of source, and it asks for the one number that the
// gateway sends to that kind.
func TestEveryKindOfSourceHasAnAdapterThatAsksForItsNumber(t *testing.T) {
	require.Len(t, referenceAdapters(), len(budgetv1.Kinds()))
	for _, kind := range budgetv1.Kinds() {
		adapter := referenceAdapters()[policy.KindKey(kind)]
		require.NotNil(t, adapter, kind)
		require.Equal(t, []string{budgetv1.IdentifierOf(kind)}, adapter().Describe().GetIdentifiers(), kind)
	}
}
