package policy

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// overlaid is the fictional organisation with an overlay.
const overlaid = "00000099000999999000"

// namedCase is one case of policies/cases that asks a question, as the Rego test puts it.
type namedCase struct {
	Name   string
	Expect CaseAnswer
	in     Input
}

func (c namedCase) input() Input { return c.in }

// readCases are the questions of the cases that are about the tables as they are.
func readCases(t testing.TB) []namedCase {
	tree, err := load(t.Context(), policies.FS)
	require.NoError(t, err)
	set, problems := gatherCases(policies.FS)
	require.Empty(t, problems)
	var requests map[string]map[string]Input
	require.NoError(t, tree.askCases(t.Context(), set, "data.cases_test.requests", &requests))
	report, err := tree.run(t.Context(), set)
	require.NoError(t, err)
	var all []namedCase
	for _, r := range report.Cases {
		if in, ok := requests[r.Group][r.Name]; ok {
			all = append(all, namedCase{r.Name, r.Expected, in})
		}
	}
	require.NotEmpty(t, all)
	return all
}

func runCases(t testing.TB) *CaseReport {
	report, err := RunCases(t.Context(), policies.FS)
	require.NoError(t, err)
	return report
}

func TestEveryCaseComesOutAsItsOfficerSays(t *testing.T) {
	report := runCases(t)
	require.True(t, report.Passed, "%v", report.Failures())
	require.GreaterOrEqual(t, len(report.Cases), 150)
	names := map[string]bool{}
	for _, c := range report.Cases {
		require.True(t, c.Passed, c.Name)
		require.False(t, names[c.Name], "two cases have the name %q", c.Name)
		names[c.Name] = true
	}
}

// The gateway's engine answers each question as the Rego test says: it writes the same
// request, reads the answer, and guards both.
func TestTheEngineAnswersTheCasesAlike(t *testing.T) {
	e := newEngine(t)
	for _, c := range readCases(t) {
		o := e.Evaluate(t.Context(), c.in)
		require.Equal(t, c.Expect.Decision == "allow", o.Allow, c.Name)
		require.ElementsMatch(t, c.Expect.Codes, o.Reasons, c.Name)
		require.True(t, maps.Equal(c.Expect.Fields, o.Fields), "%s: %v", c.Name, o.Fields)
	}
}

// pool is money of several laws that is to be put together.
type pool struct {
	Municipality string   `json:"municipality"`
	Laws         []string `json:"laws"`
	From         string   `json:"from"`
	To           string   `json:"to"`
}

// under gives the basis under which one allocation that is paid from each of the laws on
// every day stands, the first that there is; empty: it is refused.
func (p pool) under(t *testing.T, bases []*budgetv1.LegalBasis) string {
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
	for _, basis := range append(slices.Clone(bases), nil) {
		check := plan.Check(plan.Input{Budget: b, Plan: &budgetv1.Plan{Allocations: []*budgetv1.Allocation{a}}, Basis: basis})
		if len(check.GetRefused()) == 0 {
			return basis.GetId()
		}
		require.Equal(t, budgetv1.RefusalSplitAcrossLaws, check.GetRefused()[0].GetCode())
	}
	return ""
}

// Plans and the tables' bases pool money exactly where the Rego test says so: for every case
// of a pool, and for a grid of municipalities, laws and days around those of the statutes.
func TestPlansPoolAsTheCasesSay(t *testing.T) {
	tree, err := load(t.Context(), policies.FS)
	require.NoError(t, err)
	set, problems := gatherCases(policies.FS)
	require.Empty(t, problems)
	pools := map[string]pool{}
	for _, c := range set.cases {
		of := member(set.data[c.group], c.name)
		if of["pool"] != nil {
			var p pool
			require.NoError(t, reread(of["pool"], &p))
			pools[c.name] = p
		}
	}
	require.GreaterOrEqual(t, len(pools), 11)
	days := []string{"2016-12-31", "2017-01-01", "2019-12-31", "2020-01-01", "2022-09-30", "2022-10-01"}
	for _, municipality := range []string{"GM0119", "GM0503", "GM0599", "GM0344"} {
		for _, laws := range [][]string{{"WMO", "JW"}, {"WMO", "WLZ", "ZVW"}, {"WLZ", "EDU"}} {
			for i, from := range days {
				for _, to := range days[i:] {
					pools[fmt.Sprint(municipality, laws, from, to)] = pool{municipality, laws, from, to}
				}
			}
		}
	}
	grid := map[string]any{}
	for name, p := range pools {
		grid[name] = map[string]any{"pool": p, "expect": map[string]any{"decision": "deny", "basis": "besluit-2016"}}
	}
	var plain map[string]any
	require.NoError(t, reread(grid, &plain))
	answers, _, err := tree.judgeCases(t.Context(), caseSet{data: map[string]any{"grid": plain}})
	require.NoError(t, err)
	pooled := 0
	for name, p := range pools {
		got := answers["grid"][name].Got
		require.Contains(t, []string{"allow", "deny"}, got.Decision, name)
		require.Equal(t, got.Basis, p.under(t, newBases(tree.data)), name)
		require.Equal(t, got.Decision == "allow", got.Basis != "", name)
		if got.Basis != "" {
			pooled++
		}
	}
	require.Greater(t, pooled, 20)
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
		in := request()
		in.Context.Date, in.Context.Agreement.From, in.Context.Consent.From = c.date, "2025-01-01", "2025-01-01"
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
	codes, cells, masks, doors := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[ontschotv1.Operation]bool{}
	for _, c := range runCases(t).Cases {
		for _, code := range append(slices.Clone(c.Got.Codes), slices.Collect(maps.Values(c.Got.Dropped))...) {
			codes[code] = true
		}
		if c.About.Operation != "" && c.Got.Decision == "allow" {
			doors[ontschotv1.Operation(c.About.Operation)] = true
		}
		for field, mask := range c.Got.Fields {
			masks[mask] = true
			cells[strings.Join([]string{c.About.Purpose, c.About.Source, c.About.Law, field}, "/")] = true
		}
	}
	require.ElementsMatch(t, Codes(), slices.Collect(maps.Keys(codes)))
	require.ElementsMatch(t, texts(budgetv1.MaskNames()), slices.Collect(maps.Keys(masks)))
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
