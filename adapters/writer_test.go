package adapters_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func TestHashOfARecordCanBeRedoneWithTheKeyOnly(t *testing.T) {
	write := func(w *adapters.Writer) {
		w.Line(line("WMO", "02", "2025-01-01", ""), adapters.Record{Native: []byte("native"), Type: "award", ID: "1"})
	}
	a := answer(t, ask(scope("WMO")), write)
	mac := hmac.New(sha256.New, key())
	mac.Write([]byte(a.GetAnswerId()))
	want := sha256.Sum256(append(mac.Sum(nil), "native"...))
	require.Equal(t, want[:], a.GetLines()[0].GetProvenance()[0].GetSha256())
	other := answer(t, ask(scope("WMO")), write)
	require.NotEqual(t, a.GetAnswerId(), other.GetAnswerId())
	require.NotEqual(t, want[:], other.GetLines()[0].GetProvenance()[0].GetSha256(), "salted per answer")
}

func TestWindow(t *testing.T) {
	for name, c := range map[string]struct {
		start, end             string
		lines, history, notice int
	}{
		"inside":                      {"2025-02-01", "2025-03-01", 1, 0, 0},
		"open":                        {"2020-02-01", "", 1, 0, 0},
		"ends on the first day":       {"2020-02-01", "2025-01-01", 1, 0, 0},
		"starts on the last day":      {"2025-12-31", "", 1, 0, 0},
		"ended the day before":        {"2024-02-01", "2024-12-31", 0, 1, 0},
		"ended on the first of it":    {"2020-02-01", "2024-01-01", 0, 1, 0},
		"ended before the history":    {"2020-02-01", "2023-12-31", 0, 0, 1},
		"starts after the window":     {"2026-01-01", "", 0, 0, 1},
		"one day, before":             {"2024-06-01", "2024-06-01", 0, 1, 0},
		"longer than the whole of it": {"1999-01-01", "2099-12-31", 1, 0, 0},
	} {
		a := answer(t, ask(scope("WMO")), func(w *adapters.Writer) {
			w.Line(euros(line("WMO", "02", c.start, c.end), 5, "PER_DAY"), record("award", "1"))
		})
		require.Len(t, a.GetLines(), c.lines, name)
		require.Len(t, a.GetHistory(), c.history, name)
		require.Len(t, a.GetNotices(), c.notice, name)
		if c.notice > 0 {
			require.Equal(t, []string{"SKIPPED OUTSIDE_WINDOW WMO /0"}, codes(a), name)
		}
	}
}

func TestHistoryTellsNoMoreThanThatThereWasALine(t *testing.T) {
	write := func(w *adapters.Writer) {
		l := euros(line("WMO", "02", "2024-01-01", "2024-12-31"), 100, "PERIOD_TOTAL")
		l.Product.LocalCode, l.Decision = "02A03", &budgetv1.Decision{Number: "N"}
		w.Line(l, record("award", "1"))
	}
	h := answer(t, ask(scope("WMO")), write).GetHistory()[0]
	require.Equal(t, "WMO 02 2024-01-01 2024-12-31", fmt.Sprint(
		h.GetLaw(), " ", h.GetProduct().GetCode(), " ", h.GetPeriod().GetStart(), " ", h.GetPeriod().GetEnd()))
	require.Empty(t, h.GetProduct().GetLocalCode())
	h = answer(t, ask(scope("WMO", "entitlement")), write).GetHistory()[0]
	require.Nil(t, h.GetProduct())
	require.Nil(t, h.GetPeriod())
}

func TestLineIsCutToWhatWasGrantedForItsLaw(t *testing.T) {
	a := answer(t, ask(scope("WMO", "entitlement", "amount"), scope("JW", "entitlement", "period", "product")),
		func(w *adapters.Writer) {
			w.Line(euros(line("WMO", "02", "2025-01-01", ""), 1, "PER_DAY"), record("award", "1"))
			w.Line(euros(line("JW", "45", "2025-01-01", ""), 1, "PER_DAY"), record("award", "2"))
		})
	jw, wmo := a.GetLines()[0], a.GetLines()[1]
	require.NotNil(t, wmo.GetAmount())
	require.Nil(t, wmo.GetProduct())
	require.Nil(t, wmo.GetPeriod())
	require.Nil(t, jw.GetAmount())
	require.Equal(t, "45", jw.GetProduct().GetCode())
	require.Empty(t, jw.GetProvenance()[0].GetRecordId(), "a record id is a reference")
}

func TestRecordOfALawThatWasNotAskedSaysNeitherLawNorPlace(t *testing.T) {
	a := answer(t, ask(scope("WMO"), scope("WLZ", "amount")), func(w *adapters.Writer) {
		w.Line(line("JW", "45", "2025-01-01", ""), record("jw301", "1"))
		w.Line(line("WLZ", "99", "2025-01-01", ""), record("award", "2"))
		w.Skipped(adapters.SkippedRefused, "JW", "/jw301/0")
		w.Skipped(adapters.SkippedRefused, "WMO", "/x/0")
	})
	require.Empty(t, a.GetLines())
	require.ElementsMatch(t, []string{
		"SKIPPED OTHER_LAW", "SKIPPED NOT_GRANTED", "SKIPPED REFUSED", "SKIPPED REFUSED WMO /x/0",
	}, codes(a))
}

