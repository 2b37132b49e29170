package audit

// transaction is one group on its way into the log.
type transaction struct {
	log       *Log
	tx        Tx
	tree      *tree               // the head and what is added to it
	next      *tree               // the new head alone
	documents map[string]Document // as the entries taken so far leave them
	decisions map[int64]string
	batch     Batch
	outcomes  []outcome
}

// take appends one entry or refuses it without touching its neighbours; an error
// of its own is the transaction's.
func (t *transaction) take(p *prepared) (outcome, error) {
	if index, ok := t.again(p); ok {
		return outcome{index: index}, nil
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

// again finds the entry that did this already: the same document put twice, or a
// withdrawal of what has ended.
func (t *transaction) again(p *prepared) (int64, bool) {
	if p.put != nil {
		d, kept := t.documents[p.put.ID]
		return d.Entered, kept && d.Live() && d.Digest == p.put.Digest && d.Kind == p.put.Kind
	}
	if p.kind == Withdrawal {
		d, kept := t.documents[p.end]
		return d.Ended, kept && d.Ended != NotEnded
	}
	return 0, false
}

// refuse tells why an entry cannot stand at this place in the log.
func (t *transaction) refuse(p *prepared) (refusal, err error) {
	for _, id := range p.rests {
		if !t.documents[id].Live() {
			return &EndedError{ID: id}, nil
		}
	}
	if p.put != nil {
		if d, kept := t.documents[p.put.ID]; kept && d.Digest == p.put.Digest {
			return &EndedError{ID: p.put.ID}, nil
		} else if kept {
			return ErrConflict, nil
		}
	}
	if p.end != "" {
		if d, kept := t.documents[p.end]; !kept {
			return ErrNoDocument, nil
		} else if !d.Live() {
			return &EndedError{ID: p.end}, nil
		}
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
		trace, known = t.decisions[p.decided]
	}
	if !known && p.decided < t.log.head.N {
		trace, err = storedDecision(t.tx, p.decided)
	}
	if err != nil || trace != p.trace {
		return refusal, err
	}
	return nil, nil
}

// storedDecision gives the trace of the decision at an index; empty if the entry
// is no decision.
func storedDecision(s Snapshot, index int64) (string, error) {
	row, err := rowAt(s, index)
	if err != nil {
		return "", err
	}
	leaf, err := ParseLeaf(row.Leaf)
	if err != nil {
		return "", tampered(index, "leaf: %v", err)
	}
	if leaf.Kind != Decision {
		return "", nil
	}
	return leaf.Trace, nil
}

func (t *transaction) append(p *prepared) (outcome, error) {
	index := t.tree.N
	hashes, err := t.tree.add(p.record)
	if err != nil {
		return outcome{}, err
	}
	t.batch.Rows = append(t.batch.Rows, Row{Index: index, ID: p.id, Leaf: p.leaf, Opening: p.opening, Hashes: hashes})
	if p.kind == Decision {
		t.decisions[index] = p.trace
	}
	if p.put != nil {
		d := *p.put
		d.Entered = index
		t.documents[d.ID] = d
		t.batch.Puts = append(t.batch.Puts, d)
	}
	if p.end != "" {
		d := t.documents[p.end]
		d.Status, d.Ended = Ended, index
		t.documents[p.end] = d
		t.batch.Ends = append(t.batch.Ends, End{ID: p.end, Index: index})
	}
	return outcome{index: index, tree: t.tree}, nil
}

// sign makes the new head, over all that was appended.
func (t *transaction) sign() (err error) {
	if err := t.tree.seal(); err != nil {
		return err
	}
	t.tree.checkpoint, err = signCheckpoint(t.log.cfg.Origin, t.tree.Tree, t.log.cfg.Key.Signer)
	if err != nil {
		return err
	}
	t.batch.Head = Head{Size: t.tree.N, Checkpoint: t.tree.checkpoint}
	t.next, err = t.tree.trimmed()
	return err
}
