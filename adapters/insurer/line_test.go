package insurer

import (
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/source"
	"github.com/ontschot/ontschot/adapters/trial"
)

const record = `{"uzovi":"9991","bsn":"999940004","toekenning":"Z1","functie":"VV","urenPerWeek":7,
"tarief":"24,00","ingangsdatum":"01-03-2025","einddatum":"31-12-2025"}`

const one = `{"toekenningen":[` + record + `]}`

func read(t testing.TB, raw string) (*adapters.Writer, error) {
	w := trial.Writer(t, "ZVW")
	r := reader{bsn: trial.BSN(t), party: "UZOVI9991", ours: func(code string) bool { return code == "9991" }}
	found, err := source.OnePage([]byte(raw), list)
	if err != nil {
		return w, err
	}
	return w, r.read(found, w)
}

func TestHoursTimesTariffIsExact(t *testing.T) {
	for _, c := range []struct {
		hours, tariff string
		cents         int64
		divisor       int64
	}{
		{"7", "24", 16800, 0},
		{"15/2", "24", 18000, 0},
		{"15/2", "2405/100", 36075, 2}, // 180.375 a week
		{"29/4", "2405/100", 69745, 4}, // 174.3625 a week
		{"36/5", "2401/100", 86436, 5}, // 172.872 a week
		{"73/10", "2319/100", 169287, 10},
		{"1/4", "1/100", 1, 4},
		{"0", "24", 0, 0},
	} {
		hours, _ := new(big.Rat).SetString(c.hours)
		tariff, _ := new(big.Rat).SetString(c.tariff)
		a := weekly(hours, tariff)
		require.Equal(t, c.cents, a.GetCents(), c.hours)
		require.Equal(t, c.divisor, a.GetDivisor(), c.hours)
		require.Equal(t, "PER_WEEK", a.GetBasis(), c.hours)
		require.True(t, a.GetDerived())
	}
	require.Nil(t, weekly(big.NewRat(1e9, 1), big.NewRat(1e9, 1)))
}

func TestAwardWithoutHoursOrTariffHasNoMoney(t *testing.T) {
	for _, raw := range []string{
		strings.Replace(one, `"tarief":"24,00"`, `"tarief":null`, 1), strings.Replace(one, `"urenPerWeek":7,`, ``, 1),
	} {
		w, err := read(t, raw)
		require.NoError(t, err)
		a, err := w.Response()
		require.NoError(t, err)
		require.Len(t, a.GetLines(), 1)
		require.Nil(t, a.GetLines()[0].GetAmount())
	}
}

func TestOddAwardCostsItselfAlone(t *testing.T) {
	at := "/toekenningen/0"
	for _, c := range []struct{ from, to, path string }{
		{"999940004", "999940016", at + "/bsn"},
		{"9991", "9992", at + "/uzovi"},
		{":7,", `:"zeven",`, at + "/urenPerWeek"},
		{"24,00", "24,00 euro", at + "/tarief"},
		{"24,00", "999999999999", at + "/tarief"},
		{"01-03-2025", "2025-03-01", at + "/ingangsdatum"},
		{"31-12-2025", "31-12-2024", at},
		{"01-03-2025", "00-03-2025", at},
		{"24,00", "24,005", at + "/tarief"},
		{":7,", `:"12.375",`, at + "/urenPerWeek"},
		{`"VV"`, `"V V"`, "zvw: product.code"},
		{`"VV"`, `{}`, at + "/functie"},
	} {
		w, err := read(t, strings.Replace(one, c.from, c.to, 1))
		trial.Odd(t, w, err, c.path)
	}
}

func TestAnswerThatIsNotAllIsRefused(t *testing.T) {
	for _, c := range []struct{ from, to, path string }{
		{`{"toekenningen":`, `{"andere":`, "/toekenningen"},
		{"{", "", "/"},
	} {
		w, err := read(t, strings.Replace(one, c.from, c.to, 1))
		trial.Refused(t, w, err, c.path)
	}
}

func FuzzAwards(f *testing.F) {
	f.Add([]byte(one))
	f.Add([]byte(strings.Replace(one, ":7,", `:"7,5",`, 1)))
	f.Add([]byte(`{"toekenningen":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := read(t, string(raw))
		trial.Settle(t, w, err)
	})
}

func FuzzBesideAMutatedAward(f *testing.F) {
	trial.Beside(f, record, func(t testing.TB, mutated string) (*adapters.Writer, error) {
		return read(t, `{"toekenningen":[`+strings.Replace(record, "VV", "VP", 1)+","+mutated+","+strings.Replace(record, "VV", "PV", 1)+`]}`)
	}, "ZVW/VP 16800", "ZVW/PV 16800")
}

func TestNoAnswerPassesForMoreThanItIs(t *testing.T) {
	trial.Whole(t, [2]string{record, strings.Replace(record, "VV", "VP", 1)}, func(records ...string) string {
		return `{"toekenningen":[` + strings.Join(records, ",") + `]}`
	}, func(raw string) (*adapters.Writer, error) { return read(t, raw) })
}
