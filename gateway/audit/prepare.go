package audit

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// prepared is an entry that only lacks its place in the log. All hashing that
// does not depend on the place is done here, in the caller's goroutine.
type prepared struct {
	kind    Kind
	id      string
	time    int64 // of the leaf, milliseconds
	trace   string
	decided int64
	leaf    []byte
	opening []byte
	few     []byte // both, but for an erasure
	salt    []byte // of the payload
	record  tlog.Hash
	rests   []register.Rest
	needs   []register.Rest
	by      int64
	judged  int64
	epoch   int64 // that begins here; else 0
	entry   Entry // of an erasure, which the transaction completes
	erase   *erasing
	written *SnapshotRow
	put     *Document
	once    *OnceRow // but for its entry; nil without a key
	fact    register.Entry
}

func prepare(e Entry, tenant identity.OIN, now time.Time, today civil.Date) (*prepared, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("%w: no randomness", ErrUnavailable)
	}
	p := &prepared{
		kind: e.Kind, id: id.String(), time: now.UnixMilli(), trace: e.Trace, decided: -1, rests: e.Rests, needs: e.Needs, by: e.By, judged: e.Judged, epoch: e.epoch, written: e.snapshot,
	}
	if e.Day.IsZero() {
		e.Day = today
	}
	p.fact = register.Entry{Day: e.Day, Time: p.time, End: e.End, Stated: e.Kind == Withdrawal, Key: e.Key, Confirm: e.Confirm, Epoch: e.epoch > 0}
	p.fact.Policy = policyOf(e.Kind, e.PolicyRevision, e.Decision, e.Status)
	if e.erase != nil {
		p.entry, p.erase, p.fact.Erase = e, e.erase, keysOf(e.erase.pseudonyms)
	}
	p.once = e.Once.row(p.time)
	if e.Kind == Release {
		p.decided = e.Decided
	}
	if e.Put != nil {
		d := e.Put.filled()
		p.put, p.fact.Put = &d, &d.Document
	}
	o, err := p.openingOf(e)
	if err != nil {
		return nil, err
	}
	return p, p.encode(e, o, tenant)
}

// openingOf gathers the values that the leaf only commits to.
func (p *prepared) openingOf(e Entry) (opening, error) {
	o := opening{
		Consents: valuesOf(e.Consents), Subjects: make([]opened, len(e.Subjects)),
	}
	for i, s := range e.Subjects {
		o.Subjects[i].Value = s
	}
	for _, r := range e.Rests {
		o.Rests = append(o.Rests, opened{Value: []byte(restText(r))})
	}
	if len(e.Case) > 0 {
		o.Case = []opened{{Value: e.Case}}
	}
	if len(e.Payload) > 0 {
		o.Payload = []opened{{Value: e.Payload}}
	}
	if e.Confirm != "" {
		o.Confirm = []opened{{Value: []byte(e.Confirm)}}
	}
	if e.End != "" {
		o.End = []opened{{Value: []byte(e.End)}}
	}
	if p.put != nil {
		says := p.put.description()
		text, err := encodeCanonical(says)
		if err != nil {
			return opening{}, err
		}
		if _, ok := says.document(); !ok || len(text) > putField.size() { // it could not be read again
			return opening{}, invalid("put: a date, or too much")
		}
		o.Put = []opened{{Value: text}}
	}
	return o, nil
}

func valuesOf(texts []string) []opened {
	list := make([]opened, len(texts))
	for i, s := range texts {
		list[i].Value = []byte(s)
	}
	return list
}

