package budgetv1

// Reasons of gaps: a closed list. In the order in which the checks are made;
// when several fail, the first is the one that is reported.
const (
	ReasonPurposeNotAllowed  = "PURPOSE_NOT_ALLOWED"
	ReasonNoLegalBasis       = "NO_LEGAL_BASIS"
	ReasonNoAgreement        = "NO_AGREEMENT"
	ReasonAgreementExpired   = "AGREEMENT_EXPIRED"
	ReasonAgreementUncertain = "AGREEMENT_UNCERTAIN"
	ReasonAuthorityUnclear   = "AUTHORITY_UNCLEAR"
	ReasonNoConsent          = "NO_CONSENT"
	ReasonConsentExpired     = "CONSENT_EXPIRED"
	ReasonConsentWithdrawn   = "CONSENT_WITHDRAWN"
	ReasonConsentUncertain   = "CONSENT_UNCERTAIN"
	ReasonWrongSigner        = "WRONG_SIGNER"
	ReasonOtherHousehold     = "OTHER_HOUSEHOLD"
	ReasonPolicyDenied       = "POLICY_DENIED"
	ReasonHeldForRelease     = "HELD_FOR_RELEASE"
	ReasonPeerRefused        = "PEER_REFUSED"
	ReasonNoAdapter          = "NO_ADAPTER"
	ReasonSourceUnavailable  = "SOURCE_UNAVAILABLE"
	ReasonSourceTimeout      = "SOURCE_TIMEOUT"
	ReasonBadDataAtSource    = "BAD_DATA_AT_SOURCE"
	ReasonStale              = "STALE"
)

// Details of gaps of which the text says more than that of the reason. The first two are the
// code of the gap; the others select its text alone.
const (
	GapNumberMissing     = "NUMBER_MISSING"     // the number that the source goes by was not given
	GapRateLimited       = "RATE_LIMITED"       // the agreement accepts no more requests in this minute
	GapConsentChanged    = "CONSENT_CHANGED"    // another consent counts now: ask again
	GapAgreementReplaced = "AGREEMENT_REPLACED" // another agreement counts now: ask again
)

// GapDetails lists them all, by their reason. A closed list.
func GapDetails() map[string][]string {
	return map[string][]string{
		ReasonSourceUnavailable: {GapNumberMissing}, ReasonPeerRefused: {GapRateLimited},
		ReasonNoConsent: {GapConsentChanged}, ReasonAgreementExpired: {GapAgreementReplaced},
	}
}

// GapReasons lists them all, in that order.
func GapReasons() []string {
	return []string{
		ReasonPurposeNotAllowed, ReasonNoLegalBasis, ReasonNoAgreement, ReasonAgreementExpired, ReasonAgreementUncertain,
		ReasonAuthorityUnclear, ReasonNoConsent, ReasonConsentExpired, ReasonConsentWithdrawn, ReasonConsentUncertain,
		ReasonWrongSigner, ReasonOtherHousehold, ReasonPolicyDenied, ReasonHeldForRelease,
		ReasonPeerRefused, ReasonNoAdapter, ReasonSourceUnavailable, ReasonSourceTimeout,
		ReasonBadDataAtSource, ReasonStale,
	}
}
