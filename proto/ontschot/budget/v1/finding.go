package budgetv1

// Codes of findings: a closed list. A finding asks a human to look; the system
// never decides a right. First those about rights, then about ages and dates,
// about money, about documents, about the data, and about a plan.
const (
	FindingDupDelivery          = "DUP_DELIVERY"           // one product in kind and as pgb at once (rule OP043)
	FindingPriorityLawOverlap   = "PRIORITY_LAW_OVERLAP"   // a right beside a Wlz right that goes first
	FindingDupFunder            = "DUP_FUNDER"             // one product from two municipalities, care offices or insurers at once
	FindingDupNeed              = "DUP_NEED"               // one need served under two laws
	FindingSameRecord           = "SAME_RECORD"            // two records of one right, counted once
	FindingGap                  = "GAP"                    // days without the right
	FindingTransition18         = "TRANSITION_18"          // the 18th birthday
	FindingAowAge               = "AOW_AGE"                // the day the state pension begins
	FindingIndicationEnds       = "INDICATION_ENDS"        // ends within 90 days, nothing follows
	FindingContinuityLimit      = "CONTINUITY_LIMIT"       // the last day the new municipality must continue youth care
	FindingMoveFunderChange     = "MOVE_FUNDER_CHANGE"     // municipality or care office changes
	FindingOverspent            = "OVERSPENT"              // more was spent than was awarded
	FindingOverallocated        = "OVERALLOCATED"          // a plan takes more than there is
	FindingUnallocated          = "UNALLOCATED"            // a plan leaves money
	FindingOneCaregiverOver40H  = "ONE_CAREGIVER_OVER_40H" // one carer, more than 40 hours a week
	FindingTariffAboveMax       = "TARIFF_ABOVE_MAX"       // above the highest tariff that is allowed: see below
	FindingConsentExpires       = "CONSENT_EXPIRES"        // within 30 days
	FindingConsentRenewAt12     = "CONSENT_RENEW_AT_12"
	FindingConsentRenewAt16     = "CONSENT_RENEW_AT_16"
	FindingConsentRenewAt18     = "CONSENT_RENEW_AT_18"
	FindingLegalBasisEnds       = "LEGAL_BASIS_ENDS"       // pooling across laws stops
	FindingUnknownCode          = "UNKNOWN_CODE"           // of an outside list
	FindingUnknownElement       = "UNKNOWN_ELEMENT"        // a member of a record that we do not know
	FindingPartial              = "PARTIAL"                // something is missing; the gaps say what
	FindingConflict             = "CONFLICT"               // two records of one right contradict each other
	FindingAwardMissing         = "AWARD_MISSING"          // a decision grants days that no award covers
	FindingRowOmitted           = "AWARD_ROW_OMITTED"      // an award left out a right that the one before it had, or withdrew it oddly
	FindingOverlappingAwards    = "OVERLAPPING_AWARDS"     // two awards for one function on the same days
	FindingSpendingUnmatched    = "SPENDING_UNMATCHED"     // spent of a budget that is not known here
	FindingLineCrossesWindow    = "LINE_CROSSES_WINDOW"    // only a part of one decided total counts here
	FindingPlanContestedLine    = "PLAN_CONTESTED_LINE"    // a plan spends a contested line
	FindingPlanOtherBeneficiary = "PLAN_OTHER_BENEFICIARY" // a plan pays for somebody else under the same law

	// Own contributions of one household, or of several: the source does not tell.
	FindingContributionUnknown = "CONTRIBUTION_HOUSEHOLD_UNKNOWN"
	FindingPlanOutsideLine     = "PLAN_OUTSIDE_LINE" // a plan pays before its line begins, or after it ends
	FindingExceedsRemaining    = "EXCEEDS_REMAINING" // a plan spends more after today than is left of a line
)

