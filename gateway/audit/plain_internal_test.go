package audit

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
)

// made prepares an entry of ours on a day.
func made(t *testing.T, e Entry) *prepared {
	t.Helper()
	p, err := prepare(e, ours, testTime, civil.Today(testTime))
	require.NoError(t, err)
	return p
}

// rowOf is an entry as it is in the store.
func rowOf(p *prepared, index int64) Row {
	return Row{Index: index, ID: p.id, Leaf: p.leaf, Opening: p.opening, Hashes: p.record[:]}
}

// What puts or ends a document or changes a key is read whole; of all else the day is
// enough, and it is the day that reading it whole would give.
func TestWhatIsReadByItsDayAlone(t *testing.T) {
	day := civil.MustParse("2026-03-01")
	decided := aDecision()
	decided.Trace = strings.Repeat("a", 32)
	released := aRelease()
	released.Trace = decided.Trace
	for name, c := range map[string]struct {
		entry Entry
		plain bool
	}{
		"a decision": {decided, true}, "a release": {released, true}, "of an administrator": {Entry{Kind: Admin}, false},
		"a consent": {aConsent(), false}, "an agreement": {anAgreement(), false}, "a withdrawal": {Entry{Kind: Withdrawal, End: "c"}, false}, "a key": {aKey(), false},
	} {
		c.entry.Day = day
		p := made(t, c.entry)
		got, ok := plain(p.leaf)
		require.Equal(t, c.plain, ok, name)
		if ok {
			require.Equal(t, day, got, name)
		}
		fact, err := readFact(nil, rowOf(p, 7), 7, ledger{})
		require.NoError(t, err, name)
		require.Equal(t, day, fact.Day, name)
		require.EqualValues(t, 7, fact.Index, name)
		require.Equal(t, c.plain, fact.Time == 0 && fact.Put == nil && fact.End == "" && fact.Key == nil, name)
	}
	const asks = `"kind":"decision",`
	for name, leaf := range map[string]string{
		"nothing": "", "all but a digit of it": `{` + asks + `"put":"","end":"","day":"2026-03-0`, "no day": `{` + asks + `"put":"","end":""}`, "no such day": `{"day":"2026-02-30",` + asks + `"put":"","end":""}`, "half a day": `{` + asks + `"put":"","end":"","day":"2026-0`,
		"an end": `{"day":"2026-03-01",` + asks + `"put":"","end":"x"}`, "a document": `{"day":"2026-03-01",` + asks + `"put":"x","end":""}`,
		"a key": `{"day":"2026-03-01","kind":"key","put":"","end":""}`, "an epoch": `{"day":"2026-03-01","kind":"epoch","put":"","end":""}`, "an erasure": `{"day":"2026-03-01","kind":"erasure","put":"","end":""}`,
		"a confirmation": `{"day":"2026-03-01","kind":"confirmation","put":"","end":""}`, "no kind": `{"day":"2026-03-01","put":"","end":""}`, "an unknown kind": `{"day":"2026-03-01","kind":"other","put":"","end":""}`, "half a kind": `{"day":"2026-03-01","put":"","end":"","kind":"decision`,
	} {
		_, ok := plain(slices.Clip([]byte(leaf)))
		require.False(t, ok, name)
	}
	_, ok := plain([]byte(`{` + asks + `"put":"","end":"","day":"2026-03-01`))
	require.True(t, ok)
}

// A row that is bad, of another index or with other hashes is no entry.
func TestRowsThatAreNoEntry(t *testing.T) {
	good := rowOf(made(t, aConsent()), 3)
	_, err := readFact(nil, good, 3, ledger{})
	require.NoError(t, err)
	for name, change := range map[string]func(*Row){
		"bad":            func(r *Row) { r.Bad = "n" },
		"another index":  func(r *Row) { r.Index = 4 },
		"another leaf":   func(r *Row) { r.Leaf = made(t, aConsent()).leaf },
		"no leaf":        func(r *Row) { r.Leaf = nil },
		"no opening":     func(r *Row) { r.Opening = nil },
		"another hash":   func(r *Row) { r.Hashes = make([]byte, 32) },
		"another id":     func(r *Row) { r.ID = made(t, aConsent()).id },
		"of another one": func(r *Row) { r.Opening = made(t, aConsent()).opening },
	} {
		row := good
		change(&row)
		_, err := readFact(nil, row, 3, ledger{})
		require.ErrorIs(t, err, ErrTampered, name)
	}
}

