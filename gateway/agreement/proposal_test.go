package agreement_test

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

func TestFromProposalToAgreement(t *testing.T) {
	w, want := newWorld(t), terms()
	raw, err := agreement.Propose(want, w.by[meppel])
	require.NoError(t, err)
	p, err := agreement.VerifyProposal(w.keys, raw)
	require.NoError(t, err)
	require.Equal(t, want, p.Terms())
	require.Equal(t, []identity.OIN{meppel}, p.SignedBy())
	require.Equal(t, digest(raw), p.Digest())
	require.Equal(t, want.Digest(), p.TermsDigest())
	_, err = agreement.Verify(w.keys, raw)
	require.ErrorIs(t, err, agreement.ErrDocument, "one signature puts nothing in force")

	both, err := agreement.Accept(raw, w.by[uwv])
	require.NoError(t, err)
	a, err := agreement.Verify(w.keys, both)
	require.NoError(t, err)
	require.Equal(t, want, a.Terms())
	require.Equal(t, digest(both), a.Digest())
	p, err = agreement.VerifyProposal(w.keys, both)
	require.NoError(t, err)
	require.Equal(t, []identity.OIN{meppel, uwv}, p.SignedBy())
	require.Equal(t, want.Digest(), p.TermsDigest(), "the terms are what was proposed")
	require.NotEqual(t, want.Digest(), terms().Digest(), "another id, another digest")
}

func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func TestProposalsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	good, err := agreement.Propose(terms(), w.by[meppel])
	require.NoError(t, err)
	_, err = agreement.Propose(terms(), w.by[stranger])
	require.ErrorIs(t, err, agreement.ErrDocument)
	accepted := func(by ...identity.OIN) []byte {
		raw := good
		for _, oin := range by {
			raw, err = agreement.Accept(raw, w.by[oin])
			require.NoError(t, err)
		}
		return raw
	}
	for name, raw := range map[string][]byte{
		"by a stranger":           w.together(t, terms(), stranger),
		"by a party and stranger": accepted(stranger),
		"by both and a stranger":  accepted(uwv, stranger),
		"by one party twice":      accepted(meppel),
		"by the other twice":      accepted(uwv, uwv),
		"by nobody":               []byte(strings.Replace(string(good), `"signatures":[`, `"signatures":[],"x":[`, 1)),
		"of another kind":         other(t, w, signed.Consent),
	} {
		_, err := agreement.VerifyProposal(w.keys, raw)
		require.ErrorIs(t, err, agreement.ErrDocument, name)
		_, err = agreement.Verify(w.keys, raw)
		require.ErrorIs(t, err, agreement.ErrDocument, name)
	}
	_, err = agreement.Accept([]byte("{}"), w.by[uwv])
	require.ErrorIs(t, err, agreement.ErrDocument)
}

func other(t *testing.T, w world, kind signed.Kind) []byte {
	raw, err := signed.Together(kind, terms(), w.by[meppel], w.by[uwv])
	require.NoError(t, err)
	return raw
}

// The largest terms there can be are either proposed and then accepted, or refused
// before anybody has signed them.
func TestWhatCanBeProposedCanBeAccepted(t *testing.T) {
	w := newWorld(t)
	large := terms(back, func(a *agreement.Terms) {
		a.Finance.Settlement, a.Finance.CostShare, a.Sunset = strings.Repeat("𝔸", 500), strings.Repeat("𝔸", 500), strings.Repeat("𝔸", 1000)
	})
	raw, err := agreement.Propose(large, w.by[meppel])
	require.NoError(t, err)
	raw, err = agreement.Accept(raw, w.by[uwv])
	require.NoError(t, err)
	_, err = agreement.Verify(w.keys, raw)
	require.NoError(t, err)
	for i := range 14 {
		g := large.Grants[0]
		g.Purposes = nil
		for range 16 {
			g.Purposes = append(g.Purposes, "p"+strings.Repeat(string(rune('a'+i)), 40)+"."+string(rune('a'+len(g.Purposes))))
		}
		large.Grants = append(large.Grants, g)
	}
	_, err = agreement.Propose(large, w.by[meppel])
	require.ErrorContains(t, err, "too large")
}

