package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// What is compared with what it replaces replaces nothing new: that would be said of
// every proposal. Compared with anything else, it is said.
func TestWhatADiffSaysOfReplaces(t *testing.T) {
	h := newHouse(t, nil)
	first := h.agreements["UWV"]
	second := h.agree("UWV", func(a *agreement.Terms) { a.Replaces = first })
	third := h.agree("UWV", func(a *agreement.Terms) { a.Replaces = second })
	draft := func(id string) *ontschotv1.AgreementTerms {
		a, err := h.GetAgreement(h.municipality().call(), &ontschotv1.GetAgreementRequest{Id: id})
		require.NoError(t, err)
		return a.GetAgreement().GetTerms()
	}
	for name, c := range map[string]struct {
		ask      *ontschotv1.DiffAgreementsRequest
		old, new string // of replaces; both empty: nothing is said of it
	}{
		"what it replaces":               {&ontschotv1.DiffAgreementsRequest{Id: second}, "", ""},
		"what it replaces, by its name":  {&ontschotv1.DiffAgreementsRequest{Id: second, Against: first}, "", ""},
		"what replaces too":              {&ontschotv1.DiffAgreementsRequest{Id: third}, "", ""},
		"what replaces too, by its name": {&ontschotv1.DiffAgreementsRequest{Id: third, Against: second}, "", ""},
		"one before that":                {&ontschotv1.DiffAgreementsRequest{Id: third, Against: first}, "", second},
		"one after it":                   {&ontschotv1.DiffAgreementsRequest{Id: second, Against: third}, second, first},
		"the first with a later one":     {&ontschotv1.DiffAgreementsRequest{Id: first, Against: second}, first, ""},
		"itself":                         {&ontschotv1.DiffAgreementsRequest{Id: second, Against: second}, "", ""},
		"a draft of its own":             {&ontschotv1.DiffAgreementsRequest{Id: second, AgainstTerms: draft(second)}, "", first},
		"the first with a draft":         {&ontschotv1.DiffAgreementsRequest{Id: first, AgainstTerms: draft(second)}, "", ""},
	} {
		answer, err := h.DiffAgreements(h.municipality().call(), c.ask)
		require.NoError(t, err, name)
		was, is := "", ""
		for _, change := range answer.GetChanges() {
			require.NotEqual(t, "id", change.GetPath(), name)
			require.NotEqual(t, "proposed_at", change.GetPath(), name)
			if change.GetPath() == "replaces" {
				was, is = change.GetOld(), change.GetNew()
				require.NotEmpty(t, change.GetTextNl(), name)
				require.NotEmpty(t, change.GetTextEn(), name)
			}
		}
		require.Equal(t, [2]string{c.old, c.new}, [2]string{was, is}, name)
	}
}
