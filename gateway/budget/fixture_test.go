package budget_test

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// fixture reads the records of a case in the way that adapters do, as far as
// the arithmetic needs them: it is no second adapter, and knows these cases.
type fixture struct {
	t      require.TestingT
	c      *casefile.Case
	party  string
	member casefile.Member
	lines  []*budgetv1.BudgetLine
}

// request is the request of a case.
func request(c *casefile.Case) budget.Request {
	q := budget.Request{
		Purpose: c.Purpose, Window: c.Window.Span(), Today: c.Today.Date, TodayIsSet: true,
		Requester: c.Requester, PolicyRevision: "test",
	}
	for _, p := range c.Parties {
		q.Parties = append(q.Parties, identity.Organisation{Code: p.Code, Kind: p.Kind, Laws: p.Laws})
	}
	for _, m := range c.Household {
		p := budget.Person{Ref: m.Ref, Born: m.Born.Date}
		for _, r := range m.Municipality {
			p.Residences = append(p.Residences, budget.Residence{
				Municipality: r.Code, Span: civil.Span{From: r.From.Date, To: r.To.Date},
			})
		}
		q.Persons = append(q.Persons, p)
	}
	return q
}

// answers are those of all sources; a pair without a consent is a gap.
func answers(t require.TestingT, c *casefile.Case) []budget.Answer {
	var all []budget.Answer
	for _, pair := range c.Pairs() {
		party, _ := c.Party(pair.Source)
		member, _ := c.Member(pair.Person)
		a := budget.Answer{
			Person: pair.Person, Source: pair.Source, Elapsed: 7 * time.Millisecond,
			Consent: "consent-" + string(pair.Person), Agreement: "agreement-" + pair.Source,
		}
		switch {
		case slices.Contains(c.Ask[string(pair.Person)], pair.Source):
			a.Gaps = []*budgetv1.Gap{{Reason: budgetv1.ReasonNoConsent}}
		default:
			a.Laws = party.Laws
			a.Response = (&fixture{t: t, c: c, party: pair.Source, member: member}).response()
		}
		all = append(all, a)
	}
	return all
}

func (f *fixture) response() *budgetv1.FetchResponse {
	f.awards()
	f.decisions()
	f.inKind("wmo301", "WMO")
	f.inKind("jw301", "JW")
	f.suwi()
	f.zvw()
	f.education()
	f.valys()
	out := &budgetv1.FetchResponse{Adapter: "fixture", Version: "1", AsOfMs: 1750000000000}
	for _, l := range f.lines {
		if end := l.GetPeriod().GetEnd(); end != "" && end < f.c.Window.From.String() {
			out.History = append(out.History, &budgetv1.HistoryLine{Law: l.Law, Product: l.Product, Period: l.Period})
			continue
		}
		out.Lines = append(out.Lines, l)
	}
	out.Spends, out.OwnContributions = f.payments(), f.contributions()
	return out
}

// read decodes the records of a kind that the party holds.
func (f *fixture) read(kind string, into any) {
	raw, ok := f.c.Records[f.party][kind]
	if ok {
		require.NoError(f.t, json.Unmarshal(raw, into))
	}
}

// add adds a line, or merges it with the other record of the same right.
func (f *fixture) add(recordType, recordID string, l *budgetv1.BudgetLine) {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(l)
	require.NoError(f.t, err)
	hash := sha256.Sum256(append(raw, recordType+recordID...))
	l.Funder = f.party
	l.Provenance = []*budgetv1.Provenance{{
		Source: f.party, Adapter: "fixture", RecordType: recordType, RecordId: recordID, Sha256: hash[:],
	}}
	for _, other := range f.lines {
		award := len(other.Provenance) == 1 && other.Provenance[0].RecordType == "award"
		if recordType == "case_system" && award && l.Law == other.Law &&
			l.Product.Code == other.Product.Code && l.Period.Start == other.Period.Start {
			other.Quantity = l.Quantity
			other.Decision.Number = l.Decision.GetNumber()
			other.Provenance = append(other.Provenance, l.Provenance...)
			return
		}
	}
	f.lines = append(f.lines, l)
}

func right(law, form, fungibility, system, code, start, end string) *budgetv1.BudgetLine {
	l := &budgetv1.BudgetLine{
		Law: law, Kind: "ENTITLEMENT", DeliveryForm: form, Fungibility: fungibility,
		Product: &budgetv1.Product{System: system, Code: code},
		Period:  &budgetv1.Period{Start: start},
	}
	if end != "" {
		l.Period.End = &end
	}
	return l
}

func amount(cents int64, basis string) *budgetv1.Amount {
	return &budgetv1.Amount{Cents: cents, Basis: basis}
}
