package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/dev/sandbox"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Who calls must be proven; every way of not proving it ends at the front door.
func TestTokensThatAreRefused(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	mint := func(change func(*token.Claims)) func() (string, error) {
		return func() (string, error) { return f.Token(time.Now(), change) }
	}
	b64 := base64.RawURLEncoding.EncodeToString
	good, err := f.Token(time.Now(), nil)
	require.NoError(t, err)
	parts := strings.Split(good, ".")
	header := func(alg string) string {
		return b64([]byte(`{"alg":"` + alg + `","kid":"token-1","typ":"at+jwt"}`))
	}
	der, err := x509.MarshalPKIXPublicKey(f.Requester().Token.Key.Public())
	require.NoError(t, err)
	hs := header("HS256") + "." + parts[1]
	mac := hmac.New(sha256.New, der)
	mac.Write([]byte(hs))
	consent, _, err := f.Consent(f.Case.Consents[0], nil)
	require.NoError(t, err)
	text := func(s string) func() (string, error) { return func() (string, error) { return s, nil } }
	long := func(c *token.Claims) { c.Expires = c.IssuedAt + 3600 }

	for name, c := range map[string]struct {
		mint   func() (string, error)
		reason string
	}{
		"no token":                   {text(""), "TOKEN_MISSING"},
		"expired":                    {func() (string, error) { return f.Token(time.Now().Add(-10*time.Minute), nil) }, "TOKEN_EXPIRED"},
		"not valid yet":              {func() (string, error) { return f.Token(time.Now().Add(10*time.Minute), nil) }, "TOKEN_INVALID"},
		"lives too long":             {mint(long), "TOKEN_INVALID"},
		"bound to another":           {mint(func(c *token.Claims) { c.Confirmation.X5T = token.Thumbprint(f.Parties["UWV"].Server.TLS.Leaf) }), "TOKEN_NOT_BOUND"},
		"bound to nothing":           {mint(func(c *token.Claims) { c.Confirmation.X5T = "" }), "TOKEN_NOT_BOUND"},
		"another organisation":       {mint(func(c *token.Claims) { c.Organisation = f.Parties["UWV"].OIN }), "TOKEN_NOT_BOUND"},
		"another audience":           {mint(func(c *token.Claims) { c.Audience = string(f.Parties["UWV"].OIN) }), "TOKEN_AUDIENCE"},
		"unknown issuer":             {mint(func(c *token.Claims) { c.Issuer = "00000099000000999000" }), "TOKEN_INVALID"},
		"no case":                    {mint(func(c *token.Claims) { c.Case = "" }), "TOKEN_INVALID"},
		"alg none":                   {text(header("none") + "." + parts[1] + "."), "TOKEN_INVALID"},
		"alg none, signature kept":   {text(header("none") + "." + parts[1] + "." + parts[2]), "TOKEN_INVALID"},
		"HS256 with the public key":  {text(hs + "." + b64(mac.Sum(nil))), "TOKEN_INVALID"},
		"a consent used as a token":  {text(string(consent.GetDocument())), "TOKEN_INVALID"},
		"signed with a document key": {func() (string, error) { return signedBy(f.Requester().Sign, parts[1]) }, "TOKEN_INVALID"},
		"not a token":                {text("x"), "TOKEN_INVALID"},
		"typ of a plain JWT": {func() (string, error) {
			return rebuilt(f, `{"alg":"ES256","kid":"token-1","typ":"JWT"}`, parts[1]), nil
		}, "TOKEN_INVALID"},
		"a detail of more": {func() (string, error) {
			return signedBy(f.Requester().Token, withDetail(t, parts[1], `"actions":["read"]`))
		}, "TOKEN_INVALID"},
		"an actor that is nobody": {mint(func(c *token.Claims) { c.Actor = &token.Actor{Subject: "x"} }), "TOKEN_INVALID"},
		"an actor of an actor": {mint(func(c *token.Claims) {
			c.Actor = &token.Actor{Subject: "x", Organisation: f.Parties["UWV"].OIN, Actor: []byte(`{"sub":"y"}`)}
		}), "TOKEN_INVALID"},
		"an actor without its certificate": {mint(func(c *token.Claims) {
			c.Actor = &token.Actor{Subject: "x", Organisation: f.Parties["UWV"].OIN}
		}), "TOKEN_NOT_BOUND"},
	} {
		_, err := h.client(c.mint).AssembleBudget(t.Context(), requestOf(f.Case), nil)
		code, got, _ := reason(t, err)
		require.Equal(t, codes.Unauthenticated, code, name)
		require.Equal(t, c.reason, got, name)
	}
	_, err = h.ask()
	require.NoError(t, err, "and a good one passes")
}

