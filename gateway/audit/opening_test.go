package audit

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"golang.org/x/mod/sumdb/note"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
)

var testTime = time.UnixMilli(1767225600123)

func TestAnEntryAtItsLimitsFits(t *testing.T) {
	e := Entry{Kind: Consent, Trace: strings.Repeat("a", 32), Case: make([]byte, 128), Payload: make([]byte, 512<<10)}
	long := strings.Repeat("x", 128)
	e.Activity, e.PolicyRevision, e.Decision, e.Status = long, long, long, long
	for range 32 {
		e.Organisations = append(e.Organisations, "00000099000000119000")
	}
	for range 64 {
		e.Agreements = append(e.Agreements, strings.Repeat("f", 64))
		e.Subjects = append(e.Subjects, make([]byte, 64))
		e.Consents = append(e.Consents, long[:64])
		e.Rests = append(e.Rests, register.Rest{ID: long[:54], Source: "00000099000000119000", Recipient: "00000099000000119000"}, register.Rest{ID: long[:64]})
	}
	e.End = long[:63]
	e.Put = &Document{Body: make([]byte, 64<<10), Openings: make([]byte, 128<<10), Document: register.Document{
		ID: long[:64], Kind: ConsentDocument, Purpose: long, Case: long, Replaces: long[:64], Keys: []string{strings.Repeat("f", 64)},
	}}
	for range maxPseudonyms {
		e.Put.Subjects = append(e.Put.Subjects, string(make([]byte, 64)))
	}
	for range maxGrants {
		e.Put.Recipients = append(e.Put.Recipients, "00000099000000119000")
		g := register.Grant{Source: "00000099000000119000"}
		for range 11 { // the categories that there are
			g.Categories = append(g.Categories, "own_contribution")
		}
		e.Put.Grants = append(e.Put.Grants, g)
	}
	p, err := prepare(e, "00000099000000119000", testTime, civil.Today(testTime))
	require.NoError(t, err)
	leaf, err := ParseLeaf(p.leaf)
	require.NoError(t, err)
	o, err := parseOpening(p.opening)
	require.NoError(t, err)
	require.NoError(t, o.opens(&leaf))
}

func TestAnOpeningOpensOnlyItsOwnLeaf(t *testing.T) {
	e := Entry{Kind: Admin, Subjects: [][]byte{[]byte("a"), []byte("a")}, Consents: []string{"a"}}
	p, err := prepare(e, "00000099000000119000", testTime, civil.Today(testTime))
	require.NoError(t, err)
	leaf, err := ParseLeaf(p.leaf)
	require.NoError(t, err)
	require.NotEqual(t, leaf.Subjects[0], leaf.Subjects[1], "a fresh salt for each value")
	o, err := parseOpening(p.opening)
	require.NoError(t, err)
	o.Subjects[0], o.Subjects[1] = o.Subjects[1], o.Subjects[0]
	require.ErrorContains(t, o.opens(&leaf), "subjects[0]")
	o.Subjects = o.Subjects[:1]
	require.ErrorContains(t, o.opens(&leaf), "subjects: opens 1 of 2")
	require.NotEqual(t, commit(caseField, make([]byte, 32), nil), commit(payloadField, make([]byte, 32), nil), "the field is part of it")
}

func FuzzParseOpening(f *testing.F) {
	p, err := prepare(Entry{Kind: Admin, Subjects: [][]byte{[]byte("a")}}, "00000099000000119000", testTime, civil.Today(testTime))
	require.NoError(f, err)
	f.Add(p.opening)
	f.Add([]byte("{}"))
	f.Add(bytes.Replace(p.opening, []byte(`"YQ=="`), []byte(`"YR=="`), 1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := parseOpening(raw)
		if err != nil {
			return
		}
		if again := o.encode(); !bytes.Equal(again, raw) {
			t.Fatal("accepted an opening that is not canonical")
		}
	})
}

func FuzzOpenCheckpoint(f *testing.F) {
	const origin = "ontschot.nl/log/00000099000000119000"
	secret, _, err := GenerateKey(origin)
	require.NoError(f, err)
	key, err := ParseKey(secret)
	require.NoError(f, err)
	empty, err := signedHead(Head{}, origin, Keys{key.Verifier})
	require.NoError(f, err)
	good, err := signCheckpoint(origin, empty.Tree, key.Signer)
	require.NoError(f, err)
	f.Add(good)
	f.Add("")
	f.Add(good + "— x AAAAAAAA\n")
	f.Fuzz(func(t *testing.T, signed string) {
		if tree, err := openCheckpoint(signed, origin, Keys{key.Verifier}); err == nil && (signed != good || tree != empty) {
			t.Fatal("accepted a checkpoint that was never signed")
		}
	})
}

// TestSignedNonsense: what the key signed, but no log writes.
func TestSignedNonsense(t *testing.T) {
	const origin = "ontschot.nl/log/00000099000000119000"
	secret, _, err := GenerateKey(origin)
	require.NoError(t, err)
	key, err := ParseKey(secret)
	require.NoError(t, err)
	root := strings.Repeat("A", 43) + "=\n"
	for _, text := range []string{
		"", "\n", origin + "\n", origin + "\n1\n", origin + "\n-1\n" + root, origin + "\n01\n" + root, origin + "\n1\nAAAA\n",
		"another\n1\n" + root, origin + "\n1\n" + root + "extension\n", origin + "\n9999999999999999999\n" + root,
	} {
		signed, err := note.Sign(&note.Note{Text: text}, key.Signer)
		if err != nil {
			continue
		}
		_, err = openCheckpoint(string(signed), origin, Keys{key.Verifier})
		require.Error(t, err, "%q", text)
	}
}
