package policy_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func judging(t testing.TB) (*family.Family, *policy.Engine) {
	t.Helper()
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	engine, err := policy.New(context.Background(), policy.Config{FS: policies.FS, Timeout: time.Minute})
	require.NoError(t, err)
	return f, engine
}

func everything() []budgetv1.Category { return budgetv1.Categories() }

// callerAs is a caller in another role, or at another level.
func callerAs(t testing.TB, f *family.Family, role, assurance string) token.Caller {
	t.Helper()
	keys, err := f.Verifier()
	require.NoError(t, err)
	bearer, err := f.Token(f.Now, func(c *token.Claims) { c.Role, c.Assurance = role, assurance })
	require.NoError(t, err)
	caller, err := token.Checker{Keys: keys, Audience: string(f.Requester().OIN), Now: func() time.Time { return f.Now }}.Check(token.Call{Bearer: bearer, Leaf: f.Requester().Client.TLS.Leaf})
	require.NoError(t, err)
	return caller
}

// written writes gaps down: reason, code, laws and categories of each.
func written(gaps []*budgetv1.Gap) []string {
	out := []string{}
	for _, g := range gaps {
		out = append(out, strings.TrimSpace(g.GetReason()+" "+g.GetCode()+" "+strings.Join(g.GetLaws(), ",")+" "+strings.Join(g.GetCategories(), ",")))
	}
	return out
}

// A grant says what it rests on and what may be asked, law by law.
func TestWhatAGrantSays(t *testing.T) {
	f, engine := judging(t)
	q := access(t, f, everything(), []budgetv1.Category{"entitlement", "period"}, nil)
	grant, _ := engine.Decide(t.Context(), q)
	require.True(t, grant.Allows())
	require.Equal(t, q.Consent.ID(), grant.Consent().ID())
	require.Equal(t, q.Agreement.Agreement().ID(), grant.Agreement().Agreement().ID())
	require.Equal(t, q.Laws, grant.Laws())
	require.Len(t, grant.Scopes(), len(q.Laws))
	for i, s := range grant.Scopes() {
		require.True(t, proto.Equal(&budgetv1.Scope{Law: q.Laws[i], Categories: []string{"entitlement", "period"}}, s), "%v", s)
	}
	var none policy.Grant
	require.Empty(t, none.Laws())
	require.Empty(t, none.Scopes())
}

// Of everything a source can answer, what was granted stays and all else goes: notices,
// spends and own contributions, and what nobody knows.
func TestAGrantMinimisesTheRest(t *testing.T) {
	f, engine := judging(t)
	cents := int64(5)
	unknown := []byte{0xf8, 0x07, 0x01}
	grant := func(kind string, laws []string, consented ...budgetv1.Category) policy.Grant {
		q := access(t, f, everything(), consented, nil)
		q.SourceKind, q.Laws = kind, laws
		g, _ := engine.Decide(t.Context(), q)
		require.True(t, g.Allows())
		return g
	}
	r := &budgetv1.FetchResponse{
		Lines:   []*budgetv1.BudgetLine{{Law: "WIA"}, {Law: "WMO"}, {Law: "WW"}},
		History: []*budgetv1.HistoryLine{{Law: "JW"}, {Law: "WIA"}},
		Notices: []*budgetv1.Notice{{Code: "SKIPPED", Law: "WIA"}, {Code: "SKIPPED", Law: "WMO"}, {Code: "STALE"}},
	}
	r.ProtoReflect().SetUnknown(unknown)
	for _, n := range r.Notices {
		n.ProtoReflect().SetUnknown(unknown)
	}
	grant("UWV", []string{"WIA", "WW"}, "entitlement", "period").Minimise(r)
	want := &budgetv1.FetchResponse{
		Lines:   []*budgetv1.BudgetLine{{Law: "WIA"}, {Law: "WW"}},
		History: []*budgetv1.HistoryLine{{Law: "WIA"}},
		Notices: []*budgetv1.Notice{{Code: "SKIPPED", Law: "WIA"}, {Code: "STALE"}},
	}
	require.True(t, proto.Equal(want, r), "%v", r)

	// The CAK sends own contributions and no lines; the period was not granted.
	r = &budgetv1.FetchResponse{
		Lines: []*budgetv1.BudgetLine{{Law: "WMO"}},
		OwnContributions: []*budgetv1.OwnContribution{
			{Law: "WMO", CentsPerMonth: &cents, Period: &budgetv1.Period{Start: "2025-01-01"}}, {Law: "JW", CentsPerMonth: &cents},
		},
	}
	grant("CAK", []string{"WMO"}, "own_contribution").Minimise(r)
	want = &budgetv1.FetchResponse{OwnContributions: []*budgetv1.OwnContribution{{Law: "WMO", CentsPerMonth: &cents}}}
	require.True(t, proto.Equal(want, r), "%v", r)

	// Whose law a spend is of is not given: what every law allows passes, and no more.
	spend := &budgetv1.Spend{Budget: "b", Function: "02", Start: "2025-01-01", Cents: &cents}
	r = &budgetv1.FetchResponse{Spends: []*budgetv1.Spend{proto.Clone(spend).(*budgetv1.Spend)}}
	grant("SVB", nil, everything()...).Minimise(r)
	require.True(t, proto.Equal(spend, r.GetSpends()[0]), "%v", r)
	grant("SVB", nil, "spending").Minimise(r)
	require.True(t, proto.Equal(&budgetv1.Spend{Cents: &cents}, r.GetSpends()[0]), "%v", r)
}

