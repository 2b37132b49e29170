// Package setup answers: what does an organisation need before its gateway can run? It makes
// the first files, says what is wrong with those that there are, and carries an organisation's
// entry from its own gateway to the trust file of another.
package setup

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/internal/approval"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/pseudonym"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Report is what is wrong with a configuration, and what a gateway would do with it.
type Report struct {
	Problems []config.Problem `json:"problems"` // by file, line and column; warnings among them
	Listens  []Listener       `json:"listens"`
	// Policy is the revision with which it begins, unless the log says another; empty: none can
	// be used.
	Policy string `json:"policy,omitempty"`
	// Until is when the first certificate in its chain ends, RFC 3339; empty: none can be used.
	Until string `json:"certificate_until,omitempty"`
}

// Listener is one address at which a gateway would listen.
type Listener struct {
	Key     string `json:"key"`     // of gateway.yaml
	Address string `json:"address"` // host:port, or the path of a socket
}

// Broken reports whether a gateway would not start.
func (r Report) Broken() bool {
	return slices.ContainsFunc(r.Problems, func(p config.Problem) bool { return !p.Warning })
}

// Checker looks at the files of a gateway. Nothing is started, connected or written.
type Checker struct {
	// Adapters are those of this program, by name: what they say of a configuration is asked.
	Adapters map[string]func() adapters.Adapter
	// LogKey reads keys.log, and PinnedLogKey holds it against the log_keys of its organisation.
	LogKey       func(*config.Gateway) error
	PinnedLogKey func(*config.Gateway, config.Organisation) error
	// Limits says what a process such as this would make of them; nil: nothing is wrong.
	Limits func(config.Limits) *config.Problem
	// Policies reads those with which a gateway begins, and gives their revision.
	Policies func(context.Context, *config.Gateway, []approval.Officer) (string, error)
	Now      time.Time
}

// renewBefore is how long before its end a certificate is to be renewed.
const renewBefore = 30 * 24 * time.Hour

// look is one look at one configuration.
type look struct {
	Checker
	conf  *config.Gateway
	trust *config.Trust
	own   config.Organisation
	Report
}

