package budget_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func zin(law, code, start, end string) *budgetv1.BudgetLine {
	return right(law, "ZIN", "IN_KIND", "LIST", code, start, end)
}

// from makes a line rest on a native record.
func from(recordType string, l *budgetv1.BudgetLine) *budgetv1.BudgetLine {
	l.Provenance = append(l.Provenance, &budgetv1.Provenance{RecordType: recordType, RecordId: recordType})
	return l
}

// without withholds parts of a line.
func without(l *budgetv1.BudgetLine, hide func(*budgetv1.BudgetLine)) *budgetv1.BudgetLine {
	hide(l)
	return l
}

// meetingCase is what sources send of P1, and the findings of one code.
type meetingCase struct {
	answers []budget.Answer
	want    []string
}

func requireMeetings(t *testing.T, code string, cases map[string]meetingCase) {
	q := small()
	q.Parties = append(q.Parties, identity.Organisation{Code: "ZK2", Kind: "CARE_OFFICE", Laws: []string{"WLZ"}}, identity.Organisation{Code: "ZV2", Kind: "INSURER", Laws: []string{"ZVW"}})
	for name, c := range cases {
		require.Equal(t, c.want, coded(budget.Assemble(q, c.answers), code), name)
	}
}

func one(lines ...*budgetv1.BudgetLine) []budget.Answer {
	return []budget.Answer{says("P1", "GM1", lines...)}
}

func TestDupDelivery(t *testing.T) {
	requireMeetings(t, "DUP_DELIVERY", map[string]meetingCase{
		"at once":         {one(pgb("WMO", "07", "2025-01-01", "2025-06-30"), zin("WMO", "07", "2025-06-30", "")), []string{"DUP_DELIVERY P1/WMO/07 2025-06-30..2025-06-30"}},
		"one after other": {one(pgb("WMO", "07", "2025-01-01", "2025-06-30"), zin("WMO", "07", "2025-07-01", "")), nil},
		"before the window": {one(pgb("WMO", "07", "2024-01-01", ""), zin("WMO", "07", "2024-01-01", "2024-12-31"),
			zin("WMO", "02", "2024-01-01", "")), nil},
		"another product":          {one(pgb("JW", "45", "2025-01-01", ""), zin("JW", "54", "2025-01-01", "")), nil},
		"another law":              {one(pgb("JW", "45", "2025-01-01", ""), zin("WMO", "45", "2025-01-01", "")), nil},
		"another person":           {append(one(pgb("WMO", "07", "2025-01-01", "")), says("P2", "GM1", zin("WMO", "07", "2025-01-01", ""))), nil},
		"twice as budget":          {one(pgb("WMO", "07", "2025-01-01", ""), pgb("WMO", "07", "2025-01-01", "")), nil},
		"the Wlz may mix":          {[]budget.Answer{says("P1", "ZK1", pgb("WLZ", "830", "2025-01-01", ""), zin("WLZ", "830", "2025-01-01", ""))}, nil},
		"a product that is hidden": {one(pgb("WMO", "", "2025-01-01", ""), zin("WMO", "", "2025-01-01", "")), nil},
		"days that are hidden": {one(pgb("WMO", "07", "2025-01-01", ""),
			without(zin("WMO", "07", "2025-01-01", ""), func(l *budgetv1.BudgetLine) { l.Period = nil })), nil},
	})
	b := budget.Assemble(small(), one(pgb("WMO", "07", "2025-01-01", ""), zin("WMO", "07", "2025-02-01", "2025-02-28"), zin("WMO", "07", "2025-04-01", "2025-04-30")))
	f := b.GetFindings()[0]
	require.Equal(t, "WARNING", f.GetSeverity(), "whether it is one product is not known")
	require.Equal(t, "P1/WMO/07/2025-01-01", f.GetLine(), "the line is the personal budget")
	require.Equal(t, []string{"P1"}, f.GetPersons())
	require.Equal(t, []string{"P1/WMO/07/2025-01-01", "P1/WMO/07/2025-02-01", "P1/WMO/07/2025-04-01"}, f.GetLines())
	require.Equal(t, "2025-02-01", f.GetFrom())
	require.Equal(t, "2025-04-30", f.GetTo())
}

