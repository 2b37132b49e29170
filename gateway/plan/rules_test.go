package plan_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const (
	wmo02  = "A3/WMO/02/2025-01-01"
	wmo07  = "A3/WMO/07/2025-04-01"
	wlz    = "A4/WLZ/99/2025-01-01"
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

		"two laws":              {allocation("x", people("A3", "A4"), split(wmo02, 100), split(wlz, 100)), budgetv1.RefusalSplitAcrossLaws},
		"sum":                   {uneven, budgetv1.RefusalSplitSum},
		"no splits":             {&budgetv1.Allocation{Id: "x", Cents: 5}, budgetv1.RefusalSplitSum},
		"negative":              {allocation("x", people("A3"), split(wmo02, -5)), budgetv1.RefusalSplitSum},
		"negative beside":       {allocation("x", people("A3"), split(wmo02, 105), split(wmo07, -5)), budgetv1.RefusalSplitSum},
		"enormous":              {allocation("x", people("A3"), split(wmo02, 1<<62)), budgetv1.RefusalSplitSum},
		"unknown line":          {allocation("x", people("A3"), split("A3/WMO/99/2025-01-01", 5)), budgetv1.RefusalUnknownLine},
		"no line":               {allocation("x", people("A3"), nil), budgetv1.RefusalUnknownLine},
		"income":                {allocation("x", people("A1"), split("A1/WIA/WIA/2024-02-01", 5)), budgetv1.RefusalNotCareMoney},
		"in kind":               {allocation("x", people("A5"), split("A5/JW/54/2025-01-15", 5)), budgetv1.RefusalNotCareMoney},
		"a cent too much":       {allocation("x", people("A3"), split(wmo02, 1248001)), budgetv1.RefusalOverallocated},
		"twice, together":       {allocation("x", people("A3"), split(wmo02, 700000), split(wmo02, 548001)), budgetv1.RefusalOverallocated},
		"before the window":     {days(allocation("x", people("A3"), split(wmo02, 5)), "2024-12-31", ""), budgetv1.RefusalOutsideWindow},
		"after the window":      {days(allocation("x", people("A3"), split(wmo02, 5)), "", "2026-01-01"), budgetv1.RefusalOutsideWindow},
		"backwards":             {days(allocation("x", people("A3"), split(wmo02, 5)), "2025-06-01", "2025-05-01"), budgetv1.RefusalOutsideWindow},
		"no date":               {days(allocation("x", people("A3"), split(wmo02, 5)), "2025-02-30", ""), budgetv1.RefusalOutsideWindow},
		"line not begun":        {days(allocation("x", people("A3"), split(wmo07, 5)), "", "2025-03-31"), budgetv1.RefusalOutsideWindow},
		"other person's law":    {allocation("x", people("A3"), split(wlz, 5)), budgetv1.RefusalNotBeneficiary},
		"somebody without":      {allocation("x", people("A2"), split(wlz, 5)), budgetv1.RefusalNotBeneficiary},
		"somebody not there":    {allocation("x", people("Z9"), split(wlz, 5)), budgetv1.RefusalNotBeneficiary},
		"one of two not theirs": {allocation("x", people("A5"), split(jwTo7, 5), split(wlz, 5)), budgetv1.RefusalSplitAcrossLaws},
		"half-known and laws":   {allocation("x", people("A3"), split(wlz, 5), split("?", 5)), budgetv1.RefusalUnknownLine},
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
	require.Equal(t, "A2", check.GetFindings()[0].GetPerson(), "a member of the household is spoken of by their reference")
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
	_, err := plan.Dissolve(asked(b), 0)
	require.ErrorIs(t, err, plan.ErrDate)
	_, err = plan.Dissolve(asked(b), civil.Forever+1)
	require.ErrorIs(t, err, plan.ErrDate)
	_, err = plan.Dissolve(asked(nil), 5)
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
	_, err = plan.Dissolve(asked(b), date)
	require.ErrorIs(t, err, plan.ErrBudget)
	require.ErrorContains(t, err, "lines[2].value_cents")
	b = meppelBudget()
	b.Lines[3].Id = b.Lines[2].Id
	_, err = plan.Dissolve(asked(b), date)
	require.ErrorContains(t, err, "lines[3].id")
	b = meppelBudget()
	b.Window.To = "2024-01-01"
	_, err = plan.Dissolve(asked(b), date)
	require.ErrorIs(t, err, plan.ErrBudget)
}

