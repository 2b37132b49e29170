package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/host"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// The test program is the adapter program as well.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "adapter":
		adapters.Serve(fake{})
	case len(os.Args) == 2 && os.Args[1] == "bare":
		serveBare()
	case len(os.Args) == 3 && os.Args[1] == "rude":
		serveRude(os.Args[2])
	case len(os.Args) == 3 && os.Args[1] == "adapter":
		adapters.Serve(odd{what: os.Args[2]})
	case len(os.Args) == 4 && os.Args[1] == "adapter":
		adapters.Serve(hostile{marker: os.Args[3]})
	case len(os.Args) == 3 && os.Args[1] == "host":
		hostOf(os.Args[2])
	case len(os.Args) == 3 && os.Args[1] == "outlives":
		time.Sleep(time.Hour)
	case len(os.Args) == 2 && os.Args[1] == "no-adapter":
		fmt.Println("hallo 999940004")
	default:
		os.Exit(m.Run())
	}
}

const bsn = "999940004"

// fake does what the purpose of the request says.
type fake struct{}

func (fake) Describe() *adapterv1.DescribeResponse {
	return &adapterv1.DescribeResponse{Id: "fake", Version: "1", Laws: []string{"WMO", "JW"}, Categories: []string{"entitlement", "product", "period"}, Identifiers: []string{"bsn"}}
}

// odd is a fake that does not say well what it is.
type odd struct {
	fake
	what string
}

func (o odd) Describe() *adapterv1.DescribeResponse {
	d := o.fake.Describe()
	switch o.what {
	case "law":
		d.Laws = append(d.Laws, "ABC")
	case "category":
		d.Categories = []string{"everything"}
	case "identifier":
		d.Identifiers = []string{"name"}
	case "name":
		d.Id = "a\x1b[2J"
	case "schema":
		d.ConfigSchema = []byte(`{"type":"none"}`)
	case "few":
		d.Limits = &adapterv1.Limits{Parallel: 3}
	case "many":
		d.Limits = &adapterv1.Limits{Parallel: 1 << 31}
	}
	return d
}

func (fake) Configure(_ context.Context, c adapters.Config) error {
	var settings struct {
		Party string `json:"party"`
	}
	return c.Decode(&settings)
}

func (fake) Fetch(ctx context.Context, r *budgetv1.FetchRequest, out *adapters.Writer) error {
	ids := r.GetIdentifiers()
	funder, law := "GM0001", "WMO"
	switch r.GetPurpose() {
	case "hang":
		fmt.Fprintln(os.Stderr, "hanging")
		select {}
	case "down":
		return adapters.Unavailable()
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	case "panic":
		panic("record of " + ids.GetBsn())
	case "print":
		fmt.Println("to stdout", ids.GetBsn())
		fmt.Fprintln(os.Stderr, "to stderr", ids.GetBsn())
		_, _ = syscall.Write(1, []byte("to descriptor 1 "+ids.GetBsn()+"\n"))
	case "error":
		return errors.New("select * from persons where bsn = " + ids.GetBsn())
	case "bad":
		return adapters.BadData("/records/0/"+ids.GetBsn(), "a date")
	case "identifiers":
		if ids.GetPassNumber() != "" || ids.GetEducationNumber() != "" {
			return adapters.ScopeUnsupported("identifiers")
		}
	case "foreign":
		funder = "GM0002"
	case "environment":
		if os.Getenv("PATH") != "" || os.Getenv("HOME") != "" {
			return adapters.Bug()
		}
	}
	out.Line(&budgetv1.BudgetLine{
		Law: law, Funder: funder, Kind: "ENTITLEMENT", DeliveryForm: "PGB", Fungibility: "POOLABLE",
		Product: &budgetv1.Product{System: "WMO020", Code: "02"},
		Period:  &budgetv1.Period{Start: "2025-01-01", End: proto.String("2025-12-31")},
	}, adapters.Record{Native: []byte("x"), Type: "award", ID: "1"})
	return nil
}

// journal is a log that one can wait on for a text.
type journal struct {
	mu   sync.Mutex
	cond *sync.Cond
	all  strings.Builder
}

