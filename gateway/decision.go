package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/pseudonym"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// decision is a request with what may pass of it.
type decision struct {
	trace   string
	call    admission.Call
	request request
	pairs   []pair
	counted map[string]bool // pairs of person and source that were counted towards the rate of an agreement
	rules   *policy.Engine  // by which it was decided
	today   civil.Date      // on which
	keys    int64           // the set of pinned keys by which
	judged  int64           // the size of the register by which
	refused error           // nil: the caller may ask it, whatever may not pass
	index   int64           // of its entry in the log
}

// pair is one person at one source: what may pass, and what may not and why.
type pair struct {
	ask
	grant    policy.Grant
	refusals []*budgetv1.Gap
	unasked  *budgetv1.Gap // why the source is not asked, although something may pass; nil: it is
}

// facts are what the policy was asked by about a pair of this organisation's.
func (p pair) facts() json.RawMessage {
	f := p.grant.Facts()
	f.Requester, f.RequesterKind = "", ""
	return f.Encode()
}

// asked reports whether the source is asked.
func (p pair) asked() bool { return p.grant.Allows() && p.unasked == nil }

func (d decision) caller() token.Caller { return d.call.Caller() }

// mayAsk gives why the caller may ask nothing at all: the token is for none of the
// sources, or the policy has no cell of the purpose for this case worker. A request
// that may be made is answered, if only with what is missing: consents, agreements and
// single cells say what is released, not who may ask.
func (g *Gateway) mayAsk(ctx context.Context, d decision) error {
	if slices.ContainsFunc(d.pairs, func(p pair) bool { return p.grant.Allows() }) {
		return nil
	}
	if !slices.ContainsFunc(d.pairs, d.named) {
		return &policy.DeniedError{Gaps: d.refusals()}
	}
	anything := policy.Access{
		Caller: d.caller(), Purpose: d.request.purpose, Subject: "household", Today: d.today,
		Requester: g.Own, RequesterKind: g.own.Kind, Source: g.Own,
	}
	codes := d.rules.MayAsk(ctx, anything)
	switch {
	case len(codes) == 0:
		return nil
	case codes[0] == policy.CodePurpose:
		return &policy.DeniedError{Gaps: d.refusals()}
	}
	// Who may not ask does not learn what others signed.
	way := g.withCodes(d.rules.WayToAsk(ctx, anything), g.own)
	var gaps []*budgetv1.Gap
	for _, p := range d.pairs {
		gaps = append(gaps, &budgetv1.Gap{Person: string(p.person.Ref), Source: p.source.Code, Reason: budgetv1.ReasonPolicyDenied, Code: strings.Join(codes, " "), Way: way})
	}
	return &policy.DeniedError{Gaps: gaps}
}

// access is one person at one source, without what was signed about it.
func (g *Gateway) access(d decision, a ask) policy.Access {
	return policy.Access{
		Caller: d.caller(), Purpose: d.request.purpose, Subject: pseudonym.Text(a.person.pseudonym()), Today: d.today,
		Requester: g.Own, RequesterKind: g.own.Kind, Source: a.source.OIN, SourceKind: a.source.Kind, Laws: a.source.Laws,
	}
}

// mayPass is what the policy lets pass, and what not with the way to yes.
func (g *Gateway) mayPass(ctx context.Context, d decision, a ask, q policy.Access) (policy.Grant, []*budgetv1.Gap) {
	grant, refusals := d.rules.Decide(ctx, q)
	for _, gap := range refusals {
		gap.Way = g.withCodes(gap.GetWay(), a.source)
	}
	return grant, refusals
}

// ifEnded are the gaps of a pair of which a document no longer counts: the agreement, or
// else the consent.
func (g *Gateway) ifEnded(ctx context.Context, d decision, p pair, why error) []*budgetv1.Gap {
	q := g.access(d, p.ask)
	q.Agreement, q.Consent = p.grant.Agreement(), p.grant.Consent()
	if errors.Is(why, agreement.ErrExpired) || errors.Is(why, agreement.ErrNone) {
		q.Agreement, q.NotAgreed = agreement.Covering{}, why
	} else {
		q.Consent, q.NotConsented = consent.Consent{}, why
	}
	_, gaps := g.mayPass(ctx, d, p.ask, q)
	return gaps
}

// withCodes names the parties of a way by their codes: this one's and that of a source.
func (g *Gateway) withCodes(way []*budgetv1.WayToYes, source identity.Organisation) []*budgetv1.WayToYes {
	for _, w := range way {
		switch identity.OIN(w.GetParty()) {
		case source.OIN:
			w.Party = source.Code
		case g.Own:
			w.Party = g.own.Code
		}
	}
	return way
}

// named reports whether the token names anything of the source.
func (d decision) named(p pair) bool {
	return slices.ContainsFunc(budgetv1.Categories(), func(c budgetv1.Category) bool {
		return d.caller().Allows(d.request.purpose, p.source.OIN, string(c))
	})
}

