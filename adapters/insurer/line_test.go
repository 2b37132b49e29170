package insurer

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/rest"
	"github.com/ontschot/ontschot/adapters/trial"
)

const record = `{"uzovi":"9991","bsn":"999940004","toekenning":"Z1","functie":"VV","urenPerWeek":7,
"tarief":"24,00","ingangsdatum":"01-03-2025","einddatum":"31-12-2025"}`

const one = `{"toekenningen":[` + record + `]}`

// parsed is the mapping, and its own tests pass.
var parsed = sync.OnceValues(func() (*mapping.Mapping, error) { return mapping.Validate(rest.Kind{}, mapped) })

func read(t testing.TB, raw string) (*adapters.Writer, error) {
	m, err := parsed()
	require.NoError(t, err)
	w := trial.Writer(t, "ZVW")
	return w, m.ReadAnswer([]byte(raw), trial.BSN(t), mapping.Us{Party: "UZOVI9991", Codes: []string{"9991"}}, w)
}

func TestHoursTimesTariffIsExact(t *testing.T) {
	award := func(hours, tariff string) string {
		return strings.NewReplacer(":7,", ":"+hours+",", "24,00", tariff).Replace(one)
	}
	for _, c := range []struct {
		hours, tariff string
		cents         int64
		divisor       int64
	}{
		{"7", "24", 16800, 0},
		{"7.5", "24", 18000, 0},
		{"7.5", "24,05", 36075, 2},  // 180.375 a week
		{"7.25", "24,05", 69745, 4}, // 174.3625 a week
		{"7.2", "24,01", 86436, 5},  // 172.872 a week
		{"7.3", "23,19", 169287, 10},
		{"0.25", "0,01", 1, 4},
		{"0", "24", 0, 0},
	} {
		w, err := read(t, award(c.hours, c.tariff))
		require.NoError(t, err)
		answer, err := w.Response()
		require.NoError(t, err)
		a := answer.GetLines()[0].GetAmount()
		require.Equal(t, c.cents, a.GetCents(), c.hours)
		require.Equal(t, c.divisor, a.GetDivisor(), c.hours)
		require.Equal(t, "PER_WEEK", a.GetBasis(), c.hours)
		require.True(t, a.GetDerived())
	}
	w, err := read(t, award("999999999", "999999999"))
	trial.Odd(t, w, err, "/toekenningen/0/tarief")
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
