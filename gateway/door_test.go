package gateway_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// worker is somebody of the municipality whose token says something else.
func (h *house) worker(change func(*token.Claims)) caller {
	raw, err := h.family.Token(h.now(), change)
	require.NoError(h.t, err)
	return caller{h.family.Requester().Client.TLS.Leaf, raw}
}

func cleaner(c *token.Claims) { c.Role, c.Assurance = "schoonmaker", "laag" }

// doors are all that somebody with a token can do at the gateway, save composing, which
// the matrix decides, and withdrawing, which no policy decides.
func (h *house) doors(ask *ontschotv1.GiveConsentRequest, id string, b *budgetv1.Budget) map[string]func(context.Context) error {
	const other = "01900000-0000-7000-8000-000000000001"
	sum := sha("terms")
	agreed, err := h.ListAgreements(h.municipality().call(), &ontschotv1.ListAgreementsRequest{With: "UWV"})
	require.NoError(h.t, err)
	one, err := h.GetAgreement(h.municipality().call(), &ontschotv1.GetAgreementRequest{Id: agreed.GetAgreements()[0].GetId()})
	require.NoError(h.t, err)
	today := h.family.Case.Today.String()
	return map[string]func(context.Context) error{
		"AskConsent": func(ctx context.Context) error {
			return second(h.AskConsent(ctx, &ontschotv1.AskConsentRequest{Question: proto.CloneOf(ask.GetQuestion())}))
		},
		"GiveConsent": func(ctx context.Context) error { return second(h.GiveConsent(ctx, proto.CloneOf(ask))) },
		"NarrowConsent": func(ctx context.Context) error {
			return second(h.NarrowConsent(ctx, &ontschotv1.NarrowConsentRequest{Id: id, Without: all("GM0119"), Identifiers: proto.CloneOf(ask.GetQuestion().GetPerson().GetIdentifiers())}))
		},
		"ConfirmConsent": func(ctx context.Context) error {
			return second(h.ConfirmConsent(ctx, &ontschotv1.ConfirmConsentRequest{Id: id, Identifiers: proto.CloneOf(ask.GetQuestion().GetPerson().GetIdentifiers())}))
		},
		"ConfirmAgreement": func(ctx context.Context) error {
			return second(h.ConfirmAgreement(ctx, &ontschotv1.ConfirmAgreementRequest{Id: other}))
		},
		"ListConsents": func(ctx context.Context) error {
			return second(h.ListConsents(ctx, &ontschotv1.ListConsentsRequest{Purpose: h.family.Case.Purpose, Identifiers: proto.CloneOf(ask.GetQuestion().GetPerson().GetIdentifiers())}))
		},
		"GetConsent": func(ctx context.Context) error {
			return second(h.GetConsent(ctx, &ontschotv1.GetConsentRequest{Id: id}))
		},
		"Register": func(ctx context.Context) error {
			return second(h.Register(ctx, &ontschotv1.RegisterRequest{Document: []byte("x")}))
		},
		"ProposeAgreement": func(ctx context.Context) error {
			return second(h.ProposeAgreement(ctx, &ontschotv1.ProposeAgreementRequest{Terms: one.GetAgreement().GetTerms()}))
		},
		"AcceptAgreement": func(ctx context.Context) error {
			return second(h.AcceptAgreement(ctx, &ontschotv1.AcceptAgreementRequest{Id: other, TermsSha256: sum}))
		},
		"RejectAgreement": func(ctx context.Context) error {
			return second(h.RejectAgreement(ctx, &ontschotv1.RejectAgreementRequest{Id: other, Reason: "x"}))
		},
		"RevokeAgreement": func(ctx context.Context) error {
			return second(h.RevokeAgreement(ctx, &ontschotv1.RevokeAgreementRequest{Id: other, Reason: "x"}))
		},
		"ListAgreements": func(ctx context.Context) error {
			return second(h.ListAgreements(ctx, &ontschotv1.ListAgreementsRequest{}))
		},
		"GetAgreement": func(ctx context.Context) error {
			return second(h.GetAgreement(ctx, &ontschotv1.GetAgreementRequest{Id: other}))
		},
		"DiffAgreements": func(ctx context.Context) error {
			return second(h.DiffAgreements(ctx, &ontschotv1.DiffAgreementsRequest{Id: other}))
		},
		"Delegate": func(ctx context.Context) error {
			return second(h.Delegate(ctx, &ontschotv1.DelegateRequest{To: string(h.oin(vendor)), Purposes: []string{"consents.keep"}, From: today, Until: today}))
		},
		"ListDelegations": func(ctx context.Context) error {
			return second(h.ListDelegations(ctx, &ontschotv1.ListDelegationsRequest{}))
		},
		"EndDelegation": func(ctx context.Context) error {
			return second(h.EndDelegation(ctx, &ontschotv1.EndDelegationRequest{Id: other}))
		},
		"View": func(ctx context.Context) error {
			return second(h.View(ctx, &ontschotv1.ViewRequest{Budget: b, Person: "P"}))
		},
		"CheckPlan": func(ctx context.Context) error {
			return second(h.CheckPlan(ctx, &ontschotv1.CheckPlanRequest{Budget: b, Plan: &budgetv1.Plan{}}))
		},
		"Account": func(ctx context.Context) error {
			return second(h.Account(ctx, &ontschotv1.AccountRequest{Budget: b, Plan: &budgetv1.Plan{}}))
		},
		"Dissolve": func(ctx context.Context) error {
			return second(h.Dissolve(ctx, &ontschotv1.DissolveRequest{Budget: b, Date: today}))
		},
		"Sunset": func(ctx context.Context) error {
			return second(h.Sunset(ctx, &ontschotv1.SunsetRequest{Budget: b, Plan: &budgetv1.Plan{}}))
		},
	}
}

