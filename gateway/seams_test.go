package gateway_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/identity"
)

// seams are the places where a gateway asks something of its surroundings: the
// documents, the record, the sources, the texts, the clocks and the caller's stream.
// Between two of them it is alone with what it knows, so to act at each of them is
// to act at every point of a request.
type seams struct{ armed atomic.Pointer[point] }

// point is the k-th seam of a request, from zero.
type point struct {
	k      int64
	act    func()
	passed atomic.Int64
	fired  atomic.Bool
	where  string
}

// arm lets act run at the k-th seam from now on, and at no other.
func (s *seams) arm(k int64, act func()) *point {
	p := &point{k: k, act: act}
	s.armed.Store(p)
	return p
}

func (s *seams) disarm() { s.armed.Store(nil) }

// pass is called at every seam. What the act itself passes comes after the k-th.
func (s *seams) pass(where string) {
	p := s.armed.Load()
	if p == nil || p.passed.Add(1)-1 != p.k {
		return
	}
	p.where = where
	p.act()
	p.fired.Store(true)
}

// seen checks that each of the outcomes came about, so that a test is not empty. With
// few points, as under the race detector, it may not have.
func seen(t testing.TB, counts ...int) {
	t.Helper()
	require.True(t, underRace || !slices.Contains(counts, 0), "of %v none may be zero", counts)
}

// onlyThese checks that things went in each of these ways and in no other.
func onlyThese(t testing.TB, ways []string, went map[string]int) {
	t.Helper()
	require.Subset(t, ways, slices.Collect(maps.Keys(went)))
	require.True(t, underRace || len(went) == len(ways), "%v of %v", went, ways)
}

// lookedUp are the store's, with a seam before and after each look-up.
type lookedUp struct {
	*audit.Log
	seams *seams
}

func (d *lookedUp) Register() register.View {
	d.seams.pass("before the register is read")
	defer d.seams.pass("after the register was read")
	return d.Log.Register()
}

func (d *lookedUp) Document(ctx context.Context, id string) (audit.StoredDocument, error) {
	d.seams.pass("before a document is read")
	defer d.seams.pass("after a document was read")
	return d.Log.Document(ctx, id)
}

func (d *lookedUp) Between(ctx context.Context, kind audit.DocumentKind, a, b identity.OIN) ([]audit.StoredDocument, error) {
	d.seams.pass("before documents are read")
	defer d.seams.pass("after documents were read")
	return d.Log.Between(ctx, kind, a, b)
}

// recorder is the record, with a seam before and after each entry. It remembers
// which releases were recorded for a request, by the trace id that came with it.
type recorder struct {
	*audit.Log
	seams    *seams
	mu       sync.Mutex
	released map[string][]int64
	failed   []audit.Entry // of calls that panicked
	traces   []string      // under which something was recorded
}

func (r *recorder) Append(ctx context.Context, e audit.Entry) (audit.Proof, error) {
	r.seams.pass("before a " + string(e.Kind) + " is recorded")
	proof, err := r.Log.Append(ctx, e)
	if err == nil && e.Kind == audit.Release {
		r.mu.Lock()
		trace := traceparent(ctx)
		r.released[trace] = append(r.released[trace], proof.Index)
		r.mu.Unlock()
	}
	if err == nil {
		r.mu.Lock()
		r.traces = append(r.traces, e.Trace)
		if e.Status == "failed" {
			r.failed = append(r.failed, e)
		}
		r.mu.Unlock()
	}
	r.seams.pass("after a " + string(e.Kind) + " was recorded")
	return proof, err
}

// releases of a request, by their indices.
func (r *recorder) releases(trace string) []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.released[trace]
}

// spoken are the texts, with a seam at each: budgets are worded while they are assembled.
type spoken struct {
	*wording.Texts
	seams *seams
}

func (w *spoken) Gap(reason, lang string, params map[string]string) string {
	w.seams.pass("a gap is worded")
	return w.Texts.Gap(reason, lang, params)
}

func (w *spoken) Finding(code, lang string, params map[string]string) string {
	w.seams.pass("a finding is worded")
	return w.Texts.Finding(code, lang, params)
}

// traceparent is the trace id that a caller sent along.
func traceparent(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	parts := strings.Split(strings.Join(md.Get("traceparent"), ""), "-")
	if len(parts) != 4 {
		return ""
	}
	return parts[1]
}
