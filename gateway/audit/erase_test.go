package audit_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/gateway/store/storetest"
)

// of gives an entry about another person than the usual one.
func of(person string, e audit.Entry) audit.Entry {
	if e.Put != nil {
		e.Put.Subjects = []string{person}
	}
	e.Subjects = [][]byte{[]byte(person)}
	return e
}

const (
	gone = "pseudonym of one who goes away"
	also = "the same one, by a newer key version"
)

// lives is a log in which one person's consents were given, used, narrowed and
// withdrawn, beside another's.
func lives(b *bench) {
	b.append(consent("c-1"))
	b.append(agreement("a-1"))
	b.append(of(gone, consent("c-2")))
	trace := b.trace()
	asked := of(gone, decision(trace))
	asked.Subjects = append(asked.Subjects, []byte("pseudonym of a person"))
	asked.Consents = []string{"c-1", "c-2"}
	asked.Payload = []byte(`{"subject":"` + base64.RawURLEncoding.EncodeToString([]byte(gone)) + `"}`)
	d := b.append(asked)
	b.append(of(gone, release(trace, d.Index, [32]byte{1}, "c-1", "c-2", "a-1")))
	narrowed := of(gone, consent("c-3"))
	narrowed.Put.Replaces, narrowed.End, narrowed.Put.Case = "c-2", "c-2", "case-c-2"
	narrowed.Put.Subjects = []string{gone, also}
	b.append(narrowed)
	b.append(withdrawal("c-3"))
	b.exchange("c-1", "a-1")
}

func erasure(pseudonyms ...string) audit.Entry {
	e := audit.Entry{Activity: "consents.erase", Status: "Ok"}
	for _, s := range pseudonyms {
		e.Subjects = append(e.Subjects, []byte(s))
	}
	return e
}

// inFiles reports whether anything of the person is in the files of a log.
func inFiles(t *testing.T, path string) (found []string) {
	t.Helper()
	var raw []byte
	for _, suffix := range []string{"", "-wal"} {
		part, err := os.ReadFile(path + suffix)
		if !os.IsNotExist(err) {
			require.NoError(t, err)
		}
		raw = append(raw, part...)
	}
	for _, text := range []string{gone, also, "signed c-2", "signed c-3", "case-c-2"} {
		forms := []string{text, base64.StdEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(text))}
		for _, form := range forms {
			if bytes.Contains(raw, []byte(form)) {
				found = append(found, form)
			}
		}
	}
	return found
}

// What is erased is gone from the register, from the entries and from the files, and the
// log verifies; the others' documents count as before, also after a restart.
func TestWhatIsErased(t *testing.T) {
	for _, each := range []int{1, 3, 100} {
		b := newBench(t)
		lives(b)
		b.log.Close()
		require.NoError(t, b.store.Close())
		storetest.Repack(t, b.path, each)
		b.open()
		require.NotEmpty(t, inFiles(t, b.path), "the search finds what is there")
		proof, err := b.log.Prove(t.Context(), 2)
		require.NoError(t, err)
		done, err := b.log.Erase(t.Context(), erasure(gone))
		require.NoError(t, err)
		require.Equal(t, audit.Erased{Index: 9, Consents: 2, Entries: 5}, done)
		require.Empty(t, inFiles(t, b.path))

		same := func() {
			for _, id := range []string{"c-2", "c-3"} {
				_, known := b.log.Register().Document(id)
				require.False(t, known, id)
				_, err := b.log.Document(t.Context(), id)
				require.ErrorIs(t, err, audit.ErrNoDocument)
			}
			require.Empty(t, b.log.Register().Consents([]string{gone, also}, ""))
			_, err := b.log.Append(t.Context(), of(gone, consent("c-2")))
			require.ErrorIs(t, err, audit.ErrEnded, "registered again")
			still, err := b.log.Document(t.Context(), "c-1")
			require.NoError(t, err)
			require.True(t, still.Live())
			b.exchange("c-1", "a-1")
			report, err := b.verify()
			require.NoError(t, err)
			require.EqualValues(t, 2, report.Documents)
		}
		same()
		_, err = b.log.Append(t.Context(), withdrawal("c-2"))
		require.ErrorIs(t, err, audit.ErrNoDocument)
		_, err = b.log.Erase(t.Context(), erasure(gone))
		require.ErrorIs(t, err, audit.ErrNoDocument, "there is nothing more")
		again, err := b.log.Prove(t.Context(), 2)
		require.NoError(t, err)
		require.Equal(t, proof.Leaf, again.Leaf, "the tree is what it was")
		b.log.Close()
		require.NoError(t, b.store.Close())
		b.open()
		same()

		// The person may come back, and be erased again.
		b.append(of(gone, consent("c-4")))
		b.exchange("c-4", "a-1")
		done, err = b.log.Erase(t.Context(), erasure(also, gone))
		require.NoError(t, err)
		require.Equal(t, 1, done.Consents)
		same()
	}
}

