package foreign_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/dev/foreign"
)

var program string

// TestMain builds the program once.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ontschot-foreign-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "ontschot")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "github.com/ontschot/ontschot/cmd/ontschot")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintln(os.Stderr, string(out), err)
		return 1
	}
	return m.Run()
}

// The examples, built once, do what docs/clients.md says of them.
func TestClientsInEveryLanguage(t *testing.T) {
	others := []foreign.Program{foreign.TypeScript(t), foreign.Python(t), foreign.Java(t)}
	all := append(slices.Clone(others), foreign.Go(t))
	t.Run("say the same of the vectors", func(t *testing.T) { sayTheSame(t, others) })
	t.Run("ask one budget", func(t *testing.T) { askOneBudget(t, all) })
	t.Run("cost nothing that stays", func(t *testing.T) { costNothingThatStays(t, all) })
}

// Verifiers in other languages say of every vector what the list says, which is what the
// verifier in Go says (TestTheVectorsOfVerifiers).
func sayTheSame(t *testing.T, programs []foreign.Program) {
	t.Helper()
	folder := filepath.Join(foreign.Proto(), "testdata", "verify")
	list, err := os.ReadFile(filepath.Join(folder, "vectors.json"))
	require.NoError(t, err)
	for _, p := range programs {
		var out, errs strings.Builder
		c := p.Command("vectors", folder)
		c.Stdout, c.Stderr = &out, &errs
		require.NoError(t, c.Run(), "%s: %s", p.Language, errs.String())
		require.Equal(t, strings.Count(string(list), `"file"`), strings.Count(out.String(), "\n"), p.Language)
	}
}

// Each example asks one budget of a gateway, verifies it, with the statements of the four peers
// that disclosed something, and says it in words; and what is refused it says in words too.
func askOneBudget(t *testing.T, programs []foreign.Program) {
	t.Helper()
	w := foreign.Start(t, program, true)
	junk := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(junk, []byte("no.token.atall"), 0o600))
	for _, p := range programs {
		var out, errs strings.Builder
		c := p.Command("ask", w.Config(), w.Token(), w.RequestFile())
		c.Stdout, c.Stderr = &out, &errs
		require.NoError(t, c.Run(), "%s: %s", p.Language, errs.String())
		for _, words := range []string{
			"Het budget van 2025-01-01 tot en met 2025-12-31.",
			"- A4: Wlz-zorg (WLZ), betaald door ZK5503: € 85.410,00",
			"Samen voor zorg: € 111.844,37. Inkomen: € 29.937,60.",
			"Ontbreekt: A2 bij UWV (NO_CONSENT)",
			"en 7 verklaringen van bronnen kloppen.",
		} {
			require.Contains(t, out.String(), words, p.Language)
		}
		refused := p.Command("ask", w.Config(), junk, w.RequestFile())
		said, err := refused.CombinedOutput()
		require.Error(t, err, p.Language)
		require.Contains(t, string(said), "Geen budget: ", p.Language)
		require.Contains(t, strings.ToUpper(string(said)), "UNAUTHENTICATED", p.Language)
		require.NotContains(t, string(said), "    at ", "%s: no trace of a stack", p.Language)
		require.NotContains(t, string(said), "Traceback", p.Language)
	}
}

// The folder proto is read as it is by the stock tools of other languages.
func TestStockToolsReadTheProtos(t *testing.T) {
	modules := foreign.NodeModules(t)
	load := exec.Command("node", "-e", `
const loader = require("@grpc/proto-loader");
const [dir, ...files] = process.argv.slice(1);
const found = loader.loadSync(files, { includeDirs: [dir, dir + "/third_party"] });
console.log(Object.keys(found).filter((name) => /^ontschot\..*Service$/.test(name)).sort().join(" "));`,
		foreign.Proto(), "ontschot/v1/exchange.proto", "ontschot/v1/budget_service.proto", "ontschot/v1/agreement.proto", "ontschot/v1/consent.proto",
		"ontschot/v1/registry.proto", "ontschot/v1/operator.proto", "ontschot/adapter/v1/adapter.proto")
	load.Dir = filepath.Dir(modules)
	out, err := load.CombinedOutput()
	require.NoError(t, err, string(out))
	for _, service := range []string{"v1.ExchangeService", "v1.BudgetService", "v1.AgreementService", "v1.ConsentService", "v1.RegistryService", "v1.OperatorService", "v1.PeerService", "adapter.v1.AdapterService"} {
		require.Contains(t, string(out), "ontschot."+service)
	}
	for _, c := range []struct{ language, plugin, file string }{
		{"python", "grpc_python_plugin", "ontschot/v1/exchange_pb2_grpc.py"},
		{"java", "grpc_java_plugin", "ontschot/v1/ExchangeServiceGrpc.java"},
		{"csharp", "", "Budget.cs"}, // the plugin of C# comes with its own packages
		{"cpp", "grpc_cpp_plugin", "ontschot/v1/exchange.grpc.pb.cc"},
	} {
		dir := t.TempDir()
		foreign.Protoc{Language: c.language, Plugin: c.plugin}.Generate(t, dir, true)
		require.FileExists(t, filepath.Join(dir, c.file))
	}
}
