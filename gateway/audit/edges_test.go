package audit_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Why a receipt is refused, in words.
func TestWhyAReceiptIsRefused(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	b.exchange("c-1")
	p, digest := b.exchange("c-1")
	proofOf := func(n int) [][]byte {
		list := make([][]byte, n)
		for i := range list {
			list[i] = make([]byte, 32)
		}
		return list
	}
	for name, c := range map[string]struct {
		change func(*budgetv1.Receipt)
		says   string
	}{
		"no leaf":              {func(r *budgetv1.Receipt) { r.Leaf = nil }, "leaf: not a leaf of version 2 or 3 in canonical form"},
		"another decision":     {func(r *budgetv1.Receipt) { r.DecisionIndex = 0 }, "decision_index: is not the decision that the leaf carries out"},
		"before its decision":  {func(r *budgetv1.Receipt) { r.Index = r.DecisionIndex }, "decision_index: is not the decision that the leaf carries out"},
		"half a salt":          {func(r *budgetv1.Receipt) { r.Salt = r.Salt[:31] }, "salt: is not 32 bytes"},
		"another salt":         {func(r *budgetv1.Receipt) { r.Salt[0]++ }, "the leaf commits to another budget"},
		"of another log":       {func(r *budgetv1.Receipt) { r.Origin += "x" }, "the checkpoint is of another log"},
		"no checkpoint":        {func(r *budgetv1.Receipt) { r.Checkpoint = "" }, "the checkpoint is not signed by the log's key"},
		"behind the head":      {func(r *budgetv1.Receipt) { r.Index = p.Index + 1 }, "index: is not in the signed tree"},
		"the longest proof":    {func(r *budgetv1.Receipt) { r.Proof = proofOf(64) }, "proof: the leaf is not in the signed tree at this index"},
		"a longer proof":       {func(r *budgetv1.Receipt) { r.Proof = proofOf(65) }, "proof: is not a list of at most 64 hashes of 32 bytes"},
		"a proof of one byte":  {func(r *budgetv1.Receipt) { r.Proof[0] = []byte{1} }, "proof: is not a list of at most 64 hashes of 32 bytes: proof[0]"},
		"a proof of no bytes":  {func(r *budgetv1.Receipt) { r.Proof[0] = nil }, "proof: is not a list of at most 64 hashes of 32 bytes: proof[0]"},
		"another proof":        {func(r *budgetv1.Receipt) { r.Proof[0][0]++ }, "proof: the leaf is not in the signed tree at this index"},
		"the leaf of another":  {func(r *budgetv1.Receipt) { r.Leaf = b.append(decision(b.trace())).Leaf }, "the leaf records no release"},
		"no proof of anything": {func(r *budgetv1.Receipt) { r.Proof = nil }, "proof: the leaf is not in the signed tree at this index"},
	} {
		r := proto.Clone(p.Receipt()).(*budgetv1.Receipt)
		c.change(r)
		require.EqualError(t, audit.VerifyReceipt(r, digest, audit.Keys{b.key.Verifier}), audit.ErrTampered.Error()+": receipt: "+c.says, name)
	}
}

// A decision and a release by a day that has passed in the log are refused; what narrows,
// or is not judged by a day, is judged by the day of the log.
func TestADayThatHasPassed(t *testing.T) {
	b := newBench(t)
	day := civil.MustParse("2026-03-01")
	c := b.config(b.store)
	c.Today = func() civil.Date { return day }
	l, err := audit.Open(t.Context(), c)
	require.NoError(t, err)
	defer l.Close()
	trace := b.trace()
	d, err := l.Append(t.Context(), decision(trace))
	require.NoError(t, err)
	_, err = l.Append(t.Context(), consent("c-1"))
	require.NoError(t, err)
	ahead := audit.Entry{Kind: audit.Admin, Day: day + 1}
	_, err = l.Append(t.Context(), ahead)
	require.NoError(t, err)
	denied := decision(b.trace())
	denied.Kind = audit.Deny
	for name, e := range map[string]audit.Entry{"a decision": decision(b.trace()), "a denial": denied, "a release": release(trace, d.Index, [32]byte{1})} {
		_, err = l.Append(t.Context(), e)
		require.ErrorIs(t, err, audit.ErrDay, name)
		e.Day = day + 1
		_, err = l.Append(t.Context(), e)
		require.NoError(t, err, name)
	}
	p, err := l.Append(t.Context(), withdrawal("c-1"))
	require.NoError(t, err)
	leaf, err := audit.ParseLeaf(p.Leaf)
	require.NoError(t, err)
	require.Equal(t, (day + 1).String(), leaf.Day)
	_, err = b.verify()
	require.NoError(t, err)
}

