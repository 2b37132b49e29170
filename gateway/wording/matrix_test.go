package wording

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/policies"
)

func TestMatrix(t *testing.T) {
	m, err := ReadMatrix(policies.FS)
	require.NoError(t, err)
	const compose = "integral_budget.compose"
	require.Equal(t, []string{
		"amount", "entitlement", "income", "own_contribution", "period", "product", "quantity", "reference", "spending",
	}, m.Categories(compose))
	require.Empty(t, m.Categories("fraud.detect"))
}

func TestAFolderWithoutAMatrixIsRefused(t *testing.T) {
	_, err := ReadMatrix(fstest.MapFS{})
	require.ErrorIs(t, err, ErrTable)
	_, err = ReadMatrix(fstest.MapFS{"rules/matrix/x/data.yaml": {Data: []byte("sourcs: {}")}})
	require.ErrorIs(t, err, ErrTable)
}
