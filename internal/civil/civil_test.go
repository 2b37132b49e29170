package civil

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for _, bad := range []string{"", "2025-02-29", "2025-2-01", "25-02-2025", "2025-02-30", "1849-12-31", "2300-01-01", "2025-01-01 "} {
		_, err := Parse(bad)
		require.ErrorIs(t, err, ErrDate, bad)
	}
	d, err := ParseCompact("20240229")
	require.NoError(t, err)
	require.Equal(t, "2024-02-29", d.String())
	require.Equal(t, "29-02-2024", d.Dutch())
	e, err := ParseDutch("29-02-2024")
	require.NoError(t, err)
	require.Equal(t, d, e)
	require.Equal(t, "20240229", d.Compact())
}

func TestEveryDayOfFourCenturiesFollowsTheOneBefore(t *testing.T) {
	for d := MustParse("1900-01-01"); d < MustParse("2299-12-31"); d++ {
		want := time.Date(d.Year(), d.Month(), d.Day()+1, 0, 0, 0, 0, time.UTC).Format(iso)
		require.Equal(t, want, (d + 1).String())
	}
}

func TestTodayIsAmsterdam(t *testing.T) {
	require.Equal(t, "2025-07-01", Today(time.Date(2025, 6, 30, 22, 0, 0, 0, time.UTC)).String(), "summer: two hours ahead")
	require.Equal(t, "2025-12-31", Today(time.Date(2025, 12, 31, 22, 59, 59, 0, time.UTC)).String())
}

func TestBirthdayAndMonths(t *testing.T) {
	require.Equal(t, "2022-03-01", MustParse("2004-02-29").Birthday(18).String())
	require.Equal(t, "2025-02-28", MustParse("2025-01-31").AddMonths(1).String())
	require.Equal(t, "2023-12-15", MustParse("2025-01-15").AddMonths(-13).String())
	require.Equal(t, Forever.String(), "2299-12-31")
}

func TestSpan(t *testing.T) {
	s := Span{From: MustParse("2025-01-01")}
	both, ok := s.Overlap(Span{From: MustParse("2024-01-01"), To: MustParse("2025-01-31")})
	require.True(t, ok)
	require.Equal(t, 31, both.Days())
	_, ok = s.Overlap(Span{From: MustParse("2024-01-01"), To: MustParse("2024-12-31")})
	require.False(t, ok)
}

func FuzzParse(f *testing.F) {
	f.Add("2025-01-01")
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := Parse(s); err == nil && d.String() != s {
			t.Fatalf("%q came back as %q", s, d)
		}
	})
}
