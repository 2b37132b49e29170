package agreement

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// Proposal is the fact: terms that at least one of the parties has signed. It puts
// nothing in force. Only VerifyProposal makes one.
type Proposal struct {
	terms          Terms
	signedBy       []identity.OIN
	digest, agreed string
	keys           []string
}

// VerifyProposal checks that every signature on it is a party's, and that the terms
// could be enforced once all have signed. Errors: ErrDocument, with a *FieldError
// when it is about one of the terms.
func VerifyProposal(v *signed.Verifier, raw []byte) (Proposal, error) {
	var t Terms
	proof, err := v.Some(signed.Agreement, raw, &t, func() []identity.OIN { return oins(t.Parties) })
	if err == nil {
		err = check(t, false)
	}
	if err != nil {
		return Proposal{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	return Proposal{t, slices.Clone(proof.SignedBy), hex.EncodeToString(proof.Digest[:]), t.Digest(), proof.Keys}, nil
}

// ID the agreement will have.
func (p Proposal) ID() string { return p.terms.ID }

// Terms that are proposed: a copy.
func (p Proposal) Terms() Terms { return p.terms.clone() }

// SignedBy are those who have signed, the proposer first.
func (p Proposal) SignedBy() []identity.OIN { return slices.Clone(p.signedBy) }

// Keys that signed it, each by its digest.
func (p Proposal) Keys() []string { return p.keys }

// Digest is the hex SHA-256 of the document with the signatures it has now.
func (p Proposal) Digest() string { return p.digest }

// TermsDigest is the hex SHA-256 of the terms alone: of what every party signs.
func (p Proposal) TermsDigest() string { return p.agreed }

// maxSignature is what a signature with its header adds to a document at most.
const maxSignature = 1 << 10

// Propose signs terms for the first time. The signer must be a party, and the terms
// must have their id and the moment of the first proposal. Errors: ErrDocument.
func Propose(t Terms, by signed.Signer) ([]byte, error) {
	if err := check(t, false); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if !isParty(t.Parties, by.Issuer) {
		return nil, fmt.Errorf("%w: the signer is no party to it", ErrDocument)
	}
	raw, err := signed.Together(signed.Agreement, t, by)
	if err == nil && len(raw) > signed.MaxBytes-maxSignature {
		err = fmt.Errorf("%w: too large for the other party to sign", ErrDocument)
	}
	return raw, err
}

// Accept adds a party's signature to a proposal that VerifyProposal found good. The
// terms stay byte for byte what was proposed. Errors: ErrDocument.
func Accept(raw []byte, by signed.Signer) ([]byte, error) {
	out, err := by.Countersign(signed.Agreement, raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	return out, nil
}
