// Package config answers: what did the operator write down? It reads the files of
// a gateway and of a client strictly: a key that is not known is an error with
// its line and, where one is near, the key that was probably meant.
package config

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	"github.com/ontschot/ontschot/policies"
)

// ErrConfig means that a file is wrong; the message names file, line and key.
var ErrConfig = errors.New("configuration")

// maxBytes bounds every file that is read.
const maxBytes = 1 << 20

// Gateway is gateway.yaml. Paths are relative to the file.
type Gateway struct {
	// Organisation is the party code of whose gateway it is.
	Organisation string `yaml:"organisation"`
	// Listen is host:port for gRPC with mutual TLS.
	Listen string `yaml:"listen"`
	// Data is the folder of the audit log. Nothing of a budget is ever in it.
	Data string `yaml:"data"`
	// Dev allows what only development may: today, on a loopback address.
	Dev bool `yaml:"dev,omitempty"`
	// Today sets the civil date (YYYY-MM-DD); every result says so.
	Today string `yaml:"today,omitempty"`
	TLS   TLS    `yaml:"tls"`
	Keys  Keys   `yaml:"keys"`
	// Trust is the file with the parties and their pinned keys.
	Trust string `yaml:"trust"`
	// Head is the file with the head of the audit log, outside the store, best on another
	// disk; empty: data/head. A log that lacks entries of it does not start.
	Head string `yaml:"head,omitempty"`
	// Documents is a folder of documents that are registered at start; may be empty.
	Documents string `yaml:"documents,omitempty"`
	// Policies is the folder of the policies; empty: those that are built in.
	Policies string `yaml:"policies,omitempty"`
	// PolicyApprovals are the files of the approvals, when policies is a bundle.
	PolicyApprovals []string `yaml:"policy_approvals,omitempty"`
	// Officers are the people who approve policies. When there are any, only what two of them
	// have approved comes into force, and what is built in.
	Officers []Officer `yaml:"officers,omitempty"`
	// SourceTimeout bounds one request to one source; empty means 5s.
	SourceTimeout string `yaml:"source_timeout,omitempty"`
	// LegalBases for pooling money of several laws, beside the statutes of the policies; none
	// is in force since 1 October 2022.
	LegalBases []LegalBasis `yaml:"legal_bases,omitempty"`
	Sources    []Source     `yaml:"sources"`
	// Adapters is what holds for every adapter process beside the gateway.
	Adapters Adapters `yaml:"adapters,omitempty"`
	// WithdrawURL is where a person can withdraw a consent; it is in each.
	WithdrawURL string `yaml:"withdraw_url"`
	// DataProtectionOfficer says how to reach the data protection officer of the
	// organisation (GDPR art. 13(1)(b)); whoever is asked for a consent reads it.
	DataProtectionOfficer string `yaml:"data_protection_officer"`
	// Directory of who there is, beside the trust file; nil: none.
	Directory *Directory `yaml:"directory,omitempty"`
	// AuthZEN is where other systems ask what the policy would say; nil: nowhere.
	AuthZEN *AuthZEN `yaml:"authzen,omitempty"`
	// Limits of what callers may hold open.
	Limits Limits `yaml:"limits,omitempty"`
	// HTTPS is where systems without gRPC ask the same, in JSON; nil: nowhere.
	HTTPS *HTTPS `yaml:"https,omitempty"`
	// Admin is where an operator's tools look; nil: nowhere.
	Admin *Admin `yaml:"admin,omitempty"`
	// Now is the wall clock; nil means the machine's. No file sets it: a test does, for gateways
	// whose clocks differ.
	Now func() time.Time `yaml:"-"`
	// Quiet leaves out the line of each call that was answered. No file sets it: a demo does.
	Quiet    bool `yaml:"-"`
	path     string
	document *document // of the file; nil of one that was made
}

// AuthZEN is a listener of its own.
type AuthZEN struct {
	Listen string `yaml:"listen"` // host:port for HTTPS with mutual TLS
}

