package consent_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/signed"
)

// childs is the consent of a child, given by one parent, on an authority with a last day.
func childs(f *family.Family, born, until string) consent.Draft {
	d := draft(f)
	d.Born = civil.MustParse(born)
	d.Authority = consent.Authority{Kind: "EenhoofdigOuderlijkGezag", Holders: 1, LookedUp: "2025-01-01", Until: until}
	d.GivenBy, d.CoGivenBy = signature("ouder_met_gezag", "sanne"), []consent.Signature{signature("self", "kees")}
	return d
}

// A consent lapses on whichever comes first: a birthday, or the day after the authority that
// it rests on ends. In the first case it has expired, in the second it is for a human.
func TestAuthorityEnds(t *testing.T) {
	f, keys := openFamily(t)
	curated := draft(f)
	curated.Authority = consent.Authority{Kind: "Curatele", Holders: 1, LookedUp: "2025-01-01", Until: "2025-04-30"}
	curated.GivenBy = signature("curator", "sanne")
	short := childs(f, "2018-05-05", "2025-04-30")
	short.Until = civil.MustParse("2025-03-31")
	for name, c := range map[string]struct {
		draft  consent.Draft
		lapses string // lapses_on; authority.until is the day before, where until is true
		until  bool
		last   string // the last day on which it holds
		after  error
	}{
		"under 12":                     {childs(f, "2018-05-05", "2025-04-30"), "2025-05-01", true, "2025-04-30", consent.ErrAuthority},
		"12 to 15":                     {childs(f, "2012-05-05", "2025-04-30"), "2025-05-01", true, "2025-04-30", consent.ErrAuthority},
		"on the first day":             {childs(f, "2018-05-05", "2025-01-01"), "2025-01-02", true, "2025-01-01", consent.ErrAuthority},
		"a birthday comes first":       {childs(f, "2013-04-01", "2025-04-30"), "2025-04-01", false, "2025-03-31", consent.ErrExpired},
		"on the birthday itself":       {childs(f, "2013-05-01", "2025-04-30"), "2025-05-01", false, "2025-04-30", consent.ErrExpired},
		"a day before the birthday":    {childs(f, "2013-05-02", "2025-04-30"), "2025-05-01", true, "2025-04-30", consent.ErrAuthority},
		"a child of 16 decides":        {childs(f, "2008-06-15", "2025-04-30"), "2026-06-15", false, "2025-12-31", consent.ErrExpired},
		"an adult under a curator":     {curated, "2025-05-01", true, "2025-04-30", consent.ErrAuthority},
		"no end is known":              {childs(f, "2018-05-05", ""), "2030-05-05", false, "2025-12-31", consent.ErrExpired},
		"it has expired before":        {short, "2025-05-01", true, "2025-03-31", consent.ErrExpired},
		"it ends when the consent has": {childs(f, "2018-05-05", "2025-12-31"), "2026-01-01", true, "2025-12-31", consent.ErrExpired},
	} {
		d := verify(t, keys, issue(t, f, c.draft))
		require.Equal(t, c.lapses, d.Claims().LapsesOn, name)
		require.Equal(t, c.until, d.Claims().Authority.Until != "", name)
		if c.until {
			require.Equal(t, c.draft.Authority.Until, d.Claims().Authority.Until, name)
		}
		last := civil.MustParse(c.last)
		require.Equal(t, last, d.Span().To, name)
		yes, err := ask(t, f, "UWV", c.last, d)
		require.NoError(t, err, name)
		if _, age := yes.Lapses(); c.until {
			require.Zero(t, age, "%s: no birthday", name)
		}
		_, err = ask(t, f, "UWV", (last + 1).String(), d)
		require.ErrorIs(t, err, c.after, name)
		require.Equal(t, c.after == consent.ErrAuthority, d.AuthorityEnded(last+1), name)
		require.False(t, d.AuthorityEnded(last), name)
		use := consent.Use{
			Subject: bsn(t, harm), Source: f.Parties["UWV"].OIN, Recipient: f.Requester().OIN, Purpose: f.Case.Purpose, Case: f.CaseCommitment,
			Today: last, Born: c.draft.Born, Ended: func(string) bool { return false },
		}
		_, err = consent.Find([]consent.Document{d}, use)
		require.NoError(t, err, "%s: the day of birth contradicts nothing", name)
	}
	early := childs(f, "2018-05-05", "2024-12-31")
	_, err := early.Issue(f.Requester().Sign, bsn(t, harm), f.Now)
	require.ErrorContains(t, err, "authority.until")
}