// A budget is taken apart at a day of its window and at no other: at its first day there
// is nothing before.
func TestADateBesideTheWindow(t *testing.T) {
	b := meppelBudget()
	for _, date := range []string{"2024-06-01", "2024-12-31", "2026-01-01", "2030-01-01"} {
		_, err := plan.Dissolve(asked(b), civil.MustParse(date))
		require.ErrorIs(t, err, plan.ErrDate, date)
	}
	for _, date := range []string{"2025-01-02", "2025-12-31"} {
		d, err := plan.Dissolve(asked(b), civil.MustParse(date))
		require.NoError(t, err)
		require.NotNil(t, d.GetBefore(), date)
		require.NotNil(t, d.GetAfter(), date)
	}
	d, err := plan.Dissolve(asked(b), civil.MustParse("2025-01-01"))
	require.NoError(t, err)
	require.Nil(t, d.GetBefore())
	require.Equal(t, b.GetCareTotalCents(), d.GetAfter().GetCareTotalCents())
	require.Equal(t, b.GetTotals().GetByLaw(), d.GetAfter().GetTotals().GetByLaw())
	require.Empty(t, d.GetReturned(), "nothing was contributed")
}

// What is left of a line is what it was awarded less what was spent: a plan may spend no
// more than that after today, whatever the line is worth in the window.
func TestMoreThanIsLeft(t *testing.T) {
	days := func(cents int64, from, to string) *budgetv1.Allocation {
		a := allocation("x", people("A3"), split(wmo02, cents))
		a.From, a.To = from, to
		return a
	}
	for name, c := range map[string]struct {
		left int64 // negative as well; -1 is not known
		plan []*budgetv1.Allocation
		want bool
	}{
		"all that is left":         {5000, []*budgetv1.Allocation{days(5000, "2025-07-01", "")}, false},
		"a cent more":              {5000, []*budgetv1.Allocation{days(5001, "2025-07-01", "")}, true},
		"two together":             {5000, []*budgetv1.Allocation{days(3000, "2025-07-01", ""), days(3000, "2025-09-01", "2025-09-30")}, true},
		"before today":             {5000, []*budgetv1.Allocation{days(90000, "2025-01-01", "2025-06-30")}, false},
		"today itself":             {5000, []*budgetv1.Allocation{days(90000, "2025-06-30", "2025-06-30")}, false},
		"by day":                   {5000, []*budgetv1.Allocation{days(36500, "", "")}, true},                     // 184 of 365 days: 184.00
		"by day, rounded down":     {18400, []*budgetv1.Allocation{days(36501, "", "")}, false},                   // 184.00504
		"overspent already":        {-200, []*budgetv1.Allocation{days(1, "2025-07-01", "")}, true},               // nothing may be added
		"overspent, nothing more":  {-200, []*budgetv1.Allocation{days(1000, "2025-01-01", "2025-06-30")}, false}, // the budget itself says OVERSPENT
		"not known":                {-1, []*budgetv1.Allocation{days(1000000, "2025-07-01", "")}, false},
		"what does not fit counts": {700000, []*budgetv1.Allocation{days(600000, "2025-07-01", ""), days(700000, "2025-07-01", "")}, true},
	} {
		b := meppelBudget()
		b.SpentAsOf = map[string]string{wmo02: "2025-05-31"}
		b.RemainingCents = map[string]int64{wmo02: c.left}
		if c.left == -1 {
			delete(b.RemainingCents, wmo02)
		}
		q := asked(b, c.plan...)
		q.Texts = texts(t)
		check := plan.Check(q)
		require.Equal(t, c.want, found(check, budgetv1.FindingExceedsRemaining, wmo02), name)
		for _, f := range check.GetFindings() {
			if f.GetCode() == budgetv1.FindingExceedsRemaining {
				require.Equal(t, "ERROR", f.GetSeverity(), name)
				require.Equal(t, "2025-05-31", f.GetDate(), name)
				require.Equal(t, "2025-07-01..2025-12-31", f.GetFrom()+".."+f.GetTo(), name)
				require.Contains(t, f.GetTextNl(), "tot en met 31 mei 2025", name)
			}
		}
	}
}

