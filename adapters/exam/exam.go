// Package exam answers: is this program an adapter that a gateway can rely on? It asks any
// program, in whatever language, over the wire alone, and knows nothing of how it was made:
// what it says of itself, what it takes for a configuration, what it answers about persons
// who do not exist, and what it does when its source is down, slow or talks nonsense.
package exam

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// ErrConfig means that the exam cannot begin: what it was given is not right.
var ErrConfig = errors.New("exam")

// Config says whom to examine, and with what. One of Command and Address is needed.
type Config struct {
	// Command is the adapter's program with its arguments; it is started as a gateway does.
	Command []string
	// Address is host:port of an adapter at the agency, and TLS how to reach it. What is asked
	// of a process does not apply to it.
	Address string
	TLS     *tls.Config
	// OIN that must be in the certificate at Address; empty: not looked at.
	OIN string
	// JSON and Secrets are the configuration under which a program is examined. It must lead
	// to a source that knows the persons.
	JSON    []byte
	Secrets map[string]string
	// Persons to ask about; nil: nobody, and what needs them does not apply.
	Persons *Persons
	// Manifest names the field in which an adapter says of itself what its manifest does not;
	// empty when it says the same. Described makes one. Nil: there is no manifest.
	Manifest func(*adapterv1.DescribeResponse) (field string)
	// Parallel calls at one moment, and how many the soak takes; zero: 256 and 500.
	Parallel, Soak int
}

// The examination of one adapter.
type examination struct {
	Config
	ears    *ears
	what    *adapterv1.DescribeResponse // nil until it has answered
	started time.Duration               // from start to Describe
	main    *target                     // configured; made anew when it is gone
	runs    []*child                    // every process that was started as a gateway does
	lines   *lines                      // between it and its source; nil when there is no way in between
	first   map[string]told             // the first answer about each person
	slow    []error                     // what came of calls that the source did not answer
	done    map[string]Result
	figures Figures
}

// told is what came of a question.
type told struct {
	answer *answer
	err    error
}

// Run examines. An adapter that fails is no error: the report says so. Errors: ErrConfig, and
// that of a context that ended.
func Run(ctx context.Context, c Config) (*Report, error) {
	if (len(c.Command) > 0) == (c.Address != "") || c.Address != "" && c.TLS == nil {
		return nil, fmt.Errorf("%w: a program, or an address with certificates, is needed", ErrConfig)
	}
	all, err := readChecks()
	if err != nil {
		return nil, err
	}
	x := &examination{Config: c, first: map[string]told{}, done: map[string]Result{}}
	if x.Parallel == 0 {
		x.Parallel = 256
	}
	if x.Soak == 0 {
		x.Soak = 500
	}
	x.ears = newEars(c.Persons, c.Secrets)
	defer x.end()
	for _, now := range checks() {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		x.done[now.id] = x.take(ctx, now, all[now.id])
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return x.report(all), nil
}

// take makes one check.
func (x *examination) take(ctx context.Context, c check, words words) Result {
	r := Result{words: words}
	if why := x.lacks(c.needs); why != nil {
		r.Outcome, r.Seen = NotApplicable, *why
		return r
	}
	if by := x.blockedBy(c.after); by != "" {
		r.Outcome, r.Seen = NotReached, text("eerst moet in orde zijn: %s", "first to be repaired: %s", by)
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, longestCheck)
	defer cancel()
	begun := time.Now()
	r.Outcome, r.Seen = Passed, Text{}
	if found := c.run(ctx, x); found != nil {
		r.Outcome, r.Seen = found.outcome, x.ears.cleaned(found.seen)
	}
	r.Milliseconds = time.Since(begun).Milliseconds()
	return r
}

// longestCheck bounds one check.
const longestCheck = 2 * time.Minute

// blockedBy names the first check that must pass before another and did not.
func (x *examination) blockedBy(ids []string) string {
	for _, id := range ids {
		switch r := x.done[id]; r.Outcome {
		case Failed:
			return id
		case NotReached:
			if by := x.blockedBy(after(id)); by != "" {
				return by
			}
		}
	}
	return ""
}

func after(id string) []string {
	all := checks()
	if i := slices.IndexFunc(all, func(c check) bool { return c.id == id }); i >= 0 {
		return all[i].after
	}
	return nil
}

func (x *examination) end() {
	if x.main != nil {
		x.main.close()
	}
	if x.lines != nil {
		x.lines.close()
	}
}

func (x *examination) report(all map[string]words) *Report {
	r := &Report{Adapter: x.what.GetId(), Version: x.what.GetVersion(), Figures: x.figures}
	r.Target = x.Address
	if len(x.Command) > 0 {
		r.Target = x.Command[0]
	}
	r.Adapter, r.Version, r.Target = x.ears.clean(r.Adapter), x.ears.clean(r.Version), x.ears.clean(r.Target)
	ids := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return all[a].at - all[b].at })
	for _, id := range ids {
		r.Results = append(r.Results, x.done[id])
	}
	return r
}
