package agreement_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/policies"
)

// params is a change as the words want it.
func params(c agreement.Change) wording.ChangeParams {
	return wording.ChangeParams{
		Path: c.Path, Kind: c.Kind, Old: c.Old, New: c.New,
		Party: string(c.Party), Consumer: string(c.Consumer), Source: string(c.Source), Purposes: c.Purposes,
		Name: func(oin string) string {
			return map[string]string{string(meppel): "Gemeente Meppel", string(uwv): "UWV"}[oin]
		},
	}
}

func words(t testing.TB) *wording.AgreementTexts {
	texts, err := wording.ReadTexts(policies.FS)
	require.NoError(t, err)
	changes, err := wording.ReadAgreementTexts(policies.FS, texts)
	require.NoError(t, err)
	return changes
}

// inWords words a difference in a language.
func inWords(t testing.TB, lang string, old, new agreement.Terms) []string {
	texts, out := words(t), []string{}
	for _, c := range agreement.Diff(old, new) {
		out = append(out, texts.Change(lang, params(c)))
	}
	return out
}

func TestDiffInWords(t *testing.T) {
	old := terms(func(a *agreement.Terms) { a.Oversight.Auditors = []identity.OIN{uwv} })
	change := func(change ...func(*agreement.Terms)) agreement.Terms {
		now := old
		now.Grants, now.Parties = slices.Clone(old.Grants), slices.Clone(old.Parties)
		for _, c := range change {
			c(&now)
		}
		return now
	}
	require.Empty(t, agreement.Diff(old, change()))
	for _, c := range []struct {
		now    agreement.Terms
		nl, en []string
	}{
		{
			change(func(a *agreement.Terms) { a.Grants[0].RatePerMinute = 120 }),
			[]string{"UWV kan nu per minuut 120 vragen van Gemeente Meppel verwachten (was 600)."},
			[]string{"UWV can now expect 120 questions a minute from Gemeente Meppel (was 600)."},
		}, {
			change(func(a *agreement.Terms) { a.Grants[0].Categories = []string{"income", "period", "amount"} }),
			[]string{
				"Erbij, van UWV aan Gemeente Meppel: het bedrag van de uitkering; het bedrag van het budget.",
				"Eraf, van UWV aan Gemeente Meppel: dat er een recht is, onder welke wet en in welke vorm.",
			},
			[]string{
				"Added, from UWV to Gemeente Meppel: the amount of the benefit; the amount of the budget.",
				"Taken out, from UWV to Gemeente Meppel: that there is a right, its law and form.",
			},
		}, {
			change(func(a *agreement.Terms) { a.Grants[0].LegalBasis, a.Grants[0].RetentionDays = "avg-6-1-a", 1 }),
			[]string{
				"Gemeente Meppel vraagt UWV nu op grond van: toestemming (AVG art. 6 lid 1 onder a) (was: publieke taak (AVG art. 6 lid 1 onder e)).",
				"Gemeente Meppel bewaart de gegevens van UWV nu ten hoogste 1 dag (was 30 dagen).",
			}, nil,
		}, {
			change(another),
			[]string{
				"Nieuw: Gemeente Meppel mag gegevens vragen aan UWV. Het doel: het budget verantwoorden aan elke verstrekker. Dit gaat over het doel: het budget verantwoorden aan elke verstrekker.",
				"Erbij, van UWV aan Gemeente Meppel: het bedrag van het budget. Dit gaat over het doel: het budget verantwoorden aan elke verstrekker.",
				"Gemeente Meppel vraagt op grond van: publieke taak (AVG art. 6 lid 1 onder e). Dit gaat over het doel: het budget verantwoorden aan elke verstrekker.",
				"Wie bij Gemeente Meppel vraagt, meldt zich ten minste met niveau substantieel. Dit gaat over het doel: het budget verantwoorden aan elke verstrekker.",
				"Gemeente Meppel bewaart de gegevens ten hoogste 30 dagen. Dit gaat over het doel: het budget verantwoorden aan elke verstrekker.",
				"Gemeente Meppel mag 30 dagen voortbouwen op een antwoord van UWV. Dit gaat over het doel: het budget verantwoorden aan elke verstrekker.",
				"UWV kan per minuut 600 vragen van Gemeente Meppel verwachten. Dit gaat over het doel: het budget verantwoorden aan elke verstrekker.",
			}, nil,
		}, {
			change(func(a *agreement.Terms) {
				a.Oversight.Auditors, a.Until, a.Oversight.Witnesses = []identity.OIN{stranger}, "2027-06-30", 2
			}),
			[]string{
				"Erbij, om na te gaan hoe het geld is besteed: 00000099000000000002.",
				"Mag niet meer nagaan hoe het geld is besteed: UWV.",
				"Het aantal getuigen dat het logboek mee ondertekent, is nu 2 (was 0).",
				"De laatste dag is nu 30 juni 2027 (was 31 december 2026).",
			}, nil,
		}, {
			change(func(a *agreement.Terms) { a.Parties[0].Role = agreement.Both }),
			[]string{"Gemeente Meppel vraagt en geeft gegevens (was: vraagt gegevens)."},
			[]string{"Gemeente Meppel asks for and gives data (was: asks for data)."},
		}, {
			change(func(a *agreement.Terms) { a.Replaces, a.ProposedAt = old.ID, 1767225600 }), // 2026-01-01 in Amsterdam
			[]string{"Dit komt in de plaats van " + old.ID + ".", "Het eerste voorstel is van 1 januari 2026 (was 9 oktober 2025)."}, nil,
		}, {
			change(func(a *agreement.Terms) { a.Finance.Settlement = "{old} {new}" }),
			[]string{"De afrekening wordt: “{old} {new}” Er stond: “Betaling blijft waar zij is.”"}, nil,
		},
	} {
		require.Equal(t, c.nl, inWords(t, "nl", old, c.now))
		if c.en != nil {
			require.Equal(t, c.en, inWords(t, "en", old, c.now))
		}
	}
	gone := inWords(t, "nl", change(another), old)
	require.Equal(t, []string{"Vervallen: Gemeente Meppel mag niets meer vragen aan UWV. Het doel was: het budget verantwoorden aan elke verstrekker. Dit gaat over het doel: het budget verantwoorden aan elke verstrekker."}, gone)
	require.Equal(t, inWords(t, "nl", old, change(back)), inWords(t, "fr", old, change(back)), "another language is answered in Dutch")
}

