package agreement_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

const (
	meppel   = identity.OIN("00000099000000119000")
	uwv      = identity.OIN("00000099000000000001")
	stranger = identity.OIN("00000099000000000002")
	compose  = "integral_budget.compose"
)

// world is two parties to an agreement and somebody else, with their keys pinned.
type world struct {
	by   map[identity.OIN]signed.Signer
	keys *signed.Verifier
}

func newWorld(t testing.TB) world {
	t.Helper()
	w := world{by: map[identity.OIN]signed.Signer{}}
	pinned := map[identity.OIN][]signed.Key{}
	for _, oin := range []identity.OIN{meppel, uwv, stranger} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		w.by[oin], err = signed.NewSigner(oin, "sign-1", "ES256", key)
		require.NoError(t, err)
		pinned[oin] = []signed.Key{{ID: "sign-1", Alg: "ES256", Public: key.Public(), Kinds: []signed.Kind{signed.Agreement, signed.Statement, signed.Consent}}}
	}
	var err error
	w.keys, err = signed.NewVerifier(pinned)
	require.NoError(t, err)
	return w
}

// together signs whatever the terms are, which Propose would not.
func (w world) together(t testing.TB, terms agreement.Terms, who ...identity.OIN) []byte {
	t.Helper()
	var signers []signed.Signer
	for _, oin := range who {
		signers = append(signers, w.by[oin])
	}
	raw, err := signed.Together(signed.Agreement, terms, signers...)
	require.NoError(t, err)
	return raw
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// terms between Meppel and UWV that are good.
func terms(change ...func(*agreement.Terms)) agreement.Terms {
	t := agreement.Terms{
		Version: 1, ID: newID(), ProposedAt: 1760000000,
		Parties: []agreement.Party{{OIN: meppel, Role: agreement.Consumer}, {OIN: uwv, Role: agreement.Source}},
		Grants: []agreement.Grant{{
			Consumer: meppel, Source: uwv, Purposes: []string{compose}, Categories: []string{"entitlement", "period"},
			LegalBasis: "avg-6-1-e", Assurance: "substantieel", RetentionDays: 30, MaxAgeDays: 30, RatePerMinute: 600,
		}},
		Finance:   agreement.Finance{Settlement: "Betaling blijft waar zij is.", CostShare: "Elk zijn eigen kosten."},
		Oversight: agreement.Oversight{Auditors: []identity.OIN{}, DPIA: strings.Repeat("0a", 32), BreachContact: "fg@meppel.example"},
		Sunset:    "Elk recht keert terug naar zijn eigen wet.",
		From:      "2026-01-01", Until: "2026-12-31",
	}
	for _, c := range change {
		c(&t)
	}
	return t
}

// draft is terms before they are proposed.
func draft(change ...func(*agreement.Terms)) agreement.Terms {
	t := terms(change...)
	t.ID, t.Replaces, t.ProposedAt = "", "", 0
	return t
}