func signedBy(s signed.Signer, payload string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return "", err
	}
	out, err := s.Compact(signed.Token, rawJSON(raw))
	return string(out), err
}

// rebuilt signs a payload under any header.
func rebuilt(f *family.Family, head, payload string) string {
	input := base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + payload
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, f.Requester().Token.Key.(*ecdsa.PrivateKey), sum[:])
	if err != nil {
		panic(err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return input + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// withDetail puts a member into the first detail of a payload.
func withDetail(t *testing.T, payload, member string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	require.NoError(t, err)
	changed := strings.Replace(string(raw), `"authorization_details":[{`, `"authorization_details":[{`+member+`,`, 1)
	require.NotEqual(t, string(raw), changed)
	return base64.RawURLEncoding.EncodeToString([]byte(changed))
}

type rawJSON []byte

func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// A token for one purpose is no token for another, and a purpose that the matrix
// does not know is refused even to who has a token for it.
func TestPurposesThatAreRefused(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	r := requestOf(f.Case)
	r.Purpose = "tax.audit"
	_, err := h.put(r)
	code, got, _ := reason(t, err)
	require.Equal(t, codes.PermissionDenied, code)
	require.Equal(t, "PURPOSE_NOT_ALLOWED", got)

	c := h.client(func() (string, error) {
		return f.Token(time.Now(), func(c *token.Claims) { c.Details[0].Purposes = []string{"tax.audit"} })
	})
	_, err = c.AssembleBudget(t.Context(), r, nil)
	code, got, meta := reason(t, err)
	require.Equal(t, codes.PermissionDenied, code)
	require.Equal(t, "PURPOSE_NOT_ALLOWED", got)
	require.Contains(t, meta["codes"], "DOEL-01")
}

// What a token does not name is missing, and said to be: a source, a category, and
// for a budget that is presented the whole of it.
func TestATokenIsForSomeSourcesAndCategories(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{})
	town, uwv := string(f.Requester().OIN), string(f.Parties["UWV"].OIN)
	details := func(list ...token.Detail) *client.Client {
		return h.client(func() (string, error) { return f.Token(time.Now(), func(c *token.Claims) { c.Details = list }) })
	}
	one := func(sources []string, categories ...string) token.Detail {
		return token.Detail{Type: token.DetailType, Purposes: []string{f.Case.Purpose}, Sources: sources, Categories: categories}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	narrow := details(one([]string{uwv}, "entitlement", "product"), one([]string{town}, "*"))
	b, err := narrow.AssembleBudget(ctx, requestOf(f.Case), nil)
	require.NoError(t, err)
	require.Zero(t, b.GetIncomeCents())
	reasons := map[string]string{}
	for _, g := range b.GetGaps() {
		if g.GetPerson() == "A1" && g.GetSource() == "UWV" {
			require.NotEmpty(t, g.GetCategories())
		}
		reasons[g.GetPerson()+"/"+g.GetSource()] = g.GetReason() + " " + g.GetCode()
	}
	require.Equal(t, "PURPOSE_NOT_ALLOWED DOEL-02", reasons["A1/UWV"])
	require.Equal(t, "PURPOSE_NOT_ALLOWED DOEL-02", reasons["A4/ZK5503"])
	require.Empty(t, h.box.Asked("ZK5503"), "who is not named is not asked")
	for _, l := range b.GetLines() {
		if l.GetPerson() == "A1" {
			require.Nil(t, l.GetPeriod(), "named for another source only")
		}
	}

	whole, err := h.ask()
	require.NoError(t, err)
	_, err = narrow.View(ctx, &ontschotv1.ViewRequest{Budget: whole, Person: "A1"})
	code, why, _ := reason(t, err)
	require.Equal(t, codes.PermissionDenied, code)
	require.Equal(t, "PURPOSE_NOT_ALLOWED", why)
	_, err = narrow.View(ctx, &ontschotv1.ViewRequest{Budget: b, Person: "A1"})
	require.NoError(t, err, "its own budget rests on what it names")

	_, err = details(one(nil, "*"), one([]string{"*"})).AssembleBudget(ctx, requestOf(f.Case), nil)
	code, why, meta := reason(t, err)
	require.Equal(t, codes.PermissionDenied, code)
	require.Equal(t, "PURPOSE_NOT_ALLOWED", why)
	require.Equal(t, "DOEL-02", meta["codes"])
	require.Equal(t, "TOKEN", meta["way"])
}

// vendor is a software vendor with a certificate of its own, that acts for the
// municipality with a token of the municipality's issuer.
type vendor struct {
	h    *house
	oin  identity.OIN
	leaf family.Leaf
}

func (h *house) vendor() vendor {
	p := h.family.Parties["SVB"] // any other organisation
	return vendor{h, p.OIN, p.Client}
}

func (v vendor) client(change func(*token.Claims)) *client.Client {
	f := v.h.family
	return v.h.clientWith(v.leaf, func() (string, error) {
		return family.MintToken(f.Requester().Token, v.leaf.TLS.Leaf, f.CaseCommitment, f.Case.Purpose, time.Now(), func(c *token.Claims) {
			c.Actor = &token.Actor{Subject: "vendor-client", Organisation: v.oin}
			if change != nil {
				change(c)
			}
		})
	})
}

// delegate has the municipality sign that the vendor may act for it, and gives the id.
func (v vendor) delegate(purposes ...string) string {
	today := v.h.family.Case.Today.Date
	d, err := v.h.client(nil).Agreements.Delegate(v.h.t.Context(), &ontschotv1.DelegateRequest{
		To: string(v.oin), Purposes: purposes, From: today.String(), Until: today.AddMonths(6).String(),
	})
	require.NoError(v.h.t, err)
	return d.GetId()
}

func (v vendor) end(id string) {
	_, err := v.h.client(nil).Agreements.EndDelegation(v.h.t.Context(), &ontschotv1.EndDelegationRequest{Id: id})
	require.NoError(v.h.t, err)
}

// A vendor asks for the municipality on a statement of the municipality; the audit log
// says who it was, and nothing is released after the statement has ended.
func TestAVendorActsOnADelegation(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{})
	v := h.vendor()
	ask := func(change func(*token.Claims)) (*budgetv1.Budget, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		return v.client(change).AssembleBudget(ctx, requestOf(f.Case), nil)
	}
	refused := func(err error, want codes.Code, reasonOf string) {
		t.Helper()
		code, why, _ := reason(t, err)
		require.Equal(t, want, code)
		require.Equal(t, reasonOf, why)
	}
	_, err := ask(nil)
	refused(err, codes.PermissionDenied, "NO_DELEGATION")
	v.delegate("integral_budget.account")
	_, err = ask(nil)
	refused(err, codes.PermissionDenied, "NO_DELEGATION")

	_, err = h.client(nil).Agreements.Delegate(t.Context(), &ontschotv1.DelegateRequest{To: string(v.oin), Purposes: []string{"x"}, From: "2025-06-30", Until: "2030-01-01"})
	refused(err, codes.InvalidArgument, "INVALID_FIELD")
	id := v.delegate(f.Case.Purpose)
	b, err := ask(nil)
	require.NoError(t, err)
	require.Equal(t, int64(2993760), b.GetIncomeCents())
	_, err = ask(func(c *token.Claims) { c.Actor = nil })
	refused(err, codes.Unauthenticated, "TOKEN_NOT_BOUND")
	view, err := v.client(nil).View(t.Context(), &ontschotv1.ViewRequest{Budget: b, Person: "A1"})
	require.NoError(t, err)
	_, err = v.client(nil).Register(t.Context(), given(t, f, f.Case.Consents[0], nil))
	refused(err, codes.PermissionDenied, "NO_DELEGATION")

	// Ended between the request and the release: nothing comes out.
	h.box.SetFault("UWV", sandbox.Slow(time.Second))
	ended := false
	_, err = v.client(nil).AssembleBudget(t.Context(), requestOf(f.Case), func(*ontschotv1.Progress) {
		if !ended {
			v.end(id)
			ended = true
		}
	})
	require.True(t, ended)
	refused(err, codes.FailedPrecondition, "DOCUMENT_ENDED")
	_, err = ask(nil)
	refused(err, codes.PermissionDenied, "NO_DELEGATION")
	_, err = v.client(nil).View(t.Context(), &ontschotv1.ViewRequest{Budget: view, Person: "A1"})
	refused(err, codes.PermissionDenied, "NO_DELEGATION")

	kinds := map[audit.Kind]int{}
	payloads := 0
	require.NoError(t, h.server.Store.View(t.Context(), f.Requester().OIN, func(s audit.Snapshot) error {
		rows, err := s.Rows(0, 100)
		for _, row := range rows {
			leaf, err := audit.ParseLeaf(row.Leaf)
			require.NoError(t, err)
			if leaf.Kind != audit.Decision && leaf.Kind != audit.Release {
				continue
			}
			kinds[leaf.Kind]++
			require.Contains(t, string(row.Leaf), string(v.oin), "the leaf names who acted")
			var open struct {
				Payload, Rests []struct{ Value []byte }
			}
			require.NoError(t, json.Unmarshal(row.Opening, &open))
			var rests []string
			for _, r := range open.Rests {
				rests = append(rests, string(r.Value))
			}
			require.Contains(t, rests, id)
			if strings.Contains(string(open.Payload[0].Value), `"delegation":"`+id+`"`) {
				require.Contains(t, string(open.Payload[0].Value), `"actor":"`+string(v.oin)+`"`)
				payloads++
			}
		}
		return err
	}))
	require.Equal(t, map[audit.Kind]int{audit.Decision: 3, audit.Release: 2}, kinds)
	require.Equal(t, 2, payloads, "the two requests that were decided")
	code, _, errs := cli(t, "audit", "verify", "--data", filepath.Join(h.dir, "data"))
	require.Equal(t, exitDone, code, errs)
}

// A development token can be minted for less.
func TestADevelopmentTokenForLess(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	code, raw, errs := cli(t, "dev", "token", "--dir", h.dir, "--sources", "UWV", "--categories", "entitlement,product")
	require.Equal(t, exitDone, code, errs)
	b, err := h.asking(func() (string, error) { return strings.TrimSpace(raw), nil })
	require.NoError(t, err)
	require.Equal(t, "NO_ADAPTER", gapOf(b, "A1", "UWV"))
	require.Equal(t, "PURPOSE_NOT_ALLOWED", gapOf(b, "A4", "ZK5503"))
	code, raw, _ = cli(t, "dev", "token", "--dir", h.dir, "--purposes", "documents.register")
	require.Equal(t, exitDone, code)
	_, err = h.asking(func() (string, error) { return strings.TrimSpace(raw), nil })
	_, why, _ := reason(t, err)
	require.Equal(t, "PURPOSE_NOT_ALLOWED", why)
	code, _, errs = cli(t, "dev", "token", "--dir", h.dir, "--sources", "NOBODY")
	require.NotEqual(t, exitDone, code)
	require.Contains(t, errs, "NOBODY")
}
