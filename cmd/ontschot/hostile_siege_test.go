package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/directory"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/manifest"
	"github.com/ontschot/ontschot/internal/signed"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// kinds of document there are. Several share a typ.
func kinds() []string {
	return []string{"token", "result", "account", "dissolution", "permit", "directory", "manifest", "consent", "withdrawal", "agreement", "proposal", "reject", "revoke", "delegation"}
}

// together reports whether it is a kind that several sign.
func together(kind string) bool {
	return kind == "agreement" || kind == "proposal" || kind == "manifest"
}

// signersOf a good document of a kind.
func signersOf(kind string) []string {
	switch kind {
	case "token":
		return []string{"GM0119/token-1"}
	case "agreement", "manifest":
		return []string{"GM0119/sign-1", "UWV/sign-1"}
	case "proposal", "reject", "revoke":
		return []string{"UWV/sign-1"}
	}
	return []string{"GM0119/sign-1"}
}

// document with what comes beside it.
type document struct {
	kind, payload string
	secret        []string
	raw           []byte
	disclosures   []string
	subject       []byte
	pseudonym     []byte
	taken         bool   // it can be registered, or needs what is not there
	leaf          string // over whose connection it comes as a token; empty: the requester's
}

// siege is a house to which hostile documents are presented.
type siege struct {
	*house
	keys      *signed.Verifier
	extra     map[string]key // beside those of the family
	budget    *budgetv1.Budget
	account   *budgetv1.Account
	dissolved *budgetv1.Dissolution
	consents  []string        // ids of those in force
	agreed    agreement.Terms // in force with UWV
	proposed  agreement.Terms // proposed by UWV, open
	lines     map[string]*line
	seen      []document
	nine      *regexp.Regexp // nine digits, as a burgerservicenummer has
	scratch   string         // a documents folder
	size      int64          // of the audit log
	honest    int64          // entries that honest actions made
}

// besiege plays Meppel with a budget that was released and a proposal that is open.
func besiege(t *testing.T) *siege {
	t.Helper()
	f := open(t, "meppel")
	s := &siege{extra: map[string]key{}, lines: map[string]*line{}, nine: regexp.MustCompile(`(^|[^0-9])[0-9]{9}([^0-9]|$)`)}
	documents := spoilt(t, f, nil, func(_ int, c casefile.Consent) []*ontschotv1.RegisterRequest {
		d, id, err := f.Consent(c, nil)
		require.NoError(t, err)
		s.consents = append(s.consents, id)
		return []*ontschotv1.RegisterRequest{d}
	})
	s.scratch = filepath.Join(t.TempDir(), "documents")
	s.house = play(t, f, options{documents: documents, change: s.pinMore(t)})
	trust, err := config.ReadTrust(s.server.Conf.Path(s.server.Conf.Trust))
	require.NoError(t, err)
	s.keys, err = trust.Verifier()
	require.NoError(t, err)

	for _, d := range documents {
		if a, err := agreement.Verify(s.keys, d.GetDocument()); err == nil && slices.Contains(a.Parties(), f.Parties["UWV"].OIN) {
			s.agreed = a.Terms()
		}
	}
	s.proposed = s.propose(t)
	s.budget, err = s.ask()
	require.NoError(t, err)
	p := new(budgetv1.Plan)
	require.NoError(t, protojson.Unmarshal(f.Case.Plan, p))
	accounts, err := s.client(nil).Account(t.Context(), &ontschotv1.AccountRequest{Budget: s.budget, Plan: p})
	require.NoError(t, err)
	s.account = accounts.GetAccounts()[0]
	s.dissolved, err = s.client(nil).Dissolve(t.Context(), &ontschotv1.DissolveRequest{Budget: s.budget, Date: "2025-07-01"})
	require.NoError(t, err)
	return s
}

