package token_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

func TestAGoodTokenNamesItsCaller(t *testing.T) {
	r := newRig(t)
	c, err := r.checker.Check(r.own(t, nil))
	require.NoError(t, err)
	require.Equal(t, town, c.Organisation())
	require.Equal(t, "case", c.Case())
	require.Equal(t, "consulent", c.Role())
	require.Equal(t, "substantieel", c.Assurance())
	require.Empty(t, c.Actor())
	require.Empty(t, c.Delegation())
	require.True(t, c.May(purpose))
	require.False(t, c.May("integral_budget.account"))

	var none token.Caller
	require.False(t, none.May(purpose))
	require.False(t, none.May(""))
	require.False(t, none.Reaches(purpose, town))
	require.False(t, none.Allows(purpose, town, "product"))
}

func TestOwnTokensThatAreRefused(t *testing.T) {
	r := newRig(t)
	for name, c := range map[string]struct {
		change func(*token.Claims)
		want   error
	}{
		"no iat":               {func(c *token.Claims) { c.IssuedAt = 0 }, token.ErrInvalid},
		"no nbf":               {func(c *token.Claims) { c.NotBefore = 0 }, token.ErrInvalid},
		"no exp":               {func(c *token.Claims) { c.Expires = 0 }, token.ErrInvalid},
		"ends before it began": {func(c *token.Claims) { c.Expires = c.IssuedAt - 1 }, token.ErrInvalid},
		"ends where it began":  {func(c *token.Claims) { c.Expires = c.IssuedAt }, token.ErrInvalid},
		"a life of 301 s":      {func(c *token.Claims) { c.Expires++ }, token.ErrInvalid},
		"31 s too late":        {func(c *token.Claims) { c.IssuedAt, c.Expires = now.Unix()-331, now.Unix()-31 }, token.ErrExpired},
		"issued in 31 s":       {func(c *token.Claims) { c.IssuedAt, c.Expires = now.Unix()+31, now.Unix()+300 }, token.ErrInvalid},
		"valid in 31 s":        {func(c *token.Claims) { c.NotBefore = now.Unix() + 31 }, token.ErrInvalid},
		"times of long ago":    {func(c *token.Claims) { c.IssuedAt, c.NotBefore, c.Expires = -1<<62, 1, 1<<62 }, token.ErrInvalid},
		"times of far away":    {func(c *token.Claims) { c.Expires = 1<<53 - 1 }, token.ErrInvalid},
		"audience":             {func(c *token.Claims) { c.Audience = "" }, token.ErrAudience},
		"no binding":           {func(c *token.Claims) { c.Confirmation.X5T = "" }, token.ErrBinding},
		"of another":           {func(c *token.Claims) { c.Confirmation.X5T = token.Thumbprint(r.vendorLeaf) }, token.ErrBinding},
		"for another":          {func(c *token.Claims) { c.Organisation = vendor }, token.ErrBinding},
		"issued in 1970":       {func(c *token.Claims) { c.IssuedAt, c.NotBefore, c.Expires = 0, 1, 200 }, token.ErrInvalid},
		"long expired":         {func(c *token.Claims) { c.IssuedAt, c.NotBefore, c.Expires = 1, 1, 200 }, token.ErrExpired},
		"no jti":               {func(c *token.Claims) { c.ID = "" }, token.ErrInvalid},
		"no subject":           {func(c *token.Claims) { c.Subject = "" }, token.ErrInvalid},
		"no client":            {func(c *token.Claims) { c.Client = "" }, token.ErrInvalid},
		"no case":              {func(c *token.Claims) { c.Case = "" }, token.ErrInvalid},
		"a case too long":      {func(c *token.Claims) { c.Case = string(make([]byte, 129)) }, token.ErrInvalid},
	} {
		call := r.own(t, c.change)
		_, err := r.checker.Check(call)
		require.ErrorIs(t, err, c.want, name)
	}
	for name, change := range map[string]func(*token.Claims){
		"29 s late": func(c *token.Claims) {
			c.IssuedAt, c.NotBefore, c.Expires = now.Unix()-329, now.Unix()-329, now.Unix()-29
		},
		"29 s early":         func(c *token.Claims) { c.IssuedAt, c.NotBefore = now.Unix()+29, now.Unix()+29 },
		"a life of a second": func(c *token.Claims) { c.Expires = c.IssuedAt + 1 },
		"an id of 128":       func(c *token.Claims) { c.ID = strings.Repeat("x", 128) },
	} {
		_, err := r.checker.Check(r.own(t, change))
		require.NoError(t, err, name)
	}
	call := r.own(t, nil)
	call.Leaf = nil
	_, err := r.checker.Check(call)
	require.ErrorIs(t, err, token.ErrBinding)
	_, err = r.checker.Check(token.Call{Leaf: r.leaf})
	require.ErrorIs(t, err, token.ErrMissing)
}

