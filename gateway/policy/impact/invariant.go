package impact

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// What must hold of every revision, whatever it changes. A closed list.
const (
	ConsentCounts   = "consent_counts"   // nothing passes where a consent is needed and none counts
	AgreementCounts = "agreement_counts" // nothing passes between two organisations without an agreement that counts
	OverlaysNarrow  = "overlays_narrow"  // an overlay only takes away
	CellsReachable  = "cells_reachable"  // each category of each cell passes somebody, each door opens for somebody
	NothingBeside   = "nothing_beside"   // what is in no cell passes nobody
	DoorsClosed     = "doors_closed"     // a door without a cell opens for nobody
	CategoriesApart = "categories_apart" // each of several categories is decided for itself; by sample
)

// Invariants lists them.
func Invariants() []string {
	return []string{ConsentCounts, AgreementCounts, OverlaysNarrow, CellsReachable, NothingBeside, CategoriesApart, DoorsClosed}
}

// Invariant is whether one of them holds in the revision, over the whole domain.
type Invariant struct {
	Name   string   `json:"name"`
	Holds  bool     `json:"holds"`
	Broken []Broken `json:"broken,omitempty"`
}

// Broken is one place where an invariant does not hold: what it is about, and an input that
// shows it where there is one.
type Broken struct {
	What  string         `json:"what"`
	Input map[string]any `json:"input,omitempty"`
}

// maxBroken bounds how many places are named of one invariant.
const maxBroken = 20

func (i *Invariant) broken(what string, input map[string]any) {
	i.Holds = false
	if len(i.Broken) < maxBroken {
		i.Broken = append(i.Broken, Broken{what, input})
	}
}

// invariants tries them for the revision, not for its parent.
func (p *comparison) invariants() ([]Invariant, error) {
	if p.doors() {
		return p.doorInvariants()
	}
	consent, agreement, narrow := Invariant{ConsentCounts, true, nil}, Invariant{AgreementCounts, true, nil}, Invariant{OverlaysNarrow, true, nil}
	reach, beside := Invariant{CellsReachable, true, nil}, Invariant{NothingBeside, true, nil}
	p.agreements(&agreement)
	for _, purpose := range p.names(dimPurpose) {
		for _, kind := range p.names(dimKind) {
			empty := set(0)
			for _, law := range p.names(dimLaw) {
				cell := member(p.cores[1].Data, "matrix", purpose, "sources", kind, law)
				about := p.domain.whole()
				about[p.domain.at[dimPurpose]], about[p.domain.at[dimKind]], about[p.domain.at[dimLaw]] = p.domain.only(dimPurpose, purpose), p.domain.only(dimKind, kind), p.domain.only(dimLaw, law)
				if cell == nil {
					empty |= about[p.domain.at[dimLaw]]
					continue
				}
				name := strings.Join([]string{purpose, kind, law}, " ")
				p.cell(name, about, cell, &reach, &beside)
				if cell["consent"] != false || purpose == ontschotv1.PurposeComposeBudget {
					p.consents(name, about, &consent)
				}
			}
			about := p.domain.whole()
			about[p.domain.at[dimPurpose]], about[p.domain.at[dimKind]], about[p.domain.at[dimLaw]] = p.domain.only(dimPurpose, purpose), p.domain.only(dimKind, kind), empty
			p.never(&beside, purpose+" "+kind, about)
		}
	}
	err := p.narrows(&narrow, dimAsker, dimSource)
	return []Invariant{consent, agreement, narrow, reach, beside}, err
}

func (p *comparison) names(dim string) []string {
	var all []string
	for _, v := range p.domain.dims[p.domain.at[dim]].values {
		all = append(all, v.name)
	}
	return all
}

// allowed is a combination of a part of the domain that passes; nil when none does.
func (p *comparison) allowed(within box) []int {
	yes := p.session.intern(ast.Boolean(true))
	return p.find(p.answers[1].nodes[1], within, func(v int32) bool { return v == yes })
}