// What is wrong with a row is named by its column.
func TestWhichColumnIsWrong(t *testing.T) {
	good := rowOf(made(t, aConsent()), 0)
	_, _, err := readRow(good)
	require.NoError(t, err)
	for says, change := range map[string]func(*Row){
		"leaf: not a leaf of version 2 or 3 in canonical form": func(r *Row) { r.Leaf = r.Leaf[1:] },
		"leaf: of an earlier version than the audit log": func(r *Row) {
			l, err := ParseLeaf(r.Leaf)
			require.NoError(t, err)
			l.Version, l.Day = 2, ""
			r.Leaf, err = l.encode()
			require.NoError(t, err)
		},
		"id: not that of the leaf": func(r *Row) { r.ID = "x" },
		"opening: ":                func(r *Row) { r.Opening = r.Opening[1:] },
		"opening:":                 func(r *Row) { r.Opening = made(t, aConsent()).opening },
	} {
		row := good
		change(&row)
		leaf, open, err := readRow(row)
		require.ErrorContains(t, err, says)
		require.Zero(t, leaf, says)
		require.Zero(t, open, says)
	}
	require.NoError(t, checkRecord(good))
	for _, hashes := range [][]byte{nil, good.Hashes[:31], make([]byte, 32)} {
		row := good
		row.Hashes = hashes
		require.EqualError(t, checkRecord(row), "leaf: not the one that was hashed")
	}
}

// What is prepared says in its leaf and to the register what the entry says.
func TestWhatIsPrepared(t *testing.T) {
	e := aConsent()
	e.Trace, e.Activity, e.Decision, e.Status, e.PolicyRevision = strings.Repeat("a", 32), "act", "allow", "Ok", "rev"
	e.Agreements, e.End, e.Case, e.Payload = []string{strings.Repeat("b", 64)}, "old", []byte("case"), []byte("payload")
	e.Organisations = append(e.Organisations, theirs)
	e.Consents, e.Subjects, e.Rests, e.Judged = []string{"c-1"}, [][]byte{[]byte("s")}, []register.Rest{{ID: "r"}, {ID: "c", Source: theirs, Recipient: ours}}, 5
	e.Put.From, e.Put.Until, e.Put.Narrows, e.Put.Void, e.Put.Keys, e.Put.Replaces, e.Put.Case = civil.MustParse("2026-01-02"), civil.MustParse("2026-12-31"), true, true, []string{strings.Repeat("c", 64)}, "old", "case"
	p := made(t, e)
	leaf, err := ParseLeaf(p.leaf)
	require.NoError(t, err)
	require.Equal(t, "act", leaf.Activity)
	require.Equal(t, "allow", leaf.Decision)
	require.Equal(t, "Ok", leaf.Status)
	require.Equal(t, "rev", leaf.Policy)
	require.Equal(t, e.Trace, leaf.Trace)
	require.Equal(t, e.Agreements, leaf.Agreements)
	require.Equal(t, e.Organisations, leaf.Organisations)
	require.Equal(t, ours, leaf.Tenant)
	require.Equal(t, p.id, leaf.ID)
	require.Equal(t, testTime.UnixMilli(), leaf.Time)
	require.Equal(t, civil.Today(testTime).String(), leaf.Day)
	require.EqualValues(t, -1, leaf.Decided)
	require.EqualValues(t, noRetry, leaf.RetryOf)
	require.Equal(t, leafVersion, leaf.Version)
	require.Equal(t, e.Trace, p.trace)
	require.Equal(t, e.Rests, p.rests)
	require.EqualValues(t, 5, p.judged)
	open, err := parseOpening(p.opening)
	require.NoError(t, err)
	require.Equal(t, "c/"+string(theirs)+"/"+string(ours), string(open.Rests[1].Value))
	for i, r := range e.Rests {
		require.Equal(t, r, restOf(string(open.Rests[i].Value)))
	}
	require.Equal(t, []byte("case"), open.Case[0].Value)
	require.Equal(t, []byte("payload"), open.Payload[0].Value)
	require.Equal(t, []byte("s"), open.Subjects[0].Value)
	require.Equal(t, []byte("c-1"), open.Consents[0].Value)
	fact, err := factOf(0, &leaf, &open)
	require.NoError(t, err)
	fact.Index = p.fact.Index
	require.Equal(t, e.Put.filled().description(), Document{Document: *fact.Put}.description())
	require.Equal(t, "old", fact.End)
	require.Equal(t, p.fact.Day, fact.Day)
	require.Equal(t, p.fact.Time, fact.Time)

	e = aKey()
	p = made(t, e)
	leaf, err = ParseLeaf(p.leaf)
	require.NoError(t, err)
	open, err = parseOpening(p.opening)
	require.NoError(t, err)
	fact, err = factOf(1, &leaf, &open)
	require.NoError(t, err)
	require.Equal(t, e.Key, fact.Key)
	require.False(t, fact.Stated)
	p = made(t, Entry{Kind: Withdrawal, End: "c"})
	require.True(t, p.fact.Stated)

	// A later day changes the day, and what follows from it, alone.
	next, err := p.later(civil.MustParse("2027-01-01"))
	require.NoError(t, err)
	was, err := ParseLeaf(p.leaf)
	require.NoError(t, err)
	is, err := ParseLeaf(next.leaf)
	require.NoError(t, err)
	require.Equal(t, "2027-01-01", is.Day)
	require.Equal(t, civil.MustParse("2027-01-01"), next.fact.Day)
	require.Equal(t, tlog.RecordHash(next.leaf), next.record)
	require.NotEqual(t, p.record, next.record)
	is.Day = was.Day
	require.Equal(t, was, is)
	p.leaf = nil
	_, err = p.later(civil.MustParse("2027-01-01"))
	require.Error(t, err)
}

