package setup

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/docs"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// ErrInput means that something that was asked for cannot be; what it says is for who asked.
var ErrInput = errors.New("init")

// Organisation is whose gateway it will be. What is empty is found out, or stays to be filled in.
type Organisation struct {
	OIN  identity.OIN
	Name string
	// Code is its short name in trust files: GM and the CBS code of a municipality, ZK and the code of a
	// care office, UZOVI and that of an insurer, SWV and that of a consortium of schools, UWV, SVB, CAK.
	Code string
	Kind string   // empty: by the code
	Laws []string // of which it is a source; nil: those of its kind
	// Host is by what name others reach the gateway; empty: that of this machine.
	Host string
	// Listen is host:port; empty: 0.0.0.0:8443.
	Listen      string
	WithdrawURL string
	Officer     string // how to reach the data protection officer
	Dev         bool
	Dir         string
	// Program and User are of the unit for systemd: the program's path, and who owns the folder.
	// Empty: /usr/local/bin/ontschot, and a user ontschot.
	Program, User string
}

// codes are the forms of codes, and what an organisation with such a code is.
func codes() map[string]struct {
	kind string
	laws []string
} {
	type is = struct {
		kind string
		laws []string
	}
	return map[string]is{
		`^GM\d{4}$`:  {budgetv1.KindMunicipality, []string{budgetv1.LawWMO, budgetv1.LawJW, budgetv1.LawLLV}},
		`^ZK\d+$`:    {budgetv1.KindCareOffice, []string{budgetv1.LawWLZ}},
		`^UZOVI\d+$`: {budgetv1.KindInsurer, []string{budgetv1.LawZVW}},
		`^SWV\d+$`:   {budgetv1.KindEducation, []string{budgetv1.LawEDU}},
		`^VALYS$`:    {budgetv1.KindTransport, []string{budgetv1.LawVALYS}},
		`^UWV$`:      {budgetv1.KindUWV, []string{budgetv1.LawWIA, budgetv1.LawWAJONG, budgetv1.LawWW, budgetv1.LawZW, budgetv1.LawUWVProvision}},
		`^SVB$`:      {budgetv1.KindSVB, []string{}},
		`^CAK$`:      {budgetv1.KindCAK, []string{}},
	}
}

// complete finds out what can be known. Errors: ErrInput.
func (o *Organisation) complete() error {
	for form, is := range codes() {
		if regexp.MustCompile(form).MatchString(o.Code) {
			if o.Kind == "" {
				o.Kind = is.kind
			}
			if o.Laws == nil && o.Kind == is.kind {
				o.Laws = is.laws
			}
		}
	}
	if o.Host == "" {
		o.Host, _ = os.Hostname()
	}
	if o.Listen == "" {
		o.Listen = "0.0.0.0:8443"
		if o.Dev {
			o.Listen = "127.0.0.1:8443"
		}
	}
	_, port, err := net.SplitHostPort(o.Listen)
	switch {
	case !identity.IsOIN(o.OIN):
		return fmt.Errorf("%w: the OIN of your organisation is needed, twenty digits (oinregister.logius.nl)", ErrInput)
	case o.Name == "" || !oneLine(o.Name):
		return fmt.Errorf("%w: the name of your organisation is needed, one line", ErrInput)
	case !regexp.MustCompile(`^[A-Z][A-Z0-9]{1,31}$`).MatchString(o.Code):
		return fmt.Errorf("%w: the code of your organisation is needed: GM and the CBS code of a municipality, such as GM0119, ZK and the code of a care office, UZOVI and that of an insurer, or UWV, SVB, CAK", ErrInput)
	case !slices.Contains(budgetv1.Kinds(), o.Kind):
		return fmt.Errorf("%w: the kind of your organisation is needed, one of %v", ErrInput, budgetv1.Kinds())
	case slices.ContainsFunc(o.Laws, func(law string) bool { return !slices.Contains(budgetv1.Laws(), law) }):
		return fmt.Errorf("%w: a law is one of %v", ErrInput, budgetv1.Laws())
	case err != nil || port == "":
		return fmt.Errorf("%w: the address to listen on is host:port, such as 0.0.0.0:8443", ErrInput)
	case o.Host == "" || strings.ContainsAny(o.Host, ":/ \n") && net.ParseIP(o.Host) == nil:
		return fmt.Errorf("%w: the name by which others reach this gateway is needed, such as gateway.meppel.nl", ErrInput)
	case !oneLine(o.WithdrawURL) || !oneLine(o.Officer):
		return fmt.Errorf("%w: one line each", ErrInput)
	}
	return nil
}

func oneLine(s string) bool { return !strings.ContainsAny(s, "\n\r\x00") && len(s) <= 512 }