// FindingCodes lists them all, in that order.
//
// TARIFF_ABOVE_MAX is judged against a table that whoever checks a plan brings along, and no
// table comes with the program: then a plan says that it was not judged (not_judged). The
// tariffs of the Wlz are national (Regeling langdurige zorg) and change every year, those of
// the Wmo and the Jeugdwet are each municipality's own; and which of two holds, the formal
// or the informal one, depends on the carer's registration and kinship, of which a plan
// says nothing. ONE_CAREGIVER_OVER_40H is judged of every allocation that says its hours
// per week.
func FindingCodes() []string {
	return []string{
		FindingDupDelivery, FindingPriorityLawOverlap, FindingDupFunder, FindingDupNeed,
		FindingSameRecord, FindingGap, FindingTransition18, FindingAowAge, FindingIndicationEnds,
		FindingContinuityLimit, FindingMoveFunderChange, FindingOverspent, FindingOverallocated,
		FindingUnallocated, FindingOneCaregiverOver40H, FindingTariffAboveMax, FindingConsentExpires,
		FindingConsentRenewAt12, FindingConsentRenewAt16, FindingConsentRenewAt18,
		FindingLegalBasisEnds, FindingUnknownCode, FindingUnknownElement, FindingPartial, FindingConflict,
		FindingAwardMissing, FindingRowOmitted, FindingOverlappingAwards, FindingSpendingUnmatched,
		FindingLineCrossesWindow, FindingPlanContestedLine, FindingPlanOtherBeneficiary,
		FindingContributionUnknown,
		FindingPlanOutsideLine, FindingExceedsRemaining,
	}
}

// Details of findings of which the text says something else than that of the code. They are
// no part of a finding: they follow from it.
const (
	DetailPast     = "PAST"     // its day has been
	DetailQuestion = "QUESTION" // it may well be right as it is
	DetailAfter    = "AFTER"    // of PLAN_OUTSIDE_LINE: past the last day of the line, which is its date
	DetailUpTo     = "UP_TO"    // of OVERSPENT: by what a line contributed before its date
	DetailCovered  = "COVERED"  // of OVERSPENT: and the money of other lines covers it
	DetailZero     = "ZERO"     // of AWARD_ROW_OMITTED: withdrawn, and not as it should be
	DetailOffices  = "OFFICES"  // of DUP_FUNDER: two care offices
	DetailInsurers = "INSURERS" // of DUP_FUNDER: two insurers
)

// FindingDetails lists them all, by the code of the finding. A closed list.
func FindingDetails() map[string][]string {
	return map[string][]string{
		FindingTransition18: {DetailPast}, FindingAowAge: {DetailPast}, FindingContinuityLimit: {DetailPast},
		FindingLegalBasisEnds: {DetailPast}, FindingDupDelivery: {DetailQuestion},
		FindingRowOmitted: {DetailZero}, FindingDupFunder: {DetailInsurers, DetailOffices},
		FindingOverspent: {DetailCovered, DetailUpTo}, FindingPlanOutsideLine: {DetailAfter},
	}
}

// FindingDetail is what more the text of a finding says on a civil date (YYYY-MM-DD); empty:
// nothing. The day of a birthday has been on the day itself; the last day of what ends has
// been on the day after.
func FindingDetail(f *Finding, today string) string {
	switch f.GetCode() {
	case FindingTransition18, FindingAowAge:
		if today != "" && f.GetDate() <= today {
			return DetailPast
		}
	case FindingContinuityLimit, FindingLegalBasisEnds:
		if today != "" && f.GetDate() < today {
			return DetailPast
		}
	case FindingDupDelivery:
		if f.GetSeverity() == SeverityWarning {
			return DetailQuestion
		}
	case FindingRowOmitted:
		if f.GetSeverity() == SeverityInfo {
			return DetailZero
		}
	case FindingDupFunder:
		switch f.GetLaw() {
		case LawWLZ:
			return DetailOffices
		case LawZVW:
			return DetailInsurers
		}
	case FindingPlanOutsideLine:
		if f.GetDate() < f.GetFrom() {
			return DetailAfter
		}
	case FindingOverspent:
		switch {
		case f.GetDate() == "": // by the whole award
		case len(f.GetLines()) > 1:
			return DetailCovered
		default:
			return DetailUpTo
		}
	}
	return ""
}

// What a finding weighs: an ERROR cannot stay as it is, a WARNING asks somebody to act or
// to look, an INFO explains.
const (
	SeverityError   = "ERROR"
	SeverityWarning = "WARNING"
	SeverityInfo    = "INFO"
)

// Severities lists them all, the gravest first.
func Severities() []string { return []string{SeverityError, SeverityWarning, SeverityInfo} }
