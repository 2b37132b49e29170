package svb

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/trial"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// reply is what the archive of SVB answers.
type reply struct {
	status     int
	kind, text string
}

// asked is what the archive was asked for.
type asked struct {
	BSN     string   `json:"bsn"`
	Soorten []string `json:"soorten"`
}

// connected gives the adapter with an archive that answers one thing, and what that was
// asked.
func connected(t *testing.T, answer reply) (adapters.Adapter, *[]asked) {
	var questions []asked
	ca := trial.NewCA(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		var q asked
		if err := json.Unmarshal(raw, &q); err != nil || r.Method != http.MethodPost || r.URL.RequestURI() != "/berichten/zoeken" {
			t.Errorf("%s %s is no question", r.Method, r.URL.Path)
		}
		questions = append(questions, q)
		w.Header().Set("Content-Type", answer.kind)
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.text)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Pair("svb")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()}
	server.StartTLS()
	t.Cleanup(server.Close)
	certificate, key := ca.Issue("gateway")
	settings, err := json.Marshal(map[string]any{"party": "SVB", "url": server.URL, "ca_pem": ca.PEM(), "cert_pem": certificate})
	require.NoError(t, err)
	a := New()
	require.NoError(t, a.Configure(t.Context(), adapters.NewConfig(settings, map[string]string{"tls_key": key})))
	return a, &questions
}

// fetch asks about the person of the trial, with the categories that are granted by law.
func fetch(t *testing.T, a adapters.Adapter, granted map[string][]string) (*budgetv1.FetchResponse, error) {
	r := &budgetv1.FetchRequest{
		Identifiers: &budgetv1.Identifiers{Bsn: trial.Number},
		Window:      &budgetv1.Window{From: "2025-01-01", To: "2025-12-31"}, HistoryFrom: "2024-01-01",
	}
	for _, law := range []string{"WMO", "JW", "WLZ"} {
		if granted[law] != nil {
			r.Scopes = append(r.Scopes, &budgetv1.Scope{Law: law, Categories: granted[law]})
		}
	}
	w, err := adapters.NewWriter(r, adapters.Origin{Adapter: "svb", Version: "1", Key: bytes.Repeat([]byte{1}, 32)})
	require.NoError(t, err)
	if err := a.Fetch(t.Context(), r, w); err != nil {
		return nil, err
	}
	require.Empty(t, r.GetIdentifiers().GetBsn(), "it is taken out")
	return w.Response()
}

func all() []string { return []string{"product", "period", "spending", "reference"} }

// paid writes a closing, or an interim figure, of one row.
func paid(kind, code, budget, function, from, to, cents, sent string) string {
	return `<bericht soort="` + kind + `"><Bericht><Header><BerichtCode>` + code + `</BerichtCode><Ontvanger>0119</Ontvanger>` +
		`<BerichtIdentificatie><Identificatie>1</Identificatie><Dagtekening>` + sent + `</Dagtekening></BerichtIdentificatie></Header>` +
		`<Client><Bsn>` + trial.Number + `</Bsn><FunctieBudgettenBesteed><FunctieBudgetBesteed><BudgetIdentificatie>` + budget +
		`</BudgetIdentificatie><Zorgfunctie>` + function + `</Zorgfunctie><BestedingsPeriode><Begindatum>` + from +
		`</Begindatum><Einddatum>` + to + `</Einddatum></BestedingsPeriode><FunctieBudgetBesteed>` + cents +
		`</FunctieBudgetBesteed></FunctieBudgetBesteed></FunctieBudgettenBesteed></Client></Bericht></bericht>`
}

func listed(messages ...string) reply {
	return reply{200, "application/xml", "<berichten>" + strings.Join(messages, "") + "</berichten>"}
}

func figures(a *budgetv1.FetchResponse) []string {
	out := []string{}
	for _, s := range a.GetSpends() {
		out = append(out, fmt.Sprintf("%s %s/%s %s..%s %d %s", s.GetLaw(), s.GetBudget(), s.GetFunction(), s.GetStart(), s.GetEnd(), s.GetCents(), s.GetAsOf()))
	}
	return out
}

// Only messages of laws under which spending was granted are asked for, and nobody is asked
// where it was granted under none.
func TestWhatIsAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		granted map[string][]string
		kinds   []string
	}{
		"every law": {map[string][]string{"WMO": all(), "JW": all(), "WLZ": all()}, []string{"WMO507", "JW507", "WLZ507", "TUSSENSTAND"}},
		"one law":   {map[string][]string{"WLZ": {"spending"}}, []string{"WLZ507", "TUSSENSTAND"}},
		"one of two with spending": {map[string][]string{"WMO": {"product", "period"}, "JW": all()},
			[]string{"JW507", "TUSSENSTAND"}},
		"no spending": {map[string][]string{"WMO": {"product", "period", "reference"}}, nil},
	} {
		a, questions := connected(t, listed())
		answer, err := fetch(t, a, c.granted)
		require.NoError(t, err, name)
		require.Empty(t, answer.GetSpends(), name)
		if c.kinds == nil {
			require.Empty(t, *questions, name)
			continue
		}
		require.Equal(t, []asked{{trial.Number, c.kinds}}, *questions, name)
	}
}

