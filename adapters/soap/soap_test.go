package soap_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/soap"
	"github.com/ontschot/ontschot/adapters/trial"
	"github.com/ontschot/ontschot/adapters/wss"
)

const mapped = `
mapping: 1
id: zk5503-soap
version: 1.0.0
laws: [WLZ]
identifiers: [bsn]
source:
  kind: soap
  path: /dienst
  action: http://agency.example/GeefRechten
  body: |
    <q:GeefRechten xmlns:q="http://agency.example/v1"><q:Bsn soort="{from}">{person}</q:Bsn></q:GeefRechten>
  nothing: GeefRechtenResponse/NietsGevonden
rows: GeefRechtenResponse/Rechten/Recht
dates: yyyymmdd
amounts: cents
person: r.Client.Bsn
fields:
  law: WLZ
  kind: ENTITLEMENT
  form: PGB
  fungibility: POOLABLE
  product: {system: WLZ022, code: r.Functie}
  period: {from: r.Begindatum, to: r.Einddatum}
  amount: {cents: cents(r.Bedrag), basis: PERIOD_TOTAL}
tests:
  - name: a right
    answer: |
      <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a:GeefRechtenResponse xmlns:a="http://agency.example/v1"><a:Rechten>
        <a:Recht><a:Client><a:Bsn>999940004</a:Bsn></a:Client><a:Functie>99</a:Functie><a:Begindatum>20250101</a:Begindatum>
          <a:Einddatum>20251231</a:Einddatum><a:Bedrag>8541000</a:Bedrag></a:Recht>
      </a:Rechten></a:GeefRechtenResponse></s:Body></s:Envelope>
    person: "999940004"
    lines: [{product: "99", label: Wlz-zorg, from: 2025-01-01, to: 2025-12-31, cents: 8541000}]
`

const record = `<Recht><Client><Bsn>999940004</Bsn></Client><Functie>99</Functie><Begindatum>20250101</Begindatum><Einddatum>20251231</Einddatum><Bedrag>8541000</Bedrag></Recht>`

func rights(inside string) string { return "<GeefRechtenResponse>" + inside + "</GeefRechtenResponse>" }

func body(space, inside string) string {
	return `<s:Envelope xmlns:s="` + space + `"><s:Header></s:Header><s:Body>` + inside + `</s:Body></s:Envelope>`
}

func TestItsOwnTestsPass(t *testing.T) {
	_, err := mapping.Validate(soap.Kind{}, []byte(mapped))
	require.NoError(t, err)
}

func ask(t *testing.T, s trial.System, text string, change map[string]any) (cents []int64, err error) {
	service := adapters.NewService(soap.New([]byte(text)))
	require.Empty(t, trial.Configure(t, service, s.Config(t, change), map[string]string{"tls_key": s.Key}))
	a, err := service.Fetch(t.Context(), trial.Request(trial.Number, "WLZ"))
	for _, l := range a.GetLines() {
		cents = append(cents, l.GetAmount().GetCents())
	}
	if err != nil {
		require.NotContains(t, err.Error()+adapters.Path(err), trial.Number)
	}
	return cents, err
}

func TestEnvelopes(t *testing.T) {
	const question = `<q:GeefRechten xmlns:q="http://agency.example/v1"><q:Bsn soort="2025-01-01">` + trial.Number + `</q:Bsn></q:GeefRechten>`
	for version, c := range map[string]struct{ kind, action, space string }{
		"1.1":  {"text/xml; charset=utf-8", `"http://agency.example/GeefRechten"`, wss.SOAP},
		"1.2":  {`application/soap+xml; charset=utf-8; action="http://agency.example/GeefRechten"`, "", "http://www.w3.org/2003/05/soap-envelope"},
		"none": {"application/xml; charset=utf-8", "", ""},
	} {
		s := trial.NewSystem(t, true, func(w http.ResponseWriter, r *http.Request) {
			raw, _ := io.ReadAll(r.Body)
			if r.Header.Get("Content-Type") != c.kind || r.Header.Get("SOAPAction") != c.action || !strings.Contains(string(raw), question) || !strings.Contains(string(raw), c.space) {
				t.Error(version, r.Header, string(raw))
			}
			w.Header().Set("Content-Type", "application/xml")
			if version == "none" {
				fmt.Fprint(w, rights("<Rechten>"+record+"</Rechten>"))
				return
			}
			fmt.Fprint(w, body(c.space, rights("<Rechten>"+record+"</Rechten>")))
		})
		got, err := ask(t, s, strings.Replace(mapped, "  path:", "  envelope: \""+version+"\"\n  path:", 1), nil)
		require.NoError(t, err, version)
		require.Equal(t, []int64{8541000}, got)
	}
}

// certificateOf is that of a server, as signer_pem has it.
func certificateOf(pair tls.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}))
}

