package plan_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const (
	wmo02  = "A3/WMO/02/2025-01-01"
	wmo07  = "A3/WMO/07/2025-04-01"
	wlz    = "A4/WLZ/830/2025-01-01"
	jwTo7  = "A5/JW/45/2025-02-01"
	jwFrom = "A5/JW/45/2025-08-01"
)

func people(refs ...string) []string { return refs }

func TestRefusals(t *testing.T) {
	days := func(a *budgetv1.Allocation, from, to string) *budgetv1.Allocation {
		a.From, a.To = from, to
		return a
	}
	uneven := allocation("x", people("A3"), split(wmo02, 100))
	uneven.Cents = 101
	for name, c := range map[string]struct {
		a    *budgetv1.Allocation
		want string
	}{
		"fits":                 {allocation("x", people("A3"), split(wmo02, 1248000)), ""},
		"nothing at all":       {allocation("x", people("A3")), ""},
		"two lines of one law": {allocation("x", people("A5"), split(jwTo7, 100), split(jwFrom, 100)), ""},
		"one line twice":       {allocation("x", people("A3"), split(wmo02, 700000), split(wmo02, 548000)), ""},
		"for nobody by name":   {allocation("x", nil, split(wmo02, 100)), ""},
		"own days":             {days(allocation("x", people("A5"), split(jwFrom, 100)), "2025-08-01", "2025-08-31"), ""},
		"zero of another law":  {allocation("x", people("A3"), split(wmo02, 100), split(wlz, 0)), ""},

		"two laws":            {allocation("x", people("A3", "A4"), split(wmo02, 100), split(wlz, 100)), budgetv1.RefusalSplitAcrossLaws},
		"sum":                 {uneven, budgetv1.RefusalSplitSum},
		"no splits":           {&budgetv1.Allocation{Id: "x", Cents: 5}, budgetv1.RefusalSplitSum},
		"negative":            {allocation("x", people("A3"), split(wmo02, -5)), budgetv1.RefusalSplitSum},
		"negative beside":     {allocation("x", people("A3"), split(wmo02, 105), split(wmo07, -5)), budgetv1.RefusalSplitSum},
		"enormous":            {allocation("x", people("A3"), split(wmo02, 1<<62)), budgetv1.RefusalSplitSum},
		"unknown line":        {allocation("x", people("A3"), split("A3/WMO/99/2025-01-01", 5)), budgetv1.RefusalUnknownLine},
		"no line":             {allocation("x", people("A3"), nil), budgetv1.RefusalUnknownLine},
		"income":              {allocation("x", people("A1"), split("A1/WIA/WIA/2024-02-01", 5)), budgetv1.RefusalNotCareMoney},
		"in kind":             {allocation("x", people("A5"), split("A5/JW/54/2025-01-15", 5)), budgetv1.RefusalNotCareMoney},
		"a cent too much":     {allocation("x", people("A3"), split(wmo02, 1248001)), budgetv1.RefusalOverallocated},
		"twice, together":     {allocation("x", people("A3"), split(wmo02, 700000), split(wmo02, 548001)), budgetv1.RefusalOverallocated},
		"before the window":   {days(allocation("x", people("A3"), split(wmo02, 5)), "2024-12-31", ""), budgetv1.RefusalOutsideWindow},
		"after the window":    {days(allocation("x", people("A3"), split(wmo02, 5)), "", "2026-01-01"), budgetv1.RefusalOutsideWindow},
		"backwards":           {days(allocation("x", people("A3"), split(wmo02, 5)), "2025-06-01", "2025-05-01"), budgetv1.RefusalOutsideWindow},
		"no date":             {days(allocation("x", people("A3"), split(wmo02, 5)), "2025-02-30", ""), budgetv1.RefusalOutsideWindow},
		"line not begun":      {days(allocation("x", people("A3"), split(wmo07, 5)), "", "2025-03-31"), budgetv1.RefusalOutsideWindow},
		"other person's law":  {allocation("x", people("A3"), split(wlz, 5)), budgetv1.RefusalNotBeneficiary},
		"somebody without":    {allocation("x", people("A2"), split(wlz, 5)), budgetv1.RefusalNotBeneficiary},
		"somebody not there":  {allocation("x", people("Z9"), split(wlz, 5)), budgetv1.RefusalNotBeneficiary},
		"one of two not his":  {allocation("x", people("A5"), split(jwTo7, 5), split(wlz, 5)), budgetv1.RefusalSplitAcrossLaws},
		"half-known and laws": {allocation("x", people("A3"), split(wlz, 5), split("?", 5)), budgetv1.RefusalUnknownLine},
	} {
		q := asked(meppelBudget(), c.a)
		q.Texts = texts(t)
		check := plan.Check(q)
		if c.want == "" {
			require.Empty(t, refusedIn(check), name)
			require.Equal(t, c.a.GetCents(), check.GetAllocatedCents(), name)
			continue
		}
		require.Equal(t, []string{"x " + c.want}, refusedIn(check), name)
		require.Zero(t, check.GetAllocatedCents(), name)
		r := check.GetRefused()[0]
		for _, text := range []string{r.GetTextNl(), r.GetTextEn(), r.GetInsteadNl(), r.GetInsteadEn()} {
			require.NotEmpty(t, text, name)
			require.NotContains(t, text, "{", name)
		}
	}
}

