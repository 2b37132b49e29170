package budget_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Two members of one household pay in turn: each sees the months that are theirs.
func TestAViewHoldsOnesOwnContribution(t *testing.T) {
	pays := func(person, from, to string, cents int64) budget.Answer {
		return budget.Answer{Person: identity.PersonRef(person), Source: "CAK", Response: &budgetv1.FetchResponse{OwnContributions: []*budgetv1.OwnContribution{{
			Law: "WMO", CentsPerMonth: &cents, Household: "h", Period: &budgetv1.Period{Start: from, End: &to},
		}}}}
	}
	q := budget.Request{
		Window:  civil.Span{From: civil.MustParse("2025-01-01"), To: civil.MustParse("2025-12-31")},
		Today:   civil.MustParse("2025-06-30"),
		Parties: identity.Directory{{Code: "CAK", Kind: "CAK"}, {Code: "GM1", Kind: "MUNICIPALITY", Laws: []string{"WMO"}}},
		Persons: []budget.Person{{Ref: "A1"}, {Ref: "A2"}},
	}
	b := budget.Assemble(q, []budget.Answer{pays("A1", "2025-01-01", "2025-03-31", 2100), pays("A2", "2025-04-01", "2025-12-31", 9900)})
	require.Equal(t, int64(3*2100+9*9900), b.GetOwnContributionCents())
	for person, cents := range map[string]int64{"A1": 3 * 2100, "A2": 9 * 9900} {
		view, ok := budget.View(b, identity.PersonRef(person))
		require.True(t, ok)
		require.Equal(t, cents, view.GetOwnContributionCents(), "also where nobody asked for a right under that law")
	}
	_, ok := budget.View(b, "Z9")
	require.False(t, ok)
}
