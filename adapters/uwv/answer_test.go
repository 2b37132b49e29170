package uwv

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/trial"
	"github.com/ontschot/ontschot/adapters/wss"
)

const fwi = ` xmlns:f="http://bkwi.nl/SuwiML/FWI/v0205"`

// What stands in an answer beside data, or in their place, is what it means: only one of
// these says that there is nothing.
func TestResultsOfTheInfrastructure(t *testing.T) {
	data := `<ClientSuwi>` + who + one + `</ClientSuwi>`
	message := func(kind string) string {
		return `<f:FWI` + fwi + `><` + kind + `><Code>1</Code><Tekst>999940004</Tekst><Bron><DN>cn=x</DN></Bron></` + kind + `></f:FWI>`
	}
	for name, c := range map[string]struct {
		inner, reason string
		lines         []string
	}{
		"nothing found":            {`<f:NietsGevonden` + fwi + `/>`, "", []string{}},
		"nothing found, with text": {`<f:NietsGevonden` + fwi + `>geen</f:NietsGevonden>`, "", []string{}},
		"data":                     {data, "", []string{wia}},
		"a person and no benefit":  {`<ClientSuwi>` + who + `</ClientSuwi>`, "", []string{}},
		"a warning beside data":    {data + message("Waarschuwing"), "", []string{wia}},
		"information beside data":  {data + message("Informatie"), "", []string{wia}},
		"a warning alone":          {message("Waarschuwing"), adapters.ReasonSourceUnavailable, nil},
		"an error":                 {message("Fout"), adapters.ReasonSourceUnavailable, nil},
		"an error beside data":     {data + message("Fout"), adapters.ReasonSourceUnavailable, nil},
		"an error by itself":       {`<f:Fout` + fwi + `><Code>1</Code></f:Fout>`, adapters.ReasonSourceUnavailable, nil},
		"an error behind warnings": {data + message("Waarschuwing") + message("Fout"), adapters.ReasonSourceUnavailable, nil},
		"a message nobody knows":   {data + message("Storing"), adapters.ReasonSourceUnavailable, nil},
		"not allowed":              {`<f:NietGerechtigd` + fwi + `/>`, adapters.ReasonNotAuthorised, nil},
		"not allowed, beside data": {data + `<f:NietGerechtigd` + fwi + `/>`, adapters.ReasonNotAuthorised, nil},
		"does not apply":           {`<f:NietVanToepassing` + fwi + `/>`, adapters.ReasonBadData, nil},
		"nothing, beside data":     {data + `<f:NietsGevonden` + fwi + `/>`, adapters.ReasonBadData, nil},
		"two clients":              {data + data, adapters.ReasonBadData, nil},
		"somebody else":            {strings.Replace(data, "999940004", "999940016", 1), adapters.ReasonBadData, nil},
		"two numbers":              {strings.Replace(data, who, who+who, 1), adapters.ReasonBadData, nil},
		"nobody":                   {strings.Replace(data, who, "", 1), adapters.ReasonBadData, nil},
		"in other capitals":        {strings.ReplaceAll(data, "ClientSuwi", "clientsuwi"), adapters.ReasonBadData, nil},
		"empty":                    {"", adapters.ReasonBadData, nil},
		"something else":           {"<Iets/>", adapters.ReasonBadData, nil},
		"a text":                   {"999940004", adapters.ReasonBadData, nil},
	} {
		for _, root := range []string{"", "Antwoord"} { // the name of the root is not published
			raw := before + c.inner + after
			if root != "" {
				raw = strings.ReplaceAll(raw, "smls:UWVPersoonsWvInfoResponse", root)
			}
			w, err := read(t, raw)
			require.Equal(t, c.reason, adapters.Reason(err), name)
			if err != nil {
				require.NotContains(t, err.Error()+adapters.Path(err), "999940004", name)
				continue
			}
			a, err := w.Response()
			require.NoError(t, err)
			require.Equal(t, c.lines, stories(a), name)
			require.Empty(t, a.GetNotices(), name)
		}
	}
	for _, raw := range []string{
		``, `null`, `{}`, `<a/>`, `<Envelope/>`, `<Envelope><Body/></Envelope>`, `<Envelope><Body>x</Body></Envelope>`, before, answer + answer,
		strings.Replace(answer, "<s:Body>", "<s:Body><x/>", 1), `<!DOCTYPE x [<!ENTITY a "b">]>` + answer[len(`<?xml version="1.0"?>`):],
	} {
		_, err := read(t, raw)
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), raw)
	}
}

