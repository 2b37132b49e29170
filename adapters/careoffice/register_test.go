package careoffice

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/trial"
)

const mediations = `{"data":{"bemiddelingspecificatie":[
{"bsn":"999940004","leveringsvorm":"4","zzpCode":"805","toewijzingIngangsdatum":"2025-01-01","toewijzingEinddatum":null,"uitvoerendZorgkantoor":"5503"},
{"bsn":"999940004","leveringsvorm":"2","zzpCode":"804","toewijzingIngangsdatum":"2024-01-01","toewijzingEinddatum":"2025-06-30","uitvoerendZorgkantoor":"5503"},
{"bsn":"999940004","leveringsvorm":2,"zzpCode":830,"toewijzingIngangsdatum":"2025-07-01"}]}}`

func load(raw string) (*register, error) {
	r := &register{bsn: trial.Number, ours: func(code string) bool { return code == "5503" }}
	records, err := parse([]byte(raw), "bemiddelingspecificatie")
	if err != nil {
		return r, err
	}
	return r, r.readMediations(records)
}

func date(t testing.TB, text string) adapters.Date {
	d, err := adapters.DateISO.Parse(text)
	require.NoError(t, err)
	return d
}

func TestMediationInForceOnTheStartIsChosen(t *testing.T) {
	for day, want := range map[string]string{
		"2023-12-31": "", "2024-01-01": "804", "2025-01-01": "804", "2025-06-30": "804", "2025-07-01": "830", "2030-01-01": "830",
	} {
		r, err := load(mediations)
		require.NoError(t, err)
		product, _, _ := r.product(date(t, day))
		require.Equal(t, want, product.GetCode(), day)
	}
}

func TestErrorsOfGraphQLHaveTheirReason(t *testing.T) {
	for code, want := range map[string]string{
		"FORBIDDEN": adapters.ReasonNotAuthorised, "UNAUTHENTICATED": adapters.ReasonNotAuthorised,
		"GRAPHQL_VALIDATION_FAILED": adapters.ReasonAdapterBug, "TIMEOUT": adapters.ReasonSourceTimeout,
		"INTERNAL_SERVER_ERROR": adapters.ReasonSourceUnavailable, "": adapters.ReasonSourceUnavailable,
	} {
		_, err := parse([]byte(`{"data":{"x":[]},"errors":[{"message":"999940004","extensions":{"code":"`+code+`"}}]}`), "x")
		require.Equal(t, want, adapters.Reason(err), code)
		require.NotContains(t, err.Error(), "999940004")
	}
	for _, raw := range []string{``, `[]`, `{}`, `{"data":null}`, `{"data":{"x":null}}`, `{"data":{"x":{}}}`} {
		_, err := parse([]byte(raw), "x")
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), raw)
	}
}

func TestWrongMediationIsRefusedAtItsPlace(t *testing.T) {
	at := "/bemiddelingspecificatie/0"
	for _, c := range []struct{ from, to, path string }{
		{"999940004", "999940016", at + "/bsn"},
		{"5503", "5515", at + "/uitvoerendZorgkantoor"},
		{"2025-01-01", "vandaag", at + "/toewijzingIngangsdatum"},
		{"null", `"2024-01-01"`, at + "/toewijzingEinddatum"},
		{`"zzpCode":"805"`, `"zzpCode":[]`, at},
	} {
		_, err := load(strings.Replace(mediations, c.from, c.to, 1))
		trial.Refused(t, nil, err, c.path)
	}
}

// No query of ours may ask for what discloses a diagnosis.
func TestQueriesNameNoDiagnosis(t *testing.T) {
	for _, q := range []query{mediationQuery(), indicationQuery()} {
		for _, field := range []string{"grondslag", "stoornis", "beperking"} {
			require.NotContains(t, strings.ToLower(q.text), field)
		}
	}
}

func TestTraceHeaders(t *testing.T) {
	trace := strings.Repeat("0af7651916cd43dd", 2)
	require.Equal(t, map[string]string{"X-B3-TraceId": trace, "X-B3-SpanId": trace[16:]}, headers(trace))
	require.Nil(t, headers("x"))
	require.Nil(t, headers(strings.Repeat("\n", 32)))
}

func FuzzRegister(f *testing.F) {
	f.Add([]byte(mediations))
	f.Add([]byte(`{"data":{"bemiddelingspecificatie":[]}}`))
	f.Add([]byte(`{"errors":[{"extensions":{"code":"FORBIDDEN"}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w := trial.Writer(t, "WLZ")
		r, err := load(string(raw))
		if err == nil {
			r.product(date(t, "2025-01-01"))
			r.rest(w)
		}
		trial.Settle(t, w, err)
	})
}
