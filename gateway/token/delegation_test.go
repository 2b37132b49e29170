package token_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/signed"
)

// statement signs a delegation of the town to the vendor.
func (r *rig) statement(t testing.TB, change func(*token.DelegationClaims)) []byte {
	return signStatement(t, r.sign, change)
}

func signStatement(t testing.TB, by signed.Signer, change func(*token.DelegationClaims)) []byte {
	c := token.DelegationClaims{
		Act: token.ActDelegate, Delegate: vendor, From: "2027-01-01", Until: "2027-12-31", IssuedAt: now.Unix(),
		Issuer: town, ID: "0197a1b2-0000-7000-8000-000000000001", Purposes: []string{purpose},
	}
	if change != nil {
		change(&c)
	}
	raw, err := by.Compact(signed.Statement, c)
	require.NoError(t, err)
	return raw
}

func TestDelegationsThatAreRefused(t *testing.T) {
	r := newRig(t)
	d, err := token.VerifyDelegation(r.keys, r.statement(t, nil))
	require.NoError(t, err)
	require.Equal(t, town, d.Organisation())
	require.Equal(t, vendor, d.Delegate())
	require.Equal(t, []string{purpose}, d.Purposes())
	require.Equal(t, "2027-12-31", d.Span().To.String())
	require.True(t, d.Covers(vendor, purpose, today))
	require.False(t, d.Covers(town, purpose, today))
	require.False(t, d.Covers("", purpose, today))
	require.False(t, d.Covers(vendor, "", today))
	require.False(t, token.Delegation{}.Covers("", "", 0))

	many := make([]string, 17)
	for i := range many {
		many[i] = fmt.Sprintf("a.b%d", i)
	}
	for name, c := range map[string]struct {
		change func(*token.DelegationClaims)
		field  string
	}{
		"another act":          {func(c *token.DelegationClaims) { c.Act = "withdraw" }, "act"},
		"no act":               {func(c *token.DelegationClaims) { c.Act = "" }, "act"},
		"no id":                {func(c *token.DelegationClaims) { c.ID = "" }, "jti"},
		"an id too long":       {func(c *token.DelegationClaims) { c.ID = strings.Repeat("x", 129) }, "jti"},
		"never issued":         {func(c *token.DelegationClaims) { c.IssuedAt = 0 }, "iat"},
		"to nobody":            {func(c *token.DelegationClaims) { c.Delegate = "" }, "delegate"},
		"to no organisation":   {func(c *token.DelegationClaims) { c.Delegate = "vendor" }, "delegate"},
		"to itself":            {func(c *token.DelegationClaims) { c.Delegate = town }, "delegate"},
		"from no day":          {func(c *token.DelegationClaims) { c.From = "2027-02-30" }, "from"},
		"until no day":         {func(c *token.DelegationClaims) { c.Until = "" }, "until"},
		"ends before it began": {func(c *token.DelegationClaims) { c.Until = "2026-12-31" }, "until"},
		"a year and a day":     {func(c *token.DelegationClaims) { c.Until = "2028-01-01" }, "until"},
		"no purpose":           {func(c *token.DelegationClaims) { c.Purposes = nil }, "purposes"},
		"an empty purpose":     {func(c *token.DelegationClaims) { c.Purposes = []string{""} }, "purposes"},
		"every purpose":        {func(c *token.DelegationClaims) { c.Purposes = []string{"*"} }, "purposes"},
		"one word":             {func(c *token.DelegationClaims) { c.Purposes = []string{"integral"} }, "purposes"},
		"capitals":             {func(c *token.DelegationClaims) { c.Purposes = []string{"Integral.budget"} }, "purposes"},
		"one twice":            {func(c *token.DelegationClaims) { c.Purposes = []string{purpose, purpose} }, "purposes"},
		"one too long":         {func(c *token.DelegationClaims) { c.Purposes = []string{"a." + strings.Repeat("b", 127)} }, "purposes"},
		"too many":             {func(c *token.DelegationClaims) { c.Purposes = many }, "purposes"},
	} {
		_, err := token.VerifyDelegation(r.keys, r.statement(t, c.change))
		require.ErrorIs(t, err, token.ErrDocument, name)
		require.ErrorContains(t, err, c.field, name)
	}
	for name, change := range map[string]func(*token.DelegationClaims){
		"one day":          func(c *token.DelegationClaims) { c.From, c.Until = "2027-01-15", "2027-01-15" },
		"the first second": func(c *token.DelegationClaims) { c.IssuedAt = 1 },
		"many purposes":    func(c *token.DelegationClaims) { c.Purposes = many[:16] },
		"a long purpose":   func(c *token.DelegationClaims) { c.Purposes = []string{"a." + strings.Repeat("b", 126)} },
		"from 29 February": func(c *token.DelegationClaims) { c.From, c.Until = "2028-02-29", "2029-02-28" },
	} {
		_, err := token.VerifyDelegation(r.keys, r.statement(t, change))
		require.NoError(t, err, name)
	}
	for name, raw := range map[string][]byte{
		"by the vendor for the town": signStatement(t, r.vendorSign, nil),
		"with the key of the tokens": signStatement(t, r.tokens, nil),
		"empty":                      nil,
	} {
		_, err := token.VerifyDelegation(r.keys, raw)
		require.ErrorIs(t, err, token.ErrDocument, name)
	}
}