// never holds that nothing of a part of the domain passes.
func (p *comparison) never(i *Invariant, what string, within box) {
	for _, s := range within {
		if s == 0 {
			return
		}
	}
	if point := p.allowed(within); point != nil {
		i.broken(what, p.domain.document(point))
	}
}

// narrowed is a part of a part of the domain.
func (p *comparison) narrowed(b box, dim string, to set) box {
	b = slices.Clone(b)
	b[p.domain.at[dim]] &= to
	return b
}

// cell holds that each of its categories passes somebody, and no other category anybody.
func (p *comparison) cell(name string, about box, cell map[string]any, reach, beside *Invariant) {
	fields := keys(member(cell, "fields"))
	for _, category := range fields {
		if p.allowed(p.narrowed(about, dimCategory, p.domain.only(dimCategory, category))) == nil {
			reach.broken(name+" "+category, nil)
		}
	}
	p.never(beside, name, p.narrowed(about, dimCategory, ^p.domain.only(dimCategory, fields...)))
}

// consents holds that nothing passes on a consent that does not count.
func (p *comparison) consents(name string, about box, i *Invariant) {
	d := p.domain
	p.never(i, name+": "+missing, p.narrowed(about, dimConsent, d.only(dimConsent, missing)))
	about = p.narrowed(about, dimConsent, d.only(dimConsent, present, mandated))
	for dim, counts := range map[string][]string{
		dimStatus: {"active"}, dimSubject: {good}, dimPurposes: {good}, dimSources: {good}, dimConsentID: {good},
		dimDays: {"first_day", "within", "last_day"},
	} {
		p.never(i, name+": "+dim, p.narrowed(about, dim, ^d.only(dim, counts...)))
	}
	signers, proxies := []string{}, []string{}
	for who, entry := range member(p.cores[1].Data, "catalog", "signers") {
		if member(entry)["mandate"] == true {
			proxies = append(proxies, who)
		}
		signers = append(signers, who)
	}
	p.never(i, name+": "+dimSigner, p.narrowed(about, dimSigner, ^d.only(dimSigner, signers...)))
	proxy := p.narrowed(about, dimSigner, d.only(dimSigner, proxies...))
	p.never(i, name+": no mandate", p.narrowed(proxy, dimConsent, d.only(dimConsent, present)))
	proxy = p.narrowed(proxy, dimConsent, d.only(dimConsent, mandated))
	p.never(i, name+": "+dimScope, p.narrowed(proxy, dimScope, d.only(dimScope, other)))
	p.never(i, name+": "+dimMandate, p.narrowed(proxy, dimMandate, d.only(dimMandate, "over")))
}

// agreements holds that nothing passes on an agreement that does not count.
func (p *comparison) agreements(i *Invariant) {
	d, whole := p.domain, p.domain.whole()
	p.never(i, missing, p.narrowed(whole, dimAgreement, d.only(dimAgreement, missing)))
	there := p.narrowed(whole, dimAgreement, d.only(dimAgreement, present))
	for _, dim := range []string{dimProof, dimWindow, dimTerms, dimFields} {
		p.never(i, dim, p.narrowed(there, dim, ^d.dims[d.at[dim]].order))
	}
}

// doorInvariants are those of doors.
func (p *comparison) doorInvariants() ([]Invariant, error) {
	narrow, reach, closed := Invariant{OverlaysNarrow, true, nil}, Invariant{CellsReachable, true, nil}, Invariant{DoorsClosed, true, nil}
	cells := member(p.cores[1].Data, "catalog", "operations")
	for _, operation := range p.names(dimOperation) {
		about := p.narrowed(p.domain.whole(), dimOperation, p.domain.only(dimOperation, operation))
		if cells[operation] == nil {
			p.never(&closed, operation, about)
		} else if p.allowed(about) == nil {
			reach.broken(operation, nil)
		}
	}
	err := p.narrows(&narrow, dimOrganisation)
	return []Invariant{narrow, reach, closed}, err
}

