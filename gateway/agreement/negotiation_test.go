package agreement_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
)

// Each act has exactly one stage at which it can be done.
func TestEachActHasOneStage(t *testing.T) {
	all := []agreement.Stage{agreement.Open, agreement.Agreed, agreement.Closed, agreement.Ended}
	for act, at := range map[string]agreement.Stage{agreement.ToAccept: agreement.Open, agreement.Reject: agreement.Open, agreement.Revoke: agreement.Agreed} {
		for _, s := range all {
			if s == at {
				require.NoError(t, s.Can(act), "%s at %d", act, s)
			} else {
				require.Error(t, s.Can(act), "%s at %d", act, s)
			}
		}
	}
	require.Error(t, agreement.Open.Can("ponder"))
}
