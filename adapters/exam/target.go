package exam

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ontschot/ontschot/adapters/handshake"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// target is an adapter that can be asked: a process with a connection, or an address.
type target struct {
	*child // nil at an address
	conn   *grpc.ClientConn
	asks   adapterv1.AdapterServiceClient
	health healthv1.HealthClient
	stop   context.CancelFunc
	lost   atomic.Bool // a call found no connection
}

// largest is what is read of an answer, in bytes: more than may be, so that it can be seen.
const largest = 64 << 20

// open starts a process and reaches it, or reaches the address.
func (x *examination) open(ctx context.Context) (*target, *finding) {
	if x.Address != "" {
		return x.reach(nil, "passthrough:///"+x.Address, x.TLS, nil)
	}
	c, err := x.launch(how{})
	if err != nil {
		return nil, fails("het programma is niet te starten", "the program cannot be started")
	}
	h, f := c.hears(ctx)
	if f == nil && h.protocol != handshake.Protocol {
		f = fails("het spreekt protocol %d, niet %d", "it speaks protocol %d, not %d", h.protocol, handshake.Protocol)
	}
	if f != nil {
		c.close()
		return nil, f
	}
	c.at = h
	return x.reach(c, "passthrough:///localhost", c.side, h.dial)
}

func (x *examination) reach(c *child, to string, side *tls.Config, dial func(context.Context) (net.Conn, error)) (*target, *finding) {
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(credentials.NewTLS(side)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(largest), grpc.MaxCallSendMsgSize(largest)),
		grpc.WithUnaryInterceptor(x.ears.unary),
	}
	if side == nil {
		options[0] = grpc.WithTransportCredentials(insecure.NewCredentials())
	}
	if dial != nil {
		options = append(options, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx) }))
	}
	conn, err := grpc.NewClient(to, options...)
	if err != nil {
		return nil, fails("het adres is niet bruikbaar", "the address cannot be used")
	}
	t := &target{child: c, conn: conn, asks: adapterv1.NewAdapterServiceClient(conn), health: healthv1.NewHealthClient(conn), stop: func() {}}
	if c != nil {
		var ctx context.Context
		ctx, t.stop = context.WithCancel(context.Background())
		go t.listen(ctx)
	}
	return t, nil
}

// describe asks what it is.
func (t *target) describe(ctx context.Context) (*adapterv1.DescribeResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, longestStart)
	defer cancel()
	return t.asks.Describe(ctx, &adapterv1.DescribeRequest{})
}

// configure gives it a configuration, and what it finds wrong with it.
func (t *target) configure(ctx context.Context, raw []byte, secrets map[string]string) ([]*adapterv1.ConfigFinding, error) {
	ctx, cancel := context.WithTimeout(ctx, longestCall)
	defer cancel()
	a, err := t.asks.Configure(ctx, &adapterv1.ConfigureRequest{Config: raw, Secrets: secrets})
	return a.GetFindings(), err
}

// fetch asks about a person.
func (t *target) fetch(ctx context.Context, q *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, longestCall)
	defer cancel()
	r, err := t.asks.Fetch(ctx, q)
	if status.Code(err) == codes.Unavailable && reason(err) == "" {
		t.lost.Store(true)
	}
	return r, err
}

func (t *target) close() {
	t.stop()
	_ = t.conn.Close()
	if t.child != nil {
		t.child.close()
	}
}

// gone reports whether there is a process that ended. One whose connection broke is given a
// moment to do so.
func (t *target) gone() bool {
	return t.child != nil && (!t.alive() || t.lost.Swap(false) && t.ends(farewell))
}

// stdio is the stream by which programs that use go-plugin send what they print.
const stdio = "/plugin.GRPCStdio/StreamStdio"

// listen hears what a program sends that way: it ends in the log of a gateway, as the rest.
func (t *target) listen(ctx context.Context) {
	s, err := t.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, stdio, grpc.ForceCodec(rawCodec{}))
	if err != nil || s.SendMsg(&[]byte{}) != nil || s.CloseSend() != nil {
		return
	}
	for {
		var message []byte
		if s.RecvMsg(&message) != nil {
			return
		}
		_, _ = t.stderr.Write(printed(message))
	}
}

// printed takes the text out of a message {channel = 1, data = 2} of that stream.
func printed(message []byte) []byte {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil
		}
		message = message[n:]
		if number == 2 && kind == protowire.BytesType {
			data, _ := protowire.ConsumeBytes(message)
			return data
		}
		if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
			return nil
		}
		message = message[n:]
	}
	return nil
}

// rawCodec passes bytes as they are.
type rawCodec struct{}

// Marshal implements encoding.Codec.
func (rawCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

// Unmarshal implements encoding.Codec.
func (rawCodec) Unmarshal(data []byte, v any) error {
	into, ok := v.(*[]byte)
	if !ok {
		return io.ErrUnexpectedEOF
	}
	*into = append([]byte{}, data...)
	return nil
}

// Name implements encoding.Codec.
func (rawCodec) Name() string { return "proto" }

var _ encoding.Codec = rawCodec{}