// Directory is a signed file that somebody keeps for many organisations.
type Directory struct {
	URL  string `yaml:"url,omitempty"`  // https; or
	File string `yaml:"file,omitempty"` // a path
	// CA are the authorities of its host, PEM; empty: the system's.
	CA string `yaml:"ca,omitempty"`
	// Operator is the OIN of who keeps and signs it.
	Operator identity.OIN `yaml:"operator"`
	// Keys of its operator, public PEM files. Only what one of them signed counts.
	Keys []DirectoryKey `yaml:"keys"`
	// TrustNewParties has the keys count of parties that the trust file does not know.
	TrustNewParties bool `yaml:"trust_new_parties,omitempty"`
	// Refresh is how often it is read; empty: 5m.
	Refresh string `yaml:"refresh,omitempty"`
}

// DirectoryKey is one public key of a directory's operator.
type DirectoryKey struct {
	ID   string `yaml:"id"`
	File string `yaml:"file"`
}

// PolicyFolder opens the folder of the policies, or gives those that are built in. Nothing
// outside of it is reached through it. Close it. Errors: ErrConfig.
func (c *Gateway) PolicyFolder() (folder fs.FS, done func(), err error) {
	if c.Policies == "" {
		return policies.FS, func() {}, nil
	}
	root, err := os.OpenRoot(c.Path(c.Policies))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: policies: %w; write a first one with: ontschot policy init --dir DIR", ErrConfig, err)
	}
	return root.FS(), func() { _ = root.Close() }, nil
}

// Clock is the wall clock.
func (c *Gateway) Clock() func() time.Time {
	if c.Now == nil {
		return time.Now
	}
	return c.Now
}

// Every is how often the directory is read.
func (d *Directory) Every() (time.Duration, error) {
	if d.Refresh == "" {
		return 5 * time.Minute, nil
	}
	return time.ParseDuration(d.Refresh)
}

func (d *Directory) check() []string {
	every, err := d.Every()
	return broken(
		rule{(d.URL == "") == (d.File == ""), "url or file is needed, one of the two"},
		rule{d.CA != "" && d.URL == "", "ca goes with url"},
		rule{!identity.IsOIN(d.Operator), "operator, an OIN of twenty digits, is needed"},
		rule{len(d.Keys) == 0 || slices.ContainsFunc(d.Keys, func(k DirectoryKey) bool { return k.ID == "" || k.File == "" }), "keys, each with id and file, are needed"},
		rule{err != nil || every <= 0 || every > 24*time.Hour, "refresh must be a duration such as 5m, at most 24h"},
	)
}

// TLS files, PEM, and what is asked of certificates, our own and those of others.
type TLS struct {
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	CA          string `yaml:"ca"`
	// MinRSABits is the size of the smallest RSA key that is taken; none means 2048.
	MinRSABits int `yaml:"min_rsa_bits,omitempty"`
	// CRLs are certificate revocation lists: files, PEM or DER, and http(s) URLs.
	CRLs []string `yaml:"crls,omitempty"`
	// CRLAfterNextUpdate says what becomes of a certificate of whose authority there is no
	// list in date: refuse, the default, or accept.
	CRLAfterNextUpdate string `yaml:"crl_after_next_update,omitempty"`
}

// Keys are files that must stay secret.
type Keys struct {
	// Signing keys of the organisation: of those whose time has come the last signs,
	// the ones after it are announced.
	Signing []SigningKey `yaml:"signing"`
	// Log is the note signer of the audit log's head. Its public half is one of the
	// log_keys in the trust file.
	Log string `yaml:"log"`
	// Pseudonym keys, 32 bytes each, the newest first: it makes new pseudonyms, the
	// older ones are for finding what was registered under them.
	Pseudonym []string `yaml:"pseudonym"`
}

