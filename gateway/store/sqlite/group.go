package sqlite

import (
	"encoding/binary"
	"math"

	"github.com/ontschot/ontschot/gateway/audit"
)

// compact is the first byte of an entry in few bytes. An entry in full begins with the
// length of its id, which is never so long.
const compact = 0xf1

// Pack writes the entries of one transaction as they are stored together, each by itself:
// in few bytes (audit.Row.Compact), after their number, or in full when that cannot be, as
// all were before: its id, leaf, opening and hashes, every one after its length. All lengths
// are unsigned varints.
func Pack(rows []audit.Row) []byte {
	b := make([]byte, 0, 1024*len(rows))
	few := make([]byte, 0, 1536)
	for _, r := range rows {
		var ok bool
		if few, ok = r.Compact(few[:0]); ok {
			b = append(binary.AppendUvarint(append(b, compact), uint64(len(few))), few...)
			continue
		}
		b = append(binary.AppendUvarint(b, uint64(len(r.ID))), r.ID...)
		for _, part := range [][]byte{r.Leaf, r.Opening, r.Hashes} {
			b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
		}
	}
	return b
}

// Unpack reads what Pack wrote, of entries from an index on. Where it cannot be read on
// comes one row that says so (audit.Row.Bad), and nothing after it.
func Unpack(first int64, b []byte) (rows []audit.Row) {
	u := unpacking{from: first, limit: math.MaxInt, read: audit.ReadCompact}
	u.unpack(first, b)
	return u.rows
}

// readCompact reads an entry that is in few bytes, or leaves that to who gets it.
type readCompact func(index int64, b []byte) (audit.Row, bool)

// unpacking gathers entries from an index on, until there are limit of them.
type unpacking struct {
	from  int64
	limit int
	read  readCompact
	rows  []audit.Row
}

func (u *unpacking) bad(index int64) {
	u.rows = append(u.rows, audit.Row{Index: index, Bad: "entries"})
}

// unpack adds the entries of a row. Where it cannot be read comes one that says so, whatever
// its index.
func (u *unpacking) unpack(first int64, b []byte) {
	if len(b) == 0 {
		u.bad(first)
	}
	for index := first; len(b) > 0 && len(u.rows) < u.limit; index++ {
		if b[0] != compact {
			r, rest, ok := full(b)
			if !ok {
				u.bad(index)
				return
			}
			if b, r.Index = rest, index; index >= u.from {
				u.rows = append(u.rows, r)
			}
			continue
		}
		few, rest, ok := part(b[1:])
		if !ok {
			u.bad(index)
			return
		}
		if b = rest; index < u.from {
			continue
		}
		r, ok := u.read(index, few)
		if !ok {
			u.bad(index)
			return
		}
		u.rows = append(u.rows, r)
	}
}

// full reads an entry that is stored in full.
func full(b []byte) (r audit.Row, rest []byte, ok bool) {
	var id []byte
	for _, into := range []*[]byte{&id, &r.Leaf, &r.Opening, &r.Hashes} {
		if *into, b, ok = part(b); !ok {
			return audit.Row{}, nil, false
		}
	}
	r.ID = string(id)
	return r, b, true
}

// part reads bytes after their number.
func part(b []byte) (part, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, nil, false
	}
	end := used + int(n)
	return b[used:end:end], b[end:], true
}
