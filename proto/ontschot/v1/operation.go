package ontschotv1

// Operation is what a case worker comes to do. Each has a cell in the table of operations
// of the policy; one without a cell is denied to everybody.
type Operation string

// The operations. Withdrawing a consent is none: it needs no permission (AVG art. 7 lid 3).
const (
	OperationGiveConsent      Operation = "consents.give"
	OperationReadConsents     Operation = "consents.read"
	OperationNarrowConsent    Operation = "consents.narrow"
	OperationConfirmConsent   Operation = "consents.confirm"
	OperationEraseConsents    Operation = "consents.erase"
	OperationRegisterDocument Operation = "documents.register"
	OperationProposeAgreement Operation = "agreements.propose"
	OperationAcceptAgreement  Operation = "agreements.accept"
	OperationRejectAgreement  Operation = "agreements.reject"
	OperationRevokeAgreement  Operation = "agreements.revoke"
	OperationConfirmAgreement Operation = "agreements.confirm"
	OperationReadAgreements   Operation = "agreements.read"
	OperationGiveDelegation   Operation = "delegations.give"
	OperationEndDelegation    Operation = "delegations.end"
	OperationReadDelegations  Operation = "delegations.read"
	OperationViewBudget       Operation = "budget.view"
	OperationPlanBudget       Operation = "budget.plan"
	OperationAccountForBudget Operation = "budget.account"
	OperationAuditSpending    Operation = "budget.audit"
	OperationDissolveBudget   Operation = "budget.dissolve"
	OperationSunsetBudget     Operation = "budget.sunset"
	OperationReadLog          Operation = "log.read"
	OperationEvaluatePolicy   Operation = "policy.evaluate"
)

// Operations lists them all. A closed list.
func Operations() []Operation {
	return []Operation{
		OperationGiveConsent, OperationReadConsents, OperationNarrowConsent, OperationConfirmConsent, OperationEraseConsents,
		OperationRegisterDocument,
		OperationProposeAgreement, OperationAcceptAgreement, OperationRejectAgreement, OperationRevokeAgreement,
		OperationConfirmAgreement, OperationReadAgreements,
		OperationGiveDelegation, OperationEndDelegation, OperationReadDelegations,
		OperationViewBudget, OperationPlanBudget, OperationAccountForBudget, OperationAuditSpending,
		OperationDissolveBudget, OperationSunsetBudget,
		OperationReadLog, OperationEvaluatePolicy,
	}
}
