// Package family answers: what does it take to play a case for real? It makes
// the certificates and keys of every party, the agreements, the consents and the
// tokens, for development and tests. Nothing it makes is fit for anything else.
package family

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// Family is a case with everything that makes it playable.
type Family struct {
	Case    *casefile.Case
	Now     time.Time
	CA      *x509.CertPool
	CAPEM   []byte
	ca      *authority
	Parties map[string]*Organisation // by party code
	// CaseCommitment is carried by the token and by every consent.
	CaseCommitment string
	// LegalBasis that the agreements name.
	LegalBasis string
}

// Organisation with its keys.
type Organisation struct {
	casefile.Organisation
	Server Leaf
	Client Leaf          // of its own system that asks its gateway
	Sign   signed.Signer // documents
	Token  signed.Signer // access tokens
	// ClientSecret and RecordKey are known to the party and its adapter only.
	ClientSecret string
	RecordKey    string
	// What its gateway alone has.
	PseudonymKey         []byte
	LogSigner, LogPublic string // note signer and verifier strings
}

// Ids of the two keys every party has.
const (
	SignKeyID  = "sign-1"
	TokenKeyID = "token-1"
)

// LogOrigin names the log of an organisation.
func LogOrigin(oin identity.OIN) string { return "ontschot.nl/log/" + string(oin) }

// New makes everything for a case.
func New(c *casefile.Case, now time.Time) (*Family, error) {
	ca, err := newAuthority(now)
	if err != nil {
		return nil, err
	}
	f := &Family{
		Case: c, Now: now, CA: x509.NewCertPool(), CAPEM: ca.pem, ca: ca,
		Parties: map[string]*Organisation{}, LegalBasis: "avg-6-1-e",
	}
	f.CA.AddCert(ca.cert)
	for _, p := range c.Parties {
		if f.Parties[p.Code], err = newParty(ca, p, now); err != nil {
			return nil, fmt.Errorf("party %s: %w", p.Code, err)
		}
	}
	f.CaseCommitment = commitCase("case of " + c.Name)
	return f, nil
}

func newParty(ca *authority, p casefile.Organisation, now time.Time) (*Organisation, error) {
	server, err := ca.leaf(p.OIN, p.Name, now)
	if err != nil {
		return nil, err
	}
	client, err := ca.leaf(p.OIN, p.Name, now)
	if err != nil {
		return nil, err
	}
	sign, err := newSigner(p.OIN, SignKeyID)
	if err != nil {
		return nil, err
	}
	token, err := newSigner(p.OIN, TokenKeyID)
	if err != nil {
		return nil, err
	}
	logSigner, logPublic, err := note.GenerateKey(rand.Reader, LogOrigin(p.OIN))
	return &Organisation{
		Organisation: p, Server: server, Client: client, Sign: sign, Token: token,
		ClientSecret: hex.EncodeToString(random(16)), RecordKey: hex.EncodeToString(random(32)),
		PseudonymKey: random(32), LogSigner: logSigner, LogPublic: logPublic,
	}, err
}

func newSigner(oin identity.OIN, id string) (signed.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return signed.Signer{}, err
	}
	return signed.NewSigner(oin, id, "ES256", key)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

func commitCase(number string) string {
	sum := sha256.Sum256(append(random(32), number...))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// NewCase is a commitment to a case of its own.
func NewCase() string { return commitCase("") }

// Renew makes new certificates for a party's gateway and its client; under another
// authority when the old one was replaced.
func (f *Family) Renew(code string) (err error) {
	p := f.Parties[code]
	if p.Server, err = f.ca.leaf(p.OIN, p.Name, time.Now()); err != nil {
		return err
	}
	p.Client, err = f.ca.leaf(p.OIN, p.Name, time.Now())
	return err
}

// Replace makes another authority, by which Renew signs from now on.
func (f *Family) Replace() (err error) {
	f.ca, err = newAuthority(time.Now())
	f.CAPEM = f.ca.pem
	return err
}

// NewSigningKey makes another key for a party and gives it with both halves as files
// hold them.
func NewSigningKey(oin identity.OIN, id string) (s signed.Signer, private, public []byte, err error) {
	if s, err = newSigner(oin, id); err != nil {
		return s, nil, nil, err
	}
	if private, err = privatePEM(s.Key); err != nil {
		return s, nil, nil, err
	}
	public, err = publicPEM(s.Key.Public())
	return s, private, public, err
}

// Requester is the party that asks; its gateway keeps the consents.
func (f *Family) Requester() *Organisation { return f.Parties[f.Case.Requester] }

// DocumentKinds is what a party's sign key may sign.
func DocumentKinds() []signed.Kind {
	return []signed.Kind{signed.Consent, signed.Agreement, signed.Statement, signed.Result, signed.Permit}
}

// Pins are the keys of all parties.
func (f *Family) Pins() map[identity.OIN][]signed.Key {
	keys := map[identity.OIN][]signed.Key{}
	for _, p := range f.Parties {
		keys[p.OIN] = []signed.Key{
			{ID: p.Sign.KeyID, Alg: p.Sign.Alg, Public: p.Sign.Key.Public(), Kinds: DocumentKinds()},
			{ID: p.Token.KeyID, Alg: p.Token.Alg, Public: p.Token.Key.Public(), Kinds: []signed.Kind{signed.Token}},
		}
	}
	return keys
}

// Verifier pins the keys of all parties.
func (f *Family) Verifier() (*signed.Verifier, error) {
	return signed.NewVerifier(f.Pins())
}
