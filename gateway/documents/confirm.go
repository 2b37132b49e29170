package documents

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// ConfirmConsent makes a consent count again that waits since the record was taken on
// from a store that lacked entries. Whoever confirms it has asked the person.
func (s *Service) ConfirmConsent(ctx context.Context, r *ontschotv1.ConfirmConsentRequest) (*ontschotv1.ConfirmConsentResponse, error) {
	d, err := s.Admission.Admit(ctx, admission.Door{Purpose: ontschotv1.PurposeKeepConsents, Operation: ontschotv1.OperationConfirmConsent}, r)
	if err != nil {
		return nil, err
	}
	bsn, err := admission.TakeBSN("identifiers", &r.Identifiers)
	if err != nil {
		return nil, err
	}
	registered, opened, err := s.consentOf(ctx, d.Caller(), r.GetId())
	if err != nil {
		return nil, err
	}
	if !opened.Of(bsn) {
		return nil, consent.ErrOtherPerson
	}
	e := audit.Entry{
		Kind: audit.Confirmation, Activity: ontschotv1.PurposeKeepConsents, Status: "confirmed", Organisations: []identity.OIN{s.Own},
		Subjects: [][]byte{[]byte(registered.Subject)}, Consents: []string{registered.ID}, Confirm: registered.ID,
	}
	if _, err := s.record(ctx, d, s.confirmedBy(d, e)); err != nil {
		return nil, err
	}
	receipt, err := s.receipt(ctx, d.Caller(), registered.ID)
	return &ontschotv1.ConfirmConsentResponse{Receipt: receipt}, err
}

// confirmedBy commits in an entry to who confirms, so that it can be shown later who did;
// no name is in it.
func (s *Service) confirmedBy(d admission.Call, e audit.Entry) audit.Entry {
	by := s.Pseudonyms.Hash("ontschot/confirmed/1\x00" + string(d.Caller().Organisation()) + "\x00" + d.Caller().Client() + "\x00" + d.Caller().Subject())
	e.Payload = by[:]
	return e
}

// ConfirmAgreement makes an agreement or a delegation count again.
func (s *Service) ConfirmAgreement(ctx context.Context, r *ontschotv1.ConfirmAgreementRequest) (*ontschotv1.ConfirmAgreementResponse, error) {
	by, err := s.Admission.Admit(ctx, admission.Door{Purpose: ontschotv1.PurposeSignAgreements, Operation: ontschotv1.OperationConfirmAgreement, Signs: true, Itself: true}, r)
	if err != nil {
		return nil, err
	}
	d, err := s.Documents.Document(ctx, r.GetId())
	switch {
	case err != nil:
		return nil, err
	case d.Kind == audit.AgreementDocument:
		if err := s.askPeer(ctx, by, d); err != nil && !(r.GetAsked() && errors.Is(err, agreement.ErrUnreached)) {
			return nil, err
		}
	case d.Kind != audit.DelegationDocument:
		return nil, audit.ErrNoDocument
	}
	proof, err := s.record(ctx, by, s.confirmedBy(by, confirmation(d)))
	return &ontschotv1.ConfirmAgreementResponse{Index: proof.Index}, err
}

// confirmation is the entry that confirms an agreement or a delegation.
func confirmation(d audit.StoredDocument) audit.Entry {
	return audit.Entry{
		Kind: audit.Confirmation, Activity: ontschotv1.PurposeSignAgreements, Status: "confirmed",
		Organisations: []identity.OIN{d.PartyA, d.PartyB}, Confirm: d.ID,
	}
}

// askPeer asks the other party's gateway whether an agreement holds there.
func (s *Service) askPeer(ctx context.Context, by admission.Call, d audit.StoredDocument) error {
	k, err := s.negotiation(ctx, d.ID)
	if err != nil {
		return err
	}
	with := other(k.terms, s.Own)
	if err := mayDeal(by.Caller(), with); err != nil {
		return err
	}
	return s.heldBy(ctx, with, k)
}

// heldBy is nil when the other party's gateway says that these terms hold there.
func (s *Service) heldBy(ctx context.Context, with identity.OIN, k negotiation) error {
	party, _ := s.Organisations.ByOIN(with)
	peer, known := s.peer(party.Code)
	if !known {
		return agreement.ErrUnreached
	}
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	_, err := peer.Holds(ctx, &ontschotv1.HoldsRequest{Id: k.terms.ID, TermsSha256: k.terms.Digest()})
	switch status.Code(err) {
	case codes.OK:
		return nil
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return agreement.ErrUnreached
	}
	return peerError(err)
}

// Holds says to another gateway whether an agreement with its organisation holds here.
func (s *Service) Holds(ctx context.Context, r *ontschotv1.HoldsRequest) (*ontschotv1.HoldsResponse, error) {
	by, err := s.Admission.Peer(ctx, r)
	if err != nil {
		return nil, err
	}
	return &ontschotv1.HoldsResponse{}, s.holds(ctx, by, r)
}

func (s *Service) holds(ctx context.Context, by identity.OIN, r *ontschotv1.HoldsRequest) error {
	k, err := s.negotiation(ctx, r.GetId())
	switch {
	case err != nil:
		return err
	case s.between(k.terms, by) != nil || k.agreement == nil: // what others agreed does not concern it
		return agreement.ErrUnknown
	case r.GetTermsSha256() != k.terms.Digest():
		return agreement.ErrOtherTerms
	case !k.agreement.Live() || k.agreement.Lost:
		return &audit.EndedError{ID: k.terms.ID}
	case k.agreement.Successor != "": // which the other end lacks, whenever it begins
		return &register.ReplacedError{ID: k.terms.ID, Last: k.agreement.Successor}
	case k.agreement.Uncertain:
		return agreement.ErrBothWait
	}
	return nil
}

// Reconfirm asks the gateways of the other parties about every agreement that waits, and
// confirms those that hold there. The server calls it at start and once in a while.
func (s *Service) Reconfirm(ctx context.Context) error {
	if s.Documents.Register().Waiting() == 0 {
		return nil
	}
	for _, p := range s.Organisations.Now() {
		if _, ok := s.peer(p.Code); !ok || p.OIN == s.Own {
			continue
		}
		documents, err := s.Documents.Between(ctx, audit.AgreementDocument, s.Own, p.OIN)
		if err != nil {
			return err
		}
		for _, d := range documents {
			if !d.Uncertain || d.Lost {
				continue
			}
			k, err := s.negotiation(ctx, d.ID)
			if err == nil {
				err = s.heldBy(ctx, p.OIN, k)
			}
			if errors.Is(err, agreement.ErrUnreached) {
				break // nor will it answer about the others
			}
			if err != nil {
				s.Log.Warn("an agreement is not confirmed", "id", d.ID, "with", p.OIN, "reason", peerReason(err))
				continue
			}
			if _, err := audit.Append(ctx, s.Record, confirmation(d)); err != nil {
				return err
			}
		}
	}
	return nil
}
