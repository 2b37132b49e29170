// Package budget answers: what do the answers of all sources add up to? It is
// pure: no clock, no I/O and no order of its own. The same request with the
// same answers, in whatever order they came in, gives the same budget.
package budget

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// contract names the shape of the result.
const contract = "ontschot.budget/1"

// Request is what was asked, as far as the arithmetic needs to know.
type Request struct {
	Purpose    string     // purpose code, copied to the budget
	Window     civil.Span // both ends inclusive; the budget is drawn up for it
	Today      civil.Date // the civil date in Europe/Amsterdam
	TodayIsSet bool       // true when that date was set by hand (development only)
	Requester  string     // party code
	// Parties are those the gateway knows; their laws make the columns of the
	// matrix as far as they were asked about anybody.
	Parties identity.Directory
	// Persons in the order in which the matrix shows them.
	Persons        []Person
	PolicyRevision string
	// LegalBasis for pooling that is in force for the requester on Today, as the
	// gateway found it; nil: none. It is copied to the budget and moves no cent.
	LegalBasis *budgetv1.LegalBasis
	Text       Texts // nil leaves the texts of gaps and findings empty
}

// Person is a member of the household.
type Person struct {
	Ref        identity.PersonRef
	Born       civil.Date // no date: nothing is concluded from age
	Residences []Residence
}

// Residence is a municipality (CBS code, four digits) over a period.
type Residence struct {
	Municipality string
	Span         civil.Span
}

// Answer is what became of asking one source about one person.
type Answer struct {
	Person    identity.PersonRef
	Source    string // party code
	Consent   string // id of the consent it rests on
	Agreement string // id of the agreement it rests on
	// ConsentUntil is the last day of that consent, and ConsentLapses the birthday
	// (LapsesAt: the 12th, 16th or 18th; 0 none) from which it holds no longer and
	// others must sign. No date: nothing is said about it.
	ConsentUntil, ConsentLapses civil.Date
	LapsesAt                    int
	Elapsed                     time.Duration
	// Response is nil when the whole source is a gap.
	Response *budgetv1.FetchResponse
	// Gaps holds one gap for the whole source, or beside a response those of
	// laws and categories that are missing from it. Person and source are
	// filled in here.
	Gaps []*budgetv1.Gap
	// Laws that were asked and granted; empty beside a response means all laws
	// of the source.
	Laws []string
}

// Texts words gaps and findings. lang is "nl" or "en"; params holds what a text may
// mention: person, source (its name), law, category, number (the name of the identifier
// that the source goes by) and code of a gap; person, source, law, product, label, line,
// from, to, days, date and code (budgetv1.FindingDetail) of a finding. The code can select
// a text. One that is about several people has no person: its text names none. It is
// called from the goroutine that assembles and must not fail: no text is "". Way words what
// can be done for the reader that it names, with the same params, and "party CODE" for the
// name of each party; Gap then is told so by a param way, and says only what is missing.
// Article is where a code of the policy rests on.
type Texts interface {
	Gap(reason, lang string, params map[string]string) string
	Way(way []*budgetv1.WayToYes, reader, lang string, params map[string]string) string
	Article(code string) string
	Finding(code, lang string, params map[string]string) string
}

// Assemble draws up the budget. It is total: whatever a source sends, it gives
// a budget, never an error, and it changes neither the request nor the
// answers. What cannot be valued has no value_cents and is named in the gaps
// unless it was withheld.
//
// The care total, income, ring-fenced and contested money are always present,
// as granted: a contested line counts in every total. Spending and own
// contributions count in none; spending.go and contribution.go say when
// their figures are present.
func Assemble(q Request, answers []Answer) *budgetv1.Budget {
	v := look(q, answers)
	b := &budgetv1.Budget{
		Contract:             contract,
		Purpose:              q.Purpose,
		Window:               &budgetv1.Window{From: q.Window.From.String(), To: q.Window.To.String()},
		Today:                q.Today.String(),
		TodayIsSet:           q.TodayIsSet,
		Requester:            q.Requester,
		PolicyRevision:       q.PolicyRevision,
		LegalBasis:           proto.CloneOf(q.LegalBasis),
		Lines:                v.messages(),
		OwnContributionCents: v.contributions.total,
		CarryOverCents:       v.carryOver(),
		SpentCents:           v.spending.byLine,
		SpentAsOf:            v.spending.asOf,
		RemainingCents:       v.remaining(),
		Matrix:               v.matrix(),
		Findings:             v.findings(),
		Gaps:                 v.gaps,
		Complete:             len(v.gaps) == 0,
		Sources:              v.reports(),
	}
	v.sum(b)
	return b
}

// sum draws up every total of the lines.
func (v *view) sum(b *budgetv1.Budget) {
	b.Totals = v.totals()
	of, contested := b.Totals.ByFungibility, v.contested()
	b.CareTotalCents, b.IncomeCents, b.RingfencedCents = new(of[budgetv1.MoneyPoolable]), new(of[budgetv1.MoneyIncome]), new(of[budgetv1.MoneyRingfenced])
	b.ContestedCents, b.UncontestedCareTotalCents = new(contested.all), new(of[budgetv1.MoneyPoolable]-contested.care)
}
