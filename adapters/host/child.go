package host

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/ontschot/ontschot/adapters"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// child is one run of the adapter program. Every run has a command, a client
// and a client configuration of its own: go-plugin's serve once.
type child struct {
	client   *plugin.Client
	service  adapterv1.AdapterServiceClient
	health   grpc_health_v1.HealthClient
	describe *adapterv1.DescribeResponse

	mu      sync.Mutex
	command *command
	doomed  bool // killed, perhaps before there was a command
}

// launch starts a process and takes it through Describe and Configure. On any
// error the process is gone when it returns.
func (p *Process) launch(ctx context.Context) (*child, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	c := &child{}
	side, pair, err := adapters.NewPair()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStart, err)
	}
	c.client = plugin.NewClient(p.clientConfig(c, side, pair))
	// go-plugin waits without a context in places; the end of the process frees it.
	stop := context.AfterFunc(ctx, c.kill)
	err = p.prepare(ctx, c)
	if !stop() && err == nil {
		err = fmt.Errorf("%w: %w", ErrStart, ctx.Err())
	}
	if err != nil {
		c.kill()
		c.clean()
		return nil, err
	}
	return c, nil
}

func (p *Process) clientConfig(c *child, side *tls.Config, pair []byte) *plugin.ClientConfig {
	return &plugin.ClientConfig{
		HandshakeConfig:  adapters.Handshake(),
		Plugins:          plugin.PluginSet{adapters.Name: connected{}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		TLSConfig:        side,
		SkipHostEnv:      true,
		StartTimeout:     p.config.StartTimeout,
		Stderr:           p.log,
		SyncStdout:       p.log,
		SyncStderr:       p.log,
		// What go-plugin has to say quotes the adapter's output; ours goes through p.log.
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard}),
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: p.dir.path},
		GRPCDialOptions: []grpc.DialOption{grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(adapters.MaxAnswer), grpc.MaxCallSendMsgSize(adapters.MaxRequest),
		)},
		RunnerFunc: func(_ hclog.Logger, like *exec.Cmd, _ string) (runner.Runner, error) {
			return c.take(newCommand(p.thread, exec.Command(p.config.Path, p.config.Args...), like.Env, pair))
		},
	}
}

// take keeps the command so that it can be killed.
func (c *child) take(command *command, err error) (runner.Runner, error) {
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.doomed {
		command.abandon()
		return nil, ErrStart
	}
	c.command = command
	return command, nil
}

func (p *Process) prepare(ctx context.Context, c *child) error {
	protocol, err := c.client.Client()
	if err != nil { // its text quotes what the program printed
		return errors.Join(ErrStart, ctx.Err())
	}
	raw, err := protocol.Dispense(adapters.Name)
	if err != nil {
		return ErrStart
	}
	conn := raw.(*grpc.ClientConn) // connected gives nothing else
	c.service, c.health = adapterv1.NewAdapterServiceClient(conn), grpc_health_v1.NewHealthClient(conn)
	if c.describe, err = c.service.Describe(ctx, &adapterv1.DescribeRequest{}); err != nil {
		return fmt.Errorf("%w: describe", ErrStart)
	}
	if c.describe.GetId() != p.config.Kind {
		return fmt.Errorf("%w: wanted %q", ErrKind, p.config.Kind)
	}
	return p.configure(ctx, c)
}

func (p *Process) configure(ctx context.Context, c *child) error {
	answer, err := c.service.Configure(ctx, &adapterv1.ConfigureRequest{
		Config: p.config.ConfigJSON, Secrets: p.config.Secrets,
	})
	if err != nil {
		return fmt.Errorf("%w: configure", ErrStart)
	}
	var paths []string
	for _, f := range answer.GetFindings() {
		paths = append(paths, fmt.Sprintf("%.64s: %.128s", f.GetPath(), f.GetTextEn()))
	}
	if len(paths) > 0 {
		return fmt.Errorf("%w: %s", ErrConfigured, strings.Join(paths, "; "))
	}
	return nil
}

// connected gives the bare connection: host and adapter call no one back, so
// go-plugin's broker is not used.
type connected struct{ plugin.NetRPCUnsupportedPlugin }

func (connected) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return ErrStart }

func (connected) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

// kill ends the process at once, also one that was stopped.
func (c *child) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doomed = true
	if c.command != nil {
		_ = c.command.Kill(context.Background())
	}
}

// exited is closed when the process is gone.
func (c *child) exited() <-chan struct{} { return c.command.exited }

func (c *child) pid() int { return c.command.PID() }

// lastWords is how long the end of standard error is waited for when something
// that the adapter started, and that left its process group, still holds it.
const lastWords = 2 * time.Second

// clean frees what a process that was killed or died leaves behind.
func (c *child) clean() {
	c.mu.Lock()
	command := c.command
	c.mu.Unlock()
	if command == nil {
		return
	}
	late := time.AfterFunc(lastWords, command.closePipes)
	c.client.Kill() // no process is left to kill: this ends its goroutines
	late.Stop()
	command.closePipes()
}
