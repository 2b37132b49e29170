package register

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
)

// Errors of an entry that cannot be at its place in the log.
var (
	// ErrEnded means that a document an entry rests on, ends or replaces does not count
	// any more; the error is an *EndedError.
	ErrEnded = errors.New("a document this rests on has ended")
	// ErrNoDocument means that an entry ends or replaces, or a caller asks for, a
	// document that was never entered.
	ErrNoDocument = errors.New("no such document")
	// ErrConflict means that another document is already registered under the same id.
	ErrConflict = errors.New("another document has this id")
	// ErrReplaced means that another document came in the place of what this one is to
	// replace; the error is a *ReplacedError.
	ErrReplaced = errors.New("another document has come in the place of the one this replaces")
	// ErrSaysLess means that a consent says less than one that counts, without naming it.
	ErrSaysLess = errors.New("this says less of a source, or for a shorter time, than a consent that counts, and does not name it")
	// ErrKeyState means that a key that signed a document signs nothing new: it is not
	// known to the log, retired or lost.
	ErrKeyState = errors.New("a key that signed this signs nothing new")
	// ErrNotWaiting means that an entry confirms a document that no new epoch of the log
	// lets wait.
	ErrNotWaiting = errors.New("this document does not wait to be confirmed")
	// ErrRefused means that a document does not fit the one it replaces.
	ErrRefused = errors.New("this cannot take the place of what it replaces")
)

// EndedError is the ErrEnded of one document.
type EndedError struct{ ID string }

// Error names the document.
func (e *EndedError) Error() string { return fmt.Sprintf("document %s: %v", e.ID, ErrEnded) }

// Unwrap makes errors.Is(err, ErrEnded) hold.
func (e *EndedError) Unwrap() error { return ErrEnded }

// ReplacedError is the ErrReplaced of one document, and names the last of those that
// came in its place.
type ReplacedError struct{ ID, Last string }

// Error names the document, and the last that came in its place.
func (e *ReplacedError) Error() string {
	return fmt.Sprintf("document %s: %v: %s", e.ID, ErrReplaced, e.Last)
}

// Unwrap makes errors.Is(err, ErrReplaced) hold.
func (e *ReplacedError) Unwrap() error { return ErrReplaced }

// Refuse says why an entry cannot be the next one: the rules that compare documents,
// by what is in the log before it and by nothing else.
func (r *Register) Refuse(e Entry) error {
	v := r.Head()
	r.mu.RLock()
	defer r.mu.RUnlock()
	if e.Key != nil {
		if err := r.refuseKey(*e.Key); err != nil {
			return err
		}
	}
	if err := r.refusePolicy(e.Policy); err != nil {
		return err
	}
	if e.End != "" {
		switch i := r.document(e.End); {
		case i == 0:
			return ErrNoDocument
		case !r.anyLive(r.endsWith(i, e.Stated)):
			return &EndedError{ID: e.End}
		}
	}
	switch {
	case e.Confirm != "":
		return v.refuseConfirmation(e.Confirm)
	case len(e.Erase) > 0 && len(r.of(e.Erase...)) == 0:
		return ErrNoDocument
	case e.Put == nil:
		return nil
	case r.gone[sha256.Sum256([]byte(e.Put.ID))]:
		return &EndedError{ID: e.Put.ID}
	}
	if i := r.document(e.Put.ID); i != 0 {
		if r.at(i).digest == e.Put.Digest && v.ended(i) {
			return &EndedError{ID: e.Put.ID}
		}
		return ErrConflict
	}
	if r.tooMany(e.Put.Grants) {
		return fmt.Errorf("%w: there are %d categories at most", ErrRefused, maxCategories)
	}
	for _, digest := range e.Put.Keys {
		if k := r.keys[digest]; k == nil || k.used == NotEnded || k.retired != NotEnded || k.lost != NotEnded {
			return ErrKeyState
		}
	}
	switch e.Put.Kind {
	case Consent:
		return v.refuseConsent(*e.Put, e.Day)
	case Agreement, Proposal:
		return v.refuseTerms(*e.Put)
	}
	return nil
}

func (r *Register) anyLive(all []ref) bool {
	return slices.ContainsFunc(all, func(i ref) bool { return r.at(i).ended == NotEnded })
}

// tooMany reports whether these would be more categories than the register has bits for.
func (r *Register) tooMany(grants []Grant) bool {
	fresh := map[string]bool{}
	for _, g := range grants {
		for _, c := range g.Categories {
			if r.categories[c] == 0 {
				fresh[c] = true
			}
		}
	}
	return len(r.categories)+len(fresh) > maxCategories
}

// refuseKey checks a change of a key against the states it was in: it goes from in use
// to retired to lost, and never back.
func (r *Register) refuseKey(c KeyChange) error {
	k := r.keys[c.Digest]
	switch {
	case k == nil:
		return nil
	case k.lost != NotEnded && c.State != Lost, k.retired != NotEnded && c.State == InUse:
		return fmt.Errorf("%w: and is never in use again", ErrKeyState)
	}
	return nil
}

func (v View) refuseConfirmation(id string) error {
	switch i := v.r.document(id); {
	case i == 0:
		return ErrNoDocument
	case v.ended(i):
		return &EndedError{ID: id}
	case !v.waits(i):
		return ErrNotWaiting
	}
	return nil
}

