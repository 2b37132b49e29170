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

	"github.com/ontschot/ontschot/adapters/handshake"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// child is one run of the adapter program. Every run has a command, a client
// and a client configuration of its own: go-plugin's serve once.
type child struct {
	client   *plugin.Client
	service  adapterv1.AdapterServiceClient
	health   grpc_health_v1.HealthClient
	describe *adapterv1.DescribeResponse
	calls    sync.WaitGroup // that are under way
	taken    chan struct{}  // closed when it can be asked
	of       *generation

	mu      sync.Mutex
	command *command
	doomed  bool // killed, perhaps before there was a command
}

// launch starts a process and takes it through Describe and Configure. On any
// error the process is gone when it returns.
func (p *Process) launch(ctx context.Context, g *generation) (*child, error) {
	ctx, cancel := context.WithTimeout(ctx, g.config.StartTimeout)
	defer cancel()
	c := &child{taken: make(chan struct{}), of: g}
	side, pair, err := handshake.NewPair()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStart, err)
	}
	c.client = plugin.NewClient(p.clientConfig(c, g, secret{side, pair}))
	// go-plugin waits without a context in places; the end of the process frees it.
	stop := context.AfterFunc(ctx, c.kill)
	err = prepare(ctx, c, g.config)
	if !stop() && err == nil {
		err = fmt.Errorf("%w: %w", ErrStart, ctx.Err())
	}
	if err != nil {
		c.kill()
		c.clean()
		return nil, err
	}
	p.mu.Lock()
	p.starts++
	p.mu.Unlock()
	g.children.Add(1)
	go p.watch(c)
	return c, nil
}

// secret is what host and adapter know each other by in one run.
type secret struct {
	side *tls.Config
	pair []byte // for the adapter
}

func (p *Process) clientConfig(c *child, g *generation, by secret) *plugin.ClientConfig {
	return &plugin.ClientConfig{
		HandshakeConfig:  handshake.Config(),
		Plugins:          plugin.PluginSet{handshake.Name: connected{}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		TLSConfig:        by.side,
		SkipHostEnv:      true,
		StartTimeout:     g.config.StartTimeout,
		Stderr:           p.flood,
		SyncStdout:       p.flood,
		SyncStderr:       p.flood,
		// What go-plugin has to say quotes the adapter's output; ours goes through p.log.
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard}),
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: p.dir.path},
		GRPCDialOptions: []grpc.DialOption{grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(handshake.MaxAnswer), grpc.MaxCallSendMsgSize(handshake.MaxRequest),
		)},
		RunnerFunc: func(_ hclog.Logger, like *exec.Cmd, _ string) (runner.Runner, error) {
			return c.take(newCommand(p.thread, g, like.Env, by.pair))
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

func prepare(ctx context.Context, c *child, conf Config) error {
	protocol, err := c.client.Client()
	if err != nil { // its text quotes what the program printed
		return errors.Join(ErrStart, c.refused(), ctx.Err())
	}
	raw, err := protocol.Dispense(handshake.Name)
	if err != nil {
		return ErrStart
	}
	conn := raw.(*grpc.ClientConn) // connected gives nothing else
	c.service, c.health = adapterv1.NewAdapterServiceClient(conn), grpc_health_v1.NewHealthClient(conn)
	if err := c.ask(ctx, conf); err != nil {
		return err
	}
	if conf.Accept != nil {
		if err := conf.Accept(c.describe); err != nil {
			return fmt.Errorf("%w: %w", ErrKind, err)
		}
	}
	if err := c.configure(ctx, conf); err != nil {
		return err
	}
	if err := c.ask(ctx, conf); err != nil { // a generic adapter is what its configuration makes of it
		return err
	}
	if err := wellDescribed(c.describe); err != nil {
		return err
	}
	return conf.Wants.held(c.describe)
}

// ask has the adapter say what it is.
func (c *child) ask(ctx context.Context, conf Config) (err error) {
	if c.describe, err = c.service.Describe(ctx, &adapterv1.DescribeRequest{}); err != nil {
		return fmt.Errorf("%w: describe", ErrStart)
	}
	if conf.Kind != "" && c.describe.GetId() != conf.Kind {
		return fmt.Errorf("%w: wanted %q", ErrKind, conf.Kind)
	}
	return nil
}

func (c *child) configure(ctx context.Context, conf Config) error {
	answer, err := c.service.Configure(ctx, &adapterv1.ConfigureRequest{Config: conf.ConfigJSON, Secrets: conf.Secrets})
	if err != nil {
		return fmt.Errorf("%w: configure", ErrStart)
	}
	var paths []string
	all := answer.GetFindings()
	for _, f := range all[:min(len(all), mostFindings)] {
		paths = append(paths, fmt.Sprintf("%.64s: %.128s", f.GetPath(), f.GetTextEn()))
	}
	if more := len(all) - len(paths); more > 0 {
		paths = append(paths, fmt.Sprintf("%d more", more))
	}
	if len(paths) > 0 {
		return fmt.Errorf("%w: %s", ErrConfigured, strings.Join(paths, "; "))
	}
	return nil
}

// mostFindings is how many of what an adapter finds wrong are said: it may find a million.
const mostFindings = 10

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
