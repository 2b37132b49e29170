package gateway_test

import (
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

const auditTable = "rules/matrix/integral_budget.audit/data.yaml"

// stranger is what an organisation gets that no agreement names.
const stranger = "PermissionDenied OTHER_ORGANISATION"

// auditor is somebody of another party, in the case of the budget, who comes to audit.
func (h *house) auditor(code string, change func(*token.Claims)) caller {
	h.t.Helper()
	p := h.family.Parties[code]
	raw, err := family.MintToken(p.Token, p.Client.TLS.Leaf, h.family.CaseCommitment, h.family.Case.Purpose, h.now(), func(c *token.Claims) {
		c.Audience, c.Role = string(h.config.Own), "controleur"
		c.Details[0].Purposes = []string{ontschotv1.PurposeAuditSpending}
		if change != nil {
			change(c)
		}
	})
	require.NoError(h.t, err)
	return caller{p.Client.TLS.Leaf, raw}
}

// names puts an agreement with a source in the place of the one there is, which names these
// auditors.
func (h *house) names(source string, auditors ...string) {
	h.t.Helper()
	old := h.agreements[source]
	h.agree(source, func(t *agreement.Terms) { t.Replaces = old; h.naming(auditors...)(t) })
}

func (h *house) naming(auditors ...string) func(*agreement.Terms) {
	return func(t *agreement.Terms) {
		for _, code := range auditors {
			t.Oversight.Auditors = append(t.Oversight.Auditors, h.oin(code))
		}
	}
}

func (h *house) accounts(by caller, b *budgetv1.Budget) (*ontschotv1.AccountResponse, error) {
	return h.Account(by.call(), &ontschotv1.AccountRequest{Budget: proto.CloneOf(b), Plan: &budgetv1.Plan{}})
}

// passed writes down what an auditor gets: each funder, with + where what was spent is told;
// and each source that is left out, with the code.
func passed(a *ontschotv1.AccountResponse) (all []string) {
	for _, one := range a.GetAccounts() {
		for _, l := range one.GetLaws() {
			all = append(all, one.GetFunder()+strings.Repeat("+", min(1, int(l.GetSpentCents()))))
		}
	}
	for _, g := range a.GetLeftOut() {
		all = append(all, "-"+g.GetSource()+" "+g.GetCode())
	}
	return all
}

// within holds what an auditor gets against what the municipality gets: not a figure differs,
// each account is signed, and nothing of what is left out is in it.
func (h *house) within(whole, part *ontschotv1.AccountResponse) {
	h.t.Helper()
	require.Empty(h.t, whole.GetLeftOut())
	text := random.ReplaceAllString(protojson.Format(part), "")
	for _, full := range whole.GetAccounts() {
		at := slices.IndexFunc(part.GetAccounts(), func(a *budgetv1.Account) bool { return a.GetFunder() == full.GetFunder() })
		if at < 0 {
			for _, l := range full.GetLaws() {
				require.NotContains(h.t, text, strconv.FormatInt(l.GetAwardedCents(), 10))
			}
			continue
		}
		got := part.GetAccounts()[at]
		require.NoError(h.t, result.VerifyAccount(got, h.config.Trust))
		want := proto.CloneOf(full)
		want.Signature = got.GetSignature()
		for i, l := range got.GetLaws() {
			if l.SpentCents == nil {
				require.NotContains(h.t, text, strconv.FormatInt(want.GetLaws()[i].GetSpentCents(), 10))
				want.Laws[i].SpentCents, want.Laws[i].UnspentCents, want.Laws[i].OverspentCents, want.Laws[i].SpentAsOf = nil, nil, 0, ""
			}
		}
		require.True(h.t, proto.Equal(want, got), "%v\n%v", want, got)
	}
	for _, a := range part.GetAccounts() {
		require.True(h.t, slices.ContainsFunc(whole.GetAccounts(), func(o *budgetv1.Account) bool { return o.GetFunder() == a.GetFunder() }))
	}
	for _, g := range part.GetLeftOut() {
		require.Empty(h.t, g.GetPerson())
		require.NotEmpty(h.t, g.GetTextNl())
		require.NotEmpty(h.t, g.GetTextEn())
		require.Len(h.t, g.GetWay(), 1)
	}
}

// What an auditor gets follows from the agreements as they count at that moment, whatever
// becomes of them after the budget was composed; and it is a part of what the municipality gets.
func TestAnAuditorGetsWhatTheAgreementsOfNowNameItFor(t *testing.T) {
	const gm, zk, svb = "-GM0119 AUDITOR_NOT_NAMED", "-ZK5503 AUDITOR_NOT_NAMED", "-SVB AUDITOR_NOT_NAMED"
	both := func(h *house) { h.names("ZK5503", vendor); h.names("SVB", vendor) }
	for name, c := range map[string]struct {
		before, after func(h *house)
		want          []string // nil: as a stranger
	}{
		"nobody names it":                          {nil, nil, nil},
		"both name it":                             {both, nil, []string{"ZK5503+", gm}},
		"the funder names it":                      {func(h *house) { h.names("ZK5503", vendor) }, nil, []string{"ZK5503", gm, svb}},
		"who pays names it":                        {func(h *house) { h.names("SVB", vendor) }, nil, []string{gm, zk}},
		"one that an account tells nothing of":     {func(h *house) { h.names("CAK", vendor) }, nil, []string{gm, zk}},
		"one that is not in the budget":            {func(h *house) { h.names("UWV", vendor) }, nil, nil},
		"another is named":                         {func(h *house) { h.names("ZK5503", "UWV") }, nil, nil},
		"it is one of two":                         {func(h *house) { h.names("ZK5503", "UWV", vendor) }, nil, []string{"ZK5503", gm, svb}},
		"replaced by one that does not":            {both, func(h *house) { h.names("ZK5503") }, []string{gm, zk}},
		"replaced by one that does not, alone":     {func(h *house) { h.names("ZK5503", vendor) }, func(h *house) { h.names("ZK5503") }, nil},
		"replaced by one that does too":            {both, func(h *house) { h.names("ZK5503", vendor) }, []string{"ZK5503+", gm}},
		"replaced by the first that does":          {nil, func(h *house) { h.names("ZK5503", vendor) }, []string{"ZK5503", gm, svb}},
		"replaced twice, and then not":             {both, func(h *house) { h.names("ZK5503", vendor); h.names("ZK5503") }, []string{gm, zk}},
		"replaced twice, and then again":           {both, func(h *house) { h.names("ZK5503"); h.names("ZK5503", vendor) }, []string{"ZK5503+", gm}},
		"revoked":                                  {both, func(h *house) { act := revoking(h, household{}); act() }, []string{gm, zk}},
		"revoked by the other":                     {both, func(h *house) { act := revokedByThem(h, household{}); act() }, []string{gm, zk}},
		"revoked, and another chain names it":      {both, func(h *house) { act := revoking(h, household{}); act(); h.agree("ZK5503", h.naming(vendor)) }, []string{gm, zk}},
		"beside it another that names it":          {func(h *house) { h.names("SVB", vendor) }, func(h *house) { h.agree("ZK5503", h.naming(vendor)) }, []string{gm, zk}},
		"beside it another that does not":          {both, func(h *house) { h.agree("ZK5503", nil) }, []string{"ZK5503+", gm}},
		"who pays names it no more":                {both, func(h *house) { h.names("SVB") }, []string{"ZK5503", gm, svb}},
		"for another purpose from now on, but so":  {both, func(h *house) { h.forAnother("ZK5503", vendor) }, []string{"ZK5503+", gm}},
		"a key of the other is lost":               {both, func(h *house) { h.lose(h.family.Parties["ZK5503"].Sign) }, []string{gm, zk}},
		"a key of the other is not pinned anymore": {both, func(h *house) { require.NoError(h.t, h.keys.Pin(h.pins(h.family.Parties["ZK5503"].Sign))) }, []string{gm, zk}},
		"its days are over": {func(h *house) {
			old := h.agreements["ZK5503"]
			h.agree("ZK5503", func(t *agreement.Terms) { t.Replaces, t.Until = old, (h.Today() + 1).String(); h.naming(vendor)(t) })
			h.names("SVB", vendor)
		}, func(h *house) { h.today.Add(2) }, []string{gm, zk}},
		"its last day": {func(h *house) {
			old := h.agreements["ZK5503"]
			h.agree("ZK5503", func(t *agreement.Terms) { t.Replaces, t.Until = old, (h.Today() + 1).String(); h.naming(vendor)(t) })
			h.names("SVB", vendor)
		}, func(h *house) { h.today.Add(1) }, []string{"ZK5503+", gm}},
		"the next begins tomorrow": {both, func(h *house) {
			h.names("ZK5503", vendor)
			old := h.agreements["ZK5503"]
			h.agree("ZK5503", func(t *agreement.Terms) { t.Replaces, t.From = old, (h.Today() + 1).String() })
		}, []string{"ZK5503+", gm}},
		"the next began today": {both, func(h *house) {
			h.names("ZK5503", vendor)
			old := h.agreements["ZK5503"]
			h.agree("ZK5503", func(t *agreement.Terms) { t.Replaces, t.From = old, (h.Today() + 1).String() })
			h.today.Add(1)
		}, []string{gm, zk}},
		"nobody consents any more": {both, func(h *house) {
			for _, id := range h.ids(audit.ConsentDocument) {
				h.withdraw(id)
			}
		}, []string{"ZK5503+", gm}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			if c.before != nil {
				c.before(h)
			}
			b, err := h.compose(h.municipality().call(), h.paid())
			require.NoError(t, err)
			require.True(t, b.GetComplete())
			if c.after != nil {
				c.after(h)
			}
			whole, err := h.accounts(h.municipality(), b)
			require.NoError(t, err)
			require.Equal(t, []string{"GM0119+", "ZK5503+"}, passed(whole))
			part, err := h.accounts(h.auditor(vendor, nil), b)
			if c.want == nil {
				require.Equal(t, stranger, codeOf(err).String()+" "+reasonOf(err))
				require.Empty(t, part.GetAccounts())
			} else {
				require.NoError(t, err)
				require.ElementsMatch(t, c.want, passed(part))
				h.within(whole, part)
			}
			h.verify()
		})
	}
}

