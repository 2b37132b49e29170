package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// toPresent plays Meppel and gives its budget, its plan, and the ids of its consents.
func toPresent(t *testing.T) (*house, *budgetv1.Budget, *budgetv1.Plan, []string) {
	t.Helper()
	f := open(t, "meppel")
	documents, ids := withIDs(t, f)
	h := play(t, f, options{documents: documents})
	b, err := h.ask()
	require.NoError(t, err)
	p := new(budgetv1.Plan)
	require.NoError(t, protojson.Unmarshal(f.Case.Plan, p))
	return h, b, p, ids
}

// ofA3 is which of the consents is that of A3, who has care money.
func ofA3(h *house) int {
	return slices.IndexFunc(h.family.Case.Consents, func(c casefile.Consent) bool { return c.Person == "A3" })
}

// A budget that is presented must be what this gateway released.
func TestBudgetsThatAreNotAccepted(t *testing.T) {
	h, b, p, ids := toPresent(t)
	c := h.client(nil)
	check := func(b *budgetv1.Budget) error {
		_, err := c.CheckPlan(t.Context(), &ontschotv1.CheckPlanRequest{Budget: b, Plan: p})
		return err
	}
	require.NoError(t, check(b))

	changed := proto.CloneOf(b)
	*changed.CareTotalCents += 100
	code, why, _ := reason(t, check(changed))
	require.Equal(t, codes.InvalidArgument, code)
	require.Equal(t, "BUDGET_NOT_AUTHENTIC", why)

	unsigned := proto.CloneOf(b)
	unsigned.Signature = ""
	code, why, _ = reason(t, check(unsigned))
	require.Equal(t, codes.InvalidArgument, code)
	require.Equal(t, "BUDGET_NOT_AUTHENTIC", why)

	old := proto.CloneOf(b)
	digest, err := result.Digest(old)
	require.NoError(t, err)
	require.NoError(t, result.Sign(old, result.Release{Digest: digest, Receipt: old.GetReceipt(), Case: h.family.CaseCommitment, Times: result.Times{Now: time.Now().Add(-48 * time.Hour), Expires: time.Now().Add(-24 * time.Hour), KeepUntil: time.Now().Add(24 * time.Hour)}}, h.family.Requester().Sign))
	code, why, _ = reason(t, check(old))
	require.Equal(t, codes.FailedPrecondition, code)
	require.Equal(t, "BUDGET_TOO_OLD", why)

	// A budget is worked with in its own case, and by who may see what is in it.
	for name, change := range map[string]func(*token.Claims){
		"OTHER_HOUSEHOLD": func(c *token.Claims) { c.Case = "another household" },
		"POLICY_DENIED":   func(c *token.Claims) { c.Assurance = "laag" },
	} {
		other := h.client(func() (string, error) { return h.family.Token(time.Now(), change) })
		_, err := other.CheckPlan(t.Context(), &ontschotv1.CheckPlanRequest{Budget: b, Plan: p})
		code, why, _ = reason(t, err)
		require.Equal(t, codes.PermissionDenied, code)
		require.Equal(t, name, why)
	}
	unknown := proto.CloneOf(b)
	unknown.ProtoReflect().SetUnknown([]byte{0xf8, 0x07, 0x01})
	require.Equal(t, codes.InvalidArgument, status.Code(check(unknown)), "fields that no digest covers")

	// Accounting is a purpose of its own.
	only := h.client(func() (string, error) {
		return h.family.Token(time.Now(), func(c *token.Claims) { c.Details[0].Purposes = []string{h.family.Case.Purpose} })
	})
	_, err = only.Account(t.Context(), &ontschotv1.AccountRequest{Budget: b, Plan: p})
	code, _, _ = reason(t, err)
	require.Equal(t, codes.PermissionDenied, code)
	for _, date := range []string{"2024-12-31", "2026-01-01"} {
		_, err = c.Dissolve(t.Context(), &ontschotv1.DissolveRequest{Budget: b, Date: date})
		_, why, where := reason(t, err)
		require.Equal(t, "INVALID_FIELD date", why+" "+where["field"], "no day of the window")
	}
	_, err = c.Dissolve(t.Context(), &ontschotv1.DissolveRequest{Budget: b, Date: "2025-02-30"})
	code, _, meta := reason(t, err)
	require.Equal(t, codes.InvalidArgument, code)
	require.Equal(t, "date", meta["field"])
	_, err = c.Sunset(t.Context(), &ontschotv1.SunsetRequest{Budget: b, Plan: p})
	code, _, meta = reason(t, err)
	require.Equal(t, codes.InvalidArgument, code)
	require.Equal(t, "assume", meta["field"], "no basis is in force")

	// A consent it rests on is withdrawn: what rests on it is left out, and the rest is disclosed.
	before, err := c.CheckPlan(t.Context(), &ontschotv1.CheckPlanRequest{Budget: b, Plan: p})
	require.NoError(t, err)
	require.Empty(t, before.GetLeftOut())
	w, err := h.family.Withdrawal(ids[ofA3(h)])
	require.NoError(t, err)
	_, err = c.Register(t.Context(), w)
	require.NoError(t, err)
	after, err := c.CheckPlan(t.Context(), &ontschotv1.CheckPlanRequest{Budget: b, Plan: p})
	require.NoError(t, err)
	person := "A3"
	require.NotEmpty(t, after.GetLeftOut())
	for _, g := range after.GetLeftOut() {
		require.Equal(t, person+" CONSENT_WITHDRAWN", g.GetPerson()+" "+g.GetReason())
	}
	lines := func(check *budgetv1.PlanCheck) (ids []string) {
		for _, l := range check.GetLines() {
			ids = append(ids, l.GetLine())
		}
		return ids
	}
	others := slices.DeleteFunc(lines(before), func(id string) bool { return strings.HasPrefix(id, person+"/") })
	require.NotEmpty(t, others)
	require.Less(t, len(others), len(lines(before)))
	require.Equal(t, others, lines(after))
}

