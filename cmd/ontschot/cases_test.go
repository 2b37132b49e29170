package main

import (
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	"encoding/json"

	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Every case, published and of our own, is played from start to finish, and each
// figure that its author worked out by hand comes out to the cent.
func TestEveryCaseComesOut(t *testing.T) {
	names := casefile.Names()
	own, err := filepath.Glob("testdata/cases/*.json")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(own), 12)
	for _, name := range append(names, own...) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			cf, err := casefile.Open(name)
			require.NoError(t, err)
			played, err := demo(t.Context(), cf, name, "", io.Discard)
			require.NoError(t, err)
			require.NoError(t, played.unplanned)
			compare(t, cf.Expected, played.budget)
			comparePlan(t, cf.Expected, played)
		})
	}
}

func compare(t *testing.T, want casefile.Expected, b *budgetv1.Budget) {
	t.Helper()
	lines := map[string]*int64{}
	var contested []string
	for _, l := range b.GetLines() {
		lines[l.GetId()] = l.ValueCents
		if l.GetContested() {
			contested = append(contested, l.GetId())
		}
	}
	require.Equal(t, text(want.Lines), text(lines), "lines")
	totals := map[string]map[string]int64{
		"by_law": b.GetTotals().GetByLaw(), "by_funder": b.GetTotals().GetByFunder(),
		"by_person": b.GetTotals().GetByPerson(), "by_fungibility": b.GetTotals().GetByFungibility(),
	}
	for by, sums := range want.Totals {
		require.Equal(t, text(sums), text(totals[by]), by)
	}
	for name, pair := range map[string][2]*int64{
		"care total": {want.CareTotalCents, b.CareTotalCents}, "income": {want.IncomeCents, b.IncomeCents},
		"ring-fenced": {want.RingfencedCents, b.RingfencedCents}, "own contribution": {want.OwnContributionCents, b.OwnContributionCents},
	} {
		require.Equal(t, text(pair[0]), text(pair[1]), name)
	}
	if want.CarryOverCents != nil {
		require.Equal(t, text(want.CarryOverCents), text(b.GetCarryOverCents()), "carry-over")
	}
	if want.RemainingCents != nil {
		require.Equal(t, text(want.RemainingCents), text(b.GetRemainingCents()), "remaining")
	}
	require.ElementsMatch(t, want.ContestedLines, contested)
	if want.ContestedCents != nil {
		require.Equal(t, *want.ContestedCents, b.GetContestedCents())
	}
	compareFindings(t, want, b)
}

func compareFindings(t *testing.T, want casefile.Expected, b *budgetv1.Budget) {
	t.Helper()
	var found []map[string]any
	for _, f := range b.GetFindings() {
		raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(f)
		require.NoError(t, err)
		var one map[string]any
		require.NoError(t, json.Unmarshal(raw, &one))
		require.NotEmpty(t, f.GetTextNl(), f.GetCode())
		require.NotEmpty(t, f.GetTextEn(), f.GetCode())
		require.Contains(t, []string{"INFO", "WARNING", "ERROR"}, f.GetSeverity())
		require.Contains(t, budgetv1.FindingCodes(), f.GetCode())
		require.NotContains(t, want.NoFindings, f.GetCode(), "%v", one)
		found = append(found, one)
	}
	for _, f := range want.Findings {
		require.True(t, anyHas(found, f), "finding %v is missing among %v", f, found)
	}
	for _, g := range want.Gaps {
		ok := false
		for _, have := range b.GetGaps() {
			ok = ok || have.GetPerson() == g.Person && have.GetSource() == g.Source && have.GetReason() == g.Reason
			require.NotEmpty(t, have.GetTextNl(), have.GetReason())
			require.NotEmpty(t, have.GetTextEn(), have.GetReason())
		}
		require.True(t, ok, "gap %v is missing among %v", g, b.GetGaps())
	}
	require.Equal(t, len(b.GetGaps()) == 0, b.GetComplete())
	if len(want.Gaps) == 0 {
		for _, g := range b.GetGaps() { // parts of a source that a consent left out may be disclosed
			require.NotEmpty(t, append(g.GetCategories(), g.GetLaws()...), "%v", g)
		}
	}
}

func anyHas(found []map[string]any, want map[string]any) bool {
	for _, f := range found {
		all := true
		for k, v := range want {
			all = all && fmt.Sprint(f[k]) == fmt.Sprint(v)
		}
		if all {
			return true
		}
	}
	return false
}

func comparePlan(t *testing.T, want casefile.Expected, d *played) {
	t.Helper()
	if want.Plan == nil {
		return
	}
	for i, w := range []*casefile.ExpectedCheck{want.Plan.Without, want.Plan.With} {
		if w == nil {
			continue
		}
		require.Greater(t, len(d.plans), i)
		check := d.plans[i].check
		var refused []string
		for _, r := range check.GetRefused() {
			refused = append(refused, r.GetAllocation())
			require.NotEmpty(t, r.GetTextNl())
			require.NotEmpty(t, r.GetInsteadNl(), "a refusal says what to do instead")
			require.NotEmpty(t, r.GetInsteadEn())
		}
		require.ElementsMatch(t, w.Refused, refused)
		if w.AllocatedCents != nil {
			require.Equal(t, *w.AllocatedCents, check.GetAllocatedCents())
		}
		if w.UnallocatedCents != nil {
			require.Equal(t, *w.UnallocatedCents, check.GetUnallocatedCents())
		}
		if w.UnallocatedByLaw != nil {
			require.Equal(t, text(w.UnallocatedByLaw), text(check.GetUnallocatedByLaw()))
		}
		if w.Account == nil {
			continue
		}
		got := map[string]map[string]int64{}
		for _, a := range d.plans[i].accounts {
			for _, l := range a.GetLaws() {
				if l.GetAllocatedCents() == 0 {
					continue
				}
				if got[a.GetFunder()] == nil {
					got[a.GetFunder()] = map[string]int64{}
				}
				got[a.GetFunder()][l.GetLaw()] = l.GetAllocatedCents()
			}
		}
		require.Equal(t, text(w.Account), text(got))
	}
}

// text makes maps and pointers comparable and readable; an empty map is none.
func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	if string(raw) == "{}" {
		return "null"
	}
	return string(raw)
}