// Two forms of one product are an error, of two products of one category nothing, and of
// what may be one product a question.
func TestDupDeliveryByProduct(t *testing.T) {
	local := func(l *budgetv1.BudgetLine, code string) *budgetv1.BudgetLine {
		l.Product.LocalCode = code
		return l
	}
	budgetOf := func(code string) *budgetv1.BudgetLine { return local(pgb("WMO", "02", "2025-01-01", ""), code) }
	kindOf := func(code, from string) *budgetv1.BudgetLine { return local(zin("WMO", "02", from, ""), code) }
	for name, c := range map[string]struct {
		answers []budget.Answer
		want    []string
	}{
		"one product":             {one(budgetOf("02A01"), kindOf("02A01", "2025-02-01")), []string{"ERROR P1/WMO/02/2025-01-01 P1/WMO/02/2025-02-01"}},
		"in another case":         {one(budgetOf("02A01"), kindOf("02a01", "2025-02-01")), []string{"ERROR P1/WMO/02/2025-01-01 P1/WMO/02/2025-02-01"}},
		"two products":            {one(budgetOf("02A01"), kindOf("02A22", "2025-02-01")), nil},
		"the budget names none":   {one(budgetOf(""), kindOf("02A22", "2025-02-01")), []string{"WARNING P1/WMO/02/2025-01-01 P1/WMO/02/2025-02-01"}},
		"the care names none":     {one(budgetOf("02A01"), kindOf("", "2025-02-01")), []string{"WARNING P1/WMO/02/2025-01-01 P1/WMO/02/2025-02-01"}},
		"neither names one":       {one(budgetOf(""), kindOf("", "2025-02-01")), []string{"WARNING P1/WMO/02/2025-01-01 P1/WMO/02/2025-02-01"}},
		"two funders, one code":   {append(one(budgetOf("02A01")), says("P1", "GM2", kindOf("02A01", "2025-02-01"))), []string{"ERROR P1/WMO/02/2025-01-01 P1/WMO/02/2025-02-01"}},
		"two funders, two codes":  {append(one(budgetOf("02A01")), says("P1", "GM2", kindOf("02A22", "2025-02-01"))), []string{"WARNING P1/WMO/02/2025-01-01 P1/WMO/02/2025-02-01"}},
		"one of it, one of other": {one(budgetOf("02A01"), kindOf("02A01", "2025-02-01"), kindOf("02A22", "2025-03-01")), []string{"ERROR P1/WMO/02/2025-01-01 P1/WMO/02/2025-02-01"}},
		"one of it, one unknown": {one(budgetOf("02A01"), kindOf("02A01", "2025-02-01"), kindOf("", "2025-03-01")),
			[]string{"ERROR P1/WMO/02/2025-01-01 P1/WMO/02/2025-02-01", "WARNING P1/WMO/02/2025-01-01 P1/WMO/02/2025-03-01"}},
	} {
		q := small()
		q.Text = detailed{}
		var got []string
		for _, f := range budget.Assemble(q, c.answers).GetFindings() {
			if f.GetCode() == "DUP_DELIVERY" {
				got = append(got, f.GetSeverity()+" "+strings.Join(f.GetLines(), " "))
				require.Equal(t, map[string]string{"ERROR": "DUP_DELIVERY ", "WARNING": "DUP_DELIVERY QUESTION"}[f.GetSeverity()], f.GetTextNl(), name)
			}
		}
		require.Equal(t, c.want, got, name)
	}
}

// formed is a Wlz right in another form.
func formed(form, from, to string) *budgetv1.BudgetLine {
	l := zin("WLZ", "99", from, to)
	l.DeliveryForm = form
	return l
}