// What the keeper hears later is taken in as the same consent up to that day, which nobody has
// to sign: it says less and never more.
func TestAuthorityHasEnded(t *testing.T) {
	f, keys := openFamily(t)
	d := verify(t, keys, issue(t, f, childs(f, "2018-05-05", "")))
	heard, err := d.EndAuthority(civil.MustParse("2025-04-30"))
	require.NoError(t, err)
	less := verify(t, keys, issue(t, f, heard))
	require.Equal(t, d.ID(), less.Replaces())
	require.Equal(t, d.Grants(), less.Grants())
	require.Equal(t, "2025-05-01", less.Claims().LapsesOn)
	require.Equal(t, "2025-12-31", less.Claims().Until, "as it was read")
	_, err = ask(t, f, "UWV", "2025-04-30", less)
	require.NoError(t, err)
	_, err = ask(t, f, "UWV", "2025-05-01", less)
	require.ErrorIs(t, err, consent.ErrAuthority)

	again, err := less.Narrow([]consent.Grant{{Source: f.Parties["SVB"].OIN}})
	require.NoError(t, err)
	require.Equal(t, "2025-04-30", verify(t, keys, issue(t, f, again)).Claims().Authority.Until, "what is taken out later changes nothing of it")
	sooner, err := less.EndAuthority(civil.MustParse("2025-03-31"))
	require.NoError(t, err)
	require.Equal(t, "2025-04-01", verify(t, keys, issue(t, f, sooner)).Claims().LapsesOn)

	for name, date := range map[string]string{"later than it says": "2025-04-30", "before it begins": "2024-12-31"} {
		_, err := less.EndAuthority(civil.MustParse(date))
		require.ErrorIs(t, err, consent.ErrDocument, name)
	}
	grown := verify(t, keys, issue(t, f, childs(f, "2008-06-15", "")))
	_, err = grown.EndAuthority(civil.MustParse("2025-04-30"))
	require.ErrorContains(t, err, "decides alone")

	for name, change := range map[string]func(*consent.Draft){
		"a day that is none":       func(d *consent.Draft) { d.Authority.Until = "soon" },
		"after the birthday":       func(d *consent.Draft) { d.Authority.Until = "2031-01-01" },
		"with a category more":     func(d *consent.Draft) { d.Grants[1].Categories = append(d.Grants[1].Categories, "amount") },
		"with another holder":      func(d *consent.Draft) { d.Authority.Holders = 2 },
		"with another's signature": func(d *consent.Draft) { d.GivenBy = signature("voogd", "zoe") },
	} {
		heard, err := d.EndAuthority(civil.MustParse("2025-04-30"))
		require.NoError(t, err)
		change(&heard)
		out, err := heard.Issue(f.Requester().Sign, bsn(t, harm), f.Now)
		if err == nil { // then it lapses no later than it did
			require.Equal(t, d.Claims().LapsesOn, verify(t, keys, out).Claims().LapsesOn, name)
		}
	}
}

// What was signed elsewhere is held to the same: the day that it lapses follows the last day
// of the authority, and is not before it began.
func TestAuthorityThatDoesNotFit(t *testing.T) {
	f, keys := openFamily(t)
	for name, change := range map[string]func(*consent.Claims){
		"another day":           func(c *consent.Claims) { c.LapsesOn = "2025-06-01" },
		"it never lapses":       func(c *consent.Claims) { c.LapsesOn = "" },
		"a day that is none":    func(c *consent.Claims) { c.Authority.Until = "2025-02-30" },
		"before it begins":      func(c *consent.Claims) { c.Authority.Until, c.LapsesOn = "2024-12-31", "2025-01-01" },
		"a child who decides":   func(c *consent.Claims) { c.Authority.AgeGroup = "16_17" },
		"":                      func(*consent.Claims) {}, // as it was
		"an adult, without one": func(c *consent.Claims) { c.Authority.Until, c.Authority.AgeGroup = "", "adult" },
	} {
		claims, out, err := childs(f, "2018-05-05", "2025-04-30").Write(bsn(t, harm), f.Now)
		require.NoError(t, err)
		change(&claims)
		raw, err := f.Requester().Sign.Compact(signed.Consent, claims)
		require.NoError(t, err)
		_, err = consent.Verify(keys, raw, out.Disclosures, out.SubjectKey)
		if name == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, consent.ErrDocument, name)
	}
}
