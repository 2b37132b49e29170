package conformance

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
)

const purpose = "integral_budget.compose"

var subject = []byte("a pseudonym, 32 bytes, of nobody")

func consent(id string, n int64) audit.Document {
	return audit.Document{
		ID: id, Kind: audit.ConsentDocument, Digest: "digest of " + id, Body: []byte("body"), Openings: []byte("[]"),
		Subject: subject, Purpose: purpose, Status: audit.Live, Entered: n, Ended: audit.NotEnded, Since: since(n),
	}
}

func agreement(id string, n int64) audit.Document {
	return audit.Document{
		ID: id, Kind: audit.AgreementDocument, Digest: "digest of " + id, Body: []byte("body"), Openings: []byte{},
		Subject: []byte{}, PartyA: one, PartyB: two, Status: audit.Live, Entered: n, Ended: audit.NotEnded, Since: since(n),
	}
}

// since is the time of an entry, in milliseconds.
func since(n int64) int64 { return 1767225600000 + n }

// batch gives rows from an index on, and the head that goes with them.
func batch(from int64, count int) audit.Batch {
	var b audit.Batch
	for i := range int64(count) {
		b.Rows = append(b.Rows, audit.Row{
			Index: from + i, ID: fmt.Sprintf("id-%d", from+i), Leaf: []byte("leaf"), Opening: []byte("open"), Hashes: make([]byte, 32),
		})
	}
	b.Head = audit.Head{Size: from + int64(count), Checkpoint: fmt.Sprintf("checkpoint of %d", from+int64(count))}
	return b
}

func write(t *testing.T, s Store, tenant identity.OIN, b audit.Batch) {
	t.Helper()
	require.NoError(t, s.Update(t.Context(), tenant, func(tx audit.Tx) error { return tx.Write(b) }))
}

func view(t *testing.T, s Store, tenant identity.OIN, f func(audit.Snapshot)) {
	t.Helper()
	require.NoError(t, s.View(t.Context(), tenant, func(v audit.Snapshot) error {
		f(v)
		return nil
	}))
}

func size(t *testing.T, s Store, tenant identity.OIN) (n int64) {
	t.Helper()
	view(t, s, tenant, func(v audit.Snapshot) {
		head, err := v.Head()
		require.NoError(t, err)
		n = head.Size
	})
	return n
}

func ids(list []audit.Document) []string {
	var names []string
	for _, d := range list {
		names = append(names, d.ID)
	}
	return names
}

func documentsEnd(t *testing.T, open Open) {
	s := open(t)
	b := batch(0, 1)
	b.Puts = []audit.Document{consent("c", 0)}
	write(t, s, one, b)
	err := s.Update(t.Context(), one, func(tx audit.Tx) error {
		found, err := tx.Lookup([]string{"c", "x"})
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.True(t, found["c"].Live())
		require.Equal(t, "digest of c", found["c"].Digest)
		next := batch(1, 1)
		next.Ends = []audit.End{{ID: "c", Index: 1, Time: since(1)}}
		require.NoError(t, tx.Write(next))
		found, err = tx.Lookup([]string{"c"})
		require.NoError(t, err)
		require.False(t, found["c"].Live(), "a transaction sees what it wrote")
		return nil
	})
	require.NoError(t, err)
	d, err := s.Document(t.Context(), one, "c")
	require.NoError(t, err)
	require.Equal(t, audit.Ended, d.Status)
	require.EqualValues(t, 1, d.Ended)
	require.Equal(t, since(0), d.Since)
	require.Equal(t, since(1), d.Until)
	require.Equal(t, []byte("body"), d.Body)
}

func endsOnce(t *testing.T, open Open) {
	s := open(t)
	b := batch(0, 1)
	b.Puts, b.Ends = []audit.Document{consent("c", 0)}, []audit.End{{ID: "c", Index: 0}}
	write(t, s, one, b) // put and ended by one batch
	err := s.Update(t.Context(), one, func(tx audit.Tx) error {
		next := batch(1, 1)
		next.Ends = []audit.End{{ID: "c", Index: 1}}
		return tx.Write(next)
	})
	require.ErrorIs(t, err, audit.ErrNoDocument)
	err = s.Update(t.Context(), one, func(tx audit.Tx) error {
		next := batch(1, 1)
		next.Puts = []audit.Document{consent("c", 1)}
		return tx.Write(next)
	})
	require.ErrorIs(t, err, audit.ErrUnavailable, "an id that is taken")
}