// forAnother puts terms for another purpose in the place of an agreement.
func (h *house) forAnother(source string, auditors ...string) {
	old := h.agreements[source]
	h.agree(source, func(t *agreement.Terms) {
		t.Replaces, t.Grants[0].Purposes = old, []string{"other.purpose"}
		h.naming(auditors...)(t)
	})
}

// paid is about one person of whom all is known that an account tells.
func (h *house) paid() *ontschotv1.AssembleBudgetRequest {
	h.t.Helper()
	p := h.person("P")
	h.give(p, "", all("GM0119", "ZK5503", "SVB", "CAK")...)
	return h.request([]person{p}, [2]string{"P", "GM0119"}, [2]string{"P", "ZK5503"}, [2]string{"P", "SVB"}, [2]string{"P", "CAK"})
}

// audited is a house with a budget that an auditor may audit in part.
func audited(t *testing.T) (*house, *budgetv1.Budget) {
	t.Helper()
	h := newHouse(t, nil)
	h.names("ZK5503", vendor)
	h.names("SVB", vendor)
	b, err := h.compose(h.municipality().call(), h.paid())
	require.NoError(t, err)
	return h, b
}

// Who is named gets in by no other door, and nobody else by this one. Who is not named hears
// the same, to the letter, whatever it presents.
func TestAnAuditorHasOneDoorAndAStrangerNone(t *testing.T) {
	h, b := audited(t)
	f := h.household()
	everything := func(c *token.Claims) { c.Details[0].Purposes = ontschotv1.Purposes() }
	for _, code := range []string{vendor, "UWV"} {
		for name, role := range map[string]string{"controleur": "controleur", "consulent": "consulent"} {
			by := h.auditor(code, func(c *token.Claims) { everything(c); c.Role = role })
			for door, call := range h.doors(h.yes(f.p, "", all("GM0119")...), f.care, b) {
				err := call(by.call())
				switch {
				case door != "Account" || code != vendor:
					require.Equal(t, stranger, codeOf(err).String()+" "+reasonOf(err), "%s %s %s", code, name, door)
				case role == "controleur":
					require.NoError(t, err)
				default:
					require.Equal(t, "PermissionDenied POLICY_DENIED", codeOf(err).String()+" "+reasonOf(err), door)
				}
			}
			_, err := h.compose(by.call(), h.about(f))
			require.Equal(t, stranger, codeOf(err).String()+" "+reasonOf(err), name)
		}
	}
	_, want := h.CheckPlan(h.auditor("UWV", nil).call(), &ontschotv1.CheckPlanRequest{})
	changed := proto.CloneOf(b)
	changed.Complete = !b.GetComplete()
	long := proto.CloneOf(b)
	for range 1000 {
		long.Sources = append(long.Sources, b.GetSources()...)
	}
	odd := proto.CloneOf(b)
	odd.Sources = append(odd.Sources, nil, &budgetv1.SourceReport{Source: "NOBODY", Status: "OK", Agreement: h.agreements["ZK5503"]}, &budgetv1.SourceReport{Source: "UWV", Status: "OK", Agreement: h.agreements["ZK5503"]})
	for name, one := range map[string]*budgetv1.Budget{"as it is": b, "changed": changed, "nothing": nil, "empty": {}, "long": long, "odd": odd, "made up": {Sources: []*budgetv1.SourceReport{{Source: "ZK5503", Status: "OK", Agreement: newID()}}}} {
		for _, change := range []func(*token.Claims){nil, everything, cleaner, func(c *token.Claims) { c.Case = "another" }, func(c *token.Claims) { c.Details = nil }} {
			_, err := h.Account(h.auditor("UWV", change).call("idempotency-key", "x"), &ontschotv1.AccountRequest{Budget: proto.CloneOf(one)})
			require.True(t, proto.Equal(said(want).Proto(), said(err).Proto()), "%s: %v", name, err)
		}
	}
}

