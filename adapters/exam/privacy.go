package exam

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// injections are identifiers that are none: each is read as an instruction by something.
func injections() []string {
	return []string{"' OR 1=1--", "1;DROP x", "%27%20--", "$(id)", "`id`", "../../x", "{\"$gt\":0}", "</bsn>", "<!ENTITY", "*)(uid=*", "\x00", "\r\nX: y", "*", "%", "{{7*7}}", "9' or '1"}
}

// injected: an identifier that is none finds nobody, and is not said again.
func injected(ctx context.Context, x *examination) *finding {
	for i, text := range injections() {
		t, f := x.adapter(ctx)
		if f != nil {
			return f
		}
		x.ears.injection(text)
		r, err := t.fetch(ctx, x.question(Numbers{text, text, text}))
		switch {
		case t.gone():
			return fails("het programma stopt bij de %de", "the program ends at number %d", i+1)
		case err != nil && status.Code(err) == codes.Internal:
			return fails("de %de geeft %s", "number %d gives %s", i+1, outcome(err))
		case found(r):
			return fails("de %de geeft regels", "number %d gives lines", i+1)
		case x.ears.count(ofInjection, inError) > 0:
			return fails("de %de staat in de fout", "number %d stands in the error", i+1)
		}
	}
	return nil
}

func found(r *budgetv1.FetchResponse) bool {
	return len(r.GetLines())+len(r.GetHistory())+len(r.GetSpends())+len(r.GetOwnContributions()) > 0
}

// quiet gives the check that no number or name of a person was heard in a sink.
func quiet(sink string) func(context.Context, *examination) *finding {
	return func(_ context.Context, x *examination) *finding {
		if n := x.ears.count(ofPerson, sink); n > 0 {
			return fails("%d keer", "%d times", n)
		}
		return nil
	}
}

// onlyEgress: it connects to the addresses that it names, and no others.
func onlyEgress(ctx context.Context, x *examination) *finding {
	t, f := x.adapter(ctx)
	if f != nil {
		return f
	}
	for range 3 {
		if f := x.crowd(ctx, t, 8, 8); f != nil {
			return f
		}
		for _, to := range peers(t.pid()) {
			if !to.loopback || !x.lines.of(to.port) {
				return fails("een verbinding met poort %d van iets anders", "a connection to port %d of something else", to.port)
			}
		}
	}
	return nil
}
