package budget_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// withdrawn is an answer that may not be released any more.
func withdrawn(person identity.PersonRef, source string) budget.Left {
	return budget.Left{Person: person, Source: source, Gap: &budgetv1.Gap{Reason: budgetv1.ReasonConsentWithdrawn, Code: "TOEST-02"}}
}

// refused are the answers of a request in which those that are left out were refused.
func refused(given []budget.Answer, left []budget.Left) []budget.Answer {
	out := slices.Clone(given)
	for i, a := range out {
		for _, l := range left {
			if l.Person == a.Person && l.Source == a.Source {
				out[i] = budget.Answer{Person: a.Person, Source: a.Source, Gaps: []*budgetv1.Gap{l.Gap}}
			}
		}
	}
	return out
}

// drawnAnew are the codes of findings that follow from lines alone.
func drawnAnew() []string {
	return []string{
		"DUP_DELIVERY", "DUP_FUNDER", "DUP_NEED", "PRIORITY_LAW_OVERLAP", "SAME_RECORD",
		"LINE_CROSSES_WINDOW", "PARTIAL", "OVERSPENT", "LEGAL_BASIS_ENDS",
	}
}

// requireAsAsked: what is left of a budget is what a request with the same gaps gives,
// but for what Without says that it cannot know.
func requireAsAsked(t require.TestingT, q budget.Request, given []budget.Answer, left []budget.Left) *budgetv1.Budget {
	whole := budget.Assemble(q, given)
	before := proto.CloneOf(whole)
	got, want := budget.Without(whole, left, q.Parties, q.Text), budget.Assemble(q, refused(given, left))
	require.True(t, proto.Equal(before, whole), "the budget is not changed")
	requireSound(t, got)
	if len(left) > 0 { // a copy has no empty maps
		requireMatrixAgrees(t, got)
	}
	found := slices.Clone(got.GetFindings())

	numbered := slices.ContainsFunc(ids(whole), func(id string) bool { return strings.Contains(id, "#") })
	for _, b := range []*budgetv1.Budget{got, want} {
		for id := range b.GetSpentCents() { // figures without a line: those of lines that are left out go with them
			if !slices.Contains(ids(b), id) {
				delete(b.SpentCents, id)
				delete(b.SpentAsOf, id)
			}
		}
		if numbered { // a line has the id it had
			b.Lines, b.Matrix, b.CarryOverCents, b.SpentCents, b.SpentAsOf, b.RemainingCents = nil, nil, nil, nil, nil, nil
		}
	}
	if !numbered {
		for _, f := range found {
			if f.GetCode() != budgetv1.FindingMoveFunderChange {
				require.True(t, slices.ContainsFunc(want.GetFindings(), func(w *budgetv1.Finding) bool { return proto.Equal(f, w) }), "%v", f)
			}
		}
		for _, f := range want.GetFindings() {
			if slices.Contains(drawnAnew(), f.GetCode()) {
				require.True(t, slices.ContainsFunc(found, func(g *budgetv1.Finding) bool { return proto.Equal(f, g) }), "%v", f)
			}
		}
	}
	got.Findings, want.Findings = nil, nil
	requireSame(t, want, got)
	return budget.Without(whole, left, q.Parties, q.Text)
}

// requireNothingOf: of an answer that is left out nothing stands anywhere but that it is
// missing.
func requireNothingOf(t require.TestingT, whole, got *budgetv1.Budget, left []budget.Left) {
	bare := proto.CloneOf(got)
	bare.Matrix = nil // the lines of its cells are those of the budget: requireMatrixAgrees
	bare.Gaps = nil
	text := protojson.Format(bare)
	for _, l := range left {
		for _, m := range whole.GetLines() {
			if m.GetPerson() == string(l.Person) && m.GetFunder() == l.Source {
				require.NotContains(t, text, fmt.Sprintf("%q", m.GetId()))
			}
		}
		gaps := slices.DeleteFunc(slices.Clone(got.GetGaps()), func(g *budgetv1.Gap) bool {
			return g.GetPerson() != string(l.Person) || g.GetSource() != l.Source
		})
		require.Len(t, gaps, 1)
		require.Equal(t, budgetv1.ReasonConsentWithdrawn, gaps[0].GetReason())
		for _, s := range got.GetSources() {
			if s.GetPerson() == string(l.Person) && s.GetSource() == l.Source {
				require.True(t, proto.Equal(&budgetv1.SourceReport{Person: s.GetPerson(), Source: s.GetSource(), Status: budgetv1.ReasonConsentWithdrawn}, s))
			}
		}
	}
	// Of somebody of whom nothing is left, the reference stands at what is missing only.
	for _, p := range whole.GetMatrix() {
		answered, gone := 0, 0
		for _, s := range whole.GetSources() {
			if s.GetPerson() == p.GetPerson() && s.GetStatus() == "OK" {
				answered++
			}
		}
		for _, l := range left {
			if string(l.Person) == p.GetPerson() {
				gone++
			}
		}
		if gone > 0 && gone == answered {
			bare.Sources = slices.DeleteFunc(bare.Sources, func(s *budgetv1.SourceReport) bool { return s.GetPerson() == p.GetPerson() })
			text := protojson.Format(bare)
			require.NotContains(t, text, `"`+p.GetPerson()+`"`)
			require.NotContains(t, text, `"`+p.GetPerson()+"/")
			for _, row := range got.GetMatrix() {
				for _, c := range row.GetCells() {
					if row.GetPerson() == p.GetPerson() {
						require.True(t, proto.Equal(&budgetv1.MatrixCell{Law: c.GetLaw(), Status: c.GetStatus()}, c))
					}
				}
			}
		}
	}
}