// A record of a law that nobody would ask this source for is missing, and that is said: no
// other question and no refusal speaks of it. Which law stays unsaid. What was asked for by
// itself, or was refused, and what ended long ago, is no gap.
func TestRecordOfALawThatIsNeverAskedForIsAGap(t *testing.T) {
	missing := budgetv1.GapUnknownLaw
	odd := func(w *adapters.Writer) { require.NoError(t, w.Odd(adapters.BadData("/x", "a rule"), "TW")) }
	write := func(end string) func(w *adapters.Writer) {
		return func(w *adapters.Writer) { w.Line(line("TW", "TW", "2023-01-01", end), record("suwi", "1")) }
	}
	for name, c := range map[string]struct {
		laws  []string
		write func(w *adapters.Writer)
		gap   string
	}{
		"not listed":           {[]string{"WIA", "WW"}, write(""), missing},
		"not listed, history":  {[]string{"WIA", "WW"}, write("2024-06-30"), missing},
		"not listed, long ago": {[]string{"WIA", "WW"}, write("2023-12-31"), ""},
		"not listed, and odd":  {[]string{"WIA"}, odd, missing},
		"listed, and refused":  {[]string{"WIA", "TW"}, write(""), ""},
		"listed, and odd":      {[]string{"WIA", "TW"}, odd, ""},
		"a list was not told":  {nil, write(""), ""},
	} {
		r := ask(scope("WIA"))
		r.Laws = c.laws
		a := answer(t, r, c.write)
		require.Empty(t, a.GetLines(), name)
		require.Len(t, a.GetNotices(), 1, name)
		n := a.GetNotices()[0]
		require.Equal(t, c.gap, n.GetGap(), name)
		require.Empty(t, n.GetLaw()+n.GetPointer()+n.GetRule(), name)
	}
}

// requireOdd checks that an answer holds nothing but the notice of one odd record, which
// says where and not what.
func requireOdd(t *testing.T, w *adapters.Writer, path string) {
	t.Helper()
	a, err := w.Response()
	require.NoError(t, err, path)
	require.Zero(t, len(a.GetLines())+len(a.GetHistory())+len(a.GetSpends())+len(a.GetOwnContributions()), path)
	require.Len(t, a.GetNotices(), 1)
	n := a.GetNotices()[0]
	require.Equal(t, []string{"SKIPPED", "ODD_RECORD", path, "RECORD_SKIPPED"}, []string{n.GetCode(), n.GetReason(), n.GetPointer(), n.GetGap()})
	require.NotEmpty(t, n.GetRule())
	require.NotContains(t, fmt.Sprint(a), "999940004")
}

func TestBadLineIsAnOddRecord(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(l *budgetv1.BudgetLine)
		path  string
	}{
		"law":        {func(l *budgetv1.BudgetLine) { l.Law = "X" }, "award/0: law"},
		"funder":     {func(l *budgetv1.BudgetLine) { l.Funder = "" }, "award/0: funder"},
		"code":       {func(l *budgetv1.BudgetLine) { l.Product.Code = "a b 999940004" }, "award/0: product.code"},
		"date":       {func(l *budgetv1.BudgetLine) { l.Period.Start = "2025-02-30" }, "award/0: period"},
		"order":      {func(l *budgetv1.BudgetLine) { *l.Period.End = "2024-12-31" }, "award/0: period"},
		"amount":     {func(l *budgetv1.BudgetLine) { euros(l, -1, "PER_DAY") }, "award/0: amount.cents"},
		"two moneys": {func(l *budgetv1.BudgetLine) { euros(l, 1, "PER_DAY").Income = l.Amount }, "award/0: income"},
		"old end": {func(l *budgetv1.BudgetLine) { end := "2024-01-01"; l.Period.OriginalEnd = &end },
			"award/0: period.original_end"},
	} {
		w, err := adapters.NewWriter(ask(scope("WMO")), adapters.Origin{Key: key()})
		require.NoError(t, err)
		l := line("WMO", "02", "2025-01-01", "2025-12-31")
		c.spoil(l)
		w.Line(l, record("award", "1"))
		if name == "funder" { // nobody's money is the adapter's mistake
			_, err = w.Response()
			require.Equal(t, c.path, adapters.Path(err), name)
			continue
		}
		requireOdd(t, w, c.path)
	}
}

func TestAnswerHasItsBounds(t *testing.T) {
	w, err := adapters.NewWriter(ask(scope("WMO")), adapters.Origin{Key: key()})
	require.NoError(t, err)
	for i := range 257 {
		w.Line(line("WMO", "02", "2025-01-01", ""), record("award", fmt.Sprint(i)))
	}
	_, err = w.Response()
	require.Equal(t, adapters.ReasonBadData, adapters.Reason(err))
	require.Equal(t, "lines", adapters.Path(err))
}

func TestAnswerTellsWhenTheDataWasRead(t *testing.T) {
	read := time.UnixMilli(1_750_000_000_000)
	a := answer(t, ask(scope("WMO")), func(w *adapters.Writer) {
		w.AsOf(read)
		w.Line(line("WMO", "02", "2025-01-01", ""), record("award", "1"))
		w.Notice(adapters.NoticeStale, "WMO", "")
	})
	require.Equal(t, read.UnixMilli(), a.GetAsOfMs())
	require.Equal(t, read.UnixMilli(), a.GetLines()[0].GetProvenance()[0].GetFetchedAtMs())
	require.Equal(t, []string{"STALE  WMO"}, codes(a))
}
