package host_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/ontschot/ontschot/adapters/handshake"
	"github.com/ontschot/ontschot/adapters/host"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// bare is what go-plugin gives by itself: a service that answers what it was asked with the
// answer that it was given before, and looks at nothing.
type bare struct {
	plugin.NetRPCUnsupportedPlugin
	adapterv1.UnimplementedAdapterServiceServer
	answer *budgetv1.FetchResponse
}

func (b *bare) Fetch(context.Context, *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	return b.answer, nil
}

func (b *bare) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	adapterv1.RegisterAdapterServiceServer(s, b)
	return nil
}

func (*bare) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return adapterv1.NewAdapterServiceClient(conn), nil
}

// serveBare is the other process: its answer is that of the fake adapter, as the kit makes it.
func serveBare() {
	answer, err := answerOfFake()
	if err != nil {
		os.Exit(1)
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake.Config(), Plugins: plugin.PluginSet{handshake.Name: &bare{answer: answer}},
		GRPCServer: plugin.DefaultGRPCServer, Logger: hclog.New(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Off}),
	})
}

// BenchmarkCall is one question to an adapter: through the host with everything it does, and
// through go-plugin alone with the same request and an answer of the same size.
func BenchmarkCall(b *testing.B) {
	b.Run("host", func(b *testing.B) {
		p, err := host.Start(b.Context(), config(newJournal()))
		require.NoError(b, err)
		defer p.Close()
		b.ReportAllocs()
		for b.Loop() {
			_, err := p.Fetch(b.Context(), ask("identifiers"))
			require.NoError(b, err)
		}
	})
	b.Run("bare", func(b *testing.B) {
		self, err := os.Executable()
		require.NoError(b, err)
		client := plugin.NewClient(&plugin.ClientConfig{
			HandshakeConfig: handshake.Config(), Plugins: plugin.PluginSet{handshake.Name: &bare{}}, Cmd: exec.Command(self, "bare"),
			AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC}, AutoMTLS: true,
			Logger: hclog.New(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Off}),
		})
		defer client.Kill()
		protocol, err := client.Client()
		require.NoError(b, err)
		raw, err := protocol.Dispense(handshake.Name)
		require.NoError(b, err)
		service := raw.(adapterv1.AdapterServiceClient)
		b.ReportAllocs()
		for b.Loop() {
			_, err := service.Fetch(b.Context(), ask("identifiers"))
			require.NoError(b, err)
		}
	})
}
