package audit

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"sync"
)

// ReadCompact reads what Compact wrote of the entry of an index; false when it cannot.
func ReadCompact(index int64, b []byte) (Row, bool) {
	r := readers.Get().(*compactReader)
	defer readers.Put(r)
	defer r.end()
	r.begin(b)
	row := Row{Index: index}
	row.Leaf, row.ID = r.leaf(make([]byte, 0, 512+len(b)))
	row.Opening = r.opening()
	row.Hashes = r.bytes()
	if r.bad || len(r.rest) > 0 {
		return Row{}, false
	}
	return row, true
}

// Unread is the entry of an index as Compact wrote it, to be read later.
func Unread(index int64, b []byte) (Row, bool) { return Row{Index: index, unread: b}, true }

// read is ReadCompact of one that was not read yet.
func (r Row) read() Row {
	if row, ok := ReadCompact(r.Index, r.unread); ok {
		return row
	}
	return Row{Index: r.Index, Bad: "entries"}
}

// readers are readers whose memory can be used again. Nothing that they gave is in it.
var readers = sync.Pool{New: func() any { return new(compactReader) }}

// compactReader reads compact entries; bad once something cannot be read, and then for good.
type compactReader struct {
	rest  []byte
	bad   bool
	texts []byte   // all that were read, one after the other
	again [][2]int // where those are that may come again
}

func (r *compactReader) begin(b []byte) {
	*r = compactReader{rest: b, texts: r.texts[:0], again: r.again[:0]}
}

// end leaves nothing but memory.
func (r *compactReader) end() {
	if r.rest = nil; cap(r.texts) > maxLeaf { // which few have
		r.texts = nil
	}
}

func (r *compactReader) count() int {
	n, used := binary.Uvarint(r.rest)
	if used <= 0 || n > maxTexts {
		r.bad = true
		return 0
	}
	r.rest = r.rest[used:]
	return int(n)
}

func (r *compactReader) number() int64 {
	n, used := binary.Varint(r.rest)
	if used <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[used:]
	return n
}

// take gives the next bytes as they are.
func (r *compactReader) take(n int) []byte {
	if n > len(r.rest) {
		r.bad, n = true, 0
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *compactReader) bytes() []byte { return r.take(r.count()) }

// text reads one text. It is good until the next one is read.
func (r *compactReader) text(within int) []byte {
	from := len(r.texts)
	code := r.take(1)
	if r.bad || within >= maxNested {
		r.bad = true
		return nil
	}
	switch c := code[0]; {
	case int(c) >= textPhrase+len(phrases):
		r.bad = true
	case c >= textPhrase:
		r.texts = append(r.texts, phrases[c-textPhrase]...)
	case c == textAgain:
		if n := r.take(1); r.bad || int(n[0]) >= len(r.again) {
			r.bad = true
		} else {
			at := r.again[n[0]]
			r.texts = append(r.texts, r.texts[at[0]:at[1]]...)
		}
	case c == textQuote, c == textSlash:
		r.apart(map[byte]byte{textQuote: '"', textSlash: '/'}[c], within)
	default:
		r.whole(c)
		if n := len(r.texts); n-from >= minAgain && len(r.again) < maxAgain {
			r.again = append(r.again, [2]int{from, n})
		}
	}
	r.bad = r.bad || len(r.texts) > maxTexts
	return r.texts[from:]
}

// apart reads a text that is made of texts.
func (r *compactReader) apart(mark byte, within int) {
	for n := r.count(); !r.bad; n-- {
		r.text(within + 1)
		if n == 0 {
			return
		}
		r.texts = append(r.texts, mark)
	}
}

func (r *compactReader) whole(code byte) {
	switch {
	case code == textUUID:
		b := r.take(16)
		if r.bad {
			return
		}
		for i, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
			if i > 0 {
				r.texts = append(r.texts, '-')
			}
			r.texts = hex.AppendEncode(r.texts, part)
		}
	case code == textBase64:
		r.texts = base64.RawURLEncoding.AppendEncode(r.texts, r.take(32))
	case code == textHex:
		r.texts = hex.AppendEncode(r.texts, r.bytes())
	case code == textDay:
		if b := r.take(4); !r.bad {
			r.texts = hex.AppendEncode(append(hex.AppendEncode(append(hex.AppendEncode(r.texts, b[:2]), '-'), b[2:3]), '-'), b[3:])
		}
	case code >= textShort && code <= maxShort:
		r.texts = append(r.texts, r.take(int(code-textShort))...)
	case code == textLong:
		r.texts = append(r.texts, r.bytes()...)
	default:
		r.bad = true
	}
}

