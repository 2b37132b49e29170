package consent_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/gateway/consent"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func TestNarrow(t *testing.T) {
	f, keys := openFamily(t)
	uwv, svb := f.Parties["UWV"].OIN, f.Parties["SVB"].OIN
	wide := verify(t, keys, issue(t, f, draft(f)))

	less, err := wide.Narrow([]consent.Grant{{Source: uwv, Categories: []budgetv1.Category{"income"}}})
	require.NoError(t, err)
	narrow := verify(t, keys, issue(t, f, less))
	require.Equal(t, wide.ID(), narrow.Replaces())
	was, is := wide.Claims(), narrow.Claims()
	require.Equal(t, f.Now.Unix(), was.IssuedAt)
	require.Equal(t, was.IssuedAt+1, is.IssuedAt, "said later, though in the same second")
	require.NotEqual(t, was.Subject, is.Subject, "a key of its own")
	was.ID, was.IssuedAt, was.Subject, was.Grants, was.Replaces = is.ID, is.IssuedAt, is.Subject, is.Grants, is.Replaces
	require.Equal(t, was, is, "days, authority, signatures and notice stay")
	c, err := ask(t, f, "UWV", "2025-06-30", narrow)
	require.NoError(t, err)
	require.Equal(t, []budgetv1.Category{"entitlement", "period"}, c.Categories())

	// A source taken out whole is a no, and the older yes does not come back for it.
	less, err = wide.Narrow([]consent.Grant{{Source: svb}})
	require.NoError(t, err)
	narrow = verify(t, keys, issue(t, f, less))
	require.Equal(t, []consent.Grant{{Source: uwv, Categories: []budgetv1.Category{"entitlement", "period", "income"}}, {Source: svb, Categories: []budgetv1.Category{}}}, narrow.Grants())
	_, err = ask(t, f, "SVB", "2025-06-30", narrow)
	require.ErrorIs(t, err, consent.ErrNone)
	_, err = ask(t, f, "UWV", "2025-06-30", narrow)
	require.NoError(t, err)

	for name, c := range map[string]struct {
		without []consent.Grant
		says    string
	}{
		"everything":          {[]consent.Grant{{Source: uwv}, {Source: svb}}, "withdraw the consent instead"},
		"nothing":             {nil, "nothing is taken out"},
		"what was not there":  {[]consent.Grant{{Source: uwv, Categories: []budgetv1.Category{"amount"}}}, "nothing is taken out"},
		"another source":      {[]consent.Grant{{Source: f.Parties["CAK"].OIN}}, "without[0].source"},
		"an unknown category": {[]consent.Grant{{Source: uwv, Categories: []budgetv1.Category{"*"}}}, "without[0].categories"},
	} {
		_, err := wide.Narrow(c.without)
		require.ErrorIs(t, err, consent.ErrDocument, name)
		require.ErrorContains(t, err, c.says, name)
	}
}

// Whatever is written into a narrowed draft, the signatures of the wide one cover
// no more than it did, for nobody else.
func TestNarrowingNeverWidens(t *testing.T) {
	f, keys := openFamily(t)
	uwv := f.Parties["UWV"].OIN
	wide := verify(t, keys, issue(t, f, draft(f)))
	for name, change := range map[string]func(*consent.Draft){
		"a category more":    func(d *consent.Draft) { d.Grants[1].Categories = append(d.Grants[1].Categories, "amount") },
		"a source more":      func(d *consent.Draft) { d.Grants = append(d.Grants, consent.Grant{Source: f.Parties["CAK"].OIN}) },
		"a source less":      func(d *consent.Draft) { d.Grants = d.Grants[:1] },
		"another source":     func(d *consent.Draft) { d.Grants[0] = consent.Grant{Source: f.Parties["CAK"].OIN} },
		"longer":             func(d *consent.Draft) { d.Until++ },
		"earlier":            func(d *consent.Draft) { d.From-- },
		"another purpose":    func(d *consent.Draft) { d.Purpose = "integral_budget.account" },
		"another case":       func(d *consent.Draft) { d.Case = "another" },
		"another recipient":  func(d *consent.Draft) { d.Recipients[0] = uwv },
		"another signature":  func(d *consent.Draft) { d.GivenBy = signature("self", "sanne") },
		"another authority":  func(d *consent.Draft) { d.Authority.Kind = "Bewind" },
		"another notice":     func(d *consent.Draft) { d.Notice.Version = "2" },
		"replaces no longer": func(d *consent.Draft) { d.Replaces = "" },
	} {
		d, err := wide.Narrow([]consent.Grant{{Source: uwv, Categories: []budgetv1.Category{"income"}}})
		require.NoError(t, err)
		change(&d)
		_, err = d.Issue(f.Requester().Sign, bsn(t, harm), f.Now)
		require.ErrorIs(t, err, consent.ErrDocument, name)
	}
	d, err := wide.Narrow([]consent.Grant{{Source: uwv}})
	require.NoError(t, err)
	_, err = d.Issue(f.Requester().Sign, bsn(t, sanne), f.Now)
	require.ErrorIs(t, err, consent.ErrOtherPerson)
	d.Recipients[0], d.Grants[0].Categories = uwv, nil
	require.Equal(t, f.Requester().OIN, wide.Claims().Recipients[0], "the document itself is never touched")
	require.NotEmpty(t, wide.Grants()[0].Categories)
}

// For every choice of what is taken out: what is left is what there was without it.
func TestNarrowLeavesTheRest(t *testing.T) {
	f, keys := openFamily(t)
	d := draft(f)
	d.Grants[0].Categories = budgetv1.Categories()
	wide := verify(t, keys, issue(t, f, d))
	uwv, person := f.Parties["UWV"].OIN, bsn(t, harm)
	rapid.Check(t, func(t *rapid.T) {
		without := rapid.SliceOfNDistinct(rapid.SampledFrom(budgetv1.Categories()), 1, -1, rapid.ID[budgetv1.Category]).Draw(t, "without")
		less, err := wide.Narrow([]consent.Grant{{Source: uwv, Categories: without}})
		require.NoError(t, err)
		out, err := less.Issue(f.Requester().Sign, person, f.Now)
		require.NoError(t, err)
		narrow, err := consent.Verify(keys, out.Document, out.Disclosures, out.SubjectKey)
		require.NoError(t, err)
		for _, g := range narrow.Grants() {
			if g.Source != uwv {
				require.NotEmpty(t, g.Categories)
				continue
			}
			require.Len(t, g.Categories, len(budgetv1.Categories())-len(without))
			for _, c := range without {
				require.NotContains(t, g.Categories, c)
			}
		}
	})
}

// A list that its keeper wrote as null is as empty as one without anything in it.
func TestNarrowingWhatWasWrittenAsNull(t *testing.T) {
	f, keys := openFamily(t)
	wide := failure{claims: func(c *consent.Claims) { c.Recipients, c.CoGivenBy = nil, nil }}.given(t, f, keys)
	less, err := wide.Narrow([]consent.Grant{{Source: f.Parties["SVB"].OIN}})
	require.NoError(t, err)
	require.Equal(t, wide.ID(), verify(t, keys, issue(t, f, less)).Replaces())
}