// Each reason for which a check before the policy fails, as it is reported; and of two the first.
func TestTheOrderOfTheChecks(t *testing.T) {
	f, engine := judging(t)
	other := errors.New("other")
	for name, c := range map[string]struct {
		agreed, consented error
		change            func(*policy.Access)
		want              string
	}{
		"no agreement":             {agreed: agreement.ErrNone, want: "NO_AGREEMENT OVK-01"},
		"an agreement that ended":  {agreed: agreement.ErrExpired, want: "AGREEMENT_EXPIRED OVK-02"},
		"not for the purpose":      {agreed: agreement.ErrPurpose, want: "NO_AGREEMENT OVK-03"},
		"whatever else":            {agreed: other, want: "NO_AGREEMENT OVK-01"},
		"no consent":               {consented: consent.ErrNone, want: "NO_CONSENT TOEST-01"},
		"who may sign is unclear":  {consented: consent.ErrAuthority, want: "AUTHORITY_UNCLEAR TOEST-05"},
		"signed by another":        {consented: consent.ErrWrongSigner, want: "WRONG_SIGNER TOEST-04"},
		"of another person":        {consented: consent.ErrOtherPerson, want: "NO_CONSENT TOEST-03"},
		"withdrawn":                {consented: consent.ErrWithdrawn, want: "CONSENT_WITHDRAWN TOEST-02"},
		"expired":                  {consented: consent.ErrExpired, want: "CONSENT_EXPIRED TOEST-01"},
		"of another household":     {consented: consent.ErrHousehold, want: "OTHER_HOUSEHOLD TOEST-01"},
		"whatever else of consent": {consented: other, want: "NO_CONSENT TOEST-01"},
		"neither":                  {agreed: agreement.ErrNone, consented: consent.ErrWithdrawn, want: "NO_AGREEMENT OVK-01"},
		"a role of nobody":         {change: func(q *policy.Access) { q.Caller = callerAs(t, f, "schoonmaker", "hoog") }, want: "POLICY_DENIED ROL-01"},
		"a level below the agreement's": {
			change: func(q *policy.Access) { q.Caller = callerAs(t, f, "consulent", "laag") }, want: "POLICY_DENIED ROL-01",
		},
		"a level below, and no consent": {
			consented: consent.ErrNone, change: func(q *policy.Access) { q.Caller = callerAs(t, f, "consulent", "laag") }, want: "POLICY_DENIED ROL-01",
		},
		"a role of nobody, and no consent": {
			consented: consent.ErrNone, change: func(q *policy.Access) { q.Caller = callerAs(t, f, "schoonmaker", "hoog") }, want: "NO_CONSENT TOEST-01",
		},
		"another purpose":      {agreed: agreement.ErrNone, change: func(q *policy.Access) { q.Purpose = "fraud.detect" }, want: "PURPOSE_NOT_ALLOWED DOEL-01"},
		"a source of another":  {agreed: agreement.ErrNone, change: func(q *policy.Access) { q.SourceKind = "BANK" }, want: "PURPOSE_NOT_ALLOWED DOEL-01"},
		"nothing to ask of it": {change: func(q *policy.Access) { q.SourceKind, q.Laws = "BANK", nil }, want: "PURPOSE_NOT_ALLOWED DOEL-01"},
	} {
		q := access(t, f, everything(), everything(), nil)
		q.NotAgreed, q.NotConsented = c.agreed, c.consented
		if c.change != nil {
			c.change(&q)
		}
		grant, gaps := engine.Decide(t.Context(), q)
		require.False(t, grant.Allows(), name)
		require.Equal(t, []string{c.want}, written(gaps), name)
	}
}

