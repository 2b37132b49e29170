package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"

	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/identity"
)

// Source is where what a party has is asked: of an adapter in one of three places, or of the
// party's own gateway. Exactly one of Adapter, Command, Address and Peer says which.
type Source struct {
	Party string `yaml:"party"`
	// Adapter is one of those of this program, beside the gateway, for example careoffice.
	Adapter string `yaml:"adapter,omitempty"`
	// Command is another program, beside the gateway, with its arguments. The path is absolute.
	Command []string `yaml:"command,omitempty"`
	// Address is host:port of an adapter at the agency, which has its own configuration there.
	Address string `yaml:"address,omitempty"`
	// Certificate is the OIN that must be in the certificate of who answers at Address; empty:
	// the party's.
	Certificate identity.OIN `yaml:"certificate,omitempty"`
	// Peer says that the party's own gateway is asked, at its address in the trust file. It has
	// no adapter here, and nothing of one.
	Peer bool `yaml:"peer,omitempty"`
	// Manifest is a file that says which program Command is, signed by the agency and by us.
	// Without one a command runs with dev: true alone.
	Manifest string `yaml:"manifest,omitempty"`
	// Allow is what its process may do; nil: connect to the addresses in Config.
	Allow    *Allow `yaml:"allow,omitempty"`
	Settings `yaml:",inline"`
}

// Settings are what an adapter is configured with.
type Settings struct {
	// Config of the adapter: URL and the like.
	Config map[string]any `yaml:"config,omitempty"`
	// ConfigFiles are further keys of it, whose values are the contents of files.
	ConfigFiles map[string]string `yaml:"config_files,omitempty"`
	// Secrets by name, each a file. They reach the adapter in memory only.
	Secrets map[string]string `yaml:"secrets,omitempty"`
}

func (s Settings) none() bool { return len(s.Config)+len(s.ConfigFiles)+len(s.Secrets) == 0 }

// Read gives the configuration as one JSON object, and the secrets; relative paths go through
// path. Errors: ErrConfig.
func (s Settings) Read(path func(string) string) (configuration []byte, secrets map[string]string, err error) {
	all := maps.Clone(s.Config)
	if all == nil {
		all = map[string]any{}
	}
	for name, file := range s.ConfigFiles {
		raw, err := ReadFile(path(file))
		if err != nil {
			return nil, nil, err
		}
		if _, twice := all[name]; twice {
			return nil, nil, fmt.Errorf("%w: %s is in config and in config_files", ErrConfig, name)
		}
		all[name] = string(raw)
	}
	secrets = map[string]string{}
	for name, file := range s.Secrets {
		raw, err := ReadFile(path(file))
		if err != nil {
			return nil, nil, err
		}
		secrets[name] = string(raw)
	}
	if configuration, err = json.Marshal(all); err != nil {
		return nil, nil, fmt.Errorf("%w: config holds what JSON cannot", ErrConfig)
	}
	return configuration, secrets, nil
}

// checkSources names what is wrong with the list of sources.
func (c *Gateway) checkSources() []string {
	var all []string
	parties := map[string]bool{}
	for i, s := range c.Sources {
		says := append(s.check(), broken(
			rule{s.Party != "" && parties[s.Party], s.Party + " is listed twice"},
			rule{s.Peer && s.Party == c.Organisation, "peer: this gateway is no peer of itself; name an adapter"},
			rule{!c.Dev && len(s.Command) > 0 && s.Manifest == "", "command: a command needs a manifest, which its agency and you have signed (ontschot adapter trust); without one it runs only with dev: true"},
			rule{!c.Dev && s.Adapter == invented, fmt.Sprintf("adapter: %s says the same of everybody; it can be used only with dev: true", invented)},
		)...)
		parties[s.Party] = true
		all = append(all, under(fmt.Sprintf("sources[%d]", i), ": ", says)...)
	}
	return all
}

