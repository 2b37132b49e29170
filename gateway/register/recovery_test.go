package register_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
)

// disclosedAt is what person P allows R1 to receive from S1 at a size, and the standing of that.
func disclosedAt(v register.View) (register.Standing, []string) {
	word := v.LastWord(register.Thing{Pseudonyms: []string{"P"}, Purpose: "compose", Case: "k", Recipient: "R1", Source: "S1"}, first)
	return word.Standing, word.Categories
}

func consentOf(person, id, replaces string, categories ...string) register.Entry {
	return register.Entry{Put: &register.Document{
		ID: id, Kind: register.Consent, Digest: [32]byte([]byte(id + "................................")[:32]), Keys: []string{digestOf("own1")}, From: first, Until: first + 9, Replaces: replaces,
		Subjects: []string{person}, Purpose: "compose", Case: "k", Recipients: []identity.OIN{"R1"}, Grants: []register.Grant{{Source: "S1", Categories: categories}},
	}}
}

func narrowingOf(id, replaces string, left ...string) register.Entry {
	e := consentOf("P", id, replaces, left...)
	e.Put.Narrows = true
	return e
}

// tale enters what follows, and fails on what is refused.
func tale(t *testing.T, a *alone, entries ...register.Entry) {
	t.Helper()
	for n, e := range entries {
		e.Day = first
		require.NoError(t, a.enter(e), "entry %d", n)
	}
}

func begun(t *testing.T, entries ...register.Entry) *alone {
	t.Helper()
	a := newAlone(register.New)
	tale(t, a, register.Entry{Key: &register.KeyChange{Owner: "X", Digest: digestOf("own1"), State: register.InUse}})
	tale(t, a, entries...)
	return a
}

func (a *alone) is(t *testing.T, standing register.Standing, categories ...string) {
	t.Helper()
	is, allows := disclosedAt(a.view())
	require.Equal(t, standing, is)
	require.Equal(t, categories, allows)
}

