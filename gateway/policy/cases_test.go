package policy

import (
	"bytes"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
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
	Pool      *casePool
	Statute   string // the matrix rests on this statute
	Expect    caseExpect
}

// casePool is money of several laws that is to be put together; the other fields then are empty.
type casePool struct {
	Municipality, From, To string
	Laws                   []string
}

// under gives the basis under which one allocation that is paid from each of the laws on
// every day stands, the first that there is; empty: it is refused.
func (p casePool) under(t *testing.T, bases []*budgetv1.LegalBasis) string {
	b := &budgetv1.Budget{Requester: p.Municipality, Today: p.From, Window: &budgetv1.Window{From: p.From, To: p.To}}
	a := &budgetv1.Allocation{Id: "P1", Beneficiaries: []string{"A1"}, Caregiver: "carer", Cents: int64(len(p.Laws)), From: p.From, To: p.To}
	for _, law := range p.Laws {
		id := "A1/" + law + "/02/" + p.From
		b.Lines = append(b.Lines, &budgetv1.BudgetLine{
			Id: id, Person: "A1", Law: law, Funder: p.Municipality, DeliveryForm: budgetv1.FormPGB, Fungibility: budgetv1.MoneyPoolable,
			Product: &budgetv1.Product{Code: "02"}, Period: &budgetv1.Period{Start: p.From, End: &p.To},
			Amount: &budgetv1.Amount{Cents: 100, Basis: "PERIOD_TOTAL"}, ValueCents: proto.Int64(100),
		})
		a.Splits = append(a.Splits, &budgetv1.Split{Line: id, Cents: 1})
	}
	for _, basis := range append(bases, nil) {
		check := plan.Check(plan.Input{Budget: b, Plan: &budgetv1.Plan{Allocations: []*budgetv1.Allocation{a}}, Basis: basis})
		if len(check.GetRefused()) == 0 {
			return basis.GetId()
		}
		require.Equal(t, budgetv1.RefusalSplitAcrossLaws, check.GetRefused()[0].GetCode())
	}
	return ""
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
	Masks         map[string]string // of the fields that may not pass whole
	Dropped       map[string]string
	RetentionDays int    `yaml:"retention_days"`
	Basis         string // under which money is put together
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
			require.Contains(t, []string{"allow", "deny"}, c.Expect.Decision)
			if c.Pool != nil {
				require.Equal(t, c.Expect.Basis, c.Pool.under(t, e.Bases()))
				require.Equal(t, c.Expect.Decision == "allow", c.Expect.Basis != "")
				return
			}
			e := e
			if c.Statute != "" {
				e = restingOn(t, c.Statute, "")
			}
			o := e.Evaluate(t.Context(), c.input())
			require.Equal(t, c.Expect.Decision == "allow", o.Allow, "reasons %v", o.Reasons)
			require.ElementsMatch(t, c.Expect.Codes, o.Reasons)
			require.ElementsMatch(t, c.Expect.Fields, slices.Collect(maps.Keys(o.Fields)))
			for category, mask := range o.Fields {
				require.Equal(t, or(c.Expect.Masks[category], "none"), mask, category)
			}
			if c.Expect.Dropped != nil || o.Allow {
				require.True(t, maps.Equal(c.Expect.Dropped, o.Dropped), "%v", o.Dropped)
			}
			if c.Expect.RetentionDays != 0 {
				require.Equal(t, c.Expect.RetentionDays, o.RetentionDays)
			}
		})
	}
}

