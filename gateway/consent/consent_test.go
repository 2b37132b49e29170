package consent_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func openFamily(t testing.TB) (*family.Family, *signed.Verifier) {
	t.Helper()
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	keys, err := f.Verifier()
	require.NoError(t, err)
	return f, keys
}

func given(t testing.TB, f *family.Family, i int, change func(*consent.Claims)) *ontschotv1.RegisterRequest {
	t.Helper()
	r, _, err := f.Consent(f.Case.Consents[i], change)
	require.NoError(t, err)
	return r
}

// A source is shown its own grant. Nothing in what it is shown says anything of another,
// nor who the person is.
func TestASourceSeesOnlyItsOwnGrant(t *testing.T) {
	f, keys := openFamily(t)
	r := given(t, f, 1, nil) // A3, for the municipality, SVB and CAK
	d, err := consent.Verify(keys, r.GetDocument(), r.GetDisclosures(), r.GetSubjectKey())
	require.NoError(t, err)
	bsn, err := identity.ParseBSN(f.Case.Household[2].BSN)
	require.NoError(t, err)
	c, err := consent.Find([]consent.Document{d}, consent.Use{
		Subject: bsn, Source: f.Parties["SVB"].OIN, Recipient: f.Requester().OIN, Purpose: f.Case.Purpose, Case: f.CaseCommitment, Today: f.Case.Today.Date,
		Ended: func(string) bool { return false },
	})
	require.NoError(t, err)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(c.Shell(), ".")[1])
	require.NoError(t, err)
	open, err := base64.RawURLEncoding.DecodeString(c.Disclosure())
	require.NoError(t, err)
	shown := string(payload) + string(open)
	require.Contains(t, shown, string(f.Parties["SVB"].OIN))
	require.NotContains(t, shown, string(f.Parties["CAK"].OIN))
	require.NotContains(t, shown, f.Case.Household[2].BSN)
	born := f.Case.Household[2].Born.String()
	require.Len(t, born, len("2002-01-31"))
	require.NotContains(t, shown, born)
	require.NotContains(t, shown, strings.ReplaceAll(born, "-", ""))
}

func TestDisclosuresMustBeThoseThatWereSigned(t *testing.T) {
	f, keys := openFamily(t)
	r := given(t, f, 1, nil)
	all := r.GetDisclosures()
	require.Len(t, all, 3)
	other := given(t, f, 1, nil).GetDisclosures()
	for name, disclosures := range map[string][]string{
		"none": nil, "one left out": all[:2], "one twice": append(all[:2:2], all[0]), "one too many": append(all[:3:3], other[0]),
		"of another document": other, "no base64": {"!", all[1], all[2]}, "no JSON": {"eA", all[1], all[2]},
	} {
		_, err := consent.Verify(keys, r.GetDocument(), disclosures, r.GetSubjectKey())
		require.ErrorIs(t, err, consent.ErrDocument, name)
	}
	_, err := consent.Verify(keys, r.GetDocument(), all, r.GetSubjectKey()[:16])
	require.ErrorIs(t, err, consent.ErrDocument, "half a key")
	for name, change := range map[string]func(*consent.Claims){
		"no such day":               func(c *consent.Claims) { c.From = "2025-02-30" },
		"ends before it begins":     func(c *consent.Claims) { c.Until = "2024-01-01" },
		"no id":                     func(c *consent.Claims) { c.ID = "" },
		"an adult whose it lapses":  func(c *consent.Claims) { c.LapsesOn = "2030-01-01" },
		"settled on a hunch":        func(c *consent.Claims) { c.Authority.Settled = "gevoel" },
		"under age and no birthday": func(c *consent.Claims) { c.Authority.AgeGroup = "12_15" },
		"no purpose":                func(c *consent.Claims) { c.Purpose = "" },
		"no first day":              func(c *consent.Claims) { c.From = "" },
		"no last day":               func(c *consent.Claims) { c.Until = "" },
		"lapses on no such day":     func(c *consent.Claims) { c.LapsesOn = "2030-02-30" },
		"never looked up":           func(c *consent.Claims) { c.Authority.LookedUp = "" },
		"looked up on no such day":  func(c *consent.Claims) { c.Authority.LookedUp = "2025-02-30" },
		"looked up afterwards":      func(c *consent.Claims) { c.Authority.LookedUp = (civil.MustParse(c.From) + 1).String() },
	} {
		r := given(t, f, 1, change)
		_, err := consent.Verify(keys, r.GetDocument(), r.GetDisclosures(), r.GetSubjectKey())
		require.ErrorIs(t, err, consent.ErrDocument, name)
	}
}

