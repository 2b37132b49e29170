package codelist_test

import (
	"fmt"
	"slices"
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
		{codelist.WlzAward, "99", "Wlz-zorg", true},
		{codelist.WlzAward, "02", codelist.Unknown, false},
		{codelist.WmoAward, "99", "hele pakket", true},
		{codelist.JeugdAward, "99", "hele pakket", true},
		{codelist.Wmo, "99", codelist.Unknown, false},
		{codelist.Wmo, "05", "woondiensten", true},
		{codelist.Wmo, "10", "overige maatwerkarrangementen", true},
		{codelist.JeugdAward, "35", "pleegzorg", true},
		{codelist.CareOffice, "5503", "zorgkantoorregio", true},
		{codelist.CareOffice, "5522", codelist.Unknown, false},
		{codelist.Benefit, "WAJ", "Wet arbeidsongeschiktheidsvoorziening jonggehandicapten", true},
		{codelist.Transport, "anything", "leerlingenvervoer", true},
		{"no list", "1", codelist.Unknown, false},
	} {
		label, known := codelist.Label(c.list, c.code)
		require.Equal(t, c.label, label)
		require.Equal(t, c.known, known)
	}
}

// Which codes the lists have, whole: iWmo and iJw 3.0, iPgb 2.1.
func TestListsAreWhole(t *testing.T) {
	for list, ranges := range map[codelist.List][][2]int{
		codelist.Wmo: {{1, 18}}, codelist.Jeugd: {{31, 38}, {40, 55}},
		codelist.WmoAward: {{1, 18}, {99, 99}}, codelist.JeugdAward: {{31, 38}, {40, 55}, {99, 99}}, codelist.WlzAward: {{99, 99}},
		codelist.Unit: {{1, 1}, {4, 4}, {14, 14}, {16, 16}, {21, 21}, {81, 84}},
	} {
		for code := range 100 {
			listed := slices.ContainsFunc(ranges, func(r [2]int) bool { return code >= r[0] && code <= r[1] })
			_, known := codelist.Label(list, fmt.Sprintf("%02d", code))
			require.Equal(t, listed, known, "%s %02d", list, code)
		}
	}
}

func TestCodesAreWrittenAsTheirListDoes(t *testing.T) {
	for _, c := range []struct {
		list     codelist.List
		from, to string
	}{
		{codelist.Wmo, "7", "07"}, {codelist.Wmo, "07", "07"}, {codelist.JeugdAward, "045", "45"}, {codelist.Wmo, "107", "107"},
		{codelist.Wmo, "", ""}, {codelist.Wmo, "-7", "-7"}, {codelist.Wmo, "+7", "+7"}, {codelist.Wmo, "7a", "7a"},
		{codelist.Unit, "4", "04"}, {codelist.Frequency, "02", "2"}, {codelist.Transport, "7", "7"}, {codelist.Wlz, "7", "7"},
	} {
		require.Equal(t, c.to, codelist.Code(c.list, c.from), "%s %s", c.list, c.from)
	}
}