// Four statements share one typ; none ever passes for another, whatever it claims to do.
func TestAStatementIsNeverTakenForAnother(t *testing.T) {
	r := newRig(t)
	const id, terms = "0197a1b2-0000-7000-8000-000000000001", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	of := map[string]func(act string) any{
		"withdraw": func(act string) any {
			return consent.Withdrawal{Issuer: town, ID: id, IssuedAt: now.Unix(), Act: act, Consent: id}
		},
		"reject": func(act string) any {
			return agreement.Statement{Issuer: town, ID: id, IssuedAt: now.Unix(), Act: act, Agreement: id, Terms: terms, Reason: "te duur"}
		},
		"delegate": func(act string) any {
			return token.DelegationClaims{Act: act, Delegate: vendor, From: "2027-01-01", Until: "2027-12-31", IssuedAt: now.Unix(), Issuer: town, ID: id, Purposes: []string{purpose}}
		},
		"all at once": func(act string) any {
			return map[string]any{"act": act, "agreement": id, "consent": id, "delegate": vendor, "from": "2027-01-01", "iat": now.Unix(), "iss": town,
				"jti": id, "purposes": []string{purpose}, "reason": "te duur", "terms_sha256": terms, "until": "2027-12-31"}
		},
	}
	rooms := map[string]func([]byte) error{
		"withdraw": func(raw []byte) error { _, err := consent.VerifyWithdrawal(r.keys, raw); return err },
		"reject":   func(raw []byte) error { _, err := agreement.VerifyStatement(r.keys, raw); return err },
		"delegate": func(raw []byte) error { _, err := token.VerifyDelegation(r.keys, raw); return err },
	}
	acts := map[string][]string{"withdraw": {"withdraw"}, "reject": {"reject", "revoke"}, "delegate": {"delegate"}}
	for shape, claims := range of {
		for _, act := range []string{"withdraw", "reject", "revoke", "delegate", ""} {
			raw, err := r.sign.Compact(signed.Statement, claims(act))
			require.NoError(t, err)
			said, _ := signed.ActOf(raw)
			require.Equal(t, act, said)
			for room, verify := range rooms {
				good := room == shape && slices.Contains(acts[room], act)
				require.Equal(t, good, verify(raw) == nil, "%s that says %q as %s", shape, act, room)
			}
		}
	}
}

// FuzzVerifyDelegation: whatever the town signs, it counts only in the form it has.
func FuzzVerifyDelegation(f *testing.F) {
	r := newRig(f)
	const good = `{"act":"delegate","delegate":"00000099000000000002","from":"2027-01-01","iat":1,"iss":"00000099000000000001","jti":"x","purposes":["a.b"],"until":"2027-12-31"}`
	f.Add(good)
	f.Add(strings.Replace(good, `["a.b"]`, `["a.b","a.b"]`, 1))
	f.Add(strings.Replace(good, `{`, `{"Act":"delegate",`, 1))
	f.Add(strings.Replace(good, "delegate", "revoke", 1))
	f.Add(strings.Replace(good, "2027-12-31", "9999-12-31", 1))
	f.Add(strings.Replace(good, "1,", "1.0,", 1))
	f.Add(`{"iss":"00000099000000000001"}`)
	f.Fuzz(func(t *testing.T, payload string) {
		d, err := token.VerifyDelegation(r.keys, []byte(raw(r.signKey, "sign-1", string(signed.Statement), []byte(payload))))
		if err != nil {
			require.ErrorIs(t, err, token.ErrDocument)
			require.False(t, d.Covers(d.Delegate(), purpose, today))
			return
		}
		require.Equal(t, town, d.Organisation())
		require.NotEqual(t, town, d.Delegate())
		require.LessOrEqual(t, d.Span().Days(), 366)
		for _, p := range d.Purposes() {
			require.True(t, d.Covers(d.Delegate(), p, d.Span().From))
			require.False(t, d.Covers(d.Delegate(), p, d.Span().To+1))
		}
	})
}
