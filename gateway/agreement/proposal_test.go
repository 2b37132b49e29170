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

// What leaves no room for the other signature is not proposed, from the first byte on.
func TestTheLargestProposal(t *testing.T) {
	w := newWorld(t)
	by := w.by[meppel]
	sizes, refused := map[int]bool{}, 0
	large := terms(func(a *agreement.Terms) {
		for i := range 14 {
			g := a.Grants[0]
			g.Purposes = nil
			for n := range 10 {
				g.Purposes = append(g.Purposes, "p"+strings.Repeat(string(rune('a'+i)), 40)+"."+string(rune('a'+n)))
			}
			a.Grants = append(a.Grants, g)
		}
	})
	large.Sunset = "x"
	raw, err := agreement.Propose(large, by)
	require.NoError(t, err)
	near := (signed.MaxBytes - 1024 - len(raw)) * 3 / 4
	for n := near - 9; n < near+9; n++ {
		large.Sunset = strings.Repeat("x", n)
		raw, err := agreement.Propose(large, by)
		if err != nil {
			require.ErrorContains(t, err, "too large for the other party to sign")
			refused++
			continue
		}
		require.Zero(t, refused, "the larger the worse")
		require.LessOrEqual(t, len(raw), signed.MaxBytes-1024)
		sizes[len(raw)] = true
	}
	require.NotZero(t, refused)
	require.Contains(t, sizes, signed.MaxBytes-1024)
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
		elsewhere := got
		elsewhere.Agreement = newID()
		require.ErrorIs(t, elsewhere.About(about), agreement.ErrStatement, "these terms, under another id")
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

// Texts of a reason that is refused.
const (
	noText     = "reason: must be a text of 1 to 500 characters on one line, with single spaces"
	noNumber   = "reason: must be without what can be a burgerservicenummer: nine digits that pass the 11-check"
	longNumber = "reason: must be without numbers of eight digits or more: it may hold no burgerservicenummer"
)

// Each is refused for what is wrong with it, in these words, and the value is not
// repeated.
func TestStatementsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	reason := func(text string) func(*agreement.Statement) {
		return func(s *agreement.Statement) { s.Reason = text }
	}
	for name, c := range map[string]struct {
		change func(*agreement.Statement)
		says   string
		hidden string // stands in the value
	}{
		"no id":            {func(s *agreement.Statement) { s.ID = "canary" }, "jti: must be a UUID of version 7 in lower case", "canary"},
		"no moment":        {func(s *agreement.Statement) { s.IssuedAt = 0 }, "iat: must be a moment in seconds since 1970", ""},
		"before 1970":      {func(s *agreement.Statement) { s.IssuedAt = -77001 }, "iat: must be a moment in seconds since 1970", "77001"},
		"after 9999":       {func(s *agreement.Statement) { s.IssuedAt = 253402300800 }, "iat: must be a moment in seconds since 1970", "253402300800"},
		"another act":      {func(s *agreement.Statement) { s.Act = "canary" }, "act: must be reject or revoke", "canary"},
		"of no agreement":  {func(s *agreement.Statement) { s.Agreement = "canary" }, "agreement: must be the id of an agreement", "canary"},
		"of no terms":      {func(s *agreement.Statement) { s.Terms = "canary" }, "terms_sha256: must be 64 hexadecimal digits in lower case", "canary"},
		"no reason":        {reason(""), noText, ""},
		"too long":         {reason("canary" + strings.Repeat("a", 495)), noText, "canary"},
		"two lines":        {reason("canary\nregels"), noText, "canary"},
		"a BSN":            {reason("Het gaat om 999940004."), noNumber, "999940004"},
		"a BSN in parts":   {reason("Het gaat om 9999.400.04."), noNumber, "9999.400.04"},
		"with spaces":      {reason("Het gaat om 99994 0004."), noNumber, "99994 0004"},
		"with lines":       {reason("Het gaat om 999-940-004."), noNumber, "999-940-004"},
		"with strokes":     {reason("Het gaat om 9/9/9/9/4/0/0/0/4."), noNumber, "9/9/9/9/4/0/0/0/4"},
		"behind a digit":   {reason("Het gaat om 1 9999 40004."), noNumber, "1 9999 40004"},
		"before a digit":   {reason("Het gaat om 9999 40004 1."), noNumber, "9999 40004 1"},
		"after other ones": {reason("Zie 2026-01-05 en 9999.400.04."), noNumber, "9999.400.04"},
		"eight digits":     {reason("x12345678"), longNumber, "12345678"},
		"nine, and no BSN": {reason("Het gaat om 999940005."), longNumber, "999940005"},
		"full width":       {reason("１２３４５６７８"), longNumber, "１２３４５６７８"},
	} {
		spoilt := statement(terms())
		c.change(&spoilt)
		spoilt.Issuer = uwv
		raw, err := w.by[uwv].Compact(signed.Statement, spoilt)
		require.NoError(t, err)
		for door, err := range map[string]error{
			"new": second(agreement.NewStatement(spoilt, w.by[uwv])), "verify": second(agreement.VerifyStatement(w.keys, raw)),
		} {
			require.ErrorIs(t, err, agreement.ErrStatement, "%s, %s", name, door)
			require.EqualError(t, err, "agreement statement refused: "+c.says, "%s, %s", name, door)
			if c.hidden != "" {
				require.NotContains(t, err.Error(), c.hidden, "%s, %s", name, door)
			}
		}
	}
	good := statement(terms())
	good.Issuer = uwv
	unknown, err := w.by[uwv].Compact(signed.Statement, struct {
		agreement.Statement
		More string `json:"zz"`
	}{good, "x"})
	require.NoError(t, err)
	_, err = agreement.VerifyStatement(w.keys, unknown)
	require.ErrorIs(t, err, agreement.ErrStatement, "a member that nobody knows")
	for _, moment := range []int64{1, 253402300799} {
		ok := statement(terms())
		ok.IssuedAt = moment
		_, err := agreement.NewStatement(ok, w.by[uwv])
		require.NoError(t, err)
	}
	for name, text := range map[string]string{
		"numbers that are short":      "Zie brief 1234567 van 2026-01-05, " + strings.Repeat("é", 400),
		"as long as may be":           strings.Repeat("é", 500),
		"parted by two signs":         "De bedragen zijn 9999. 400. 04.",
		"parts that pass no 11-check": "De bedragen zijn 9999.400.05.",
	} {
		ok := statement(terms())
		ok.Reason = text
		_, err := agreement.NewStatement(ok, w.by[uwv])
		require.NoError(t, err, name)
	}
}

