package ontschotv1

// Levels of assurance of who somebody is (eIDAS, 910/2014 art. 8).
const (
	AssuranceLow         = "laag"
	AssuranceSubstantial = "substantieel"
	AssuranceHigh        = "hoog"
)

// Assurances lists the levels from low to high. A closed list.
func Assurances() []string { return []string{AssuranceLow, AssuranceSubstantial, AssuranceHigh} }