// What was left out is on the page, in both languages, of everything that is done
// with a budget; and the audit log verifies.
func TestWhatWasLeftOutIsPrinted(t *testing.T) {
	h, b, p, ids := toPresent(t)
	budget, plan := filepath.Join(h.dir, "b.json"), filepath.Join(h.dir, "p.json")
	for name, m := range map[string]proto.Message{budget: b, plan: p} {
		raw, err := protojson.Marshal(m)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(name, raw, 0o600))
	}
	basis, token := filepath.Join(h.dir, "basis.json"), filepath.Join(h.dir, "a-token")
	minted, err := h.family.Token(time.Now(), nil)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(token, []byte(minted), 0o600))
	require.NoError(t, os.WriteFile(basis, []byte(`{"id":"x","from":"2025-01-01","to":"2025-10-31","poolable_laws":["WMO","JW","WLZ"],"municipalities":["GM0119"]}`), 0o600))
	run := func(lang string, args ...string) string {
		code, out, errs := cli(t, append(append([]string{"budget"}, args...), "--config", filepath.Join(h.dir, "client.yaml"), "--token", token, "--budget", budget, "--codes", "--lang", lang)...)
		require.Equal(t, exitDone, code, "%v: %s", args, errs)
		return out
	}
	person := "A3"
	commands := map[string][]string{
		"plan": {"plan", "--plan", plan}, "account": {"account", "--plan", plan}, "dissolve": {"dissolve", "--date", "2025-07-01"},
		"sunset": {"sunset", "--plan", plan, "--assume-basis", basis}, "view": {"view", "--person", person},
	}
	account := run("nl", commands["account"]...)
	for _, args := range commands {
		require.NotContains(t, run("nl", args...), "CONSENT_WITHDRAWN")
	}
	w, err := h.family.Withdrawal(ids[ofA3(h)])
	require.NoError(t, err)
	_, err = h.client(nil).Register(t.Context(), w)
	require.NoError(t, err)
	for name, args := range commands {
		nl, en := run("nl", args...), run("en", args...)
		if name == "account" {
			require.Equal(t, account, nl)
			continue
		}
		require.Contains(t, nl, "CONSENT_WITHDRAWN", name)
		require.Contains(t, nl, "De toestemming is ingetrokken.", name)
		require.Contains(t, en, "CONSENT_WITHDRAWN", name)
		require.NotContains(t, en, "ingetrokken", name)
		if name != "view" {
			require.Contains(t, nl, "WAT VAN DIT BUDGET IS WEGGELATEN, EN WAAROM", name)
			require.Contains(t, en, "WHAT OF THIS BUDGET WAS LEFT OUT, AND WHY", name)
			require.NotContains(t, nl, person+"/", name)
		}
	}
	apart := run("nl", commands["dissolve"]...)
	require.Contains(t, apart, "stand per 30 juni 2025")
	code, out, errs := cli(t, "audit", "verify", "--data", filepath.Join(h.dir, "data"))
	require.Equal(t, exitDone, code, out+errs)
}

