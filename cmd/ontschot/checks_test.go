package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// documents of the Meppel case, with one agreement or consent spoilt.
func spoilt(t *testing.T, f *family.Family, agreements map[string][]byte, consents func(i int, c casefile.Consent) []*ontschotv1.RegisterRequest) []*ontschotv1.RegisterRequest {
	t.Helper()
	var all []*ontschotv1.RegisterRequest
	for _, p := range f.Case.Parties {
		raw, replaced := agreements[p.Code]
		if !replaced && p.Code != f.Case.Requester {
			var err error
			raw, err = f.Agreement(p.Code, nil)
			require.NoError(t, err)
		}
		if raw != nil {
			all = append(all, &ontschotv1.RegisterRequest{Document: raw})
		}
	}
	for i, c := range f.Case.Consents {
		if consents != nil {
			all = append(all, consents(i, c)...)
			continue
		}
		all = append(all, given(t, f, c, nil))
	}
	return all
}

// withIDs are the documents of a case as they should be, and the ids of its consents, in the
// order of the case.
func withIDs(t *testing.T, f *family.Family) (documents []*ontschotv1.RegisterRequest, ids []string) {
	t.Helper()
	documents = spoilt(t, f, nil, func(_ int, c casefile.Consent) []*ontschotv1.RegisterRequest {
		d, id, err := f.Consent(c, nil)
		require.NoError(t, err)
		ids = append(ids, id)
		return []*ontschotv1.RegisterRequest{d}
	})
	return documents, ids
}

func given(t *testing.T, f *family.Family, c casefile.Consent, change func(*consent.Claims)) *ontschotv1.RegisterRequest {
	t.Helper()
	d, _, err := f.Consent(c, change)
	require.NoError(t, err)
	return d
}

// An agreement that is missing, expired, not for the purpose or not signed by both
// shuts its own source, and no other.
func TestAgreementsThatAreRefused(t *testing.T) {
	f := open(t, "meppel")
	agree := func(change func(*agreement.Terms), signers ...signed.Signer) []byte {
		raw, err := f.Agreement("UWV", change, signers...)
		require.NoError(t, err)
		return raw
	}
	for name, c := range map[string]struct {
		agreement []byte
		reason    string
		code      string
	}{
		"missing":             {nil, "NO_AGREEMENT", "OVK-01"},
		"expired":             {agree(func(a *agreement.Terms) { a.Until = "2025-06-29" }), "AGREEMENT_EXPIRED", "OVK-02"},
		"not yet in force":    {agree(func(a *agreement.Terms) { a.From = "2025-07-01" }), "AGREEMENT_EXPIRED", "OVK-02"},
		"not for the purpose": {agree(func(a *agreement.Terms) { a.Grants[0].Purposes = []string{"integral_budget.account"} }), "NO_AGREEMENT", "OVK-03"},
		"the other way round": {agree(func(a *agreement.Terms) {
			g := &a.Grants[0]
			g.Consumer, g.Source = g.Source, g.Consumer
			a.Parties[0].Role, a.Parties[1].Role = a.Parties[1].Role, a.Parties[0].Role
		}), "NO_AGREEMENT", "OVK-03"},
		"signed by one party":     {agree(nil, f.Requester().Sign), "NO_AGREEMENT", "OVK-01"},
		"signed by one twice":     {agree(nil, f.Requester().Sign, f.Requester().Sign), "NO_AGREEMENT", "OVK-01"},
		"signed by a stranger":    {agree(nil, f.Requester().Sign, f.Parties["SVB"].Sign), "NO_AGREEMENT", "OVK-01"},
		"asks a higher level":     {agree(func(a *agreement.Terms) { a.Grants[0].Assurance = "hoog" }), "POLICY_DENIED", "ROL-01"},
		"no maximum age":          {agree(func(a *agreement.Terms) { a.Grants[0].MaxAgeDays = 0 }), "NO_AGREEMENT", "OVK-01"},
		"a legal basis not known": {agree(func(a *agreement.Terms) { a.Grants[0].LegalBasis = "avg-6-1-f" }), "NO_LEGAL_BASIS", "GROND-01"},
	} {
		t.Run(name, func(t *testing.T) {
			h := play(t, f, options{without: true, documents: spoilt(t, f, map[string][]byte{"UWV": c.agreement}, nil)})
			b, err := h.ask()
			require.NoError(t, err)
			require.Equal(t, c.reason, gapOf(b, "A1", "UWV"))
			for _, g := range b.GetGaps() {
				if g.GetPerson() == "A1" {
					require.Equal(t, c.code, g.GetCode())
					require.NotEmpty(t, g.GetTextNl())
					require.NotEmpty(t, g.GetTextEn())
				}
			}
			require.Equal(t, "NO_ADAPTER", gapOf(b, "A4", "ZK5503"), "another source is not touched by it")
		})
	}
}

