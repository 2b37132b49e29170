package server

import (
	"net/http"
	"time"

	"github.com/ontschot/ontschot/gateway/web"
)

// listenHTTPS serves in JSON what the gRPC server serves, with the same certificates, until Close.
// Without https in the configuration it does nothing.
func (s *Server) listenHTTPS() (err error) {
	if s.Conf.HTTPS != nil {
		s.HTTPSAddr, err = s.serveHTTPS(s.Conf.HTTPS.Listen, &http.Server{
			Handler: web.New(s.grpc, s.refusals), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: web.Longest + 30*time.Second,
			HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 32},
		}, "h2", "http/1.1")
	}
	return err
}
