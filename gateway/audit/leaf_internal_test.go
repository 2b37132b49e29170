package audit

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// Each member of a leaf is judged by itself, and the error names it.
func TestEachMemberOfALeaf(t *testing.T) {
	good := func(kind Kind) Leaf {
		e := Entry{Kind: kind, Trace: strings.Repeat("a", 32), Activity: "act", Decision: "allow", PolicyRevision: "rev", Status: "Ok", Organisations: []identity.OIN{theirs}}
		switch kind {
		case Release:
			e.Payload = make([]byte, 32)
		case Key:
			e.Key = aKey().Key
		}
		l, err := ParseLeaf(made(t, e).leaf)
		require.NoError(t, err)
		return l
	}
	x := strings.Repeat("x", 129)
	many := func(n int) []string {
		var all []string
		for range n {
			all = append(all, strings.Repeat("A", 43))
		}
		return all
	}
	for name, c := range map[string]struct {
		kind   Kind
		change func(*Leaf)
		says   string // empty: it is good
	}{
		"version 1":              {Decision, func(l *Leaf) { l.Version = 1 }, "version"},
		"version 4":              {Decision, func(l *Leaf) { l.Version = 4 }, "version"},
		"version 2":              {Decision, func(l *Leaf) { l.Version, l.Day = 2, "" }, ""},
		"version 2 with a day":   {Decision, func(l *Leaf) { l.Version = 2 }, "day"},
		"version 2 with a key":   {Key, func(l *Leaf) { l.Version, l.Day = 2, "" }, "day"},
		"no kind":                {Decision, func(l *Leaf) { l.Kind = "x" }, "kind"},
		"no id":                  {Decision, func(l *Leaf) { l.ID = "x" }, "id"},
		"no time":                {Decision, func(l *Leaf) { l.Time = 0 }, "time"},
		"the first time":         {Decision, func(l *Leaf) { l.Time = 1 }, ""},
		"the last time":          {Decision, func(l *Leaf) { l.Time = maxTime }, ""},
		"after the last time":    {Decision, func(l *Leaf) { l.Time = maxTime + 1 }, "time"},
		"no trace":               {Decision, func(l *Leaf) { l.Trace = "" }, "trace"},
		"no trace of a key":      {Key, func(l *Leaf) { l.Trace = "" }, ""},
		"half a trace":           {Key, func(l *Leaf) { l.Trace = strings.Repeat("a", 16) }, "trace"},
		"a decision decided":     {Decision, func(l *Leaf) { l.Decided = 0 }, "decided"},
		"decided below":          {Decision, func(l *Leaf) { l.Decided = -2 }, "decided"},
		"a release undecided":    {Release, func(l *Leaf) { l.Decided = -1 }, "decided"},
		"a release decided last": {Release, func(l *Leaf) { l.Decided = maxIndex }, ""},
		"decided beyond":         {Release, func(l *Leaf) { l.Decided = maxIndex + 1 }, "decided"},
		"a retry":                {Decision, func(l *Leaf) { l.RetryOf = 0 }, ""},
		"a retry of the last":    {Deny, func(l *Leaf) { l.RetryOf = maxIndex }, ""},
		"a retry beyond":         {Decision, func(l *Leaf) { l.RetryOf = maxIndex + 1 }, "retry_of"},
		"a retry below":          {Decision, func(l *Leaf) { l.RetryOf = -2 }, "retry_of"},
		"a retried release":      {Release, func(l *Leaf) { l.RetryOf = 0 }, "retry_of"},
		"a retried key":          {Key, func(l *Leaf) { l.RetryOf = 0 }, "retry_of"},
		"no day":                 {Decision, func(l *Leaf) { l.Day = "" }, "day"},
		"no such day":            {Decision, func(l *Leaf) { l.Day = "2026-02-30" }, "day"},
		"a key that is no":       {Key, func(l *Leaf) { l.Key = "x" }, "key"},
		"a key in a decision":    {Decision, func(l *Leaf) { l.Key, l.Status = strings.Repeat("f", 64), "in_use" }, "key"},
		"a key of nobody":        {Key, func(l *Leaf) { l.Organisations = nil }, "key"},
		"a key in no state":      {Key, func(l *Leaf) { l.Status = "Ok" }, "key"},
		"of no tenant":           {Decision, func(l *Leaf) { l.Tenant = "1" }, "tenant"},
		"an activity too long":   {Decision, func(l *Leaf) { l.Activity = x }, "activity"},
		"a decision too long":    {Decision, func(l *Leaf) { l.Decision = x }, "decision"},
		"a policy too long":      {Decision, func(l *Leaf) { l.Policy = x }, "policy"},
		"a status too long":      {Decision, func(l *Leaf) { l.Status = x }, "status"},
		"an organisation":        {Decision, func(l *Leaf) { l.Organisations = []identity.OIN{ours, "1"} }, "organisations[1]"},
		"an agreement":           {Decision, func(l *Leaf) { l.Agreements = []string{"x"} }, "agreements[0]"},
		"a case":                 {Decision, func(l *Leaf) { l.Case = "x" }, "case[0]"},
		"an end":                 {Decision, func(l *Leaf) { l.End = "x" }, "end[0]"},
		"a payload":              {Decision, func(l *Leaf) { l.Payload = "x" }, "payload[0]"},
		"a document":             {Decision, func(l *Leaf) { l.Put = "x" }, "put[0]"},
		"consents":               {Decision, func(l *Leaf) { l.Consents = many(224) }, ""},
		"a consent":              {Decision, func(l *Leaf) { l.Consents = append(many(1), "x") }, "consents[1]"},
		"too many consents":      {Decision, func(l *Leaf) { l.Consents = many(225) }, "consents"},
		"rests":                  {Decision, func(l *Leaf) { l.Rests = many(448) }, ""},
		"too many rests":         {Decision, func(l *Leaf) { l.Rests = many(449) }, "rests"},
		"a rest":                 {Decision, func(l *Leaf) { l.Rests = []string{"x"} }, "rests[0]"},
		"too many subjects":      {Decision, func(l *Leaf) { l.Subjects = many(225) }, "subjects"},
		"a subject":              {Decision, func(l *Leaf) { l.Subjects = []string{"x"} }, "subjects[0]"},
	} {
		l := good(c.kind)
		c.change(&l)
		err := l.check()
		raw, failed := l.encode()
		require.NoError(t, failed)
		_, read := ParseLeaf(raw)
		if c.says == "" {
			require.NoError(t, err, name)
			require.NoError(t, read, name)
			continue
		}
		require.EqualError(t, err, errLeaf.Error()+": "+c.says, name)
		require.Error(t, read, name)
	}
}

