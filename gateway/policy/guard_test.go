package policy

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// failures are the changes that each make one check fail on a request in order.
func failures() map[string]func(*Input) {
	return map[string]func(*Input){
		"no agreement":           func(in *Input) { in.Context.Agreement = nil },
		"empty agreement":        func(in *Input) { in.Context.Agreement = &AgreementTerms{} },
		"agreement over":         func(in *Input) { in.Context.Agreement.Until = "2026-01-04" },
		"agreement of another":   func(in *Input) { in.Context.Agreement.Requester = source },
		"no consent":             func(in *Input) { in.Context.Consent = nil },
		"empty consent":          func(in *Input) { in.Context.Consent = &ConsentTerms{} },
		"consent withdrawn":      func(in *Input) { in.Context.Consent.Status = "withdrawn" },
		"consent of another":     func(in *Input) { in.Context.Consent.Subject = "p-2" },
		"consent over":           func(in *Input) { in.Context.Consent.Until = "2026-01-04" },
		"consent to another":     func(in *Input) { in.Context.Consent.Sources = []string{asker} },
		"no mandate":             func(in *Input) { in.Context.Consent.Mandate = nil },
		"empty mandate":          func(in *Input) { in.Context.Consent.Mandate = &MandateTerms{} },
		"mandate over":           func(in *Input) { in.Context.Consent.Mandate.Until = "2026-01-04" },
		"mandate without end":    func(in *Input) { in.Context.Consent.Mandate.Until = "9999" },
		"mandate for another":    func(in *Input) { in.Context.Consent.Mandate.Scope = []string{"integral_budget.account"} },
		"no purpose":             func(in *Input) { in.Action.Properties.Purpose = "" },
		"no basis":               func(in *Input) { in.Resource.Properties.LegalBasis = "" },
		"no role":                func(in *Input) { in.Subject.Properties.Role = "" },
		"no assurance":           func(in *Input) { in.Subject.Properties.Assurance = "" },
		"no organisation":        func(in *Input) { in.Subject.ID, in.Resource.Properties.Source = "", "" },
		"no date":                func(in *Input) { in.Context.Date = "" },
		"another contract":       func(in *Input) { in.Context.Contract = "ontschot.request/9" },
		"a law not of the cell":  func(in *Input) { in.Action.Properties.Law = "wmo" },
		"only what is not known": func(in *Input) { in.Resource.Properties.Fields = []string{"diagnosis"} },
	}
}

func TestEveryFailedCheckAloneDenies(t *testing.T) {
	e := newEngine(t)
	for name, fail := range failures() {
		in := request()
		fail(&in)
		o := e.Evaluate(t.Context(), in)
		require.False(t, o.Allow, name)
		require.Empty(t, o.Fields, name)
		require.NotEmpty(t, o.Reasons, name)
	}
	require.False(t, e.Evaluate(t.Context(), Input{}).Allow)
}

func word(t *rapid.T, name string, words ...string) string {
	return rapid.SampledFrom(words).Draw(t, name)
}

// anyRequest draws one that is in order more often than chance would have it.
func anyRequest(t *rapid.T) Input {
	in := request()
	fields := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		"entitlement", "product", "period", "quantity", "amount", "income", "spending",
		"own_contribution", "reference", "provider", "diagnosis",
	}), 4, 9, rapid.ID[string])
	cell := word(t, "cell", "municipality/wmo", "municipality/jw", "careoffice/wlz", "uwv/wia", "uwv/uwv_provision", "insurer/zvw",
		"svb/jw", "cak/wmo", "education/edu", "transport/valys", "municipality/wlz", "bank/wmo")
	in.Resource.Properties.SourceKind, in.Action.Properties.Law, _ = strings.Cut(cell, "/")
	in.Resource.Properties.Fields = fields.Draw(t, "fields")
	in.Context.Agreement.Fields = fields.Draw(t, "agreed")
	in.Subject.Properties.Role = word(t, "role", "consulent", "consulent", "regisseur", "kwaliteitsmedewerker")
	if rapid.Bool().Draw(t, "by the person") {
		in.Context.Consent.By, in.Context.Consent.Mandate = "self", nil
	}
	in.Context.Consent.Status = word(t, "status", "active", "active", "active", "withdrawn", "expired")
	if rapid.Bool().Draw(t, "overlaid") {
		in.Subject.ID, in.Context.Agreement.Requester = overlaid, overlaid
	}
	if rapid.IntRange(0, 9).Draw(t, "agreement") == 0 {
		in.Context.Agreement = nil
	}
	return in
}

