package gateway_test

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

const composeTable = "rules/matrix/integral_budget.compose/data.yaml"

const accountTable = "rules/matrix/integral_budget.account/data.yaml"

// matrix judges by the rules of the program in which the cells of one kind of source say
// something else.
func matrix(t testing.TB, kind, old, changed string) func(*server.BrokerConfig) {
	return matrixOf(t, composeTable, kind, old, changed)
}

func matrixOf(t testing.TB, table, kind, old, changed string) func(*server.BrokerConfig) {
	t.Helper()
	folder := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(policies.FS, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS, file)
		folder[file] = &fstest.MapFile{Data: raw}
		return err
	}))
	lines, cells := strings.Split(string(folder[table].Data), "\n"), 0
	in := ""
	for i, line := range lines {
		if name, ok := strings.CutSuffix(strings.TrimPrefix(line, "  "), ":"); ok && !strings.HasPrefix(name, " ") {
			in = name
		}
		if in == kind && strings.Contains(line, old) {
			lines[i], cells = strings.Replace(line, old, changed, 1), cells+1
		}
	}
	require.Positive(t, cells)
	folder[table] = &fstest.MapFile{Data: []byte(strings.Join(lines, "\n"))}
	judge, err := policy.New(context.Background(), policy.Config{FS: folder, Timeout: 10 * time.Second})
	require.NoError(t, err)
	return func(c *server.BrokerConfig) { c.Policy = policy.NewRules(judge) }
}

// Who presents a budget must be somebody to whom all that is in it might have been disclosed,
// the figures of a source without lines (SVB, CAK) too.
func TestWhoPresentsABudgetMaySeeEverySource(t *testing.T) {
	role := func(name string) func(*token.Claims) { return func(c *token.Claims) { c.Role = name } }
	level := func(name string) func(*token.Claims) { return func(c *token.Claims) { c.Assurance = name } }
	const roles, assurance = "roles: [consulent, regisseur]", "assurance: substantieel"
	for name, c := range map[string]struct {
		kind, old, changed string
		asks, may, mayNot  func(*token.Claims)
	}{
		"role for the CAK":           {"cak", roles, "roles: [regisseur]", role("regisseur"), role("regisseur"), role("consulent")},
		"role for the SVB":           {"svb", roles, "roles: [regisseur]", role("regisseur"), role("regisseur"), role("consulent")},
		"role for a source of lines": {"municipality", roles, "roles: [regisseur]", role("regisseur"), role("regisseur"), role("consulent")},
		"level for the CAK":          {"cak", assurance, "assurance: hoog", level("hoog"), level("hoog"), level("substantieel")},
		"level for the SVB":          {"svb", assurance, "assurance: hoog", level("hoog"), level("hoog"), level("substantieel")},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, matrix(t, c.kind, c.old, c.changed))
			p := h.person("P")
			h.give(p, "", all("GM0119", "SVB", "CAK")...)
			ask := h.request([]person{p}, [2]string{"P", "GM0119"}, [2]string{"P", "SVB"}, [2]string{"P", "CAK"})
			b, err := h.compose(h.worker(c.asks).call(), ask)
			require.NoError(t, err)
			answered := func(b *budgetv1.Budget) (codes []string) {
				for _, s := range b.GetSources() {
					if s.GetStatus() == "OK" {
						codes = append(codes, s.GetSource())
					}
				}
				return codes
			}
			require.ElementsMatch(t, []string{"GM0119", "SVB", "CAK"}, answered(b))
			for _, task := range []string{"CheckPlan", "View of P", "Dissolve"} {
				do := tasks()[task]
				_, err = do(h, h.worker(c.may).call(), proto.CloneOf(b))
				require.NoError(t, err, task)
				_, err = do(h, h.worker(c.mayNot).call(), proto.CloneOf(b))
				require.Equal(t, "PermissionDenied POLICY_DENIED", codeOf(err).String()+" "+reasonOf(err), task)
			}
			// A source that disclosed nothing shuts no case worker out.
			less, err := h.compose(h.worker(c.mayNot).call(), ask)
			require.NoError(t, err)
			require.Len(t, answered(less), 2)
			require.False(t, slices.Equal(answered(b), answered(less)))
			_, err = tasks()["CheckPlan"](h, h.worker(c.mayNot).call(), proto.CloneOf(less))
			require.NoError(t, err)
		})
	}
}

// An account is judged by cells of its own, which ask for no consent. They are for no source:
// a budget is presented, and nobody is asked.
func TestAnAccountIsJudgedByCellsOfItsOwn(t *testing.T) {
	h := newHouse(t, matrixOf(t, accountTable, "municipality", "roles: [consulent, regisseur]", "roles: [regisseur]"))
	p := h.person("P")
	h.give(p, "", all("GM0119", "UWV")...)
	ask := h.request([]person{p}, [2]string{"P", "GM0119"}, [2]string{"P", "UWV"})
	b, err := h.compose(h.municipality().call(), proto.CloneOf(ask))
	require.NoError(t, err)
	request := func() *ontschotv1.AccountRequest {
		return &ontschotv1.AccountRequest{Budget: proto.CloneOf(b), Plan: &budgetv1.Plan{}}
	}
	_, err = h.CheckPlan(h.municipality().call(), &ontschotv1.CheckPlanRequest{Budget: proto.CloneOf(b), Plan: &budgetv1.Plan{}})
	require.NoError(t, err)
	_, err = h.Account(h.municipality().call(), request())
	require.Equal(t, budgetv1.ReasonPolicyDenied, reasonOf(err))
	_, err = h.Account(h.worker(func(c *token.Claims) { c.Role = "regisseur" }).call(), request())
	require.NoError(t, err, "the UWV has no cell, and an account shows nothing of it")

	for _, ask.Purpose = range []string{ontschotv1.PurposeAccountForBudget, ontschotv1.PurposeAuditSpending} {
		_, err = h.compose(h.worker(func(c *token.Claims) { c.Role, c.Details[0].Purposes = "controleur", ontschotv1.Purposes() }).call(), proto.CloneOf(ask))
		require.Equal(t, budgetv1.ReasonPurposeNotAllowed, reasonOf(err))
	}
}
