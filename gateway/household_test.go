package gateway_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// household is two people, P whose word will end and Q whose word stands, with their
// consents: P gave two.
type household struct {
	p, q                person
	care, money, others string // ids
}

func (h *house) household() household {
	h.t.Helper()
	f := household{q: h.person("Q")}
	f.others = h.give(f.q, "", all("ZK5503")...)
	return h.anew(f)
}

// anew is the household with another P, of whom nothing was said yet.
func (h *house) anew(f household) household {
	h.t.Helper()
	f.p = h.person("P")
	f.care = h.give(f.p, "", all("GM0119", "SVB", "CAK")...)
	f.money = h.give(f.p, "", all("ZK5503")...)
	return f
}

// pairs is who is asked about at which source.
func pairs() [][2]string {
	return [][2]string{{"P", "GM0119"}, {"P", "SVB"}, {"P", "CAK"}, {"P", "ZK5503"}, {"Q", "ZK5503"}}
}

func (h *house) about(f household) *ontschotv1.AssembleBudgetRequest {
	return h.request([]person{f.p, f.q}, pairs()...)
}

// disclosed lists what a source disclosed about a person: its lines, what was spent, what is paid.
func disclosed(b *budgetv1.Budget, pair [2]string) []string {
	var facts []string
	for _, l := range b.GetLines() {
		if l.GetPerson() == pair[0] && l.GetFunder() == pair[1] {
			facts = append(facts, fmt.Sprint(l.GetLaw(), l.GetProduct().GetCode(), l.GetAmount().GetCents(), l.GetIncome().GetCents(), l.GetValueCents()))
		}
	}
	for id, cents := range b.GetSpentCents() {
		if pair[1] == "SVB" && strings.HasPrefix(id, pair[0]+"/") {
			facts = append(facts, fmt.Sprint("spent ", cents))
		}
	}
	for _, row := range b.GetMatrix() {
		for _, c := range row.GetCells() {
			if pair[1] == "CAK" && row.GetPerson() == pair[0] && c.OwnContributionCents != nil {
				facts = append(facts, fmt.Sprint("pays ", c.GetOwnContributionCents()))
			}
		}
	}
	slices.Sort(facts)
	return facts
}

// gapOf gives the reasons why a pair is missing from a budget.
func gapOf(b *budgetv1.Budget, pair [2]string) []string {
	var reasons []string
	for _, g := range b.GetGaps() {
		if g.GetPerson() == pair[0] && g.GetSource() == pair[1] {
			reasons = append(reasons, g.GetReason())
		}
	}
	return reasons
}

// bare is a budget without what differs from one request to the next that is the same.
func bare(b *budgetv1.Budget) *budgetv1.Budget {
	b = proto.CloneOf(b)
	b.Receipt, b.Signature = nil, ""
	for _, s := range b.GetSources() {
		s.ElapsedMs, s.Consent, s.Agreement = 0, "", ""
		if s.GetStatus() != "OK" {
			s.Adapter, s.Version, s.AsOfMs = "", "", 0
		}
	}
	for _, l := range b.GetLines() {
		for _, p := range l.GetProvenance() {
			p.Consent, p.Agreement = "", ""
		}
	}
	return b
}

func (h *house) equal(want, got *budgetv1.Budget, at string) {
	h.t.Helper()
	if proto.Equal(want, got) {
		return
	}
	a, _ := protojson.Marshal(want)
	b, _ := protojson.Marshal(got)
	require.JSONEq(h.t, string(a), string(b), at)
}

// person of a household; nobody else has the number.
type person struct{ ref, bsn, born string }

func (h *house) person(ref string) person {
	return person{ref: ref, bsn: bsn(h.people.Add(1)), born: "1980-03-01"}
}

// bsn gives the n-th number of nine digits that passes the 11-check, from a range
// that belongs to nobody.
func bsn(n int64) string {
	for base := int64(99950000); ; base++ {
		text, sum := fmt.Sprintf("%08d", base), 0
		for i := range 8 {
			sum += int(text[i]-'0') * (9 - i)
		}
		if sum%11 == 10 {
			continue
		}
		if n--; n <= 0 {
			return fmt.Sprintf("%s%d", text, sum%11)
		}
	}
}

func (p person) message() *ontschotv1.Person {
	return &ontschotv1.Person{Ref: p.ref, Identifiers: &budgetv1.Identifiers{Bsn: p.bsn}, Born: p.born}
}

// request asks about persons at sources, each pair written "P GM0119".
func (h *house) request(persons []person, pairs ...[2]string) *ontschotv1.AssembleBudgetRequest {
	w := h.family.Case.Window
	r := &ontschotv1.AssembleBudgetRequest{Purpose: h.family.Case.Purpose, Window: &budgetv1.Window{From: w.From.String(), To: w.To.String()}}
	for _, p := range persons {
		r.Persons = append(r.Persons, p.message())
	}
	for _, p := range pairs {
		r.Asks = append(r.Asks, &ontschotv1.Ask{Person: p[0], Source: p[1]})
	}
	return r
}

// all is a yes to each of the sources.
func all(sources ...string) []*ontschotv1.ConsentGrant {
	var grants []*ontschotv1.ConsentGrant
	for _, s := range sources {
		grants = append(grants, &ontschotv1.ConsentGrant{Source: s, Categories: []string{"*"}})
	}
	return grants
}

// yes is what a person says to a question, as the municipality's system presents it.
func (h *house) yes(p person, replaces string, grants ...*ontschotv1.ConsentGrant) *ontschotv1.GiveConsentRequest {
	h.t.Helper()
	q := &ontschotv1.ConsentQuestion{
		Person: p.message(), Purpose: h.family.Case.Purpose, Grants: grants, From: h.family.Case.Today.String(), Replaces: replaces,
	}
	notice, err := h.AskConsent(h.municipality().call(), &ontschotv1.AskConsentRequest{Question: proto.CloneOf(q)})
	require.NoError(h.t, err)
	return &ontschotv1.GiveConsentRequest{
		Question: q, NoticeSha256: notice.GetNotice().GetSha256Nl(),
		Signatures: []*ontschotv1.ConsentSignature{{Role: "self", Kind: "digid", Loa: "substantieel", Sha256: sha(p.bsn + "assertion")}},
	}
}

// give registers a consent and gives its id.
func (h *house) give(p person, replaces string, grants ...*ontschotv1.ConsentGrant) string {
	h.t.Helper()
	given, err := h.GiveConsent(h.municipality().call(), h.yes(p, replaces, grants...))
	require.NoError(h.t, err)
	return given.GetReceipt().GetId()
}

// withdraw ends a consent and gives the index of the entry.
func (h *house) withdraw(id string) int64 {
	h.t.Helper()
	answer, err := h.WithdrawConsent(h.municipality().call(), &ontschotv1.WithdrawConsentRequest{Id: id})
	require.NoError(h.t, err)
	return answer.GetIndex()
}
