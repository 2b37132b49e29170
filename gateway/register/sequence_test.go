package register_test

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// sequences of the test below; more with ONTSCHOT_LONG=1.
func sequences() string {
	if os.Getenv("ONTSCHOT_LONG") == "1" {
		return "30000"
	}
	return "10000"
}

func sources() []string { return []string{"S1", "S2"} }

const first = civil.Date(700000) // day 0 of the model

// journal is where entries go: a register alone, or an audit log with its store.
type journal interface {
	// enter appends an entry if it may be appended, and says why not.
	enter(e register.Entry, rests ...register.Rest) error
	view() register.View
	ends(id string) bool
	restart()
	// save gives what back goes back to, as a store is put back that lacks entries; nil
	// when there is nothing now. Then an epoch is entered.
	save() any
	back(to any)
	// forget makes unreadable what was entered of a person, unless that is done already.
	forget(of func(register.Entry) bool)
}

// alone is a register in memory, and the entries that it was made of.
type alone struct {
	r       *register.Register
	entries []register.Entry
	empty   func() *register.Register
}

func newAlone(empty func() *register.Register) *alone { return &alone{r: empty(), empty: empty} }

func (a *alone) enter(e register.Entry, rests ...register.Rest) error {
	e.Index, e.Time = a.r.Size(), 1
	for _, rest := range rests {
		if !a.r.Head().Counts(rest, e.Day, e.Index) {
			return register.ErrEnded
		}
	}
	if err := a.r.Refuse(e); err != nil {
		return err
	}
	a.r.Apply(e)
	a.entries = append(a.entries, e)
	return nil
}

func (a *alone) view() register.View { return a.r.At(a.r.Size()) }
func (a *alone) ends(id string) bool { return a.r.Ends(id) }
func (a *alone) restart()            { a.r = a.replay(a.entries) }
func (a *alone) save() any           { return a.entries }

func (a *alone) back(to any) {
	a.entries = slices.Clip(to.([]register.Entry))
	a.restart()
}

func (a *alone) forget(of func(register.Entry) bool) {
	a.entries = slices.Clone(a.entries)
	for i, e := range a.entries {
		if e.Erase != nil || of(e) {
			a.entries[i] = register.Entry{Index: e.Index, Day: e.Day, Gone: e.Gone}
		}
	}
}

func (a *alone) replay(entries []register.Entry) *register.Register {
	r := a.empty()
	for _, e := range entries {
		r.Apply(e)
	}
	return r
}

// moment is what there was at some time, for a restore to go back to.
type moment struct {
	m        *model
	entries  any
	consents map[string]register.Document
	deals    map[string]mAgreement
}

// fold drives a journal beside the model.
type fold struct {
	t        *rapid.T
	m        *model
	in       journal
	consents map[string]register.Document
	deals    map[string]mAgreement
	moments  []moment
	next     int
}

func (f *fold) enter(e register.Entry, rests ...register.Rest) error {
	e.Day = first + civil.Date(f.m.today)
	return f.in.enter(e, rests...)
}

// digestOf is by which a key is known, and oin that of a party.
func digestOf(key string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(key))) }

func digestsOf(keys []string) (all []string) {
	for _, key := range keys {
		all = append(all, digestOf(key))
	}
	return all
}

func oin(party string) identity.OIN {
	return identity.OIN(fmt.Sprintf("000000990000000000%02d", party[0]))
}

// alike checks that both took it, or neither did.
func (f *fold) alike(what string, model, register error) {
	require.Equal(f.t, model == nil, register == nil, "%s: the model says %v, the register %v", what, model, register)
}

// id is a UUID, or now and then another text.
func (f *fold) id(kind string) string {
	if f.next++; f.next%3 == 0 {
		return fmt.Sprintf("%s-%d", kind, f.next)
	}
	return fmt.Sprintf("01890a5d-ac96-474b-bcce-%012x", f.next)
}

// caseText is a commitment or another text.
func caseText(cas string) string {
	if cas == "k1" {
		return "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s"
	}
	return cas
}

func draw[T any](f *fold, what string, list ...T) T { return rapid.SampledFrom(list).Draw(f.t, what) }

