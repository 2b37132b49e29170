package register

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
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
// its day is for Replaced to say.
func (d Record) Live() bool { return d.Ended == NotEnded }

// Replaced reports whether another document has come in its place by that day.
func (d Record) Replaced(day civil.Date) bool {
	return d.Successor != "" && d.SuccessorFrom <= day
}

func (v View) record(i ref) Record {
	r, d, c := v.r, v.r.at(i), v.r.contentOf(i)
	out := Record{
		ID: r.idOf(i), Kind: c.kind, Digest: d.digest, Opens: d.opens, Purpose: c.purpose, Case: r.caseOf(d.caseNumber), From: d.from, Until: d.until,
		Replaces: r.replaced[i], PartyA: c.a, PartyB: c.b, Void: c.void, Narrows: c.narrows, Subject: r.subjectOf(i), Entered: d.entered, Ended: NotEnded, Since: d.since, Lost: v.lost(i),
	}
	if out.Replaces == "" && d.replaces != 0 {
		out.Replaces = TermsID(r.idOf(d.replaces))
	}
	if v.ended(i) {
		out.Ended = d.ended
	}
	out.Uncertain = out.Live() && v.waits(i)
	var last ref
	if last, out.SuccessorFrom = v.successor(i); last != 0 {
		out.Successor = r.idOf(last)
	}
	return out
}

// successor is the last that came in the place of a document, and its first day: of several
// each but the first is a narrowing, which begins before them.
func (v View) successor(i ref) (last ref, from civil.Date) {
	for n := v.r.at(i).child; n != 0; n = v.r.at(n).elder {
		if v.knows(n) {
			return n, v.r.at(n).from
		}
	}
	return 0, 0
}

func (v View) knows(i ref) bool { return v.r.at(i).entered < v.size }

func (v View) ended(i ref) bool {
	ended := v.r.at(i).ended
	return ended != NotEnded && ended < v.size
}

// waits reports whether a document waits to be confirmed: it was there before the epoch
// began and not confirmed since. A narrowing that is entered later waits as long as what
// it narrows does, or until it is confirmed itself: it says a part of what is not known to
// hold, and allows nothing that the whole would not allow once confirmed.
func (v View) waits(i ref) bool {
	n, _ := slices.BinarySearch(v.r.epochs, v.size)
	if n == 0 {
		return false
	}
	epoch, begun := v.r.epochs[n-1], v.r.begun[n-1]
	for {
		d := v.r.at(i)
		switch {
		case slices.ContainsFunc(v.r.confirmed[i], func(at int64) bool { return at > epoch && at < v.size }):
			return false
		case d.entered < epoch || v.r.madeBefore(i, begun):
			return true
		case !v.r.contentOf(i).narrows || d.replaces == 0:
			return false
		}
		i = d.replaces
	}
}

// madeBefore reports whether a document's id shows that it was made before a time, in
// milliseconds since 1970 (RFC 9562, section 5.7). One of another form shows nothing.
func (r *Register) madeBefore(i ref, ms int64) bool {
	u := r.at(i).id
	if u == [16]byte{} {
		u, _ = parseUUID(TermsID(r.ids[i]))
	}
	return u[6]>>4 == 7 && int64(binary.BigEndian.Uint64(u[:])>>16) < ms
}

// lost reports whether one of the keys that signed a document was lost.
func (v View) lost(i ref) bool {
	return slices.ContainsFunc(v.r.contentOf(i).signers, func(k *key) bool { return k.lost != NotEnded && k.lost < v.size })
}

// Document gives one document; false if none has this id.
func (v View) Document(id string) (Record, bool) {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	i := v.r.document(id)
	if i == 0 || !v.knows(i) {
		return Record{}, false
	}
	return v.record(i), true
}

// Consents gives a person's consents for a purpose, the newest first: all there are.
func (v View) Consents(pseudonyms []string, purpose string) []Record {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	var all []Record
	for _, i := range v.r.of(pseudonyms...) {
		if v.knows(i) && (purpose == "" || v.r.contentOf(i).purpose == purpose) {
			all = append(all, v.record(i))
		}
	}
	slices.SortFunc(all, newest)
	return all
}

func newest(a, b Record) int { return cmp.Compare(b.Entered, a.Entered) }

