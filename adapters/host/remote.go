package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// How soon an adapter that was not there, or was not what it should be, is asked again what
// it is, and how often one is that is ready: it may be replaced at the agency.
const (
	firstAgain  = 250 * time.Millisecond
	lastAgain   = 2 * time.Second
	askedAgain  = time.Minute
	askPatience = 10 * time.Second
)

// RemoteConfig of an adapter that the agency runs itself.
type RemoteConfig struct {
	// Party is the code of the party it answers for. Required.
	Party string
	// Address is for people. Who answers there Conn has made sure of. Both required.
	Address string
	Conn    grpc.ClientConnInterface
	// Wants is what will be asked of it; the zero value is nothing.
	Wants Wants
	// Log gets a line for each change. nil is nowhere.
	Log io.Writer
}

// Remote is an adapter at the agency. It is asked what it is as soon as it is there, and
// nothing else before that; it may come later than the gateway, and go, and come back. It is
// safe for use by several goroutines.
type Remote struct {
	config  RemoteConfig
	service adapterv1.AdapterServiceClient
	log     *adapters.Masker
	gate    *gate
	stop    context.CancelFunc
	done    chan struct{}
	doubt   chan struct{} // holds one: a call went wrong in a way that makes it worth to look

	mu       sync.Mutex
	describe *adapterv1.DescribeResponse // nil while it must not be asked
	state    State
	since    time.Time
	why      string
	first    chan struct{} // closed when it has been asked once
}

// Connect begins to ask an adapter at the agency what it is. It waits for the first answer,
// or the first failure, no longer than ctx allows. The error is only that it is not what will
// be asked of it (ErrWanted, ErrDescribed): that it is not there says nothing.
func Connect(ctx context.Context, c RemoteConfig) (*Remote, error) {
	if c.Party == "" || c.Conn == nil {
		return nil, errors.New("host: Party and Conn are needed")
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	r := &Remote{
		config: c, service: adapterv1.NewAdapterServiceClient(c.Conn), log: adapters.NewMasker(c.Log), gate: newGate(),
		done: make(chan struct{}), first: make(chan struct{}), doubt: make(chan struct{}, 1), state: Starting, since: time.Now(),
	}
	var live context.Context
	live, r.stop = context.WithCancel(context.Background())
	go r.attend(live)
	select {
	case <-r.first:
	case <-ctx.Done():
	}
	if s := r.Status(); s.State == Refused {
		r.Close()
		return nil, fmt.Errorf("%s: %w: %s", c.Party, ErrWanted, s.Why)
	}
	return r, nil
}

// attend asks again and again what it is, until Close.
func (r *Remote) attend(ctx context.Context) {
	defer close(r.done)
	wait := firstAgain
	var once sync.Once
	for {
		if r.look(ctx) {
			wait = askedAgain
		} else if wait == askedAgain {
			wait = firstAgain
		}
		once.Do(func() { close(r.first) })
		select {
		case <-time.After(wait):
		case <-r.doubt:
		case <-ctx.Done():
			return
		}
		if wait < lastAgain {
			wait = min(2*wait, lastAgain)
		}
	}
}

// look asks once what it is, and reports whether it can be asked.
func (r *Remote) look(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	what, err := r.service.Describe(ctx, &adapterv1.DescribeRequest{})
	if err != nil {
		err, _ := judged(ctx, err)
		r.mu.Lock()
		defer r.mu.Unlock()
		if adapters.Reason(err) == adapters.ReasonNotAuthorised {
			r.enter(Refused, "it does not let this gateway in")
			r.describe = nil
		} else if r.describe == nil {
			r.enter(Starting, "nobody answers as it should at "+r.config.Address)
		} // one that was ready stays so: what is wrong now is said to who asks
		return r.describe != nil
	}
	err = wellDescribed(what)
	if err == nil {
		err = r.config.Wants.held(what)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.describe = nil
		r.enter(Refused, err.Error())
		return false
	}
	r.describe = what
	r.gate.admits(what.GetLimits())
	r.enter(Ready, "")
	return true
}

// enter is under mu.
func (r *Remote) enter(state State, why string) {
	if r.state == state && r.why == why {
		return
	}
	r.state, r.why, r.since = state, why, time.Now()
	_, _ = fmt.Fprintf(r.log, "ontschot: %s: adapter at %s: %s %s\n", r.config.Party, r.config.Address, state, why)
}

// Fetch asks the adapter about one person, as Process.Fetch does.
func (r *Remote) Fetch(ctx context.Context, question *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	return r.gate.pass(ctx, func(ctx context.Context) (*budgetv1.FetchResponse, error) {
		r.mu.Lock()
		a := asked{r.config.Party, r.describe}
		r.mu.Unlock()
		if a.describe == nil {
			return nil, adapters.Unavailable()
		}
		q := a.narrowed(question)
		answer, err := r.service.Fetch(ctx, q)
		if err != nil {
			err, silent := judged(ctx, err)
			if silent || adapters.Reason(err) == adapters.ReasonNotAuthorised {
				select {
				case r.doubt <- struct{}{}:
				default:
				}
			}
			return nil, err
		}
		return answer, a.check(q, answer)
	})
}

// Probe has the adapter reach its system, as Process.Probe does.
func (r *Remote) Probe(ctx context.Context) error { return probe(ctx, r.service) }

// Status is how it stands.
func (r *Remote) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Status{
		Party: r.config.Party, Place: r.config.Address, State: r.state, Since: r.since, Why: r.why,
		Calls: r.gate.calls.Load(), Failed: r.gate.failed.Load(), InFlight: r.gate.inFlight(),
	}
	if r.describe != nil {
		s.Describe = proto.CloneOf(r.describe)
	}
	if s.State == Ready && r.gate.open() {
		s.State, s.Why = Degraded, "its source was down a moment ago"
	}
	return s
}

// Close ends asking. It may be called twice.
func (r *Remote) Close() {
	r.stop()
	<-r.done
	_ = r.log.Flush()
}
