package gateway

import (
	"encoding/base64"
	"slices"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
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

// told is what was decided about one pair, as the log keeps it: pseudonymous, and
// without any amount.
type told struct {
	Subject   string            `json:"subject"`
	Source    identity.OIN      `json:"source"`
	Consent   string            `json:"consent,omitempty"`
	Agreement string            `json:"agreement,omitempty"`
	Scopes    []*budgetv1.Scope `json:"scopes,omitempty"`
	Refusals  []refused         `json:"refusals,omitempty"`
	// Actor for the organisation that asks, and the delegation on which it acts.
	Actor      identity.OIN `json:"actor,omitempty"`
	Delegation string       `json:"delegation,omitempty"`
}

type refused struct {
	Reason     string   `json:"reason"`
	Code       string   `json:"code,omitempty"`
	Laws       []string `json:"laws,omitempty"`
	Categories []string `json:"categories,omitempty"`
}

// decisionEntry is the entry of what was decided, and its payload.
func (g *Gateway) decisionEntry(d decision) (audit.Entry, []told) {
	e := g.entry(d)
	e.Kind, e.Decision, e.Once = audit.Decision, "allow", d.once
	if d.refused != nil {
		e.Kind, e.Decision = audit.Deny, "deny"
	}
	list := []told{}
	for _, p := range d.pairs {
		one := told{Subject: g.pseudonym(p.person, d.question.purpose), Source: p.source.OIN, Scopes: p.grant.Scopes(), Actor: d.caller.Actor(), Delegation: d.caller.Delegation()}
		if p.grant.Allows() {
			one.Consent, one.Agreement = p.grant.Consent().ID(), p.grant.Agreement().Agreement().ID()
			e.Consents = appendNew(e.Consents, one.Consent)
			if digest := p.grant.Agreement().Agreement().Digest(); digest != "" {
				e.Agreements = appendNew(e.Agreements, digest)
			}
		}
		for _, r := range p.refusals {
			one.Refusals = append(one.Refusals, refused{r.GetReason(), r.GetCode(), r.GetLaws(), r.GetCategories()})
		}
		list = append(list, one)
	}
	return e, list
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