// An archive may tell more than it was asked: of another law nothing passes, and of the
// categories what was granted under the law of the message.
func TestWhatIsToldOfThePayments(t *testing.T) {
	a, _ := connected(t, listed(
		paid("WMO507", "464", "B1", "2", "2024-07-01", "2024-12-31", "360000", "2025-04-09"),
		paid("TUSSENSTAND", "464", "B2", "07", "2025-01-01", "2025-06-30", "12345", "2025-06-30"),
		paid("TUSSENSTAND", "468", "Z1", "99", "2025-01-01", "2025-06-30", "700", "2025-06-30"),
		paid("JW507", "466", "J1", "45", "2026-01-01", "2026-03-31", "5", "2026-06-30"),
		strings.ReplaceAll(paid("WMO501", "458", "B1", "02", "2025-01-01", "2025-12-31", "1", "2025-01-01"), "FunctieBudgettenBesteed", "Budget"),
	))
	answer, err := fetch(t, a, map[string][]string{"WMO": all(), "JW": all()})
	require.NoError(t, err)
	require.Equal(t, []string{
		"WMO B1/02 2024-07-01..2024-12-31 360000 2025-04-09", "WMO B2/07 2025-01-01..2025-06-30 12345 2025-06-30",
	}, figures(answer))
	require.Empty(t, answer.GetLines(), "it pays and does not decide")
	var notices []string
	for _, n := range answer.GetNotices() {
		require.Empty(t, n.GetGap())
		require.Empty(t, n.GetLaw())
		notices = append(notices, n.GetReason())
	}
	require.ElementsMatch(t, []string{adapters.SkippedOtherMessage, adapters.SkippedNotGranted, adapters.SkippedOutsideWindow}, notices)

	answer, err = fetch(t, a, map[string][]string{"WMO": {"spending"}})
	require.NoError(t, err)
	require.Len(t, answer.GetSpends(), 2)
	for _, s := range answer.GetSpends() {
		require.NotNil(t, s.Cents)
		require.Empty(t, s.GetBudget()+s.GetFunction()+s.GetStart()+s.GetEnd(), "neither reference nor product nor period was granted")
	}
}

// One odd figure costs itself, and is a gap.
func TestAnOddPaymentCostsItself(t *testing.T) {
	sound := paid("WMO507", "464", "B1", "02", "2025-01-01", "2025-03-31", "100", "2025-06-30")
	other := paid("WMO507", "464", "B2", "07", "2025-01-01", "2025-03-31", "200", "2025-06-30")
	for name, change := range map[string][2]string{
		"somebody else": {trial.Number, "999940016"}, "another law": {">464<", ">458<"}, "cents with a comma": {">200<", ">2,00<"},
		"an end before its start": {"2025-03-31", "2024-12-31"}, "no number": {">B2<", "><"}, "no day of sending": {"2025-06-30", "later"},
	} {
		a, _ := connected(t, listed(strings.ReplaceAll(other, change[0], change[1]), sound))
		answer, err := fetch(t, a, map[string][]string{"WMO": all()})
		require.NoError(t, err, name)
		require.Equal(t, []string{"WMO B1/02 2025-01-01..2025-03-31 100 2025-06-30"}, figures(answer), name)
		require.Len(t, answer.GetNotices(), 1, name)
		require.Equal(t, budgetv1.GapRecordSkipped, answer.GetNotices()[0].GetGap(), name)
		require.NotContains(t, answer.String(), "999940016", name)
	}
}

// What is no whole answer is never "nothing was spent".
func TestAnswerThatIsNoneIsRefused(t *testing.T) {
	whole := listed(paid("WMO507", "464", "B1", "02", "2025-01-01", "2025-03-31", "100", "2025-06-30")).text
	for name, c := range map[string]struct {
		reply
		reason string
	}{
		"cut off":         {reply{200, "application/xml", whole[:len(whole)-3]}, adapters.ReasonBadData},
		"empty":           {reply{200, "application/xml", ""}, adapters.ReasonBadData},
		"JSON":            {reply{200, "application/xml", "{}"}, adapters.ReasonBadData},
		"a wrong type":    {reply{200, "text/html", whole}, adapters.ReasonBadData},
		"a fault":         {reply{200, "text/xml", "<Fault><faultstring>" + trial.Number + "</faultstring></Fault>"}, adapters.ReasonBadData},
		"not allowed":     {reply{403, "application/xml", whole}, adapters.ReasonNotAuthorised},
		"broken":          {reply{500, "application/xml", whole}, adapters.ReasonSourceUnavailable},
		"too long a time": {reply{504, "application/xml", ""}, adapters.ReasonSourceTimeout},
	} {
		a, _ := connected(t, c.reply)
		_, err := fetch(t, a, map[string][]string{"WMO": all()})
		require.Equal(t, c.reason, adapters.Reason(err), name)
		require.NotContains(t, err.Error()+adapters.Path(err), trial.Number, name)
	}
}

// Where nobody can be asked about, or nobody was set up to ask, there is no answer.
func TestWithoutANumberOrAConfigurationThereIsNoAnswer(t *testing.T) {
	a, questions := connected(t, listed())
	for _, ids := range []*budgetv1.Identifiers{nil, {}, {Bsn: "999940005"}, {EducationNumber: "199940065"}} {
		err := a.Fetch(t.Context(), &budgetv1.FetchRequest{Identifiers: ids, Scopes: []*budgetv1.Scope{{Law: "WMO", Categories: all()}}}, trial.Writer(t, "WMO"))
		require.Equal(t, adapters.ReasonScopeUnsupported, adapters.Reason(err))
	}
	require.Empty(t, *questions)
	_, err := fetch(t, New(), map[string][]string{"WMO": all()})
	require.Equal(t, adapters.ReasonNotConfigured, adapters.Reason(err))
}
