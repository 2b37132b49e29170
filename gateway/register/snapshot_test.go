package register_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
)

// written is a register of some of everything.
func written(t *testing.T, extra ...register.Entry) *alone {
	t.Helper()
	deal := func(kind register.Kind, id, replaces string) register.Entry {
		return register.Entry{Put: &register.Document{ID: id, Kind: kind, From: first, PartyA: "X", PartyB: "Y", Replaces: replaces, Keys: []string{digestOf("own1")}}}
	}
	second := consentOf("P", "01890a5d-ac96-774b-bcce-b302099a8057", "1", "a", "c")
	second.Put.Subjects = []string{strings.Repeat("p", 32), "P", "P3", "P1", "P4", "P2"}
	void := consentOf("Q", "v", "1", "a")
	void.Put.Void = true
	return begun(t, append([]register.Entry{
		consentOf("P", "1", "", "a", "b"), second, consentOf("Q", "q", "", "c"), void,
		deal(register.Proposal, "proposal:2", ""), deal(register.Agreement, "2", ""), deal(register.Agreement, "3", "unknown"), deal(register.Statement, "s", ""),
		{Epoch: true}, {Confirm: "1"}, narrowingOf("4", second.Put.ID, "a"), {End: "q", Stated: true},
	}, extra...)...)
}

// What was erased is in no byte, and nothing but the size shows that somebody was there.
func TestASnapshotOfWhoWasErasedIsAsIfHeWereNeverThere(t *testing.T) {
	other := consentOf("someone", "01890a5d-ac96-774b-bcce-ffffffffffff", "", "another category")
	other.Put.Case, other.Put.Grants[0].Source, other.Put.Purpose = "their case", "their source", "their purpose"
	other.Put.Recipients = []identity.OIN{"their recipient"}
	a := written(t, other, register.Entry{End: other.Put.ID, Stated: true})
	require.Contains(t, string(a.r.Encode()), "their source")
	tale(t, a, register.Entry{Erase: []string{"someone"}})
	b := written(t, register.Entry{}, register.Entry{}, register.Entry{})
	require.Equal(t, b.r.Encode(), a.r.Encode())
	require.NotContains(t, string(a.r.Encode()), "their ")
}

// The form on disk: another needs another first line, and readers of both.
func TestTheFormInWhichARegisterIsWritten(t *testing.T) {
	is := hex.Dump(written(t).r.Encode())
	was, err := os.ReadFile("testdata/written.hex")
	require.NoError(t, err)
	require.Equal(t, string(was), is)
}

// Terms go on the chain of their own proposal: of what was accepted in it the last is in force.
func TestTermsGoOnWhereTheirProposalIs(t *testing.T) {
	const proposal, agreement = register.Proposal, register.Agreement
	a := begun(t, termsOf(proposal, "proposal:1", ""), termsOf(proposal, "proposal:2", "1"), termsOf(proposal, "proposal:3", "2"), termsOf(agreement, "1", ""), termsOf(agreement, "3", "2"))
	for _, r := range []*register.Register{a.r, decoded(t, a.r)} {
		require.Equal(t, []string{"3"}, r.Head().Agreements("X", "Y", first))
	}
	require.Equal(t, []string{"compose"}, written(t).view().Purposes())
}

// What was read answers as what was written, and goes on as it does.
func TestWhatWasReadAnswersAsWhatWasWritten(t *testing.T) {
	a := written(t, termsOf(register.Proposal, "proposal:4", "3"), termsOf(register.Proposal, "proposal:5", "4"))
	read := decoded(t, a.r)
	for range 2 {
		for size := range a.r.Size() + 1 {
			was, is := a.r.At(size), read.At(size)
			for _, kind := range []register.Kind{register.Consent, register.Agreement, register.Proposal, register.Statement} {
				require.Equal(t, was.List(kind), is.List(kind), "size %d", size)
				require.Equal(t, was.Between(kind, "X", "Y"), is.Between(kind, "X", "Y"), "size %d", size)
			}
			require.Equal(t, was.Agreements("X", "Y", first), is.Agreements("X", "Y", first))
			require.Equal(t, was.Keys(), is.Keys())
			for _, s := range []string{"P", "P1", "P2", "P3", "P4", strings.Repeat("p", 32)} {
				require.Equal(t, was.Consents([]string{s}, ""), is.Consents([]string{s}, ""), s)
			}
		}
		e := termsOf(register.Agreement, "5", "4")
		e.Index = a.r.Size()
		a.r.Apply(e)
		read.Apply(e)
	}
}