// Ids of the first keys of an organisation.
const (
	signID  = "sign-1"
	tokenID = "token-1"
)

// Made is what lies in the folder afterwards.
type Made struct {
	New   []string // made now, in the order of their names
	There []string // were there, and are as they were
}

// Init makes the folder of a gateway: keys, certificate requests, configuration, its own entry in
// the trust file, the same entry to be sent to others, and a unit for systemd. What is there stays: only what lacks
// is made. Errors: ErrInput, and those of the file system.
func Init(o Organisation) (Made, error) {
	var made Made
	if err := o.complete(); err != nil {
		return made, err
	}
	w := &writer{dir: o.Dir, made: &made}
	w.folder(".", "data", "keys", "tls", "client", "trust")
	sign := w.key("keys/" + signID + ".pem")
	token := w.key("client/token.pem")
	w.log("keys/log.key", o.OIN)
	w.once("keys/pseudonym.key", func() ([]byte, error) { return random(32), nil })
	w.request("tls", o, o.Host)
	w.request("client", o, "")
	if w.err != nil {
		return made, w.err
	}
	party, err := o.party(w, sign, token)
	if err != nil {
		return made, err
	}
	w.once("party.yaml", func() ([]byte, error) { return party.file() })
	w.once("trust.yaml", func() ([]byte, error) { return header(docs.TrustExample), nil })
	if w.err == nil && slices.Contains(made.New, "trust.yaml") {
		w.err = Add(filepath.Join(o.Dir, "trust.yaml"), party)
		made.New = append(made.New, "trust/"+o.Code+"-"+signID+".pem", "trust/"+o.Code+"-"+tokenID+".pem")
	}
	w.once("gateway.yaml", func() ([]byte, error) { return o.gateway(), nil })
	w.once("client.yaml", func() ([]byte, error) { return o.client(), nil })
	if unit := o.unit(); unit != nil {
		w.once(UnitFile, func() ([]byte, error) { return unit, nil })
	}
	slices.Sort(made.New)
	return made, w.err
}

// LogOrigin names the log of an organisation, and its key.
func LogOrigin(oin identity.OIN) string { return "ontschot.nl/log/" + string(oin) }

// address is where others reach the gateway.
func (o Organisation) address() string {
	_, port, _ := net.SplitHostPort(o.Listen)
	return net.JoinHostPort(o.Host, port)
}

// party is the entry of the organisation.
func (o Organisation) party(w *writer, sign, token crypto.PublicKey) (Party, error) {
	raw, err := config.ReadFile(filepath.Join(w.dir, "keys/log.key"))
	if err != nil {
		return Party{}, err
	}
	log, err := audit.PublicOf(strings.TrimSpace(string(raw)))
	if err != nil {
		return Party{}, fmt.Errorf("keys/log.key: %w", err)
	}
	if !strings.HasPrefix(log, LogOrigin(o.OIN)+"+") {
		return Party{}, fmt.Errorf("%w: %s is the folder of another organisation, by its keys/log.key; name another one", ErrInput, w.dir)
	}
	p := Party{Code: o.Code, OIN: o.OIN, Kind: o.Kind, Name: o.Name, Laws: o.Laws, Gateway: o.address(), LogKeys: []string{log}}
	for id, public := range map[string]crypto.PublicKey{signID: sign, tokenID: token} {
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return p, err
		}
		kinds := []signed.Kind{signed.Consent, signed.Agreement, signed.Statement, signed.Result, signed.Permit}
		if id == tokenID {
			kinds = []signed.Kind{signed.Token}
		}
		p.Keys = append(p.Keys, PartyKey{ID: id, Alg: "ES256", Kinds: kinds, PEM: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))})
	}
	slices.SortFunc(p.Keys, func(a, b PartyKey) int { return strings.Compare(a.ID, b.ID) })
	return p, nil
}

// gateway is gateway.yaml: the example, filled in, and everything else in it as a comment.
func (o Organisation) gateway() []byte {
	set := map[string]string{
		"organisation": o.Code, "listen": o.Listen, "data": "data", "trust": "trust.yaml",
		"tls.certificate": "tls/cert.pem", "tls.key": "tls/key.pem", "tls.ca": "tls/ca.pem",
		"keys.signing": "[{id: " + signID + ", file: keys/" + signID + ".pem}]", "keys.log": "keys/log.key", "keys.pseudonym": "[keys/pseudonym.key]",
		"withdraw_url": quoted(o.WithdrawURL), "data_protection_officer": quoted(o.Officer),
	}
	if o.Dev {
		set["dev"] = "true"
	}
	return fill(docs.GatewayExample, set)
}