func second[T any](_ T, err error) error { return err }

// codesOf are the codes of the policy in an error.
func codesOf(err error) string { return metadataOf(err)["codes"] }

func metadataOf(err error) map[string]string {
	for _, d := range said(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetMetadata()
		}
	}
	return nil
}

func requireRefused(t *testing.T, err error, code, name string) {
	t.Helper()
	require.Equal(t, codes.PermissionDenied, codeOf(err), "%s: %v", name, err)
	require.Equal(t, budgetv1.ReasonPolicyDenied, reasonOf(err), name)
	require.Equal(t, code, codesOf(err), name)
	if code != policy.CodeUndecided { // what cannot be judged proves no way
		require.NotEmpty(t, metadataOf(err)["way"], "%s: who may", name)
	}
	require.NotContains(t, metadataOf(err)["way"], "CONSENT", name)
}

// Whoever has no cell does nothing at any door but one: a withdrawal is passed on by
// anybody the keeper knows, and no policy that fails stops it.
func TestEveryDoorPassesThePolicy(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	id := h.give(p, "", all("GM0119")...)
	b, err := h.compose(h.municipality().call(), h.request([]person{p}, [2]string{"P", "GM0119"}))
	require.NoError(t, err)
	doors := h.doors(h.yes(p, id, all("GM0119")...), id, b)
	for name, through := range doors {
		requireRefused(t, through(h.worker(cleaner).call()), "ROL-01", name)
		requireRefused(t, through(h.worker(func(c *token.Claims) { c.Assurance = "laag" }).call()), "ROL-01", name)
		requireRefused(t, through(h.worker(func(c *token.Claims) { c.Role = "schoonmaker" }).call()), "ROL-01", name)
		err := through(h.municipality().call())
		require.Empty(t, codesOf(err), "%s: %v", name, err)
	}

	// Every call that a service has is among them.
	for _, service := range []grpc.ServiceDesc{
		ontschotv1.AgreementService_ServiceDesc, ontschotv1.BudgetService_ServiceDesc, ontschotv1.ConsentService_ServiceDesc, ontschotv1.RegistryService_ServiceDesc,
	} {
		for _, method := range service.Methods {
			if method.MethodName != "WithdrawConsent" && method.MethodName != "EraseConsents" { // see TestAPersonIsErased
				require.Contains(t, doors, method.MethodName, "a door that nobody tried")
			}
		}
	}

	other := h.person("Q")
	theirs := h.give(other, "", all("GM0119")...)
	_, err = h.WithdrawConsent(h.worker(func(c *token.Claims) { cleaner(c); c.Case = "another" }).call(), &ontschotv1.WithdrawConsentRequest{Id: theirs})
	require.Equal(t, budgetv1.ReasonOtherHousehold, reasonOf(err))
	_, err = h.WithdrawConsent(h.worker(func(c *token.Claims) { cleaner(c); c.Details = nil }).call(), &ontschotv1.WithdrawConsentRequest{Id: theirs})
	require.NoError(t, err)
	h.ended(theirs)
	h.verify()
}

// A policy that cannot judge opens no door, and stops no withdrawal.
func TestWithdrawingNeedsNoPolicy(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	id := h.give(p, "", all("GM0119")...)
	yes := h.yes(p, id, all("GM0119")...)
	b, err := h.compose(h.municipality().call(), h.request([]person{p}, [2]string{"P", "GM0119"}))
	require.NoError(t, err)
	doors := h.doors(yes, id, b)
	stuck, err := policy.New(t.Context(), policy.Config{FS: policies.FS, Timeout: time.Nanosecond})
	require.NoError(t, err)
	config := h.config
	config.Policy = policy.NewRules(stuck)
	h.Broker, err = server.NewBroker(config)
	require.NoError(t, err)
	for name, through := range doors {
		requireRefused(t, through(h.municipality().call()), "SYS-01", name)
	}
	_, err = h.WithdrawConsent(h.municipality().call(), &ontschotv1.WithdrawConsentRequest{Id: id})
	require.NoError(t, err)
	h.ended(id)
}
