package careoffice

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/trial"
)

func TestErrorsOfGraphQLHaveTheirReason(t *testing.T) {
	q := mediationQuery(false)
	for code, want := range map[string]string{
		"FORBIDDEN": adapters.ReasonNotAuthorised, "UNAUTHENTICATED": adapters.ReasonNotAuthorised,
		"GRAPHQL_VALIDATION_FAILED": adapters.ReasonAdapterBug, "TIMEOUT": adapters.ReasonSourceTimeout,
		"INTERNAL_SERVER_ERROR": adapters.ReasonSourceUnavailable, "": adapters.ReasonSourceUnavailable,
	} {
		for _, data := range []string{`"data":null,`, `"data":{"bemiddelingspecificatie":[` + mediationOf(nil) + `]},`, ``} {
			_, err := q.records([]byte(`{`+data+`"errors":[{"message":"999940004","extensions":{"code":"`+code+`"}}]}`), trial.Writer(t, "WLZ"))
			require.Equal(t, want, adapters.Reason(err), code)
			require.NotContains(t, err.Error(), "999940004")
		}
	}
	_, err := q.records([]byte(`{"errors": [{"code": "E1", "message": "x"}]}`), trial.Writer(t, "WLZ"))
	require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(err))
}

// Nothing but an answer of the register says that there is nothing; of the indication
// register it may be null.
func TestOnlyAnAnswerIsAnAnswer(t *testing.T) {
	for _, q := range []query{mediationQuery(false), indicationQuery(false, false)} {
		for _, raw := range []string{
			``, `null`, `[]`, `{}`, `"x"`, `{"data":null}`, `{"data":{}}`, `{"data":[]}`, `{"data":{"FIELD":{}}}`, `{"data":{"FIELD":"x"}}`,
			`{"data":{"other":[]}}`, `{"data":{"FIELD":[]},"data":{"FIELD":[]}}`, `{"data":{"FIELD":[],"UPPER":[]}}`, `{"Data":{"FIELD":[]}}`,
			`{"data":{"FIELD":[]}} x`, `{"data":{"FIELD":[]}`,
		} {
			_, err := q.records([]byte(strings.NewReplacer("FIELD", q.field, "UPPER", strings.ToUpper(q.field)).Replace(raw)), trial.Writer(t, "WLZ"))
			require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), "%s %s", q.name, raw)
		}
		records, err := q.records([]byte(`{"data":{"`+q.field+`":[]},"extensions":{"x":1}}`), trial.Writer(t, "WLZ"))
		require.NoError(t, err)
		require.Empty(t, records)
		records, err = q.records([]byte(`{"data":{"`+q.field+`":null}}`), trial.Writer(t, "WLZ"))
		require.Equal(t, q.none, err == nil, q.name)
		require.Empty(t, records)
	}
}

// No query of ours may ask for what discloses a diagnosis, and none for more than what
// may leave.
func TestQueriesAskForNoMoreThanIsNeeded(t *testing.T) {
	var all []query
	for _, yes := range []bool{false, true} {
		all = append(all, mediationQuery(yes), indicationQuery(yes, false), indicationQuery(yes, true))
	}
	for _, q := range all {
		for _, field := range []string{"grondslag", "stoornis", "beperking", "commentaar", "instelling", "percentage", "overdracht"} {
			require.NotContains(t, strings.ToLower(q.text), field)
		}
		require.Equal(t, 1, strings.Count(q.text, "{\n  "+q.field+"("), "one root: %s", q.text)
	}
	require.NotContains(t, mediationQuery(false).text+indicationQuery(false, true).text, "zzp")
	require.NotContains(t, indicationQuery(true, false).text, "besluitnummer")
	require.NotContains(t, mediationQuery(true).text, "uitvoerendZorgkantoor", "who executes is not our business")
}

func TestTraceHeaders(t *testing.T) {
	trace := strings.Repeat("0af7651916cd43dd", 2)
	require.Equal(t, map[string]string{"X-B3-TraceId": trace, "X-B3-SpanId": trace[16:]}, headers(trace))
	require.Nil(t, headers("x"))
	require.Nil(t, headers(strings.Repeat("\n", 32)))
}

func FuzzRegister(f *testing.F) {
	f.Add([]byte(`{"data":{"bemiddelingspecificatie":[` + mediationOf(nil) + `]}}`))
	f.Add([]byte(`{"data":{"bemiddelingspecificatie":[]}}`))
	f.Add([]byte(`{"errors":[{"extensions":{"code":"FORBIDDEN"}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w := trial.Writer(t, "WLZ")
		r := &register{bsn: trial.BSN(t), party: "ZK5503", ours: func(string) bool { return true }, out: w}
		records, err := mediationQuery(true).records(raw, w)
		if err == nil {
			err = r.readMediations(records)
		}
		trial.Settle(t, w, err)
	})
}
