// Package server answers: how are the rooms of a gateway put together? It is the only
// one that knows every room, and what a test starts is what the command starts.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ontschot/ontschot/gateway"
	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/approval"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/directory"
	"github.com/ontschot/ontschot/internal/door"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/manifest"
	"github.com/ontschot/ontschot/internal/signed"
	"github.com/ontschot/ontschot/internal/telemetry"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// policyTimeout bounds one decision; a decision that takes longer denies. It leaves
// room for a machine that is busy with something else.
const policyTimeout = 250 * time.Millisecond

// What lies in the data folder: the audit log, and the public half of its key.
const (
	RecordFile   = "record.db"
	PublicLogKey = "log.pub"
)

// server is a running gateway with everything it is made of. This file is the
// only place that knows every room.
type Server struct {
	Conf *config.Gateway
	Addr net.Addr
	// Door is who may connect, and counts who may not.
	Door     *door.Door
	grpc     *door.Serving
	listener net.Listener
	web      []*http.Server // of callers
	operator *operatorDoor  // nil before it listens
	// AuthZENAddr and HTTPSAddr are where those are served; nil: nowhere.
	AuthZENAddr, HTTPSAddr net.Addr
	admin                  *http.Server // nil: it is not served
	// AdminAddr is where it is served.
	AdminAddr net.Addr
	telemetry *telemetry.Telemetry
	serving   atomic.Bool // between start and end
	started   time.Time
	policy    *policy.Rules
	policies  *policyKeeper
	officers  atomic.Pointer[[]approval.Officer]
	Broker    *Broker
	Store     *sqlite.Store
	Log       *audit.Log
	Adapters  map[string]Adapter // when they have started
	Refused   []string           // documents of the folder that were not taken

	// What can be replaced while it runs.
	own           identity.OIN
	Certificates  *certificate.Holder
	Keys          *signed.Verifier
	Ring          *signed.Ring
	issuers       atomic.Pointer[[]token.Issuer]
	reloading     sync.Mutex
	keysSum       [32]byte // of what is in use
	keysRefused   [32]byte // of what was not taken over
	issuersSum    [32]byte
	logger        *slog.Logger
	refusals      *slog.Logger // what callers can have written as often as they like
	organisations *identity.Roster
	network       network
	directory     *directory.Keeper // nil: none
	directoryRead sync.Mutex        // one look at it at a time
	directorySaid string            // what was wrong with it; guarded by directoryRead
	now           func() time.Time
	adapters      *starting
	manifests     *manifest.Memory
	sources       map[string]gateway.Source // the broker's
	stop          func()
	tending       sync.WaitGroup
}