// The requester's own source needs no agreement with itself, whatever the agreement says.
func TestTheOwnSourceNeedsNoAgreement(t *testing.T) {
	f, engine := judging(t)
	q := access(t, f, everything(), everything(), nil)
	q.Agreement, q.NotAgreed = agreement.Covering{}, agreement.ErrNone
	_, gaps := engine.Decide(t.Context(), q)
	require.Equal(t, []string{"NO_AGREEMENT OVK-01"}, written(gaps))
	q.Requester, q.Source = f.Requester().OIN, f.Requester().OIN
	for _, not := range []error{agreement.ErrNone, nil} {
		q.NotAgreed = not
		grant, gaps := engine.Decide(t.Context(), q)
		require.True(t, grant.Allows(), "%v", gaps)
		require.Empty(t, gaps)
	}
}

// What is missing from some laws is reported by law, and from all of them without.
func TestGapsArePutTogether(t *testing.T) {
	f, engine := judging(t)
	less := func(without ...budgetv1.Category) []budgetv1.Category {
		return slices.DeleteFunc(everything(), func(c budgetv1.Category) bool { return slices.Contains(without, c) })
	}
	q := access(t, f, less("period"), less("income", "product"), nil)
	_, gaps := engine.Decide(t.Context(), q)
	income := []string{}
	for _, law := range q.Laws {
		if slices.Contains(engine.Categories(q.Purpose, q.SourceKind, law), budgetv1.CategoryIncome) {
			income = append(income, law)
		}
	}
	rest := slices.DeleteFunc(slices.Clone(q.Laws), func(law string) bool { return slices.Contains(income, law) })
	want := []string{"NO_AGREEMENT VELD-02  period", "NO_CONSENT TOEST-01 " + strings.Join(income, ",") + " product,income"}
	if len(rest) > 0 {
		want = append(want, "NO_CONSENT TOEST-01 "+strings.Join(rest, ",")+" product")
	}
	require.ElementsMatch(t, want, written(gaps))
}

// Who may ask nothing at all gets the codes of it, and who may ask something none;
// agreement and consent are not looked at.
func TestMayAsk(t *testing.T) {
	f, engine := judging(t)
	q := policy.Access{Purpose: f.Case.Purpose, Today: f.Case.Today.Date, Requester: f.Requester().OIN, RequesterKind: f.Requester().Kind, Subject: "pseudonym", Source: f.Parties["UWV"].OIN}
	for name, c := range map[string]struct {
		role, assurance, purpose string
		want                     []string
	}{
		"who may":             {"consulent", "substantieel", f.Case.Purpose, nil},
		"another who may":     {"regisseur", "hoog", f.Case.Purpose, nil},
		"too low a level":     {"consulent", "laag", f.Case.Purpose, []string{"ROL-01"}},
		"another role":        {"schoonmaker", "hoog", f.Case.Purpose, []string{"ROL-01"}},
		"a purpose of nobody": {"consulent", "hoog", "fraud.detect", []string{"DOEL-01"}},
	} {
		q := q
		q.Caller, q.Purpose = callerAs(t, f, c.role, c.assurance), c.purpose
		require.Equal(t, c.want, engine.MayAsk(t.Context(), q), name)
		q.NotAgreed, q.NotConsented = nil, nil
		require.Equal(t, c.want, engine.MayAsk(t.Context(), q), name)
		q.SourceKind, q.Laws = "UWV", []string{"WIA", "WW"}
		require.Equal(t, c.want == nil, engine.RoleSuffices(t.Context(), q), name)
	}
	q.Caller = callerAs(t, f, "consulent", "hoog")
	q.SourceKind, q.Laws = "UWV", []string{"WIA", "WMO"}
	require.False(t, engine.RoleSuffices(t.Context(), q), "a law that the purpose does not ask of the source")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	engine, err := policy.New(t.Context(), policy.Config{FS: policies.FS, Timeout: time.Minute})
	require.NoError(t, err)
	require.Equal(t, []string{"SYS-01"}, engine.MayAsk(gone, q), "not judged")
	require.False(t, engine.RoleSuffices(gone, q), "not judged")
}