func TestNoAmount(t *testing.T) {
	b := meppelBudget()
	for _, l := range b.GetLines() {
		if l.GetId() == wmo02 {
			l.ValueCents = nil
		}
		if l.GetId() == wmo07 {
			l.ValueCents = new(int64(-1))
		}
	}
	check := plan.Check(asked(b, allocation("a", people("A3"), split(wmo02, 0)), allocation("b", people("A3"), split(wmo07, 1))))
	require.Equal(t, []string{"a NO_AMOUNT", "b NO_AMOUNT"}, refusedIn(check))
	require.Len(t, check.GetLines(), 3)
}

// TestFirstComeFirstServed: what does not fit is refused whole and takes nothing.
func TestFirstComeFirstServed(t *testing.T) {
	q := asked(meppelBudget(),
		allocation("first", people("A3"), split(wmo02, 1000000)),
		allocation("toomuch", people("A3"), split(wmo07, 100), split(wmo02, 300000)),
		allocation("small", people("A3"), split(wmo02, 248000)))
	q.Texts = texts(t)
	check := plan.Check(q)
	require.Equal(t, []string{"toomuch OVERALLOCATED"}, refusedIn(check))
	r := check.GetRefused()[0]
	require.Equal(t, []string{wmo02}, r.GetLines())
	require.Contains(t, r.GetTextNl(), "nog € 2.480,00 over")
	require.True(t, found(check, budgetv1.FindingOverallocated, wmo02), "what is over is shown")
	require.False(t, found(check, budgetv1.FindingOverallocated, wmo07))
	require.Equal(t, int64(1248000), check.GetAllocatedCents())
	require.Zero(t, check.GetLines()[0].GetLeftCents())
}

// TestTheBasisMustReach: every law, every day, and this municipality.
func TestTheBasisMustReach(t *testing.T) {
	shared := func() *budgetv1.Allocation {
		return allocation("x", people("A3", "A4"), split(wmo02, 100), split(wlz, 100))
	}
	march := shared()
	march.From, march.To = "2025-03-01", "2025-03-31"
	whole, part := basis("2025-01-01", "2025-12-31"), basis("2025-03-01", "2025-03-31")
	elsewhere, open, narrow := basis("2025-01-01", "2025-12-31"), basis("2025-01-01", ""), basis("2025-01-01", "2025-12-31")
	elsewhere.Municipalities = []string{"GM0363"}
	narrow.PoolableLaws = []string{"WMO", "JW"}
	for name, c := range map[string]struct {
		basis  *budgetv1.LegalBasis
		a      *budgetv1.Allocation
		stands bool
		shown  bool
	}{
		"whole":         {whole, shared(), true, true},
		"a day short":   {basis("2025-01-01", "2025-12-30"), shared(), false, true},
		"a day late":    {basis("2025-01-02", "2026-12-31"), shared(), false, true},
		"own days":      {part, march, true, true},
		"own days less": {basis("2025-03-02", "2025-03-31"), march, false, true},
		"elsewhere":     {elsewhere, shared(), false, false},
		"no end":        {open, shared(), false, false},
		"one law":       {narrow, shared(), false, true},
		"over":          {basis("2019-01-01", "2022-09-30"), shared(), false, false},
		"backwards":     {basis("2025-12-31", "2025-01-01"), shared(), false, false},
		"empty":         {new(budgetv1.LegalBasis), shared(), false, false},
	} {
		q := asked(meppelBudget(), c.a)
		q.Basis = c.basis
		check := plan.Check(q)
		require.Equal(t, c.stands, len(check.GetRefused()) == 0, name)
		require.Equal(t, c.shown, check.GetLegalBasis() != nil, name)
		require.False(t, check.GetBasisIsAssumed(), name)
	}
}