// lawful are answers in which a source sends its own laws only, which is all that the
// gateway lets pass.
func lawful(q budget.Request, given []budget.Answer) []budget.Answer {
	for _, a := range given {
		foreign := func(law string) bool {
			return law != "" && !slices.ContainsFunc(q.Parties, func(p identity.Organisation) bool { return p.Code == a.Source && slices.Contains(p.Laws, law) })
		}
		if r := a.Response; r != nil {
			r.Lines = slices.DeleteFunc(r.Lines, func(l *budgetv1.BudgetLine) bool { return foreign(l.GetLaw()) })
			r.History = slices.DeleteFunc(r.History, func(l *budgetv1.HistoryLine) bool { return foreign(l.GetLaw()) })
			r.Notices = slices.DeleteFunc(r.Notices, func(n *budgetv1.Notice) bool { return foreign(n.GetLaw()) })
		}
	}
	return given
}

func TestWhatIsLeftIsWhatARequestWithTheseGapsGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := small()
		given := lawful(q, drawAnswers(t))
		q.Window = drawWindow(t)
		if q.Window.To < q.Window.From {
			return
		}
		var left []budget.Left
		for _, a := range given {
			if a.Response != nil && rapid.Bool().Draw(t, "ends") {
				left = append(left, withdrawn(a.Person, a.Source))
			}
		}
		got := requireAsAsked(t, q, given, left)
		if len(left) > 0 {
			requireNothingOf(t, budget.Assemble(q, given), got, left)
		}
	})
}

// The cases that come with the program: every pair by itself, every member, every source,
// and all.
func TestEveryPartOfACaseCanBeLeftOut(t *testing.T) {
	for _, name := range casefile.Names() {
		c, err := casefile.Open(name)
		require.NoError(t, err)
		q, given := request(c), answers(t, c)
		groups := map[string][]budget.Left{}
		for _, a := range given {
			if a.Response == nil {
				continue
			}
			for _, of := range []string{"all", "member " + string(a.Person), "source " + a.Source, "pair " + string(a.Person) + " " + a.Source} {
				groups[of] = append(groups[of], withdrawn(a.Person, a.Source))
			}
		}
		for _, of := range slices.Sorted(maps.Keys(groups)) {
			t.Run(name+"/"+of, func(t *testing.T) {
				got := requireAsAsked(t, q, given, groups[of])
				requireNothingOf(t, budget.Assemble(q, given), got, groups[of])
			})
		}
	}
}

// A projection of a projection is that of both, and what is left out of a view is what a
// view of what is left shows.
func TestLeavingOutGoesWithItselfAndWithViews(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		given, q := drawAnswers(t), small()
		whole := budget.Assemble(q, given)
		var one, both []budget.Left
		for _, a := range given {
			if a.Response == nil || rapid.Bool().Draw(t, "stays") {
				continue
			}
			both = append(both, withdrawn(a.Person, a.Source))
			if rapid.Bool().Draw(t, "first") {
				one = append(one, withdrawn(a.Person, a.Source))
			}
		}
		rest := slices.DeleteFunc(slices.Clone(both), func(l budget.Left) bool {
			return slices.ContainsFunc(one, func(o budget.Left) bool { return o.Person == l.Person && o.Source == l.Source })
		})
		twice := budget.Without(budget.Without(whole, one, q.Parties, nil), rest, q.Parties, nil)
		once := budget.Without(whole, both, q.Parties, nil)
		requireSame(t, once, twice)

		for _, member := range []identity.PersonRef{"P1", "P2"} {
			own := slices.DeleteFunc(slices.Clone(both), func(l budget.Left) bool { return l.Person != member })
			first, ok := budget.View(once, member)
			if !ok {
				continue
			}
			view, _ := budget.View(whole, member)
			second := budget.Without(view, own, q.Parties, nil)
			if len(own) == 0 {
				requireSame(t, view, second)
			}
			require.True(t, proto.Equal(first.GetTotals(), second.GetTotals()))
			require.Equal(t, ids(first), ids(second))
			requireSame(t, &budgetv1.Budget{Gaps: first.GetGaps(), Complete: first.GetComplete(), Sources: first.GetSources()},
				&budgetv1.Budget{Gaps: second.GetGaps(), Complete: second.GetComplete(), Sources: second.GetSources()})
			require.Equal(t, first.OwnContributionCents, second.OwnContributionCents)
		}
	})
}

