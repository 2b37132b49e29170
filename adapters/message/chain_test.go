package message_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// What replaces what, message by message; every order of the messages gives the same.
func TestMessagesReplaceEachOther(t *testing.T) {
	half := func(function, cents string) row { return row{function, "2025-01-01", "2025-06-30", cents} }
	none := func(function string) row { return row{function, "2025-01-01", "2025-01-01", "0"} }
	const (
		whole = "WMO/02 2025-01-01..2025-12-31 "
		gone  = "SKIPPED SUPERSEDED"
		clash = "CONFLICT VERSION_CONFLICT"
		left  = "AWARD_ROW_OMITTED"
	)
	for name, c := range map[string]struct {
		messages []string
		lines    []string
		notices  []string
	}{
		"raised": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "100")), awardOf("B", "A", "2025-03-01", year("02", "115"))},
			[]string{whole + "115"}, []string{gone},
		},
		"raised, dated before what it replaces": {
			[]string{awardOf("A", "", "2025-03-01", year("02", "100")), awardOf("B", "A", "2024-12-10", year("02", "115"))},
			[]string{whole + "115"}, []string{gone},
		},
		"over a number that was never seen": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "100")), awardOf("C", "B", "2025-03-01", year("02", "115"))},
			[]string{whole + "100", whole + "115"}, nil,
		},
		"two over one number that was never seen": {
			[]string{awardOf("B", "A", "2024-12-10", year("02", "100")), awardOf("C", "A", "2025-03-01", year("02", "115"))},
			[]string{"WMO/02 2025-01-01..2025-12-31"}, []string{clash},
		},
		"two that say the same over one number": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "90")), awardOf("B", "A", "2024-12-10", year("02", "100")), awardOf("C", "A", "2025-03-01", year("02", "100"))},
			[]string{whole + "100"}, []string{gone},
		},
		"a fork, one arm of which goes on": {
			[]string{
				awardOf("A", "", "2024-12-10", year("02", "90")), awardOf("B", "A", "2024-12-10", year("02", "100")),
				awardOf("C", "A", "2025-03-01", year("02", "110")), awardOf("D", "C", "2025-03-01", year("02", "120")),
			},
			[]string{"WMO/02 2025-01-01..2025-12-31"}, []string{clash, gone, gone},
		},
		"a cycle": {
			[]string{awardOf("A", "B", "2024-12-10", year("02", "100")), awardOf("B", "A", "2025-03-01", half("02", "50"), year("07", "7"))},
			[]string{"WMO/02 2025-01-01..2025-12-31", "WMO/07 2025-01-01..2025-12-31"}, []string{clash, clash},
		},
		"a cycle that another link replaces": {
			[]string{
				awardOf("A", "B", "2024-12-10", year("02", "100")), awardOf("B", "A", "2025-03-01", year("02", "50")),
				awardOf("C", "A", "2025-01-01", year("02", "70")),
			},
			[]string{whole + "70"}, []string{gone, gone},
		},
		"sent again": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "100")), awardOf("A", "A", "2025-03-01", year("02", "100"))},
			[]string{whole + "100"}, []string{gone},
		},
		"sent again in a chain": {
			[]string{
				awardOf("A", "", "2024-12-10", year("02", "90")), awardOf("B", "A", "2024-12-20", year("02", "100")),
				awardOf("B", "B", "2025-03-01", year("02", "115")),
			},
			[]string{whole + "115"}, []string{gone, gone},
		},
		"one number, one day, two contents": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "100"), year("07", "20")), awardOf("A", "", "2024-12-10", row{"02", "2025-01-01", "2026-03-31", "150"}, year("07", "20"))},
			[]string{"WMO/02 2025-01-01..2026-03-31", "WMO/07 2025-01-01..2025-12-31 20"}, []string{clash},
		},
		"one number, one day, one content": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "100")), awardOf("A", "A", "2024-12-10", year("02", "100"))},
			[]string{whole + "100"}, nil,
		},
		"one number, and a day that is not known": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "100")), awardOf("A", "", "", year("02", "150"))},
			[]string{"WMO/02 2025-01-01..2025-12-31"}, []string{clash},
		},
		"withdrawn in one, there in the other": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "100")), awardOf("A", "", "2024-12-10", none("02"))},
			[]string{"WMO/02 2025-01-01..2025-12-31"}, []string{clash, "SKIPPED REMOVED"},
		},
		"one row twice in a message": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "100"), year("02", "40"), year("07", "1"), year("07", "1"))},
			[]string{"WMO/02 2025-01-01..2025-12-31", "WMO/07 2025-01-01..2025-12-31 1"}, []string{clash},
		},
		"cut short": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "100")), awardOf("B", "A", "2025-06-10", half("02", "49"))},
			[]string{"WMO/02 2025-01-01..2025-06-30(2025-12-31) 49"}, []string{gone},
		},
		"cut short, then made longer again": {
			[]string{
				awardOf("A", "", "2024-12-10", year("02", "100")), awardOf("B", "A", "2025-05-10", half("02", "49")),
				awardOf("C", "B", "2025-06-10", row{"02", "2025-01-01", "2025-09-30", "75"}),
			},
			[]string{"WMO/02 2025-01-01..2025-09-30(2025-12-31) 75"}, []string{gone, gone},
		},
		"made longer": {
			[]string{awardOf("A", "", "2024-12-10", half("02", "49")), awardOf("B", "A", "2025-06-10", year("02", "100"))},
			[]string{whole + "100"}, []string{gone},
		},
		"a start that moves": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "100")), awardOf("B", "A", "2025-01-20", none("02"), row{"02", "2025-02-01", "2025-12-31", "92"})},
			[]string{"WMO/02 2025-02-01..2025-12-31 92"}, []string{gone, "SKIPPED REMOVED"},
		},
		"a row withdrawn, and one left out": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "5"), year("07", "3"), year("01", "2")), awardOf("B", "A", "2025-02-03", year("02", "5"), none("01"))},
			[]string{whole + "5"}, []string{gone, "SKIPPED REMOVED", left},
		},
		"a row left out two links ago": {
			[]string{
				awardOf("A", "", "2024-12-10", year("02", "5"), year("07", "3")), awardOf("B", "A", "2025-02-03", year("02", "6")),
				awardOf("C", "B", "2025-02-03", year("02", "7")),
			},
			[]string{whole + "7"}, []string{gone, gone, left},
		},
		"a withdrawn row need not come again": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "5"), none("07")), awardOf("B", "A", "2025-02-03", year("02", "6"))},
			[]string{whole + "6"}, []string{gone},
		},
		"a row of another year left out": {
			[]string{awardOf("A", "", "2022-12-10", year("02", "5"), row{"07", "2023-01-01", "2023-12-31", "3"}), awardOf("B", "A", "2025-02-03", year("02", "6"))},
			[]string{whole + "6"}, []string{gone},
		},
		"nothing, over more than a day": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "0"), year("07", "1"))},
			[]string{"WMO/07 2025-01-01..2025-12-31 1"}, []string{"SKIPPED ZERO", "AWARD_ROW_OMITTED ZERO"},
		},
		"a new link that cannot be read in part": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "5"), year("07", "3")), awardOf("B", "A", "2025-02-03", year("02", "6,00"), year("07", "4"))},
			[]string{"WMO/07 2025-01-01..2025-12-31 4"}, []string{gone, "SKIPPED ODD_RECORD RECORD_SKIPPED"},
		},
		"an old link that cannot be read": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "5,00")), awardOf("B", "A", "2025-02-03", year("02", "6"))},
			[]string{whole + "6"}, []string{gone},
		},
		"a new link with a row nobody can tell": {
			[]string{awardOf("A", "", "2024-12-10", year("02", "5"), year("07", "3")), awardOf("B", "A", "2025-02-03", year("02", "6"), year("", "4"))},
			[]string{whole + "6"}, []string{gone, "SKIPPED ODD_RECORD RECORD_SKIPPED"},
		},
		"function 2 and 02": {
			[]string{awardOf("A", "", "2024-12-10", year("2", "5")), awardOf("B", "A", "2025-02-03", year("02", "6"))},
			[]string{whole + "6"}, []string{gone},
		},
	} {
		for _, order := range orders(c.messages) {
			a := answer(t, order...)
			require.ElementsMatch(t, c.lines, told(a), name)
			require.ElementsMatch(t, c.notices, noticed(a), name)
		}
	}
}

