package server

import (
	"context"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/ontschot/ontschot/adapters/host"
	"github.com/ontschot/ontschot/gateway"
	"github.com/ontschot/ontschot/gateway/authzen"
	"github.com/ontschot/ontschot/gateway/refusal"
	"github.com/ontschot/ontschot/internal/telemetry"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// services are those that a gateway serves to others.
func services() []grpc.ServiceDesc {
	return []grpc.ServiceDesc{
		ontschotv1.ExchangeService_ServiceDesc, ontschotv1.BudgetService_ServiceDesc, ontschotv1.RegistryService_ServiceDesc,
		ontschotv1.AgreementService_ServiceDesc, ontschotv1.ConsentService_ServiceDesc, ontschotv1.PeerService_ServiceDesc,
	}
}

// methods are the full names of all that can be called from outside.
func methods() []string {
	all := []string{authzen.PathEvaluation, authzen.PathEvaluations}
	for _, s := range services() {
		for _, m := range s.Methods {
			all = append(all, "/"+s.ServiceName+"/"+m.MethodName)
		}
		for _, m := range s.Streams {
			all = append(all, "/"+s.ServiceName+"/"+m.StreamName)
		}
	}
	return all
}

// watched has a gateway be seen from outside. It is the first part: the others write to its log.
func (s *Server) watched(ctx context.Context, stderr io.Writer) (err error) {
	s.telemetry, err = telemetry.New(ctx, telemetry.Config{
		Stderr: stderr, Methods: methods(), Reasons: refusal.Reasons(), Reason: refusal.Reason, State: s.state,
		Parties: func(code string) bool {
			if s.organisations == nil {
				return false
			}
			_, known := s.organisations.ByCode(code)
			return known
		},
	})
	if err == nil {
		s.logger = s.telemetry.Log
	}
	return err
}

// asked is a source of which it is seen how long it takes and what comes of it.
func (s *Server) asked(code string, source gateway.Source) gateway.Source {
	return s.telemetry.Asked(code, source)
}

// peerSource is whose gateway can be asked about persons now.
func (s *Server) peerSource(code string) (gateway.Source, bool) {
	source, ok := s.network.source(code)
	return s.asked(code, source), ok
}

// listenAdmin serves who runs the gateway, on this machine, until Close. Without admin in the
// configuration it does nothing.
func (s *Server) listenAdmin() error {
	if s.Conf.Admin == nil {
		return nil
	}
	l, err := s.Door.Plain(s.Conf.Admin.Listen)
	if err != nil {
		return err
	}
	s.AdminAddr = l.Addr()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.telemetry.Metrics())
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { say(w, true) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { say(w, s.Ready()) })
	s.admin = &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 20 * time.Second,
		IdleTimeout: 5 * time.Second, MaxHeaderBytes: 8 << 10, ErrorLog: log.New(io.Discard, "", 0),
		ConnState: func(c net.Conn, is http.ConnState) { l.Busy(c, is == http.StateActive) },
	}
	go func() { _ = s.admin.Serve(l) }() // ends with Close
	return nil
}

func say(w http.ResponseWriter, yes bool) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	text := "ok\n"
	if !yes {
		w.WriteHeader(http.StatusServiceUnavailable)
		text = "not ready: it starts, ends, or cannot write its log; see: ontschot status\n"
	}
	_, _ = io.WriteString(w, text)
}

// Ready reports whether it serves, and its log can be written.
func (s *Server) Ready() bool { return s.serving.Load() && !s.telemetry.RecordFails() }

// healthEvery is how often the health of sources is looked at.
const healthEvery = 2 * time.Second

// sourceHealth is the name under which the health of a source is asked for.
func sourceHealth(code string) string { return "source/" + code }

// tellHealth says in grpc.health how the log and each source stand. The services are those of a
// gateway that is ready; a source that is away is a gap, and nothing else stops for it.
func (s *Server) tellHealth() {
	state := s.state()
	serving := func(name string, yes bool) {
		is := healthv1.HealthCheckResponse_NOT_SERVING
		if yes {
			is = healthv1.HealthCheckResponse_SERVING
		}
		s.Broker.health.SetServingStatus(name, is)
	}
	serving("", state.Ready)
	for _, service := range services() {
		serving(service.ServiceName, state.Ready)
	}
	for _, a := range state.Adapters {
		serving(sourceHealth(a.Party), a.Up)
	}
	for code, up := range state.Peers {
		serving(sourceHealth(code), up)
	}
}

// state is how the gateway stands, in figures.
func (s *Server) state() telemetry.State {
	out := telemetry.State{Dev: s.Conf.Dev}
	if !s.serving.Load() { // much of it is not there yet, or not any more
		return out
	}
	register := s.Log.Register()
	s.policies.mu.Lock()
	out.Revision, out.PolicyRefused = s.policies.current.engine.Revision(), s.policies.refused != nil
	s.policies.mu.Unlock()
	out.Ready, out.Entries, out.Epoch, out.Waiting = s.Ready(), register.Size(), s.Log.Epoch(), int64(s.Log.Waiting())
	out.Peers, out.Ends = map[string]bool{}, s.endings()
	for _, code := range slices.Sorted(maps.Keys(s.Adapters)) {
		is := s.Adapters[code].Status()
		out.Adapters = append(out.Adapters, telemetry.Adapter{Party: code, Up: up(is), Starts: is.Starts})
	}
	for _, code := range s.network.asked() {
		_, state := s.network.standing(code)
		out.Peers[code] = state == peerUp || state == peerUnknown
	}
	if s.directory != nil {
		d, fresh := s.directory.Current()
		out.Directory = &telemetry.Directory{Fresh: fresh}
		if d != nil {
			out.Directory.Version = int64(d.Version)
		}
	}
	out.Connections = s.connections()
	return out
}

// connections are those that the door counts.
func (s *Server) connections() telemetry.Connections {
	counts := s.Door.Counts()
	refused := map[string]int64{}
	for why, n := range counts.Turned {
		refused[string(why)] = int64(n)
	}
	return telemetry.Connections{Open: map[string]int64{"callers": int64(counts.Callers), "strangers": int64(counts.Strangers)}, Refused: refused}
}

// up reports whether an adapter can be asked.
func up(is host.Status) bool { return is.State == host.Ready }

// endings are when what we show and believe ends, the first of each kind.
func (s *Server) endings() map[telemetry.Ending]time.Time {
	is := s.Certificates.State()
	ends := map[telemetry.Ending]time.Time{telemetry.OwnCertificate: is.Until}
	first := func(what telemetry.Ending, at time.Time) {
		if before, there := ends[what]; !at.IsZero() && (!there || at.Before(before)) {
			ends[what] = at
		}
	}
	for _, a := range is.Authorities {
		first(telemetry.Authority, a.NotAfter)
	}
	for _, l := range is.Lists {
		first(telemetry.RevocationList, l.NextUpdate)
	}
	return ends
}

// endAdmin ends it.
func (s *Server) endAdmin() {
	if s.admin != nil {
		_ = s.admin.Close()
	}
}
