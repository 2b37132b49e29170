// Package register answers: which signed documents count? It is a pure fold over
// the entries of the log, in order, and over nothing else: what it holds after an
// entry follows from the entries up to there. The transaction that appends asks it
// at the head, every reader asks it at an index, and the auditor makes it again.
package register

import (
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// Kind says what a registered document is.
type Kind string

// The kinds of document. Releases rest on consents and agreements; the others are
// what leads to an agreement, ends one, or lets somebody act for a party.
const (
	Consent    Kind = "CONSENT"
	Agreement  Kind = "AGREEMENT"
	Proposal   Kind = "PROPOSAL"
	Statement  Kind = "STATEMENT"
	Delegation Kind = "DELEGATION"
)

// NotEnded is the Ended index of a document that no entry ended.
const NotEnded = -1

// proposalPrefix comes before the id of the terms in the id of a proposal: the
// agreement that the terms become is registered under the id itself.
const proposalPrefix = "proposal:"

// ProposalID is under which id a proposal of terms is registered.
func ProposalID(terms string) string { return proposalPrefix + terms }

// Grant is what is said to one source: these categories, and without any a no.
type Grant struct {
	Source     identity.OIN
	Categories []string
}

// Document is what the log says of a document that an entry puts: all that is needed
// to decide when it counts, and nothing of what it permits beyond that.
type Document struct {
	ID     string
	Kind   Kind
	Digest [32]byte // SHA-256 of the signed bytes
	Opens  [32]byte // SHA-256 of what opens it
	// Keys that signed it, by the SHA-256 of each.
	Keys []string
	// From and Until are the first and the last day on which it can count, both
	// inclusive. Zero: without bound.
	From, Until civil.Date
	// Replaces is the id of the document in whose place this one comes; of terms, the
	// id of the terms, whether they were accepted or are a proposal.
	Replaces string

	// Subjects are the person's pseudonyms under every readable version of the key.
	// Consents only, as all that follows down to Void.
	Subjects      []string
	Purpose, Case string
	Recipients    []identity.OIN
	Grants        []Grant
	// Narrows: it takes something out of the one it replaces, and says nothing new.
	Narrows bool
	// Void: it can never count (a wrong signer), so it is no word of anybody.
	Void bool

	PartyA, PartyB identity.OIN // all kinds but consents
}

// KeyState is what may be done with a key that signs documents.
type KeyState string

// The states of a key. One that is retired signs nothing new; one that is lost has
// signed nothing that counts. Lost is final.
const (
	InUse   KeyState = "in_use"
	Retired KeyState = "retired"
	Lost    KeyState = "lost"
)

// Known reports whether it is one of the list.
func (s KeyState) Known() bool { return s == InUse || s == Retired || s == Lost }

// KeyChange says that a key of an organisation is in another state from here on.
type KeyChange struct {
	Owner  identity.OIN
	Digest string // SHA-256 of the public key, lower-case hexadecimal
	State  KeyState
}

// Entry is what the fold takes from one entry of the log.
type Entry struct {
	Index int64
	Day   civil.Date // by which it was judged
	Time  int64      // milliseconds since 1970
	Put   *Document
	// End is the id of a document that ends here. Stated: by a statement or a withdrawal
	// of it, and not because another document takes its place.
	End    string
	Stated bool
	Key    *KeyChange
	// Epoch: a new epoch of the log begins here, from a store that lacked entries. Every
	// document of every kind that was entered before and has not ended waits until it is
	// confirmed; a second epoch makes the confirmed wait anew. So does one that is entered
	// later and was made before, by its id (a UUID of version 7): it may have been there and
	// have ended in what is lacking.
	Epoch bool
	// Confirm is the id of a document that waits, and that somebody confirms here.
	Confirm string
	// Erase are pseudonyms of a person of whom all is erased: from here on, at every size,
	// it is as if none of the person's consents had ever been entered. The person may give
	// new ones. An entry whose opening went with them is one of an index and a day only.
	Erase []string
	// Gone are the SHA-256 of the ids of documents that never come back: those of whom was
	// erased. An entry whose Erase cannot be read any more still has them.
	Gone [][32]byte
	// Policy: another revision of the rules is in force from here on.
	Policy *PolicyChange
}

// Register is the fold. It is safe for concurrent use by one writer and many readers.
type Register struct {
	mu     sync.RWMutex
	size   int64 // the next index
	day    civil.Date
	epochs []int64 // where they begin, but the first
	begun  []int64 // and when, in milliseconds since 1970
	gone   map[[32]byte]bool
	erased int64 // the size after which somebody was erased last; not written down
	keys   map[string]*key
	// changes of the policies, in order
	changes []PolicyChange

	count  ref // of documents, those that were erased too
	chunks []*[chunk]document
	byID   table
	// What is rare of a document.
	ids       map[ref]string // of one that is no UUID
	byText    map[string]ref // by such an id
	subjects  map[ref]string // a pseudonym of another length
	replaced  map[ref]string // the id of what it replaces, where it is not that of the one that is registered
	confirmed map[ref][]int64
	chains    map[ref]*chain // of terms

	byPerson table          // one of the consents of a person, by the pseudonym that is in it
	also     map[string]ref // by another pseudonym of the person
	parties  map[parties][]ref
	awaited  map[string]bool // the ids of terms that were replaced and are not registered here

	contents            []*content
	byContent           map[string]uint32
	cases               [][32]byte
	byCase              table
	caseNames           []string // that are no commitments
	caseTexts           map[string]uint32
	names               names
	sources, categories numbers

	seed maphash.Seed
	mask uint64 // of a hash
}

// chain is one negotiation after another about the same agreement.
type chain struct{ accepted []ref }

type parties struct {
	kind Kind
	a, b identity.OIN
}

func between(kind Kind, a, b identity.OIN) parties { return parties{kind, min(a, b), max(a, b)} }

type key struct{ used, retired, lost int64 }

// New gives an empty register.
func New() *Register {
	return &Register{
		keys: map[string]*key{}, ids: map[ref]string{}, byText: map[string]ref{}, subjects: map[ref]string{}, replaced: map[ref]string{},
		confirmed: map[ref][]int64{}, chains: map[ref]*chain{}, also: map[string]ref{}, parties: map[parties][]ref{}, awaited: map[string]bool{}, gone: map[[32]byte]bool{},
		byContent: map[string]uint32{}, caseTexts: map[string]uint32{}, names: names{}, sources: numbers{}, categories: numbers{},
		seed: maphash.MakeSeed(), mask: ^uint64(0),
	}
}

// Size is how many entries it was made of; Day the civil day of the last one.
func (r *Register) Size() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.size
}

