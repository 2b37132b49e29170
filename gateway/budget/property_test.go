package budget_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func bases() []string {
	return []string{
		"PERIOD_TOTAL", "PER_YEAR", "PER_QUARTER", "PER_MONTH", "PER_4_WEEKS", "PER_2_WEEKS",
		"PER_WEEK", "PER_DAY", "PER_13_WEEKS", "PER_52_WEEKS", "ONE_OFF",
	}
}

func drawDate(t *rapid.T, label string) civil.Date {
	return civil.New(2023, 1, 1) + civil.Date(rapid.IntRange(0, 1500).Draw(t, label))
}

func drawPeriod(t *rapid.T) *budgetv1.Period {
	start := drawDate(t, "start")
	p := period(start.String(), "")
	if rapid.Bool().Draw(t, "ends") {
		end := start + civil.Date(rapid.IntRange(0, 900).Draw(t, "days"))
		p.End = new(end.String())
		if rapid.IntRange(0, 4).Draw(t, "cut") == 0 {
			p.OriginalEnd = new((end + civil.Date(rapid.IntRange(0, 300).Draw(t, "more"))).String())
		}
	}
	return p
}

func drawAmount(t *rapid.T) *budgetv1.Amount {
	return amount(rapid.Int64Range(0, 10_000_000).Draw(t, "cents"), rapid.SampledFrom(bases()).Draw(t, "basis"))
}

// odd is a text of a source that does not follow the rules.
func odd(t *rapid.T, likely ...string) string {
	return rapid.OneOf(rapid.SampledFrom(likely), rapid.SampledFrom(likely), rapid.String()).Draw(t, "text")
}

// drawLine draws any line: mostly sensible, often with parts withheld, now and
// then nonsense.
func drawLine(t *rapid.T, source string) *budgetv1.BudgetLine {
	if rapid.IntRange(0, 30).Draw(t, "nil") == 0 {
		return nil
	}
	l := &budgetv1.BudgetLine{
		Law: odd(t, "WMO", "JW", "WLZ", "WIA", ""), Funder: source,
		DeliveryForm: "PGB", Fungibility: odd(t, "POOLABLE", "RINGFENCED", "INCOME", "IN_KIND", ""),
	}
	if rapid.IntRange(0, 30).Draw(t, "funder") == 0 {
		l.Funder = odd(t, "GM1", "GM2")
	}
	if rapid.IntRange(0, 5).Draw(t, "product") > 0 {
		l.Product = &budgetv1.Product{Code: odd(t, "02", "45", "830")}
	}
	switch rapid.IntRange(0, 6).Draw(t, "period") {
	case 0:
	case 1:
		l.Period = &budgetv1.Period{Start: odd(t, "2025-01-01", "2025-02-30"), End: new(odd(t, "2025-06-30", "2024-01-01"))}
	default:
		l.Period = drawPeriod(t)
	}
	switch rapid.IntRange(0, 5).Draw(t, "money") {
	case 0:
	case 1:
		l.Amount = amount(rapid.Int64().Draw(t, "any"), odd(t, bases()...))
	default:
		if l.Fungibility == "INCOME" {
			l.Income = drawAmount(t)
		} else {
			l.Amount = drawAmount(t)
		}
	}
	if rapid.IntRange(0, 8).Draw(t, "quantity") == 0 {
		l.Quantity = &budgetv1.Quantity{Volume: "4"}
	}
	if rapid.Bool().Draw(t, "provenance") {
		l.Provenance = []*budgetv1.Provenance{{RecordId: odd(t, "1", "2"), Sha256: []byte{1}}, {RecordId: "1"}}
	}
	return l
}

func drawAnswer(t *rapid.T, person, source string) budget.Answer {
	a := budget.Answer{Person: identity.PersonRef(person), Source: source, Consent: "c", Agreement: "a"}
	if rapid.IntRange(0, 4).Draw(t, "answers") == 0 {
		a.Gaps = []*budgetv1.Gap{{Reason: odd(t, budgetv1.GapReasons()...)}, nil}
		return a
	}
	a.Response = &budgetv1.FetchResponse{}
	for range rapid.IntRange(0, 6).Draw(t, "lines") {
		a.Response.Lines = append(a.Response.Lines, drawLine(t, source))
	}
	for range rapid.IntRange(0, 2).Draw(t, "history") {
		a.Response.History = append(a.Response.History, &budgetv1.HistoryLine{
			Law: odd(t, "WMO", "JW"), Product: &budgetv1.Product{Code: odd(t, "02", "45")}, Period: drawPeriod(t),
		})
	}
	for range rapid.IntRange(0, 2).Draw(t, "notices") {
		a.Response.Notices = append(a.Response.Notices, &budgetv1.Notice{Code: odd(t, "STALE", "CONFLICT", "UNKNOWN_CODE"), Law: "WMO"})
	}
	if rapid.IntRange(0, 4).Draw(t, "partly") == 0 {
		a.Gaps = []*budgetv1.Gap{{Reason: budgetv1.ReasonPolicyDenied, Laws: []string{"JW"}}}
	}
	return a
}