// A law of which nothing is left is not asked about; without another there is no grant.
func TestALawOfWhichNothingIsLeft(t *testing.T) {
	f, engine := judging(t)
	q := access(t, f, everything(), []budgetv1.Category{"entitlement"}, nil)
	q.SourceKind, q.Laws = "CAK", []string{"WLZ", "WMO"}
	grant, gaps := engine.Decide(t.Context(), q)
	require.False(t, grant.Allows())
	require.Empty(t, grant.Scopes())
	require.Equal(t, []string{"NO_CONSENT TOEST-01"}, written(gaps))
}

// The ground that the agreement names must be one the matrix knows; that is reported before
// what the consent lacks.
func TestTheGroundOfTheAgreement(t *testing.T) {
	f, engine := judging(t)
	keys, err := f.Verifier()
	require.NoError(t, err)
	raw, err := f.Agreement("UWV", func(a *agreement.Terms) { a.Grants[0].LegalBasis = "avg-6-1-f" })
	require.NoError(t, err)
	a, err := agreement.Verify(keys, raw)
	require.NoError(t, err)
	q := access(t, f, everything(), everything(), nil)
	q.Agreement, err = agreement.Find([]agreement.Agreement{a}, agreement.Use{Consumer: q.Requester, Source: q.Source, Purpose: q.Purpose, Today: q.Today})
	require.NoError(t, err)
	for _, no := range []error{nil, consent.ErrNone} {
		q.NotConsented = no
		grant, gaps := engine.Decide(t.Context(), q)
		require.False(t, grant.Allows())
		require.Equal(t, []string{"NO_LEGAL_BASIS GROND-01"}, written(gaps))
	}
}

// A mask keeps a part back, though token, agreement and consent all allow the whole; of a
// category that an answer needs that is told.
func TestAMaskKeepsAPartBack(t *testing.T) {
	f, _ := judging(t)
	const matrix, wia = "rules/matrix/integral_budget.compose/data.yaml", "wia:\n      fields: {entitlement: none, product: none, period: none, income: none, reference: none}"
	for name, c := range map[string]struct {
		with  string
		gaps  []string
		masks map[string]string
	}{
		"needed":     {"wia:\n      fields: {entitlement: none, product: none, period: none, income: exists, reference: none}", []string{"POLICY_DENIED VELD-01 WIA income"}, map[string]string{"income": "exists"}},
		"no group":   {"wia:\n      fields: {entitlement: none, product: none, period: none, income: group, reference: none}", []string{"POLICY_DENIED VELD-01 WIA income"}, map[string]string{"income": "exists"}},
		"not needed": {"wia:\n      fields: {entitlement: none, product: none, period: none, income: none, reference: exists}", nil, map[string]string{"reference": "exists"}},
	} {
		grant, gaps := changed(t, matrix, wia, c.with).Decide(t.Context(), access(t, f, everything(), everything(), nil))
		require.ElementsMatch(t, c.gaps, written(gaps), name)
		for _, s := range grant.Scopes() {
			if s.GetLaw() == "WIA" {
				require.Equal(t, []string{"entitlement", "product", "period", "income", "reference"}, s.GetCategories(), name)
				require.Equal(t, c.masks, s.GetMasks(), name)
			} else {
				require.Empty(t, s.GetMasks(), name)
			}
		}
		r := &budgetv1.FetchResponse{Lines: []*budgetv1.BudgetLine{{
			Law: "WIA", Funder: "UWV", Income: &budgetv1.Amount{Cents: 5, Basis: "PER_MONTH"}, Decision: &budgetv1.Decision{Number: "N"},
		}}}
		grant.Minimise(r)
		require.Equal(t, c.masks["income"] == "", r.GetLines()[0].Income != nil, name)
		require.Equal(t, c.masks["reference"] == "", r.GetLines()[0].Decision != nil, name)
	}
}

