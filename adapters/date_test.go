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

func TestDaysAsSystemsSendThem(t *testing.T) {
	for _, c := range []struct {
		form       adapters.DateForm
		text, want string
	}{
		{"", "2025-01-01T00:00:00", "2025-01-01"},
		{"", "2025-01-01T00:00:00.000", "2025-01-01"},
		{"", "2025-01-01T00:00", "2025-01-01"},
		{"", "2024-12-31T23:00:00Z", "2025-01-01"},
		{"", "2025-06-30T22:00:00Z", "2025-07-01"},
		{"", "2025-06-30T21:59:59.999Z", "2025-06-30"},
		{"", "2025-01-01T00:00:00+01:00", "2025-01-01"},
		{"", "2025-01-01T00:00:00+05:00", "2024-12-31"},
		{"", "2025-01-01T00:00:00Z", "2025-01-01"},
		{adapters.DateCompact, "20250101", "2025-01-01"},
		{adapters.DateDutch, "01-02-2025", "2025-02-01"},
		{"", "2025-01-01T12:00:00", ""}, {"", "2025-01-01T", ""}, {"", "2025-02-30T00:00:00", ""}, {"", "2025-02-30T00:00:00Z", ""},
		{"", "01-01-2025", ""}, {"", "20250101", ""}, {"", "2025-01-00", ""}, {adapters.DateCompact, "20250100", ""}, {"", "", ""},
	} {
		d, err := c.form.Day(c.text)
		require.Equal(t, c.want == "", err != nil, c.text)
		require.Equal(t, c.want, d.String(), c.text)
	}
}

func TestEndsThatMeanThatThereIsNone(t *testing.T) {
	for _, c := range []struct{ form, open adapters.DateForm }{
		{"", "9999-12-31"}, {"", "9999-12-31T00:00:00"}, {"", "2999-12-31"}, {"", "8888-12-31"}, {"", "9999-12-30"},
		{"", "0001-01-01"}, {"", "0001-01-01T00:00:00Z"}, {"", "0000-00-00"}, {"", ""},
		{adapters.DateCompact, "99991230"}, {adapters.DateCompact, "88881231"}, {adapters.DateCompact, "00000000"},
		{adapters.DateDutch, "31-12-9999"}, {adapters.DateDutch, "31-12-2999"}, {adapters.DateDutch, "01-01-0001"},
	} {
		from := map[adapters.DateForm]string{"": "2025-01-01", adapters.DateCompact: "20250101", adapters.DateDutch: "01-01-2025"}[c.form]
		s, err := adapters.Dates{From: from, To: string(c.open), Form: c.form}.Span(adapters.Cursor{})
		require.NoError(t, err, c.open)
		require.Zero(t, s.To, c.open)
		_, err = adapters.Dates{From: string(c.open), Form: c.form}.Span(adapters.Cursor{})
		require.Error(t, err, "a right that begins never: %s", c.open)
	}
}

func TestLapsedIsForTheAdapterToJudge(t *testing.T) {
	d, err := adapters.Dates{From: "2025-03-01", To: "2025-02-28"}.Read(adapters.Cursor{})
	require.NoError(t, err)
	require.True(t, d.Lapsed())
	_, err = adapters.Dates{From: "2025-03-01", To: "2025-02-28"}.Span(adapters.Cursor{})
	require.Error(t, err)
	for _, d := range []adapters.Days{{}, days("2025-03-01", ""), days("x", "2025-02-28"), days("2025-03-01", "2025-03-01")} {
		require.False(t, d.Lapsed())
	}
}