// The zero values answer no.
func TestZeroDenies(t *testing.T) {
	f, keys := openFamily(t)
	r := given(t, f, 0, nil)
	d, err := consent.Verify(keys, r.GetDocument(), r.GetDisclosures(), r.GetSubjectKey())
	require.NoError(t, err)
	_, err = consent.Find([]consent.Document{d}, consent.Use{})
	require.Error(t, err)
	_, err = consent.Find([]consent.Document{{}}, consent.Use{})
	require.ErrorIs(t, err, consent.ErrNone)
	require.Empty(t, consent.Consent{}.Categories())
	bsn, err := identity.ParseBSN(f.Case.Household[0].BSN)
	require.NoError(t, err)
	q := consent.Use{Subject: bsn, Source: f.Parties["UWV"].OIN, Recipient: f.Requester().OIN, Purpose: f.Case.Purpose, Case: f.CaseCommitment, Today: f.Case.Today.Date}
	_, err = consent.Find([]consent.Document{d}, q)
	require.ErrorIs(t, err, consent.ErrWithdrawn, "nobody to ask whether it was withdrawn: then it was")
}

func TestWithdrawalsAreOfTheKeeper(t *testing.T) {
	f, keys := openFamily(t)
	w, err := f.Withdrawal("some-id")
	require.NoError(t, err)
	got, err := consent.VerifyWithdrawal(keys, w.GetDocument())
	require.NoError(t, err)
	require.Equal(t, "some-id", got.Consent)
	raw, err := f.Requester().Sign.Compact(signed.Statement, consent.Withdrawal{Issuer: f.Requester().OIN, ID: "x", Act: "delegate", Consent: "some-id"})
	require.NoError(t, err)
	_, err = consent.VerifyWithdrawal(keys, raw)
	require.ErrorIs(t, err, consent.ErrDocument)
}

// Accepted is only what the keeper signed, opened by the disclosures and the key
// that belong to it.
func FuzzVerify(f *testing.F) {
	fam, keys := openFamily(f)
	r := given(f, fam, 1, nil)
	three := func(d []string) (string, string, string) { return d[0], d[1], d[2] }
	a, b, c := three(r.GetDisclosures())
	f.Add(string(r.GetDocument()), a, b, c, r.GetSubjectKey())
	f.Add(string(r.GetDocument()), c, a, b, r.GetSubjectKey())
	f.Add(string(r.GetDocument()), a, a, b, r.GetSubjectKey())
	f.Add(string(r.GetDocument()), a, b, c, r.GetSubjectKey()[:31])
	f.Add("", "", "", "", []byte(nil))
	for _, change := range []func(*consent.Claims){
		func(c *consent.Claims) { c.Authority.Settled = "gevoel" },
		func(c *consent.Claims) { c.Authority.AgeGroup = "12_15" },
		func(c *consent.Claims) { c.Until = "2024-01-01" },
		func(c *consent.Claims) { c.ID = "" },
		func(c *consent.Claims) { c.GivenBy.Mandate = mandate("2025-12-31", c.Purpose) },
	} {
		spoilt := given(f, fam, 1, change)
		x, y, z := three(spoilt.GetDisclosures())
		f.Add(string(spoilt.GetDocument()), x, y, z, spoilt.GetSubjectKey())
	}
	f.Fuzz(func(t *testing.T, doc, a, b, c string, key []byte) {
		d, err := consent.Verify(keys, []byte(doc), []string{a, b, c}, key)
		if err != nil {
			require.ErrorIs(t, err, consent.ErrDocument)
			return
		}
		if doc != string(r.GetDocument()) || d.Keeper() != fam.Requester().OIN || len(d.Grants()) != 3 || len(key) != 32 {
			t.Fatal("accepted what was never signed")
		}
		if _, err := d.Receipt("nl", nil, fam.Now); err != nil {
			t.Fatal("no receipt of what was accepted")
		}
	})
}