// pinMore pins keys of other algorithms for the requester's tokens, and takes what
// nobody has pinned into the list of keys.
func (s *siege) pinMore(t *testing.T) func(*config.Gateway) {
	return func(conf *config.Gateway) {
		ps, err := rsa.GenerateKey(rand.Reader, 3072)
		require.NoError(t, err)
		_, ed, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		s.extra["GM0119/token-ps"], s.extra["GM0119/token-ed"] = key{"token-ps", ps}, key{"token-ed", ed}
		nobody, err := casefile.Open("meppel")
		require.NoError(t, err)
		stranger, err := testfamilyOf(nobody)
		require.NoError(t, err)
		s.extra["nobody/sign-1"], s.extra["nobody/token-1"] = key{"sign-1", stranger.Requester().Sign.Key}, key{"token-1", stranger.Requester().Token.Key}

		path := conf.Path(conf.Trust)
		trust, err := config.ReadTrust(path)
		require.NoError(t, err)
		for name, alg := range map[string]string{"token-ps": "PS256", "token-ed": "EdDSA"} {
			der, err := x509.MarshalPKIXPublicKey(s.extra["GM0119/"+name].private.Public())
			require.NoError(t, err)
			file := "trust/GM0119-" + name + ".pem"
			require.NoError(t, os.WriteFile(conf.Path(file), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600))
			at := slices.IndexFunc(trust.Parties, func(p config.Organisation) bool { return p.Code == "GM0119" })
			trust.Parties[at].Keys = append(trust.Parties[at].Keys, config.Key{ID: name, Alg: alg, Kinds: []signed.Kind{signed.Token}, File: file})
		}
		raw, err := yaml.Marshal(trust)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, raw, 0o600))
	}
}

// propose delivers a proposal of UWV's, which stays open.
func (s *siege) propose(t *testing.T) agreement.Terms {
	t.Helper()
	d := s.good(t, "proposal")
	require.NoError(t, s.deliver("UWV", d.raw))
	p, err := agreement.VerifyProposal(s.keys, d.raw)
	require.NoError(t, err)
	return p.Terms()
}

// good makes a good document of a kind.
func (s *siege) good(t *testing.T, kind string) document {
	t.Helper()
	f, d := s.family, document{kind: kind}
	uwv, own := f.Parties["UWV"], f.Requester()
	id := uuid.Must(uuid.NewV7()).String()
	var err error
	switch kind {
	case "token":
		var text string
		text, err = f.Token(time.Now(), nil)
		d.raw = []byte(text)
	case "consent":
		r := given(t, f, f.Case.Consents[0], nil)
		d.raw, d.disclosures, d.subject, d.pseudonym = r.GetDocument(), r.GetDisclosures(), r.GetSubjectKey(), r.GetPseudonym()
	case "withdrawal":
		var r *ontschotv1.RegisterRequest
		r, err = f.Withdrawal(s.consents[len(s.consents)-1])
		d.raw = r.GetDocument()
	case "agreement":
		d.raw, err = f.Agreement("UWV", nil)
	case "proposal":
		d.raw, err = f.Agreement("UWV", nil, uwv.Sign)
	case "reject", "revoke":
		about := map[string]agreement.Terms{"reject": s.proposed, "revoke": s.agreed}[kind]
		d.raw, err = agreement.NewStatement(agreement.Statement{ID: id, IssuedAt: f.Now.Unix(), Act: kind, Agreement: about.ID, Terms: about.Digest(), Reason: "Geen reden"}, uwv.Sign)
	case "delegation":
		d.raw, err = own.Sign.Compact(signed.Statement, token.DelegationClaims{
			Act: token.ActDelegate, Delegate: f.Parties["SVB"].OIN, Issuer: own.OIN, ID: id, IssuedAt: f.Now.Unix(),
			From: f.Case.Today.String(), Until: f.Case.Today.Date.AddMonths(6).String(), Purposes: []string{f.Case.Purpose},
		})
	case "result":
		d.raw = []byte(s.budget.GetSignature())
	case "account":
		d.raw = []byte(s.account.GetSignature())
	case "dissolution":
		d.raw = []byte(s.dissolved.GetSignature())
	case "permit":
		d.raw, err = own.Sign.Compact(signed.Permit, permit{ID: id, Issuer: own.OIN})
	case "manifest":
		m := manifest.Of(&adapterv1.DescribeResponse{Id: "uwv", Version: "1"})
		m.Issuer, m.Issued, m.Expires, m.Size, m.SHA256 = uwv.OIN, time.Now().Unix(), time.Now().Add(time.Hour).Unix(), 1, strings.Repeat("0f", 32)
		d.raw, err = signed.Together(signed.Manifest, m, own.Sign, uwv.Sign)
	case "directory":
		d.raw, err = directory.Sign(directory.Claims{IssuedAt: time.Now().Unix(), Issuer: own.OIN, Version: 1, Parties: []directory.Listing{{
			Code: "UWV", OIN: s.family.Parties["UWV"].OIN, Kind: "UWV", Name: "UWV", Keys: []directory.Key{}, Laws: []string{}, LogKeys: []string{},
		}}}, own.Sign, time.Now())
	}
	require.NoError(t, err)
	return d
}