// What an agreement leaves out is missing, and said to be.
func TestCategoriesThatWereNotAgreed(t *testing.T) {
	f := open(t, "meppel")
	raw, err := f.Agreement("UWV", func(a *agreement.Terms) { a.Grants[0].Categories = []string{"entitlement", "product", "period"} })
	require.NoError(t, err)
	h := play(t, f, options{documents: spoilt(t, f, map[string][]byte{"UWV": raw}, nil)})
	b, err := h.ask()
	require.NoError(t, err)
	seen := 0
	for _, l := range b.GetLines() {
		if l.GetPerson() == "A1" {
			require.Nil(t, l.ValueCents)
			require.Nil(t, l.GetIncome())
			require.NotEmpty(t, l.GetPeriod().GetStart())
			seen++
		}
	}
	require.Equal(t, 2, seen)
	require.Zero(t, b.GetIncomeCents())
	require.False(t, b.GetComplete())
	var missing []string
	for _, g := range b.GetGaps() {
		if g.GetPerson() == "A1" {
			require.Equal(t, "NO_AGREEMENT", g.GetReason())
			missing = append(missing, g.GetCategories()...)
		}
	}
	require.Subset(t, missing, []string{"income", "amount", "reference"})
}

// A consent that does not hold is a gap for its person at its sources, with the
// reason, and nobody else's.
func TestConsentsThatAreRefused(t *testing.T) {
	f := open(t, "meppel") // consent 0 is of A1, an adult, for UWV
	a1 := f.Case.Consents[0]
	withdrawn := func() []*ontschotv1.RegisterRequest {
		d, id, err := f.Consent(a1, nil)
		require.NoError(t, err)
		w, err := f.Withdrawal(id)
		require.NoError(t, err)
		return []*ontschotv1.RegisterRequest{d, w}
	}
	other := func() []*ontschotv1.RegisterRequest {
		// A consent of A3, registered under the pseudonym of A1.
		c := a1
		c.Person, c.Signers = "A3", []identity.PersonRef{"A3"}
		d, _, err := f.Consent(c, nil)
		require.NoError(t, err)
		d.Pseudonym = given(t, f, a1, nil).GetPseudonym()
		return []*ontschotv1.RegisterRequest{d}
	}
	one := func(c casefile.Consent, change func(*consent.Claims)) []*ontschotv1.RegisterRequest {
		return []*ontschotv1.RegisterRequest{given(t, f, c, change)}
	}
	until, byA2 := a1, a1
	until.Until.Date = civil.MustParse("2025-06-29")
	byA2.Signers = []identity.PersonRef{"A2"}
	for name, c := range map[string]struct {
		documents []*ontschotv1.RegisterRequest
		reason    string
	}{
		"missing": {nil, "NO_CONSENT"},
		"expired": {one(until, nil), "CONSENT_EXPIRED"},
		"longer than a year": {one(a1, func(c *consent.Claims) {
			c.From, c.Until, c.Authority.LookedUp = "2024-01-01", "2026-12-31", "2024-01-01"
		}), "CONSENT_EXPIRED"},
		"withdrawn":            {withdrawn(), "CONSENT_WITHDRAWN"},
		"of another person":    {other(), "NO_CONSENT"},
		"by somebody else":     {one(byA2, nil), "WRONG_SIGNER"},
		"for another purpose":  {one(a1, func(c *consent.Claims) { c.Purpose = "integral_budget.account" }), "NO_CONSENT"},
		"of another household": {one(a1, func(c *consent.Claims) { c.Case = "another" }), "OTHER_HOUSEHOLD"},
		"issued by another":    {one(a1, func(c *consent.Claims) { c.Issuer = f.Parties["UWV"].OIN }), "NO_CONSENT"},
		"not to us":            {one(a1, func(c *consent.Claims) { c.Recipients = nil }), "NO_CONSENT"},
		"not yet":              {one(a1, func(c *consent.Claims) { c.From = "2025-07-01" }), "NO_CONSENT"},
		"without a proof":      {one(a1, func(c *consent.Claims) { c.GivenBy.Proof = consent.Proof{} }), "WRONG_SIGNER"},
		"a measure unknown":    {one(a1, func(c *consent.Claims) { c.Authority.Kind = "Onbekend" }), "AUTHORITY_UNCLEAR"},
		"age contradicted":     {one(a1, func(c *consent.Claims) { c.Authority.AgeGroup, c.LapsesOn = "16_17", "2026-01-01" }), "AUTHORITY_UNCLEAR"},
		"age not known":        {one(a1, func(c *consent.Claims) { c.Authority.AgeGroup = "" }), "AUTHORITY_UNCLEAR"},
		"grants swapped":       {one(a1, func(c *consent.Claims) { c.Grants = []string{"x"} }), "NO_CONSENT"},
	} {
		t.Run(name, func(t *testing.T) {
			documents := spoilt(t, f, nil, func(i int, cc casefile.Consent) []*ontschotv1.RegisterRequest {
				if i == 0 {
					return c.documents
				}
				return one(cc, nil)
			})
			b, err := play(t, f, options{without: true, documents: documents}).ask()
			require.NoError(t, err)
			require.Equal(t, c.reason, gapOf(b, "A1", "UWV"))
			require.Equal(t, "NO_ADAPTER", gapOf(b, "A4", "ZK5503"), "another person's consent is not touched by it")
		})
	}
}

