package gateway_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// preparing reports whether the call itself is left out: internal/dev/measure runs these
// tests with it and without, and takes the difference for what the call enters.
func preparing() bool { return os.Getenv("ONTSCHOT_PREPARE_ONLY") == "1" }

func TestJourneyOfARequest(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	h.give(p, "", all("GM0119", "ZK5503")...)
	ctx, ask := h.municipality().call(), h.request([]person{p}, [2]string{"P", "GM0119"}, [2]string{"P", "ZK5503"})
	if preparing() {
		return
	}
	b, err := h.compose(ctx, ask)
	require.NoError(t, err)
	require.True(t, b.GetComplete())
}

func TestJourneyOfAConsent(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	ctx, yes := h.municipality().call(), h.yes(p, "", all("GM0119", "ZK5503")...)
	if preparing() {
		return
	}
	given, err := h.GiveConsent(ctx, proto.CloneOf(yes))
	require.NoError(t, err)
	require.Equal(t, "IN_FORCE", given.GetReceipt().GetStatus())
}