// Which of a person's consents holds a pseudonym is no matter.
func TestWhatAnswersAlikeIsWrittenAlike(t *testing.T) {
	with := func(first, second []string) []byte {
		one, other := consentOf("", "1", "", "a"), consentOf("", "2", "", "a")
		one.Put.Subjects, other.Put.Subjects = first, second
		return begun(t, one, other).r.Encode()
	}
	p := strings.Repeat("p", 32)
	require.Equal(t, with([]string{p, "x", "y"}, []string{p}), with([]string{p}, []string{p, "y", "x"}))
	require.NotEqual(t, with([]string{p, "x"}, []string{p}), with([]string{p}, []string{"x"}))
}

// Any byte that is changed, added or lost is found, or makes another register that is
// written the same way.
func TestWhatIsNoSnapshotIsRefused(t *testing.T) {
	good := written(t).r.Encode()
	_, err := register.Decode(good)
	require.NoError(t, err)
	held := func(b []byte) {
		r, err := register.Decode(b)
		if err != nil {
			require.ErrorIs(t, err, register.ErrSnapshot)
			return
		}
		require.Equal(t, b, r.Encode())
		require.NoError(t, r.Sound())
	}
	for n := range good {
		_, err := register.Decode(good[:n])
		require.ErrorIs(t, err, register.ErrSnapshot, "cut off at %d", n)
		for _, with := range []byte{0, 1, 2, 0x7f, 0x80, 0xff, good[n] ^ 1, good[n] + 1, good[n] - 1, good[n] ^ 0x80} {
			bad := slices.Clone(good)
			bad[n] = with
			held(bad)
		}
		held(slices.Delete(slices.Clone(good), n, n+1))
		held(slices.Insert(slices.Clone(good), n, good[n]))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		bad := slices.Clone(good)
		for range 2 + random.IntN(3) {
			bad[random.IntN(len(bad))] += byte(random.IntN(5) - 2)
		}
		held(bad)
	}
	_, err = register.Decode(append(good, 0))
	require.ErrorIs(t, err, register.ErrSnapshot)
	require.ErrorContains(t, err, "something follows on the end")
	_, err = register.Decode(good[:len(good)-1])
	require.ErrorContains(t, err, "document 8")
	_, err = register.Decode([]byte("ontschot register 2\n"))
	require.ErrorContains(t, err, "another version")
	_, err = register.Decode(bytes.Replace(good, []byte("S1"), []byte("S\x00"), 1))
	require.NoError(t, err, "a text is any text")
}

func FuzzDecode(f *testing.F) {
	f.Add(register.New().Encode())
	f.Add(full(3).Encode())
	f.Add(written(&testing.T{}).r.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := register.Decode(b)
		if err != nil {
			if !errors.Is(err, register.ErrSnapshot) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(b, r.Encode()) {
			t.Fatal("another form")
		}
		at := r.At(r.Size())
		at.Count(first)
		for _, kind := range []register.Kind{register.Consent, register.Agreement, register.Proposal} {
			for _, d := range at.List(kind) {
				at.Counts(register.Rest{ID: d.ID, Source: "S1", Recipient: "R1"}, first, 0)
				at.LastWord(register.Thing{Pseudonyms: []string{d.Subject}, Purpose: d.Purpose, Case: d.Case, Recipient: "R1", Source: "S1"}, first)
				at.Agreements(d.PartyA, d.PartyB, first)
				e := register.Entry{Index: r.Size(), End: d.ID, Stated: true}
				if r.Refuse(e) == nil {
					r.Apply(e)
				}
			}
		}
		r.Apply(register.Entry{Index: r.Size(), Erase: []string{"P"}})
		r.Encode()
	})
}
