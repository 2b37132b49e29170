package plan_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func TestTheFixtureIsTheCase(t *testing.T) {
	c, q, _ := meppel(t)
	lines := map[string]*int64{}
	for _, l := range q.Budget.GetLines() {
		lines[l.GetId()] = l.ValueCents
	}
	require.Equal(t, c.Expected.Lines, lines)
}

func TestMeppelWithoutLegalBasis(t *testing.T) {
	c, q, _ := meppel(t)
	check := plan.Check(q)
	require.Len(t, check.GetRefused(), len(c.Expected.Plan.Without.Refused))
	r := check.GetRefused()[0]
	require.Equal(t, c.Expected.Plan.Without.Refused[0], r.GetAllocation())
	require.Equal(t, budgetv1.RefusalSplitAcrossLaws, r.GetCode())
	require.ElementsMatch(t, []string{"WMO", "WLZ", "JW"}, r.GetLaws())
	require.Len(t, r.GetLines(), 4)
	for _, part := range []string{"A4: € 14.976,00 uit Wlz", "A3: € 8.985,60 uit Wmo", "A5: € 5.990,40 uit Jeugdwet"} {
		require.Contains(t, r.GetInsteadNl(), part)
	}
	require.Contains(t, r.GetInsteadNl(), "per budgethouder een eigen zorgovereenkomst met dezelfde hulpverlener")
	require.Contains(t, r.GetInsteadEn(), "A4: €14,976.00 from Wlz")
	require.NotContains(t, r.GetTextNl()+r.GetTextEn()+r.GetInsteadEn(), "{")
	require.NotContains(t, r.GetInsteadNl()+r.GetTextNl(), "Horst", "no carer is named")

	require.Equal(t, int64(2600000+624000+3800000), check.GetAllocatedCents())
	require.Equal(t, int64(11184437-7024000), check.GetUnallocatedCents())
	require.Equal(t, map[string]int64{"WLZ": 2141000, "WMO": 1248000, "JW": 771437}, check.GetUnallocatedByLaw())
	require.Nil(t, check.GetLegalBasis())
	require.False(t, check.GetBasisIsAssumed())
}

func TestMeppelWithLegalBasis(t *testing.T) {
	c, q, basis := meppel(t)
	q.Basis, q.Assumed = basis, true
	want := c.Expected.Plan.With
	check := plan.Check(q)
	require.Empty(t, check.GetRefused())
	require.Equal(t, want.Allocated, check.GetAllocatedCents())
	require.Equal(t, want.Unallocated, check.GetUnallocatedCents())
	require.Equal(t, want.UnallocatedByLaw, check.GetUnallocatedByLaw())
	require.Equal(t, basis.GetId(), check.GetLegalBasis().GetId())
	require.True(t, check.GetBasisIsAssumed())
	require.Len(t, check.GetLines(), 5, "lines that can pay")
	require.Equal(t, "A3/WMO/02/2025-01-01", check.GetLines()[0].GetLine())
	require.Equal(t, int64(349440), check.GetLines()[0].GetLeftCents())
	require.False(t, found(check, budgetv1.FindingPlanOtherBeneficiary, ""), "each holder shares in the carer")
	require.False(t, found(check, budgetv1.FindingOverallocated, ""))
	require.True(t, found(check, budgetv1.FindingUnallocated, "A4/WLZ/99/2025-01-01"))
	require.False(t, found(check, budgetv1.FindingUnallocated, "A3/WMO/07/2025-04-01"))

	got := map[string]map[string]int64{}
	for _, a := range plan.Account(q) {
		got[a.GetFunder()] = map[string]int64{}
		for _, l := range a.GetLaws() {
			got[a.GetFunder()][l.GetLaw()] = l.GetAllocatedCents()
			require.Zero(t, l.GetShiftedInCents()+l.GetShiftedOutCents())
		}
	}
	require.Equal(t, want.Account, got)
}

func TestMeppelAccounts(t *testing.T) {
	_, q, basis := meppel(t)
	q.Basis = basis
	accounts := plan.Account(q)
	require.Len(t, accounts, 2, "UWV pays benefits and gets no account")
	wmo, jw := accounts[0].GetLaws()[0], accounts[0].GetLaws()[1]
	require.Equal(t, "2025-12-31", accounts[0].GetWindow().GetTo())
	require.Equal(t, []string{"WMO", "JW"}, []string{wmo.GetLaw(), jw.GetLaw()})
	require.Equal(t, int64(1872000), wmo.GetAwardedCents())
	require.Equal(t, int64(792000), wmo.GetSpentCents())
	require.Equal(t, int64(1080000), wmo.GetUnspentCents())
	require.Equal(t, int64(260000), jw.GetSpentCents(), "the line from August on had not begun")
	require.Equal(t, int64(771437-260000), jw.GetUnspentCents())
	require.Equal(t, "ZK5503", accounts[1].GetFunder())
	require.Equal(t, int64(4120000), accounts[1].GetLaws()[0].GetSpentCents())

	delete(q.Budget.SpentCents, "A3/WMO/07/2025-04-01")
	wmo = plan.Account(q)[0].GetLaws()[0]
	require.Nil(t, wmo.SpentCents, "one line of two is not known")
	require.Nil(t, wmo.UnspentCents)
}