// A consent that replaces another ends it: what was narrowed stays narrow.
func TestAReplacedConsentNoLongerCounts(t *testing.T) {
	f := open(t, "meppel")
	wide := f.Case.Consents[0]
	first, id, err := f.Consent(wide, nil)
	require.NoError(t, err)
	narrow := wide
	narrow.Categories = []string{"entitlement", "product"}
	second := given(t, f, narrow, func(c *consent.Claims) { c.Replaces = id })
	stranger := given(t, f, f.Case.Consents[1], func(c *consent.Claims) { c.Replaces = id }) // another person's
	documents := spoilt(t, f, nil, func(i int, c casefile.Consent) []*ontschotv1.RegisterRequest {
		switch i {
		case 0:
			return []*ontschotv1.RegisterRequest{first}
		case 1:
			return nil
		}
		return []*ontschotv1.RegisterRequest{given(t, f, c, nil)}
	})
	h := play(t, f, options{documents: documents})
	c := h.client(nil)
	_, err = c.Register(t.Context(), stranger)
	code, why, _ := reason(t, err)
	require.Equal(t, codes.InvalidArgument, code)
	require.Equal(t, "CONSENT_INVALID", why)
	b, err := h.ask()
	require.NoError(t, err)
	require.Equal(t, int64(2993760), b.GetIncomeCents())
	_, err = c.Register(t.Context(), second)
	require.NoError(t, err)
	b, err = h.ask()
	require.NoError(t, err)
	require.Zero(t, b.GetIncomeCents())
	for _, l := range b.GetLines() {
		if l.GetPerson() == "A1" {
			require.Nil(t, l.ValueCents)
			require.Nil(t, l.GetPeriod())
			require.Contains(t, l.GetId(), "A1/WIA/WIA/-")
		}
	}
}

// What a person said last decides alone: a later no to one source is a no, and when
// a later yes is withdrawn, or its days are over, the older one does not come back.
func TestTheLastWordDecides(t *testing.T) {
	f := open(t, "meppel")
	wide := f.Case.Consents[0]
	narrow := wide
	narrow.Categories = []string{"entitlement", "product"}
	no := wide
	no.Categories = []string{}
	over := wide
	over.Until.Date = f.Case.Today.Date - 1
	for name, c := range map[string]struct {
		second   casefile.Consent
		withdraw bool
		reason   string
		income   int64
	}{
		"narrower":                {narrow, false, "", 0},
		"narrower, and withdrawn": {narrow, true, "CONSENT_WITHDRAWN", 0},
		"no":                      {no, false, "NO_CONSENT", 0},
		"shorter, and over":       {over, false, "CONSENT_EXPIRED", 0},
	} {
		first, firstID, err := f.Consent(wide, nil)
		require.NoError(t, err)
		second, id, err := f.Consent(c.second, func(claims *consent.Claims) {
			claims.IssuedAt += 60
			if len(c.second.Categories) > 0 { // who says less must name what it takes the place of
				claims.Replaces = firstID
			}
		})
		require.NoError(t, err)
		documents := spoilt(t, f, nil, func(i int, cc casefile.Consent) []*ontschotv1.RegisterRequest {
			if i > 0 {
				return []*ontschotv1.RegisterRequest{given(t, f, cc, nil)}
			}
			if !c.withdraw {
				return []*ontschotv1.RegisterRequest{first, second}
			}
			w, err := f.Withdrawal(id)
			require.NoError(t, err)
			return []*ontschotv1.RegisterRequest{w, first, second} // whatever the order in the folder
		})
		h := play(t, f, options{documents: documents})
		b, err := h.ask()
		require.NoError(t, err, name)
		require.Equal(t, c.reason, gapOf(b, "A1", "UWV"), name)
		require.Equal(t, c.income, b.GetIncomeCents(), name)
	}
}

