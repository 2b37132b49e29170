package server

import (
	"context"
	"fmt"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway"
	"github.com/ontschot/ontschot/gateway/documents"
	"github.com/ontschot/ontschot/gateway/federation"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// network is the gateways of the other organisations, as they are at the moment of a call. A
// call goes to its end over the connection that it began with.
type network struct {
	mu  sync.RWMutex
	now reach
}

// reach is whom can be reached, by party code.
type reach struct {
	peers   map[string]*Peer
	sources map[string]*federation.Peer // those of the peers that are asked about persons
	asked   []string                    // those that are to be, reached or not
}

// take gives both ways to an organisation, for a call that ends with done.
func (n *network) take(code string) (p *Peer, source *federation.Peer, done func(), ok bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if p, ok = n.now.peers[code]; !ok {
		return nil, nil, nil, false
	}
	p.calls.Add(1)
	return p, n.now.sources[code], p.calls.Done, true
}

// replace has others be reached from now on. What is not among them ends when its calls have.
func (n *network) replace(next reach) {
	n.mu.Lock()
	before := n.now
	n.now = next
	n.mu.Unlock()
	for code, p := range before.peers {
		if next.peers[code] != p {
			go p.retire()
		}
	}
}

// line is the way to the gateway of one organisation, whichever that is at the moment.
type line struct {
	network *network
	code    string
}

// errGone is of who was taken out of the trust file during a call.
var errGone = status.Error(codes.Unavailable, "")

// Fetch is gateway.Source's.
func (l line) Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	_, source, done, ok := l.network.take(l.code)
	if !ok {
		return nil, errGone
	}
	defer done()
	if source == nil {
		return nil, errGone
	}
	return source.Fetch(ctx, r)
}

// Deliver is documents.Peer's.
func (l line) Deliver(ctx context.Context, r *ontschotv1.DeliverRequest) (*ontschotv1.DeliverResponse, error) {
	p, _, done, ok := l.network.take(l.code)
	if !ok {
		return nil, errGone
	}
	defer done()
	return p.Deliver(ctx, r)
}

// Holds is documents.Peer's.
func (l line) Holds(ctx context.Context, r *ontschotv1.HoldsRequest) (*ontschotv1.HoldsResponse, error) {
	p, _, done, ok := l.network.take(l.code)
	if !ok {
		return nil, errGone
	}
	defer done()
	return p.Holds(ctx, r)
}

// peer is who has a gateway now.
func (n *network) peer(code string) (documents.Peer, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	_, ok := n.now.peers[code]
	return line{n, code}, ok
}

// source is whose gateway can be asked about persons now.
func (n *network) source(code string) (gateway.Source, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	_, ok := n.now.sources[code]
	return line{n, code}, ok
}

// close ends every connection at once.
func (n *network) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.now.peers {
		_ = p.Close()
	}
	n.now = reach{}
}

// reachOf are the gateways that a trust file names. A connection to one that is as before
// stays, and nothing is connected yet.
func (s *Server) reachOf(conf *config.Gateway, trust *config.Trust) (reach, error) {
	next := reach{map[string]*Peer{}, map[string]*federation.Peer{}, conf.PeerSources()}
	authorities, err := trust.Authorities()
	if err != nil {
		return next, err
	}
	logs, err := PeerLogs(trust)
	if err != nil {
		return next, err
	}
	asked := map[string]bool{}
	for _, source := range conf.Sources {
		asked[source.Party] = source.Peer
	}
	s.network.mu.RLock()
	before := s.network.now.peers
	s.network.mu.RUnlock()
	for _, p := range trust.Parties {
		if p.Gateway == "" || p.OIN == s.own || p.Unlisted {
			continue
		}
		way := fmt.Sprintf("%s %s %x", p.Gateway, p.OIN, authorities[p.OIN])
		peer := before[p.Code]
		if peer == nil || peer.way != way {
			if peer, err = NewPeer(p.Gateway, s.Certificates, p.OIN); err != nil {
				return next, fmt.Errorf("%w: gateway of %s in the trust file is no host:port", config.ErrConfig, p.Code)
			}
			peer.way = way
		}
		next.peers[p.Code] = peer
		if asked[p.Code] {
			next.sources[p.Code] = &federation.Peer{
				Own: s.own, Source: p.OIN, Connection: peer, Certificate: peer.Certificate, Signers: s.Ring,
				Trust: federation.Trust{Keys: s.Keys, Logs: logs}, Now: s.now, Log: s.logger,
			}
		}
	}
	return next, nil
}

// AuthoritiesOf are those of the parties that have authorities of their own. Its own
// certificates are those of tls.
func AuthoritiesOf(trust *config.Trust, own identity.OIN) (certificate.Parties, error) {
	raw, err := trust.Authorities()
	if err != nil {
		return nil, err
	}
	delete(raw, own)
	authorities, err := certificate.ReadParties(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", config.ErrConfig, err)
	}
	return authorities, nil
}