// Findings that cannot be drawn up anew: each stands where it rests on nothing that is
// left out.
func TestFindingsThatRestOnMoreThanTheBudget(t *testing.T) {
	q := moved("2025-05-01")
	q.Persons[0].Born = q.Today - 18*365 // 18 in the window
	q.Persons[1].Residences = q.Persons[0].Residences
	q.Parties = append(q.Parties, identity.Organisation{Code: "ZK2", Kind: "CARE_OFFICE", Laws: []string{"WLZ"}})
	history := says("P1", "GM1", pgb("WMO", "02", "2025-03-01", "2025-04-30"), pgb("JW", "45", "2025-01-01", "2025-08-31"))
	history.Response.History = []*budgetv1.HistoryLine{{Law: "WMO", Product: &budgetv1.Product{Code: "02"}, Period: period("2024-06-01", "2024-12-31")}}
	history.Response.Notices = []*budgetv1.Notice{{Code: "CONFLICT", Law: "JW"}}
	history.ConsentUntil = q.Today + 5
	given := []budget.Answer{
		history, says("P1", "GM2", pgb("WMO", "02", "2025-05-01", "")), says("P1", "UWV"),
		says("P2", "ZK1", pgb("WLZ", "830", "2025-01-01", "2025-04-30")), says("P2", "ZK2", pgb("WLZ", "804", "2025-05-01", "")),
	}
	whole := budget.Assemble(q, given)
	look := func(left ...budget.Left) []string {
		return spokenOf(requireAsAsked(t, q, given, left))
	}
	all := spokenOf(whole)
	for _, code := range []string{"MOVE_FUNDER_CHANGE P1+P2", "CONTINUITY_LIMIT P1", "GAP P1", "CONFLICT P1", "TRANSITION_18 P1", "CONSENT_EXPIRES P1", "INDICATION_ENDS P1"} {
		require.Contains(t, all, code)
	}
	without := func(codes ...string) []string {
		return append(slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(codes, s) }), "PARTIAL ")
	}
	require.ElementsMatch(t, without("CONFLICT P1", "CONTINUITY_LIMIT P1", "GAP P1", "INDICATION_ENDS P1", "CONSENT_EXPIRES P1", "MOVE_FUNDER_CHANGE P1+P2"),
		slices.DeleteFunc(look(withdrawn("P1", "GM1")), func(s string) bool { return s == "MOVE_FUNDER_CHANGE P2" }))
	require.Contains(t, look(withdrawn("P1", "GM1")), "MOVE_FUNDER_CHANGE P2")
	require.ElementsMatch(t, without("CONSENT_EXPIRES P1"), look(withdrawn("P1", "UWV")), "of which consent the budget does not tell")
	require.ElementsMatch(t, append(without("MOVE_FUNDER_CHANGE P1+P2"), "MOVE_FUNDER_CHANGE P1"), look(withdrawn("P2", "ZK2")))
	nothing := look(withdrawn("P1", "GM1"), withdrawn("P1", "GM2"), withdrawn("P1", "UWV"))
	require.ElementsMatch(t, []string{"PARTIAL ", "MOVE_FUNDER_CHANGE P2"}, nothing, "and no birthday of P1")
}

func spokenOf(b *budgetv1.Budget) []string {
	var out []string
	for _, f := range b.GetFindings() {
		out = append(out, f.GetCode()+" "+strings.Join(f.GetPersons(), "+"))
	}
	return slices.Compact(slices.Sorted(slices.Values(out)))
}

// worded is what selects a text.
type worded struct{ echo }

func (worded) Gap(reason, _ string, p map[string]string) string {
	return reason + "/" + p["code"] + "/" + p["number"]
}

// A detail selects the text of a gap and stands nowhere else; without one the code does,
// and the number is the one that the source goes by.
func TestADetailSelectsTheTextOfAGap(t *testing.T) {
	q := small()
	q.Parties, q.Text = append(q.Parties, identity.Organisation{Code: "SWV", Kind: budgetv1.KindEducation, Laws: []string{"EDU"}}), worded{}
	missing := silent("P1", "SWV", budgetv1.ReasonSourceUnavailable)
	missing.Gaps[0].Code = budgetv1.GapNumberMissing
	b := budget.Assemble(q, []budget.Answer{missing, says("P1", "GM1", pgb("WMO", "02", "2025-01-01", "2025-12-31"))})
	require.Equal(t, "SOURCE_UNAVAILABLE/NUMBER_MISSING/education_number", b.GetGaps()[0].GetTextNl())

	left := withdrawn("P1", "GM1")
	for detail, text := range map[string]string{budgetv1.GapConsentChanged: "CONSENT_WITHDRAWN/CONSENT_CHANGED/bsn", "": "CONSENT_WITHDRAWN/TOEST-02/bsn"} {
		left.Detail = detail
		gaps := budget.Without(b, []budget.Left{left}, q.Parties, q.Text).GetGaps()
		require.Len(t, gaps, 2)
		require.Equal(t, []string{text, text, "TOEST-02"}, []string{gaps[0].GetTextNl(), gaps[0].GetTextEn(), gaps[0].GetCode()})
		require.Equal(t, b.GetGaps()[0].GetTextNl(), gaps[1].GetTextNl(), "what was worded stays as it is")
		require.Empty(t, left.Gap.GetTextNl(), "the gap is not changed")
	}
}
