package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/host"
	"github.com/ontschot/ontschot/internal/config"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// longestProbe bounds how long a system is waited for.
const longestProbe = 10 * time.Second

// operator answers who runs the gateway.
type operator struct {
	ontschotv1.UnimplementedOperatorServiceServer
	server *Server
}

// operatorDoor is where the operator is served. The folder is locked for as long as the process
// lives: a socket in a folder that nobody has locked is of a gateway that was killed.
type operatorDoor struct {
	*grpc.Server
	folder *os.File
	path   string
}

// ErrRunning means that a gateway runs already on this data folder.
var ErrRunning = errors.New("another gateway runs on this data folder; end that one first, or give this one a data folder of its own")

// listenOperator serves the operator on the socket in the data folder. Errors: ErrRunning.
func (s *Server) listenOperator() error {
	folder, name, err := within(s.Conf.Path(s.Conf.Data))
	if err != nil {
		return err
	}
	d := &operatorDoor{folder: folder, path: filepath.Join(s.Conf.Path(s.Conf.Data), config.OperatorSocket)}
	if err := d.listen(s, name); err != nil {
		return errors.Join(err, folder.Close())
	}
	s.operator = d
	s.sweep()
	return nil
}

func (d *operatorDoor) listen(s *Server, name string) error {
	if err := syscall.Flock(int(d.folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("%s: %w", filepath.Dir(d.path), ErrRunning)
	}
	if err := os.Remove(d.path); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a gateway that was killed
		return err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false) // close does that, while the folder is locked
	if err := os.Chmod(d.path, 0o600); err != nil {
		return errors.Join(err, l.Close())
	}
	d.Server = grpc.NewServer(grpc.MaxRecvMsgSize(64 << 10))
	ontschotv1.RegisterOperatorServiceServer(d.Server, operator{server: s})
	go func() { _ = d.Serve(l) }() // ends with Close
	return nil
}

// close ends it, and lets the folder go.
func (d *operatorDoor) close() {
	if d != nil {
		d.Stop()
		_ = os.Remove(d.path)
		_ = d.folder.Close()
	}
}

// within gives a name of the socket in a folder that is short enough for an address, however
// long the path of the folder is. It is good as long as the folder is open.
func within(folder string) (dir *os.File, name string, err error) {
	if dir, err = os.Open(folder); err != nil {
		return nil, "", err
	}
	return dir, fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), config.OperatorSocket), nil
}

// ErrNotRunning means that no gateway serves this configuration on this machine.
var ErrNotRunning = errors.New("the gateway of this configuration does not run here, or is of another user")

// DialOperator connects to the gateway that runs with a configuration. Errors: ErrNotRunning.
func DialOperator(conf *config.Gateway) (ontschotv1.OperatorServiceClient, func(), error) {
	dir, name, err := within(conf.Path(conf.Data))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	raw, err := net.Dial("unix", name)
	if err != nil {
		_ = dir.Close()
		return nil, nil, ErrNotRunning
	}
	_ = raw.Close()
	conn, err := grpc.NewClient("passthrough:///operator", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", name)
		}))
	if err != nil {
		_ = dir.Close()
		return nil, nil, err
	}
	return ontschotv1.NewOperatorServiceClient(conn), func() { _ = conn.Close(); _ = dir.Close() }, nil
}

// ListAdapters implements the operator's service.
func (o operator) ListAdapters(ctx context.Context, r *ontschotv1.ListAdaptersRequest) (*ontschotv1.ListAdaptersResponse, error) {
	out := new(ontschotv1.ListAdaptersResponse)
	for _, code := range slices.Sorted(maps.Keys(o.server.Adapters)) {
		out.Adapters = append(out.Adapters, o.server.statusOf(code))
	}
	if !r.GetProbe() {
		return out, nil
	}
	ctx, cancel := context.WithTimeout(ctx, longestProbe)
	defer cancel()
	var all sync.WaitGroup
	for _, one := range out.Adapters {
		all.Go(func() { one.Probe = probed(o.server.Adapters[one.GetParty()].Probe(ctx)) })
	}
	all.Wait()
	return out, nil
}