func TestDupFunder(t *testing.T) {
	requireMeetings(t, "DUP_FUNDER", map[string]meetingCase{
		"two municipalities": {append(one(pgb("WMO", "01", "2025-01-01", "2025-05-31")), says("P1", "GM2", zin("WMO", "01", "2025-05-01", ""))),
			[]string{"DUP_FUNDER P1/WMO/01 2025-05-01..2025-05-31"}},
		"one after the other":   {append(one(pgb("WMO", "01", "2025-01-01", "2025-04-30")), says("P1", "GM2", pgb("WMO", "01", "2025-05-01", ""))), nil},
		"one municipality":      {one(pgb("WMO", "01", "2025-01-01", ""), pgb("WMO", "01", "2025-02-01", "")), nil},
		"another product":       {append(one(pgb("WMO", "01", "2025-01-01", "")), says("P1", "GM2", pgb("WMO", "02", "2025-01-01", ""))), nil},
		"another kind of party": {append(one(pgb("WMO", "01", "2025-01-01", "")), says("P1", "ZK1", pgb("WMO", "01", "2025-01-01", ""))), nil},
		"two care offices, whatever the profile": {[]budget.Answer{says("P1", "ZK1", pgb("WLZ", "830", "2025-01-01", "2025-06-30")), says("P1", "ZK2", pgb("WLZ", "804", "2025-06-01", ""))},
			[]string{"DUP_FUNDER P1/WLZ/804 2025-06-01..2025-06-30"}},
		"one office in two forms": {[]budget.Answer{says("P1", "ZK1", pgb("WLZ", "99", "2025-01-01", ""), formed("MPT", "2025-01-01", ""))}, nil},
		"two offices in two forms": {[]budget.Answer{says("P1", "ZK1", pgb("WLZ", "99", "2025-01-01", "")), says("P1", "ZK2", formed("MPT", "2025-11-01", ""))},
			[]string{"DUP_FUNDER P1/WLZ/99 2025-11-01..2025-12-31"}},
		"one office after the other":             {[]budget.Answer{says("P1", "ZK1", pgb("WLZ", "99", "2025-01-01", "2025-06-30")), says("P1", "ZK2", formed("ZIN", "2025-07-01", ""))}, nil},
		"an office that knows of the indication": {[]budget.Answer{says("P1", "ZK1", pgb("WLZ", "99", "2025-01-01", "")), says("P1", "ZK2", formed("UNDECIDED", "2025-01-01", ""))}, nil},
		"two insurers": {[]budget.Answer{says("P1", "ZV1", pgb("ZVW", "VV", "2025-01-01", "")), says("P1", "ZV2", pgb("ZVW", "VV", "2025-12-01", ""))},
			[]string{"DUP_FUNDER P1/ZVW/VV 2025-12-01..2025-12-31"}},
		"one insurer after the other": {[]budget.Answer{says("P1", "ZV1", pgb("ZVW", "VV", "2025-01-01", "2025-06-30")), says("P1", "ZV2", pgb("ZVW", "VV", "2025-07-01", ""))}, nil},
	})
}

func TestDupNeed(t *testing.T) {
	uwv := func(code string) budget.Answer {
		return says("P1", "UWV", pgb("UWV_PROVISION", code, "2025-01-01", ""))
	}
	requireMeetings(t, "DUP_NEED", map[string]meetingCase{
		"school and Wmo transport": {one(pgb("WMO", "12", "2025-06-15", ""), pgb("LLV", "KM", "2025-01-01", "2025-07-31")), []string{"DUP_NEED P1/LLV/KM 2025-06-15..2025-07-31"}},
		"UWV and Wmo transport":    {append(one(pgb("WMO", "08", "2025-01-01", "")), uwv("VERVOER")), []string{"DUP_NEED P1/UWV_PROVISION/VERVOER 2025-01-01..2025-12-31"}},
		"a job coach":              {append(one(pgb("WMO", "08", "2025-01-01", "")), uwv("JOBCOACH")), nil},
		"two of the Wmo":           {one(pgb("WMO", "08", "2025-01-01", ""), pgb("WMO", "12", "2025-01-01", "")), nil},
		"Valys":                    {one(pgb("WMO", "12", "2025-01-01", ""), pgb("VALYS", "PKB-STD", "2025-01-01", "")), nil},
		"insurer and youth": {append(one(pgb("JW", "40", "2025-01-01", "")), says("P1", "ZV1", pgb("ZVW", "VV", "2025-03-01", ""))),
			[]string{"DUP_NEED P1/JW/40 2025-03-01..2025-12-31"}},
		"insurer and guidance": {append(one(pgb("JW", "45", "2025-01-01", "")), says("P1", "ZV1", pgb("ZVW", "VV", "2025-03-01", ""))), nil},
	})
}