// refusals of all pairs.
func (d decision) refusals() []*budgetv1.Gap {
	var all []*budgetv1.Gap
	for _, p := range d.pairs {
		for _, gap := range p.refusals {
			gap.Person, gap.Source = string(p.person.Ref), p.source.Code
			all = append(all, gap)
		}
	}
	return all
}

// notAsked says why a source is not asked although something may pass: it may not be sent
// a number that the request has, there is no adapter, or the rate is reached that the
// source signed for this purpose. It is decided before the decision is recorded, so that
// the log has as allowed what is asked. A request that is judged anew counts once.
func (g *Gateway) notAsked(d *decision, a ask, grant policy.Grant) *budgetv1.Gap {
	_, reachable := g.source(a.source.Code)
	switch {
	case !grant.Allows():
		return nil
	case a.number() == "":
		return &budgetv1.Gap{Reason: budgetv1.ReasonSourceUnavailable, Code: budgetv1.GapNumberMissing}
	case !reachable:
		return &budgetv1.Gap{Reason: budgetv1.ReasonNoAdapter}
	case !d.counted[a.key()] && !g.accepts(grant):
		return &budgetv1.Gap{Reason: budgetv1.ReasonPeerRefused, Code: budgetv1.GapRateLimited}
	}
	if d.counted == nil {
		d.counted = map[string]bool{}
	}
	d.counted[a.key()] = true
	return nil
}

// accepts counts a request to a source, and reports whether it is within the rate that
// the source signed for this purpose. An organisation's own source has no agreement,
// and no limit.
func (g *Gateway) accepts(p policy.Grant) bool {
	grant := p.Agreement().Grant()
	key := string(grant.Consumer) + " " + string(grant.Source) + " " + strings.Join(grant.Purposes, " ")
	return grant.RatePerMinute == 0 || g.rates.Take(key, grant.RatePerMinute, g.Now().Unix()/60)
}

// entry is what every entry about a request has in common.
func (g *Gateway) entry(d decision) audit.Entry {
	e := audit.Entry{
		Day: d.today, Trace: d.trace, Activity: d.request.purpose, Organisations: []identity.OIN{g.Own},
		PolicyRevision: d.rules.Revision(), Case: []byte(d.caller().Case()),
	}
	for i := range d.request.persons {
		e.Subjects = append(e.Subjects, d.request.persons[i].pseudonym())
	}
	for _, p := range d.pairs {
		e.Involve(p.source.OIN)
	}
	admission.ActedFor(&e, d.caller())
	return e
}

// decisionEntry is the entry of what was decided, and its payload.
func (g *Gateway) decisionEntry(d decision) (audit.Entry, audit.Judgement) {
	e := g.entry(d)
	e.Kind, e.Decision, e.By = audit.Decision, "allow", d.judged
	d.call.Under(&e)
	if d.refused != nil {
		e.Kind, e.Decision = audit.Deny, "deny"
	}
	judgement := audit.Judgement{Judged: d.judged, Pairs: []audit.PairJudgement{}}
	for _, p := range d.pairs {
		one := audit.PairJudgement{Source: p.source.OIN, Actor: d.caller().Actor(), Delegation: d.caller().Delegation(), Facts: p.facts()}
		for n, bytes := range p.person.pseudonyms {
			if text := pseudonym.Text(bytes); n == 0 {
				one.Subject = text
			} else {
				one.Also = append(one.Also, text)
			}
		}
		refusals := p.refusals
		if p.unasked != nil {
			refusals = append(slices.Clone(refusals), p.unasked)
		}
		if p.asked() {
			e.Needs = append(e.Needs, restsOn(g.Own, p)...)
			one.Scopes, one.Consent, one.Agreement = audit.ScopesOf(p.grant.Scopes()), p.grant.Consent().ID(), p.grant.Agreement().Agreement().ID()
			e.Concern(one.Consent, p.grant.Agreement().Agreement().Digest())
		}
		for _, r := range refusals {
			one.Refusals = append(one.Refusals, audit.Refusal{Reason: r.GetReason(), Code: r.GetCode(), Laws: r.GetLaws(), Categories: r.GetCategories()})
		}
		judgement.Pairs = append(judgement.Pairs, one)
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

// mostJudgings bounds how often a request is judged anew because what it needs ended
// before it was recorded.
const mostJudgings = 16

// recordDecision writes down what was decided, denials too, before anybody is asked. When
// something has ended since it was judged, also by another process, it is judged anew.
func (g *Gateway) recordDecision(ctx context.Context, d *decision) error {
	for round := 1; ; round++ {
		e, judgement := g.decisionEntry(*d)
		payload, err := signed.Canonical(judgement)
		if err != nil {
			return err
		}
		e.Payload = payload
		proof, err := audit.Append(ctx, g.Record, e)
		d.index = proof.Index
		if !errors.Is(err, audit.ErrJudged) || round == mostJudgings {
			return err
		}
		if err := g.judge(ctx, d); err != nil {
			return err
		}
	}
}

// source finds who answers for an organisation now.
func (g *Gateway) source(code string) (Source, bool) {
	if s, ok := g.Sources[code]; ok || g.Peers == nil {
		return s, ok
	}
	return g.Peers(code)
}
