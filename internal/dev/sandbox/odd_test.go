package sandbox_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// What the three cases do not have, and other case files can.
func TestOddRecords(t *testing.T) {
	r := newRig(t, embedded(t, "testdata/odd.json"))
	for _, e := range []expectation{
		{party: "GM0119", person: "P1", lines: []string{
			"WMO/02 2024-02-29..2024-12-31 PGB POOLABLE 120000 PERIOD_TOTAL 1.5×04/2 award+case_system",
			"WMO/77 2024-01-01..2024-12-31 PGB POOLABLE 5000 PERIOD_TOTAL award",
			"WMO/03 2024-01-01..2024-03-31 PGB POOLABLE 900 PERIOD_TOTAL award",
			"WMO/13 2024-03-01.. ZIN IN_KIND case_system",
			"WMO/13 2024-03-01..2024-03-01 PGB POOLABLE 250050 ONE_OFF case_system",
			"WMO/12 2024-03-01.. PGB POOLABLE 10000 PER_MONTH case_system",
			"WMO/11 2024-03-01.. PGB POOLABLE case_system",
			"WMO/10 2024-03-01.. PGB POOLABLE case_system",
			"WMO/66 2024-03-01.. PGB POOLABLE 1250 PER_4_WEEKS case_system",
			"WMO/88 2024-01-01.. ZIN IN_KIND 2.5×04/2 wmo301",
		}, history: []string{"WMO/07 2023-01-01..2023-01-01"}, notices: []string{
			"SKIPPED REFUSED", "SKIPPED NO_DECISION", "SKIPPED REMOVED",
			"SKIPPED OUTSIDE_WINDOW", "SKIPPED OUTSIDE_WINDOW",
			"SKIPPED AMOUNT_WITHOUT_END",
			// A row of an award has both days and an amount, or it is odd: 01 and 04.
			"SKIPPED ODD_RECORD", "SKIPPED ODD_RECORD",
			"UNKNOWN_CODE", "UNKNOWN_CODE", "UNKNOWN_CODE", "UNKNOWN_CODE",
			"UNKNOWN_ELEMENT", "UNKNOWN_ELEMENT", "UNKNOWN_ELEMENT", "UNKNOWN_ELEMENT",
		}},
		// 1600,00 a year and 1500,00 awarded over the same year: the award holds, and a notice says so.
		{party: "GM0119", person: "P2", lines: []string{
			"JW/45 2024-01-01..2024-12-31 PGB POOLABLE 150000 PERIOD_TOTAL award+case_system",
		}, notices: []string{"CONFLICT"}},
		// The award is a personal budget, the mediation care in kind: they stand beside each other.
		{party: "ZK5503", person: "P1", lines: []string{
			"WLZ/99 2024-01-01..2024-12-31 PGB POOLABLE 100 PERIOD_TOTAL award+iwlz",
			"WLZ/831 2024-06-01.. MPT IN_KIND iwlz+iwlz",
		}, notices: []string{"UNKNOWN_CODE"}},
		{party: "UWV", person: "P1", lines: []string{
			"WW/WW 2024-01-01..2024-06-30 CASH INCOME 150000 PER_4_WEEKS suwi",
			"WW/WW 2024-02-01..2024-02-28 CASH INCOME suwi",
			"WW/WW 2024-03-15..2024-03-15 CASH INCOME 7 ONE_OFF suwi",
			"ZW/ZW 2024-01-01.. CASH INCOME suwi",
			"UWV_PROVISION/LAPTOP 2024-01-01.. REIMBURSEMENT RINGFENCED suwi",
			"TW/TW 2024-01-01.. CASH INCOME suwi",
		}, notices: []string{"UNKNOWN_CODE", "UNKNOWN_CODE", "UNKNOWN_ELEMENT", "SKIPPED ODD_RECORD", "SKIPPED AMOUNT_WITHOUT_END"}},
		// 7,5 x 24,05 is 180,375 a week: whole over two weeks.
		{party: "UZOVI9991", person: "P1", lines: []string{
			"ZVW/VV 2024-02-29.. PGB POOLABLE 36075/2 PER_WEEK 7.5×04/2 zvw",
			"ZVW/XX 2024-01-01.. PGB POOLABLE 6000 PER_WEEK 2×04/2 zvw",
		}, notices: []string{"UNKNOWN_CODE"}},
		{party: "UWV", person: "P2"},
		{party: "UZOVI9991", person: "P2"},
		{party: "ZK5503", person: "P2"},
	} {
		e.check(t, r)
	}
}