// A leaf is one object of bounded size, with the members there are.
func TestWhatIsNoLeaf(t *testing.T) {
	raw := made(t, aKey()).leaf
	var l Leaf
	require.NoError(t, decodeCanonical(raw, len(raw), &l))
	for name, c := range map[string]struct {
		raw   string
		limit int
	}{
		"nothing": {"", 10}, "a byte too large": {string(raw), len(raw) - 1}, "another member": {`{"z":1}`, 10}, "half": {string(raw[:9]), 99}, "no object": {"7", 9},
	} {
		require.ErrorIs(t, decodeCanonical([]byte(c.raw), c.limit, new(Leaf)), errLeaf, name)
	}
	_, err := encodeCanonical(func() {})
	require.ErrorIs(t, err, ErrInvalid)
}

// A description is read as it was written, and what is no description is refused.
func TestDescriptionsOfDocuments(t *testing.T) {
	d := anAgreement().Put
	d.PartyA, d.PartyB = theirs, ours
	filled := d.filled()
	require.Equal(t, ours, filled.PartyA, "in order, whichever way they were given")
	require.Equal(t, theirs, filled.PartyB)
	require.Equal(t, filled, filled.filled())
	full := aConsent().Put.filled()
	full.From, full.Until, full.Case, full.Replaces, full.Narrows, full.Void = civil.MustParse("2026-01-01"), civil.MustParse("2026-12-31"), "case", "old", true, true
	for _, d := range []Document{filled, full} {
		back, ok := d.description().document()
		require.True(t, ok)
		require.Equal(t, d.description(), Document{Document: back}.description())
	}
	for name, change := range map[string]func(*description){
		"no digest":         func(d *description) { d.Digest = "" },
		"half a digest":     func(d *description) { d.Digest = d.Digest[:62] },
		"a digest more":     func(d *description) { d.Digest += "00" },
		"no hexadecimal":    func(d *description) { d.Digest = "g" + d.Digest[1:] },
		"half of openings":  func(d *description) { d.Openings = d.Openings[:62] },
		"openings of signs": func(d *description) { d.Openings = "g" + d.Openings[1:] },
		"a subject":         func(d *description) { d.Subjects = []string{"g"} },
		"a first day":       func(d *description) { d.From = "x" },
		"a last day":        func(d *description) { d.Until = "2026-02-30" },
		"a first, and last": func(d *description) { d.From, d.Until = "x", "2026-12-31" },
	} {
		says := full.description()
		change(&says)
		_, ok := says.document()
		require.False(t, ok, name)
	}
}

