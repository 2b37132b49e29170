package budget_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// small is a request about P1 and P2 over 2025.
func small() budget.Request {
	return budget.Request{
		Window: span("2025-01-01", "2025-12-31"),
		Today:  civil.MustParse("2025-06-30"),
		Persons: []budget.Person{
			{Ref: "P1"},
			{Ref: "P2"},
		},
		Parties: identity.Directory{
			{Code: "GM1", Kind: "MUNICIPALITY", Laws: []string{"WMO", "JW"}},
			{Code: "GM2", Kind: "MUNICIPALITY", Laws: []string{"WMO", "JW"}},
			{Code: "ZK1", Kind: "CARE_OFFICE", Laws: []string{"WLZ"}},
			{Code: "UWV", Kind: "UWV", Laws: []string{"WIA", "UWV_PROVISION"}},
			{Code: "ZV1", Kind: "INSURER", Laws: []string{"ZVW"}},
			{Code: "SVB", Kind: "SVB"},
			{Code: "CAK", Kind: "CAK"},
		},
	}
}

// says is an answer of a source with lines.
func says(person, source string, lines ...*budgetv1.BudgetLine) budget.Answer {
	for _, l := range lines {
		l.Funder = source
	}
	return budget.Answer{
		Person: identity.PersonRef(person), Source: source,
		Response: &budgetv1.FetchResponse{Lines: lines},
	}
}

// silent is an answer that is a gap.
func silent(person, source, reason string) budget.Answer {
	return budget.Answer{
		Person: identity.PersonRef(person), Source: source,
		Gaps: []*budgetv1.Gap{{Reason: reason}},
	}
}

// pgb is a pooled right of 365.00 euro a year.
func pgb(law, code, start, end string) *budgetv1.BudgetLine {
	l := right(law, "PGB", "POOLABLE", "LIST", code, start, end)
	l.Amount = amount(36500, "PER_YEAR")
	return l
}

func ids(b *budgetv1.Budget) []string {
	var out []string
	for _, l := range b.GetLines() {
		out = append(out, l.GetId())
	}
	return out
}

func TestNothingAskedIsACompleteAndEmptyBudget(t *testing.T) {
	q := small()
	q.Purpose, q.Requester, q.PolicyRevision = "purpose", "GM1", "rev"
	b := budget.Assemble(q, nil)
	require.Equal(t, "ontschot.budget/1", b.GetContract())
	require.Equal(t, "purpose", b.GetPurpose())
	require.Equal(t, "2025-01-01", b.GetWindow().GetFrom())
	require.Equal(t, "2025-12-31", b.GetWindow().GetTo())
	require.Equal(t, "2025-06-30", b.GetToday())
	require.Equal(t, "GM1", b.GetRequester())
	require.Equal(t, "rev", b.GetPolicyRevision())
	require.True(t, b.GetComplete())
	require.NotNil(t, b.CareTotalCents)
	require.NotNil(t, b.IncomeCents)
	require.NotNil(t, b.RingfencedCents)
	require.NotNil(t, b.OwnContributionCents)
	require.Len(t, b.GetMatrix(), 2, "rows without cells stay")
	require.Empty(t, b.GetFindings())
}

func TestOwnContributionIsAbsentWhenCAKIsAGap(t *testing.T) {
	b := budget.Assemble(small(), []budget.Answer{silent("P1", "CAK", budgetv1.ReasonNoAdapter)})
	require.Nil(t, b.OwnContributionCents)
}

func TestIdsThatAreNotUnique(t *testing.T) {
	line := func(number, budgetID string, cents int64) *budgetv1.BudgetLine {
		l := pgb("WMO", "02", "2025-01-01", "")
		l.Amount.Cents = cents
		l.Decision = &budgetv1.Decision{Number: number, Budget: budgetID}
		return l
	}
	b := budget.Assemble(small(), []budget.Answer{
		says("P1", "GM2", line("1", "", 100)),
		says("P1", "GM1", line("9", "", 100), line("8", "x", 300), line("8", "y", 200), line("", "5", 900)),
	})
	require.Equal(t, []string{
		"P1/WMO/02/2025-01-01", "P1/WMO/02/2025-01-01#2", "P1/WMO/02/2025-01-01#3",
		"P1/WMO/02/2025-01-01#4", "P1/WMO/02/2025-01-01#5",
	}, ids(b))
	var shown []string
	for _, l := range b.GetLines() {
		shown = append(shown, fmt.Sprint(l.GetFunder(), " ", l.GetAmount().GetCents()))
	}
	require.Equal(t, []string{"GM1 900", "GM1 200", "GM1 300", "GM1 100", "GM2 100"}, shown)
}