// The law of who pays must be in the pool too: that the receiver's is does not let in
// another's money. One split by itself is of one law, so nothing else answers first.
func TestThePayersOwnLawMustBePooled(t *testing.T) {
	for name, c := range map[string]struct {
		laws []string
		want []string
	}{
		"both laws":              {[]string{"WMO", "WLZ"}, nil},
		"the receiver's only":    {[]string{"WMO", "JW"}, []string{"x NOT_BENEFICIARY"}},
		"the payer's only":       {[]string{"WLZ", "JW"}, []string{"x NOT_BENEFICIARY"}},
		"neither":                {[]string{"JW"}, []string{"x NOT_BENEFICIARY"}},
		"nothing at all is said": {nil, []string{"x NOT_BENEFICIARY"}},
	} {
		q := asked(meppelBudget(), allocation("x", people("A3"), split(wlz, 100)))
		q.Basis = basis("2025-01-01", "2025-12-31")
		q.Basis.PoolableLaws = c.laws
		require.Equal(t, c.want, refusedIn(plan.Check(q)), name)
	}
}

func TestPayingForAnother(t *testing.T) {
	b := assemble(map[string][]*budgetv1.BudgetLine{
		"A3/GM0119": {right("WMO", "GM0119", "02", "2025-01-01", "2025-12-31", total(10000))},
		"A4/GM0119": {right("WMO", "GM0119", "02", "2025-01-01", "2025-12-31", total(10000))},
		"A5/ZK5503": {right("WLZ", "ZK5503", "830", "2025-01-01", "2025-12-31", total(10000))},
	}, "2025-01-01", "2025-12-31")
	a3, a4, a5 := "A3/WMO/02/2025-01-01", "A4/WMO/02/2025-01-01", "A5/WLZ/830/2025-01-01"

	check := plan.Check(asked(b, allocation("x", people("A4"), split(a3, 100))))
	require.Empty(t, check.GetRefused(), "one law, one funder: a human looks")
	require.True(t, found(check, budgetv1.FindingPlanOtherBeneficiary, a3))
	f := check.GetFindings()[0]
	require.Equal(t, []string{"A3", "A4"}, f.GetPersons())
	require.Equal(t, "A3", f.GetPerson())

	check = plan.Check(asked(b, allocation("x", people("A3", "A4"), split(a3, 50), split(a4, 50))))
	require.False(t, found(check, budgetv1.FindingPlanOtherBeneficiary, ""))
	check = plan.Check(asked(b, allocation("x", people("A3", "A5"), split(a3, 50))))
	require.True(t, found(check, budgetv1.FindingPlanOtherBeneficiary, a3), "A5 shares in what only A3 pays for")

	q := asked(b, allocation("x", people("A4"), split(a5, 100)))
	require.Equal(t, []string{"x NOT_BENEFICIARY"}, refusedIn(plan.Check(q)))
	q.Basis = basis("2025-01-01", "2025-12-31")
	check = plan.Check(q)
	require.Empty(t, check.GetRefused(), "that is what pooling is for")
	require.False(t, found(check, budgetv1.FindingPlanOtherBeneficiary, ""))
	accounts := plan.Account(q)
	require.Equal(t, int64(100), accounts[0].GetLaws()[0].GetShiftedInCents(), "it saved the Wmo")
	require.Equal(t, int64(100), accounts[1].GetLaws()[0].GetShiftedOutCents())
	require.Zero(t, accounts[1].GetLaws()[0].GetShiftedInCents())

	q = asked(b, allocation("x", people("A1"), split(a5, 100)))
	q.Basis = basis("2025-01-01", "2025-12-31")
	require.Equal(t, []string{"x NOT_BENEFICIARY"}, refusedIn(plan.Check(q)), "somebody without a right under a pooled law")
}

