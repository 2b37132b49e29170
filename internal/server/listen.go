package server

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/door"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// CheckLimits says what a gateway would make of limits with the files that this process may open;
// nil: nothing is wrong.
func CheckLimits(l config.Limits) *config.Problem { return door.Check(l) }

// listen serves until Close.
func (s *Server) listen(b *Broker) error {
	l, err := s.behindDoor(s.Conf.Listen, door.Protocol)
	if err != nil {
		return err
	}
	s.Addr, s.listener = l.Addr(), l
	options := []grpc.ServerOption{}
	if traced := s.telemetry.Handler(); traced != nil {
		options = append(options, grpc.StatsHandler(traced))
	}
	s.grpc = b.Serve(s.Certificates, s.Door.Limits(), options...)
	go func() { _ = s.grpc.Serve(l) }() // ends with Close
	return nil
}

// behindDoor listens for callers with a certificate that speak one of the protocols (ALPN).
func (s *Server) behindDoor(address string, protocols ...string) (net.Listener, error) {
	l, err := s.Door.Listen(address, s.Certificates.Server(), protocols...)
	if err != nil {
		return nil, err
	}
	if s.Conf.Dev && !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		_ = l.Close()
		return nil, fmt.Errorf("%w: dev: true is for loopback addresses only, not %s", config.ErrConfig, address)
	}
	return l, nil
}

// listenAuthZEN serves what the policy would say, over HTTPS with the same certificates,
// until Close. Without authzen in the configuration it does nothing.
func (s *Server) listenAuthZEN(b *Broker) (err error) {
	if s.Conf.AuthZEN != nil {
		s.AuthZENAddr, err = s.serveHTTPS(s.Conf.AuthZEN.Listen, &http.Server{
			Handler: b.AuthZEN, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second,
		}, "http/1.1")
	}
	return err
}

// serveHTTPS has a server serve behind the door, until Close.
func (s *Server) serveHTTPS(address string, by *http.Server, protocols ...string) (net.Addr, error) {
	l, err := s.behindDoor(address, protocols...)
	if err != nil {
		return nil, err
	}
	by.Handler = s.Broker.gate.HTTP(by.Handler)
	by.IdleTimeout, by.MaxHeaderBytes = 2*time.Minute, s.Door.Limits().MetadataBytes
	by.ErrorLog = log.New(io.Discard, "", 0) // what it would say holds addresses
	s.web = append(s.web, by)
	go func() { _ = by.Serve(l) }() // ends with Close
	return l.Addr(), nil
}

// Serve makes the server of a broker, which has not begun to listen.
func (b *Broker) Serve(certificates *certificate.Holder, limits config.Limits, options ...grpc.ServerOption) *door.Serving {
	serving := door.NewServing(b.health)
	server := grpc.NewServer(append(append(door.Options(certificates.Server(), limits), options...),
		grpc.MaxRecvMsgSize(admission.MaxRequest),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: 15 * time.Minute, MaxConnectionAgeGrace: time.Minute, // a caller who stops reading is let go
			Time: 2 * time.Minute, Timeout: 20 * time.Second,
		}),
		grpc.ChainStreamInterceptor(serving.Watched, b.Edge.Stream), grpc.ChainUnaryInterceptor(serving.Counted, b.Edge.Unary),
	)...)
	ontschotv1.RegisterExchangeServiceServer(server, b.Gateway)
	ontschotv1.RegisterBudgetServiceServer(server, b.Gateway)
	ontschotv1.RegisterRegistryServiceServer(server, b.Service)
	ontschotv1.RegisterAgreementServiceServer(server, b.Service)
	ontschotv1.RegisterConsentServiceServer(server, b.Service)
	ontschotv1.RegisterPeerServiceServer(server, peers{documents: b.Service, answerer: b.Answerer})
	names := []string{""}
	for _, service := range services() {
		names = append(names, service.ServiceName)
	}
	serving.Serves(server, names...)
	reflection.Register(server)
	return serving
}
