package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// maxLeaf bounds a leaf in bytes; an entry at all its limits stays below it.
const maxLeaf = 32 << 10

// leafVersion is raised when the field set changes. Receipts of version 2 were given
// out and are still read.
const leafVersion = 3

// noRetry is the retry_of of a leaf that repeats no request.
const noRetry = -1

// Leaf is the record of one entry as it is in the tree: RFC 8785 JSON with
// exactly these members. Commitments are base64url without padding of
// SHA-256("ontschot/leaf/1/" ‖ field ‖ 0x00 ‖ salt of 32 bytes ‖ value); an empty
// text means that there is nothing committed to. The number in that domain is of
// this scheme and not of the leaf.
//
// The Go fields are in the order of their JSON names: with that and the
// character set of the texts, encoding/json writes the canonical form directly.
// A fuzz target compares it with the reference implementation of RFC 8785.
type Leaf struct {
	Activity      string         `json:"activity"`
	Agreements    []string       `json:"agreements"`        // SHA-256, hexadecimal
	Case          string         `json:"case"`              // commitment
	Confirm       string         `json:"confirm,omitempty"` // commitment to the id of a document that is confirmed
	Consents      []string       `json:"consents"`          // commitments to ids
	Day           string         `json:"day,omitempty"`     // civil date by which it was judged, never below the one before; none in version 2
	Decided       int64          `json:"decided"`           // index of the decision; -1 if this is no release
	Decision      string         `json:"decision"`
	End           string         `json:"end"`             // commitment to the id of the document that ends
	Epoch         int64          `json:"epoch,omitempty"` // that begins here, from 2
	ID            string         `json:"id"`              // UUIDv7
	Key           string         `json:"key,omitempty"`   // SHA-256 of a key whose state, in status, is another from here on
	Kind          Kind           `json:"kind"`
	Organisations []identity.OIN `json:"organisations"`
	Payload       string         `json:"payload"`            // commitment; of a release: to the digest of the budget
	Policy        string         `json:"policy"`             // revision
	Put           string         `json:"put"`                // commitment to the description of the document that enters
	Rests         []string       `json:"rests"`              // commitments to ids
	RetryOf       int64          `json:"retry_of"`           // index of the decision or deny that this one repeats; else -1
	Snapshot      string         `json:"snapshot,omitempty"` // SHA-256 of the register before this entry, as it is written down
	Status        string         `json:"status"`
	Subjects      []string       `json:"subjects"` // commitments to pseudonyms
	Tenant        identity.OIN   `json:"tenant"`
	Time          int64          `json:"time"` // milliseconds since 1970, wall clock of the writer
	Trace         string         `json:"trace"`
	Version       int            `json:"version"`
}

var errLeaf = errors.New("not a leaf of version 2 or 3 in canonical form")

// ParseLeaf reads a leaf strictly: canonical bytes, the fixed members, every
// text in its form. The error names the member, never its value.
func ParseLeaf(raw []byte) (Leaf, error) {
	l, ok := readLeaf(raw)
	if !ok {
		return parseLeaf(raw)
	}
	if err := l.check(); err != nil {
		return Leaf{}, err
	}
	return l, nil
}

// parseLeaf reads a leaf as encoding/json does, and compares it with what is written again.
func parseLeaf(raw []byte) (Leaf, error) {
	var l Leaf
	if err := decodeCanonical(raw, maxLeaf, &l); err != nil {
		return Leaf{}, err
	}
	if err := l.check(); err != nil {
		return Leaf{}, err
	}
	again, err := encodeCanonical(l.filled())
	if err != nil || !bytes.Equal(again, raw) {
		return Leaf{}, errLeaf
	}
	return l, nil
}

// encode gives the canonical bytes; absent lists are written as empty ones.
func (l Leaf) encode() ([]byte, error) {
	if raw, ok := writeLeaf(make([]byte, 0, 1536), &l); ok {
		return raw, nil
	}
	return encodeCanonical(l.filled())
}

func (l Leaf) filled() Leaf {
	l.Agreements = orEmpty(l.Agreements)
	l.Consents = orEmpty(l.Consents)
	l.Organisations = orEmpty(l.Organisations)
	l.Rests = orEmpty(l.Rests)
	l.Subjects = orEmpty(l.Subjects)
	return l
}