func TestWhatARestoreLostIsNoYesUntilItIsConfirmed(t *testing.T) {
	epoch, withdrawal := register.Entry{Epoch: true}, register.Entry{End: "1", Stated: true}
	confirm := func(id string) register.Entry { return register.Entry{Confirm: id} }
	refused := func(a *alone, want error, e register.Entry) {
		t.Helper()
		require.ErrorIs(t, a.enter(e), want)
	}
	for name, run := range map[string]func(t *testing.T){
		"a withdrawal is lost": func(t *testing.T) {
			a := begun(t, consentOf("P", "1", "", "a"), withdrawal)
			a.is(t, register.Withdrawn)
			b := &alone{a.replay(a.entries[:2]), a.entries[:2:2], a.empty}
			b.is(t, register.Yes, "a")
			tale(t, b, epoch)
			b.is(t, register.Uncertain)
			d, _ := b.view().Document("1")
			require.True(t, d.Uncertain && d.Live())
			require.False(t, b.view().Counts(register.Rest{ID: "1", Source: "S1", Recipient: "R1"}, first, 3))
			tale(t, b, confirm("1"))
			b.is(t, register.Yes, "a")
			d, _ = b.view().Document("1")
			require.False(t, d.Uncertain)
			require.True(t, b.view().Counts(register.Rest{ID: "1", Source: "S1", Recipient: "R1"}, first, 4))
			refused(b, register.ErrNotWaiting, confirm("1"))
			refused(b, register.ErrNoDocument, confirm("2"))
			tale(t, b, epoch)
			b.is(t, register.Uncertain)
			tale(t, b, withdrawal)
			b.is(t, register.Withdrawn)
			refused(b, register.ErrEnded, confirm("1"))
			for size, want := range []register.Standing{register.NoWord, register.NoWord, register.Yes, register.Uncertain, register.Yes, register.Uncertain, register.Withdrawn} {
				is, _ := disclosedAt(b.r.At(int64(size)))
				require.Equal(t, want, is, "size %d", size)
			}
		},
		"what comes in the place of one that waits does not wait": func(t *testing.T) {
			a := begun(t, consentOf("P", "1", "", "a"), epoch, consentOf("P", "2", "1", "b"))
			a.is(t, register.Yes, "b")
			tale(t, a, confirm("1"))
			a.is(t, register.Yes, "b")
		},
		"one that waits stays the last word": func(t *testing.T) {
			a := begun(t, consentOf("P", "1", "", "a"), consentOf("P", "2", "1", "a", "b"), epoch, confirm("1"))
			a.is(t, register.Uncertain)
		},
		"a narrowing waits with what it narrows": func(t *testing.T) {
			for _, id := range []string{"1", "2", "3"} {
				a := begun(t, consentOf("P", "1", "", "a", "b", "c"), epoch, narrowingOf("2", "1", "a", "b"), narrowingOf("3", "2", "a"))
				a.is(t, register.Uncertain)
				tale(t, a, confirm(id))
				a.is(t, register.Yes, "a")
			}
		},
		"a narrowing from before waits itself": func(t *testing.T) {
			a := begun(t, consentOf("P", "1", "", "a", "b"), narrowingOf("2", "1", "a"), epoch, confirm("1"))
			a.is(t, register.Uncertain)
			tale(t, a, confirm("2"))
			a.is(t, register.Yes, "a")
		},
		"an agreement waits, and one that is accepted then does not": func(t *testing.T) {
			terms := func(kind register.Kind, id, replaces string) register.Entry {
				return register.Entry{Put: &register.Document{ID: id, Kind: kind, From: first, Until: first + 9, PartyA: "X", PartyB: "Y", Replaces: replaces}}
			}
			a := begun(t, terms(register.Proposal, "proposal:1", ""), terms(register.Agreement, "1", ""), terms(register.Proposal, "proposal:2", "1"), epoch)
			require.Empty(t, a.view().Agreements("X", "Y", first))
			tale(t, a, confirm("1"))
			require.Equal(t, []string{"1"}, a.view().Agreements("X", "Y", first))
			require.True(t, a.view().Counts(register.Rest{ID: "proposal:2"}, first, 6), "it can be accepted")
			d, _ := a.view().Document("proposal:2")
			require.True(t, d.Uncertain)
			tale(t, a, terms(register.Agreement, "2", "1"))
			require.Equal(t, []string{"2"}, a.view().Agreements("X", "Y", first))
			tale(t, a, epoch, confirm("1"))
			require.Empty(t, a.view().Agreements("X", "Y", first), "it is not the last of its chain")
		},
		"a delegation waits": func(t *testing.T) {
			a := begun(t, register.Entry{Put: &register.Document{ID: "d", Kind: register.Delegation, PartyA: "X", PartyB: "Y"}}, epoch)
			require.False(t, a.view().Counts(register.Rest{ID: "d"}, first, 3))
			tale(t, a, confirm("d"))
			require.True(t, a.view().Counts(register.Rest{ID: "d"}, first, 4))
		},
	} {
		t.Run(name, run)
	}
}

// A narrowing of a narrowing has the place of the first consent: a no that was said
// between them stays.
func TestANarrowingOfANarrowingUndoesNoNo(t *testing.T) {
	a := begun(t, consentOf("P", "1", "", "a", "b", "c"), consentOf("P", "no", ""), narrowingOf("2", "1", "a", "b"), narrowingOf("3", "2", "a"))
	a.is(t, register.SaidNo)
}

