package audit

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

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
	salt    []byte // of the payload
	record  tlog.Hash
	rests   []string
	put     *Document
	end     string
	once    *OnceRow // but for its entry; nil without a key
}

func prepare(e Entry, tenant identity.OIN, now time.Time) (*prepared, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("%w: no randomness", ErrUnavailable)
	}
	p := &prepared{
		kind: e.Kind, id: id.String(), time: now.UnixMilli(), trace: e.Trace, decided: -1, rests: e.Rests, end: e.End,
	}
	p.once = e.Once.row(p.time)
	if e.Kind == Release {
		p.decided = e.Decided
	}
	if e.Put != nil {
		d := e.Put.filled()
		p.put = &d
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
		Consents: valuesOf(e.Consents), Rests: valuesOf(e.Rests), Subjects: make([]opened, len(e.Subjects)),
	}
	for i, s := range e.Subjects {
		o.Subjects[i].Value = s
	}
	if len(e.Case) > 0 {
		o.Case = []opened{{Value: e.Case}}
	}
	if len(e.Payload) > 0 {
		o.Payload = []opened{{Value: e.Payload}}
	}
	if e.End != "" {
		o.End = []opened{{Value: []byte(e.End)}}
	}
	if p.put != nil {
		text, err := encodeCanonical(p.put.description())
		if err != nil {
			return opening{}, err
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
		Activity: e.Activity, Agreements: e.Agreements, Decided: p.decided, Decision: e.Decision,
		ID: p.id, Kind: e.Kind, Organisations: e.Organisations, Policy: e.PolicyRevision,
		RetryOf: noRetry, Status: e.Status, Tenant: tenant, Time: p.time, Trace: e.Trace, Version: leafVersion,
	}
	o.seal(&l)
	if err := l.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if p.leaf, err = l.encode(); err != nil {
		return err
	}
	if p.opening, err = o.encode(); err != nil {
		return err
	}
	p.salt, p.record = o.payloadSalt(), tlog.RecordHash(p.leaf)
	return nil
}