func TestWhatIsHiddenIsADash(t *testing.T) {
	b := budget.Assemble(small(), []budget.Answer{says("P1", "GM1",
		&budgetv1.BudgetLine{},
		&budgetv1.BudgetLine{Law: "WMO", Amount: amount(1, "PER_DAY")},
		&budgetv1.BudgetLine{Product: &budgetv1.Product{Code: "a/b"}, Period: period("2025-02-01", "")},
	)})
	require.Equal(t, []string{"P1/-/-/-", "P1/-/-/2025-02-01", "P1/WMO/-/-"}, ids(b))
	require.Empty(t, b.GetTotals().GetByLaw())
	require.True(t, b.GetComplete(), "what was withheld is the gateway's to tell")
}

func TestOneNativeRecordCountsOnce(t *testing.T) {
	line := func() *budgetv1.BudgetLine {
		l := pgb("WMO", "02", "2025-01-01", "")
		l.Provenance = []*budgetv1.Provenance{{RecordId: "r", Sha256: []byte{1}}}
		return l
	}
	twice := says("P1", "GM1", line(), line())
	require.Len(t, budget.Assemble(small(), []budget.Answer{twice}).GetLines(), 1)
	again := budget.Assemble(small(), []budget.Answer{twice, twice})
	require.Len(t, again.GetLines(), 1)
	require.Len(t, again.GetSources(), 1)

	twice.Response.Lines[1].Provenance[0].Sha256 = []byte{2}
	require.Len(t, budget.Assemble(small(), []budget.Answer{twice}).GetLines(), 2, "another record is another line")
}

func TestLinesOutsideTheWindowAreLeftOut(t *testing.T) {
	b := budget.Assemble(small(), []budget.Answer{says("P1", "GM1",
		pgb("WMO", "02", "2024-01-01", "2024-12-31"),
		pgb("WMO", "02", "2026-01-01", ""),
		pgb("WMO", "02", "2024-01-01", "2025-01-01"),
	)})
	require.Equal(t, []string{"P1/WMO/02/2024-01-01"}, ids(b))
	require.Equal(t, int64(100), b.GetCareTotalCents())
}

// TestWhatASourceComputesIsNotBelieved: value, id, person, contested and the
// documents in the provenance are set here.
func TestWhatASourceComputesIsNotBelieved(t *testing.T) {
	l := right("WMO", "ZIN", "IN_KIND", "LIST", "07", "2025-01-01", "")
	l.Id, l.Person, l.Contested, l.ValueCents = "mine", "P2", true, new(int64(5))
	l.Provenance = []*budgetv1.Provenance{{Consent: "forged", Agreement: "forged"}}
	a := says("P1", "GM1", l)
	a.Consent, a.Agreement = "c", "a"
	got := budget.Assemble(small(), []budget.Answer{a}).GetLines()[0]
	require.Equal(t, "P1/WMO/07/2025-01-01", got.GetId())
	require.Equal(t, "P1", got.GetPerson())
	require.False(t, got.GetContested())
	require.Nil(t, got.ValueCents)
	require.Len(t, got.GetProvenance(), 1)
	require.Equal(t, "c", got.GetProvenance()[0].GetConsent())
	require.Equal(t, "a", got.GetProvenance()[0].GetAgreement())
}

func TestNothingGivenIsChanged(t *testing.T) {
	line := pgb("WMO", "02", "2025-01-01", "")
	line.Provenance = []*budgetv1.Provenance{nil, {RecordId: "r"}}
	a := says("P1", "GM1", line)
	a.Gaps = []*budgetv1.Gap{{Reason: budgetv1.ReasonPolicyDenied, Categories: []string{"reference", "provider"}}}
	before, gap := proto.CloneOf(a.Response), proto.CloneOf(a.Gaps[0])
	q := small()
	q.Text = echo{}
	b := budget.Assemble(q, []budget.Answer{a})
	b.GetLines()[0].Product.Code = "changed afterwards"
	require.True(t, proto.Equal(before, a.Response))
	require.True(t, proto.Equal(gap, a.Gaps[0]))
	require.Len(t, line.Provenance, 2)
}

// TestDataThatCannotBeCounted becomes a gap, so that a total is never short in silence.
func TestDataThatCannotBeCounted(t *testing.T) {
	asIncome := pgb("WMO", "02", "2025-01-01", "")
	asIncome.Income, asIncome.Amount = asIncome.Amount, nil
	asAmount := pgb("WIA", "WIA", "2025-01-01", "")
	asAmount.Fungibility = "INCOME"
	both := pgb("WMO", "03", "2025-01-01", "")
	both.Income = amount(1, "PER_DAY")
	endless := pgb("WMO", "04", "2025-01-01", "")
	endless.Amount.Basis = "PERIOD_TOTAL"
	for name, l := range map[string]*budgetv1.BudgetLine{
		"income as care": asIncome, "care as income": asAmount, "both": both,
		"a total without an end": endless, "no date": pgb("WMO", "05", "2025-13-01", ""),
	} {
		b := budget.Assemble(small(), []budget.Answer{says("P1", "GM1", l)})
		require.Len(t, b.GetLines(), 1, name)
		require.Nil(t, b.GetLines()[0].ValueCents, name)
		require.Zero(t, b.GetCareTotalCents()+b.GetIncomeCents(), name)
		require.False(t, b.GetComplete(), name)
		require.Len(t, b.GetGaps(), 1, name)
		require.Equal(t, budgetv1.ReasonBadDataAtSource, b.GetGaps()[0].GetReason(), name)
		require.Equal(t, []string{l.GetLaw()}, b.GetGaps()[0].GetLaws(), name)
	}
}