// What an entry does not have, its leaf commits to nothing of.
func TestWhatIsNotThereIsNotCommittedTo(t *testing.T) {
	says := func(e Entry) Leaf {
		l, err := ParseLeaf(made(t, e).leaf)
		require.NoError(t, err)
		return l
	}
	l := says(Entry{Kind: Admin})
	require.Empty(t, l.Case+l.Payload+l.End+l.Put+l.Key)
	require.Empty(t, l.Consents)
	require.Empty(t, l.Rests)
	require.Empty(t, l.Subjects)
	require.NotEmpty(t, says(Entry{Kind: Admin, Case: []byte{1}}).Case)
	require.NotEmpty(t, says(Entry{Kind: Admin, Payload: []byte{1}}).Payload)
	require.NotEmpty(t, says(Entry{Kind: Withdrawal, End: "c"}).End)
	require.Empty(t, made(t, Entry{Kind: Admin}).salt)
	require.Len(t, made(t, Entry{Kind: Admin, Payload: []byte{1}}).salt, saltSize)
}

// What an opening holds in the place of a description changes nothing in the register.
func TestAnOpeningThatHoldsNoDescription(t *testing.T) {
	p := made(t, aConsent())
	leaf, err := ParseLeaf(p.leaf)
	require.NoError(t, err)
	good := string(mustOpen(t, p).Put[0].Value)
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "x", "another member": strings.Replace(good, `{"case"`, `{"z":1,"case"`, 1), "no digest": strings.Replace(good, `"digest":"`, `"digest":"g`, 1),
	} {
		open := mustOpen(t, p)
		open.Put[0].Value = []byte(text)
		_, err := factOf(0, &leaf, &open)
		require.ErrorIs(t, err, ErrTampered, name)
		require.ErrorContains(t, err, "opening: put is no description of a document", name)
	}
}

func mustOpen(t *testing.T, p *prepared) opening {
	t.Helper()
	open, err := parseOpening(p.opening)
	require.NoError(t, err)
	return open
}

