package consent_test

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// What is signed is what stood in the draft, member by member.
func TestWhatIsSignedIsTheDraft(t *testing.T) {
	f, keys := openFamily(t)
	d := draft(f)
	d.Controller, d.Recipients = f.Parties["SVB"].OIN, []identity.OIN{f.Requester().OIN, f.Parties["SVB"].OIN}
	d.CoGivenBy, d.Replaces = []consent.Signature{signature("naaste", "sanne")}, "an-older-one"
	doc := verify(t, keys, issue(t, f, d))
	c := doc.Claims()
	require.NotEmpty(t, c.ID)
	require.NotEmpty(t, c.Subject)
	require.Len(t, c.Grants, 2)
	c.ID, c.Subject, c.Grants = "", "", nil
	authority := d.Authority
	authority.AgeGroup = "adult"
	require.Equal(t, consent.Claims{
		Issuer: d.Keeper, IssuedAt: f.Now.Unix(), Case: d.Case, Purpose: d.Purpose, Controller: d.Controller, Recipients: d.Recipients, Basis: d.Basis,
		GivenBy: d.GivenBy, CoGivenBy: d.CoGivenBy, Authority: authority, From: "2025-01-01", Until: "2025-12-31",
		Notice: d.Notice, Withdraw: d.Withdraw, Replaces: d.Replaces,
	}, c)
	require.Equal(t, d.Purpose, doc.Purpose())
	require.Equal(t, d.Keeper, doc.Keeper())
	require.NoError(t, doc.Signed())
}

// A document knows whose it is and which key signed it.
func TestWhoseItIs(t *testing.T) {
	f, keys := openFamily(t)
	d := verify(t, keys, issue(t, f, draft(f)))
	require.True(t, d.Of(bsn(t, harm)))
	require.False(t, d.Of(bsn(t, sanne)))
	require.False(t, d.Of(identity.BSN{}))
	i := slices.IndexFunc(f.Pins()[f.Requester().OIN], func(k signed.Key) bool { return k.ID == f.Requester().Sign.KeyID })
	digest, err := f.Pins()[f.Requester().OIN][i].Digest()
	require.NoError(t, err)
	require.Equal(t, []string{digest}, d.Keys())
}

// Whoever it was signed by, it says when they are not those who had to.
func TestSignedByThoseWhoHadTo(t *testing.T) {
	f, keys := openFamily(t)
	require.ErrorIs(t, failure{claims: func(c *consent.Claims) { c.GivenBy.Role = "naaste" }}.given(t, f, keys).Signed(), consent.ErrWrongSigner)
	require.ErrorIs(t, failure{claims: func(c *consent.Claims) { c.GivenBy.Proof.Kind = "phone" }}.given(t, f, keys).Signed(), consent.ErrWrongSigner)
	require.ErrorIs(t, failure{claims: func(c *consent.Claims) { c.Authority.Kind = "Onbekend" }}.given(t, f, keys).Signed(), consent.ErrAuthority)
}

// A stored document can be read when its key is gone, and nothing else is taken for one.
func TestReadingWhatIsStored(t *testing.T) {
	f, keys := openFamily(t)
	out := issue(t, f, draft(f))
	c, err := consent.Read(out.Document)
	require.NoError(t, err)
	require.Equal(t, verify(t, keys, out).Claims(), c)
	w, err := f.Withdrawal(out.ID)
	require.NoError(t, err)
	for name, raw := range map[string][]byte{"nothing": nil, "cut": out.Document[:100], "a withdrawal": w.GetDocument()} {
		c, err := consent.Read(raw)
		require.ErrorIs(t, err, consent.ErrDocument, name)
		require.Empty(t, c, name)
	}
}

// Within leaves what is named, in a copy.
func TestWithin(t *testing.T) {
	f, keys := openFamily(t)
	c, err := ask(t, f, "UWV", today, verify(t, keys, issue(t, f, draft(f))))
	require.NoError(t, err)
	require.Equal(t, []budgetv1.Category{"income"}, c.Within([]string{"income", "amount"}).Categories())
	require.Empty(t, c.Within(nil).Categories())
	require.Equal(t, []budgetv1.Category{"entitlement", "period", "income"}, c.Categories())
}

// Of two failures the first says why: of a consent without a grant for the source, no more is said.
func TestTheFirstFailureSays(t *testing.T) {
	f, keys := openFamily(t)
	d := failure{person: sanne, draft: func(d *consent.Draft) { d.Grants = d.Grants[1:] }}.given(t, f, keys)
	_, err := consent.Find([]consent.Document{d}, asking(t, f))
	require.ErrorIs(t, err, consent.ErrNone)
	require.NotErrorIs(t, err, consent.ErrOtherPerson)
	_, err = consent.Find([]consent.Document{failure{claims: func(c *consent.Claims) { c.Subject += "!" }}.given(t, f, keys)}, asking(t, f))
	require.ErrorIs(t, err, consent.ErrOtherPerson, "a commitment with something behind it")
}

