package signed

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/identity"
)

// Each part of a compact document is refused by itself, whoever reads it next.
func TestTakingApart(t *testing.T) {
	head, body, sig := b64(`{"alg":"ES256","kid":"a1","typ":"at+jwt"}`), b64(`{}`), b64("x")
	a, err := takeApart([]byte(head+"."+body+"."+sig), ownMembers(), MaxBytes)
	require.NoError(t, err)
	require.Equal(t, apart{head: header{"ES256", "a1", "at+jwt", ""}, input: []byte(head + "." + body), payload: []byte(`{}`), sig: []byte("x")}, a)
	for raw, says := range map[string]string{
		"": "not three parts", head + "." + body: "not three parts", head + "." + body + "." + sig + ".": "not three parts",
		"!." + body + "." + sig: "base64url", head + ".!." + sig: "base64url", head + "." + body + ".!": "signature part", head + "." + body + ".": "signature part",
		strings.Repeat("A", MaxBytes+1): "larger than 16384 bytes",
	} {
		a, err := takeApart([]byte(raw), ownMembers(), MaxBytes)
		require.EqualError(t, err, "document malformed: "+says)
		require.Empty(t, a)
	}
}

func TestHeaders(t *testing.T) {
	for raw, says := range map[string]string{
		`{"alg":"ES256","kid":"a1"}`:                    "",
		`{"alg":"ES256","kid":"a1","x5t#S256":"x"}`:     "",
		`{"kid":"a1","typ":"x"}`:                        "alg and kid are needed",
		`{"alg":"","kid":"a1"}`:                         "alg and kid are needed",
		`{"alg":"ES256","kid":""}`:                      "alg and kid are needed",
		`{"alg":"ES256","kid":"a1","x5t#S256":7}`:       "header holds what is not accepted",
		`{"alg":"ES256","kid":"a1","x5t":"x"}`:          "header holds what is not accepted",
		`{"alg":"ES256","kid":"a1","typ":{"kid":"a2"}}`: "header holds what is not accepted",
		`{"alg":"ES256","kid":"a1","kid":"a1"}`:         "a member is listed twice",
		`[]`:                                            "header holds what is not accepted",
		`x`:                                             "not one JSON value",
		`{"alg":"ES256","kid":"a1","typ":` + strings.Repeat("[", 9) + "1" + strings.Repeat("]", 9) + `}`: "JSON too deep",
	} {
		h, err := headerOf(b64(raw), ownMembers())
		if says == "" {
			require.NoError(t, err, raw)
			continue
		}
		require.EqualError(t, err, "document malformed: "+says, raw)
		require.Empty(t, h, raw)
	}
	_, err := headerOf("!", ownMembers())
	require.EqualError(t, err, "document malformed: base64url")
	for _, bad := range []string{"!", "AA=", "A", "AB", "AA\n", "A\rA", "\n"} {
		raw, err := unbase64(bad)
		require.ErrorIs(t, err, ErrMalformed, "%q", bad)
		require.Empty(t, raw, "%q", bad)
	}
}

// Claims are read whole or not at all, whether their members are in order or not.
func TestReadingClaims(t *testing.T) {
	var got claims
	require.NoError(t, decode([]byte(`{"iss":"x","more":["<&>"],"text":"y"}`), &got))
	require.Equal(t, claims{"x", "y", []string{"<&>"}}, got)
	for _, bad := range []string{`{"iss":"x","text":7}`, `{"iss":"x","text":"y","z":1}`, `{"iss":"x"}`, `{"iss":"x","text":"y"} `, `{"iss":"x","text":"\u003c"}`, `{`} {
		require.ErrorIs(t, decode([]byte(bad), new(claims)), ErrMalformed, bad)
	}
	require.NoError(t, decodeOutside([]byte(`{"iss":"x","z":1}`), new(claims)))
	for _, bad := range []string{`{"iss":"x","z":1,"z":2}`, `{"iss":7}`, `{"ISS":"x"}`, `{"iss":"x"}{}`} {
		require.ErrorIs(t, decodeOutside([]byte(bad), new(claims)), ErrMalformed, bad)
	}
	s := newSigner(t, alice, "a1")
	raw, err := s.Compact(Consent, claims{Issuer: alice, Text: "x", More: []string{"y"}})
	require.NoError(t, err)
	got = claims{}
	_, err = pinned(t, Kinds(), s).Compact(Consent, raw, &got)
	require.NoError(t, err)
	require.Equal(t, []string{"y"}, got.More)
}

