package consent

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func TestDisclosuresInAnyOtherForm(t *testing.T) {
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	const salt = `"AAAAAAAAAAAAAAAAAAAAAA"`
	good := encode(`[` + salt + `,"00000099000100001000",["amount"]]`)
	d, err := decodeDisclosure(good)
	require.NoError(t, err)
	require.Equal(t, []budgetv1.Category{"amount"}, d.Categories)
	for name, s := range map[string]string{
		"padded": good + "=", "line break": good[:8] + "\n" + good[8:], "cut": good[:len(good)-4], "empty": "",
		"a space":                   encode(`[` + salt + `, "00000099000100001000",["amount"]]`),
		"a fourth":                  encode(`[` + salt + `,"00000099000100001000",["amount"],1]`),
		"two":                       encode(`[` + salt + `,"00000099000100001000"]`),
		"an object":                 encode(`{"0":` + salt + `}`),
		"a short salt":              encode(`["AAAA","00000099000100001000",["amount"]]`),
		"no OIN":                    encode(`[` + salt + `,"UWV",["amount"]]`),
		"an unknown category":       encode(`[` + salt + `,"00000099000100001000",["diagnosis"]]`),
		"a category twice":          encode(`[` + salt + `,"00000099000100001000",["amount","amount"]]`),
		"what cannot be granted":    encode(`[` + salt + `,"00000099000100001000",["person"]]`),
		"a category by escapes":     encode(`[` + salt + `,"00000099000100001000",["\u0061mount"]]`),
		"larger than the bound":     encode(`["` + strings.Repeat("A", maxDisclosure) + `","00000099000100001000",["amount"]]`),
		"deep":                      encode(strings.Repeat("[", 2000)),
		"another value behind it":   encode(`[` + salt + `,"00000099000100001000",["amount"]][]`),
		"numbers where texts stand": encode(`[1,2,3]`),
	} {
		_, err := decodeDisclosure(s)
		require.ErrorIs(t, err, ErrDocument, name)
		require.NotContains(t, err.Error(), "diagnosis", name)
	}
}

// What is accepted is what Encode writes, and nothing of it is repeated in an error.
func FuzzDecodeDisclosure(f *testing.F) {
	for _, c := range [][]budgetv1.Category{nil, {}, {"amount"}, budgetv1.Categories(), {"amount", "amount"}, {"diagnosis"}} {
		s, _, err := Disclosure{Salt: strings.Repeat("A", 22), Source: "00000099000100001000", Categories: c}.Encode()
		require.NoError(f, err)
		f.Add(s)
	}
	f.Add("")
	f.Add("W10")
	f.Add("bnVsbA")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := decodeDisclosure(s)
		if err != nil {
			if !errors.Is(err, ErrDocument) {
				t.Fatal("another error than it says")
			}
			return
		}
		again, _, err := d.Encode()
		if err != nil || again != s || !known(d.Categories) || len(d.Salt) < minSalt {
			t.Fatal("accepted what Encode does not write")
		}
	})
}

// keeperOf signs for one organisation.
func keeperOf(t testing.TB, oin identity.OIN) (signed.Signer, *signed.Verifier) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	s, err := signed.NewSigner(oin, "k1", "ES256", key)
	require.NoError(t, err)
	v, err := signed.NewVerifier(map[identity.OIN][]signed.Key{oin: {{ID: "k1", Alg: "ES256", Public: key.Public(), Kinds: []signed.Kind{signed.Consent, signed.Statement}}}})
	require.NoError(t, err)
	return s, v
}

// A withdrawal is accepted only when the keeper signed exactly these bytes.
func FuzzVerifyWithdrawal(f *testing.F) {
	s, v := keeperOf(f, "00000099000000119000")
	good := Withdrawal{Issuer: s.Issuer, ID: "id-1", IssuedAt: 1, Act: "withdraw", Consent: "consent-1"}
	accepted := map[string]bool{}
	for name, change := range map[string]func(*Withdrawal){
		"good": func(*Withdrawal) {}, "act": func(w *Withdrawal) { w.Act = "delegate" },
		"consent": func(w *Withdrawal) { w.Consent = "" }, "id": func(w *Withdrawal) { w.ID = "" },
	} {
		w := good
		change(&w)
		raw, err := s.Compact(signed.Statement, w)
		require.NoError(f, err)
		f.Add(string(raw))
		accepted[string(raw)] = name == "good"
	}
	other, err := s.Compact(signed.Consent, good)
	require.NoError(f, err)
	f.Add(string(other))
	f.Add("..")
	f.Fuzz(func(t *testing.T, raw string) {
		w, err := VerifyWithdrawal(v, []byte(raw))
		if (err == nil) != accepted[raw] {
			t.Fatal("accepted what was never signed, or refused what was")
		}
		if err == nil && w != good {
			t.Fatal("read something else than was signed")
		}
	})
}
