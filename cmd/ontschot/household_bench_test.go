package main

import (
	"io"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// wide is the case of Meppel with every kind of source, each asked about everybody: a family of
// five over eight other organisations, forty questions.
func wide(t testing.TB) *family.Family {
	t.Helper()
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	cf.Parties = append(cf.Parties,
		casefile.Organisation{Code: "GM0384", OIN: "00000099000000384000", Kind: budgetv1.KindMunicipality, Name: "Gemeente Diemen", Laws: []string{"WMO", "JW", "LLV"}},
		casefile.Organisation{Code: "UZOVI9991", OIN: "00000099000109991000", Kind: budgetv1.KindInsurer, Name: "De Eendracht (fictief)", Laws: []string{"ZVW"}},
		casefile.Organisation{Code: "SWV2602", OIN: "00000099000202602000", Kind: budgetv1.KindEducation, Name: "VO2602 (fictief)", Laws: []string{"EDU"}},
		casefile.Organisation{Code: "VALYS", OIN: "00000099000100004000", Kind: budgetv1.KindTransport, Name: "Valys", Laws: []string{"VALYS"}},
	)
	var sources []string
	for _, p := range cf.Parties {
		if p.Code != cf.Requester {
			sources = append(sources, p.Code)
		}
	}
	require.Len(t, sources, 8)
	like, given := cf.Consents[0], []casefile.Consent{}
	for i := range cf.Household {
		m := &cf.Household[i]
		m.IDs.Onderwijsnummer, m.IDs.Pasnummer = "19994006"+string(rune('1'+i)), "VAL-"+string(rune('1'+i))
		one := like
		one.Person, one.Signers, one.Sources = m.Ref, []identity.PersonRef{m.Ref}, sources
		if m.Ref == "A5" { // is fifteen at first, and the parents sign too
			one.Signers = []identity.PersonRef{"A5", "A1", "A2"}
		}
		given = append(given, one)
	}
	cf.Consents, cf.Ask = given, nil
	require.Len(t, cf.Pairs(), 40)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	return f
}

// BenchmarkFamilyOverEightPeers is one question for a family of five to a gateway that asks eight
// others, each a process with its adapter, each asking the party's own system. Slowest is what the
// slowest source took, as the budget tells; over is what the answer took beyond it. All of it runs
// on this one machine: the gateways and systems of nine organisations, and who asks.
func BenchmarkFamilyOverEightPeers(b *testing.B) {
	f, dir := wide(b), b.TempDir()
	layout, err := f.FreeLayout()
	require.NoError(b, err)
	layout.Federated = true
	require.NoError(b, f.Write(dir, layout))
	box, err := startSandbox(f.Case, dir, nil, io.Discard)
	require.NoError(b, err)
	defer box.Close()
	said := new(buffer)
	all, err := startProcesses(b.Context(), f, dir, said)
	require.NoError(b, err, said)
	defer all.close()
	token, err := mintToken(dir)
	require.NoError(b, err)
	cl := openClient(b, dir+"/client.yaml", func() (string, error) { return token, nil })
	ask := func() (slowest, whole time.Duration) {
		begin := time.Now()
		got, err := cl.AssembleBudget(b.Context(), requestOf(f.Case), nil)
		whole = time.Since(begin)
		require.NoError(b, err)
		disclosed := 0
		for _, r := range got.GetSources() {
			slowest = max(slowest, time.Duration(r.GetElapsedMs())*time.Millisecond)
			if r.GetDisclosure() != nil {
				disclosed++
			}
		}
		require.Equal(b, 40, disclosed, "%v\n%s", got.GetGaps(), said)
		return slowest, whole
	}
	for range 5 { // connections, documents
		ask()
	}
	var slow, over []time.Duration
	for b.Loop() {
		slowest, whole := ask()
		slow, over = append(slow, slowest), append(over, whole-slowest)
	}
	slices.Sort(slow)
	slices.Sort(over)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(slow[len(slow)/2]), "ms-slowest")
	b.ReportMetric(ms(over[len(over)/2]), "ms-over")
	b.ReportMetric(ms(over[len(over)/10]), "ms-over-p10") // when nothing else wanted the machine
}
