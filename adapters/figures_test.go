package adapters_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func spent(budget string, cents int64) *budgetv1.Spend {
	return &budgetv1.Spend{Law: "WMO", Funder: "0119", End: "2025-12-31", Budget: budget, Function: "02", Start: "2025-01-01", Cents: &cents, AsOf: "2025-06-30"}
}

func own(law, start, end string) *budgetv1.OwnContribution {
	c := &budgetv1.OwnContribution{Law: law, CentsPerMonth: proto.Int64(2100), Period: &budgetv1.Period{Start: start}}
	if end != "" {
		c.Period.End = &end
	}
	return c
}

func TestSpendIsCutToWhatItsLawAllows(t *testing.T) {
	write := func(w *adapters.Writer) { w.Spend(spent("B1", 5), record("payments", "")) }
	a := answer(t, ask(scope("WMO", "spending", "reference"), scope("JW", "spending", "reference", "period")), write)
	require.True(t, proto.Equal(&budgetv1.Spend{
		Budget: "B1", Cents: proto.Int64(5), AsOf: "2025-06-30", Law: "WMO", Funder: "0119",
	}, a.GetSpends()[0]))
	for _, r := range []*budgetv1.FetchRequest{ask(scope("WMO", "product"), scope("JW", "spending")), ask(scope("JW"))} {
		a = answer(t, r, write)
		require.Empty(t, a.GetSpends())
		require.Equal(t, []string{"SKIPPED NOT_GRANTED"}, codes(a))
	}
}

func TestSpendThatCameTwiceCountsOnceAndTwoThatLookAlikeDoNot(t *testing.T) {
	a := answer(t, ask(scope("WMO", "spending")), func(w *adapters.Writer) {
		w.Spend(spent("B2", 5), record("payments", ""))
		w.Spend(spent("B1", 5), record("payments", ""))
		w.Spend(spent("B1", 5), record("payments", ""))
	})
	require.Len(t, a.GetSpends(), 2)
}

func TestSpendOfALaterBudgetIsNotTold(t *testing.T) {
	a := answer(t, ask(scope("WMO")), func(w *adapters.Writer) {
		s := spent("B1", 0)
		s.Start, s.End = "2026-01-01", "2026-12-31"
		w.Spend(s, record("payments", ""))
		s = spent("B2", 0)
		s.Start = "2025-12-31"
		w.Spend(s, record("payments", ""))
	})
	require.Len(t, a.GetSpends(), 1)
	require.Equal(t, []string{"SKIPPED OUTSIDE_WINDOW  /0"}, codes(a))
}

func TestContributionTouchesTheWindowAndHasALawThatWasAsked(t *testing.T) {
	a := answer(t, ask(scope("WMO"), scope("WLZ", "period")), func(w *adapters.Writer) {
		w.OwnContribution(own("WMO", "2024-01-01", "2025-01-01"), record("own", ""))
		w.OwnContribution(own("WMO", "2025-12-31", ""), record("own", ""))
		w.OwnContribution(own("WMO", "2025-12-31", ""), record("own", ""))
		w.OwnContribution(own("WMO", "2026-01-01", ""), record("own", ""))
		w.OwnContribution(own("WMO", "2024-01-01", "2024-12-31"), record("own", ""))
		w.OwnContribution(own("WLZ", "2025-01-01", ""), record("own", ""))
		w.OwnContribution(own("ZVW", "2025-01-01", ""), record("own", ""))
	})
	require.Len(t, a.GetOwnContributions(), 2)
	require.Equal(t, "2024-01-01", a.GetOwnContributions()[0].GetPeriod().GetStart())
	require.Empty(t, a.GetHistory(), "history is of lines")
	require.ElementsMatch(t, []string{
		"SKIPPED OUTSIDE_WINDOW  /0", "SKIPPED OUTSIDE_WINDOW  /0", "SKIPPED NOT_GRANTED", "SKIPPED OTHER_LAW",
	}, codes(a))
}

func TestContributionIsCutToWhatItsLawAllows(t *testing.T) {
	a := answer(t, ask(scope("WMO", "own_contribution"), scope("WLZ", "own_contribution", "period")), func(w *adapters.Writer) {
		w.OwnContribution(own("WMO", "2025-01-01", ""), record("own", ""))
		w.OwnContribution(own("WLZ", "2025-01-01", ""), record("own", ""))
	})
	wlz, wmo := a.GetOwnContributions()[0], a.GetOwnContributions()[1]
	require.NotNil(t, wlz.GetPeriod())
	require.Nil(t, wmo.GetPeriod())
	require.Equal(t, int64(2100), wmo.GetCentsPerMonth())
}

func TestBadFigureIsAnOddRecord(t *testing.T) {
	for path, write := range map[string]func(w *adapters.Writer){
		"own/0: period": func(w *adapters.Writer) { w.OwnContribution(own("WMO", "2025-02-01", "2025-01-01"), record("own", "")) },
		"own/0: cents_per_month": func(w *adapters.Writer) {
			c := own("WMO", "2025-02-01", "")
			c.CentsPerMonth = proto.Int64(-1)
			w.OwnContribution(c, record("own", ""))
		},
		"payments/0: start": func(w *adapters.Writer) {
			s := spent("B1", 0)
			s.Start = ""
			w.Spend(s, record("payments", ""))
		},
		"payments/0: as_of": func(w *adapters.Writer) {
			s := spent("B1", 0)
			s.AsOf = "2025-02-30"
			w.Spend(s, record("payments", ""))
		},
		"payments/0: cents": func(w *adapters.Writer) { w.Spend(spent("B1", 1e11+1), record("payments", "")) },
		"spends": func(w *adapters.Writer) {
			for i := range 257 {
				w.Spend(spent(fmt.Sprint(i), 0), record("payments", ""))
			}
		},
		"own_contributions": func(w *adapters.Writer) {
			for i := range 257 {
				c := own("WMO", "2025-02-01", "")
				c.CentsPerMonth = proto.Int64(int64(i))
				w.OwnContribution(c, record("own", ""))
			}
		},
	} {
		w, err := adapters.NewWriter(ask(scope("WMO")), adapters.Origin{Key: key()})
		require.NoError(t, err)
		write(w)
		if strings.Contains(path, "/") {
			requireOdd(t, w, path)
			continue
		}
		_, err = w.Response() // more than an answer can hold
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), path)
		require.Equal(t, path, adapters.Path(err))
	}
}

// A conflict names its product, which is not disclosed where it was not granted.
func TestNoticeIsCutToWhatWasGranted(t *testing.T) {
	write := func(w *adapters.Writer) {
		w.Line(euros(line("WMO", "02", "2025-01-01", "2025-12-31"), 1, "PERIOD_TOTAL"), record(adapters.RecordAward, "1"))
		w.Line(euros(line("WMO", "02", "2025-01-01", "2025-12-31"), 2, "PERIOD_TOTAL"), record(adapters.RecordDecision, "2"))
	}
	require.NotNil(t, answer(t, ask(scope("WMO")), write).GetNotices()[0].GetProduct())
	for _, r := range []*budgetv1.FetchRequest{ask(scope("WMO", "entitlement")), ask(scope("JW"))} {
		a := answer(t, r, write)
		require.NotEmpty(t, a.GetNotices())
		for _, n := range a.GetNotices() {
			require.Nil(t, n.GetProduct())
		}
	}
}
