package testfamily

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/internal/casefile"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/signed"
)

// Layout says where the parts of a development folder listen.
type Layout struct {
	Gateway string            // host:port
	Sources map[string]string // host:port by party code
}

// FreeLayout finds free ports on loopback for the gateway and every party.
func (f *Family) FreeLayout() (Layout, error) {
	l := Layout{Sources: map[string]string{}}
	var held []net.Listener
	defer func() {
		for _, h := range held {
			h.Close()
		}
	}()
	free := func() (string, error) {
		h, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		held = append(held, h)
		return h.Addr().String(), nil
	}
	var err error
	if l.Gateway, err = free(); err != nil {
		return l, err
	}
	for code := range f.Parties {
		if l.Sources[code], err = free(); err != nil {
			return l, err
		}
	}
	return l, nil
}

// adapterOf names the adapter for a kind of party; empty when there is none.
func adapterOf(kind string) string {
	return map[string]string{
		"MUNICIPALITY": "municipality", "CARE_OFFICE": "careoffice", "UWV": "uwv", "INSURER": "insurer",
		"SVB": "svb", "CAK": "cak", "EDUCATION": "education", "TRANSPORT": "transport",
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
// hand. It holds no person: the case file is not among what is written.
func (f *Family) Write(dir string, l Layout) error {
	w := &folder{dir: dir}
	ca := w.put("ca.pem", f.CAPEM)
	f.writeTrust(w)
	if err := f.writeGateway(w, ca, l); err != nil {
		return err
	}
	requester := f.Requester()
	w.yaml("client.yaml", "A municipal system that asks this gateway.", config.Client{
		Gateway: l.Gateway, Releaser: requester.Code, Trust: "trust.yaml",
		TLS: config.TLS{Certificate: w.put("client/cert.pem", f.Client.CertPEM), Key: w.put("client/key.pem", f.Client.KeyPEM), CA: ca},
	})
	w.key("client/token.pem", requester.Token)
	w.put("client/case", []byte(f.CaseCommitment+"\n"))
	w.put("client/purpose", []byte(f.Case.Purpose+"\n"))
	documents, err := f.Documents()
	if err != nil {
		return err
	}
	for i, d := range documents {
		raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(d)
		if err != nil {
			return err
		}
		kind, err := signed.KindOf(d.GetDocument())
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(strings.FieldsFunc(string(kind), func(r rune) bool { return r == '+' })[0], "ontschot-")
		w.put(fmt.Sprintf("documents/%03d-%s.json", i+1, name), raw)
	}
	return w.err
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

func (f *Family) writeTrust(w *folder) {
	var t config.Trust
	for _, cp := range f.Case.Parties {
		p := f.Parties[cp.Code]
		one := config.Party{Code: p.Code, OIN: p.OIN, Kind: p.Kind, Name: p.Name, Laws: p.Laws, Keys: []config.Key{
			{ID: p.Sign.KeyID, Alg: p.Sign.Alg, Kinds: DocumentKinds(), File: w.public("trust/"+p.Code+"-sign.pem", p.Sign)},
			{ID: p.Token.KeyID, Alg: p.Token.Alg, Kinds: []signed.Kind{signed.Token}, File: w.public("trust/"+p.Code+"-token.pem", p.Token)},
		}}
		if p.Code == f.Case.Requester {
			one.LogKey = f.LogPublic
		}
		t.Parties = append(t.Parties, one)
	}
	w.yaml("trust.yaml", "Who there is, and whose signatures count.", t)
}

func (f *Family) writeGateway(w *folder, ca string, l Layout) error {
	requester := f.Requester()
	g := config.Gateway{
		Organisation: requester.Code, Listen: l.Gateway, Data: "data", Dev: true, Today: f.Case.Today.String(),
		TLS: config.TLS{
			Certificate: w.put("gateway/cert.pem", requester.Server.CertPEM), Key: w.put("gateway/key.pem", requester.Server.KeyPEM), CA: ca,
		},
		Keys: config.Keys{
			Signing: w.key("gateway/sign.pem", requester.Sign), SigningID: requester.Sign.KeyID,
			Log: w.put("gateway/log.key", []byte(f.LogSigner+"\n")), Pseudonym: w.put("gateway/pseudonym.key", f.PseudonymKey),
		},
		Trust: "trust.yaml", Documents: "documents", SourceTimeout: (3 * time.Second).String(),
	}
	for _, cp := range f.Case.Parties {
		p := f.Parties[cp.Code]
		at := "sources/" + p.Code + "/"
		cert, key := w.put(at+"cert.pem", p.Server.CertPEM), w.put(at+"key.pem", p.Server.KeyPEM)
		secret := w.put(at+"client_secret", []byte(p.ClientSecret))
		if adapterOf(p.Kind) == "" {
			continue // nobody has written one: a gap, NO_ADAPTER
		}
		url := "https://" + l.Sources[p.Code]
		s := config.Source{
			Party: p.Code, Adapter: adapterOf(p.Kind),
			Config:      map[string]any{"party": p.Code, "scheme_codes": []string{p.SchemeCode()}, "url": url},
			ConfigFiles: map[string]string{"ca_pem": ca, "cert_pem": cert},
			Secrets:     map[string]string{"tls_key": key, "record_key": w.put(at+"record_key", []byte(p.RecordKey))},
		}
		if slices.Contains([]string{"municipality", "careoffice", "cak"}, s.Adapter) {
			s.Config["token_url"], s.Config["client_id"] = url+"/token", requester.Code
			s.Secrets["client_secret"] = secret
		}
		g.Sources = append(g.Sources, s)
	}
	if raw := f.Case.LegalBasis; len(raw) > 0 && string(raw) != "null" {
		g.LegalBases = make([]config.LegalBasis, 1)
		if err := json.Unmarshal(raw, &g.LegalBases[0]); err != nil {
			return fmt.Errorf("%w: legal_basis: %w", casefile.ErrCase, err)
		}
		if b := g.LegalBases[0]; b.ID == "" || b.From == "" || b.To == "" {
			return fmt.Errorf("%w: legal_basis: id, from and to are needed; a basis is dated", casefile.ErrCase)
		}
	}
	w.yaml("gateway.yaml", "A gateway for development: ontschot serve --config gateway.yaml", g)
	return nil
}