// A replacement that sorts before what it replaces counts all the same; one that
// replaces what was never there stops the start.
func TestReplacementsInAnyOrder(t *testing.T) {
	f := open(t, "meppel")
	first, id, err := f.Consent(f.Case.Consents[0], nil)
	require.NoError(t, err)
	narrow := f.Case.Consents[0]
	narrow.Categories = []string{"entitlement"}
	second := given(t, f, narrow, func(c *consent.Claims) { c.Replaces = id })
	agreements := spoilt(t, f, nil, func(int, casefile.Consent) []*ontschotv1.RegisterRequest { return nil })
	b, err := play(t, f, options{documents: append([]*ontschotv1.RegisterRequest{second, first}, agreements...)}).ask()
	require.NoError(t, err)
	require.Zero(t, b.GetIncomeCents())
	require.NotEmpty(t, b.GetLines())

	// Withdrawn first, given anew afterwards: the new one counts.
	w, err := f.Withdrawal(id)
	require.NoError(t, err)
	anew := given(t, f, f.Case.Consents[0], func(c *consent.Claims) { c.Replaces, c.IssuedAt = id, c.IssuedAt+60 })
	b, err = play(t, f, options{documents: append([]*ontschotv1.RegisterRequest{first, w, anew}, agreements...)}).ask()
	require.NoError(t, err)
	require.Equal(t, int64(2993760), b.GetIncomeCents())

	dir := t.TempDir()
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	require.NoError(t, f.Write(dir, layout))
	replaceDocuments(t, filepath.Join(dir, "documents"), []*ontschotv1.RegisterRequest{second})
	conf, err := config.ReadGateway(filepath.Join(dir, "gateway.yaml"))
	require.NoError(t, err)
	conf.Sources = nil
	_, err = server.Start(t.Context(), conf, new(buffer))
	require.ErrorIs(t, err, config.ErrConfig)
	require.ErrorContains(t, err, "never registered")
}

// A consent from 29 February holds a whole year; a parent is not the child.
func TestConsentsAtTheEdges(t *testing.T) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	cf.Today.Date = civil.MustParse("2025-02-28")
	cf.Consents = cf.Consents[:1]
	cf.Consents[0].From.Date, cf.Consents[0].Until.Date = civil.MustParse("2024-02-29"), civil.MustParse("2025-02-28")
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	b, err := play(t, f, options{without: true}).ask()
	require.NoError(t, err)
	require.Equal(t, "NO_ADAPTER", gapOf(b, "A1", "UWV"))

	m := open(t, "meppel") // A5 is 15: the child and both parents sign
	documents := spoilt(t, m, nil, func(i int, c casefile.Consent) []*ontschotv1.RegisterRequest {
		return []*ontschotv1.RegisterRequest{given(t, m, c, func(claims *consent.Claims) {
			if i == 3 {
				claims.GivenBy.Proof.Hash = claims.CoGivenBy[0].Proof.Hash
			}
		})}
	})
	b, err = play(t, m, options{without: true, documents: documents}).ask()
	require.NoError(t, err)
	require.Equal(t, "WRONG_SIGNER", gapOf(b, "A5", "GM0119"))
}

// A withdrawal ends consents, and nothing else.
func TestAWithdrawalEndsNoAgreement(t *testing.T) {
	f := open(t, "meppel")
	const id = "01900000-0000-7000-8000-000000000001"
	raw, err := f.Agreement("UWV", func(a *agreement.Terms) { a.ID = id })
	require.NoError(t, err)
	h := play(t, f, options{without: true, documents: spoilt(t, f, map[string][]byte{"UWV": raw}, nil)})
	w, err := f.Withdrawal(id)
	require.NoError(t, err)
	_, err = h.client(nil).Register(t.Context(), w)
	code, _, _ := reason(t, err)
	require.Equal(t, codes.InvalidArgument, code)
	w, err = f.Withdrawal("never-registered")
	require.NoError(t, err)
	_, err = h.client(nil).Register(t.Context(), w)
	code, _, _ = reason(t, err)
	require.Equal(t, codes.NotFound, code)
}