func TestPriorityLawOverlap(t *testing.T) {
	wlz := says("P1", "ZK1", pgb("WLZ", "830", "2025-03-01", ""))
	for _, c := range []struct {
		law, code, severity string
		contested           bool
	}{
		{"JW", "30", "", false}, {"JW", "31", "WARNING", false}, {"JW", "35", "WARNING", false}, {"JW", "38", "WARNING", false},
		{"JW", "99", "WARNING", false}, {"WMO", "99", "WARNING", false}, {"JW", "350", "", false},
		{"JW", "39", "", false}, {"JW", "40", "ERROR", true}, {"JW", "45", "ERROR", true}, {"JW", "53", "ERROR", true},
		{"JW", "54", "WARNING", false}, {"JW", "55", "WARNING", false}, {"JW", "56", "", false}, {"JW", "4", "", false}, {"JW", "450", "", false}, {"JW", "", "", false},
		{"WMO", "01", "WARNING", false}, {"WMO", "02", "WARNING", false}, {"WMO", "03", "WARNING", false},
		{"WMO", "07", "WARNING", false}, {"WMO", "15", "WARNING", false}, {"WMO", "08", "", false},
		{"WMO", "11", "", false}, {"WMO", "12", "", false}, {"WMO", "13", "", false}, {"WMO", "14", "", false},
		{"ZVW", "VV", "WARNING", false}, {"LLV", "KM", "", false}, {"UWV_PROVISION", "VERVOER", "", false},
	} {
		name := c.law + " " + c.code
		b := budget.Assemble(small(), append(one(pgb(c.law, c.code, "2025-01-01", "")), wlz))
		found := coded(b, "PRIORITY_LAW_OVERLAP")
		require.Equal(t, c.severity != "", len(found) == 1, name)
		require.Equal(t, c.contested, b.GetLines()[0].GetContested(), name)
		require.False(t, b.GetLines()[1].GetContested(), name)
		if c.severity != "" {
			require.Equal(t, c.severity, b.GetFindings()[0].GetSeverity(), name)
			require.Equal(t, "2025-03-01", b.GetFindings()[0].GetFrom(), name)
			require.Len(t, b.GetFindings()[0].GetLines(), 2, name)
		}
	}
}

func TestPriorityLawOverlapNeedsSharedDays(t *testing.T) {
	for name, answers := range map[string][]budget.Answer{
		"one after the other": append(one(pgb("JW", "45", "2025-01-01", "2025-02-28")), says("P1", "ZK1", pgb("WLZ", "830", "2025-03-01", ""))),
		"before the window":   append(one(pgb("JW", "45", "2024-01-01", "2025-02-28")), says("P1", "ZK1", pgb("WLZ", "830", "2024-01-01", "2024-12-31"))),
		"another person":      append(one(pgb("JW", "45", "2025-01-01", "")), says("P2", "ZK1", pgb("WLZ", "830", "2025-03-01", ""))),
		"days withheld": append(one(pgb("JW", "45", "2025-01-01", "")), says("P1", "ZK1",
			without(pgb("WLZ", "830", "2025-03-01", ""), func(l *budgetv1.BudgetLine) { l.Period = nil }))),
	} {
		b := budget.Assemble(small(), answers)
		require.Empty(t, coded(b, "PRIORITY_LAW_OVERLAP"), name)
		require.Zero(t, b.GetContestedCents(), name)
		require.Equal(t, b.GetCareTotalCents(), b.GetUncontestedCareTotalCents(), name)
	}
}

// TestContestedCountsAsGranted: also what is no care money is in the sum of what
// is contested, and only care money is taken off the care total.
func TestContestedCountsAsGranted(t *testing.T) {
	aside := pgb("JW", "41", "2025-01-01", "2025-12-31")
	aside.Fungibility = "RINGFENCED"
	b := budget.Assemble(small(), append(one(pgb("JW", "45", "2025-01-01", "2025-12-31"), zin("JW", "46", "2025-01-01", ""), aside),
		says("P1", "ZK1", pgb("WLZ", "830", "2025-12-31", ""))))
	require.Equal(t, int64(36500+100), b.GetCareTotalCents())
	require.Equal(t, int64(2*36500), b.GetContestedCents())
	require.Equal(t, int64(100), b.GetUncontestedCareTotalCents())
}

