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
	var few []byte
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
	return unpack(first, b, first, math.MaxInt)
}

// unpack gives at most limit of the entries of a row, from an index on. Where it cannot be
// read comes one that says so, whatever its index.
func unpack(first int64, b []byte, from int64, limit int) (rows []audit.Row) {
	bad := func(index int64) []audit.Row { return append(rows, audit.Row{Index: index, Bad: "entries"}) }
	if len(b) == 0 {
		return bad(first)
	}
	for index := first; len(b) > 0 && len(rows) < limit; index++ {
		if b[0] != compact {
			r, rest, ok := full(b)
			if !ok {
				return bad(index)
			}
			if b, r.Index = rest, index; index >= from {
				rows = append(rows, r)
			}
			continue
		}
		few, rest, ok := part(b[1:])
		if !ok {
			return bad(index)
		}
		if b = rest; index < from {
			continue
		}
		r, ok := audit.ReadCompact(index, few)
		if !ok {
			return bad(index)
		}
		rows = append(rows, r)
	}
	return rows
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
