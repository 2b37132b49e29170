package admission

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"regexp"
	"runtime/debug"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
)

// trail is what is known of a call while it is under way, so that one that fails half-way
// leaves a trace in the record.
type trail struct {
	trace string // under which its entries are found
	link  string // the trace id that the caller sent along; for the request log alone
	who   identity.OIN
	// caller and purpose, once they are known.
	caller  token.Caller
	purpose string
}

type trailKey struct{}

// Begin gives a call its trail.
func Begin(ctx context.Context) context.Context {
	return context.WithValue(ctx, trailKey{}, &trail{trace: newTrace(), link: linkOf(ctx)})
}

// trailOf is nil where no call is under way, as when the operator's documents are read.
func trailOf(ctx context.Context) *trail {
	t, _ := ctx.Value(trailKey{}).(*trail)
	return t
}

// Known is what may be said of a call from outside: nothing of a person.
type Known struct {
	// Who is the organisation in the certificate of the connection; empty when the call ended
	// before anybody looked, or it names none.
	Who identity.OIN
	// Trace is under which its entries are found, and Link the trace id that the caller sent
	// along; empty: none that counts.
	Trace, Link string
}

// Ended is what came of a call from outside. It holds nothing of a person.
type Ended struct {
	Known
	Code   codes.Code
	Reason string // of the ErrorInfo; empty: none, as of a call that was answered
}

// KnownOf is what is known of a call by now.
func KnownOf(ctx context.Context) Known {
	t := trailOf(ctx)
	if t == nil {
		return Known{}
	}
	return Known{Who: t.who, Trace: t.trace, Link: t.link}
}

// shows notes whose certificate the connection was made with.
func (t *trail) shows(who identity.OIN) {
	if t != nil {
		t.who = who
	}
}

// Logged is a request log whose lines can be found by the trace of the call.
func Logged(ctx context.Context, log *slog.Logger) *slog.Logger {
	if t := trailOf(ctx); t != nil {
		return log.With("trace", t.trace, "link", t.link)
	}
	return log
}

// asks notes who calls and for what.
func (t *trail) asks(caller token.Caller, purpose string) {
	if t != nil {
		t.caller, t.purpose = caller, purpose
	}
}

// Joins makes a call of another gateway part of the exchange that it has the trace id of, so that
// the logs of both share it; and notes who asks and for what, as far as that is known.
func Joins(ctx context.Context, trace string, caller token.Caller, purpose string) {
	if t := trailOf(ctx); t != nil {
		t.trace, t.caller, t.purpose = trace, caller, purpose
	}
}

// Failures writes down calls that panicked.
type Failures struct {
	Own            identity.OIN
	PolicyRevision func() string // in force
	Record         audit.Appender
	Log            *slog.Logger
}

// Failed records a call that panicked. What the panic said is not written down: it may
// hold anything.
func (f Failures) Failed(ctx context.Context, method string, what any) {
	t := trailOf(ctx)
	f.Log.Error("a call panicked", "trace", t.trace, "method", method, "kind", fmt.Sprintf("%T", what), "stack", string(debug.Stack()))
	if err := f.record(ctx, t, method); err != nil {
		f.Log.Error("a failed call is not in the record", "trace", t.trace, "kind", fmt.Sprintf("%T", err))
	}
}

// record writes that a call failed: whose it was and for what, when that is known.
func (f Failures) record(ctx context.Context, t *trail, method string) (err error) {
	defer func() {
		if recover() != nil { // the record itself is what is broken
			err = audit.ErrUnavailable
		}
	}()
	e := audit.Entry{Kind: audit.Admin, Trace: t.trace, Activity: method, Organisations: []identity.OIN{f.Own}, Decision: "failed", Status: "failed"}
	if t.purpose != "" {
		asked := e
		asked.Kind, asked.Activity, asked.PolicyRevision = audit.Deny, t.purpose, f.PolicyRevision()
		if actor := t.caller.Actor(); actor != "" { // it rests on nothing: a delegation may have ended
			asked.Involve(actor)
		}
		if _, err = audit.Append(ctx, f.Record, asked); err == nil {
			return nil
		}
	}
	_, err = audit.Append(ctx, f.Record, e)
	return err
}

// Trace is the trace id of a call. The gateway makes its own always: what a caller
// sends may be anything that fits, a BSN among zeros as well, and the record stores it.
func Trace(ctx context.Context) string {
	if t := trailOf(ctx); t != nil {
		return t.trace
	}
	return newTrace()
}

// newTrace draws until no nine digits stand together: who looks through the logs for
// burgerservicenummers must not find one that is none.
func newTrace() string {
	id := make([]byte, 16)
	for {
		_, _ = rand.Read(id) // never fails (crypto/rand)
		if text := hex.EncodeToString(id); !nineDigits.MatchString(text) {
			return text
		}
	}
}

// IsTrace reports whether a text of another gateway can be a trace id in our record: 32
// hexadecimal digits, and no nine of them that could be a burgerservicenummer.
func IsTrace(text string) bool { return isTrace(text) && !nineDigits.MatchString(text) }

var nineDigits = regexp.MustCompile(`[0-9]{9}`)

// linkOf is the trace id of the traceparent that came with the call, by which a caller's own
// log can be laid beside the request log; empty when there is none that counts.
func linkOf(ctx context.Context) string {
	if parent := Parent(ctx); parent != "" {
		return strings.Split(parent, "-")[1]
	}
	return ""
}

// Parent is a well-formed W3C traceparent of version 00 that came with the call; empty when
// there is none, or two, or when it holds what can be a BSN. Nothing else that comes with a
// call is passed on: no tracestate and no baggage.
func Parent(ctx context.Context) string {
	values := metadata.ValueFromIncomingContext(ctx, "traceparent")
	if len(values) != 1 { // two would be a choice
		return ""
	}
	parts := strings.Split(values[0], "-")
	if len(parts) != 4 || parts[0] != "00" || !isTrace(parts[1]) || !isSpan(parts[2]) || len(parts[3]) != 2 {
		return ""
	}
	if strings.Trim(parts[3], hexadecimal) != "" || identity.HoldsBSN(values[0]) {
		return ""
	}
	return values[0]
}

const hexadecimal = "0123456789abcdef"

// isTrace and isSpan report whether a text is such an id; one of zeros only is none (W3C trace
// context, sections 3.2.2.3 and 3.2.2.4).
func isTrace(s string) bool { return identity.IsTrace(s) && strings.Trim(s, "0") != "" }
func isSpan(s string) bool {
	return len(s) == 16 && strings.Trim(s, hexadecimal) == "" && strings.Trim(s, "0") != ""
}
