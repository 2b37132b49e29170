package policy_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/casefile"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/testfamily"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// yesToAll is a policy whose core lets everything pass: the worst mistake that can
// be made in Rego.
func yesToAll(t *testing.T) fs.FS {
	t.Helper()
	all := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(policies.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".rego") {
			return err
		}
		raw, err := fs.ReadFile(policies.FS, path)
		all[path] = &fstest.MapFile{Data: raw}
		return err
	}))
	all["rules/core/decision.rego"] = &fstest.MapFile{Data: []byte(`package core

default asked := []

asked := input.resource.properties.fields

decision := {
	"contract": "ontschot.decision/1", "decision": count(asked) > 0, "reasons": reasons, "checks": ["SYS-01"],
	"fields": {f: "none" | some f in asked}, "dropped": {}, "obligations": obligations,
}

reasons := [] if count(asked) > 0

reasons := ["SYS-01"] if count(asked) == 0

obligations := {"retention_days": 1, "notify": ["betrokkene"]} if count(asked) > 0

obligations := {} if count(asked) == 0
`)}
	return all
}

// question makes a question about A1 at UWV with real documents.
func question(t require.TestingT, f *testfamily.Family, agreed, consented []budgetv1.Category) policy.Question {
	keys, err := f.Verifier()
	require.NoError(t, err)
	raw, err := f.Agreement("UWV", func(a *agreement.Terms) {
		a.Grants[0].Categories = []string{}
		for _, c := range agreed {
			a.Grants[0].Categories = append(a.Grants[0].Categories, string(c))
		}
	})
	require.NoError(t, err)
	a, err := agreement.Verify(keys, raw)
	require.NoError(t, err)
	requester, uwv := f.Requester(), f.Parties["UWV"]
	covering, err := agreement.Find([]agreement.Agreement{a}, requester.OIN, uwv.OIN, f.Case.Purpose, f.Case.Today.Date)
	require.NoError(t, err)
	c := f.Case.Consents[0]
	c.Categories = []string{}
	for _, one := range consented {
		c.Categories = append(c.Categories, string(one))
	}
	r, _, err := f.Consent(c, nil)
	require.NoError(t, err)
	d, err := consent.Verify(keys, r.GetDocument(), r.GetDisclosures(), r.GetSubjectKey())
	require.NoError(t, err)
	member, _ := f.Case.Member("A1")
	bsn, err := identity.ParseBSN(member.BSN)
	require.NoError(t, err)
	yes, no := consent.Find([]consent.Document{d}, consent.Question{
		Subject: bsn, Source: uwv.OIN, Recipient: requester.OIN, Purpose: f.Case.Purpose, Case: f.CaseCommitment, Today: f.Case.Today.Date,
		Ended: func(string) bool { return false },
	})
	bearer, err := f.Token(f.Now, nil)
	require.NoError(t, err)
	caller, err := token.Checker{Keys: keys, Audience: string(requester.OIN), Now: func() time.Time { return f.Now }}.Check(bearer, f.Client.TLS.Leaf)
	require.NoError(t, err)
	return policy.Question{
		Caller: caller, Purpose: f.Case.Purpose, Subject: "pseudonym", Today: f.Case.Today.Date, Requester: requester.OIN,
		RequesterKind: requester.Kind, Source: uwv.OIN, SourceKind: uwv.Kind, Laws: uwv.Laws,
		Agreement: covering, Consent: yes, NotConsented: no,
	}
}

// Whatever the rules say, nothing passes that agreement and consent do not both
// allow; and what does not pass is a gap with a reason.
func TestAPolicyNarrowsAndNeverWidens(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := testfamily.New(cf, time.Now())
	require.NoError(t, err)
	for name, rules := range map[string]fs.FS{"the real rules": policies.FS, "rules that say yes to all": yesToAll(t)} {
		engine, err := policy.New(t.Context(), policy.Config{FS: rules, Timeout: time.Minute})
		require.NoError(t, err, name)
		rapid.Check(t, func(t *rapid.T) {
			subset := rapid.SliceOfDistinct(rapid.SampledFrom(budgetv1.Categories()), rapid.ID[budgetv1.Category])
			agreed, consented := subset.Draw(t, "agreed"), subset.Draw(t, "consented")
			grant, gaps := engine.Decide(t.Context(), question(t, f, agreed, consented))
			for _, s := range grant.Scopes() {
				for _, c := range s.GetCategories() {
					require.Contains(t, agreed, budgetv1.Category(c))
					require.Contains(t, consented, budgetv1.Category(c))
				}
			}
			both := slices.Contains(agreed, "entitlement") && slices.Contains(consented, "entitlement")
			require.Equal(t, both, grant.Allows())
			require.Equal(t, !covers(engine, f, agreed) || !covers(engine, f, consented), len(gaps) > 0)
		})
	}
}

// covers tells whether nothing that UWV is asked for is left out.
func covers(e *policy.Engine, f *testfamily.Family, cs []budgetv1.Category) bool {
	uwv := f.Parties["UWV"]
	for _, law := range uwv.Laws {
		for _, c := range e.Categories(f.Case.Purpose, uwv.Kind, law) {
			if !slices.Contains(cs, c) {
				return false
			}
		}
	}
	return true
}

// A grant clears from an answer what may not pass, whatever the source sent.
func TestAGrantMinimises(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := testfamily.New(cf, time.Now())
	require.NoError(t, err)
	engine, err := policy.New(t.Context(), policy.Config{FS: policies.FS, Timeout: time.Minute})
	require.NoError(t, err)
	grant, _ := engine.Decide(t.Context(), question(t, f, budgetv1.Categories(), []budgetv1.Category{"entitlement", "period"}))
	r := &budgetv1.FetchResponse{
		Lines: []*budgetv1.BudgetLine{
			{Law: "WIA", Funder: "UWV", Product: &budgetv1.Product{Code: "WIA"}, Period: &budgetv1.Period{Start: "2025-01-01"}, Income: &budgetv1.Amount{Cents: 1}},
			{Law: "WMO", Funder: "UWV", Period: &budgetv1.Period{Start: "2025-01-01"}},
		},
		History: []*budgetv1.HistoryLine{{Law: "WW", Product: &budgetv1.Product{Code: "WW"}}, {Law: "JW"}},
		Notices: []*budgetv1.Notice{{Code: "SKIPPED", Law: "JW"}, {Code: "STALE"}},
	}
	grant.Minimise(r)
	require.Len(t, r.GetLines(), 1, "a law that was not granted is gone")
	require.Nil(t, r.GetLines()[0].GetProduct())
	require.Nil(t, r.GetLines()[0].GetIncome())
	require.Equal(t, "2025-01-01", r.GetLines()[0].GetPeriod().GetStart())
	require.Len(t, r.GetHistory(), 1)
	require.Nil(t, r.GetHistory()[0].GetProduct())
	require.Len(t, r.GetNotices(), 1)

	var none policy.Grant
	require.False(t, none.Allows())
	cents := int64(5)
	r = &budgetv1.FetchResponse{
		Lines:            []*budgetv1.BudgetLine{{Law: "WIA"}},
		Spends:           []*budgetv1.Spend{{Budget: "x", Function: "02", Cents: &cents}},
		OwnContributions: []*budgetv1.OwnContribution{{Law: "WMO", CentsPerMonth: &cents}},
	}
	none.Minimise(r)
	require.Empty(t, r.GetLines(), "the zero grant lets nothing pass")
	require.Empty(t, r.GetOwnContributions())
	require.True(t, proto.Equal(&budgetv1.Spend{}, r.GetSpends()[0]))
}
