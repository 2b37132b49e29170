package register

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"
	"math/bits"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// ref is the place of a document in the list, from 1. Zero is none.
type ref uint32

// document is one that is registered, in little room and without pointers: a gateway has
// some for everybody. What is rare is in maps of the register. What an index at which
// a reader looks does not know yet is passed over by the readers.
type document struct {
	digest, opens  [32]byte
	subject        [32]byte // the person's pseudonym; zero when it is not of this length
	id             [16]byte // zero when it is no UUID
	entered, ended int64
	since          int64
	from, until    civil.Date
	replaces       ref // zero: nothing that is registered
	child, elder   ref // the last that came in its place; the one before it in the same place
	next           ref // of the same person: the last leads to the first
	caseNumber     uint32
	content        uint32 // zero: it was erased
}

// content is what many documents have alike.
type content struct {
	kind          Kind
	purpose       string
	recipients    []identity.OIN
	keys          []string
	signers       []*key // of the keys
	said          []said // the grants
	narrows, void bool
	a, b          identity.OIN
}

// said is a grant in little room: a source and a bit for each category.
type said struct {
	source     uint32
	categories uint64
}

const maxCategories = 64 // the list is closed and shorter

func find(all []said, source uint32) (categories uint64, ok bool) {
	for _, one := range all {
		if one.source == source {
			return one.categories, true
		}
	}
	return 0, false
}

// chunk is how many documents are laid out at a time: whole pages of memory.
const chunk = 1024

func (r *Register) at(i ref) *document { return &r.chunks[(i-1)/chunk][(i-1)%chunk] }

func (r *Register) contentOf(i ref) *content { return r.contents[r.at(i).content-1] }

// all are the documents in the order of their entries.
func (r *Register) all(yield func(ref) bool) {
	for i := ref(1); i <= r.count; i++ {
		if r.at(i).content != 0 && !yield(i) {
			return
		}
	}
}

// add lays a document at the end of the list, to be found by its id.
func (r *Register) add(d document, id string) ref {
	if r.count%chunk == 0 {
		r.chunks = append(r.chunks, new([chunk]document))
	}
	r.count++
	*r.at(r.count) = d
	switch {
	case id == "": // nobody can name it
	case d.id == [16]byte{}:
		id = strings.Clone(id)
		r.ids[r.count], r.byText[id] = id, r.count
	default:
		r.byID.add(uint32(r.count), r.hashOfID)
	}
	return r.count
}

// document finds one by its id; zero: none.
func (r *Register) document(id string) ref {
	u, ok := parseUUID(id)
	if !ok {
		return r.byText[id] // none has the empty id
	}
	return ref(r.byID.find(r.hash(u[:]), func(n uint32) bool { return r.at(ref(n)).id == u }))
}

func (r *Register) idOf(i ref) string {
	if u := r.at(i).id; u != [16]byte{} {
		return formatUUID(u)
	}
	return r.ids[i]
}

// knowPerson lets a pseudonym lead to a consent of the person.
func (r *Register) knowPerson(pseudonym string, i ref) {
	if d := r.at(i); d.subject != [32]byte{} && string(d.subject[:]) == pseudonym {
		r.byPerson.add(uint32(i), r.hashOfPerson)
	} else {
		r.also[strings.Clone(pseudonym)] = i
	}
}

// person finds a consent of the person with a pseudonym; zero: none.
func (r *Register) person(pseudonym string) ref {
	var s [32]byte
	if copy(s[:], pseudonym); len(pseudonym) == len(s) {
		if i := ref(r.byPerson.find(r.hash(s[:]), func(n uint32) bool { return r.at(ref(n)).subject == s })); i != 0 {
			return i
		}
	}
	return r.also[pseudonym]
}

func (r *Register) subjectOf(i ref) string {
	if d := r.at(i); d.subject != [32]byte{} {
		return string(d.subject[:])
	}
	return r.subjects[i]
}

// of gives the consents of the person with one of these pseudonyms. Two that no document
// holds together are both looked at.
func (r *Register) of(pseudonyms ...string) (all []ref) {
	for _, s := range pseudonyms {
		if i := r.person(s); i != 0 && !slices.Contains(all, i) {
			all = r.withAll(all, i)
		}
	}
	return all
}

// withAll adds all consents of the person of one.
func (r *Register) withAll(all []ref, first ref) []ref {
	all = append(all, first)
	for i := r.at(first).next; i != first; i = r.at(i).next {
		all = append(all, i)
	}
	return all
}