// probed says what came of a probe, in a word.
func probed(err error) string {
	switch {
	case err == nil:
		return budgetv1.StatusOK
	case status.Code(err) == codes.Unimplemented:
		return "NOT_OFFERED"
	}
	return cmp.Or(adapters.Cause(err), adapters.Reason(err), adapters.ReasonSourceUnavailable)
}

// statusOf says how the adapter of a party stands.
func (s *Server) statusOf(code string) *ontschotv1.AdapterStatus {
	is := s.Adapters[code].Status()
	var layers []*ontschotv1.AdapterLayer
	for _, l := range is.Layers {
		layers = append(layers, &ontschotv1.AdapterLayer{Name: l.Name, Active: l.Active, Why: l.Why})
	}
	return &ontschotv1.AdapterStatus{
		Party: code, Place: is.Place, Id: is.Describe.GetId(), Version: is.Describe.GetVersion(), Laws: is.Describe.GetLaws(),
		State: string(is.State), Since: timestamppb.New(is.Since), Why: is.Why, Lacks: s.lacks(code, is),
		Pid: int64(is.PID), Starts: uint32(is.Starts), Calls: is.Calls, Failed: is.Failed, InFlight: uint32(is.InFlight), Layers: layers,
	}
}

// lacks are the categories that the rules let be asked of a party, and that its adapter says
// it does not have: what is asked of it will lack them.
func (s *Server) lacks(code string, is host.Status) []string {
	party, ok := s.organisations.ByCode(code)
	if !ok || is.Describe == nil {
		return nil
	}
	var lacks []string
	for _, purpose := range ontschotv1.Purposes() {
		for _, law := range party.Laws {
			for _, c := range s.policy.Now().Categories(purpose, party.Kind, law) {
				if !slices.Contains(is.Describe.GetCategories(), string(c)) {
					lacks = append(lacks, string(c))
				}
			}
		}
	}
	slices.Sort(lacks)
	return slices.Compact(lacks)
}

// ReloadAdapter implements the operator's service.
func (o operator) ReloadAdapter(ctx context.Context, r *ontschotv1.ReloadAdapterRequest) (*ontschotv1.ReloadAdapterResponse, error) {
	adapter, ok := o.server.Adapters[r.GetParty()]
	if !ok {
		return nil, status.Error(codes.NotFound, "no adapter of this party runs here")
	}
	process, ok := adapter.(*host.Process)
	if !ok {
		return nil, status.Error(codes.Unimplemented, "this adapter runs at the agency: it is replaced there")
	}
	if err := o.server.reloadAdapter(ctx, process, r); err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	return &ontschotv1.ReloadAdapterResponse{Adapter: o.server.statusOf(r.GetParty())}, nil
}

func (s *Server) reloadAdapter(ctx context.Context, p *host.Process, r *ontschotv1.ReloadAdapterRequest) error {
	if r.GetRollback() {
		return p.Rollback(ctx)
	}
	conf, err := s.Conf.Again()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(conf.Sources, func(source config.Source) bool { return source.Party == r.GetParty() })
	if i < 0 || conf.Sources[i].Adapter == "" && len(conf.Sources[i].Command) == 0 {
		return fmt.Errorf("%w: sources: %s has no adapter on this machine any more; that takes a restart", config.ErrConfig, r.GetParty())
	}
	next, err := s.hostConfig(conf, conf.Sources[i])
	if err != nil {
		return err
	}
	next.Wants = s.wants(r.GetParty())
	return p.Reload(ctx, next)
}

// AdapterLog implements the operator's service.
func (o operator) AdapterLog(_ context.Context, r *ontschotv1.AdapterLogRequest) (*ontschotv1.AdapterLogResponse, error) {
	process, ok := o.server.Adapters[r.GetParty()].(*host.Process)
	if !ok {
		return nil, status.Error(codes.NotFound, "no adapter of this party runs on this machine")
	}
	text, dropped := process.LastWords()
	return &ontschotv1.AdapterLogResponse{Text: strings.ToValidUTF8(string(text), "?"), Dropped: uint64(dropped)}, nil
}
