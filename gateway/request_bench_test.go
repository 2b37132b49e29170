package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"
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
