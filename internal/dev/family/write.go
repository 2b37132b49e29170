package family

import (
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Layout says where the parts of a development folder listen, and who asks whom.
type Layout struct {
	Gateways map[string]string // host:port by party code
	Sources  map[string]string // likewise: the party's own system
	// Federated has every party's own gateway ask its own system, and the requester's ask
	// the other gateways. Otherwise the requester's gateway has an adapter for each.
	Federated bool
	// Policies is the folder by which the requester's gateway decides; empty: those that are built in.
	Policies string
}

// Ports of a development folder, and how often a taken one is passed over.
const (
	lowest, highest = 10240, 32000
	tries           = 100
)

// FreeLayout finds free ports on loopback for the gateway and the system of
// every party.
func (f *Family) FreeLayout() (Layout, error) {
	l := Layout{Gateways: map[string]string{}, Sources: map[string]string{}}
	var held []net.Listener
	defer func() {
		for _, h := range held {
			h.Close()
		}
	}()
	// Below the range from which outgoing connections get their ports: between choosing
	// and listening no connection of anybody can take one.
	free := func() (string, error) {
		for range tries {
			h, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lowest+mathrand.IntN(highest-lowest)))
			if err == nil {
				held = append(held, h)
				return h.Addr().String(), nil
			}
		}
		return "", errors.New("no free port on loopback")
	}
	for code := range f.Parties {
		var err error
		if l.Gateways[code], err = free(); err != nil {
			return l, err
		}
		if l.Sources[code], err = free(); err != nil {
			return l, err
		}
	}
	return l, nil
}

// adapterOf names the adapter for a kind of party; empty when there is none.
func adapterOf(kind string) string {
	return map[string]string{
		budgetv1.KindMunicipality: "municipality", budgetv1.KindCareOffice: "careoffice", budgetv1.KindUWV: "uwv", budgetv1.KindInsurer: "insurer",
		budgetv1.KindSVB: "svb", budgetv1.KindCAK: "cak", budgetv1.KindEducation: "education", budgetv1.KindTransport: "transport",
	}[kind]
}

// folder writes files, the secret ones for the owner only, and remembers the first
// error.
type folder struct {
	dir string
	err error
}

