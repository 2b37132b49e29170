package policy

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// StatutoryBasis is the ground on which a municipality composes a budget out of
// its own records (AVG art. 6 lid 1 onder e; Wmo 2015 art. 5.1.1). Another source
// names the ground in the agreement with it.
const StatutoryBasis = "avg-6-1-e"

// codeToken is the code of what the access token does not name. The rules never see
// the token, and cannot answer with it.
const codeToken = "DOEL-02"

// ErrRole means that the case worker may not see what a source disclosed.
var ErrRole = errors.New("the role or assurance level of the case worker does not suffice")

// DeniedError means that the caller may ask nothing at all of what was asked.
type DeniedError struct{ Gaps []*budgetv1.Gap }

// Error says no more than that; the gaps say why.
func (e *DeniedError) Error() string { return "nothing of what was asked is permitted" }

// Access is one person at one source, with the facts that the checks before the
// policy have made, or why they did not.
type Access struct {
	Caller        token.Caller
	Purpose       string
	Subject       string // pseudonym, never a BSN
	Today         civil.Date
	Requester     identity.OIN
	RequesterKind string
	Source        identity.OIN
	SourceKind    string
	// Laws of the source; empty for a source of figures only, of which the matrix
	// says to which laws they belong.
	Laws         []string
	Agreement    agreement.Covering // zero for the requester's own source
	NotAgreed    error
	Consent      consent.Consent
	NotConsented error
	supposed     *supposed // see Suppose; nil: it is a question about somebody
	past         *Facts    // what it is judged by, when its documents were read
	again        bool      // see Again: nobody asks it now
}

// own reports whether the source is the requester's: it needs no agreement with itself.
func (q Access) own() bool { return q.Source == q.Requester }

// Grant is the fact that a source may be asked, and what may pass. Only Decide
// makes one; the zero Grant lets nothing pass.
type Grant struct {
	scopes    []scope
	consent   consent.Consent
	agreement agreement.Covering
	facts     Facts
}

// Facts are what it was judged by, whether anything may pass or nothing.
func (g Grant) Facts() Facts { return g.facts }

type scope struct {
	law        string
	categories []budgetv1.Category
	masks      budgetv1.Masks // of those that may not pass whole
}

// Allows reports whether anything may pass.
func (g Grant) Allows() bool { return len(g.scopes) > 0 }

// Consent that the grant rests on.
func (g Grant) Consent() consent.Consent { return g.consent }

// Agreement that the grant rests on; zero for the requester's own source.
func (g Grant) Agreement() agreement.Covering { return g.agreement }

// Laws that may be asked about.
func (g Grant) Laws() []string {
	var laws []string
	for _, s := range g.scopes {
		laws = append(laws, s.law)
	}
	return laws
}

// Scopes is what the source is asked for.
func (g Grant) Scopes() []*budgetv1.Scope {
	var out []*budgetv1.Scope
	for _, s := range g.scopes {
		one := &budgetv1.Scope{Law: s.law, Categories: make([]string, 0, len(s.categories))}
		for _, c := range s.categories {
			one.Categories = append(one.Categories, string(c))
			if mask := s.masks.Of(c); mask != budgetv1.MaskNone {
				if one.Masks == nil {
					one.Masks = map[string]string{}
				}
				one.Masks[string(c)] = string(mask)
			}
		}
		out = append(out, one)
	}
	return out
}

// categories granted under a law; nil when the law was not granted.
func (g Grant) categories(law string) []budgetv1.Category {
	i := slices.IndexFunc(g.scopes, func(s scope) bool { return s.law == law })
	if i < 0 {
		return nil
	}
	return g.scopes[i].categories
}

// masks of the categories granted under a law; none when the law was not granted.
func (g Grant) masks(law string) budgetv1.Masks {
	i := slices.IndexFunc(g.scopes, func(s scope) bool { return s.law == law })
	if i < 0 {
		return nil
	}
	return g.scopes[i].masks
}

// strictest are the strictest masks of the categories under any law.
func (g Grant) strictest() budgetv1.Masks {
	masks := budgetv1.Masks{}
	for _, s := range g.Scopes() {
		masks.Narrow(s)
	}
	return masks
}

// everywhere are the categories granted under every law.
func (g Grant) everywhere() []budgetv1.Category {
	if !g.Allows() {
		return nil
	}
	return slices.DeleteFunc(budgetv1.Categories(), func(c budgetv1.Category) bool {
		return slices.ContainsFunc(g.scopes, func(s scope) bool { return !slices.Contains(s.categories, c) })
	})
}

