package budgetv1

import "slices"

// The laws that a line can be under.
const (
	LawWMO          = "WMO"
	LawJW           = "JW"
	LawWLZ          = "WLZ"
	LawZVW          = "ZVW"
	LawWIA          = "WIA"
	LawWAO          = "WAO"
	LawWAJONG       = "WAJONG"
	LawWW           = "WW"
	LawZW           = "ZW"
	LawTW           = "TW"
	LawPW           = "PW"
	LawUWVProvision = "UWV_PROVISION"
	LawEDU          = "EDU"
	LawLLV          = "LLV"
	LawVALYS        = "VALYS"
)

// Laws lists them all, in the order in which they are shown: what the municipality grants,
// long-term care, health insurance, benefits, and the others. A closed list.
func Laws() []string {
	return []string{
		LawWMO, LawJW, LawWLZ, LawZVW, LawWIA, LawWAO, LawWAJONG, LawWW, LawZW, LawTW, LawPW,
		LawUWVProvision, LawEDU, LawLLV, LawVALYS,
	}
}

// LawRank is the place of a law among them; one that is none of them comes last.
func LawRank(law string) int {
	laws := Laws()
	if i := slices.Index(laws, law); i >= 0 {
		return i
	}
	return len(laws)
}