// Who is named is held against the rest as the municipality is.
func TestAnAuditorIsHeldAgainstTheRest(t *testing.T) {
	h, b := audited(t)
	changed := proto.CloneOf(b)
	changed.Complete = !b.GetComplete()
	another := proto.CloneOf(b)
	another.Sources = append(another.Sources, &budgetv1.SourceReport{Source: "UWV", Person: "P", Status: "OK", Agreement: h.agreements["UWV"]})
	view, err := h.View(h.municipality().call(), &ontschotv1.ViewRequest{Budget: proto.CloneOf(b), Person: "P"})
	require.NoError(t, err)
	detail := func(change func(*token.Detail)) func(*token.Claims) {
		return func(c *token.Claims) { change(&c.Details[0]) }
	}
	for name, c := range map[string]struct {
		budget *budgetv1.Budget
		change func(*token.Claims)
		want   string
	}{
		"changed":               {changed, nil, "InvalidArgument BUDGET_NOT_AUTHENTIC"},
		"with a source more":    {another, nil, "InvalidArgument BUDGET_NOT_AUTHENTIC"},
		"a view":                {view.GetBudget(), nil, "InvalidArgument INVALID_FIELD"},
		"in another case":       {b, func(c *token.Claims) { c.Case = "another household" }, "PermissionDenied OTHER_HOUSEHOLD"},
		"another role":          {b, func(c *token.Claims) { c.Role = "consulent" }, "PermissionDenied POLICY_DENIED"},
		"not well enough known": {b, func(c *token.Claims) { c.Assurance = "laag" }, "PermissionDenied POLICY_DENIED"},
		"to account":            {b, detail(func(d *token.Detail) { d.Purposes = []string{ontschotv1.PurposeAccountForBudget} }), "PermissionDenied PURPOSE_NOT_ALLOWED"},
		"for another source":    {b, detail(func(d *token.Detail) { d.Sources = []string{string(h.oin("CAK"))} }), "PermissionDenied PURPOSE_NOT_ALLOWED"},
		"for another gateway":   {b, func(c *token.Claims) { c.Audience = string(h.oin(vendor)) }, "Unauthenticated TOKEN_AUDIENCE"},
		"another acts for it":   {b, func(c *token.Claims) { c.Actor = &token.Actor{Subject: "x", Organisation: h.oin("UWV")} }, "Unauthenticated TOKEN_NOT_BOUND"},
		"it acts for the auditor": {b, func(c *token.Claims) {
			c.Issuer, c.Organisation, c.Actor = h.oin("UWV"), h.oin("UWV"), &token.Actor{Subject: "x", Organisation: h.oin(vendor)}
		}, "Unauthenticated TOKEN_INVALID"},
	} {
		answer, err := h.accounts(h.auditor(vendor, c.change), c.budget)
		require.Equal(t, c.want, codeOf(err).String()+" "+reasonOf(err), name)
		require.Empty(t, answer.GetAccounts(), name)
		require.Empty(t, answer.GetLeftOut(), name)
	}
	old := h.agreements["ZK5503"]
	h.agree("ZK5503", func(t *agreement.Terms) { t.Replaces, t.Grants[0].RetentionDays = old, 5; h.naming(vendor)(t) })
	b, err = h.compose(h.municipality().call(), h.paid())
	require.NoError(t, err)
	h.later(4 * 24 * time.Hour)
	_, err = h.accounts(h.auditor(vendor, nil), b)
	require.NoError(t, err, "it may be kept for five days")
	h.later(2 * 24 * time.Hour)
	_, err = h.accounts(h.auditor(vendor, nil), b)
	require.Equal(t, "FailedPrecondition BUDGET_TOO_OLD", codeOf(err).String()+" "+reasonOf(err))
	_, err = h.accounts(h.auditor("UWV", nil), b)
	require.Equal(t, stranger, codeOf(err).String()+" "+reasonOf(err))
}