// TestMoneyOfAnotherFunder is not counted, and reported.
func TestMoneyOfAnotherFunder(t *testing.T) {
	a := says("P1", "GM1", pgb("WMO", "02", "2025-01-01", ""))
	a.Response.Lines[0].Funder = "GM2"
	b := budget.Assemble(small(), []budget.Answer{a})
	require.Empty(t, b.GetLines())
	require.Equal(t, budgetv1.ReasonBadDataAtSource, b.GetGaps()[0].GetReason())
	require.Equal(t, "GM1", b.GetGaps()[0].GetSource())
}

func TestCarryOverIsOfTheNextCalendarYear(t *testing.T) {
	long := pgb("WMO", "02", "2025-07-01", "2027-06-30")
	long.Amount = amount(73000, "PERIOD_TOTAL") // 730 days of 1.00
	rate := pgb("WMO", "03", "2025-07-01", "2027-06-30")
	b := budget.Assemble(small(), []budget.Answer{says("P1", "GM1", long, rate)})
	require.Equal(t, map[string]int64{"P1/WMO/02/2025-07-01": 36500}, b.GetCarryOverCents())
}

func TestAnAnswerWithoutReasonIsStillAGap(t *testing.T) {
	b := budget.Assemble(small(), []budget.Answer{{Person: "P1", Source: "GM1", Elapsed: -time.Second}})
	require.Equal(t, budgetv1.ReasonSourceUnavailable, b.GetGaps()[0].GetReason())
	require.Equal(t, budgetv1.ReasonSourceUnavailable, b.GetSources()[0].GetStatus())
	require.Zero(t, b.GetSources()[0].GetElapsedMs())
}

func TestStaleDataAreAGap(t *testing.T) {
	a := says("P1", "GM1", pgb("WMO", "02", "2025-01-01", ""))
	a.Response.Notices = []*budgetv1.Notice{{Code: "STALE", Law: "WMO"}, nil, {Code: "SKIPPED"}}
	b := budget.Assemble(small(), []budget.Answer{a})
	require.Len(t, b.GetGaps(), 1)
	require.Equal(t, budgetv1.ReasonStale, b.GetGaps()[0].GetReason())
	require.Len(t, b.GetLines(), 1)
}

func TestSomebodyNobodyAskedAboutIsShown(t *testing.T) {
	b := budget.Assemble(small(), []budget.Answer{says("P9", "GM1", pgb("WMO", "02", "2025-01-01", ""))})
	require.Equal(t, "P9", b.GetMatrix()[2].GetPerson())
}

// echo words everything as its code.
type echo struct{}

func (echo) Gap(reason, lang string, p map[string]string) string {
	return lang + " " + reason + " " + p["person"] + " " + p["source"] + " " + p["law"]
}

func (echo) Way(way []*budgetv1.WayToYes, reader, lang string, p map[string]string) string {
	return budgetv1.WrittenWay(way)
}

func (echo) Article(code string) string { return code }

func (echo) Finding(code, lang string, p map[string]string) string {
	return lang + " " + code + " " + p["person"] + " " + p["product"] + " " + p["source"] + " " + p["days"]
}

func TestTexts(t *testing.T) {
	crossing := pgb("WMO", "02", "2025-12-31", "2026-01-01")
	crossing.Amount.Basis = "PERIOD_TOTAL"
	worded := silent("P2", "UWV", budgetv1.ReasonNoConsent)
	worded.Gaps[0].TextNl = "al gezegd"
	q := small()
	q.Text = echo{}
	b := budget.Assemble(q, []budget.Answer{says("P1", "GM1", crossing), worded})
	require.Equal(t, "al gezegd", b.GetGaps()[0].GetTextNl())
	require.Equal(t, "en NO_CONSENT P2 UWV", b.GetGaps()[0].GetTextEn())
	require.Equal(t, "nl PARTIAL    0", b.GetFindings()[0].GetTextNl())
	require.Equal(t, "en LINE_CROSSES_WINDOW P1 02 GM1 2", b.GetFindings()[1].GetTextEn())
}
