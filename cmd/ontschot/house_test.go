package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/policy"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
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
		"internal/collector":        {},
		"internal/identity":         {},
		"internal/pseudonym":        {"internal/identity"},
		"internal/signed":           {"internal/identity"},
		"internal/certificate":      {"internal/identity"},
		"internal/scaffold":         {"proto/ontschot/budget/v1"},
		"internal/approval":         {"internal/identity", "internal/signed"},
		"internal/manifest":         {"internal/identity", "internal/signed", "proto/ontschot/adapter/v1"},
		"internal/dev/casefile":     {"internal/civil", "internal/identity"},
		"internal/config":           {"internal/approval", "internal/certificate", "internal/civil", "internal/identity", "internal/signed", "policies", "proto/ontschot/v1"},
		"internal/door":             {"internal/certificate", "internal/config"},
		"internal/directory":        {"internal/certificate", "internal/config", "internal/identity", "internal/signed", "proto/ontschot/budget/v1"},
		"docs":                      {},
		"deploy/systemd":            {},
		"internal/setup": {"adapters", "deploy/systemd", "docs", "gateway/audit", "internal/approval", "internal/certificate", "internal/config", "internal/identity", "internal/manifest", "internal/pseudonym", "internal/signed",
			"proto/ontschot/adapter/v1", "proto/ontschot/budget/v1"},
		"internal/peercheck":   {"internal/certificate", "internal/config", "proto/ontschot/budget/v1", "proto/ontschot/v1"},
		"internal/dev/sandbox": {"adapters/wss", "internal/dev/casefile", "internal/civil", "internal/identity", "proto/ontschot/budget/v1"},
		"internal/dev/bench": {"adapters", "gateway/audit", "gateway/register", "internal/civil", "internal/config", "internal/dev/casefile", "internal/dev/family", "internal/identity",
			"proto/ontschot/adapter/v1", "proto/ontschot/budget/v1", "proto/ontschot/v1"},
		"internal/dev/family": with(facts, words, []string{
			"internal/dev/casefile", "internal/civil", "internal/config", "internal/identity", "internal/signed", "gateway/wording", "policies"}),
		"internal/dev/foreign":      {"adapters/trial", "gateway/client", "internal/config", "internal/dev/casefile", "proto/ontschot/budget/v1", "proto/ontschot/v1"},
		"docs/examples/go":          {"gateway/client", "gateway/result", "proto/ontschot/budget/v1", "proto/ontschot/v1"},
		"policies":                  {},
		"gateway/wording":           {"internal/civil", "proto/ontschot/budget/v1", "proto/ontschot/v1"},
		"gateway/token":             {"internal/certificate", "internal/civil", "internal/identity", "internal/signed", "proto/ontschot/v1"},
		"gateway/agreement":         {"internal/civil", "internal/identity", "internal/signed", "proto/ontschot/budget/v1", "proto/ontschot/v1"},
		"gateway/consent":           {"internal/civil", "internal/identity", "internal/signed", "proto/ontschot/budget/v1", "proto/ontschot/v1"},
		"gateway/policy/impact":     {"gateway/policy", "internal/civil", "proto/ontschot/budget/v1", "proto/ontschot/v1"},
		"gateway/policy":            with(facts, []string{"internal/civil", "internal/identity", "policies", "proto/ontschot/budget/v1", "proto/ontschot/v1"}),
		"gateway/policy/replay":     {"gateway/agreement", "gateway/audit", "gateway/policy", "internal/civil", "internal/identity", "proto/ontschot/budget/v1"},
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
		"gateway/authzen":      {"gateway/admission", "gateway/policy", "gateway/wording", "internal/identity", "proto/ontschot/budget/v1", "proto/ontschot/v1"},
		"gateway/web":          {"gateway/admission", "internal/identity", "proto/ontschot/v1"},
		"internal/dev/openapi": {"gateway/refusal", "gateway/web"},
		"gateway/refusal": with(facts, words, []string{
			"gateway/admission", "gateway/audit", "gateway/federation", "gateway/policy", "gateway/register", "gateway/result"}),
		"internal/telemetry": {"gateway/admission", "gateway/audit", "gateway/refusal", "proto/ontschot/budget/v1"},
		"gateway": with(facts, words, ground, []string{
			"gateway/admission", "gateway/evidence", "gateway/policy", "gateway/budget", "gateway/plan", "gateway/audit", "gateway/register", "gateway/result",
			"internal/signed"}),
	}
}

