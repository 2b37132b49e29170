package audit_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/gateway/store/storetest"
)

// destroyedIn gives the values of an opening that are gone, each as field/number.
func destroyedIn(t *testing.T, row audit.Row) (list []string) {
	t.Helper()
	var fields map[string][]struct{ Salt, Value []byte }
	require.NoError(t, json.Unmarshal(row.Opening, &fields))
	for field, values := range fields {
		for i, v := range values {
			if len(v.Salt) == 0 && len(v.Value) == 0 {
				list = append(list, fmt.Sprintf("%s/%d", field, i))
			}
		}
	}
	slices.Sort(list)
	return list
}

// What concerns the person is destroyed, wherever in an entry it is, and nothing else
// of that entry.
func TestWhatConcernsAPersonAndWhatDoesNot(t *testing.T) {
	encoded := base64.RawURLEncoding.EncodeToString([]byte(gone))
	says := func(payload string) func(*audit.Entry) {
		return func(e *audit.Entry) { e.Payload = []byte(payload) }
	}
	for name, c := range map[string]struct {
		change func(*audit.Entry)
		want   []string
	}{
		"nothing":                          {func(*audit.Entry) {}, nil},
		"a subject":                        {func(e *audit.Entry) { e.Subjects = append(e.Subjects, []byte(gone)) }, []string{"subjects/1"}},
		"a consent":                        {func(e *audit.Entry) { e.Consents = []string{"c-1", "c-2"} }, []string{"consents/1"}},
		"a consent of another":             {func(e *audit.Entry) { e.Consents = []string{"c-1"} }, nil},
		"a payload with the pseudonym":     {says(`{"subject":"` + gone + `"}`), []string{"payload/0"}},
		"a payload with it as base64":      {says(`{"subject":"` + encoded + `"}`), []string{"payload/0"}},
		"a payload with a consent":         {says(`{"consent":"c-2"}`), []string{"payload/0"}},
		"a payload with another's consent": {says(`{"consent":"c-1"}`), nil},
	} {
		b := newBench(t)
		b.append(consent("c-1"))
		b.append(of(gone, consent("c-2")))
		e := decision(b.trace())
		c.change(&e)
		b.append(e)
		done, err := b.log.Erase(t.Context(), erasure(gone))
		require.NoError(t, err, name)
		require.Equal(t, audit.Erased{Index: 3, Consents: 1, Entries: 1 + min(1, len(c.want))}, done, name)
		rows := rowsOf(t, b)
		require.Empty(t, destroyedIn(t, rows[0]), name)
		require.Equal(t, []string{"consents/0", "put/0", "subjects/0"}, append(destroyedIn(t, rows[1]), "subjects/0")[:3], name)
		require.Equal(t, c.want, destroyedIn(t, rows[2]), name)
		_, err = b.verify()
		require.NoError(t, err, name)
	}
}

// A confirmation concerns a person as well.
func TestAConfirmationIsErased(t *testing.T) {
	l := newLoss(t)
	_, err := audit.Recover(t.Context(), l.config(l.earlier), 0)
	require.NoError(t, err)
	log := l.opened(l.earlier)
	p := l.enter(log, confirmation("c-2"))
	_, err = log.Erase(t.Context(), erasure("pseudonym of a person"))
	require.NoError(t, err)
	require.Equal(t, []string{"confirm/0"}, destroyedIn(t, storetest.Rows(t, l.earlier)[p.Index]))
	log.Close()
	_, err = l.verify(l.earlier)
	require.NoError(t, err)
}

// The documents that never come back are in the order of their digests, which reveals
// nothing of their ids.
func TestWhatAnErasureNames(t *testing.T) {
	b := newBench(t)
	for i := range 12 {
		b.append(of(gone, consent(fmt.Sprintf("c-%02d", i))))
	}
	done, err := b.log.Erase(t.Context(), erasure(gone))
	require.NoError(t, err)
	var opening struct{ Payload []struct{ Value []byte } }
	require.NoError(t, json.Unmarshal(rowsOf(t, b)[done.Index].Opening, &opening))
	var says struct{ Documents []string }
	require.NoError(t, json.Unmarshal(opening.Payload[0].Value, &says))
	require.Len(t, says.Documents, 12)
	require.True(t, slices.IsSorted(says.Documents))
}

