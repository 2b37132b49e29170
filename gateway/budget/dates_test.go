package budget_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func TestTransition18(t *testing.T) {
	for born, want := range map[string][]string{
		"2006-12-31": nil, "2007-01-01": {"TRANSITION_18 P1 2025-01-01"}, "2007-12-31": {"TRANSITION_18 P1 2025-12-31"}, "2008-01-01": nil,
	} {
		q := small()
		q.Persons[0].Born = civil.MustParse(born)
		require.Equal(t, want, spoken(budget.Assemble(q, nil)), born)
	}
	q := small()
	q.Persons[0].Born, q.Window = civil.MustParse("2008-02-29"), span("2026-01-01", "2026-12-31")
	require.Equal(t, []string{"TRANSITION_18 P1 2026-03-01"}, spoken(budget.Assemble(q, nil)), "born on 29 February")
}

// What is said of a birthday depends on which side of it today is.
func TestADayThatIsPast(t *testing.T) {
	for today, past := range map[string]bool{"2025-06-14": false, "2025-06-15": true, "2025-06-16": true} {
		q := small()
		q.Today, q.Text = civil.MustParse(today), detailed{}
		q.Persons[0].Born, q.Persons[1].Born = civil.MustParse("2007-06-15"), civil.MustParse("1958-06-15")
		b := budget.Assemble(q, nil)
		require.Len(t, b.GetFindings(), 2)
		for _, f := range b.GetFindings() {
			require.Equal(t, f.GetCode()+map[bool]string{true: " PAST", false: " "}[past], f.GetTextNl(), today)
		}
	}
}

// detailed says of which detail a text is.
type detailed struct{ echo }

func (detailed) Gap(string, string, map[string]string) string { return "" }

func (detailed) Finding(code, _ string, params map[string]string) string {
	return code + " " + params["code"]
}

// TestAowAge: the ages of AOW art. 7a by year of the day itself, at their edges.
func TestAowAge(t *testing.T) {
	for born, want := range map[string]string{
		"1954-09-01": "2021-01-01", "1955-08-31": "2021-12-31", // 66 years and 4 months
		"1955-09-01": "2022-04-01", "1956-05-31": "2022-12-31", // 66 and 7
		"1956-06-01": "2023-04-01", "1957-02-28": "2023-12-28", // 66 and 10
		"1957-03-01": "2024-03-01", "1960-12-31": "2027-12-31", // 67
		"1961-01-01": "2028-04-01", "1961-09-30": "2028-12-30", // 67 and 3
		"1961-10-01": "2029-01-01", "1964-09-30": "2031-12-30", // 67 and 3
	} {
		q := small()
		q.Persons[1].Born = civil.MustParse(born)
		q.Window = span("2020-01-01", "2035-12-31")
		require.Equal(t, []string{"AOW_AGE P2 " + want}, spoken(budget.Assemble(q, nil)), born)
	}
	for _, born := range []string{"1950-01-01", "1954-08-31", "1964-10-01", "1990-01-01"} {
		q := small()
		q.Persons[1].Born, q.Window = civil.MustParse(born), span("2020-01-01", "2057-12-31")
		require.Empty(t, coded(budget.Assemble(q, nil), "AOW_AGE"), "%s: a year that the table does not have", born)
	}
	q := small()
	q.Persons[1].Born = civil.MustParse("1957-03-01")
	require.Empty(t, spoken(budget.Assemble(q, nil)), "not in the window")
}