// What a document does not have is in its description as an empty list, never as null:
// what was committed to can be committed to again.
func TestTheTextOfADescription(t *testing.T) {
	raw, err := encodeCanonical(anAgreement().Put.filled().description())
	require.NoError(t, err)
	digest, none := digestOf([]byte("b")), digestOf(nil)
	require.Equal(t, `{"case":"","digest":"`+digest+`","from":"","grants":[],"id":"a","keys":[],"kind":"AGREEMENT","narrows":false,"openings":"`+none+
		`","party_a":"`+string(ours)+`","party_b":"`+string(theirs)+`","purpose":"","recipients":[],"replaces":"","subjects":[],"until":"","void":false}`, string(raw))
}

// bare is a log without entries, whatever its head says.
type bare struct{ Snapshot }

func (bare) Rows(int64, int) ([]Row, error) { return nil, nil }

// headed is one with a head.
type headed struct {
	bare
	head Head
}

func (h headed) Head() (Head, error) { return h.head, nil }

// What no head signs is not proven, and what no file holds is not said to be whole.
func TestNothingIsProvenByABadHead(t *testing.T) {
	key, err := ParseKey(mustSecret(t, "log/a"))
	require.NoError(t, err)
	l := &Log{cfg: Config{Origin: "log/a", Key: key}}
	p, err := l.prove(headed{head: Head{3, "x"}}, 0)
	require.ErrorIs(t, err, ErrTampered)
	require.Empty(t, p)
	p, err = l.prove(headed{}, 0)
	require.ErrorIs(t, err, ErrInvalid)
	require.Empty(t, p)
	require.Equal(t, &BehindError{Store: 3, Outside: -1}, complete(bare{}, position{tlog.Tree{N: 3}, firstEpoch}, "", Keys{key.Verifier}))
	five, err := signCheckpoint("log/a", tlog.Tree{N: 5}, key.Signer)
	require.NoError(t, err)
	require.Equal(t, &BehindError{Store: 3, Outside: 5}, complete(bare{}, position{tlog.Tree{N: 3}, firstEpoch}, five, Keys{key.Verifier}))
	require.ErrorIs(t, complete(bare{}, position{tlog.Tree{N: 3}, firstEpoch}, "x", Keys{key.Verifier}), ErrTampered)
}

// A head that is not signed is none, also where there are no entries to disagree with it.
func TestAHeadOverNothing(t *testing.T) {
	key, err := ParseKey(mustSecret(t, "log/a"))
	require.NoError(t, err)
	keys := Keys{key.Verifier}
	empty, err := readHead(bare{}, Head{}, "log/a", keys)
	require.NoError(t, err)
	require.Zero(t, empty.N)
	three, err := signCheckpoint("log/a", tlog.Tree{N: 3}, key.Signer)
	require.NoError(t, err)
	for name, h := range map[string]Head{"not signed": {3, "x"}, "of another size": {4, three}, "of entries that are gone": {3, three}} {
		_, err := readHead(bare{}, h, "log/a", keys)
		require.ErrorIs(t, err, ErrTampered, name)
	}
}

