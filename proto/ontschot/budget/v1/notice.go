package budgetv1

// Codes of the notices of a source.
const (
	NoticeSkipped        = "SKIPPED"           // a record that gave no line
	NoticeStale          = "STALE"             // data older than they should be
	NoticeUnknownCode    = "UNKNOWN_CODE"      // of an outside list
	NoticeConflict       = "CONFLICT"          // two records of one right with unequal money
	NoticeUnknownElement = "UNKNOWN_ELEMENT"   // a member of a record that the adapter does not know
	NoticeRowOmitted     = "AWARD_ROW_OMITTED" // a row of an award that the next message should have told again
)

// NoticeReasonZero is the reason of a notice SKIPPED or AWARD_ROW_OMITTED about a row that was
// withdrawn by an amount of 0, and not as it should be: over more than its first day.
const NoticeReasonZero = "ZERO"

// NoticeCodes lists them all. A closed list.
func NoticeCodes() []string {
	return []string{NoticeSkipped, NoticeStale, NoticeUnknownCode, NoticeConflict, NoticeUnknownElement, NoticeRowOmitted}
}
