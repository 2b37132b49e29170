package host

import (
	"context"
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/handshake"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Fetch asks the adapter about one person. It never takes longer than ctx
// allows. Its errors carry an ErrorInfo of adapters.Domain; a process that dies
// or freezes is the source being unavailable or late, and the next call finds a
// new one. An answer that breaks the rules of the message, or speaks for another
// party, is BAD_DATA_AT_SOURCE.
func (p *Process) Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	return p.gate.pass(ctx, func(ctx context.Context) (*budgetv1.FetchResponse, error) {
		c, err := p.ready(ctx)
		if err != nil {
			return nil, err
		}
		defer c.calls.Done()
		a := asked{p.party, c.describe}
		q := a.narrowed(r)
		answer, err := c.service.Fetch(ctx, q)
		if err != nil {
			return nil, p.judge(ctx, c, err)
		}
		if err := a.check(q, answer); err != nil {
			return nil, err
		}
		return answer, nil
	})
}

// Probe has the adapter reach its system about nobody who exists. Its errors are those of
// Fetch, or UNIMPLEMENTED when the adapter does not offer it.
func (p *Process) Probe(ctx context.Context) error {
	c, err := p.ready(ctx)
	if err != nil {
		return err
	}
	defer c.calls.Done()
	return probe(ctx, c.service)
}

func probe(ctx context.Context, service adapterv1.AdapterServiceClient) error {
	_, err := service.Probe(ctx, &adapterv1.ProbeRequest{})
	if err == nil || status.Code(err) == codes.Unimplemented {
		return err
	}
	err, _ = judged(ctx, err)
	return err
}

// judge turns the error of a call into the one to return, and looks after a child that did
// not answer.
func (p *Process) judge(ctx context.Context, c *child, err error) error {
	err, silent := judged(ctx, err)
	switch {
	case silent && adapters.Reason(err) == adapters.ReasonSourceUnavailable:
		p.condemn(c)
	case silent && ctx.Err() != context.Canceled: // a caller who hung up says nothing of the adapter
		p.suspect(c)
	}
	return err
}

// judged turns the error of a call into the one to return. What another process says is not
// passed on as it is: a reason and a cause of the closed lists, and a path. silent says that
// it was not the adapter that said so: it is gone, or late.
func judged(ctx context.Context, err error) (_ error, silent bool) {
	code := status.Code(err)
	if reason := adapters.Reason(err); slices.Contains(budgetv1.Faults(), reason) {
		return adapters.Fault(code, reason, detail(err)), false
	}
	switch {
	case ctx.Err() != nil, code == codes.DeadlineExceeded:
		return adapters.Timeout(), true
	case code == codes.ResourceExhausted:
		return adapters.BadData(".", "at most "+strconv.Itoa(handshake.MaxAnswer)+" bytes"), false
	case code == codes.Unavailable, code == codes.Canceled: // canceled by us, as its connection was closed
		return adapters.Unavailable(), true
	default:
		return adapters.Bug(), false
	}
}

// longestPath bounds what an adapter says about where its data was bad.
const longestPath = 256

func detail(err error) map[string]string {
	said := map[string]string{}
	if path := adapters.Path(err); path != "" {
		said["path"] = string(adapters.Mask([]byte(path[:min(len(path), longestPath)])))
	}
	if cause := adapters.Cause(err); cause != "" {
		said["cause"] = cause
	}
	return said
}