// A key that signs nothing new makes no good token, seen before or not.
func TestARetiredKeyMakesNoToken(t *testing.T) {
	r := newRig(t)
	call := r.own(t, nil)
	_, err := r.checker.Check(call)
	require.NoError(t, err)
	require.NoError(t, r.keys.Pin(r.pins(time.Unix(1, 0))))
	for range 2 {
		_, err = r.checker.Check(call)
		require.ErrorIs(t, err, token.ErrInvalid)
	}
}

// Details are alternatives, and one alone must name purpose, source and category.
func TestDetailsAreNeverMixed(t *testing.T) {
	r := newRig(t)
	details := func(list ...token.Detail) token.Caller {
		c, err := r.checker.Check(r.own(t, func(c *token.Claims) { c.Details = list }))
		require.NoError(t, err)
		return c
	}
	one := func(purposes, sources, categories []string) token.Detail {
		return token.Detail{Type: token.DetailType, Purposes: purposes, Sources: sources, Categories: categories}
	}
	here, there := []string{string(town)}, []string{string(vendor)}
	all, p, q := []string{"*"}, []string{purpose}, []string{"other.purpose"}

	c := details(one(p, here, []string{"product"}), one(p, there, []string{"amount"}), one(q, here, all))
	require.True(t, c.Allows(purpose, town, "product"))
	require.True(t, c.Allows(purpose, vendor, "amount"))
	require.True(t, c.Allows("other.purpose", town, "amount"))
	require.False(t, c.Allows(purpose, town, "amount"))
	require.False(t, c.Allows(purpose, vendor, "product"))
	require.False(t, c.Allows("other.purpose", vendor, "amount"))
	require.True(t, c.Reaches(purpose, town))
	require.False(t, c.Reaches(purpose, other))
	require.False(t, c.Reaches("other.purpose", vendor), "which is reached for another purpose")
	require.False(t, c.Allows(purpose, town, "*"), "the star is no category")

	c = details(one(p, nil, all), one(p, all, nil), one(p, []string{}, []string{}))
	require.True(t, c.May(purpose))
	require.False(t, c.Reaches(purpose, town), "an empty list allows nothing")
	c = details(token.Detail{Type: "other", Purposes: p, Sources: all, Categories: all}, one(nil, all, all))
	require.False(t, c.May(purpose))
	require.False(t, details().May(purpose))
}

// A member of a detail that we do not know may be meant to narrow it.
func TestADetailHoldsNothingUnknown(t *testing.T) {
	var d []token.Detail
	require.Error(t, json.Unmarshal([]byte(`[{"type":"ontschot","purposes":["a.b"],"locations":["x"]}]`), &d))
	require.NoError(t, json.Unmarshal([]byte(`[{"type":"account_information","locations":["x"],"purposes":7}]`), &d))
	require.Equal(t, []token.Detail{{Type: "account_information"}}, d)
	require.Error(t, json.Unmarshal([]byte(`[{"type":7}]`), &d))
	require.Error(t, json.Unmarshal([]byte(`[{"type":"ontschot","purposes":"a.b"}]`), &d))
}