// orders gives the messages as they are, the other way round, and turned by one.
func orders(messages []string) [][]string {
	back := slices.Clone(messages)
	slices.Reverse(back)
	return [][]string{messages, back, append(slices.Clone(messages[1:]), messages[0])}
}

func TestLineKnowsEveryNumberOfItsChain(t *testing.T) {
	a := answer(t, awardOf("B", "A", "2025-01-10", year("02", "2")), awardOf("C", "B", "2025-01-10", year("02", "3")))
	require.Equal(t, "C", a.GetLines()[0].GetDecision().GetBudget())
	require.Equal(t, []string{"A", "B"}, a.GetLines()[0].GetDecision().GetEarlierBudgets(), "also one that was never seen")
}

func TestAllocationsReplaceEachOther(t *testing.T) {
	a := product{number: "300411", category: "07", day: "2024-12-20", clock: "10:00:00", volume: "4"}
	with := func(change func(*product)) product {
		p := a
		change(&p)
		return p
	}
	const open = "WMO/07 2025-01-01.. 4x16/2"
	for name, c := range map[string]struct {
		later          product
		lines, notices []string
	}{
		"shortened": {with(func(p *product) { p.number, p.day, p.to, p.volume = "0300411", "2025-05-20", "2025-05-31", "2" }),
			[]string{"WMO/07 2025-01-01..2025-05-31 2x16/2"}, []string{"SKIPPED SUPERSEDED"}},
		"later that day": {with(func(p *product) { p.clock, p.to = "10:00:01", "2025-05-31" }),
			[]string{"WMO/07 2025-01-01..2025-05-31 4x16/2"}, []string{"SKIPPED SUPERSEDED"}},
		"removed": {with(func(p *product) { p.day, p.to, p.reason = "2025-01-05", "2025-01-01", "13" }),
			nil, []string{"SKIPPED SUPERSEDED", "SKIPPED REMOVED"}},
		"removed, as in 3.0": {with(func(p *product) { p.day, p.to, p.reason = "2025-01-05", "2025-01-01", "01" }),
			nil, []string{"SKIPPED SUPERSEDED", "SKIPPED REMOVED"}},
		"removed in the same moment": {with(func(p *product) { p.to, p.reason = "2025-01-01", "13" }),
			nil, []string{"SKIPPED REMOVED", "SKIPPED REMOVED"}},
		"corrected for a longer time": {with(func(p *product) { p.day, p.to, p.reason = "2025-01-05", "2025-01-02", "01" }),
			[]string{"WMO/07 2025-01-01..2025-01-02 4x16/2"}, []string{"SKIPPED SUPERSEDED"}},
		"lapsed": {with(func(p *product) { p.day, p.to = "2025-01-05", "2024-12-31" }),
			nil, []string{"SKIPPED SUPERSEDED", "SKIPPED LAPSED"}},
		"another number": {with(func(p *product) { p.number = "300412" }), []string{open, open}, nil},
		"the same again": {a, []string{open}, nil},
		"one moment, two contents": {with(func(p *product) { p.to, p.volume = "2025-05-31", "2" }),
			[]string{"WMO/07 2025-01-01.."}, []string{"CONFLICT VERSION_CONFLICT"}},
		"no moment": {with(func(p *product) { p.day, p.to, p.volume = "", "2025-05-31", "2" }),
			[]string{"WMO/07 2025-01-01.."}, []string{"CONFLICT VERSION_CONFLICT"}},
		"odd": {with(func(p *product) { p.day, p.volume = "2025-05-20", "vier" }),
			nil, []string{"SKIPPED SUPERSEDED", "SKIPPED ODD_RECORD RECORD_SKIPPED"}},
	} {
		for _, order := range orders([]string{allocationOf(a), allocationOf(c.later)}) {
			got := answer(t, order...)
			require.ElementsMatch(t, c.lines, told(got), name)
			require.ElementsMatch(t, c.notices, noticed(got), name)
			for _, l := range got.GetLines() {
				require.Empty(t, l.GetDecision().GetNumber(), "an allocation has no number of a decision")
				require.Equal(t, "12345678", l.GetProvider())
			}
		}
	}
	generic := answer(t, allocationOf(product{number: "1", day: "2025-01-20", to: "2025-12-31"}))
	require.Equal(t, []string{"WMO/ 2025-01-01..2025-12-31"}, told(generic))
	require.Empty(t, noticed(generic))
}

