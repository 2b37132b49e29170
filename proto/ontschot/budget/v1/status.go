package budgetv1

// Statuses of a cell of the household matrix. A source that answered is OK
// as well, or PARTIAL when a part of its answer could not be read.
const (
	StatusOK        = "OK"
	StatusPartial   = "PARTIAL"
	StatusNoConsent = "NO_CONSENT"
	StatusNoRight   = "NO_RIGHT"
	StatusNotAsked  = "NOT_ASKED"
	StatusNotShared = "NOT_SHARED" // in the view of one member: the cell of another
)

// Disclosed reports whether a source disclosed what it has, in full or in part: such an
// answer rests on a consent and an agreement.
func (r *SourceReport) Disclosed() bool {
	return r.GetStatus() == StatusOK || r.GetStatus() == StatusPartial
}

// Statuses lists them all. A closed list.
func Statuses() []string {
	return []string{StatusOK, StatusPartial, StatusNoConsent, StatusNoRight, StatusNotAsked, StatusNotShared}
}