func (r *rig) delegation(t testing.TB, change func(*token.DelegationClaims)) token.Delegation {
	d, err := token.VerifyDelegation(r.keys, r.statement(t, change))
	require.NoError(t, err)
	return d
}

// A vendor acts for the town on a statement of the town, and not otherwise.
func TestActingForAnother(t *testing.T) {
	r := newRig(t)
	acting := func(change func(*token.Claims)) token.Call {
		call := r.own(t, func(c *token.Claims) {
			c.Actor = &token.Actor{Subject: "vendor-client", Organisation: vendor}
			c.Confirmation.X5T = token.Thumbprint(r.vendorLeaf)
			if change != nil {
				change(c)
			}
		})
		call.Leaf = r.vendorLeaf
		return call
	}
	having := func(call token.Call, list ...token.Delegation) token.Call {
		call.Delegations = func(org, actor identity.OIN) ([]token.Delegation, error) {
			require.Equal(t, town, org)
			return list, nil
		}
		return call
	}
	good := r.delegation(t, nil)
	c, err := r.checker.Check(having(acting(nil), good))
	require.NoError(t, err)
	require.Equal(t, town, c.Organisation())
	require.Equal(t, vendor, c.Actor())
	require.Equal(t, good.ID(), c.Delegation())
	require.True(t, c.May(purpose))
	require.True(t, c.Allows(purpose, other, "amount"))

	both := func(c *token.Claims) { c.Details[0].Purposes = []string{purpose, "documents.register"} }
	c, err = r.checker.Check(having(acting(both), good))
	require.NoError(t, err)
	require.False(t, c.May("documents.register"), "the token names it, the delegation does not")
	require.False(t, c.Reaches("documents.register", other))

	// The one that covers the purpose is what it rests on.
	register := r.delegation(t, func(d *token.DelegationClaims) { d.Purposes = []string{"documents.register"} })
	call := having(acting(both), register, good)
	call.Purpose = "documents.register"
	c, err = r.checker.Check(call)
	require.NoError(t, err)
	require.Equal(t, register.ID(), c.Delegation())
	require.True(t, c.May("documents.register"))
	require.False(t, c.May(purpose))

	back, err := token.VerifyDelegation(r.keys, signStatement(t, r.vendorSign, func(d *token.DelegationClaims) { d.Issuer, d.Delegate = vendor, town }))
	require.NoError(t, err)
	for name, bad := range map[string]token.Call{
		"nobody can act":     acting(nil),
		"none":               having(acting(nil)),
		"the zero one":       having(acting(nil), token.Delegation{}),
		"the other way":      having(acting(nil), back),
		"to another":         having(acting(nil), r.delegation(t, func(d *token.DelegationClaims) { d.Delegate = other })),
		"for another end":    having(acting(nil), register),
		"ended yesterday":    having(acting(nil), r.delegation(t, func(d *token.DelegationClaims) { d.Until = "2027-01-14" })),
		"begins tomorrow":    having(acting(nil), r.delegation(t, func(d *token.DelegationClaims) { d.From = "2027-01-16" })),
		"no purpose is said": func() token.Call { c := having(acting(nil), good); c.Purpose = ""; return c }(),
	} {
		_, err := r.checker.Check(bad)
		require.ErrorIs(t, err, token.ErrDelegation, name)
	}
	for name, change := range map[string]func(*token.Claims){
		"a chain":           func(c *token.Claims) { c.Actor.Actor = json.RawMessage(`{"sub":"x"}`) },
		"no organisation":   func(c *token.Claims) { c.Actor.Organisation = "" },
		"a strange one":     func(c *token.Claims) { c.Actor.Organisation = "vendor" },
		"no client":         func(c *token.Claims) { c.Actor.Subject = "" },
		"itself":            func(c *token.Claims) { c.Actor.Organisation = town },
		"the vendor issues": func(c *token.Claims) { c.Issuer = vendor },
	} {
		_, err := r.checker.Check(having(acting(change), good))
		require.ErrorIs(t, err, token.ErrInvalid, name)
	}
	for name, change := range map[string]func(*token.Claims){
		"the certificate of the town": func(c *token.Claims) { c.Confirmation.X5T = token.Thumbprint(r.leaf) },
		"an actor who is not there":   func(c *token.Claims) { c.Actor.Organisation = other },
		"no actor":                    func(c *token.Claims) { c.Actor = nil },
	} {
		_, err := r.checker.Check(having(acting(change), good))
		require.ErrorIs(t, err, token.ErrBinding, name)
	}
	call = acting(nil)
	down := errors.New("down")
	call.Delegations = func(identity.OIN, identity.OIN) ([]token.Delegation, error) { return nil, down }
	_, err = r.checker.Check(call)
	require.ErrorIs(t, err, down)
	require.NotErrorIs(t, err, token.ErrInvalid)
}

