// Package sandbox answers: what would the parties' own systems say? It serves
// what a case holds for each party, over the interfaces that such a party
// really has, as HTTPS servers of this machine: a case system and a message
// archive, GraphQL registers, SOAP, REST, XML.
package sandbox

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Errors of starting.
var ErrStart = errors.New("sandbox does not start")

// Config of a sandbox.
type Config struct {
	// Case whose records are served. Required.
	Case *casefile.Case
	// CA that signs the certificates of clients. Required.
	CA *x509.CertPool
	// Certificate gives a party's server certificate, for 127.0.0.1 and localhost. Required.
	Certificate func(party string) tls.Certificate
	// ClientSecret gives the OAuth2 client secret that a party's token endpoint
	// takes, from any client id. Required.
	ClientSecret func(party string) string
	// Addr gives the address a party listens on; nil or empty is 127.0.0.1:0.
	Addr func(party string) string
	// Log gets one line per request: party, operation, status. nil is nowhere.
	Log io.Writer
	// Now is the clock of the tokens; nil is the machine's.
	Now func() time.Time
}

// Sandbox is a set of running servers.
type Sandbox struct {
	config Config
	hosts  map[string]*host // by party code
	once   sync.Once
}

// host is the server of one party.
type host struct {
	party  casefile.Organisation
	whole  *casefile.Case // SVB knows what funders awarded
	today  civil.Date
	store  *store
	tokens *tokens
	url    string
	server *http.Server
	log    *log.Logger
	closed chan struct{}
	// numbers are the BSNs of the household, to see whether they come by.
	numbers []string

	mu          sync.Mutex
	fault       Fault
	asked       []Request
	receivedBSN bool
}

// Start serves each party of a kind that has an interface of its own here: all of
// budgetv1.Kinds. Close ends it.
func Start(c Config) (*Sandbox, error) {
	if c.Case == nil || c.CA == nil || c.Certificate == nil || c.ClientSecret == nil {
		return nil, fmt.Errorf("%w: Case, CA, Certificate and ClientSecret are needed", ErrStart)
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Sandbox{config: c, hosts: map[string]*host{}}
	for _, party := range c.Case.Parties {
		if err := s.open(party); err != nil {
			s.Close()
			return nil, fmt.Errorf("%w: %s: %w", ErrStart, party.Code, err)
		}
	}
	return s, nil
}

// open starts the server of one party; none for a kind without an interface.
func (s *Sandbox) open(party casefile.Organisation) error {
	h := &host{
		party: party, whole: s.config.Case, today: s.config.Case.Today.Date,
		closed: make(chan struct{}), log: log.New(s.config.Log, "sandbox: ", 0),
	}
	for _, m := range s.config.Case.Household {
		h.numbers = append(h.numbers, m.BSN)
	}
	h.tokens = newTokens(s.config.ClientSecret(party.Code), s.config.Now)
	routes := h.routes()
	if routes == nil {
		return nil
	}
	var err error
	h.store = newStore(s.config.Case.Records[party.Code])
	listener, err := net.Listen("tcp", s.address(party.Code))
	if err != nil {
		return err
	}
	h.url = "https://" + listener.Addr().String()
	h.server = &http.Server{
		Handler:           h.serve(routes),
		TLSConfig:         s.tls(party),
		ReadHeaderTimeout: 5 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	s.hosts[party.Code] = h
	go func() { _ = h.server.ServeTLS(listener, "", "") }()
	return nil
}

func (s *Sandbox) address(party string) string {
	if s.config.Addr != nil {
		if address := s.config.Addr(party); address != "" {
			return address
		}
	}
	return "127.0.0.1:0"
}

// tls asks a certificate of the client where the real interface does. A
// municipality's suppliers make do with a token.
func (s *Sandbox) tls(party casefile.Organisation) *tls.Config {
	auth := tls.RequireAndVerifyClientCert
	if party.Kind == budgetv1.KindMunicipality {
		auth = tls.VerifyClientCertIfGiven
	}
	return &tls.Config{
		Certificates: []tls.Certificate{s.config.Certificate(party.Code)},
		ClientAuth:   auth, ClientCAs: s.config.CA, MinVersion: tls.VersionTLS12,
	}
}

// URL gives the base address of a party's system; empty when it has none here.
func (s *Sandbox) URL(party string) string {
	if h := s.hosts[party]; h != nil {
		return h.url
	}
	return ""
}

// TokenURL gives the address of a party's token endpoint; empty when it has none.
func (s *Sandbox) TokenURL(party string) string {
	if h := s.hosts[party]; h != nil && h.needsToken() {
		return h.url + "/token"
	}
	return ""
}

// Close ends all servers and the requests they are at. It may be called twice.
func (s *Sandbox) Close() {
	s.once.Do(func() {
		for _, h := range s.hosts {
			close(h.closed)
			_ = h.server.Close() // no grace: a slow answer would hold it up
		}
	})
}