// children are those that came in the place of a document, the last one first.
func (r *Register) children(i ref) (all []ref) {
	for c := r.at(i).child; c != 0; c = r.at(c).elder {
		all = append(all, c)
	}
	return all
}

// followers are all that came in the place of a document, in every branch.
func (r *Register) followers(i ref) []ref {
	all := r.children(i)
	for n := 0; n < len(all); n++ {
		all = append(all, r.children(all[n])...)
	}
	return all
}

// adopt puts a document in the place of another.
func (r *Register) adopt(parent, child ref) {
	p, c := r.at(parent), r.at(child)
	p.child, c.elder = child, p.child
}

// place of a consent among the words on the same thing: a narrowing has the place of
// the one that it narrows.
func (r *Register) place(i ref) int64 {
	for r.contentOf(i).narrows && r.at(i).replaces != 0 {
		i = r.at(i).replaces
	}
	return r.at(i).entered
}

// removed are the categories of a source that a narrowing took out: of a source that is
// left out whole all there are, whoever may have allowed more.
func (r *Register) removed(i ref, source uint32) uint64 {
	old := r.at(i).replaces
	if !r.contentOf(i).narrows || old == 0 {
		return 0
	}
	was, _ := find(r.contentOf(old).said, source)
	is, _ := find(r.contentOf(i).said, source)
	if is == 0 && was != 0 {
		return ^uint64(0)
	}
	return was &^ is
}

// contentNumber gives alike contents one number.
func (r *Register) contentNumber(d *Document) uint32 {
	c := content{kind: d.Kind, purpose: d.Purpose, recipients: d.Recipients, keys: d.Keys, narrows: d.Narrows, void: d.Void, a: d.PartyA, b: d.PartyB}
	for _, g := range d.Grants {
		c.said = append(c.said, said{r.sources.of(string(g.Source)), r.bits(g.Categories)})
	}
	return r.intern(c)
}

func (r *Register) intern(c content) uint32 {
	form := c.form()
	if n := r.byContent[form]; n != 0 {
		return n
	}
	one := r.names.one
	c.kind, c.purpose = Kind(one(string(c.kind))), one(c.purpose)
	c.a, c.b = identity.OIN(one(string(c.a))), identity.OIN(one(string(c.b)))
	c.keys, c.recipients = slices.Clone(c.keys), slices.Clone(c.recipients)
	for i, k := range c.keys {
		c.keys[i] = one(k)
		c.signers = append(c.signers, r.key(k))
	}
	for i, o := range c.recipients {
		c.recipients[i] = identity.OIN(one(string(o)))
	}
	r.contents = append(r.contents, &c)
	r.byContent[form] = uint32(len(r.contents))
	return uint32(len(r.contents))
}

func (c *content) flags() (flags uint64) {
	if c.narrows {
		flags |= 1
	}
	if c.void {
		flags |= 2
	}
	return flags
}

// form is the same for alike contents, and for no others.
func (c *content) form() string {
	b := make([]byte, 0, 256)
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	number := func(n int) { b = binary.AppendUvarint(b, uint64(n)) }
	text(string(c.kind))
	text(c.purpose)
	text(string(c.a))
	text(string(c.b))
	number(int(c.flags()))
	number(len(c.recipients))
	for _, o := range c.recipients {
		text(string(o))
	}
	number(len(c.keys))
	for _, k := range c.keys {
		text(k)
	}
	for _, s := range c.said {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(s.source)), s.categories)
	}
	return string(b)
}

// names keeps one copy of what many documents repeat.
type names map[string]string

func (n names) one(s string) string {
	if kept, ok := n[s]; ok {
		return kept
	}
	s = strings.Clone(s)
	n[s] = s
	return s
}

// numbers give each text a number, from 1.
type numbers map[string]uint32

func (n numbers) of(s string) uint32 {
	if n[s] == 0 {
		n[strings.Clone(s)] = uint32(len(n) + 1)
	}
	return n[s]
}

// bits has one for each category. Those beyond the maximum have none, so nobody receives
// them: Refuse refuses them.
func (r *Register) bits(categories []string) (bits uint64) {
	for _, c := range categories {
		bits |= 1 << (r.categories.of(c) - 1)
	}
	return bits
}

// commitment is a case in little room: 32 bytes when it is a commitment of that size, as
// most are.
func commitment(s string) (raw [32]byte, ok bool) {
	var text [43]byte
	var out [33]byte
	if len(s) != len(text) {
		return raw, false
	}
	copy(text[:], s)
	_, err := strict.Decode(out[:], text[:])
	return [32]byte(out[:]), err == nil
}

