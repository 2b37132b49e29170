package ontschotv1

import "strings"

// Purposes that an access token can be issued for.
const (
	// PurposeComposeBudget is asking sources for one integrated budget. View, plan,
	// dissolution and sunset of a budget are for the purpose that it was composed for.
	PurposeComposeBudget = "integral_budget.compose"
	// PurposeAccountForBudget is a purpose of its own: accounting for money rests on the
	// public task (AVG art. 6 lid 1 onder e), and on no consent.
	PurposeAccountForBudget = "integral_budget.account"
	// PurposeAuditSpending is that of whom an agreement names as auditor: the same accounts,
	// of the money under that agreement.
	PurposeAuditSpending     = "integral_budget.audit"
	PurposeKeepConsents      = "consents.keep"
	PurposeEraseConsents     = "consents.erase"
	PurposeRegisterDocuments = "documents.register"
	PurposeSignAgreements    = "agreements.sign"
	// PurposeEvaluatePolicy is asking what the policy would say of facts that one brings.
	PurposeEvaluatePolicy = "policy.evaluate"
)

// Purposes lists those that the program itself knows. A folder of policies can name others
// that a budget is composed for.
func Purposes() []string {
	return []string{
		PurposeComposeBudget, PurposeAccountForBudget, PurposeAuditSpending, PurposeKeepConsents, PurposeEraseConsents,
		PurposeRegisterDocuments, PurposeSignAgreements, PurposeEvaluatePolicy,
	}
}

// AsksNoSource reports whether a purpose is about a budget that was composed before: for it no
// source is asked, and its cells ask for no consent.
func AsksNoSource(purpose string) bool {
	return purpose == PurposeAccountForBudget || purpose == PurposeAuditSpending
}

// IsPurpose reports whether a text has the form of a purpose: words with a dot between them,
// each of small letters, digits and _ that begins with a letter, such as
// integral_budget.compose. One word is enough, and there is no bound on their number or
// length: whoever reads a purpose bounds it (the messages: four words of 32 characters).
func IsPurpose(s string) bool {
	for word := range strings.SplitSeq(s, ".") {
		if word == "" || word[0] < 'a' || word[0] > 'z' || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return false
		}
	}
	return true
}
