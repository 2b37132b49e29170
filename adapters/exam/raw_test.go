package exam_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/handshake"
	"github.com/ontschot/ontschot/adapters/program"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// The test program is the adapter too: whole, broken in one way, or by the kit's own main.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "adapter":
		serve(broken(os.Args[2]))
	case len(os.Args) > 1 && os.Args[1] == "kit":
		os.Args = append(os.Args[:1], os.Args[2:]...)
		program.Main(func() adapters.Adapter { return &clerk{} })
	default:
		os.Exit(m.Run())
	}
}

// serve is what a program does that is started as an adapter, without the kit: nothing of it
// keeps a broken one from what it does.
func serve(b broken) {
	known := handshake.Config()
	if os.Getenv(known.MagicCookieKey) != known.MagicCookieValue {
		fmt.Fprintln(os.Stderr, "this is an adapter")
		os.Exit(2)
	}
	if b == "does not greet" {
		os.Exit(1)
	}
	if b != "dies of a signal" {
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
	}
	lifeline := os.NewFile(3, "lifeline")
	syscall.CloseOnExec(3)
	reader := bufio.NewReader(lifeline)
	pair, err := handshake.ReadPair(reader)
	if err != nil {
		os.Exit(1)
	}
	if b != "ignores its lifeline" {
		go func() {
			_, _ = io.Copy(io.Discard, reader)
			os.Exit(0)
		}()
	}
	if b == "leaves a child" {
		_ = (&exec.Cmd{Path: "/bin/sleep", Args: []string{"sleep", "600"}, SysProcAttr: &syscall.SysProcAttr{Setsid: true}}).Start()
	}
	folder := os.Getenv("PLUGIN_UNIX_SOCKET_DIR")
	if b == "listens elsewhere" {
		folder = os.TempDir()
	}
	listener, err := net.Listen("unix", filepath.Join(folder, "adapter"))
	if err != nil {
		os.Exit(1)
	}
	greet(b, listener.Addr().String())
	_ = server(b, pair).Serve(listener)
}

func greet(b broken, address string) {
	version := handshake.Protocol
	if b == "speaks any protocol" {
		version, _ = strconv.Atoi(os.Getenv("PLUGIN_PROTOCOL_VERSIONS"))
	}
	if b == "prints before it greets" {
		fmt.Println("starting up")
	}
	fmt.Printf("1|%d|unix|%s|grpc\n", version, address)
}

func server(b broken, pair *tls.Config) *grpc.Server {
	if b == "answers strangers" {
		pair = pair.Clone()
		pair.ClientAuth, pair.VerifyConnection = tls.NoClientCert, nil
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(pair)), grpc.MaxRecvMsgSize(handshake.MaxRequest), grpc.MaxSendMsgSize(64<<20),
		grpc.ChainUnaryInterceptor(b.caught))
	adapterv1.RegisterAdapterServiceServer(s, newSpoiled(b))
	if b != "has no health" {
		state := health.NewServer()
		state.SetServingStatus("plugin", healthv1.HealthCheckResponse_SERVING)
		healthv1.RegisterHealthServer(s, state)
	}
	return s
}

// caught keeps a panic to its call.
func (b broken) caught(ctx context.Context, q any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (a any, err error) {
	if b != "ends all by a panic" {
		defer func() {
			if recover() != nil {
				a, err = nil, adapters.Bug()
			}
		}()
	}
	return next(ctx, q)
}