// ownWay is a struct that is read from a text.
type ownWay struct{ Said string }

func (o *ownWay) UnmarshalJSON(raw []byte) error { return json.Unmarshal(raw, &o.Said) }

func TestWhatIsReadInAWayOfItsOwn(t *testing.T) {
	var got struct {
		Own  ownWay   `json:"own"`
		List []ownWay `json:"list"`
	}
	require.NoError(t, decodeOutside([]byte(`{"own":"x","list":["y"]}`), &got))
	require.Equal(t, "x", got.Own.Said)
}

// The issuer is the one of the document itself, in plain letters.
func TestWhoIssued(t *testing.T) {
	for payload, want := range map[string]string{
		`{"iss":"x"}`: "x", `{"iss":"x","z":{"iss":"y"}}`: "x", `{"a":[{"iss":"y"}],"iss":"x"}`: "x",
		`{"z":{"iss":"y"}}`: "", `{"iss":""}`: "", `{"iss":7}`: "", `{"iss":"\u0078"}`: "", `{}`: "", `[]`: "",
	} {
		issuer, err := scanClaims([]byte(payload), false)
		require.Equal(t, want, issuer, payload)
		if want == "" {
			require.EqualError(t, err, "document malformed: iss", payload)
			continue
		}
		require.NoError(t, err, payload)
	}
	_, err := scanClaims([]byte(`x`), true)
	require.EqualError(t, err, "document malformed: not one JSON value")
	_, err = scanClaims([]byte(`{"iss":"x","iss":"y"}`), true)
	require.EqualError(t, err, "document malformed: a member is listed twice")
	oin, err := ownIssuer([]byte(`{"iss":"`+string(alice)+`"}`), true)
	require.NoError(t, err)
	require.Equal(t, alice, oin)
	for _, bad := range []string{`{"iss":"UWV"}`, `{}`, `x`, `{"iss":"` + string(alice) + `","x":1,"x":2}`} {
		oin, err := ownIssuer([]byte(bad), true)
		require.ErrorIs(t, err, ErrMalformed, bad)
		require.Empty(t, oin, bad)
	}
}

// What a document says it is, in either serialisation, and nothing of what says nothing.
func TestKindOf(t *testing.T) {
	s := newSigner(t, alice, "a1")
	for _, kind := range Kinds() {
		compact, err := s.Compact(kind, claims{Issuer: alice})
		require.NoError(t, err)
		one, err := Together(kind, claims{Issuer: alice}, s)
		require.NoError(t, err)
		two, err := s.Countersign(kind, one)
		require.NoError(t, err)
		for _, raw := range [][]byte{compact, one, two} {
			said, err := KindOf(raw)
			require.NoError(t, err)
			require.Equal(t, kind, said)
		}
	}
	protected := b64(`{"alg":"ES256","kid":"a1","typ":"at+jwt"}`)
	for _, bad := range []string{
		"", ".", "x", "{}", `{"payload":"","signatures":[]}`, `{"payload":7,"signatures":[{"protected":"` + protected + `"}]}`, strings.Repeat(" ", MaxBytes) + "x",
	} {
		said, err := KindOf([]byte(bad))
		require.ErrorIs(t, err, ErrMalformed, "%.60s", bad)
		require.Empty(t, said, "%.60s", bad)
	}
}

// A lost key has signed nothing that counts, and none counts for another algorithm than
// it is pinned for.
func TestKeysThatDoNotCount(t *testing.T) {
	s := newSigner(t, alice, "a1")
	v := pinned(t, Kinds(), s)
	const body = `{"iss":"00000099000000000001","text":"x"}`
	other := by(t, s, `{"alg":"EdDSA","kid":"a1","typ":"ontschot-consent+jwt"}`, body)
	_, err := v.Compact(Consent, []byte(other), new(claims))
	require.ErrorIs(t, err, ErrKey)
	raw, err := s.Compact(Consent, claims{Issuer: alice, Text: "x"})
	require.NoError(t, err)
	key := Key{ID: "a1", Alg: "ES256", Public: s.Key.Public(), Kinds: Kinds()}
	for _, lost := range []bool{false, true} {
		key.Lost = lost
		require.NoError(t, v.Pin(map[identity.OIN][]Key{alice: {key}}))
		_, err = v.Compact(Consent, raw, new(claims))
		require.Equal(t, lost, err != nil)
	}
	_, err = NewSigner(alice, "a1", "ES256", broken{s.Key})
	require.ErrorContains(t, err, "the module is gone")
}