// Who may sign, by age and authority (domain: under 12 all holders, 12 to 15 the
// child and the holders, 16 and 17 the child, 18 and over oneself).
func TestWhoMaySign(t *testing.T) {
	const day = "2025-06-30"
	both := []identity.PersonRef{"A1", "A2"}
	for name, c := range map[string]struct {
		born    string
		kind    string
		holders []identity.PersonRef
		signers []identity.PersonRef
		reason  string // NO_ADAPTER: all checks pass
	}{
		"under 12, both parents":                {"2014-01-01", "TweehoofdigOuderlijkGezag", both, both, "NO_ADAPTER"},
		"under 12, one of two":                  {"2014-01-01", "TweehoofdigOuderlijkGezag", both, []identity.PersonRef{"A1"}, "WRONG_SIGNER"},
		"under 12, the child":                   {"2014-01-01", "TweehoofdigOuderlijkGezag", both, []identity.PersonRef{"A5"}, "WRONG_SIGNER"},
		"under 12, the child too":               {"2014-01-01", "TweehoofdigOuderlijkGezag", both, []identity.PersonRef{"A5", "A1", "A2"}, "NO_ADAPTER"},
		"under 12, the only holder":             {"2014-01-01", "EenhoofdigOuderlijkGezag", []identity.PersonRef{"A2"}, []identity.PersonRef{"A2"}, "NO_ADAPTER"},
		"under 12, not the holder":              {"2014-01-01", "EenhoofdigOuderlijkGezag", []identity.PersonRef{"A2"}, []identity.PersonRef{"A1"}, "WRONG_SIGNER"},
		"under 12, guardian":                    {"2014-01-01", "Voogdij", []identity.PersonRef{"A2"}, []identity.PersonRef{"A2"}, "NO_ADAPTER"},
		"under 12, nobody for now":              {"2014-01-01", "TijdelijkGeenGezag", nil, both, "AUTHORITY_UNCLEAR"},
		"under 12, cannot be determined":        {"2014-01-01", "GezagNietTeBepalen", nil, both, "AUTHORITY_UNCLEAR"},
		"under 12, two heads but one known":     {"2014-01-01", "TweehoofdigOuderlijkGezag", []identity.PersonRef{"A1"}, []identity.PersonRef{"A1"}, "AUTHORITY_UNCLEAR"},
		"under 12, the day before 12":           {"2013-07-01", "EenhoofdigOuderlijkGezag", []identity.PersonRef{"A1"}, []identity.PersonRef{"A1"}, "NO_ADAPTER"},
		"12, the day itself, without child":     {"2013-06-30", "EenhoofdigOuderlijkGezag", []identity.PersonRef{"A1"}, []identity.PersonRef{"A1"}, "WRONG_SIGNER"},
		"12 to 15, child and both":              {"2010-01-01", "TweehoofdigOuderlijkGezag", both, []identity.PersonRef{"A5", "A1", "A2"}, "NO_ADAPTER"},
		"12 to 15, both without child":          {"2010-01-01", "TweehoofdigOuderlijkGezag", both, both, "WRONG_SIGNER"},
		"12 to 15, child and one":               {"2010-01-01", "TweehoofdigOuderlijkGezag", both, []identity.PersonRef{"A5", "A1"}, "WRONG_SIGNER"},
		"12 to 15, child alone":                 {"2010-01-01", "TweehoofdigOuderlijkGezag", both, []identity.PersonRef{"A5"}, "WRONG_SIGNER"},
		"16, the child":                         {"2009-06-30", "TweehoofdigOuderlijkGezag", both, []identity.PersonRef{"A5"}, "NO_ADAPTER"},
		"16, the parents":                       {"2009-06-30", "TweehoofdigOuderlijkGezag", both, both, "WRONG_SIGNER"},
		"17, unclear authority does not matter": {"2008-01-01", "GezagNietTeBepalen", nil, []identity.PersonRef{"A5"}, "NO_ADAPTER"},
		"18, in person":                         {"2007-06-30", "", nil, []identity.PersonRef{"A5"}, "NO_ADAPTER"},
		"18, a parent":                          {"2007-06-30", "", nil, []identity.PersonRef{"A1"}, "WRONG_SIGNER"},
		"adult under curatele, curator":         {"1990-01-01", "Curatele", []identity.PersonRef{"A1"}, []identity.PersonRef{"A1"}, "NO_ADAPTER"},
		"adult under curatele, in person":       {"1990-01-01", "Curatele", []identity.PersonRef{"A1"}, []identity.PersonRef{"A5"}, "WRONG_SIGNER"},
		"adult with a mentor, mentor":           {"1990-01-01", "Mentorschap", []identity.PersonRef{"A1"}, []identity.PersonRef{"A1"}, "NO_ADAPTER"},
		"adult with bewind, bewindvoerder":      {"1990-01-01", "Bewind", []identity.PersonRef{"A1"}, []identity.PersonRef{"A1"}, "WRONG_SIGNER"},
		"adult with bewind, in person":          {"1990-01-01", "Bewind", []identity.PersonRef{"A1"}, []identity.PersonRef{"A5"}, "NO_ADAPTER"},
		"nobody signed":                         {"1990-01-01", "", nil, nil, "WRONG_SIGNER"},
	} {
		t.Run(name, func(t *testing.T) {
			cf, err := casefile.Open("meppel")
			require.NoError(t, err)
			cf.Household[4].Born.Date = civil.MustParse(c.born)
			cf.Authority = []casefile.Authority{{Person: "A5", Kind: c.kind, Holders: c.holders}}
			a5 := &cf.Consents[3]
			a5.Signers, a5.From.Date, a5.Sources = c.signers, civil.MustParse(day), []string{"GM0119"}
			cf.Consents = cf.Consents[3:]
			cf.Ask = nil
			f, err := family.New(cf, time.Now())
			require.NoError(t, err)
			b, err := play(t, f, options{without: true}).ask()
			require.NoError(t, err) // the only request there was; what stays shut is reported
			require.Equal(t, c.reason, gapOf(b, "A5", "GM0119"))
		})
	}
}

