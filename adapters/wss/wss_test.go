package wss

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/trial"
)

const inner = `<a:Answer xmlns:a="urn:a"><Sum>231000</Sum><Name>d'Or &amp; "Zn"</Name></a:Answer>`

func parties(t testing.TB) (pair tls.Certificate, of []*x509.Certificate) {
	pair = trial.NewCA(t).Pair("uwv")
	return pair, certificates(t, pair)
}

func certificates(t testing.TB, pairs ...tls.Certificate) (all []*x509.Certificate) {
	for _, pair := range pairs {
		one, err := x509.ParseCertificate(pair.Certificate[0])
		require.NoError(t, err)
		all = append(all, one)
	}
	return all
}

func message(t testing.TB, with tls.Certificate, at time.Time) string {
	raw, err := Sign(with, at, []Part{Header("MessageID", "message", "urn:uuid:2"), Header("RelatesTo", "about", "urn:uuid:1")}, inner)
	require.NoError(t, err)
	return string(raw)
}

func TestSignedMessageIsOpened(t *testing.T) {
	now := time.Now()
	pair, signers := parties(t)
	another := trial.NewCA(t).Pair("uwv")
	raw := message(t, pair, now)
	for name, by := range map[string][]*x509.Certificate{"the certificate": signers, "one of two": certificates(t, another, pair)} {
		opened, err := Open([]byte(raw), by, now.Add(4*time.Minute))
		require.NoError(t, err, name)
		n, err := native.XML(opened)
		require.NoError(t, err)
		require.Equal(t, []string{"urn:uuid:1", "231000", `d'Or & "Zn"`},
			[]string{n.Text("Header/RelatesTo"), n.Text("Body/Answer/Sum"), n.Text("Body/Answer/Name")}, name)
	}
	require.NotContains(t, raw, "PRIVATE")
}

// A key of RSA signs as well.
func TestRSA(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	pair := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	_, err = Open([]byte(message(t, pair, now)), certificates(t, pair), now)
	require.NoError(t, err)
	_, err = Open([]byte(message(t, pair, now.Add(50*time.Minute))), certificates(t, pair), now.Add(50*time.Minute))
	require.NoError(t, err)
	_, err = Open([]byte(message(t, pair, now.Add(61*time.Minute))), certificates(t, pair), now.Add(61*time.Minute))
	require.Error(t, err, "the certificate has ended")
}

// A message of another maker is not written canonically: prefixes are declared further up,
// attributes stand in any order, an element is closed at once, a comment stands between.
func TestMessageOfAnotherMaker(t *testing.T) {
	now := time.Now()
	pair, signers := parties(t)
	stamp := `<wsu:Timestamp xmlns:wsu="` + wsu + `" wsu:Id="time"><wsu:Created>` + now.UTC().Format("2006-01-02T15:04:05.000Z") + `</wsu:Created></wsu:Timestamp>`
	body := `<s:Body xmlns:s="` + SOAP + `" xmlns:wsu="` + wsu + `" wsu:Id="b"><f:A xmlns:f="urn:f" x="1" y="2">1<B></B></f:A></s:Body>`
	security, err := secure(pair, now, map[string]string{"b": body})
	require.NoError(t, err)
	security = regexp.MustCompile(`<wsu:Timestamp.*</wsu:Timestamp>`).ReplaceAllString(security, stamp)
	written := `<s:Envelope xmlns:f="urn:f" xmlns:unused="urn:u" xmlns:wsu="` + wsu + `" xmlns:s="` + SOAP + `"><s:Header>` +
		strings.Replace(security, ` soap:mustUnderstand="1"`, "", 1) + `</s:Header>
		<s:Body   wsu:Id='b'><f:A y="2" x='1'>1<!-- of nobody --><B/></f:A></s:Body></s:Envelope>`
	opened, err := Open([]byte(written), signers, now)
	require.NoError(t, err)
	require.Contains(t, string(opened), body)
}

