package budget_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// assembled plays a case.
func assembled(t *testing.T, name string) (*casefile.Case, *budgetv1.Budget) {
	c, err := casefile.Open(name)
	require.NoError(t, err)
	return c, budget.Assemble(request(c), answers(t, c))
}

func TestCasesComeOutToTheCent(t *testing.T) {
	for _, name := range casefile.Names() {
		t.Run(name, func(t *testing.T) {
			c, b := assembled(t, name)
			want := c.Expected
			lines := map[string]*int64{}
			for _, l := range b.GetLines() {
				lines[l.GetId()] = l.ValueCents
			}
			require.Equal(t, want.Lines, lines)
			require.Equal(t, want.Totals["by_law"], b.GetTotals().GetByLaw())
			require.Equal(t, want.Totals["by_funder"], b.GetTotals().GetByFunder())
			require.Equal(t, want.Totals["by_person"], b.GetTotals().GetByPerson())
			require.Equal(t, want.Totals["by_fungibility"], b.GetTotals().GetByFungibility())
			require.Equal(t, want.CareTotalCents, b.CareTotalCents)
			require.Equal(t, want.IncomeCents, b.IncomeCents)
			require.Equal(t, want.RingfencedCents, b.RingfencedCents)
			require.Equal(t, want.CarryOverCents, b.GetCarryOverCents())
			require.Equal(t, want.OwnContributionCents, b.OwnContributionCents)
			require.Equal(t, want.RemainingCents, b.GetRemainingCents())
			require.Equal(t, len(want.Gaps) == 0, b.GetComplete())
			for _, g := range want.Gaps {
				require.True(t, slices.ContainsFunc(b.GetGaps(), func(got *budgetv1.Gap) bool {
					return got.GetPerson() == g.Person && got.GetSource() == g.Source && got.GetReason() == g.Reason
				}))
			}
		})
	}
}

func TestCasesFindWhatTheyExpect(t *testing.T) {
	for _, name := range casefile.Names() {
		t.Run(name, func(t *testing.T) {
			c, b := assembled(t, name)
			for _, want := range c.Expected.Findings {
				require.True(t, slices.ContainsFunc(b.GetFindings(), func(f *budgetv1.Finding) bool {
					return matches(f, want)
				}), "%v", want)
			}
			for _, f := range b.GetFindings() {
				require.NotContains(t, c.Expected.NoFindings, f.GetCode())
				require.Contains(t, budgetv1.FindingCodes(), f.GetCode())
			}
		})
	}
}

// TestContestedOfTheCases: shown as granted and uncontested.
func TestContestedOfTheCases(t *testing.T) {
	for _, name := range casefile.Names() {
		raw, err := casefile.Raw(name)
		require.NoError(t, err)
		var c struct {
			Expected struct {
				ContestedLines []string `json:"contested_lines"`
				ContestedCents int64    `json:"contested_cents"`
			}
		}
		require.NoError(t, json.Unmarshal(raw, &c))
		_, b := assembled(t, name)
		var contested []string
		for _, l := range b.GetLines() {
			if l.GetContested() {
				contested = append(contested, l.GetId())
			}
		}
		require.Equal(t, c.Expected.ContestedLines, contested, name)
		require.Equal(t, c.Expected.ContestedCents, b.GetContestedCents(), name)
		require.Equal(t, b.GetCareTotalCents()-c.Expected.ContestedCents, b.GetUncontestedCareTotalCents(), name)
	}
}

func matches(f *budgetv1.Finding, want map[string]any) bool {
	got := map[string]any{
		"code": f.GetCode(), "person": f.GetPerson(), "law": f.GetLaw(), "product": f.GetProduct(),
		"line": f.GetLine(), "from": f.GetFrom(), "to": f.GetTo(), "date": f.GetDate(), "days": float64(f.GetDays()),
	}
	for key, value := range want {
		if got[key] != value {
			return false
		}
	}
	return true
}

