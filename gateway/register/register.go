// Package register answers: which signed documents count? It is a pure fold over
// the entries of the log, in order, and over nothing else: what it holds after an
// entry follows from the entries up to there. The transaction that appends asks it
// at the head, every reader asks it at an index, and the auditor makes it again.
package register

import (
	"slices"
	"strings"
	"sync"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// Kind says what a kept document is.
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

// proposalPrefix stands before the id of the terms in the id of a proposal: the
// agreement that the terms become is kept under the id itself.
const proposalPrefix = "proposal:"

// ProposalID is under which id a proposal of terms is kept.
func ProposalID(terms string) string { return proposalPrefix + terms }

// Grant is what is said to one source: these categories, and without any a no.
type Grant struct {
	Source     identity.OIN
	Categories []string
}

// Document is what the log says of a document that an entry puts: all that is needed
// to tell when it counts, and nothing of what it permits beyond that.
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
	// confirmed; a second epoch makes the confirmed wait anew.
	Epoch bool
	// Confirm is the id of a document that waits, and that somebody confirms here.
	Confirm string
	// Erase are pseudonyms of a person of whom all is erased: from here on, at every size,
	// it is as if none of the person's consents had ever been entered. The person may give
	// new ones. An entry whose opening went with them is one of an index and a day only.
	Erase []string
}

// Register is the fold. It is safe for concurrent use by one writer and many readers.
type Register struct {
	mu                  sync.RWMutex
	size                int64 // the next index
	day                 civil.Date
	epochs              []int64     // where they begin, but the first
	list                []*document // in the order of their entries
	byID                map[string]*document
	persons             map[string]*person // by pseudonym
	parties             map[parties][]*document
	awaited             map[string]*document // by the id that it replaces, which is not kept here
	keys                map[string]*key
	names               names
	sources, categories numbers
}

// document is one that is kept. What an index at which a reader looks does not know
// yet is passed over by the readers.
type document struct {
	Document
	entered, ended int64
	confirmed      []int64
	since          int64
	place          int64       // among the words on the same thing
	replaces       *document   // nil: nothing that is kept
	children       []*document // that came in its place, in order
	chain          *chain      // of terms
	person         *person     // of a consent
	said           []said      // the grants
	removed        []said      // that a narrowing took out
}

// said is a grant in little room: a source and a bit for each category.
type said struct{ source, categories uint16 }

// chain is one negotiation after another about the same agreement.
type chain struct{ accepted []*document }

// person has consents. Two pseudonyms of one person are known to be that from the first
// document that holds both.
type person struct {
	same     *person // nil: this one
	consents []*document
}

func (p *person) one() *person {
	for p.same != nil {
		p = p.same
	}
	return p
}

type parties struct {
	kind Kind
	a, b identity.OIN
}

type key struct{ used, retired, lost int64 }

// names keeps one copy of what many documents repeat.
type names map[string]string

func (n names) one(s string) string {
	if kept, ok := n[s]; ok {
		return kept
	}
	s = strings.Clone(s)
	n[s] = s
	return s
}

// numbers give each text a number, from 1.
type numbers map[string]uint16

func (n numbers) of(s string) uint16 {
	if n[s] == 0 {
		n[strings.Clone(s)] = uint16(len(n) + 1)
	}
	return n[s]
}

// bits has one for each category. More than there are bits would be a mistake of the
// caller's, whose list of categories is closed and shorter.
func (r *Register) bits(categories []string) (bits uint16) {
	for _, c := range categories {
		bits |= 1 << (r.categories.of(c) - 1)
	}
	return bits
}

// New gives an empty register.
func New() *Register {
	r := &Register{}
	r.clear()
	return r
}

func (r *Register) clear() {
	r.size, r.day, r.list, r.epochs = 0, 0, nil, nil
	r.byID, r.persons, r.awaited = map[string]*document{}, map[string]*person{}, map[string]*document{}
	r.parties, r.keys, r.names = map[parties][]*document{}, map[string]*key{}, names{}
	r.sources, r.categories = numbers{}, numbers{}
}

// Size is how many entries it was made of; Day the civil day of the last one.
func (r *Register) Size() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.size
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
	if e.Epoch {
		r.epochs = append(r.epochs, e.Index)
	}
	if d := r.byID[e.Confirm]; e.Confirm != "" && d != nil {
		d.confirmed = append(d.confirmed, e.Index)
	}
	r.erase(e.Erase)
	if e.Put != nil {
		r.put(e)
	}
	if d := r.byID[e.End]; e.End != "" && d != nil {
		for _, one := range r.endsWith(d, e.Stated) {
			if one.ended == NotEnded {
				one.ended = e.Index
			}
		}
	}
}

// endsWith are the documents that end when one ends. A consent takes with it every one
// that followed from it, in every branch: whoever withdraws means what he holds a
// receipt of, whatever has taken its place since. Terms end as proposal and agreement.
func (r *Register) endsWith(d *document, stated bool) []*document {
	all := []*document{d}
	switch {
	case !stated:
	case d.Kind == Consent:
		for i := 0; i < len(all); i++ {
			all = append(all, all[i].children...)
		}
	case d.Kind == Agreement || d.Kind == Proposal:
		terms := strings.TrimPrefix(d.ID, proposalPrefix)
		for _, id := range []string{terms, ProposalID(terms)} {
			if other := r.byID[id]; other != nil && other != d {
				all = append(all, other)
			}
		}
	}
	return all
}

