package trial

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Configure gives a service a configuration, with a record key beside the secrets, and
// returns what is wrong with it.
func Configure(t testing.TB, s *adapters.Service, config []byte, secrets map[string]string) []*adapterv1.ConfigFinding {
	all := map[string]string{"record_key": strings.Repeat("ab", 32)}
	for name, text := range secrets {
		all[name] = text
	}
	answer, err := s.Configure(t.Context(), &adapterv1.ConfigureRequest{Config: config, Secrets: all})
	require.NoError(t, err)
	return answer.GetFindings()
}

// Request asks about a person by a BSN over 2025, with history over 2024, in which every
// category is granted under each of the laws.
func Request(bsn string, laws ...string) *budgetv1.FetchRequest {
	r := &budgetv1.FetchRequest{
		Window: &budgetv1.Window{From: "2025-01-01", To: "2025-12-31"}, HistoryFrom: "2024-01-01",
		Identifiers: &budgetv1.Identifiers{Bsn: bsn}, Requester: "00000099000000119000", Purpose: "trial", Laws: laws,
	}
	for _, law := range laws {
		r.Scopes = append(r.Scopes, &budgetv1.Scope{Law: law, Categories: every()})
	}
	return r
}

func every() (all []string) {
	for _, c := range budgetv1.Categories() {
		all = append(all, string(c))
	}
	return all
}