func (s Source) check() []string {
	places := 0
	for _, here := range []bool{s.Adapter != "", len(s.Command) > 0, s.Address != "", s.Peer} {
		if here {
			places++
		}
	}
	host, port, err := net.SplitHostPort(s.Address)
	return append(broken(
		rule{s.Party == "", "party is needed"},
		rule{places != 1, "one of adapter, command, address and peer: true is needed, and no other"},
		rule{s.Manifest != "" && len(s.Command) == 0, "manifest goes with command"},
		rule{s.Allow != nil && s.Adapter == "" && len(s.Command) == 0, "allow goes with adapter or command: others run elsewhere"},
		rule{s.Peer && (!s.none() || s.Certificate != ""), "peer: true goes with party and nothing else"},
		rule{s.Address != "" && (err != nil || host == "" || port == ""), "address must be host:port"},
		rule{s.Address != "" && !s.none(), "address: an adapter at an address is configured where it runs: config, config_files and secrets do not go with it"},
		rule{s.Certificate != "" && (s.Address == "" || !identity.IsOIN(s.Certificate)), "certificate is an OIN of twenty digits, and goes with address"},
		rule{len(s.Command) > 0 && !filepath.IsAbs(s.Command[0]), "command[0] must be an absolute path"},
	), s.Allow.check()...)
}

// PeerSources are the codes of the parties whose own gateways are asked.
func (c *Gateway) PeerSources() []string {
	var codes []string
	for _, s := range c.Sources {
		if s.Peer {
			codes = append(codes, s.Party)
		}
	}
	return codes
}

// Adapter is the file of an adapter that is run by the agency itself: what it is configured
// with, and who may ask it. Paths are relative to the file.
type Adapter struct {
	Settings `yaml:",inline"`
	// Listen is host:port for gRPC with mutual TLS.
	Listen string `yaml:"listen,omitempty"`
	TLS    TLS    `yaml:"tls,omitempty"`
	// Gateways are the OINs whose gateways may ask; their certificates are of an authority
	// of tls.ca.
	Gateways []identity.OIN `yaml:"gateways,omitempty"`
	// Limits of what gateways, and everybody else, may hold open.
	Limits   Limits `yaml:"limits,omitempty"`
	path     string
	document *document // of the file; nil of one that was made
}

// ReadAdapter reads the file of an adapter. Errors: ErrConfig, and fs.ErrNotExist.
func ReadAdapter(path string) (*Adapter, error) {
	a := &Adapter{path: path}
	d, whole := readDocument(path, a)
	if whole {
		for i, oin := range a.Gateways {
			d.all(broken(rule{!identity.IsOIN(oin) || slices.Contains(a.Gateways[:i], oin), fmt.Sprintf("gateways[%d]: an OIN of twenty digits, once", i)}))
		}
		host, port, err := net.SplitHostPort(a.Listen)
		d.all(broken(rule{a.Listen != "" && (err != nil || host == "" || port == ""), "listen must be host:port"}))
		d.all(a.TLS.check())
		d.all(a.Limits.check())
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	a.document = d
	return a, nil
}

// Problem is one about a key of the file, with its place.
func (a *Adapter) Problem(key, what string) Problem { return a.document.problem(a.path, key, what) }

// Path makes a path of the file absolute to it.
func (a *Adapter) Path(name string) string { return join(filepath.Dir(a.path), name) }

// Certificates are the adapter's own and those it believes. Errors: ErrConfig, also when the
// file lacks what serving needs.
func (a *Adapter) Certificates(rules certificate.Rules) (*certificate.Holder, error) {
	for key, value := range map[string]string{"tls.certificate": a.TLS.Certificate, "tls.key": a.TLS.Key, "tls.ca": a.TLS.CA} {
		if value == "" {
			return nil, fmt.Errorf("%w: %s: %s is needed to serve", ErrConfig, a.path, key)
		}
	}
	if len(a.Gateways) == 0 {
		return nil, fmt.Errorf("%w: %s: gateways, the OINs of who may ask, are needed to serve", ErrConfig, a.path)
	}
	return a.TLS.Open(a.Path, "", rules)
}