// Any order of the messages gives the same answer, and two versions of a row never sum.
func TestOrderOfMessagesDoesNotMatter(t *testing.T) {
	numbers := []string{"A", "B", "C", "D"}
	rapid.Check(t, func(rt *rapid.T) {
		var messages []string
		most := map[string]int64{}
		for range rapid.IntRange(0, 6).Draw(rt, "messages") {
			var rows []row
			for range rapid.IntRange(0, 3).Draw(rt, "rows") {
				start := rapid.SampledFrom([]string{"2025-01-01", "2025-02-01"}).Draw(rt, "start")
				r := row{
					rapid.SampledFrom([]string{"02", "07"}).Draw(rt, "function"), start,
					rapid.SampledFrom([]string{start, "2025-06-30", "2025-12-31"}).Draw(rt, "end"),
					strconv.FormatInt(rapid.Int64Range(0, 3).Draw(rt, "cents"), 10),
				}
				rows = append(rows, r)
				cents, _ := strconv.ParseInt(r.cents, 10, 64)
				most[r.function+r.from] = max(most[r.function+r.from], cents)
			}
			messages = append(messages, awardOf(
				rapid.SampledFrom(numbers).Draw(rt, "number"), rapid.SampledFrom(append([]string{"", "Z"}, numbers...)).Draw(rt, "old"),
				rapid.SampledFrom([]string{"2024-12-10", "2025-03-01"}).Draw(rt, "sent"), rows...))
		}
		first := answer(t, messages...)
		shuffled := slices.Clone(messages)
		source := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		source.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		second := answer(t, shuffled...)
		require.Equal(rt, told(first), told(second))
		require.ElementsMatch(rt, noticed(first), noticed(second))
		require.Equal(rt, numbersOf(first), numbersOf(second))
		seen := map[string]bool{}
		for _, l := range first.GetLines() {
			k := l.GetProduct().GetCode() + l.GetPeriod().GetStart()
			require.LessOrEqual(rt, l.GetAmount().GetCents(), most[k])
			chain := fmt.Sprint(k, l.GetDecision().GetBudget())
			require.False(rt, seen[chain], "one row of one budget once")
			seen[chain] = true
		}
	})
}

func numbersOf(a *budgetv1.FetchResponse) (all []string) {
	for _, l := range a.GetLines() {
		all = append(all, fmt.Sprint(l.GetDecision().GetBudget(), l.GetDecision().GetEarlierBudgets()))
	}
	return all
}
