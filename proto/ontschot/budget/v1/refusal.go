package budgetv1

// Codes of why an allocation of a plan is refused, in the order in which it is tested; the
// first that applies is given.
const (
	RefusalOutsideWindow   = "OUTSIDE_WINDOW"
	RefusalUnknownLine     = "UNKNOWN_LINE"
	RefusalNotCareMoney    = "NOT_CARE_MONEY"
	RefusalNoAmount        = "NO_AMOUNT"
	RefusalSplitSum        = "SPLIT_SUM"
	RefusalSplitAcrossLaws = "SPLIT_ACROSS_LAWS"
	RefusalOutsideBasis    = "OUTSIDE_BASIS"
	RefusalNotBeneficiary  = "NOT_BENEFICIARY"
	RefusalOverallocated   = "OVERALLOCATED"
)

// RefusalCodes lists them all, in that order. A closed list.
func RefusalCodes() []string {
	return []string{
		RefusalOutsideWindow, RefusalUnknownLine, RefusalNotCareMoney, RefusalNoAmount, RefusalSplitSum,
		RefusalSplitAcrossLaws, RefusalOutsideBasis, RefusalNotBeneficiary, RefusalOverallocated,
	}
}
