package gateway

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// mayDo checks who calls, that the token was issued for the purpose, and that the
// policy has a cell in which this case worker may do it. Every door asks it, save one:
// withdrawing.
func (g *Gateway) mayDo(ctx context.Context, purpose string, operation policy.Operation) (token.Caller, error) {
	caller, err := g.caller(ctx, purpose)
	if err != nil {
		return token.Caller{}, err
	}
	if err := g.Policy.MayDo(ctx, caller, operation); err != nil {
		return token.Caller{}, err
	}
	return caller, nil
}

// withdrawing checks who calls to withdraw a consent. Withdrawing is as easy as giving
// (AVG art. 7 lid 3): whoever the keeper knows may pass it on, in whatever role. No
// policy is asked, and none that fails stands in the way. The purpose is what another
// organisation must have been told to act for, where one does.
func (g *Gateway) withdrawing(ctx context.Context, purpose string, request proto.Message) (deed, error) {
	caller, err := g.known(ctx, purpose)
	if err != nil {
		return deed{}, err
	}
	return g.called(ctx, caller, request)
}

// registering checks who brings a signed document. A withdrawal that was signed
// elsewhere in the organisation is a withdrawal by this door too.
func (g *Gateway) registering(ctx context.Context, r *ontschotv1.RegisterRequest) (deed, error) {
	if act, _ := signed.ActOf(r.GetDocument()); act == "withdraw" {
		return g.withdrawing(ctx, RegisterPurpose, r)
	}
	return g.doing(ctx, RegisterPurpose, policy.RegisterDocument, r)
}
