package budgetv1

import (
	"bytes"
	"sync"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Sound says of a message what holds of nearly every one: that it keeps the rules of its
// proto file (buf.validate), and that all its texts can be shown. It reads the bytes of
// the message once, by tables made of the same rules, where protovalidate and Unprintable look
// at every field by reflection, ten times as long. What is false is not known here, and is
// theirs to say: a rule of a kind that the tables do not have, an unknown field, or a fault.
func Sound(m proto.Message) (kept, shown bool) {
	room := rooms.Get().(*[]byte)
	raw, err := proto.MarshalOptions{}.MarshalAppend((*room)[:0], m)
	r := reading{kept: err == nil, shown: err == nil}
	if err == nil {
		r.message(raw, bookOf(m.ProtoReflect().Descriptor()), true)
	}
	clear(raw) // nothing of it stays
	if err == nil && cap(raw) <= mostRoom {
		*room = raw
		rooms.Put(room)
	}
	return r.kept, r.shown
}

// rooms for bytes that are read once; what a large message took goes.
var rooms = sync.Pool{New: func() any { return new([]byte) }}

const mostRoom = 64 << 10

// reading is what is known of the bytes read so far.
type reading struct{ kept, shown bool }

// message reads the bytes of one. look says whether its texts are shown.
func (r *reading) message(raw []byte, b *book, look bool) {
	r.kept = r.kept && b.known
	var seen [mostNumber]uint32
	for whole := raw; len(raw) > 0; {
		before := whole[:len(whole)-len(raw)]
		number, form, n := protowire.ConsumeTag(raw)
		if n < 0 || number >= mostNumber || b.fields[number] == nil {
			r.kept, r.shown = false, false
			return
		}
		e := b.fields[number]
		n, raw = protowire.ConsumeFieldValue(number, form, raw[n:]), raw[n:]
		if n < 0 || form != e.form {
			r.kept, r.shown = false, false
			return
		}
		if e.unique && seen[number] > 0 {
			r.kept = r.kept && !holds(before, number, raw[:n])
		}
		seen[number]++
		r.field(raw[:n], e, look)
		raw = raw[n:]
	}
	for _, e := range b.counted {
		n := int(seen[e.number])
		r.kept = r.kept && n >= e.least && n <= e.most && (n > 0 || !e.needed)
	}
}

// holds reports whether a field stands with a value in what is before it in its message.
// Few fields are of which no two may be the same, and with few values.
func holds(before []byte, number protowire.Number, value []byte) bool {
	for len(before) > 0 {
		other, form, n := protowire.ConsumeTag(before)
		size := protowire.ConsumeFieldValue(other, form, before[n:])
		if other == number && bytes.Equal(before[n:n+size], value) {
			return true
		}
		before = before[n+size:]
	}
	return false
}

// field reads one value.
func (r *reading) field(raw []byte, e *entry, look bool) {
	switch e.kind {
	case protoreflect.StringKind:
		text, _ := protowire.ConsumeBytes(raw)
		r.text(text, e, look)
	case protoreflect.BytesKind:
		value, _ := protowire.ConsumeBytes(raw)
		r.kept = r.kept && e.rules.size(len(value))
	case protoreflect.MessageKind:
		under, _ := protowire.ConsumeBytes(raw)
		r.message(under, e.of, look && !e.hidden)
	case protoreflect.Int32Kind, protoreflect.Int64Kind:
		n, _ := protowire.ConsumeVarint(raw)
		r.kept = r.kept && e.rules.number(int64(n))
	}
}

func (r *reading) text(text []byte, e *entry, look bool) {
	count := len(text)
	for _, c := range text {
		if c < ' ' || c >= 0x7f {
			count = utf8.RuneCount(text)
			r.shown = r.shown && (!look || Printable(string(text)))
			break
		}
	}
	r.kept = r.kept && e.rules.size(count) && e.rules.text(text)
}
