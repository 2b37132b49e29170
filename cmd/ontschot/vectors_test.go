package main

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/evidence"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/pseudonym"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// What was signed and recorded by an earlier program, before its rooms and their types had
// the names they have now: the audit log of the Meppel case with a negotiation, a delegation,
// consents and a withdrawal in it, and a budget, a view, an account and a dissolution that
// it released. A name in the code is not a name in what was signed.
func TestWhatWasSignedBeforeARenameVerifiesAfterIt(t *testing.T) {
	trust, err := config.ReadTrust("testdata/vectors/trust.yaml")
	require.NoError(t, err)
	keys, err := trust.Verifier()
	require.NoError(t, err)
	own := trust.Parties[0]
	logs, err := audit.ParseKeys(own.LogKeys...)
	require.NoError(t, err)

	t.Run("results", func(t *testing.T) {
		by := result.Trust{Keys: keys, Releaser: own.OIN, Log: logs}
		var budget, view budgetv1.Budget
		var accounts ontschotv1.AccountResponse
		var dissolved budgetv1.Dissolution
		for file, into := range map[string]proto.Message{"budget": &budget, "view": &view, "account": &accounts, "dissolution": &dissolved} {
			raw, err := os.ReadFile("testdata/vectors/" + file + ".json")
			require.NoError(t, err)
			require.NoError(t, protojson.Unmarshal(raw, into), file)
		}
		for _, b := range []*budgetv1.Budget{&budget, &view} {
			_, err := result.Verify(b, by)
			require.NoError(t, err)
		}
		require.NotEmpty(t, accounts.GetAccounts())
		for _, a := range accounts.GetAccounts() {
			require.NoError(t, result.VerifyAccount(a, by))
		}
		require.NoError(t, result.VerifyDissolution(&dissolved, by))
	})

	t.Run("record", func(t *testing.T) {
		store := vectorStore(t)
		head, err := os.ReadFile("testdata/vectors/head")
		require.NoError(t, err)
		report, err := audit.Verify(t.Context(), store, audit.Inspection{Tenant: own.OIN, Keys: logs, Head: string(head)})
		require.NoError(t, err)
		require.EqualValues(t, 27, report.Size)

		secret, err := os.ReadFile("testdata/vectors/pseudonym.key")
		require.NoError(t, err)
		pseudonyms, err := pseudonym.NewKeys(own.OIN, [][]byte{secret})
		require.NoError(t, err)
		signer, err := os.ReadFile("testdata/vectors/log.key")
		require.NoError(t, err)
		key, err := audit.ParseKey(strings.TrimSpace(string(signer)))
		require.NoError(t, err)
		log, err := audit.Open(t.Context(), audit.Config{Store: store, Origin: key.Signer.Name(), Tenant: own.OIN, Key: key})
		require.NoError(t, err)
		t.Cleanup(log.Close)

		open := evidence.Config{Keys: keys, Pseudonyms: pseudonyms}
		verify := map[audit.DocumentKind]func(d audit.StoredDocument) error{
			audit.ConsentDocument:    func(d audit.StoredDocument) error { _, err := open.OpenConsent(d); return err },
			audit.AgreementDocument:  func(d audit.StoredDocument) error { _, err := agreement.Verify(keys, d.Body); return err },
			audit.ProposalDocument:   func(d audit.StoredDocument) error { _, err := agreement.VerifyProposal(keys, d.Body); return err },
			audit.DelegationDocument: func(d audit.StoredDocument) error { _, err := token.VerifyDelegation(keys, d.Body); return err },
		}
		seen := 0
		for kind, verify := range verify {
			records := log.Register().List(kind)
			require.NotEmpty(t, records, kind)
			for _, r := range records {
				d, err := log.Document(t.Context(), r.ID)
				require.NoError(t, err)
				require.NoError(t, verify(d), "%s %s", kind, d.ID)
				seen++
			}
		}
		require.Equal(t, 13, seen)

		// The pseudonyms of now find what was registered under those of then.
		c, err := casefile.Open("meppel")
		require.NoError(t, err)
		bsn, err := identity.ParseBSN(c.Household[slices.IndexFunc(c.Household, func(m casefile.Member) bool { return m.Ref == "A3" })].BSN)
		require.NoError(t, err)
		require.Len(t, log.Register().Consents(pseudonym.Strings(pseudonyms.Of(bsn, c.Purpose)), c.Purpose), 3, "one of the case, one withdrawn, one given after it")
	})
}

// vectorStore is a copy of the audit log, as opening one can change it.
func vectorStore(t *testing.T) *sqlite.Store {
	t.Helper()
	from, err := os.Open("testdata/vectors/record.db.gz")
	require.NoError(t, err)
	defer from.Close()
	packed, err := gzip.NewReader(from)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "record.db")
	raw, err := io.ReadAll(packed)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	store, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { store.Close() })
	return store
}
