package consent_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/family"
)

// guardianship is testdata/guardianship.yaml, by age group.
type guardianship map[string]struct {
	Days []struct{ Is, Born, Day string }
	Rows []guardianshipRow
}

type guardianshipRow struct {
	Kind    string
	Holders int
	Signed  []string
	Mandate string // of every gemachtigde
	Answer  string
}

// by is a signature, of a gemachtigde on the mandate of the row.
func (r guardianshipRow) by(t testing.TB, s, purpose string, last civil.Date) consent.Signature {
	role, who, _ := strings.Cut(s, " ")
	one := signature(role, who)
	if role != "gemachtigde" || r.Mandate == "" {
		return one
	}
	one.Mandate = mandate(last.String(), purpose)
	switch r.Mandate {
	case "dekt":
	case "langer":
		one.Mandate = mandate((last + 1).String(), "a.first", purpose)
	case "ander":
		one.Mandate.Scope = []string{purpose + ".other"}
	case "te_kort":
		one.Mandate.Until = (last - 1).String()
	case "onzeker":
		one.Proof.LOA = "laag"
	default:
		require.Fail(t, "no such mandate", r.Mandate)
	}
	return one
}

// draft of a consent that begins on the day, and was signed as the row says.
func (r guardianshipRow) draft(t testing.TB, f *family.Family, born, day string) consent.Draft {
	d := draft(f)
	d.Born, d.From = civil.MustParse(born), civil.MustParse(day)
	d.Until = d.From
	d.Authority = consent.Authority{Kind: r.Kind, Holders: r.Holders, LookedUp: day}
	d.GivenBy = consent.Signature{}
	for i, s := range r.Signed {
		one := r.by(t, s, d.Purpose, d.Until)
		if i == 0 {
			d.GivenBy = one
			continue
		}
		d.CoGivenBy = append(d.CoGivenBy, one)
	}
	return d
}

// The table says who must sign at every age and under every measure. Asking,
// giving and using must all answer as it does.
func TestGuardianship(t *testing.T) {
	raw, err := os.ReadFile("testdata/guardianship.yaml")
	require.NoError(t, err)
	var table guardianship
	require.NoError(t, yaml.Unmarshal(raw, &table))
	f, keys := openFamily(t)
	by, person := f.Requester().Sign, bsn(t, harm)
	wanted := map[string]error{"yes": nil, "WRONG_SIGNER": consent.ErrWrongSigner, "AUTHORITY_UNCLEAR": consent.ErrAuthority}
	rows := 0
	for group, section := range table {
		rows += len(section.Rows)
		for _, day := range section.Days {
			kinds := map[string]bool{}
			for _, row := range section.Rows {
				kinds[row.Kind] = true
				name := strings.Join([]string{group, day.Is, row.Kind, strings.Join(row.Signed, "+"), row.Mandate}, ", ")
				want, ok := wanted[row.Answer]
				require.True(t, ok, name)
				d := row.draft(t, f, day.Born, day.Day)

				needs, err := consent.Required(d.Born, d.Authority, d.From)
				require.Equal(t, want == consent.ErrAuthority, errors.Is(err, consent.ErrAuthority), name)
				if want == nil {
					require.NotEmpty(t, needs, name)
				}

				_, err = d.Issue(by, person, f.Now)
				require.Equal(t, want == nil, err == nil, "%s: %v", name, err)
				if want != nil {
					require.ErrorIs(t, err, want, name)
				}

				claims, out, err := d.Write(person, f.Now) // signed by a keeper who does not look
				require.NoError(t, err)
				require.Equal(t, group, claims.Authority.AgeGroup, name)
				out.Document, err = by.Compact("ontschot-consent+jwt", claims)
				require.NoError(t, err)
				_, err = ask(t, f, "UWV", day.Day, verify(t, keys, out))
				require.Equal(t, want == nil, err == nil, "%s: %v", name, err)
				if want != nil {
					require.ErrorIs(t, err, want, name)
				}
			}
			for _, kind := range registers() {
				require.True(t, kinds[kind], "%s: the table has no row for %q", group, kind)
			}
		}
	}
	require.GreaterOrEqual(t, rows, 150)
}

// registers are all kinds of authority and measures, none, and one nobody knows.
func registers() []string {
	return []string{
		"EenhoofdigOuderlijkGezag", "TweehoofdigOuderlijkGezag", "GezamenlijkGezag", "Voogdij", "TijdelijkGeenGezag", "GezagNietTeBepalen",
		"in_onderzoek", "Curatele", "Mentorschap", "Bewind", "Volmacht", "Machtiging", "", "Onbekend",
	}
}

// A bewindvoerder is never asked, whatever is registered.
func TestNobodyAsksABewindvoerder(t *testing.T) {
	for _, day := range []string{"2026-05-16", "2026-05-17"} {
		for _, kind := range registers() {
			for holders := range 4 {
				for _, birth := range []string{"2021-03-10", "2014-05-17", "2010-05-17", "2008-05-17", "1971-03-12"} {
					needs, err := consent.Required(civil.MustParse(birth), consent.Authority{Kind: kind, Holders: holders}, civil.MustParse(day))
					require.Equal(t, err == nil, len(needs) > 0)
					for _, need := range needs {
						require.Positive(t, need.People)
						require.False(t, slices.Contains(need.Roles, "bewindvoerder"))
						require.False(t, slices.Contains(need.Roles, "naaste"))
					}
				}
			}
		}
	}
}

func TestRequired(t *testing.T) {
	day := civil.MustParse("2026-05-17")
	two := consent.Authority{Kind: "TweehoofdigOuderlijkGezag", Holders: 2}
	needs, err := consent.Required(civil.MustParse("2013-01-01"), two, day)
	require.NoError(t, err)
	require.Equal(t, []consent.Need{{Roles: []string{"ouder_met_gezag"}, People: 2}, {Roles: []string{"self"}, People: 1}}, needs)
	_, err = consent.Required(0, two, day)
	require.ErrorIs(t, err, consent.ErrAuthority, "not known how old")
	_, err = consent.Required(day+1, two, day)
	require.ErrorIs(t, err, consent.ErrAuthority, "not yet born")
	two.Settled = "gevoel"
	_, err = consent.Required(civil.MustParse("2013-01-01"), two, day)
	require.ErrorIs(t, err, consent.ErrDocument)
	for _, kind := range []string{"TijdelijkGeenGezag", "GezagNietTeBepalen", "in_onderzoek"} {
		for _, settled := range []string{"gezagsregister", "rechterlijke_uitspraak", "voogdijregister"} {
			unclear := consent.Authority{Kind: kind, Holders: 2, Settled: settled}
			_, err = consent.Required(civil.MustParse("2013-01-01"), unclear, day)
			require.ErrorIs(t, err, consent.ErrAuthority, "settled, but not on what")
		}
	}
}
