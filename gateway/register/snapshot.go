package register

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// ErrSnapshot means that bytes are no register as Encode writes one.
var ErrSnapshot = errors.New("no register in the form in which one is written")

// snapshotForm comes first, and changes with the form.
const snapshotForm = "ontschot register 1\n"

// What follows on the form, each number as a varint and each text after its length: the
// size, the day, where epochs begin and when; the ids that are gone; the keys by their digests; the sources and the
// categories that a document names, by name; what documents have alike, and their cases,
// in the order of the documents; the documents in that of their entries; the policies, when there are any. Every register of
// the same answers has the same bytes, however it came about.

// The first byte of a document says what is in it.
const (
	hasUUID byte = 1 << iota
	hasSubject
	hasSubjectText
	sameSubject // as the one before it of the person
	hasOthers   // pseudonyms of the person that are in no document
	hasReplaced
	hasEnded
	hasConfirmed
)

// Encode writes the register as it is after its last entry: the same bytes for every one
// that answers the same. Of what was erased nothing is in them. They hold pseudonyms.
func (r *Register) Encode() []byte {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []byte
	r.encode(func(part []byte) { out = append(out, part...) })
	return out
}

// Sum is the SHA-256 of what Encode writes, which is not made for it.
func (r *Register) Sum() (sum [32]byte) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	h := sha256.New()
	r.encode(func(part []byte) { h.Write(part) })
	h.Sum(sum[:0])
	return sum
}

// encoder renumbers what the register holds.
type encoder struct {
	*Register
	b                   []byte
	sources, categories []uint32 // the new number of each; zero: no document has it
	contents            []uint32 // by the number in the register
	cases               map[uint32]uint32
	documents           []uint32
	before              []ref // the one before it of the same person
	others              map[ref][]string
}

func (e *encoder) number(n uint64) { e.b = binary.AppendUvarint(e.b, n) }
func (e *encoder) signed(n int64)  { e.b = binary.AppendVarint(e.b, n) }
func (e *encoder) text(s string)   { e.number(uint64(len(s))); e.b = append(e.b, s...) }

// index writes one that may be none.
func (e *encoder) index(n int64) { e.number(uint64(n + 1)) }

func (e *encoder) texts(list []string) {
	e.number(uint64(len(list)))
	for _, s := range list {
		e.text(s)
	}
}

// document writes the number of one that may be none.
func (e *encoder) document(i ref) { e.number(uint64(e.documents[i])) }

// indexes are in order.
func (e *encoder) indexes(list []int64) {
	e.number(uint64(len(list)))
	for _, n := range list {
		e.index(n)
	}
}

