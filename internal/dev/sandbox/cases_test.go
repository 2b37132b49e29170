package sandbox_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// expectation of one request, worked out by hand from the case's records.
type expectation struct {
	party, person    string
	lines            []string
	history, notices []string
}

func (e expectation) check(t *testing.T, r *rig) {
	a := r.answer(e.party, e.person)
	require.ElementsMatch(t, e.lines, stories(a), "%s %s", e.party, e.person)
	require.ElementsMatch(t, e.history, histories(a), "%s %s: history", e.party, e.person)
	require.ElementsMatch(t, e.notices, notices(a), "%s %s: notices", e.party, e.person)
	for _, l := range a.GetLines() {
		require.Equal(t, e.party, l.GetFunder())
		for _, from := range l.GetProvenance() {
			require.Len(t, from.GetSha256(), 32)
			require.Equal(t, a.GetAdapter(), from.GetAdapter())
			require.Equal(t, e.party, from.GetSource())
		}
	}
	require.NotEmpty(t, a.GetAnswerId())
	require.Positive(t, a.GetAsOfMs())
}

func TestMeppel(t *testing.T) {
	r := newRig(t, embedded(t, "meppel"))
	for _, e := range []expectation{
		{party: "GM0119", person: "A3", lines: []string{
			"WMO/02 2025-01-01..2025-12-31 PGB POOLABLE 1248000 PERIOD_TOTAL 300×01/2 award+case_system",
			"WMO/07 2025-04-01..2025-12-31 PGB POOLABLE 624000 PERIOD_TOTAL award",
			"WMO/07 2024-07-01..2025-03-31 ZIN IN_KIND 4×16/2 wmo301",
		}},
		{party: "GM0119", person: "A5", lines: []string{
			"JW/45 2025-02-01..2025-07-31 PGB POOLABLE 421200 PERIOD_TOTAL award",
			"JW/45 2025-08-01..2026-01-31 PGB POOLABLE 421200 PERIOD_TOTAL award",
			"JW/54 2025-01-15..2025-12-31 ZIN IN_KIND 60×01/2 jw301",
		}, history: []string{"JW/45 2024-07-01..2024-12-31"}},
		{party: "GM0119", person: "A2"},
		{party: "ZK5503", person: "A4", lines: []string{
			"WLZ/830 2025-01-01..2025-12-31 PGB POOLABLE 8541000 PERIOD_TOTAL award+iwlz+iwlz",
		}, history: []string{"WLZ/830 2024-05-17..2024-12-31"}, notices: []string{"SKIPPED OUTSIDE_WINDOW"}},
		{party: "UWV", person: "A1", lines: []string{
			"WIA/WIA 2024-02-01.. CASH INCOME 231000 PER_MONTH suwi",
			"WIA/WIA 2025-05-22..2025-05-22 CASH INCOME 221760 ONE_OFF suwi",
		}},
		{party: "SVB", person: "A3", lines: []string{
			"spent WMO-0119-2025-77/02 2025-01-01 600000 2025-06-30",
			"spent WMO-0119-2025-77/07 2025-04-01 192000 2025-06-30",
		}},
		{party: "SVB", person: "A4", lines: []string{"spent WLZ-5503-2025-1009/99 2025-01-01 4120000 2025-06-30"}},
		{party: "SVB", person: "A5", lines: []string{"spent JW-0119-2025-31/45 2025-02-01 260000 2025-06-30"}},
		{party: "SVB", person: "A1"},
		{party: "CAK", person: "A3", lines: []string{"own WMO 2025-01-01.. 2100"}},
		{party: "CAK", person: "A4", lines: []string{"own WLZ 2025-01-01.. 2940"}},
		{party: "CAK", person: "A2"},
	} {
		e.check(t, r)
	}
}

