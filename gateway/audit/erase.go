package audit

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ontschot/ontschot/gateway/register"
)

// Erased is what an erasure did.
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
	found      []finding // in the entries up to looked
	looked     int64
	tree       *tree // of the entries that were looked at
	since      int64 // erasures of before this size were seen
	done       Erased
}

// finding is an entry that holds something of the person: which values, and the opening
// without them.
type finding struct {
	gone
	left []byte
}

// destroyed is the payload of an erasure: which documents never come back, by the SHA-256
// of their ids, and what was destroyed, so that the auditor can distinguish it from tampering.
type destroyed struct {
	Documents []string `json:"documents"`
	Values    []gone   `json:"values"`
}

// gone says which values of an entry's opening were destroyed, each as field/number.
type gone struct {
	Entry  int64    `json:"entry"`
	Values []string `json:"values"`
}

// mostEntries bounds of how many entries one erasure lists; what is more is in further
// ones of the same transaction.
const mostEntries = 64

// Erase forgets a person with these pseudonyms, under every version of the key and for
// every purpose: one entry (more when it has much to list), after which none of the
// person's consents was ever given, and in the same transaction all that opens what the
// log holds of the person is destroyed, with the bytes of the consents. What is in the
// tree stays, and reveals nothing. Copies that were made before are not reached. Errors:
// ErrNoDocument when nothing is stored of the person, ErrTampered when the log does not
// hold, ErrInvalid, ErrUnavailable.
func (l *Log) Erase(ctx context.Context, e Entry) (Erased, error) {
	work := &erasing{pseudonyms: map[string]bool{}, consents: map[string]bool{}}
	for _, s := range e.Subjects {
		work.pseudonyms[string(s)] = true
	}
	view := l.Register()
	work.of(view)
	work.restart(view.Size())
	// Most of it is found before the writer is held up.
	err := l.cfg.Store.View(ctx, l.cfg.Tenant, func(s Snapshot) error {
		head, err := s.Head()
		if err != nil {
			return err
		}
		signed, err := signedHead(head, l.cfg.Origin, l.cfg.keys())
		if err != nil {
			return err
		}
		return work.look(ctx, s, signed.Tree)
	})
	if err != nil {
		return Erased{}, fmt.Errorf("erasing: %w", err)
	}
	if len(work.consents)+len(work.found) == 0 && e.Once == nil {
		return Erased{}, ErrNoDocument
	}
	e.Kind, e.erase = Erasure, work
	p, err := l.Append(ctx, e)
	if err != nil {
		return Erased{}, err // the writer may still be at it
	}
	done := work.done
	done.Index = p.Index
	return done, nil
}

// restart looks at all entries anew.
func (e *erasing) restart(since int64) {
	e.found, e.looked, e.tree, e.since = nil, 0, nothing(), since
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

// look finds what is held of the person, from where it has looked up to a signed head. An
// erasure vouches for what it destroys: so what does not hold is not touched.
func (e *erasing) look(ctx context.Context, s Snapshot, head tlog.Tree) error {
	for e.looked < head.N {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows, err := s.Rows(e.looked, int(min(pageSize, head.N-e.looked)))
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return tampered(e.looked, "n: no entry of this index")
		}
		for _, row := range rows {
			if err := e.entry(row); err != nil {
				return err
			}
		}
		if e.tree, err = e.tree.sealed(); err != nil {
			return err
		}
	}
	if e.tree.Hash != head.Hash {
		return headTampered("checkpoint: its root is not that of the entries")
	}
	return nil
}

func (e *erasing) entry(row Row) error {
	if row.Bad != "" || row.Index != e.looked {
		return tampered(e.looked, "n: no entry of this index")
	}
	_, open, err := readRow(row)
	if err != nil {
		return tampered(row.Index, "%v", err)
	}
	if _, err := e.tree.add(tlog.RecordHash(row.Leaf)); err != nil {
		return err
	}
	e.looked++
	values := e.values(&open)
	if len(values) == 0 {
		return nil
	}
	left, err := emptied(row.Opening, values)
	e.found = append(e.found, finding{gone{row.Index, values}, left})
	return err
}

// values are those of an opening that concern the person, as field/number.
func (e *erasing) values(o *opening) (list []string) {
	for _, l := range o.lists() {
		for i, v := range *l.list {
			if e.concerns(l.field, v.Value) { // what is gone already concerns nobody
				list = append(list, fmt.Sprintf("%s/%d", l.field, i))
			}
		}
	}
	return list
}

