package budget_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// past is history: law, product and dates.
func past(law, code, start, end string) *budgetv1.HistoryLine {
	return &budgetv1.HistoryLine{Law: law, Product: &budgetv1.Product{Code: code}, Period: period(start, end)}
}

func oneTime(law, code, date string) *budgetv1.BudgetLine {
	l := pgb(law, code, date, "2025-03-31")
	l.Amount.Basis = "ONE_OFF"
	return l
}

// holeCase is what one source sends of P1, and the findings it gives.
type holeCase struct {
	lines   []*budgetv1.BudgetLine
	history []*budgetv1.HistoryLine
	want    []string
}

func requireHoles(t *testing.T, cases map[string]holeCase) {
	for name, c := range cases {
		a := says("P1", "GM1", c.lines...)
		a.Response.History = c.history
		q := small()
		q.Persons[0].Born = civil.MustParse("2007-06-15")
		require.Equal(t, c.want, coded(budget.Assemble(q, []budget.Answer{a}), "GAP"), name)
	}
}

// coded lists the findings of one code in short.
func coded(b *budgetv1.Budget, code string) []string {
	var out []string
	for _, s := range spoken(b) {
		if s == code || strings.HasPrefix(s, code+" ") {
			out = append(out, s)
		}
	}
	return out
}

func TestHoles(t *testing.T) {
	requireHoles(t, map[string]holeCase{
		"between two lines": {
			lines: []*budgetv1.BudgetLine{pgb("WMO", "02", "2025-05-01", ""), pgb("WMO", "02", "2024-05-01", "2025-03-31")},
			want:  []string{"GAP P1/WMO/02 2025-04-01..2025-04-30"},
		},
		"an end without a successor": {
			lines: []*budgetv1.BudgetLine{pgb("WMO", "02", "2025-01-01", "2025-12-30")},
			want:  []string{"GAP P1/WMO/02 2025-12-31..2025-12-31"},
		},
		"an end with the window": {
			lines: []*budgetv1.BudgetLine{pgb("WMO", "02", "2025-01-01", "2025-12-31")},
		},
		"a beginning without a predecessor": {
			lines: []*budgetv1.BudgetLine{pgb("WMO", "02", "2025-06-01", "")},
		},
		"a successor after the window": {
			lines: []*budgetv1.BudgetLine{pgb("WMO", "02", "2025-01-01", "2025-11-30"), pgb("WMO", "02", "2026-03-01", "")},
			want:  []string{"GAP P1/WMO/02 2025-12-01..2025-12-31"},
		},
		"history before a line": {
			lines:   []*budgetv1.BudgetLine{pgb("WMO", "02", "2025-02-01", "")},
			history: []*budgetv1.HistoryLine{past("WMO", "02", "2024-03-01", "2024-11-30")},
			want:    []string{"GAP P1/WMO/02 2025-01-01..2025-01-31"},
		},
		"history that nothing follows": {
			history: []*budgetv1.HistoryLine{past("WMO", "02", "2024-03-01", "2024-11-30"), nil, past("WMO", "02", "x", "")},
		},
		"a hole before the window": {
			lines:   []*budgetv1.BudgetLine{pgb("WMO", "02", "2024-12-01", "")},
			history: []*budgetv1.HistoryLine{past("WMO", "02", "2024-01-01", "2024-06-30")},
		},
		"a day of history is a one-off": {
			lines:   []*budgetv1.BudgetLine{pgb("WMO", "11", "2025-02-01", "")},
			history: []*budgetv1.HistoryLine{past("WMO", "11", "2024-03-01", "2024-03-01")},
		},
		"a short line inside a long one": {
			lines: []*budgetv1.BudgetLine{
				pgb("WMO", "02", "2025-01-01", "2025-08-31"), pgb("WMO", "02", "2025-02-01", "2025-02-28"),
				pgb("WMO", "02", "2025-09-01", ""),
			},
		},
		"another product": {
			lines: []*budgetv1.BudgetLine{pgb("WMO", "02", "2025-01-01", "2025-06-30"), pgb("WMO", "03", "2025-07-01", "")},
			want:  []string{"GAP P1/WMO/02 2025-07-01..2025-12-31"},
		},
		"a one-off": {
			lines: []*budgetv1.BudgetLine{oneTime("WMO", "11", "2025-03-01")},
		},
		"a changed Wlz profile": {
			lines: []*budgetv1.BudgetLine{pgb("WLZ", "830", "2025-01-01", "2025-06-30"), pgb("WLZ", "804", "2025-07-01", "")},
		},
		"a hole in the Wlz": {
			lines: []*budgetv1.BudgetLine{pgb("WLZ", "830", "2025-01-01", "2025-06-30"), pgb("WLZ", "", "2025-08-01", "")},
			want:  []string{"GAP P1/WLZ/99 2025-07-01..2025-07-31"},
		},
		"a supplement": {
			lines: []*budgetv1.BudgetLine{pgb("TW", "TW", "2025-01-01", "2025-03-31"), pgb("WAO", "WAO", "2025-01-01", "2025-03-31")},
		},
		"what cannot be told apart": {
			lines: []*budgetv1.BudgetLine{
				pgb("WMO", "", "2025-01-01", "2025-06-30"), pgb("", "02", "2025-01-01", "2025-06-30"),
			},
		},
	})
}