// A person is erased: nothing that they said or replaced is left at any size, others keep
// theirs, and the log without what was destroyed comes to the same.
func TestWhatIsErasedIsAsNeverEntered(t *testing.T) {
	a := begun(t,
		consentOf("P", "1", "", "a"), consentOf("Q", "2", "", "a"), consentOf("P", "3", "1", "a", "b"), register.Entry{Epoch: true}, register.Entry{Confirm: "3"},
	)
	a.is(t, register.Yes, "a", "b")
	require.ErrorIs(t, a.enter(register.Entry{Erase: []string{"nobody"}}), register.ErrNoDocument)
	tale(t, a, register.Entry{Erase: []string{"P"}})
	require.ErrorIs(t, a.enter(register.Entry{Erase: []string{"P"}}), register.ErrNoDocument)
	for _, n := range []int{1, 3, 5, 6} {
		a.entries[n] = register.Entry{Index: int64(n), Day: first}
	}
	require.ErrorIs(t, a.enter(register.Entry{Confirm: "3"}), register.ErrNoDocument)
	for _, r := range []*register.Register{a.r, a.replay(a.entries)} {
		for size := range a.r.Size() + 1 {
			is, _ := disclosedAt(r.At(size))
			require.Equal(t, register.NoWord, is, "size %d", size)
			require.Empty(t, r.At(size).Consents([]string{"P"}, ""))
			_, known := r.At(size).Document("1")
			require.False(t, known)
			all, _ := r.At(size).Count(first)
			require.Equal(t, min(1, max(0, size-2)), all)
		}
		d, _ := r.At(7).Document("2")
		require.True(t, d.Uncertain)
		require.Equal(t, []register.Record{d}, r.At(7).List(register.Consent))
		require.Equal(t, first, r.Day())
	}
	tale(t, a, consentOf("P", "1", "", "c"))
	a.is(t, register.Yes, "c")
}

// What is registered again after a loss was there before, as its id shows: it waits, of
// whatever kind and however often it is lost. What is made since does not.
func TestWhatWasMadeBeforeALossWaits(t *testing.T) {
	const begun = 0x0190_0000_1000 // milliseconds since 1970
	id := func(ms int64, version string) string {
		hex := fmt.Sprintf("%012x", ms)
		return hex[:8] + "-" + hex[8:] + "-" + version + "000-8000-000000000001"
	}
	for name, c := range map[string]struct {
		id    string
		waits bool
	}{
		"made before":                 {id(begun-1, "7"), true},
		"made in that moment":         {id(begun, "7"), false},
		"made since":                  {id(begun+1, "7"), false},
		"an id that shows no time":    {id(begun-1, "4"), false},
		"an id of another form":       {"c-1", false},
		"a proposal of before":        {register.ProposalID(id(begun-1, "7")), true},
		"a proposal of since":         {register.ProposalID(id(begun, "7")), false},
		"a proposal of another form":  {register.ProposalID("a-1"), false},
		"made long before, in 1970":   {id(0, "7"), true},
		"made in a far future's time": {id(1<<48-1, "7"), false},
	} {
		r := register.New()
		at := int64(0)
		enter := func(e register.Entry) {
			e.Index, e.Day = at, first
			require.NoError(t, r.Refuse(e), name)
			r.Apply(e)
			at++
		}
		d := *consentOf("P", c.id, "", "a").Put
		if strings.HasPrefix(c.id, "proposal:") {
			d = register.Document{ID: c.id, Kind: register.Proposal, PartyA: "A", PartyB: "B"}
		}
		d.Keys = nil
		enter(register.Entry{Epoch: true, Time: begun})
		enter(register.Entry{Put: &d, Time: begun + 5})
		check := func(waits bool) {
			t.Helper()
			for _, one := range []*register.Register{r, decoded(t, r)} {
				record, known := one.Head().Document(c.id)
				require.True(t, known)
				require.Equal(t, waits, record.Uncertain, name)
				require.Equal(t, waits, one.Head().Waiting() == 1, name)
				require.Zero(t, one.At(1).Waiting(), name)
			}
		}
		check(c.waits)
		if c.waits {
			enter(register.Entry{Confirm: c.id})
			check(false)
		}
		enter(register.Entry{Epoch: true, Time: begun + 9})
		check(true)
	}
}

func decoded(t *testing.T, r *register.Register) *register.Register {
	t.Helper()
	out, err := register.Decode(r.Encode())
	require.NoError(t, err)
	require.Equal(t, r.Encode(), out.Encode())
	return out
}
