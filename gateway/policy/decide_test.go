package policy_test

import (
	"fmt"
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
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
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

operation := {"contract": "ontschot.decision/1", "decision": false, "reasons": ["ROL-01"], "checks": ["ROL-01"]}

reasons := [] if count(asked) > 0

reasons := ["SYS-01"] if count(asked) == 0

obligations := {"retention_days": 1, "notify": ["betrokkene"]} if count(asked) > 0

obligations := {} if count(asked) == 0
`)}
	return all
}

// access is about A1 at UWV with real documents, and a token of these
// details; nil for one that allows all.
func access(t require.TestingT, f *family.Family, agreed, consented []budgetv1.Category, details []token.Detail) policy.Access {
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
	covering, err := agreement.Find([]agreement.Agreement{a}, agreement.Use{Consumer: requester.OIN, Source: uwv.OIN, Purpose: f.Case.Purpose, Today: f.Case.Today.Date})
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
	yes, no := consent.Find([]consent.Document{d}, consent.Use{
		Subject: bsn, Source: uwv.OIN, Recipient: requester.OIN, Purpose: f.Case.Purpose, Case: f.CaseCommitment, Today: f.Case.Today.Date,
		Ended: func(string) bool { return false },
	})
	bearer, err := f.Token(f.Now, func(c *token.Claims) {
		if details != nil {
			c.Details = details
		}
	})
	require.NoError(t, err)
	caller, err := token.Checker{Keys: keys, Audience: string(requester.OIN), Now: func() time.Time { return f.Now }}.Check(token.Call{Bearer: bearer, Leaf: f.Requester().Client.TLS.Leaf})
	require.NoError(t, err)
	return policy.Access{
		Caller: caller, Purpose: f.Case.Purpose, Subject: "pseudonym", Today: f.Case.Today.Date, Requester: requester.OIN,
		RequesterKind: requester.Kind, Source: uwv.OIN, SourceKind: uwv.Kind, Laws: uwv.Laws,
		Agreement: covering, Consent: yes, NotConsented: no,
	}
}

// anyDetails draws what a token may be used for: some of it here, some elsewhere.
func anyDetails(t *rapid.T, f *family.Family) []token.Detail {
	texts := func(name string, from ...string) []string {
		return rapid.SliceOfDistinct(rapid.SampledFrom(from), rapid.ID[string]).Draw(t, name)
	}
	all := []string{"*"}
	for _, c := range budgetv1.Categories() {
		all = append(all, string(c))
	}
	details := []token.Detail{}
	for range rapid.IntRange(0, 3).Draw(t, "details") {
		details = append(details, token.Detail{
			Type:       rapid.SampledFrom([]string{"ontschot", "ontschot", "ontschot", "payment_initiation"}).Draw(t, "type"),
			Purposes:   texts("purposes", f.Case.Purpose, f.Case.Purpose+".other"),
			Sources:    texts("sources", "*", string(f.Parties["UWV"].OIN), string(f.Parties["SVB"].OIN)),
			Categories: texts("categories", all...),
		})
	}
	return details
}

// named says, in other words than the token room's, what a token allows of UWV.
func named(f *family.Family, details []token.Detail) []budgetv1.Category {
	var out []budgetv1.Category
	for _, c := range budgetv1.Categories() {
		for _, d := range details {
			has := func(list []string, one string) bool { return slices.Contains(list, one) || slices.Contains(list, "*") }
			if d.Type == "ontschot" && slices.Contains(d.Purposes, f.Case.Purpose) && has(d.Sources, string(f.Parties["UWV"].OIN)) && has(d.Categories, string(c)) {
				out = append(out, c)
				break
			}
		}
	}
	return out
}

// Whatever the rules say, nothing passes that token, agreement and consent do not all
// allow; and what does not pass is a gap with a reason.
func TestAPolicyNarrowsAndNeverWidens(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	for name, rules := range map[string]fs.FS{"the real rules": policies.FS, "rules that say yes to all": yesToAll(t)} {
		engine, err := policy.New(t.Context(), policy.Config{FS: rules, Timeout: time.Minute})
		require.NoError(t, err, name)
		rapid.Check(t, func(t *rapid.T) {
			subset := rapid.SliceOfDistinct(rapid.SampledFrom(budgetv1.Categories()), rapid.ID[budgetv1.Category])
			some := rapid.SliceOfNDistinct(rapid.SampledFrom(budgetv1.Categories()), 1, -1, rapid.ID[budgetv1.Category])
			agreed, consented, details := some.Draw(t, "agreed"), subset.Draw(t, "consented"), anyDetails(t, f)
			token := named(f, details)
			grant, gaps := engine.Decide(t.Context(), access(t, f, agreed, consented, details))
			for _, s := range grant.Scopes() {
				for _, c := range s.GetCategories() {
					require.Contains(t, agreed, budgetv1.Category(c))
					require.Contains(t, consented, budgetv1.Category(c))
					require.Contains(t, token, budgetv1.Category(c))
				}
			}
			every := slices.Contains(agreed, "entitlement") && slices.Contains(consented, "entitlement") && slices.Contains(token, "entitlement")
			require.Equal(t, every, grant.Allows())
			require.Equal(t, !covers(engine, f, agreed) || !covers(engine, f, consented) || !covers(engine, f, token), len(gaps) > 0)
		})
	}
}

// changed are the real rules with one edit.
func changed(t *testing.T, file, old, with string) *policy.Engine {
	t.Helper()
	files := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(policies.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS, path)
		files[path] = &fstest.MapFile{Data: raw}
		return err
	}))
	before := string(files[file].Data)
	require.Contains(t, before, old)
	files[file] = &fstest.MapFile{Data: []byte(strings.Replace(before, old, with, 1))}
	engine, err := policy.New(t.Context(), policy.Config{FS: files, Timeout: time.Minute})
	require.NoError(t, err)
	return engine
}

// A category that an answer needs is missed whatever takes it away, the matrix itself
// included: a budget never becomes less money in silence.
func TestWhatIsNeededIsMissed(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	const matrix, needs = "rules/matrix/integral_budget.compose/data.yaml", "rules/catalog/purposes/data.yaml"
	wia := "wia:\n      fields: {entitlement: none, product: none, period: none, income: none, reference: none}"
	every := budgetv1.Categories()
	less := func(without ...budgetv1.Category) []budgetv1.Category {
		return slices.DeleteFunc(budgetv1.Categories(), func(c budgetv1.Category) bool { return slices.Contains(without, c) })
	}
	for name, c := range map[string]struct {
		file, old, with   string
		agreed, consented []budgetv1.Category
		want              []string // reason, code, laws and categories of each gap
		passes            bool
	}{
		"nothing is missing":        {matrix, wia, wia, every, every, nil, true},
		"the matrix takes it away":  {matrix, wia, strings.Replace(wia, "income: none, ", "", 1), every, every, []string{"POLICY_DENIED VELD-01 WIA income"}, true},
		"and nobody asks for it":    {matrix, wia, strings.Replace(wia, "income: none, ", "", 1), less("income"), less("income"), []string{"POLICY_DENIED VELD-01 WIA income", "NO_AGREEMENT VELD-02 WAJONG,WW,ZW income"}, true},
		"it is not needed":          {matrix, wia, strings.Replace(wia, ", reference: none", "", 1), every, every, nil, true},
		"that there is a right":     {matrix, wia, strings.Replace(wia, "entitlement: none, ", "", 1), every, every, []string{"POLICY_DENIED VELD-01 WIA "}, true},
		"the agreement takes it":    {matrix, wia, wia, less("period"), every, []string{"NO_AGREEMENT VELD-02  period"}, true},
		"the consent takes it":      {matrix, wia, wia, every, less("period"), []string{"NO_CONSENT TOEST-01  period"}, true},
		"the cell is taken away":    {matrix, "    wia:\n", "    pw:\n", every, every, []string{"PURPOSE_NOT_ALLOWED DOEL-01 WIA "}, true},
		"what nobody says is known": {needs, "wia: [entitlement, product, period, income]", "wia: [entitlement, product, period, income, spending]", every, every, []string{"POLICY_DENIED VELD-01 WIA spending"}, true},
	} {
		grant, gaps := changed(t, c.file, c.old, c.with).Decide(t.Context(), access(t, f, c.agreed, c.consented, nil))
		require.Equal(t, c.passes, grant.Allows(), name)
		var got []string
		for _, g := range gaps {
			got = append(got, g.GetReason()+" "+g.GetCode()+" "+strings.Join(g.GetLaws(), ",")+" "+strings.Join(g.GetCategories(), ","))
		}
		require.ElementsMatch(t, c.want, got, name)
	}

	// Where the cell of one law is taken away, the others lack what they lacked: here a consent.
	lacking := access(t, f, every, every, nil)
	lacking.Consent, lacking.NotConsented = consent.Consent{}, consent.ErrNone
	grant, gaps := changed(t, matrix, "    wia:\n", "    pw:\n").Decide(t.Context(), lacking)
	require.False(t, grant.Allows())
	require.Len(t, gaps, 2)
	require.Equal(t, []string{"NO_CONSENT", "PURPOSE_NOT_ALLOWED"}, []string{gaps[0].GetReason(), gaps[1].GetReason()})
	require.Empty(t, gaps[0].GetLaws())
	require.Equal(t, []string{"WIA"}, gaps[1].GetLaws())
	require.Equal(t, []string{budgetv1.ActConsentAsk}, acts(gaps[0]))
	require.Equal(t, []string{budgetv1.ActNever}, acts(gaps[1]))
	lacking.Laws = []string{"WIA"}
	_, gaps = changed(t, matrix, "    wia:\n", "    pw:\n").Decide(t.Context(), lacking)
	require.Len(t, gaps, 1)
	require.Equal(t, "PURPOSE_NOT_ALLOWED DOEL-01", gaps[0].GetReason()+" "+gaps[0].GetCode())
	require.Empty(t, gaps[0].GetLaws())

	// A source of figures only is missed under a law whose cell was taken out.
	q := access(t, f, every, every, nil)
	q.SourceKind, q.Laws = "CAK", nil
	_, gaps = changed(t, matrix, "  cak:\n    wmo:\n", "  cak:\n    pw:\n").Decide(t.Context(), q)
	require.Contains(t, fmt.Sprint(gaps), "WMO")
}

// acts are those of a gap's way to yes.
func acts(g *budgetv1.Gap) (list []string) {
	for _, w := range g.GetWay() {
		list = append(list, w.GetAct())
	}
	return list
}

// The matrix as it is gives whatever is needed.
func TestTheMatrixGivesWhatIsNeeded(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	engine, err := policy.New(t.Context(), policy.Config{FS: policies.FS, Timeout: time.Minute})
	require.NoError(t, err)
	q := access(t, f, budgetv1.Categories(), budgetv1.Categories(), nil)
	for _, kind := range []string{"MUNICIPALITY", "CARE_OFFICE", "UWV", "INSURER", "SVB", "CAK", "EDUCATION", "TRANSPORT"} {
		q.SourceKind, q.Laws = kind, nil
		grant, gaps := engine.Decide(t.Context(), q)
		require.True(t, grant.Allows(), kind)
		require.Empty(t, gaps, kind)
	}
}

// covers reports whether nothing that UWV is asked for is left out.
func covers(e *policy.Engine, f *family.Family, cs []budgetv1.Category) bool {
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

// What the token does not name is reported as such, with a code that has words in both
// languages, and that the rules cannot answer with.
func TestWhatTheTokenDoesNotNameIsAGap(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	engine, err := policy.New(t.Context(), policy.Config{FS: policies.FS, Timeout: time.Minute})
	require.NoError(t, err)
	purposes, uwv, svb := []string{f.Case.Purpose}, string(f.Parties["UWV"].OIN), string(f.Parties["SVB"].OIN)
	one := func(sources, categories []string) token.Detail {
		return token.Detail{Type: "ontschot", Purposes: purposes, Sources: sources, Categories: categories}
	}
	all := []string{"*"}
	for name, c := range map[string]struct {
		details    []token.Detail
		categories []string // of the one gap; nil: the whole source
		passes     bool
	}{
		"all":                        {[]token.Detail{one(all, all)}, nil, true},
		"another source":             {[]token.Detail{one([]string{svb}, all)}, nil, false},
		"no source":                  {[]token.Detail{one(nil, all)}, nil, false},
		"no category":                {[]token.Detail{one(all, nil)}, nil, false},
		"nothing":                    {[]token.Detail{}, nil, false},
		"no entitlement":             {[]token.Detail{one(all, []string{"product"})}, nil, false},
		"two that are no one":        {[]token.Detail{one([]string{uwv}, []string{"product"}), one([]string{svb}, all)}, nil, false},
		"alternatives":               {[]token.Detail{one([]string{uwv}, []string{"entitlement", "product"}), one([]string{uwv}, []string{"period"})}, []string{"income", "reference"}, true},
		"a category of a stranger's": {[]token.Detail{one([]string{uwv}, []string{"entitlement", "product", "period", "reference"}), {Type: "other", Purposes: purposes, Sources: all, Categories: all}}, []string{"income"}, true},
	} {
		q := access(t, f, budgetv1.Categories(), budgetv1.Categories(), c.details)
		grant, gaps := engine.Decide(t.Context(), q)
		require.Equal(t, c.passes, grant.Allows(), name)
		if name == "all" {
			require.Empty(t, gaps)
			continue
		}
		require.NotEmpty(t, gaps, name)
		var missing []string
		for _, gap := range gaps {
			require.Equal(t, "PURPOSE_NOT_ALLOWED", gap.GetReason(), name)
			require.Equal(t, "DOEL-02", gap.GetCode(), name)
			missing = append(missing, gap.GetCategories()...)
		}
		require.Subset(t, missing, c.categories, name)
		require.NotContains(t, missing, "product", name)
	}
	texts, err := wording.ReadTexts(policies.FS)
	require.NoError(t, err)
	for _, lang := range []string{wording.Dutch, wording.English} {
		_, known := texts.Reason("DOEL-02", lang)
		require.True(t, known, lang)
	}
	require.NotContains(t, policy.Codes(), "DOEL-02")
}

// A grant clears from an answer what may not pass, whatever the source sent.
func TestAGrantMinimises(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	engine, err := policy.New(t.Context(), policy.Config{FS: policies.FS, Timeout: time.Minute})
	require.NoError(t, err)
	grant, _ := engine.Decide(t.Context(), access(t, f, budgetv1.Categories(), []budgetv1.Category{"entitlement", "period"}, nil))
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

// For how long what passes may be retained: as the cell says, less what an overlay of either
// side takes off; nothing where there is no cell.
func TestRetentionDays(t *testing.T) {
	e, err := policy.New(t.Context(), policy.Config{FS: policies.FS})
	require.NoError(t, err)
	const compose, shorter = "integral_budget.compose", "00000099000999999000"
	require.Equal(t, 90, e.RetentionDays(compose, budgetv1.KindMunicipality, "WMO"))
	require.Equal(t, 30, e.RetentionDays(compose, budgetv1.KindUWV, "WIA", "00000099000000000001"))
	require.Equal(t, 30, e.RetentionDays(compose, budgetv1.KindMunicipality, "WMO", "00000099000000000001", shorter))
	require.Zero(t, e.RetentionDays(compose, budgetv1.KindUWV, "PW"))
	require.Zero(t, e.RetentionDays("fraud.detect", budgetv1.KindUWV, "WIA"))
}