func TestSignedQuestionAndAnswer(t *testing.T) {
	var pair tls.Certificate
	var ours *x509.Certificate
	spoil := func(id string, raw []byte) []byte { return raw }
	s := trial.NewSystem(t, true, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		opened, err := wss.Open(raw, []*x509.Certificate{r.TLS.PeerCertificates[0]}, time.Now())
		if err != nil {
			t.Error("the question is not signed with the certificate of the connection", err)
		}
		ours = r.TLS.PeerCertificates[0]
		envelope, _ := native.XML(opened)
		id := envelope.Text("Header/MessageID")
		answer, err := wss.Sign(pair, time.Now(), []wss.Part{wss.Header("RelatesTo", "relates", id)}, rights("<Rechten>"+record+"</Rechten>"))
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write(spoil(id, answer))
	})
	pair = s.Pair
	signed := strings.Replace(mapped, "  path:", "  security: signed\n  path:", 1)
	config := map[string]any{"signer_pem": certificateOf(pair)}
	got, err := ask(t, s, signed, config)
	require.NoError(t, err)
	require.Equal(t, []int64{8541000}, got)
	require.NotNil(t, ours)
	for name, c := range map[string]func(id string, raw []byte) []byte{
		"another amount": func(_ string, raw []byte) []byte {
			return []byte(strings.Replace(string(raw), "8541000", "9541000", 1))
		},
		"of another question": func(id string, raw []byte) []byte { return []byte(strings.ReplaceAll(string(raw), id, "urn:uuid:1")) },
		"unsigned":            func(string, []byte) []byte { return []byte(body(wss.SOAP, rights("<Rechten>"+record+"</Rechten>"))) },
	} {
		spoil = c
		_, err := ask(t, s, signed, config)
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), name)
	}
	findings := trial.Configure(t, adapters.NewService(soap.New([]byte(signed))), s.Config(t, nil), map[string]string{"tls_key": s.Key})
	require.Equal(t, "signer_pem", findings[0].GetPath(), "a mapping that wants signatures is not without them by a key left out")
}

func TestAnswersThatAreNotAll(t *testing.T) {
	answer := ""
	s := trial.NewSystem(t, true, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		if strings.Contains(answer, "Fault") {
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprint(w, answer)
	})
	fault := func(code string) string {
		return "<s:Fault><faultcode>" + code + "</faultcode><faultstring>" + trial.Number + "</faultstring></s:Fault>"
	}
	for inside, want := range map[string]string{
		rights("<NietsGevonden/>"): "",
		rights("<Rechten/>"):       adapters.ReasonBadData, // the mapping says how nothing is said
		rights(""):                 adapters.ReasonBadData,
		rights("<Rechten>" + record + "</Rechten><Fout>x</Fout>"): adapters.ReasonBadData,
		rights("<Rechten/><Rechten>" + record + "</Rechten>"):     adapters.ReasonBadData,
		"<Andere><Rechten>" + record + "</Rechten></Andere>":      adapters.ReasonBadData,
		rights("<Rechten>"+record+"</Rechten>") + rights(""):      adapters.ReasonBadData,
		"<!DOCTYPE x>":                     adapters.ReasonBadData,
		fault("s:Server"):                  adapters.ReasonSourceUnavailable,
		fault("s:Client"):                  adapters.ReasonAdapterBug,
		fault("wsse:FailedAuthentication"): adapters.ReasonNotAuthorised,
	} {
		answer = body(wss.SOAP, inside)
		got, err := ask(t, s, mapped, nil)
		require.Equal(t, want, adapters.Reason(err), inside)
		require.Empty(t, got)
	}
	// Where the mapping does not say how, an empty list says it.
	answer = body(wss.SOAP, rights("<Rechten/>"))
	_, err := ask(t, s, strings.Replace(mapped, "  nothing: GeefRechtenResponse/NietsGevonden\n", "", 1), nil)
	require.NoError(t, err)
	answer = body(wss.SOAP, rights(""))
	_, err = ask(t, s, strings.Replace(mapped, "  nothing: GeefRechtenResponse/NietsGevonden\n", "", 1), nil)
	require.Equal(t, adapters.ReasonBadData, adapters.Reason(err))
}

func TestBodiesThatAreNotTaken(t *testing.T) {
	for change, want := range map[[2]string]string{
		{"{person}</q:Bsn>", "<![CDATA[{person}]]></q:Bsn>"}:            "no CDATA",
		{"{person}</q:Bsn>", "<!-- {person} --></q:Bsn>"}:               "no comment",
		{"{person}</q:Bsn>", "<{person}/></q:Bsn>"}:                     "one element, in which {person} is a text",
		{"{person}</q:Bsn>", "{person}"}:                                "one element, in which",
		{"{person}</q:Bsn>", "x</q:Bsn>"}:                               "{person} is needed",
		{"  path:", "  security: signed\n  envelope: \"1.2\"\n  path:"}: "signed is for SOAP 1.1",
		{"rows: GeefRechtenResponse/Rechten/Recht", "rows: Recht"}:      "rows is the path of the records",
	} {
		text := strings.Replace(mapped, change[0], change[1], 1)
		require.NotEqual(t, mapped, text)
		_, err := mapping.Parse(soap.Kind{}, []byte(text))
		require.ErrorContains(t, err, want, "%v", change)
	}
}

func FuzzAnswer(f *testing.F) {
	m, err := mapping.Parse(soap.Kind{}, []byte(mapped))
	require.NoError(f, err)
	for _, seed := range []string{rights("<Rechten>" + record + "</Rechten>"), rights("<NietsGevonden/>"), rights("<Rechten><Recht/></Rechten>"), "<x>"} {
		f.Add([]byte(body(wss.SOAP, seed)))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		w := trial.Writer(t, "WLZ")
		trial.Settle(t, w, m.ReadAnswer(raw, trial.BSN(t), mapping.Us{Party: "ZK5503"}, w))
	})
}