// Between gives the documents of a kind between two parties, the newest first: all
// there are.
func (v View) Between(kind Kind, a, b identity.OIN) []Record {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	var all []Record
	for _, i := range v.r.parties[between(kind, a, b)] {
		if v.knows(i) {
			all = append(all, v.record(i))
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
	for i := range v.r.all {
		if v.r.contentOf(i).kind == kind && v.knows(i) {
			all = append(all, v.record(i))
		}
	}
	slices.Reverse(all)
	return all
}

// Count gives how many documents there are, and how many nothing has ended and no
// other has replaced by that day.
func (v View) Count(day civil.Date) (all, live int64) {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	for i := range v.r.all {
		if !v.knows(i) {
			continue
		}
		all++
		if last, from := v.successor(i); !v.ended(i) && (last == 0 || from > day) {
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

// LastWord gives the consent that decides on a day: of those that speak of the thing and
// have begun, the one that was said last, even when it has ended since. A consent
// speaks of the sources that it names and of those of every one that it replaces.
func (v View) LastWord(t Thing, day civil.Date) Word {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	consents, q := v.r.of(t.Pseudonyms...), v.thing(t)
	last := v.last(consents, q, day)
	if last == 0 {
		return Word{}
	}
	word := Word{ID: v.r.idOf(last), Standing: v.standing(last, day)}
	if word.Standing != Yes {
		return word
	}
	allowed := v.allowed(last, consents, q)
	if allowed == 0 {
		word.Standing = SaidNo
		return word
	}
	word.Categories = make([]string, 0, bits.OnesCount64(allowed))
	for name, n := range v.r.categories {
		if allowed&(1<<(n-1)) != 0 {
			word.Categories = append(word.Categories, name)
		}
	}
	slices.Sort(word.Categories)
	return word
}

// thing is a Thing by its numbers.
type thing struct {
	purpose    string
	caseNumber uint32
	recipient  identity.OIN
	source     uint32
}

func (v View) thing(t Thing) thing {
	return thing{t.Purpose, v.r.caseNumber(t.Case), t.Recipient, v.r.sources[string(t.Source)]}
}

// about reports whether a consent is for the purpose and the case of a thing.
func (v View) about(i ref, q thing) bool {
	c := v.r.contentOf(i)
	return v.knows(i) && !c.void && v.r.at(i).caseNumber == q.caseNumber && c.purpose == q.purpose
}

// last finds the one that decides among a person's consents.
func (v View) last(consents []ref, q thing, day civil.Date) (last ref) {
	for _, i := range consents {
		if !v.about(i, q) || day < v.r.at(i).from || !v.speaksOf(i, q) {
			continue
		}
		if last == 0 || cmp.Or(cmp.Compare(v.r.place(i), v.r.place(last)), cmp.Compare(i, last)) > 0 {
			last = i
		}
	}
	return last
}

// speaksOf reports whether a document says anything, a no too, of what a recipient
// may receive from a source: it or one that it replaces names both.
func (v View) speaksOf(i ref, q thing) bool {
	for ; i != 0; i = v.r.at(i).replaces {
		if c := v.r.contentOf(i); slices.Contains(c.recipients, q.recipient) {
			if _, ok := find(c.said, q.source); ok {
				return true
			}
		}
	}
	return false
}

func (v View) standing(i ref, day civil.Date) Standing {
	until := v.r.at(i).until
	switch {
	case v.ended(i):
		return Withdrawn
	case v.lost(i):
		return KeyLost
	case v.waits(i):
		return Uncertain
	case until != 0 && day > until:
		return Expired
	}
	return Yes
}

// allowed are the categories of a document, without what was taken out of anything
// that was said before: whoever takes out a source takes it out of all.
func (v View) allowed(i ref, consents []ref, q thing) uint64 {
	c := v.r.contentOf(i)
	if !slices.Contains(c.recipients, q.recipient) {
		return 0
	}
	bits, _ := find(c.said, q.source)
	for _, n := range consents {
		bits &^= v.takenOut(n, i, q)
	}
	return bits
}

// takenOut are the categories that one document takes out of another.
func (v View) takenOut(n, of ref, q thing) uint64 {
	if !v.about(n, q) || v.r.at(n).entered <= v.r.place(of) || !slices.Contains(v.r.contentOf(n).recipients, q.recipient) {
		return 0
	}
	return v.r.removed(n, q.source)
}

// Agreements gives the ids of the agreements between two parties that count on a day.
// Of each chain of agreements that replace one another that is one at most: of those
// that have begun the last, and when that one does not count, none.
func (v View) Agreements(a, b identity.OIN, day civil.Date) []string {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	var ids []string
	for _, i := range slices.Backward(v.r.parties[between(Agreement, a, b)]) {
		if v.inForce(i, day) {
			ids = append(ids, v.r.idOf(i))
		}
	}
	return ids
}

func (v View) inForce(i ref, day civil.Date) bool {
	var last ref
	for _, one := range v.r.chains[i].accepted {
		if v.knows(one) && v.r.at(one).from <= day {
			last = max(last, one)
		}
	}
	return last == i && v.standing(i, day) == Yes
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
	i := v.r.document(rest.ID)
	if i == 0 || !v.knows(i) {
		return false
	}
	switch v.r.contentOf(i).kind {
	case Consent:
		return v.decides(i, rest, day, judged)
	case Agreement:
		return v.inForce(i, day)
	case Proposal:
		return !v.ended(i) && !v.lost(i)
	}
	return !v.ended(i) && !v.lost(i) && !v.waits(i)
}

func (v View) decides(i ref, rest Rest, day civil.Date, judged int64) bool {
	q := thing{v.r.contentOf(i).purpose, v.r.at(i).caseNumber, rest.Recipient, v.r.sources[string(rest.Source)]}
	consents := v.r.withAll(nil, i)
	if v.last(consents, q, day) != i || v.standing(i, day) != Yes || v.allowed(i, consents, q) == 0 {
		return false
	}
	return !slices.ContainsFunc(consents, func(n ref) bool {
		return v.r.at(n).entered >= judged && v.takenOut(n, i, q) != 0
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
	for i := range v.r.all {
		if v.knows(i) && !v.ended(i) && v.waits(i) {
			n++
		}
	}
	return n
}

// Purposes of the consents that there are, in order.
func (v View) Purposes() []string {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	var list []string
	for _, c := range v.r.contents {
		if c.kind == Consent && !slices.Contains(list, c.purpose) {
			list = append(list, c.purpose)
		}
	}
	slices.Sort(list)
	return list
}

// Documents is how many there are, those that have ended too.
func (r *Register) Documents() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return int64(r.count)
}

// Lost is the size after which the second epoch of the log began; zero: it is in its first.
func (v View) Lost() int64 {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	if len(v.r.epochs) == 0 || v.r.epochs[0] >= v.size {
		return 0
	}
	return max(1, v.r.epochs[0])
}