func TestWoerden(t *testing.T) {
	r := newRig(t, embedded(t, "woerden"))
	for _, e := range []expectation{
		{party: "GM0632", person: "B1", lines: []string{
			"JW/45 2025-01-01..2025-06-14 PGB POOLABLE 660000 PERIOD_TOTAL award",
			"WMO/02 2025-06-15..2026-06-14 PGB POOLABLE 1300000 PERIOD_TOTAL award",
			"WMO/12 2025-06-15.. PGB POOLABLE 150000 PER_YEAR case_system",
			"LLV/LLVKM 2024-08-01..2025-07-31 PGB RINGFENCED 196000 PERIOD_TOTAL case_system",
		}},
		{party: "UWV", person: "B1", lines: []string{
			"WAJONG/WAJ 2025-06-15.. CASH INCOME 83475 PER_MONTH suwi",
			"UWV_PROVISION/JOBCOACH 2025-09-01..2026-02-28 REIMBURSEMENT RINGFENCED 270000 PERIOD_TOTAL suwi",
		}},
		{party: "SWV2602", person: "B1", lines: []string{
			"EDU/ARR 2024-08-01..2025-07-31 SUBSIDY RINGFENCED 480000 PERIOD_TOTAL education",
			"EDU/ARR 2025-08-01..2026-07-31 SUBSIDY RINGFENCED 500000 PERIOD_TOTAL education",
		}},
		{party: "VALYS", person: "B1", lines: []string{
			"VALYS/PKB-STD 2025-07-01..2025-12-31 ZIN IN_KIND 350×KM/6 valys",
		}},
		{party: "CAK", person: "B1", lines: []string{"own WMO 2025-06-15.. 2100"}},
	} {
		e.check(t, r)
	}
}

func TestDiemenZwolle(t *testing.T) {
	r := newRig(t, embedded(t, "diemen-zwolle"))
	for _, e := range []expectation{
		{party: "GM0384", person: "C1", lines: []string{
			"WMO/01 2025-01-01..2025-04-30(2025-12-31) PGB POOLABLE 128219 PERIOD_TOTAL award",
		}, notices: []string{"SKIPPED SUPERSEDED"}},
		{party: "GM0384", person: "C2", lines: []string{
			"JW/45 2025-01-01..2025-04-30(2025-12-31) PGB POOLABLE 256438 PERIOD_TOTAL award",
		}, notices: []string{"SKIPPED SUPERSEDED"}},
		{party: "GM0384", person: "C4", lines: []string{"WMO/11 2023-09-01.. ZIN IN_KIND 1×82/6 wmo301"}},
		{party: "GM0193", person: "C1", lines: []string{
			"WMO/01 2025-06-01..2026-05-31 PGB POOLABLE 405600 PERIOD_TOTAL award",
		}},
		{party: "GM0193", person: "C2", lines: []string{
			"JW/45 2025-05-01..2025-12-31 PGB POOLABLE 523562 PERIOD_TOTAL award",
		}},
		{party: "GM0193", person: "C3", lines: []string{
			"JW/45 2025-07-01..2025-12-31 PGB POOLABLE 130000 PERIOD_TOTAL award",
		}},
		{party: "ZK5515", person: "C3", lines: []string{
			"WLZ/804 2025-01-01..2025-04-30 PGB POOLABLE 2016000 PERIOD_TOTAL award+iwlz",
		}, history: []string{"WLZ/804 2024-01-01..2024-12-31"}},
		{party: "ZK5504", person: "C3", lines: []string{
			"WLZ/804 2025-05-01..2025-12-31 PGB POOLABLE 4116000 PERIOD_TOTAL award+iwlz",
		}, notices: []string{"SKIPPED OUTSIDE_WINDOW"}},
		{party: "UZOVI9991", person: "C4", lines: []string{
			"ZVW/VV 2025-03-01..2025-12-31 PGB POOLABLE 16800 PER_WEEK 7×04/2 zvw",
		}},
		{party: "CAK", person: "C1", lines: []string{
			"own WMO 2025-01-01..2025-04-30 2100", "own WMO 2025-06-01.. 2100",
		}},
		{party: "CAK", person: "C2"},
	} {
		e.check(t, r)
	}
}
