package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// onceHeader names a request, so that who gets no answer can ask again: the same
// request under the same key is recognised as the same, another is refused.
const onceHeader = "idempotency-key"

// Length of an idempotency key, in characters.
const (
	minKey = 16
	maxKey = 128
)

// deed is who does something that is to be recorded, and under which idempotency key.
// The zero deed is of nobody that calls: what another gateway brings, or the
// operator's own start-up.
type deed struct {
	caller token.Caller
	once   *audit.Once // nil: none
}

// doing checks who calls, that the policy lets this case worker do it, and that the
// request is well formed.
func (g *Gateway) doing(ctx context.Context, purpose string, operation ontschotv1.Operation, request proto.Message) (deed, error) {
	caller, err := g.mayDo(ctx, purpose, operation)
	if err != nil {
		return deed{}, err
	}
	return g.called(ctx, caller, request)
}

// called checks that the request of a known caller is well formed.
func (g *Gateway) called(ctx context.Context, caller token.Caller, request proto.Message) (deed, error) {
	if err := g.wellFormed(request); err != nil {
		return deed{}, err
	}
	once, err := g.once(ctx, caller, string(request.ProtoReflect().Descriptor().FullName()), request)
	return deed{caller, once}, err
}

// before gives the id of the document that this very request made when it came first;
// empty when it did not. The record decides again when it is written.
func (g *Gateway) before(ctx context.Context, d deed) (id string, err error) {
	if d.once == nil {
		return "", nil
	}
	row, found, err := g.Documents.Once(ctx, d.once.Key)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", errStore, err)
	case !found || row.Expires < g.Now().UnixMilli():
		return "", nil
	case row.Body != d.once.Body:
		return "", audit.ErrKeyReused
	}
	return row.Ref, nil
}

// making says which document the deed makes, so that a retry finds it.
func (d deed) making(id string) deed {
	if d.once != nil {
		once := *d.once
		once.Ref = id
		d.once = &once
	}
	return d
}

// done records a deed, and who did it for whom.
func (g *Gateway) done(ctx context.Context, d deed, e audit.Entry) (audit.Proof, error) {
	actedFor(&e, d.caller)
	e.Once = d.once
	proof, err := g.append(ctx, e)
	if errors.Is(err, register.ErrRefused) && e.Put != nil {
		room := agreement.ErrDocument
		if e.Put.Kind == register.Consent {
			room = consent.ErrDocument
		}
		err = fmt.Errorf("%w: %w", room, err)
	}
	return proof, err
}

// once reads the idempotency key of a call. What is kept of key and request is a keyed
// hash of each, for a day; nothing of an answer is kept.
func (g *Gateway) once(ctx context.Context, caller token.Caller, method string, request proto.Message) (*audit.Once, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	values := md.Get(onceHeader)
	if len(values) == 0 {
		return nil, nil
	}
	if len(values) > 1 || len(values[0]) < minKey || len(values[0]) > maxKey {
		return nil, invalid(onceHeader, "one key of %d to %d characters is needed, such as a UUID", minKey, maxKey)
	}
	if !budgetv1.Printable(values[0]) {
		return nil, invalid(onceHeader, "%s", notShowable)
	}
	if identity.LooksLikeBSN(values[0]) {
		return nil, invalid(onceHeader, "%s", likeBSN)
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(request)
	if err != nil {
		return nil, err
	}
	key := string(caller.Organisation()) + "\x00" + string(caller.Actor()) + "\x00" + values[0]
	return &audit.Once{Key: g.keyed("ontschot/once/key/1\x00" + key), Body: g.keyed("ontschot/once/body/1\x00" + method + "\x00" + caller.Case() + "\x00" + string(body))}, nil
}

// keyed is a hash that only this organisation can make: a request holds numbers that
// could be guessed.
func (g *Gateway) keyed(text string) (sum [32]byte) {
	h := hmac.New(sha256.New, g.PseudonymKeys[0])
	h.Write([]byte(text))
	h.Sum(sum[:0])
	return sum
}
