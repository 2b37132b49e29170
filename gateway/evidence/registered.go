package evidence

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/pseudonym"
)

// registered is the Evidence for one request of what was registered here. Which documents
// count is for the register to say, as it was when the request began: the agreements with
// each source and the consents of each person are read once, however many pairs name them.
type registered struct {
	Registered
	caller   token.Caller
	consumer identity.OIN // who asks
	purpose  string
	today    civil.Date
	register register.View
	read     map[identity.OIN]agreementsRead
	opened   map[string]openedConsent
}

// agreementsRead with one source: those that count, and whether there ever was one.
type agreementsRead struct {
	count []agreement.Agreement
	ever  bool
	waits bool // one of them, to be confirmed
	err   error
}

type openedConsent struct {
	document consent.Document
	err      error
}

// Size: see Evidence.
func (r registered) Size() int64 { return r.register.Size() }

// Agreement: see Evidence.
func (r registered) Agreement(ctx context.Context, source identity.Organisation) (agreement.Covering, error) {
	with := r.with(ctx, source.OIN)
	if with.err != nil {
		return agreement.Covering{}, with.err
	}
	covering, err := agreement.Find(with.count, agreement.Use{Consumer: r.consumer, Source: source.OIN, Purpose: r.purpose, Today: r.today})
	if errors.Is(err, agreement.ErrNone) && with.waits {
		err = agreement.ErrUncertain
	}
	if errors.Is(err, agreement.ErrNone) && with.ever {
		err = agreement.ErrExpired // it was revoked or replaced, has ended or not begun
	}
	return covering, err
}

// with reads the agreements with a source, once in a request.
func (r registered) with(ctx context.Context, source identity.OIN) agreementsRead {
	read, known := r.read[source]
	if !known {
		read = r.readAgreements(ctx, source)
		r.read[source] = read
	}
	return read
}

func (r registered) readAgreements(ctx context.Context, source identity.OIN) (out agreementsRead) {
	by := r.consumer
	counting := r.register.Agreements(by, source, r.today)
	for _, d := range r.register.Between(register.Agreement, by, source) {
		out.ever = out.ever || !d.Lost && !slices.Contains(counting, d.ID)
		out.waits = out.waits || d.Uncertain && !d.Lost && !d.Replaced(r.today)
	}
	for _, id := range counting {
		one, ok, err := r.readAgreement(ctx, id)
		if err != nil {
			return agreementsRead{err: err}
		}
		if ok {
			out.count = append(out.count, one)
		}
	}
	return out
}

// readAgreement reads and verifies one: what lies in a file proves nothing.
func (r registered) readAgreement(ctx context.Context, id string) (one agreement.Agreement, ok bool, err error) {
	record, known := r.register.Document(id)
	key := r.key(record) // of the keys of before it is verified
	if one, ok = r.agreements.get(key); known && ok {
		return one, true, nil
	}
	d, err := r.Documents.Document(ctx, id)
	if r.changed(id, err) {
		return one, false, nil
	}
	if err != nil {
		return one, false, err
	}
	if one, err = agreement.Verify(r.Keys, d.Body); err != nil {
		return one, false, nil
	}
	if known {
		r.agreements.put(key, one)
	}
	return one, true, nil
}

// Consent: see Evidence.
func (r registered) Consent(ctx context.Context, subject Subject, source identity.Organisation) (consent.Consent, error) {
	q := consent.Use{
		Subject: subject.BSN, Born: subject.Born, Source: source.OIN, Recipient: r.caller.Organisation(),
		Purpose: r.purpose, Case: r.caller.Case(), Today: r.today, Ended: func(string) bool { return false },
	}
	pseudonyms := pseudonym.Strings(subject.Pseudonyms)
	word := r.register.LastWord(register.Thing{
		Pseudonyms: pseudonyms, Purpose: r.purpose, Case: q.Case, Recipient: q.Recipient, Source: q.Source,
	}, r.today)
	switch word.Standing {
	case register.Yes:
		yes, err := r.answer(ctx, word.ID, q)
		return yes.Within(word.Categories), err
	case register.Withdrawn:
		return consent.Consent{}, consent.ErrWithdrawn
	case register.Uncertain:
		return consent.Consent{}, consent.ErrUncertain
	case register.Expired:
		return consent.Consent{}, r.lapsed(ctx, word.ID)
	case register.NoWord:
		return consent.Consent{}, r.closest(ctx, pseudonyms, q)
	}
	return consent.Consent{}, consent.ErrNone
}

