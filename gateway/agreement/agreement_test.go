package agreement_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// back adds a second grant, the other way round.
func back(a *agreement.Terms) {
	g := a.Grants[0]
	g.Consumer, g.Source = g.Source, g.Consumer
	a.Grants = append(a.Grants, g)
	a.Parties[0].Role, a.Parties[1].Role = agreement.Both, agreement.Both
}

// canary stands in for what an error may not repeat.
const canary = "999940004 canary"

func TestTermsThatCannotBeEnforcedAreRefused(t *testing.T) {
	w := newWorld(t)
	for path, changes := range map[string][]func(*agreement.Terms){
		"version": {func(a *agreement.Terms) { a.Version = 2 }, func(a *agreement.Terms) { a.Version = 0 }},
		"id": {
			func(a *agreement.Terms) { a.ID = "" }, func(a *agreement.Terms) { a.ID = canary },
			func(a *agreement.Terms) { a.ID = "6f1c3ad2-7c0e-4d6b-9a53-0b1f6d2c9e11" }, // version 4
			func(a *agreement.Terms) { a.ID = strings.ToUpper(newID()) },
			func(a *agreement.Terms) { a.ID = strings.ReplaceAll(newID(), "-", "")[:32] + "----" },
		},
		"replaces":    {func(a *agreement.Terms) { a.Replaces = canary }, func(a *agreement.Terms) { a.Replaces = a.ID }},
		"proposed_at": {func(a *agreement.Terms) { a.ProposedAt = 0 }, func(a *agreement.Terms) { a.ProposedAt = -1 }, func(a *agreement.Terms) { a.ProposedAt = 253402300800 }},
		"parties": {
			func(a *agreement.Terms) { a.Parties = a.Parties[:1] }, func(a *agreement.Terms) { a.Parties = nil },
			func(a *agreement.Terms) {
				a.Parties = append(a.Parties, agreement.Party{OIN: stranger, Role: agreement.Source})
			},
		},
		"parties[0].oin":  {func(a *agreement.Terms) { a.Parties[0].OIN = canary }},
		"parties[1].oin":  {func(a *agreement.Terms) { a.Parties[1] = a.Parties[0] }, func(a *agreement.Terms) { a.Parties[1].OIN = "" }},
		"parties[0].role": {func(a *agreement.Terms) { a.Parties[0].Role = agreement.Source }, func(a *agreement.Terms) { a.Parties[0].Role = agreement.Both }},
		"parties[1].role": {func(a *agreement.Terms) { back(a); a.Parties[1].Role = agreement.Source }, func(a *agreement.Terms) { a.Parties[1].Role = canary }},
		"grants": {func(a *agreement.Terms) { a.Grants = nil }, func(a *agreement.Terms) {
			for range 16 {
				a.Grants = append(a.Grants, a.Grants[0])
			}
		}},
		"grants[0].consumer": {func(a *agreement.Terms) { a.Grants[0].Consumer = stranger }, func(a *agreement.Terms) { a.Grants[0].Consumer = "" }},
		"grants[0].source": {
			func(a *agreement.Terms) { a.Grants[0].Source = stranger }, func(a *agreement.Terms) { a.Grants[0].Source = a.Grants[0].Consumer },
		},
		"grants[0].purposes": {
			func(a *agreement.Terms) { a.Grants[0].Purposes = nil }, func(a *agreement.Terms) { a.Grants[0].Purposes = []string{canary} },
			func(a *agreement.Terms) { a.Grants[0].Purposes = []string{compose, compose} },
			func(a *agreement.Terms) { a.Grants[0].Purposes = []string{"*"} }, func(a *agreement.Terms) { a.Grants[0].Purposes = []string{"a..b"} },
			func(a *agreement.Terms) { a.Grants[0].Purposes = []string{strings.Repeat("a", 65)} },
			func(a *agreement.Terms) {
				a.Grants[0].Purposes = strings.Split("a b c d e f g h i j k l m n o p q", " ")
			},
		},
		"grants[1].purposes": {func(a *agreement.Terms) { a.Grants = append(a.Grants, a.Grants[0]) }},
		"grants[0].categories": {
			func(a *agreement.Terms) { a.Grants[0].Categories = nil }, func(a *agreement.Terms) { a.Grants[0].Categories = []string{} },
			func(a *agreement.Terms) { a.Grants[0].Categories = []string{canary} }, func(a *agreement.Terms) { a.Grants[0].Categories = []string{"*"} },
			func(a *agreement.Terms) { a.Grants[0].Categories = []string{"person"} },
			func(a *agreement.Terms) { a.Grants[0].Categories = []string{"period", "period"} },
		},
		"grants[0].legal_basis":     {func(a *agreement.Terms) { a.Grants[0].LegalBasis = "" }, func(a *agreement.Terms) { a.Grants[0].LegalBasis = "AVG 6" }},
		"grants[0].assurance":       {func(a *agreement.Terms) { a.Grants[0].Assurance = "" }, func(a *agreement.Terms) { a.Grants[0].Assurance = "high" }},
		"grants[0].retention_days":  {func(a *agreement.Terms) { a.Grants[0].RetentionDays = 0 }, func(a *agreement.Terms) { a.Grants[0].RetentionDays = 3651 }},
		"grants[0].max_age_days":    {func(a *agreement.Terms) { a.Grants[0].MaxAgeDays = -1 }, func(a *agreement.Terms) { a.Grants[0].MaxAgeDays = 3651 }},
		"grants[1].rate_per_minute": {func(a *agreement.Terms) { back(a); a.Grants[1].RatePerMinute = 10000001 }, func(a *agreement.Terms) { back(a); a.Grants[1].RatePerMinute = 0 }},
		"finance.settlement": {
			func(a *agreement.Terms) { a.Finance.Settlement = "" }, func(a *agreement.Terms) { a.Finance.Settlement = strings.Repeat("é", 501) },
			func(a *agreement.Terms) { a.Finance.Settlement = "een\ntwee" }, func(a *agreement.Terms) { a.Finance.Settlement = " een" },
			func(a *agreement.Terms) { a.Finance.Settlement = "een  twee" },
			func(a *agreement.Terms) { a.Finance.Settlement = "een \u202e eewt" }, // shown the other way round
		},
		"finance.cost_share": {func(a *agreement.Terms) { a.Finance.CostShare = "" }},
		"oversight.auditors": {
			func(a *agreement.Terms) { a.Oversight.Auditors = nil }, func(a *agreement.Terms) { a.Oversight.Auditors = []identity.OIN{"1"} },
			func(a *agreement.Terms) { a.Oversight.Auditors = []identity.OIN{uwv, uwv} },
		},
		"oversight.dpia_sha256": {func(a *agreement.Terms) { a.Oversight.DPIA = "" }, func(a *agreement.Terms) { a.Oversight.DPIA = strings.Repeat("0A", 32) }},
		"oversight.breach_contact": {
			func(a *agreement.Terms) { a.Oversight.BreachContact = "" }, func(a *agreement.Terms) { a.Oversight.BreachContact = "bel de gemeente" },
			func(a *agreement.Terms) { a.Oversight.BreachContact = "Jan <jan@meppel.example>" }, func(a *agreement.Terms) { a.Oversight.BreachContact = "jan@meppel" },
			func(a *agreement.Terms) { a.Oversight.BreachContact = "http://meppel.example" }, func(a *agreement.Terms) { a.Oversight.BreachContact = "https://" },
			func(a *agreement.Terms) { a.Oversight.BreachContact = "https://jan:x@meppel.example/" }, func(a *agreement.Terms) { a.Oversight.BreachContact = "tel:112" },
			func(a *agreement.Terms) {
				a.Oversight.BreachContact = "https://meppel.example/" + strings.Repeat("a", 200)
			},
			func(a *agreement.Terms) { a.Oversight.BreachContact = "javascript:alert(1)@x.example" },
		},
		"oversight.witnesses": {func(a *agreement.Terms) { a.Oversight.Witnesses = -1 }, func(a *agreement.Terms) { a.Oversight.Witnesses = 17 }},
		"sunset":              {func(a *agreement.Terms) { a.Sunset = "" }, func(a *agreement.Terms) { a.Sunset = strings.Repeat("a", 1001) }},
		"from":                {func(a *agreement.Terms) { a.From = "2025-02-29" }, func(a *agreement.Terms) { a.From = "" }},
		"until": {
			func(a *agreement.Terms) { a.Until = "2025-12-31" }, func(a *agreement.Terms) { a.Until = "9999-12-31" },
			func(a *agreement.Terms) { a.Until = "2031-01-01" }, func(a *agreement.Terms) { a.Until = canary },
		},
	} {
		for i, change := range changes {
			spoilt := terms(change)
			raw := w.together(t, spoilt, meppel, uwv)
			for door, err := range map[string]error{
				"verify": second(agreement.Verify(w.keys, raw)), "proposal": second(agreement.VerifyProposal(w.keys, raw)),
				"propose": second(agreement.Propose(spoilt, w.by[meppel])),
			} {
				require.ErrorIs(t, err, agreement.ErrDocument, "%s %d %s", path, i, door)
				require.NotContains(t, err.Error(), "canary")
				var field *agreement.FieldError
				if len(spoilt.Parties) == 2 && spoilt.Parties[0].OIN == meppel && spoilt.Parties[1].OIN == uwv || door == "propose" {
					require.ErrorAs(t, err, &field, "%s %d %s", path, i, door) // else the signatures fail first
					require.Equal(t, path, field.Path, "%d %s", i, door)
				}
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestTermsThatAreGood(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*agreement.Terms){
		"as they are":    func(*agreement.Terms) {},
		"five years":     func(a *agreement.Terms) { a.Until = "2030-12-31" },
		"one day":        func(a *agreement.Terms) { a.Until = a.From },
		"replaces":       func(a *agreement.Terms) { a.Replaces = newID() },
		"both ways":      back,
		"two for a pair": another,
		"https":          func(a *agreement.Terms) { a.Oversight.BreachContact = "https://meppel.example/datalek" },
		"telephone":      func(a *agreement.Terms) { a.Oversight.BreachContact = "tel:+31-522-850500" },
		"auditors":       func(a *agreement.Terms) { a.Oversight.Auditors = []identity.OIN{stranger, uwv} },
		"longest texts": func(a *agreement.Terms) {
			a.Finance.Settlement, a.Sunset = strings.Repeat("é", 500), strings.Repeat("z", 1000)
		},
		"a purpose of it": func(a *agreement.Terms) { a.Grants[0].Purposes = []string{"x"} },
	} {
		want := terms(change)
		a, err := agreement.Verify(w.keys, w.together(t, want, meppel, uwv))
		require.NoError(t, err, name)
		require.Equal(t, want, a.Terms(), name)
		require.Equal(t, []identity.OIN{meppel, uwv}, a.Parties(), name)
	}
}

// another adds a second grant between the same two, for another purpose.
func another(a *agreement.Terms) {
	g := a.Grants[0]
	g.Purposes, g.Categories = []string{"integral_budget.account"}, []string{"amount"}
	a.Grants = append(a.Grants, g)
}

func TestFindSaysWhatCameClosest(t *testing.T) {
	w := newWorld(t)
	today := civil.MustParse("2026-06-30")
	make := func(change ...func(*agreement.Terms)) agreement.Agreement {
		a, err := agreement.Verify(w.keys, w.together(t, terms(change...), meppel, uwv))
		require.NoError(t, err)
		return a
	}
	good := make()
	expired := make(func(a *agreement.Terms) { a.Until = (today - 1).String() })
	lastDay := make(func(a *agreement.Terms) { a.Until = today.String() })
	other := make(func(a *agreement.Terms) { a.Grants[0].Purposes = []string{"x"} })
	find := func(day civil.Date, all ...agreement.Agreement) (agreement.Covering, error) {
		return agreement.Find(all, agreement.Use{Consumer: meppel, Source: uwv, Purpose: compose, Today: day})
	}
	_, err := find(today)
	require.ErrorIs(t, err, agreement.ErrNone)
	_, err = find(today, expired)
	require.ErrorIs(t, err, agreement.ErrExpired)
	_, err = find(today, expired, other)
	require.ErrorIs(t, err, agreement.ErrPurpose)
	_, err = find(today, lastDay)
	require.NoError(t, err, "both ends count")
	_, err = find(today+1, lastDay)
	require.ErrorIs(t, err, agreement.ErrExpired)
	c, err := find(today, expired, other, good)
	require.NoError(t, err)
	require.Equal(t, good.ID(), c.Agreement().ID())
	_, err = find(today, agreement.Agreement{})
	require.Error(t, err, "the zero agreement covers nothing")
}

func TestEachWayItsOwnGrant(t *testing.T) {
	w := newWorld(t)
	a, err := agreement.Verify(w.keys, w.together(t, terms(back, func(a *agreement.Terms) { a.Grants[1].RatePerMinute = 7 }), meppel, uwv))
	require.NoError(t, err)
	c, err := a.Covers(agreement.Use{Consumer: uwv, Source: meppel, Purpose: compose, Today: civil.MustParse("2026-12-31")})
	require.NoError(t, err)
	require.Equal(t, 7, c.Grant().RatePerMinute)
	for _, two := range [][2]identity.OIN{{meppel, stranger}, {stranger, uwv}, {uwv, uwv}} {
		_, err = a.Covers(agreement.Use{Consumer: two[0], Source: two[1], Purpose: compose, Today: civil.MustParse("2026-12-31")})
		require.ErrorIs(t, err, agreement.ErrPurpose, "%v", two)
	}
}

// The days that were signed, the first and the last included.
func TestTheDaysOfAnAgreement(t *testing.T) {
	w := newWorld(t)
	a, err := agreement.Verify(w.keys, w.together(t, terms(), meppel, uwv))
	require.NoError(t, err)
	first, last := civil.MustParse("2026-01-01"), civil.MustParse("2026-12-31")
	require.Equal(t, civil.Span{From: first, To: last}, a.Span())
	for day, want := range map[civil.Date]error{first - 1: agreement.ErrExpired, first: nil, last: nil, last + 1: agreement.ErrExpired} {
		_, err := a.Covers(agreement.Use{Consumer: meppel, Source: uwv, Purpose: compose, Today: day})
		require.ErrorIs(t, err, want, day)
		require.Equal(t, want == nil, a.InForce(day), day)
	}
}

// Who signed is known by their keys, in the order of their signatures.
func TestTheKeysThatSigned(t *testing.T) {
	w := newWorld(t)
	var keys []string
	for _, oin := range []identity.OIN{uwv, meppel} {
		digest, err := signed.Key{Public: w.by[oin].Key.Public()}.Digest()
		require.NoError(t, err)
		keys = append(keys, digest)
	}
	raw := w.together(t, terms(), uwv, meppel)
	a, err := agreement.Verify(w.keys, raw)
	require.NoError(t, err)
	require.Equal(t, keys, a.Keys())
	p, err := agreement.VerifyProposal(w.keys, raw)
	require.NoError(t, err)
	require.Equal(t, keys, p.Keys())
}

// Stored terms can be read when a key is gone, and nothing else is taken for them.
func TestReadingWhatIsStored(t *testing.T) {
	w, want := newWorld(t), terms()
	raw := w.together(t, want, meppel)
	got, err := agreement.Read(raw)
	require.NoError(t, err)
	require.Equal(t, want, got)
	for name, raw := range map[string][]byte{"nothing": nil, "cut": raw[:len(raw)-1], "of another kind": other(t, w, signed.Consent)} {
		got, err := agreement.Read(raw)
		require.ErrorIs(t, err, agreement.ErrDocument, name)
		require.Empty(t, got, name)
	}
}

// What must be in the other half of the checks: the last that may be, and what is just no
// id, no code and no address.
func TestTheFormsOfTerms(t *testing.T) {
	w := newWorld(t)
	const id = "01980000-7c0e-7d6b-9a53-0b1f6d2c9e11"
	for name, change := range map[string]func(*agreement.Terms){
		"the first moment":     func(a *agreement.Terms) { a.ProposedAt = 1 },
		"the last moment":      func(a *agreement.Terms) { a.ProposedAt = 253402300799 },
		"an id":                func(a *agreement.Terms) { a.ID = id },
		"a purpose of 64":      func(a *agreement.Terms) { a.Grants[0].Purposes = []string{strings.Repeat("a", 64)} },
		"a purpose with a sum": func(a *agreement.Terms) { a.Grants[0].Purposes = []string{"a1_.b2"} },
		"a basis of 64":        func(a *agreement.Terms) { a.Grants[0].LegalBasis = strings.Repeat("a", 64) },
	} {
		_, err := agreement.Propose(terms(change), w.by[meppel])
		require.NoError(t, err, name)
	}
	ids := map[string]string{
		"another variant": "01980000-7c0e-7d6b-ca53-0b1f6d2c9e11", "a letter": "0198000g-7c0e-7d6b-9a53-0b1f6d2c9e11", "four parts": "01980000-7c0e-7d6b-9a53x0b1f6d2c9e11",
		"parts of other lengths": "0198000-07c0e-7d6b-9a53-0b1f6d2c9e11", "no lines": "0198000007c0e07d6b09a5300b1f6d2c9e11", "longer": id + "1", "shorter": id[:35],
	}
	for name, bad := range ids {
		_, err := agreement.Propose(terms(func(a *agreement.Terms) { a.ID = bad }), w.by[meppel])
		require.ErrorContains(t, err, "id: must be a UUID of version 7 in lower case", name)
	}
	contact := "oversight.breach_contact: must be an e-mail address"
	for name, c := range map[string]struct {
		change func(*agreement.Terms)
		says   string
	}{
		"a purpose that begins with a digit": {func(a *agreement.Terms) { a.Grants[0].Purposes = []string{"a.1b"} }, "grants[0].purposes: must be a list of 1 to 16 different purpose codes"},
		"a purpose that begins with a line":  {func(a *agreement.Terms) { a.Grants[0].Purposes = []string{"_a"} }, "grants[0].purposes: must be a list of 1 to 16 different purpose codes"},
		"a basis of 65":                      {func(a *agreement.Terms) { a.Grants[0].LegalBasis = strings.Repeat("a", 65) }, "grants[0].legal_basis: must be a code"},
		"an address with what HTML reads":    {func(a *agreement.Terms) { a.Oversight.BreachContact = "https://meppel.example/<b>" }, contact},
		"an address that cannot be read":     {func(a *agreement.Terms) { a.Oversight.BreachContact = "https://%zz" }, contact},
		"no such last day":                   {func(a *agreement.Terms) { a.Until = "2026-02-30" }, "until: must be a date, YYYY-MM-DD"},
	} {
		_, err := agreement.Propose(terms(c.change), w.by[meppel])
		require.ErrorContains(t, err, c.says, name)
	}
}

func TestTermsThatAreHandedOutAreACopy(t *testing.T) {
	w := newWorld(t)
	raw := w.together(t, terms(func(a *agreement.Terms) { a.Oversight.Auditors = []identity.OIN{stranger} }), meppel, uwv)
	a, err := agreement.Verify(w.keys, raw)
	require.NoError(t, err)
	want := a.Terms().Digest()
	spoilt := a.Terms()
	spoilt.Grants[0].Purposes[0], spoilt.Grants[0].Consumer, spoilt.Parties[0].OIN = "x", stranger, stranger
	spoilt.Grants[0].Categories[0], spoilt.Oversight.Auditors[0] = "x", uwv
	require.Equal(t, want, a.Terms().Digest())
	again, err := agreement.Verify(w.keys, raw)
	require.NoError(t, err)
	require.Equal(t, want, again.Terms().Digest())
	require.Equal(t, compose, again.Terms().Grants[0].Purposes[0])
	require.Equal(t, meppel, again.Parties()[0])
}

func TestSuffices(t *testing.T) {
	g := agreement.Grant{Assurance: "substantieel"}
	require.True(t, g.Suffices("substantieel"))
	require.True(t, g.Suffices("hoog"))
	require.False(t, g.Suffices("laag"))
	require.False(t, g.Suffices(""))
	require.True(t, agreement.Grant{Assurance: "laag"}.Suffices("laag"))
	require.False(t, agreement.Grant{}.Suffices(""), "the zero grant lets nobody in")
	require.False(t, agreement.Grant{}.Suffices("hoog"), "the zero grant lets nobody in")
}