// SigningKey is one private key of the organisation.
type SigningKey struct {
	ID   string `yaml:"id"`   // its id in the trust files of others
	File string `yaml:"file"` // PKCS#8 PEM, P-256
	// From is when it begins to sign (RFC 3339); empty: at once.
	From string `yaml:"from,omitempty"`
}

// LegalBasis allows money of several laws to be pooled between two civil dates,
// both inclusive.
type LegalBasis struct {
	ID             string   `yaml:"id" json:"id"`
	Article        string   `yaml:"article" json:"article"`
	From           string   `yaml:"from" json:"from"`
	To             string   `yaml:"to" json:"to"`
	PoolableLaws   []string `yaml:"poolable_laws" json:"poolable_laws"`
	Municipalities []string `yaml:"municipalities" json:"municipalities"` // party codes
}

// Trust is trust.yaml: who there is, and whose word counts.
type Trust struct {
	Parties  []Organisation `yaml:"parties"`
	dir      string
	path     string
	document *document // of the file; nil of one that was made
}

// Organisation of the trust file.
type Organisation struct {
	Code string       `yaml:"code"`
	OIN  identity.OIN `yaml:"oin"`
	Kind string       `yaml:"kind"`
	Name string       `yaml:"name"`
	Laws []string     `yaml:"laws"`
	Keys []Key        `yaml:"keys"`
	// LogKeys are note verifiers of its gateway's log: those in use, announced and retired.
	LogKeys []string `yaml:"log_keys,omitempty"`
	// Issuers are its own identity providers, whose access tokens count for it.
	Issuers []Issuer `yaml:"issuers,omitempty"`
	// Gateway is host:port of its gateway, to which agreements are delivered; empty: it has none.
	Gateway string `yaml:"gateway,omitempty"`
	// CA is a file with the authorities of its certificates, which then count under those alone;
	// empty: those of tls.ca.
	CA string `yaml:"ca,omitempty"`
	// CAPEM is the same, from a directory.
	CAPEM string `yaml:"-"`
	// Unlisted says that only its keys are here: the log knows them. Nobody deals with it.
	Unlisted bool `yaml:"-"`
}

// Directory is every organisation that the trust file names.
func (t *Trust) Directory() identity.Directory {
	var all identity.Directory
	for _, p := range t.Parties {
		if p.Unlisted {
			continue
		}
		all = append(all, identity.Organisation{Code: p.Code, Name: p.Name, OIN: p.OIN, Kind: p.Kind, Laws: p.Laws})
	}
	return all
}

// Key is a pinned public key.
type Key struct {
	ID    string        `yaml:"id"`
	Alg   string        `yaml:"alg"`
	Kinds []signed.Kind `yaml:"kinds"`
	File  string        `yaml:"file"`
	// Retired is from when on it signs nothing new (RFC 3339); empty: it is in use, or
	// announced. A key that was lost is not retired: see Lost.
	Retired string `yaml:"retired,omitempty"`
	// Lost says that somebody else may have it. It stays here, as the log must know.
	Lost bool `yaml:"lost,omitempty"`
	// PEM is the key itself, from a directory; then there is no File.
	PEM string `yaml:"-"`
}

// Client is client.yaml of a municipal system.
type Client struct {
	Gateway  string `yaml:"gateway"`  // host:port
	Releaser string `yaml:"releaser"` // party code whose signature and log are expected
	TLS      TLS    `yaml:"tls"`
	Trust    string `yaml:"trust"`
	// Dev has commands mint the access tokens that they need, as ontschot dev token does.
	Dev bool `yaml:"dev,omitempty"`
	dir string
}

// invented is the adapter that answers from memory, for measuring.
const invented = "memory"

