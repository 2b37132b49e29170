package policy

import (
	"bytes"
	"io/fs"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/policies"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// overlaid is the fictional organisation with an overlay.
const overlaid = "00000099000999999000"

// namedCase is one case of policies/cases, in an officer's words.
type namedCase struct {
	Name      string
	Date      string
	Question  caseQuestion
	Agreement caseAgreement
	Consent   caseConsent
	Without   []string
	Work      *caseWork
	Expect    caseExpect
}

type caseQuestion struct {
	Source, Law     string
	Fields          []string
	Purpose         string
	Basis           string
	Role            string
	Assurance       string
	OrgType         string `yaml:"org_type"`
	Contract        string
	Person          *string
	SourceOIN       string `yaml:"source_oin"`
	Own             bool
	Overlay         bool
	OverlayOfSource bool `yaml:"overlay_of_source"`
}

// caseWork is what somebody comes to do at a door; the other fields then are empty.
type caseWork struct {
	Does, Role, Assurance string
	Second                *struct{ Role, Assurance string }
	Overlay               bool
}

func (w caseWork) doing() doing {
	d := doing{organisation: asker, operation: w.Does, worker: worker{or(w.Role, "consulent"), or(w.Assurance, "substantieel")}}
	if w.Overlay {
		d.organisation = overlaid
	}
	if w.Second != nil {
		d.second = &worker{w.Second.Role, w.Second.Assurance}
	}
	return d
}

type caseAgreement struct {
	From, Until, Requester, Source string
	Purposes, Fields               []string
}

type caseConsent struct {
	From, Until, Status, Subject, By string
	Purposes, Sources                []string
	Mandate                          *struct {
		Scope []string
		Until string
	}
}

type caseExpect struct {
	Decision      string
	Codes         []string
	Fields        []string
	Dropped       map[string]string
	RetentionDays int `yaml:"retention_days"`
}

func readCases(t testing.TB) []namedCase {
	files, err := fs.Glob(policies.FS, "cases/*.yaml")
	require.NoError(t, err)
	var all []namedCase
	for _, file := range files {
		raw, err := fs.ReadFile(policies.FS, file)
		require.NoError(t, err)
		decoder := yaml.NewDecoder(bytes.NewReader(raw))
		decoder.KnownFields(true)
		var cases []namedCase
		require.NoError(t, decoder.Decode(&cases), file)
		all = append(all, cases...)
	}
	return all
}

func or[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

func orList(value, fallback []string) []string {
	if value == nil {
		return fallback
	}
	return value
}

// input is a request in order, with what the case says otherwise.
func (c namedCase) input() Input {
	q := c.Question
	in := request()
	in.Context.Date = c.Date
	in.Context.Contract = or(q.Contract, in.Context.Contract)
	in.Action.Properties = ActionProperties{Purpose: or(q.Purpose, in.Action.Properties.Purpose), Law: q.Law}
	p := &in.Subject.Properties
	p.OrgType, p.Role, p.Assurance = or(q.OrgType, p.OrgType), or(q.Role, p.Role), or(q.Assurance, p.Assurance)
	r := &in.Resource.Properties
	r.SourceKind, r.Fields, r.LegalBasis = q.Source, q.Fields, or(q.Basis, r.LegalBasis)
	r.Source = or(q.SourceOIN, r.Source)
	if q.Person != nil {
		in.Resource.ID = *q.Person
	}
	switch {
	case q.Overlay:
		in.Subject.ID = overlaid
	case q.OverlayOfSource:
		r.Source = overlaid
	case q.Own:
		r.Source = in.Subject.ID
	}
	c.documents(&in)
	return in
}

func (c namedCase) documents(in *Input) {
	purposes, r := []string{in.Action.Properties.Purpose}, in.Resource.Properties
	a, o := c.Agreement, c.Consent
	in.Context.Agreement = &AgreementTerms{
		ID: "a-1", Digest: "d-1", Requester: or(a.Requester, in.Subject.ID), Source: or(a.Source, r.Source),
		Purposes: orList(a.Purposes, purposes), Fields: orList(a.Fields, r.Fields),
		From: or(a.From, "2026-01-01"), Until: or(a.Until, "2026-12-31"),
	}
	in.Context.Consent = &ConsentTerms{
		ID: "c-1", Status: or(o.Status, "active"), Subject: or(o.Subject, in.Resource.ID), By: or(o.By, "self"),
		Purposes: orList(o.Purposes, purposes), Sources: orList(o.Sources, []string{r.Source}),
		From: or(o.From, "2026-01-01"), Until: or(o.Until, "2026-12-31"),
	}
	if m := o.Mandate; m != nil {
		in.Context.Consent.Mandate = &MandateTerms{Scope: orList(m.Scope, purposes), Until: or(m.Until, "2026-12-31")}
	}
	if slices.Contains(c.Without, "agreement") {
		in.Context.Agreement = nil
	}
	if slices.Contains(c.Without, "consent") {
		in.Context.Consent = nil
	}
}

func TestEveryCaseComesOutAsItsOfficerSays(t *testing.T) {
	e := newEngine(t)
	for _, c := range readCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			if c.Work != nil {
				o := e.operation(t.Context(), c.Work.doing())
				require.Equal(t, c.Expect.Decision == "allow", o.Allow, "reasons %v", o.Reasons)
				require.ElementsMatch(t, c.Expect.Codes, o.Reasons)
				return
			}
			o := e.Evaluate(t.Context(), c.input())
			require.Equal(t, c.Expect.Decision == "allow", o.Allow, "reasons %v", o.Reasons)
			require.Contains(t, []string{"allow", "deny"}, c.Expect.Decision)
			require.ElementsMatch(t, c.Expect.Codes, o.Reasons)
			require.ElementsMatch(t, c.Expect.Fields, slices.Collect(maps.Keys(o.Fields)))
			if c.Expect.Dropped != nil || o.Allow {
				require.True(t, maps.Equal(c.Expect.Dropped, o.Dropped), "%v", o.Dropped)
			}
			if c.Expect.RetentionDays != 0 {
				require.Equal(t, c.Expect.RetentionDays, o.RetentionDays)
			}
		})
	}
}

func TestTheCasesTouchEveryCodeAndEveryCell(t *testing.T) {
	e := newEngine(t)
	codes, cells := map[string]bool{}, map[string]bool{}
	names, doors := map[string]bool{}, map[ontschotv1.Operation]bool{}
	for _, c := range readCases(t) {
		require.False(t, names[c.Name], "two cases have the name %q", c.Name)
		names[c.Name] = true
		for _, code := range append(c.Expect.Codes, slices.Collect(maps.Values(c.Expect.Dropped))...) {
			codes[code] = true
		}
		if c.Work != nil {
			doors[ontschotv1.Operation(c.Work.Does)] = doors[ontschotv1.Operation(c.Work.Does)] || c.Expect.Decision == "allow"
			continue
		}
		in := c.input()
		if o := e.Evaluate(t.Context(), in); o.Allow {
			for field := range o.Fields {
				cells[in.Resource.Properties.SourceKind+"/"+in.Action.Properties.Law+"/"+field] = true
			}
		}
	}
	require.ElementsMatch(t, Codes(), slices.Collect(maps.Keys(codes)))
	for _, operation := range ontschotv1.Operations() {
		require.True(t, doors[operation], "no case lets anybody do %s", operation)
	}
	for kind, laws := range e.matrix["integral_budget.compose"] {
		for law, categories := range laws {
			for _, category := range categories {
				require.True(t, cells[kind+"/"+law+"/"+string(category)], "no case gives %s of %s under %s", category, kind, law)
			}
		}
	}
}
