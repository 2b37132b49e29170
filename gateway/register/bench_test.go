package register_test

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
)

// full is a register with a consent of each of so many people.
func full(people int) *register.Register {
	r := register.New()
	for n := range people {
		id := fmt.Sprintf("%036d", n)
		d := register.Document{
			ID: id, Kind: register.Consent, Digest: sha256.Sum256([]byte(id)), Keys: []string{"own1"}, From: first, Until: first + 364,
			Subjects: []string{fmt.Sprintf("%032d", n)}, Purpose: "integral_budget.compose", Case: fmt.Sprintf("case-%037d", n/4), Recipients: []identity.OIN{"R1"},
		}
		for _, source := range []string{"S1", "S2", "S3", "S4", "S5"} {
			d.Grants = append(d.Grants, register.Grant{Source: identity.OIN(source), Categories: []string{"a", "b", "c"}})
		}
		r.Apply(register.Entry{Index: int64(n), Day: first, Put: &d})
	}
	return r
}

func word(r *register.Register, n int) register.Word {
	return r.At(r.Size()).LastWord(register.Thing{
		Pseudonyms: []string{fmt.Sprintf("%032d", n)}, Purpose: "integral_budget.compose", Case: fmt.Sprintf("case-%037d", n/4), Recipient: "R1", Source: "S3",
	}, first)
}

// A decision costs the same beside a thousand consents of other people and beside a
// million.
func BenchmarkLastWord(b *testing.B) {
	for _, people := range []int{1e3, 1e6} {
		r := full(people)
		b.Run(fmt.Sprint(people), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if word(r, people/2).Standing != register.Yes {
					b.Fatal("no")
				}
			}
		})
	}
}

// What a consent of five sources takes in memory.
func BenchmarkMemoryOfAConsent(b *testing.B) {
	var before, after runtime.MemStats
	const people = 100000
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		r := full(people)
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(r)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/people, "B/consent")
}

func TestADecisionCostsTheSameBesideMany(t *testing.T) {
	few, many := full(1000), full(50000)
	cost := func(r *register.Register) float64 { return testing.AllocsPerRun(100, func() { word(r, 500) }) }
	require.Equal(t, cost(few), cost(many))
}
