package replay_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/policy/replay"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// entry is a log of which the entry 7 is asked for.
func entry(p audit.Passed) *replay.Entry {
	e := replay.NewEntry(own, budgetv1.KindMunicipality, 7)
	e.Entry(audit.Passed{Index: 6, Leaf: &audit.Leaf{Kind: audit.Key}})
	if p.Leaf != nil {
		p.Index = 7
		e.Entry(p)
	}
	e.Entry(audit.Passed{Index: 8, Leaf: &audit.Leaf{Kind: audit.Key}})
	return e
}

// What cannot be explained says why, and what can be.
func TestWhatIsNoDecisionIsNotExplained(t *testing.T) {
	by := engine(t, "# Doel", "# Het doel")
	told := &audit.Judgement{Pairs: []audit.PairJudgement{{Source: own, Facts: facts().Encode()}}}
	lost := facts()
	lost.Agreement = "gone"
	for says, p := range map[string]audit.Passed{
		"entry 7 is not there":                    {},
		"is no decision but of the kind consent":  {Leaf: &audit.Leaf{Kind: audit.Consent}},
		"carries out the decision of entry 5":     {Leaf: &audit.Leaf{Kind: audit.Release, Decided: 5}},
		"who was erased since":                    {Leaf: &audit.Leaf{Kind: audit.Decision}, Erased: true},
		"asked no source":                         {Leaf: &audit.Leaf{Kind: audit.Deny}},
		"is of an earlier version":                {Leaf: &audit.Leaf{Kind: audit.Decision}, Judgement: &audit.Judgement{Pairs: []audit.PairJudgement{{Source: own}}}},
		"has no day":                              {Leaf: &audit.Leaf{Kind: audit.Decision}, Judgement: told},
		"agreement that they name, cannot be":     {Leaf: &audit.Leaf{Kind: audit.Decision, Day: "2026-06-01"}, Judgement: &audit.Judgement{Pairs: []audit.PairJudgement{{Source: own, Facts: lost.Encode()}}}},
		"the facts that it was decided by, or th": {Leaf: &audit.Leaf{Kind: audit.Decision, Day: "2026-06-01"}, Judgement: &audit.Judgement{Pairs: []audit.PairJudgement{{Source: own, Facts: json.RawMessage(`{}`)}}}},
	} {
		_, err := entry(p).Explain(t.Context(), by)
		require.ErrorIs(t, err, replay.ErrEntry, says)
		require.ErrorContains(t, err, says)
		var told *replay.EntryError
		require.ErrorAs(t, err, &told)
		require.Regexp(t, `^regel 7 van het logboek (is|gaat|heeft|rust) `, told.NL)
	}
	_, err := entry(audit.Passed{Leaf: &audit.Leaf{Kind: audit.Decision, Activity: purpose, Day: "2026-06-01"}, Judgement: told}).Explain(t.Context(), by)
	require.ErrorIs(t, err, replay.ErrOtherwise, "the log says that nothing passed")
}

// What passes, what does not and why, by whom it is decided; and what a statute changes of it.
func TestADecisionIsExplained(t *testing.T) {
	by := engine(t, "# Doel", "# Het doel")
	f := facts()
	day, err := civil.Parse("2026-06-01")
	require.NoError(t, err)
	p := policy.Past{Purpose: purpose, Day: day, Source: own, Facts: f}
	p.Facts.Requester, p.Facts.RequesterKind = own, budgetv1.KindMunicipality
	scopes, gaps := by.Again(t.Context(), p)
	said := audit.PairJudgement{Source: own, Facts: f.Encode(), Scopes: audit.ScopesOf(scopes)}
	for _, g := range gaps {
		said.Refusals = append(said.Refusals, audit.Refusal{Reason: g.GetReason(), Code: g.GetCode(), Laws: g.GetLaws(), Categories: g.GetCategories()})
	}
	first, second := said, said
	first.Subject, second.Subject = "Yg", "YQ"
	e := entry(audit.Passed{Leaf: &audit.Leaf{Kind: audit.Decision, Activity: purpose, Day: "2026-06-01"}, Judgement: &audit.Judgement{Pairs: []audit.PairJudgement{first, second, first}}})
	pairs, err := e.Explain(t.Context(), by)
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 1}, []int{pairs[0].Person, pairs[1].Person, pairs[2].Person})
	require.Len(t, pairs[0].Laws, 1)
	require.Equal(t, "WMO", pairs[0].Laws[0].Law)
	require.True(t, pairs[0].Laws[0].Outcome.Allow)
	require.NotEmpty(t, pairs[0].Laws[0].Way, "the consent is for two kinds of data")
	require.Empty(t, pairs[0].NotAsked())
	mask, _ := pairs[0].Under("WMO", "amount")
	require.Equal(t, "none", mask)
	mask, no := pairs[0].Under("WMO", "period")
	require.Empty(t, mask)
	require.Equal(t, "TOEST-01", no.Code)
	mask, no = pairs[0].Under("JW", "amount")
	require.Empty(t, mask+no.Reason, "was not asked")

	require.Equal(t, replay.Differing{}, pairs[0].Compare(t.Context(), by, by))
	less := engine(t, "quantity: none, amount: none", "quantity: none")
	require.Equal(t, replay.Differing{Lost: []string{"WMO amount"}}, pairs[0].Compare(t.Context(), by, less))
	require.Equal(t, replay.Differing{Won: []string{"WMO amount"}}, pairs[0].Compare(t.Context(), less, by))
}