// lapsed says why a consent whose days are over does not count: the authority that it rests
// on has ended, or it has simply expired.
func (r registered) lapsed(ctx context.Context, id string) error {
	one := r.open(ctx, id)
	switch {
	case Unreadable(one.err) != nil:
		return one.err
	case one.err == nil && one.document.AuthorityEnded(r.today):
		return consent.ErrAuthority
	}
	return consent.ErrExpired
}

// answer holds the consent that decides against the request.
func (r registered) answer(ctx context.Context, id string, q consent.Use) (consent.Consent, error) {
	one := r.open(ctx, id)
	switch {
	case Unreadable(one.err) != nil:
		return consent.Consent{}, one.err
	case one.err != nil || one.document.Keeper() != r.Own:
		return consent.Consent{}, consent.ErrNone
	}
	return consent.Find([]consent.Document{one.document}, q)
}

// open reads a consent and verifies it, once in a request.
func (r registered) open(ctx context.Context, id string) openedConsent {
	if one, known := r.opened[id]; known {
		return one
	}
	one := r.reopen(ctx, id)
	r.opened[id] = one
	return one
}

func (r registered) reopen(ctx context.Context, id string) (one openedConsent) {
	record, known := r.register.Document(id)
	key := r.key(record)
	if document, ok := r.consents.get(key); known && ok {
		return openedConsent{document: document}
	}
	d, err := r.Documents.Document(ctx, id)
	switch {
	case r.changed(id, err):
		one.err = consent.ErrDocument
	case err != nil:
		one.err = err
	default:
		one.document, one.err = r.OpenConsent(d)
	}
	if known && one.err == nil {
		r.consents.put(key, one.document)
	}
	return one
}

// changed reports whether the bytes of a document are not those that the log names:
// then it counts for nothing, and an operator has to know.
func (r registered) changed(id string, err error) bool {
	if !errors.Is(err, audit.ErrTampered) {
		return false
	}
	r.Log.Error("a registered document was changed in the store; run: ontschot audit verify", "id", id)
	return true
}

// closest says which check a person's consents do not pass, when none of them speaks of
// what is asked.
func (r registered) closest(ctx context.Context, pseudonyms []string, q consent.Use) error {
	var documents []consent.Document
	for _, d := range r.register.Consents(pseudonyms, r.purpose) {
		one := r.open(ctx, d.ID)
		if Unreadable(one.err) != nil {
			return one.err
		}
		if one.err == nil && one.document.Keeper() == r.Own {
			documents = append(documents, one.document)
		}
	}
	if _, err := consent.Find(documents, q); err != nil {
		return err
	}
	return consent.ErrNone
}

// Documents that were read and verified are kept for a while: the bytes are those that the
// log names, the signatures hold by the keys of that generation, and nothing else about
// them is remembered. Whether one counts is for the register to say, every time. After
// that while it is read again, so that bytes that somebody changed are found.
const (
	cachedFor  = time.Minute
	mostCached = 1024
)

// cacheKey is all that what was verified depends on.
type cacheKey struct {
	id            string
	digest, opens [32]byte
	keys          int64
}

// cache of the documents of one kind. It is safe for concurrent use.
type cache[T any] struct {
	now func() time.Time
	mu  sync.Mutex
	all map[cacheKey]cached[T]
	due time.Time // when what is kept for too long goes
}

type cached[T any] struct {
	document T
	until    time.Time
}

func newCache[T any](now func() time.Time) *cache[T] {
	return &cache[T]{now: now, all: map[cacheKey]cached[T]{}}
}

func (k *cache[T]) get(key cacheKey) (document T, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sweep(k.now())
	one, ok := k.all[key]
	if !ok || !k.now().Before(one.until) {
		return document, false
	}
	return one.document, true
}

// sweep lets go of what was kept for long enough, also of documents that nobody asks for any
// more: some were erased.
func (k *cache[T]) sweep(now time.Time) {
	if now.After(k.due) {
		maps.DeleteFunc(k.all, func(_ cacheKey, one cached[T]) bool { return !now.Before(one.until) })
		k.due = now.Add(cachedFor)
	}
}

// put keeps a document. When there is no room the rest goes: what is asked now is likelier
// to be asked again than what was asked before.
func (k *cache[T]) put(key cacheKey, document T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if len(k.all) >= mostCached {
		clear(k.all)
	}
	k.sweep(now)
	k.all[key] = cached[T]{document, now.Add(cachedFor)}
}

func (r registered) key(d register.Record) cacheKey {
	return cacheKey{d.ID, d.Digest, d.Opens, r.Keys.Generation()}
}
