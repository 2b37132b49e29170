package federation_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A question through both gateways comes out, and stands in both logs under one trace.
func TestAQuestionBetweenTwoGateways(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	b := w.composed(p)
	require.Empty(t, gaps(b))
	require.Len(t, b.GetLines(), 1)
	w.asker.verify()
	w.source.verify()
	require.Equal(t, w.asker.record.last().Trace, w.source.record.last().Trace)
}