func (p *prepared) encode(e Entry, o opening, tenant identity.OIN) (err error) {
	l := Leaf{
		Activity: e.Activity, Agreements: e.Agreements, Decided: p.decided, Decision: e.Decision, Epoch: e.epoch,
		ID: p.id, Kind: e.Kind, Organisations: e.Organisations, Policy: e.PolicyRevision,
		Day: e.Day.String(), RetryOf: noRetry, Status: e.Status, Tenant: tenant, Time: p.time, Trace: e.Trace, Version: leafVersion,
	}
	if e.snapshot != nil {
		l.Snapshot = digestOf(e.snapshot.Body)
	}
	if e.Key != nil {
		l.Key, l.Status, l.Organisations = e.Key.Digest, string(e.Key.State), []identity.OIN{e.Key.Owner}
	}
	o.seal(&l)
	if err := l.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if p.leaf, err = l.encode(); err != nil {
		return err
	}
	if len(p.leaf) > maxLeaf {
		return invalid("too much for one entry")
	}
	p.opening, p.few = o.encode(), fewBytes(&l, &o)
	p.salt, p.record = o.payloadSalt(), tlog.RecordHash(p.leaf)
	return nil
}

// restText is how a leaf commits to what an entry rests on: the id of a document, and
// of a consent also the source and the recipient, with strokes between.
func restText(r register.Rest) string {
	if r.Source == "" {
		return r.ID
	}
	return r.ID + "/" + string(r.Source) + "/" + string(r.Recipient)
}

func restOf(text string) register.Rest {
	id, of, _ := strings.Cut(text, "/")
	source, recipient, _ := strings.Cut(of, "/")
	return register.Rest{ID: id, Source: identity.OIN(source), Recipient: identity.OIN(recipient)}
}

// factOf is what the register takes from an entry that is in the log.
func factOf(index int64, leaf *Leaf, open *opening) (register.Entry, error) {
	e := register.Entry{Index: index, Time: leaf.Time, Stated: leaf.Kind == Withdrawal, Epoch: leaf.Kind == NewEpoch}
	e.Day, _ = civil.Parse(leaf.Day) // ParseLeaf has checked it
	if leaf.Kind == Erasure {
		says, ok := destroyedBy(open)
		ids, good := says.goneFor()
		if e.Gone = ids; !ok || !good {
			return e, tampered(index, "opening: an erasure does not say what it destroyed")
		}
	}
	if id, ok := single(open.Confirm); ok {
		e.Confirm = string(id)
	}
	if id, ok := single(open.End); ok {
		e.End = string(id)
	}
	if leaf.Key != "" {
		e.Key = &register.KeyChange{Owner: leaf.Organisations[0], Digest: leaf.Key, State: register.KeyState(leaf.Status)}
	}
	e.Policy = policyOf(leaf.Kind, leaf.Policy, leaf.Decision, leaf.Status)
	text, ok := single(open.Put)
	if !ok {
		return e, nil
	}
	d, ok := parseDescription(text)
	if !ok {
		return e, tampered(index, "opening: put is no description of a document")
	}
	put, ok := d.document()
	if !ok {
		return e, tampered(index, "opening: put is no description of a document")
	}
	e.Put = &put
	return e, nil
}

// policyOf is the change of the policies that an entry is.
func policyOf(kind Kind, revision, parent, status string) *register.PolicyChange {
	c := register.PolicyChange{Revision: revision, Parent: parent, Status: register.PolicyStatus(status)}
	if kind != Policy || !c.Status.Known() || !identity.IsSHA256(revision) || parent != "" && !identity.IsSHA256(parent) {
		return nil
	}
	return &c
}

// later gives the same entry, judged by a later day: of what narrows, or was never
// judged by a day, the day of the log is as good.
func (p *prepared) later(day civil.Date) (*prepared, error) {
	next, err := p.changed(func(l *Leaf) { l.Day = day.String() })
	if err == nil {
		next.fact.Day = day
	}
	return next, err
}

// changed gives the same entry with something in its leaf that depends on its place in the
// log.
func (p *prepared) changed(change func(*Leaf)) (*prepared, error) {
	leaf, err := ParseLeaf(p.leaf)
	if err != nil {
		return nil, err
	}
	change(&leaf)
	next := *p
	if next.leaf, err = leaf.encode(); err != nil {
		return nil, err
	}
	next.record, next.few = tlog.RecordHash(next.leaf), nil // it is rare
	return &next, nil
}