func TestContestedMoney(t *testing.T) {
	b := meppelBudget()
	for _, l := range b.GetLines() {
		l.Contested = l.GetId() == jwTo7
	}
	check := plan.Check(asked(b, allocation("x", people("A5"), split(jwTo7, 100)), allocation("y", people("A5"), split(jwFrom, 100))))
	require.Empty(t, check.GetRefused())
	require.True(t, found(check, budgetv1.FindingPlanContestedLine, jwTo7))
	require.False(t, found(check, budgetv1.FindingPlanContestedLine, jwFrom))
	require.False(t, found(plan.Check(asked(b)), budgetv1.FindingPlanContestedLine, ""))
}

func TestOneCarer(t *testing.T) {
	work := func(carer, hours, from, to string) *budgetv1.Allocation {
		a := allocation("x", people("A4"), split(wlz, 100))
		a.Caregiver, a.HoursPerWeek, a.From, a.To = carer, hours, from, to
		return a
	}
	for name, c := range map[string]struct {
		work []*budgetv1.Allocation
		want string // from..to, empty: no finding
	}{
		"forty is allowed":   {[]*budgetv1.Allocation{work("N", "20", "", ""), work("N", "20", "", "")}, ""},
		"a minute more":      {[]*budgetv1.Allocation{work("N", "20", "", ""), work("n ", "20.02", "", "")}, "2025-01-01..2025-12-31"},
		"two people":         {[]*budgetv1.Allocation{work("N", "30", "", ""), work("M", "30", "", "")}, ""},
		"one after another":  {[]*budgetv1.Allocation{work("N", "30", "", "2025-06-30"), work("N", "30", "2025-07-01", "")}, ""},
		"a day together":     {[]*budgetv1.Allocation{work("N", "30", "", "2025-07-01"), work("N", "30", "2025-07-01", "")}, "2025-07-01..2025-07-01"},
		"hours not known":    {[]*budgetv1.Allocation{work("N", "40", "", ""), work("N", "", "", ""), work("N", "1e3", "", "")}, ""},
		"nobody named":       {[]*budgetv1.Allocation{work("", "30", "", ""), work(" ", "30", "", "")}, ""},
		"two stretches":      {[]*budgetv1.Allocation{work("N", "41", "", "2025-01-31"), work("N", "41", "2025-12-01", "2025-12-30")}, "2025-01-01..2025-12-30"},
		"dates that are not": {[]*budgetv1.Allocation{work("N", "41", "x", "")}, ""},
	} {
		check := plan.Check(asked(meppelBudget(), c.work...))
		require.Equal(t, c.want != "", found(check, budgetv1.FindingOneCaregiverOver40H, ""), name)
		for _, f := range check.GetFindings() {
			if f.GetCode() == budgetv1.FindingOneCaregiverOver40H {
				require.Equal(t, c.want, f.GetFrom()+".."+f.GetTo(), name)
				require.Empty(t, f.GetPerson(), name)
				require.Equal(t, []string{wlz}, f.GetLines(), name)
			}
		}
	}
	check := plan.Check(asked(meppelBudget(), work("A2", "56", "", "")))
	require.Equal(t, "A2", check.GetFindings()[0].GetPerson(), "a member of the household is spoken of by his reference")
}

func TestTariffs(t *testing.T) {
	a := allocation("x", people("A4"), split(wlz, 100))
	a.TariffCents, a.Contract = new(int64(2600)), "FAMILIE"
	q := asked(meppelBudget(), a)
	require.False(t, found(plan.Check(q), budgetv1.FindingTariffAboveMax, ""), "not judged")
	span := civil.Span{From: civil.MustParse("2025-01-01"), To: civil.MustParse("2025-12-31")}
	for _, c := range []struct {
		limit plan.Tariff
		want  bool
	}{
		{plan.Tariff{Span: span, Cents: 2599}, true},
		{plan.Tariff{Span: span, Cents: 2600}, false},
		{plan.Tariff{Span: span, Cents: 2599, Law: "WMO"}, false},
		{plan.Tariff{Span: span, Cents: 2599, Law: "WLZ", Contract: "FAMILIE"}, true},
		{plan.Tariff{Span: span, Cents: 2599, Contract: "ZORGINSTELLING"}, false},
		{plan.Tariff{Span: civil.Span{From: span.To + 1, To: span.To + 9}, Cents: 2599}, false},
	} {
		q.Tariffs = []plan.Tariff{c.limit}
		require.Equal(t, c.want, found(plan.Check(q), budgetv1.FindingTariffAboveMax, wlz))
	}
	a.TariffCents = nil
	q.Tariffs = []plan.Tariff{{Span: span}}
	require.False(t, found(plan.Check(q), budgetv1.FindingTariffAboveMax, ""), "not judged")
}

