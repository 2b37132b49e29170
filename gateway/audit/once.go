package audit

import "time"

// keyLife is how long a key counts when an entry does not say.
const keyLife = 24 * time.Hour

// Once makes a request with an idempotency key count once. Neither
// the key nor the request is stored, and no answer: only what recognises them.
type Once struct {
	// Key is the HMAC of the caller and the key they chose, Body that of the method
	// and the canonical request. Both required.
	Key, Body [32]byte
	// Ref is the id of a document that the request makes; may be empty.
	Ref string
	// Life is how long the key counts; zero means 24 hours.
	Life time.Duration
}

// OnceRow is what is stored of the first request with a key.
type OnceRow struct {
	Key, Body [32]byte
	Ref       string
	// Entry is the index of the request's entry.
	Entry int64
	// Expires is when the key is free again, in milliseconds since 1970.
	Expires int64
}

func (o *Once) check() error {
	switch {
	case o == nil:
		return nil
	case o.Key == [32]byte{}:
		return invalid("once.key")
	case o.Body == [32]byte{}:
		return invalid("once.body")
	case o.Ref != "" && !isID(o.Ref):
		return invalid("once.ref")
	case o.Life < 0:
		return invalid("once.life")
	}
	return nil
}

// row gives what is to be stored when the key is used at a time in milliseconds,
// but for the entry; nil without a key.
func (o *Once) row(at int64) *OnceRow {
	if o == nil {
		return nil
	}
	life := o.Life
	if life == 0 {
		life = keyLife
	}
	return &OnceRow{Key: o.Key, Body: o.Body, Ref: o.Ref, Expires: at + life.Milliseconds()}
}

// first gives the row of an earlier request with the key of this one; nil if
// there is none, or none that still counts.
func (t *transaction) first(p *prepared) (*OnceRow, error) {
	if p.once == nil {
		return nil, nil
	}
	row, known := t.once[p.once.Key]
	if !known {
		var err error
		if row, known, err = t.tx.Once(p.once.Key); err != nil {
			return nil, err
		}
	}
	if !known || row.Expires <= p.time {
		return nil, nil
	}
	return &row, nil
}

// repeat answers a request whose key was used before. A request is decided anew, as
// no budget is stored to answer it with, and its leaf names the one it repeats;
// whatever else was done is not done again. What the row points to is read and
// not believed, as the rows of keys are no part of the log.
func (t *transaction) repeat(p *prepared, first *OnceRow) (outcome, error) {
	if first.Body != p.once.Body {
		return outcome{err: ErrKeyReused}, nil
	}
	leaf, err := t.leaf(first.Entry)
	if err != nil {
		return outcome{}, err
	}
	if leaf.Kind.asks() != p.kind.asks() || leaf.RetryOf != noRetry {
		return outcome{err: ErrKeyReused}, nil
	}
	if !p.kind.asks() {
		return outcome{index: first.Entry, again: true, ref: first.Ref}, nil
	}
	retry, err := p.retry(first.Entry)
	if err != nil {
		return outcome{}, err
	}
	return t.enter(retry)
}

// retry gives the same entry as the retry of another.
func (p *prepared) retry(of int64) (*prepared, error) {
	next, err := p.changed(func(l *Leaf) { l.RetryOf = of })
	if err == nil {
		next.once = nil
	}
	return next, err
}

// bind stores the key of a request with the entry that was made for it.
func (t *transaction) bind(p *prepared, index int64) {
	if p.once == nil {
		return
	}
	row := *p.once
	row.Entry = index
	if t.once == nil {
		t.once = map[[32]byte]OnceRow{}
	}
	t.once[row.Key] = row
	t.batch.Once = append(t.batch.Once, row)
	t.batch.Now = p.time
}