func (l *Leaf) check() error {
	traced, known := l.Kind.known()
	switch {
	case l.Version != leafVersion && l.Version != 2:
		return fmt.Errorf("%w: version", errLeaf)
	case !known:
		return fmt.Errorf("%w: kind", errLeaf)
	case !identity.IsUUIDv7(l.ID):
		return fmt.Errorf("%w: id", errLeaf)
	case l.Time <= 0 || l.Time > maxTime:
		return fmt.Errorf("%w: time", errLeaf)
	case !identity.IsTrace(l.Trace) && (traced || l.Trace != ""):
		return fmt.Errorf("%w: trace", errLeaf)
	case (l.Kind == Release) != (l.Decided >= 0) || l.Decided < -1 || l.Decided > maxIndex:
		return fmt.Errorf("%w: decided", errLeaf)
	case l.RetryOf < noRetry || l.RetryOf > maxIndex || l.RetryOf != noRetry && !l.Kind.asks():
		return fmt.Errorf("%w: retry_of", errLeaf)
	}
	if _, err := civil.Parse(l.Day); (err != nil) == (l.Version == leafVersion) || l.Version == 2 && l.Day+l.Key != "" {
		return fmt.Errorf("%w: day", errLeaf)
	}
	if l.Key != "" && (!identity.IsSHA256(l.Key) || l.Kind != Key || len(l.Organisations) == 0 || !register.KeyState(l.Status).Known()) {
		return fmt.Errorf("%w: key", errLeaf)
	}
	if (l.Kind == NewEpoch) != (l.Epoch != 0) || l.Epoch < 0 || l.Epoch == firstEpoch || l.Epoch > maxIndex || (l.Kind == Confirmation) != (l.Confirm != "") {
		return fmt.Errorf("%w: epoch, confirm", errLeaf)
	}
	if (l.Kind == Snapshotted) != (l.Snapshot != "") || l.Snapshot != "" && !identity.IsSHA256(l.Snapshot) {
		return fmt.Errorf("%w: snapshot", errLeaf)
	}
	return errors.Join(l.checkTexts(), l.checkCommitments())
}

func (l *Leaf) checkTexts() error {
	if !identity.IsOIN(l.Tenant) {
		return fmt.Errorf("%w: tenant", errLeaf)
	}
	switch {
	case !isText(l.Activity):
		return fmt.Errorf("%w: activity", errLeaf)
	case !isText(l.Decision):
		return fmt.Errorf("%w: decision", errLeaf)
	case !isText(l.Policy):
		return fmt.Errorf("%w: policy", errLeaf)
	case !isText(l.Status):
		return fmt.Errorf("%w: status", errLeaf)
	}
	return errors.Join(checkOrganisations(l.Organisations), checkAgreements(l.Agreements))
}

func (l *Leaf) checkCommitments() error {
	for _, c := range l.commitments(new(singles)) {
		if len(c.list) > c.field.limit() {
			return fmt.Errorf("%w: %s", errLeaf, c.field)
		}
		for i, s := range c.list {
			if !identity.IsHash(s) {
				return fmt.Errorf("%w: %s[%d]", errLeaf, c.field, i)
			}
		}
	}
	return nil
}

// committed is one field of a leaf with its commitments, in order.
type committed struct {
	field field
	list  []string
}

// singles is room for the commitments of the fields that have one at most.
type singles [5]string

// commitments lists all fields that hold commitments.
func (l *Leaf) commitments(room *singles) [8]committed {
	*room = singles{l.Case, l.Confirm, l.End, l.Payload, l.Put}
	one := func(i int) []string {
		if room[i] == "" {
			return nil
		}
		return room[i : i+1]
	}
	return [...]committed{
		{caseField, one(0)}, {confirmField, one(1)}, {consentsField, l.Consents}, {endField, one(2)},
		{payloadField, one(3)}, {putField, one(4)},
		{restsField, l.Rests}, {subjectsField, l.Subjects},
	}
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// encodeCanonical writes RFC 8785 for structs whose members are in order and
// whose texts hold nothing that JSON escapes.
func encodeCanonical(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return b, nil
}

// decodeCanonical reads one bounded JSON object with known members only. Its
// errors do not repeat the input, as those of encoding/json do.
func decodeCanonical(raw []byte, limit int, into any) error {
	if len(raw) == 0 || len(raw) > limit {
		return errLeaf
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return errLeaf
	}
	return nil
}