// textsOf are all texts of a message, keys included: what is bytes holds by chance anything
// that short.
func textsOf(t *testing.T, m proto.Message) (all []string) {
	t.Helper()
	require.NoError(t, protorange.Range(m.ProtoReflect(), func(p protopath.Values) error {
		at := p.Index(-1)
		if text, is := at.Value.Interface().(string); is {
			all = append(all, text)
		}
		if at.Step.Kind() == protopath.MapIndexStep {
			all = append(all, at.Step.MapIndex().String())
		}
		return nil
	}))
	require.NotEmpty(t, all)
	return all
}

// Each member sees their own, and nothing of the others: not what they have, not
// what they decided, and not by subtraction.
func TestAMembersView(t *testing.T) {
	h, b, _, _ := toPresent(t)
	c := h.client(nil)
	for _, m := range h.family.Case.Household {
		view, err := c.View(t.Context(), &ontschotv1.ViewRequest{Budget: b, Person: string(m.Ref)})
		require.NoError(t, err)
		require.Equal(t, string(m.Ref), view.GetViewOf())
		for _, l := range view.GetLines() {
			require.Equal(t, string(m.Ref), l.GetPerson())
		}
		for _, row := range view.GetMatrix() {
			for _, cell := range row.GetCells() {
				if row.GetPerson() != string(m.Ref) {
					require.True(t, proto.Equal(&budgetv1.MatrixCell{Law: cell.GetLaw(), Status: "NOT_SHARED"}, cell))
				}
			}
		}
		require.Len(t, view.GetMatrix(), 5, "the household is no secret to its members")
		// Beside the rows that say "not shared", no other member is named anywhere.
		bare := proto.CloneOf(view)
		bare.Matrix, bare.Receipt, bare.Signature = nil, nil, ""
		for _, text := range textsOf(t, bare) {
			for _, other := range h.family.Case.Household {
				if other.Ref != m.Ref {
					require.NotEqual(t, string(other.Ref), text)
					require.NotContains(t, text, string(other.Ref)+"/")
				}
			}
		}
		require.LessOrEqual(t, len(view.GetTotals().GetByPerson()), 1)
		require.Equal(t, b.GetTotals().GetByPerson()[string(m.Ref)], view.GetTotals().GetByPerson()[string(m.Ref)])
	}
	a3, err := c.View(t.Context(), &ontschotv1.ViewRequest{Budget: b, Person: "A3"})
	require.NoError(t, err)
	require.True(t, a3.GetComplete(), "that A2 did not say yes is hers")
	require.Equal(t, int64(25200), a3.GetOwnContributionCents())
	a2, err := c.View(t.Context(), &ontschotv1.ViewRequest{Budget: b, Person: "A2"})
	require.NoError(t, err)
	require.False(t, a2.GetComplete())
	require.Len(t, a2.GetGaps(), 1)
	_, err = c.View(t.Context(), &ontschotv1.ViewRequest{Budget: a3, Person: "A2"})
	code, _, meta := reason(t, err)
	require.Equal(t, codes.InvalidArgument, code)
	require.Equal(t, "person", meta["field"])
}

