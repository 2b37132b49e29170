package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/ontschot/ontschot/adapters/handshake"
	"github.com/ontschot/ontschot/adapters/host"
	"github.com/ontschot/ontschot/gateway"
	"github.com/ontschot/ontschot/internal/config"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Adapter is one that is asked from here, on this machine or at the agency.
type Adapter interface {
	gateway.Source
	Status() host.Status
	// Probe has it reach its system, about nobody who exists. Errors are those of Fetch.
	Probe(context.Context) error
	Close()
}

// starting is the start of all adapters, which goes on while other parts start.
type starting struct {
	done    chan struct{} // closed when each has started or failed
	cancel  context.CancelFunc
	started map[string]Adapter
	err     error // of those that did not start
}

// wait waits for them, puts them among the sources, and says which did not start.
func (a *starting) wait(into map[string]gateway.Source, watched func(string, gateway.Source) gateway.Source) error {
	<-a.done
	for code, p := range a.started {
		into[code] = watched(code, p)
	}
	return a.err
}

// end ends a start that is still going on. After it, no more are started.
func (a *starting) end() {
	if a != nil {
		a.cancel()
		<-a.done
	}
}

// startSources starts all adapters at once.
func (s *Server) startSources(ctx context.Context, stderr io.Writer) *starting {
	ctx, cancel := context.WithCancel(ctx)
	a := &starting{done: make(chan struct{}), cancel: cancel, started: s.Adapters}
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed []error
	for i, source := range s.Conf.Sources {
		if source.Peer { // nothing to start
			continue
		}
		all.Go(func() {
			p, err := s.startSource(ctx, source, stderr)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, fmt.Errorf("sources[%d]: %w", i, err))
				return
			}
			s.Adapters[source.Party] = p
		})
	}
	go func() {
		all.Wait()
		a.err = errors.Join(failed...)
		close(a.done)
	}()
	return a
}

// longestConnect is how long a start waits for what an adapter at the agency says of itself.
const longestConnect = 2 * time.Second

func (s *Server) startSource(ctx context.Context, source config.Source, stderr io.Writer) (Adapter, error) {
	if source.Address != "" {
		return s.connectSource(ctx, source, host.RemoteConfig{Party: source.Party, Address: source.Address, Wants: s.wants(source.Party), Log: stderr})
	}
	conf, err := s.hostConfig(s.Conf, source)
	if err != nil {
		return nil, err
	}
	conf.Wants, conf.Log = s.wants(source.Party), stderr
	p, err := host.Start(ctx, conf)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// wants is what will be asked of the adapter of a party, by the trust file.
func (s *Server) wants(code string) host.Wants {
	party, _ := s.organisations.ByCode(code)
	return host.Wants{Laws: party.Laws, Identifier: budgetv1.IdentifierOf(party.Kind)}
}

// hostConfig is how an adapter is started beside the gateway, by what the files say now.
func (s *Server) hostConfig(conf *config.Gateway, source config.Source) (host.Config, error) {
	raw, secrets, err := source.Read(conf.Path)
	if err != nil {
		return host.Config{}, fmt.Errorf("%s: %w", source.Party, err)
	}
	may, err := profile(conf, source)
	if err != nil {
		return host.Config{}, fmt.Errorf("%s: %w", source.Party, err)
	}
	c := host.Config{
		Boundary: may,
		Args:     []string{"adapter", "run", source.Adapter}, Party: source.Party, Kind: source.Adapter,
		ConfigJSON: raw, Secrets: secrets,
	}
	if len(source.Command) > 0 {
		c.Path, c.Args = source.Command[0], source.Command[1:]
	}
	if err := s.programOf(&c, conf, source); err != nil {
		return host.Config{}, fmt.Errorf("%s: %w", source.Party, err)
	}
	return c, nil
}

// remote is an adapter at the agency with the connection that is its own.
type remote struct {
	*host.Remote
	conn *grpc.ClientConn
}

// Close ends both.
func (r remote) Close() {
	r.Remote.Close()
	_ = r.conn.Close()
}

// connectSource connects to an adapter at the agency, which may come later than the gateway.
func (s *Server) connectSource(ctx context.Context, source config.Source, c host.RemoteConfig) (Adapter, error) {
	oin := source.Certificate
	if oin == "" {
		party, _ := s.organisations.ByCode(source.Party)
		oin = party.OIN
	}
	name, _, _ := net.SplitHostPort(source.Address) // checked when it was read
	conn, err := grpc.NewClient(source.Address, append(s.Certificates.Dial(credentials.NewTLS(onlyOf(s.Certificates.Client(name), oin))),
		grpc.WithConnectParams(redial()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 5 * time.Second, PermitWithoutStream: true}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(handshake.MaxAnswer), grpc.MaxCallSendMsgSize(handshake.MaxRequest)),
	)...)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: address %s", config.ErrConfig, source.Party, source.Address)
	}
	c.Conn = conn
	ctx, cancel := context.WithTimeout(ctx, longestConnect)
	defer cancel()
	r, err := host.Connect(ctx, c)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return remote{r, conn}, nil
}
