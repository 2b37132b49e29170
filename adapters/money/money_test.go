package money_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/money"
)

func TestEuros(t *testing.T) {
	for text, want := range map[string]int64{
		"1500,00": 150000, "1.500,00": 150000, "1500": 150000, "1.500": 150000, "1500.00": 150000, "1500.5": 150050,
		"0,01": 1, "0": 0, "1.234.567,89": 123456789, "12,5": 1250, " 7,00 ": 700,
		"1000000000,00": money.Most,
	} {
		got, err := money.Dutch.Euros(money.Number{Text: text})
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", ",", "1,", "1500,000", "150.125,000", "1.5000", ",50", "1,005", "-1,00", "1.50.000", "1500.000,00", "1,5,0", "€ 5", "1e3", "0x10", "1/2",
		"1.5.5", "1..5", "1000000000,01", "٣", "99999999999999999999999999999999999",
	} {
		_, err := money.Dutch.Euros(money.Number{Text: text})
		require.ErrorIs(t, err, money.ErrEuros, text)
	}
}

func TestCents(t *testing.T) {
	got, err := money.Cents("0001248000")
	require.NoError(t, err)
	require.Equal(t, int64(1248000), got)
	for _, text := range []string{"", "12,50", "12.50", "-1", "1e2", "100000000001", "1 0"} {
		_, err := money.Cents(text)
		require.ErrorIs(t, err, money.ErrCents, text)
	}
}

func TestVolume(t *testing.T) {
	for text, want := range map[string]string{"300": "300", "1,5": "1.5", "2.50": "2.5", "7,0": "7", "0,0001": "0.0001", "0": "0"} {
		got, err := money.Dutch.Volume(money.Number{Text: text})
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"0,00001", "1000000000", "x", "", "12.375", "0.125", "1500.125", "12.3456789"} {
		_, err := money.Dutch.Volume(money.Number{Text: text})
		require.ErrorIs(t, err, money.ErrVolume, text)
	}
}

func TestTextKeepsNumbersAsTheyStand(t *testing.T) {
	var v struct {
		A, B, C, D money.Text
	}
	require.NoError(t, json.Unmarshal([]byte(`{"A": 100000000.10, "B": "007", "C": null}`), &v))
	require.Equal(t, []money.Text{"100000000.10", "007", "", ""}, []money.Text{v.A, v.B, v.C, v.D})
	for _, bad := range []string{`{"A": {}}`, `{"A": [1]}`, `{"A": true}`} {
		require.Error(t, json.Unmarshal([]byte(bad), &v))
	}
}

// In a JSON number the point is decimal, whatever the style of the source.
func TestJSONNumbers(t *testing.T) {
	for _, style := range []money.Style{"", money.Dutch, money.Point} {
		for text, want := range map[string]int64{"12.5": 1250, "48.0": 4800, "1500": 150000, "0.07": 7, "1.25E3": 125000, "1e1": 1000} {
			got, err := style.Euros(money.Number{Text: text, JSON: true})
			require.NoError(t, err, text)
			require.Equal(t, want, got, text)
		}
		for _, text := range []string{"150.125", "1.500", "-1", "1e99", "1e-3", "1,5", "1e9999999999999999999"} {
			_, err := style.Euros(money.Number{Text: text, JSON: true})
			require.ErrorIs(t, err, money.ErrEuros, text)
		}
		got, err := style.Volume(money.Number{Text: "7.125", JSON: true})
		require.NoError(t, err)
		require.Equal(t, "7.125", got)
	}
}

func TestPointStyle(t *testing.T) {
	got, err := money.Point.Volume(money.Number{Text: "12.375"})
	require.NoError(t, err)
	require.Equal(t, "12.375", got)
	for _, text := range []string{"12,5", "1,234.5", "1.234.5", "1.234,5"} {
		_, err := money.Point.Volume(money.Number{Text: text})
		require.ErrorIs(t, err, money.ErrVolume, text)
	}
	require.True(t, money.Point.Known())
	require.False(t, money.Style("us").Known())
}

func TestWholeCents(t *testing.T) {
	for text, want := range map[string]int64{"2100": 2100, "2100.0": 2100, "2100.000": 2100} {
		cents, err := money.WholeCents(money.Number{Text: text, JSON: true})
		require.NoError(t, err, text)
		require.Equal(t, want, cents, text)
	}
	for _, text := range []string{"2100.5", "2100.", ".0", "1e3", "-1", "2,0"} {
		_, err := money.WholeCents(money.Number{Text: text, JSON: true})
		require.ErrorIs(t, err, money.ErrCents, text)
	}
	_, err := money.WholeCents(money.Number{Text: "2100.0"})
	require.ErrorIs(t, err, money.ErrCents, "in a text nobody knows what the point means")
}

func FuzzEuros(f *testing.F) {
	for _, seed := range []string{"1500,00", "1.500,00", "1500.5", "1.500", "0,01", "-1", "1,2,3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cents, err := money.Dutch.Euros(money.Number{Text: text})
		if err == nil {
			require.GreaterOrEqual(t, cents, int64(0))
			require.LessOrEqual(t, cents, int64(money.Most))
		}
		if volume, err := money.Dutch.Volume(money.Number{Text: text}); err == nil {
			require.Regexp(t, `^[0-9]{1,9}([.][0-9]{1,4})?$`, volume, "as the message allows")
		}
	})
}