// An allocation that says of itself when it is pays on days of its line, or somebody looks.
// One without days is of the days of its lines.
func TestBesideTheLine(t *testing.T) {
	for name, c := range map[string]struct {
		line, from, to string
		want           []string
		refused        bool
	}{
		"whole line":    {wmo07, "2025-04-01", "2025-12-31", nil, false},
		"a day before":  {wmo07, "2025-03-31", "2025-12-31", []string{"2025-03-31..2025-03-31"}, false},
		"wholly before": {wmo07, "2025-01-01", "2025-03-31", []string{"2025-01-01..2025-03-31"}, true},
		"past its end":  {jwTo7, "2025-07-01", "2025-08-31", []string{"2025-08-01..2025-08-31"}, false},
		"on both sides": {jwTo7, "2025-01-01", "2025-12-31", []string{"2025-01-01..2025-01-31", "2025-08-01..2025-12-31"}, false},
		"no days":       {wmo07, "", "", nil, false},
		"an end only":   {wmo07, "", "2025-06-30", nil, false},
		"a start only":  {jwTo7, "2025-03-01", "", nil, false},
	} {
		a := allocation("x", people("A3", "A5"), split(c.line, 100))
		a.From, a.To = c.from, c.to
		q := asked(meppelBudget(), a)
		q.Texts = texts(t)
		check := plan.Check(q)
		var got []string
		for _, f := range check.GetFindings() {
			if f.GetCode() == budgetv1.FindingPlanOutsideLine {
				got = append(got, f.GetFrom()+".."+f.GetTo())
				after := f.GetFrom() > "2025-07-31"
				require.Equal(t, after, strings.Contains(f.GetTextNl(), "al voorbij"), name)
				require.Equal(t, !after, strings.Contains(f.GetTextNl(), "nog niet is begonnen"), name)
			}
		}
		require.Equal(t, c.want, got, name)
		require.Equal(t, c.refused, len(check.GetRefused()) > 0, name)
	}
}

// Where a basis pools the laws, and not on all the days, the basis is the reason: it is
// named, with the days on which it is not in force.
func TestTheBasisIsTheReason(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string // of the basis
		days     [2]string
		shared   bool // over two laws; else the money of one law for who has a right under another
		code     string
		outside  string
	}{
		"for another, past the end":     {"2025-01-01", "2025-03-31", [2]string{"2025-02-01", "2025-06-30"}, false, budgetv1.RefusalOutsideBasis, "2025-04-01..2025-06-30"},
		"for another, all past the end": {"2025-01-01", "2025-03-31", [2]string{"2025-05-01", "2025-06-30"}, false, budgetv1.RefusalOutsideBasis, "2025-05-01..2025-06-30"},
		"for another, before it begins": {"2025-03-01", "2025-12-31", [2]string{"2025-02-01", "2025-06-30"}, false, budgetv1.RefusalOutsideBasis, "2025-02-01..2025-02-28"},
		"for another, the whole window": {"2025-01-01", "2025-12-30", [2]string{}, false, budgetv1.RefusalOutsideBasis, "2025-12-31..2025-12-31"},
		"shared, past the end":          {"2025-01-01", "2025-03-31", [2]string{"2025-02-01", "2025-06-30"}, true, budgetv1.RefusalSplitAcrossLaws, "2025-04-01..2025-06-30"},
		"shared, a day before":          {"2025-02-02", "2025-12-31", [2]string{"2025-02-01", "2025-06-30"}, true, budgetv1.RefusalSplitAcrossLaws, "2025-02-01..2025-02-01"},
	} {
		a := allocation("x", people("A3"), split(wlz, 100))
		if c.shared {
			a = allocation("x", people("A3", "A4"), split(wmo02, 100), split(wlz, 100))
		}
		a.From, a.To = c.days[0], c.days[1]
		q := asked(meppelBudget(), a)
		q.Basis, q.Texts = basis(c.from, c.to), texts(t)
		check := plan.Check(q)
		require.Equal(t, []string{"x " + c.code}, refusedIn(check), name)
		r := check.GetRefused()[0]
		require.Equal(t, "test", r.GetBasis(), name)
		require.Equal(t, c.outside, r.GetFrom()+".."+r.GetTo(), name)
		for _, text := range []string{r.GetTextNl(), r.GetTextEn()} {
			require.Contains(t, text, " is test. ", name)
			require.NotContains(t, text, "{", name)
		}
		require.Equal(t, c.shared, strings.Contains(r.GetInsteadNl(), "zorgovereenkomst met dezelfde hulpverlener"), name)

		q.Basis.PoolableLaws = []string{"JW", "ZVW"}
		r = plan.Check(q).GetRefused()[0]
		require.Empty(t, r.GetBasis()+r.GetFrom()+r.GetTo(), "%s: no day would help", name)
		require.NotEqual(t, budgetv1.RefusalOutsideBasis, r.GetCode(), name)
	}
}

