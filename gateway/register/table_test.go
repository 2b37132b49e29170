package register

import (
	"crypto/sha256"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/identity"
)

// Whatever collides, and in whatever order numbers come and go, what is in a table is
// found and nothing else.
func TestATableFindsWhatIsInIt(t *testing.T) {
	for hashes := range uint64(40) {
		random := rand.New(rand.NewPCG(hashes, 1))
		hash := func(n uint32) uint64 { return uint64(n) % (hashes + 1) * (^uint64(0) / (hashes + 1)) }
		table, in := table{}, map[uint32]bool{}
		for range 600 {
			n := 1 + random.Uint32N(60)
			switch {
			case !in[n]:
				table.add(n, hash)
			default:
				table.remove(n, hash)
			}
			in[n] = !in[n]
			for m := range uint32(61) {
				found := table.find(hash(m), func(one uint32) bool { return one == m })
				require.Equal(t, in[m], found == m && m != 0, "%d of %d hashes", m, hashes)
			}
		}
		require.LessOrEqual(t, len(table.slots), 150, "a table that is not full does not grow")
	}
}

func TestWhatIsStoredInLittleRoomComesBackAsItWas(t *testing.T) {
	for id, compact := range map[string]bool{
		"01890a5d-ac96-774b-bcce-b302099a8057": true, "01890A5D-AC96-774B-BCCE-B302099A8057": false, "00000000-0000-0000-0000-000000000000": false,
		"01890a5d0ac96-774b-bcce-b302099a8057": false, "01890a5d-ac960774b-bcce-b302099a8057": false, "01890a5d-ac96-774b0bcce-b302099a8057": false, "01890a5d-ac96-774b-bcce0b302099a8057": false,
		"01890a5d-ac96-774b-bcce-b302099a805g": false, "01890a5d-ac96-774b-bcce-b302099a80577": false, "": false,
	} {
		u, ok := parseUUID(id)
		require.Equal(t, compact, ok, id)
		if ok {
			require.Equal(t, id, formatUUID(u))
		}
	}
	r := New()
	r.mask = 0 // all collide
	for text, compact := range map[string]bool{
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8": true, // the last digit has no bits to spare
		"BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8": true, "CAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8": true,
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9":  false,
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A": false,
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh\n": false, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+": false, "": false,
	} {
		_, ok := commitment(text)
		require.Equal(t, compact, ok, "%q", text)
		require.Zero(t, r.caseNumber(text))
		n := r.newCase(text)
		require.Equal(t, n, r.newCase(text))
		require.Equal(t, text, r.caseOf(n))
	}
}

// Readers look at a size while the writer goes on: what they read does not change.
func TestReadersBesideAWriter(t *testing.T) {
	r := New()
	put := func(n int64) Entry {
		return Entry{Index: n, Put: &Document{
			ID: formatUUID([16]byte{1, byte(n >> 8), byte(n)}), Kind: Consent, Subjects: []string{"P"}, Recipients: []identity.OIN{"R"},
			Grants: []Grant{{Source: "S", Categories: []string{"a"}}},
		}}
	}
	asked := Thing{Pseudonyms: []string{"P"}, Recipient: "R", Source: "S"}
	r.Apply(put(0))
	at := r.At(1)
	want := at.LastWord(asked, 1)
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for range 200 {
				assert.Equal(t, want, at.LastWord(asked, 1))
				assert.Len(t, at.List(Consent), 1)
			}
		})
	}
	for n := int64(1); n < 300; n++ {
		r.Apply(put(n))
	}
	readers.Wait()
	require.Equal(t, put(299).Put.ID, r.Head().LastWord(asked, 1).ID)
}

