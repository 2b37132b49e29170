package audit_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
)

// TestAnAgreementReplacesAnother is the life of an agreement: proposed, accepted in
// the place of an older one on a proposal that is still open, and revoked.
func TestAnAgreementReplacesAnother(t *testing.T) {
	b := newBench(t)
	b.append(agreement("old"))
	b.append(between(audit.ProposalDocument, "proposal"))
	accepts := agreement("new")
	accepts.Rests, accepts.End = restsOn("proposal"), "old"
	p := b.append(accepts)
	leaf, err := audit.ParseLeaf(p.Leaf)
	require.NoError(t, err)
	require.Equal(t, leaf.Time, b.document("new").Since)
	require.Equal(t, p.Index, b.document("old").Ended)
	require.True(t, b.append(accepts).Again)

	b.append(audit.Entry{Kind: audit.Agreement, End: "proposal"})
	late := agreement("late")
	late.Rests, late.End = restsOn("proposal"), "new"
	var ended *audit.EndedError
	_, err = b.log.Append(t.Context(), late)
	require.ErrorAs(t, err, &ended, "an offer that was taken back cannot be accepted")
	require.Equal(t, "proposal", ended.ID)
	require.True(t, b.document("new").Live())

	trace := b.trace()
	d := b.append(decision(trace))
	revokes := between(audit.StatementDocument, "revocation")
	revokes.End = "new"
	b.append(revokes)
	_, err = b.log.Append(t.Context(), release(trace, d.Index, sha256.Sum256(nil), "new"))
	require.ErrorIs(t, err, audit.ErrEnded)
	b.append(between(audit.DelegationDocument, "delegation"))
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, 5, report.Documents)
	require.EqualValues(t, 2, report.LiveDocuments, "the revocation and the delegation")
}

// TestAWithdrawalIsStored: the signed statement counts from the entry that ends what
// it withdraws, and a repeated withdrawal stores no second one.
func TestAWithdrawalIsStored(t *testing.T) {
	b := newBench(t)
	b.append(agreement("a-1"))
	revokes := func(id string) audit.Entry {
		return audit.Entry{Kind: audit.Withdrawal, End: "a-1", Put: between(audit.StatementDocument, id).Put}
	}
	first := b.append(revokes("s-1"))
	require.False(t, first.Again)
	require.Equal(t, first.Index, b.document("a-1").Ended)
	require.Equal(t, first.Index, b.document("s-1").Entered)
	for _, id := range []string{"s-1", "s-2"} {
		again := b.append(revokes(id))
		require.True(t, again.Again)
		require.Equal(t, first.Index, again.Index)
	}
	_, err := b.log.Document(t.Context(), "s-2")
	require.ErrorIs(t, err, audit.ErrNoDocument)

	b.append(agreement("a-2"))
	other := revokes("s-1")
	other.End = "a-2"
	_, err = b.log.Append(t.Context(), other)
	require.ErrorIs(t, err, audit.ErrConflict, "a statement that is stored for another document withdraws nothing")
	require.True(t, b.document("a-2").Live())
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, 3, report.Size)
}

func (b *bench) document(id string) audit.StoredDocument {
	b.t.Helper()
	d, err := b.log.Document(b.t.Context(), id)
	require.NoError(b.t, err)
	return d
}