// What could not be read again is not taken: a document's description that is too large,
// and a leaf that says what it may not.
func TestWhatIsNotPrepared(t *testing.T) {
	for name, change := range map[string]func(*Entry){
		"a key too many": func(e *Entry) {
			e.Put.Keys = make([]string, 200)
			for i := range e.Put.Keys {
				e.Put.Keys[i] = strings.Repeat("f", 64)
			}
		},
		"a day on no calendar":    func(e *Entry) { e.Put.From = 5 },
		"an activity of two":      func(e *Entry) { e.Activity = "a b" },
		"an organisation of none": func(e *Entry) { e.Organisations = append(e.Organisations, "1") },
		"an entry that may not":   func(e *Entry) { e.Put.ID = "a b" },
	} {
		e := aConsent()
		change(&e)
		p, err := prepare(e, ours, testTime, civil.Today(testTime))
		require.ErrorIs(t, err, ErrInvalid, name)
		if p != nil {
			require.Empty(t, p.leaf, name)
		}
	}
	_, err := prepare(aConsent(), "1", testTime, civil.Today(testTime))
	require.ErrorIs(t, err, ErrInvalid, "of no tenant")
	_, err = prepare(aConsent(), ours, time.UnixMilli(0), civil.Today(testTime))
	require.ErrorIs(t, err, ErrInvalid, "of no time")
	require.False(t, errors.Is(err, ErrTampered))
}

// The earliest of what is wrong is reported, and of a head what is wrong with it.
func TestTheEarliestIsReported(t *testing.T) {
	zero, one := &TamperError{0, "a"}, &TamperError{1, "b"}
	for _, c := range [][3]*TamperError{{nil, zero, zero}, {zero, nil, zero}, {zero, one, zero}, {one, zero, zero}, {one, one, one}, {nil, nil, nil}} {
		require.Equal(t, c[2], earlier(c[0], c[1]))
	}
	key, err := ParseKey(mustSecret(t, "log/a"))
	require.NoError(t, err)
	keys := Keys{key.Verifier}
	empty, err := signedHead(Head{}, "log/a", keys)
	require.NoError(t, err)
	require.Zero(t, empty.N)
	two, err := signCheckpoint("log/a", tlog.Tree{N: 2}, key.Signer)
	require.NoError(t, err)
	none, err := signCheckpoint("log/a", tlog.Tree{}, key.Signer)
	require.NoError(t, err)
	got, err := signedHead(Head{2, two}, "log/a", keys)
	require.NoError(t, err)
	require.EqualValues(t, 2, got.N)
	for says, h := range map[string]Head{
		"checkpoint: the checkpoint is not signed by the log's key": {2, "x"},
		"size: not that of the signed checkpoint":                   {3, two},
		"size: not that of the signed checkpoint ":                  {0, none},
	} {
		_, err := signedHead(h, "log/a", keys)
		require.ErrorIs(t, err, ErrTampered)
		require.ErrorContains(t, err, strings.TrimSpace(says))
	}
}

// An opening is read in the one form in which it is written, and within its bound.
func TestTheTextOfAnOpening(t *testing.T) {
	const empty = `{"case":[],"consents":[],"end":[],"payload":[],"put":[],"rests":[],"subjects":[]}`
	require.Equal(t, empty, string(made(t, Entry{Kind: Admin}).opening))
	open, err := parseOpening([]byte(empty))
	require.NoError(t, err)
	raw := open.encode()
	require.NoError(t, err)
	require.Equal(t, empty, string(raw))
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "x", "null for a list": strings.Replace(empty, "[]", "null", 1), "a space": empty + " ", "a member more": strings.Replace(empty, "{", `{"a":[],`, 1),
		"a member less": strings.Replace(empty, `"end":[],`, "", 1), "too large": strings.Replace(empty, "[]", `[{"value":"`+strings.Repeat("A", maxOpening)+`"}]`, 1),
	} {
		open, err := parseOpening([]byte(text))
		require.ErrorIs(t, err, errOpening, name)
		require.Zero(t, open, name)
	}
}
