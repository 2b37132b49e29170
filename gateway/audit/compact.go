package audit

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
)

// An entry at rest takes about half of its leaf and its opening: what has one form only is
// written in fewer bytes, and both texts are made again byte for byte when it is read
// (docs/decisions/0023-entries-in-few-bytes.md). What is read is believed no more than
// before: it is the leaf that comes out that was hashed and signed.
//
// An entry is the texts of its leaf in the order of their members, then its opening, then
// its hashes. A text begins with a byte that says how it is written.
const (
	textLong   = 0x00 // after its length
	textUUID   = 0x01 // 16 bytes
	textHex    = 0x02 // lower-case hexadecimal, also digits alone, after the number of bytes
	textBase64 = 0x04 // base64url of 32 bytes
	textAgain  = 0x05 // a text that came before, by its number
	textSlash  = 0x06 // texts with strokes between, after their number
	textQuote  = 0x07 // texts with quotation marks between, after their number
	textDay    = 0x08 // a civil date in digits, four bytes
	textShort  = 0x10 // and its length, at most
	maxShort   = 0x2f
	textPhrase = 0x40 // and its number among the phrases
)

// phrases are texts that are in many entries; any other is spelled out. They are part of the stored form: new ones
// come at the end, and none ever goes.
var phrases = [...]string{
	"request", "decision", "source_call", "release", "deny", "consent", "agreement", "withdrawal", "policy", "key", "admin", "break_glass", "epoch", "confirmation", "snapshot", "erasure",
	"allow", "Ok", "Unset", "Error", "complete", "partial", "in_use", "retired", "lost",
	"{", "}", "[", "]", ",", ":", "[]", "{}", ":[", "],", ":{", "},", ":[{", "}]", "}],", "]}],", "]}]}", "}]}", ":[],", "[],", ":[]", ":false,", ":true,", ":false}", ":true}", "},{", "]},{", "]}", ":0,", "}}", "}},",
	"judged", "told", "actor", "also", "delegation", "refusals", "scopes", "source", "subject", "categories", "law", "masks", "code", "laws", "reason",
	"case", "digest", "from", "grants", "id", "keys", "kind", "narrows", "openings", "party_a", "party_b", "purpose", "recipients", "replaces", "subjects", "until", "void",
	"CONSENT", "AGREEMENT", "PROPOSAL", "STATEMENT", "DELEGATION",
	"entitlement", "product", "period", "quantity", "amount", "income", "spending", "reference", "provider",
	"WMO", "JW", "WLZ", "ZVW", "WIA", "WAO", "WAJONG", "WW", "ZW", "TW", "PW", "none", "group", "exists",
	"NO_AGREEMENT", "NO_CONSENT", "CONSENT_EXPIRED", "CONSENT_WITHDRAWN", "POLICY_DENIED", "NO_LEGAL_BASIS", "PURPOSE_NOT_ALLOWED", "AGREEMENT_EXPIRED", "documents", "values", "entry",
}

var phraseOf = func() map[string]byte {
	m := make(map[string]byte, len(phrases))
	for i, s := range phrases {
		m[s] = byte(textPhrase + i)
	}
	return m
}()

// Bounds of what is read: texts that may be repeated, how far texts are made of texts, and
// all texts of an entry together, in bytes.
const (
	maxAgain  = 128
	minAgain  = 8
	maxNested = 3
	maxTexts  = 2 << 20
)

// printable are the characters of texts that are taken apart.
var printable = func() [256]bool {
	set := unescaped
	set['"'] = true
	return set
}()

// Compact appends an entry in few bytes; false when that would not give back the same entry.
func (r Row) Compact(b []byte) ([]byte, bool) {
	if r.few == nil {
		leaf, ok := readLeaf(r.Leaf)
		if !ok || leaf.ID != r.ID {
			return b, false
		}
		open, ok := readOpening(r.Opening)
		if !ok {
			return b, false
		}
		if r.few = fewBytes(&leaf, &open); r.few == nil {
			return b, false
		}
	}
	b = append(b, r.few...)
	return append(binary.AppendUvarint(b, uint64(len(r.Hashes))), r.Hashes...), true
}

// fewBytes are a leaf and an opening in few bytes; nil when it cannot be.
func fewBytes(leaf *Leaf, open *opening) []byte {
	w := compactWriter{b: make([]byte, 0, 1024)}
	w.leaf(leaf)
	for _, l := range open.lists() {
		w.count(len(*l.list))
		for _, v := range *l.list {
			w.bytes(v.Salt)
			w.text(string(v.Value), 0)
		}
	}
	if w.texts > maxTexts {
		return nil
	}
	return w.b
}

type compactWriter struct {
	b     []byte
	again []string
	texts int
}