// Within is the same grant for no more than what was asked, under masks as strict at least.
func (g Grant) Within(asked []*budgetv1.Scope) Grant {
	var left []scope
	for _, s := range g.scopes {
		at := slices.IndexFunc(asked, func(a *budgetv1.Scope) bool { return a.GetLaw() == s.law })
		if at < 0 {
			continue
		}
		one := scope{law: s.law, masks: maps.Clone(s.masks)}
		for _, c := range s.categories {
			if slices.Contains(asked[at].GetCategories(), string(c)) {
				one.categories = append(one.categories, c)
			}
		}
		one.masks.Narrow(asked[at])
		if len(one.categories) > 0 && (slices.Contains(one.categories, budgetv1.CategoryEntitlement) || !slices.Contains(s.categories, budgetv1.CategoryEntitlement)) {
			left = append(left, one)
		}
	}
	if len(left) == 0 {
		return Grant{}
	}
	g.scopes = left
	return g
}

// Minimise clears from an answer what may not pass, and puts masks on what may pass in
// part, whatever the source sent.
// Lines and history of laws that were not granted go altogether.
func (g Grant) Minimise(r *budgetv1.FetchResponse) {
	allowed := func(law string) []budgetv1.Category {
		if c := g.categories(law); slices.Contains(c, budgetv1.CategoryEntitlement) {
			return c
		}
		return nil
	}
	r.Lines = slices.DeleteFunc(r.Lines, func(l *budgetv1.BudgetLine) bool { return allowed(l.GetLaw()) == nil })
	for _, l := range r.Lines {
		budgetv1.Minimise(l, allowed(l.GetLaw()), g.masks(l.GetLaw()))
	}
	r.History = slices.DeleteFunc(r.History, func(l *budgetv1.HistoryLine) bool { return allowed(l.GetLaw()) == nil })
	for _, l := range r.History {
		budgetv1.Minimise(l, allowed(l.GetLaw()), g.masks(l.GetLaw()))
	}
	r.Notices = slices.DeleteFunc(r.Notices, func(n *budgetv1.Notice) bool {
		return n.GetLaw() != "" && !budgetv1.Discloses(g.categories(n.GetLaw()))
	})
	for _, n := range r.Notices {
		budgetv1.Minimise(n, g.categories(n.GetLaw()), g.masks(n.GetLaw()))
	}
	for _, s := range r.Spends { // whose law is not told: what every law allows
		budgetv1.Minimise(s, g.everywhere(), g.strictest())
	}
	r.OwnContributions = slices.DeleteFunc(r.OwnContributions, func(c *budgetv1.OwnContribution) bool { return g.categories(c.GetLaw()) == nil })
	for _, c := range r.OwnContributions {
		budgetv1.Minimise(c, g.categories(c.GetLaw()), g.masks(c.GetLaw()))
	}
	r.Withheld = slices.DeleteFunc(r.Withheld, func(w *budgetv1.Withheld) bool { // of what was asked, and no other
		whole := len(w.Laws) == 0
		w.Laws = slices.DeleteFunc(w.Laws, func(law string) bool { return g.categories(law) == nil })
		return !whole && len(w.Laws) == 0
	})
	r.ProtoReflect().SetUnknown(nil)
}

// Decide says what may pass of one person at one source, and what may not and
// why. The policy is asked law by law, because laws rest on different grounds;
// its answer is intersected with the token, the agreement and the consent here, so
// that it can narrow what they allow and never widen it.
func (e *Engine) Decide(ctx context.Context, q Access) (Grant, []*budgetv1.Gap) {
	f := q.facts()
	g := Grant{consent: q.Consent, agreement: q.Agreement, facts: f}
	q.past = &f // read once
	laws := q.Laws
	if len(laws) == 0 {
		laws = e.lawsToAsk(q.Purpose, q.SourceKind)
	}
	refused := refusals{laws: laws}
	for _, law := range laws {
		known := e.Categories(q.Purpose, q.SourceKind, law)
		needed := e.needed(q.Purpose, q.SourceKind, law)
		asked := union(known, needed)
		in := q.input(law, asked)
		said := e.evaluate(ctx, in)
		if s := e.shadow.Load(); s != nil && q.supposed == nil {
			s.offer(offered{in: in, kind: q.SourceKind, law: law, said: said})
		}
		if no := q.firstFailure(said); no != nil {
			refused.law(law, *no)
			continue
		}
		s := scope{law: law, masks: budgetv1.Masks{}}
		for _, c := range asked {
			no := q.missing(said, c)
			if !slices.Contains(known, c) {
				// Nobody's consent or agreement makes up for what the matrix does not know.
				no = &refusal{budgetv1.ReasonPolicyDenied, "VELD-01"}
			}
			if no != nil {
				refused.category(law, c, *no)
				continue
			}
			s.categories = append(s.categories, c)
			s.masks[c] = budgetv1.Mask(said.Fields[string(c)])
			if s.masks.Of(c) == budgetv1.MaskExists && slices.Contains(needed, c) {
				refused.category(law, c, refusal{budgetv1.ReasonPolicyDenied, "VELD-01"}) // not in silence
			}
		}
		// A line is not released without saying that there is one.
		if slices.Contains(asked, budgetv1.CategoryEntitlement) && !slices.Contains(s.categories, budgetv1.CategoryEntitlement) {
			refused.law(law, refused.of(law, budgetv1.CategoryEntitlement))
			continue
		}
		if len(s.categories) > 0 {
			g.scopes = append(g.scopes, s)
		}
	}
	if !g.Allows() {
		return Grant{facts: g.facts}, e.withWays(ctx, q, laws, refused.whole())
	}
	return g, e.withWays(ctx, q, laws, refused.parts())
}