// What is recorded of a person between the look and the erasure, or in its very group, is
// erased with the rest.
func TestWhatComesBeforeAnErasureInItsGroup(t *testing.T) {
	narrowed := of(gone, consent("c-3"))
	narrowed.Put.Replaces, narrowed.End, narrowed.Put.Case = "c-2", "c-2", "case-c-2"
	narrowed.Put.Subjects = []string{gone, also}
	elsewhere := func(id string) audit.Entry { // under the other pseudonym only
		e := of(also, consent(id))
		e.Subjects = [][]byte{[]byte("pseudonym of a person")}
		return e
	}
	asked := of(gone, decision(fmt.Sprintf("%032x", 900)))
	asked.Consents = []string{"c-2"}
	for name, c := range map[string]struct {
		first []audit.Entry // one behind the other
		want  audit.Erased
	}{
		"nothing":                        {nil, audit.Erased{Index: 3, Consents: 1, Entries: 2}},
		"of another":                     {[]audit.Entry{decision(fmt.Sprintf("%032x", 901))}, audit.Erased{Index: 4, Consents: 1, Entries: 2}},
		"a request":                      {[]audit.Entry{asked}, audit.Erased{Index: 4, Consents: 1, Entries: 3}},
		"a consent":                      {[]audit.Entry{of(gone, consent("c-4"))}, audit.Erased{Index: 4, Consents: 2, Entries: 3}},
		"a withdrawal":                   {[]audit.Entry{withdrawal("c-2")}, audit.Erased{Index: 4, Consents: 1, Entries: 3}},
		"a pseudonym that was not known": {[]audit.Entry{narrowed, elsewhere("c-5")}, audit.Erased{Index: 6, Consents: 3, Entries: 5}},
		"an erasure, of the same":        {[]audit.Entry{{}}, audit.Erased{Index: 4, Consents: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.append(of(gone, consent("c-2")))
			b.append(of(gone, decision(b.trace())))
			if len(c.first) == 2 { // of the pseudonym that is not known yet
				b.append(of(also, decision(b.trace())))
			}
			b.log.Close()
			g := &gatedStore{Store: b.store, entered: make(chan struct{}), free: make(chan struct{})}
			l, err := audit.Open(t.Context(), b.config(g))
			require.NoError(t, err)
			defer func() { l.Close() }()
			go l.Append(context.Background(), decision(fmt.Sprintf("%032x", 999))) // holds the writer
			<-g.entered
			for i, e := range c.first {
				if e.Kind == "" {
					go l.Erase(context.Background(), erasure(gone))
				} else {
					start(context.Background(), l, e)
				}
				require.Eventually(t, func() bool { return l.Waiting() == i+1 }, 5*time.Second, time.Millisecond)
			}
			type answer struct {
				done audit.Erased
				err  error
			}
			erased := make(chan answer, 1)
			go func() {
				done, err := l.Erase(context.Background(), erasure(gone))
				erased <- answer{done, err}
			}()
			require.Eventually(t, func() bool { return l.Waiting() == len(c.first)+1 }, 5*time.Second, time.Millisecond)
			close(g.free)
			got := <-erased
			require.NoError(t, got.err)
			require.Equal(t, c.want, got.done)
			require.Empty(t, inFiles(t, b.path))
			require.Empty(t, l.Register().Consents([]string{gone, also}, ""))
			l.Close()
			_, err = b.verify()
			require.NoError(t, err)
			l, err = audit.Open(t.Context(), b.config(b.store))
			require.NoError(t, err)
		})
	}
}

