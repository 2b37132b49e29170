package audit

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
)

// TestWhatIsTakenCanBeReadAgain: an entry that is appended is one that the register can be
// made from.
func TestWhatIsTakenCanBeReadAgain(t *testing.T) {
	doc := func() *Document {
		return &Document{Body: []byte("b"), Document: register.Document{ID: "c", Kind: ConsentDocument, Purpose: "p", Subjects: []string{strings.Repeat("s", 32)}}}
	}
	grants, keys, odd := doc(), doc(), doc()
	for range maxGrants {
		g := register.Grant{Source: "00000099000000119000"}
		for range maxGrants {
			g.Categories = append(g.Categories, strings.Repeat("c", 128))
		}
		grants.Grants = append(grants.Grants, g)
	}
	for range 200 {
		keys.Keys = append(keys.Keys, strings.Repeat("f", 64))
	}
	odd.Recipients = append(odd.Recipients, "a<b>")
	early := doc()
	early.From = 5
	for name, d := range map[string]*Document{"plain": doc(), "grants": grants, "keys": keys, "odd": odd, "early": early} {
		t.Run(name, func(t *testing.T) {
			p, err := prepare(Entry{Kind: Consent, Put: d}, "00000099000000119000", testTime, civil.Today(testTime))
			if err != nil {
				require.ErrorIs(t, err, ErrInvalid)
				return
			}
			leaf, err := ParseLeaf(p.leaf)
			require.NoError(t, err)
			open, err := parseOpening(p.opening)
			require.NoError(t, err)
			fact, err := factOf(0, &leaf, &open)
			require.NoError(t, err)
			require.Equal(t, d.filled().description(), Document{Document: *fact.Put, Body: d.Body}.description())
		})
	}
}

func TestLeavesOfVersion3(t *testing.T) {
	p, err := prepare(Entry{Kind: Key, Key: &register.KeyChange{Owner: "00000099000000119000", Digest: strings.Repeat("f", 64), State: "in_use"}}, "00000099000000119000", testTime, civil.Today(testTime))
	require.NoError(t, err)
	good := string(p.leaf)
	_, err = ParseLeaf(p.leaf)
	require.NoError(t, err)
	for name, change := range map[string][2]string{
		"no day": {`"day":"2026-01-01",`, ``}, "empty day": {`"day":"2026-01-01"`, `"day":""`}, "no such day": {`2026-01-01`, `2026-02-30`},
		"a day of version 2": {`"version":3`, `"version":2`}, "version 4": {`"version":3`, `"version":4`},
		"key": {strings.Repeat("f", 64), strings.Repeat("F", 64)}, "empty key": {strings.Repeat("f", 64), ``}, "key of another kind": {`"kind":"key"`, `"kind":"admin"`},
		"key of nobody": {`"organisations":["00000099000000119000"]`, `"organisations":[]`}, "no such state": {`"status":"in_use"`, `"status":"Ok"`},
	} {
		changed := strings.Replace(good, change[0], change[1], 1)
		require.NotEqual(t, good, changed, name)
		if _, err := ParseLeaf([]byte(changed)); err == nil {
			t.Errorf("accepted: %s", name)
		}
	}
}
