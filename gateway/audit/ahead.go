package audit

import (
	"context"
	"encoding/json"
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

func check(row Row, room *openingReader) (c checked) {
	if c.row = row; row.Bad != "" {
		return c
	}
	if c.leaf, c.open, c.err = room.row(row); c.err != nil {
		return c
	}
	c.tell()
	return c
}

// tell finds what follows from a leaf and an opening that fit each other.
func (c *checked) tell() {
	c.record = tlog.RecordHash(c.row.Leaf)
	c.fact, c.unfit = factOf(c.row.Index, &c.leaf, &c.open)
	c.judgement = judgementOf(&c.leaf, &c.open)
}

// judgementOf reads what a decision says of consents and agreements. What was no request, or
// was erased, says nothing of them.
func judgementOf(leaf *Leaf, open *opening) *Judgement {
	payload, ok := single(open.Payload)
	if !leaf.Kind.asks() || !ok {
		return nil
	}
	j := new(Judgement)
	if json.Unmarshal(payload, j) != nil {
		return nil
	}
	return j
}

// piece is how many rows are checked at a time.
const piece = 64

// pieceOf is some rows on their way: they are checked when done is closed.
type pieceOf struct {
	rows []Row
	list *checkedPiece
	err  error // of reading: there are no rows
	done chan struct{}
}

// checkedPiece is room for a piece, its leaves and its openings.
type checkedPiece struct {
	of     [piece]checked
	leaves []byte
	room   openingReader
	reader compactReader
}

// mostRoom bounds what is kept of that memory, in bytes.
const mostRoom = 1 << 20

func (p *checkedPiece) check(rows []Row) {
	if p.room.again(); cap(p.room.bytes)+cap(p.leaves) > mostRoom {
		p.room, p.leaves = openingReader{}, nil
	}
	p.leaves = p.leaves[:0]
	for i, row := range rows {
		if row.unread != nil {
			if p.good(row, &p.of[i]) {
				continue
			}
			row = row.read()
		}
		p.of[i] = check(row, &p.room)
	}
}

// good checks an entry that was not read yet, without making its opening's canonical form:
// false when something is not as it should be. What that is, check tells.
func (p *checkedPiece) good(row Row, c *checked) bool {
	r := &p.reader
	defer r.end()
	r.begin(row.unread)
	*c = checked{row: Row{Index: row.Index}}
	from := len(p.leaves)
	p.leaves, c.row.ID = r.leaf(p.leaves)
	c.row.Leaf = p.leaves[from:len(p.leaves):len(p.leaves)]
	length := r.openingInto(&c.open, &p.room)
	c.row.Hashes = r.bytes()
	if r.bad || len(r.rest) > 0 || length > maxOpening {
		return false
	}
	if c.leaf, c.err = leafOf(c.row); c.err != nil || c.open.opens(&c.leaf) != nil {
		return false
	}
	c.tell()
	return true
}

// ahead reads the rows of a snapshot and checks each by itself, ahead of who takes them in
// order and on all processors. The rows that are in memory are a bounded number. Nothing of
// it goes on once it has returned.
func ahead(ctx context.Context, s Snapshot, take func([]checked) error) error {
	workers := min(runtime.GOMAXPROCS(0), 8)
	inOrder, work := make(chan *pieceOf, workers+1), make(chan *pieceOf)
	lists := sync.Pool{New: func() any { return new(checkedPiece) }} // nobody keeps what was taken
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
				p.list = lists.Get().(*checkedPiece)
				p.list.check(p.rows)
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
		if err := take(p.list.of[:len(p.rows)]); err != nil {
			return err
		}
		lists.Put(p.list)
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
	read := s.Rows
	if u, ok := s.(Unreader); ok {
		read = u.UnreadRows
	}
	for from := int64(0); ctx.Err() == nil; {
		rows, err := read(from, pageSize)
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

// UnreadRows is Unreader's, where the snapshot can.
func (s *shared) UnreadRows(from int64, limit int) ([]Row, error) {
	u, ok := s.Snapshot.(Unreader)
	if !ok {
		return s.Rows(from, limit)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return u.UnreadRows(from, limit)
}