// homes are the rooms in which a library may be used, tests included.
func homes() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"github.com/lestrrat-go/jwx":       regexp.MustCompile(`^internal/signed$`),
		"github.com/open-policy-agent/opa": regexp.MustCompile(`^gateway/policy(/impact)?$|^internal/dev/bench$`),
		"github.com/hashicorp/go-plugin":   regexp.MustCompile(`^adapters(/host|/handshake|/exam)?$`),
		"github.com/spf13/cobra":           regexp.MustCompile(`^cmd/ontschot$`),
		"github.com/Shopify/toxiproxy":     regexp.MustCompile(`^cmd/ontschot$`),
		"golang.org/x/oauth2":              regexp.MustCompile(`^adapters/`),
		"github.com/russellhaering":        regexp.MustCompile(`^adapters/wss$`),
		"github.com/beevik/etree":          regexp.MustCompile(`^adapters/wss$`),
		"cel.dev/cel-go":                   regexp.MustCompile(`^adapters/mapping$`),
		"github.com/jackc/pgx":             regexp.MustCompile(`^adapters/sql$|^gateway/store/`),
		"github.com/pkg/sftp":              regexp.MustCompile(`^adapters/csv$`),
		"github.com/prometheus":            regexp.MustCompile(`^internal/telemetry$|^deploy/prometheus$`),
		"go.opentelemetry.io":              regexp.MustCompile(`^internal/telemetry$|^deploy/seen$`),
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
				ground := room == "adapters" && slices.Contains([]string{"internal/civil", "internal/collector", "internal/identity"}, other) ||
					room == "adapters/program" && slices.Contains([]string{"internal/certificate", "internal/config", "internal/door", "internal/identity"}, other)
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
		if !slices.Contains([]string{"gateway/store/sqlite", "gateway/store/storetest", "adapters/sql"}, room) { // the last asks an agency's own
			require.NotContains(t, p.Imports, "database/sql", "%s: databases live in gateway/store", room)
		}
	}
}