// A Wlz profile tells a group of diagnoses. What a care office says leaves with the group
// of the profile, wherever in the answer it stands, unless the matrix says otherwise.
func TestTheProfileLeavesAsItsGroup(t *testing.T) {
	f, engine := judging(t)
	const matrix, masked = "rules/matrix/integral_budget.compose/data.yaml", "product: group"
	full := func() *budgetv1.FetchResponse {
		profile := func() *budgetv1.Product {
			return &budgetv1.Product{System: "COD163", Code: "830", Label: "VG", LocalCode: "VG-3"}
		}
		return &budgetv1.FetchResponse{
			Lines: []*budgetv1.BudgetLine{
				{Law: "WLZ", Funder: "ZK5503", Product: profile()},
				{Law: "WLZ", Funder: "ZK5503", Product: &budgetv1.Product{System: "OTHER", Code: "830"}},
			},
			History: []*budgetv1.HistoryLine{{Law: "WLZ", Product: profile()}},
			Notices: []*budgetv1.Notice{{Code: "CONFLICT", Law: "WLZ", Product: profile()}},
		}
	}
	q := access(t, f, everything(), everything(), nil)
	q.SourceKind, q.Laws = "CARE_OFFICE", []string{"WLZ"}
	grant, gaps := engine.Decide(t.Context(), q)
	require.Empty(t, gaps, "a group is whole enough for a budget")
	require.Equal(t, map[string]string{"product": "group"}, grant.Scopes()[0].GetMasks())
	r := full()
	grant.Minimise(r)
	group := &budgetv1.Product{System: "WLZ022", Code: "99", Label: "Wlz-zorg"}
	require.True(t, proto.Equal(group, r.GetLines()[0].GetProduct()))
	require.Nil(t, r.GetLines()[1].GetProduct(), "of a list without groups nothing is left")
	require.True(t, proto.Equal(group, r.GetHistory()[0].GetProduct()))
	require.True(t, proto.Equal(group, r.GetNotices()[0].GetProduct()))
	require.NotContains(t, r.String(), "830")

	grant, _ = changed(t, matrix, masked, "product: none").Decide(t.Context(), q)
	r = full()
	grant.Minimise(r)
	require.True(t, proto.Equal(full(), r), "opened for the purpose")
}

// What a case worker may do goes by their role and level, and where the cell asks for two
// by those of the second; the error names the operation and the codes.
func TestWhatACaseWorkerMayDo(t *testing.T) {
	f, engine := judging(t)
	two := changed(t, "rules/catalog/operations/data.yaml", "persons: 1", "persons: 2")
	worker, low, cleaner := callerAs(t, f, "consulent", "hoog"), callerAs(t, f, "consulent", "laag"), callerAs(t, f, "schoonmaker", "hoog")
	for name, c := range map[string]struct {
		engine       *policy.Engine
		caller, also token.Caller
		codes        []string // none: yes
	}{
		"who may":               {engine, worker, token.Caller{}, nil},
		"too low":               {engine, low, token.Caller{}, []string{"ROL-01"}},
		"another role":          {engine, cleaner, token.Caller{}, []string{"ROL-01"}},
		"one of two":            {two, worker, token.Caller{}, []string{"ROL-02"}},
		"two":                   {two, worker, worker, nil},
		"a second who may not":  {two, worker, cleaner, []string{"ROL-02"}},
		"a second who is low":   {two, worker, low, []string{"ROL-02"}},
		"a first who may not":   {two, cleaner, worker, []string{"ROL-01"}},
		"nobody, and a second":  {two, token.Caller{}, worker, nil},
		"nobody where one does": {engine, token.Caller{}, worker, nil},
	} {
		err := c.engine.MayDo(t.Context(), c.caller.Organisation(), c.caller, c.also, ontschotv1.OperationGiveConsent)
		if strings.HasPrefix(name, "nobody") {
			require.Error(t, err, name)
			continue
		}
		if c.codes == nil {
			require.NoError(t, err, name)
			continue
		}
		var no *policy.RefusedError
		require.ErrorAs(t, err, &no, name)
		require.Equal(t, ontschotv1.OperationGiveConsent, no.Operation, name)
		require.Equal(t, c.codes, no.Codes, name)
		require.NotEmpty(t, no.Way, name)
		require.EqualError(t, err, "the policy does not allow consents.give: "+strings.Join(c.codes, " "), name)
	}
}

// Laws that are refused for one reason are reported together, and apart from others.
func TestLawsThatAreRefused(t *testing.T) {
	f, _ := judging(t)
	const matrix, wia = "rules/matrix/integral_budget.compose/data.yaml", "wia:\n      fields: {entitlement: none, "
	engine := changed(t, matrix, wia, strings.Replace(wia, "entitlement: none, ", "", 1))
	q := access(t, f, everything(), everything(), nil)
	q.Laws = []string{"WMO", "WIA", "WW", "JW"}
	grant, gaps := engine.Decide(t.Context(), q)
	require.Equal(t, []string{"WW"}, grant.Laws())
	require.Equal(t, []string{"PURPOSE_NOT_ALLOWED DOEL-01 WMO,JW", "POLICY_DENIED VELD-01 WIA"}, written(gaps))
}
