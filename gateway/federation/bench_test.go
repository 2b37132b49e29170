package federation_test

import (
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// BenchmarkPeer is a question about one person to the gateway of another organisation, with all
// that both sides do, over mutual TLS; 16 ask at once, and the system behind the source answers
// from memory.
func BenchmarkPeer(b *testing.B) {
	w := newTwo(b, options{})
	p := w.person("P")
	w.give(p, "")
	ctx, span := w.asker.call(nil), w.family.Case.Window
	ask := func() *ontschotv1.AssembleBudgetRequest {
		return &ontschotv1.AssembleBudgetRequest{
			Purpose: w.family.Case.Purpose, Window: &budgetv1.Window{From: span.From.String(), To: span.To.String()},
			Persons: []*ontschotv1.Person{p.message()}, Asks: []*ontschotv1.Ask{{Person: p.ref, Source: w.code}},
		}
	}
	b.ReportAllocs()
	next := make(chan struct{})
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range next {
				if err := w.asker.Gateway.AssembleBudget(ask(), &stream{ctx: ctx}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	before := processor(b)
	for b.Loop() {
		next <- struct{}{}
	}
	close(next)
	all.Wait()
	b.ReportMetric(float64((processor(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
	require.Empty(b, gaps(w.composed(p)))
}

// processor is how much of it this process has used.
func processor(t testing.TB) time.Duration {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