func newJournal() *journal {
	j := &journal{}
	j.cond = sync.NewCond(&j.mu)
	return j
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.cond.Broadcast()
	return j.all.Write(p)
}

// await returns the log once it holds the text.
func (j *journal) await(text string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	for !strings.Contains(j.all.String(), text) {
		j.cond.Wait()
	}
	return j.all.String()
}

func config(log *journal) host.Config {
	return host.Config{
		Args: []string{"adapter"}, Party: "GM0001", Kind: "fake", ConfigJSON: []byte(`{"party":"GM0001"}`),
		Secrets: map[string]string{"record_key": strings.Repeat("0f", 32)}, Log: log,
	}
}

func start(t *testing.T) (*host.Process, *journal) {
	log := newJournal()
	p, err := host.Start(t.Context(), config(log))
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p, log
}

func ask(purpose string) *budgetv1.FetchRequest {
	return &budgetv1.FetchRequest{
		Identifiers: &budgetv1.Identifiers{Bsn: bsn, PassNumber: "P1", EducationNumber: "E1"},
		Window:      &budgetv1.Window{From: "2025-01-01", To: "2025-12-31"}, HistoryFrom: "2024-01-01",
		Scopes:  []*budgetv1.Scope{{Law: "WMO", Categories: []string{"entitlement", "product", "period"}}},
		Purpose: purpose, Requester: "00000099000000119000",
	}
}

func works(t *testing.T, p *host.Process) {
	t.Helper()
	a, err := p.Fetch(t.Context(), ask("identifiers"))
	require.NoError(t, err)
	require.Len(t, a.GetLines(), 1)
	require.Equal(t, "fake", a.GetAdapter())
}

func TestAdapterAnswersFromItsOwnProcess(t *testing.T) {
	p, _ := start(t)
	works(t, p)
	require.NotEqual(t, os.Getpid(), p.PID())
	require.Equal(t, "fake", p.Describe().GetId())
	_, err := p.Fetch(t.Context(), ask("environment"))
	require.NoError(t, err, "nothing of our environment is handed down")
}

func TestEveryFailureHasItsReason(t *testing.T) {
	p, log := start(t)
	for purpose, want := range map[string]struct {
		code   codes.Code
		reason string
	}{
		"panic":   {codes.Internal, adapters.ReasonAdapterBug},
		"error":   {codes.Internal, adapters.ReasonAdapterBug},
		"bad":     {codes.DataLoss, adapters.ReasonBadData},
		"foreign": {codes.DataLoss, adapters.ReasonBadData},
	} {
		_, err := p.Fetch(t.Context(), ask(purpose))
		require.Equal(t, want.reason, adapters.Reason(err), purpose)
		require.Equal(t, want.code, status.Code(err), purpose)
		require.NotContains(t, fmt.Sprintf("%v %s", err, adapters.Path(err)), bsn, purpose)
	}
	works(t, p)
	require.NotContains(t, log.await("panic in a call"), bsn)
}

func TestAdapterIsAnsweringBeforeTheDeadline(t *testing.T) {
	p, _ := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	_, err := p.Fetch(ctx, ask("wait"))
	require.Equal(t, adapters.ReasonSourceTimeout, adapters.Reason(err))
	works(t, p)
}

func TestKilledAdapterFailsTheCallInFlightAndServesTheNext(t *testing.T) {
	p, log := start(t)
	before := p.PID()
	failed := make(chan error)
	go func() {
		_, err := p.Fetch(context.Background(), ask("hang"))
		failed <- err
	}()
	log.await("hanging")
	require.NoError(t, syscall.Kill(before, syscall.SIGKILL))
	err := <-failed
	require.Equal(t, codes.Unavailable, status.Code(err))
	require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(err))
	works(t, p)
	require.NotEqual(t, before, p.PID())
}

func TestFrozenAdapterHoldsUpNobody(t *testing.T) {
	p, log := start(t)
	before := p.PID()
	require.NoError(t, syscall.Kill(before, syscall.SIGSTOP))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := p.Fetch(ctx, ask("identifiers"))
	require.Equal(t, adapters.ReasonSourceTimeout, adapters.Reason(err))
	log.await("started again") // the probe found it frozen
	works(t, p)
	require.NotEqual(t, before, p.PID())
}

