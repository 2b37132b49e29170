package admission

import (
	"context"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// onceHeader names a request, so that a client that gets no response can retry safely:
// the same request under the same key is recognised as the same, another is refused.
const onceHeader = "idempotency-key"

// Length of an idempotency key, in characters.
const (
	minKey = 16
	maxKey = 128
)

// once reads the idempotency key of a call. What is stored of key and request is a keyed
// hash of each, for a day; nothing of a response is stored.
func (a *Admission) once(ctx context.Context, caller token.Caller, request proto.Message) (*audit.Once, error) {
	values := metadata.ValueFromIncomingContext(ctx, onceHeader)
	if len(values) == 0 {
		return nil, nil
	}
	if len(values) > 1 || len(values[0]) < minKey || len(values[0]) > maxKey {
		return nil, Invalid(onceHeader, "one key of %d to %d characters is needed, such as a UUID", minKey, maxKey)
	}
	if !budgetv1.Printable(values[0]) {
		return nil, Invalid(onceHeader, "%s", notShowable)
	}
	if identity.LooksLikeBSN(values[0]) {
		return nil, Invalid(onceHeader, "%s", likeBSN)
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(request)
	if err != nil {
		return nil, err
	}
	key := string(caller.Organisation()) + "\x00" + string(caller.Actor()) + "\x00" + values[0]
	return &audit.Once{
		Key:  a.Pseudonyms.Hash("ontschot/once/key/1\x00" + key),
		Body: a.Pseudonyms.Hash("ontschot/once/body/1\x00" + nameOf(request) + "\x00" + caller.Case() + "\x00" + string(body)),
	}, nil
}

// nameOf a request in what is hashed. A budget's is that of its method, as it always was.
func nameOf(request proto.Message) string {
	if _, ok := request.(*ontschotv1.AssembleBudgetRequest); ok {
		return "AssembleBudget"
	}
	return string(request.ProtoReflect().Descriptor().FullName())
}

// MadeBefore gives the id of the document that this very request made when it came first;
// empty when it did not. The log decides again when the entry is appended.
func (a *Admission) MadeBefore(ctx context.Context, c Call) (id string, err error) {
	if c.once == nil {
		return "", nil
	}
	row, found, err := a.Once.Once(ctx, c.once.Key)
	switch {
	case err != nil:
		return "", err
	case !found || row.Expires < a.Now().UnixMilli():
		return "", nil
	case row.Body != c.once.Body:
		return "", audit.ErrKeyReused
	}
	return row.Ref, nil
}

// Making says which document the call makes, so that a retry finds it.
func (c Call) Making(id string) Call {
	if c.once != nil {
		once := *c.once
		once.Ref = id
		c.once = &once
	}
	return c
}

// WithoutKey is the call as one that can be made any number of times.
func (c Call) WithoutKey() Call { return Call{caller: c.caller} }

// Under says in an entry under which idempotency key it is made.
func (c Call) Under(e *audit.Entry) { e.Once = c.once }

// ActedFor says in an entry who acts for the organisation that asks. The entry rests on
// the delegation, so that nothing follows its end.
func ActedFor(e *audit.Entry, caller token.Caller) {
	if caller.Actor() == "" {
		return
	}
	e.Involve(caller.Actor())
	e.RestOn(register.Rest{ID: caller.Delegation()})
}
