package codelist_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/codelist"
)

func TestLabel(t *testing.T) {
	for _, c := range []struct {
		list        codelist.List
		code, label string
		known       bool
	}{
		{codelist.Wmo, "02", "begeleiding", true},
		{codelist.Wmo, "2", codelist.Unknown, false},
		{codelist.Jeugd, "45", "jeugdhulp ambulant", true},
		{codelist.Jeugd, "02", codelist.Unknown, false},
		{codelist.Wlz, "830", "Wlz-zorgprofiel", true},
		{codelist.Wlz, "99", codelist.Unknown, false},
		{codelist.Function, "99", "Wlz, alle functies", true},
		{codelist.Benefit, "WAJ", "Wet arbeidsongeschiktheidsvoorziening jonggehandicapten", true},
		{codelist.Transport, "anything", "leerlingenvervoer", true},
		{"no list", "1", codelist.Unknown, false},
	} {
		label, known := codelist.Label(c.list, c.code)
		require.Equal(t, c.label, label)
		require.Equal(t, c.known, known)
	}
}
