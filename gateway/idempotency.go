package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/token"
)

// onceHeader names a request, so that who gets no answer can ask again: the same
// request under the same key is recognised as the same, another is refused.
const onceHeader = "idempotency-key"

// Length of an idempotency key, in characters.
const (
	minKey = 16
	maxKey = 128
)

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
