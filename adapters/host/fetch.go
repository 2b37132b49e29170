package host

import (
	"context"
	"slices"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// longestFetch bounds a call of which the caller set no deadline.
const longestFetch = 15 * time.Second

// Fetch asks the adapter about one person. It never takes longer than ctx
// allows. Its errors carry an ErrorInfo of adapters.Domain; a process that dies
// or freezes is the source being unavailable or late, and the next call finds a
// new one. An answer that breaks the rules of the message, or speaks for another
// party, is BAD_DATA_AT_SOURCE.
func (p *Process) Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, longestFetch)
	defer cancel()
	c, err := p.ready(ctx)
	if err != nil {
		return nil, err
	}
	q := p.narrowed(r)
	answer, err := c.service.Fetch(ctx, q)
	if err != nil {
		return nil, p.judge(ctx, c, err)
	}
	if err := p.check(q, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// narrowed is the request with those identifiers only that the adapter declared to need.
func (p *Process) narrowed(r *budgetv1.FetchRequest) *budgetv1.FetchRequest {
	q := proto.CloneOf(r)
	if q.Proofs != nil { // what gateways show one another
		q.Proofs.Case, q.Proofs.Role, q.Proofs.Assurance, q.Proofs.Permit, q.Proofs.Salt = "", "", "", "", nil
	}
	needs := p.describe.GetIdentifiers()
	ids := q.GetIdentifiers()
	if ids == nil {
		return q
	}
	if !slices.Contains(needs, "bsn") {
		ids.Bsn = ""
		if q.Proofs != nil { // with it the BSN could be found by trying all there are
			q.Proofs.SubjectKey = nil
		}
	}
	if !slices.Contains(needs, "education_number") {
		ids.EducationNumber = ""
	}
	if !slices.Contains(needs, "pass_number") {
		ids.PassNumber = ""
	}
	return q
}

// judge turns the error of a call into the one to return. What another process
// says is not passed on as it is: a reason and a cause of the closed lists, and a path.
func (p *Process) judge(ctx context.Context, c *child, err error) error {
	code := status.Code(err)
	if reason := adapters.Reason(err); slices.Contains(reasons(), reason) {
		return adapters.Fault(code, reason, detail(err))
	}
	switch {
	case ctx.Err() != nil, code == codes.DeadlineExceeded:
		if ctx.Err() != context.Canceled { // a caller who hung up says nothing of the adapter
			p.suspect(c)
		}
		return adapters.Timeout()
	case code == codes.ResourceExhausted:
		return adapters.BadData(".", "at most "+strconv.Itoa(adapters.MaxAnswer)+" bytes")
	case code == codes.Unavailable, code == codes.Canceled: // canceled by us, as its connection was closed
		p.condemn(c)
		return adapters.Unavailable()
	default:
		return adapters.Bug()
	}
}

func reasons() []string {
	return []string{
		adapters.ReasonSubjectNotFound, adapters.ReasonNotAuthorised, adapters.ReasonScopeUnsupported,
		adapters.ReasonSourceUnavailable, adapters.ReasonSourceTimeout, adapters.ReasonBadData,
		adapters.ReasonNotConfigured, adapters.ReasonAdapterBug,
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
