package adapters_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func days(from, to string) adapters.Days {
	d, _ := adapters.Dates{From: from, To: to}.Read(adapters.Cursor{})
	return d
}

// Window 2025, history from 2024.
func TestAnOddRecordLeavesAGapUnlessItsDaysLieOutside(t *testing.T) {
	for _, c := range []struct {
		days []adapters.Days
		gap  bool
	}{
		{nil, true},
		{[]adapters.Days{{}}, true},
		{[]adapters.Days{days("2019-01-01", "2019-12-31")}, false},
		{[]adapters.Days{days("2022-02-30", "2023-12-31")}, false},
		{[]adapters.Days{days("2022-02-30", "2024-01-01")}, true}, // history
		{[]adapters.Days{days("2026-01-01", "")}, false},
		{[]adapters.Days{days("2026-01-01", "2026-02-30")}, false},
		{[]adapters.Days{days("2019-01-01", "")}, true},
		{[]adapters.Days{days("2019-01-01", "2019-13-01")}, true},
		{[]adapters.Days{days("", "")}, true},
		{[]adapters.Days{days("2025-06-01", "2019-05-31")}, true}, // one of the two is wrong
		{[]adapters.Days{days("2026-06-01", "2019-05-31")}, true},
		{[]adapters.Days{days("2018-05-01", "2018-04-30")}, false},
		{[]adapters.Days{days("2019-01-01", "2019-12-31"), days("2025-01-01", "2025-01-31")}, true},
		{[]adapters.Days{days("2019-00-00", "2023-00-00")}, false},
		{[]adapters.Days{days("2019-00-00", "2024-00-00")}, true},
	} {
		a := answer(t, ask(scope("WMO")), func(w *adapters.Writer) {
			w.Line(line("WMO", "02", "2025-01-01", ""), record("award", "1"))
			require.NoError(t, w.Odd(adapters.BadData("/x", "a rule"), "WMO", c.days...))
		})
		require.Len(t, a.GetLines(), 1)
		require.Equal(t, c.gap, a.GetNotices()[0].GetGap() == budgetv1.GapRecordSkipped, "%+v", c.days)
	}
}

func TestOnlyBadDataCostsARecord(t *testing.T) {
	answer(t, ask(scope("WMO")), func(w *adapters.Writer) {
		require.NoError(t, w.Odd(nil, "WMO"))
		require.Equal(t, adapters.ReasonSourceTimeout, adapters.Reason(w.Odd(adapters.Timeout(), "WMO")))
	})
}

// A thousand odd records are one notice, and so are a thousand that nobody can name; what
// stays says how many there were and that something is missing.
func TestNoticesOfOneKindAreCounted(t *testing.T) {
	a := answer(t, ask(scope("WMO")), func(w *adapters.Writer) {
		for i := range 1000 {
			at := adapters.Cursor{}.Field("records").Item(i)
			require.NoError(t, w.Odd(at.Bad("a date"), "WMO", days("2019-01-01", "2019-12-31")))
			w.Unknown("WMO", "Regenboog", at)
			w.Unknown("WMO", "999940004", at)
			w.Notice(adapters.NoticeUnknownCode, "WMO", at.Path)
			require.NoError(t, w.Odd(at.Bad("rule "+fmt.Sprint(i)), "WMO"))
		}
		w.Incomplete(budgetv1.GapUnknownLaw, "", adapters.Cursor{})
	})
	require.Less(t, len(a.GetNotices()), 256)
	counted, gaps := map[string]int32{}, map[string]bool{}
	for _, n := range a.GetNotices() {
		counted[n.GetCode()] += max(n.GetCount(), 1)
		gaps[n.GetGap()] = true
	}
	require.Equal(t, map[string]int32{"SKIPPED": 2001, "UNKNOWN_ELEMENT": 2000, "UNKNOWN_CODE": 1000}, counted)
	require.Equal(t, map[string]bool{"": true, "RECORD_SKIPPED": true, "UNKNOWN_LAW": true}, gaps)
	require.NotContains(t, fmt.Sprint(a), "999940004")
}

// Of a law that was not asked for nothing is said, not even that a record of it is odd.
func TestAnOddRecordOfAnotherLawIsNoGap(t *testing.T) {
	a := answer(t, ask(scope("WMO")), func(w *adapters.Writer) {
		require.NoError(t, w.Odd(adapters.BadData("/x", "a rule"), "JW"))
	})
	require.Equal(t, []string{"SKIPPED ODD_RECORD"}, codes(a))
	require.Empty(t, a.GetNotices()[0].GetGap())
}

func TestADayThatIsNotKnownCountsWhereItChangesNoCent(t *testing.T) {
	answer(t, ask(scope("WMO")), func(w *adapters.Writer) {
		for _, c := range []struct {
			from, to, basis string
			ok              bool
		}{
			{"2024-02-00", "", "PER_MONTH", true},
			{"2024-02-00", "2026-00-00", "PER_MONTH", true},
			{"2024-00-00", "", "", true},
			{"2024-02-00", "2026-01-31", "PERIOD_TOTAL", false},
			{"2011-00-00", "2012-00-00", "PERIOD_TOTAL", true},
			{"2025-03-00", "", "PER_MONTH", false},
			{"2025-00-00", "", "PER_MONTH", false},
			{"2024-01-01", "2025-03-00", "PER_MONTH", false},
			{"2024-01-01", "2025-12-00", "PER_MONTH", false},
			{"2025-01-01", "2024-12-31", "PER_MONTH", false},
		} {
			p, err := w.Period(days(c.from, c.to), c.basis, adapters.Cursor{})
			require.Equal(t, c.ok, err == nil, "%+v", c)
			if c.ok {
				require.Len(t, p.GetStart(), len("2024-02-01"))
			}
		}
	})
}
