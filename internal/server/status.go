package server

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/telemetry"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// RenewBefore is how long before its end a certificate is to be renewed.
const RenewBefore = 30 * 24 * time.Hour

// How the gateway of another organisation stands.
const (
	peerUp        = "up"
	peerAway      = "away"
	peerUntrusted = "untrusted"
	peerUnknown   = "unknown"
)

// What needs attention.
const (
	AttentionAdapter     = "ADAPTER"
	AttentionPeer        = "PEER"
	AttentionCertificate = "CERTIFICATE_ENDS"
	AttentionAuthority   = "AUTHORITY_ENDS"
	AttentionList        = "REVOCATION_LIST_ENDS"
	AttentionPolicy      = "POLICY_REFUSED"
	AttentionDirectory   = "DIRECTORY"
	AttentionLog         = "LOG"
	AttentionDocuments   = "DOCUMENTS"
	AttentionExport      = "EXPORT"
)

// GetStatus implements the operator's service.
func (o operator) GetStatus(ctx context.Context, _ *ontschotv1.GetStatusRequest) (*ontschotv1.GetStatusResponse, error) {
	s := o.server
	state := s.state()
	policies, err := o.GetPolicies(ctx, &ontschotv1.GetPoliciesRequest{})
	if err != nil {
		return nil, err
	}
	out := &ontschotv1.GetStatusResponse{
		Organisation: s.Conf.Organisation, Started: timestamppb.New(s.started), Ready: state.Ready, Listeners: s.listeners(),
		Policy: &ontschotv1.PolicyInForce{Revision: policies.GetRevision(), Source: policies.GetSource(), Since: policies.GetSince(), Refused: policies.GetRefused()},
		Keys:   s.keyStatus(s.now()), Log: s.logStatus(state), Connections: state.Connections.Open, ConnectionsRefused: state.Connections.Refused, Dev: s.Conf.Dev, Today: s.Conf.Today, DocumentsLeftOut: s.Refused,
	}
	for _, code := range slices.Sorted(maps.Keys(s.Adapters)) {
		out.Adapters = append(out.Adapters, s.statusOf(code))
	}
	for _, code := range s.network.asked() {
		address, is := s.network.standing(code)
		out.Peers = append(out.Peers, &ontschotv1.PeerStatus{Party: code, Address: address, State: is})
	}
	if d := state.Directory; d != nil {
		out.Directory = &ontschotv1.DirectoryStatus{Version: d.Version, Fresh: d.Fresh}
	}
	out.Attention = s.attention(out)
	return out, nil
}

// listeners are where it listens now.
func (s *Server) listeners() (all []*ontschotv1.Listener) {
	if !s.serving.Load() { // the addresses are set before
		return nil
	}
	for _, l := range []struct {
		name string
		at   interface{ String() string }
		open bool
	}{{"grpc", s.Addr, s.Addr != nil}, {"https", s.HTTPSAddr, s.HTTPSAddr != nil}, {"authzen", s.AuthZENAddr, s.AuthZENAddr != nil}, {"admin", s.AdminAddr, s.AdminAddr != nil}} {
		if l.open {
			all = append(all, &ontschotv1.Listener{Name: l.name, Address: l.at.String()})
		}
	}
	return all
}

// logStatus is how the log stands. What cannot be read of the head outside is left out.
func (s *Server) logStatus(state telemetry.State) *ontschotv1.LogStatus {
	out := &ontschotv1.LogStatus{Entries: state.Entries, Epoch: state.Epoch, Waiting: state.Waiting}
	for _, file := range RecordFiles(filepath.Join(s.Conf.Path(s.Conf.Data), RecordFile)) {
		if is, err := os.Stat(file); err == nil {
			out.Bytes += is.Size()
		}
	}
	text, err := audit.HeadFile{Path: s.Conf.HeadPath()}.Read()
	if lines := strings.SplitN(text, "\n", 4); err == nil && len(lines) == 4 { // C2SP tlog-checkpoint: origin, size, root
		out.Origin, out.Head = lines[0], lines[2]
		out.HeadEntries, _ = strconv.ParseInt(lines[1], 10, 64)
	}
	return out
}

// What can be the state of a key or certificate.
const (
	keyInUse     = "in_use"
	keyAnnounced = "announced"
	keyEarlier   = "earlier"
	keyExpired   = "expired"
	keyNotThere  = "not_there"
)

