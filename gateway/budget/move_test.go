package budget_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// moved is the small request with P1 in another municipality from a day on.
func moved(date string) budget.Request {
	q := small()
	day := civil.MustParse(date)
	q.Persons[0].Residences = []budget.Residence{
		{Municipality: "0193", Span: civil.Span{From: day}}, {Municipality: "0384", Span: civil.Span{To: day - 1}},
	}
	return q
}

func TestMoves(t *testing.T) {
	for name, c := range map[string]struct {
		q       budget.Request
		answers []budget.Answer
		want    []string
	}{
		"somebody moves":        {moved("2025-05-01"), nil, []string{"MOVE_FUNDER_CHANGE P1 2025-05-01"}},
		"before the window":     {moved("2024-05-01"), nil, nil},
		"the municipality does": {small(), append(one(pgb("WMO", "02", "2025-01-01", "2025-04-30")), says("P1", "GM2", pgb("WMO", "02", "2025-05-01", ""))), []string{"MOVE_FUNDER_CHANGE P1 2025-05-01"}},
		"both on one day": {moved("2025-05-01"), append(one(pgb("WMO", "02", "2025-01-01", "2025-04-30")),
			says("P2", "ZK1", pgb("WLZ", "830", "2025-01-01", "2025-04-30")), says("P2", "ZK2", pgb("WLZ", "804", "2025-05-01", ""))),
			[]string{"MOVE_FUNDER_CHANGE P1+P2 2025-05-01"}},
		"with days between": {small(), append(one(pgb("WMO", "02", "2025-01-01", "2025-04-30")), says("P1", "GM2", pgb("WMO", "02", "2025-06-01", ""))), nil},
		"another product":   {small(), append(one(pgb("WMO", "02", "2025-01-01", "2025-04-30")), says("P1", "GM2", pgb("WMO", "03", "2025-05-01", ""))), nil},
		"the same funder":   {small(), one(pgb("WMO", "02", "2025-01-01", "2025-04-30"), pgb("WMO", "02", "2025-05-01", "")), nil},
		"two insurers": {small(), []budget.Answer{says("P1", "ZV1", pgb("ZVW", "VV", "2025-01-01", "2025-04-30")),
			says("P1", "ZV2", pgb("ZVW", "VV", "2025-05-01", ""))}, nil},
	} {
		c.q.Parties = append(c.q.Parties, identity.Organisation{Code: "ZK2", Kind: "CARE_OFFICE", Laws: []string{"WLZ"}}, identity.Organisation{Code: "ZV2", Kind: "INSURER", Laws: []string{"ZVW"}})
		require.Equal(t, c.want, coded(budget.Assemble(c.q, c.answers), "MOVE_FUNDER_CHANGE"), name)
	}
}

// TestAMoveNamesEverybodyAndEveryLine of municipalities and care offices.
func TestAMoveNamesEverybodyAndEveryLine(t *testing.T) {
	q := moved("2025-05-01")
	q.Persons[1].Residences = q.Persons[0].Residences
	b := budget.Assemble(q, []budget.Answer{
		says("P1", "GM1", pgb("WMO", "02", "2025-01-01", "2025-04-30"), pgb("WMO", "03", "2025-01-01", "2025-04-29")),
		says("P1", "GM2", pgb("WMO", "02", "2025-05-01", ""), pgb("WMO", "03", "2025-05-02", "")),
		says("P1", "ZV1", pgb("ZVW", "VV", "2025-01-01", "")),
		says("P2", "ZK1", pgb("WLZ", "830", "2025-01-01", "")),
	})
	var f *budgetv1.Finding
	for _, found := range b.GetFindings() {
		if found.GetCode() == "MOVE_FUNDER_CHANGE" {
			require.Nil(t, f, "once a day")
			f = found
		}
	}
	require.Empty(t, f.GetPerson(), "it is about two")
	require.Equal(t, []string{"P1", "P2"}, f.GetPersons())
	require.Equal(t, []string{"P1/WMO/02/2025-01-01", "P1/WMO/02/2025-05-01", "P2/WLZ/830/2025-01-01"}, f.GetLines())
}