func (e *erasing) concerns(f field, value []byte) bool {
	text := string(value)
	switch f {
	case subjectsField:
		return e.pseudonyms[text]
	case consentsField, confirmField, endField:
		return e.consents[text]
	case restsField:
		return e.consents[restOf(text).ID]
	case putField:
		d, ok := parseDescription(value)
		return ok && e.consents[d.ID]
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

// erase appends the entries of an erasure, and destroys what they list. A refusal
// destroys nothing.
func (t *transaction) erase(p *prepared) (outcome, error) {
	work := p.erase
	known := len(work.consents) + len(work.pseudonyms)
	work.of(t.register.Head())
	if len(work.consents)+len(work.pseudonyms) > known || t.register.Erased() > work.since {
		work.restart(t.tree.N) // something was said, or destroyed, meanwhile
	}
	// What is in the store, and then what this very group adds to it.
	stored := tlog.Tree{N: t.tree.N - int64(len(t.batch.Rows)), Hash: t.tree.Hash}
	if err := work.look(context.Background(), t.tx, stored); err != nil {
		return outcome{}, err
	}
	for _, row := range t.batch.Rows {
		if err := work.entry(row); err != nil {
			return outcome{}, err
		}
	}
	if len(work.consents)+len(work.found) == 0 {
		return outcome{err: ErrNoDocument}, nil
	}
	entries, err := t.erasures(p, work)
	if err != nil {
		return outcome{err: err}, nil
	}
	var first outcome
	for i, one := range entries {
		out, err := t.append(one)
		if err != nil {
			return out, err
		}
		if i == 0 {
			first = out
		}
	}
	for _, f := range work.found {
		if f.Entry >= stored.N {
			row := &t.batch.Rows[f.Entry-stored.N]
			row.Opening, row.few = f.left, nil
			continue
		}
		t.batch.Openings = append(t.batch.Openings, Opening{Index: f.Entry, Opening: f.left})
	}
	t.batch.Drops, t.batch.Register = keysOf(work.consents), &SnapshotRow{}
	work.done = Erased{Consents: len(work.consents), Entries: len(work.found)}
	return first, nil
}

// erasures are the entries of an erasure. Each lists its own subjects as destroyed
// too: they never reach the store.
func (t *transaction) erasures(p *prepared, work *erasing) (list []*prepared, err error) {
	documents := []string{}
	for _, id := range keysOf(work.consents) {
		documents = append(documents, digestOf([]byte(id)))
	}
	slices.Sort(documents)
	own := []string{}
	for i := range p.entry.Subjects {
		own = append(own, fmt.Sprintf("%s/%d", subjectsField, i))
	}
	for len(list) == 0 || len(list) < (len(work.found)+mostEntries-1)/mostEntries {
		from := len(list) * mostEntries
		says := destroyed{Documents: documents, Values: []gone{}}
		for _, f := range work.found[from:min(len(work.found), from+mostEntries)] {
			says.Values = append(says.Values, f.gone)
		}
		says.Values = append(says.Values, gone{t.tree.N + int64(len(list)), own})
		e := p.entry
		if e.Payload, err = encodeCanonical(says); err != nil {
			return nil, err
		}
		if len(list) > 0 {
			e.Once = nil
		}
		one, err := prepare(e, t.log.cfg.Tenant, t.log.cfg.Now(), max(t.log.cfg.Today(), t.register.Day()))
		if err != nil {
			return nil, err
		}
		one.fact.Erase = keysOf(work.pseudonyms)
		one.fact.Gone, _ = says.goneFor()
		if one.opening, err = emptied(one.opening, own); err != nil {
			return nil, err
		}
		one.few = nil
		list, documents = append(list, one), []string{}
	}
	return list, nil
}

// emptied gives an opening without some of its values.
func emptied(raw []byte, values []string) ([]byte, error) {
	open, err := parseOpening(raw)
	if err != nil {
		return nil, err
	}
	drop := map[string]bool{}
	for _, value := range values {
		drop[value] = true
	}
	for _, l := range open.lists() {
		for i := range *l.list {
			if drop[fmt.Sprintf("%s/%d", l.field, i)] {
				(*l.list)[i] = opened{}
			}
		}
	}
	return open.encode(), nil
}

// ledger follows what was destroyed to the erasures that list it.
type ledger map[int64][]string

// entry takes down what of an entry is gone. An erasure strikes out what it lists, and
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
		left := slices.DeleteFunc(slices.Clone(l[g.Entry]), func(value string) bool { return slices.Contains(g.Values, value) })
		if l[g.Entry] = left; len(left) == 0 {
			delete(l, g.Entry)
		}
	}
	return allGone(s, says.Values)
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

// allGone is nil when nothing of what was destroyed is there. The list is in order.
func allGone(s Snapshot, list []gone) error {
	var page []Row
	for _, g := range list {
		if len(page) == 0 || g.Entry < page[0].Index || g.Entry > page[len(page)-1].Index {
			var err error
			if page, err = s.Rows(g.Entry, pageSize); err != nil {
				return err
			}
		}
		at := -1
		if len(page) > 0 {
			at = int(g.Entry - page[0].Index)
		}
		if at < 0 || at >= len(page) || page[at].Index != g.Entry || page[at].Bad != "" {
			return tampered(max(0, g.Entry), "n: no entry of this index")
		}
		open, err := parseOpening(page[at].Opening)
		if err != nil {
			return tampered(g.Entry, "%v", err)
		}
		missing := map[string]bool{}
		for _, value := range open.missing() {
			missing[value] = true
		}
		for _, value := range g.Values {
			if !missing[value] {
				return tampered(g.Entry, "opening: what was erased is there again")
			}
		}
	}
	return nil
}

// settled is nil when erasures list all that is gone.
func (l ledger) settled() error {
	if len(l) == 0 {
		return nil
	}
	first := int64(maxIndex)
	for index := range l {
		first = min(first, index)
	}
	return tampered(first, "opening: something is gone, and no erasure lists it")
}
