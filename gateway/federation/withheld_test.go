package federation

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// However many checks said no, what is said of it keeps to the contract of an answer.
func TestCodesOfWhatIsWithheldFit(t *testing.T) {
	for code, want := range map[string]int{"ROL-01": 6, strings.TrimSpace(strings.Repeat("ROL-01 ", 20)): 62, strings.Repeat("x", 65): 0, "": 0} {
		require.Len(t, withheld([]*budgetv1.Gap{{Reason: "POLICY_DENIED", Code: code}})[0].GetCode(), want)
	}
}
