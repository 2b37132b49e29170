package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/directory"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/manifest"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func testfamilyOf(c *casefile.Case) (*family.Family, error) { return family.New(c, time.Now()) }

// line is a party's connection to the gateway, with whatever token is put on it.
type line struct {
	*client.Client
	peer   ontschotv1.PeerServiceClient
	bearer string
}

// line of a party; empty: the requester's.
func (s *siege) line(code string) *line {
	s.t.Helper()
	if code == "" {
		code = s.family.Case.Requester
	}
	if s.lines[code] != nil {
		return s.lines[code]
	}
	leaf := s.family.Parties[code].Client
	l := &line{}
	l.Client = s.clientWith(leaf, func() (string, error) { return l.bearer, nil })
	certificate := &tls.Config{RootCAs: s.family.CA, Certificates: []tls.Certificate{leaf.TLS}}
	conn, err := grpc.NewClient(s.server.Addr.String(), grpc.WithTransportCredentials(credentials.NewTLS(certificate)))
	require.NoError(s.t, err)
	l.peer = ontschotv1.NewPeerServiceClient(conn)
	s.t.Cleanup(func() { conn.Close() })
	s.lines[code] = l
	return l
}

// trusted is the requester's line with a good token.
func (s *siege) trusted() *line {
	s.t.Helper()
	l := s.line("")
	var err error
	l.bearer, err = s.family.Token(time.Now(), nil)
	require.NoError(s.t, err)
	return l
}

// bearing is a line with the document as its token.
func (s *siege) bearing(d document) *line {
	l := s.line(d.leaf)
	l.bearer = string(d.raw)
	return l
}

// deliver presents a document as the gateway of a party.
func (s *siege) deliver(by string, raw []byte) error {
	_, err := s.line(by).peer.Deliver(s.t.Context(), &ontschotv1.DeliverRequest{Document: raw})
	return err
}

// door is a place where documents are presented. What it cannot carry never reaches it.
type door struct {
	name    string
	kinds   []string
	present func(document) error
	carries func([]byte) bool
}

// doors of the gateway.
func (s *siege) doors() []door {
	bearer := func(name string, call func(context.Context, *line) error) door {
		return door{name, []string{"token"}, func(d document) error {
			ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
			defer cancel()
			return call(ctx, s.bearing(d))
		}, printable}
	}
	return []door{
		bearer("exchange", func(ctx context.Context, l *line) error {
			_, err := l.AssembleBudget(ctx, requestOf(s.family.Case), nil)
			return err
		}),
		bearer("agreements", func(ctx context.Context, l *line) error {
			_, err := l.Agreements.ListAgreements(ctx, &ontschotv1.ListAgreementsRequest{})
			return err
		}),
		bearer("consents", func(ctx context.Context, l *line) error {
			_, err := l.Consents.ListConsents(ctx, &ontschotv1.ListConsentsRequest{
				Purpose: s.family.Case.Purpose, Identifiers: &budgetv1.Identifiers{Bsn: s.family.Case.Household[0].BSN},
			})
			return err
		}),
		{"register", []string{"consent", "agreement", "withdrawal", "delegation"}, func(d document) error {
			_, err := s.trusted().Register(s.t.Context(), d.request())
			return err
		}, anything},
		{"deliver", []string{"proposal", "reject", "revoke"}, func(d document) error { return s.deliver(cmp.Or(d.leaf, "UWV"), d.raw) }, anything},
		{"presented", []string{"result"}, func(d document) error {
			b := proto.CloneOf(s.budget)
			b.Signature = string(d.raw)
			_, err := s.trusted().View(s.t.Context(), &ontschotv1.ViewRequest{Budget: b, Person: "A1"})
			return err
		}, isUTF8},
	}
}

func anything([]byte) bool { return true }

// printable is what a header of HTTP can hold (RFC 9110 section 5.5).
func printable(raw []byte) bool {
	return !strings.ContainsFunc(string(raw), func(r rune) bool { return r < ' ' || r > '~' })
}

// isUTF8 is what a text of a message can hold.
func isUTF8(raw []byte) bool { return utf8.Valid(raw) }

func (d document) request() *ontschotv1.RegisterRequest {
	return &ontschotv1.RegisterRequest{Document: d.raw, Disclosures: d.disclosures, SubjectKey: d.subject, Pseudonym: d.pseudonym}
}

// entrances are those of the room of signatures, once for each shape of claims.
func (s *siege) entrances() map[string]func([]byte) error {
	all := map[string]func([]byte) error{}
	for name, one := range map[string]struct {
		kind   signed.Kind
		claims func() any
	}{
		"a token":      {signed.Token, func() any { return new(token.Claims) }},
		"a consent":    {signed.Consent, func() any { return new(consent.Claims) }},
		"a withdrawal": {signed.Statement, func() any { return new(consent.Withdrawal) }},
		"a statement":  {signed.Statement, func() any { return new(agreement.Statement) }},
		"a delegation": {signed.Statement, func() any { return new(token.DelegationClaims) }},
		"a result":     {signed.Result, func() any { return new(result.Claims) }},
		"an account":   {signed.Result, func() any { return new(result.AccountClaims) }},
		"an end":       {signed.Result, func() any { return new(result.DissolutionClaims) }},
		"a permit":     {signed.Permit, func() any { return new(permit) }},
		"terms of one": {signed.Agreement, func() any { return new(agreement.Terms) }},
	} {
		all[name] = func(raw []byte) error {
			_, err := s.keys.Compact(one.kind, raw, one.claims())
			return err
		}
	}
	all["a directory"] = s.asDirectory
	for name, verify := range map[string]func(signed.Kind, []byte, any, func() []identity.OIN) (signed.Verified, error){"all": s.keys.All, "some": s.keys.Some} {
		all[name] = func(raw []byte) error {
			var terms agreement.Terms
			_, err := verify(signed.Agreement, raw, &terms, func() (parties []identity.OIN) {
				for _, p := range terms.Parties {
					parties = append(parties, p.OIN)
				}
				return parties
			})
			return err
		}
	}
	return all
}

