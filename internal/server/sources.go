package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/adapters/host"
	"github.com/ontschot/ontschot/gateway"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/documents"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// starting is the start of all adapters, which goes on while other parts start.
type starting struct {
	done    chan struct{} // closed when each has started or failed
	cancel  context.CancelFunc
	started map[string]*host.Process
	err     error // of those that did not start
}

// wait waits for them, puts them among the sources, and says which did not start.
func (a *starting) wait(into map[string]gateway.Source) error {
	<-a.done
	for code, p := range a.started {
		into[code] = p
	}
	return a.err
}

// end ends a start that is still going on. After it, no more are started.
func (a *starting) end() {
	if a != nil {
		a.cancel()
		<-a.done
	}
}

// startSources starts all adapters at once.
func (s *Server) startSources(ctx context.Context, stderr io.Writer) *starting {
	ctx, cancel := context.WithCancel(ctx)
	a := &starting{done: make(chan struct{}), cancel: cancel, started: s.Processes}
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed []error
	for _, source := range s.Conf.Sources {
		if source.Peer { // nothing to start
			continue
		}
		all.Go(func() {
			p, err := s.startSource(ctx, source, stderr)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, fmt.Errorf("source %s: %w", source.Party, err))
				return
			}
			s.Processes[source.Party] = p
		})
	}
	go func() {
		all.Wait()
		a.err = errors.Join(failed...)
		close(a.done)
	}()
	return a
}

func (s *Server) startSource(ctx context.Context, source config.Source, stderr io.Writer) (*host.Process, error) {
	settings := map[string]any{}
	for name, value := range source.Config {
		settings[name] = value
	}
	for name, path := range source.ConfigFiles {
		raw, err := config.ReadFile(s.Conf.Path(path))
		if err != nil {
			return nil, err
		}
		settings[name] = string(raw)
	}
	secrets := map[string]string{}
	for name, path := range source.Secrets {
		raw, err := config.ReadFile(s.Conf.Path(path))
		if err != nil {
			return nil, err
		}
		secrets[name] = string(raw)
	}
	raw, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	return host.Start(ctx, host.Config{
		Args: []string{"adapter", "run", source.Adapter}, Party: source.Party, Kind: source.Adapter,
		ConfigJSON: raw, Secrets: secrets, Log: stderr,
	})
}

// narrows reports whether start-up cannot go on without this document: the audit log cannot
// be used, or it is one that ends another. A delegation only widens.
func narrows(err error, r *ontschotv1.RegisterRequest) bool {
	kind, _ := signed.KindOf(r.GetDocument())
	act, _ := signed.ActOf(r.GetDocument())
	return kind == signed.Statement && act != token.ActDelegate || kind == signed.Consent && unsaid(err) ||
		errors.Is(err, audit.ErrEnded) || errors.Is(err, audit.ErrUnavailable) ||
		errors.Is(err, audit.ErrDamaged) || errors.Is(err, audit.ErrTampered)
}

// unsaid reports whether a consent was refused for what it would have taken away: then
// what it says less than would count.
func unsaid(err error) bool {
	return errors.Is(err, register.ErrSaysLess) || errors.Is(err, register.ErrReplaced)
}

// TakeDocuments registers what lies in the documents folder. A document that is
// refused is named and left out, for it can let nothing pass; but one that ends
// another stops the start, because then something wider would count.
func (s *Server) TakeDocuments(ctx context.Context) error {
	if s.Conf.Documents == "" {
		return nil
	}
	names, err := fs.Glob(os.DirFS(s.Conf.Path(s.Conf.Documents)), "*.json")
	if err != nil {
		return err
	}
	slices.Sort(names)
	requests := map[string]*ontschotv1.RegisterRequest{}
	for _, name := range names {
		raw, err := config.ReadFile(filepath.Join(s.Conf.Path(s.Conf.Documents), name))
		if err != nil {
			return err
		}
		r := new(ontschotv1.RegisterRequest)
		if err := protojson.Unmarshal(raw, r); err != nil {
			return fmt.Errorf("%w: %s: no document to register", config.ErrConfig, name)
		}
		requests[name] = r
	}
	// What a document withdraws or replaces must be there first: what finds nothing
	// is tried again after the others, and fails the start when that does not help,
	// because something wider than was meant would count.
	for waiting := names; len(waiting) > 0; {
		var again []string
		for _, name := range waiting {
			_, err := s.Broker.TakeIn(ctx, requests[name])
			switch {
			case err == nil, errors.Is(err, documents.ErrRegisteredBefore):
			case errors.Is(err, audit.ErrNoDocument):
				again = append(again, name)
			case narrows(err, requests[name]):
				return fmt.Errorf("%s: a document that ends another was refused: %w", name, err)
			default: // it can let nothing pass
				s.Refused = append(s.Refused, fmt.Sprintf("%s: %v", name, err))
			}
		}
		if len(again) == len(waiting) {
			return fmt.Errorf("%w: %s: what it withdraws or replaces was never registered", config.ErrConfig, again[0])
		}
		waiting = again
	}
	return nil
}

// peerSources connects to the gateways that other organisations' own questions go to.
func (s *Server) peerSources(trust *config.Trust) error {
	next, err := s.reachOf(s.Conf, trust)
	if err != nil {
		return err
	}
	for _, code := range s.Conf.PeerSources() {
		if next.sources[code] == nil && s.directory == nil { // a directory may name it later
			return fmt.Errorf("%w: source %s: the trust file has no gateway of it to ask", config.ErrConfig, code)
		}
	}
	s.network.replace(next)
	return nil
}

// PeerLogs are the public keys of the logs of all parties in a trust file.
func PeerLogs(trust *config.Trust) (map[identity.OIN]audit.Keys, error) {
	logs := map[identity.OIN]audit.Keys{}
	for _, p := range trust.Parties {
		if len(p.LogKeys) == 0 {
			continue
		}
		keys, err := audit.ParseKeys(p.LogKeys...)
		if err != nil {
			return nil, fmt.Errorf("%w: log_keys of %s in the trust file", config.ErrConfig, p.Code)
		}
		logs[p.OIN] = keys
	}
	return logs, nil
}
