package consent_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// today is a day on which the consent of draft holds. nobody has no number.
const (
	today  = "2025-06-30"
	nobody = "nobody"
)

// failure is one reason why a consent does not answer a use.
type failure struct {
	person string // who gave it; empty: whom the use is about
	draft  func(*consent.Draft)
	claims func(*consent.Claims)
	use    func(*consent.Use)
	want   error
}

func failures(f *family.Family) map[string]failure {
	uwv, own := f.Parties["UWV"].OIN, f.Requester().OIN
	return map[string]failure{
		"no grant of the source": {draft: func(d *consent.Draft) { d.Grants = d.Grants[1:] }, want: consent.ErrNone},
		"another purpose":        {claims: func(c *consent.Claims) { c.Purpose = "integral_budget.account" }, want: consent.ErrNone},
		"another recipient":      {claims: func(c *consent.Claims) { c.Recipients = []identity.OIN{uwv} }, want: consent.ErrNone},
		"no recipient":           {claims: func(c *consent.Claims) { c.Recipients = []identity.OIN{} }, want: consent.ErrNone},
		"another person":         {person: sanne, want: consent.ErrOtherPerson},
		"no commitment":          {claims: func(c *consent.Claims) { c.Subject = "" }, want: consent.ErrOtherPerson},
		"another household":      {claims: func(c *consent.Claims) { c.Case = "another" }, want: consent.ErrHousehold},
		"wrong signer":           {claims: func(c *consent.Claims) { c.GivenBy.Role = "bewindvoerder" }, want: consent.ErrWrongSigner},
		"no proof":               {claims: func(c *consent.Claims) { c.GivenBy.Proof.Hash = "" }, want: consent.ErrWrongSigner},
		"not yet begun":          {claims: func(c *consent.Claims) { c.From = "2025-07-01" }, want: consent.ErrNone},
		"expired":                {claims: func(c *consent.Claims) { c.Until = "2025-06-29" }, want: consent.ErrExpired},
		"a no":                   {draft: func(d *consent.Draft) { d.Grants[0].Categories = nil }, want: consent.ErrNone},
		"more than twelve months ago": {
			claims: func(c *consent.Claims) {
				c.From, c.Until, c.Authority.LookedUp = "2024-06-30", "2030-01-01", "2024-06-30"
			}, want: consent.ErrExpired,
		},
		"lapsed on a birthday": {
			claims: func(c *consent.Claims) {
				c.Authority.AgeGroup, c.LapsesOn = "16_17", today
			}, want: consent.ErrExpired,
		},
		"withdrawn":              {use: func(q *consent.Use) { q.Ended = func(string) bool { return true } }, want: consent.ErrWithdrawn},
		"not known":              {use: func(q *consent.Use) { q.Ended = nil }, want: consent.ErrWithdrawn},
		"of nobody, for nobody":  {person: nobody, use: func(q *consent.Use) { q.Subject = identity.BSN{} }, want: consent.ErrOtherPerson},
		"asked for nobody":       {use: func(q *consent.Use) { q.Subject = identity.BSN{} }, want: consent.ErrOtherPerson},
		"asked for no purpose":   {use: func(q *consent.Use) { q.Purpose = "" }, want: consent.ErrNone},
		"asked by nobody":        {use: func(q *consent.Use) { q.Recipient = "" }, want: consent.ErrNone},
		"asked by another":       {use: func(q *consent.Use) { q.Recipient = uwv }, want: consent.ErrNone},
		"asked of no source":     {use: func(q *consent.Use) { q.Source = "" }, want: consent.ErrNone},
		"asked of another":       {use: func(q *consent.Use) { q.Source = own }, want: consent.ErrNone},
		"asked without a case":   {use: func(q *consent.Use) { q.Case = "" }, want: consent.ErrHousehold},
		"asked on no day":        {use: func(q *consent.Use) { q.Today = 0 }, want: consent.ErrNone},
		"of no case, for none":   {claims: func(c *consent.Claims) { c.Case = "" }, use: func(q *consent.Use) { q.Case = "" }, want: consent.ErrHousehold},
		"born too late":          {use: func(q *consent.Use) { q.Born = civil.MustParse("2010-03-12") }, want: consent.ErrAuthority},
		"the age group is wrong": {claims: ofAChild, use: bornIn2008, want: consent.ErrAuthority},
		"the birthday is wrong":  {claims: minor("16_17", "2026-06-16"), use: bornIn2008, want: consent.ErrAuthority},
	}
}

func minor(group, lapses string) func(*consent.Claims) {
	return func(c *consent.Claims) { c.Authority.AgeGroup, c.LapsesOn = group, lapses }
}

// ofAChild was signed by the parent, as for somebody under twelve.
func ofAChild(c *consent.Claims) {
	minor("under_12", "2026-06-15")(c)
	c.Authority.Kind, c.Authority.Holders, c.GivenBy.Role = "EenhoofdigOuderlijkGezag", 1, "ouder_met_gezag"
}

func bornIn2008(q *consent.Use) { q.Born = civil.MustParse("2008-06-15") }

// asking is what the requester asks of UWV about who gave the consent of draft.
func asking(t testing.TB, f *family.Family) consent.Use {
	return consent.Use{
		Subject: bsn(t, harm), Source: f.Parties["UWV"].OIN, Recipient: f.Requester().OIN, Purpose: f.Case.Purpose, Case: f.CaseCommitment,
		Born: civil.MustParse(born), Today: civil.MustParse(today), Ended: func(string) bool { return false },
	}
}