// entrancesOf are those that a kind comes in by.
func entrancesOf(kind string) []string {
	switch kind {
	case "agreement":
		return []string{"all", "some"}
	case "proposal":
		return []string{"some"}
	case "reject", "revoke":
		return []string{"a statement"}
	case "account":
		return []string{"an account"}
	case "dissolution":
		return []string{"an end"}
	}
	return []string{"a " + kind}
}

// verifiers are the rooms of the kinds. Their clock is where the documents were made.
func (s *siege) verifiers() map[string]func(document) error {
	trust := s.trust()
	return map[string]func(document) error{
		"token": func(d document) error {
			leaf := s.family.Requester().Client.TLS.Leaf
			if d.leaf != "" {
				leaf = s.family.Parties[d.leaf].Client.TLS.Leaf
			}
			k := token.Checker{Keys: s.keys, Audience: string(s.family.Requester().OIN), Now: time.Now}
			_, err := k.Check(token.Call{Bearer: string(d.raw), Leaf: leaf, Purpose: s.family.Case.Purpose, Today: s.family.Case.Today.Date})
			return err
		},
		"consent": func(d document) error {
			c, err := consent.Verify(s.keys, d.raw, d.disclosures, d.subject)
			if err == nil && c.Keeper() != s.family.Requester().OIN {
				return fmt.Errorf("%w: of another keeper", consent.ErrDocument)
			}
			return err
		},
		"withdrawal": func(d document) error { _, err := consent.VerifyWithdrawal(s.keys, d.raw); return err },
		"agreement":  func(d document) error { _, err := agreement.Verify(s.keys, d.raw); return err },
		"proposal":   func(d document) error { _, err := agreement.VerifyProposal(s.keys, d.raw); return err },
		"statement":  func(d document) error { _, err := agreement.VerifyStatement(s.keys, d.raw); return err },
		"delegation": func(d document) error { _, err := token.VerifyDelegation(s.keys, d.raw); return err },
		"result": func(d document) error {
			b := proto.CloneOf(s.budget)
			b.Signature = string(d.raw)
			_, err := result.Verify(b, trust)
			return err
		},
		"account": func(d document) error {
			a := proto.CloneOf(s.account)
			a.Signature = string(d.raw)
			return result.VerifyAccount(a, trust)
		},
		"directory": func(d document) error { return s.directory(d.raw) },
		"manifest":  func(d document) error { return s.manifest(d.raw) },
		"dissolution": func(d document) error {
			a := proto.CloneOf(s.dissolved)
			a.Signature = string(d.raw)
			return result.VerifyDissolution(a, trust)
		},
	}
}

// asDirectory verifies a document as the directory of any party, were each an operator.
func (s *siege) asDirectory(raw []byte) error {
	pins := s.family.Pins()
	for oin := range pins {
		for i := range pins[oin] {
			pins[oin][i].Kinds = []signed.Kind{signed.Directory}
			if pins[oin][i].ID == "token-1" {
				pins[oin][i].Kinds = []signed.Kind{signed.Token}
			}
		}
	}
	v, err := signed.NewVerifier(pins)
	if err != nil {
		return err
	}
	_, err = v.Compact(signed.Directory, raw, new(directory.Claims))
	return err
}

// manifest verifies a document as the manifest of any party's adapter, were every key one
// for those.
func (s *siege) manifest(raw []byte) error {
	pins := s.family.Pins()
	for oin := range pins {
		for i := range pins[oin] {
			if pins[oin][i].ID != "token-1" {
				pins[oin][i].Kinds = append(pins[oin][i].Kinds, signed.Manifest)
			}
		}
	}
	v, err := signed.NewVerifier(pins)
	if err != nil {
		return err
	}
	_, err = manifest.Verify(v, raw, s.family.Requester().OIN, time.Now())
	return err
}

// directory verifies one as the gateway of who has pinned the requester as an operator.
func (s *siege) directory(raw []byte) error {
	own := s.family.Requester().Sign
	_, err := directory.Verify(raw, directory.Operator{OIN: own.Issuer, Keys: []signed.Key{{ID: own.KeyID, Alg: own.Alg, Public: own.Key.Public(), Kinds: []signed.Kind{signed.Directory}}}}, time.Now())
	return err
}

func (s *siege) trust() result.Trust {
	own := s.family.Requester()
	return result.Trust{Keys: s.keys, Releaser: own.OIN, Log: logKeys(s.t, own)}
}
