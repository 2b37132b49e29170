package gateway_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// BenchmarkRequest is a request about two people at four sources that answer from memory.
func BenchmarkRequest(b *testing.B) {
	h := newHouse(b, nil)
	f := h.household()
	ctx := h.municipality().call()
	b.ReportAllocs()
	for b.Loop() {
		_, err := h.compose(ctx, h.about(f))
		require.NoError(b, err)
	}
}

// BenchmarkQuestion is a question about one person at one source.
func BenchmarkQuestion(b *testing.B) {
	h := newHouse(b, nil)
	ctx, r := h.question()
	b.ReportAllocs()
	for b.Loop() {
		_, err := h.compose(ctx, r)
		require.NoError(b, err)
	}
}

// question about one person at one source, and by whom.
func (h *house) question() (context.Context, *ontschotv1.AssembleBudgetRequest) {
	p := h.person("P")
	h.give(p, "", all("ZK5503")...)
	return h.municipality().call(), h.request([]person{p}, [2]string{p.ref, "ZK5503"})
}