// TestCasesFindNothingElse: every hole and crossing of the cases, worked out by hand.
func TestCasesFindNothingElse(t *testing.T) {
	want := map[string][]string{
		"meppel": {
			"PARTIAL",
			"GAP A5/JW/45 2025-01-01..2025-01-31",
			"SAME_RECORD A3/WMO/02 ..",
			"LINE_CROSSES_WINDOW A5/JW/45 2025-08-01..2026-01-31",
		},
		"woerden": {
			"TRANSITION_18 B1 2025-06-15",
			"DUP_NEED B1/LLV/LLVKM 2025-06-15..2025-07-31",
			"GAP B1/LLV/LLVKM 2025-08-01..2025-12-31",
			"LINE_CROSSES_WINDOW B1/EDU/ARR 2024-08-01..2025-07-31",
			"LINE_CROSSES_WINDOW B1/EDU/ARR 2025-08-01..2026-07-31",
			"LINE_CROSSES_WINDOW B1/LLV/LLVKM 2024-08-01..2025-07-31",
			"LINE_CROSSES_WINDOW B1/UWV_PROVISION/JOBCOACH 2025-09-01..2026-02-28",
			"LINE_CROSSES_WINDOW B1/WMO/02 2025-06-15..2026-06-14",
		},
		"diemen-zwolle": {
			"PRIORITY_LAW_OVERLAP C3/JW/45 2025-07-01..2025-12-31",
			"MOVE_FUNDER_CHANGE C1+C2+C3 2025-05-01",
			"GAP C1/WMO/01 2025-05-01..2025-05-31",
			"CONTINUITY_LIMIT C2 2026-04-30",
			"LINE_CROSSES_WINDOW C1/WMO/01 2025-06-01..2026-05-31",
		},
	}
	for name, findings := range want {
		_, b := assembled(t, name)
		require.Equal(t, findings, spoken(b), name)
	}
}

// spoken lists findings in short.
func spoken(b *budgetv1.Budget) []string {
	var out []string
	for _, f := range b.GetFindings() {
		text := f.GetCode()
		if f.GetDate() != "" {
			text += " " + strings.Join(f.GetPersons(), "+") + " " + f.GetDate()
		} else if f.GetPerson() != "" {
			text += " " + f.GetPerson() + "/" + f.GetLaw() + "/" + f.GetProduct() + " " + f.GetFrom() + ".." + f.GetTo()
		}
		out = append(out, text)
	}
	return out
}

func TestMatrixOfMeppel(t *testing.T) {
	_, b := assembled(t, "meppel")
	status := map[string]string{}
	var rows []string
	for _, row := range b.GetMatrix() {
		rows = append(rows, row.GetPerson())
		for _, cell := range row.GetCells() {
			status[row.GetPerson()+"/"+cell.GetLaw()] = cell.GetStatus()
		}
	}
	require.Equal(t, []string{"A1", "A2", "A3", "A4", "A5"}, rows)
	require.Equal(t, "OK", status["A1/WIA"])
	require.Equal(t, "NO_RIGHT", status["A1/WW"])
	require.Equal(t, "NOT_ASKED", status["A1/WMO"])
	require.Equal(t, "NO_CONSENT", status["A2/WIA"])
	require.Equal(t, "NOT_ASKED", status["A2/JW"])
	require.Equal(t, "OK", status["A3/WMO"])
	require.Equal(t, "NO_RIGHT", status["A3/JW"])
	require.Equal(t, "OK", status["A4/WLZ"])
	require.Equal(t, "OK", status["A5/JW"])

	wmo := b.GetMatrix()[2].GetCells()[0]
	require.Equal(t, "WMO", wmo.GetLaw())
	require.Equal(t, int64(1872000), wmo.GetEntitlementCents())
	require.Nil(t, wmo.IncomeCents)
	require.Nil(t, wmo.RingfencedCents)
	require.Equal(t, []string{"A3/WMO/02/2025-01-01", "A3/WMO/07/2024-07-01", "A3/WMO/07/2025-04-01"}, wmo.GetLines())
	require.Equal(t, int64(792000), wmo.GetSpentCents())
	require.Equal(t, int64(25200), wmo.GetOwnContributionCents())
	require.Len(t, wmo.GetQuantities(), 1, "only the right without money is given as a quantity")
	require.Equal(t, "4", wmo.GetQuantities()[0].GetVolume())
}

func TestProvenanceAndReports(t *testing.T) {
	_, b := assembled(t, "meppel")
	i := slices.IndexFunc(b.GetLines(), func(l *budgetv1.BudgetLine) bool { return l.GetId() == "A3/WMO/02/2025-01-01" })
	line := b.GetLines()[i]
	require.Equal(t, "A3", line.GetPerson())
	require.Len(t, line.GetProvenance(), 2)
	for _, p := range line.GetProvenance() {
		require.Equal(t, "consent-A3", p.GetConsent())
		require.Equal(t, "agreement-GM0119", p.GetAgreement())
	}
	require.Equal(t, "300", line.GetQuantity().GetVolume())

	var reports []string
	for _, r := range b.GetSources() {
		reports = append(reports, r.GetPerson()+" "+r.GetSource()+" "+r.GetStatus())
		require.Equal(t, int64(7), r.GetElapsedMs())
	}
	require.Equal(t, []string{
		"A1 UWV OK", "A2 UWV NO_CONSENT", "A3 CAK OK", "A3 GM0119 OK", "A3 SVB OK",
		"A4 CAK OK", "A4 SVB OK", "A4 ZK5503 OK", "A5 GM0119 OK", "A5 SVB OK",
	}, reports)
}
