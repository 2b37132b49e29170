package gateway

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// errBothWait means that neither end of an agreement can vouch for it.
var errBothWait = errors.New("the agreement waits to be confirmed at the other end too")

// ConfirmConsent makes a consent count again that waits since the record was taken on
// from a store that lacked entries. Whoever confirms it has asked the person.
func (g *Gateway) ConfirmConsent(ctx context.Context, r *ontschotv1.ConfirmConsentRequest) (*ontschotv1.ConfirmConsentResponse, error) {
	receipt, err := g.confirmConsent(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, consentError(err))
	}
	return &ontschotv1.ConfirmConsentResponse{Receipt: receipt}, nil
}

func (g *Gateway) confirmConsent(ctx context.Context, r *ontschotv1.ConfirmConsentRequest) (*ontschotv1.ConsentReceipt, error) {
	d, err := g.doing(ctx, ontschotv1.PurposeKeepConsents, ontschotv1.OperationConfirmConsent, r)
	if err != nil {
		return nil, err
	}
	bsn, err := takeBSN(&r.Identifiers)
	if err != nil {
		return nil, err
	}
	kept, opened, err := g.consentOf(ctx, d.caller, r.GetId())
	if err != nil {
		return nil, err
	}
	if !opened.Of(bsn) {
		return nil, consent.ErrOtherPerson
	}
	e := audit.Entry{
		Kind: audit.Confirmation, Activity: ontschotv1.PurposeKeepConsents, Status: "confirmed", Organisations: []identity.OIN{g.Own},
		Subjects: [][]byte{[]byte(kept.Subject)}, Consents: []string{kept.ID}, Confirm: kept.ID,
	}
	if _, err := g.done(ctx, d, g.confirmedBy(d, e)); err != nil {
		return nil, err
	}
	return g.receipt(ctx, d.caller, kept.ID)
}

// confirmedBy commits in an entry to who confirms, so that it can be shown later who did;
// nobody's name is in it.
func (g *Gateway) confirmedBy(d deed, e audit.Entry) audit.Entry {
	by := g.keyed("ontschot/confirmed/1\x00" + string(d.caller.Organisation()) + "\x00" + d.caller.Client() + "\x00" + d.caller.Subject())
	e.Payload = by[:]
	return e
}

// ConfirmAgreement makes an agreement or a delegation count again.
func (g *Gateway) ConfirmAgreement(ctx context.Context, r *ontschotv1.ConfirmAgreementRequest) (*ontschotv1.ConfirmAgreementResponse, error) {
	index, err := g.confirmAgreement(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.ConfirmAgreementResponse{Index: index}, nil
}

func (g *Gateway) confirmAgreement(ctx context.Context, r *ontschotv1.ConfirmAgreementRequest) (int64, error) {
	by, err := g.signing(ctx, ontschotv1.OperationConfirmAgreement, r)
	if err != nil {
		return 0, err
	}
	if by.caller.Actor() != "" {
		return 0, errActor
	}
	d, err := g.Documents.Document(ctx, r.GetId())
	switch {
	case err != nil:
		return 0, err
	case d.Kind == audit.AgreementDocument:
		if err := g.askPeer(ctx, by, d); err != nil && !(r.GetAsked() && errors.Is(err, errUnreached)) {
			return 0, err
		}
	case d.Kind != audit.DelegationDocument:
		return 0, audit.ErrNoDocument
	}
	proof, err := g.done(ctx, by, g.confirmedBy(by, confirmation(d)))
	return proof.Index, err
}

// confirmation is the entry that confirms an agreement or a delegation.
func confirmation(d audit.Kept) audit.Entry {
	return audit.Entry{
		Kind: audit.Confirmation, Activity: ontschotv1.PurposeSignAgreements, Status: "confirmed",
		Organisations: []identity.OIN{d.PartyA, d.PartyB}, Confirm: d.ID,
	}
}

// askPeer asks the other party's gateway whether an agreement holds there.
func (g *Gateway) askPeer(ctx context.Context, by deed, d audit.Kept) error {
	k, err := g.kept(ctx, d.ID)
	if err != nil {
		return err
	}
	with := other(k.terms, g.Own)
	if err := mayDeal(by.caller, with); err != nil {
		return err
	}
	return g.heldBy(ctx, with, k)
}

// heldBy is nil when the other party's gateway says that these terms hold there.
func (g *Gateway) heldBy(ctx context.Context, with identity.OIN, k kept) error {
	party, _ := g.partyOf(with)
	if _, known := g.Peers[party.Code]; !known {
		return errUnreached
	}
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	_, err := g.Peers[party.Code].Holds(ctx, &ontschotv1.HoldsRequest{Id: k.terms.ID, TermsSha256: k.terms.Digest()})
	switch status.Code(err) {
	case codes.OK:
		return nil
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return errUnreached
	}
	return &peerRefusal{status.Convert(err)}
}

// Holds tells another gateway whether an agreement with its organisation holds here.
func (g *Gateway) Holds(ctx context.Context, r *ontschotv1.HoldsRequest) (*ontschotv1.HoldsResponse, error) {
	if err := g.holds(ctx, r); err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.HoldsResponse{}, nil
}

func (g *Gateway) holds(ctx context.Context, r *ontschotv1.HoldsRequest) error {
	by, err := g.peerOf(ctx)
	if err != nil {
		return err
	}
	if err := g.wellFormed(r); err != nil {
		return err
	}
	k, err := g.kept(ctx, r.GetId())
	switch {
	case err != nil:
		return err
	case g.between(k.terms, by) != nil || k.agreement == nil: // what others agreed is none of its business
		return errNoAgreement
	case r.GetTermsSha256() != k.terms.Digest():
		return errOtherTerms
	case !k.agreement.Live() || k.agreement.Lost:
		return &audit.EndedError{ID: k.terms.ID}
	case k.agreement.Successor != "": // which the other end lacks, whenever it begins
		return &register.ReplacedError{ID: k.terms.ID, Last: k.agreement.Successor}
	case k.agreement.Uncertain:
		return errBothWait
	}
	return nil
}

// Reconfirm asks the gateways of the other parties about every agreement that waits, and
// confirms those that hold there. The server calls it at start and once in a while.
func (g *Gateway) Reconfirm(ctx context.Context) error {
	if g.Documents.Register().Waiting() == 0 {
		return nil
	}
	for _, p := range g.Parties {
		if _, ok := g.Peers[p.Code]; !ok || p.OIN == g.Own {
			continue
		}
		documents, err := g.Documents.Between(ctx, audit.AgreementDocument, g.Own, p.OIN)
		if err != nil {
			return fmt.Errorf("%w: %w", errStore, err)
		}
		for _, d := range documents {
			if !d.Uncertain || d.Lost {
				continue
			}
			k, err := g.kept(ctx, d.ID)
			if err == nil {
				err = g.heldBy(ctx, p.OIN, k)
			}
			if errors.Is(err, errUnreached) {
				break // nor will it answer about the others
			}
			if err != nil {
				g.Log.Warn("an agreement is not confirmed", "id", d.ID, "with", p.OIN, "reason", reasonOf(status.Convert(outward(err))))
				continue
			}
			if _, err := g.append(ctx, confirmation(d)); err != nil {
				return err
			}
		}
	}
	return nil
}