// leaf writes the members in the order in which they are in the leaf.
func (w *compactWriter) leaf(l *Leaf) {
	w.text(l.Activity, 0)
	writeTexts(w, l.Agreements)
	w.text(l.Case, 0)
	w.text(l.Confirm, 0)
	writeTexts(w, l.Consents)
	w.text(l.Day, 0)
	w.number(l.Decided)
	w.text(l.Decision, 0)
	w.text(l.End, 0)
	w.number(l.Epoch)
	w.text(l.ID, 0)
	w.text(l.Key, 0)
	w.text(string(l.Kind), 0)
	writeTexts(w, l.Organisations)
	w.text(l.Payload, 0)
	w.text(l.Policy, 0)
	w.text(l.Put, 0)
	writeTexts(w, l.Rests)
	w.number(l.RetryOf)
	w.text(l.Snapshot, 0)
	w.text(l.Status, 0)
	writeTexts(w, l.Subjects)
	w.text(string(l.Tenant), 0)
	w.number(l.Time)
	w.text(l.Trace, 0)
	w.number(int64(l.Version))
}

func writeTexts[T ~string](w *compactWriter, list []T) {
	w.count(len(list))
	for _, s := range list {
		w.text(string(s), 0)
	}
}

func (w *compactWriter) count(n int)    { w.b = binary.AppendUvarint(w.b, uint64(n)) }
func (w *compactWriter) number(n int64) { w.b = binary.AppendVarint(w.b, n) }

func (w *compactWriter) bytes(b []byte) {
	w.count(len(b))
	w.b = append(w.b, b...)
}

// text writes a text, which is within so many others.
func (w *compactWriter) text(s string, within int) {
	w.texts += len(s)
	if code, ok := phraseOf[s]; ok {
		w.b = append(w.b, code)
		return
	}
	for i, known := range w.again {
		if known == s {
			w.b = append(w.b, textAgain, byte(i))
			return
		}
	}
	if !w.apart(s, within) {
		w.whole(s)
		if len(s) >= minAgain && len(w.again) < maxAgain {
			w.again = append(w.again, s)
		}
	}
}

// apart writes a text that is made of texts.
func (w *compactWriter) apart(s string, within int) bool {
	if within+1 >= maxNested || !only(s, &printable) {
		return false
	}
	for _, by := range []struct {
		code byte
		mark string
	}{{textQuote, `"`}, {textSlash, "/"}} {
		if n := strings.Count(s, by.mark); n > 0 {
			w.b = append(w.b, by.code)
			w.count(n)
			for part := range strings.SplitSeq(s, by.mark) {
				w.text(part, within+1)
			}
			return true
		}
	}
	return false
}

// whole writes a text that is made of none.
func (w *compactWriter) whole(s string) {
	switch {
	case isUUID(s):
		w.b = append(w.b, textUUID)
		for _, part := range [][2]int{{0, 8}, {9, 13}, {14, 18}, {19, 23}, {24, 36}} {
			w.b, _ = hex.AppendDecode(w.b, []byte(s[part[0]:part[1]]))
		}
	case isCommitment(s):
		w.b, _ = base64.RawURLEncoding.AppendDecode(append(w.b, textBase64), []byte(s))
	case isDay(s):
		w.b, _ = hex.AppendDecode(append(w.b, textDay), []byte(s[:4]+s[5:7]+s[8:]))
	case len(s) > 3 && len(s)%2 == 0 && isHex(s):
		w.b = append(w.b, textHex)
		w.count(len(s) / 2)
		w.b, _ = hex.AppendDecode(w.b, []byte(s))
	case len(s) <= maxShort-textShort:
		w.b = append(append(w.b, textShort+byte(len(s))), s...)
	default:
		w.b = append(w.b, textLong)
		w.count(len(s))
		w.b = append(w.b, s...)
	}
}

var decimal = setOf(digits)

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (s[i] == '-') || !dash && !hexadecimal[s[i]] {
			return false
		}
	}
	return true
}

func isDay(s string) bool {
	return len(s) == 10 && s[4] == '-' && s[7] == '-' && only(s[:4], &decimal) && only(s[5:7], &decimal) && only(s[8:], &decimal)
}

// ReadCompact reads what Compact wrote of the entry of an index; false when it cannot.
func ReadCompact(index int64, b []byte) (Row, bool) {
	r := readers.Get().(*compactReader)
	defer func() {
		if r.rest = nil; cap(r.texts) > maxLeaf { // which few have
			r.texts = nil
		}
		readers.Put(r)
	}()
	*r = compactReader{rest: b, texts: r.texts[:0], again: r.again[:0]}
	row := Row{Index: index}
	row.Leaf, row.ID = r.leaf()
	row.Opening = r.opening()
	row.Hashes = r.bytes()
	if r.bad || len(r.rest) > 0 {
		return Row{}, false
	}
	return row, true
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

// leaf reads a leaf, and gives its canonical form and its id.
func (r *compactReader) leaf() (leaf []byte, id string) {
	w := leafWriter{r, make([]byte, 0, 512+len(r.rest))}
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
