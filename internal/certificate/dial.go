package certificate

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

// Dial is for gRPC connections by one of the Client configurations. Before each call the
// certificate that the server showed is looked at again, as Check does: a connection whose
// server was revoked in the meantime is closed, and nothing is sent on it. That call ends
// with codes.Unavailable, and the next makes a new connection.
func (h *Holder) Dial(by credentials.TransportCredentials) []grpc.DialOption {
	return []grpc.DialOption{grpc.WithTransportCredentials(remembering{by}), grpc.WithPerRPCCredentials(looking{h})}
}

// remembering keeps the connection together with what its handshake said.
type remembering struct {
	credentials.TransportCredentials
}

// shown is that, for each call.
type shown struct {
	credentials.TLSInfo
	conn net.Conn
}

func (r remembering) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := r.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if tls, ok := info.(credentials.TLSInfo); ok {
		info = shown{tls, conn}
	}
	return conn, info, err
}

func (r remembering) Clone() credentials.TransportCredentials {
	return remembering{r.TransportCredentials.Clone()}
}

// looking has gRPC ask before each call.
type looking struct{ h *Holder }

func (l looking) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	call, _ := credentials.RequestInfoFromContext(ctx)
	seen, ok := call.AuthInfo.(shown)
	if !ok {
		return nil, status.Error(codes.Unavailable, ErrUnknownAuthority.Error())
	}
	if err := l.h.Check(seen.State.PeerCertificates, l.h.rules.clock()); err != nil {
		_ = seen.conn.Close() // the next call makes a new one
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	return nil, nil
}

func (looking) RequireTransportSecurity() bool { return true }