// ReadGateway reads and checks gateway.yaml. Errors: ErrConfig, with everything that is wrong and
// its line and column; and fs.ErrNotExist.
func ReadGateway(path string) (*Gateway, error) {
	c, d := readGateway(path)
	if err := d.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// CheckGateway reads gateway.yaml, and gives everything that is wrong with what is written there;
// nil when it cannot be read at all. The files that it names are not looked at.
func CheckGateway(path string) (*Gateway, []Problem) {
	c, d := readGateway(path)
	return c, d.problems
}

func readGateway(path string) (*Gateway, *document) {
	c := &Gateway{path: path}
	d, whole := readDocument(path, c)
	if !whole {
		return nil, d
	}
	c.document = d
	for _, needed := range []struct{ key, value string }{
		{"organisation", c.Organisation}, {"listen", c.Listen}, {"data", c.Data}, {"withdraw_url", c.WithdrawURL},
		{"data_protection_officer", c.DataProtectionOfficer}, {"trust", c.Trust},
		{"tls.certificate", c.TLS.Certificate}, {"tls.key", c.TLS.Key}, {"tls.ca", c.TLS.CA}, {"keys.log", c.Keys.Log},
	} {
		if needed.value == "" {
			d.wrong(needed.key, needed.key+" is needed")
		}
	}
	d.all(c.TLS.check())
	d.all(c.checkKeys())
	d.all(c.checkValues())
	d.all(c.checkSources())
	d.all(c.checkParts())
	return c, d
}

// Problem is one about a key of the file, with its place.
func (c *Gateway) Problem(key, what string) Problem { return c.document.problem(c.path, key, what) }

func (c *Gateway) checkKeys() []string {
	all := broken(rule{len(c.Keys.Signing) == 0 || len(c.Keys.Pseudonym) == 0, "keys: keys.signing and keys.pseudonym are needed, one of each at least"})
	for i, k := range c.Keys.Signing {
		_, err := timeOf(k.From)
		all = append(all, broken(rule{err != nil || k.ID == "" || k.File == "",
			fmt.Sprintf("keys.signing[%d]: id, file, and from as 2026-01-31T00:00:00Z or none are needed", i)})...)
	}
	return all
}

// checkValues says what is wrong with single values.
func (c *Gateway) checkValues() []string {
	_, dateErr := c.CivilDate()
	_, timeErr := c.Timeout()
	_, usersErr := c.Adapters.Range()
	host, port, listenErr := net.SplitHostPort(c.Listen)
	all := broken(
		rule{c.Listen != "" && (listenErr != nil || port == ""), "listen must be host:port, such as 0.0.0.0:8443"},
		rule{c.Dev && listenErr == nil && !loopback(host), "listen: dev: true is for loopback addresses only, such as 127.0.0.1:8443"},
		rule{c.Today != "" && !c.Dev, "today can be set only with dev: true"},
		rule{dateErr != nil, "today is no date, YYYY-MM-DD"},
		rule{timeErr != nil, "source_timeout is no duration such as 5s"},
		rule{usersErr != nil, "adapters.users must be FIRST-LAST, from 1000 on, for example 62000-62999"},
	)
	for i, b := range c.LegalBases {
		_, errFrom := civil.Parse(b.From)
		_, errTo := civil.Parse(b.To)
		all = append(all, broken(rule{b.ID == "" || errFrom != nil || errTo != nil,
			fmt.Sprintf("legal_bases[%d]: id, and from and to as YYYY-MM-DD are needed", i)})...)
	}
	return all
}

// loopback reports whether a host is this machine alone, as far as its name says.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkParts names what is wrong with what may be left out.
func (c *Gateway) checkParts() []string {
	var all []string
	if c.AuthZEN != nil {
		_, _, err := net.SplitHostPort(c.AuthZEN.Listen)
		all = append(all, broken(rule{err != nil, "authzen.listen is no host:port such as 0.0.0.0:8444"})...)
	}
	all = append(all, broken(rule{c.HTTPS.check() != "", c.HTTPS.check()})...)
	if c.Admin != nil {
		if what := c.Admin.check(); what != "" {
			all = append(all, "admin: "+what)
		}
	}
	if c.Directory != nil {
		all = append(all, under("directory", ": ", c.Directory.check())...)
	}
	all = append(all, broken(rule{len(c.PolicyApprovals) > 0 && c.Policies == "", "policy_approvals goes with policies: the bundle that they approve"})...)
	all = append(all, c.Limits.check()...)
	return append(all, c.checkOfficers()...)
}

// timeOf reads an RFC 3339 time; the zero time when there is none.
func timeOf(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, s)
}

