package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/ontschot/ontschot/adapters/host"
	"github.com/ontschot/ontschot/gateway"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/store"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func serveCommand() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run a gateway with its adapters",
		Long: `Run a gateway: gRPC with mutual TLS, health and reflection, an embedded store, and one adapter
process for each source in the configuration. Errors of the log go to stderr as JSON lines; nothing
in it names a person or an amount. Ends on SIGTERM, after the calls under way.`,
		Example: "  ontschot dev init --case meppel --dir DIR\n  ontschot serve --config DIR/gateway.yaml",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, err := config.ReadGateway(path)
			if err != nil {
				return err
			}
			s, err := startServer(c.Context(), conf, c.ErrOrStderr())
			if err != nil {
				return err
			}
			defer s.Close()
			fmt.Fprintf(c.ErrOrStderr(), "ontschot: %s\n", s)
			<-c.Context().Done()
			return nil
		},
	}
	c.Flags().StringVar(&path, "config", "gateway.yaml", "the gateway's configuration, YAML")
	return c
}

// policyTimeout bounds one decision; a decision that takes longer denies. It leaves
// room for a machine that is busy with something else.
const policyTimeout = 250 * time.Millisecond

// What lies in the data folder: the record, and the public half of its key.
const (
	recordFile   = "record.db"
	publicLogKey = "log.pub"
	headFile     = "head"
)

// server is a running gateway with everything it is made of. This file is the
// only place that knows every room.
type server struct {
	conf      *config.Gateway
	addr      net.Addr
	revision  string
	grpc      *grpc.Server
	gateway   *gateway.Gateway
	store     *store.Store
	log       *audit.Log
	processes map[string]*host.Process
	refused   []string // documents of the folder that were not taken

	// What can be replaced while it runs.
	own          identity.OIN
	certificates *certificate.Holder
	keys         *signed.Verifier
	ring         *signed.Ring
	issuers      atomic.Pointer[[]token.Issuer]
	reloading    sync.Mutex
	keysSum      [32]byte // of what is in use
	keysRefused  [32]byte // of what was not taken over
	issuersSum   [32]byte
	logger       *slog.Logger
	peers        []*client.Peer
	stop         func()
	tending      sync.WaitGroup
}

