package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// How often the gateway looks at files that can be replaced while it runs, and delivers
// what could not be delivered before.
const (
	reloadEvery    = 2 * time.Second
	redeliverEvery = 30 * time.Second
)

// tend takes over replaced keys and certificates, and redelivers, until Close.
func (s *Server) tend(log *slog.Logger) {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.tending.Go(func() {
		s.Certificates.Watch(ctx, reloadEvery, func(err error) { report(log, "certificates", err) })
	})
	s.tending.Go(func() {
		s.every(ctx, reloadEvery, func() {
			if changed, err := s.ReloadKeys(ctx); changed {
				report(log, "keys", err)
			}
		})
	})
	s.tending.Go(func() { s.every(ctx, healthEvery, s.tellHealth) })
	if s.directory != nil {
		s.tending.Go(func() { s.tendDirectory(ctx) })
	}
	s.tending.Go(func() {
		s.every(ctx, redeliverEvery, func() { _, _ = s.Broker.Redeliver(ctx), s.Broker.Reconfirm(ctx) }) // each that fails is logged
	})
}

// every does it at once, and then again and again. A panic is a bug of that one time: it
// does not end the process.
func (s *Server) every(ctx context.Context, pause time.Duration, do func()) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		s.once(do)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (s *Server) once(do func()) {
	defer func() {
		if what := recover(); what != nil {
			s.logger.Error("a task panicked", "kind", fmt.Sprintf("%T", what), "stack", string(debug.Stack()))
		}
	}()
	do()
}

func report(log *slog.Logger, what string, err error) {
	if err != nil {
		log.Error("not taken over; the old ones stay", "what", what, "error", err.Error())
		return
	}
	log.Info("taken over", "what", what)
}

// ReloadKeys takes over the signing keys, the officers and the peers among the sources of
// gateway.yaml, and all of the trust file, when they are others than before: all of it or nothing.
// What else is in gateway.yaml needs a restart. The audit log says that the keys are
// others from here on. What cannot be taken over is reported once, and tried again.
func (s *Server) ReloadKeys(ctx context.Context) (changed bool, err error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	before := s.keysSum
	sum, err := s.renew(ctx)
	if err == nil {
		return before != [32]byte{} && sum != before, nil
	}
	reported := s.keysRefused == sum
	s.keysRefused = sum
	return !reported, err
}

// renew takes over what the files say and gives its sum. The first time they are those that the
// gateway starts with.
func (s *Server) renew(ctx context.Context) ([32]byte, error) {
	conf, trust, sum, err := s.readKeys()
	if sum == s.keysSum || err == nil && s.keysSum == [32]byte{} {
		s.keysSum, s.keysRefused = sum, [32]byte{}
		return sum, nil
	}
	if err == nil {
		err = s.takeOver(ctx, conf, trust, sum)
	}
	if err == nil {
		s.keysSum, s.keysRefused = sum, [32]byte{}
	}
	return sum, err
}

// takeOver makes everything before it lets any of it count.
func (s *Server) takeOver(ctx context.Context, conf *config.Gateway, trust *config.Trust, sum [32]byte) error {
	if err := refuseOpen(conf, trust, s.logger); err != nil {
		return err
	}
	pins, err := trust.Pins()
	if err != nil {
		return err
	}
	if _, err := signed.NewVerifier(pins); err != nil {
		return fmt.Errorf("%w: %w", config.ErrConfig, err)
	}
	if own, err := trust.Party(conf.Organisation); err != nil || own.OIN != s.own {
		return fmt.Errorf("%w: the trust file lacks the organisation whose gateway this is", config.ErrConfig)
	}
	authorities, err := AuthoritiesOf(trust, s.own)
	if err != nil {
		return err
	}
	next, err := s.reachOf(conf, trust)
	if err != nil {
		return err
	}
	own, err := conf.SigningKeys(s.own)
	if err != nil {
		return err
	}
	if _, err := signed.NewRing(own...); err != nil {
		return fmt.Errorf("%w: keys.signing: %w", config.ErrConfig, err)
	}
	issuers, issuersSum, err := s.issuersFrom(conf, trust)
	if err != nil {
		return err
	}
	officers, err := conf.ApprovedBy(trust)
	if err != nil {
		return err
	}
	if err := s.Broker.RecordKeys(ctx, pins); err != nil {
		return err
	}
	e := audit.Entry{Kind: audit.Key, Activity: "keys", Status: "pinned", Organisations: []identity.OIN{s.own}, Payload: sum[:]}
	if _, err := s.Log.Append(ctx, e); err != nil {
		return err
	}
	s.issuersSum = issuersSum
	s.issuers.Store(&issuers)
	s.officers.Store(&officers)
	err = errors.Join(s.Keys.Pin(pins), s.Ring.Set(own...))
	s.Certificates.Believe(authorities)
	s.organisations.Replace(trust.Directory())
	s.network.replace(next)
	return err
}

// issuersFrom makes the token issuers of a trust file. When they are the same as before
// those stay, with the keys that were read from them.
func (s *Server) issuersFrom(conf *config.Gateway, trust *config.Trust) ([]token.Issuer, [32]byte, error) {
	sum, err := sumOf([]any{issuersIn(trust)}, trust.IssuerFiles())
	if err != nil || sum == s.issuersSum {
		return *s.issuers.Load(), sum, err
	}
	issuers, err := issuersOf(trust, conf.Dev, s.logger)
	return issuers, sum, err
}

// issuersIn gathers what decides who issues tokens.
func issuersIn(trust *config.Trust) map[identity.OIN][]config.Issuer {
	all := map[identity.OIN][]config.Issuer{}
	for _, p := range trust.Parties {
		all[p.OIN] = p.Issuers
	}
	return all
}

// sumOf sums up values and the contents of files.
func sumOf(values []any, files []string) ([32]byte, error) {
	raw, err := json.Marshal(values)
	if err != nil {
		return [32]byte{}, err
	}
	h := sha256.New()
	h.Write(raw)
	for _, path := range files {
		content, err := config.ReadFile(path)
		if err != nil {
			return [32]byte{}, err
		}
		sum := sha256.Sum256(content)
		h.Write(sum[:])
	}
	return [32]byte(h.Sum(nil)), nil
}

// readKeys reads the two files and every key they name, and sums them up.
func (s *Server) readKeys() (*config.Gateway, *config.Trust, [32]byte, error) {
	conf, err := s.Conf.Again()
	if err != nil {
		return nil, nil, failedSum(err), err
	}
	trust, err := s.readTrust(conf)
	if err != nil {
		return nil, nil, failedSum(err), err
	}
	sum, err := sumOf([]any{conf.Keys, conf.Officers, conf.PeerSources(), trust}, append(conf.KeyFiles(), trust.KeyFiles()...))
	if err != nil {
		return nil, nil, failedSum(err), err
	}
	return conf, trust, sum, nil
}

// failedSum is another one for each error, so that each is reported once.
func failedSum(err error) [32]byte { return sha256.Sum256([]byte("failed: " + err.Error())) }
