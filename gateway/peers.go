package gateway

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Peer is the gateway of another organisation. It returns within the context's
// deadline and is safe for concurrent use.
type Peer interface {
	Deliver(ctx context.Context, r *ontschotv1.DeliverRequest) (*ontschotv1.DeliverResponse, error)
	Holds(ctx context.Context, r *ontschotv1.HoldsRequest) (*ontschotv1.HoldsResponse, error)
}

// peerTimeout bounds one delivery.
const peerTimeout = 3 * time.Second

// Deliver takes in what another organisation's gateway brings. The certificate says
// who brings it; the document counts for its signatures.
func (g *Gateway) Deliver(ctx context.Context, r *ontschotv1.DeliverRequest) (*ontschotv1.DeliverResponse, error) {
	keeps, err := g.delivered(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.DeliverResponse{Document: keeps}, nil
}

// delivered gives the document as it is kept.
func (g *Gateway) delivered(ctx context.Context, r *ontschotv1.DeliverRequest) ([]byte, error) {
	by, err := g.peerOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := g.wellFormed(r); err != nil {
		return nil, err
	}
	kind, err := signed.KindOf(r.GetDocument())
	switch {
	case err != nil:
		return nil, invalid("document", "is no signed document")
	case kind == signed.Statement:
		return r.GetDocument(), g.takeStatement(ctx, deed{}, by, r.GetDocument())
	case kind != signed.Agreement:
		return nil, invalid("document", "is of a kind that is not delivered: proposals, agreements, rejections and revocations are")
	}
	p, err := agreement.VerifyProposal(g.Keys.Fresh(), r.GetDocument())
	if err != nil {
		return nil, termsError(err)
	}
	if !slices.Contains(p.SignedBy(), g.Own) {
		_, err := g.takeProposal(ctx, deed{}, by, r.GetDocument())
		return r.GetDocument(), err
	}
	return g.accepted(ctx, by, p, r.GetDocument())
}

// accepted takes in the other party's signature under a proposal of this one.
func (g *Gateway) accepted(ctx context.Context, by identity.OIN, p agreement.Proposal, raw []byte) ([]byte, error) {
	if err := g.between(p.Terms(), by); err != nil {
		return nil, err
	}
	k, err := g.kept(ctx, p.ID())
	switch {
	case err != nil:
		return nil, err
	case p.TermsDigest() != k.terms.Digest():
		return nil, errOtherTerms
	case k.agreement != nil && k.agreement.Live():
		return k.agreement.Body, nil // signed twice: the first counts
	case !k.open():
		return nil, errClosed
	}
	return raw, g.putInForce(ctx, deed{}, k, raw)
}

// peerOf says whose gateway calls, by the certificate of the connection.
func (g *Gateway) peerOf(ctx context.Context) (identity.OIN, error) {
	_, leaf, err := g.credentials(ctx)
	if err != nil {
		return "", err
	}
	if leaf == nil {
		return "", errNoPeer
	}
	party, known := g.partyOf(identity.OIN(leaf.Subject.SerialNumber))
	if !known || party.OIN == g.Own {
		return "", errNoPeer
	}
	return party.OIN, nil
}

// bring brings a document to another party's gateway and gives it as kept there.
func (g *Gateway) bring(ctx context.Context, to identity.OIN, raw []byte) (*ontschotv1.DeliverResponse, error) {
	party, _ := g.partyOf(to)
	peer, ok := g.Peers[party.Code]
	if !ok {
		return nil, fmt.Errorf("%w: the trust file has no address for it", errUnreached)
	}
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	answer, err := peer.Deliver(ctx, &ontschotv1.DeliverRequest{Document: raw})
	switch status.Code(err) {
	case codes.OK:
		return answer, nil
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return nil, errUnreached
	}
	return nil, &peerRefusal{status.Convert(err)}
}

// deliver brings a document that stands without an answer, and remembers that it
// arrived.
func (g *Gateway) deliver(ctx context.Context, to identity.OIN, raw []byte) error {
	sum := sha256.Sum256(raw)
	if _, done := g.arrived.Load(sum); done {
		return nil
	}
	_, err := g.bring(context.WithoutCancel(ctx), to, raw)
	if err != nil {
		g.Log.Warn("not delivered", "to", to, "code", status.Code(outward(err)).String())
	}
	if !errors.Is(err, errUnreached) {
		g.arrived.Store(sum, true) // a no is an answer: it is not brought again
	}
	return err
}

// Redeliver brings every open proposal and every statement of this organisation to
// the other party, unless it is known to have arrived. Bringing one again does no
// harm. The server calls it at start and once in a while.
func (g *Gateway) Redeliver(ctx context.Context) error {
	for _, p := range g.Parties {
		if _, ok := g.Peers[p.Code]; !ok || p.OIN == g.Own {
			continue
		}
		for _, kind := range []audit.DocumentKind{audit.ProposalDocument, audit.StatementDocument} {
			documents, err := g.Documents.Between(ctx, kind, g.Own, p.OIN)
			if err != nil {
				return err
			}
			for _, d := range slices.Backward(documents) { // the oldest first
				if g.toBring(ctx, d) && errors.Is(g.deliver(ctx, p.OIN, d.Body), errUnreached) {
					break // nor will the others arrive
				}
			}
		}
	}
	return nil
}

// toBring tells whether a document is this organisation's own and still of use.
func (g *Gateway) toBring(ctx context.Context, d audit.Kept) bool {
	id, by := "", identity.OIN("")
	if p, err := agreement.VerifyProposal(g.Keys, d.Body); d.Kind == audit.ProposalDocument && err == nil {
		id, by = p.ID(), first(p.SignedBy())
	}
	if s, err := agreement.VerifyStatement(g.Keys, d.Body); d.Kind == audit.StatementDocument && err == nil {
		id, by = s.Agreement, s.Issuer
	}
	k, err := g.kept(ctx, id)
	if err != nil || by != g.Own || k.terms.Until < g.Today().String() {
		return false
	}
	return d.Kind == audit.StatementDocument || k.open()
}

// peerRefusal is the no of another gateway, which is told as it was said.
type peerRefusal struct{ said *status.Status }

func (p *peerRefusal) Error() string { return "the other party's gateway refuses" }

// status tells the reason in our own words: its words may hold anything.
func (p *peerRefusal) status() error {
	reason := reasonOf(p.said)
	for _, m := range meanings() {
		if m.reason == reason && slices.Contains(ofAgreements(), reason) {
			return rpcError(m.code, p.Error()+": "+m.is.Error()+"; "+m.next, reason, nil)
		}
	}
	return rpcError(codes.FailedPrecondition, p.Error()+"; ask its operator why", "PEER_REFUSED", nil)
}

// ofAgreements are the reasons that another gateway can have for refusing what is
// brought to it. Any other that it gives is its own affair.
func ofAgreements() []string {
	return []string{"AGREEMENT_INVALID", "STATEMENT_INVALID", "NO_AGREEMENT", "OTHER_TERMS", "PROPOSAL_CLOSED", "UNKNOWN_PEER",
		"TOO_MANY_PROPOSALS", "TOO_MANY_DELIVERIES", "DOCUMENT_CONFLICT", "DOCUMENT_ENDED", "DOCUMENT_REPLACED", "UNCERTAIN"}
}
