package audit

import "github.com/ontschot/ontschot/gateway/register"

// transaction is one group on its way into the log.
type transaction struct {
	log       *Log
	tx        Tx
	tree      *tree                // the head and what is added to it
	next      *tree                // the new head alone
	register  *register.Register   // as the entries taken so far leave it
	once      map[[32]byte]OnceRow // keys that the entries taken so far use
	decisions map[int64]string
	batch     Batch
	outcomes  []outcome
}

// take appends one entry or refuses it without touching its neighbours; an error
// of its own is the transaction's.
func (t *transaction) take(p *prepared) (outcome, error) {
	first, err := t.first(p)
	if err != nil {
		return outcome{}, err
	}
	if first != nil {
		return t.repeat(p, first)
	}
	if index, ok := t.again(p); ok {
		t.bind(p, index)
		return outcome{index: index, again: true}, nil
	}
	return t.enter(p)
}

// enter appends an entry that was not in the log before, or refuses it.
func (t *transaction) enter(p *prepared) (outcome, error) {
	switch {
	case p.kind == Erasure:
		return t.erase(p)
	case p.kind == Snapshotted && p.written.Index != t.tree.N: // another process was faster
		return outcome{err: ErrConflict}, nil
	}
	if day := t.register.Day(); p.fact.Day < day {
		if p.kind.asks() || p.kind == Release {
			return outcome{err: ErrDay}, nil
		}
		var err error
		if p, err = p.later(day); err != nil {
			return outcome{}, err
		}
	}
	refusal, err := t.refuse(p)
	if err != nil {
		return outcome{}, err
	}
	if refusal != nil {
		return outcome{err: refusal}, nil
	}
	return t.append(p)
}

// again finds the entry that did this already: a withdrawal of what has ended, or
// the same document put twice. As long as something is left to end, it did not.
func (t *transaction) again(p *prepared) (int64, bool) {
	view := t.register.Head()
	if p.kind == Withdrawal {
		end, known := view.Document(p.fact.End)
		return end.Ended, known && !end.Live() && !t.register.Ends(p.fact.End)
	}
	if end, known := view.Document(p.fact.End); p.put == nil || known && end.Live() {
		return 0, false
	}
	d, known := view.Document(p.put.ID)
	return d.Entered, known && d.Live() && d.Digest == p.put.Digest && d.Kind == p.put.Kind
}

// refuse returns why an entry cannot be at this place in the log.
func (t *transaction) refuse(p *prepared) (refusal, err error) {
	if p.by > 0 && p.by < t.register.Erased() {
		return ErrJudged, nil
	}
	for _, r := range p.needs {
		if !t.register.Head().Counts(r, p.fact.Day, p.by) {
			return ErrJudged, nil
		}
	}
	judged := p.judged // as the auditor will take it, who knows the decision only
	switch {
	case p.kind == Release && (judged == 0 || judged > p.decided):
		judged = p.decided + 1
	case judged == 0:
		judged = t.tree.N
	}
	for _, r := range p.rests {
		if !t.register.Head().Counts(r, p.fact.Day, judged) {
			return &EndedError{ID: r.ID}, nil
		}
	}
	if err := t.register.Refuse(p.fact); err != nil {
		return err, nil
	}
	if p.kind == Release {
		return t.refuseUndecided(p)
	}
	return nil, nil
}

// refuseUndecided looks for the decision that a release carries out.
func (t *transaction) refuseUndecided(p *prepared) (refusal, err error) {
	refusal = invalid("decided: no decision of this trace has this index")
	trace, known := t.log.decisions[p.decided]
	if !known {
		leaf, err := t.leaf(p.decided)
		if err != nil || leaf.Kind != Decision {
			return refusal, err
		}
		trace = leaf.Trace
	}
	if trace != p.trace {
		return refusal, nil
	}
	return nil, nil
}

// leaf reads an entry before this place, of this group or an earlier one; its
// zero value if there is none of this index.
func (t *transaction) leaf(index int64) (leaf Leaf, err error) {
	if index < 0 || index >= t.tree.N {
		return Leaf{}, nil
	}
	var row Row
	if n := index - (t.tree.N - int64(len(t.batch.Rows))); n >= 0 {
		row = t.batch.Rows[n]
	} else if row, err = rowAt(t.tx, index); err != nil {
		return Leaf{}, err
	}
	if leaf, err = ParseLeaf(row.Leaf); err != nil {
		return Leaf{}, tampered(index, "leaf: %v", err)
	}
	return leaf, nil
}

func (t *transaction) append(p *prepared) (outcome, error) {
	index := t.tree.N
	hashes, err := t.tree.add(p.record)
	if err != nil {
		return outcome{}, err
	}
	t.batch.Rows = append(t.batch.Rows, Row{Index: index, ID: p.id, Leaf: p.leaf, Opening: p.opening, Hashes: hashes, few: p.few})
	if p.kind == Decision {
		t.decisions[index] = p.trace
	}
	if p.written != nil {
		t.batch.Register = p.written
	}
	if p.put != nil {
		t.batch.Puts = append(t.batch.Puts, Stored{ID: p.put.ID, Body: p.put.Body, Openings: p.put.Openings})
	}
	if p.epoch > 0 {
		t.tree.epoch = p.epoch
	}
	p.fact.Index = index
	t.register.Apply(p.fact)
	t.bind(p, index)
	return outcome{index: index, tree: t.tree, leaf: p.leaf}, nil
}

// sign makes the new head, over all that was appended; if nothing was, the head
// stays.
func (t *transaction) sign() (err error) {
	if len(t.batch.Rows) == 0 {
		t.next, t.batch.Head = t.tree, Head{Size: t.tree.N, Checkpoint: t.tree.checkpoint}
		return nil
	}
	if err := t.tree.seal(); err != nil {
		return err
	}
	t.tree.checkpoint, err = signCheckpoint(originOf(t.log.cfg.Origin, t.tree.epoch), t.tree.Tree, t.log.cfg.Key.Signer)
	if err != nil {
		return err
	}
	t.batch.Head = Head{Size: t.tree.N, Checkpoint: t.tree.checkpoint}
	t.next, err = t.tree.trimmed()
	return err
}