// startServer puts a gateway together and serves.
func startServer(ctx context.Context, conf *config.Gateway, stderr io.Writer) (*server, error) {
	s, err := assemble(ctx, conf, stderr)
	if err != nil {
		return nil, err
	}
	err = s.takeDocuments(ctx, s.gateway)
	if err == nil {
		err = s.listen(s.gateway)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	s.tend(s.gateway, s.logger)
	return s, nil
}

// assemble puts a gateway together. Whatever was started is ended again when a later part
// does not start.
func assemble(ctx context.Context, conf *config.Gateway, stderr io.Writer) (_ *server, err error) {
	s := &server{conf: conf, processes: map[string]*host.Process{}}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	_, _ = s.reloadKeys(ctx) // sums up what it starts with, before it is read; what is wrong with it is told below
	trust, err := config.ReadTrust(conf.Path(conf.Trust))
	if err != nil {
		return nil, err
	}
	own, err := trust.Party(conf.Organisation)
	if err != nil {
		return nil, err
	}
	keys, err := trust.Verifier()
	if err != nil {
		return nil, err
	}
	gc := gateway.Config{
		Own: own.OIN, Keys: keys, Now: time.Now, Sources: map[string]gateway.Source{},
		Tokens: token.Checker{Keys: keys, Audience: string(own.OIN), Now: time.Now},
		Log:    slog.New(slog.NewJSONHandler(stderr, nil)),
	}
	s.own, s.keys, s.logger = own.OIN, keys, gc.Log
	issuers, err := issuersOf(trust, conf.Dev, gc.Log)
	if err != nil {
		return nil, err
	}
	s.issuers.Store(&issuers)
	if s.issuersSum, err = sumOf([]any{issuersIn(trust)}, trust.IssuerFiles()); err != nil {
		return nil, err
	}
	gc.Tokens.Issuers = func() []token.Issuer { return *s.issuers.Load() }
	tls := conf.TLS
	s.certificates, err = certificate.Open(certificate.Files{Certificate: conf.Path(tls.Certificate), Key: conf.Path(tls.Key), CA: conf.Path(tls.CA)}, own.OIN)
	if err != nil {
		return nil, fmt.Errorf("%w: tls: %w", config.ErrConfig, err)
	}
	gc.Certificates = s.certificates
	if gc.Peers, err = s.connectPeers(trust); err != nil {
		return nil, err
	}
	for _, b := range s.conf.LegalBases {
		gc.LegalBases = append(gc.LegalBases, &budgetv1.LegalBasis{
			Id: b.ID, Article: b.Article, From: b.From, To: b.To, PoolableLaws: b.PoolableLaws, Municipalities: b.Municipalities,
		})
	}
	for _, p := range trust.Parties {
		gc.Parties = append(gc.Parties, gateway.Party{Code: p.Code, Name: p.Name, OIN: p.OIN, Kind: p.Kind, Laws: p.Laws})
	}
	// Policy, record and adapters are ready at about the same time when they start together.
	var wait sync.WaitGroup
	var policyErr, recordErr, sourcesErr error
	wait.Go(func() {
		gc.Policy, policyErr = policy.New(ctx, policy.Config{FS: policies.FS, Timeout: policyTimeout})
	})
	wait.Go(func() { recordErr = s.openRecord(ctx, own, &gc) })
	wait.Go(func() { sourcesErr = s.startSources(ctx, stderr) })
	textErr := s.secrets(own, &gc)
	wait.Wait()
	if err := errors.Join(policyErr, recordErr, sourcesErr, textErr); err != nil {
		return nil, err
	}
	for code, p := range s.processes {
		gc.Sources[code] = p
	}
	s.revision, s.ring = gc.Policy.Revision(), gc.Signers
	g, err := gateway.New(gc)
	if err != nil {
		return nil, err
	}
	s.gateway = g
	pins, err := trust.Pins()
	if err != nil {
		return nil, err
	}
	if err := g.RecordKeys(ctx, pins); err != nil {
		return nil, fmt.Errorf("%s: %w", conf.Path(conf.Trust), err)
	}
	return s, nil
}

// secrets reads keys, texts and dates.
func (s *server) secrets(own config.Party, gc *gateway.Config) error {
	keys, err := s.conf.SigningKeys(own.OIN)
	if err != nil {
		return err
	}
	if gc.Signers, err = signed.NewRing(keys...); err != nil {
		return fmt.Errorf("%w: keys.signing: %w", config.ErrConfig, err)
	}
	for _, file := range s.conf.Keys.Pseudonym {
		key, err := config.ReadFile(s.conf.Path(file))
		if err != nil {
			return err
		}
		gc.PseudonymKeys = append(gc.PseudonymKeys, key)
	}
	if gc.SourceTimeout, err = s.conf.Timeout(); err != nil {
		return err
	}
	set, err := s.conf.CivilDate()
	if err != nil {
		return err
	}
	gc.Today, gc.TodayIsSet = func() civil.Date { return civil.Today(time.Now()) }, !set.IsZero()
	if gc.TodayIsSet {
		gc.Today = func() civil.Date { return set }
	}
	gc.WithdrawURL = s.conf.WithdrawURL
	if gc.Texts, err = policies.ReadTexts(policies.FS); err != nil {
		return err
	}
	gc.Changes, err = policies.ReadAgreementTexts(policies.FS)
	return err
}

// recordConfig is how the log of a gateway is opened, but for its store.
func recordConfig(conf *config.Gateway, own config.Party) (audit.Config, error) {
	raw, err := config.ReadFile(conf.Path(conf.Keys.Log))
	if err != nil {
		return audit.Config{}, err
	}
	key, err := audit.ParseKey(strings.TrimSpace(string(raw)))
	if err != nil {
		return audit.Config{}, fmt.Errorf("%w: keys.log: %w", config.ErrConfig, err)
	}
	// What others have pinned must be the key that signs here, or no client would
	// believe a receipt.
	pinned, err := audit.ParseKeys(own.LogKeys...)
	if err != nil || !pinned.Hold(key) {
		return audit.Config{}, fmt.Errorf("%w: keys.log does not belong to the log_keys of %s in the trust file", config.ErrConfig, own.Code)
	}
	c := audit.Config{Origin: key.Signer.Name(), Tenant: own.OIN, Key: key, Earlier: pinned, Head: &audit.HeadFile{Path: headPath(conf)}}
	set, err := conf.CivilDate()
	if !set.IsZero() {
		c.Today = func() civil.Date { return set }
	}
	return c, err
}

func (s *server) openRecord(ctx context.Context, own config.Party, gc *gateway.Config) error {
	c, err := recordConfig(s.conf, own)
	if err != nil {
		return err
	}
	path := filepath.Join(s.conf.Path(s.conf.Data), recordFile)
	_, missing := os.Stat(path)
	s.store, err = store.Open(ctx, path)
	if errors.Is(err, store.ErrEarlier) {
		return earlierRecordError(err)
	}
	if err != nil {
		return err
	}
	c.Store = s.store
	if s.log, err = audit.Open(ctx, c); err != nil {
		if errors.Is(missing, fs.ErrNotExist) { // what was made just now is in nobody's way
			err = errors.Join(err, s.store.Close(), removeRecord(path))
			s.store = nil
		}
		return err
	}
	gc.Record, gc.Documents = s.log, s.log
	gc.Trust = result.Trust{Keys: gc.Keys, Releaser: own.OIN, Log: c.Earlier}
	return os.WriteFile(filepath.Join(s.conf.Path(s.conf.Data), publicLogKey), []byte(strings.Join(own.LogKeys, "\n")+"\n"), 0o600)
}

// recordFiles are the files of a record.
func recordFiles(path string) []string { return []string{path, path + "-wal", path + "-shm"} }

func removeRecord(path string) (err error) {
	for _, one := range recordFiles(path) {
		if e := os.Remove(one); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// headPath is the file that keeps the head of the record outside the store.
func headPath(conf *config.Gateway) string {
	if conf.Head != "" {
		return conf.Path(conf.Head)
	}
	return filepath.Join(conf.Path(conf.Data), headFile)
}

// String is what the operator wants to know at start.
func (s *server) String() string {
	text := fmt.Sprintf("gateway of %s on %s, policy %.12s, adapters ready: %s", s.conf.Organisation, s.addr, s.revision,
		strings.Join(slices.Sorted(maps.Keys(s.processes)), " "))
	if s.conf.Today != "" {
		text += "\nontschot: development: the civil date is set to " + s.conf.Today
	}
	for _, r := range s.refused {
		text += "\nontschot: document left out: " + r
	}
	return text
}

// Close ends calls under way first, for a bounded time, then everything else.
func (s *server) Close() {
	if s.stop != nil {
		s.stop()
		s.tending.Wait()
	}
	for _, p := range s.peers {
		p.Close()
	}
	if s.grpc != nil {
		done := make(chan struct{})
		go func() { s.grpc.GracefulStop(); close(done) }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			s.grpc.Stop()
		}
	}
	var all sync.WaitGroup
	for _, p := range s.processes {
		all.Go(func() { p.Close() })
	}
	all.Wait()
	if s.log != nil {
		s.log.Close()
	}
	if s.store != nil {
		s.store.Close()
	}
}
