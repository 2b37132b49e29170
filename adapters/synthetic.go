package adapters

import (
	"cmp"
	"strings"

	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// nobody is a burgerservicenummer that is given to nobody, and noPupil an onderwijsnummer
// likewise, which is no burgerservicenummer.
const (
	nobody  = "999940004"
	noPupil = "999940011"
)

// SyntheticRequest asks for all that an adapter declares, of one person, over the days given. An
// empty number is nobody's.
func SyntheticRequest(what *adapterv1.DescribeResponse, number string, over *budgetv1.Window) *budgetv1.FetchRequest {
	r := &budgetv1.FetchRequest{
		Purpose:     "synthetic", // nobody's
		Requester:   strings.Repeat("0", 20),
		Identifiers: &budgetv1.Identifiers{}, Window: over, HistoryFrom: over.GetFrom(),
	}
	for _, id := range what.GetIdentifiers() {
		switch id {
		case budgetv1.IdentifierBSN:
			r.Identifiers.Bsn = cmp.Or(number, nobody)
		case budgetv1.IdentifierEducationNumber:
			r.Identifiers.EducationNumber = cmp.Or(number, noPupil)
		case budgetv1.IdentifierPassNumber:
			r.Identifiers.PassNumber = cmp.Or(number, nobody)
		}
	}
	for _, law := range what.GetLaws() {
		r.Scopes = append(r.Scopes, &budgetv1.Scope{Law: law, Categories: what.GetCategories()})
	}
	return r
}
