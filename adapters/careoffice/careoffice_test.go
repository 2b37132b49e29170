package careoffice

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/trial"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// An answer without lines says that there are no rights. Where nobody can be asked about,
// there is no answer.
func TestWithoutABSNThereIsNoAnswer(t *testing.T) {
	ca := trial.NewCA(t)
	certificate, key := ca.Issue("gateway")
	settings, err := json.Marshal(map[string]any{
		"party": "ZK5503", "scheme_codes": []string{"5503"}, "url": "https://localhost:1", "ca_pem": ca.PEM(),
		"cert_pem": certificate, "token_url": "https://localhost:1/token", "client_id": "gateway",
	})
	require.NoError(t, err)
	a := New()
	require.NoError(t, a.Configure(t.Context(), adapters.NewConfig(settings, map[string]string{"tls_key": key, "client_secret": "s"})))
	for name, ids := range map[string]*budgetv1.Identifiers{
		"nobody": nil, "no number": {}, "another number": {EducationNumber: "199940065", PassNumber: "VAL-1"},
		"eight digits": {Bsn: "99994000"}, "no 11-check": {Bsn: "999940005"}, "no digits": {Bsn: "999940oo4"},
	} {
		for _, scopes := range [][]*budgetv1.Scope{{{Law: "WLZ", Categories: []string{"product", "amount"}}}, nil} {
			w := trial.Writer(t, "WLZ")
			err := a.Fetch(t.Context(), &budgetv1.FetchRequest{Identifiers: ids, Scopes: scopes}, w)
			require.Equal(t, adapters.ReasonScopeUnsupported, adapters.Reason(err), name)
			require.Equal(t, "identifiers.bsn", adapters.Path(err), name)
			if ids.GetBsn() != "" {
				require.NotContains(t, err.Error(), ids.GetBsn(), name)
			}
		}
	}
	// With a BSN, and another law than the office's, there is nothing to ask and nothing to answer.
	w := trial.Writer(t, "WLZ")
	r := &budgetv1.FetchRequest{Identifiers: &budgetv1.Identifiers{Bsn: trial.Number}, Scopes: []*budgetv1.Scope{{Law: "WMO"}}}
	require.NoError(t, a.Fetch(t.Context(), r, w))
	require.Empty(t, r.GetIdentifiers().GetBsn(), "it is taken out")
	require.Equal(t, adapters.ReasonNotConfigured, adapters.Reason(New().Fetch(t.Context(), r, w)))
}
