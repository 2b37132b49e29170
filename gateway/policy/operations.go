package policy

import ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"

// Operation and its constants are those of ontschotv1, until every room names them there.
type Operation = ontschotv1.Operation

const (
	GiveConsent      = ontschotv1.OperationGiveConsent
	ReadConsents     = ontschotv1.OperationReadConsents
	NarrowConsent    = ontschotv1.OperationNarrowConsent
	ConfirmConsent   = ontschotv1.OperationConfirmConsent
	EraseConsents    = ontschotv1.OperationEraseConsents
	RegisterDocument = ontschotv1.OperationRegisterDocument
	ProposeAgreement = ontschotv1.OperationProposeAgreement
	AcceptAgreement  = ontschotv1.OperationAcceptAgreement
	RejectAgreement  = ontschotv1.OperationRejectAgreement
	RevokeAgreement  = ontschotv1.OperationRevokeAgreement
	ConfirmAgreement = ontschotv1.OperationConfirmAgreement
	ReadAgreements   = ontschotv1.OperationReadAgreements
	GiveDelegation   = ontschotv1.OperationGiveDelegation
	EndDelegation    = ontschotv1.OperationEndDelegation
	ReadDelegations  = ontschotv1.OperationReadDelegations
	ViewBudget       = ontschotv1.OperationViewBudget
	PlanBudget       = ontschotv1.OperationPlanBudget
	AccountForBudget = ontschotv1.OperationAccountForBudget
	DissolveBudget   = ontschotv1.OperationDissolveBudget
	SunsetBudget     = ontschotv1.OperationSunsetBudget
	ReadLog          = ontschotv1.OperationReadLog
)