// Start puts a gateway together and serves.
func Start(ctx context.Context, conf *config.Gateway, stderr io.Writer) (*Server, error) {
	trust, _, _ := conf.ReadTrust() // what is wrong with it is said where it is read
	if err := refuseOpen(conf, trust, slog.New(slog.NewJSONHandler(stderr, nil))); err != nil {
		return nil, err
	}
	s, err := Assemble(ctx, conf, stderr)
	if err != nil {
		return nil, err
	}
	err = s.listenAdmin()
	if err == nil {
		err = s.TakeDocuments(ctx)
	}
	if err == nil {
		err = s.adapters.wait(s.sources, s.asked) // they take longest to start
	}
	if err == nil {
		err = s.listenOperator()
	}
	if err == nil {
		err = s.listen(s.Broker)
	}
	if err == nil {
		err = s.listenAuthZEN(s.Broker)
	}
	if err == nil {
		err = s.listenHTTPS()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	s.serving.Store(true)
	s.tend(s.logger)
	return s, nil
}

// refuseOpen refuses files that others on this machine can read or change who must not; in
// development it warns. Errors: config.ErrConfig.
func refuseOpen(conf *config.Gateway, trust *config.Trust, log *slog.Logger) error {
	open := conf.Permissions(trust)
	for _, p := range open {
		if p.Warning {
			log.Warn("in production a gateway does not start so", "problem", p.String())
		}
	}
	return config.Refuse(open)
}

// Assemble puts a gateway together; its adapters may still be starting. Whatever was
// started is ended again when a later part does not start.
func Assemble(ctx context.Context, conf *config.Gateway, stderr io.Writer) (_ *Server, err error) {
	s := &Server{Conf: conf, Adapters: map[string]Adapter{}, manifests: Manifests(conf), now: conf.Clock(), started: time.Now()}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := s.watched(ctx, stderr); err != nil {
		return nil, fmt.Errorf("%w: %w", config.ErrConfig, err)
	}
	go func() { _, _ = admission.Rules() }() // compiled meanwhile; NewBroker waits for them and has the error
	if s.Door, err = door.New(door.Config{Limits: conf.Limits, Log: s.logger}); err != nil {
		return nil, err
	}
	if err := s.openDirectory(ctx); err != nil {
		return nil, err
	}
	_, _ = s.ReloadKeys(ctx) // sums up what it starts with, before it is read; what is wrong with it is reported below
	trust, err := s.readTrust(conf)
	if err != nil {
		return nil, err
	}
	own, err := trust.Party(conf.Organisation)
	if err != nil {
		return nil, err
	}
	s.organisations, s.refusals = identity.NewRoster(trust.Directory()), slog.New(s.Door.Lines(s.logger.Handler()))
	bc := BrokerConfig{
		Own: own.OIN, Organisations: s.organisations, Sources: map[string]gateway.Source{}, Peers: s.network.peer, PeerSources: s.peerSource,
		Now: s.now, Log: s.logger, Refusals: s.refusals, Watch: s.telemetry.Watch,
	}
	if !conf.Quiet {
		bc.Answered = s.logger
	}
	if err := s.trusted(trust, &bc); err != nil {
		return nil, err
	}
	if err := s.parts(ctx, own, &bc, stderr); err != nil {
		return nil, err
	}
	s.Ring = bc.Signers
	if err := s.peerSources(trust); err != nil {
		return nil, err
	}
	if s.Broker, err = NewBroker(bc); err != nil {
		return nil, err
	}
	s.policy = bc.Policy
	pins, err := trust.Pins()
	if err != nil {
		return nil, err
	}
	if err := s.Broker.RecordKeys(ctx, pins); err != nil {
		return nil, fmt.Errorf("%s: %w", conf.Path(conf.Trust), err)
	}
	if s.directory != nil {
		err = s.directory.Keep()
	}
	return s, err
}

// trusted reads whose word counts: pinned keys, token issuers, certificates, peers, officers.
func (s *Server) trusted(trust *config.Trust, bc *BrokerConfig) error {
	keys, err := trust.Verifier()
	if err != nil {
		return err
	}
	officers, err := s.Conf.ApprovedBy(trust)
	if err != nil {
		return err
	}
	s.officers.Store(&officers)
	s.own, s.Keys, bc.Keys = bc.Own, keys, keys
	bc.Tokens = token.Checker{Keys: keys, Audience: string(bc.Own), Now: s.now, Issuers: func() []token.Issuer { return *s.issuers.Load() }}
	issuers, err := issuersOf(trust, s.Conf.Dev, s.logger)
	if err != nil {
		return err
	}
	s.issuers.Store(&issuers)
	if s.issuersSum, err = sumOf([]any{issuersIn(trust)}, trust.IssuerFiles()); err != nil {
		return err
	}
	if s.Certificates, err = s.Conf.Certificates(bc.Own, certificate.Rules{Warn: s.logger.Warn}); err != nil {
		return err
	}
	bc.Certificates = s.Certificates
	authorities, err := AuthoritiesOf(trust, s.own)
	if err != nil {
		return err
	}
	s.Certificates.Believe(authorities)
	return nil
}

// parts starts policy, audit log and adapters, and reads the rest of the configuration
// meanwhile. It does not wait for the adapters: they are waited for before anybody is
// answered.
func (s *Server) parts(ctx context.Context, own config.Organisation, bc *BrokerConfig, stderr io.Writer) error {
	s.adapters, s.sources = s.startSources(ctx, stderr), bc.Sources
	var wait sync.WaitGroup
	var configured policySet
	var policyErr, recordErr error
	wait.Go(func() { configured, policyErr = configuredPolicies(ctx, s.Conf) })
	wait.Go(func() { recordErr = s.openRecord(ctx, own, bc) })
	secretsErr := s.secrets(own, bc)
	for _, b := range s.Conf.LegalBases {
		bc.LegalBases = append(bc.LegalBases, &budgetv1.LegalBasis{
			Id: b.ID, Article: b.Article, From: b.From, To: b.To, PoolableLaws: b.PoolableLaws, Municipalities: b.Municipalities,
		})
	}
	wait.Wait()
	if recordErr != nil || secretsErr != nil {
		return errors.Join(policyErr, recordErr, secretsErr)
	}
	return s.settlePolicies(ctx, bc, configured, policyErr)
}

// secrets reads keys and dates.
func (s *Server) secrets(own config.Organisation, bc *BrokerConfig) error {
	keys, err := s.Conf.SigningKeys(own.OIN)
	if err != nil {
		return err
	}
	if bc.Signers, err = signed.NewRing(keys...); err != nil {
		return fmt.Errorf("%w: keys.signing: %w", config.ErrConfig, err)
	}
	for _, file := range s.Conf.Keys.Pseudonym {
		key, err := config.ReadFile(s.Conf.Path(file))
		if err != nil {
			return err
		}
		bc.PseudonymKeys = append(bc.PseudonymKeys, key)
	}
	if bc.SourceTimeout, err = s.Conf.Timeout(); err != nil {
		return err
	}
	set, err := s.Conf.CivilDate()
	if err != nil {
		return err
	}
	bc.Today, bc.TodayIsSet = func() civil.Date { return civil.Today(s.now()) }, !set.IsZero()
	if bc.TodayIsSet {
		bc.Today = func() civil.Date { return set }
	}
	bc.WithdrawURL, bc.Officer = s.Conf.WithdrawURL, s.Conf.DataProtectionOfficer
	return nil
}

// LogKey reads the key that signs the head of a gateway's log. Errors: config.ErrConfig.
func LogKey(conf *config.Gateway) (audit.SigningKey, error) {
	raw, err := config.ReadFile(conf.Path(conf.Keys.Log))
	if err != nil {
		return audit.SigningKey{}, err
	}
	key, err := audit.ParseKey(strings.TrimSpace(string(raw)))
	if err != nil {
		return audit.SigningKey{}, fmt.Errorf("%w: keys.log: %w", config.ErrConfig, err)
	}
	return key, nil
}

// RecordConfig is how the log of a gateway is opened, but for its store.
func RecordConfig(conf *config.Gateway, own config.Organisation) (audit.Config, error) {
	key, err := LogKey(conf)
	if err != nil {
		return audit.Config{}, err
	}
	// What others have pinned must be the key that signs here, or no client would
	// believe a receipt.
	pinned, err := audit.ParseKeys(own.LogKeys...)
	if err != nil || !pinned.Hold(key) {
		return audit.Config{}, fmt.Errorf("%w: keys.log does not belong to the log_keys of %s in the trust file", config.ErrConfig, own.Code)
	}
	c := audit.Config{Now: conf.Now, Origin: key.Signer.Name(), Tenant: own.OIN, Key: key, Earlier: pinned, Head: &audit.HeadFile{Path: conf.HeadPath()}}
	set, err := conf.CivilDate()
	if !set.IsZero() {
		c.Today = func() civil.Date { return set }
	}
	return c, err
}

// manyEntries is of how many a start leaves more garbage than it is worth to wait for.
const manyEntries = 1 << 16

func (s *Server) openRecord(ctx context.Context, own config.Organisation, bc *BrokerConfig) error {
	c, err := RecordConfig(s.Conf, own)
	if err != nil {
		return err
	}
	path := filepath.Join(s.Conf.Path(s.Conf.Data), RecordFile)
	_, missing := os.Stat(path)
	s.Store, err = sqlite.Open(ctx, path)
	if errors.Is(err, sqlite.ErrEarlier) {
		return EarlierRecordError(err)
	}
	if err != nil {
		return err
	}
	c.Store = s.Store
	if s.Log, err = audit.Open(ctx, c); err != nil {
		if errors.Is(err, audit.ErrBehind) {
			err = fmt.Errorf("%w; put a whole copy back: ontschot restore; when there is none: ontschot audit recover (docs/operating.md)", err)
		}
		if errors.Is(missing, fs.ErrNotExist) { // what was made just now is in nobody's way
			err = errors.Join(err, s.Store.Close(), RemoveRecord(path))
			s.Store = nil
		}
		return err
	}
	if s.Log.Register().Size() > manyEntries {
		debug.FreeOSMemory() // what it took to read the register, as much as the register itself
	}
	bc.Record, bc.Documents = s.telemetry.Recorded(s.Log), s.Log
	bc.Trust = result.Trust{Keys: bc.Keys, Releaser: own.OIN, Log: c.Earlier}
	return os.WriteFile(filepath.Join(s.Conf.Path(s.Conf.Data), PublicLogKey), []byte(strings.Join(own.LogKeys, "\n")+"\n"), 0o600)
}

// RecordFiles are the files of an audit log.
func RecordFiles(path string) []string { return []string{path, path + "-wal", path + "-shm"} }

// RemoveRecord removes them; one that is not there is no error.
func RemoveRecord(path string) (err error) {
	for _, one := range RecordFiles(path) {
		if e := os.Remove(one); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// String is what the operator wants to know at start.
func (s *Server) String() string {
	text := fmt.Sprintf("gateway of %s on %s, policy %.12s, adapters ready: %s", s.Conf.Organisation, s.Addr, s.policy.Revision(),
		strings.Join(slices.Sorted(maps.Keys(s.Adapters)), " "))
	if s.HTTPSAddr != nil {
		text += "\nontschot: JSON over HTTPS on " + s.HTTPSAddr.String()
	}
	if s.Conf.Today != "" {
		text += "\nontschot: development: the civil date is set to " + s.Conf.Today
	}
	for _, r := range s.Refused {
		text += "\nontschot: document left out: " + r
	}
	return text
}

// Close ends calls under way first, for a bounded time, then everything else.
func (s *Server) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), lastCalls)
	s.Drain(ctx)
	cancel()
	if s.stop != nil {
		s.stop()
		s.tending.Wait()
	}
	s.network.close()
	s.operator.close()
	s.adapters.end()
	var all sync.WaitGroup
	for _, p := range s.Adapters {
		all.Go(func() { p.Close() })
	}
	all.Wait()
	if s.Log != nil {
		s.Log.Close()
	}
	if s.Store != nil {
		s.Store.Close()
	}
	s.endAdmin()
	s.telemetry.Close()
}

// EarlierRecordError says what to do about an audit log of an earlier version.
func EarlierRecordError(err error) error {
	return fmt.Errorf("%w; a gateway that starts takes over one of the version before, and for others there is: ontschot audit convert", err)
}