func (w *folder) put(name string, content []byte) string {
	path := filepath.Join(w.dir, name)
	if w.err == nil {
		w.err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if w.err == nil {
		w.err = os.WriteFile(path, content, 0o600)
	}
	return name
}

func (w *folder) yaml(name, comment string, v any) {
	raw, err := yaml.Marshal(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.put(name, append([]byte("# "+comment+"\n"), raw...))
}

// Write lays out everything in a folder, from which the parts can be started by
// hand: the requester's gateway at its root, that of every other party in
// peers/CODE, each with its own keys and documents. Consents stay with the requester, who
// keeps them. It holds no person: the case file is not among what is written.
func (f *Family) Write(dir string, l Layout) error {
	w := &folder{dir: dir}
	w.put("ca.pem", f.CAPEM)
	f.writeTrust(w, l)
	documents, err := f.documents()
	if err != nil {
		return err
	}
	for i, d := range documents {
		name, raw, err := d.file(i)
		if err != nil {
			return err
		}
		w.put("documents/"+name, raw)
		if d.with != "" { // an agreement is registered by both parties to it
			w.put(f.FolderOf(d.with)+"documents/"+name, raw)
		}
	}
	for _, cp := range f.Case.Parties {
		p, at := f.Parties[cp.Code], f.FolderOf(cp.Code)
		g, err := f.gateway(w, p, at, l)
		if err != nil {
			return err
		}
		w.yaml(at+"gateway.yaml", "The gateway of "+p.Code+", for development: ontschot serve --config gateway.yaml", g)
		f.writeClient(w, p, at, l)
	}
	return w.err
}

// FolderOf is where Write puts the gateway of a party: empty, or with a slash at its end.
func (f *Family) FolderOf(code string) string {
	if code == f.Case.Requester {
		return ""
	}
	return "peers/" + code + "/"
}

// up is the way from a folder back to the root.
func up(at string) string { return strings.Repeat("../", strings.Count(at, "/")) }

func (f *Family) writeClient(w *folder, p *Organisation, at string, l Layout) {
	w.put(at+"client/cert.pem", p.Client.CertPEM)
	w.put(at+"client/key.pem", p.Client.KeyPEM)
	w.yaml(at+"client.yaml", "A system of "+p.Code+" that asks its gateway.", config.Client{
		Gateway: l.Gateways[p.Code], Releaser: p.Code, Trust: up(at) + "trust.yaml", Dev: true,
		TLS: config.TLS{Certificate: "client/cert.pem", Key: "client/key.pem", CA: up(at) + "ca.pem"},
	})
	w.key(at+"client/token.pem", p.Token)
	w.put(at+"client/case", []byte(f.CaseCommitment+"\n"))
	w.put(at+"client/purpose", []byte(f.Case.Purpose+"\n"))
}

// file is how a document lies in a documents folder.
func (d document) file(i int) (string, []byte, error) {
	raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(d.request)
	if err != nil {
		return "", nil, err
	}
	kind, err := signed.KindOf(d.request.GetDocument())
	if err != nil {
		return "", nil, err
	}
	name := strings.TrimPrefix(strings.FieldsFunc(string(kind), func(r rune) bool { return r == '+' })[0], "ontschot-")
	return fmt.Sprintf("%03d-%s.json", i+1, name), raw, nil
}

func (w *folder) key(name string, s signed.Signer) string {
	raw, err := privatePEM(s.Key)
	if err != nil && w.err == nil {
		w.err = err
	}
	return w.put(name, raw)
}

func (w *folder) public(name string, s signed.Signer) string {
	raw, err := publicPEM(s.Key.Public())
	if err != nil && w.err == nil {
		w.err = err
	}
	return w.put(name, raw)
}

func (f *Family) writeTrust(w *folder, l Layout) {
	var t config.Trust
	for _, cp := range f.Case.Parties {
		p := f.Parties[cp.Code]
		one := config.Organisation{Code: p.Code, OIN: p.OIN, Kind: p.Kind, Name: p.Name, Laws: p.Laws, LogKeys: []string{p.LogPublic}, Gateway: l.Gateways[p.Code], Keys: []config.Key{
			{ID: p.Sign.KeyID, Alg: p.Sign.Alg, Kinds: DocumentKinds(), File: w.public("trust/"+p.Code+"-sign.pem", p.Sign)},
			{ID: p.Token.KeyID, Alg: p.Token.Alg, Kinds: []signed.Kind{signed.Token}, File: w.public("trust/"+p.Code+"-token.pem", p.Token)},
		}}
		t.Parties = append(t.Parties, one)
	}
	w.yaml("trust.yaml", "Who there is, and whose signatures count.", t)
}

// gateway is the configuration of a party's gateway, with its keys.
func (f *Family) gateway(w *folder, p *Organisation, at string, l Layout) (config.Gateway, error) {
	w.put(at+"gateway/cert.pem", p.Server.CertPEM)
	w.put(at+"gateway/key.pem", p.Server.KeyPEM)
	w.put(at+"gateway/log.key", []byte(p.LogSigner+"\n"))
	w.put(at+"gateway/pseudonym.key", p.PseudonymKey)
	w.key(at+"gateway/sign.pem", p.Sign)
	g := config.Gateway{
		Organisation: p.Code, Listen: l.Gateways[p.Code], Data: "data", Dev: true, Today: f.Case.Today.String(),
		TLS:   config.TLS{Certificate: "gateway/cert.pem", Key: "gateway/key.pem", CA: up(at) + "ca.pem"},
		Keys:  config.Keys{Signing: []config.SigningKey{{ID: p.Sign.KeyID, File: "gateway/sign.pem"}}, Log: "gateway/log.key", Pseudonym: []string{"gateway/pseudonym.key"}},
		Trust: up(at) + "trust.yaml", Documents: "documents", WithdrawURL: "https://localhost/withdraw", DataProtectionOfficer: "fg@localhost", SourceTimeout: (3 * time.Second).String(),
		Sources: f.sources(w, p, at, l),
	}
	if p != f.Requester() {
		return g, nil
	}
	var err error
	g.Policies = l.Policies
	g.LegalBases, err = f.legalBases()
	return g, err
}

// sources of a party's gateway: adapters of its own, and of the requester's the gateways of
// the others. A party of a kind for which nobody has written an adapter is no source: a
// gap, NO_ADAPTER.
func (f *Family) sources(w *folder, p *Organisation, at string, l Layout) []config.Source {
	asks := p == f.Requester()
	var all []config.Source
	for _, cp := range f.Case.Parties {
		of := f.Parties[cp.Code]
		switch here := asks && !l.Federated || of == p && l.Federated; {
		case here:
			if s := f.adapter(w, p, of, at, l); s.Adapter != "" {
				all = append(all, s)
			}
		case asks && adapterOf(of.Kind) != "":
			all = append(all, config.Source{Party: of.Code, Peer: true})
		}
	}
	return all
}

// adapter is a source that the gateway of p asks by itself, with the certificates and secrets
// of the system behind it.
func (f *Family) adapter(w *folder, p, of *Organisation, at string, l Layout) config.Source {
	dir := "sources/" + of.Code + "/"
	put := func(name string, content []byte) string {
		w.put(at+dir+name, content)
		return dir + name
	}
	cert, key := put("cert.pem", of.Server.CertPEM), put("key.pem", of.Server.KeyPEM)
	secret, url := put("client_secret", []byte(of.ClientSecret)), "https://"+l.Sources[of.Code]
	s := config.Source{
		Party: of.Code, Adapter: adapterOf(of.Kind),
		Settings: config.Settings{
			Config:      map[string]any{"party": of.Code, "scheme_codes": []string{of.SchemeCode()}, "url": url},
			ConfigFiles: map[string]string{"ca_pem": up(at) + "ca.pem", "cert_pem": cert},
			Secrets:     map[string]string{"tls_key": key, "record_key": put("record_key", []byte(of.RecordKey))},
		},
	}
	if slices.Contains([]string{"municipality", "careoffice", "cak"}, s.Adapter) {
		s.Config["token_url"], s.Config["client_id"] = url+"/token", p.Code
		s.Secrets["client_secret"] = secret
	}
	if of.Kind == budgetv1.KindUWV {
		s.ConfigFiles["signer_pem"] = cert
	}
	return s
}

// legalBases that the case says are in force.
func (f *Family) legalBases() ([]config.LegalBasis, error) {
	raw := f.Case.LegalBasis
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	all := make([]config.LegalBasis, 1)
	if err := json.Unmarshal(raw, &all[0]); err != nil {
		return nil, fmt.Errorf("%w: legal_basis: an object with id, from and to is needed, such as the test_legal_basis of the case meppel", casefile.ErrCase)
	}
	if b := all[0]; b.ID == "" || b.From == "" || b.To == "" {
		return nil, fmt.Errorf("%w: legal_basis: id, from and to are needed; a basis is dated", casefile.ErrCase)
	}
	return all, nil
}
