package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// small is a case that shows one kind of trouble: what its author says of the budget is
// held, and nothing else.
type small struct {
	expected map[string]json.RawMessage
	open     []string // keys that the rules leave to the program
	budget   map[string]any
	lines    map[string]map[string]any
}

// Small cases are played from start to finish: our own, one for each rule of reading what
// sources send, and those in the folder that ONTSCHOT_CASES names.
func TestEverySmallCaseComesOut(t *testing.T) {
	for i, file := range smallCases(t) {
		if i%3 != 0 && os.Getenv("ONTSCHOT_LONG") == "" { // there all of them are played
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			holdSmall(t, file, func(cf *casefile.Case) *played {
				played, err := demo(t.Context(), cf, file, "", io.Discard)
				require.NoError(t, err)
				return played
			})
		})
	}
}

// smallCases are the files of them.
func smallCases(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/field/*.json")
	require.NoError(t, err)
	if more := os.Getenv("ONTSCHOT_CASES"); more != "" {
		others, err := filepath.Glob(filepath.Join(more, "*.json"))
		require.NoError(t, err)
		require.NotEmpty(t, others, "ONTSCHOT_CASES holds no case")
		files = append(files, others...)
	}
	return files
}

// holdSmall plays a small case and holds what its author says of it.
func holdSmall(t *testing.T, file string, play func(*casefile.Case) *played) *played {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var whole struct{ Expected map[string]json.RawMessage }
	require.NoError(t, json.Unmarshal(raw, &whole))
	cf, err := casefile.Open(file)
	require.NoError(t, err)
	played := play(cf)
	s := small{expected: whole.Expected, budget: asJSON(t, played.budget), lines: map[string]map[string]any{}}
	s.want(t, "open", &s.open)
	for _, l := range s.list("lines") {
		s.lines[fmt.Sprint(l["id"])] = l
	}
	s.holdMoney(t)
	s.holdLines(t)
	s.holdLists(t, played.budget)
	s.holdPlan(t, played)
	holdHalves(t, played.budget)
	return played
}

func asJSON(t *testing.T, m proto.Message) map[string]any {
	t.Helper()
	raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	require.NoError(t, err)
	var out map[string]any
	require.NoError(t, json.Unmarshal(raw, &out))
	return out
}

// want reads what the author says under a key, and reports whether it is held.
func (s small) want(t *testing.T, key string, into any) bool {
	t.Helper()
	raw, said := s.expected[key]
	if !said || slices.Contains(s.open, key) {
		return false
	}
	require.NoError(t, json.Unmarshal(raw, into), key)
	return true
}

// list gives the objects under a key; of the matrix its cells, each with its person.
func (s small) list(key string) []map[string]any {
	var out []map[string]any
	list, _ := s.budget[key].([]any)
	for _, one := range list {
		m, _ := one.(map[string]any)
		cells, _ := m["cells"].([]any)
		for _, cell := range cells {
			c, _ := cell.(map[string]any)
			c["person"] = m["person"]
			out = append(out, c)
		}
		if cells == nil {
			out = append(out, m)
		}
	}
	return out
}

func (s small) holdMoney(t *testing.T) {
	t.Helper()
	for _, key := range []string{"care_total_cents", "income_cents", "ringfenced_cents", "own_contribution_cents", "contested_cents"} {
		var want *int64
		if !s.want(t, key, &want) {
			continue
		}
		have, said := s.budget[key]
		if want == nil {
			require.False(t, said, "%s must be absent, and is %v", key, have)
			continue
		}
		if !said {
			have = "0"
		}
		require.Equal(t, fmt.Sprint(*want), fmt.Sprint(have), key)
	}
	for _, key := range []string{"remaining_cents", "carry_over_cents"} {
		var want map[string]int64
		if s.want(t, key, &want) {
			require.Equal(t, written(want), written(s.budget[key]), key)
		}
	}
	var totals map[string]map[string]int64
	s.want(t, "totals", &totals)
	have, _ := s.budget["totals"].(map[string]any)
	for by, want := range totals {
		require.Equal(t, written(want), written(have[by]), by)
	}
	var complete bool
	if s.want(t, "complete", &complete) {
		require.Equal(t, complete, s.budget["complete"] == true, "complete; gaps %v", s.budget["gaps"])
	}
}

// written makes maps of figures comparable: protojson writes 64-bit numbers as texts. None is no map.
func written(v any) map[string]string {
	out := map[string]string{}
	switch v := v.(type) {
	case map[string]int64:
		for k, n := range v {
			out[k] = fmt.Sprint(n)
		}
	case map[string]any:
		for k, n := range v {
			out[k] = fmt.Sprint(n)
		}
	}
	return out
}

func (s small) holdLines(t *testing.T) {
	t.Helper()
	var lines map[string]*int64
	if s.want(t, "lines", &lines) {
		have := map[string]string{}
		for id, l := range s.lines {
			have[id] = fmt.Sprint(l["value_cents"])
		}
		want := map[string]string{}
		for id, cents := range lines {
			if want[id] = "<nil>"; cents != nil {
				want[id] = fmt.Sprint(*cents)
			}
		}
		require.Equal(t, want, have, "lines")
	}
	for key, path := range map[string]string{"forms": "delivery_form", "ends": "period.end", "original_ends": "period.original_end"} {
		var want map[string]*string
		s.want(t, key, &want)
		for id, text := range want {
			s.holdField(t, id, path, text)
		}
	}
	var fields map[string]map[string]*string
	s.want(t, "line_fields", &fields)
	for id, of := range fields {
		for path, text := range of {
			s.holdField(t, id, path, text)
		}
	}
	var contested []string
	if s.want(t, "contested_lines", &contested) {
		var have []string
		for id, l := range s.lines {
			if l["contested"] == true {
				have = append(have, id)
			}
		}
		require.ElementsMatch(t, contested, have, "contested")
	}
}

func (s small) holdField(t *testing.T, id, path string, want *string) {
	t.Helper()
	line, known := s.lines[id]
	require.True(t, known, "%s is missing among %v", id, slices.Sorted(maps.Keys(s.lines)))
	var have any = line
	for name := range strings.SplitSeq(path, ".") {
		m, _ := have.(map[string]any)
		have = m[name]
	}
	if want == nil {
		require.Nil(t, have, "%s of %s", path, id)
		return
	}
	require.Equal(t, *want, fmt.Sprint(have), "%s of %s", path, id)
}

func (s small) holdLists(t *testing.T, b *budgetv1.Budget) {
	t.Helper()
	for key, in := range map[string]string{"findings": "findings", "gaps": "gaps", "sources": "sources", "matrix": "matrix"} {
		var want []map[string]any
		s.want(t, key, &want)
		for _, one := range want {
			if one["may"] == true { // it may be told, and need not be
				continue
			}
			require.True(t, agrees(s.list(in), one), "%s: %v is missing among %v", key, one, s.budget[in])
		}
	}
	for key, in := range map[string]string{"no_finding_for": "findings", "no_matrix": "matrix"} {
		var want []map[string]any
		s.want(t, key, &want)
		for _, one := range want {
			require.False(t, agrees(s.list(in), one), "%s: %v is among %v", key, one, s.budget[in])
		}
	}
	var codes []string
	s.want(t, "no_findings", &codes)
	for _, f := range b.GetFindings() {
		require.NotContains(t, codes, f.GetCode(), "%v", f)
		require.NotEmpty(t, f.GetTextNl(), f.GetCode())
		require.NotEmpty(t, f.GetTextEn(), f.GetCode())
	}
	for _, g := range b.GetGaps() {
		require.NotEmpty(t, g.GetTextNl(), g.GetReason())
		require.NotEmpty(t, g.GetTextEn(), g.GetReason())
	}
}

// agrees reports whether one of a list says all that is wanted; of a list of lines, that
// all of those are named.
func agrees(list []map[string]any, want map[string]any) bool {
	return slices.ContainsFunc(list, func(have map[string]any) bool {
		for key, value := range want {
			if all, is := value.([]any); is {
				named, _ := have[key].([]any)
				if slices.ContainsFunc(all, func(one any) bool { return !slices.Contains(named, one) }) {
					return false
				}
				continue
			}
			if fmt.Sprint(have[key]) != fmt.Sprint(value) {
				return false
			}
		}
		return true
	})
}

// holdHalves takes a budget apart on its second day, in its middle and on its last day: what
// the author says of it or not, the two halves of each line come to the line, one without
// money has none in either, and nobody gets more back than was awarded up to that day.
func holdHalves(t *testing.T, b *budgetv1.Budget) {
	t.Helper()
	first, last := civil.MustParse(b.GetWindow().GetFrom()), civil.MustParse(b.GetWindow().GetTo())
	for _, date := range []civil.Date{first + 1, first + (last-first)/2, last} {
		d, err := plan.Dissolve(plan.Input{Budget: b}, date)
		require.NoError(t, err)
		before, after := d.GetBefore().GetLines(), d.GetAfter().GetLines()
		for _, l := range b.GetLines() {
			_, was := before[l.GetId()]
			_, stays := after[l.GetId()]
			require.True(t, l.ValueCents != nil || !was && !stays, "%s %s: money of nothing", date, l.GetId())
			require.Equal(t, l.GetValueCents(), before[l.GetId()]+after[l.GetId()], "%s %s", date, l.GetId())
		}
		require.Equal(t, b.GetCareTotalCents(), d.GetBefore().GetCareTotalCents()+d.GetAfter().GetCareTotalCents(), "%s", date)
		for _, r := range d.GetReturned() {
			require.LessOrEqual(t, r.GetCents()+b.GetSpentCents()[r.GetLine()], amountOf(b, r.GetLine()), "%s %s", date, r.GetLine())
		}
	}
}

// amountOf is the whole amount of a line.
func amountOf(b *budgetv1.Budget, id string) int64 {
	for _, l := range b.GetLines() {
		if l.GetId() == id {
			return l.GetAmount().GetCents()
		}
	}
	return 0
}

func (s small) holdPlan(t *testing.T, d *played) {
	t.Helper()
	var want struct{ Findings []map[string]any }
	if !s.want(t, "plan", &want) {
		return
	}
	require.NoError(t, d.unplanned)
	require.NotEmpty(t, d.plans)
	check := small{budget: asJSON(t, d.plans[0].check)}
	for _, one := range want.Findings {
		require.True(t, agrees(check.list("findings"), one), "plan: %v is missing among %v", one, check.budget["findings"])
	}
}
