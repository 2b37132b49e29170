package server

import (
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/config"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// listen serves until Close.
func (s *Server) listen(b *Broker) error {
	l, err := net.Listen("tcp", s.Conf.Listen)
	if err != nil {
		return err
	}
	if s.Conf.Dev && !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		l.Close()
		return fmt.Errorf("%w: dev: true is for loopback addresses only, not %s", config.ErrConfig, s.Conf.Listen)
	}
	s.Addr = l.Addr()
	s.grpc = b.Serve(s.Certificates)
	go func() { _ = s.grpc.Serve(l) }() // ends with Close
	return nil
}

// Serve makes the server of a broker, which has not begun to listen.
func (b *Broker) Serve(certificates *certificate.Holder) *grpc.Server {
	server := grpc.NewServer(
		grpc.Creds(credentials.NewTLS(certificates.Server())),
		grpc.MaxRecvMsgSize(admission.MaxRequest), grpc.MaxConcurrentStreams(256),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: 15 * time.Minute, MaxConnectionAgeGrace: time.Minute, // a caller who stops reading is let go
			Time: 2 * time.Minute, Timeout: 20 * time.Second,
		}),
		grpc.StreamInterceptor(b.Edge.Stream), grpc.UnaryInterceptor(b.Edge.Unary),
	)
	ontschotv1.RegisterExchangeServiceServer(server, b.Gateway)
	ontschotv1.RegisterBudgetServiceServer(server, b.Gateway)
	ontschotv1.RegisterRegistryServiceServer(server, b.Service)
	ontschotv1.RegisterAgreementServiceServer(server, b.Service)
	ontschotv1.RegisterConsentServiceServer(server, b.Service)
	ontschotv1.RegisterPeerServiceServer(server, peers{documents: b.Service, answerer: b.Answerer})
	state := health.NewServer()
	healthv1.RegisterHealthServer(server, state)
	for _, name := range []string{"", ontschotv1.ExchangeService_ServiceDesc.ServiceName, ontschotv1.BudgetService_ServiceDesc.ServiceName, ontschotv1.RegistryService_ServiceDesc.ServiceName,
		ontschotv1.AgreementService_ServiceDesc.ServiceName, ontschotv1.ConsentService_ServiceDesc.ServiceName, ontschotv1.PeerService_ServiceDesc.ServiceName} {
		state.SetServingStatus(name, healthv1.HealthCheckResponse_SERVING)
	}
	reflection.Register(server)
	return server
}
