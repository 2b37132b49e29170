package signed

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/identity"
)

// broken is a key that does not sign, as a hardware module that is gone.
type broken struct{ crypto.Signer }

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the module is gone")
}

func TestAKeyThatDoesNotSign(t *testing.T) {
	s := newSigner(t, alice, "a1")
	whole, err := Together(Agreement, claims{Issuer: alice}, s)
	require.NoError(t, err)
	s.Key = broken{s.Key}
	for name, sign := range map[string]func() ([]byte, error){
		"compact":     func() ([]byte, error) { return s.Compact(Consent, claims{Issuer: alice}) },
		"together":    func() ([]byte, error) { return Together(Agreement, claims{Issuer: alice}, s) },
		"countersign": func() ([]byte, error) { return s.Countersign(Agreement, whole) },
	} {
		raw, err := sign()
		require.Error(t, err, name)
		require.Empty(t, raw, name)
	}
	_, err = Together(Agreement, func() {}, newSigner(t, alice, "a1"))
	require.ErrorContains(t, err, "canonical form")
	_, err = newSigner(t, alice, "a1").Compact(Consent, func() {})
	require.ErrorContains(t, err, "canonical form")
}

// Nobody puts a signature under what is not a document of several in the strict form.
func TestWhatIsNotCountersigned(t *testing.T) {
	s := newSigner(t, alice, "a1")
	raw, err := Together(Agreement, claims{Issuer: alice, Text: "x"}, s)
	require.NoError(t, err)
	payload := b64(`{"iss":"00000099000000000001","text":"x"}`)
	require.Contains(t, string(raw), payload)
	with := func(other string) string { return strings.Replace(string(raw), payload, other, 1) }
	for name, spoilt := range map[string]string{
		"nothing":               "",
		"a member more":         strings.TrimSuffix(string(raw), "}") + `,"z":1}`,
		"no signatures":         `{"payload":"` + payload + `","signatures":[]}`,
		"a payload that is not": with("!"),
		"another order":         with(b64(`{"text":"x","iss":"00000099000000000001"}`)),
		"a space":               with(b64(`{"iss": "00000099000000000001","text":"x"}`)),
		"a member twice":        with(b64(`{"iss":"00000099000000000001","text":"x","text":"x"}`)),
		"too large":             with(b64(`{"text":"` + strings.Repeat("x", MaxBytes) + `"}`)),
	} {
		out, err := s.Countersign(Agreement, []byte(spoilt))
		require.ErrorIs(t, err, ErrMalformed, name)
		require.Empty(t, out, name)
	}
}

// Sixteen can sign together, and seventeen cannot.
func TestHowManySign(t *testing.T) {
	s := newSigner(t, alice, "a1")
	var all []Signer
	var parties []identity.OIN
	for i := range maxSignatures + 1 {
		one := s
		one.Issuer = identity.OIN(fmt.Sprintf("000000990000000%05d", i))
		all, parties = append(all, one), append(parties, one.Issuer)
	}
	v := pinned(t, Kinds(), all...)
	raw, err := Together(Agreement, claims{Issuer: alice}, all[:maxSignatures]...)
	require.NoError(t, err)
	proof, err := v.All(Agreement, raw, new(claims), func() []identity.OIN { return parties[:maxSignatures] })
	require.NoError(t, err)
	require.Equal(t, parties[:maxSignatures], proof.SignedBy)
	require.Len(t, proof.Keys, maxSignatures)
	raw, err = Together(Agreement, claims{Issuer: alice}, all...)
	require.NoError(t, err)
	_, err = v.All(Agreement, raw, new(claims), func() []identity.OIN { return parties })
	require.EqualError(t, err, "document malformed: 17 signatures")
}

// One signature that cannot be read spoils the others, and claims that nobody knows spoil
// signatures that hold.
func TestEverySignatureIsRead(t *testing.T) {
	a, b := newSigner(t, alice, "k"), newSigner(t, bob, "k")
	v := pinned(t, Kinds(), a, b)
	both := func() []identity.OIN { return []identity.OIN{alice, bob} }
	raw, err := Together(Agreement, claims{Issuer: alice, Text: "x"}, a)
	require.NoError(t, err)
	unreadable := strings.TrimSuffix(string(raw), "]}") + `,{"protected":"` + b64(`{"alg":"ES256","kid":"k","typ":"ontschot-agreement+json"}`) + `","signature":"!"}]}`
	_, err = v.Some(Agreement, []byte(unreadable), new(claims), both)
	require.EqualError(t, err, "document malformed: base64url")
	unknown, err := Together(Agreement, struct {
		claims
		Z string `json:"z"`
	}{claims{Issuer: alice, Text: "x"}, "z"}, a, b)
	require.NoError(t, err)
	var got claims
	for range 2 {
		_, err = v.Some(Agreement, unknown, &got, both)
		require.ErrorIs(t, err, ErrMalformed)
		_, err = v.All(Agreement, unknown, &got, both)
		require.ErrorIs(t, err, ErrMalformed)
	}
}