// Another process that shares the log forgets too.
func TestAnErasureByAnotherProcess(t *testing.T) {
	b := newBench(t)
	lives(b)
	s, err := sqlite.Open(t.Context(), b.path)
	require.NoError(t, err)
	defer s.Close()
	other, err := audit.Open(t.Context(), b.config(s))
	require.NoError(t, err)
	defer other.Close()
	_, known := other.Register().Document("c-3")
	require.True(t, known)
	_, err = b.log.Erase(t.Context(), erasure(gone))
	require.NoError(t, err)
	_, err = other.Append(t.Context(), decision(b.trace()))
	require.NoError(t, err)
	_, known = other.Register().Document("c-3")
	require.False(t, known)
	_, known = other.Register().Document("c-1")
	require.True(t, known)
}

// What was erased and is put back, or what is gone and was not erased, is found by who
// opens the log and by the auditor.
func TestAnErasureIsNoCover(t *testing.T) {
	b := newBench(t)
	lives(b)
	before := rowsOf(t, b)
	_, err := b.log.Erase(t.Context(), erasure(gone))
	require.NoError(t, err)
	after := rowsOf(t, b)
	b.log.Close()
	require.NoError(t, b.store.Close())
	check := func(name string, index int64, change func(path string), opens bool) {
		t.Helper()
		path := copyFiles(t, b.path)
		change(path)
		var found *audit.TamperError
		require.ErrorAs(t, inspected(path, b.inspection()), &found, name)
		require.Equal(t, index, found.Index, name+": "+found.What)
		s, err := sqlite.Open(t.Context(), path)
		require.NoError(t, err)
		defer s.Close()
		l, err := audit.Open(context.Background(), b.config(s))
		if opens {
			require.NoError(t, err, name)
			l.Close()
			return
		}
		require.ErrorIs(t, err, audit.ErrTampered, name)
	}
	for _, n := range []int64{2, 3, 4, 5, 6} {
		require.NotEqual(t, before[n].Opening, after[n].Opening)
		check("put back", n, func(path string) {
			storetest.Change(t, path, n, func(r *audit.Row) { r.Opening = before[n].Opening })
		}, false)
	}
	const none = `{"salt":"","value":""}`
	for name, c := range map[string]struct {
		index int64
		field string
		opens bool // only the auditor reads it
	}{"a consent of another": {0, "put", false}, "an agreement": {1, "put", false}, "what a release rests on": {8, "rests", true}} {
		check(name, c.index, func(path string) {
			storetest.Change(t, path, c.index, func(r *audit.Row) { r.Opening = emptied(t, r.Opening, c.field, none) })
		}, c.opens)
	}
	_, err = b.log.Append(context.Background(), audit.Entry{Kind: audit.Erasure, Subjects: [][]byte{[]byte("pseudonym of a person")}})
	require.ErrorIs(t, err, audit.ErrInvalid, "only Erase makes one")
}

// emptied takes the first value out of a field of an opening.
func emptied(t *testing.T, opening []byte, field, by string) []byte {
	t.Helper()
	start := bytes.Index(opening, []byte(`"`+field+`":[{`))
	require.Positive(t, start)
	start += len(field) + 4
	end := start + bytes.IndexByte(opening[start:], '}') + 1
	return bytes.Join([][]byte{opening[:start], []byte(by), opening[end:]}, nil)
}

// A gateway that ends in the middle has erased all or nothing: the erasure is one
// transaction. What fails is tried again.
func TestAnErasureThatFails(t *testing.T) {
	b := newBench(t)
	lives(b)
	_, err := b.log.Erase(t.Context(), erasure("pseudonym of nobody"))
	require.ErrorIs(t, err, audit.ErrNoDocument)
	b.log.Close()
	_, err = b.log.Erase(t.Context(), erasure(gone))
	require.ErrorIs(t, err, audit.ErrUnavailable)
	require.NotEmpty(t, inFiles(t, b.path))
	_, err = b.verify()
	require.NoError(t, err)
}