func (r *Register) encode(emit func([]byte)) {
	e := &encoder{Register: r, cases: map[uint32]uint32{}, contents: make([]uint32, len(r.contents)+1), documents: make([]uint32, r.count+1)}
	e.b = append(e.b, snapshotForm...)
	e.number(uint64(r.size))
	e.signed(int64(r.day))
	e.indexes(r.epochs)
	for _, ms := range r.begun {
		e.signed(ms)
	}
	gone := slices.SortedFunc(maps.Keys(e.gone), func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	e.number(uint64(len(gone)))
	for _, id := range gone {
		e.b = append(e.b, id[:]...)
	}
	e.writeKeys()
	contents, cases, count := e.order()
	e.writeNames(contents)
	e.number(uint64(len(contents)))
	for _, n := range contents {
		e.writeContent(r.contents[n-1])
	}
	e.number(uint64(len(cases)))
	for _, n := range cases {
		e.text(r.caseOf(n))
	}
	e.people()
	e.number(uint64(count))
	last := &document{entered: -1}
	for i := range r.all {
		e.writeDocument(i, last)
		last = r.at(i)
		emit(e.b)
		e.b = e.b[:0]
	}
	e.writePolicies()
	emit(e.b)
}

func (e *encoder) writeKeys() {
	known := []string{}
	for digest, k := range e.keys {
		if *k != (key{NotEnded, NotEnded, NotEnded}) {
			known = append(known, digest)
		}
	}
	slices.Sort(known)
	e.number(uint64(len(known)))
	for _, digest := range known {
		k := e.keys[digest]
		e.text(digest)
		e.index(k.used)
		e.index(k.retired)
		e.index(k.lost)
	}
}

// order numbers the documents, and what they have in their order.
func (e *encoder) order() (contents, cases []uint32, count uint32) {
	for i := range e.all {
		d := e.at(i)
		if e.contents[d.content] == 0 {
			contents = append(contents, d.content)
			e.contents[d.content] = uint32(len(contents))
		}
		if e.cases[d.caseNumber] == 0 {
			cases = append(cases, d.caseNumber)
			e.cases[d.caseNumber] = uint32(len(cases))
		}
		count++
		e.documents[i] = count
	}
	return contents, cases, count
}

// writeNames writes the sources and the categories that are named, and numbers them.
func (e *encoder) writeNames(contents []uint32) {
	sources, categories := map[uint32]bool{}, uint64(0)
	for _, n := range contents {
		for _, s := range e.Register.contents[n-1].said {
			sources[s.source] = true
			categories |= s.categories
		}
	}
	e.sources = e.numbered(e.Register.sources, func(n uint32) bool { return sources[n] })
	e.categories = e.numbered(e.Register.categories, func(n uint32) bool { return categories&(1<<(n-1)) != 0 })
}

func (e *encoder) numbered(of numbers, named func(uint32) bool) []uint32 {
	names, out := []string{}, make([]uint32, len(of)+1)
	for name, n := range of {
		if named(n) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for n, name := range names {
		out[of[name]] = uint32(n + 1)
	}
	e.texts(names)
	return out
}

func (e *encoder) writeContent(c *content) {
	e.text(string(c.kind))
	e.text(c.purpose)
	e.text(string(c.a))
	e.text(string(c.b))
	e.number(c.flags())
	e.number(uint64(len(c.recipients)))
	for _, o := range c.recipients {
		e.text(string(o))
	}
	e.texts(c.keys)
	e.number(uint64(len(c.said)))
	for _, s := range c.said {
		bits := uint64(0)
		for n, is := range e.categories {
			if is != 0 && s.categories&(1<<(n-1)) != 0 {
				bits |= 1 << (is - 1)
			}
		}
		e.number(uint64(e.sources[s.source]))
		e.number(bits)
	}
}

// people finds which documents are of one person, and the pseudonyms that are in none.
func (e *encoder) people() {
	e.before, e.others = make([]ref, e.count+1), map[ref][]string{}
	first, last := make([]ref, e.count+1), make([]ref, e.count+1)
	for i := range e.all {
		if e.contentOf(i).kind != Consent {
			continue
		}
		if first[i] == 0 {
			for _, one := range e.withAll(nil, i) {
				first[one] = i
			}
		}
		e.before[i], last[first[i]] = last[first[i]], i
	}
	for s, i := range e.also {
		isIn := func(one ref) bool { return e.subjectOf(one) == s }
		if !slices.ContainsFunc(e.withAll(nil, i), isIn) {
			e.others[first[i]] = append(e.others[first[i]], s)
		}
	}
}

func flag(bit byte, set bool) byte {
	if set {
		return bit
	}
	return 0
}

func (e *encoder) writeDocument(i ref, last *document) {
	d, consent, before := e.at(i), e.contentOf(i).kind == Consent, e.before[i]
	subject, odd := e.subjects[i]
	replaced, named := e.replaced[i]
	if !consent && d.replaces != 0 && !named {
		replaced, named = TermsID(e.idOf(d.replaces)), true
	}
	others := e.others[i]
	same := before != 0 && d.subject != [32]byte{} && d.subject == e.at(before).subject
	has := flag(hasUUID, d.id != [16]byte{}) | flag(hasSubject, d.subject != [32]byte{} && !same) | flag(hasSubjectText, odd) | flag(sameSubject, same) |
		flag(hasOthers, len(others) > 0) | flag(hasReplaced, named) | flag(hasEnded, d.ended != NotEnded) | flag(hasConfirmed, len(e.confirmed[i]) > 0)
	e.b = append(e.b, has)
	e.number(uint64(e.contents[d.content]))
	e.number(uint64(e.cases[d.caseNumber]))
	e.number(uint64(d.entered - last.entered))
	e.signed(d.since - last.since)
	e.signed(int64(d.from))
	e.signed(int64(d.until))
	e.b = append(append(e.b, d.digest[:]...), d.opens[:]...)
	if has&hasUUID != 0 {
		e.b = append(e.b, d.id[:]...)
	} else {
		e.text(e.ids[i])
	}
	if consent {
		e.document(before)
		e.document(d.replaces)
	}
	if has&hasSubject != 0 {
		e.b = append(e.b, d.subject[:]...)
	}
	if odd {
		e.text(subject)
	}
	if len(others) > 0 {
		slices.Sort(others)
		e.texts(others)
	}
	if named {
		e.text(replaced)
	}
	if has&hasEnded != 0 {
		e.number(uint64(d.ended - d.entered))
	}
	if has&hasConfirmed != 0 {
		e.indexes(e.confirmed[i])
	}
}

// Decode reads what Encode wrote. Any other bytes are an error, which says where they
// differ and holds nothing of them: an ErrSnapshot.
func Decode(b []byte) (*Register, error) {
	d := &decoder{r: New(), rest: b}
	d.read()
	if d.err != nil {
		return nil, d.err
	}
	alike, at := true, 0
	d.r.encode(func(part []byte) {
		if alike && bytes.HasPrefix(b[at:], part) {
			at += len(part)
			return
		}
		for n := 0; alike; n++ {
			if alike = at < len(b) && b[at] == part[n]; alike {
				at++
			}
		}
	})
	if !alike || at != len(b) {
		return nil, fmt.Errorf("%w: byte %d: another form of what Encode writes", ErrSnapshot, at)
	}
	return d.r, nil
}

// decoder reads from what is left, until the first error; then all is zero.
type decoder struct {
	r     *Register
	rest  []byte
	at    place
	cases []uint32
	first []ref // the first document of the same person, of each
	err   error
}

// place is what is being read.
type place struct {
	what string
	nth  int
}

func (d *decoder) must(ok bool, problem string) {
	if !ok && d.err == nil {
		d.err = fmt.Errorf("%w: %s %d: %s", ErrSnapshot, d.at.what, d.at.nth, problem)
	}
	if d.err != nil {
		d.rest = nil
	}
}

func (d *decoder) take(n uint64) []byte {
	d.must(n <= uint64(len(d.rest)), "it is cut off")
	if d.err != nil {
		return make([]byte, min(n, 64))
	}
	out := d.rest[:n]
	d.rest = d.rest[n:]
	return out
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	d.must(size > 0, "a number is cut off or too large")
	d.take(uint64(max(0, size)))
	return n
}

func (d *decoder) signed() int64 {
	n, size := binary.Varint(d.rest)
	d.must(size > 0, "a number is cut off or too large")
	d.take(uint64(max(0, size)))
	return n
}

func (d *decoder) text() string {
	return string(d.take(d.number()))
}

// upTo reads a number that is no greater than another.
func (d *decoder) upTo(most uint64) uint64 {
	n := d.number()
	d.must(n <= most, "a number is too large")
	if d.err != nil {
		return 0
	}
	return n
}

// index reads one that was written as index, of an entry there is.
func (d *decoder) index() int64 { return int64(d.upTo(uint64(d.r.size))) - 1 }

func (d *decoder) date() civil.Date {
	n := d.signed()
	d.must(n >= math.MinInt32 && n <= math.MaxInt32, "a date is too large")
	return civil.Date(n)
}

// each reads so many of something: no more than there are bytes.
func (d *decoder) each(what string, read func(n int)) {
	outer := d.at
	count := d.upTo(uint64(len(d.rest)))
	for n := 0; n < int(count) && d.err == nil; n++ {
		d.at = place{what, n}
		read(n)
	}
	d.at = outer
}

func (d *decoder) texts(what string) (list []string) {
	d.each(what, func(int) { list = append(list, d.text()) })
	return list
}

func (d *decoder) indexes(what string) (list []int64) {
	d.each(what, func(int) {
		n := d.index()
		d.must(n != NotEnded && (len(list) == 0 || n > list[len(list)-1]), "it is not in order")
		list = append(list, n)
	})
	return list
}

func (d *decoder) read() {
	r := d.r
	d.at.what = "byte"
	d.must(bytes.HasPrefix(d.rest, []byte(snapshotForm)), "it is no register, or of another version")
	d.take(uint64(len(snapshotForm)))
	r.size = int64(d.upTo(math.MaxInt64 >> 1))
	r.day = d.date()
	r.epochs = d.indexes("epoch")
	for range r.epochs {
		r.begun = append(r.begun, d.signed())
	}
	d.each("id that is gone", func(int) { r.gone[[32]byte(d.take(32))] = true })
	d.each("key", func(int) {
		k := r.key(d.text())
		k.used, k.retired, k.lost = d.index(), d.index(), d.index()
	})
	d.names("source", r.sources)
	d.names("category", r.categories)
	d.must(len(r.categories) <= maxCategories, "there are too many categories")
	d.each("content", func(n int) {
		number := r.intern(d.content())
		d.must(number == uint32(n+1), "it is there twice")
	})
	d.each("case", func(int) { d.cases = append(d.cases, r.newCase(d.text())) })
	d.first = append(d.first, 0)
	if count, _ := binary.Uvarint(d.rest); count < uint64(len(d.rest))/64 {
		r.byID.reserve(int(count))
		r.byPerson.reserve(int(count))
	}
	d.each("document", func(int) { d.document() })
	d.policies()
	d.must(len(d.rest) == 0, "something follows on the end")
}

// names numbers what is in order.
func (d *decoder) names(what string, into numbers) {
	last := ""
	d.each(what, func(n int) {
		name := d.text()
		d.must(n == 0 || name > last, "it is not in order")
		into[name], last = uint32(n+1), name
	})
}

func (d *decoder) content() content {
	c := content{kind: Kind(d.text()), purpose: d.text(), a: identity.OIN(d.text()), b: identity.OIN(d.text())}
	flags := d.upTo(3)
	c.narrows, c.void = flags&1 != 0, flags&2 != 0
	for _, o := range d.texts("recipient") {
		c.recipients = append(c.recipients, identity.OIN(o))
	}
	c.keys = d.texts("key of a document")
	d.each("grant", func(int) {
		source := uint32(d.upTo(uint64(len(d.r.sources))))
		d.must(source > 0, "it is of no source")
		c.said = append(c.said, said{source, d.number()})
	})
	return c
}

func (d *decoder) document() {
	r := d.r
	one, id, has := d.shell()
	if d.err != nil {
		return
	}
	consent := r.contents[one.content-1].kind == Consent
	var before, replaces ref
	if consent {
		before, replaces = d.earlier(), d.earlier()
	}
	switch subject := has & (hasSubject | hasSubjectText | sameSubject); subject {
	case 0, hasSubjectText:
	case hasSubject:
		one.subject = [32]byte(d.take(32))
	default:
		if d.must(subject == sameSubject && before != 0, "its pseudonym is in two forms"); before != 0 {
			one.subject = r.at(before).subject
		}
	}
	d.must(consent || one.subject == [32]byte{}, "it is of no person")
	if d.err != nil {
		return
	}
	i := r.add(one, id)
	d.first = append(d.first, 0)
	if consent {
		d.person(i, before, has)
	}
	d.replaces(i, replaces, has)
	if has&hasEnded != 0 {
		r.at(i).ended = one.entered + int64(d.upTo(uint64(r.size-1-one.entered)))
	}
	if has&hasConfirmed != 0 {
		r.confirmed[i] = d.indexes("confirmation")
	}
}

// earlier reads the number of a consent that was read before, or none.
func (d *decoder) earlier() ref {
	i := ref(d.upTo(uint64(d.r.count)))
	d.must(i == 0 || d.first[i] != 0, "it follows on what is no consent")
	return i
}

// shell reads what every document has.
func (d *decoder) shell() (one document, id string, has byte) {
	r, last := d.r, document{entered: -1}
	if r.count > 0 {
		last = *r.at(r.count)
	}
	has = d.take(1)[0]
	one.content = uint32(d.upTo(uint64(len(r.contents))))
	number := d.upTo(uint64(len(d.cases)))
	d.must(one.content > 0 && number > 0, "it has no content or no case")
	step := d.number()
	d.must(step > 0 && step <= uint64(r.size) && last.entered+int64(step) < r.size, "its entry is not in order")
	one.entered, one.ended, one.since = last.entered+int64(step), NotEnded, last.since+d.signed()
	one.from, one.until = d.date(), d.date()
	one.digest, one.opens = [32]byte(d.take(32)), [32]byte(d.take(32))
	if has&hasUUID != 0 {
		one.id = [16]byte(d.take(16))
		id = formatUUID(one.id)
	} else {
		id = d.text()
		_, is := parseUUID(id)
		d.must(!is, "its id is in the form of another")
	}
	d.must(r.document(id) == 0, "another has its id")
	if d.err == nil {
		one.caseNumber = d.cases[number-1]
	}
	return one, id, has
}

// person reads whose consent it is.
func (d *decoder) person(i, before ref, has byte) {
	r := d.r
	one := r.at(i)
	one.next, d.first[i] = i, i
	if before != 0 {
		d.first[i] = d.first[before]
		one.next, r.at(before).next = r.at(before).next, i
	}
	pseudonyms := []string{}
	switch {
	case has&hasSubject != 0:
		pseudonyms = append(pseudonyms, string(one.subject[:]))
	case has&hasSubjectText != 0:
		s := d.text()
		d.must(len(s) != len(one.subject) || [32]byte([]byte(s)) == [32]byte{}, "its pseudonym is in the form of another")
		r.subjects[i] = s
		pseudonyms = append(pseudonyms, s)
	}
	if has&hasOthers != 0 {
		pseudonyms = append(pseudonyms, d.texts("pseudonym")...)
	}
	for _, s := range pseudonyms {
		known := r.person(s)
		d.must(known == 0 || d.first[known] == d.first[i], "its pseudonym is another person's")
		if known == 0 {
			r.knowPerson(s, i)
		}
	}
}

// replaces reads in whose place it comes.
func (d *decoder) replaces(i, old ref, has byte) {
	r, c := d.r, d.r.contentOf(i)
	id := ""
	if has&hasReplaced != 0 {
		id = d.text()
	}
	switch {
	case c.kind != Consent:
		r.putOthers(i, &Document{ID: r.idOf(i), Kind: c.kind, Replaces: id, PartyA: c.a, PartyB: c.b})
	case old != 0:
		d.must(d.first[old] == d.first[i] && !c.void, "it cannot come in the place of what it replaces")
		if d.err == nil {
			r.at(i).replaces = old
			r.adopt(old, i)
		}
	}
	r.nameReplaced(i, id)
}