// TestEndsWithAReason: age and a priority law end a right without a hole.
func TestEndsWithAReason(t *testing.T) {
	requireHoles(t, map[string]holeCase{
		"the Wlz begins the day after": {
			lines: []*budgetv1.BudgetLine{
				pgb("WMO", "02", "2025-01-01", "2025-06-30"), pgb("JW", "45", "2025-01-01", "2025-06-30"),
				pgb("WLZ", "830", "2025-07-01", ""),
			},
		},
		"the Wlz began somewhat earlier": {
			lines: []*budgetv1.BudgetLine{pgb("JW", "45", "2025-01-01", "2025-06-30"), pgb("WLZ", "830", "2025-06-01", "")},
		},
		"the Wlz begins a day too late": {
			lines: []*budgetv1.BudgetLine{pgb("JW", "45", "2025-01-01", "2025-06-30"), pgb("WLZ", "830", "2025-07-02", "")},
			want:  []string{"GAP P1/JW/45 2025-07-01..2025-12-31"},
		},
		"the Wlz was there all along": {
			lines: []*budgetv1.BudgetLine{pgb("WMO", "12", "2025-01-01", "2025-06-30"), pgb("WLZ", "830", "2024-01-01", "")},
			want:  []string{"GAP P1/WMO/12 2025-07-01..2025-12-31"},
		},
		"the Wlz does not take over school transport": {
			lines: []*budgetv1.BudgetLine{pgb("LLV", "KM", "2025-01-01", "2025-06-30"), pgb("WLZ", "830", "2025-07-01", "")},
			want:  []string{"GAP P1/LLV/KM 2025-07-01..2025-12-31"},
		},
		"youth care ends at 18": {
			lines: []*budgetv1.BudgetLine{pgb("JW", "45", "2025-01-01", "2025-06-14"), pgb("JW", "54", "2025-01-01", "2025-06-15")},
		},
		"youth care ends before 18": {
			lines: []*budgetv1.BudgetLine{pgb("JW", "45", "2025-01-01", "2025-06-13")},
			want:  []string{"GAP P1/JW/45 2025-06-14..2025-12-31"},
		},
		"other care ends at 18": {
			lines: []*budgetv1.BudgetLine{pgb("WMO", "02", "2025-01-01", "2025-06-14")},
			want:  []string{"GAP P1/WMO/02 2025-06-15..2025-12-31"},
		},
	})
}

func TestIncomeHasNoHoles(t *testing.T) {
	wia := pgb("WIA", "WIA", "2025-01-01", "2025-06-30")
	wia.Fungibility, wia.Income, wia.Amount = "INCOME", wia.Amount, nil
	a := says("P1", "UWV", wia)
	a.Response.History = []*budgetv1.HistoryLine{past("WIA", "WIA", "2024-01-01", "2024-06-30")}
	require.Empty(t, budget.Assemble(small(), []budget.Answer{a}).GetFindings())
}

// TestARightThatMoves: another funder and another form continue a right, and
// another person does not.
func TestARightThatMoves(t *testing.T) {
	inKind := right("WMO", "ZIN", "IN_KIND", "LIST", "02", "2025-05-01", "")
	before := says("P1", "GM1", pgb("WMO", "02", "2025-01-01", "2025-04-30"))
	require.Empty(t, coded(budget.Assemble(small(), []budget.Answer{before, says("P1", "GM2", inKind)}), "GAP"))
	require.Len(t, coded(budget.Assemble(small(), []budget.Answer{before, says("P2", "GM2", inKind)}), "GAP"), 1)
}

