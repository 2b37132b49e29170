package gateway

import (
	"encoding/base64"
	"slices"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
)

// pseudonym stands for a person in everything that is written down or decided on.
func (g *Gateway) pseudonym(p *person, purpose string) string {
	return base64.RawURLEncoding.EncodeToString(g.pseudonyms(p.identifiers.bsn, purpose)[0])
}

// pseudonyms of a person under every version of the key, the newest first.
func (g *Gateway) pseudonyms(bsn identity.BSN, purpose string) [][]byte {
	var all [][]byte
	for _, key := range g.PseudonymKeys {
		sum := bsn.Pseudonym(key, g.Own, purpose)
		all = append(all, sum[:])
	}
	return all
}

// entry is what every entry about a question has in common.
func (g *Gateway) entry(d decision) audit.Entry {
	e := audit.Entry{
		Day: d.today, Trace: d.trace, Activity: d.question.purpose, Organisations: []identity.OIN{g.Own},
		PolicyRevision: g.Policy.Revision(), Case: []byte(d.caller.Case()),
	}
	for _, p := range d.question.persons {
		e.Subjects = append(e.Subjects, g.pseudonyms(p.identifiers.bsn, d.question.purpose)[0])
	}
	for _, p := range d.pairs {
		e.Organisations = appendNew(e.Organisations, p.source.OIN)
	}
	actedFor(&e, d.caller)
	return e
}

func appendNew[T comparable](list []T, one T) []T {
	if slices.Contains(list, one) {
		return list
	}
	return append(list, one)
}

// decisionEntry is the entry of what was decided, and its payload.
func (g *Gateway) decisionEntry(d decision) (audit.Entry, audit.Judgement) {
	e := g.entry(d)
	e.Kind, e.Decision, e.Once, e.By = audit.Decision, "allow", d.once, d.judged
	if d.refused != nil {
		e.Kind, e.Decision = audit.Deny, "deny"
	}
	judgement := audit.Judgement{Judged: d.judged, Told: []audit.Told{}}
	for _, p := range d.pairs {
		one := audit.Told{Source: p.source.OIN, Scopes: p.grant.Scopes(), Actor: d.caller.Actor(), Delegation: d.caller.Delegation()}
		for n, pseudonym := range g.pseudonyms(p.person.identifiers.bsn, d.question.purpose) {
			if text := base64.RawURLEncoding.EncodeToString(pseudonym); n == 0 {
				one.Subject = text
			} else {
				one.Also = append(one.Also, text)
			}
		}
		if p.grant.Allows() {
			e.Needs = append(e.Needs, restsOn(g.Own, p)...)
			one.Consent, one.Agreement = p.grant.Consent().ID(), p.grant.Agreement().Agreement().ID()
			e.Consents = appendNew(e.Consents, one.Consent)
			if digest := p.grant.Agreement().Agreement().Digest(); digest != "" {
				e.Agreements = appendNew(e.Agreements, digest)
			}
		}
		for _, r := range p.refusals {
			one.Refusals = append(one.Refusals, audit.Refusal{Reason: r.GetReason(), Code: r.GetCode(), Laws: r.GetLaws(), Categories: r.GetCategories()})
		}
		judgement.Told = append(judgement.Told, one)
	}
	return e, judgement
}

// restsOn is what a pair may be asked on.
func restsOn(own identity.OIN, p pair) []register.Rest {
	rests := []register.Rest{{ID: p.grant.Consent().ID(), Source: p.source.OIN, Recipient: own}}
	if id := p.grant.Agreement().Agreement().ID(); id != "" {
		rests = append(rests, register.Rest{ID: id})
	}
	return rests
}

// releaseEntry rests on every document that an answer in the budget rests on.
func (g *Gateway) releaseEntry(d decision, digest [32]byte, answers []budget.Answer) audit.Entry {
	e := g.entry(d)
	e.Kind, e.Decided, e.Decision, e.Payload, e.Status = audit.Release, d.index, "allow", digest[:], "complete"
	e.Judged = d.judged
	for i, a := range answers {
		if len(a.Gaps) > 0 {
			e.Status = "partial"
		}
		if a.Response == nil {
			continue
		}
		e.Consents = appendNew(e.Consents, a.Consent)
		e.Rests = appendNew(e.Rests, register.Rest{ID: a.Consent, Source: d.pairs[i].source.OIN, Recipient: g.Own})
		if a.Agreement != "" {
			e.Rests = appendNew(e.Rests, register.Rest{ID: a.Agreement})
			e.Agreements = appendNew(e.Agreements, d.pairs[i].grant.Agreement().Agreement().Digest())
		}
	}
	return e
}