// A view lives no longer than its budget, and its receipt rests on the member's own
// documents: how many others signed does not show.
func TestAViewIsNoWayAroundTheBudget(t *testing.T) {
	h, b, _, _ := toPresent(t)
	trust, err := config.ReadTrust(filepath.Join(h.dir, "trust.yaml"))
	require.NoError(t, err)
	keys, err := trust.Verifier()
	require.NoError(t, err)
	pinned := result.Trust{Keys: keys, Releaser: h.family.Requester().OIN, Log: logKeys(t, h.family.Requester())}
	of, err := result.Verify(b, pinned)
	require.NoError(t, err)
	c := h.client(nil)
	view, err := c.View(t.Context(), &ontschotv1.ViewRequest{Budget: b, Person: "A1"})
	require.NoError(t, err)
	again, err := c.View(t.Context(), &ontschotv1.ViewRequest{Budget: view, Person: "A1"})
	require.NoError(t, err)
	for _, v := range []*budgetv1.Budget{view, again} {
		claims, err := result.Verify(v, pinned)
		require.NoError(t, err)
		require.Equal(t, of.Expires, claims.Expires)
		leaf, err := audit.ParseLeaf(v.GetReceipt().GetLeaf())
		require.NoError(t, err)
		require.Len(t, leaf.Rests, 2, "one consent, one agreement")
		require.Empty(t, leaf.Subjects)
	}
}

// Every answer about a budget that was presented is in the audit log before it is given.
func TestWhatIsAnsweredAboutABudgetIsRecorded(t *testing.T) {
	h, b, p, _ := toPresent(t)
	c := h.client(nil)
	_, err := c.CheckPlan(t.Context(), &ontschotv1.CheckPlanRequest{Budget: b, Plan: p})
	require.NoError(t, err)
	accounts, err := c.Account(t.Context(), &ontschotv1.AccountRequest{Budget: b, Plan: p, Assume: &budgetv1.LegalBasis{
		Id: "x", From: "2025-01-01", To: "2025-12-31", PoolableLaws: []string{"WMO", "JW", "WLZ"}, Municipalities: []string{"GM0119"},
	}})
	require.NoError(t, err)
	for _, a := range accounts.GetAccounts() {
		require.True(t, a.GetBasisIsAssumed(), "and the account says so in what is signed")
		require.Equal(t, "x", a.GetLegalBasis().GetId())
	}
	_, err = c.Dissolve(t.Context(), &ontschotv1.DissolveRequest{Budget: b, Date: "2025-07-01"})
	require.NoError(t, err)
	code, out, errs := cli(t, "audit", "verify", "--data", filepath.Join(h.dir, "data"))
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "4 decisions, 4 releases")
	db := database(t, filepath.Join(h.dir, "data"))
	_, err = db.Exec("BEGIN EXCLUSIVE")
	require.NoError(t, err)
	_, err = c.CheckPlan(t.Context(), &ontschotv1.CheckPlanRequest{Budget: b, Plan: p})
	require.Equal(t, codes.Unavailable, status.Code(err))
	_, err = db.Exec("ROLLBACK")
	require.NoError(t, err)
}