// What passes is asked, in the cell and in the agreement; all else is dropped with
// a code, and nothing is both.
func TestFieldsNeverExceedWhatWasAskedAndRegistered(t *testing.T) {
	e := newEngine(t)
	allowed := 0
	rapid.Check(t, func(t *rapid.T) {
		in := anyRequest(t)
		o := e.Evaluate(t.Context(), in)
		require.Equal(t, o.Allow, len(o.Fields) > 0)
		require.Equal(t, o.Allow, len(o.Reasons) == 0)
		cell := e.Categories(in.Action.Properties.Purpose, in.Resource.Properties.SourceKind, in.Action.Properties.Law)
		for field := range o.Fields {
			require.Contains(t, in.Resource.Properties.Fields, field)
			require.True(t, slices.ContainsFunc(cell, func(c budgetv1.Category) bool { return string(c) == field }))
			require.Contains(t, in.Context.Agreement.Fields, field)
			require.NotContains(t, o.Dropped, field)
		}
		if o.Allow {
			allowed++
			require.Equal(t, "active", in.Context.Consent.Status)
			require.Len(t, in.Resource.Properties.Fields, len(o.Fields)+len(o.Dropped))
		}
	})
	require.NotZero(t, allowed, "a property that nothing reaches says nothing")
}

// FuzzEvaluate feeds outside bytes: nothing panics, and what is allowed passed every check.
func FuzzEvaluate(f *testing.F) {
	whole, err := json.Marshal(request())
	require.NoError(f, err)
	f.Add(whole)
	for _, fail := range failures() {
		in := request()
		fail(&in)
		raw, err := json.Marshal(in)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Add([]byte(`{"context":{"agreement":null,"consent":{}}}`))
	f.Add([]byte(`[]`))
	e := newEngine(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := ParseInput(raw)
		if err == nil {
			requireChecks(t, in, e.Evaluate(t.Context(), in))
		}
		requireRulesHold(t, e, raw)
	})
}

func requireChecks(t *testing.T, in Input, o Outcome) {
	if !o.Allow {
		require.Empty(t, o.Fields)
		return
	}
	consent := in.Context.Consent
	require.NotNil(t, consent)
	require.Equal(t, "active", consent.Status)
	require.Equal(t, in.Resource.ID, consent.Subject)
	require.Contains(t, consent.Purposes, in.Action.Properties.Purpose)
	require.Contains(t, consent.Sources, in.Resource.Properties.Source)
	require.True(t, consent.From <= in.Context.Date && in.Context.Date <= consent.Until)
	if consent.By == "gemachtigde" {
		require.NotNil(t, consent.Mandate)
		require.Contains(t, consent.Mandate.Scope, in.Action.Properties.Purpose)
		require.Regexp(t, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", consent.Mandate.Until)
		require.LessOrEqual(t, in.Context.Date, consent.Mandate.Until)
	}
	if in.Subject.ID == in.Resource.Properties.Source {
		return
	}
	agreement := in.Context.Agreement
	require.NotNil(t, agreement)
	require.Equal(t, in.Subject.ID, agreement.Requester)
	require.Equal(t, in.Resource.Properties.Source, agreement.Source)
	require.Contains(t, agreement.Purposes, in.Action.Properties.Purpose)
	require.True(t, agreement.From <= in.Context.Date && in.Context.Date <= agreement.Until)
}

// requireRulesHold puts JSON before the rules themselves, of whatever types it is.
func requireRulesHold(t *testing.T, e *Engine, raw []byte) {
	value, err := ast.ValueFromReader(strings.NewReader(string(raw)))
	if err != nil {
		return
	}
	fields := []string{"entitlement", "product", "period", "quantity", "amount", "income", "spending", "own_contribution", "reference", "provider"}
	o, err := e.judge(t.Context(), value, fields)
	if err != nil || !o.Allow {
		return
	}
	whole, err := ast.JSON(value)
	require.NoError(t, err)
	requireChecks(t, Input{
		Subject:  Subject{ID: at(whole, "subject", "id")},
		Action:   Action{Properties: ActionProperties{Purpose: at(whole, "action", "properties", "purpose")}},
		Resource: Resource{ID: at(whole, "resource", "id"), Properties: ResourceProperties{Source: at(whole, "resource", "properties", "source")}},
		Context: Context{Date: at(whole, "context", "date"),
			Agreement: &AgreementTerms{
				Requester: at(whole, "context", "agreement", "requester"), Source: at(whole, "context", "agreement", "source"),
				Purposes: all(whole, "context", "agreement", "purposes"),
				From:     at(whole, "context", "agreement", "from"), Until: at(whole, "context", "agreement", "until"),
			},
			Consent: &ConsentTerms{
				Status: at(whole, "context", "consent", "status"), Subject: at(whole, "context", "consent", "subject"),
				Purposes: all(whole, "context", "consent", "purposes"), Sources: all(whole, "context", "consent", "sources"),
				From: at(whole, "context", "consent", "from"), Until: at(whole, "context", "consent", "until"),
				By:      at(whole, "context", "consent", "by"),
				Mandate: &MandateTerms{Scope: all(whole, "context", "consent", "mandate", "scope"), Until: at(whole, "context", "consent", "mandate", "until")},
			},
		},
	}, o)
}

func inside(value any, path ...string) any {
	for _, name := range path {
		value = member(value, "")[name]
	}
	return value
}

func at(value any, path ...string) string {
	text, _ := inside(value, path...).(string)
	return text
}

func all(value any, path ...string) []string {
	var texts []string
	list, _ := inside(value, path...).([]any)
	for _, item := range list {
		text, _ := item.(string)
		texts = append(texts, text)
	}
	return texts
}