func TestResidencesThatAreNoMove(t *testing.T) {
	for name, r := range map[string][]budget.Residence{
		"one":           {{Municipality: "0384"}},
		"the same":      {{Municipality: "0384"}, {Municipality: "0384", Span: span("2025-05-01", "2025-12-31")}},
		"not known":     {{Municipality: "0384"}, {Span: span("2025-05-01", "2025-12-31")}},
		"since forever": {{Municipality: "0384"}, {Municipality: "0193"}},
	} {
		q := small()
		q.Persons[0].Residences = r
		require.Empty(t, spoken(budget.Assemble(q, nil)), name)
	}
}

func TestContinuityLimit(t *testing.T) {
	history := says("P1", "GM1")
	history.Response.History = []*budgetv1.HistoryLine{past("JW", "45", "2024-01-01", "2024-12-31")}
	hidden := without(pgb("JW", "45", "2025-01-01", ""), func(l *budgetv1.BudgetLine) { l.Period = nil })
	for name, c := range map[string]struct {
		moved, born string
		answers     []budget.Answer
		want        []string
	}{
		"care on the eve":      {"2025-05-01", "2012-10-08", one(pgb("JW", "45", "2025-01-01", "2025-04-30")), []string{"CONTINUITY_LIMIT P1 2026-04-30"}},
		"granted on the day":   {"2025-05-01", "2012-10-08", one(zin("JW", "54", "2025-05-01", "")), []string{"CONTINUITY_LIMIT P1 2026-04-30"}},
		"granted later":        {"2025-05-01", "2012-10-08", one(pgb("JW", "45", "2025-07-01", "")), nil},
		"ended before":         {"2025-05-01", "2012-10-08", one(pgb("JW", "45", "2025-01-01", "2025-04-29")), nil},
		"a year before":        {"2024-01-02", "2012-10-08", one(pgb("JW", "45", "2023-01-01", "")), []string{"CONTINUITY_LIMIT P1 2025-01-01"}},
		"more than that":       {"2024-01-01", "2012-10-08", one(pgb("JW", "45", "2023-01-01", "")), nil},
		"out of history":       {"2024-06-01", "2012-10-08", []budget.Answer{history}, nil},
		"after the window":     {"2026-01-01", "2012-10-08", one(pgb("JW", "45", "2025-01-01", "")), nil},
		"a leap day":           {"2024-02-29", "2012-10-08", one(pgb("JW", "45", "2024-01-01", "")), []string{"CONTINUITY_LIMIT P1 2025-02-28"}},
		"of age":               {"2025-05-01", "2007-05-01", one(pgb("JW", "45", "2025-01-01", "")), nil},
		"an age nobody knows":  {"2025-05-01", "", one(pgb("JW", "45", "2025-01-01", "")), []string{"CONTINUITY_LIMIT P1 2026-04-30"}},
		"other care":           {"2025-05-01", "2012-10-08", one(pgb("WMO", "02", "2025-01-01", "")), nil},
		"somebody else's care": {"2025-05-01", "2012-10-08", []budget.Answer{says("P2", "GM1", pgb("JW", "45", "2025-01-01", ""))}, nil},
		"with stay":            {"2025-05-01", "2012-10-08", one(zin("JW", "44", "2025-01-01", "")), nil},
		"foster care":          {"2025-05-01", "2012-10-08", one(zin("JW", "35", "2025-01-01", ""), zin("JW", "38", "2025-01-01", ""), zin("JW", "43", "2025-01-01", "")), nil},
		"with stay and without": {"2025-05-01", "2012-10-08", one(zin("JW", "44", "2025-01-01", ""), pgb("JW", "45", "2025-01-01", "")),
			[]string{"CONTINUITY_LIMIT P1 2026-04-30"}},
		"a product that is hidden": {"2025-05-01", "2012-10-08", one(pgb("JW", "", "2025-01-01", "")), nil},
		"hidden days":              {"2025-05-01", "2012-10-08", one(hidden), nil},
	} {
		q := moved(c.moved)
		if c.born != "" {
			q.Persons[0].Born = civil.MustParse(c.born)
		}
		require.Equal(t, c.want, coded(budget.Assemble(q, c.answers), "CONTINUITY_LIMIT"), name)
	}
}
