package door

import (
	"context"
	"net/http"
	"sync/atomic"
)

// Gate is shut when a server begins to end: calls that begin later are refused, on every
// listener, and those under way go on. The zero value is open. It is safe for concurrent use.
type Gate struct{ shut atomic.Bool }

// inTime is in the context of a request over HTTP that came while the gate was open.
type inTime struct{}

// Shut shuts it, for good.
func (g *Gate) Shut() { g.shut.Store(true) }

// Late reports whether a call that begins now comes too late. One that is made for a request over
// HTTP began when that came.
func (g *Gate) Late(ctx context.Context) bool {
	return g.shut.Load() && ctx.Value(inTime{}) == nil
}

// HTTP stands before a handler, which makes calls for its requests, and notes when each came.
func (g *Gate) HTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.shut.Load() {
			r = r.WithContext(context.WithValue(r.Context(), inTime{}, true))
		}
		next.ServeHTTP(w, r)
	})
}