// Keys of a log: any of them may be meant by name alone, so all have one.
func TestLogKeys(t *testing.T) {
	secret, public, err := GenerateKey("log/a")
	require.NoError(t, err)
	_, again, err := GenerateKey("log/a")
	require.NoError(t, err)
	_, strange, err := GenerateKey("log/b")
	require.NoError(t, err)
	keys, err := ParseKeys(public, " "+again+"\n")
	require.NoError(t, err)
	require.Len(t, keys, 2)
	require.Equal(t, "log/a", keys.Origin())
	require.Empty(t, Keys(nil).Origin())
	key, err := ParseKey(secret)
	require.NoError(t, err)
	require.True(t, keys.Hold(key))
	require.False(t, keys[1:].Hold(key))
	require.False(t, Keys(nil).Hold(key))
	for name, texts := range map[string][]string{"none": nil, "no key": {"x"}, "a key and none": {public, "x"}, "of another log": {public, strange}, "nothing": {""}} {
		keys, err := ParseKeys(texts...)
		require.ErrorIs(t, err, ErrKey, name)
		require.Empty(t, keys, name)
	}
	for _, origin := range []string{"", "a b", "a+b"} {
		secret, public, err := GenerateKey(origin)
		require.ErrorIs(t, err, ErrKey, origin)
		require.Empty(t, secret+public, origin)
	}
	parts := strings.SplitN(secret, "+", 5)
	short := strings.Join(parts[:4], "+") + "+" + base64.StdEncoding.EncodeToString([]byte{1, 2, 3})
	for _, bad := range []string{"", public, secret[:len(secret)-4], short, strings.Replace(secret, "PRIVATE", "private", 1)} {
		got, err := ParseKey(bad)
		require.ErrorIs(t, err, ErrKey)
		require.Empty(t, got)
		require.NotContains(t, err.Error(), "log/a")
	}
	require.NoError(t, key.check("log/a"))
	require.ErrorIs(t, key.check("log/b"), ErrKey)
	other, err := ParseKey(mustSecret(t, "log/a"))
	require.NoError(t, err)
	require.ErrorIs(t, SigningKey{}.check("log/a"), ErrKey)
	require.ErrorIs(t, SigningKey{Signer: key.Signer}.check("log/a"), ErrKey)
	require.ErrorIs(t, SigningKey{Verifier: key.Verifier}.check("log/a"), ErrKey)
	require.ErrorIs(t, SigningKey{key.Signer, other.Verifier}.check("log/a"), ErrKey, "halves that do not fit")
	foreign, err := ParseKey(mustSecret(t, "log/b"))
	require.NoError(t, err)
	require.ErrorIs(t, SigningKey{foreign.Signer, key.Verifier}.check("log/a"), ErrKey)
	require.ErrorIs(t, SigningKey{key.Signer, foreign.Verifier}.check("log/a"), ErrKey)
}

func mustSecret(t *testing.T, origin string) string {
	t.Helper()
	secret, _, err := GenerateKey(origin)
	require.NoError(t, err)
	return secret
}

