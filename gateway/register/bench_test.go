package register_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
)

func pseudonym(n int) string {
	sum := sha256.Sum256(fmt.Append(nil, "person ", n))
	return string(sum[:])
}

// household is the case of four people.
func household(n int) string {
	sum := sha256.Sum256(fmt.Append(nil, "case ", n/4))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// full is a register with a consent of each of so many people.
func full(people int) *register.Register {
	r := register.New()
	for n := range people {
		id := fmt.Sprintf("01890a5d-ac96-774b-bcce-%012x", n)
		sum := sha256.Sum256([]byte(id))
		d := register.Document{
			ID: id, Kind: register.Consent, Digest: sum, Opens: sha256.Sum256(sum[:]), Keys: []string{digestOf("own1")}, From: first, Until: first + 364,
			Subjects: []string{pseudonym(n)}, Purpose: "integral_budget.compose", Case: household(n), Recipients: []identity.OIN{"R1"},
		}
		for _, source := range []string{"S1", "S2", "S3", "S4", "S5"} {
			d.Grants = append(d.Grants, register.Grant{Source: identity.OIN(source), Categories: []string{"a", "b", "c"}})
		}
		r.Apply(register.Entry{Index: int64(n), Day: first, Put: &d})
	}
	return r
}

func thing(n int) register.Thing {
	return register.Thing{Pseudonyms: []string{pseudonym(n)}, Purpose: "integral_budget.compose", Case: household(n), Recipient: "R1", Source: "S3"}
}

// A decision costs the same beside a thousand consents of other people and beside a
// million.
func BenchmarkLastWord(b *testing.B) {
	for _, people := range []int{1e3, 1e6} {
		r := full(people)
		b.Run(fmt.Sprint(people), func(b *testing.B) {
			things := []register.Thing{}
			for n := range 1000 {
				things = append(things, thing(n*people/1000))
			}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if r.At(r.Size()).LastWord(things[n%1000], first).Standing != register.Yes {
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

func BenchmarkDecode(b *testing.B) {
	written := full(100000).Encode()
	b.ReportMetric(float64(len(written))/100000, "B/consent")
	for b.Loop() {
		if _, err := register.Decode(written); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	r := full(100000)
	for b.Loop() {
		r.Encode()
	}
}

func TestADecisionCostsTheSameBesideMany(t *testing.T) {
	few, many := full(1000), full(50000)
	asked := thing(500)
	cost := func(r *register.Register) float64 {
		return testing.AllocsPerRun(100, func() { r.At(r.Size()).LastWord(asked, first) })
	}
	require.Equal(t, cost(few), cost(many))
}
