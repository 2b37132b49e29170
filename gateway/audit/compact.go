package audit

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/ontschot/ontschot/internal/identity"
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
	var again [32]string
	w := compactWriter{b: make([]byte, 0, 1024), again: again[:0]}
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
	case identity.IsHash(s):
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