// Why a checkpoint is refused, however well it is signed.
func TestWhyACheckpointIsRefused(t *testing.T) {
	key, err := ParseKey(mustSecret(t, "log/a"))
	require.NoError(t, err)
	second, err := ParseKey(mustSecret(t, "log/a"))
	require.NoError(t, err)
	keys := Keys{key.Verifier, second.Verifier}
	sign := func(text string, by ...note.Signer) string {
		raw, err := note.Sign(&note.Note{Text: text}, by...)
		require.NoError(t, err)
		return string(raw)
	}
	root := tlog.Hash{1}
	good := tlog.Tree{N: maxIndex, Hash: root}
	text := checkpointText("log/a", good)
	for _, by := range []note.Signer{key.Signer, second.Signer} {
		got, err := openCheckpoint(sign(text, by), "log/a", keys)
		require.NoError(t, err)
		require.Equal(t, position{good, firstEpoch}, got)
	}
	body := root.String() + "\n"
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"of another log":      {checkpointText("log/b", good), OtherLog},
		"beyond the last":     {checkpointText("log/a", tlog.Tree{N: maxIndex + 1, Hash: root}), BadCheckpoint},
		"a size below":        {checkpointText("log/a", tlog.Tree{N: -1, Hash: root}), BadCheckpoint},
		"a size with a zero":  {"log/a\n01\n" + body, BadCheckpoint},
		"a size that is none": {"log/a\nx\n" + body, BadCheckpoint},
		"no root":             {"log/a\n1\n\n", BadCheckpoint},
		"half a root":         {"log/a\n1\nAAAA\n", BadCheckpoint},
		"two lines":           {"log/a\n1\n", BadCheckpoint},
		"an extension":        {"log/a\n1\n" + body + "x\n", BadCheckpoint},
	} {
		got, err := openCheckpoint(sign(c.text, key.Signer), "log/a", keys)
		require.ErrorIs(t, err, c.want, name)
		require.Zero(t, got, name)
	}
	signed := sign(text, key.Signer)
	stray := strings.TrimSuffix(signed, "\n")
	require.True(t, strings.HasSuffix(stray, "="))
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := strings.IndexByte(letters, stray[len(stray)-2])
	unused := stray[:len(stray)-2] + letters[last+1:last+2] + "=\n" // the same bytes, in other text
	for name, c := range map[string]struct {
		signed string
		want   error
	}{
		"not signed":               {text, NotSigned},
		"nothing":                  {"", NotSigned},
		"by two":                   {sign(text, key.Signer, second.Signer), NotSigned},
		"by a stranger too":        {signed + "— log/c AAAAAAAA\n", NotSigned},
		"with something behind it": {signed + "\n", NotSigned},
		"by another name":          {strings.Replace(signed, "— log/a", "— log/b", 1), NotSigned},
		"with unused bits":         {unused, NotSigned},
		"cut":                      {stray[:len(stray)-4] + "\n", NotSigned},
	} {
		got, err := openCheckpoint(c.signed, "log/a", keys)
		require.ErrorIs(t, err, c.want, name)
		require.Zero(t, got, name)
	}
	long := sign("x\n", key.Signer)
	most := strings.Repeat("x", maxCheckpoint-len(long)+1) + "\n"
	got, err := openNote(sign(most, key.Signer), keys)
	require.NoError(t, err)
	require.Equal(t, most, got)
	got, err = openNote(sign("x"+most, key.Signer), keys)
	require.ErrorIs(t, err, BadCheckpoint)
	require.Empty(t, got)
}

// A tree is that of its root alone, and of hashes that are there.
func TestATreeIsOfItsRoot(t *testing.T) {
	grown := nothing()
	for i := range byte(5) {
		_, err := grown.add(tlog.RecordHash([]byte{i}))
		require.NoError(t, err)
	}
	require.NoError(t, grown.seal())
	same, err := readTree(grown.position, "c", grown)
	require.NoError(t, err)
	require.Equal(t, grown.Tree, same.Tree)
	require.Equal(t, "c", same.checkpoint)
	again, err := readTree(grown.position, "c", same)
	require.NoError(t, err, "what is stored of it is enough")
	require.Equal(t, same, again)
	_, err = readTree(position{tlog.Tree{N: 5, Hash: tlog.Hash{1}}, firstEpoch}, "c", grown)
	require.ErrorIs(t, err, ErrTampered)
	_, err = readTree(position{tlog.Tree{N: 6, Hash: grown.Hash}, firstEpoch}, "c", grown)
	require.ErrorIs(t, err, errHash)
	_, err = (&tree{position: position{Tree: tlog.Tree{N: 5}}}).add(tlog.Hash{})
	require.ErrorIs(t, err, errHash)
	require.ErrorIs(t, (&tree{position: position{Tree: tlog.Tree{N: 5}}}).seal(), errHash)
	_, err = (&tree{position: position{Tree: tlog.Tree{N: 5}}}).sealed()
	require.ErrorIs(t, err, errHash)
	require.Equal(t, grown, grown.clone())
}
