package audit

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// maxProof is more than the depth of any tree that fits in an int64.
const maxProof = 64

// VerifyReceipt is the client's check that a budget was recorded before it was
// released: digest is the SHA-256 over the RFC 8785 form of the
// budget without receipt and signature; keys are those the client has
// pinned for the releasing organisation. Every error wraps ErrTampered and a Flaw, which says
// what is wrong; then the budget must not be used.
func VerifyReceipt(r *budgetv1.Receipt, digest [32]byte, keys Keys) error {
	if err := verifyReceipt(r, digest, keys); err != nil {
		return fmt.Errorf("%w: receipt: %w", ErrTampered, err)
	}
	return nil
}

func verifyReceipt(r *budgetv1.Receipt, digest [32]byte, keys Keys) error {
	if r == nil {
		return NoReceipt
	}
	if len(keys) == 0 {
		return NoLogKey
	}
	if err := verifyRelease(r, digest); err != nil {
		return err
	}
	head, err := openCheckpoint(r.GetCheckpoint(), keys.Origin(), keys)
	if err != nil {
		return err
	}
	if r.GetOrigin() != originOf(keys.Origin(), head.epoch) {
		return OtherLog
	}
	return verifyInclusion(r, head.Tree)
}

// verifyRelease checks what the leaf says.
func verifyRelease(r *budgetv1.Receipt, digest [32]byte) error {
	leaf, err := ParseLeaf(r.GetLeaf())
	if err != nil {
		return fmt.Errorf("%w: %w", BadLeaf, err)
	}
	switch {
	case leaf.Kind != Release:
		return NoRelease
	case leaf.Decided != r.GetDecisionIndex() || leaf.Decided >= r.GetIndex():
		return OtherDecision
	case len(r.GetSalt()) != saltSize:
		return BadSalt
	case commit(payloadField, r.GetSalt(), digest[:]) != leaf.Payload:
		return OtherPayload
	}
	return nil
}

// verifyInclusion checks that the record is at its index in the signed tree.
func verifyInclusion(r *budgetv1.Receipt, head tlog.Tree) error {
	if len(r.GetProof()) > maxProof {
		return BadProof
	}
	path := make(tlog.RecordProof, len(r.GetProof()))
	for i, h := range r.GetProof() {
		if len(h) != tlog.HashSize {
			return fmt.Errorf("%w: proof[%d]", BadProof, i)
		}
		copy(path[i][:], h)
	}
	if r.GetIndex() < 0 || r.GetIndex() >= head.N {
		return OutsideTheTree
	}
	if tlog.CheckRecord(path, head.N, head.Hash, r.GetIndex(), tlog.RecordHash(r.GetLeaf())) != nil {
		return NotInTheTree
	}
	return nil
}
