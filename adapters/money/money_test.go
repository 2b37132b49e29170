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
		"0,01": 1, "0": 0, "1.234.567,89": 123456789, "12,5": 1250, "1500,000": 150000, " 7,00 ": 700,
		"1000000000,00": money.Most,
	} {
		got, err := money.Euros(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", ",", "1,", ",50", "1,005", "-1,00", "1.50.000", "1500.000,00", "1,5,0", "€ 5", "1e3", "0x10", "1/2",
		"1.5.5", "1..5", "1000000000,01", "٣", "99999999999999999999999999999999999",
	} {
		_, err := money.Euros(text)
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
		got, err := money.Volume(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"0,00001", "1000000000", "x", ""} {
		_, err := money.Volume(text)
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

func FuzzEuros(f *testing.F) {
	for _, seed := range []string{"1500,00", "1.500,00", "1500.5", "1.500", "0,01", "-1", "1,2,3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cents, err := money.Euros(text)
		if err == nil {
			require.GreaterOrEqual(t, cents, int64(0))
			require.LessOrEqual(t, cents, int64(money.Most))
		}
		if volume, err := money.Volume(text); err == nil {
			require.Regexp(t, `^[0-9]{1,9}([.][0-9]{1,4})?$`, volume, "as the message allows")
		}
	})
}