// An organisation is its own issuer: whoever has a key for tokens speaks for itself alone.
func TestNobodyIssuesForAnother(t *testing.T) {
	r := newRig(t)
	pins := r.pins(time.Time{})
	theirs := r.vendorSign
	theirs.KeyID = "token-1"
	pins[vendor] = append(pins[vendor], signed.Key{ID: theirs.KeyID, Alg: theirs.Alg, Public: theirs.Key.Public(), Kinds: []signed.Kind{signed.Token}})
	require.NoError(t, r.keys.Pin(pins))
	r.tokens = theirs
	_, err := r.checker.Check(r.own(t, func(c *token.Claims) { c.Issuer = vendor }))
	require.ErrorIs(t, err, token.ErrInvalid)
	call := r.own(t, func(c *token.Claims) {
		c.Issuer, c.Organisation, c.Confirmation.X5T = vendor, vendor, token.Thumbprint(r.vendorLeaf)
	})
	call.Leaf = r.vendorLeaf
	c, err := r.checker.Check(call)
	require.NoError(t, err)
	require.Equal(t, vendor, c.Organisation(), "and for itself it may")
}

// What another organisation delegated to the vendor is not what this one did.
func TestADelegationOfAnotherOrganisation(t *testing.T) {
	r := newRig(t)
	theirs := r.vendorSign
	theirs.Issuer = other
	pins := r.pins(time.Time{})
	pins[other] = []signed.Key{{ID: theirs.KeyID, Alg: theirs.Alg, Public: theirs.Key.Public(), Kinds: []signed.Kind{signed.Statement}}}
	require.NoError(t, r.keys.Pin(pins))
	d, err := token.VerifyDelegation(r.keys, signStatement(t, theirs, func(d *token.DelegationClaims) { d.Issuer = other }))
	require.NoError(t, err)
	require.True(t, d.Covers(vendor, purpose, today))
	call := r.own(t, func(c *token.Claims) {
		c.Actor = &token.Actor{Subject: "vendor-client", Organisation: vendor}
		c.Confirmation.X5T = token.Thumbprint(r.vendorLeaf)
	})
	call.Leaf = r.vendorLeaf
	call.Delegations = func(identity.OIN, identity.OIN) ([]token.Delegation, error) { return []token.Delegation{d}, nil }
	_, err = r.checker.Check(call)
	require.ErrorIs(t, err, token.ErrDelegation)
}

// A token that was seen before costs little, of whichever form.
func TestASeenTokenCostsLittle(t *testing.T) {
	r := newRig(t)
	for name, call := range map[string]token.Call{"own": r.own(t, nil), "outside": r.outside(t, r.keycloak())} {
		_, err := r.checker.Check(call)
		require.NoError(t, err, name)
		got := testing.AllocsPerRun(100, func() { _, _ = r.checker.Check(call) })
		require.LessOrEqual(t, got, 25.0, name)
	}
}

func BenchmarkCheck(b *testing.B) {
	r := newRig(b)
	for name, call := range map[string]token.Call{"own": r.own(b, nil), "outside": r.outside(b, r.keycloak())} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := r.checker.Check(call)
				require.NoError(b, err)
			}
		})
	}
}