func TestCloseEndsAFrozenAdapter(t *testing.T) {
	p, _ := start(t)
	pid := p.PID()
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	p.Close()
	p.Close()
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
	_, err := p.Fetch(t.Context(), ask("identifiers"))
	require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(err))
}

func TestCloseEndsTheCallInFlight(t *testing.T) {
	p, log := start(t)
	failed := make(chan error)
	go func() {
		_, err := p.Fetch(context.Background(), ask("hang"))
		failed <- err
	}()
	log.await("hanging")
	p.Close()
	require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(<-failed))
}

func TestWhatAnAdapterPrintsIsMaskedAndBreaksNothing(t *testing.T) {
	p, log := start(t)
	for range 2 {
		_, err := p.Fetch(t.Context(), ask("print"))
		require.NoError(t, err)
	}
	for _, text := range []string{"to stdout *********", "to stderr *********", "to descriptor 1 *********"} {
		require.NotContains(t, log.await(text), bsn)
	}
}

func TestStartRefuses(t *testing.T) {
	for name, change := range map[string]struct {
		edit func(c *host.Config)
		want error
	}{
		"no program":     {func(c *host.Config) { c.Path = "/nonexistent/adapter" }, host.ErrStart},
		"no adapter":     {func(c *host.Config) { c.Args = []string{"no-adapter"} }, host.ErrStart},
		"another kind":   {func(c *host.Config) { c.Kind = "other" }, host.ErrKind},
		"unknown key":    {func(c *host.Config) { c.ConfigJSON = []byte(`{"parti":""}`) }, host.ErrConfigured},
		"no record key":  {func(c *host.Config) { c.Secrets = nil }, host.ErrConfigured},
		"no JSON at all": {func(c *host.Config) { c.ConfigJSON = []byte(`x`) }, host.ErrConfigured},
	} {
		c := config(newJournal())
		change.edit(&c)
		_, err := host.Start(t.Context(), c)
		require.ErrorIs(t, err, change.want, name)
		require.NotContains(t, err.Error(), bsn)
	}
	_, err := host.Start(t.Context(), host.Config{Kind: "fake"})
	require.ErrorContains(t, err, "Party")
	_, err = host.Start(t.Context(), host.Config{Party: "X"})
	require.ErrorContains(t, err, "Kind")
}

func TestConfigurationErrorNamesThePath(t *testing.T) {
	c := config(newJournal())
	c.ConfigJSON = []byte(`{"parti":""}`)
	_, err := host.Start(t.Context(), c)
	require.ErrorContains(t, err, "parti: unknown key")
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := host.Start(ctx, config(newJournal()))
	require.Error(t, err)
}

func TestManyStartAndAnswerSideBySide(t *testing.T) {
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			p, err := host.Start(context.Background(), config(newJournal()))
			if err != nil {
				t.Error(err)
				return
			}
			defer p.Close()
			var calls sync.WaitGroup
			for range 32 {
				calls.Go(func() {
					if _, err := p.Fetch(context.Background(), ask("identifiers")); err != nil {
						t.Error(err)
					}
				})
			}
			calls.Wait()
		})
	}
	wait.Wait()
}

func TestSocketsAreGoneAfterClose(t *testing.T) {
	short, err := os.MkdirTemp("/tmp", "host") // t.TempDir is too long for a socket address
	require.NoError(t, err)
	defer func() { require.NoError(t, os.Remove(short)) }() // fails when anything is left in it
	t.Setenv("TMPDIR", short)
	p, _ := start(t)
	entries, err := os.ReadDir(short)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	info, err := entries[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	p.Close()
}

// answerOfFake is what the kit makes of what fake writes.
func answerOfFake() (*budgetv1.FetchResponse, error) {
	s := adapters.NewService(fake{})
	c := config(nil)
	if _, err := s.Configure(context.Background(), &adapterv1.ConfigureRequest{Config: c.ConfigJSON, Secrets: c.Secrets}); err != nil {
		return nil, err
	}
	q := ask("identifiers")
	q.Identifiers.PassNumber, q.Identifiers.EducationNumber = "", ""
	return s.Fetch(context.Background(), q)
}