// Two awards of one right that share days: both count, and the later one is contested.
func TestOverlappingAwards(t *testing.T) {
	awarded := func(l *budgetv1.BudgetLine) *budgetv1.BudgetLine { return from("award", l) }
	early := func() *budgetv1.BudgetLine { return pgb("WMO", "02", "2025-01-01", "2025-12-31") }
	late := func() *budgetv1.BudgetLine { return pgb("WMO", "02", "2025-04-01", "2025-12-31") }
	other := pgb("WMO", "02", "2025-01-01", "2025-12-31")
	other.Amount.Cents += 5
	cases := map[string]meetingCase{
		"overlapping":     {one(awarded(early()), awarded(late())), []string{"OVERLAPPING_AWARDS P1/WMO/02 2025-04-01..2025-12-31"}},
		"of one day":      {one(awarded(early()), awarded(other)), []string{"OVERLAPPING_AWARDS P1/WMO/02 2025-01-01..2025-12-31"}},
		"no shared days":  {one(awarded(pgb("WMO", "02", "2025-01-01", "2025-03-31")), awarded(late())), nil},
		"another product": {one(awarded(early()), awarded(pgb("WMO", "07", "2025-04-01", ""))), nil},
		"another law":     {one(awarded(early()), awarded(pgb("JW", "02", "2025-04-01", ""))), nil},
		"a decision":      {one(awarded(early()), from("case_system", pgb("WMO", "02", "2025-04-01", ""))), nil},
		"another funder":  {append(one(awarded(early())), says("P1", "GM2", awarded(late()))), nil},
	}
	requireMeetings(t, "OVERLAPPING_AWARDS", cases)
	b := budget.Assemble(small(), cases["overlapping"].answers)
	require.Equal(t, []bool{false, true}, []bool{b.GetLines()[0].GetContested(), b.GetLines()[1].GetContested()})
	require.Equal(t, b.GetLines()[1].GetValueCents(), b.GetContestedCents())
	require.Equal(t, b.GetLines()[0].GetValueCents(), b.GetUncontestedCareTotalCents())
	f := b.GetFindings()[slices.IndexFunc(b.GetFindings(), func(f *budgetv1.Finding) bool { return f.GetCode() == "OVERLAPPING_AWARDS" })]
	require.Equal(t, "P1/WMO/02/2025-04-01", f.GetLine())
	require.Len(t, f.GetLines(), 2)
	for _, name := range []string{"of one day"} {
		b := budget.Assemble(small(), cases[name].answers)
		require.Equal(t, []bool{false, true}, []bool{b.GetLines()[0].GetContested(), b.GetLines()[1].GetContested()}, name)
	}
}

// Days of a decision that no award covers, in the window.
func TestAwardMissing(t *testing.T) {
	l := from("case_system", pgb("WMO", "02", "2025-07-01", "2025-12-31"))
	l.AwardMissing = true
	early := from("case_system", pgb("WMO", "03", "2024-07-01", "2024-12-31"))
	early.AwardMissing = true
	b := budget.Assemble(small(), one(l, early, from("case_system", pgb("WMO", "07", "2025-01-01", ""))))
	require.Equal(t, []string{"AWARD_MISSING P1/WMO/02 2025-07-01.."}, coded(b, "AWARD_MISSING"))
	back := budget.Without(b, []budget.Left{{Person: "P2", Source: "GM1", Gap: &budgetv1.Gap{Reason: budgetv1.ReasonNoConsent}}}, small().Parties, nil)
	require.Equal(t, []string{"AWARD_MISSING P1/WMO/02 2025-07-01.."}, coded(back, "AWARD_MISSING"))
}