// erase forgets a person. Only others of his consents were linked to them.
func (r *Register) erase(pseudonyms []string) {
	gone := map[*document]bool{}
	for _, d := range r.At(0).of(pseudonyms) {
		gone[d] = true
		delete(r.byID, d.ID)
		for _, s := range d.Subjects {
			delete(r.persons, s)
		}
	}
	if len(gone) > 0 {
		r.list = slices.DeleteFunc(r.list, func(d *document) bool { return gone[d] })
	}
}

func (r *Register) change(index int64, c KeyChange) {
	k := r.keys[c.Digest]
	if k == nil {
		k = &key{used: NotEnded, retired: NotEnded, lost: NotEnded}
		r.keys[r.names.one(c.Digest)] = k
	}
	at := map[KeyState]*int64{InUse: &k.used, Retired: &k.retired, Lost: &k.lost}[c.State]
	if at != nil && *at == NotEnded {
		*at = index
	}
}

func (r *Register) put(e Entry) {
	d := &document{Document: r.compact(*e.Put), entered: e.Index, ended: NotEnded, since: e.Time, place: e.Index}
	for _, g := range e.Put.Grants {
		d.said = append(d.said, said{r.sources.of(string(g.Source)), r.bits(g.Categories)})
	}
	r.list = append(r.list, d)
	r.byID[d.ID] = d
	switch d.Kind {
	case Consent:
		r.putConsent(d)
	case Agreement, Proposal:
		r.putTerms(d)
	}
	if d.Kind != Consent {
		at := parties{d.Kind, min(d.PartyA, d.PartyB), max(d.PartyA, d.PartyB)}
		r.parties[at] = append(r.parties[at], d)
	}
}

// compact shares the texts that many documents repeat.
func (r *Register) compact(d Document) Document {
	one := r.names.one
	d.ID, d.Kind, d.Replaces = strings.Clone(d.ID), Kind(one(string(d.Kind))), strings.Clone(d.Replaces)
	d.Purpose, d.Case = one(d.Purpose), one(d.Case)
	d.PartyA, d.PartyB = identity.OIN(one(string(d.PartyA))), identity.OIN(one(string(d.PartyB)))
	d.Keys, d.Recipients, d.Subjects = slices.Clone(d.Keys), slices.Clone(d.Recipients), slices.Clone(d.Subjects)
	for i, k := range d.Keys {
		d.Keys[i] = one(k)
	}
	for i, o := range d.Recipients {
		d.Recipients[i] = identity.OIN(one(string(o)))
	}
	d.Grants = nil
	return d
}

func (r *Register) putConsent(d *document) {
	d.person = r.personOf(d.Subjects)
	d.person.consents = append(d.person.consents, d)
	if old := r.byID[d.Replaces]; old != nil && old.person != nil && old.person.one() == d.person && !d.Void {
		d.replaces = old
		old.children = append(old.children, d)
		if d.Narrows {
			d.place, d.removed = old.place, without(old.said, d.said)
		}
	}
}

// personOf finds the person of these pseudonyms, or makes one; those that turn out to be
// of one person become one.
func (r *Register) personOf(pseudonyms []string) *person {
	var p *person
	for _, s := range pseudonyms {
		switch known := r.persons[s]; {
		case known == nil:
		case p == nil:
			p = known.one()
		case known.one() != p:
			other := known.one()
			p.consents = append(p.consents, other.consents...)
			slices.SortFunc(p.consents, func(a, b *document) int { return int(a.entered - b.entered) })
			other.same, other.consents = p, nil
		}
	}
	if p == nil {
		p = &person{}
	}
	for _, s := range pseudonyms {
		if r.persons[s] == nil {
			r.persons[s] = p
		}
	}
	return p
}

// without gives what is in the old grants and not in the new.
func without(old, left []said) (gone []said) {
	for _, was := range old {
		is, _ := find(left, was.source)
		switch {
		case was.categories&^is == 0:
		case is == 0:
			gone = append(gone, said{was.source, ^uint16(0)}) // all of it, whoever may have allowed more
		default:
			gone = append(gone, said{was.source, was.categories &^ is})
		}
	}
	return gone
}

func find(all []said, source uint16) (categories uint16, ok bool) {
	for _, one := range all {
		if one.source == source {
			return one.categories, true
		}
	}
	return 0, false
}

// putTerms finds the chain of an agreement or a proposal: what it replaces was accepted
// or is a proposal, and an agreement goes on where its own proposal stands.
func (r *Register) putTerms(d *document) {
	if d.Kind == Agreement {
		if proposal := r.byID[ProposalID(d.ID)]; proposal != nil {
			d.chain = proposal.chain
		}
	}
	if d.Replaces != "" {
		old := r.terms(d.Replaces)
		switch {
		case old == nil && d.Kind == Agreement:
			r.awaited[d.Replaces] = d
		case old != nil:
			d.replaces = old
			if before := old.accepted(); before != nil && d.Kind == Agreement {
				before.children = append(before.children, d)
			}
			if d.chain == nil {
				d.chain = old.chain
			}
		}
	}
	if d.chain == nil {
		d.chain = &chain{}
	}
	if d.Kind == Agreement {
		d.chain.accepted = append(d.chain.accepted, d)
	}
}

// accepted is the agreement that terms are or, being a proposal, would replace; nil when
// there is none.
func (d *document) accepted() *document {
	for one := d; one != nil; one = one.replaces {
		if one.Kind == Agreement {
			return one
		}
	}
	return nil
}

// terms finds an agreement by its id, or the proposal when it was never accepted.
func (r *Register) terms(id string) *document {
	if d := r.byID[id]; d != nil && d.Kind == Agreement {
		return d
	}
	return r.byID[ProposalID(id)]
}

// TermsID is the id of the terms of which this is the proposal or the agreement.
func TermsID(id string) string { return strings.TrimPrefix(id, proposalPrefix) }
