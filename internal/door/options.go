package door

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/ontschot/ontschot/internal/config"
)

// Protocol of gRPC (ALPN).
const Protocol = "h2"

// errProtocol means that a caller does not speak what is spoken here.
var errProtocol = errors.New("the caller does not speak HTTP/2")

// Options are those of a gRPC server behind the door. What a caller may open over one connection,
// and how long it may take to begin, gRPC holds: streams beyond those of the limits are refused,
// one whose metadata is larger ends, and who resets too fast waits for its own calls.
func Options(c *tls.Config, limits config.Limits) []grpc.ServerOption {
	limits = limits.Complete()
	return []grpc.ServerOption{
		grpc.Creds(shaken{credentials.NewTLS(c)}), grpc.ConnectionTimeout(limits.ForHandshake()),
		grpc.MaxConcurrentStreams(uint32(limits.Streams)), grpc.MaxHeaderListSize(uint32(limits.MetadataBytes)),
	}
}

// shaken are the credentials of a server to which the door, which made the handshake, hands a
// connection. One that came past the door is given its handshake.
type shaken struct {
	credentials.TransportCredentials
}

// ServerHandshake implements credentials.TransportCredentials.
func (s shaken) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	t, ok := raw.(*tls.Conn)
	if !ok {
		return s.TransportCredentials.ServerHandshake(raw)
	}
	state := t.ConnectionState()
	if state.NegotiatedProtocol != Protocol {
		_ = t.Close()
		return nil, nil, errProtocol
	}
	return t, credentials.TLSInfo{State: state, CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}}, nil
}

// ClientHandshake implements credentials.TransportCredentials: nobody dials with these.
func (shaken) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errProtocol
}

// Clone implements credentials.TransportCredentials.
func (s shaken) Clone() credentials.TransportCredentials {
	return shaken{s.TransportCredentials.Clone()}
}
