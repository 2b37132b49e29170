package ontschotv1

// Purposes that an access token can be issued for.
const (
	// PurposeComposeBudget is asking sources for one integrated budget. View, plan,
	// dissolution and sunset of a budget are for the purpose that it was composed for.
	PurposeComposeBudget = "integral_budget.compose"
	// PurposeAccountForBudget is a purpose of its own: accounting for money rests on the
	// public task (AVG art. 6 lid 1 onder e), and on no consent.
	PurposeAccountForBudget  = "integral_budget.account"
	PurposeKeepConsents      = "consents.keep"
	PurposeEraseConsents     = "consents.erase"
	PurposeRegisterDocuments = "documents.register"
	PurposeSignAgreements    = "agreements.sign"
)

// Purposes lists those that the program itself knows. A folder of policies can name others
// that a budget is composed for.
func Purposes() []string {
	return []string{
		PurposeComposeBudget, PurposeAccountForBudget, PurposeKeepConsents, PurposeEraseConsents,
		PurposeRegisterDocuments, PurposeSignAgreements,
	}
}