func TestMeppelDissolved(t *testing.T) {
	_, q, _ := meppel(t)
	d, err := plan.Dissolve(q, civil.MustParse("2025-07-01"))
	require.NoError(t, err)
	require.Equal(t, "2025-06-30", d.GetBefore().GetWindow().GetTo())
	require.Equal(t, "2025-07-01", d.GetAfter().GetWindow().GetFrom())
	require.Equal(t, map[string]int64{
		"A1/WIA/WIA/2024-02-01": 1386000, "A1/WIA/WIA/2025-05-22": 221760,
		"A3/WMO/02/2025-01-01": 618871,  // 12480.00 x 181/365
		"A3/WMO/07/2025-04-01": 206487,  // 6240.00 x 91/275
		"A4/WLZ/99/2025-01-01": 4235400, // 85410.00 x 181/365
		"A5/JW/45/2025-02-01":  349061,  // 4212.00 x 150/181
	}, d.GetBefore().GetLines())
	require.Equal(t, int64(8541000-4235400), d.GetAfter().GetLines()["A4/WLZ/99/2025-01-01"])
	require.Equal(t, int64(350237), d.GetAfter().GetLines()["A5/JW/45/2025-08-01"])
	require.Equal(t, int64(11184437), d.GetBefore().GetCareTotalCents()+d.GetAfter().GetCareTotalCents())
	require.Equal(t, d.GetBefore().GetLines()["A5/JW/45/2025-02-01"], d.GetBefore().GetTotals().GetByLaw()["JW"])

	back := map[string]int64{}
	for _, r := range d.GetReturned() {
		back[r.GetLine()] = r.GetCents()
	}
	require.Equal(t, map[string]int64{
		"A3/WMO/02/2025-01-01": 18871, "A3/WMO/07/2025-04-01": 14487,
		"A4/WLZ/99/2025-01-01": 115400, "A5/JW/45/2025-02-01": 89061,
	}, back, "each line its own")
}

func TestMeppelDissolvedWhereLawsArePooled(t *testing.T) {
	_, q, basis := meppel(t)
	q.Budget.LegalBasis = basis
	d, err := plan.Dissolve(q, civil.MustParse("2025-07-01"))
	require.NoError(t, err)
	sum := int64(0)
	back := map[string]int64{}
	for _, r := range d.GetReturned() {
		back[r.GetLine()] = r.GetCents()
		sum += r.GetCents()
	}
	require.Equal(t, int64(18871+14487+115400+89061), sum, "the same money, to the cent")
	// 237819 x 618871 / 5409819 = 27205.95, x 206487 = 9077.30, x 4235400 = 186190.81, x 349061 = 15344.94
	require.Equal(t, map[string]int64{
		"A3/WMO/02/2025-01-01": 27206, "A3/WMO/07/2025-04-01": 9077,
		"A4/WLZ/99/2025-01-01": 186191, "A5/JW/45/2025-02-01": 15345,
	}, back)
}

func TestMeppelAfterTheBasisEnds(t *testing.T) {
	_, q, basis := meppel(t)
	q.Basis = basis
	s, err := plan.Sunset(q)
	require.NoError(t, err)
	require.Equal(t, "2027-01-01", s.GetFrom())
	require.Empty(t, s.GetLines())
	require.Empty(t, s.GetEnds())
	require.Contains(t, s.GetTextNl(), "31 december 2026")

	basis.To = "2025-09-30"
	s, err = plan.Sunset(q)
	require.NoError(t, err)
	require.Equal(t, "2025-10-01", s.GetFrom())
	require.Len(t, s.GetEnds(), 1)
	require.Equal(t, "PA-1", s.GetEnds()[0].GetAllocation())
	require.Contains(t, s.GetEnds()[0].GetInsteadNl(), "zorgovereenkomst")
	require.Contains(t, s.GetTextNl(), "Vanaf 1 oktober 2025")
	require.Contains(t, s.GetTextEn(), "From 1 October 2025")
	lines := map[string]*budgetv1.LinePlan{}
	for _, l := range s.GetLines() {
		lines[l.GetLine()] = l
	}
	require.Len(t, lines, 4, "the line that ended in July is gone")
	wlz := lines["A4/WLZ/99/2025-01-01"]
	require.Equal(t, int64(2152800), wlz.GetValueCents())           // 85410.00 x 92/365
	require.Equal(t, int64(655342+957808), wlz.GetAllocatedCents()) // PA-2 and PA-4 x 92/365, each rounded down
	require.Equal(t, int64(0), lines["A3/WMO/02/2025-01-01"].GetAllocatedCents(), "only PA-1 used it")
	require.Zero(t, lines["A3/WMO/07/2025-04-01"].GetLeftCents(), "spent whole, by day")
}
