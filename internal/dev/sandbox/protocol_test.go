package sandbox_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/trial"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/sandbox"
)

// bare is a sandbox that is spoken to without an adapter.
type bare struct {
	t      *testing.T
	box    *sandbox.Sandbox
	client *http.Client
	ca     *trial.CA
	clock  atomic.Int64 // seconds since the start
}

func newBare(t *testing.T, c *casefile.Case) *bare {
	b := &bare{t: t, ca: trial.NewCA(t)}
	begin := time.Date(2025, 6, 30, 12, 0, 0, 0, time.UTC)
	var err error
	b.box, err = sandbox.Start(sandbox.Config{
		Case: c, CA: b.ca.Pool(), Certificate: b.ca.Pair,
		ClientSecret: func(string) string { return secret },
		Now:          func() time.Time { return begin.Add(time.Duration(b.clock.Load()) * time.Second) },
	})
	require.NoError(t, err)
	t.Cleanup(b.box.Close)
	b.client = b.as(b.ca.Pair("client"))
	return b
}

func (b *bare) as(certificates ...tls.Certificate) *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: b.ca.Pool(), Certificates: certificates},
	}}
}

func (b *bare) post(address, token string, body any) (status int, answer map[string]any) {
	raw, err := json.Marshal(body)
	require.NoError(b.t, err)
	r, err := http.NewRequest(http.MethodPost, address, bytes.NewReader(raw))
	require.NoError(b.t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	got, err := b.client.Do(r)
	require.NoError(b.t, err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	require.NoError(b.t, err)
	_ = json.Unmarshal(text, &answer)
	return got.StatusCode, answer
}

func (b *bare) token(party, secret string) (int, string) {
	r, err := http.NewRequest(http.MethodPost, b.box.TokenURL(party),
		bytes.NewReader([]byte("grant_type=client_credentials")))
	require.NoError(b.t, err)
	r.SetBasicAuth("gateway", secret)
	got, err := b.client.Do(r)
	require.NoError(b.t, err)
	defer got.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	_ = json.NewDecoder(got.Body).Decode(&answer)
	return got.StatusCode, answer.Token
}

func TestTokenIsNeededAndExpires(t *testing.T) {
	b := newBare(t, embedded(t, "meppel"))
	ask := map[string]any{"bsn": "999940028", "regelingen": []string{"WMO"}}
	status, _ := b.post(b.box.URL("GM0119")+"/aanvragen", "", ask)
	require.Equal(t, http.StatusUnauthorized, status)
	status, _ = b.token("GM0119", "wrong")
	require.Equal(t, http.StatusUnauthorized, status)
	_, token := b.token("GM0119", secret)
	status, _ = b.post(b.box.URL("GM0119")+"/aanvragen", token, ask)
	require.Equal(t, http.StatusOK, status)
	b.clock.Store(300)
	status, _ = b.post(b.box.URL("GM0119")+"/aanvragen", token, ask)
	require.Equal(t, http.StatusUnauthorized, status)
}

func TestCertificateIsNeeded(t *testing.T) {
	b := newBare(t, embedded(t, "diemen-zwolle"))
	strangers := trial.NewCA(t)
	for party, needed := range map[string]bool{"ZK5515": true, "UZOVI9991": true, "GM0384": false} {
		_, err := b.as().Get(b.box.URL(party) + "/")
		require.Equal(t, needed, err != nil, party)
		_, err = b.as(strangers.Pair("client")).Get(b.box.URL(party) + "/")
		require.Error(t, err, party)
	}
}

func TestPartiesOfOtherKindsHaveNoServer(t *testing.T) {
	c := embedded(t, "meppel")
	i := slices.IndexFunc(c.Parties, func(p casefile.Organisation) bool { return p.Code == "SVB" })
	c.Parties[i].Kind = "WATERSCHAP"
	b := newBare(t, c)
	require.Empty(t, b.box.URL("SVB"))
	require.Empty(t, b.box.TokenURL("UWV"))
	require.NotEmpty(t, b.box.URL("UWV"))
	require.Empty(t, b.box.Asked("nobody"))
}

func TestCareOfficeRefusesAQueryWhole(t *testing.T) {
	b := newBare(t, embedded(t, "meppel"))
	_, token := b.token("ZK5503", secret)
	register := "/indicatieregister/graphql"
	ask := func(operation, query string) (data any, code any) {
		status, answer := b.post(b.box.URL("ZK5503")+register, token, map[string]any{
			"query": query, "operationName": operation, "variables": map[string]string{"bsn": "999940041"},
		})
		require.Equal(t, http.StatusOK, status)
		if list, ok := answer["errors"].([]any); ok {
			return answer["data"], list[0].(map[string]any)["extensions"].(map[string]any)["code"]
		}
		return answer["data"], nil
	}
	const of = `query WlzIndicaties($bsn: String!) { getWlzIndicatiesVoorBsn(bsn: $bsn) `
	data, code := ask("WlzIndicaties", of+`{ besluitnummer geindiceerdZorgzwaartepakket { zzpCode } } }`)
	require.Nil(t, code)
	require.Equal(t, map[string]any{"getWlzIndicatiesVoorBsn": []any{map[string]any{
		"besluitnummer": 100200300.0, "geindiceerdZorgzwaartepakket": []any{map[string]any{"zzpCode": "830"}},
	}}}, data)
	refused := map[string][2]string{
		"diagnosis":           {"WlzIndicaties", of + `{ besluitnummer grondslag { grondslag } } }`},
		"diagnosis, alias":    {"WlzIndicaties", of + `{ bsn: stoornis { grondslag } } }`},
		"more than is needed": {"WlzIndicaties", of + `{ bsn soortWlzindicatie } }`},
		"fragment":            {"WlzIndicaties", of + `{ ...on WlzIndicatie { bsn } } }`},
		"directive":           {"WlzIndicaties", of + `{ bsn @skip(if: false) } }`},
		"somebody else":       {"WlzIndicaties", `query WlzIndicaties($bsn: String!) { getWlzIndicatiesVoorBsn(bsn: "999940016") { bsn } }`},
		"two roots":           {"WlzIndicaties", of + `{ bsn } b: getWlzIndicatiesVoorBsn(bsn: $bsn) { bsn } }`},
		"another register":    {"WlzIndicaties", `query WlzIndicaties($bsn: String!) { bemiddelingspecificatie { leveringsvorm } }`},
		"unknown operation":   {"Alles", `query Alles($bsn: String!) { getWlzIndicatiesVoorBsn(bsn: $bsn) { bsn } }`},
		"unknown field":       {"WlzIndicaties", of + `{ euros } }`},
		"no query":            {"WlzIndicaties", `{`},
	}
	for name, q := range refused {
		data, code := ask(q[0], q[1])
		require.Nil(t, data, name)
		require.Contains(t, []any{"FORBIDDEN", "GRAPHQL_VALIDATION_FAILED"}, code, name)
	}

	register = "/bemiddelingsregister/graphql"
	const operation = "Bemiddelingspecificaties"
	const mediated = `query Bemiddelingspecificaties($bsn: String!) { bemiddelingspecificatie(where: {bemiddeling: {client: {bsn: {eq: $bsn}}}}) `
	data, code = ask(operation, mediated+`{ leveringsvorm bemiddeling { verantwoordelijkZorgkantoor client { bsn } } } }`)
	require.Nil(t, code)
	require.Equal(t, map[string]any{"bemiddelingspecificatie": []any{map[string]any{
		"leveringsvorm": "2", "bemiddeling": map[string]any{"verantwoordelijkZorgkantoor": "5503", "client": map[string]any{"bsn": "999940041"}},
	}}}, data)
	for name, query := range map[string]string{
		"without a filter": `query Bemiddelingspecificaties($bsn: String!) { bemiddelingspecificatie { leveringsvorm bemiddeling { client { bsn } } } }`,
		"by its id":        `query Bemiddelingspecificaties($bsn: UUID!) { bemiddelingspecificatie(where: {bemiddelingspecificatieID: {eq: $bsn}}) { leveringsvorm } }`,
		"percentage":       mediated + `{ percentage } }`,
	} {
		data, code := ask(operation, query)
		require.Nil(t, data, name)
		require.Contains(t, []any{"FORBIDDEN", "GRAPHQL_VALIDATION_FAILED"}, code, name)
	}
}

// UWV takes no question that is not signed, and tells why in the way of SOAP.
func TestUnsignedQuestionIsRefused(t *testing.T) {
	b := newBare(t, embedded(t, "meppel"))
	for name, c := range map[string]struct{ action, fault string }{
		"unsigned": {"http://bkwi.nl/SuwiML/Diensten/UWVDossierWerknemersverzekeringenGSD-v0200/UWVPersoonsWvInfo", "wsse:FailedCheck"},
		"another":  {"http://bkwi.nl/SuwiML/Diensten/UWVDossierInkomstenGSD-v0200/UWVPersoonsIkvInfo", "soap:Client"},
	} {
		body := `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><Action>` + c.action +
			`</Action></s:Header><s:Body><UWVPersoonsWvInfo><Burgerservicenr>999940016</Burgerservicenr></UWVPersoonsWvInfo></s:Body></s:Envelope>`
		r, err := http.NewRequest(http.MethodPost, b.box.URL("UWV")+"/", strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("SOAPAction", `""`)
		got, err := b.client.Do(r)
		require.NoError(t, err)
		text, err := io.ReadAll(got.Body)
		require.NoError(t, err)
		require.NoError(t, got.Body.Close())
		require.Equal(t, http.StatusInternalServerError, got.StatusCode, name)
		require.Contains(t, string(text), ">"+c.fault+"<", name)
		require.NotContains(t, string(text), "ClientSuwi", name)
	}
}

func TestNumberInAnAddressIsRefused(t *testing.T) {
	b := newBare(t, embedded(t, "diemen-zwolle"))
	status, _ := b.post(b.box.URL("UZOVI9991")+"/toekenningen?bsn=999940119", "", map[string]string{"bsn": "999940119"})
	require.Equal(t, http.StatusBadRequest, status)
}