// What is signed is what is enforced: no other bytes are an agreement.
func TestOneBitOtherwiseIsNoAgreement(t *testing.T) {
	w := newWorld(t)
	raw := w.together(t, terms(), meppel, uwv)
	_, err := agreement.Verify(w.keys, raw)
	require.NoError(t, err)
	for i := range raw {
		for bit := range 8 {
			spoilt := slices.Clone(raw)
			spoilt[i] ^= 1 << bit
			_, err := agreement.Verify(w.keys, spoilt)
			require.ErrorIs(t, err, agreement.ErrDocument, "byte %d, bit %d", i, bit)
		}
		_, err := agreement.Verify(w.keys, raw[:i])
		require.ErrorIs(t, err, agreement.ErrDocument, "cut at byte %d", i)
		_, err = agreement.Verify(w.keys, slices.Delete(slices.Clone(raw), i, i+1))
		require.ErrorIs(t, err, agreement.ErrDocument, "without byte %d", i)
	}
	for b := range 256 {
		_, err := agreement.Verify(w.keys, append(slices.Clone(raw), byte(b)))
		require.ErrorIs(t, err, agreement.ErrDocument, "byte %d behind it", b)
		_, err = agreement.Verify(w.keys, append([]byte{byte(b)}, raw...))
		require.ErrorIs(t, err, agreement.ErrDocument, "byte %d before it", b)
	}
	_, err = agreement.Verify(w.keys, raw)
	require.NoError(t, err, "and it still is one")
}

func statement(terms agreement.Terms) agreement.Statement {
	return agreement.Statement{
		ID: newID(), IssuedAt: 1760000001, Act: agreement.Reject, Agreement: terms.ID, Terms: terms.Digest(),
		Reason: "De bewaartermijn is te lang: 30 dagen is genoeg.",
	}
}

func TestAStatementIsAboutTheseTermsOnly(t *testing.T) {
	w, about := newWorld(t), terms()
	for _, act := range []string{agreement.Reject, agreement.Revoke} {
		want := statement(about)
		want.Act = act
		raw, err := agreement.NewStatement(want, w.by[uwv])
		require.NoError(t, err)
		got, err := agreement.VerifyStatement(w.keys, raw)
		require.NoError(t, err)
		want.Issuer = uwv
		require.Equal(t, want, got)
		require.NoError(t, got.About(about))
		same := about
		same.Until = "2026-11-30"
		require.ErrorIs(t, got.About(same), agreement.ErrStatement, "other terms under the same id")
		require.ErrorIs(t, got.About(terms()), agreement.ErrStatement)
		require.ErrorIs(t, got.About(agreement.Terms{}), agreement.ErrStatement)
		_, err = consent.VerifyWithdrawal(w.keys, raw)
		require.Error(t, err, "it withdraws no consent")
	}
	raw, err := agreement.NewStatement(statement(about), w.by[stranger])
	require.NoError(t, err)
	got, err := agreement.VerifyStatement(w.keys, raw)
	require.NoError(t, err)
	require.ErrorIs(t, got.About(about), agreement.ErrStatement, "who is no party has nothing to say")
	raw, err = w.by[uwv].Compact(signed.Statement, consent.Withdrawal{Issuer: uwv, ID: newID(), IssuedAt: 1, Act: "withdraw", Consent: about.ID})
	require.NoError(t, err)
	_, err = agreement.VerifyStatement(w.keys, raw)
	require.ErrorIs(t, err, agreement.ErrStatement, "nor does a withdrawal of a consent end an agreement")
}

func TestStatementsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*agreement.Statement){
		"jti":                    func(s *agreement.Statement) { s.ID = canary },
		"iat":                    func(s *agreement.Statement) { s.IssuedAt = 0 },
		"act":                    func(s *agreement.Statement) { s.Act = "withdraw" },
		"agreement":              func(s *agreement.Statement) { s.Agreement = "" },
		"terms_sha256":           func(s *agreement.Statement) { s.Terms = "" },
		"reason":                 func(s *agreement.Statement) { s.Reason = "" },
		"reason: must be a text": func(s *agreement.Statement) { s.Reason = strings.Repeat("a", 501) },
		"reason: must be":        func(s *agreement.Statement) { s.Reason = "twee\nregels" },
		"reason: must be withou": func(s *agreement.Statement) { s.Reason = "Het gaat om " + canary },
		"reason: must be w":      func(s *agreement.Statement) { s.Reason = "x12345678" },
		"reason: must be wi":     func(s *agreement.Statement) { s.Reason = "１２３４５６７８９" }, // full width
	} {
		spoilt := statement(terms())
		change(&spoilt)
		_, err := agreement.NewStatement(spoilt, w.by[uwv])
		require.ErrorIs(t, err, agreement.ErrStatement, name)
		require.ErrorContains(t, err, name)
		require.NotContains(t, err.Error(), "canary")
		spoilt.Issuer = uwv
		raw, err := w.by[uwv].Compact(signed.Statement, spoilt)
		require.NoError(t, err)
		_, err = agreement.VerifyStatement(w.keys, raw)
		require.ErrorIs(t, err, agreement.ErrStatement, name)
	}
	ok := statement(terms())
	ok.Reason = "Zie brief 1234567 van 2026-01-05, " + strings.Repeat("é", 400)
	_, err := agreement.NewStatement(ok, w.by[uwv])
	require.NoError(t, err)
}