func drawAnswers(t *rapid.T) []budget.Answer {
	var all []budget.Answer
	for _, person := range []string{"P1", "P2"} {
		for _, source := range []string{"GM1", "GM2", "ZK1", "UWV", "CAK", "XX"} {
			if rapid.Bool().Draw(t, "asked") {
				all = append(all, drawAnswer(t, person, source))
			}
		}
	}
	return all
}

func drawWindow(t *rapid.T) civil.Span {
	from := drawDate(t, "from")
	return civil.Span{From: from, To: from + civil.Date(rapid.IntRange(-1, 500).Draw(t, "length"))}
}

// TestSumsAgree: the sums agree, and income is never in the care total.
func TestSumsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := small()
		q.Window = drawWindow(t)
		b := budget.Assemble(q, drawAnswers(t))
		requireSums(t, b)
		requireMatrixAgrees(t, b)
	})
}

// requireSums: the lines sum to the same in four ways, and only POOLABLE
// money is care money.
func requireSums(t require.TestingT, b *budgetv1.Budget) {
	all, pool := big.NewInt(0), int64(0)
	for _, l := range b.GetLines() {
		all.Add(all, big.NewInt(l.GetValueCents()))
		if l.GetFungibility() == "POOLABLE" {
			require.Nil(t, l.Income)
			pool += l.GetValueCents()
		}
	}
	totals := b.GetTotals()
	for _, by := range []map[string]int64{totals.ByLaw, totals.ByFunder, totals.ByPerson, totals.ByFungibility} {
		sum := int64(0)
		for _, cents := range by {
			sum += cents
		}
		require.Equal(t, all.String(), fmt.Sprint(sum))
	}
	require.Equal(t, pool, b.GetCareTotalCents())
	require.Equal(t, totals.GetByFungibility()["INCOME"], b.GetIncomeCents())
	require.Equal(t, totals.GetByFungibility()["RINGFENCED"], b.GetRingfencedCents())
}

// requireMatrixAgrees: the cells hold each line once and sum to the totals.
func requireMatrixAgrees(t require.TestingT, b *budgetv1.Budget) {
	var lines []string
	sums := map[string]int64{}
	for _, row := range b.GetMatrix() {
		for _, cell := range row.GetCells() {
			lines = append(lines, cell.GetLines()...)
			money := cell.GetEntitlementCents() + cell.GetRingfencedCents() + cell.GetIncomeCents()
			if cell.EntitlementCents != nil || cell.RingfencedCents != nil || cell.IncomeCents != nil {
				sums[row.GetPerson()] += money
			}
		}
	}
	slices.Sort(lines)
	require.Equal(t, ids(b), lines)
	require.Equal(t, b.GetTotals().GetByPerson(), sums)
}

// TestWindowsAddUp: to the cent for a total, within half a cent per window
// for a rate.
func TestWindowsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, a := drawPeriod(t), drawAmount(t)
		whole := civil.Span{From: drawDate(t, "from")}
		whole.To = whole.From + civil.Date(rapid.IntRange(0, 900).Draw(t, "days"))
		want, ok := budget.Value(a, p, whole)
		if a.Basis == "PERIOD_TOTAL" && p.End == nil {
			require.False(t, ok)
			return
		}
		require.True(t, ok)
		sum, windows := int64(0), int64(0)
		for from := whole.From; from <= whole.To; windows++ {
			to := min(whole.To, from+civil.Date(rapid.IntRange(0, 400).Draw(t, "cut")))
			cents, ok := budget.Value(a, p, civil.Span{From: from, To: to})
			require.True(t, ok)
			sum += cents
			from = to + 1
		}
		if a.Basis == "PERIOD_TOTAL" || a.Basis == "ONE_OFF" {
			require.Equal(t, want, sum)
			return
		}
		difference := 2 * max(want-sum, sum-want)
		require.LessOrEqual(t, difference, windows+1) // the sum's windows, and that of want
	})
}

// TestPartsOfATotalAddUp: what falls up to a day and after it comes to the whole (N3).
func TestPartsOfATotalAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := drawDate(t, "start")
		end := start + civil.Date(rapid.IntRange(1, 700).Draw(t, "days"))
		cut := start + civil.Date(rapid.IntRange(0, int(end-start)-1).Draw(t, "cut"))
		a := amount(rapid.Int64Range(0, 10_000_000).Draw(t, "cents"), "PERIOD_TOTAL")
		always := civil.Span{From: start - 1000, To: end + 1000}
		first, ok := budget.Value(a, period(start.String(), end.String()), civil.Span{From: always.From, To: cut})
		require.True(t, ok)
		rest, ok := budget.Value(a, period(start.String(), end.String()), civil.Span{From: cut + 1, To: always.To})
		require.True(t, ok)
		require.Equal(t, a.GetCents(), first+rest)
	})
}

