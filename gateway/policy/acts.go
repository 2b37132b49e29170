package policy

import (
	"errors"
	"slices"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// acts words a supposition as what somebody does, by what is there now: said is the answer
// to it. Parties are OINs.
func (q Access) acts(s supposed, said Outcome, targets []budgetv1.Category) []*budgetv1.WayToYes {
	without := func(has func(budgetv1.Category) bool) []string {
		var list []string
		for _, c := range targets {
			if !has(c) {
				list = append(list, string(c))
			}
		}
		if len(list) == 0 { // it has all of them, and is renewed for all of them
			return texted(targets)
		}
		return list
	}
	var way []*budgetv1.WayToYes
	if s.token {
		way = append(way, &budgetv1.WayToYes{Act: budgetv1.ActToken, Categories: without(q.names)})
	}
	way = append(way, workers(worker{s.role, s.assurance})...)
	if s.agreement {
		act := &budgetv1.WayToYes{Act: agreementAct(q.NotAgreed), Party: string(q.Source), Categories: texted(targets)}
		if q.NotAgreed == nil {
			act.Categories = without(q.agrees)
		}
		way = append(way, act)
	}
	if s.basis != "" {
		way = append(way, &budgetv1.WayToYes{Act: budgetv1.ActLegalBasis, Party: string(q.Source), LegalBasis: s.basis})
	}
	if s.consent {
		act := &budgetv1.WayToYes{Act: consentAct(q.NotConsented), Party: string(q.Source), Categories: texted(targets)}
		if q.NotConsented == nil {
			act.Categories = without(q.consents)
			act.Act = consentBy(said.Reasons, nil)
		}
		way = append(way, act)
	}
	return way
}

// workers are the acts of who asks, where another role or level is needed.
func workers(w worker) (way []*budgetv1.WayToYes) {
	if w.role != "" {
		way = append(way, &budgetv1.WayToYes{Act: budgetv1.ActRole, Role: w.role})
	}
	if w.assurance != "" {
		way = append(way, &budgetv1.WayToYes{Act: budgetv1.ActAssurance, Assurance: w.assurance})
	}
	return way
}

func texted(categories []budgetv1.Category) []string {
	var list []string
	for _, c := range categories {
		list = append(list, string(c))
	}
	return list
}

// agreementAct is what is done about an agreement that does not count. None is wrong: it
// covers too little.
func agreementAct(err error) string {
	switch {
	case err == nil, errors.Is(err, agreement.ErrPurpose):
		return budgetv1.ActAgreementExtend
	case errors.Is(err, agreement.ErrExpired):
		return budgetv1.ActAgreementRenew
	case errors.Is(err, agreement.ErrUncertain):
		return budgetv1.ActAgreementConfirm
	}
	return budgetv1.ActAgreementPropose
}

// consentAct is what is done about a consent that does not count.
func consentAct(err error) string {
	switch {
	case errors.Is(err, consent.ErrAuthority):
		return budgetv1.ActAuthority
	case errors.Is(err, consent.ErrWrongSigner):
		return budgetv1.ActConsentSigner
	case errors.Is(err, consent.ErrWithdrawn):
		return budgetv1.ActConsentAgain
	case errors.Is(err, consent.ErrUncertain):
		return budgetv1.ActConsentConfirm
	case errors.Is(err, consent.ErrExpired):
		return budgetv1.ActConsentRenew
	}
	return budgetv1.ActConsentAsk
}

// consentBy is the same by the codes of the rules, with the consent that they saw, if any.
func consentBy(codes []string, c *ConsentTerms) string {
	has := func(code string) bool { return slices.Contains(codes, code) }
	switch {
	case has("TOEST-05"):
		return budgetv1.ActAuthority
	case has("TOEST-02"):
		return budgetv1.ActConsentAgain
	case has("TOEST-04"):
		return budgetv1.ActConsentSigner
	case has("TOEST-03"):
		return budgetv1.ActConsentAsk
	case has("TOEST-01") && c != nil:
		return budgetv1.ActConsentRenew
	}
	return budgetv1.ActConsentAsk
}

// agreementBy is the same of an agreement.
func agreementBy(codes []string, a *AgreementTerms) string {
	switch {
	case a == nil:
		return budgetv1.ActAgreementPropose
	case slices.Contains(codes, "OVK-03"), !slices.Contains(codes, "OVK-01") && !slices.Contains(codes, "OVK-02"):
		return budgetv1.ActAgreementExtend
	case slices.Contains(codes, "OVK-02"):
		return budgetv1.ActAgreementRenew
	}
	return budgetv1.ActAgreementPropose
}