var strict = base64.RawURLEncoding.Strict()

// oddCase is in the number of a case that is no commitment.
const oddCase = 1 << 31

// caseNumber finds the number of a case; zero: none.
func (r *Register) caseNumber(s string) uint32 {
	raw, ok := commitment(s)
	if !ok {
		return r.caseTexts[s]
	}
	return r.byCase.find(r.hash(raw[:]), func(n uint32) bool { return r.cases[n-1] == raw })
}

// newCase gives a case its number.
func (r *Register) newCase(s string) uint32 {
	if n := r.caseNumber(s); n != 0 {
		return n
	}
	raw, ok := commitment(s)
	if !ok {
		n := oddCase | uint32(len(r.caseNames))
		r.caseNames = append(r.caseNames, r.names.one(s))
		r.caseTexts[r.names.one(s)] = n
		return n
	}
	r.cases = append(r.cases, raw)
	r.byCase.add(uint32(len(r.cases)), r.hashOfCase)
	return uint32(len(r.cases))
}

func (r *Register) caseOf(n uint32) string {
	if n&oddCase != 0 {
		return r.caseNames[n&^oddCase]
	}
	return strict.EncodeToString(r.cases[n-1][:])
}

func (r *Register) hash(b []byte) uint64         { return maphash.Bytes(r.seed, b) & r.mask }
func (r *Register) hashOfID(n uint32) uint64     { return r.hash(r.at(ref(n)).id[:]) }
func (r *Register) hashOfPerson(n uint32) uint64 { return r.hash(r.at(ref(n)).subject[:]) }
func (r *Register) hashOfCase(n uint32) uint64   { return r.hash(r.cases[n-1][:]) }

// table finds a number, not zero, by a hash of what it numbers, and stores neither:
// who asks compares the thing itself.
type table struct {
	slots []uint32
	used  int
}

func (t *table) find(hash uint64, is func(uint32) bool) uint32 {
	if len(t.slots) == 0 {
		return 0
	}
	at := t.home(hash)
	for t.slots[at] != 0 && !is(t.slots[at]) {
		at = t.after(at)
	}
	return t.slots[at]
}

// add takes a number that is not in it. A third of the slots stays free.
func (t *table) add(n uint32, hash func(uint32) uint64) {
	if t.used++; 3*t.used > 2*len(t.slots) {
		old := t.slots
		t.reserve(len(old))
		for _, one := range old {
			if one != 0 {
				t.place(one, hash)
			}
		}
	}
	t.place(n, hash)
}

// reserve makes room for so many, when it is empty.
func (t *table) reserve(many int) { t.slots = make([]uint32, many*3/2+8) }

func (t *table) place(n uint32, hash func(uint32) uint64) {
	at := t.home(hash(n))
	for t.slots[at] != 0 {
		at = t.after(at)
	}
	t.slots[at] = n
}

// remove takes out a number that is in it. What comes after it and would no longer be
// found moves up.
func (t *table) remove(n uint32, hash func(uint32) uint64) {
	free := t.home(hash(n))
	for t.slots[free] != n {
		free = t.after(free)
	}
	for at := t.after(free); t.slots[at] != 0; at = t.after(at) {
		if home := t.home(hash(t.slots[at])); t.steps(home, at) >= t.steps(free, at) {
			t.slots[free], free = t.slots[at], at
		}
	}
	t.slots[free] = 0
	t.used--
}

func (t *table) home(hash uint64) int {
	at, _ := bits.Mul64(hash, uint64(len(t.slots)))
	return int(at)
}

func (t *table) after(at int) int       { return (at + 1) % len(t.slots) }
func (t *table) steps(from, to int) int { return (to - from + len(t.slots)) % len(t.slots) }

// parseUUID reads one in small letters (RFC 9562), but not the nil one.
func parseUUID(s string) (id [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		digit := strings.IndexByte("0123456789abcdef", s[i])
		if digit < 0 {
			return id, false
		}
		id[n/2] = id[n/2]<<4 | byte(digit)
		n++
	}
	return id, id != [16]byte{}
}

func formatUUID(id [16]byte) string {
	var out [36]byte
	hex.Encode(out[:8], id[:4])
	hex.Encode(out[9:13], id[4:6])
	hex.Encode(out[14:18], id[6:8])
	hex.Encode(out[19:23], id[8:10])
	hex.Encode(out[24:], id[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}