// A legal basis in force is configuration with two dates; the plan that it allows
// is refused the day after.
func TestALegalBasisInForce(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	cf.LegalBasis = json.RawMessage(`{"id":"besluit","article":"art. 10.1.2 Wlz","from":"2025-01-01","to":"2025-12-31","poolable_laws":["WMO","JW","WLZ","ZVW"],"municipalities":["GM0119"]}`)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	h := play(t, f, options{})
	b, err := h.ask()
	require.NoError(t, err)
	require.Equal(t, "besluit", b.GetLegalBasis().GetId())
	p := new(budgetv1.Plan)
	require.NoError(t, protojson.Unmarshal(cf.Plan, p))
	c := h.client(nil)
	check, err := c.CheckPlan(t.Context(), &ontschotv1.CheckPlanRequest{Budget: b, Plan: p})
	require.NoError(t, err)
	require.Empty(t, check.GetRefused())
	require.False(t, check.GetBasisIsAssumed())
	require.Equal(t, int64(10019200), check.GetAllocatedCents())
	_, err = c.Account(t.Context(), &ontschotv1.AccountRequest{Budget: mustView(t, c, b), Plan: p})
	code, _, meta := reason(t, err)
	require.Equal(t, codes.InvalidArgument, code)
	require.Equal(t, "budget", meta["field"], "an account of one member's view would be short")
	half := &budgetv1.LegalBasis{Id: "half", From: "2025-01-01", To: "2025-06-30", PoolableLaws: []string{"WMO", "JW", "WLZ"}, Municipalities: []string{"GM0119"}}
	check, err = c.CheckPlan(t.Context(), &ontschotv1.CheckPlanRequest{Budget: b, Plan: p, Assume: half})
	require.NoError(t, err)
	require.Len(t, check.GetRefused(), 1, "not in force on every day of it")
	s, err := c.Sunset(t.Context(), &ontschotv1.SunsetRequest{Budget: b, Plan: p, Assume: half})
	require.NoError(t, err)
	require.Equal(t, "2025-07-01", s.GetFrom())
	require.NotEmpty(t, s.GetLines())
	require.NotEmpty(t, s.GetTextNl())
}

func mustView(t *testing.T, c *client.Client, b *budgetv1.Budget) *budgetv1.Budget {
	t.Helper()
	view, err := c.View(t.Context(), &ontschotv1.ViewRequest{Budget: b, Person: "A5"})
	require.NoError(t, err)
	return view
}

// What was pooled lawfully is accounted for so after the basis has ended.
func TestALegalBasisThatHasEnded(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	cf.LegalBasis = json.RawMessage(`{"id":"ended","article":"x","from":"2025-01-01","to":"2025-06-29","poolable_laws":["WMO","JW","WLZ"],"municipalities":["GM0119"]}`)
	f, err := family.New(cf, time.Now()) // today is 2025-06-30
	require.NoError(t, err)
	h := play(t, f, options{})
	b, err := h.ask()
	require.NoError(t, err)
	p := &budgetv1.Plan{Allocations: []*budgetv1.Allocation{{
		Id: "P1", Beneficiaries: []string{"A3", "A4"}, Cents: 300, From: "2025-03-01", To: "2025-06-15",
		Splits: []*budgetv1.Split{{Line: "A3/WMO/02/2025-01-01", Cents: 100}, {Line: "A4/WLZ/99/2025-01-01", Cents: 200}},
	}}}
	c := h.client(nil)
	check, err := c.CheckPlan(t.Context(), &ontschotv1.CheckPlanRequest{Budget: b, Plan: p})
	require.NoError(t, err)
	require.Empty(t, check.GetRefused())
	p.Allocations[0].To = "2025-06-30"
	check, err = c.CheckPlan(t.Context(), &ontschotv1.CheckPlanRequest{Budget: b, Plan: p})
	require.NoError(t, err)
	require.Len(t, check.GetRefused(), 1, "one day too long")
}

// Both halves of a budget that is taken apart give it back.
func TestDissolveAndBack(t *testing.T) {
	h, b, _, _ := toPresent(t)
	c := h.client(nil)
	for _, date := range []string{"2025-01-01", "2025-02-15", "2025-07-01", "2025-12-31"} {
		d, err := c.Dissolve(t.Context(), &ontschotv1.DissolveRequest{Budget: b, Date: date})
		require.NoError(t, err)
		for _, l := range b.GetLines() {
			if l.ValueCents == nil {
				continue
			}
			sum := d.GetBefore().GetLines()[l.GetId()] + d.GetAfter().GetLines()[l.GetId()]
			require.Equal(t, l.GetValueCents(), sum, "%s at %s", l.GetId(), date)
		}
	}
}