// restingOn is an engine of which every basis of a public task rests on a statute, that is
// as the tables have it, or is switched on.
func restingOn(t *testing.T, statute, change string) *Engine {
	m := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(policies.FS, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS, file)
		switch file {
		case "rules/matrix/integral_budget.compose/data.yaml":
			raw = bytes.ReplaceAll(raw, []byte("      basis:\n        - avg6: avg-6-1-e\n"), []byte("      basis: [{avg6: avg-6-1-a, avg9: geen, national: [none], bsn: geen}]\n      dated:\n        - statute: "+statute+"\n          avg6: avg-6-1-e\n"))
			raw, _, _ = bytes.Cut(raw, []byte("  # Zorgverzekeraar.")) // what comes first will do, each once
			raw = regexp.MustCompile(`(?s)      # De Wams.*?statute: wams\n`).ReplaceAll(raw, nil)
		case "rules/catalog/statutes/data.yaml":
			if old, now, found := strings.Cut(change, " => "); found {
				before, after, there := bytes.Cut(raw, []byte("\n"+statute+":\n"))
				require.True(t, there)
				require.Contains(t, string(after), old)
				raw = slices.Concat(before, []byte("\n"+statute+":\n"), bytes.Replace(after, []byte(old), []byte(now), 1))
			}
		}
		m[file] = &fstest.MapFile{Data: raw}
		return err
	}))
	e, err := New(t.Context(), Config{FS: m, Timeout: time.Minute})
	require.NoError(t, err)
	return e
}

// A statute counts when it is active, is for sharing, and holds on the day; one that the list
// does not have never does.
func TestAStatuteIsSwitchedOnInTheTables(t *testing.T) {
	for _, c := range []struct {
		statute, change, date string
		allow                 bool
	}{
		{"wams", "", "2026-01-05", false},
		{"wams", "\n  active: false => \n  active: true", "2026-01-05", true},
		{"wams", "\n  active: false => \n  active: true", "2025-12-31", false},
		{"wgs", "use: [] => use: [sharing]", "2026-01-05", true},
		{"wgs", "use: [] => use: [pooling]", "2026-01-05", false},
		{"besluit-2019", "", "2026-01-05", false},
		{"onzin", "", "2026-01-05", false},
	} {
		in := namedCase{Date: c.date, Question: caseQuestion{Source: "careoffice", Law: "wlz", Fields: []string{"amount"}},
			Agreement: caseAgreement{From: "2025-01-01"}, Consent: caseConsent{From: "2025-01-01"}}.input()
		o := restingOn(t, c.statute, c.change).Evaluate(t.Context(), in)
		require.Equal(t, c.allow, o.Allow, "%v: %v", c, o.Reasons)
		if !c.allow {
			require.Equal(t, []string{"GROND-01"}, o.Reasons, "%v", c)
		}
	}
}

// What is not active pools nothing, whatever it says of itself.
func TestWhatIsNotActivePoolsNothing(t *testing.T) {
	for _, b := range newEngine(t).Bases() {
		require.Contains(t, []string{"besluit-2016", "besluit-2019"}, b.GetId())
		require.Equal(t, "2022-09-30", b.GetTo())
	}
	require.Len(t, restingOn(t, "besluit-2019", "\n  active: true => \n  active: false").Bases(), 1)
	require.Len(t, restingOn(t, "wams", "use: [sharing] => use: [pooling]").Bases(), 2)
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
		if c.Pool != nil {
			continue
		}
		in := c.input()
		if o := e.Evaluate(t.Context(), in); o.Allow {
			for field := range o.Fields {
				cells[in.Action.Properties.Purpose+"/"+in.Resource.Properties.SourceKind+"/"+in.Action.Properties.Law+"/"+field] = true
			}
		}
	}
	require.ElementsMatch(t, Codes(), slices.Collect(maps.Keys(codes)))
	for _, operation := range ontschotv1.Operations() {
		require.True(t, doors[operation], "no case lets anybody do %s", operation)
	}
	for purpose, kinds := range e.matrix {
		for kind, laws := range kinds {
			for law, categories := range laws {
				for _, category := range categories {
					require.True(t, cells[purpose+"/"+kind+"/"+law+"/"+string(category)], "no case gives %s of %s under %s for %s", category, kind, law, purpose)
				}
			}
		}
	}
}
