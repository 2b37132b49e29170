package gateway

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/evidence"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// AssembleBudget answers a municipal system: one integrated budget for the persons
// it names. Each stage needs what the stage before has proven; none can be left out.
func (g *Gateway) AssembleBudget(req *ontschotv1.AssembleBudgetRequest, stream grpc.ServerStreamingServer[ontschotv1.AssembleBudgetResponse]) error {
	ctx, cancel := shave(stream.Context())
	defer cancel()
	decision, err := g.decide(ctx, req)
	if err != nil {
		return err
	}
	done := progress{to: stream}
	answers := g.ask(ctx, decision, done.heard)     // 6 in parallel, each under a deadline, minimised before it leaves its goroutine
	total, err := g.release(ctx, decision, answers) // 7 assembled  8 released in the record, if all it rests on still holds  9 signed
	done.end()
	if err != nil {
		return err
	}
	if err := stream.Send(&ontschotv1.AssembleBudgetResponse{Event: &ontschotv1.AssembleBudgetResponse_Budget{Budget: total}}); err != nil {
		return fmt.Errorf("%w: %w", context.Canceled, err)
	}
	return nil
}

// decide checks a request, one person at one source at a time. A check that fails is a
// gap in the answer, also when all do; who may ask nothing at all is refused.
func (g *Gateway) decide(ctx context.Context, req *ontschotv1.AssembleBudgetRequest) (decision, error) {
	d := decision{trace: admission.Trace(ctx), rules: g.Policy.Now(), today: g.Today(), keys: g.Keys.Generation()} //   by which all of it is judged
	var err error
	if d.call, err = g.Admission.Admit(ctx, admission.Door{Purpose: req.GetPurpose()}, req); err != nil { // 1 who asks, and for what? asked before?
		return decision{}, err
	}
	if d.request, err = g.read(req); err != nil { //   identifiers taken out of the message
		return decision{}, err
	}
	if err := g.judge(ctx, &d); err != nil {
		return decision{}, err
	}
	if err := g.recordDecision(ctx, &d); err != nil { // 5 recorded, denials too, before anybody is asked
		return decision{}, err
	}
	return d, d.refused
}

// judge decides by what counts at this moment.
func (g *Gateway) judge(ctx context.Context, d *decision) error {
	counts := g.Evidence.For(d.caller(), d.request.purpose, d.today)
	d.judged, d.pairs = counts.Size(), nil
	for _, ask := range d.request.asks {
		agreed, notAgreed := counts.Agreement(ctx, ask.source)                // 2 have the parties agreed?
		yes, no := counts.Consent(ctx, ask.person.subject(), ask.source)      // 3 did the person say yes?
		if err := evidence.Unreadable(notAgreed, no, ctx.Err()); err != nil { //   cannot be looked at: that is no answer
			return err
		}
		access := g.access(*d, ask)
		access.Agreement, access.NotAgreed, access.Consent, access.NotConsented = agreed, notAgreed, yes, no
		grant, refusals := g.mayPass(ctx, *d, ask, access) // 4 what may pass, and why?
		d.pairs = append(d.pairs, pair{ask: ask, grant: grant, refusals: refusals, unasked: g.notAsked(d, ask, grant)})
	}
	d.refused = g.mayAsk(ctx, *d)
	return nil
}