// Each of these was signed by somebody, or looks as if it was, and is not what was signed.
func TestForgedMessagesAreRefused(t *testing.T) {
	now := time.Now()
	pair, signers := parties(t)
	stranger := trial.NewCA(t).Pair("uwv")
	sound := message(t, pair, now)
	body := regexp.MustCompile(`(?s)<soap:Body.*</soap:Body>`).FindString(sound)
	header := regexp.MustCompile(`(?s)<soap:Header>.*</soap:Header>`).FindString(sound)
	security := regexp.MustCompile(`(?s)<wsse:Security.*</wsse:Security>`).FindString(sound)
	about := regexp.MustCompile(`<wsa:RelatesTo.*</wsa:RelatesTo>`).FindString(sound)
	forged := strings.NewReplacer("231000", "999999").Replace(body)
	elsewhere := strings.Replace(forged, `wsu:Id="body"`, `wsu:Id="other"`, 1)
	without := strings.NewReplacer(` wsu:Id="body"`, "").Replace(forged)
	change := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(sound) }
	for name, raw := range map[string]string{
		"unsigned":                      change(security, ""),
		"no signature":                  change(regexp.MustCompile(`(?s)<ds:Signature .*</ds:Signature>`).FindString(sound), ""),
		"by another key":                message(t, stranger, now),
		"by another key, our token":     strings.Replace(message(t, stranger, now), token(message(t, stranger, now)), token(sound), 1),
		"the body changed":              change("231000", "231001"),
		"an element added":              change("<Sum>", "<Sum>1</Sum><Sum>"),
		"a header changed":              change("urn:uuid:1", "urn:uuid:3"),
		"a header added":                change("<soap:Header>", `<soap:Header><x:Nieuw xmlns:x="urn:x"/>`),
		"a header without an id":        change(about, strings.Replace(about, ` wsu:Id="about"`, "", 1)),
		"the time changed":              change("<wsu:Created>2", "<wsu:Created>3"),
		"another digest":                change("<ds:DigestValue>", "<ds:DigestValue>AAAA"),
		"another method":                change(exclusive, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
		"a weak digest":                 change(sha256URI, "http://www.w3.org/2000/09/xmldsig#sha1"),
		"two bodies, the first signed":  change(body, body+elsewhere),
		"two bodies, the last signed":   change(body, elsewhere+body),
		"two bodies of one id":          change(body, forged+body),
		"the signed body in the header": change(header, strings.Replace(header, "</soap:Header>", "<w>"+body+"</w></soap:Header>", 1), body, elsewhere),
		"in the security header":        change("</wsse:Security>", "<w>"+body+"</w></wsse:Security>", body, elsewhere),
		"in the body":                   change(body, strings.Replace(forged, `<a:Answer`, `<w>`+body+`</w><a:Answer`, 1)),
		"in the body, which has no id":  change(body, strings.Replace(without, `<a:Answer`, `<w>`+body+`</w><a:Answer`, 1)),
		"of one id in another name":     change(body, strings.Replace(forged, `<a:Answer`, `<a:Answer Id="body"`, 1)),
		"a body of another namespace":   change(body, strings.Replace(forged, SOAP, "urn:x", 1)+body),
		"a body beside of no namespace": change(body, "<Body>"+inner+"</Body>"+body),
		"two security headers":          change(security, security+strings.ReplaceAll(security, `Id="`, `Id="x`)),
		"two times":                     change("<wsu:Timestamp", `<wsu:Timestamp wsu:Id="t"><wsu:Created>2025-01-01T00:00:00Z</wsu:Created></wsu:Timestamp><wsu:Timestamp`),
		"two signed infos":              change("<ds:SignedInfo", `<ds:SignedInfo></ds:SignedInfo><ds:SignedInfo`),
		"a document type":               `<!DOCTYPE a [<!ENTITY b "c">]>` + sound[strings.Index(sound, "<soap:"):],
		"something behind":              sound + "<a/>",
		"a root of another name":        change("soap:Envelope", "soap:Envelop"),
		"an empty envelope":             `<soap:Envelope xmlns:soap="` + SOAP + `"/>`,
		"no XML":                        "null",
		"an old answer":                 message(t, pair, now.Add(-6*time.Minute)),
		"of a time to come":             message(t, pair, now.Add(6*time.Minute)),
	} {
		_, err := Open([]byte(raw), signers, now)
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), name)
		require.NotEqual(t, sound, raw, name)
	}
	_, err := Open([]byte(sound), nil, now)
	require.Error(t, err, "nobody's")
	for at := range len(sound) / 50 {
		_, err := Open([]byte(sound[:at*50]), signers, now)
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), "cut off at %d", at*50)
	}
}

func token(raw string) string {
	return regexp.MustCompile(`wsu:Id="token">([^<]*)<`).FindStringSubmatch(raw)[1]
}

// A signature of ECDSA is two numbers of the size of the curve; shorter ones are none.
func TestShortSignature(t *testing.T) {
	pair, signers := parties(t)
	require.IsType(t, &ecdsa.PrivateKey{}, pair.PrivateKey)
	now := time.Now()
	sound := message(t, pair, now)
	value := regexp.MustCompile(`<ds:SignatureValue>([^<]*)<`).FindStringSubmatch(sound)[1]
	for _, other := range []string{"", "AAAA", value[:len(value)/2], "%%"} {
		_, err := Open([]byte(strings.Replace(sound, value, other, 1)), signers, now)
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), other)
	}
	_, err := Sign(tls.Certificate{}, now, nil, inner)
	require.Error(t, err)
	_, err = Sign(pair, now, nil, "<a>")
	require.Error(t, err)
}

// Nothing that is not in a message that was signed comes out of one that was changed.
func FuzzOpen(f *testing.F) {
	// The workers of a fuzzer are other processes: the key and the clock are the same in all.
	now := time.Date(2025, 6, 30, 12, 0, 0, 0, time.UTC)
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	require.NoError(f, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(f, err)
	pair := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	signers := certificates(f, pair)
	sound := message(f, pair, now)
	want, err := Open([]byte(sound), signers, now)
	require.NoError(f, err)
	f.Add(sound)
	f.Add(strings.Replace(sound, "<soap:Body", "<!-- --><soap:Body", 1))
	f.Fuzz(func(t *testing.T, raw string) {
		opened, err := Open([]byte(raw), signers, now)
		if err == nil {
			require.Equal(t, string(want), string(opened))
			return
		}
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err))
	})
}
