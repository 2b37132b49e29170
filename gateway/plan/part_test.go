package plan

import (
	"math"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestHours(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "40": 4000, "12.5": 1250, "7.25": 725, "999.99": 99999, "007": 700} {
		got, ok := hours(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", ".", ".5", "5.", "1000", "1.234", "-1", "+1", "1,5", "1e2", " 1", "１"} {
		_, ok := hours(text)
		require.False(t, ok, text)
	}
}

// FuzzHours: read exactly what plan.proto allows, and nothing else.
func FuzzHours(f *testing.F) {
	for _, text := range []string{"", "40", "12.5", "5.", "1e2", "-0"} {
		f.Add(text)
	}
	allowed := regexp.MustCompile(`^[0-9]{1,3}([.][0-9]{1,2})?$`)
	f.Fuzz(func(t *testing.T, text string) {
		n, ok := hours(text)
		require.Equal(t, allowed.MatchString(text) && text[len(text)-1] != '\n', ok)
		require.GreaterOrEqual(t, n, 0)
	})
}

func TestDivide(t *testing.T) {
	require.Equal(t, []int64{34, 33, 33}, divide(100, []int64{1, 1, 1}))
	require.Equal(t, []int64{0, 1, 2}, divide(3, []int64{0, 1, 2}))
	require.Equal(t, []int64{1, 1, 0}, divide(2, []int64{0, 0, 0}))
	require.Empty(t, divide(5, nil))
	require.Equal(t, []int64{1, 0}, divide(1, []int64{math.MaxInt64, math.MaxInt64}))
	rapid.Check(t, func(t *rapid.T) {
		cents := rapid.Int64Range(0, math.MaxInt64).Draw(t, "cents")
		weights := rapid.SliceOfN(rapid.Int64Range(0, maxValue), 1, 20).Draw(t, "weights")
		sum := int64(0)
		for i, part := range divide(cents, weights) {
			require.GreaterOrEqual(t, part, int64(0))
			if weights[i] == 0 && len(weights) > 1 && sumOver(weights) > 0 {
				require.Zero(t, part, "who put nothing in gets nothing out")
			}
			sum += part
		}
		require.Equal(t, cents, sum)
	})
}

func sumOver(weights []int64) (sum int64) {
	for _, w := range weights {
		sum += w
	}
	return sum
}

func TestPlus(t *testing.T) {
	require.Equal(t, int64(math.MaxInt64), plus(math.MaxInt64, 1))
	require.Equal(t, int64(math.MinInt64), plus(math.MinInt64, -1))
	require.Equal(t, int64(-1), plus(2, -3))
}
