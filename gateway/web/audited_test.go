package web_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/refusal"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// An auditor gets the same by the program and at the JSON door, with a client.yaml of its own;
// an organisation that no agreement names gets nothing by either.
func TestAnAuditorAsksByTheProgramAndInJSON(t *testing.T) {
	raw, err := casefile.Raw("meppel")
	require.NoError(t, err)
	party := `"parties": [{"code": "REKENKAMER", "oin": "00000099000000888000", "kind": "` + family.Auditor + `", "name": "Rekenkamer", "laws": []},`
	path := filepath.Join(t.TempDir(), "case.json")
	require.Contains(t, string(raw), `"parties": [`)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(raw), `"parties": [`, party, 1)), 0o600))
	h := newHouseOf(t, path)
	at := func(name string) string { return filepath.Join(h.dir, name) }
	budget, plan := at("budget.json"), at("case.json")
	require.NoError(t, os.WriteFile(budget, []byte(h.run("budget", "get", "--config", at("client.yaml"), "--case", plan, "--format", "json")), 0o600))

	whole, told := new(ontschotv1.AccountResponse), new(ontschotv1.AccountResponse)
	require.NoError(t, protojson.Unmarshal([]byte(h.run("budget", "account", "--config", at("client.yaml"), "--budget", budget, "--plan", plan, "--format", "json")), whole))
	own, token := h.comes("REKENKAMER")
	account := []string{"budget", "account", "--config", own, "--token", token, "--budget", budget, "--plan", plan}
	require.NoError(t, protojson.Unmarshal([]byte(h.run(append(account, "--format", "json")...)), told))
	page := func(lang string) string {
		return strings.Join(strings.Fields(h.run(append(account, "--lang", lang)...)), " ")
	}
	require.Contains(t, page("nl"), "WAT VAN DIT BUDGET IS WEGGELATEN, EN WAAROM Gemeente Meppel De gegevens van Gemeente Meppel ontbreken.")
	require.Contains(t, page("en"), "No agreement that holds today names your organisation as auditor of Gemeente Meppel.")

	require.NotEmpty(t, told.GetAccounts())
	require.Len(t, whole.GetAccounts(), len(told.GetAccounts())+1, "all but the municipality's own")
	for _, a := range told.GetAccounts() {
		require.NotEqual(t, "GM0119", a.GetFunder())
		for _, same := range whole.GetAccounts() {
			if same.GetFunder() == a.GetFunder() {
				require.Equal(t, bareAccount(same), bareAccount(a))
			}
		}
	}
	require.Len(t, told.GetLeftOut(), 1)
	require.Equal(t, "GM0119 "+budgetv1.GapAuditorNotNamed, told.GetLeftOut()[0].GetSource()+" "+told.GetLeftOut()[0].GetCode())

	request := &ontschotv1.AccountRequest{Budget: new(budgetv1.Budget), Plan: &budgetv1.Plan{}}
	signed, err := os.ReadFile(budget)
	require.NoError(t, err)
	require.NoError(t, protojson.Unmarshal(signed, request.Budget))
	answer, err := h.asks("REKENKAMER", token, request)
	require.NoError(t, err)
	require.Len(t, answer.(*ontschotv1.AccountResponse).GetAccounts(), len(told.GetAccounts()))
	require.True(t, proto.Equal(told.GetLeftOut()[0], answer.(*ontschotv1.AccountResponse).GetLeftOut()[0]))

	own, token = h.comes("UWV")
	out, err := exec.CommandContext(t.Context(), built, "budget", "account", "--config", own, "--token", token, "--budget", budget, "--plan", plan).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "OTHER_ORGANISATION")
	_, err = h.asks("UWV", token, request)
	require.Equal(t, codes.PermissionDenied, status.Code(err))
	require.Equal(t, "OTHER_ORGANISATION", refusal.Reason(status.Convert(err)))
}

// comes has a party turn to the municipality's gateway: its client.yaml, and a file with a token
// by which it audits.
func (h *house) comes(code string) (client, token string) {
	h.t.Helper()
	dir := filepath.Join(h.dir, "peers", code)
	client, token = filepath.Join(dir, "client.yaml"), filepath.Join(dir, "token")
	theirs, err := os.ReadFile(client)
	require.NoError(h.t, err)
	ours, err := os.ReadFile(filepath.Join(h.dir, "client.yaml"))
	require.NoError(h.t, err)
	for _, key := range []string{"gateway", "releaser"} {
		line := regexp.MustCompile(`(?m)^` + key + `: .*$`)
		require.True(h.t, line.Match(theirs))
		theirs = line.ReplaceAll(theirs, line.Find(ours))
	}
	require.NoError(h.t, os.WriteFile(client, theirs, 0o600))
	require.NoError(h.t, os.WriteFile(token, []byte(h.run("dev", "token", "--dir", dir, "--audit")), 0o600))
	return client, token
}

// asks asks for accounts at the JSON door, with the certificate and the token of a party.
func (h *house) asks(code, token string, r *ontschotv1.AccountRequest) (proto.Message, error) {
	h.t.Helper()
	raw, err := os.ReadFile(token)
	require.NoError(h.t, err)
	before := h.client
	defer func() { h.client = before }()
	h.client = &http.Client{Transport: &http.Transport{TLSClientConfig: h.certificate(filepath.Join("peers", code, "client")), ForceAttemptHTTP2: true}}
	return h.json(routeOf(ontschotv1.BudgetService_Account_FullMethodName), r, h.with(string(raw)))
}

func bareAccount(a *budgetv1.Account) string {
	a = proto.CloneOf(a)
	a.Signature = ""
	raw, _ := proto.MarshalOptions{Deterministic: true}.Marshal(a)
	return string(raw)
}
