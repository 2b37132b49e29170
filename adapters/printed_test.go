package adapters_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// A label that cannot be shown is left out with a notice; a code or identifier that cannot
// is bad data, whose place is named without it.
func TestWhatCannotBeShownDoesNotLeave(t *testing.T) {
	for _, bad := range []string{"\x1b[2J", "\n", "\u202e", "\u200b", "\u2028"} {
		a := answer(t, ask(scope("WMO")), func(w *adapters.Writer) {
			l := euros(line("WMO", "02", "2025-01-01", "2025-12-31"), 100, "PERIOD_TOTAL")
			l.Product.Label = "Huis" + bad
			w.Line(l, record("award", "1"))
		})
		require.Equal(t, []string{"SKIPPED TEXT_UNPRINTABLE WMO /0"}, codes(a))
		require.Equal(t, budgetv1.Unlisted, a.GetLines()[0].GetProduct().GetLabel())
		require.EqualValues(t, 100, a.GetLines()[0].GetAmount().GetCents())
		require.Empty(t, budgetv1.Unprintable(a))

		for path, write := range map[string]func(w *adapters.Writer){
			"award/0: decision.number": func(w *adapters.Writer) {
				l := line("WMO", "02", "2025-01-01", "2025-12-31")
				l.Decision = &budgetv1.Decision{Number: "1" + bad}
				w.Line(l, record("award", "1"))
			},
			"provenance[0].pointer": func(w *adapters.Writer) {
				w.Line(line("WMO", "02", "2025-01-01", "2025-12-31"), adapters.Record{Type: "award", Pointer: "/" + bad})
			},
			"spend/0: budget": func(w *adapters.Writer) {
				w.Spend(&budgetv1.Spend{Law: "WMO", Budget: bad, Start: "2025-01-01"}, adapters.Record{Type: "spend", Pointer: "/0"})
			},
			"bill/0: law": func(w *adapters.Writer) {
				w.OwnContribution(&budgetv1.OwnContribution{Law: "W" + bad, Period: &budgetv1.Period{Start: "2025-01-01"}}, adapters.Record{Type: "bill", Pointer: "/0"})
			},
		} {
			w, err := adapters.NewWriter(ask(scope("WMO")), adapters.Origin{Adapter: "fake", Version: "1", Key: key()})
			require.NoError(t, err)
			write(w)
			requireOdd(t, w, path)
		}
	}
}