func TestADraftIsNotComparedOnWhatOnlyAProposalHas(t *testing.T) {
	inForce := terms(func(a *agreement.Terms) { a.Replaces = newID() })
	redraft := inForce
	redraft.ID, redraft.Replaces, redraft.ProposedAt = "", "", 0
	require.Empty(t, agreement.Diff(inForce, redraft))
	require.Empty(t, agreement.Diff(redraft, inForce))
}

func TestTheOrderOfListsMeansNothing(t *testing.T) {
	old := terms(back, another)
	now := terms(back, another)
	now.ID = old.ID
	slices.Reverse(now.Grants)
	slices.Reverse(now.Parties)
	for i := range now.Grants {
		slices.Reverse(now.Grants[i].Categories)
	}
	require.Empty(t, agreement.Diff(old, now))
}

// Grants that share most purposes belong together; one that shares none is another.
func TestWhichGrantsBelongTogether(t *testing.T) {
	with := func(purposes ...string) agreement.Terms {
		return terms(func(a *agreement.Terms) {
			a.ID, a.Grants = "", nil
			for i, p := range purposes {
				g := terms().Grants[0]
				g.Purposes, g.RatePerMinute = strings.Fields(p), 100+i
				a.Grants = append(a.Grants, g)
			}
		})
	}
	summary := func(old, now agreement.Terms) (out []string) {
		for _, c := range agreement.Diff(old, now) {
			if !strings.HasSuffix(c.Path, "]") && c.Kind == agreement.Added && !strings.HasSuffix(c.Path, "purposes") {
				continue // the details of a new grant
			}
			out = append(out, c.Path+" "+c.Kind+" "+c.Old+">"+c.New+" ("+c.Purposes+")")
		}
		return out
	}
	require.Equal(t, []string{"grants[0].purposes added >c ()", "grants[0].purposes removed a> ()"}, summary(with("a b"), with("b c")))
	require.Equal(t, []string{"grants[0] added >c ()", "grants[0] removed a, b> ()"}, summary(with("a b"), with("c")))
	require.Equal(t, []string{
		"grants[0].purposes removed b> (a)", "grants[1] added >b (b)",
	}, summary(with("a b"), with("a", "b")), "the first of equals continues it")
	require.Equal(t, []string{
		"grants[0].purposes added >a (c a b)", "grants[0].purposes removed d> (c a b)",
		"grants[0].rate_per_minute changed 101>100 (c a b)", "grants[0] removed a> (a)",
	}, func() []string {
		out := summary(with("a", "b c d"), with("c a b"))
		for i := range out {
			out[i] = strings.ReplaceAll(out[i], "(c, a, b)", "(c a b)")
		}
		return out
	}(), "most purposes in common")
}

// leaf is a field of the terms that holds no other fields.
type leaf struct {
	path string // without places in lists
	of   func(*agreement.Terms) reflect.Value
}

// leaves walks all fields of the terms, so that none can be added without words.
func leaves() []leaf {
	var out []leaf
	var walk func(t reflect.Type, path string, of func(*agreement.Terms) reflect.Value)
	walk = func(t reflect.Type, path string, of func(*agreement.Terms) reflect.Value) {
		switch {
		case t.Kind() == reflect.Struct:
			for i := range t.NumField() {
				name := t.Field(i).Tag.Get("json")
				walk(t.Field(i).Type, strings.TrimPrefix(path+"."+name, "."), func(a *agreement.Terms) reflect.Value { return of(a).Field(i) })
			}
		case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
			walk(t.Elem(), path, func(a *agreement.Terms) reflect.Value { return of(a).Index(0) })
		default:
			out = append(out, leaf{path, of})
		}
	}
	walk(reflect.TypeFor[agreement.Terms](), "", func(a *agreement.Terms) reflect.Value { return reflect.ValueOf(a).Elem() })
	return out
}

