package audit

import (
	"context"
	"encoding/json"
	"math/bits"
	"runtime"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ontschot/ontschot/gateway/register"
)

// checked is a row with what can be found out about it by itself. What is wrong with it
// counts when the walk comes to it, and not before.
type checked struct {
	row       Row
	leaf      Leaf
	open      opening
	err       error // of readRow
	record    tlog.Hash
	fact      register.Entry
	unfit     error // of factOf
	judgement *Judgement
}

func check(row Row) (c checked) {
	if c.row = row; row.Bad != "" {
		return c
	}
	if c.leaf, c.open, c.err = readRow(row); c.err != nil {
		return c
	}
	c.record = tlog.RecordHash(row.Leaf)
	c.fact, c.unfit = factOf(row.Index, &c.leaf, &c.open)
	c.judgement = judgementOf(&c.leaf, &c.open)
	return c
}

// judgementOf reads what a decision says of consents and agreements. What was no request, or
// was erased, says nothing of them.
func judgementOf(leaf *Leaf, open *opening) *Judgement {
	payload, ok := single(open.Payload)
	var j Judgement
	if !leaf.Kind.asks() || !ok || json.Unmarshal(payload, &j) != nil {
		return nil
	}
	return &j
}

// piece is how many rows are checked at a time.
const piece = 64

// pieceOf is some rows on their way: they are checked when done is closed.
type pieceOf struct {
	rows []Row
	list []checked
	err  error // of reading: there are no rows
	done chan struct{}
}

// ahead reads the rows of a snapshot and checks each by itself, ahead of who takes them in
// order and on all processors. The rows that are in memory are a bounded number. Nothing of
// it goes on once it has returned.
func ahead(ctx context.Context, s Snapshot, take func([]checked) error) error {
	workers := min(runtime.GOMAXPROCS(0), 8)
	inOrder, work := make(chan *pieceOf, workers+1), make(chan *pieceOf)
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		defer close(inOrder)
		defer close(work)
		readPieces(ctx, s, func(p *pieceOf) bool { return send(ctx, inOrder, p) && (p.err != nil || send(ctx, work, p)) })
	})
	for range workers {
		wg.Go(func() {
			for p := range work {
				p.list = make([]checked, len(p.rows))
				for i, row := range p.rows {
					p.list[i] = check(row)
				}
				close(p.done)
			}
		})
	}
	for p := range inOrder {
		if p.err != nil {
			return p.err
		}
		select {
		case <-p.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := take(p.list); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func send(ctx context.Context, to chan<- *pieceOf, p *pieceOf) bool {
	select {
	case to <- p:
		return true
	case <-ctx.Done():
		return false
	}
}

// readPieces reads all rows from the first on, until nobody takes them.
func readPieces(ctx context.Context, s Snapshot, give func(*pieceOf) bool) {
	for from := int64(0); ctx.Err() == nil; {
		rows, err := s.Rows(from, pageSize)
		if err != nil {
			give(&pieceOf{err: err})
			return
		}
		from += int64(len(rows))
		last := len(rows) < pageSize
		for len(rows) > 0 {
			n := min(piece, len(rows))
			if !give(&pieceOf{rows: rows[:n], done: make(chan struct{})}) {
				return
			}
			rows = rows[n:]
		}
		if last {
			return
		}
	}
}

// shared is a snapshot whose rows are read by several at a time.
type shared struct {
	mu sync.Mutex
	Snapshot
}

// Rows is Snapshot's.
func (s *shared) Rows(from int64, limit int) ([]Row, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Snapshot.Rows(from, limit)
}

// keptDecisions is how many decisions the walk remembers at least; an older one is read
// again, of the same snapshot.
const keptDecisions = 1 << 15

// decisions are the newest decisions and denials that the walk has passed, by their index.
type decisions struct {
	most          int // in newest
	newest, older map[int64]decision
	since         [2]int64 // the index from which on older, and newest, has all
}

func (d *decisions) add(index int64, one decision) {
	if len(d.newest) >= d.most {
		d.older, d.newest = d.newest, nil
		d.since = [2]int64{d.since[1], index}
	}
	if d.newest == nil {
		d.newest = map[int64]decision{}
	}
	d.newest[index] = one
}

// decided gives the decision or deny of an index before another; false if it is none.
func (w *walk) decided(at, before int64) (decision, bool, error) {
	if at < 0 || at >= before {
		return decision{}, false, nil
	}
	for _, known := range []map[int64]decision{w.decisions.newest, w.decisions.older} {
		if d, ok := known[at]; ok {
			return d, true, nil
		}
	}
	if at >= w.decisions.since[0] {
		return decision{}, false, nil
	}
	row, err := rowAt(w.snapshot, at)
	if err != nil {
		return decision{}, false, err
	}
	leaf, err := ParseLeaf(row.Leaf)
	if err != nil {
		return decision{}, false, tampered(at, "leaf: %v", err)
	}
	return decisionOf(&leaf), leaf.Kind.asks(), nil
}

func decisionOf(leaf *Leaf) decision {
	return decision{traceOf(leaf), leaf.Kind == Deny, leaf.RetryOf != noRetry}
}

// places are indexes of entries, a bit for each entry of the log.
type places struct {
	bits  []uint64
	count int
}

func (p *places) add(index int64) {
	for int64(len(p.bits)) <= index/64 {
		p.bits = append(p.bits, 0)
	}
	if bit := uint64(1) << (index % 64); p.bits[index/64]&bit == 0 {
		p.bits[index/64] |= bit
		p.count++
	}
}

func (p *places) remove(index int64) {
	if index < 0 || index/64 >= int64(len(p.bits)) {
		return
	}
	if bit := uint64(1) << (index % 64); p.bits[index/64]&bit != 0 {
		p.bits[index/64] &^= bit
		p.count--
	}
}

// first is the lowest of them; there must be one.
func (p *places) first() int64 {
	for i, word := range p.bits {
		if word != 0 {
			return int64(i)*64 + int64(bits.TrailingZeros64(word))
		}
	}
	return HeadIndex
}
