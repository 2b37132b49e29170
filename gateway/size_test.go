package gateway_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Every budget that is released can be presented in one request, whatever its lines
// weigh; what has no place in it is a gap.
func TestEveryReleasedBudgetCanBePresented(t *testing.T) {
	for name, c := range map[string]struct {
		each  int // lines of each person: of four
		label string
	}{
		"few":             {10, "Huishoudelijke hulp"},
		"many":            {250, "Begeleiding individueel, specialistisch, inclusief reiskosten"},
		"many, and heavy": {250, strings.Repeat("\u00eb", 128)},
		"some hundreds":   {120, "Begeleiding individueel, specialistisch, inclusief reiskosten"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(g *server.BrokerConfig) {
				g.Sources["GM0119"] = altered{g.Sources["GM0119"], func(r *budgetv1.FetchResponse) {
					one := r.Lines[0]
					r.Lines = nil
					for i := range c.each {
						l := proto.CloneOf(one)
						l.Product.Label = c.label
						l.Decision = &budgetv1.Decision{Number: fmt.Sprintf("BESLUIT-2025-%06d", i), Issued: "2025-01-01", Budget: fmt.Sprint("GM0119-TOEKENNING-", i)}
						for n := range 2 {
							l.Provenance = append(l.Provenance, &budgetv1.Provenance{
								Source: "GM0119", Adapter: "municipality", Version: "1.0.0", RecordType: "case_system", RecordId: fmt.Sprint("record-", i, n),
								Pointer: fmt.Sprint("/Budgetten/Functiebudgetten/", i), Sha256: bytes.Repeat([]byte{byte(i)}, 32), FetchedAtMs: r.AsOfMs,
							})
						}
						r.Lines = append(r.Lines, l)
					}
				}}
			})
			var persons []person
			var asks [][2]string
			for _, ref := range []string{"P", "Q", "R", "S"} {
				p := h.person(ref)
				h.give(p, "", all("GM0119")...)
				persons, asks = append(persons, p), append(asks, [2]string{ref, "GM0119"})
			}
			b, err := h.compose(h.municipality().call(), h.request(persons, asks...))
			require.NoError(t, err)
			require.LessOrEqual(t, proto.Size(&ontschotv1.ViewRequest{Budget: b, Person: "P"}), admission.MaxRequest*4/5, "with room for a plan")
			require.NotEmpty(t, b.GetLines(), "what fits is released")
			for _, pair := range asks {
				got := len(disclosed(b, pair))
				require.True(t, got == c.each || got == 0)
				require.Equal(t, got == 0, slices.Contains(gapOf(b, pair), budgetv1.ReasonBadDataAtSource), "what is not released is a gap")
			}
			require.Equal(t, c.each < 250, b.GetComplete())
			t.Logf("%d lines, %d bytes", len(b.GetLines()), proto.Size(b))
			for _, name := range slices.Sorted(maps.Keys(tasks())) {
				answer, err := tasks()[name](h, h.municipality().call(), proto.CloneOf(b))
				require.NoError(t, err, name)
				view, _ := answer.(*budgetv1.Budget)
				require.LessOrEqual(t, proto.Size(view), proto.Size(b), name)
			}
		})
	}
}