// TestIndicationEnds: today is 30 June 2025, and 90 days on is 28 September.
func TestIndicationEnds(t *testing.T) {
	history := says("P1", "GM1", pgb("WMO", "02", "2025-01-01", "2025-08-31"))
	history.Response.History = []*budgetv1.HistoryLine{{Period: period("2024-01-01", "2024-12-01")}}
	wia := pgb("WIA", "WIA", "2025-01-01", "2025-08-31")
	wia.Fungibility, wia.Income, wia.Amount = "INCOME", wia.Amount, nil
	requireMeetings(t, "INDICATION_ENDS", map[string]meetingCase{
		"today":                  {one(pgb("WMO", "02", "2025-01-01", "2025-06-30")), nil},
		"tomorrow":               {one(pgb("WMO", "02", "2025-01-01", "2025-07-01")), []string{"INDICATION_ENDS P1 2025-07-01"}},
		"in 90 days":             {one(pgb("WMO", "02", "2025-01-01", "2025-09-28")), []string{"INDICATION_ENDS P1 2025-09-28"}},
		"in 91 days":             {one(pgb("WMO", "02", "2025-01-01", "2025-09-29")), nil},
		"no end":                 {one(pgb("WMO", "02", "2025-01-01", "")), nil},
		"care in kind":           {one(zin("WMO", "02", "2025-01-01", "2025-08-31")), []string{"INDICATION_ENDS P1 2025-08-31"}},
		"a successor":            {append(one(pgb("WMO", "02", "2025-01-01", "2025-08-31")), says("P1", "GM2", zin("WMO", "02", "2025-09-01", ""))), nil},
		"a successor a day late": {one(pgb("WMO", "02", "2025-01-01", "2025-08-31"), pgb("WMO", "02", "2025-09-02", "")), []string{"INDICATION_ENDS P1 2025-08-31"}},
		"one that runs along":    {one(pgb("WMO", "02", "2025-01-01", "2025-08-31"), pgb("WMO", "02", "2025-01-01", "2025-12-31")), nil},
		"two that end":           {one(pgb("WMO", "02", "2025-01-01", "2025-08-30"), pgb("WMO", "02", "2025-01-01", "2025-08-31")), []string{"INDICATION_ENDS P1 2025-08-31"}},
		"the Wlz takes over":     {append(one(pgb("WMO", "02", "2025-01-01", "2025-08-31")), says("P1", "ZK1", pgb("WLZ", "830", "2025-09-01", ""))), nil},
		"a one-off":              {one(oneTime("WMO", "02", "2025-08-31")), nil},
		"a benefit":              {[]budget.Answer{says("P1", "UWV", wia)}, nil},
		"nothing of before":      {[]budget.Answer{history}, []string{"INDICATION_ENDS P1 2025-08-31"}},
		"a hidden successor": {one(pgb("WMO", "02", "2025-01-01", "2025-08-31"),
			without(pgb("WMO", "", "2025-09-01", ""), func(l *budgetv1.BudgetLine) { l.Product = nil })), nil},
		"a successor on hidden days": {one(pgb("WMO", "02", "2025-01-01", "2025-08-31"),
			without(pgb("WMO", "02", "2025-09-01", ""), func(l *budgetv1.BudgetLine) { l.Period = nil })), nil},
		"another right on hidden days": {one(pgb("WMO", "02", "2025-01-01", "2025-08-31"),
			without(pgb("WMO", "03", "2025-09-01", ""), func(l *budgetv1.BudgetLine) { l.Period = nil })), []string{"INDICATION_ENDS P1 2025-08-31"}},
	})
	q := small()
	q.Today = civil.MustParse("2025-12-01")
	a := says("P1", "GM1", pgb("WMO", "02", "2025-01-01", "2026-01-31"), pgb("WMO", "02", "2026-02-01", ""))
	require.Empty(t, coded(budget.Assemble(q, []budget.Answer{a}), "INDICATION_ENDS"), "a successor after the window")
	a.Response.Lines[1].Product = nil
	require.Empty(t, coded(budget.Assemble(q, []budget.Answer{a}), "INDICATION_ENDS"), "which it may be, for all we know")
	a.Response.Lines = a.Response.Lines[:1]
	require.Equal(t, []string{"INDICATION_ENDS P1 2026-01-31"}, coded(budget.Assemble(q, []budget.Answer{a}), "INDICATION_ENDS"))
}

