package bench

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// system is one of those that are compared.
type system struct {
	name    string
	program string // whose gateway it is; empty: this one's
	process *process
	others  []*process // gateways behind it
	client  ontschotv1.ExchangeServiceClient
	conn    *grpc.ClientConn
	request *ontschotv1.AssembleBudgetRequest
	token   func() (string, error) // nil: it needs none
}

// question asks once and reads the whole answer.
func (s *system) question(ctx context.Context) error {
	if s.token != nil {
		token, err := s.token()
		if err != nil {
			return err
		}
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	stream, err := s.client.AssembleBudget(ctx, s.request)
	if err != nil {
		return err
	}
	whole := false
	for {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if b := event.GetBudget(); b != nil {
			whole = len(b.GetLines()) > 0
		}
	}
	if !whole {
		return errors.New("an answer without lines")
	}
	return nil
}

// connect opens the connection that all questions to a system share.
func (s *system) connect(dir, address string) error {
	_, ask, err := tlsOf(dir, "client")
	if err != nil {
		return err
	}
	if s.conn, err = grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(ask))); err != nil {
		return err
	}
	s.client = ontschotv1.NewExchangeServiceClient(s.conn)
	return nil
}

// sample is what one system did under one load.
type sample struct {
	took    []time.Duration // sorted
	elapsed time.Duration
	cpu     []time.Duration // of the system's process, then of its adapters and of what is behind it
	mallocs uint64
	bytes   uint64
}

func (s sample) percentile(p float64) time.Duration {
	if len(s.took) == 0 {
		return 0
	}
	return s.took[min(int(p*float64(len(s.took))), len(s.took)-1)]
}

// load puts questions to a system. rate 0 is a closed loop: each of so many clients asks
// again when it has its answer. Otherwise questions begin at that rate a second, whether
// the ones before are answered or not, and each is timed from when it should have begun.
func (s *system) load(ctx context.Context, clients int, rate float64, during time.Duration) (sample, error) {
	before, beforeTally, err := s.measure()
	if err != nil {
		return sample{}, err
	}
	l := &loader{system: s, until: time.Now().Add(during)}
	begun := time.Now()
	if rate > 0 {
		l.open(ctx, rate)
	} else {
		l.closed(ctx, clients)
	}
	out := sample{elapsed: time.Since(begun), took: l.took}
	if err := l.failed.Load(); err != nil {
		return out, *err
	}
	after, afterTally, err := s.measure()
	if err != nil {
		return out, err
	}
	slices.Sort(out.took)
	for i := range after {
		if i < len(before) {
			out.cpu = append(out.cpu, after[i].CPU-before[i].CPU)
		}
	}
	out.mallocs, out.bytes = afterTally.Mallocs-beforeTally.Mallocs, afterTally.Bytes-beforeTally.Bytes
	return out, nil
}

func (s *system) measure() ([]use, tally, error) {
	u, err := s.process.used()
	if err != nil {
		return nil, tally{}, err
	}
	for _, p := range s.others {
		more, err := p.used()
		if err != nil {
			return nil, tally{}, err
		}
		u = append(u, more...)
	}
	t, err := s.process.tally()
	return u, t, err
}

// memory of the system's own process and of its adapters.
func (s *system) memory() (m Footprint, err error) {
	used, err := s.process.used()
	if err != nil {
		return m, err
	}
	m.Gateway = mib(used[0].PSS)
	for _, u := range used[1:] {
		m.Adapter += mib(u.PSS)
	}
	return m, nil
}

// loader gathers what one load took.
type loader struct {
	system *system
	until  time.Time
	mu     sync.Mutex
	took   []time.Duration
	failed atomic.Pointer[error]
	all    sync.WaitGroup
}

func (l *loader) closed(ctx context.Context, clients int) {
	for range clients {
		l.all.Go(func() {
			for time.Now().Before(l.until) && l.failed.Load() == nil {
				l.one(ctx, time.Now())
			}
		})
	}
	l.all.Wait()
}

// mostOpen bounds how many questions wait at once in an open loop.
const mostOpen = 4096

func (l *loader) open(ctx context.Context, rate float64) {
	pause := time.Duration(float64(time.Second) / rate)
	slots := make(chan struct{}, mostOpen)
	for at := time.Now(); at.Before(l.until) && l.failed.Load() == nil; at = at.Add(pause) {
		time.Sleep(time.Until(at))
		slots <- struct{}{}
		l.all.Go(func() {
			defer func() { <-slots }()
			l.one(ctx, at)
		})
	}
	l.all.Wait()
}

func (l *loader) one(ctx context.Context, since time.Time) {
	if err := l.system.question(ctx); err != nil {
		l.failed.CompareAndSwap(nil, &err)
		return
	}
	took := time.Since(since)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, took)
}
