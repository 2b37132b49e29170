package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/documents"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

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
		logs[p.OIN] = keys.Remembering()
	}
	return logs, nil
}