// CivilDate that was set; no date when none was.
func (c *Gateway) CivilDate() (civil.Date, error) {
	if c.Today == "" {
		return 0, nil
	}
	return civil.Parse(c.Today)
}

// Timeout of a source; nil when the default holds.
func (c *Gateway) Timeout() (*time.Duration, error) {
	if c.SourceTimeout == "" {
		return nil, nil
	}
	d, err := time.ParseDuration(c.SourceTimeout)
	return &d, err
}

// Path makes a path of the file absolute to it.
func (c *Gateway) Path(name string) string { return join(filepath.Dir(c.path), name) }

// OperatorSocket is the name, in the data folder, of the socket for who runs the gateway.
// Only the user of the gateway can open it.
const OperatorSocket = "operator.sock"

// HeadFile is the name of the head of the audit log in the data folder.
const HeadFile = "head"

// HeadPath is the file with the head of the audit log, outside the store.
func (c *Gateway) HeadPath() string {
	if c.Head != "" {
		return c.Path(c.Head)
	}
	return filepath.Join(c.Path(c.Data), HeadFile)
}

// Certificates are the gateway's own and those it believes. Revocation lists from URLs are
// kept in the data folder.
func (c *Gateway) Certificates(own identity.OIN, rules certificate.Rules) (*certificate.Holder, error) {
	rules.Cache = filepath.Join(c.Path(c.Data), "crl")
	return c.TLS.Open(c.Path, own, rules)
}

// Again reads the file anew.
func (c *Gateway) Again() (*Gateway, error) { return ReadGateway(c.path) }

// KeyFiles are the files of the signing keys, and of the keys of the officers.
func (c *Gateway) KeyFiles() []string {
	var files []string
	for _, k := range c.Keys.Signing {
		files = append(files, c.Path(k.File))
	}
	for _, o := range c.Officers {
		files = append(files, c.Path(o.Key))
	}
	return files
}

// ReadTrust reads and checks trust.yaml. Errors: ErrConfig, with everything that is wrong and its
// line and column; and fs.ErrNotExist.
func ReadTrust(path string) (*Trust, error) {
	t, d := openTrust(path)
	if err := d.err(); err != nil {
		return nil, err
	}
	return t, nil
}

// CheckTrust reads trust.yaml, and gives everything that is wrong with what is written there; nil
// when it cannot be read at all.
func CheckTrust(path string) (*Trust, []Problem) {
	t, d := openTrust(path)
	return t, d.problems
}

func openTrust(path string) (*Trust, *document) {
	t := &Trust{dir: filepath.Dir(path), path: path}
	d, whole := readDocument(path, t)
	if !whole {
		return nil, d
	}
	t.document = d
	d.all(t.checkParties())
	d.all(t.checkIssuers())
	return t, d
}

// Problem is one about a key of the file, with its place.
func (t *Trust) Problem(key, what string) Problem { return t.document.problem(t.path, key, what) }

// checkParties names what is wrong with how parties are known and reached.
func (t *Trust) checkParties() []string {
	var all []string
	codes, numbers := map[string]bool{}, map[identity.OIN]bool{}
	for i, p := range t.Parties {
		host, port, err := net.SplitHostPort(p.Gateway)
		all = append(all, broken(
			rule{!identity.IsOIN(p.OIN) || p.Code == "" || p.Kind == "", fmt.Sprintf("parties[%d]: code, kind and an OIN of twenty digits are needed", i)},
			rule{p.Code != "" && codes[p.Code] || p.OIN != "" && numbers[p.OIN], fmt.Sprintf("parties[%d]: its code or OIN is listed twice", i)},
			rule{p.Gateway != "" && (err != nil || host == "" || port == ""), fmt.Sprintf("parties[%d].gateway must be host:port", i)},
		)...)
		codes[p.Code], numbers[p.OIN] = true, true
	}
	return all
}