func TestSpentInTheWindow(t *testing.T) {
	line := func(start, end string) *budgetv1.Budget {
		b := assemble(map[string][]*budgetv1.BudgetLine{
			"A3/GM0119": {right("WMO", "GM0119", "02", start, end, total(36500))},
		}, "2025-01-01", "2025-12-31")
		b.SpentCents = map[string]int64{"A3/WMO/02/" + start: 1000}
		return b
	}
	spent := func(b *budgetv1.Budget) *int64 { return plan.Account(asked(b))[0].GetLaws()[0].SpentCents }
	require.Equal(t, new(int64(1000)), spent(line("2025-01-01", "2026-06-30")), "runs on, but not yet")
	require.Nil(t, spent(line("2024-07-01", "2025-06-30")), "partly spent before the window")
	require.Equal(t, new(int64(0)), spent(line("2025-07-01", "2025-12-31")), "not begun")
	late := line("2025-03-01", "2026-06-30")
	late.Today = "2026-01-01"
	require.Nil(t, spent(late), "partly spent after the window")
	late.Today = ""
	require.Nil(t, spent(late))
	refund := line("2025-01-01", "2025-12-31")
	refund.SpentCents["A3/WMO/02/2025-01-01"] = -500
	a := plan.Account(asked(refund))[0].GetLaws()[0]
	require.Equal(t, int64(37000), a.GetUnspentCents())
}

func TestErrors(t *testing.T) {
	b := meppelBudget()
	_, err := plan.Dissolve(b, 0)
	require.ErrorIs(t, err, plan.ErrDate)
	_, err = plan.Dissolve(b, civil.Forever+1)
	require.ErrorIs(t, err, plan.ErrDate)
	_, err = plan.Dissolve(nil, 5)
	require.ErrorIs(t, err, plan.ErrBudget)
	_, err = plan.Sunset(plan.Input{Basis: basis("2025-01-01", "2025-12-31")})
	require.ErrorIs(t, err, plan.ErrBudget)
	_, err = plan.Sunset(asked(b))
	require.ErrorIs(t, err, plan.ErrBasis)
	q := asked(b)
	q.Basis = basis("2025-01-01", "2025-12-31")
	q.Basis.Municipalities = nil
	_, err = plan.Sunset(q)
	require.ErrorIs(t, err, plan.ErrBasis)

	date := civil.MustParse("2025-07-01")
	b.Lines[2].ValueCents = new(b.Lines[2].GetValueCents() + 1)
	_, err = plan.Dissolve(b, date)
	require.ErrorIs(t, err, plan.ErrBudget)
	require.ErrorContains(t, err, "lines[2].value_cents")
	b = meppelBudget()
	b.Lines[3].Id = b.Lines[2].Id
	_, err = plan.Dissolve(b, date)
	require.ErrorContains(t, err, "lines[3].id")
	b = meppelBudget()
	b.Window.To = "2024-01-01"
	_, err = plan.Dissolve(b, date)
	require.ErrorIs(t, err, plan.ErrBudget)
}

func TestADateBesideTheWindow(t *testing.T) {
	b := meppelBudget()
	for _, c := range []struct {
		date          string
		before, after bool
	}{
		{"2024-06-01", false, true}, {"2025-01-01", false, true}, {"2025-01-02", true, true},
		{"2025-12-31", true, true}, {"2026-01-01", true, false}, {"2030-01-01", true, false},
	} {
		d, err := plan.Dissolve(b, civil.MustParse(c.date))
		require.NoError(t, err)
		require.Equal(t, c.before, d.GetBefore() != nil, c.date)
		require.Equal(t, c.after, d.GetAfter() != nil, c.date)
	}
	d, _ := plan.Dissolve(b, civil.MustParse("2024-06-01"))
	require.Equal(t, b.GetCareTotalCents(), d.GetAfter().GetCareTotalCents())
	require.Equal(t, b.GetTotals().GetByLaw(), d.GetAfter().GetTotals().GetByLaw())
	require.Empty(t, d.GetReturned(), "nothing was contributed")
}
