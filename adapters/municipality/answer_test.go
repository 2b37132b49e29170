package municipality_test

import (
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/municipality"
	"github.com/ontschot/ontschot/adapters/trial"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// body is what the case system answers at one address, "/aanvragen" and what follows.
type body struct{ kind, text string }

// ask puts a question to an adapter of which the test plays the case system; the archive
// of messages has nothing. It gives the answer and how often the case system was asked.
func ask(t *testing.T, answers map[string]body) (*budgetv1.FetchResponse, int, error) {
	var asked atomic.Int64
	ca := trial.NewCA(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		switch {
		case r.URL.Path == "/token":
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"access_token":"t","token_type":"Bearer","expires_in":300}`))
			return
		case r.URL.Path == "/berichten/zoeken":
			w.Header().Set("Content-Type", "application/xml")
			_, _ = w.Write([]byte("<berichten/>"))
			return
		}
		asked.Add(1)
		if !strings.Contains(string(sent), trial.Number) {
			t.Errorf("%s is asked about nobody", r.URL.RequestURI())
		}
		a, ok := answers[r.URL.RequestURI()]
		if !ok {
			a = answers["*"]
		}
		w.Header().Set("Content-Type", a.kind)
		_, _ = w.Write([]byte(strings.ReplaceAll(a.text, "{n}", strconv.FormatInt(asked.Load(), 10))))
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Pair("server")}}
	server.StartTLS()
	t.Cleanup(server.Close)
	config, err := json.Marshal(map[string]any{
		"party": "GM0119", "scheme_codes": []string{"0119"}, "url": server.URL, "ca_pem": ca.PEM(),
		"token_url": server.URL + "/token", "client_id": "gateway",
	})
	require.NoError(t, err)
	s := adapters.NewService(municipality.New())
	told, err := s.Configure(t.Context(), &adapterv1.ConfigureRequest{Config: config, Secrets: map[string]string{
		"client_secret": "s", "record_key": hex.EncodeToString(make([]byte, 32)),
	}})
	require.NoError(t, err)
	require.Empty(t, told.GetFindings())
	a, err := s.Fetch(t.Context(), &budgetv1.FetchRequest{
		Identifiers: &budgetv1.Identifiers{Bsn: trial.Number},
		Window:      &budgetv1.Window{From: "2025-01-01", To: "2025-12-31"}, HistoryFrom: "2024-01-01",
		Scopes:  []*budgetv1.Scope{{Law: "WMO", Categories: []string{"entitlement", "product", "period", "amount"}}},
		Purpose: "integral_budget.compose", Requester: "00000099000000119000",
	})
	return a, int(asked.Load()), err
}

func application(category, cents string) string {
	return `{"identificatie":"` + category + `","bsn":"` + trial.Number + `","regeling":{"identificatie":"WMO"},"beschikking":{"beschikteProducten":[
{"productCategorie":{"code":"` + category + `"},"resultaat":"toegewezen","toegewezenProduct":{"datumIngangGeldigheid":"2025-01-01",
"leveringsvorm":"pgb","budget":{"bedrag":"` + cents + `","per":"jaar"}}}]}}`
}

// page is a page of HAL; next and total are left out when they are empty.
func page(next, total string, records ...string) body {
	var members []string
	if records != nil {
		members = append(members, `"_embedded":{"aanvraag":[`+strings.Join(records, ",")+`]}`)
	}
	link := ""
	if next != "" {
		link = `,"next":{"href":"` + next + `"}`
	}
	members = append(members, `"_links":{"self":{"href":"/aanvragen"}`+link+`}`)
	if total != "" {
		members = append(members, `"page":{"size":1,"totalElements":`+total+`,"number":0}`)
	}
	return body{"application/hal+json", "{" + strings.Join(members, ",") + "}"}
}

func TestPagesAreFollowed(t *testing.T) {
	a, asked, err := ask(t, map[string]body{
		"/aanvragen":        page("/aanvragen?page=2", "3", application("02", "10,00")),
		"/aanvragen?page=2": page("?page=3", "3", application("07", "20,00")),
		"/aanvragen?page=3": page("", "3", `{"x":1}`),
	})
	require.NoError(t, err)
	require.Equal(t, 3, asked)
	require.Len(t, a.GetLines(), 2)
	odd := a.GetNotices()[1]
	require.Equal(t, "/page/2/_embedded/aanvraag/0/bsn", odd.GetPointer())
	require.Equal(t, budgetv1.GapRecordSkipped, odd.GetGap())
}

func TestNothingFoundIsSaid(t *testing.T) {
	for _, b := range []body{page("", "0"), page("", ""), page("", "0"), {"application/json", `{"_embedded":{"aanvraag":[]}}`}} {
		a, _, err := ask(t, map[string]body{"*": b})
		if b == page("", "") { // no count and no collection says nothing
			require.Equal(t, adapters.ReasonBadData, adapters.Reason(err))
			continue
		}
		require.NoError(t, err)
		require.Empty(t, a.GetLines())
		require.Empty(t, a.GetNotices())
	}
}

// An answer that may be less than all there is never passes for all there is.
func TestAnswerThatMayNotBeAllIsRefused(t *testing.T) {
	some := application("02", "10,00")
	for name, b := range map[string]body{
		"error":              {"application/json", `{"error":"not reachable"}`},
		"error with records": {"application/json", `{"error":"half","_embedded":{"aanvraag":[` + some + `]}}`},
		"errors":             {"application/json", `{"errors":[{"code":"1"}],"_embedded":{"aanvraag":[` + some + `]}}`},
		"fault":              {"application/json", `{"Fout":{"code":1},"_embedded":{"aanvraag":[]}}`},
		"problem":            {"application/problem+json", `{"status":503}`},
		"problem as JSON":    {"application/json", `{"type":"about:blank","title":"x","status":503}`},
		"empty object":       {"application/json", `{}`},
		"null":               {"application/json", `null`},
		"list":               {"application/json", `[]`},
		"text":               {"application/json", `"x"`},
		"nothing":            {"application/json", ``},
		"cut off":            {"application/json", `{"_embedded":{"aanvraag":[` + some},
		"two answers":        {"application/json", `{"_embedded":{"aanvraag":[]}}{"_embedded":{"aanvraag":[]}}`},
		"HTML":               {"text/html", `<p>`},
		"null collection":    {"application/json", `{"_embedded":{"aanvraag":null}}`},
		"object for list":    {"application/json", `{"_embedded":{"aanvraag":` + some + `}}`},
		"text for list":      {"application/json", `{"_embedded":{"aanvraag":""}}`},
		"other collection":   {"application/json", `{"_embedded":{"aanvragen":[` + some + `]}}`},
		"other capitals":     {"application/json", `{"_embedded":{"Aanvraag":[` + some + `]}}`},
		"collection twice":   {"application/json", `{"_embedded":{"aanvraag":[` + some + `],"aanvraag":[]}}`},
		"embedded twice":     {"application/json", `{"_embedded":{"aanvraag":[` + some + `]},"_embedded":{"aanvraag":[]}}`},
		"empty embedded":     {"application/json", `{"_embedded":{}}`},
		"other and count 0":  {"application/json", `{"_embedded":{"aanvragen":[1]},"page":{"totalElements":0}}`},
		"more are counted":   page("", "2", some),
		"fewer are counted":  page("", "0", some),
		"none of one":        page("", "1"),
		"count is no number": page("", `"veel"`, some),
		"total elsewhere":    {"application/json", `{"total":2,"_embedded":{"aanvraag":[` + some + `]}}`},
		"pages are counted":  {"application/json", `{"page":{"totalPages":2},"_embedded":{"aanvraag":[` + some + `]}}`},
		"next elsewhere":     {"application/json", `{"next":"/aanvragen?page=2","_embedded":{"aanvraag":[` + some + `]}}`},
		"next without href":  {"application/json", `{"_links":{"next":{}},"_embedded":{"aanvraag":[` + some + `]}}`},
		"next is text":       {"application/json", `{"_links":{"next":"/aanvragen?page=2"},"_embedded":{"aanvraag":[` + some + `]}}`},
		"other host":         page("https://elsewhere.example/aanvragen?page=2", "2", some),
		"other scheme":       page("http://127.0.0.1/aanvragen?page=2", "2", some),
		"no address":         page("::", "2", some),
		"itself":             page("/aanvragen", "2", some),
		"for ever":           page("/aanvragen?page={n}", "", some),
	} {
		_, asked, err := ask(t, map[string]body{"*": b})
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), name)
		require.LessOrEqual(t, asked, 100, name)
		if name != "for ever" {
			require.Equal(t, 1, asked, name)
		}
	}
}

func TestWhatSaysNothingBesideTheRecordsIsNoError(t *testing.T) {
	a, _, err := ask(t, map[string]body{"*": {"application/json",
		`{"errors":[],"error":null,"hasMore":false,"count":1,"colour":"red","_embedded":{"aanvraag":[` + application("02", "10,00") + `]}}`}})
	require.NoError(t, err)
	require.Len(t, a.GetLines(), 1)
	require.Len(t, a.GetNotices(), 5, "unknown all the same")
}

func TestCountOfALaterPageMustAgree(t *testing.T) {
	for name, second := range map[string]body{
		"other count": page("", "3", application("07", "1,00")),
		"no page":     {"application/json", `{}`},
		"error":       {"application/json", `{"errors":["x"]}`},
		"round":       page("/aanvragen", "2", application("07", "1,00")),
	} {
		_, _, err := ask(t, map[string]body{"/aanvragen": page("/aanvragen?page=2", "2", application("02", "1,00")), "/aanvragen?page=2": second})
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), name)
	}
}