// Check says everything that is wrong with gateway.yaml and every file that it names.
func (c Checker) Check(ctx context.Context, path string) Report {
	l := &look{Checker: c}
	l.conf, l.Problems = config.CheckGateway(path)
	if l.conf == nil {
		return l.Report
	}
	l.listeners()
	l.limits()
	l.readTrust()
	l.Problems = append(l.Problems, l.conf.Permissions(l.trust)...)
	l.folders()
	l.keys()
	l.certificates()
	l.policies(ctx)
	for i := range l.conf.Sources {
		l.source(ctx, i)
	}
	slices.SortStableFunc(l.Problems, func(a, b config.Problem) int {
		if a.File != b.File && (a.File == path || b.File == path) { // that of the gateway first
			return map[bool]int{true: -1, false: 1}[a.File == path]
		}
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return l.Report
}

// wrong notes a problem of a key in gateway.yaml.
func (l *look) wrong(key, what, do string) {
	p := l.conf.Problem(key, what)
	p.Do = do
	l.Problems = append(l.Problems, p)
}

func (l *look) warn(key, what, do string) {
	l.wrong(key, what, do)
	l.Problems[len(l.Problems)-1].Warning = true
}

// file notes a file that is not there, and gives whether it is.
func (l *look) file(key, name, do string) bool {
	if name == "" {
		return false // said already where it is needed
	}
	if strings.HasPrefix(name, "$CREDENTIALS_DIRECTORY/") && os.Getenv("CREDENTIALS_DIRECTORY") == "" {
		l.warn(key, key+": a credential of the service can be looked at within the service alone", "run this there: systemd-run with the same LoadCredential (deploy/README.md)")
		return false
	}
	if what := config.Exists(l.conf.Path(name)); what != "" {
		l.wrong(key, key+": "+what, do)
		return false
	}
	return true
}

func (l *look) listeners() {
	add := func(key, address string) {
		if address != "" {
			l.Listens = append(l.Listens, Listener{key, address})
		}
	}
	add("listen", l.conf.Listen)
	if l.conf.AuthZEN != nil {
		add("authzen.listen", l.conf.AuthZEN.Listen)
	}
	if l.conf.HTTPS != nil {
		add("https.listen", l.conf.HTTPS.Listen)
	}
	if l.conf.Admin != nil {
		add("admin.listen", l.conf.Admin.Listen)
	}
	for i, one := range l.Listens {
		if at := slices.IndexFunc(l.Listens[:i], func(b Listener) bool { return b.Address == one.Address }); at >= 0 {
			l.wrong(one.Key, one.Key+": the address is that of "+l.Listens[at].Key+" too", "give each an address of its own")
		}
	}
	if l.conf.Data != "" {
		add("data", filepath.Join(l.conf.Path(l.conf.Data), config.OperatorSocket))
	}
}

// limits holds those that can be read against the descriptors that there are.
func (l *look) limits() {
	if slices.ContainsFunc(l.Problems, func(p config.Problem) bool { return strings.HasPrefix(p.Key, "limits") }) {
		return
	}
	if p := l.Limits(l.conf.Limits); p != nil {
		l.wrong(p.Key, p.What, p.Do)
		l.Problems[len(l.Problems)-1].Warning = p.Warning
	}
}

// readTrust reads the trust file with the keys that it names.
func (l *look) readTrust() {
	if l.conf.Trust == "" {
		return
	}
	trust, problems := config.CheckTrust(l.conf.Path(l.conf.Trust))
	l.Problems = append(l.Problems, problems...)
	if l.trust = trust; trust == nil {
		return
	}
	for i, p := range trust.Parties {
		if p.Code == l.conf.Organisation && p.Code != "" {
			l.own = p
		}
		if p.Kind != "" && !slices.Contains(budgetv1.Kinds(), p.Kind) {
			l.Problems = append(l.Problems, trust.Problem(fmt.Sprintf("parties[%d].kind", i), fmt.Sprintf("parties[%d].kind must be one of %v", i, budgetv1.Kinds())))
		}
	}
	if l.conf.Organisation != "" && l.own.Code == "" {
		l.wrong("organisation", "organisation: the trust file has no party of this code", "put your own entry into "+l.conf.Path(l.conf.Trust)+" (party.yaml of ontschot init)")
	}
	if len(problems) > 0 {
		return
	}
	if _, err := trust.Verifier(); err != nil {
		l.Problems = append(l.Problems, trust.Problem("parties", "parties: "+reasonOf(err)))
	}
	authorities, err := trust.Authorities()
	if err == nil {
		delete(authorities, l.own.OIN)
		_, err = certificate.ReadParties(authorities)
	}
	if err != nil {
		l.Problems = append(l.Problems, trust.Problem("parties", "parties: ca: "+reasonOf(err)))
	}
}

// folders looks at where a gateway writes.
func (l *look) folders() {
	if l.conf.Data != "" {
		l.folder("data", l.conf.Path(l.conf.Data), true)
		l.folder("head", filepath.Dir(l.conf.HeadPath()), l.conf.Head == "")
	}
	if l.conf.Documents != "" {
		l.folder("documents", l.conf.Path(l.conf.Documents), false)
	}
}

// folder notes one that is not there, or is none; one that the gateway makes itself needs what
// it is in.
func (l *look) folder(key, path string, made bool) {
	is, err := os.Stat(path)
	switch {
	case err != nil && made:
		if in, err := os.Stat(filepath.Dir(path)); err != nil || !in.IsDir() {
			l.wrong(key, fmt.Sprintf("%s: neither %s nor the folder it would be in is there", key, path), "mkdir -m 0700 -p "+path)
		}
	case err != nil:
		l.wrong(key, fmt.Sprintf("%s: the folder %s is not there", key, path), "mkdir -m 0700 -p "+path)
	case !is.IsDir():
		l.wrong(key, fmt.Sprintf("%s: %s is no folder", key, path), "")
	}
}

// keys looks at what is secret, and whether its public halves are pinned.
func (l *look) keys() {
	const make = "make one with: ontschot keys new"
	var pins []signed.Key
	if l.trust != nil && l.own.Code != "" {
		if all, err := l.trust.Pins(); err == nil {
			pins = all[l.own.OIN]
		}
	}
	for i, k := range l.conf.Keys.Signing {
		at := fmt.Sprintf("keys.signing[%d].file", i)
		if l.file(at, k.File, make+" --kind signing --id "+k.ID+" --out "+l.conf.Path(k.File)) {
			l.signing(at, k, pins)
		}
	}
	if l.file("keys.log", l.conf.Keys.Log, make+" --kind log --out "+l.conf.Path(l.conf.Keys.Log)) {
		if l.LogKey(l.conf) != nil {
			l.wrong("keys.log", "keys.log: it is no key of a log", make+" --kind log")
		} else if l.own.Code != "" && l.PinnedLogKey(l.conf, l.own) != nil {
			l.wrong("keys.log", "keys.log does not belong to the log_keys of "+l.own.Code+" in the trust file", "put its public half there")
		}
	}
	for i, name := range l.conf.Keys.Pseudonym {
		at := fmt.Sprintf("keys.pseudonym[%d]", i)
		if !l.file(at, name, make+" --kind pseudonym --out "+l.conf.Path(name)) {
			continue
		}
		raw, err := config.ReadFile(l.conf.Path(name))
		if err == nil {
			_, err = pseudonym.NewKeys(l.own.OIN, [][]byte{raw})
		}
		if err != nil {
			l.wrong(at, at+": 32 random bytes are needed, and nothing else", make+" --kind pseudonym")
		}
	}
	if l.trust != nil {
		if _, err := l.conf.ApprovedBy(l.trust); err != nil && len(l.conf.Officers) > 0 {
			l.wrong("officers", reasonOf(err), "")
		}
	}
}

// signing looks at one signing key.
func (l *look) signing(at string, k config.SigningKey, pins []signed.Key) {
	key, err := config.PrivateKey(l.conf.Path(k.File))
	if err == nil {
		_, err = signed.NewSigner(l.own.OIN, k.ID, "ES256", key)
	}
	if err != nil {
		l.wrong(at, at+": it is no private key as PKCS#8 PEM, P-256", "make one with: ontschot keys new --kind signing --id "+k.ID)
		return
	}
	if l.own.Code == "" {
		return
	}
	mine, _ := signed.Key{Public: key.Public()}.Digest()
	known := slices.ContainsFunc(pins, func(pin signed.Key) bool {
		digest, err := pin.Digest()
		return err == nil && digest == mine && pin.ID == k.ID
	})
	if !known {
		l.wrong(at, at+": its public half is not among the keys of "+l.own.Code+" in the trust file, under the id "+k.ID, "pin it there, and have others do so")
	}
}

// certificates looks at ours and those we believe.
func (l *look) certificates() {
	const later = "put it there when it has come from your authority"
	whole := l.file("tls.certificate", l.conf.TLS.Certificate, later)
	whole = l.file("tls.key", l.conf.TLS.Key, "it is made with the request: ontschot init") && whole
	whole = l.file("tls.ca", l.conf.TLS.CA, "the roots of who signs certificates, yours and those of your partners") && whole
	if !whole {
		return
	}
	holder, err := l.conf.Certificates(l.own.OIN, certificate.Rules{Offline: true})
	if err != nil {
		l.wrong("tls.certificate", reasonOf(err), "")
		return
	}
	s := holder.State()
	l.Until = s.Until.UTC().Format(time.RFC3339)
	if !s.Server || !s.Client {
		l.wrong("tls.certificate", "tls.certificate: it must be for server and for client", "ask for one with both uses (clientAuth, serverAuth)")
	}
	if left := s.Until.Sub(l.Now); left < renewBefore {
		l.warn("tls.certificate", fmt.Sprintf("tls.certificate: %d days left in its chain", int(left.Hours()/24)), "renew it")
	}
	if host, _, err := net.SplitHostPort(l.own.Gateway); err == nil && !l.namedFor(host) {
		l.wrong("tls.certificate", "tls.certificate: it is not made out to "+host+", where others reach this gateway by the trust file", "ask for one with that name (subjectAltName)")
	}
	for _, list := range s.Lists {
		if list.Problem != "" {
			l.warn("tls.crls", "tls.crls: "+list.Where+": "+list.Problem, "")
		}
	}
}

// namedFor reports whether our certificate is made out to a host.
func (l *look) namedFor(host string) bool {
	pair, _, err := l.conf.TLS.Load(l.conf.Path)
	return err == nil && pair.Leaf != nil && pair.Leaf.VerifyHostname(host) == nil
}

// policies looks at the rules and texts with which a gateway begins.
func (l *look) policies(ctx context.Context) {
	if l.conf.Policies != "" {
		if _, err := os.Stat(l.conf.Path(l.conf.Policies)); err != nil {
			l.wrong("policies", "policies: "+l.conf.Path(l.conf.Policies)+" is not there", "make a first folder with: ontschot policy init --dir DIR")
			return
		}
	}
	if l.trust == nil {
		return
	}
	officers, err := l.conf.ApprovedBy(l.trust)
	if err != nil {
		return // said already
	}
	if l.Policy, err = l.Checker.Policies(ctx, l.conf, officers); err != nil {
		l.wrong("policies", "policies: "+reasonOf(err), "")
	}
}

// reasonOf is an error without the word by which all of its kind begin.
func reasonOf(err error) string {
	return strings.TrimPrefix(err.Error(), config.ErrConfig.Error()+": ")
}