// Nobody acts for an auditor: a delegation of another organisation is not taken in here. Named
// or not, its delegate hears the same.
func TestNobodyActsForAnAuditor(t *testing.T) {
	h, b := audited(t)
	h.lets() // who acts for the municipality does not audit for itself
	for _, organisation := range []string{vendor, "UWV"} {
		p, actor := h.family.Parties[organisation], h.family.Parties["CAK"]
		raw, err := family.MintToken(p.Token, actor.Client.TLS.Leaf, h.family.CaseCommitment, h.family.Case.Purpose, h.now(), func(c *token.Claims) {
			c.Audience, c.Role, c.Details[0].Purposes = string(h.config.Own), "controleur", []string{ontschotv1.PurposeAuditSpending}
			c.Actor = &token.Actor{Subject: "their-system", Organisation: actor.OIN}
		})
		require.NoError(t, err)
		_, err = h.accounts(caller{actor.Client.TLS.Leaf, raw}, b)
		require.Equal(t, "PermissionDenied NO_DELEGATION", codeOf(err).String()+" "+reasonOf(err), organisation)
	}
	_, err := h.accounts(h.delegate(), b)
	require.Equal(t, "PermissionDenied NO_DELEGATION", codeOf(err).String()+" "+reasonOf(err), "delegated to compose, and not to account")
}

