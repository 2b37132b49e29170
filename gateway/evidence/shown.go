package evidence

import (
	"context"

	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// Shown is what the gateway of another organisation shows with its question, as the keeper of
// the consent.
type Shown struct {
	Consent    string // compact JWS, in which the grants of other sources are closed
	Disclosure string // opens the grant of this source
	SubjectKey []byte // opens the commitment to the person; nil where the source may not know their number
}

// shown is the Evidence for the question of another organisation's gateway: the agreement is
// the one that was registered here, whatever is presented, and the consent is the one that
// its keeper shows. That it was not withdrawn is the keeper's word, given in the permit.
type shown struct {
	registered
	by Shown
}

// ShownBy is what counts at this moment for another organisation's question.
func (r Registered) ShownBy(caller token.Caller, purpose string, today civil.Date, by Shown) Evidence {
	return shown{r.begin(caller, purpose, today), by}
}

// Consent: see Evidence.
func (s shown) Consent(_ context.Context, subject Subject, source identity.Organisation) (consent.Consent, error) {
	d, err := consent.VerifyShown(s.Keys, []byte(s.by.Consent), s.by.Disclosure, s.by.SubjectKey)
	if err != nil || d.Keeper() != s.caller.Organisation() {
		return consent.Consent{}, consent.ErrNone
	}
	return consent.Find([]consent.Document{d}, consent.Use{
		Subject: subject.BSN, Vouched: s.by.SubjectKey == nil, Source: source.OIN, Recipient: s.caller.Organisation(),
		Purpose: s.purpose, Case: s.caller.Case(), Today: s.today, Ended: func(string) bool { return false },
	})
}