// Authorities are the certificates, PEM, of the parties that have authorities of their own.
func (t *Trust) Authorities() (map[identity.OIN][]byte, error) {
	all := map[identity.OIN][]byte{}
	for _, p := range t.Parties {
		if p.CAPEM != "" {
			all[p.OIN] = []byte(p.CAPEM)
		}
		if p.CA == "" {
			continue
		}
		raw, err := ReadFile(join(t.dir, p.CA))
		if err != nil {
			return nil, err
		}
		all[p.OIN] = raw
	}
	return all, nil
}

// ReadTrust reads the trust file that gateway.yaml names, and gives with it the party whose
// gateway it is. Errors: ErrConfig.
func (c *Gateway) ReadTrust() (*Trust, Organisation, error) {
	return readTrustOf(c.Path(c.Trust), c.Organisation)
}

// ReadTrust reads the trust file that client.yaml names, and gives with it the party whose
// signature and log are expected. Errors: ErrConfig.
func (c *Client) ReadTrust() (*Trust, Organisation, error) {
	return readTrustOf(c.Path(c.Trust), c.Releaser)
}

func readTrustOf(path, code string) (*Trust, Organisation, error) {
	trust, err := ReadTrust(path)
	if err != nil {
		return nil, Organisation{}, err
	}
	own, err := trust.Party(code)
	return trust, own, err
}

// Party by its code.
func (t *Trust) Party(code string) (Organisation, error) {
	for _, p := range t.Parties {
		if p.Code == code {
			return p, nil
		}
	}
	return Organisation{}, fmt.Errorf("%w: %q is no party of the trust file", ErrConfig, code)
}

// Verifier pins the keys of all parties.
func (t *Trust) Verifier() (*signed.Verifier, error) {
	keys, err := t.Pins()
	if err != nil {
		return nil, err
	}
	v, err := signed.NewVerifier(keys)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return v, nil
}

// KeyFiles are the files of all pinned keys, and of authorities and issuers.
func (t *Trust) KeyFiles() []string {
	var files []string
	for _, p := range t.Parties {
		for _, k := range p.Keys {
			if k.File != "" {
				files = append(files, join(t.dir, k.File))
			}
		}
		if p.CA != "" {
			files = append(files, join(t.dir, p.CA))
		}
	}
	return append(files, t.IssuerFiles()...)
}

// IssuerFiles are the files that the issuers of the parties name.
func (t *Trust) IssuerFiles() []string {
	var files []string
	for _, p := range t.Parties {
		for _, i := range p.Issuers {
			for _, file := range []string{i.JWKS, i.JWKSCA} {
				if file != "" {
					files = append(files, join(t.dir, file))
				}
			}
		}
	}
	return files
}

// Pins reads the pinned keys of all parties.
func (t *Trust) Pins() (map[identity.OIN][]signed.Key, error) {
	keys := map[identity.OIN][]signed.Key{}
	for _, p := range t.Parties {
		for _, k := range p.Keys {
			public, err := t.public(k)
			if err != nil {
				return nil, err
			}
			retired, err := timeOf(k.Retired)
			if err != nil {
				return nil, fmt.Errorf("%w: key %s of %s: retired is no time such as 2026-01-31T00:00:00Z", ErrConfig, k.ID, p.Code)
			}
			keys[p.OIN] = append(keys[p.OIN], signed.Key{ID: k.ID, Alg: k.Alg, Public: public, Kinds: k.Kinds, Retired: retired, Lost: k.Lost})
		}
	}
	return keys, nil
}

