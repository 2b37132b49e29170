package program

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/handshake"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/door"
	"github.com/ontschot/ontschot/internal/identity"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// lookAgain is how often files are looked at.
const lookAgain = 2 * time.Second

// serve serves the gateways that the file names, until ctx ends; then calls under way end.
// Certificates and revocation lists are taken over when their files change, and on SIGHUP.
func (p program) serve(ctx context.Context, args []string) error {
	var file, listen string
	if err := p.flags("serve", args, func(s *flag.FlagSet) {
		fileFlag(s, &file)
		s.StringVar(&listen, "listen", "", "host:port; default: listen of the file")
	}); err != nil {
		return err
	}
	conf, err := readFile(file)
	if err != nil {
		return err
	}
	if listen == "" {
		listen = conf.Listen
	}
	if listen == "" {
		return fmt.Errorf("%w: %s: listen, or --listen, is needed to serve", config.ErrConfig, file)
	}
	into := adapters.HoldStreams() // what the adapter prints is masked
	p.out, p.err = into, into
	holder, err := conf.Certificates(certificate.Rules{Warn: func(what string, _ ...any) { fmt.Fprintln(into, "adapter:", what) }})
	if err != nil {
		return err
	}
	service, err := p.configured(ctx, conf)
	if err != nil {
		return err
	}
	entrance, err := door.New(door.Config{Limits: conf.Limits, Log: slog.New(slog.NewTextHandler(into, nil))})
	if err != nil {
		return err
	}
	l, err := entrance.Listen(listen, holder.Server(), door.Protocol)
	if err != nil {
		return err
	}
	fmt.Fprintln(into, "adapter: serves at", l.Addr())
	told := func(err error) { fmt.Fprintln(into, "adapter: certificates:", errors.Join(err)) }
	go holder.Watch(ctx, lookAgain, told)
	go onHangup(ctx, func() {
		_, err := holder.Reload()
		told(errors.Join(err, holder.Refresh(ctx)))
	})
	return serveUntil(ctx, l, newServer(service, holder, conf), conf.Limits)
}

// onHangup does it at each SIGHUP, until ctx ends.
func onHangup(ctx context.Context, do func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-hangups:
			do()
		case <-ctx.Done():
			return
		}
	}
}

// newServer is the adapter service for gateways with a certificate of one of the OINs of the
// file, and its health.
func newServer(s *adapters.Service, holder *certificate.Holder, conf *config.Adapter) *door.Serving {
	serving := door.NewServing(health.NewServer())
	known := gateways{holder, conf.Gateways}
	server := grpc.NewServer(append(door.Options(holder.Server(), conf.Limits),
		grpc.MaxRecvMsgSize(handshake.MaxRequest), grpc.MaxSendMsgSize(handshake.MaxAnswer),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: time.Hour, MaxConnectionAgeGrace: time.Minute, Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.ChainUnaryInterceptor(serving.Counted, known.unary, adapters.Guard()),
		grpc.ChainStreamInterceptor(serving.Watched, known.stream),
	)...)
	adapterv1.RegisterAdapterServiceServer(server, atAgency{s})
	serving.Serves(server, "", adapterv1.AdapterService_ServiceDesc.ServiceName)
	return serving
}

// serveUntil serves until ctx ends, and lets calls end.
func serveUntil(ctx context.Context, l net.Listener, server *door.Serving, limits config.Limits) error {
	stop := context.AfterFunc(ctx, func() {
		server.Health.Shutdown()
		time.Sleep(limits.ForNotice())
		late, cancel := context.WithTimeout(context.Background(), limits.ForDrain())
		defer cancel()
		server.Drain(late)
	})
	defer stop()
	return server.Serve(l)
}

// atAgency is the service of an adapter that the agency configured itself: no gateway may.
type atAgency struct{ *adapters.Service }

// Configure is refused.
func (atAgency) Configure(context.Context, *adapterv1.ConfigureRequest) (*adapterv1.ConfigureResponse, error) {
	return nil, status.Error(codes.PermissionDenied, "this adapter is configured at the agency")
}

// ValidateConfig is refused: it would tell a gateway about the agency's configuration.
func (atAgency) ValidateConfig(context.Context, *adapterv1.ValidateConfigRequest) (*adapterv1.ValidateConfigResponse, error) {
	return nil, status.Error(codes.PermissionDenied, "this adapter is configured at the agency")
}

// gateways are let in at every call: a connection may outlive a certificate.
type gateways struct {
	certificates interface {
		Check(chain []*x509.Certificate, now time.Time) error
	}
	known []identity.OIN
}

func (g gateways) check(ctx context.Context) error {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return adapters.NotAuthorised()
	}
	tls, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(tls.State.PeerCertificates) == 0 || g.certificates.Check(tls.State.PeerCertificates, time.Now()) != nil {
		return adapters.NotAuthorised()
	}
	oin, err := certificate.Peer(tls.State.PeerCertificates[0])
	if err != nil || !slices.Contains(g.known, oin) {
		return adapters.NotAuthorised()
	}
	return nil
}

func (g gateways) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := g.check(ctx); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func (g gateways) stream(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := g.check(s.Context()); err != nil {
		return err
	}
	return next(srv, s)
}
