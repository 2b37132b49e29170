package signed

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/identity"
)

// What hides in nested claims: a member that encoding/json would read as another
// because it differs in case alone.
func TestMembersInAnotherCaseAtDepth(t *testing.T) {
	type inner struct {
		Hash string          `json:"x5t#S256"`
		Rest json.RawMessage `json:"rest"`
	}
	type outer struct {
		Issuer identity.OIN      `json:"iss"`
		Bound  *inner            `json:"cnf"`
		List   []inner           `json:"list"`
		Map    map[string]inner  `json:"map"`
		More   *[]inner          `json:"more"`
		Text   map[string]string `json:"text"`
	}
	for payload, good := range map[string]bool{
		`{"cnf":{"x5t#S256":"x"}}`:                            true,
		`{"cnf":{"X5T#S256":"x"}}`:                            false,
		`{"CNF":{"x5t#S256":"x"}}`:                            false,
		`{"list":[{"x5t#S256":"x"},{"x5t#s256":"x"}]}`:        false,
		`{"map":{"Cnf":{"x5t#S256":"x"}}}`:                    true,
		`{"map":{"a":{"X5t#S256":"x"}}}`:                      false,
		`{"more":[{"REST":1}]}`:                               false,
		`{"cnf":{"rest":{"X5T#S256":"x","Iss":[{"A":1}]}}}`:   true,
		`{"text":{"ISS":"x"},"other":{"X5T#S256":[1,"Iss"]}}`: true,
		`{"cnf":null,"list":null,"map":null,"more":null}`:     true,
	} {
		require.Equal(t, good, decodeOutside([]byte(payload), new(outer)) == nil, payload)
	}
}

// hostileSeeds are documents as strangers write them, beside the honest ones.
func hostileSeeds(f *testing.F, honest ...[]byte) {
	for _, raw := range honest {
		f.Add(string(raw))
		f.Add(string(raw) + " ")
		f.Add(strings.Replace(string(raw), "ey", "e", 1))
	}
	for _, head := range []string{
		`{"alg":"none","kid":"a1","typ":"ontschot-agreement+json"}`, `{"alg":"ES256","kid":"a1","typ":"ontschot-agreement+json","crit":["x"]}`,
		`{"alg":"ES256","ALG":"none","kid":"a1","typ":"at+jwt"}`, `{"\u0061lg":"ES256","kid":"a1"}`, `{}`, `[]`, strings.Repeat("[", 3000),
	} {
		f.Add(b64(head) + "." + b64(`{"iss":"`+string(alice)+`"}`) + ".AA")
		f.Add(`{"payload":"` + b64(`{"iss":"`+string(alice)+`","text":""}`) + `","signatures":[{"protected":"` + b64(head) + `","signature":"AA"}]}`)
	}
	f.Add(`{"payload":"e30","signatures":[]}`)
	f.Add(`{"payload":"e30","signatures":[null]}`)
	f.Add(`{"Payload":"e30","payload":"e30","signatures":[{"header":{"kid":"a1"},"protected":"","signature":""}]}`)
}

// FuzzKindOf: what a document says it is, no more than a header says that would be
// accepted, and the same in either serialisation.
func FuzzKindOf(f *testing.F) {
	s := newSigner(f, alice, "a1")
	one, err := s.Compact(Consent, claims{Issuer: alice})
	require.NoError(f, err)
	both, err := Together(Agreement, claims{Issuer: alice}, s)
	require.NoError(f, err)
	hostileSeeds(f, one, both)
	v := pinned(f, Kinds(), s)
	f.Fuzz(func(t *testing.T, doc string) {
		kind, err := KindOf([]byte(doc))
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			require.Empty(t, kind)
		}
		for _, k := range Kinds() { // whatever verifies is of the kind it says
			if _, err := v.Compact(k, []byte(doc), new(claims)); err == nil && kind != k {
				t.Fatalf("says %q and is %q", kind, k)
			}
		}
	})
}

// FuzzSome: a document of several signatures is what its parties signed, by whom it
// says, whatever else is written.
func FuzzSome(f *testing.F) {
	a, b, stranger := newSigner(f, alice, "a1"), newSigner(f, bob, "a1"), newSigner(f, "00000099000000000003", "a1")
	v := pinned(f, Kinds(), a, b, stranger)
	sign := func(signers ...Signer) []byte {
		raw, err := Together(Agreement, claims{Issuer: alice, Text: "x"}, signers...)
		require.NoError(f, err)
		return raw
	}
	honest := [][]byte{sign(a), sign(b), sign(a, b)}
	hostileSeeds(f, append(honest, sign(a, a), sign(a, stranger), sign(stranger))...)
	parties := func() []identity.OIN { return []identity.OIN{alice, bob} }
	f.Fuzz(func(t *testing.T, doc string) {
		var got claims
		proof, err := v.Some(Agreement, []byte(doc), &got, parties)
		if err != nil {
			return
		}
		if !slices.ContainsFunc(honest, func(raw []byte) bool { return string(raw) == doc }) {
			t.Fatal("accepted what was never signed so")
		}
		require.Equal(t, claims{Issuer: alice, Text: "x"}, got)
		require.Equal(t, len(proof.SignedBy), strings.Count(doc, `"protected"`))
	})
}
