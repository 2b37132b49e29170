package gateway

import (
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/evidence"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// maxSources bounds the sources of one request.
const maxSources = 16

// request is one that was read. The numbers of the persons have been taken out of the
// message, into types that do not print.
type request struct {
	purpose string
	window  civil.Span
	persons []person
	asks    []ask
}

type person struct {
	identifiers identifiers
	pseudonyms  [][]byte // for the purpose, the newest first
	budget.Person
}

// pseudonym stands for the person in everything that is written down or decided on.
func (p person) pseudonym() []byte { return p.pseudonyms[0] }

// subject is the person as evidence is looked for.
func (p person) subject() evidence.Subject {
	return evidence.Subject{BSN: p.identifiers.bsn, Born: p.Born, Pseudonyms: p.pseudonyms}
}

type identifiers struct {
	bsn                  identity.BSN
	education, transport string
}

// ask is one person at one source.
type ask struct {
	person *person
	source identity.Organisation
}

func (a ask) key() string { return string(a.person.Ref) + " " + a.source.Code }

// read reads a request that is well formed and takes the identifiers out of it; afterwards
// the message holds none, so that printing it by mistake gives nothing away.
func (g *Gateway) read(req *ontschotv1.AssembleBudgetRequest) (request, error) {
	window, err := admission.Window(req.GetWindow())
	if err != nil {
		return request{}, err
	}
	if ontschotv1.AsksNoSource(req.GetPurpose()) {
		return request{}, admission.ErrPurpose
	}
	q := request{purpose: req.GetPurpose(), window: window}
	for i, p := range req.GetPersons() {
		one, err := readPerson(fmt.Sprintf("persons[%d]", i), p)
		if err != nil {
			return request{}, err
		}
		if slices.ContainsFunc(q.persons, func(o person) bool { return o.Ref == one.Ref || o.identifiers.bsn == one.identifiers.bsn }) {
			return request{}, admission.Invalid(fmt.Sprintf("persons[%d]", i), "is listed twice")
		}
		one.pseudonyms = g.Pseudonyms.Of(one.identifiers.bsn, q.purpose)
		q.persons = append(q.persons, one)
	}
	return q, g.readAsks(&q, req.GetAsks())
}

func readPerson(path string, p *ontschotv1.Person) (person, error) {
	ids := p.GetIdentifiers()
	bsn, err := admission.TakeBSN(path+".identifiers", &p.Identifiers)
	if err != nil {
		return person{}, err
	}
	one := person{identifiers: identifiers{bsn, ids.GetEducationNumber(), ids.GetPassNumber()}, Person: budget.Person{Ref: identity.PersonRef(p.GetRef())}}
	if one.Born, err = admission.OptionalDate(path+".born", p.GetBorn()); err != nil {
		return person{}, err
	}
	for i, r := range p.GetResidences() {
		at := fmt.Sprintf("%s.residences[%d]", path, i)
		from, err := admission.OptionalDate(at+".from", r.GetFrom())
		if err != nil {
			return person{}, err
		}
		to, err := admission.OptionalDate(at+".to", r.GetTo())
		if err != nil {
			return person{}, err
		}
		one.Residences = append(one.Residences, budget.Residence{Municipality: r.GetMunicipality(), Span: civil.Span{From: from, To: to}})
	}
	return one, nil
}

func (g *Gateway) readAsks(q *request, asks []*ontschotv1.Ask) error {
	seen := map[[2]string]bool{}
	sources := map[string]bool{}
	for i, a := range asks {
		at := slices.IndexFunc(q.persons, func(p person) bool { return string(p.Ref) == a.GetPerson() })
		if at < 0 {
			return admission.Invalid(fmt.Sprintf("asks[%d].person", i), "is none of the persons")
		}
		source, ok := g.Organisations.ByCode(a.GetSource())
		if !ok {
			return admission.Invalid(fmt.Sprintf("asks[%d].source", i), "is no party this gateway knows")
		}
		pair := [2]string{a.GetPerson(), a.GetSource()}
		if seen[pair] {
			return admission.Invalid(fmt.Sprintf("asks[%d]", i), "is listed twice")
		}
		seen[pair], sources[source.Code] = true, true
		if len(sources) > maxSources {
			return admission.Invalid("asks", "names more than %d sources", maxSources)
		}
		q.asks = append(q.asks, ask{&q.persons[at], source})
	}
	return nil
}
