// Package admission answers: who calls, is it well formed, was it asked before, and how
// much may they ask? Every RPC begins with Admit, or with Peer where another gateway
// calls.
package admission

import (
	"context"
	"crypto/x509"
	"errors"
	"sync"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/pseudonym"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Errors of who calls.
var (
	ErrPurpose     = errors.New("the access token was not issued for this purpose")
	ErrSecond      = errors.New("the second token is of no other person of the same organisation, case, purpose and client")
	ErrNotOwn      = errors.New("the caller is of another organisation than the gateway")
	ErrAssurance   = errors.New("who signs for an organisation must be known well enough")
	ErrActor       = errors.New("who acts for another organisation does not pass that on")
	ErrCertificate = errors.New("the certificate of the connection has ended, or its authority is not believed any more")
	ErrNoPeer      = errors.New("the certificate is of no organisation this gateway deals with")
	// Of another organisation's gateway that asks.
	ErrNumber    = errors.New("this source may not be asked by that number")
	ErrRate      = errors.New("the agreement accepts no more questions in this minute")
	ErrDescribed = errors.New("how this gateway stands to yours was asked too often in this minute")
	ErrEvaluated = errors.New("what the policy would say was asked too often in this minute")
	ErrNoSource  = errors.New("this organisation answers no questions here") // it has no adapter
	// Of nobody in particular.
	ErrEnding = errors.New("the gateway is ending")
)

// MaxRequest bounds a request, in bytes, before any of our code sees it.
const MaxRequest = 1 << 20

// Policy says whether a case worker may do something at the gateway of an organisation, by what
// that one takes away too, with another who does it too; the zero Caller is nobody. Nil means
// yes. It is safe for concurrent use.
type Policy interface {
	MayDo(ctx context.Context, own identity.OIN, caller, also token.Caller, operation ontschotv1.Operation) error
}

// Once reads what is stored under an idempotency key, expired or not; false if nothing is.
type Once interface {
	Once(ctx context.Context, key [32]byte) (audit.OnceRow, bool, error)
}

// Config of an Admission. Every field is required.
type Config struct {
	Own           identity.OIN // whose gateway it is
	Organisations *identity.Roster
	// Certificates looks again, at every call, at the certificate of who calls.
	Certificates Certificates
	Tokens       token.Checker
	Policy       Policy
	// Delegations in force from an organisation to one that acts for it.
	Delegations func(ctx context.Context, organisation, actor identity.OIN) ([]token.Delegation, error)
	Once        Once
	Pseudonyms  pseudonym.Keys
	Now         func() time.Time
	Today       func() civil.Date
}

// Admission is the prologue of every RPC. It is safe for concurrent use.
type Admission struct {
	Config
	validate protovalidate.Validator
}

// New says which part of the configuration is missing.
func New(c Config) (*Admission, error) {
	for name, missing := range map[string]bool{
		"Own": c.Own == "", "Organisations": c.Organisations == nil, "Certificates": c.Certificates == nil, "Tokens": c.Tokens.Keys == nil,
		"Policy": c.Policy == nil, "Delegations": c.Delegations == nil, "Once": c.Once == nil, "Pseudonyms": c.Pseudonyms.IsZero(),
		"Now": c.Now == nil, "Today": c.Today == nil,
	} {
		if missing {
			return nil, errors.New("admission: " + name + " is missing")
		}
	}
	validate, err := Rules()
	if err != nil {
		return nil, err
	}
	return &Admission{c, validate}, nil
}

// Door is what an RPC asks of who calls it.
type Door struct {
	// Purpose is what the token must have been issued for.
	Purpose string
	// Operation is the cell of the policy in which the case worker may do it. Empty where
	// the policy is asked about each person and source instead.
	Operation ontschotv1.Operation
	// Others says whether another organisation than the gateway's own may come in, before
	// anything else of it is looked at; nil: none. Errors: ErrNotOwn, of which it is a stranger.
	Others func(identity.OIN) error
	// Signs says that it signs for the organisation: who does must be known well enough.
	Signs bool
	// Itself says that only the organisation itself does it, and no delegate.
	Itself bool
	// Open lets in whoever the gateway knows, whatever their role and token are for: no
	// policy is asked, and none that fails stands in the way. Withdrawing is as easy as
	// giving (AVG art. 7 lid 3). Purpose is then what another organisation must have been
	// delegated to act for, where one does.
	Open bool
}

// Call is an RPC that was admitted: who makes it, and under which idempotency key. The
// zero Call is nobody's: what another gateway delivers, or the operator's own start.
type Call struct {
	caller token.Caller
	once   *audit.Once // nil: none
}

// Caller is who makes it.
func (c Call) Caller() token.Caller { return c.caller }

// Admit checks, in this order, who calls and that the token is for the purpose, that the
// policy allows the operation, and that the request is well formed; and reads the
// idempotency key. Errors: those of this room and of token, *policy.RefusedError,
// *Violation.
func (a *Admission) Admit(ctx context.Context, door Door, request proto.Message) (Call, error) {
	caller, err := a.through(ctx, door)
	if err != nil {
		return Call{}, err
	}
	if err := a.WellFormed(request); err != nil {
		return Call{}, err
	}
	once, err := a.once(ctx, caller, request)
	return Call{caller, once}, err
}

func (a *Admission) through(ctx context.Context, door Door) (token.Caller, error) {
	caller, err := a.known(ctx, door.Purpose, door.Others)
	switch {
	case err != nil || door.Open:
		return caller, err
	case !caller.May(door.Purpose):
		return token.Caller{}, ErrPurpose
	case door.Operation == "":
		return caller, nil
	}
	also, err := a.second(ctx, caller, door.Purpose)
	if err != nil {
		return token.Caller{}, err
	}
	if err := a.Policy.MayDo(ctx, a.Own, caller, also, door.Operation); err != nil {
		return token.Caller{}, err
	}
	switch {
	case door.Signs && !signs(caller):
		return token.Caller{}, ErrAssurance
	case door.Itself && caller.Actor() != "":
		return token.Caller{}, ErrActor
	}
	return caller, nil
}

// signs reports whether a case worker is known well enough to sign for the organisation:
// assurance substantieel at least (eIDAS, 910/2014 art. 8).
func signs(caller token.Caller) bool {
	return ontschotv1.Assured(caller.Assurance(), ontschotv1.AssuranceSubstantial)
}

// Peer checks whose gateway calls, by the certificate of the connection, and that the
// request is well formed. Errors: ErrNoPeer, ErrCertificate, *Violation.
func (a *Admission) Peer(ctx context.Context, request proto.Message) (identity.OIN, error) {
	peer, _, err := a.PeerWith(ctx, request)
	return peer, err
}

// PeerWith is Peer, and gives the certificate of the connection too.
func (a *Admission) PeerWith(ctx context.Context, request proto.Message) (identity.OIN, *x509.Certificate, error) {
	oin, leaf, err := a.party(ctx)
	if err == nil && oin == a.Own {
		err = ErrNoPeer
	}
	if err != nil {
		return "", nil, err
	}
	return oin, leaf, a.WellFormed(request)
}

// PeerOrOwn is Peer, and lets in this gateway's own organisation too.
func (a *Admission) PeerOrOwn(ctx context.Context, request proto.Message) (identity.OIN, error) {
	oin, _, err := a.party(ctx)
	if err != nil {
		return "", err
	}
	return oin, a.WellFormed(request)
}

// party is whose certificate the connection was made with: one that the trust file knows.
func (a *Admission) party(ctx context.Context) (identity.OIN, *x509.Certificate, error) {
	_, leaf, err := a.credentials(ctx)
	if err != nil {
		return "", nil, err
	}
	oin, err := certificate.Peer(leaf) // of no certificate too
	if err != nil {
		return "", nil, ErrNoPeer
	}
	if _, known := a.Organisations.ByOIN(oin); !known {
		return "", nil, ErrNoPeer
	}
	return oin, leaf, nil
}

// Rates counts what is done under each key in a stretch of time. It counts for this
// process. The zero value counts from zero.
type Rates struct {
	mu      sync.Mutex
	stretch int64
	counts  map[string]int
}

// Take counts one under the key and reports whether that is within the most there may be
// in this stretch.
func (r *Rates) Take(key string, most int, stretch int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stretch != r.stretch || r.counts == nil {
		r.stretch, r.counts = stretch, map[string]int{}
	}
	if r.counts[key] >= most {
		return false
	}
	r.counts[key]++
	return true
}