// disclosed is a consent whose keeper signed these disclosures, whatever they are.
func disclosed(t *testing.T, draft consent.Draft, by signed.Signer, disclosures ...string) consent.Issued {
	t.Helper()
	claims, out, err := draft.Write(bsn(t, harm), time.Unix(1735689600, 0))
	require.NoError(t, err)
	claims.Grants, out.Disclosures = []string{}, disclosures
	for _, s := range disclosures {
		digest := sha256.Sum256([]byte(s))
		claims.Grants = append(claims.Grants, base64.RawURLEncoding.EncodeToString(digest[:]))
	}
	slices.Sort(claims.Grants)
	out.Document, err = by.Compact(signed.Consent, claims)
	require.NoError(t, err)
	return out
}

// A keeper's signature does not make a good disclosure of a bad one.
func TestBadDisclosuresThatWereSigned(t *testing.T) {
	f, keys := openFamily(t)
	disclosure := func(o identity.OIN, salt int, categories ...budgetv1.Category) string {
		s, _, err := consent.Disclosure{Salt: strings.Repeat("A", salt), Source: o, Categories: append([]budgetv1.Category{}, categories...)}.Encode()
		require.NoError(t, err)
		return s
	}
	many := func(n int) (all []string) {
		for _, o := range oins(n) {
			all = append(all, disclosure(o, 22, "amount"))
		}
		return all
	}
	uwv := f.Parties["UWV"].OIN
	for name, c := range map[string]struct {
		disclosures []string
		refused     bool
	}{
		"one":                          {many(1), false},
		"sixteen":                      {many(16), false},
		"seventeen":                    {many(17), true},
		"none":                         {nil, true},
		"a source twice":               {[]string{disclosure(uwv, 22, "amount"), disclosure(uwv, 23, "amount")}, true},
		"a short salt":                 {[]string{disclosure(uwv, 21, "amount")}, true},
		"of no source":                 {[]string{disclosure("UWV", 22, "amount")}, true},
		"an unknown category":          {[]string{disclosure(uwv, 22, "diagnosis")}, true},
		"as long as one may be":        {[]string{disclosure(uwv, 3034, "amount")}, false},
		"a character longer than that": {[]string{disclosure(uwv, 3035, "amount")}, true},
	} {
		out := disclosed(t, draft(f), f.Requester().Sign, c.disclosures...)
		_, err := consent.Verify(keys, out.Document, out.Disclosures, out.SubjectKey)
		if c.refused {
			require.ErrorIs(t, err, consent.ErrDocument, name)
			continue
		}
		require.NoError(t, err, name)
	}
	require.Len(t, disclosure(uwv, 3034, "amount"), 4096)
}

// An unknown member is refused, though its keeper signed it.
func TestAnUnknownMember(t *testing.T) {
	f, keys := openFamily(t)
	claims, out, err := draft(f).Write(bsn(t, harm), f.Now)
	require.NoError(t, err)
	out.Document, err = f.Requester().Sign.Compact(signed.Consent, struct {
		consent.Claims
		More string `json:"zz"`
	}{claims, "x"})
	require.NoError(t, err)
	_, err = consent.Verify(keys, out.Document, out.Disclosures, out.SubjectKey)
	require.ErrorIs(t, err, consent.ErrDocument)
	w := struct {
		consent.Withdrawal
		More string `json:"zz"`
	}{consent.Withdrawal{Act: "withdraw", Consent: "c", ID: "w", Issuer: f.Requester().OIN}, "x"}
	raw, err := f.Requester().Sign.Compact(signed.Statement, w)
	require.NoError(t, err)
	_, err = consent.VerifyWithdrawal(keys, raw)
	require.ErrorIs(t, err, consent.ErrDocument)
}

// The day on which authority was looked up is needed of who is under age too, and a
// last day before the first is none.
func TestDaysThatWereSigned(t *testing.T) {
	f, keys := openFamily(t)
	for name, change := range map[string]func(*consent.Claims){
		"under age, never looked up": func(c *consent.Claims) {
			minor("16_17", "2026-06-15")(c)
			c.Authority.LookedUp = ""
		},
		"ends the day before": func(c *consent.Claims) { c.From, c.Until = "2025-01-02", "2025-01-01" },
	} {
		claims, out, err := draft(f).Write(bsn(t, harm), f.Now)
		require.NoError(t, err)
		change(&claims)
		out.Document, err = f.Requester().Sign.Compact(signed.Consent, claims)
		require.NoError(t, err)
		_, err = consent.Verify(keys, out.Document, out.Disclosures, out.SubjectKey)
		require.ErrorIs(t, err, consent.ErrDocument, name)
	}
}
