package adapters_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
)

func TestDateHasOneForm(t *testing.T) {
	for form, text := range map[adapters.DateForm]string{
		"": "2024-02-29", adapters.DateISO: "2024-02-29", adapters.DateCompact: "20240229", adapters.DateDutch: "29-02-2024",
	} {
		d, err := form.Parse(text)
		require.NoError(t, err, form)
		require.Equal(t, "2024-02-29", d.String())
		for _, other := range []string{"", "2024-02-30", "29-2-2024", "2024/02/29", " " + text} {
			_, err := form.Parse(other)
			require.Error(t, err, "%s %q", form, other)
		}
	}
	_, err := adapters.DateForm("mm/dd/yyyy").Parse("02/29/2024")
	require.Error(t, err)
}

func TestDatesAreRefusedAtTheirField(t *testing.T) {
	at := adapters.Cursor{}.Field("rights").Item(1).Begin([]byte("{}")).Field("right")
	for _, c := range []struct{ from, to, period, path string }{
		{"2025-01-01", "2025-12-31", "2025-01-01 2025-12-31", ""},
		{"2025-01-01", "2025-01-01", "2025-01-01 2025-01-01", ""},
		{"2025-01-01", "", "2025-01-01 ", ""},
		{"2025-01-01", "9999-12-31", "2025-01-01 ", ""},
		{"", "2025-12-31", "", "/rights/1/right/from"},
		{"2025-02-30", "x", "", "/rights/1/right/from"},
		{"2025-01-01", "2024-12-31", "", "/rights/1/right/to"},
		{"2025-01-01", "999940004", "", "/rights/1/right/to"},
	} {
		p, err := adapters.Dates{From: c.from, To: c.to, FromAt: "from", ToAt: "to"}.Period(at)
		require.Equal(t, c.path, adapters.Path(err), c)
		if c.path != "" {
			require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), c)
			require.NotContains(t, err.Error(), "999940004")
			continue
		}
		require.NoError(t, err, c)
		require.Equal(t, c.period, p.GetStart()+" "+p.GetEnd())
		require.Equal(t, c.to == "2025-01-01" || c.to == "2025-12-31", p.End != nil, "no end is absent, not empty")
	}
	_, err := adapters.Dates{From: "2025"}.Period(at)
	require.Equal(t, "/rights/1/right", adapters.Path(err), "without a field the record is named")
}

func TestCursorKnowsBothWays(t *testing.T) {
	root := adapters.Cursor{}
	require.Equal(t, "/", adapters.Path(root.Bad("an answer")))
	list := root.Field("messages/list")
	record := list.Item(0).Begin([]byte("native"))
	require.Equal(t, adapters.Cursor{Path: "/messages/list", Pointer: "/messages/list"}, list, "no record yet")
	require.Equal(t, adapters.Record{Native: []byte("native"), Type: "award", ID: "1", Pointer: "/budget/2"},
		record.Field("budget").Item(2).Record("award", "1"))
	require.Equal(t, "/messages/list/0/budget/2", adapters.Path(record.Field("budget").Item(2).Bad("an amount")))
	require.Empty(t, record.Pointer, "moving on leaves the cursor where it was")
}