// restrict is a function where one dimension has one value.
func (p *comparison) restrict(n node, level, value int) node {
	memo := map[node]node{}
	var down func(n node) node
	down = func(n node) node {
		if p.level(n) > level {
			return n
		}
		if p.level(n) == level {
			return p.at(n, level, value)
		}
		if known, ok := memo[n]; ok {
			return known
		}
		b := p.nodes[n]
		child := make([]node, len(b.child))
		for i := range child {
			child[i] = down(b.child[i])
		}
		out := p.make(b.level, child, p.domain.all(b.level))
		memo[n] = out
		return out
	}
	return down(n)
}

// narrows holds that with an overlay never more passes than without.
func (p *comparison) narrows(i *Invariant, dims ...string) error {
	for _, dim := range dims {
		level := p.domain.at[dim]
		plain := p.domain.only(dim, noOverlay).first()
		for value, v := range p.domain.dims[level].values {
			if value == plain || v.name == notThere {
				continue
			}
			point, err := p.wider(dim, level, value, plain)
			if err != nil {
				return err
			}
			if point != nil {
				point[level] = value
				i.broken(fmt.Sprintf("%s %s", dim, v.name), p.domain.document(point))
			}
		}
	}
	return nil
}

// wider finds a combination in which more passes with an overlay than without.
func (p *comparison) wider(dim string, level, value, plain int) ([]int, error) {
	var args []node
	a := p.answers[1]
	for _, at := range []int{value, plain} {
		for i, n := range a.nodes {
			if slices.Contains([]string{"decision", "fields", "obligations"}, a.names[i]) {
				args = append(args, p.restrict(n, level, at))
			}
		}
	}
	half, within := len(args)/2, p.domain.whole()
	within[level] = 1 << plain
	switch dim { // of two organisations, not both can have the overlay of one
	case dimAsker:
		within[p.domain.at[dimSource]] &^= 1 << (value + 1)
	case dimSource:
		within[p.domain.at[dimAsker]] &^= 1 << (value - 1)
		within[p.domain.at[dimAgreement]] = p.domain.only(dimAgreement, missing, present)
	}
	j := join{g: p.diagrams, memo: map[string]node{}, within: within}
	j.shortcut = func(args []node) (node, bool) { return leaf(0), slices.Equal(args[:half], args[half:]) }
	j.combine = func(values []int32) (int32, error) {
		if p.session.narrower(values[:half], values[half:]) {
			return 0, nil
		}
		return 1, nil
	}
	n, err := j.run(args, p.domain.start())
	if err != nil {
		return nil, err
	}
	return p.find(n, within, func(v int32) bool { return v == 1 }), nil
}

// narrower reports whether an answer gives no more than another. Both are whether it is a
// yes, which categories pass, and the obligations; of a door the first alone.
func (s *session) narrower(with, without []int32) bool {
	yes := s.intern(ast.Boolean(true))
	if with[0] != yes || len(with) == 1 {
		return with[0] != yes || without[0] == yes
	}
	member := func(v int32, name string) ast.Value {
		if object, ok := s.values[v].(ast.Object); ok {
			if term := object.Get(ast.StringTerm(name)); term != nil {
				return term.Value
			}
		}
		return ast.NullValue
	}
	fields, ok := s.values[with[1]].(ast.Object)
	if without[0] != yes || !ok {
		return false
	}
	narrow := true
	fields.Foreach(func(category, mask *ast.Term) {
		name, _ := category.Value.(ast.String)
		before, _ := member(without[1], string(name)).(ast.String)
		after, _ := mask.Value.(ast.String)
		narrow = narrow && before != "" && strictness(string(after)) >= strictness(string(before))
	})
	return narrow && member(with[2], "retention_days").Compare(member(without[2], "retention_days")) <= 0
}
