package gateway

import (
	"context"
	"encoding/json"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// TakeOver takes in the documents of an earlier record, in the order in which they were
// entered there: agreements and delegations that nothing has ended, and every consent,
// which is ended again when it had. All of them wait, as they were made before this
// epoch of the log. It gives how many were taken in, and why others were not. When the
// record cannot be read or written (audit.ErrUnavailable) or ctx ends, it stops there.
func (g *Gateway) TakeOver(ctx context.Context, list []audit.EarlierDocument) (taken int, refused []string, err error) {
	for _, d := range list {
		if d.Kind != audit.ConsentDocument && (d.Ended || d.Kind != audit.AgreementDocument && d.Kind != audit.DelegationDocument) {
			continue // negotiations begin anew
		}
		r, err := g.earlierRequest(d)
		if err == nil {
			_, err = g.TakeIn(ctx, r)
		}
		if err != nil {
			switch status.Code(outward(err)) {
			case codes.Unavailable, codes.Canceled, codes.DeadlineExceeded: // nothing is wrong with the document
				return taken, refused, err
			}
			refused = append(refused, fmt.Sprintf("%s %s: %v", d.Kind, d.ID, err))
			continue
		}
		taken++
		if !d.Ended {
			continue
		}
		e := audit.Entry{Kind: audit.Withdrawal, Activity: ontschotv1.PurposeKeepConsents, Status: "converted", Organisations: []identity.OIN{g.Own}, Consents: []string{d.ID}, End: d.ID}
		if _, err := g.append(ctx, e); err != nil {
			return taken, refused, err
		}
	}
	return taken, refused, nil
}

// earlierRequest is a kept document as it is brought in.
func (g *Gateway) earlierRequest(d audit.EarlierDocument) (*ontschotv1.RegisterRequest, error) {
	r := &ontschotv1.RegisterRequest{Document: d.Body}
	if d.Kind != audit.ConsentDocument {
		return r, nil
	}
	var open openings
	if err := json.Unmarshal(d.Openings, &open); err != nil {
		return nil, consent.ErrDocument
	}
	key, err := unseal(g.PseudonymKeys, d.ID, open.SubjectKey)
	r.Disclosures, r.SubjectKey, r.Pseudonym = open.Disclosures, key, d.Subject
	return r, err
}
