package agreement

import (
	"errors"
	"slices"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Errors of a negotiation between two gateways.
var (
	ErrUnknown     = errors.New("no agreement or proposal has this id")
	ErrOtherTerms  = errors.New("these are not the terms that were proposed")
	ErrOwnProposal = errors.New("the proposal is this organisation's own")
	ErrClosed      = errors.New("the proposal was answered, replaced or taken back")
	ErrInForce     = errors.New("the agreement has been accepted")
	ErrNotInForce  = errors.New("the proposal has not been accepted")
	ErrBothWait    = errors.New("the agreement waits to be confirmed at the other end too")
	ErrTooMany     = errors.New("too many proposals of this party wait for an answer")
	ErrDeliveries  = errors.New("this party has delivered too many documents in this hour")
	ErrUnreached   = errors.New("the other party's gateway cannot be reached")
	ErrHalfway     = errors.New("the other party's gateway did not answer; the agreement may be in force at its end")
)

// PeerRefused is the reason of a PeerError that only concerns the other gateway.
const PeerRefused = budgetv1.ReasonPeerRefused

// PeerError is the no of another gateway. Its words may hold anything and are not passed
// on: the reason alone is.
type PeerError struct {
	Reason string // one that a gateway can have for refusing what is delivered to it, or PeerRefused
}

// NewPeerError takes the reason that the other gateway gave.
func NewPeerError(reason string) *PeerError {
	if !slices.Contains(ontschotv1.DeliveryReasons(), reason) {
		reason = PeerRefused
	}
	return &PeerError{reason}
}

// Error says that it refuses; its reason is not part of the text.
func (e *PeerError) Error() string { return "the other party's gateway refuses" }

// Stage is how far a negotiation has come.
type Stage int

// The stages.
const (
	Open   Stage = iota // proposed, and waits for an answer
	Agreed              // both have signed, and nothing has ended it
	Closed              // rejected, taken back or replaced before the other party signed
	Ended               // agreed, and revoked or replaced since
)

// ToAccept is the act of countersigning. Reject and Revoke are acts of a Statement.
const ToAccept = "accept"

// transitions says at which stage an act cannot be done, and why; at any other it can.
func transitions() map[string]map[Stage]error {
	return map[string]map[Stage]error{
		ToAccept: {Agreed: ErrInForce, Closed: ErrClosed, Ended: ErrClosed},
		Reject:   {Agreed: ErrInForce, Closed: ErrClosed, Ended: ErrInForce},
		Revoke:   {Open: ErrNotInForce, Closed: ErrNotInForce, Ended: ErrClosed},
	}
}

// Can is nil when the act can be done at this stage, or says why not. An unknown act
// never can.
func (s Stage) Can(act string) error {
	stages, known := transitions()[act]
	if !known {
		return ErrClosed
	}
	return stages[s]
}
