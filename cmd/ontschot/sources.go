package main

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
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// startSources starts all adapters at once.
func (s *server) startSources(ctx context.Context, stderr io.Writer) error {
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed []error
	for _, source := range s.conf.Sources {
		all.Go(func() {
			p, err := s.startSource(ctx, source, stderr)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, fmt.Errorf("source %s: %w", source.Party, err))
				return
			}
			s.processes[source.Party] = p
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

func (s *server) startSource(ctx context.Context, source config.Source, stderr io.Writer) (*host.Process, error) {
	settings := map[string]any{}
	for name, value := range source.Config {
		settings[name] = value
	}
	for name, path := range source.ConfigFiles {
		raw, err := config.ReadFile(s.conf.Path(path))
		if err != nil {
			return nil, err
		}
		settings[name] = string(raw)
	}
	secrets := map[string]string{}
	for name, path := range source.Secrets {
		raw, err := config.ReadFile(s.conf.Path(path))
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

// withdrawal is 1 for a statement and 0 for every other document.
func withdrawal(r *ontschotv1.RegisterRequest) int {
	if kind, _ := signed.KindOf(r.GetDocument()); kind == signed.Statement {
		return 1
	}
	return 0
}

// takeDocuments registers what lies in the documents folder, in the order of the
// names. A document that is refused is named and left out: it can let nothing pass.
func (s *server) takeDocuments(ctx context.Context, g *gateway.Gateway) error {
	if s.conf.Documents == "" {
		return nil
	}
	names, err := fs.Glob(os.DirFS(s.conf.Path(s.conf.Documents)), "*.json")
	if err != nil {
		return err
	}
	slices.Sort(names)
	requests := map[string]*ontschotv1.RegisterRequest{}
	for _, name := range names {
		raw, err := config.ReadFile(filepath.Join(s.conf.Path(s.conf.Documents), name))
		if err != nil {
			return err
		}
		r := new(ontschotv1.RegisterRequest)
		if err := protojson.Unmarshal(raw, r); err != nil {
			return fmt.Errorf("%w: %s: no document to register", config.ErrConfig, name)
		}
		requests[name] = r
	}
	// Withdrawals last: there must be something to withdraw.
	slices.SortStableFunc(names, func(a, b string) int { return withdrawal(requests[a]) - withdrawal(requests[b]) })
	for _, name := range names {
		r := requests[name]
		if _, err := g.TakeIn(ctx, r); err != nil {
			if errors.Is(err, audit.ErrEnded) {
				continue // it was registered before, and has been withdrawn since
			}
			if errors.Is(err, audit.ErrUnavailable) || errors.Is(err, audit.ErrDamaged) || errors.Is(err, audit.ErrTampered) {
				return err
			}
			if withdrawal(r) == 1 {
				return fmt.Errorf("%w: %s: a withdrawal was refused, and what it withdraws may not count: %w", config.ErrConfig, name, err)
			}
			s.refused = append(s.refused, fmt.Sprintf("%s: %v", name, err))
		}
	}
	return nil
}
