package ontschotv1

import "slices"

// Levels of assurance of who somebody is (eIDAS, 910/2014 art. 8).
const (
	AssuranceLow         = "laag"
	AssuranceSubstantial = "substantieel"
	AssuranceHigh        = "hoog"
)

// Assurances lists the levels from low to high. A closed list.
func Assurances() []string { return []string{AssuranceLow, AssuranceSubstantial, AssuranceHigh} }

// Assured reports whether a level is at least another. One that is not known is no level: it
// reaches nothing, and is reached by nothing.
func Assured(level, least string) bool {
	asked := slices.Index(Assurances(), least)
	return asked >= 0 && slices.Index(Assurances(), level) >= asked
}