func some(f *fold, what string, list ...string) []string {
	var out []string
	for _, one := range list {
		if rapid.Bool().Draw(f.t, what) {
			out = append(out, one)
		}
	}
	return out
}

// known draws one of the ids that are known, or one that is not.
func known[T any](f *fold, of map[string]T) string {
	ids := []string{"nobody"}
	for id := range of {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return draw(f, "id", ids...)
}

func (f *fold) give() {
	c := mConsent{
		ID: f.id("c"), Person: draw(f, "person", "P", "Q"), Purpose: "compose", Case: draw(f, "case", "k1", "k1", "k2"),
		Recipients: draw(f, "recipients", []string{"R1"}, []string{"R1"}, []string{"R1", "R2"}, []string{"R2"}),
		Grants:     map[string][]string{}, Key: draw(f, "key", "own1", "own1", "own2"), Void: draw(f, "void", false, false, false, false, true),
	}
	for _, source := range some(f, "sources", sources()...) {
		c.Grants[source] = some(f, "categories", "a", "b", "c")
	}
	if len(c.Grants) == 0 {
		c.Grants["S1"] = nil
	}
	c.From = f.m.today + draw(f, "from", 0, 0, -2, 1, 3)
	c.Until = c.From + draw(f, "days", 8, 8, 1, 4)
	if rapid.Bool().Draw(f.t, "replaces") {
		c.Replaces = known(f, f.consents)
		if old := f.m.word(c.Replaces); old != nil && rapid.Bool().Draw(f.t, "same") {
			c.Person, c.Case = old.Person, old.Case
		}
	}
	d := f.documentOf(c)
	f.alike("give "+c.ID, f.m.give(c), f.enter(register.Entry{Put: &d}))
	if f.m.word(c.ID) != nil {
		f.consents[c.ID] = d
	}
}

// documentOf writes a consent as the log does. The person has a pseudonym for each
// version of the key, and an older document has the older alone.
func (f *fold) documentOf(c mConsent) register.Document {
	d := register.Document{
		ID: c.ID, Kind: register.Consent, Digest: sha256.Sum256([]byte(c.ID)), Keys: digestsOf([]string{c.Key}), From: first + civil.Date(c.From), Until: first + civil.Date(c.Until),
		Replaces: c.Replaces, Subjects: f.pseudonyms(c.Person), Purpose: c.Purpose, Case: caseText(c.Case), Narrows: c.Narrows, Void: c.Void,
	}
	for _, r := range c.Recipients {
		d.Recipients = append(d.Recipients, identity.OIN(r))
	}
	for _, source := range sources() {
		if categories, ok := c.Grants[source]; ok {
			d.Grants = append(d.Grants, register.Grant{Source: identity.OIN(source), Categories: categories})
		}
	}
	return d
}

const spaces = "                                "

// pseudonyms: the key has a new version from day 6 on, and the first is still read.
func (f *fold) pseudonyms(person string) []string {
	first, second := (person + " under version 1" + spaces)[:32], person+" under version 2"
	if person == "P" {
		second = (second + spaces)[:32]
	}
	if f.m.today < 6 {
		return []string{first}
	}
	return []string{second, first}
}

func (f *fold) narrow() {
	old, id, without := known(f, f.consents), f.id("c"), map[string][]string{}
	for _, source := range some(f, "sources", sources()...) {
		without[source] = some(f, "categories", "a", "b", "c")
	}
	key := draw(f, "key", "own1", "own2")
	err := f.m.narrow(old, id, without, key)
	if errors.Is(err, errRefused) || errors.Is(err, errUnknown) {
		return // the room of consents refuses these
	}
	d := f.consents[old]
	d.ID, d.Replaces, d.Keys, d.Narrows, d.Digest = id, old, []string{digestOf(key)}, true, sha256.Sum256([]byte(id))
	d.Subjects, d.Grants = f.pseudonyms(d.Subjects[0][:1]), slices.Clone(d.Grants)
	for i, g := range d.Grants {
		if gone, ok := without[string(g.Source)]; ok {
			d.Grants[i].Categories = slices.DeleteFunc(slices.Clone(g.Categories), func(c string) bool { return len(gone) == 0 || slices.Contains(gone, c) })
		}
	}
	f.alike("narrow "+old, err, f.enter(register.Entry{Put: &d}))
	if err == nil {
		f.consents[id] = d
	}
}

func (f *fold) withdraw() {
	id := known(f, f.consents)
	before := f.m.index
	err := f.m.withdraw(id)
	if err == nil && f.m.index == before {
		require.False(f.t, f.in.ends(id), "nothing is left to end of %s", id)
		return
	}
	f.alike("withdraw "+id, err, f.enter(register.Entry{End: id, Stated: true}))
}

func (f *fold) propose() {
	a := mAgreement{
		ID: f.id("a"), A: "X", B: draw(f, "with", "Y", "Y", "Z"), From: f.m.today + draw(f, "from", 0, 0, 2, -1),
		Keys: draw(f, "keys", []string{"own1", "their1"}, []string{"their1", "own2"}),
	}
	a.Until = a.From + draw(f, "days", 6, 6, 2)
	if rapid.Bool().Draw(f.t, "replaces") {
		a.Replaces = known(f, f.deals)
		if old, ok := f.deals[a.Replaces]; ok {
			a.B = old.B
		}
	}
	e := register.Entry{Put: f.terms(a, register.Proposal, a.Keys[:1])}
	if old := f.m.deal(a.Replaces); old != nil && old.accepted == 0 && old.ended == 0 {
		e.End = register.ProposalID(a.Replaces)
	}
	f.alike("propose "+a.ID+" for "+a.Replaces, f.m.propose(a, a.A), f.enter(e))
	if f.m.deal(a.ID) != nil {
		f.deals[a.ID] = a
	}
}

func (f *fold) terms(a mAgreement, kind register.Kind, keys []string) *register.Document {
	d := &register.Document{ID: a.ID, Kind: kind, Keys: digestsOf(keys), Replaces: a.Replaces, PartyA: oin(a.A), PartyB: oin(a.B)}
	if kind == register.Proposal {
		d.ID = register.ProposalID(a.ID)
	} else {
		d.From, d.Until = first+civil.Date(a.From), first+civil.Date(a.Until)
	}
	d.Digest = sha256.Sum256([]byte(d.ID))
	return d
}

func (f *fold) accept() {
	id := known(f, f.deals)
	if id == "nobody" {
		return
	}
	a := f.deals[id]
	f.alike("accept "+id, f.m.accept(id), f.enter(register.Entry{Put: f.terms(a, register.Agreement, a.Keys)}, register.Rest{ID: register.ProposalID(id)}))
}

func (f *fold) end() {
	id := known(f, f.deals)
	d := f.m.deal(id)
	switch {
	case d == nil:
	case d.accepted > 0:
		f.alike("revoke "+id, f.m.revoke(id), f.enter(register.Entry{End: id, Stated: true}))
	default:
		f.alike("reject "+id, f.m.reject(id), f.enter(register.Entry{End: register.ProposalID(id), Stated: true}))
	}
}

func (f *fold) key() {
	name, state := draw(f, "key", "own1", "own2", "their1"), draw(f, "state", "in_use", "retired", "lost")
	f.alike("key "+name+" "+state, f.m.key(name, state), f.enter(register.Entry{Key: &register.KeyChange{Owner: oin("X"), Digest: digestOf(name), State: register.KeyState(state)}}))
}

// recover goes on from a store that lacks entries, in a new epoch of the log. Its day is
// today.
func (f *fold) recover() {
	if len(f.moments) == 0 {
		return
	}
	n := rapid.IntRange(0, len(f.moments)-1).Draw(f.t, "moment")
	at, today := f.moments[n], f.m.today
	f.moments = f.moments[:n+1]
	f.m, f.consents, f.deals = at.m.clone(), maps.Clone(at.consents), maps.Clone(at.deals)
	f.m.pass(today)
	f.in.back(at.entries)
	f.m.begin()
	f.alike("epoch", nil, f.enter(register.Entry{Epoch: true}))
}

func (f *fold) confirm() {
	id := known(f, f.consents)
	if rapid.IntRange(0, 3).Draw(f.t, "an agreement") == 0 {
		id = known(f, f.deals)
		if d := f.m.deal(id); d != nil && d.accepted == 0 {
			return
		}
	}
	f.alike("confirm "+id, f.m.confirm(id), f.enter(register.Entry{Confirm: id}))
}

// snapshot goes on from the register as it was written and read.
func (f *fold) snapshot() {
	a := f.in.(*alone)
	written := a.r.Encode()
	r, err := register.Decode(written)
	require.NoError(f.t, err)
	require.Equal(f.t, written, r.Encode())
	require.Equal(f.t, sha256.Sum256(written), r.Sum())
	require.Equal(f.t, written, a.replay(a.entries).Encode(), "a register has one form, however it came about")
	a.r = r
}

// erase makes all of a person unreadable, what the log holds of it too.
func (f *fold) erase() {
	person := draw(f, "person", "P", "Q")
	err := f.m.erase(person)
	hers := func(subjects []string) bool { return len(subjects) > 0 && subjects[0][:1] == person }
	var ids [][32]byte
	var again *register.Document
	for _, id := range slices.Sorted(maps.Keys(f.consents)) {
		if d := f.consents[id]; hers(d.Subjects) {
			if _, there := f.in.view().Document(id); there {
				ids, again = append(ids, sha256.Sum256([]byte(id))), &d
			}
		}
	}
	f.alike("erase "+person, err, f.enter(register.Entry{Erase: f.pseudonyms(person), Gone: ids}))
	if err != nil {
		return
	}
	require.ErrorIs(f.t, f.enter(register.Entry{Put: again}), register.ErrEnded, "what was erased and is registered again")
	f.in.forget(func(e register.Entry) bool {
		return hers(f.consents[e.End].Subjects) || hers(f.consents[e.Confirm].Subjects) || e.Put != nil && hers(e.Put.Subjects)
	})
	if rapid.Bool().Draw(f.t, "restart") {
		f.in.restart()
	}
}

// same holds every answer of the register against the model's.
func (f *fold) same() {
	at := f.in.view()
	for _, day := range []int{f.m.today, f.m.today + 1, f.m.today + 4} {
		for _, person := range []string{"P", "Q"} {
			for _, cas := range []string{"k1", "k2"} {
				for _, recipient := range []string{"R1", "R2"} {
					for _, source := range sources() {
						want := f.m.disclosed(person, "compose", cas, recipient, source, day)
						word := at.LastWord(register.Thing{
							Pseudonyms: f.pseudonyms(person), Purpose: "compose", Case: caseText(cas), Recipient: identity.OIN(recipient), Source: identity.OIN(source),
						}, first+civil.Date(day))
						require.Equal(f.t, want, word.Categories, "%s %s %s %s on day %d, by %s", person, cas, recipient, source, day, word.ID)
						waits := false
						if w := f.m.decider(person, "compose", cas, recipient, source, day); w != nil {
							waits = w.ended == 0 && f.m.keys[w.Key] != "lost" && f.m.waits(*w)
						}
						if waits != (word.Standing == register.Uncertain) {
							require.Fail(f.t, "waits", "%s: %v in the model, the register says %v", word.ID, waits, word.Standing)
						}
						if word.ID != "" {
							counts := at.Counts(register.Rest{ID: word.ID, Source: identity.OIN(source), Recipient: identity.OIN(recipient)}, first+civil.Date(day), at.Size())
							require.Equal(f.t, len(want) > 0, counts, "%s rests on %s", source, word.ID)
						}
					}
				}
			}
		}
		for _, with := range []string{"Y", "Z"} {
			ids := at.Agreements(oin("X"), oin(with), first+civil.Date(day))
			slices.Sort(ids)
			require.Equal(f.t, f.m.agreed("X", with, day), ids, "agreements with %s on day %d", with, day)
		}
	}
}

// before holds what the register says of an earlier size against one that is made of so
// many entries.
func (f *fold) before() {
	a, ok := f.in.(*alone)
	if !ok || rapid.IntRange(0, 3).Draw(f.t, "look back") > 0 {
		return
	}
	f.snapshot()
	size := rapid.Int64Range(0, a.r.Size()).Draw(f.t, "size")
	at, then := a.r.At(size), a.replay(a.entries[:size]).At(size)
	for _, kind := range []register.Kind{register.Consent, register.Agreement, register.Proposal} {
		require.Equal(f.t, then.List(kind), at.List(kind), "size %d of %d", size, a.r.Size())
	}
	require.Equal(f.t, then.Keys(), at.Keys())
	for _, day := range []civil.Date{first + civil.Date(f.m.today), first + civil.Date(f.m.today) + 2} {
		for _, thing := range f.things() {
			was := then.LastWord(thing, day)
			require.Equal(f.t, was, at.LastWord(thing, day), "size %d of %d: %v", size, a.r.Size(), thing)
			rest := register.Rest{ID: was.ID, Source: thing.Source, Recipient: thing.Recipient}
			require.Equal(f.t, then.Counts(rest, day, size), at.Counts(rest, day, size))
		}
		for _, with := range []string{"Y", "Z"} {
			require.Equal(f.t, then.Agreements(oin("X"), oin(with), day), at.Agreements(oin("X"), oin(with), day))
		}
	}
}

func (f *fold) things() (all []register.Thing) {
	for _, person := range []string{"P", "Q"} {
		for _, cas := range []string{"k1", "k2"} {
			for _, recipient := range []identity.OIN{"R1", "R2"} {
				for _, source := range sources() {
					all = append(all, register.Thing{Pseudonyms: f.pseudonyms(person), Purpose: "compose", Case: caseText(cas), Recipient: recipient, Source: identity.OIN(source)})
				}
			}
		}
	}
	return all
}

// Random sequences of all that can be done with documents: after every step register and
// model give the same answer for every pair and day. A sequence that fails is shrunk.
func TestTheRegisterIsTheModel(t *testing.T) {
	check(t, sequences(), func(t *rapid.T) journal {
		return newAlone(rapid.SampledFrom([]func() *register.Register{register.New, register.New, register.Collide}).Draw(t, "hashes"))
	})
}

func check(t *testing.T, sequences string, in func(*rapid.T) journal) {
	checks(t, sequences)
	rapid.Check(t, sequence(in))
}

// checks sets how many sequences there are in every rapid.Check from here on.
func checks(t *testing.T, sequences string) {
	require.NoError(t, flag.Set("rapid.checks", sequences))
	require.NoError(t, flag.Set("rapid.nofailfile", "true"))
}

func sequence(in func(*rapid.T) journal) func(*rapid.T) {
	return func(t *rapid.T) {
		f := &fold{t: t, m: newModel(), in: in(t), consents: map[string]register.Document{}, deals: map[string]mAgreement{}}
		for _, name := range []string{"own1", "own2", "their1"} {
			f.alike("key", f.m.key(name, "in_use"), f.enter(register.Entry{Key: &register.KeyChange{Owner: oin("X"), Digest: digestOf(name), State: register.InUse}}))
		}
		steps := []func(){
			f.give, f.give, f.give, f.give, f.narrow, f.narrow, f.narrow, f.withdraw, f.propose, f.propose, f.accept, f.accept, f.end,
			func() { f.m.pass(f.m.today + 1) }, func() { f.m.pass(f.m.today + 2) }, func() { f.in.restart() },
		}
		if rapid.IntRange(0, 2).Draw(t, "keys change") == 0 {
			steps = append(steps, f.key, f.key)
		}
		if _, ok := f.in.(*alone); ok {
			steps = append(steps, f.snapshot)
		}
		if rapid.IntRange(0, 2).Draw(t, "restores and erasures") == 0 {
			steps = append(steps, f.recover, f.recover, f.confirm, f.confirm, f.confirm, f.confirm, f.erase)
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			if saved := f.in.save(); saved != nil {
				f.moments = append(f.moments, moment{f.m.clone(), saved, maps.Clone(f.consents), maps.Clone(f.deals)})
			}
			rapid.SampledFrom(steps).Draw(t, "step")()
			f.same()
		}
		f.before()
	}
}