// Of who was erased no document, id or pseudonym is left in memory.
func TestAnErasureLeavesNothing(t *testing.T) {
	r := New()
	put := func(id, replaces string, void bool, subjects ...string) {
		r.Apply(Entry{Index: r.Size(), Put: &Document{ID: id, Kind: Consent, Digest: [32]byte{1}, Replaces: replaces, Void: void, Subjects: subjects}})
	}
	long := strings.Repeat("p", 32)
	put("01890a5d-ac96-774b-bcce-b302099a8057", "", false, long, "short")
	put("2", "01890a5d-ac96-774b-bcce-b302099a8057", true, "short")
	put("01890a5d-ac96-774b-bcce-b302099a8058", "2", false, strings.Repeat("q", 32), long)
	put("3", "", false, string(make([]byte, 32)), long)
	r.Apply(Entry{Index: r.Size(), Epoch: true})
	r.Apply(Entry{Index: r.Size(), Confirm: "2"})
	require.Equal(t, []int{2, 2, 2, 2, 1, 1, 2}, []int{r.byID.used, r.byPerson.used, len(r.ids), len(r.subjects), len(r.replaced), len(r.confirmed), len(r.also)})
	r.Apply(Entry{Index: r.Size(), Erase: []string{"short"}})
	require.Zero(t, r.byID.used+r.byPerson.used+len(r.ids)+len(r.byText)+len(r.subjects)+len(r.replaced)+len(r.confirmed)+len(r.also))
	for i := ref(1); i <= r.count; i++ {
		require.Zero(t, *r.at(i))
	}
	for _, slot := range append(r.byID.slots, r.byPerson.slots...) {
		require.Zero(t, slot)
	}
}

// Bytes of a register that no entries could have made are refused, for the reason.
func TestADecodedRegisterIsSound(t *testing.T) {
	for problem, spoil := range map[string]func(r *Register){
		"document 1: its entry is not in order":        func(r *Register) { r.at(2).entered = 0 }, // that of the one before it
		": document 2: its entry is not in order":      func(r *Register) { r.at(3).entered = 3 }, // that of the next
		"epoch 0: it is not in order":                  func(r *Register) { r.epochs, r.begun = []int64{NotEnded}, []int64{0} },
		"document 0: its id is in the form of another": func(r *Register) { r.ids[1], r.at(1).id = formatUUID(r.at(1).id), [16]byte{} },
		"document 2: its pseudonym is in the form of another": func(r *Register) {
			r.subjects[3], r.at(3).subject = strings.Repeat("s", 32), [32]byte{}
		},
		"document 1: it is of no person":               func(r *Register) { r.at(2).subject = [32]byte{1} },
		"document 2: another has its id":               func(r *Register) { r.at(3).id = r.at(1).id },
		"document 2: it follows on what is no consent": func(r *Register) { r.at(3).replaces = 2 },
		"document 2: its pseudonym is another person's": func(r *Register) {
			r.at(3).subject, r.also["x"] = r.at(1).subject, 3
		},
		"document 2: it cannot come in the place of what it replaces": func(r *Register) { r.at(3).replaces = 1 },
		"document 2: its entry is not in order":                       func(r *Register) { r.at(3).entered = 0 },
		"document 2: a number is too large":                           func(r *Register) { r.at(3).ended = 3 },
		"epoch 1: it is not in order":                                 func(r *Register) { r.epochs = []int64{1, 1} },
		"byte 20: another form of what Encode writes":                 func(*Register) {},
	} {
		r := New()
		put := func(d Document) { r.Apply(Entry{Index: r.Size(), Put: &d}) }
		put(Document{ID: "01890a5d-ac96-774b-bcce-b302099a8057", Kind: Consent, Subjects: []string{strings.Repeat("p", 32)}})
		put(Document{ID: "01890a5d-ac96-774b-bcce-b302099a8058", Kind: Delegation})
		put(Document{ID: "01890a5d-ac96-774b-bcce-b302099a8059", Kind: Consent, Subjects: []string{strings.Repeat("q", 32)}})
		_, err := Decode(r.Encode())
		require.NoError(t, err)
		spoil(r)
		b := r.Encode()
		if strings.HasPrefix(problem, "byte") {
			b = slices.Concat(b[:len(snapshotForm)], []byte{0x83, 0}, b[len(snapshotForm)+1:]) // three, in two bytes
		}
		_, err = Decode(b)
		require.ErrorIs(t, err, ErrSnapshot)
		require.ErrorContains(t, err, problem)
	}
}

