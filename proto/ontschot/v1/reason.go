package ontschotv1

// Reasons for which a gateway takes no document from another one. What else it may say is of
// no use to who delivered it.
const (
	ReasonAgreementInvalid  = "AGREEMENT_INVALID"
	ReasonStatementInvalid  = "STATEMENT_INVALID"
	ReasonUnknownAgreement  = "NO_AGREEMENT"
	ReasonOtherTerms        = "OTHER_TERMS"
	ReasonProposalClosed    = "PROPOSAL_CLOSED"
	ReasonUnknownPeer       = "UNKNOWN_PEER"
	ReasonTooManyProposals  = "TOO_MANY_PROPOSALS"
	ReasonTooManyDeliveries = "TOO_MANY_DELIVERIES"
	ReasonDocumentConflict  = "DOCUMENT_CONFLICT"
	ReasonDocumentEnded     = "DOCUMENT_ENDED"
	ReasonDocumentReplaced  = "DOCUMENT_REPLACED"
	ReasonBothWait          = "UNCERTAIN"
)

// DeliveryReasons lists them all. A closed list.
func DeliveryReasons() []string {
	return []string{
		ReasonAgreementInvalid, ReasonStatementInvalid, ReasonUnknownAgreement, ReasonOtherTerms, ReasonProposalClosed, ReasonUnknownPeer,
		ReasonTooManyProposals, ReasonTooManyDeliveries, ReasonDocumentConflict, ReasonDocumentEnded, ReasonDocumentReplaced, ReasonBothWait,
	}
}

// Reasons for which a gateway answers no question of another one, beside those of a gap. What
// the one that asked makes of them says who can repair it.
const (
	ReasonTokenMissing      = "TOKEN_MISSING"
	ReasonTokenExpired      = "TOKEN_EXPIRED"
	ReasonTokenNotBound     = "TOKEN_NOT_BOUND"
	ReasonTokenAudience     = "TOKEN_AUDIENCE"
	ReasonTokenInvalid      = "TOKEN_INVALID"
	ReasonPermitUsed        = "PERMIT_USED"
	ReasonPermitTime        = "PERMIT_TIME"
	ReasonPermitInvalid     = "PERMIT_INVALID"
	ReasonCertificate       = "CERTIFICATE_NOT_TRUSTED"
	ReasonRecordUnavailable = "RECORD_UNAVAILABLE"
	ReasonChangedMeanwhile  = "CHANGED_MEANWHILE"
	ReasonGatewayEnding     = "GATEWAY_ENDING"
)

// PermitReasons lists those for which a permit was not taken. A closed list.
func PermitReasons() []string {
	return []string{
		ReasonTokenMissing, ReasonTokenExpired, ReasonTokenNotBound, ReasonTokenAudience, ReasonTokenInvalid, ReasonPermitUsed, ReasonPermitInvalid,
	}
}
