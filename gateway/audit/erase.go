package audit

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/gateway/register"
)

// Erased tells what an erasure did.
type Erased struct {
	// Index of its entry.
	Index int64
	// Consents that were forgotten, and Entries in which something was destroyed.
	Consents, Entries int
}

// erasing is what is destroyed of one person: consents by id, and pseudonyms.
type erasing struct {
	pseudonyms map[string]bool
	consents   map[string]bool
	found      []int64 // entries that hold something of it, up to looked
	looked     int64
	gone       []gone
	done       Erased
}

// destroyed is the payload of an erasure: which documents never come back, by the SHA-256
// of their ids, and what was destroyed, so that the auditor can tell it from tampering.
type destroyed struct {
	Documents []string `json:"documents"`
	Values    []gone   `json:"values"`
}

// gone says which values of an entry's opening were destroyed, each as field/number.
type gone struct {
	Entry  int64    `json:"entry"`
	Values []string `json:"values"`
}

// maxGone bounds how much one erasure may destroy, in entries.
const maxGone = 4096

// Erase forgets a person with these pseudonyms, under every version of the key and for
// every purpose: one entry, after which none of the person's consents was ever given, and
// in the same transaction all that opens what the log holds of the person is destroyed,
// with the bytes of the consents. What stands in the tree stays, and says nothing. Copies
// that were made before are not reached. Errors: ErrNoDocument when nothing is kept of
// the person, ErrInvalid, ErrUnavailable.
func (l *Log) Erase(ctx context.Context, e Entry) (Erased, error) {
	work := &erasing{pseudonyms: map[string]bool{}, consents: map[string]bool{}}
	for _, s := range e.Subjects {
		work.pseudonyms[string(s)] = true
	}
	work.of(l.Register())
	if len(work.consents) == 0 {
		return Erased{}, ErrNoDocument
	}
	// Most of it is found before the writer is held up.
	err := l.cfg.Store.View(ctx, l.cfg.Tenant, func(s Snapshot) error {
		head, err := s.Head()
		if err != nil {
			return err
		}
		return work.look(ctx, s, head.Size)
	})
	if err != nil {
		return Erased{}, fmt.Errorf("erasing: %w", err)
	}
	e.Kind, e.erase = Erasure, work
	p, err := l.Append(ctx, e)
	work.done.Index = p.Index
	return work.done, err
}

// of finds the consents of the person, and further pseudonyms that they are known under.
func (e *erasing) of(v register.View) {
	for _, d := range v.Consents(keysOf(e.pseudonyms), "") {
		e.consents[d.ID], e.pseudonyms[d.Subject] = true, true
	}
}

func keysOf(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for s := range set {
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}

// look finds the entries that hold something of the person, from where it has looked.
func (e *erasing) look(ctx context.Context, s Snapshot, size int64) error {
	for e.looked < size {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows, err := s.Rows(e.looked, int(min(pageSize, size-e.looked)))
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return tampered(e.looked, "n: no entry of this index")
		}
		for _, row := range rows {
			open, err := parseOpening(row.Opening)
			if err != nil || row.Index != e.looked {
				return tampered(e.looked, "opening: cannot be read")
			}
			if len(e.values(&open)) > 0 {
				e.found = append(e.found, row.Index)
			}
			e.looked++
		}
	}
	return nil
}

// values are those of an opening that tell of the person, as field/number.
func (e *erasing) values(o *opening) (list []string) {
	for _, l := range o.lists() {
		for i, v := range *l.list {
			if !v.gone() && e.tells(l.field, v.Value) {
				list = append(list, fmt.Sprintf("%s/%d", l.field, i))
			}
		}
	}
	return list
}

func (e *erasing) tells(f field, value []byte) bool {
	text := string(value)
	switch f {
	case subjectsField:
		return e.pseudonyms[text]
	case consentsField, confirmField, endField:
		return e.consents[text]
	case restsField:
		return e.consents[restOf(text).ID]
	case putField:
		var d description
		return decodeCanonical(value, putField.size(), &d) == nil && e.consents[d.ID]
	case payloadField:
		return e.mentions(text)
	}
	return false
}

// mentions reports whether a text holds one of the pseudonyms or ids.
func (e *erasing) mentions(text string) bool {
	for id := range e.consents {
		if strings.Contains(text, id) {
			return true
		}
	}
	for s := range e.pseudonyms {
		if strings.Contains(text, s) || strings.Contains(text, base64.RawURLEncoding.EncodeToString([]byte(s))) {
			return true
		}
	}
	return false
}

