package native

import (
	"bytes"
	"encoding/json"

	"github.com/ontschot/ontschot/adapters"
)

// Pair is a column of a row with what stands in it.
type Pair struct {
	Name, Text string
	Number     bool // an exact number with a point, and not a text
	Null       bool
}

// Row makes a record of a row of a table, at a place. The names are those of members; no
// pairs at all make a list without members, which Table.Check refuses as a record. What
// the place has as native record is kept; when it has none the record is its own, as JSON.
func Row(pairs []Pair, at adapters.Cursor) (Node, error) {
	if len(pairs) == 0 {
		return Node{at, &value{kind: list, json: true}}, nil
	}
	var raw bytes.Buffer
	for i, p := range pairs {
		if i == 0 {
			raw.WriteByte('{')
		} else {
			raw.WriteByte(',')
		}
		name, err := json.Marshal(p.Name)
		if err != nil {
			return Node{}, adapters.Bug()
		}
		text, err := json.Marshal(p.Text)
		if err != nil {
			return Node{}, adapters.Bug()
		}
		switch {
		case p.Null:
			text = []byte("null")
		case p.Number:
			text = []byte(p.Text)
		}
		raw.Write(name)
		raw.WriteByte(':')
		raw.Write(text)
	}
	raw.WriteByte('}')
	n, err := JSON(raw.Bytes())
	if err != nil {
		return Node{}, err
	}
	if at.Native == nil {
		at = at.Begin(n.Raw())
	}
	return n.In(at), nil
}