// What is no release may rest on a consent too, by what is in the log before it.
func TestWhatElseRestsOnAConsent(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	b.append(audit.Entry{Kind: audit.Admin, Rests: restsOn("c-1")})
	judged := audit.Entry{Kind: audit.Admin, Rests: restsOn("c-1"), Judged: 1}
	b.append(judged)
	_, err := b.verify()
	require.NoError(t, err)
}

// tired is a key that stops signing.
type tired struct {
	note.Signer
	stopped bool
}

func (s *tired) Sign(msg []byte) ([]byte, error) {
	if s.stopped {
		return nil, errors.New("the module is gone")
	}
	return s.Signer.Sign(msg)
}

// Without the key's signature nothing is recorded; with it, the next one is.
func TestAKeyThatStopsSigning(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	key := &tired{Signer: b.key.Signer}
	c := b.config(b.store)
	c.Key.Signer = key
	l, err := audit.Open(t.Context(), c)
	require.NoError(t, err)
	defer l.Close()
	key.stopped = true
	_, err = l.Append(t.Context(), withdrawal("c-1"))
	require.ErrorIs(t, err, audit.ErrUnavailable)
	require.NotContains(t, err.Error(), "the module is gone")
	stored, err := l.Document(t.Context(), "c-1")
	require.NoError(t, err)
	require.True(t, stored.Live())
	key.stopped = false
	_, err = l.Append(t.Context(), withdrawal("c-1"))
	require.NoError(t, err)
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, 2, report.Size)
	key.stopped = true
	_, err = audit.Open(t.Context(), c)
	require.ErrorIs(t, err, audit.ErrKey, "it proves at the start that it signs")
}

// What a report counts: entries by kind, requests made again, documents, and the times
// of the first entry and the last.
func TestWhatAReportSays(t *testing.T) {
	b := newBench(t)
	at := time.UnixMilli(1767225600123)
	c := b.config(b.store)
	c.Now = func() time.Time { at = at.Add(time.Second); return at }
	l, err := audit.Open(t.Context(), c)
	require.NoError(t, err)
	defer l.Close()
	first := at.Add(time.Second)
	for range 2 {
		asked := decision(b.trace())
		asked.Once = once("k", "q")
		_, err = l.Append(t.Context(), asked)
		require.NoError(t, err)
	}
	for _, e := range []audit.Entry{consent("c-1"), agreement("a-1"), withdrawal("c-1")} {
		_, err = l.Append(t.Context(), e)
		require.NoError(t, err)
	}
	report, err := b.verify()
	require.NoError(t, err)
	require.Equal(t, map[audit.Kind]int64{audit.Decision: 2, audit.Consent: 1, audit.Agreement: 1, audit.Withdrawal: 1}, report.Kinds)
	require.EqualValues(t, 5, report.Size)
	require.EqualValues(t, 1, report.Retries)
	require.EqualValues(t, 2, report.Documents)
	require.EqualValues(t, 1, report.LiveDocuments)
	require.Equal(t, first.UnixMilli(), report.First)
	p, err := l.Prove(t.Context(), 4)
	require.NoError(t, err)
	leaf, err := audit.ParseLeaf(p.Leaf)
	require.NoError(t, err)
	require.Equal(t, leaf.Time, report.Last)
	require.Greater(t, report.Last, report.First)
	require.Equal(t, p.Checkpoint, report.Checkpoint)
	require.NotZero(t, report.Root)
}