// An erasure looks at the whole log, page by page, and destroys nothing in one that does
// not hold.
func TestAnErasureLooksAtEveryPage(t *testing.T) {
	b := newBench(t)
	b.append(of(gone, consent("c-2")))
	group := func(n int) {
		done := make(chan struct{}, n)
		for range n {
			trace := b.trace()
			go func() { b.log.Append(context.Background(), decision(trace)); done <- struct{}{} }()
		}
		for range n {
			<-done
		}
	}
	group(300)
	b.append(of(gone, decision(b.trace())))
	group(299)
	last := b.append(of(gone, decision(b.trace()))).Index
	rows := rowsOf(t, b)
	for name, c := range map[string]struct {
		index  int64
		change func(*audit.Row)
	}{
		"a leaf of another entry": {400, func(r *audit.Row) { r.ID, r.Leaf, r.Opening = rows[401].ID, rows[401].Leaf, rows[401].Opening }},
		"no leaf":                 {400, func(r *audit.Row) { r.Leaf = nil }},
		"no opening":              {400, func(r *audit.Row) { r.Opening = nil }},
	} {
		path := copyFiles(t, b.path)
		s, err := sqlite.Open(t.Context(), path)
		require.NoError(t, err)
		defer s.Close()
		l, err := audit.Open(t.Context(), b.config(s))
		require.NoError(t, err)
		storetest.Change(t, path, c.index, c.change)
		_, err = l.Erase(t.Context(), erasure(gone))
		require.ErrorIs(t, err, audit.ErrTampered, name)
		_, known := l.Register().Document("c-2")
		require.True(t, known, name)
		l.Close()
	}
	for name, statement := range map[string]string{
		"the last row gone":     "DELETE FROM entries WHERE n = (SELECT max(n) FROM entries)",
		"a row within gone":     "DELETE FROM entries WHERE n = (SELECT max(n) FROM entries WHERE n < 500)",
		"a row that is cut off": "UPDATE entries SET entries = x'01' WHERE n = (SELECT max(n) FROM entries WHERE n < 500)",
		"a head that is none":   "UPDATE head SET checkpoint = 'x'",
	} {
		path := copyFiles(t, b.path)
		s, err := sqlite.Open(t.Context(), path)
		require.NoError(t, err)
		defer s.Close()
		l, err := audit.Open(t.Context(), b.config(s))
		require.NoError(t, err)
		execute(t, path, statement)
		_, err = l.Erase(t.Context(), erasure(gone))
		require.ErrorIs(t, err, audit.ErrTampered, name)
		l.Close()
	}
	done, err := b.log.Erase(t.Context(), erasure(gone))
	require.NoError(t, err)
	require.Equal(t, audit.Erased{Index: last + 1, Consents: 1, Entries: 3}, done)
	_, err = b.verify()
	require.NoError(t, err)
}

// Two persons who are in one entry are erased one right behind the other: of neither is anything left.
func TestTwoErasuresThatWaitTogether(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	b.append(of(gone, consent("c-2")))
	both := decision(b.trace()) // of another as well
	both.Subjects = append(both.Subjects, []byte(gone), []byte("somebody else"))
	p := b.append(both)
	b.log.Close()
	g := &gatedStore{Store: b.store, entered: make(chan struct{}), free: make(chan struct{})}
	l, err := audit.Open(t.Context(), b.config(g))
	require.NoError(t, err)
	defer l.Close()
	held := start(context.Background(), l, decision(b.trace())) // holds the writer
	<-g.entered
	erased := make(chan error, 2)
	for i, person := range []string{gone, "pseudonym of a person"} {
		go func() {
			_, err := l.Erase(context.Background(), erasure(person))
			erased <- err
		}()
		require.Eventually(t, func() bool { return l.Waiting() == i+1 }, 5*time.Second, time.Millisecond)
	}
	close(g.free)
	require.NoError(t, (<-held).err)
	require.NoError(t, <-erased)
	require.NoError(t, <-erased)
	require.Equal(t, []string{"subjects/0", "subjects/1"}, destroyedIn(t, rowsOf(t, b)[p.Index]))
	require.Empty(t, inFiles(t, b.path))
	_, err = b.verify()
	require.NoError(t, err)
}
