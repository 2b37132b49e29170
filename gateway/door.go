package gateway

import (
	"context"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// mayDo checks who calls, that the token was issued for the purpose, and that the
// policy has a cell in which this case worker may do it. Every door asks it, save one:
// withdrawing.
func (g *Gateway) mayDo(ctx context.Context, purpose string, operation ontschotv1.Operation) (token.Caller, error) {
	caller, err := g.caller(ctx, purpose)
	if err != nil {
		return token.Caller{}, err
	}
	also, err := g.second(ctx, caller, purpose)
	if err != nil {
		return token.Caller{}, err
	}
	if err := g.Policy.MayDo(ctx, caller, also, operation); err != nil {
		return token.Caller{}, err
	}
	return caller, nil
}

// secondKey is the metadata in which a call brings the token of a second person, where
// two are needed.
const secondKey = "ontschot-second"

// second checks who does it too: another person of the same organisation, for the same
// case and purpose. They are compared by what one client of the issuer says of both, as
// the same person can have another name at another client. Nobody when there is no
// second token.
func (g *Gateway) second(ctx context.Context, caller token.Caller, purpose string) (token.Caller, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	values := md.Get(secondKey)
	if len(values) == 0 {
		return token.Caller{}, nil
	}
	if len(values) > 1 { // two would be a choice
		return token.Caller{}, errSecond
	}
	call, err := g.callOf(ctx, purpose)
	if err != nil {
		return token.Caller{}, err
	}
	call.Bearer = values[0]
	also, err := g.Tokens.Check(call)
	switch {
	case err != nil:
		return token.Caller{}, err
	case also.Organisation() != caller.Organisation() || also.Actor() != caller.Actor() || also.Case() != caller.Case() || !also.May(purpose):
		return token.Caller{}, errSecond
	case also.Client() != caller.Client() || also.Subject() == caller.Subject():
		return token.Caller{}, errSecond
	}
	return also, nil
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
		return g.withdrawing(ctx, ontschotv1.PurposeRegisterDocuments, r)
	}
	return g.doing(ctx, ontschotv1.PurposeRegisterDocuments, ontschotv1.OperationRegisterDocument, r)
}