// Whoever listens to other machines does so behind the door. What is only there in development,
// and in an exam, listens on loopback.
func TestEveryListenerStandsBehindTheDoor(t *testing.T) {
	listens := regexp.MustCompile(`\b(net|tls)\.(Listen|ListenTCP|NewListener|FileListener)\(|\.ListenAndServe|ServeTLS\(`)
	may := []string{"internal/door/", "internal/dev/", "adapters/exam/", "adapters/trial/"}
	code, _ := sources(t)
	for name, text := range code {
		if strings.HasSuffix(name, ".go") && !slices.ContainsFunc(may, func(room string) bool { return strings.HasPrefix(name, room) }) {
			require.NotRegexp(t, listens, text, "%s: listen with door.Door.Listen, which holds the limits", name)
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

// closed are the words of the closed lists of the messages, as far as they could be no other
// word.
func closed() []string {
	words := slices.Concat(budgetv1.Laws(), budgetv1.Kinds(), budgetv1.GapReasons(), budgetv1.FindingCodes(), budgetv1.NoticeCodes(), budgetv1.RefusalCodes(),
		budgetv1.DeliveryForms(), budgetv1.Fungibilities(), budgetv1.Statuses(), budgetv1.Severities(),
		ontschotv1.Purposes(), ontschotv1.Assurances(), ontschotv1.SigningRoles(), ontschotv1.AgreementStatuses(), ontschotv1.ConsentStatuses(),
		ontschotv1.DelegationStatuses(), ontschotv1.KeyStates(), ontschotv1.DeliveryReasons(), ontschotv1.PermitReasons(), budgetv1.Faults(), []string{string(budgetv1.CategoryOwnContribution)})
	for _, o := range ontschotv1.Operations() {
		words = append(words, string(o))
	}
	generic := []string{ontschotv1.SignerSelf, ontschotv1.SignerProxy} // words of a page, too
	return slices.DeleteFunc(words, func(w string) bool { return slices.Contains(generic, w) })
}

// A closed list stands beside its words in proto, and nobody else spells them: a word that
// changes, or that is written wrongly, does not compile. The adapters of an agency, and what
// stands for the systems of others in development, write what those systems write.
func TestClosedListsAreSpelledOnce(t *testing.T) {
	words := closed()
	const stored = "gateway/audit/compact.go" // words of a form that never changes
	code, _ := sources(t)
	for name, text := range code {
		room := strings.HasPrefix(name, "gateway/") || strings.HasPrefix(name, "cmd/") || strings.HasPrefix(name, "internal/") && !strings.HasPrefix(name, "internal/dev/")
		if !room || !strings.HasSuffix(name, ".go") || name == stored {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
				if word, err := strconv.Unquote(text.Value); err == nil && slices.Contains(words, word) {
					t.Errorf("%s spells %q: proto has a constant", name, word)
				}
			}
			return true
		})
	}
	reasons := regexp.MustCompile(`(?m)^\t(Reason\w+) +=`).FindAllStringSubmatch(code["proto/ontschot/v1/reason.go"], -1)
	require.Greater(t, len(reasons), 20)
	for _, reason := range reasons { // what no gateway says, none listens for
		require.Contains(t, code["gateway/refusal/meanings.go"], "ontschotv1."+reason[1]+",")
	}
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
	inside := []string{"audit.ErrKey", "audit.ErrInvalid", "audit.ErrWhole", "audit.ErrClock", "register.ErrSnapshot", "register.ErrPolicy", "register.ErrEnded", "register.ErrNoDocument", "register.ErrConflict",
		"policy.ErrRules", "policy.ErrInput", "documents.ErrRegisteredBefore", "documents.ErrKeyGone", "evidence.ErrChanged", "evidence.ErrSuperseded",
		"result.ErrStatement", "federation.ErrUnreached", "federation.ErrUntrusted", "federation.ErrCut", "federation.ErrSilent"}
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

// pages are the documents of the project.
func pages(t *testing.T) []string {
	t.Helper()
	all := []string{"../../README.md", "../../CONTRIBUTING.md", "../../policies/README.md"}
	for _, folder := range []string{"docs", "docs/decisions"} {
		found, err := filepath.Glob("../../" + folder + "/*.md")
		require.NoError(t, err)
		all = append(all, found...)
	}
	require.Greater(t, len(all), 30)
	return all
}

// What the pages name as a test is one: the page of threats above all.
func TestThreatsNameTestsThatExist(t *testing.T) {
	_, tests := sources(t)
	code := strings.Join(slices.Collect(maps.Values(tests)), "\n")
	name := regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Za-z0-9]+)`")
	for _, page := range pages(t) {
		raw, err := os.ReadFile(page)
		require.NoError(t, err)
		names := name.FindAllStringSubmatch(string(raw), -1)
		require.True(t, len(names) > 30 || filepath.Base(page) != "threats.md")
		for _, m := range names {
			require.Contains(t, code, "func "+m[1]+"(", page)
		}
	}
}

// Every decision says when it was taken; the dear ones also what else there was.
func TestDecisionsSayWhenAndWhatElseThereWas(t *testing.T) {
	dated := regexp.MustCompile(`^# (\d+)\. .+\n\n\*20\d\d-\d\d-\d\d[^*]*\*\n`)
	for i, page := range slices.DeleteFunc(pages(t), func(p string) bool { return filepath.Base(filepath.Dir(p)) != "decisions" }) {
		raw, err := os.ReadFile(page)
		require.NoError(t, err)
		found := dated.FindSubmatch(raw)
		require.NotNil(t, found, "%s: a title, and under it the date", page)
		require.Equal(t, strconv.Itoa(i+1), string(found[1]), page)
		require.True(t, strings.HasPrefix(filepath.Base(page), fmt.Sprintf("%04d-", i+1)), page)
		if i+1 == 15 || i+1 >= 17 { // before that they were not written down so
			require.Contains(t, string(raw), "**Alternatives.**", page)
		}
	}
}

// foreign are words that are no longer this project's, each with what is said instead, and
// references to what is not in the repository.
func foreign() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"a change, an act":                       regexp.MustCompile(`\bdeeds?\b`),
		"presented, registered again":            regexp.MustCompile(`\b(brought|brings?|bringing) (back|in again)\b`),
		"reports whether":                        regexp.MustCompile(`\btells (whether|if)\b`),
		"a client that gets no response":         regexp.MustCompile(`\b(who|that) (hears|heard) nothing\b`),
		"they, their, them":                      regexp.MustCompile(`(?i)\b(he|his|him|himself)\b`),
		"nothing that is not in this repository": regexp.MustCompile(`(?i)\b(contract|contracts|issue|invariant) #?\d+\b|\bI\d{1,2}:`),
	}
}

// One concept has one word, in names, comments, errors and pages, and it is plain English.
func TestWordsAreThoseOfTheHouse(t *testing.T) {
	code, tests := sources(t)
	texts := map[string]string{}
	for name, text := range code {
		if ext := filepath.Ext(name); ext == ".go" || ext == ".proto" || ext == ".rego" {
			texts[name] = text
		}
	}
	maps.Copy(texts, tests)
	for _, page := range append(pages(t), "../../CHANGELOG.md") {
		raw, err := os.ReadFile(page)
		require.NoError(t, err)
		texts[page] = string(raw)
	}
	for instead, words := range foreign() {
		for name, text := range texts {
			if filepath.Base(name) == "house_test.go" || strings.HasSuffix(name, "policies/README.md") { // these words; Dutch
				continue
			}
			require.Empty(t, words.FindString(text), "%s: %s", name, instead)
		}
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