// A consent lapses on the birthday that makes others the ones to ask.
func TestConsentLapsesOnTheBirthday(t *testing.T) {
	cf, err := casefile.Open("meppel") // A5 was born on 2009-11-03
	require.NoError(t, err)
	for day, want := range map[string]string{"2025-11-02": "NO_ADAPTER", "2025-11-03": "CONSENT_EXPIRED"} {
		cf.Today.Date = civil.MustParse(day)
		f, err := family.New(cf, time.Now())
		require.NoError(t, err)
		b, err := play(t, f, options{without: true}).ask()
		require.NoError(t, err)
		require.Equal(t, want, gapOf(b, "A5", "GM0119"), day)
	}
}

// A request that may be made is answered when nothing is permitted: a signed budget
// that says why for each. Who may ask nothing at all is refused, and learns nothing of
// what others signed.
func TestNothingPermitted(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true, documents: spoilt(t, f, nil, func(int, casefile.Consent) []*ontschotv1.RegisterRequest { return nil })})
	b, err := h.ask() // the client verifies signature and receipt
	require.NoError(t, err)
	require.Empty(t, b.GetLines())
	require.False(t, b.GetComplete())
	require.Equal(t, "NO_CONSENT", gapOf(b, "A2", "UWV"))
	for _, gap := range b.GetGaps() {
		require.Equal(t, "TOEST-01", gap.GetCode())
	}
	ways := map[string]string{"the role": "ROLE:consulent", "the level": "ASSURANCE:substantieel"}
	for name, change := range map[string]func(*token.Claims){
		"the role":  func(c *token.Claims) { c.Role = "kwaliteitsmedewerker" },
		"the level": func(c *token.Claims) { c.Assurance = "laag" },
	} {
		_, err = h.client(func() (string, error) { return f.Token(time.Now(), change) }).AssembleBudget(t.Context(), requestOf(f.Case), nil)
		code, why, meta := reason(t, err)
		require.Equal(t, codes.PermissionDenied, code, name)
		require.Equal(t, "POLICY_DENIED", why, name)
		require.Equal(t, "POLICY_DENIED", meta["A2/UWV"], name)
		require.Equal(t, "ROL-01", meta["codes"], name)
		require.Equal(t, ways[name], meta["way"], name)
		require.Equal(t, exitNo, exitCode(err), name)
	}
}
