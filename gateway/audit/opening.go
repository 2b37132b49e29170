package audit

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// field names one kind of commitment; it is part of what is hashed, so that a
// commitment of one field can never pass for that of another.
type field string

const (
	caseField     field = "case"
	confirmField  field = "confirm"
	consentsField field = "consents"
	endField      field = "end"
	payloadField  field = "payload"
	putField      field = "put"
	restsField    field = "rests"
	subjectsField field = "subjects"
)

// limit is how many values an entry may commit to.
func (f field) limit() int {
	switch f {
	case consentsField, subjectsField:
		return 224 // twelve persons at sixteen sources, each under a consent of its own
	case restsField:
		return 448
	}
	return 1
}

// size is how long one value may be, in bytes.
func (f field) size() int {
	switch f {
	case caseField:
		return 128
	case payloadField:
		return 512 << 10
	case putField:
		return 8 << 10
	case restsField:
		return 96 // an id and two organisations
	}
	return maxID
}

const saltSize = 32

// commitmentDomain separates these hashes from all others of the project.
const commitmentDomain = "ontschot/leaf/1/"

// commit hides a value: SHA-256(domain ‖ field ‖ 0x00 ‖ salt ‖ value). The salt has
// a fixed length, so no two (salt, value) pairs run together.
func commit(f field, salt, value []byte) string {
	text := commitment(f, salt, value)
	return string(text[:])
}

// commitment is what commit gives, without making a string of it.
func commitment(f field, salt, value []byte) (text [43]byte) {
	var space [512]byte // most are shorter
	b := append(space[:0], commitmentDomain...)
	b = append(b, f...)
	b = append(b, 0)
	b = append(b, salt...)
	b = append(b, value...)
	sum := sha256.Sum256(b)
	base64.RawURLEncoding.Encode(text[:], sum[:])
	return text
}

// opened is a value with the salt of its commitment.
type opened struct {
	Salt  []byte `json:"salt"`
	Value []byte `json:"value"`
}

// gone reports whether an erasure destroyed it: then neither the salt nor the value that
// would open the commitment is there.
func (o opened) gone() bool { return len(o.Salt) == 0 }

// opening is what an auditor needs to see what a leaf commits to: canonical JSON
// in a column of its own, which can be destroyed while the tree stays. It holds
// pseudonyms, ids and digests; never an amount, a name or a BSN.
type opening struct {
	Case     []opened `json:"case"`
	Confirm  []opened `json:"confirm,omitempty"`
	Consents []opened `json:"consents"`
	End      []opened `json:"end"`
	Payload  []opened `json:"payload"`
	Put      []opened `json:"put"`
	Rests    []opened `json:"rests"`
	Subjects []opened `json:"subjects"`
}

// maxOpening bounds the column in bytes: 64+64+128 values of at most 64 bytes, one
// of 4 KiB and a payload, in base64.
const maxOpening = 1 << 20

var errOpening = errors.New("the opening is not in canonical form")

func parseOpening(raw []byte) (opening, error) { return new(openingReader).parse(raw) }

func (r *openingReader) parse(raw []byte) (opening, error) {
	if o, ok := r.read(raw); ok {
		return o, nil
	}
	var o opening
	if err := decodeCanonical(raw, maxOpening, &o); err != nil {
		return opening{}, errOpening
	}
	again, err := encodeCanonical(o.filled())
	if err != nil || !bytes.Equal(again, raw) {
		return opening{}, errOpening
	}
	return o, nil
}

// filled has empty lists and bytes in the place of absent ones.
func (o opening) filled() opening {
	for _, l := range o.lists() {
		if l.field != confirmField { // which few have
			*l.list = orEmpty(*l.list)
		}
		for i, v := range *l.list {
			(*l.list)[i].Salt, (*l.list)[i].Value = orEmpty(v.Salt), orEmpty(v.Value)
		}
	}
	return o
}

func (o *opening) encode() []byte { return writeOpening(nil, o) }

// openedList is one field of an opening.
type openedList struct {
	field field
	list  *[]opened
}

// lists is in the order of Leaf.commitments.
func (o *opening) lists() [8]openedList {
	return [...]openedList{
		{caseField, &o.Case}, {confirmField, &o.Confirm}, {consentsField, &o.Consents}, {endField, &o.End},
		{payloadField, &o.Payload}, {putField, &o.Put},
		{restsField, &o.Rests}, {subjectsField, &o.Subjects},
	}
}

// missing are the values that were destroyed, each as field/number.
func (o *opening) missing() (list []string) {
	for _, l := range o.lists() {
		for i, v := range *l.list {
			if v.gone() {
				list = append(list, fmt.Sprintf("%s/%d", l.field, i))
			}
		}
	}
	return list
}

// single gives the one value of a field that has at most one, and has it still.
func single(list []opened) (value []byte, ok bool) {
	if len(list) == 0 || list[0].gone() {
		return nil, false
	}
	return list[0].Value, true
}

// opens checks that the opening opens exactly what the leaf commits to, but for what was
// destroyed. The error names the field.
func (o *opening) opens(l *Leaf) error {
	lists := o.lists()
	for i, c := range l.commitments(new(singles)) {
		values := *lists[i].list
		if len(values) != len(c.list) {
			return fmt.Errorf("%s: opens %d of %d commitments", c.field, len(values), len(c.list))
		}
		for j, v := range values {
			if v.gone() && len(v.Value) == 0 {
				continue
			}
			text := commitment(c.field, v.Salt, v.Value)
			if len(v.Salt) != saltSize || string(text[:]) != c.list[j] {
				return fmt.Errorf("%s[%d]: does not match its commitment", c.field, j)
			}
		}
	}
	return nil
}

// seal draws a fresh salt for each value and puts the commitments into the leaf.
func (o *opening) seal(l *Leaf) {
	lists := o.lists()
	count := 0
	for _, f := range lists {
		count += len(*f.list)
	}
	salts := make([]byte, count*saltSize)
	rand.Read(salts) // never fails: crypto/rand ends the program instead
	hidden := make([]string, 0, count)
	seal := func(f field, list []opened) []string {
		from := len(hidden)
		for i := range list {
			list[i].Salt, salts = salts[:saltSize:saltSize], salts[saltSize:]
			hidden = append(hidden, commit(f, list[i].Salt, list[i].Value))
		}
		return hidden[from:len(hidden):len(hidden)]
	}
	l.Confirm = first(seal(confirmField, o.Confirm))
	l.Case, l.End = first(seal(caseField, o.Case)), first(seal(endField, o.End))
	l.Payload, l.Put = first(seal(payloadField, o.Payload)), first(seal(putField, o.Put))
	l.Consents, l.Rests, l.Subjects = seal(consentsField, o.Consents), seal(restsField, o.Rests), seal(subjectsField, o.Subjects)
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// payloadSalt is the salt a receipt gives away; nil when there is no payload.
func (o *opening) payloadSalt() []byte {
	if len(o.Payload) == 0 {
		return nil
	}
	return o.Payload[0].Salt
}