// public reads a pinned key.
func (t *Trust) public(k Key) (crypto.PublicKey, error) {
	if k.PEM != "" {
		return ParsePublic([]byte(k.PEM), k.ID)
	}
	return PublicKey(join(t.dir, k.File))
}

// PublicKey reads a file with a public key, PEM.
func PublicKey(path string) (crypto.PublicKey, error) {
	raw, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParsePublic(raw, path)
}

// ParsePublic reads a public key, PEM, which errors call by the name.
func ParsePublic(raw []byte, name string) (crypto.PublicKey, error) {
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("%w: %s: no PEM", ErrConfig, name)
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: no public key", ErrConfig, name)
	}
	return public, nil
}

// ReadClient reads client.yaml. Errors: ErrConfig, with everything that is wrong and its line and
// column; and fs.ErrNotExist.
func ReadClient(path string) (*Client, error) {
	c := &Client{dir: filepath.Dir(path)}
	d, whole := readDocument(path, c)
	if whole {
		d.all(broken(
			rule{c.Gateway == "", "gateway is needed, host:port"},
			rule{c.Releaser == "", "releaser is needed, the party code of whose gateway it is"},
			rule{c.Trust == "", "trust is needed, the trust file"},
		))
		d.all(c.TLS.check())
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Path makes a path of the file absolute to it.
func (c *Client) Path(name string) string { return join(c.dir, name) }

// SigningKeys reads the organisation's own signing keys, and has each sign once.
func (c *Gateway) SigningKeys(own identity.OIN) ([]signed.Timed, error) {
	var keys []signed.Timed
	for i, k := range c.Keys.Signing {
		key, err := PrivateKey(c.Path(k.File))
		if err != nil {
			return nil, err
		}
		from, err := timeOf(k.From)
		if err != nil {
			return nil, fmt.Errorf("%w: keys.signing[%d].from is no time", ErrConfig, i)
		}
		signer, err := signed.NewSigner(own, k.ID, "ES256", key)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrConfig, k.File, err)
		}
		keys = append(keys, signed.Timed{Signer: signer, From: from})
	}
	return keys, nil
}

// PrivateKey reads a PKCS#8 PEM file.
func PrivateKey(path string) (crypto.Signer, error) {
	raw, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("%w: %s: no PEM", ErrConfig, path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, fmt.Errorf("%w: %s: no private key", ErrConfig, path)
	}
	return signer, nil
}

// ReadFile reads a bounded file.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil && strings.Contains(path, credentials) {
		return nil, fmt.Errorf("%w: %w; a path with $CREDENTIALS_DIRECTORY is for a service of systemd: run this as one, systemd-run with LoadCredential (deploy/README.md)", ErrConfig, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	defer f.Close()
	return ReadFrom(f, path)
}

// ReadFrom reads a bounded stream, which errors call by the name.
func ReadFrom(r io.Reader, name string) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil || len(raw) > maxBytes {
		return nil, fmt.Errorf("%w: %s: cannot be read, or is larger than %d bytes", ErrConfig, name, maxBytes)
	}
	return raw, nil
}

// credentials begins a path to a secret that systemd hands to the service (LoadCredential).
const credentials = "$CREDENTIALS_DIRECTORY/"

// join is where a path of a file leads: from the folder of that file, from the root, or from the
// folder of the service's credentials.
func join(dir, name string) string {
	if rest, is := strings.CutPrefix(name, credentials); is && filepath.IsLocal(rest) {
		if folder := os.Getenv("CREDENTIALS_DIRECTORY"); folder != "" {
			return filepath.Join(folder, rest)
		}
	}
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// ReadYAML reads a file strictly into a pointer to a struct. Errors: ErrConfig, with everything
// that is wrong and its line and column; and fs.ErrNotExist.
func ReadYAML(path string, into any) error {
	d, _ := readDocument(path, into)
	return d.err()
}