func TestPartialIsReportedOnce(t *testing.T) {
	b := budget.Assemble(small(), []budget.Answer{
		silent("P1", "GM1", budgetv1.ReasonSourceTimeout), silent("P2", "UWV", budgetv1.ReasonNoConsent),
	})
	require.Len(t, b.GetGaps(), 2)
	require.Equal(t, []string{"PARTIAL"}, spoken(b))
	require.Equal(t, "WARNING", b.GetFindings()[0].GetSeverity())
}

func TestNoticesOfASource(t *testing.T) {
	a := says("P1", "GM1")
	a.Response.Notices = []*budgetv1.Notice{
		{Code: "UNKNOWN_CODE", Law: "WMO"}, {Code: "UNKNOWN_CODE", Law: "WMO", Pointer: "/1"},
		{Code: "CONFLICT", Law: "JW"}, {Code: "SKIPPED", Law: "JW"},
	}
	require.Equal(t, []string{"CONFLICT P1/JW/ ..", "UNKNOWN_CODE P1/WMO/ .."}, spoken(budget.Assemble(small(), []budget.Answer{a})))
}

func TestOneRecordIsNotTheSameRecord(t *testing.T) {
	l := pgb("WMO", "02", "2025-01-01", "")
	l.Provenance = []*budgetv1.Provenance{{RecordType: "award", RecordId: "1"}, {RecordType: "award", RecordId: "1", Pointer: "/1"}}
	require.Empty(t, budget.Assemble(small(), []budget.Answer{says("P1", "GM1", l)}).GetFindings())
	l.Provenance[1].RecordId = "2"
	require.Equal(t, []string{"SAME_RECORD P1/WMO/02 .."}, spoken(budget.Assemble(small(), []budget.Answer{says("P1", "GM1", l)})))
}

func TestMatrixStatus(t *testing.T) {
	denied := says("P1", "GM1", pgb("WMO", "02", "2025-01-01", ""))
	denied.Laws = []string{"WMO"}
	deniedAndMissing := denied
	deniedAndMissing.Gaps = []*budgetv1.Gap{{Reason: budgetv1.ReasonPolicyDenied, Laws: []string{"JW"}}}
	for name, c := range map[string]struct {
		answers []budget.Answer
		want    map[string]string
	}{
		"answered": {
			[]budget.Answer{says("P1", "GM1", pgb("WMO", "02", "2025-01-01", ""))},
			map[string]string{"WMO": "OK", "JW": "NO_RIGHT"},
		},
		"not asked under a law": {
			[]budget.Answer{denied}, map[string]string{"WMO": "OK", "JW": "NOT_ASKED"},
		},
		"denied under a law": {
			[]budget.Answer{deniedAndMissing}, map[string]string{"WMO": "OK", "JW": "PARTIAL"},
		},
		"one municipality fails": {
			[]budget.Answer{says("P1", "GM1", pgb("WMO", "02", "2025-01-01", "")), silent("P1", "GM2", budgetv1.ReasonSourceTimeout)},
			map[string]string{"WMO": "PARTIAL", "JW": "PARTIAL"},
		},
		"no consent at all": {
			[]budget.Answer{silent("P1", "GM1", budgetv1.ReasonWrongSigner), silent("P1", "GM2", budgetv1.ReasonConsentWithdrawn)},
			map[string]string{"WMO": "NO_CONSENT", "JW": "NO_CONSENT"},
		},
		"no consent for one of two": {
			[]budget.Answer{silent("P1", "GM1", budgetv1.ReasonNoConsent), says("P1", "GM2")},
			map[string]string{"WMO": "PARTIAL", "JW": "PARTIAL"},
		},
		"no consent here, no agreement there": {
			[]budget.Answer{silent("P1", "GM1", budgetv1.ReasonNoConsent), silent("P1", "GM2", budgetv1.ReasonNoAgreement)},
			map[string]string{"WMO": "PARTIAL", "JW": "PARTIAL"},
		},
		"the other person": {
			[]budget.Answer{says("P2", "GM1")}, map[string]string{"WMO": "NOT_ASKED", "JW": "NOT_ASKED"},
		},
	} {
		got := map[string]string{}
		for _, cell := range budget.Assemble(small(), c.answers).GetMatrix()[0].GetCells() {
			got[cell.GetLaw()] = cell.GetStatus()
		}
		require.Equal(t, c.want, got, name)
	}
}
