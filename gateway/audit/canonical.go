package audit

import (
	"bytes"
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/internal/identity"
)

// What follows reads and writes the canonical form of leaves and openings directly: members
// in their fixed order, texts without anything that JSON escapes. It accepts only what it is
// sure of. Whatever else comes goes through encoding/json, which has the last word and the
// error. A fuzz target holds the two against each other.

// unescaped are the characters that JSON writes as they are, in encoding/json's way too.
var unescaped = func() (set [256]bool) {
	for c := ' '; c <= '~'; c++ {
		set[c] = !strings.ContainsRune(`"\<>&`, c)
	}
	return set
}()

// canonicalReader reads canonical JSON from its beginning; bad once something was not as
// expected, and then for good.
type canonicalReader struct {
	rest string
	bad  bool
}

// is reads exactly a text.
func (r *canonicalReader) is(text string) {
	if !strings.HasPrefix(r.rest, text) {
		r.bad = true
		return
	}
	r.rest = r.rest[len(text):]
}

// has reads a text if it comes next.
func (r *canonicalReader) has(text string) bool {
	if !strings.HasPrefix(r.rest, text) {
		return false
	}
	r.rest = r.rest[len(text):]
	return true
}

// text reads what is left of a string, with the quotation mark that ends it.
func (r *canonicalReader) text() string {
	n := strings.IndexByte(r.rest, '"')
	if n < 0 || !only(r.rest[:n], &unescaped) {
		r.bad = true
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n+1:]
	return s
}

// optional reads a member that is left out when it is empty.
func (r *canonicalReader) optional(name string) string {
	if !r.has(name) {
		return ""
	}
	s := r.text()
	r.bad = r.bad || s == ""
	return s
}

