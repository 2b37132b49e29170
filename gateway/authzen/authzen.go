// Package authzen answers: what would the policy say of facts that somebody brings? It
// speaks the Authorization API 1.0 of OpenID AuthZEN over HTTPS. It looks nobody up and
// releases nothing, so that nobody learns from it what a person said or a party signed.
package authzen

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/wording"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Texts words a decision.
type Texts interface {
	Reason(code, lang string) (wording.Reason, bool)
	Way(way []*budgetv1.WayToYes, reader, lang string, params map[string]string) string
	Article(code string) string
}

// Edge maps errors to what a caller gets, and records calls that panic.
type Edge interface {
	Unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error)
}

// Config of a Point. Every field is required.
type Config struct {
	Admission *admission.Admission
	Policy    *policy.Rules
	Texts     Texts
	Edge      Edge
	Now       func() time.Time
	Log       *slog.Logger // request log; holds no personal data
}

// mostPerMinute bounds how many evaluations one client of the token issuer may ask for in
// a minute.
const mostPerMinute = 6000

// Point is the policy decision point. It is safe for concurrent use.
type Point struct {
	Config
	rates admission.Rates
	mu    sync.Mutex
	of    *policy.Engine // the revision in force that apart is of
	apart *policy.Engine
}

// New makes a Point.
func New(c Config) *Point { return &Point{Config: c} }

// engine is the revision in force, with caches of its own.
func (p *Point) engine() *policy.Engine {
	now := p.Policy.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of != now {
		p.of, p.apart = now, now.Apart()
	}
	return p.apart
}

// admit checks certificate, token and role.
func (p *Point) admit(ctx context.Context) (client string, err error) {
	call, err := p.Admission.Admit(ctx, admission.Door{Purpose: ontschotv1.PurposeEvaluatePolicy, Operation: ontschotv1.OperationEvaluatePolicy}, &emptypb.Empty{})
	return call.Caller().Client(), err
}

// count counts evaluations of one client. Errors: admission.ErrEvaluated.
func (p *Point) count(client string, evaluations int) error {
	for range evaluations {
		if !p.rates.Take(client, mostPerMinute, p.Now().Unix()/60) {
			return admission.ErrEvaluated
		}
	}
	return nil
}

// decide judges one request of either contract, by an engine.
func (p *Point) decide(ctx context.Context, e *policy.Engine, q request) (answer, error) {
	if q.contract() == policy.ContractOperation {
		raw, err := q.work()
		if err != nil {
			return answer{}, err
		}
		w, err := policy.ParseWork(raw)
		if err != nil {
			return answer{}, invalid(err)
		}
		o, way := e.EvaluateWork(ctx, w)
		return p.answer(e, o, way), nil
	}
	in, err := policy.ParseInput(q.raw())
	if err != nil {
		return answer{}, invalid(err)
	}
	if where := ofAPerson(in); where != "" {
		return answer{}, admission.Invalid(where, "looks like a burgerservicenummer; bring a reference that is none")
	}
	return p.answer(e, e.Evaluate(ctx, in), e.Way(ctx, in)), nil
}

// invalid says what is wrong with a request; the message of ErrInput never holds a value.
func invalid(err error) error { return admission.Invalid("evaluation", "%s", err.Error()) }