// union of two lists, in the order of the closed list.
func union(a, b []budgetv1.Category) []budgetv1.Category {
	if len(b) == 0 {
		return a
	}
	return slices.DeleteFunc(budgetv1.Categories(), func(c budgetv1.Category) bool { return !slices.Contains(a, c) && !slices.Contains(b, c) })
}

// MayAsk gives the codes of why a case worker may ask nothing at all for a purpose: no
// cell of the matrix is for this role and level. None: there is a cell. Agreement and
// consent are not looked at.
func (e *Engine) MayAsk(ctx context.Context, q Access) []string {
	codes := map[string]bool{}
	q.NotAgreed, q.NotConsented = agreement.ErrNone, consent.ErrNone
	for kind, laws := range e.matrix[q.Purpose] {
		for law, asked := range laws {
			q.SourceKind = kind
			said := slices.DeleteFunc(slices.Clone(e.evaluate(ctx, q.input(law, asked)).Reasons), func(code string) bool { return !barsAsking(code) })
			if len(said) == 0 {
				return nil
			}
			for _, code := range said {
				codes[code] = true
			}
		}
	}
	if len(codes) == 0 {
		return []string{CodePurpose}
	}
	return slices.Sorted(maps.Keys(codes))
}

// barsAsking reports whether a check is about who asks and not about what others signed.
func barsAsking(code string) bool {
	return code == "ROL-01" || code == CodePurpose || strings.HasPrefix(code, "SYS-")
}

// RoleSuffices reports whether the case worker's role and level of assurance would do
// for the laws of the request; agreement and consent are not looked at. It is judged as a
// question of the requester's, whose budget it is about, whoever the case worker works for.
func (e *Engine) RoleSuffices(ctx context.Context, q Access) bool {
	q.NotAgreed, q.NotConsented, q.supposed = agreement.ErrNone, consent.ErrNone, &supposed{}
	for _, law := range q.Laws {
		said := e.evaluate(ctx, q.input(law, e.Categories(q.Purpose, q.SourceKind, law)))
		for _, no := range said.Reasons {
			if barsAsking(no) {
				return false
			}
		}
	}
	return true
}

// input is everything the rules see.
func (q Access) input(law string, asked []budgetv1.Category) *Input {
	in := &Input{
		Subject: Subject{Type: "organisation", ID: string(q.organisation()), Properties: SubjectProperties{
			OrgType: OrgType(q.RequesterKind), Role: q.role(), Assurance: q.assurance(),
		}},
		Action:   Action{Name: "read", Properties: ActionProperties{Purpose: q.Purpose, Law: LawKey(law)}},
		Resource: Resource{Type: "person", ID: q.Subject, Properties: ResourceProperties{Source: string(q.Source), SourceKind: KindKey(q.SourceKind), LegalBasis: StatutoryBasis}},
		Context:  Context{Contract: ContractRequest, Date: q.Today.String()},
	}
	for _, c := range asked {
		in.Resource.Properties.Fields = append(in.Resource.Properties.Fields, string(c))
	}
	if agreed := q.agreed(); agreed != nil {
		in.Resource.Properties.LegalBasis, in.Context.Agreement = agreed.Grant.LegalBasis, q.agreementTerms(agreed)
	}
	if yes := q.consented(); yes != nil && !q.suppose().consent {
		in.Context.Consent = &ConsentTerms{
			ID: q.consentID(), Status: "active", Subject: q.Subject, By: yes.By, Purposes: []string{q.Purpose},
			Sources: []string{string(q.Source)}, From: yes.From, Until: yes.Until, Mandate: yes.Mandate,
		}
	}
	if q.supposed != nil {
		if in.Context.Consent != nil {
			in.Context.Consent.ID = supposedID // of the person nothing is left
		}
		q.supposed.change(in)
	}
	return in
}