// number reads an integer as JSON writes one, in one way only.
func (r *canonicalReader) number() int64 {
	n := 0
	for n < len(r.rest) && (r.rest[n] >= '0' && r.rest[n] <= '9' || n == 0 && r.rest[n] == '-') {
		n++
	}
	v, err := strconv.ParseInt(r.rest[:n], 10, 64)
	var space [len("-9223372036854775808")]byte
	if err != nil || v == math.MinInt64 || string(strconv.AppendInt(space[:0], v, 10)) != r.rest[:n] {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// listOf reads what is left of a list of strings.
func listOf[T ~string](r *canonicalReader) []T {
	if r.has("]") {
		return []T{}
	}
	list := make([]T, 0, strings.Count(r.rest[:strings.IndexByte(r.rest, ']')+1], ",")+1)
	for !r.bad {
		r.is(`"`)
		list = append(list, T(r.text()))
		if r.has("]") {
			return list
		}
		r.is(",")
	}
	return nil
}

// readLeaf reads a leaf in canonical form; false when it may not be one.
func readLeaf(raw []byte) (l Leaf, ok bool) {
	if len(raw) > maxLeaf {
		return Leaf{}, false
	}
	r := canonicalReader{rest: string(raw)}
	r.is(`{"activity":"`)
	l.Activity = r.text()
	r.is(`,"agreements":[`)
	l.Agreements = listOf[string](&r)
	r.is(`,"case":"`)
	l.Case = r.text()
	l.Confirm = r.optional(`,"confirm":"`)
	r.is(`,"consents":[`)
	l.Consents = listOf[string](&r)
	l.Day = r.optional(`,"day":"`)
	r.is(`,"decided":`)
	l.Decided = r.number()
	r.is(`,"decision":"`)
	l.Decision = r.text()
	r.is(`,"end":"`)
	l.End = r.text()
	if r.has(`,"epoch":`) {
		l.Epoch = r.number()
		r.bad = r.bad || l.Epoch == 0
	}
	r.is(`,"id":"`)
	l.ID = r.text()
	l.Key = r.optional(`,"key":"`)
	r.is(`,"kind":"`)
	l.Kind = Kind(r.text())
	readLeafFrom(&r, &l)
	if r.bad || r.rest != "" {
		return Leaf{}, false
	}
	return l, true
}

// readLeafFrom reads the members behind the kind.
func readLeafFrom(r *canonicalReader, l *Leaf) {
	r.is(`,"organisations":[`)
	l.Organisations = listOf[identity.OIN](r)
	r.is(`,"payload":"`)
	l.Payload = r.text()
	r.is(`,"policy":"`)
	l.Policy = r.text()
	r.is(`,"put":"`)
	l.Put = r.text()
	r.is(`,"rests":[`)
	l.Rests = listOf[string](r)
	r.is(`,"retry_of":`)
	l.RetryOf = r.number()
	l.Snapshot = r.optional(`,"snapshot":"`)
	r.is(`,"status":"`)
	l.Status = r.text()
	r.is(`,"subjects":[`)
	l.Subjects = listOf[string](r)
	r.is(`,"tenant":"`)
	l.Tenant = identity.OIN(r.text())
	r.is(`,"time":`)
	l.Time = r.number()
	r.is(`,"trace":"`)
	l.Trace = r.text()
	r.is(`,"version":`)
	l.Version = int(r.number())
	r.is(`}`)
}

// flag reads true or false.
func (r *canonicalReader) flag() bool {
	if r.has("true") {
		return true
	}
	r.is("false")
	return false
}

// grants reads what is left of a list of grants.
func (r *canonicalReader) grants() []grant {
	list := []grant{}
	for ended := r.has("]"); !ended && !r.bad; {
		r.is(`{"categories":[`)
		g := grant{Categories: listOf[string](r)}
		r.is(`,"source":"`)
		g.Source = identity.OIN(r.text())
		r.is("}")
		list = append(list, g)
		if ended = r.has("]"); !ended {
			r.is(",")
		}
	}
	return list
}

// readDescription reads the description of a document; false when it may be none.
func readDescription(raw []byte) (d description, ok bool) {
	if len(raw) > putField.size() {
		return description{}, false
	}
	r := canonicalReader{rest: string(raw)}
	r.is(`{"case":"`)
	d.Case = r.text()
	r.is(`,"digest":"`)
	d.Digest = r.text()
	r.is(`,"from":"`)
	d.From = r.text()
	r.is(`,"grants":[`)
	d.Grants = r.grants()
	r.is(`,"id":"`)
	d.ID = r.text()
	r.is(`,"keys":[`)
	d.Keys = listOf[string](&r)
	r.is(`,"kind":"`)
	d.Kind = DocumentKind(r.text())
	r.is(`,"narrows":`)
	d.Narrows = r.flag()
	r.is(`,"openings":"`)
	d.Openings = r.text()
	r.is(`,"party_a":"`)
	d.PartyA = identity.OIN(r.text())
	r.is(`,"party_b":"`)
	d.PartyB = identity.OIN(r.text())
	r.is(`,"purpose":"`)
	d.Purpose = r.text()
	r.is(`,"recipients":[`)
	d.Recipients = listOf[identity.OIN](&r)
	r.is(`,"replaces":"`)
	d.Replaces = r.text()
	r.is(`,"subjects":[`)
	d.Subjects = listOf[string](&r)
	r.is(`,"until":"`)
	d.Until = r.text()
	r.is(`,"void":`)
	d.Void = r.flag()
	r.is("}")
	if r.bad || r.rest != "" {
		return description{}, false
	}
	return d, true
}

// canonicalWriter writes canonical JSON; bad once something would have to be escaped.
type canonicalWriter struct {
	b   []byte
	bad bool
}

// text writes what stands before a string, and the string with the mark that ends it.
func (w *canonicalWriter) text(before, s string) {
	w.bad = w.bad || !only(s, &unescaped)
	w.b = append(append(append(w.b, before...), s...), '"')
}

func (w *canonicalWriter) optional(before, s string) {
	if s != "" {
		w.text(before, s)
	}
}

func (w *canonicalWriter) number(before string, n int64) {
	w.b = strconv.AppendInt(append(w.b, before...), n, 10)
}

func writeList[T ~string](w *canonicalWriter, before string, list []T) {
	w.b = append(w.b, before...)
	for i, s := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.text(`"`, string(s))
	}
	w.b = append(w.b, ']')
}

// writeLeaf appends the canonical form of a leaf; false when it has texts that it cannot write.
func writeLeaf(b []byte, l *Leaf) ([]byte, bool) {
	w := canonicalWriter{b: b}
	w.text(`{"activity":"`, l.Activity)
	writeList(&w, `,"agreements":[`, l.Agreements)
	w.text(`,"case":"`, l.Case)
	w.optional(`,"confirm":"`, l.Confirm)
	writeList(&w, `,"consents":[`, l.Consents)
	w.optional(`,"day":"`, l.Day)
	w.number(`,"decided":`, l.Decided)
	w.text(`,"decision":"`, l.Decision)
	w.text(`,"end":"`, l.End)
	if l.Epoch != 0 {
		w.number(`,"epoch":`, l.Epoch)
	}
	w.text(`,"id":"`, l.ID)
	w.optional(`,"key":"`, l.Key)
	w.text(`,"kind":"`, string(l.Kind))
	writeList(&w, `,"organisations":[`, l.Organisations)
	w.text(`,"payload":"`, l.Payload)
	w.text(`,"policy":"`, l.Policy)
	w.text(`,"put":"`, l.Put)
	writeList(&w, `,"rests":[`, l.Rests)
	w.number(`,"retry_of":`, l.RetryOf)
	w.optional(`,"snapshot":"`, l.Snapshot)
	w.text(`,"status":"`, l.Status)
	writeList(&w, `,"subjects":[`, l.Subjects)
	w.text(`,"tenant":"`, string(l.Tenant))
	w.number(`,"time":`, l.Time)
	w.text(`,"trace":"`, l.Trace)
	w.number(`,"version":`, int64(l.Version))
	w.b = append(w.b, '}')
	return w.b, !w.bad
}

// strictBase64 is the form in which encoding/json writes bytes.
var strictBase64 = base64.StdEncoding.Strict()

// openingReader reads openings: all their bytes are in one piece of memory, and all their
// values in another.
type openingReader struct {
	rest   []byte
	bad    bool
	bytes  []byte
	values []opened
}

// readOpening reads an opening in canonical form; false when it may not be one.
func readOpening(raw []byte) (o opening, ok bool) {
	return (&openingReader{
		values: make([]opened, 0, bytes.Count(raw, []byte(openedBegins))), bytes: make([]byte, 0, len(raw)/4*3),
	}).read(raw)
}

// again lets the memory of all that was read be used again. Nobody may have any of it.
func (r *openingReader) again() { r.values, r.bytes = r.values[:0], r.bytes[:0] }

func (r *openingReader) read(raw []byte) (o opening, ok bool) {
	if len(raw) > maxOpening {
		return opening{}, false
	}
	r.rest, r.bad = raw, false
	for i, l := range o.lists() {
		if i == confirmMember && !r.has(openingMembers[i]) {
			continue
		} else if i != confirmMember {
			r.is(openingMembers[i])
		}
		if *l.list = r.list(); r.bad || i == confirmMember && len(*l.list) == 0 {
			return opening{}, false
		}
	}
	r.is("}")
	return o, !r.bad && len(r.rest) == 0
}

const openedBegins = `{"salt":"`

// openingMembers are what stands before each list, in their order.
var openingMembers = [...]string{
	`{"case":[`, `,"confirm":[`, `,"consents":[`, `,"end":[`, `,"payload":[`, `,"put":[`, `,"rests":[`, `,"subjects":[`,
}

const confirmMember = 1 // of openingMembers: left out when it is empty

func (r *openingReader) has(text string) bool {
	if len(r.rest) < len(text) || string(r.rest[:len(text)]) != text {
		return false
	}
	r.rest = r.rest[len(text):]
	return true
}

func (r *openingReader) is(text string) { r.bad = !r.has(text) || r.bad }

func (r *openingReader) list() []opened {
	from := len(r.values)
	for ended := r.has("]"); !ended && !r.bad; {
		r.is(openedBegins)
		salt := r.base64()
		r.is(`,"value":"`)
		value := r.base64()
		r.is("}")
		r.values = append(r.values, opened{salt, value})
		if ended = r.has("]"); !ended {
			r.is(",")
		}
	}
	return r.values[from:len(r.values):len(r.values)]
}

// base64 reads bytes in the one way in which they are written.
func (r *openingReader) base64() []byte {
	n := bytes.IndexByte(r.rest, '"')
	if n < 0 {
		r.bad = true
		return nil
	}
	from := len(r.bytes)
	b, err := strictBase64.AppendDecode(r.bytes, r.rest[:n]) // which skips line ends
	if err != nil || base64.StdEncoding.EncodedLen(len(b)-from) != n {
		r.bad = true
		return nil
	}
	r.bytes, r.rest = b, r.rest[n+1:]
	return b[from:len(b):len(b)]
}

// writeOpening appends the canonical form of an opening.
func writeOpening(b []byte, o *opening) []byte {
	size := 0
	lists := o.lists()
	for _, l := range lists {
		for _, v := range *l.list {
			size += len(openedBegins) + len(`","value":""},`) + base64.StdEncoding.EncodedLen(len(v.Salt)) + base64.StdEncoding.EncodedLen(len(v.Value))
		}
	}
	b = slices.Grow(b, size+128)
	for i, l := range lists {
		if l.field == confirmField && len(*l.list) == 0 {
			continue
		}
		b = append(b, openingMembers[i]...)
		for j, v := range *l.list {
			if j > 0 {
				b = append(b, ',')
			}
			b = base64.StdEncoding.AppendEncode(append(b, openedBegins...), v.Salt)
			b = base64.StdEncoding.AppendEncode(append(b, `","value":"`...), v.Value)
			b = append(b, `"}`...)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}
