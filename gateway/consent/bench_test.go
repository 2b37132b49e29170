package consent_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/signed"
)

// BenchmarkSignature: a real consent that was seen before, a new one, and what a new one
// cannot do without: the signature, and reading its JSON.
func BenchmarkSignature(b *testing.B) {
	f, keys := openFamily(b)
	r, _, err := f.Consent(f.Case.Consents[0], nil)
	require.NoError(b, err)
	b.Run("seen", func(b *testing.B) {
		b.ReportAllocs()
		var c consent.Claims
		for b.Loop() {
			if _, err := keys.Compact(signed.Consent, r.GetDocument(), &c); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			fresh, err := f.Verifier()
			if err != nil {
				b.Fatal(err)
			}
			if _, err := fresh.Compact(signed.Consent, r.GetDocument(), new(consent.Claims)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		parts := strings.Split(string(r.GetDocument()), ".")
		sig, err := base64.RawURLEncoding.DecodeString(parts[2])
		require.NoError(b, err)
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		require.NoError(b, err)
		public := f.Requester().Sign.Key.Public().(*ecdsa.PublicKey)
		for b.Loop() {
			sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
			if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) || json.Unmarshal(payload, new(consent.Claims)) != nil {
				b.Fatal("does not verify")
			}
		}
	})
}
