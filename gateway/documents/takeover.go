package documents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/evidence"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// TakeOver takes in the documents of an earlier record, in the order in which they were
// entered there: agreements and delegations that nothing has ended, and every consent,
// which is ended again when it had. All of them wait, as they were made before this
// epoch of the log. It gives how many were taken in, and why others were not. When the
// record cannot be read or written (audit.ErrUnavailable) or ctx ends, it stops there.
func (s *Service) TakeOver(ctx context.Context, list []audit.EarlierDocument) (taken int, refused []string, err error) {
	for _, d := range list {
		if d.Kind != audit.ConsentDocument && (d.Ended || d.Kind != audit.AgreementDocument && d.Kind != audit.DelegationDocument) {
			continue // negotiations begin anew
		}
		r, err := s.earlierRequest(d)
		if err == nil {
			_, err = s.TakeIn(ctx, r)
		}
		if err != nil {
			if unready(err) { // nothing is wrong with the document
				return taken, refused, err
			}
			refused = append(refused, fmt.Sprintf("%s %s: %v", d.Kind, d.ID, err))
			continue
		}
		taken++
		if !d.Ended {
			continue
		}
		e := audit.Entry{Kind: audit.Withdrawal, Activity: ontschotv1.PurposeKeepConsents, Status: "converted", Organisations: []identity.OIN{s.Own}, Consents: []string{d.ID}, End: d.ID}
		if _, err := audit.Append(ctx, s.Record, e); err != nil {
			return taken, refused, err
		}
	}
	return taken, refused, nil
}

// earlierRequest is a registered document as it is registered again.
func (s *Service) earlierRequest(d audit.EarlierDocument) (*ontschotv1.RegisterRequest, error) {
	r := &ontschotv1.RegisterRequest{Document: d.Body}
	if d.Kind != audit.ConsentDocument {
		return r, nil
	}
	var open evidence.Openings
	if err := json.Unmarshal(d.Openings, &open); err != nil {
		return nil, consent.ErrDocument
	}
	key, err := s.Pseudonyms.Unseal(d.ID, open.SubjectKey)
	r.Disclosures, r.SubjectKey, r.Pseudonym = open.Disclosures, key, d.Subject
	return r, err
}

// unready reports whether the record cannot be read or written now.
func unready(err error) bool {
	return evidence.Unreadable(err) != nil || errors.Is(err, audit.ErrTampered) || errors.Is(err, audit.ErrBehind)
}
