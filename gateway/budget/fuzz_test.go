package budget_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// FuzzAssemble: any bytes that a source could send as its answer give a sound
// budget, the same twice, and leave the answer as it was.
func FuzzAssemble(f *testing.F) {
	for _, name := range casefile.Names() {
		c, err := casefile.Open(name)
		require.NoError(f, err)
		for _, a := range answers(f, c) {
			raw, err := proto.Marshal(a.Response)
			require.NoError(f, err)
			f.Add(raw)
		}
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := &budgetv1.FetchResponse{}
		if proto.Unmarshal(raw, r) != nil {
			return
		}
		for _, l := range r.GetLines() {
			l.Funder = "GM1" // else every line is refused for its funder
		}
		before := proto.CloneOf(r)
		given := []budget.Answer{
			{Person: "P1", Source: "GM1", Response: r}, {Person: "P2", Source: "GM1", Response: r},
			{Person: "P1", Source: "SVB", Response: r}, {Person: "P2", Source: "CAK", Response: r},
		}
		b := budget.Assemble(small(), given)
		requireSound(t, b)
		requireMatrixAgrees(t, b)
		requireSame(t, b, budget.Assemble(small(), given))
		require.True(t, proto.Equal(before, r))
	})
}

// FuzzValue: a value that is known lies between nothing and the bound, and one
// decided total never gives more than itself.
func FuzzValue(f *testing.F) {
	f.Add(int64(421200), "PERIOD_TOTAL", "2025-08-01", "2026-01-31", "", "2025-01-01", "2025-12-31")
	f.Add(int64(83475), "PER_MONTH", "2025-06-15", "", "", "2025-01-01", "2025-12-31")
	f.Add(int64(390000), "PERIOD_TOTAL", "2025-01-01", "2025-04-30", "2025-12-31", "2025-01-01", "2025-12-31")
	f.Add(int64(100_000_000_000), "PER_DAY", "1850-01-01", "2299-12-31", "", "1850-01-01", "2299-12-31")
	f.Fuzz(func(t *testing.T, cents int64, basis, start, end, original, from, to string) {
		p := period(start, end)
		if original != "" {
			p.OriginalEnd = &original
		}
		w, ok := window(from, to)
		value, known := budget.Value(amount(cents, basis), p, w)
		if !ok || !known {
			return
		}
		require.GreaterOrEqual(t, value, int64(0))
		require.LessOrEqual(t, value, int64(100_000_000_000_000))
		if basis == "PERIOD_TOTAL" || basis == "ONE_OFF" {
			require.LessOrEqual(t, value, cents)
		}
	})
}
