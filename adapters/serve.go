package adapters

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/ontschot/ontschot/adapters/handshake"
	"github.com/ontschot/ontschot/internal/collector"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// garbage is how many bytes of it may lie about while the adapter is busy.
const garbage = 16 << 20

// Serve is the main function of an adapter process. It returns when the host
// ends the process, which is at the latest when the lifeline closes.
//
// Standard output belongs to the handshake and standard error to the log of the
// host: what the adapter prints to either goes to standard error, with numbers
// that look like a BSN masked. The host masks once more what comes past this,
// such as the runtime's own report of a crash.
func Serve(a Adapter) {
	pair := holdLifeline()
	s := newStreams()
	go collector.Tend(context.Background(), garbage)
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake.Config(),
		Plugins:         plugin.PluginSet{handshake.Name: served{adapter: a}},
		Logger:          quiet(),
		TLSProvider:     pair,
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options,
				grpc.MaxRecvMsgSize(handshake.MaxRequest),
				grpc.MaxSendMsgSize(handshake.MaxAnswer),
				grpc.ChainUnaryInterceptor(s.intercept, Guard()),
			)...)
		},
	})
}

func quiet() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard})
}

// served registers the service; an adapter process calls no one through go-plugin.
type served struct {
	plugin.NetRPCUnsupportedPlugin
	adapter Adapter
}

func (s served) GRPCServer(_ *plugin.GRPCBroker, to *grpc.Server) error {
	adapterv1.RegisterAdapterServiceServer(to, NewService(s.adapter))
	return nil
}

func (served) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, Bug() // this side is the host's
}

// holdLifeline ends the process when the host is gone, and only then: signals
// meant for the gateway reach its children too when a terminal sends them. It gives how
// this process and its host know each other: a caller waits until the host has said so.
func holdLifeline() func() (*tls.Config, error) {
	fd, err := strconv.Atoi(os.Getenv(handshake.LifelineEnv))
	if err != nil || fd < 3 {
		return nil // started without one: signals keep their meaning, and go-plugin its own way
	}
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	syscall.CloseOnExec(fd) // what the adapter starts itself has no part in it
	line := os.NewFile(uintptr(fd), "lifeline")
	var pair *tls.Config
	said := make(chan struct{})
	go func() {
		var err error
		if pair, err = handshake.ReadPair(line); err == nil {
			close(said)
			_, _ = io.Copy(io.Discard, line) // nothing more is ever sent; it ends
		}
		os.Exit(0)
	}()
	return func() (*tls.Config, error) {
		return &tls.Config{MinVersion: tls.VersionTLS13, GetConfigForClient: func(from *tls.ClientHelloInfo) (*tls.Config, error) {
			select {
			case <-said:
				return pair, nil
			case <-from.Context().Done():
				return nil, handshake.ErrPair
			}
		}}, nil
	}
}

// streams takes standard output and error away from the adapter's code.
type streams struct {
	into *os.File // what is written here comes out masked on standard error
	once sync.Once
}

func newStreams() *streams {
	real, err := keepStdout() // from here on only the handshake can reach it
	if err != nil {
		os.Exit(1)
	}
	from, into, err := os.Pipe()
	if err != nil {
		os.Exit(1)
	}
	go drain(from, NewMasker(os.Stderr))
	log.SetOutput(into) // package log took hold of standard error before us
	os.Stdout = real
	return &streams{into: into}
}

// HoldStreams takes standard output and error away from an adapter that serves by itself:
// what its code writes to either, or to what it gives, comes out masked on standard error.
func HoldStreams() io.Writer {
	s := newStreams()
	os.Stdout, os.Stderr = s.into, s.into
	return s.into
}

func drain(from io.Reader, to *Masker) {
	_, _ = io.Copy(to, from)
	_ = to.Flush()
}

// intercept points os.Stdout and os.Stderr at the masker. go-plugin sets both
// when it starts to serve, so the first call is the first moment to do it.
func (s *streams) intercept(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	s.once.Do(func() { os.Stdout, os.Stderr = s.into, s.into })
	return next(ctx, req)
}