func TestFaultsHaveTheirReason(t *testing.T) {
	for code, want := range map[string]string{
		"soap:Server": adapters.ReasonSourceUnavailable, "Server": adapters.ReasonSourceUnavailable, "x:Other": adapters.ReasonSourceUnavailable,
		"soap:Server.Timeout": adapters.ReasonSourceTimeout, "soap:Client": adapters.ReasonAdapterBug, "soap:MustUnderstand": adapters.ReasonAdapterBug,
		"soap:Client.Authentication": adapters.ReasonNotAuthorised, "soap:Client.Authorization": adapters.ReasonNotAuthorised,
		"wsse:FailedAuthentication": adapters.ReasonNotAuthorised, "wsse:InvalidSecurity": adapters.ReasonNotAuthorised,
	} {
		_, err := read(t, `<soap:Envelope xmlns:soap="`+wss.SOAP+`"><soap:Body><soap:Fault><faultcode>`+code+
			`</faultcode><faultstring>999940004</faultstring></soap:Fault></soap:Body></soap:Envelope>`)
		require.Equal(t, want, adapters.Reason(err), code)
		require.NotContains(t, err.Error(), "999940004")
	}
	for codes, want := range map[[2]string]string{
		{"e:Receiver"}:                         adapters.ReasonSourceUnavailable,
		{"e:Receiver", "x:Timeout"}:            adapters.ReasonSourceTimeout,
		{"e:Sender"}:                           adapters.ReasonAdapterBug,
		{"e:Sender", "x:Other"}:                adapters.ReasonAdapterBug,
		{"e:VersionMismatch"}:                  adapters.ReasonAdapterBug,
		{"e:Sender", "wsse:FailedCheck"}:       adapters.ReasonNotAuthorised,
		{"e:Sender", "w:FailedAuthentication"}: adapters.ReasonNotAuthorised,
	} {
		sub := ""
		if codes[1] != "" {
			sub = `<e:Subcode><e:Value>` + codes[1] + `</e:Value></e:Subcode>`
		}
		_, err := read(t, `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>`+codes[0]+`</e:Value>`+sub+
			`</e:Code><e:Reason><e:Text xml:lang="nl">999940004</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>`)
		require.Equal(t, want, adapters.Reason(err), codes)
		require.NotContains(t, err.Error(), "999940004")
	}
}

// A question holds the number and nothing else of the person; each header and the body is
// signed with the certificate that goes along.
func TestQuestionIsSigned(t *testing.T) {
	pair := trial.NewCA(t).Pair("gateway")
	raw, err := request{to: "https://uwv.example/a?b=1&c=<>", id: "urn:uuid:x", bsn: trial.BSN(t), now: time.Date(2025, 6, 30, 12, 0, 0, 0, time.UTC), with: pair}.write()
	require.NoError(t, err)
	text := string(raw)
	require.Equal(t, 1, strings.Count(text, trial.Number))
	require.Contains(t, text, `<smls:UWVPersoonsWvInfo xmlns:smls="http://bkwi.nl/SuwiML/Diensten/UWVDossierWerknemersverzekeringenGSD/v0200"><Burgerservicenr>`+trial.Number+`</Burgerservicenr></smls:UWVPersoonsWvInfo>`)
	require.Contains(t, text, `>http://bkwi.nl/SuwiML/Diensten/UWVDossierWerknemersverzekeringenGSD-v0200/UWVPersoonsWvInfo</wsa:Action>`)
	require.Contains(t, text, "<wsu:Created>2025-06-30T12:00:00.000Z</wsu:Created>")
	require.Contains(t, text, base64.StdEncoding.EncodeToString(pair.Certificate[0]))

	var envelope struct {
		Header struct {
			Security struct {
				Signature struct {
					SignedInfo struct {
						Reference []struct {
							URI         string `xml:"URI,attr"`
							DigestValue string
						}
					}
					SignatureValue string
				}
			}
		}
	}
	require.NoError(t, xml.Unmarshal(raw, &envelope))
	signature := envelope.Header.Security.Signature
	signedIDs := map[string]bool{}
	for _, r := range signature.SignedInfo.Reference {
		id := strings.TrimPrefix(r.URI, "#")
		signedIDs[id] = true
		element := regexp.MustCompile(`(?s)<([a-z]+:[A-Za-z]+) [^>]*wsu:Id="` + id + `">.*?</([a-z]+:[A-Za-z]+)>`)
		start := element.FindStringSubmatchIndex(text)
		name := text[start[2]:start[3]]
		whole := text[start[0] : strings.Index(text[start[0]:], "</"+name+">")+start[0]+len("</"+name+">")]
		digest := sha256.Sum256([]byte(whole))
		require.Equal(t, base64.StdEncoding.EncodeToString(digest[:]), r.DigestValue, id)
	}
	require.Equal(t, map[string]bool{"action": true, "message": true, "to": true, "reply": true, "body": true, "time": true}, signedIDs)

	info := regexp.MustCompile(`(?s)<ds:SignedInfo.*</ds:SignedInfo>`).FindString(text)
	certificate, err := x509.ParseCertificate(pair.Certificate[0])
	require.NoError(t, err)
	value, err := base64.StdEncoding.DecodeString(signature.SignatureValue)
	require.NoError(t, err)
	digest := sha256.Sum256([]byte(info))
	require.Len(t, value, 64)
	require.True(t, ecdsa.Verify(certificate.PublicKey.(*ecdsa.PublicKey), digest[:], new(big.Int).SetBytes(value[:32]), new(big.Int).SetBytes(value[32:])))
}