// Terms are signed and stored by both parties: no text of theirs has place for a BSN,
// however it is parted.
func TestTermsHoldNoNumberOfAPerson(t *testing.T) {
	w := newWorld(t)
	const what = ": must be without what can be a burgerservicenummer: nine digits that pass the 11-check"
	for path, set := range map[string]func(*agreement.Terms, string){
		"finance.settlement": func(a *agreement.Terms, s string) { a.Finance.Settlement = s },
		"finance.cost_share": func(a *agreement.Terms, s string) { a.Finance.CostShare = s },
		"sunset":             func(a *agreement.Terms, s string) { a.Sunset = s },
	} {
		for _, number := range []string{"999940004", "9999.400.04", "999 940 004", "9-9-9-9-4-0-0-0-4", "99994/0004"} {
			spoilt := terms(func(a *agreement.Terms) { set(a, "Dit gaat over "+number+".") })
			raw := w.together(t, spoilt, meppel, uwv)
			for door, err := range map[string]error{
				"verify": second(agreement.Verify(w.keys, raw)), "proposal": second(agreement.VerifyProposal(w.keys, raw)),
				"propose": second(agreement.Propose(spoilt, w.by[meppel])),
			} {
				require.ErrorIs(t, err, agreement.ErrDocument, "%s %s %s", path, number, door)
				require.ErrorContains(t, err, path+what, "%s %s %s", path, number, door)
				require.NotContains(t, err.Error(), number, "%s %s %s", path, number, door)
			}
		}
		fine := terms(func(a *agreement.Terms) { set(a, "Zie brief 9999.400.05 van 5 januari 2026.") })
		_, err := agreement.Propose(fine, w.by[meppel])
		require.NoError(t, err, path)
	}
}

// A telephone number has eight to fifteen digits (E.164 has at most fifteen).
func TestTelephoneNumbers(t *testing.T) {
	w := newWorld(t)
	for number, ok := range map[string]bool{
		"tel:+3152284": false, "tel:+31522848": true, "tel:+31-522848": true, "tel:+31-52284": false,
		"tel:+311234567890123": true, "tel:+3112345678901234": false,
		"tel:+31-522-85-36-36": true, "tel:+31-5-2-2-8-5-3-6-3-6": true, "tel:+31-5-2-2-8-5-3-6-3-61": false, "tel:+3152285x": false, "tel:31522853636": false,
	} {
		_, err := agreement.Propose(terms(func(a *agreement.Terms) { a.Oversight.BreachContact = number }), w.by[meppel])
		require.Equal(t, ok, err == nil, "%s: %v", number, err)
	}
}
