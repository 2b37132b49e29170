package budgetv1

// The kinds of party.
const (
	KindMunicipality = "MUNICIPALITY"
	KindCareOffice   = "CARE_OFFICE"
	KindUWV          = "UWV"
	KindInsurer      = "INSURER"
	KindSVB          = "SVB"
	KindCAK          = "CAK"
	KindEducation    = "EDUCATION"
	KindTransport    = "TRANSPORT"
)

// Kinds lists the kinds of party: those that grant care, then income, then figures only,
// then the others. A closed list.
func Kinds() []string {
	return []string{
		KindMunicipality, KindCareOffice, KindUWV, KindInsurer, KindSVB, KindCAK, KindEducation, KindTransport,
	}
}

// The numbers by which a source can know a person: the fields of Identifiers.
const (
	IdentifierBSN             = "bsn"
	IdentifierEducationNumber = "education_number"
	IdentifierPassNumber      = "pass_number"
)

// IdentifierNames lists them all. A closed list.
func IdentifierNames() []string {
	return []string{IdentifierBSN, IdentifierEducationNumber, IdentifierPassNumber}
}

// IdentifierOf is the number that a source of a kind may be sent, and the only one.
// Education and transport may not be sent a BSN.
func IdentifierOf(kind string) string {
	switch kind {
	case KindEducation:
		return IdentifierEducationNumber
	case KindTransport:
		return IdentifierPassNumber
	}
	return IdentifierBSN
}
