package evidence

import (
	"encoding/hex"
	"slices"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// RestsOf lists what the answers of these sources rest on; moved says which consents are to be
// named by another id than the reports do.
func (c Config) RestsOf(sources []*budgetv1.SourceReport, moved map[register.Rest]string) []register.Rest {
	var e audit.Entry
	for _, s := range sources {
		if !s.Disclosed() {
			continue
		}
		party, _ := c.Organisations.ByCode(s.GetSource())
		rest := register.Rest{ID: s.GetConsent(), Source: party.OIN, Recipient: c.Own}
		if id := moved[rest]; id != "" {
			rest.ID = id
		}
		e.RestOn(rest)
		if s.GetAgreement() != "" {
			e.RestOn(register.Rest{ID: s.GetAgreement()})
		}
	}
	return e.Rests
}

// Concern says in an entry whom and what it concerns, from documents. What rests on no
// consent names none.
func (c Config) Concern(e *audit.Entry, rests []register.Rest, consents bool) {
	documents := c.Documents.Register()
	for _, rest := range rests {
		d, known := documents.Document(rest.ID)
		if !known {
			continue
		}
		if d.Kind == audit.AgreementDocument {
			e.Concern("", hex.EncodeToString(d.Digest[:]))
			continue
		}
		if consents {
			e.Concern(rest.ID, "")
		}
		if !slices.ContainsFunc(e.Subjects, func(s []byte) bool { return string(s) == d.Subject }) {
			e.Subjects = append(e.Subjects, []byte(d.Subject))
		}
	}
}
