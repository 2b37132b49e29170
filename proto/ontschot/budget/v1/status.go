package budgetv1

// Statuses of a cell of the household matrix. A source that answered is OK as well.
const (
	StatusOK        = "OK"
	StatusPartial   = "PARTIAL"
	StatusNoConsent = "NO_CONSENT"
	StatusNoRight   = "NO_RIGHT"
	StatusNotAsked  = "NOT_ASKED"
	StatusNotShared = "NOT_SHARED" // in the view of one member: the cell of another
)

// Statuses lists them all. A closed list.
func Statuses() []string {
	return []string{StatusOK, StatusPartial, StatusNoConsent, StatusNoRight, StatusNotAsked, StatusNotShared}
}