// erase appends the entry of an erasure, with what it destroys in its payload.
func (t *transaction) erase(p *prepared) (outcome, error) {
	work := p.erase
	known := len(work.consents) + len(work.pseudonyms)
	*work = erasing{pseudonyms: work.pseudonyms, consents: work.consents, found: work.found, looked: work.looked}
	work.of(t.register.Head())
	if len(work.consents)+len(work.pseudonyms) > known { // something was said meanwhile
		work.found, work.looked = nil, 0
	}
	p.fact.Erase = keysOf(work.pseudonyms)
	if err := t.register.Refuse(p.fact); err != nil {
		return outcome{err: err}, nil
	}
	if len(t.batch.Rows) > 0 { // entries of this very group are not in the store yet
		return outcome{err: fmt.Errorf("%w: try again", ErrUnavailable)}, nil
	}
	if err := work.look(context.Background(), t.tx, t.tree.N); err != nil {
		return outcome{}, err
	}
	for _, index := range work.found {
		if err := t.destroy(work, index); err != nil {
			return outcome{}, err
		}
	}
	own := gone{Entry: t.tree.N}
	for i := range p.entry.Subjects {
		own.Values = append(own.Values, fmt.Sprintf("%s/%d", subjectsField, i))
	}
	work.gone = append(work.gone, own)
	if len(work.gone) > maxGone {
		return outcome{err: invalid("erase: more than %d entries tell of the person", maxGone)}, nil
	}
	says := destroyed{Values: work.gone}
	for _, id := range keysOf(work.consents) {
		says.Documents = append(says.Documents, digestOf([]byte(id)))
	}
	slices.Sort(says.Documents)
	payload, err := encodeCanonical(says)
	if err != nil {
		return outcome{}, err
	}
	e := p.entry
	e.Payload = payload
	whole, err := prepare(e, t.log.cfg.Tenant, t.log.cfg.Now(), max(t.log.cfg.Today(), t.register.Day()))
	if err != nil {
		return outcome{err: err}, nil
	}
	whole.fact.Gone, _ = says.goneFor()
	if whole.opening, err = emptied(whole.opening, own.Values); err != nil {
		return outcome{}, err
	}
	work.done.Consents, work.done.Entries = len(work.consents), len(work.gone)-1
	t.batch.Drops, t.batch.Register = keysOf(work.consents), &SnapshotRow{}
	return t.append(whole)
}

// destroy empties what an entry's opening holds of the person.
func (t *transaction) destroy(work *erasing, index int64) error {
	row, err := rowAt(t.tx, index)
	if err != nil {
		return err
	}
	open, err := parseOpening(row.Opening)
	if err != nil {
		return tampered(index, "opening: cannot be read")
	}
	values := work.values(&open)
	if len(values) == 0 {
		return nil
	}
	left, err := emptied(row.Opening, values)
	if err != nil {
		return err
	}
	work.gone = append(work.gone, gone{index, values})
	t.batch.Openings = append(t.batch.Openings, Opening{Index: index, Opening: left})
	return nil
}

// emptied gives an opening without some of its values.
func emptied(raw []byte, values []string) ([]byte, error) {
	open, err := parseOpening(raw)
	if err != nil {
		return nil, err
	}
	for _, l := range open.lists() {
		for i := range *l.list {
			if slices.Contains(values, fmt.Sprintf("%s/%d", l.field, i)) {
				(*l.list)[i] = opened{}
			}
		}
	}
	return open.encode()
}

// ledger follows what was destroyed to the erasures that tell of it.
type ledger map[int64][]string

// entry takes down what of an entry is gone. An erasure strikes out what it tells of, and
// finds that it is gone: whoever puts back what was erased would make it count again.
func (l ledger) entry(s Snapshot, index int64, leaf *Leaf, open *opening) error {
	if missing := open.missing(); len(missing) > 0 {
		l[index] = missing
	}
	if leaf.Kind != Erasure {
		return nil
	}
	says, ok := destroyedBy(open)
	if !ok {
		return tampered(index, "opening: an erasure does not say what it destroyed")
	}
	for _, g := range says.Values {
		if err := g.holds(s); err != nil {
			return err
		}
		left := slices.DeleteFunc(slices.Clone(l[g.Entry]), func(value string) bool { return slices.Contains(g.Values, value) })
		if l[g.Entry] = left; len(left) == 0 {
			delete(l, g.Entry)
		}
	}
	return nil
}

// destroyedBy reads what an erasure says; false when it does not say it.
func destroyedBy(open *opening) (says destroyed, ok bool) {
	payload, ok := single(open.Payload)
	return says, ok && decodeCanonical(payload, payloadField.size(), &says) == nil
}

// goneFor gives the ids that never come back, for the register.
func (d destroyed) goneFor() (ids [][32]byte, ok bool) {
	for _, text := range d.Documents {
		id, err := hex.DecodeString(text)
		if err != nil || len(id) != 32 {
			return nil, false
		}
		ids = append(ids, [32]byte(id))
	}
	return ids, true
}

// holds is nil when what was destroyed is not there.
func (g gone) holds(s Snapshot) error {
	row, err := rowAt(s, g.Entry)
	if err != nil {
		return err
	}
	open, err := parseOpening(row.Opening)
	if err != nil {
		return tampered(g.Entry, "%v", err)
	}
	missing := open.missing()
	for _, value := range g.Values {
		if !slices.Contains(missing, value) {
			return tampered(g.Entry, "opening: what was erased is there again")
		}
	}
	return nil
}

// settled is nil when an erasure tells of all that is gone.
func (l ledger) settled() error {
	if len(l) == 0 {
		return nil
	}
	first := int64(maxIndex)
	for index := range l {
		first = min(first, index)
	}
	return tampered(first, "opening: something is gone, and no erasure tells of it")
}
