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