// A municipality that its own agreements name as auditor accounts as ever, and needs no more.
func TestAnAuditorThatIsTheRequester(t *testing.T) {
	h := newHouse(t, nil)
	h.names("ZK5503", "GM0119", "ZK5503")
	b, err := h.compose(h.municipality().call(), h.paid())
	require.NoError(t, err)
	whole, err := h.accounts(h.municipality(), b)
	require.NoError(t, err)
	require.Equal(t, []string{"GM0119+", "ZK5503+"}, passed(whole))
	_, err = h.accounts(h.worker(func(c *token.Claims) {
		c.Details[0].Purposes, c.Role = []string{ontschotv1.PurposeAuditSpending}, "controleur"
	}), b)
	require.Equal(t, "PermissionDenied PURPOSE_NOT_ALLOWED", codeOf(err).String()+" "+reasonOf(err))
	part, err := h.accounts(h.auditor("ZK5503", nil), b)
	require.NoError(t, err, "a funder can be the auditor of its own money")
	require.ElementsMatch(t, []string{"ZK5503", "-GM0119 AUDITOR_NOT_NAMED", "-SVB AUDITOR_NOT_NAMED"}, passed(part))
	h.within(whole, part)
}

// The log says who audited, by which agreements, and of whose budget; and no consent.
func TestAnAuditIsInTheLog(t *testing.T) {
	h, b := audited(t)
	ctx, trace := h.traced(h.auditor(vendor, nil))
	_, err := h.Account(ctx, &ontschotv1.AccountRequest{Budget: proto.CloneOf(b), Plan: &budgetv1.Plan{}})
	require.NoError(t, err)
	releases := h.record.releases(trace)
	require.Len(t, releases, 1)
	leaf := h.leaf(releases[0])
	require.Equal(t, ontschotv1.PurposeAuditSpending, leaf.Activity)
	require.ElementsMatch(t, []identity.OIN{h.config.Own, h.oin(vendor)}, leaf.Organisations)
	require.Len(t, leaf.Agreements, 2)
	require.Empty(t, leaf.Consents)
	require.Len(t, leaf.Subjects, 1)
	require.ElementsMatch(t, []string{h.agreements["ZK5503"], h.agreements["SVB"]}, h.rests(releases[0]))
	h.verify()
}