func (v View) refuseConsent(d Document, day civil.Date) error {
	if d.Void {
		return nil // it is nobody's word, and replaces nothing
	}
	if d.Replaces == "" {
		return v.saysLess(d, day)
	}
	old := v.r.document(d.Replaces)
	if old == 0 {
		return ErrNoDocument
	}
	was := v.r.contentOf(old)
	switch {
	case was.void || was.purpose != d.Purpose || v.r.at(old).caseNumber != v.r.caseNumber(d.Case) || !slices.Contains(v.r.of(d.Subjects...), old):
		return fmt.Errorf("%w: it is no consent of this person for this purpose in this case", ErrRefused)
	case d.Narrows:
		return v.refuseNarrowing(old, d, day)
	case v.r.at(old).child != 0:
		return v.replaced(old)
	}
	return nil
}

// replaced names the last of those that came in the place of a document.
func (v View) replaced(i ref) error {
	last := i
	for v.r.at(last).child != 0 {
		last = v.r.at(last).child
	}
	return &ReplacedError{ID: v.r.idOf(i), Last: v.r.idOf(last)}
}

// refuseNarrowing: what has ended, or what another has come in the place of by now, has
// nothing to take out. One that begins later is not in the way: a part is as
// easy to withdraw as the whole.
func (v View) refuseNarrowing(i ref, d Document, day civil.Date) error {
	old, was := v.r.at(i), v.r.contentOf(i)
	if v.ended(i) || v.lost(i) { // a good key would make it count again
		return &EndedError{ID: d.Replaces}
	}
	for _, f := range v.r.followers(i) {
		if v.r.at(f).from <= max(day, old.from) { // another narrowing begins as it does
			return v.replaced(i)
		}
	}
	left := 0
	for _, g := range d.Grants {
		had, named := find(was.said, v.r.sources[string(g.Source)])
		if !named || v.known(g.Categories)&^had != 0 || !v.allKnown(g.Categories) {
			return fmt.Errorf("%w: it says more than the consent that it narrows", ErrRefused)
		}
		left += len(g.Categories)
	}
	later := old.until != 0 && (d.Until == 0 || d.Until > old.until) // sooner it may end: the authority it rests on has
	if d.From != old.from || later || !slices.Equal(d.Recipients, was.recipients) || len(d.Grants) != len(was.said) || left == 0 {
		return fmt.Errorf("%w: it differs from the consent that it narrows in more than its grants and an earlier end", ErrRefused)
	}
	return nil
}

// known are the bits of categories that were named before.
func (v View) known(categories []string) (bits uint64) {
	for _, c := range categories {
		if n := v.r.categories[c]; n != 0 {
			bits |= 1 << (n - 1)
		}
	}
	return bits
}

func (v View) allKnown(categories []string) bool {
	return !slices.ContainsFunc(categories, func(c string) bool { return v.r.categories[c] == 0 })
}

// saysLess refuses a consent that says less of a source than the one that decides on it
// today, or for a shorter time, and does not name it: the receipt of the one before
// would say that it is in force. A plain no to a source is always taken.
func (v View) saysLess(d Document, day civil.Date) error {
	consents := v.r.of(d.Subjects...)
	for _, g := range d.Grants {
		if len(g.Categories) == 0 {
			continue
		}
		for _, recipient := range d.Recipients {
			q := v.thing(Thing{Purpose: d.Purpose, Case: d.Case, Recipient: recipient, Source: g.Source})
			last := v.last(consents, q, day)
			if last == 0 || v.standing(last, day) != Yes {
				continue
			}
			was, until := v.allowed(last, consents, q), v.r.at(last).until
			shorter := d.Until != 0 && (until == 0 || d.Until < until)
			if was&^v.known(g.Categories) != 0 || was != 0 && shorter {
				return ErrSaysLess
			}
		}
	}
	return nil
}

// refuseTerms: a proposal answers what is open or replaces what counts; an agreement
// comes in the place of one that nothing has come in the place of yet.
func (v View) refuseTerms(d Document) error {
	if v.r.awaited[d.ID] {
		return &EndedError{ID: d.ID} // in whose place another came first
	}
	if d.Replaces == "" {
		return nil
	}
	old := v.r.terms(d.Replaces)
	switch {
	case old == 0 && d.Kind == Agreement:
		return nil // it is not registered here
	case old == 0:
		return ErrNoDocument
	case between(Agreement, v.r.contentOf(old).a, v.r.contentOf(old).b) != between(Agreement, d.PartyA, d.PartyB):
		return fmt.Errorf("%w: it is between other parties", ErrRefused)
	case d.Kind == Proposal && v.ended(old):
		return &EndedError{ID: d.Replaces}
	}
	before := v.r.accepted(old)
	switch {
	case before == 0:
		return nil
	case d.Kind == Proposal && v.ended(before):
		return &EndedError{ID: v.r.idOf(before)}
	case v.r.at(before).child != 0:
		return v.replaced(before)
	}
	return nil
}

// Ends reports whether something is left to end when this document is withdrawn.
func (r *Register) Ends(id string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := r.document(id)
	return i != 0 && r.anyLive(r.endsWith(i, true))
}
