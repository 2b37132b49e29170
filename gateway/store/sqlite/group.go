package sqlite

import (
	"encoding/binary"

	"github.com/ontschot/ontschot/gateway/audit"
)

// Pack writes the entries of one transaction as they are stored together: for each its
// id, leaf, opening and hashes, every one after its length (an unsigned varint).
func Pack(rows []audit.Row) []byte {
	size := 0
	for _, r := range rows {
		size += len(r.ID) + len(r.Leaf) + len(r.Opening) + len(r.Hashes) + 4*binary.MaxVarintLen32
	}
	b := make([]byte, 0, size)
	for _, r := range rows {
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
	for len(b) > 0 {
		r := audit.Row{Index: first + int64(len(rows))}
		var id []byte
		for _, part := range []*[]byte{&id, &r.Leaf, &r.Opening, &r.Hashes} {
			n, used := binary.Uvarint(b)
			if used <= 0 || n > uint64(len(b)-used) {
				return append(rows, audit.Row{Index: r.Index, Bad: "entries"})
			}
			*part, b = b[used:used+int(n):used+int(n)], b[used+int(n):]
		}
		r.ID = string(id)
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		return []audit.Row{{Index: first, Bad: "entries"}}
	}
	return rows
}