// The matrix and the municipality's own rules take away what an auditor sees.
func TestThePolicyNarrowsWhatAnAuditorSees(t *testing.T) {
	for name, c := range map[string]struct {
		kind, old, changed string
		want               []string // nil: refused
	}{
		"no amount":                    {"careoffice", ", amount: none", "", []string{"-GM0119 AUDITOR_NOT_NAMED", "-ZK5503 AUDIT_WITHHELD"}},
		"that there is an amount":      {"careoffice", "amount: none", "amount: exists", []string{"-GM0119 AUDITOR_NOT_NAMED", "-ZK5503 AUDIT_WITHHELD"}},
		"no entitlement":               {"careoffice", "entitlement: none, ", "", []string{"-GM0119 AUDITOR_NOT_NAMED", "-ZK5503 AUDIT_WITHHELD"}},
		"a cell that asks for consent": {"careoffice", "consent: false", "consent: true", []string{"-GM0119 AUDITOR_NOT_NAMED", "-ZK5503 AUDIT_WITHHELD"}},
		"another basis":                {"careoffice", "avg6: avg-6-1-e", "avg6: avg-6-1-c", []string{"-GM0119 AUDITOR_NOT_NAMED", "-ZK5503 AUDIT_WITHHELD"}},
		"no spending":                  {"svb", ", spending: none", "", []string{"ZK5503", "-GM0119 AUDITOR_NOT_NAMED", "-SVB AUDIT_WITHHELD"}},
		"another role":                 {"careoffice", "roles: [controleur]", "roles: [regisseur]", nil},
		"a higher level":               {"svb", "assurance: substantieel", "assurance: hoog", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, matrixOf(t, auditTable, c.kind, c.old, c.changed))
			h.names("ZK5503", vendor)
			h.names("SVB", vendor)
			b, err := h.compose(h.municipality().call(), h.paid())
			require.NoError(t, err)
			whole, err := h.accounts(h.municipality(), b)
			require.NoError(t, err)
			part, err := h.accounts(h.auditor(vendor, nil), b)
			if c.want == nil {
				require.Equal(t, "PermissionDenied POLICY_DENIED", codeOf(err).String()+" "+reasonOf(err))
				return
			}
			require.NoError(t, err)
			require.ElementsMatch(t, c.want, passed(part))
			h.within(whole, part)
		})
	}
}