func TestLineKeepsItsNumbers(t *testing.T) {
	r := newRig(t, embedded(t, "testdata/odd.json"))
	a := r.answer("GM0119", "P1")
	require.Equal(t, "WMO", a.GetLines()[0].GetLaw())
	for _, l := range a.GetLines() {
		switch l.GetProduct().GetCode() {
		case "02":
			require.Equal(t, "N1", l.GetDecision().GetNumber())
			require.Equal(t, "2024-01-15", l.GetDecision().GetIssued())
			require.Equal(t, "B1", l.GetDecision().GetBudget())
			require.Equal(t, "02A03", l.GetProduct().GetLocalCode())
			require.Equal(t, "begeleiding", l.GetProduct().GetLabel())
		case "88":
			require.Equal(t, "12345678", l.GetProvider())
			require.Equal(t, "onbekend", l.GetProduct().GetLabel())
			require.Equal(t, "WMO020", l.GetProduct().GetSystem())
		}
	}
}

func TestOddFigures(t *testing.T) {
	r := newRig(t, embedded(t, "testdata/figures.json"))
	for _, e := range []expectation{
		{party: "SVB", person: "P1", lines: []string{
			"spent W1/02 2024-02-29 100 2024-03-31",
			"spent W1/02 2024-02-29 250 2024-06-30",
			"spent W5/07 2023-01-01 5 2024-06-30",
			"spent W6/99 2024-01-01 100000000000 2024-06-30",
		}, notices: []string{"SKIPPED ODD_RECORD", "SKIPPED ODD_RECORD", "SKIPPED OUTSIDE_WINDOW", "UNKNOWN_ELEMENT"}}, // below zero, and none
		{party: "SVB", person: "P3"},
		{party: "CAK", person: "P1", lines: []string{
			"own WMO 2024-02-29.. 2100", "own WLZ 2023-01-01..2024-01-01 0", "own WLZ 2024-01-02.. -",
		}, notices: []string{"SKIPPED OUTSIDE_WINDOW", "SKIPPED UNKNOWN_LAW", "UNKNOWN_CODE"}},
		{party: "SWV2602", person: "P1", lines: []string{
			"EDU/TLV 2023-08-01..2024-07-31 SUBSIDY RINGFENCED education",
			"EDU/ARR 2024-08-01..2025-07-31 SUBSIDY RINGFENCED 100000005 PERIOD_TOTAL education",
			"EDU/MAATWERK 2024-08-01..2025-07-31 SUBSIDY RINGFENCED 1200 PERIOD_TOTAL education",
		}, history: []string{"EDU/ARR 2022-08-01..2023-07-31"}, notices: []string{"UNKNOWN_CODE", "UNKNOWN_CODE", "UNKNOWN_ELEMENT"}},
		{party: "SWV2602", person: "P3"},
		{party: "VALYS", person: "P1", lines: []string{
			"VALYS/PKB-STD 2024-01-01..2024-12-31 ZIN IN_KIND 700×KM/6 valys",
			"VALYS/PKB-STD 2024-02-29.. ZIN IN_KIND 12.5×KM/ valys",
		}, history: []string{"VALYS/PKB-STD 2023-01-01..2023-12-31"}},
		{party: "VALYS", person: "P3"},
	} {
		e.check(t, r)
	}
	for party, path := range map[string]string{
		"SWV2602": "/toekenningen/0/swv", "VALYS": "/passen/0/pkbKm",
		"SVB": "/berichten/bericht/0/Bericht/Client/FunctieBudgettenBesteed/FunctieBudgetBesteed/0/FunctieBudgetBesteed",
	} {
		n := r.answer(party, "P2").GetNotices()
		require.Len(t, n, 1)
		require.Equal(t, []string{path, budgetv1.GapRecordSkipped}, []string{n[0].GetPointer(), n[0].GetGap()})
	}
	for _, l := range r.answer("SWV2602", "P1").GetLines() {
		require.Equal(t, map[string]string{"TLV": "00XX", "ARR": "00XX01", "MAATWERK": ""}[l.GetProduct().GetCode()], l.GetProvider())
		require.Equal(t, map[string]string{"TLV": "TLV-1", "ARR": "77", "MAATWERK": ""}[l.GetProduct().GetCode()], l.GetDecision().GetNumber())
	}
}