// given is a consent of draft that fails so, signed by a keeper who does not look:
// its claims may be others than Issue would write.
func (l failure) given(t testing.TB, f *family.Family, keys *signed.Verifier) consent.Document {
	t.Helper()
	d, person := draft(f), bsn(t, harm)
	switch l.person {
	case "":
	case nobody:
		person = identity.BSN{}
	default:
		person = bsn(t, l.person)
	}
	if l.draft != nil {
		l.draft(&d)
	}
	claims, out, err := d.Write(person, f.Now)
	require.NoError(t, err)
	if l.claims != nil {
		l.claims(&claims)
	}
	out.Document, err = f.Requester().Sign.Compact(signed.Consent, claims)
	require.NoError(t, err)
	return verify(t, keys, out)
}

// Each failure alone stops a consent that counts but for it, and the error says which it is.
func TestEachFailureAloneStops(t *testing.T) {
	f, keys := openFamily(t)
	_, err := consent.Find([]consent.Document{failure{}.given(t, f, keys)}, asking(t, f))
	require.NoError(t, err, "but for the failures it is a yes")
	for name, l := range failures(f) {
		q := asking(t, f)
		q.Born = 0
		if l.use != nil {
			l.use(&q)
		}
		c, err := consent.Find([]consent.Document{l.given(t, f, keys)}, q)
		require.ErrorIs(t, err, l.want, name)
		require.Empty(t, c.Categories(), name)
		require.Empty(t, c.Disclosure(), name)
	}
}

// One that fails stops no other, whatever their order. Which of them is to be held
// against a request is for the log.
func TestAFailureStopsItsOwnConsent(t *testing.T) {
	f, keys := openFamily(t)
	counts := failure{}.given(t, f, keys)
	for name, l := range failures(f) {
		if l.use != nil {
			continue
		}
		fails, q := l.given(t, f, keys), asking(t, f)
		q.Born = 0
		for _, documents := range [][]consent.Document{{counts, fails}, {fails, counts}} {
			c, err := consent.Find(documents, q)
			require.NoError(t, err, name)
			require.Equal(t, counts.ID(), c.ID(), name)
		}
	}
}

// When none answers the error says what came closest, whatever the order.
func TestWhatCameClosest(t *testing.T) {
	f, keys := openFamily(t)
	all, closest := failures(f), []string{"not yet begun", "another person", "another household", "expired", "wrong signer"}
	for i, near := range closest {
		for _, far := range closest[:i] {
			n, o := all[near].given(t, f, keys), all[far].given(t, f, keys)
			q := asking(t, f)
			q.Born = 0
			for _, documents := range [][]consent.Document{{n, o}, {o, n}} {
				_, err := consent.Find(documents, q)
				require.ErrorIs(t, err, all[near].want, "%s, beside %s", near, far)
			}
		}
	}
}

// The first and the last day count; the days before and after do not.
func TestTheDaysOfAConsent(t *testing.T) {
	f, keys := openFamily(t)
	for name, c := range map[string]struct {
		claims      func(*consent.Claims)
		first, last string
	}{
		"as signed":     {nil, "2025-01-01", "2025-12-31"},
		"shorter":       {func(c *consent.Claims) { c.Until = "2025-03-31" }, "2025-01-01", "2025-03-31"},
		"one day":       {func(c *consent.Claims) { c.Until = c.From }, "2025-01-01", "2025-01-01"},
		"signed longer": {func(c *consent.Claims) { c.Until = "2030-01-01" }, "2025-01-01", "2025-12-31"},
		"to a birthday": {minor("16_17", "2025-06-15"), "2025-01-01", "2025-06-14"},
	} {
		d := failure{claims: c.claims}.given(t, f, keys)
		first, last := civil.MustParse(c.first), civil.MustParse(c.last)
		require.Equal(t, civil.Span{From: first, To: last}, d.Span(), name)
		for day, want := range map[civil.Date]error{first - 1: consent.ErrNone, first: nil, last: nil, last + 1: consent.ErrExpired} {
			_, err := ask(t, f, "UWV", day.String(), d)
			require.ErrorIs(t, err, want, "%s, %s", name, day)
			require.Equal(t, want == nil, d.InForce(day), "%s, %s", name, day)
		}
	}
}

// A consent for somebody who was born on the day it begins.
func TestFromTheDayOfBirth(t *testing.T) {
	f, keys := openFamily(t)
	d := draft(f)
	d.Born = d.From
	d.Authority.Kind, d.Authority.Holders = "EenhoofdigOuderlijkGezag", 1
	d.GivenBy = signature("ouder_met_gezag", "sanne")
	c, err := ask(t, f, "UWV", d.From.String(), verify(t, keys, issue(t, f, d)))
	require.NoError(t, err)
	lapses, age := c.Lapses()
	require.Equal(t, d.Born.Birthday(12), lapses)
	require.Equal(t, 12, age)
	needs, err := consent.Required(d.Born, d.Authority, d.Born)
	require.NoError(t, err)
	require.Equal(t, []consent.Need{{Roles: []string{"ouder_met_gezag"}, People: 1}}, needs)
}
