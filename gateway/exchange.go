package gateway

import (
	"context"

	"google.golang.org/grpc"

	"github.com/ontschot/ontschot/gateway/policy"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// AssembleBudget answers a municipal system: one integrated budget for the persons
// it names. Each stage needs what the stage before has proven; none can be left out.
func (g *Gateway) AssembleBudget(req *ontschotv1.AssembleBudgetRequest, stream grpc.ServerStreamingServer[ontschotv1.AssembleBudgetResponse]) error {
	ctx, cancel := g.shave(stream.Context())
	defer cancel()
	decision, err := g.decide(ctx, req)
	if err != nil {
		return g.refuse(ctx, err)
	}
	answers := g.ask(ctx, decision, progress(stream)) // 6 in parallel, each under a deadline, minimised before it leaves its goroutine
	total, err := g.release(ctx, decision, answers)   // 7 assembled  8 released in the record, if all it rests on still holds  9 signed
	if err != nil {
		return g.refuse(ctx, err)
	}
	return stream.Send(&ontschotv1.AssembleBudgetResponse{Event: &ontschotv1.AssembleBudgetResponse_Budget{Budget: total}})
}

// decide takes a question past the locks, one person at one source at a time. A
// lock that stays shut is a gap in the answer, also when all do; who may ask nothing
// at all is refused.
func (g *Gateway) decide(ctx context.Context, req *ontschotv1.AssembleBudgetRequest) (decision, error) {
	today, keys := g.Today(), g.Keys.Generation()  //   by which all of it is judged
	caller, err := g.caller(ctx, req.GetPurpose()) // 1 who asks, and for what?
	if err != nil {
		return decision{}, err
	}
	once, err := g.once(ctx, caller, "AssembleBudget", req) //   asked before?
	if err != nil {
		return decision{}, err
	}
	asked, err := g.read(req) //   well formed; identifiers lifted out of the message
	if err != nil {
		return decision{}, err
	}
	d := decision{trace: traceOf(ctx), caller: caller, question: asked, once: once, today: today, keys: keys}
	if err := g.judge(ctx, &d); err != nil {
		return decision{}, err
	}
	if err := g.recordDecision(ctx, &d); err != nil { // 5 recorded, denials too, before anybody is asked
		return decision{}, err
	}
	return d, d.refused
}

// judge takes a question past the locks, by what counts at this moment.
func (g *Gateway) judge(ctx context.Context, d *decision) error {
	documents := g.lookup(d.caller, d.question.purpose, d.today)
	d.judged, d.pairs = documents.register.Size(), nil
	for _, ask := range d.question.asks {
		agreed, notAgreed := documents.agreed(ctx, ask) // 2 have the parties agreed?
		yes, no := documents.consented(ctx, ask)        // 3 did the person say yes?
		if err := unreadable(notAgreed, no, ctx.Err()); err != nil {
			return err // a lock that cannot be looked at is not a lock that is shut
		}
		grant, refusals := g.Policy.Decide(ctx, policy.Question{ // 4 what may pass, and why?
			Caller: d.caller, Purpose: d.question.purpose, Subject: g.pseudonym(ask.person, d.question.purpose), Today: d.today,
			Requester: g.Own, RequesterKind: g.own.Kind, Source: ask.source.OIN, SourceKind: ask.source.Kind, Laws: ask.source.Laws,
			Agreement: agreed, NotAgreed: notAgreed, Consent: yes, NotConsented: no,
		})
		d.pairs = append(d.pairs, pair{ask, grant, refusals})
	}
	d.refused = g.mayAsk(ctx, *d)
	return nil
}