// A document that was seen may be read into other claims, and into the same at little cost.
func TestASeenDocumentIsReadIntoOtherClaims(t *testing.T) {
	a := newSigner(t, alice, "a1")
	v := pinned(t, Kinds(), a)
	one := func() []identity.OIN { return []identity.OIN{alice} }
	whole, err := Together(Agreement, claims{Issuer: alice, Text: "x"}, a)
	require.NoError(t, err)
	compact, err := a.Compact(Consent, claims{Issuer: alice, Text: "x"})
	require.NoError(t, err)
	type other struct {
		Issuer identity.OIN `json:"iss"`
		Said   string       `json:"text"`
	}
	for name, read := range map[string]func(any) (Verified, error){
		"together": func(into any) (Verified, error) { return v.All(Agreement, whole, into, one) },
		"compact":  func(into any) (Verified, error) { return v.Compact(Consent, compact, into) },
	} {
		first, err := read(new(claims))
		require.NoError(t, err, name)
		var said other
		again, err := read(&said)
		require.NoError(t, err, name)
		require.Equal(t, first, again, name)
		require.Equal(t, other{alice, "x"}, said, name)
		allocations := testing.AllocsPerRun(100, func() {
			if _, err := read(&said); err != nil {
				t.Error(err)
			}
		})
		require.LessOrEqual(t, allocations, 12.0, name)
	}
}

// A document may hold as many bytes as it says, read by whichever door.
func TestTheLargestDocument(t *testing.T) {
	doors := map[string]struct {
		make func(Signer, string) ([]byte, error)
		read func(*Verifier, []byte) error
	}{
		"compact": {
			func(s Signer, text string) ([]byte, error) {
				return s.Compact(Consent, claims{Issuer: alice, Text: text})
			},
			func(v *Verifier, raw []byte) error { _, err := v.Compact(Consent, raw, new(claims)); return err },
		},
		"compact, unverified": {
			func(s Signer, text string) ([]byte, error) {
				return s.Compact(Consent, claims{Issuer: alice, Text: text})
			},
			func(_ *Verifier, raw []byte) error { return Unverified(Consent, raw, new(claims)) },
		},
		"its kind": {
			func(s Signer, text string) ([]byte, error) {
				return s.Compact(Consent, claims{Issuer: alice, Text: text})
			},
			func(_ *Verifier, raw []byte) error { _, err := KindOf(raw); return err },
		},
		"together": {
			func(s Signer, text string) ([]byte, error) {
				return Together(Agreement, claims{Issuer: alice, Text: text}, s)
			},
			func(v *Verifier, raw []byte) error {
				_, err := v.Some(Agreement, raw, new(claims), func() []identity.OIN { return []identity.OIN{alice} })
				return err
			},
		},
		"together, unverified": {
			func(s Signer, text string) ([]byte, error) {
				return Together(Agreement, claims{Issuer: alice, Text: text}, s)
			},
			func(_ *Verifier, raw []byte) error { return Unverified(Agreement, raw, new(claims)) },
		},
		"a manifest, unverified": {
			func(s Signer, text string) ([]byte, error) {
				return Together(Manifest, claims{Issuer: alice, Text: text}, s)
			},
			func(_ *Verifier, raw []byte) error { return Unverified(Manifest, raw, new(claims)) },
		},
	}
	for name, door := range doors {
		tried := map[int]bool{}
		for _, id := range []string{"a", "aa", "aaa", "aaaa"} { // base64 skips one length in four, each another
			s := newSigner(t, alice, id)
			v := pinned(t, Kinds(), s)
			empty, err := door.make(s, "")
			require.NoError(t, err)
			for n := range 8 {
				raw, err := door.make(s, strings.Repeat("x", (MaxBytes-len(empty))*3/4+n-4))
				require.NoError(t, err)
				tried[len(raw)] = true
				if len(raw) > MaxBytes {
					require.EqualError(t, door.read(v, raw), "document malformed: larger than 16384 bytes", name)
					continue
				}
				require.NoError(t, door.read(v, raw), name)
			}
		}
		require.True(t, tried[MaxBytes] && tried[MaxBytes+1], name)
	}
}
