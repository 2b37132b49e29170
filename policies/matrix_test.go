package policies

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestMatrix(t *testing.T) {
	m, err := ReadMatrix(FS)
	require.NoError(t, err)
	const compose = "integral_budget.compose"
	require.Equal(t, []string{compose}, m.Purposes())
	require.Equal(t, []string{
		"amount", "entitlement", "income", "own_contribution", "period", "product", "quantity", "reference", "spending",
	}, m.Categories(compose))
	require.Equal(t, []string{"CAK", "CARE_OFFICE", "EDUCATION", "INSURER", "MUNICIPALITY", "SVB", "TRANSPORT", "UWV"}, m.SourceKinds(compose))
	require.Equal(t, []string{"UWV_PROVISION", "WAJONG", "WIA", "WW", "ZW"}, m.Laws(compose, "UWV"))
	require.Equal(t, []string{"WLZ"}, m.Laws(compose, "CARE_OFFICE"))
	require.Equal(t, []string{"WLZ"}, m.Laws(compose, "careoffice"))
	require.Equal(t, []string{"own_contribution", "period"}, m.CellCategories(compose, "CAK", "WLZ"))
	require.Empty(t, m.Laws(compose, "BANK"))
	require.Empty(t, m.Categories("fraud.detect"))
	require.Empty(t, m.CellCategories(compose, "CAK", "JW"))
}

func TestAFolderWithoutAMatrixIsRefused(t *testing.T) {
	_, err := ReadMatrix(fstest.MapFS{})
	require.ErrorIs(t, err, ErrTable)
	_, err = ReadMatrix(fstest.MapFS{"rules/matrix/x/data.yaml": {Data: []byte("sourcs: {}")}})
	require.ErrorIs(t, err, ErrTable)
	_, err = ReadMatrix(fstest.MapFS{"rules/matrix/x/data.yaml": {Data: []byte("sources: {}")}})
	require.ErrorIs(t, err, ErrTable, "no catalog")
}
