package budgetv1

// The forms in which help or money comes.
const (
	FormPGB           = "PGB"
	FormZIN           = "ZIN"
	FormMPT           = "MPT"
	FormVPT           = "VPT"
	FormDTV           = "DTV"       // part-time stay
	FormUndecided     = "UNDECIDED" // there is a right; how the care is delivered is not known
	FormCash          = "CASH"
	FormSubsidy       = "SUBSIDY"
	FormReimbursement = "REIMBURSEMENT"
)

// DeliveryForms lists them all. A closed list.
func DeliveryForms() []string {
	return []string{FormPGB, FormZIN, FormMPT, FormVPT, FormDTV, FormUndecided, FormCash, FormSubsidy, FormReimbursement}
}

// What money may be used for. Only POOLABLE money is in the care total.
const (
	MoneyPoolable   = "POOLABLE"
	MoneyRingfenced = "RINGFENCED"
	MoneyIncome     = "INCOME"
	MoneyInKind     = "IN_KIND"
)

// Fungibilities lists them all. A closed list.
func Fungibilities() []string {
	return []string{MoneyPoolable, MoneyRingfenced, MoneyIncome, MoneyInKind}
}