// keyStatus are certificates and keys, and when they end.
func (s *Server) keyStatus(now time.Time) (all []*ontschotv1.KeyStatus) {
	is := s.Certificates.State()
	put := func(what, name string, until time.Time) {
		row := &ontschotv1.KeyStatus{What: what, Name: name, State: keyInUse}
		switch {
		case until.IsZero():
			row.State = keyNotThere
		case !now.Before(until):
			row.State = keyExpired
		}
		if !until.IsZero() {
			row.Until = timestamppb.New(until)
		}
		all = append(all, row)
	}
	put(string(telemetry.OwnCertificate), is.Subject, is.Until)
	for _, a := range is.Authorities {
		put(string(telemetry.Authority), a.Name, a.NotAfter)
	}
	for _, l := range is.Lists {
		put(string(telemetry.RevocationList), l.Where, l.NextUpdate)
	}
	return append(all, s.signingStatus(now)...)
}

// signingStatus are the signing keys of the file as it is now: of those whose time has come the
// last signs.
func (s *Server) signingStatus(now time.Time) (all []*ontschotv1.KeyStatus) {
	conf, err := s.Conf.Again()
	if err != nil {
		conf = s.Conf
	}
	last := -1
	for i, k := range conf.Keys.Signing {
		row := &ontschotv1.KeyStatus{What: "signing", Name: k.ID, State: keyEarlier}
		if from, err := time.Parse(time.RFC3339, k.From); err == nil {
			row.From = timestamppb.New(from)
			if now.Before(from) {
				row.State = keyAnnounced
			}
		}
		if row.State == keyEarlier {
			last = i
		}
		all = append(all, row)
	}
	if last >= 0 {
		all[last].State = keyInUse
	}
	return all
}

// attention is what somebody has to do something about.
func (s *Server) attention(is *ontschotv1.GetStatusResponse) (all []*ontschotv1.Attention) {
	add := func(code, subject, why string) {
		all = append(all, &ontschotv1.Attention{Code: code, Subject: subject, Why: why})
	}
	if s.telemetry.RecordFails() {
		add(AttentionLog, "", "")
	}
	for _, a := range is.GetAdapters() {
		if !up(s.Adapters[a.GetParty()].Status()) {
			add(AttentionAdapter, a.GetParty(), strings.TrimSpace(a.GetState()+" "+a.GetWhy()))
		}
	}
	for _, p := range is.GetPeers() {
		if p.GetState() == peerAway || p.GetState() == peerUntrusted || p.GetAddress() == "" {
			add(AttentionPeer, p.GetParty(), p.GetState())
		}
	}
	for _, k := range is.GetKeys() {
		if code := ends(k, s.now()); code != "" {
			add(code, k.GetName(), k.GetState())
		}
	}
	if is.GetPolicy().GetRefused() != "" {
		add(AttentionPolicy, "", is.GetPolicy().GetRefused())
	}
	if d := is.GetDirectory(); d != nil && !d.GetFresh() {
		add(AttentionDirectory, "", "")
	}
	for _, document := range is.GetDocumentsLeftOut() {
		add(AttentionDocuments, document, "")
	}
	if s.telemetry.ExportFails() {
		add(AttentionExport, "", "")
	}
	return all
}

// ends says that a key or certificate ended or ends soon; empty: neither. An authority or a list
// is of others, and a list is replaced shortly before its end: those count when they have ended.
func ends(k *ontschotv1.KeyStatus, now time.Time) string {
	over := k.GetState() == keyExpired || k.GetState() == keyNotThere
	switch {
	case k.GetWhat() == string(telemetry.OwnCertificate) && (over || k.GetUntil().AsTime().Sub(now) < RenewBefore):
		return AttentionCertificate
	case k.GetWhat() == string(telemetry.Authority) && over:
		return AttentionAuthority
	case k.GetWhat() == string(telemetry.RevocationList) && over:
		return AttentionList
	}
	return ""
}

// asked are the codes of the gateways that are asked as sources.
func (n *network) asked() []string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.now.asked
}

// standing is the address of a gateway and how it stood when it was last asked.
func (n *network) standing(code string) (address, state string) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	p, ok := n.now.peers[code]
	switch {
	case !ok:
		return "", peerUnknown
	case p.untrusted.Load():
		return p.conn.Target(), peerUntrusted
	case p.away.Load():
		return p.conn.Target(), peerAway
	case p.last.Load() == nil:
		return p.conn.Target(), peerUnknown
	}
	return p.conn.Target(), peerUp
}