// What cannot be judged is said, and is no finding.
func TestNotJudged(t *testing.T) {
	limit := plan.Tariff{Span: civil.Span{From: civil.MustParse("2025-01-01"), To: civil.MustParse("2025-12-31")}, Cents: 5000}
	known := func() *budgetv1.Allocation {
		a := allocation("x", people("A3"), split(wmo02, 1))
		a.HoursPerWeek, a.TariffCents = "4", new(int64(2000))
		return a
	}
	noHours, noTariff := known(), known()
	noHours.HoursPerWeek, noTariff.TariffCents = "", nil
	for name, c := range map[string]struct {
		plan   []*budgetv1.Allocation
		limits []plan.Tariff
		want   []string
	}{
		"all is known":          {[]*budgetv1.Allocation{known()}, []plan.Tariff{limit}, nil},
		"no hours of one":       {[]*budgetv1.Allocation{known(), noHours}, []plan.Tariff{limit}, []string{"ONE_CAREGIVER_OVER_40H"}},
		"no tariff of one":      {[]*budgetv1.Allocation{noTariff, known()}, []plan.Tariff{limit}, []string{"TARIFF_ABOVE_MAX"}},
		"no highest tariff":     {[]*budgetv1.Allocation{known()}, nil, []string{"TARIFF_ABOVE_MAX"}},
		"nothing to judge":      {nil, nil, nil},
		"neither of the two is": {[]*budgetv1.Allocation{noHours, noTariff}, nil, []string{"ONE_CAREGIVER_OVER_40H", "TARIFF_ABOVE_MAX"}},
	} {
		q := asked(meppelBudget(), c.plan...)
		q.Tariffs = c.limits
		require.Equal(t, c.want, plan.Check(q).GetNotJudged(), name)
	}
}

// An account and a dissolution say of which day they are, and what was overspent though
// the money of another law covers it.
func TestAsOfWhichDay(t *testing.T) {
	b := meppelBudget()
	b.SpentAsOf = map[string]string{wmo02: "2025-06-15", wmo07: "2025-05-31", wlz: "2025-06-30"}
	b.SpentCents[wmo07], b.RemainingCents = 700000, map[string]int64{wmo07: -76000, wmo02: 648000}
	q := asked(b)
	q.Texts = texts(t)
	accounts := plan.Account(q)
	wmo, jw := accounts[0].GetLaws()[0], accounts[0].GetLaws()[1]
	require.Equal(t, "2025-06-30", accounts[0].GetAsOf())
	require.Equal(t, "2025-05-31", wmo.GetSpentAsOf(), "the earliest")
	require.Equal(t, int64(76000), wmo.GetOverspentCents(), "though the other line has more left than that")
	require.Positive(t, wmo.GetUnspentCents())
	require.Empty(t, jw.GetSpentAsOf(), "SVB did not say")
	require.Zero(t, jw.GetOverspentCents())

	date := civil.MustParse("2025-07-01")
	d, err := plan.Dissolve(q, date)
	require.NoError(t, err)
	require.Len(t, d.GetFindings(), 1)
	f := d.GetFindings()[0]
	require.Equal(t, []string{wmo07}, f.GetLines(), "nobody covers it")
	require.Equal(t, "OVERSPENT 2025-07-01", f.GetCode()+" "+f.GetDate())
	require.Contains(t, f.GetTextNl(), "dagen vóór 1 juli 2025")
	require.NotContains(t, f.GetTextNl(), "andere budgetten")

	b.LegalBasis = basis("2025-01-01", "2025-12-31")
	d, err = plan.Dissolve(q, date)
	require.NoError(t, err)
	require.Len(t, d.GetFindings(), 1)
	require.Equal(t, []string{wmo02, wmo07, wlz, jwTo7}, d.GetFindings()[0].GetLines())
	require.Contains(t, d.GetFindings()[0].GetTextNl(), "Geld van andere budgetten vangt dat op")
}