// TestOrderDoesNotMatter: the same answers in another order give the same budget.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		given := drawAnswers(t)
		shuffled := rapid.Permutation(given).Draw(t, "answers")
		for i := range shuffled {
			if shuffled[i].Response != nil {
				r := proto.CloneOf(shuffled[i].Response)
				r.Lines = rapid.Permutation(shuffled[i].Response.Lines).Draw(t, "lines")
				r.History = rapid.Permutation(r.History).Draw(t, "history")
				r.Notices = rapid.Permutation(r.Notices).Draw(t, "notices")
				shuffled[i].Response = r
			}
		}
		requireSame(t, budget.Assemble(small(), given), budget.Assemble(small(), shuffled))
	})
}

func requireSame(t require.TestingT, a, b *budgetv1.Budget) {
	require.True(t, proto.Equal(a, b), "%s\n%s", protojson.Format(a), protojson.Format(b))
}

// TestAMissingSource: it is a gap with its reason and a PARTIAL budget;
// its lines are gone as if it had never been asked.
func TestAMissingSource(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		given := drawAnswers(t)
		if len(given) == 0 {
			return
		}
		i := rapid.IntRange(0, len(given)-1).Draw(t, "missing")
		never := slices.Delete(slices.Clone(given), i, i+1)
		missing := slices.Clone(given)
		missing[i] = silent(string(given[i].Person), given[i].Source, budgetv1.ReasonConsentWithdrawn)
		without, with := budget.Assemble(small(), never), budget.Assemble(small(), missing)

		require.False(t, with.GetComplete())
		require.Contains(t, spoken(with), "PARTIAL")
		require.True(t, slices.ContainsFunc(with.GetGaps(), func(g *budgetv1.Gap) bool {
			return g.GetPerson() == string(given[i].Person) && g.GetSource() == given[i].Source &&
				g.GetReason() == budgetv1.ReasonConsentWithdrawn
		}))
		require.Equal(t, ids(without), ids(with))
		require.True(t, proto.Equal(without.GetTotals(), with.GetTotals()))
		require.Equal(t, without.GetCareTotalCents(), with.GetCareTotalCents())
		require.Equal(t, without.GetCarryOverCents(), with.GetCarryOverCents())
		apart := func(b *budgetv1.Budget) string { // all findings but PARTIAL
			return strings.Join(slices.DeleteFunc(spoken(b), func(s string) bool { return s == "PARTIAL" }), "\n")
		}
		require.Equal(t, apart(without), apart(with))
	})
}

// TestTotalAndUnchanging: nothing panics, ids are unique and in order, gaps
// and completeness agree, and the answers are as they were.
func TestTotalAndUnchanging(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		given := drawAnswers(t)
		before := make([]proto.Message, len(given))
		for i, a := range given {
			before[i] = proto.Clone(a.Response)
		}
		q := small()
		q.Window = drawWindow(t)
		b := budget.Assemble(q, given)
		for i, a := range given {
			require.True(t, proto.Equal(before[i], proto.Clone(a.Response)))
		}
		requireSound(t, b)
	})
}

func requireSound(t require.TestingT, b *budgetv1.Budget) {
	require.True(t, slices.IsSorted(ids(b)))
	require.Len(t, slices.Compact(ids(b)), len(b.GetLines()))
	require.Equal(t, len(b.GetGaps()) == 0, b.GetComplete())
	require.NotNil(t, b.CareTotalCents)
	require.NotNil(t, b.IncomeCents)
	require.NotNil(t, b.RingfencedCents)
	for _, cents := range b.GetTotals().GetByPerson() {
		require.GreaterOrEqual(t, cents, int64(0))
	}
	contested := int64(0)
	for _, l := range b.GetLines() {
		if l.GetContested() {
			contested += l.GetValueCents()
		}
	}
	require.Equal(t, contested, b.GetContestedCents())
	require.LessOrEqual(t, b.GetUncontestedCareTotalCents(), b.GetCareTotalCents())
	require.GreaterOrEqual(t, b.GetUncontestedCareTotalCents(), int64(0))
	for _, f := range b.GetFindings() {
		requireWhole(t, b, f)
	}
}

// requireWhole: a finding has a code of the list, a severity, dates that are
// dates, and every person and line it names is there.
func requireWhole(t require.TestingT, b *budgetv1.Budget, f *budgetv1.Finding) {
	require.Contains(t, budgetv1.FindingCodes(), f.GetCode())
	require.Contains(t, []string{"ERROR", "WARNING", "INFO"}, f.GetSeverity())
	for _, day := range []string{f.GetFrom(), f.GetTo(), f.GetDate()} {
		_, err := civil.Parse(day)
		require.True(t, day == "" || err == nil)
	}
	require.True(t, slices.IsSorted(f.GetPersons()))
	require.True(t, slices.IsSorted(f.GetLines()))
	require.Subset(t, ids(b), f.GetLines())
	require.True(t, f.GetPerson() == "" || slices.Contains(f.GetPersons(), f.GetPerson()))
	require.True(t, f.GetLine() == "" || slices.Contains(f.GetLines(), f.GetLine()))
	for _, person := range f.GetPersons() {
		require.True(t, slices.ContainsFunc(b.GetMatrix(), func(r *budgetv1.MatrixRow) bool { return r.GetPerson() == person }))
	}
}