// client is client.yaml of its own systems.
func (o Organisation) client() []byte {
	set := map[string]string{
		"gateway": o.address(), "releaser": o.Code, "trust": "trust.yaml",
		"tls.certificate": "client/cert.pem", "tls.key": "client/key.pem", "tls.ca": "tls/ca.pem",
	}
	if o.Dev {
		set["dev"] = "true"
	}
	return fill(docs.ClientExample, set)
}

// quoted is a text as YAML; what nobody has said is an empty text, which the check asks for.
func quoted(s string) string {
	raw, _ := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Value: s, Style: yaml.DoubleQuotedStyle})
	return strings.TrimSpace(string(raw))
}

// header is the comment with which an example begins.
func header(example []byte) []byte {
	at := bytes.Index(example, []byte("parties:"))
	return append(bytes.Clone(example[:at]), "parties: []\n"...)
}

// writer makes what lacks in a folder, and keeps the first error.
type writer struct {
	dir  string
	made *Made
	err  error
}

func (w *writer) folder(names ...string) {
	for _, name := range names {
		if w.err == nil {
			w.err = os.MkdirAll(filepath.Join(w.dir, name), 0o700)
		}
	}
}

// once makes a file that only its owner can read, unless it is there.
func (w *writer) once(name string, make func() ([]byte, error)) {
	if w.err != nil {
		return
	}
	f, err := os.OpenFile(filepath.Join(w.dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		w.made.There = append(w.made.There, name)
		return
	}
	if err != nil {
		w.err = err
		return
	}
	content, err := make()
	if err == nil {
		_, err = f.Write(content)
	}
	if w.err = errors.Join(err, f.Close()); w.err != nil {
		w.err = errors.Join(w.err, os.Remove(f.Name())) // none is better than half of one
		return
	}
	w.made.New = append(w.made.New, name)
}

// key makes a private key and gives the public half of the one that is there then.
func (w *writer) key(name string) crypto.PublicKey {
	w.once(name, newKey)
	if w.err != nil {
		return nil
	}
	key, err := config.PrivateKey(filepath.Join(w.dir, name))
	if err != nil {
		w.err = err
		return nil
	}
	return key.Public()
}

func newKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

// log makes the key of the log, which is named after the organisation.
func (w *writer) log(name string, oin identity.OIN) {
	w.once(name, func() ([]byte, error) {
		secret, _, err := audit.GenerateKey(LogOrigin(oin))
		return []byte(secret + "\n"), err
	})
}

// request makes a key and a certificate request for it, unless there is one.
func (w *writer) request(folder string, o Organisation, host string) {
	w.key(folder + "/key.pem")
	w.once(folder+"/request.csr", func() ([]byte, error) {
		key, err := config.PrivateKey(filepath.Join(w.dir, folder, "key.pem"))
		if err != nil {
			return nil, err
		}
		return Request(key, o.OIN, o.Name, host)
	})
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// Object identifiers of a request: organizationIdentifier (X.520 section 6.6.7), and the uses of
// the key (RFC 5280 section 4.2.1.12).
var (
	organizationIdentifier = asn1.ObjectIdentifier{2, 5, 4, 97}
	extKeyUsage            = asn1.ObjectIdentifier{2, 5, 29, 37}
	keyUsage               = asn1.ObjectIdentifier{2, 5, 29, 15}
	serverAuth             = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}
	clientAuth             = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}
)

// Request makes a certificate request, PEM (RFC 2986): the OIN in Subject.serialNumber, as
// PKIoverheid has it, and in organizationIdentifier of the scheme OI, where it is to be in
// certificates that are read across borders (ETSI EN 319 412-1 section 5.1.4). Of one that only
// asks the host is empty: then it is for clients, and else for servers and clients.
func Request(key crypto.Signer, oin identity.OIN, name, host string) ([]byte, error) {
	uses := []asn1.ObjectIdentifier{clientAuth}
	if host != "" {
		uses = append(uses, serverAuth)
	}
	extended, err := asn1.Marshal(uses)
	if err != nil {
		return nil, err
	}
	signs, err := asn1.Marshal(asn1.BitString{Bytes: []byte{0x80}, BitLength: 1}) // digitalSignature
	if err != nil {
		return nil, err
	}
	template := &x509.CertificateRequest{
		Subject: pkix.Name{
			Country: []string{"NL"}, Organization: []string{name}, CommonName: host, SerialNumber: string(oin),
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: organizationIdentifier, Value: "OI:NL-" + string(oin)}},
		},
		ExtraExtensions: []pkix.Extension{{Id: keyUsage, Critical: true, Value: signs}, {Id: extKeyUsage, Value: extended}},
	}
	switch ip := net.ParseIP(host); {
	case ip != nil:
		template.IPAddresses = []net.IP{ip}
	case host != "":
		template.DNSNames = []string{host}
	default:
		template.Subject.CommonName = name
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), err
}
