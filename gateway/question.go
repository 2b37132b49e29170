package gateway

import (
	"errors"
	"fmt"
	"slices"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// maxMonths bounds the window; maxSources the sources of one question.
const (
	maxMonths  = 60
	maxSources = 16
)

// question is a request that is well formed. The numbers of the persons have been
// lifted out of the message into types that do not print.
type question struct {
	purpose string
	window  civil.Span
	persons []person
	asks    []ask
}

type person struct {
	ref         identity.PersonRef
	identifiers identifiers
	budget      budget.Person
}

type identifiers struct {
	bsn                  identity.BSN
	education, transport string
}

// ask is one person at one source.
type ask struct {
	person *person
	source Party
}

// violation is what is wrong with which field. It never repeats the value.
type violation struct{ field, what string }

func (v *violation) Error() string { return v.field + ": " + v.what }

func invalid(field, format string, args ...any) error {
	return &violation{field, fmt.Sprintf(format, args...)}
}

// takeBSN reads the BSN of the one person that a request is about, and takes the
// identifiers out of it: what is printed by mistake afterwards gives nothing away.
func takeBSN(from **budgetv1.Identifiers) (identity.BSN, error) {
	bsn, err := identity.ParseBSN((*from).GetBsn())
	*from = nil
	if err != nil {
		return bsn, invalid("identifiers.bsn", "is no BSN: nine digits that pass the 11-check")
	}
	return bsn, nil
}

// read checks a request and lifts the identifiers out of it; afterwards the
// message holds none, so that printing it by mistake gives nothing away.
func (g *Gateway) read(req *ontschotv1.AssembleBudgetRequest) (question, error) {
	if err := g.wellFormed(req); err != nil {
		return question{}, err
	}
	window, err := readWindow(req.GetWindow())
	if err != nil {
		return question{}, err
	}
	q := question{purpose: req.GetPurpose(), window: window}
	for i, p := range req.GetPersons() {
		one, err := readPerson(fmt.Sprintf("persons[%d]", i), p)
		if err != nil {
			return question{}, err
		}
		if slices.ContainsFunc(q.persons, func(o person) bool { return o.ref == one.ref || o.identifiers.bsn == one.identifiers.bsn }) {
			return question{}, invalid(fmt.Sprintf("persons[%d]", i), "stands there twice")
		}
		q.persons = append(q.persons, one)
	}
	return q, g.readAsks(&q, req.GetAsks())
}

// wellFormed runs the rules of the proto file. Its own message is not passed on:
// it may repeat a value.
func (g *Gateway) wellFormed(req proto.Message) error {
	err := g.validate.Validate(req)
	var bad *protovalidate.ValidationError
	if errors.As(err, &bad) && len(bad.Violations) > 0 {
		v := bad.Violations[0].Proto
		return invalid(protovalidate.FieldPathString(v.GetField()), "breaks the rule %s", v.GetRuleId())
	}
	if err != nil {
		return err
	}
	return showable(req)
}

func readWindow(w *budgetv1.Window) (civil.Span, error) {
	from, errFrom := civil.Parse(w.GetFrom())
	to, errTo := civil.Parse(w.GetTo())
	switch {
	case errFrom != nil:
		return civil.Span{}, invalid("window.from", "is no civil date, YYYY-MM-DD")
	case errTo != nil:
		return civil.Span{}, invalid("window.to", "is no civil date, YYYY-MM-DD")
	case to < from:
		return civil.Span{}, invalid("window.to", "lies before window.from")
	case to >= from.AddMonths(maxMonths):
		return civil.Span{}, invalid("window", "is longer than %d months", maxMonths)
	}
	return civil.Span{From: from, To: to}, nil
}

func readPerson(path string, p *ontschotv1.Person) (person, error) {
	ids := p.GetIdentifiers()
	p.Identifiers = nil
	bsn, err := identity.ParseBSN(ids.GetBsn())
	if err != nil {
		return person{}, invalid(path+".identifiers.bsn", "is no BSN: nine digits that pass the 11-check")
	}
	one := person{
		ref:         identity.PersonRef(p.GetRef()),
		identifiers: identifiers{bsn, ids.GetEducationNumber(), ids.GetPassNumber()},
	}
	one.budget.Ref = one.ref
	if one.budget.Born, err = optionalDate(path+".born", p.GetBorn()); err != nil {
		return person{}, err
	}
	for i, r := range p.GetResidences() {
		at := fmt.Sprintf("%s.residences[%d]", path, i)
		from, err := optionalDate(at+".from", r.GetFrom())
		if err != nil {
			return person{}, err
		}
		to, err := optionalDate(at+".to", r.GetTo())
		if err != nil {
			return person{}, err
		}
		one.budget.Residences = append(one.budget.Residences, budget.Residence{Municipality: r.GetMunicipality(), Span: civil.Span{From: from, To: to}})
	}
	return one, nil
}

func optionalDate(path, s string) (civil.Date, error) {
	if s == "" {
		return 0, nil
	}
	d, err := civil.Parse(s)
	if err != nil {
		return 0, invalid(path, "is no civil date, YYYY-MM-DD")
	}
	return d, nil
}

func (g *Gateway) readAsks(q *question, asks []*ontschotv1.Ask) error {
	seen := map[[2]string]bool{}
	sources := map[string]bool{}
	for i, a := range asks {
		at := slices.IndexFunc(q.persons, func(p person) bool { return string(p.ref) == a.GetPerson() })
		if at < 0 {
			return invalid(fmt.Sprintf("asks[%d].person", i), "is none of the persons")
		}
		source, ok := g.party(a.GetSource())
		if !ok {
			return invalid(fmt.Sprintf("asks[%d].source", i), "is no party this gateway knows")
		}
		pair := [2]string{a.GetPerson(), a.GetSource()}
		if seen[pair] {
			return invalid(fmt.Sprintf("asks[%d]", i), "stands there twice")
		}
		seen[pair], sources[source.Code] = true, true
		if len(sources) > maxSources {
			return invalid("asks", "names more than %d sources", maxSources)
		}
		q.asks = append(q.asks, ask{&q.persons[at], source})
	}
	return nil
}