// Every reader waits for the writer, and lets it go on.
func TestReadersLetTheWriterGoOn(t *testing.T) {
	r := New()
	v := r.Head()
	for name, read := range map[string]func(){
		"Size": func() { r.Size() }, "Day": func() { r.Day() }, "Documents": func() { r.Documents() }, "Encode": func() { r.Encode() },
		"Refuse": func() { _ = r.Refuse(Entry{}) }, "Ends": func() { r.Ends("") }, "Document": func() { v.Document("") },
		"Consents": func() { v.Consents(nil, "") }, "Between": func() { v.Between(Agreement, "", "") }, "List": func() { v.List(Consent) },
		"Count": func() { v.Count(0) }, "LastWord": func() { v.LastWord(Thing{}, 0) }, "Agreements": func() { v.Agreements("", "", 0) },
		"Counts": func() { v.Counts(Rest{}, 0, 0) }, "Keys": func() { v.Keys() }, "Waiting": func() { v.Waiting() }, "Purposes": func() { v.Purposes() },
		"Apply": func() { r.Apply(Entry{}) },
	} {
		read() // one that does not hold the lock panics when it lets go of it
		require.True(t, r.mu.TryLock(), name)
		r.mu.Unlock()
	}
}

// Contents that differ in anything are not alike, whatever follows on what.
func TestWhatDiffersIsNotAlike(t *testing.T) {
	forms := map[string]content{}
	for _, c := range []content{
		{}, {kind: Consent}, {purpose: "x"}, {a: "x"}, {b: "x"}, {narrows: true}, {void: true}, {narrows: true, void: true},
		{recipients: []identity.OIN{"x"}}, {recipients: []identity.OIN{"y"}}, {recipients: []identity.OIN{"x", "y"}}, {recipients: []identity.OIN{"y", "x"}}, {recipients: []identity.OIN{"xy"}},
		{keys: []string{"x"}}, {keys: []string{"y"}}, {keys: []string{"x", "y"}}, {keys: []string{"xy"}},
		{recipients: []identity.OIN{"\x01"}}, {keys: []string{"\x00"}}, {said: []said{{1, 'x'}}},
		{said: []said{{1, 0}}}, {said: []said{{1, 1}}}, {said: []said{{2, 1}}}, {said: []said{{1, 1}, {2, 0}}}, {said: []said{{1 << 20, 1 << 63}}},
	} {
		form := c.form()
		require.NotContains(t, forms, form, "%+v", c)
		require.Equal(t, form, c.form())
		forms[form] = c
		r := New()
		require.Equal(t, r.intern(c), r.intern(c), "the same is stored once")
	}
}

// What is read is as it was written at each bound, and answers the same.
func TestBoundsOfWhatIsWrittenAndRead(t *testing.T) {
	categories := make([]string, maxCategories)
	for n := range categories {
		categories[n] = strings.Repeat("c", n)
	}
	r := New()
	long := strings.Repeat("p", 32)
	for n, d := range []Document{
		{ID: "1", Kind: Consent, From: math.MinInt32, Until: math.MaxInt32, Subjects: []string{long, "another"}, Grants: []Grant{{Source: "", Categories: categories}}, Recipients: []identity.OIN{"R"}},
		{ID: "0", Kind: Consent, Subjects: []string{string(make([]byte, 32)), "x" + string(make([]byte, 31))}},
		{ID: "2", Kind: Consent}, // nobody's
		{Kind: Delegation, PartyA: "X", PartyB: "Y", Subjects: []string{strings.Repeat("d", 32)}}, {Kind: Delegation, PartyA: "Y", PartyB: "X"}, // without an id
	} {
		r.Apply(Entry{Index: int64(n), Put: &d})
	}
	r.Apply(Entry{Index: 5, End: "1"})
	r.Apply(Entry{Index: 6, Gone: [][32]byte{sha256.Sum256([]byte("gone"))}})
	read, err := Decode(r.Encode())
	require.NoError(t, err)
	require.Equal(t, r.Encode(), read.Encode())
	for _, one := range []*Register{r, read} {
		for id, subject := range map[string]string{"0": string(make([]byte, 32)), "1": long, "2": ""} {
			d, ok := one.Head().Document(id)
			require.True(t, ok)
			require.Equal(t, subject, d.Subject)
		}
		require.Len(t, one.Head().Consents([]string{"another"}, ""), 1)
		require.Len(t, one.Head().Consents([]string{long, "another"}, ""), 1, "one person")
		require.Empty(t, one.Head().Consents([]string{"x"}, ""), "the beginning of a pseudonym")
		require.Len(t, one.Head().Between(Delegation, "Y", "X"), 2)
		require.NoError(t, one.Sound())
		require.Equal(t, &EndedError{ID: "gone"}, one.Refuse(Entry{Put: &Document{ID: "gone"}}))
		_, ok := one.Head().Document("")
		require.False(t, ok)
	}
}