// Erased is the size after which somebody was erased last, since the register was made;
// zero: nobody was. What was judged by a smaller one may rest on what is gone.
func (r *Register) Erased() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.erased
}

// Day is the civil day by which the last entry was judged; zero when there is none.
func (r *Register) Day() civil.Date {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.day
}

// Apply folds the next entry in. It judges nothing: Refuse does.
func (r *Register) Apply(e Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.size, r.day = e.Index+1, max(r.day, e.Day)
	if e.Key != nil {
		r.change(e.Index, *e.Key)
	}
	if e.Policy != nil {
		c := *e.Policy
		c.Entry, c.Since, c.Revision, c.Parent = e.Index, e.Time, r.names.one(c.Revision), r.names.one(c.Parent)
		r.changes = append(r.changes, c)
	}
	for _, id := range e.Gone {
		r.gone[id] = true
	}
	if len(e.Gone)+len(e.Erase) > 0 {
		r.erased = e.Index + 1
	}
	if e.Epoch {
		r.epochs, r.begun = append(r.epochs, e.Index), append(r.begun, e.Time)
	}
	if i := r.document(e.Confirm); i != 0 {
		r.confirmed[i] = append(r.confirmed[i], e.Index)
	}
	if len(e.Erase) > 0 {
		r.erase(e.Erase)
	}
	if e.Put != nil && r.document(e.Put.ID) == 0 {
		r.put(e)
	}
	if i := r.document(e.End); i != 0 {
		for _, one := range r.endsWith(i, e.Stated) {
			if d := r.at(one); d.ended == NotEnded {
				d.ended = e.Index
			}
		}
	}
}

// endsWith are the documents that end when one ends. A consent takes with it every one
// that followed from it, in every branch: whoever withdraws means what they hold a
// receipt of, whatever has taken its place since. Terms end as proposal and agreement.
func (r *Register) endsWith(i ref, stated bool) []ref {
	all := []ref{i}
	switch kind := r.contentOf(i).kind; {
	case !stated:
	case kind == Consent:
		all = append(all, r.followers(i)...)
	case kind == Agreement || kind == Proposal:
		terms := TermsID(r.idOf(i))
		for _, id := range []string{terms, ProposalID(terms)} {
			if other := r.document(id); other != 0 && r.contentOf(other).kind != Consent {
				all = append(all, other)
			}
		}
	}
	return all
}

// erase forgets a person. Only others of that person's consents were linked to them.
func (r *Register) erase(pseudonyms []string) {
	gone := map[ref]bool{}
	for _, i := range r.of(pseudonyms...) {
		gone[i] = true
	}
	maps.DeleteFunc(r.also, func(_ string, i ref) bool { return gone[i] })
	for i := range gone { // before any is wiped: the tables look at them
		d := r.at(i)
		if ref(r.byPerson.find(r.hash(d.subject[:]), func(n uint32) bool { return r.at(ref(n)).subject == d.subject })) == i {
			r.byPerson.remove(uint32(i), r.hashOfPerson)
		}
		if d.id != [16]byte{} {
			r.byID.remove(uint32(i), r.hashOfID)
		}
		delete(r.byText, r.ids[i])
		delete(r.ids, i)
		delete(r.subjects, i)
		delete(r.replaced, i)
		delete(r.confirmed, i)
	}
	for i := range gone {
		*r.at(i) = document{}
	}
}