// What a source could not order is an error and a gap; what it left out is told.
func TestVersionsThatContradictEachOther(t *testing.T) {
	one := from("award", pgb("WMO", "02", "2025-01-01", "2025-12-31"))
	one.Amount = nil
	twin := from("award", pgb("WMO", "02", "2025-02-01", "2025-12-31"))
	for _, l := range []*budgetv1.BudgetLine{one, twin} {
		l.Provenance[0].Pointer = "/F/0"
	}
	a := says("P1", "GM1", one, twin)
	a.Response.Notices = []*budgetv1.Notice{
		{Code: "CONFLICT", Law: "WMO", Pointer: "/F/0", Product: &budgetv1.Product{Code: "02"}, Period: period("2025-01-01", "2025-12-31"), Gap: budgetv1.GapVersionConflict},
		{Code: "AWARD_ROW_OMITTED", Law: "WMO", Pointer: "/F/0", Product: &budgetv1.Product{Code: "07"}, Period: period("2025-01-01", "2025-12-31")},
		{Code: "AWARD_ROW_OMITTED", Reason: "ZERO", Law: "WMO", Pointer: "/F/1", Product: &budgetv1.Product{Code: "08"}, Period: period("2025-01-01", "2025-12-31")},
	}
	b := budget.Assemble(small(), []budget.Answer{a})
	i := slices.IndexFunc(b.GetFindings(), func(f *budgetv1.Finding) bool { return f.GetCode() == "CONFLICT" })
	require.Equal(t, []string{"ERROR", "P1/WMO/02/2025-01-01"}, []string{b.GetFindings()[i].GetSeverity(), b.GetFindings()[i].GetLine()})
	require.ElementsMatch(t, []string{"AWARD_ROW_OMITTED P1/WMO/07 2025-01-01..2025-12-31", "AWARD_ROW_OMITTED P1/WMO/08 2025-01-01..2025-12-31"}, coded(b, "AWARD_ROW_OMITTED"))
	for _, f := range b.GetFindings() {
		if f.GetCode() == "AWARD_ROW_OMITTED" {
			want := map[string][]string{"07": {"WARNING", ""}, "08": {"INFO", "ZERO"}}[f.GetProduct()]
			require.Equal(t, want, []string{f.GetSeverity(), budgetv1.FindingDetail(f, "")}, "withdrawn oddly is nothing to ask about")
		}
	}
	require.False(t, b.GetComplete())
	require.Equal(t, "VERSION_CONFLICT", b.GetGaps()[0].GetCode())
	require.Equal(t, "PARTIAL", b.GetSources()[0].GetStatus())
}

// TestFindingsStayOfASize: an answer full of lines that all meet.
func TestFindingsStayOfASize(t *testing.T) {
	var lines []*budgetv1.BudgetLine
	for i := range 128 {
		lines = append(lines, pgb("WMO", "02", "2025-01-01", ""), zin("WMO", "02", fmt.Sprintf("2025-01-%02d", 1+i%28), ""))
	}
	b := budget.Assemble(small(), one(lines...))
	require.Len(t, coded(b, "DUP_DELIVERY"), 128)
	for _, f := range b.GetFindings() {
		require.LessOrEqual(t, len(f.GetLines()), 65)
	}
}

func TestNoticesPointAtALine(t *testing.T) {
	at := func(pointer string, l *budgetv1.BudgetLine) *budgetv1.BudgetLine {
		l.Provenance = []*budgetv1.Provenance{{RecordType: "award", Pointer: pointer}}
		return l
	}
	unlisted := at("/F/0", pgb("WMO", "77", "2025-01-01", ""))
	unlisted.Product.Label = "onbekend"
	merged := from("case_system", at("/F/1", pgb("WMO", "02", "2025-01-01", "")))
	a := says("P1", "GM1", unlisted, merged, at("/F/1", pgb("WMO", "03", "2025-01-01", "")), at("/F/10", pgb("WMO", "07", "2025-01-01", "")))
	a.Response.Notices = []*budgetv1.Notice{
		{Code: "UNKNOWN_CODE", Law: "WMO", Pointer: "/F/0/Zorgfunctie"}, {Code: "UNKNOWN_CODE", Pointer: "/x"},
		{Code: "UNKNOWN_CODE", Law: "JW"}, {Code: "CONFLICT", Law: "WMO", Pointer: "/F/1"}, {Code: "CONFLICT", Law: "WMO", Pointer: "/F/10"},
	}
	b := budget.Assemble(small(), []budget.Answer{a})
	require.Equal(t, []string{"UNKNOWN_CODE P1/JW/ ..", "UNKNOWN_CODE P1/WMO/77 .."}, coded(b, "UNKNOWN_CODE"))
	require.Equal(t, []string{"CONFLICT P1/WMO/02 ..", "CONFLICT P1/WMO/07 .."}, coded(b, "CONFLICT"))
}