// What is in no form is refused by what is wrong with it.
func TestWhatCannotBeReadIsRefusedWithTheReason(t *testing.T) {
	void := New()
	for n, d := range []Document{{ID: "1", Kind: Consent, Subjects: []string{"P"}}, {ID: "2", Kind: Consent, Subjects: []string{"P"}, Void: true}} {
		void.Apply(Entry{Index: int64(n), Put: &d})
	}

	void.at(2).replaces = 1
	one := New()
	one.Apply(Entry{Put: &Document{ID: "1", Kind: Statement, Digest: sha256.Sum256(nil)}})
	digest := sha256.Sum256(nil)
	dates, _, _ := strings.Cut(string(one.Encode()), string(digest[:]))

	for bytes, problem := range map[string]string{
		snapshotForm + "\x80":         "byte 0: a number is cut off or too large",
		snapshotForm + "\x01\x80":     "byte 0: a number is cut off or too large",
		snapshotForm + "\x01\x00\x80": "byte 0: a number is cut off or too large",
		snapshotForm + "\x01\x00":     "byte 0: a number is cut off or too large",
		dates:                         "document 0: it is cut off",
		dates[:len(dates)-1]:          "document 0: a number is cut off or too large",
		dates[:len(dates)-1] + "\x80": "document 0: a number is cut off or too large",
		string(void.Encode()):         "document 1: it cannot come in the place of what it replaces",
	} {
		_, err := Decode([]byte(bytes))
		require.EqualError(t, err, ErrSnapshot.Error()+": "+problem)
	}
}

// A register holds what it was given, whatever becomes of that.
func TestWhatWasEnteredStaysAsItWas(t *testing.T) {
	r := New()
	d := Document{ID: "1", Kind: Consent, Subjects: []string{"P"}, Keys: []string{"k"}, Recipients: []identity.OIN{"R"}, Grants: []Grant{{Source: "S", Categories: []string{"a"}}}}
	r.Apply(Entry{Put: &d})
	before := r.Encode()
	d.Subjects[0], d.Keys[0], d.Recipients[0], d.Grants[0].Source, d.Grants[0].Categories[0] = "Q", "l", "T", "U", "b"
	require.Equal(t, before, r.Encode())
	r.Apply(Entry{Put: &d})
	require.Equal(t, before, r.Encode(), "and once")
}

// Apply judges nothing, but puts nothing in the place of another person's document.
func TestNothingComesInThePlaceOfAnothers(t *testing.T) {
	r := New()
	for n, d := range []Document{
		{ID: "1", Kind: Consent, Subjects: []string{"P"}}, {ID: "2", Kind: Consent, Subjects: []string{"Q"}, Replaces: "1"},
		{ID: "3", Kind: Consent, Subjects: []string{"P"}, Replaces: "1", Void: true},
	} {
		r.Apply(Entry{Index: int64(n), Put: &d})
	}
	d, _ := r.Head().Document("1")
	require.Empty(t, d.Successor)
	d, _ = r.Head().Document("2")
	require.Equal(t, "1", d.Replaces)
}

func TestKeyStatesThatAreKnown(t *testing.T) {
	for state, known := range map[KeyState]bool{InUse: true, Retired: true, Lost: true, "": false, "burnt": false} {
		require.Equal(t, known, state.Known(), state)
	}
}