// leafWriter makes the leaf of what a compactReader reads.
type leafWriter struct {
	*compactReader
	b []byte
}

func (w *leafWriter) text(before string) {
	w.b = append(append(append(w.b, before...), w.compactReader.text(0)...), '"')
}

// optional leaves a member out when it is empty.
func (w *leafWriter) optional(before string) {
	if text := w.compactReader.text(0); len(text) > 0 {
		w.b = append(append(append(w.b, before...), text...), '"')
	}
}

func (w *leafWriter) list(before string) {
	w.b = append(w.b, before...)
	for i := range w.count() {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		if w.text(`"`); w.bad {
			return
		}
	}
	w.b = append(w.b, ']')
}

func (w *leafWriter) number(before string) {
	w.b = strconv.AppendInt(append(w.b, before...), w.compactReader.number(), 10)
}

// leaf reads a leaf, and gives its canonical form, behind bytes that are there, and its id.
func (r *compactReader) leaf(b []byte) (leaf []byte, id string) {
	w := leafWriter{r, b}
	w.text(`{"activity":"`)
	w.list(`,"agreements":[`)
	w.text(`,"case":"`)
	w.optional(`,"confirm":"`)
	w.list(`,"consents":[`)
	w.optional(`,"day":"`)
	w.number(`,"decided":`)
	w.text(`,"decision":"`)
	w.text(`,"end":"`)
	if n := r.number(); n != 0 {
		w.b = strconv.AppendInt(append(w.b, `,"epoch":`...), n, 10)
	}
	const before = `,"id":"`
	from := len(w.b) + len(before)
	w.text(before)
	id = string(w.b[from : len(w.b)-1])
	w.optional(`,"key":"`)
	w.text(`,"kind":"`)
	w.list(`,"organisations":[`)
	w.text(`,"payload":"`)
	w.text(`,"policy":"`)
	w.text(`,"put":"`)
	w.list(`,"rests":[`)
	w.number(`,"retry_of":`)
	w.optional(`,"snapshot":"`)
	w.text(`,"status":"`)
	w.list(`,"subjects":[`)
	w.text(`,"tenant":"`)
	w.number(`,"time":`)
	w.text(`,"trace":"`)
	w.number(`,"version":`)
	return append(w.b, '}'), id
}

// openingInto reads an opening as openingReader would read its canonical form, and gives the
// length of that. Its salts are parts of what is read.
func (r *compactReader) openingInto(o *opening, room *openingReader) (length int) {
	length = len("}")
	for i, l := range o.lists() {
		n := r.count()
		if n == 0 && i == confirmMember {
			continue
		}
		from := len(room.values)
		for range n {
			salt, text := r.bytes(), r.text(0)
			if r.bad {
				return 0
			}
			at := len(room.bytes)
			room.bytes = append(room.bytes, text...)
			room.values = append(room.values, opened{salt, room.bytes[at:len(room.bytes):len(room.bytes)]})
			length += len(openedBegins) + len(`","value":""}`) + base64.StdEncoding.EncodedLen(len(salt)) + base64.StdEncoding.EncodedLen(len(text))
		}
		*l.list = room.values[from:len(room.values):len(room.values)]
		length += max(0, n-1) // commas
		length += len(openingMembers[i]) + len("]")
	}
	return length
}

// opening reads an opening, and gives its canonical form.
func (r *compactReader) opening() []byte {
	if r.bad {
		return nil
	}
	b := make([]byte, 0, 256+2*len(r.rest))
	for i, member := range openingMembers {
		n := r.count()
		if n == 0 && i == confirmMember {
			continue
		}
		b = append(b, member...)
		for j := 0; j < n && !r.bad; j++ {
			if j > 0 {
				b = append(b, ',')
			}
			b = base64.StdEncoding.AppendEncode(append(b, openedBegins...), r.bytes())
			b = base64.StdEncoding.AppendEncode(append(b, `","value":"`...), r.text(0))
			b = append(b, `"}`...)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}
