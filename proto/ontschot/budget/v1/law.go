package budgetv1

import "slices"

// Laws are the laws that a line can be under, in the order in which they are told: what
// the municipality grants, long-term care, health insurance, UWV, and the others.
func Laws() []string {
	return []string{"WMO", "JW", "WLZ", "ZVW", "WIA", "WAJONG", "WW", "ZW", "PW", "UWV_PROVISION", "EDU", "LLV", "VALYS"}
}

// LawRank is the place of a law among them; one that is none of them comes last.
func LawRank(law string) int {
	laws := Laws()
	if i := slices.Index(laws, law); i >= 0 {
		return i
	}
	return len(laws)
}