func lookUps(t *testing.T, open Open) {
	s := open(t)
	b := batch(0, 1)
	for i := range 70 {
		b.Puts = append(b.Puts, consent(fmt.Sprintf("c-%02d", i), int64(i)), agreement(fmt.Sprintf("a-%02d", i), int64(i)))
	}
	stranger := consent("stranger", 0)
	stranger.Subject = []byte("another pseudonym, also 32 bytes")
	elsewhere := consent("elsewhere", 0)
	elsewhere.Purpose = "another"
	b.Puts = append(b.Puts, stranger, elsewhere)
	for i := range 10 { // the newest
		b.Ends = append(b.Ends, audit.End{ID: fmt.Sprintf("c-6%d", i), Index: 70})
	}
	write(t, s, one, b)
	list, err := s.Consents(t.Context(), one, subject, purpose)
	require.NoError(t, err)
	require.Len(t, list, 64, "bounded")
	require.Equal(t, []string{"c-59", "c-58", "c-57"}, ids(list[:3]), "those that count first, the newest first")
	require.Equal(t, []string{"c-69", "c-68", "c-67", "c-66"}, ids(list[60:]), "then ended ones: they hide none that counts")
	require.False(t, list[60].Live())
	require.True(t, list[0].Live())
	require.Equal(t, []byte("[]"), list[1].Openings)
	forth, err := s.Agreements(t.Context(), one, one, two)
	require.NoError(t, err)
	back, err := s.Agreements(t.Context(), one, two, one)
	require.NoError(t, err)
	require.Equal(t, forth, back)
	require.Len(t, forth, 64)
	require.Equal(t, "a-69", forth[0].ID)
}

func between(t *testing.T, open Open) {
	const three = identity.OIN("00000099000000295000")
	s := open(t)
	b := batch(0, 1)
	for i, kind := range []audit.DocumentKind{
		audit.ProposalDocument, audit.StatementDocument, audit.DelegationDocument, audit.AgreementDocument, audit.ProposalDocument,
	} {
		d := agreement(fmt.Sprintf("%s-%d", kind, i), int64(i))
		d.Kind = kind
		b.Puts = append(b.Puts, d)
	}
	elsewhere := agreement("elsewhere", 5)
	elsewhere.Kind, elsewhere.PartyB = audit.ProposalDocument, three
	b.Puts = append(b.Puts, elsewhere, consent("c", 6))
	b.Ends = []audit.End{{ID: "PROPOSAL-0", Index: 7, Time: since(7)}}
	write(t, s, one, b)
	for kind, want := range map[audit.DocumentKind][]string{
		audit.ProposalDocument:   {"PROPOSAL-4", "PROPOSAL-0"},
		audit.StatementDocument:  {"STATEMENT-1"},
		audit.DelegationDocument: {"DELEGATION-2"},
		audit.AgreementDocument:  {"AGREEMENT-3"},
		audit.ConsentDocument:    nil,
	} {
		forth, err := s.Between(t.Context(), one, kind, one, two)
		require.NoError(t, err)
		require.Equal(t, want, ids(forth), kind)
		back, err := s.Between(t.Context(), one, kind, two, one)
		require.NoError(t, err)
		require.Equal(t, forth, back, kind)
	}
	list, err := s.Agreements(t.Context(), one, one, two)
	require.NoError(t, err)
	require.Equal(t, []string{"AGREEMENT-3"}, ids(list))
	list, err = s.Between(t.Context(), one, audit.ProposalDocument, one, three)
	require.NoError(t, err)
	require.Equal(t, []string{"elsewhere"}, ids(list))
}

func lists(t *testing.T, open Open) {
	s := open(t)
	b := batch(0, 1)
	for i := range int64(250) {
		b.Puts = append(b.Puts, agreement(fmt.Sprintf("a-%03d", i), 2*i), consent(fmt.Sprintf("c-%03d", i), 2*i+1))
	}
	b.Ends = []audit.End{{ID: "a-248", Index: 500, Time: since(500)}}
	write(t, s, one, b)
	var all []string
	for before := int64(0); ; {
		page, err := s.List(t.Context(), one, audit.AgreementDocument, before, 60)
		require.NoError(t, err)
		all = append(all, ids(page)...)
		if before = page[len(page)-1].Entered; before == 0 {
			break
		}
	}
	require.Len(t, all, 250)
	require.Equal(t, []string{"a-249", "a-248", "a-247"}, all[:3], "newest first, ended ones too")
	require.Equal(t, "a-000", all[249])
	for limit, want := range map[int]int{-1: 0, 0: 0, 1: 1, 200: 200, 201: 200, 1 << 40: 200} {
		list, err := s.List(t.Context(), one, audit.ConsentDocument, -1, limit)
		require.NoError(t, err)
		require.Len(t, list, want)
	}
	list, err := s.List(t.Context(), one, audit.ConsentDocument, 3, 10)
	require.NoError(t, err)
	require.Equal(t, []audit.Document{consent("c-000", 1)}, list, "strictly before")
}

func manyDocuments(t *testing.T, open Open) {
	s := open(t)
	b := batch(0, 1)
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("c-%02d", i))
		b.Puts = append(b.Puts, consent(names[i], int64(i)))
	}
	write(t, s, one, b)
	view(t, s, one, func(v audit.Snapshot) {
		for _, n := range []int{1, 15, 16, 17, 100} {
			found, err := v.Lookup(names[:n])
			require.NoError(t, err)
			require.Len(t, found, n)
		}
		_, err := v.Lookup(make([]string, 4097))
		require.ErrorIs(t, err, audit.ErrUnavailable)
	})
}