// TestAHoleThatMayBeFilled: what is withheld is no alarm.
func TestAHoleThatMayBeFilled(t *testing.T) {
	requireMeetings(t, "GAP", map[string]meetingCase{
		"by a hidden product": {one(pgb("WMO", "02", "2025-01-01", "2025-06-30"), pgb("WMO", "", "2025-07-01", "")), nil},
		"by a hidden law":     {one(pgb("WMO", "02", "2025-01-01", "2025-06-30"), pgb("", "02", "2025-07-01", "")), nil},
		"on hidden days": {one(pgb("WMO", "02", "2025-01-01", "2025-06-30"),
			without(pgb("WMO", "02", "2025-07-01", ""), func(l *budgetv1.BudgetLine) { l.Period = nil })), nil},
		"not by another law": {one(pgb("WMO", "02", "2025-01-01", "2025-06-30"), pgb("JW", "", "2025-07-01", "")),
			[]string{"GAP P1/WMO/02 2025-07-01..2025-12-31"}},
	})
}

func consented(until, lapses string, at int) budget.Answer {
	a := says("P1", "GM1")
	if until != "" {
		a.ConsentUntil = civil.MustParse(until)
	}
	if lapses != "" {
		a.ConsentLapses, a.LapsesAt = civil.MustParse(lapses), at
	}
	return a
}

func TestConsents(t *testing.T) {
	for name, c := range map[string]struct {
		answer budget.Answer
		want   []string
	}{
		"not known":     {consented("", "", 0), nil},
		"ended":         {consented("2025-06-29", "", 0), nil},
		"today":         {consented("2025-06-30", "", 0), []string{"CONSENT_EXPIRES P1 2025-06-30"}},
		"in 30 days":    {consented("2025-07-30", "", 0), []string{"CONSENT_EXPIRES P1 2025-07-30"}},
		"in 31 days":    {consented("2025-07-31", "", 0), nil},
		"12":            {consented("2025-12-31", "2025-11-03", 12), []string{"CONSENT_RENEW_AT_12 P1 2025-11-03"}},
		"16":            {consented("2025-12-31", "2025-11-03", 16), []string{"CONSENT_RENEW_AT_16 P1 2025-11-03"}},
		"18":            {consented("", "2025-11-03", 18), []string{"CONSENT_RENEW_AT_18 P1 2025-11-03"}},
		"another age":   {consented("2025-12-31", "2025-11-03", 17), nil},
		"was yesterday": {consented("2025-12-31", "2025-06-29", 16), nil},
		"ends before":   {consented("2025-10-31", "2025-11-03", 16), nil},
		"ends with it":  {consented("2025-11-02", "2025-11-03", 16), []string{"CONSENT_RENEW_AT_16 P1 2025-11-03"}},
	} {
		other := c.answer
		other.Source = "GM2"
		b := budget.Assemble(small(), []budget.Answer{c.answer, other})
		require.Equal(t, c.want, spoken(b), "%s: once, whatever the number of sources", name)
		c.answer.Response = nil
		require.Equal(t, []string{"PARTIAL"}, spoken(budget.Assemble(small(), []budget.Answer{c.answer})), name)
	}
}

func TestLegalBasis(t *testing.T) {
	for to, want := range map[string][]string{
		"2025-06-29": nil, "2025-06-30": {"LEGAL_BASIS_ENDS  2025-06-30"}, "2025-12-31": {"LEGAL_BASIS_ENDS  2025-12-31"},
		"2026-01-01": nil, "": nil, "x": nil,
	} {
		q := small()
		q.LegalBasis = &budgetv1.LegalBasis{Id: "b", From: "2025-01-01", To: to, PoolableLaws: []string{"WMO", "JW"}}
		b := budget.Assemble(q, one(pgb("WMO", "02", "2025-01-01", "")))
		require.Equal(t, want, spoken(b), to)
		require.Equal(t, "b", b.GetLegalBasis().GetId())
		require.NotSame(t, q.LegalBasis, b.GetLegalBasis())
		require.Equal(t, int64(36500), b.GetCareTotalCents(), "a basis moves no cent")
	}
	q := small()
	q.Today, q.LegalBasis = civil.MustParse("2025-12-01"), &budgetv1.LegalBasis{To: "2026-03-01"}
	require.Equal(t, []string{"LEGAL_BASIS_ENDS  2026-03-01"}, spoken(budget.Assemble(q, nil)), "within 90 days")
	require.Nil(t, budget.Assemble(small(), nil).GetLegalBasis())
}
