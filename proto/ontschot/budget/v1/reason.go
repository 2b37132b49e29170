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

// Details of gaps of which the text says more than that of the reason. CONSENT_CHANGED and
// AGREEMENT_REPLACED select its text alone; the others are the code of the gap.
const (
	GapNumberMissing     = "NUMBER_MISSING"     // the number that the source goes by was not given
	GapRateLimited       = "RATE_LIMITED"       // the agreement accepts no more requests in this minute
	GapConsentChanged    = "CONSENT_CHANGED"    // another consent counts now: ask again
	GapAgreementReplaced = "AGREEMENT_REPLACED" // another agreement counts now: ask again
	GapAuditorNotNamed   = "AUDITOR_NOT_NAMED"  // no agreement that counts today names who asks as auditor
	GapAuditWithheld     = "AUDIT_WITHHELD"     // the policy does not let an auditor see it
	// Why a source cannot be reached or refuses, by who can repair it.
	GapSourceCertificate  = "SOURCE_CERTIFICATE"       // the source's certificate is not one that we trust
	GapCertificateRefused = "CERTIFICATE_REFUSED"      // the source does not take our certificate
	GapNameNotFound       = "NAME_NOT_FOUND"           // the address that was configured does not exist
	GapLoginRefused       = "LOGIN_REFUSED"            // our name or secret is not accepted
	GapNotAuthorised      = "NOT_AUTHORISED_AT_SOURCE" // the source says that we may not ask this
	// Of a source that is another organisation's gateway, and decides too.
	GapPeerAgreement   = "PEER_AGREEMENT"   // by its copy there is no agreement that covers this
	GapPeerConsent     = "PEER_CONSENT"     // the consent that it was shown does not do there
	GapPeerPermit      = "PEER_PERMIT"      // it does not take our permit: keys, or used before
	GapPeerPolicy      = "PEER_POLICY"      // its own policy says no
	GapPeerVersion     = "PEER_VERSION"     // it does not know this question yet
	GapPeerRecord      = "PEER_RECORD"      // it cannot write its log, and so discloses nothing
	GapPeerUnreachable = "PEER_UNREACHABLE" // no connection with it comes about
	GapPeerCut         = "PEER_CUT"         // the connection broke after the question was sent
	GapPeerSilent      = "PEER_SILENT"      // after the question was sent nothing at all was heard of it
	GapPeerClock       = "PEER_CLOCK"       // by its clock our permit is of another time
	// Of data that are not right in part: the lines beside the gap are sound.
	GapRecordSkipped   = "RECORD_SKIPPED"   // a record could not be read
	GapVersionConflict = "VERSION_CONFLICT" // two versions of a record, and no telling which holds
	GapUnknownLaw      = "UNKNOWN_LAW"      // a record under a law that is not on the list
	GapTokenTooNarrow  = "DOEL-02"          // the access token does not name the source or the category
)

// GapDetails lists them all, by their reason. A closed list.
func GapDetails() map[string][]string {
	return map[string][]string{
		ReasonSourceUnavailable: {GapCertificateRefused, GapNameNotFound, GapNumberMissing, GapPeerCut, GapPeerRecord, GapPeerUnreachable, GapSourceCertificate},
		ReasonSourceTimeout:     {GapPeerSilent},
		ReasonPeerRefused: {
			GapLoginRefused, GapNotAuthorised, GapPeerAgreement, GapPeerClock, GapPeerConsent, GapPeerPermit, GapPeerPolicy, GapPeerVersion, GapRateLimited,
		},
		ReasonNoConsent: {GapConsentChanged}, ReasonAgreementExpired: {GapAgreementReplaced}, ReasonNoAgreement: {GapAuditorNotNamed},
		ReasonPolicyDenied:      {GapAuditWithheld},
		ReasonBadDataAtSource:   {GapRecordSkipped, GapUnknownLaw, GapVersionConflict},
		ReasonPurposeNotAllowed: {GapTokenTooNarrow},
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

// PeerDetail is the detail of a refusal by another organisation's gateway, by who can repair
// it, for the reason that it gives; empty where that is not known.
func PeerDetail(reason string) string {
	switch reason {
	case ReasonNoAgreement, ReasonAgreementExpired, ReasonAgreementUncertain:
		return GapPeerAgreement
	case ReasonNoConsent, ReasonConsentExpired, ReasonConsentWithdrawn, ReasonConsentUncertain, ReasonWrongSigner, ReasonAuthorityUnclear, ReasonOtherHousehold:
		return GapPeerConsent
	case ReasonPolicyDenied, ReasonPurposeNotAllowed, ReasonNoLegalBasis:
		return GapPeerPolicy
	}
	return ""
}
