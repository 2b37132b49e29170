package budgetv1

import (
	"slices"
	"strings"
)

// Acts on the way to yes: a closed list. In the order in which they are done: who asks,
// what the parties sign, what the person says.
const (
	ActRequest          = "REQUEST"           // the request itself is mended
	ActToken            = "TOKEN"             // a wider access token
	ActRole             = "ROLE"              // a colleague with this role asks
	ActAssurance        = "ASSURANCE"         // one logs in at this level
	ActSecondPerson     = "SECOND_PERSON"     // a second colleague does it too
	ActAgreementPropose = "AGREEMENT_PROPOSE" // an agreement
	ActAgreementRenew   = "AGREEMENT_RENEW"   // it is there and does not hold today
	ActAgreementConfirm = "AGREEMENT_CONFIRM" // after a loss it is confirmed
	ActAgreementExtend  = "AGREEMENT_EXTEND"  // it covers the purpose or the categories too
	ActLegalBasis       = "LEGAL_BASIS"       // it names another legal basis
	ActAuthority        = "AUTHORITY"         // somebody finds out who has authority, and those sign
	ActConsentAsk       = "CONSENT_ASK"       // the person is asked for consent
	ActConsentRenew     = "CONSENT_RENEW"     // it is there and does not hold today
	ActConsentConfirm   = "CONSENT_CONFIRM"   // after a loss it is confirmed
	ActConsentSigner    = "CONSENT_SIGNER"    // those sign who must
	ActConsentAgain     = "CONSENT_AGAIN"     // withdrawn: only the person can say yes again
	ActAskAnew          = "ASK_ANEW"          // a new budget is asked for
	ActNever            = "NEVER"             // nothing that anybody does makes it a yes
)

// Acts lists them all, in that order.
func Acts() []string {
	return []string{
		ActRequest, ActToken, ActRole, ActAssurance, ActSecondPerson,
		ActAgreementPropose, ActAgreementRenew, ActAgreementConfirm, ActAgreementExtend, ActLegalBasis,
		ActAuthority, ActConsentAsk, ActConsentRenew, ActConsentConfirm, ActConsentSigner, ActConsentAgain,
		ActAskAnew, ActNever,
	}
}

// mostWritten bounds how many acts are written.
const mostWritten = 16

// WrittenWay writes the acts of a way in one line, each once, as in "ROLE:consulent
// CONSENT_ASK:UWV NEVER:VELD-01", for where only text can be told: an act, and behind the
// colon the role, level, legal basis or code, or else the party that it is about. At most
// sixteen.
func WrittenWay(way []*WayToYes) string {
	var all []string
	for _, w := range way {
		one := w.GetAct()
		for _, about := range []string{w.GetRole(), w.GetAssurance(), w.GetLegalBasis(), w.GetCode(), w.GetParty()} {
			if about != "" && (w.GetAct() == ActSecondPerson || !strings.Contains(one, ":")) {
				one += ":" + about
			}
		}
		if !slices.Contains(all, one) && len(all) < mostWritten {
			all = append(all, one)
		}
	}
	return strings.Join(all, " ")
}
