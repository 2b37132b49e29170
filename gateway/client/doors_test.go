package client_test

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/server"
)

// The page for clients says that both doors take TLS 1.3 and nothing older: so they do, of a
// caller whose certificate is good.
func TestBothDoorsTakeTLS13Alone(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, f.Write(dir, layout))
	conf, err := config.ReadGateway(filepath.Join(dir, "gateway.yaml"))
	require.NoError(t, err)
	conf.Sources, conf.HTTPS = nil, &config.HTTPS{Listen: "127.0.0.1:0"}
	s, err := server.Start(t.Context(), conf, t.Output())
	require.NoError(t, err)
	t.Cleanup(s.Close)
	for door, of := range map[string]struct {
		at   net.Addr
		alpn string
	}{"gRPC": {s.Addr, "h2"}, "HTTPS": {s.HTTPSAddr, "http/1.1"}} {
		for version, ok := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: false, tls.VersionTLS13: true} {
			conn, err := tls.Dial("tcp", of.at.String(), &tls.Config{
				MinVersion: tls.VersionTLS10, MaxVersion: version, NextProtos: []string{of.alpn}, ServerName: "localhost",
				RootCAs: f.CA, Certificates: []tls.Certificate{f.Requester().Client.TLS},
			})
			name := door + " " + tls.VersionName(version)
			if !ok {
				require.ErrorContains(t, err, "protocol version", name)
				continue
			}
			require.NoError(t, err, name)
			require.Equal(t, of.alpn, conn.ConnectionState().NegotiatedProtocol, name)
			require.NoError(t, conn.Close())
		}
	}
	page, err := os.ReadFile("../../docs/clients.md")
	require.NoError(t, err)
	require.Contains(t, string(page), "TLS 1.3 only")
}