// otherwise gives a field another value.
func otherwise(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "1")
	case reflect.Slice:
		one := reflect.New(v.Type().Elem()).Elem()
		one.SetString("1")
		v.Set(reflect.Append(v.Slice3(0, v.Len(), v.Len()), one))
	default:
		v.SetInt(v.Int() + 1)
	}
}

var place = regexp.MustCompile(`\[\d+\]`)

// Whatever field differs, it is listed, in both languages.
func TestEveryFieldHasWords(t *testing.T) {
	texts, all := words(t), leaves()
	require.Len(t, all, 24)
	listed := map[string]bool{}
	for _, l := range all {
		old, now := terms(), terms()
		now.ID, old.Oversight.Auditors = old.ID, []identity.OIN{stranger}
		now.Oversight.Auditors = []identity.OIN{stranger}
		otherwise(l.of(&now))
		for _, changes := range [][]agreement.Change{agreement.Diff(old, now), agreement.Diff(now, old)} {
			require.NotEmpty(t, changes, l.path)
			for _, c := range changes {
				p := params(c)
				nl, en := texts.Change("nl", p), texts.Change("en", p)
				require.NotEqual(t, nl, en, c.Path)
				require.NotContains(t, nl+en, "→", "%s has no words when %s", c.Path, c.Kind)
				require.NotContains(t, nl+en, "{")
				listed[place.ReplaceAllString(c.Path, "")] = true
			}
		}
	}
	for _, l := range all {
		switch l.path { // by these a party and a grant are known: another is another party or grant
		case "parties.oin", "grants.consumer", "grants.source":
			require.True(t, listed[strings.SplitN(l.path, ".", 2)[0]])
		default:
			require.True(t, listed[l.path], l.path)
		}
	}
}

func TestEveryTermOfANewAgreementHasWords(t *testing.T) {
	texts := words(t)
	for _, c := range agreement.Diff(agreement.Terms{}, draft(back, func(a *agreement.Terms) { a.Oversight.Auditors = []identity.OIN{stranger} })) {
		require.NotContains(t, texts.Change("nl", params(c)), "→", c.Path)
	}
}

// A diff says what kind each change is, truly, and always the same.
func TestDiffIsConsistent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, now := anyTerms().Draw(t, "old"), anyTerms().Draw(t, "new")
		changes := agreement.Diff(old, now)
		require.Equal(t, changes, agreement.Diff(old, now))
		require.Empty(t, agreement.Diff(now, now))
		seen := map[string]bool{}
		for _, c := range changes {
			require.Equal(t, c.Old == "", c.Kind == agreement.Added, c)
			require.Equal(t, c.New == "", c.Kind == agreement.Removed, c)
			require.NotEqual(t, c.Old, c.New)
			require.Equal(t, strings.HasPrefix(c.Path, "grants"), c.Consumer != "" && c.Source != "")
			require.False(t, seen[c.Path+c.Kind], "%s twice", c.Path)
			seen[c.Path+c.Kind] = true
		}
	})
}

// Another party, and an agreement that takes the place of none any more.
func TestDiffOfParties(t *testing.T) {
	old := terms(func(a *agreement.Terms) { a.Replaces = newID() })
	now := old
	now.Replaces = ""
	now.Parties = []agreement.Party{{OIN: stranger, Role: agreement.Consumer}, old.Parties[1]}
	now.Sunset = "Anders."
	require.Equal(t, []agreement.Change{
		{Path: "replaces", Kind: agreement.Removed, Old: old.Replaces},
		{Path: "parties[0]", Kind: agreement.Added, New: string(stranger), Party: stranger},
		{Path: "parties[0].role", Kind: agreement.Added, New: agreement.Consumer, Party: stranger},
		{Path: "parties[0]", Kind: agreement.Removed, Old: string(meppel), Party: meppel},
		{Path: "sunset", Kind: agreement.Changed, Old: old.Sunset, New: now.Sunset},
	}, agreement.Diff(old, now))
}

// Which grant it is is said of those between the same two alone.
func TestWhichGrantIsNamed(t *testing.T) {
	for _, with := range [][2]identity.OIN{{meppel, stranger}, {stranger, uwv}} {
		old := terms(another, func(a *agreement.Terms) { a.Grants[1].Consumer, a.Grants[1].Source = with[0], with[1] })
		now := old
		now.Grants = slices.Clone(old.Grants)
		now.Grants[0].RatePerMinute = 7
		changes := agreement.Diff(old, now)
		require.Len(t, changes, 1)
		require.Empty(t, changes[0].Purposes)
	}
}