func (r *Register) key(digest string) *key {
	k := r.keys[digest]
	if k == nil {
		k = &key{used: NotEnded, retired: NotEnded, lost: NotEnded}
		r.keys[r.names.one(digest)] = k
	}
	return k
}

func (r *Register) change(index int64, c KeyChange) {
	k := r.key(c.Digest)
	at := map[KeyState]*int64{InUse: &k.used, Retired: &k.retired, Lost: &k.lost}[c.State]
	if at != nil && *at == NotEnded {
		*at = index
	}
}

func (r *Register) put(e Entry) {
	put := e.Put
	d := document{
		digest: put.Digest, opens: put.Opens, entered: e.Index, ended: NotEnded, since: e.Time, from: put.From, until: put.Until,
		caseNumber: r.newCase(put.Case), content: r.contentNumber(put),
	}
	d.id, _ = parseUUID(put.ID)
	if put.Kind == Consent && len(put.Subjects) > 0 && len(put.Subjects[0]) == len(d.subject) {
		d.subject = [32]byte([]byte(put.Subjects[0]))
	}
	i := r.add(d, put.ID)
	if put.Kind == Consent {
		r.putConsent(i, put)
	} else {
		r.putOthers(i, put)
	}
	r.nameReplaced(i, put.Replaces)
}

// putOthers is put of what is no consent.
func (r *Register) putOthers(i ref, put *Document) {
	if put.Kind == Agreement || put.Kind == Proposal {
		r.putTerms(i, put)
	}
	at := between(put.Kind, put.PartyA, put.PartyB)
	r.parties[at] = append(r.parties[at], i)
}

// nameReplaced stores the id of what a document replaces where it does not follow from what
// is registered.
func (r *Register) nameReplaced(i ref, id string) {
	if old := r.at(i).replaces; id != "" && (old == 0 || TermsID(r.idOf(old)) != id) {
		r.replaced[i] = strings.Clone(id)
	}
}

func (r *Register) putConsent(i ref, put *Document) {
	d := r.at(i)
	d.next = i
	if len(put.Subjects) > 0 && d.subject == [32]byte{} {
		r.subjects[i] = strings.Clone(put.Subjects[0])
	}
	for _, s := range put.Subjects {
		if known := r.person(s); known != 0 {
			r.join(i, known)
		} else {
			r.knowPerson(s, i)
		}
	}
	if old := r.document(put.Replaces); !put.Void && slices.Contains(r.withAll(nil, i), old) {
		d.replaces = old
		r.adopt(old, i)
	}
}

// join makes the persons of two consents one.
func (r *Register) join(i, other ref) {
	if !slices.Contains(r.withAll(nil, i), other) {
		a, b := r.at(i), r.at(other)
		a.next, b.next = b.next, a.next
	}
}

// putTerms finds the chain of an agreement or a proposal: what it replaces was accepted
// or is a proposal, and an agreement goes on where its own proposal is.
func (r *Register) putTerms(i ref, put *Document) {
	var c *chain
	if put.Kind == Agreement {
		c = r.chains[r.document(ProposalID(put.ID))]
	}
	if put.Replaces != "" {
		old := r.terms(put.Replaces)
		if old == 0 {
			r.awaited[strings.Clone(put.Replaces)] = true
		} else {
			if before := r.accepted(old); before != 0 && put.Kind == Agreement {
				r.adopt(before, i)
			}
			r.at(i).replaces = old
			if c == nil {
				c = r.chains[old]
			}
		}
	}
	if c == nil {
		c = &chain{}
	}
	r.chains[i] = c
	if put.Kind == Agreement {
		c.accepted = append(c.accepted, i)
	}
}

// accepted is the agreement that terms are or, being a proposal, would replace; zero when
// there is none.
func (r *Register) accepted(i ref) ref {
	for ; i != 0; i = r.at(i).replaces {
		if r.contentOf(i).kind == Agreement {
			return i
		}
	}
	return 0
}

// terms finds an agreement by its id, or the proposal when it was never accepted.
func (r *Register) terms(id string) ref {
	if i := r.document(id); i != 0 && r.contentOf(i).kind == Agreement {
		return i
	}
	if i := r.document(ProposalID(id)); i != 0 && r.contentOf(i).kind == Proposal {
		return i
	}
	return 0
}

// TermsID is the id of the terms of which this is the proposal or the agreement.
func TermsID(id string) string { return strings.TrimPrefix(id, proposalPrefix) }
