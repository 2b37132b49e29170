package gateway

import (
	"context"
	"fmt"

	"google.golang.org/grpc/metadata"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
)

// caseKey is the metadata in which a caller may say the case commitment, where the
// issuer of its token knows nothing of cases.
const caseKey = "ontschot-case"

// callOf is what a caller brings, for a purpose.
func (g *Gateway) callOf(ctx context.Context, purpose string) token.Call {
	bearer, leaf := credentialsOf(ctx)
	call := token.Call{Bearer: bearer, Leaf: leaf, Purpose: purpose, Today: g.Today()}
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		if values := md.Get(caseKey); len(values) == 1 { // two would be a choice
			call.Case = values[0]
		}
	}
	call.Delegations = func(org, actor identity.OIN) ([]token.Delegation, error) { return g.delegations(ctx, org, actor) }
	return call
}

// delegations in force from an organisation to one that acts for it. Each is verified
// again at every use: what lies in a file proves nothing.
func (g *Gateway) delegations(ctx context.Context, org, actor identity.OIN) ([]token.Delegation, error) {
	documents, err := g.Documents.Between(ctx, g.Own, audit.DelegationDocument, org, actor)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	var all []token.Delegation
	for _, d := range documents {
		if !d.Live() {
			continue
		}
		if one, err := token.VerifyDelegation(g.Keys, d.Body); err == nil {
			all = append(all, one)
		}
	}
	return all, nil
}

// actedFor says in an entry who acts for the organisation that asks. The entry rests
// on the delegation, so that nothing follows its end.
func actedFor(e *audit.Entry, caller token.Caller) {
	if caller.Actor() == "" {
		return
	}
	e.Organisations = appendNew(e.Organisations, caller.Actor())
	e.Rests = appendNew(e.Rests, caller.Delegation())
}