// permit is any document of that kind; no room reads them yet.
type permit struct {
	ID     string       `json:"jti"`
	Issuer identity.OIN `json:"iss"`
}

// spoilBeside spoils what comes beside a consent.
func (s *siege) spoilBeside(t *testing.T, how string, d *document) {
	t.Helper()
	other := func() []string { return given(t, s.family, s.family.Case.Consents[1], nil).GetDisclosures() }
	switch how {
	case "":
	case "disclosures missing":
		d.disclosures = nil
	case "a disclosure more":
		d.disclosures = append(d.disclosures, other()[0])
	case "one twice":
		d.disclosures = append(d.disclosures, d.disclosures[0])
	case "of another consent":
		d.disclosures = other()[:1]
	case "padded":
		d.disclosures[0] += "="
	case "key of 31 bytes":
		d.subject = d.subject[:31]
	case "no key":
		d.subject = nil
	case "no pseudonym":
		d.pseudonym = nil
	default:
		t.Fatal(how)
	}
}

// entries of the audit log.
func (s *siege) entries() int64 {
	s.t.Helper()
	var size int64
	require.NoError(s.t, s.server.Store.View(s.t.Context(), s.family.Requester().OIN, func(v audit.Snapshot) error {
		head, err := v.Head()
		size = head.Size
		return err
	}))
	return size
}

// says checks that what was said of a document holds nothing of it.
func (s *siege) says(t *testing.T, text string, d document) {
	t.Helper()
	require.False(t, s.nine.MatchString(text), "a number of nine digits")
	leaks(t, "the refusal", text, d)
	for _, p := range s.family.Parties {
		require.NotContains(t, text, string(p.OIN))
	}
}

// leaks looks for values of a document, and for pieces of its bytes, in a text.
func leaks(t *testing.T, where, text string, d document) {
	t.Helper()
	for _, v := range d.secret {
		require.False(t, strings.Contains(text, v), "%s holds a value of a %s, %d characters", where, d.kind, len(v))
	}
}

// secretOf gives what nobody is to learn of a document: the longer texts and
// numbers in it, but for words alone, such as a purpose, and organisations, which
// are in the request log; and a piece of each part of its bytes.
func secretOf(d document) []string {
	var list []string
	read := json.NewDecoder(strings.NewReader(d.payload))
	read.UseNumber()
	for tok, err := read.Token(); err == nil; tok, err = read.Token() {
		v := fmt.Sprint(tok)
		_, organisation := identity.ParseOIN(strings.Repeat("0", max(0, 20-max(len(v), 14))) + v) // also one that is written as a number; no shorter one
		if len(v) >= 9 && !strings.Contains(d.payload, `"`+v+`":`) && strings.ContainsAny(v, "0123456789 /:") && organisation != nil {
			list = append(list, v)
		}
	}
	for part := range strings.FieldsFuncSeq(string(d.raw[:min(len(d.raw), signed.MaxBytes)]), func(r rune) bool { return strings.ContainsRune(`."{}:,[]`, r) }) {
		if len(part) < 20 {
			continue
		}
		if _, err := identity.ParseOIN(part); err != nil {
			list = append(list, part[:20])
		}
	}
	return list
}