// An agreement ends at every point of an audit: all that it names is told, or nothing of it.
func TestNothingIsToldToAnAuditorAfterItsAgreement(t *testing.T) {
	for name, end := range map[string]func(h *house){
		"revoked":  func(h *house) { act := revoking(h, household{}); act() },
		"replaced": func(h *house) { h.names("ZK5503") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, told, less := newHouse(t, nil), 0, map[string]int{}
			h.names("SVB", vendor)
			ask := h.paid()
			for k := int64(0); ; k += stride {
				h.agree("ZK5503", h.naming(vendor))
				b, err := h.compose(h.municipality().call(), ask)
				require.NoError(t, err)
				id := b.GetSources()[slices.IndexFunc(b.GetSources(), func(s *budgetv1.SourceReport) bool { return s.GetSource() == "ZK5503" })].GetAgreement()
				h.agreements["ZK5503"] = id
				ctx, trace := h.traced(h.auditor(vendor, nil))
				p := h.seams.arm(k, func() { end(h) })
				a, err := h.Account(ctx, &ontschotv1.AccountRequest{Budget: proto.CloneOf(b), Plan: &budgetv1.Plan{}})
				h.seams.disarm()
				require.NoError(t, err, p.where)
				if !p.fired.Load() {
					break
				}
				if last := h.agreements["ZK5503"]; last != id { // or each round would read one more
					_, err = h.RevokeAgreement(h.municipality().call(), &ontschotv1.RevokeAgreementRequest{Id: last, Reason: "it ends"})
					require.NoError(t, err)
				}
				releases := h.record.releases(trace)
				require.Len(t, releases, 1, p.where)
				if slices.Contains(passed(a), "ZK5503+") {
					told++
					require.Less(t, releases[0], h.ended(id), p.where)
					require.Contains(t, h.rests(releases[0]), id, p.where)
					continue
				}
				less[strings.Join(passed(a), " ")]++
				require.NotContains(t, h.rests(releases[0]), id, p.where)
			}
			seen(t, told)
			require.Equal(t, []string{"-GM0119 AUDITOR_NOT_NAMED -ZK5503 AUDITOR_NOT_NAMED"}, slices.Collect(maps.Keys(less)))
			h.verify()
		})
	}
}

// What the municipality itself takes away counts for an auditor, of what it may see and at the
// door; what the auditor's own organisation takes away elsewhere does not.
func TestTheMunicipalityIsStricterForAuditors(t *testing.T) {
	folder := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(policies.FS, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS, file)
		folder[file] = &fstest.MapFile{Data: raw}
		return err
	}))
	h := newHouse(t, nil) // for the numbers of the parties
	less := func(rules string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(rules)} }
	folder["rules/overlays/"+string(h.oin("GM0119"))+"/data.yaml"] = less("purposes:\n  integral_budget.audit:\n    remove_sources: [svb]\noperations:\n  budget.audit: {assurance: hoog}\n")
	folder["rules/overlays/"+string(h.oin(vendor))+"/data.yaml"] = less("purposes:\n  integral_budget.audit:\n    remove_roles: [controleur]\noperations:\n  budget.audit: {remove_roles: [controleur]}\n")
	judge, err := policy.New(t.Context(), policy.Config{FS: folder, Timeout: 10 * time.Second})
	require.NoError(t, err)
	h = newHouse(t, func(c *server.BrokerConfig) { c.Policy = policy.NewRules(judge) })
	h.names("ZK5503", vendor)
	h.names("SVB", vendor)
	b, err := h.compose(h.municipality().call(), h.paid())
	require.NoError(t, err)
	_, err = h.accounts(h.auditor(vendor, nil), b)
	require.Equal(t, "PermissionDenied POLICY_DENIED", codeOf(err).String()+" "+reasonOf(err))
	require.Equal(t, "budget.audit", metadataOf(err)["operation"])
	part, err := h.accounts(h.auditor(vendor, func(c *token.Claims) { c.Assurance = "hoog" }), b)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"ZK5503", "-GM0119 AUDITOR_NOT_NAMED", "-SVB AUDIT_WITHHELD"}, passed(part))
	for _, g := range part.GetLeftOut() {
		if g.GetSource() == "SVB" {
			require.Equal(t, "VELD-03 GM0119", g.GetWay()[0].GetCode()+" "+g.GetWay()[0].GetParty())
			require.Equal(t, []string{"WLZ"}, g.GetLaws())
		}
	}
}
