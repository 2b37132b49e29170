package register

import (
	"cmp"
	"math"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// View is the register as it was after so many entries: what came later, committed or
// on its way, is not in it.
type View struct {
	r    *Register
	size int64
}

// At gives the register after so many entries.
func (r *Register) At(size int64) View { return View{r, size} }

// Head gives the register after every entry, those on their way too: for the
// transaction that appends.
func (r *Register) Head() View { return View{r, math.MaxInt64} }

// Record is what the register knows of a document.
type Record struct {
	ID             string
	Kind           Kind
	Digest, Opens  [32]byte
	Purpose, Case  string
	From, Until    civil.Date
	Replaces       string
	PartyA, PartyB identity.OIN
	Void           bool
	// Narrows: it takes something out of the one it replaces, and says nothing new.
	Narrows bool
	Subject string // the person's pseudonym; of a consent only
	// Entered and Ended are the index of the entry that put it, and that of the entry
	// that ended it or NotEnded. Since is when it was put, in milliseconds since 1970.
	Entered, Ended int64
	Since          int64
	// Lost: a key that signed it was lost, and it counts for nothing.
	Lost bool
	// Uncertain: it has not ended, but waits until it is confirmed in this epoch of the log.
	Uncertain bool
	// Successor is the id of the document that came in its place last, and SuccessorFrom
	// the earliest day from which any did; empty: none did.
	Successor     string
	SuccessorFrom civil.Date
}

// Live reports whether nothing has ended the document. What has taken its place by
// its day is for Replaced to tell.
func (d Record) Live() bool { return d.Ended == NotEnded }

// Replaced reports whether another document has come in its place by that day.
func (d Record) Replaced(day civil.Date) bool {
	return d.Successor != "" && d.SuccessorFrom <= day
}

func (v View) record(d *document) Record {
	out := Record{
		ID: d.ID, Kind: d.Kind, Digest: d.Digest, Opens: d.Opens, Purpose: d.Purpose, Case: d.Case, From: d.From, Until: d.Until, Replaces: d.Replaces,
		PartyA: d.PartyA, PartyB: d.PartyB, Void: d.Void, Narrows: d.Narrows, Entered: d.entered, Ended: NotEnded, Since: d.since, Lost: v.lost(d),
	}
	if len(d.Subjects) > 0 {
		out.Subject = d.Subjects[0]
	}
	if v.ended(d) {
		out.Ended = d.ended
	}
	out.Uncertain = out.Live() && v.waits(d)
	for _, c := range d.children {
		if v.knows(c) {
			if out.Successor == "" || c.From < out.SuccessorFrom {
				out.SuccessorFrom = c.From
			}
			out.Successor = c.ID
		}
	}
	return out
}

func (v View) knows(d *document) bool { return d.entered < v.size }

func (v View) ended(d *document) bool { return d.ended != NotEnded && d.ended < v.size }

// waits reports whether a document waits to be confirmed: it was entered before the
// epoch began and not confirmed since. A narrowing that is entered later waits as long
// as what it narrows does, or until it is confirmed itself: it says a part of what is not
// known to hold, and allows nothing that the whole would not allow once confirmed.
func (v View) waits(d *document) bool {
	n, _ := slices.BinarySearch(v.r.epochs, v.size)
	if n == 0 {
		return false
	}
	epoch := v.r.epochs[n-1]
	for {
		switch {
		case slices.ContainsFunc(d.confirmed, func(at int64) bool { return at > epoch && at < v.size }):
			return false
		case d.entered < epoch || !d.Narrows || d.replaces == nil:
			return d.entered < epoch
		}
		d = d.replaces
	}
}

// lost reports whether one of the keys that signed a document was lost.
func (v View) lost(d *document) bool {
	return slices.ContainsFunc(d.Keys, func(digest string) bool {
		k := v.r.keys[digest]
		return k != nil && k.lost != NotEnded && k.lost < v.size
	})
}

// Document gives one document; false if none has this id.
func (v View) Document(id string) (Record, bool) {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	d := v.r.byID[id]
	if d == nil || !v.knows(d) {
		return Record{}, false
	}
	return v.record(d), true
}

// Consents gives a person's consents for a purpose, the newest first: all there are.
func (v View) Consents(pseudonyms []string, purpose string) []Record {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	var all []Record
	for _, d := range v.of(pseudonyms) {
		if v.knows(d) && (purpose == "" || d.Purpose == purpose) {
			all = append(all, v.record(d))
		}
	}
	slices.SortFunc(all, newest)
	return all
}

func newest(a, b Record) int { return cmp.Compare(b.Entered, a.Entered) }

// of gives the consents of the person with one of these pseudonyms. Two that no document
// holds together are both looked at.
func (v View) of(pseudonyms []string) (all []*document) {
	var seen []*person
	for _, s := range pseudonyms {
		if p := v.r.persons[s]; p != nil && !slices.Contains(seen, p.one()) {
			seen = append(seen, p.one())
			all = append(all, p.one().consents...)
		}
	}
	return all
}

// Between gives the documents of a kind between two parties, the newest first: all
// there are.
func (v View) Between(kind Kind, a, b identity.OIN) []Record {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	var all []Record
	for _, d := range v.r.parties[parties{kind, min(a, b), max(a, b)}] {
		if v.knows(d) {
			all = append(all, v.record(d))
		}
	}
	slices.SortFunc(all, newest)
	return all
}

// List gives the documents of a kind, the newest first: all there are.
func (v View) List(kind Kind) []Record {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	var all []Record
	for _, d := range slices.Backward(v.r.list) {
		if d.Kind == kind && v.knows(d) {
			all = append(all, v.record(d))
		}
	}
	return all
}

// Count gives how many documents there are, and how many nothing has ended and no
// other has replaced by that day.
func (v View) Count(day civil.Date) (all, live int64) {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	for _, d := range v.r.list {
		if !v.knows(d) {
			continue
		}
		all++
		if one := v.record(d); one.Live() && !one.Replaced(day) {
			live++
		}
	}
	return all, live
}

// Thing is what a person can say yes or no to.
type Thing struct {
	Pseudonyms        []string
	Purpose, Case     string
	Recipient, Source identity.OIN
}

// Standing says what the last word on a thing comes to.
type Standing int

// What the last word can come to. Only Yes lets anything pass.
const (
	NoWord    Standing = iota // nobody said anything yet
	Yes                       // it is in force and allows something
	SaidNo                    // it allows nothing of this source
	Withdrawn                 // it was ended
	KeyLost                   // a key that signed it was lost
	Uncertain                 // it waits until it is confirmed
	Expired                   // its days are over
)

// Word is the last word on a thing, on a day.
type Word struct {
	ID       string // of the consent that decides; empty when there is no word
	Standing Standing
	// Categories that it allows, when it is a Yes.
	Categories []string
}

// LastWord tells which consent decides on a day: of those that speak of the thing and
// have begun, the one that was said last, even when it has ended since. A consent
// speaks of the sources that it names and of those of every one that it replaces.
func (v View) LastWord(t Thing, day civil.Date) Word {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	last, all := v.last(v.of(t.Pseudonyms), t, day)
	if last == nil {
		return Word{}
	}
	word := Word{ID: last.ID, Standing: v.standing(last, day)}
	if word.Standing != Yes {
		return word
	}
	bits := v.allowed(last, all, t)
	if bits == 0 {
		word.Standing = SaidNo
		return word
	}
	for name, n := range v.r.categories {
		if bits&(1<<(n-1)) != 0 {
			word.Categories = append(word.Categories, name)
		}
	}
	slices.Sort(word.Categories)
	return word
}

// last finds the document that decides among a person's, and all that are for the
// recipient.
func (v View) last(consents []*document, t Thing, day civil.Date) (last *document, all []*document) {
	source := v.r.sources[string(t.Source)]
	for _, d := range consents {
		if !v.knows(d) || d.Void || d.Purpose != t.Purpose || d.Case != t.Case {
			continue
		}
		if slices.Contains(d.Recipients, t.Recipient) {
			all = append(all, d)
		}
		if day < d.From || !d.speaksOf(source, t.Recipient) {
			continue
		}
		if last == nil || d.place > last.place || d.place == last.place && d.entered > last.entered {
			last = d
		}
	}
	return last, all
}

// speaksOf reports whether a document says anything, a no too, of what a recipient may
// hear from a source: it or one that it replaces names both.
func (d *document) speaksOf(source uint16, recipient identity.OIN) bool {
	for one := d; one != nil; one = one.replaces {
		if _, ok := find(one.said, source); ok && slices.Contains(one.Recipients, recipient) {
			return true
		}
	}
	return false
}

func (v View) standing(d *document, day civil.Date) Standing {
	switch {
	case v.ended(d):
		return Withdrawn
	case v.lost(d):
		return KeyLost
	case v.waits(d):
		return Uncertain
	case d.Until != 0 && day > d.Until:
		return Expired
	}
	return Yes
}

// allowed are the categories of a document, without what was taken out of anything
// that was said before: whoever takes out a source takes it out of all.
func (v View) allowed(d *document, all []*document, t Thing) uint16 {
	source := v.r.sources[string(t.Source)]
	if !slices.Contains(d.Recipients, t.Recipient) {
		return 0
	}
	bits, _ := find(d.said, source)
	for _, n := range all {
		if gone, ok := find(n.removed, source); ok && n.entered > d.place {
			bits &^= gone
		}
	}
	return bits
}

// Agreements gives the ids of the agreements between two parties that count on a day.
// Of each chain of agreements that replace one another that is one at most: of those
// that have begun the last, and when that one does not count, none.
func (v View) Agreements(a, b identity.OIN, day civil.Date) []string {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	var ids []string
	for _, d := range slices.Backward(v.r.parties[parties{Agreement, min(a, b), max(a, b)}]) {
		if v.knows(d) && v.inForce(d, day) {
			ids = append(ids, d.ID)
		}
	}
	return ids
}

func (v View) inForce(d *document, day civil.Date) bool {
	var last *document
	for _, one := range d.chain.accepted {
		if v.knows(one) && one.From <= day && (last == nil || one.entered > last.entered) {
			last = one
		}
	}
	return last == d && v.standing(d, day) == Yes
}

// Rest is something that an entry rests on: a document, and of a consent what it is to
// decide on.
type Rest struct {
	ID                string
	Source, Recipient identity.OIN // of a consent only
}

// Counts reports whether an entry may rest on this, on a day. Of a consent nothing may
// have been taken out since the register was of the size by which it was judged. What
// waits to be confirmed does not count; but a proposal can be accepted all the same, for
// what both parties sign now is a new document.
func (v View) Counts(rest Rest, day civil.Date, judged int64) bool {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	d := v.r.byID[rest.ID]
	switch {
	case d == nil || !v.knows(d):
		return false
	case d.Kind == Consent:
		return v.decides(d, rest, day, judged)
	case d.Kind == Agreement:
		return v.inForce(d, day)
	}
	return !v.ended(d) && !v.lost(d) && (d.Kind == Proposal || !v.waits(d))
}

func (v View) decides(d *document, rest Rest, day civil.Date, judged int64) bool {
	t := Thing{Purpose: d.Purpose, Case: d.Case, Recipient: rest.Recipient, Source: rest.Source}
	last, all := v.last(d.person.one().consents, t, day)
	if last != d || v.standing(d, day) != Yes || v.allowed(d, all, t) == 0 {
		return false
	}
	source := v.r.sources[string(t.Source)]
	return !slices.ContainsFunc(all, func(n *document) bool {
		gone, ok := find(n.removed, source)
		return ok && gone != 0 && n.entered >= judged && n.entered > d.place
	})
}

// Size is how many entries the view is of.
func (v View) Size() int64 { return v.size }

// Keys gives the state of every key that the log knows, by its digest.
func (v View) Keys() map[string]KeyState {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	all := map[string]KeyState{}
	for digest, k := range v.r.keys {
		for _, one := range []struct {
			at    int64
			state KeyState
		}{{k.used, InUse}, {k.retired, Retired}, {k.lost, Lost}} {
			if one.at != NotEnded && one.at < v.size {
				all[digest] = one.state
			}
		}
	}
	return all
}

// Waiting counts the documents that nothing has ended and that wait to be confirmed.
func (v View) Waiting() (n int64) {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	for _, d := range v.r.list {
		if v.knows(d) && v.record(d).Uncertain {
			n++
		}
	}
	return n
}