// organisation that asks: nobody's token says so of a question that is supposed.
func (q Access) organisation() identity.OIN {
	if q.supposed != nil || q.again {
		return q.Requester
	}
	return q.Caller.Organisation()
}

// refusal is a reason with the code of the check that said no.
type refusal struct{ reason, code string }

// firstFailure gives the first check that failed, in the order in which they are listed:
// purpose, legal basis, agreement, authority and consent, policy.
func (q Access) firstFailure(said Outcome) *refusal {
	failed := func(code string) bool { return slices.Contains(said.Reasons, code) }
	switch {
	case failed("DOEL-01"):
		return &refusal{budgetv1.ReasonPurposeNotAllowed, "DOEL-01"}
	case !q.reaches():
		return &refusal{budgetv1.ReasonPurposeNotAllowed, codeToken}
	case failed("GROND-01"):
		return &refusal{budgetv1.ReasonNoLegalBasis, "GROND-01"}
	case q.notAgreed() != nil:
		return q.notAgreed()
	case !q.suffices():
		return &refusal{budgetv1.ReasonPolicyDenied, "ROL-01"}
	case q.notConsented() != nil:
		return q.notConsented()
	case !said.Allow:
		return &refusal{budgetv1.ReasonPolicyDenied, strings.Join(said.Reasons, " ")}
	}
	return nil
}

// GapOf is the gap for an error of the rooms agreement and consent, for a whole source.
// Nothing was judged: its way is what is done about that error.
func GapOf(err error) *budgetv1.Gap {
	no, act := notConsented(err), consentAct(err)
	if errors.Is(err, agreement.ErrNone) || errors.Is(err, agreement.ErrExpired) || errors.Is(err, agreement.ErrUncertain) || errors.Is(err, agreement.ErrPurpose) {
		no, act = notAgreed(err), agreementAct(err)
	}
	return &budgetv1.Gap{Reason: no.reason, Code: no.code, Way: []*budgetv1.WayToYes{{Act: act}}}
}

func notAgreed(err error) *refusal {
	switch {
	case errors.Is(err, agreement.ErrExpired):
		return &refusal{budgetv1.ReasonAgreementExpired, "OVK-02"}
	case errors.Is(err, agreement.ErrUncertain):
		return &refusal{budgetv1.ReasonAgreementUncertain, "OVK-02"}
	case errors.Is(err, agreement.ErrPurpose):
		return &refusal{budgetv1.ReasonNoAgreement, "OVK-03"}
	default: // agreement.ErrNone
		return &refusal{budgetv1.ReasonNoAgreement, "OVK-01"}
	}
}

func notConsented(err error) *refusal {
	switch {
	case errors.Is(err, consent.ErrAuthority):
		return &refusal{budgetv1.ReasonAuthorityUnclear, "TOEST-05"}
	case errors.Is(err, consent.ErrWrongSigner):
		return &refusal{budgetv1.ReasonWrongSigner, "TOEST-04"}
	case errors.Is(err, consent.ErrOtherPerson):
		return &refusal{budgetv1.ReasonNoConsent, "TOEST-03"}
	case errors.Is(err, consent.ErrWithdrawn):
		return &refusal{budgetv1.ReasonConsentWithdrawn, "TOEST-02"}
	case errors.Is(err, consent.ErrUncertain):
		return &refusal{budgetv1.ReasonConsentUncertain, "TOEST-02"}
	case errors.Is(err, consent.ErrExpired):
		return &refusal{budgetv1.ReasonConsentExpired, "TOEST-01"}
	case errors.Is(err, consent.ErrHousehold):
		return &refusal{budgetv1.ReasonOtherHousehold, "TOEST-01"}
	default: // consent.ErrNone
		return &refusal{budgetv1.ReasonNoConsent, "TOEST-01"}
	}
}

// missing says why one category may not pass, nil when it may: what token, policy,
// agreement and consent each allow, intersected.
func (q Access) missing(said Outcome, c budgetv1.Category) *refusal {
	_, passes := said.Fields[string(c)]
	switch {
	case !q.names(c):
		return &refusal{budgetv1.ReasonPurposeNotAllowed, codeToken}
	case !q.agrees(c):
		return &refusal{budgetv1.ReasonNoAgreement, "VELD-02"}
	case !q.consents(c):
		return &refusal{budgetv1.ReasonNoConsent, "TOEST-01"}
	case !passes:
		return &refusal{budgetv1.ReasonPolicyDenied, said.Dropped[string(c)]}
	}
	return nil
}
