package csv

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/source"
)

// Bounds of a file.
const (
	mostBytes = 512 << 20
	mostRows  = 2_000_000
	mostRow   = 64 << 10
	mostFound = 1000 // rows of one person
)

// index says where in a file the rows of a person stand. It knows persons by a keyed hash,
// with a key of this process.
type index struct {
	key  [32]byte
	last map[id]int32 // the last row of a person
	rows []row
	sum  [32]byte // SHA-256 of the file
}

type id [16]byte

// row is where a row stands. before is another of the same person; -1 when there is none.
type row struct {
	at     int64
	size   int32
	before int32
	line   int32
	sum    [8]byte // of its bytes: a file that was changed in its place is not read
}

func (x *index) id(person string) (of id) {
	mac := hmac.New(sha256.New, x.key[:])
	mac.Write([]byte(strings.TrimSpace(person)))
	copy(of[:], mac.Sum(nil))
	return of
}

func shortSum(raw []byte) (short [8]byte) {
	whole := sha256.Sum256(raw)
	copy(short[:], whole[:])
	return short
}

// index reads a file once, from its start to its end.
func (p *plan) index(file io.Reader) (*index, error) {
	x := &index{last: map[id]int32{}}
	if _, err := rand.Read(x.key[:]); err != nil {
		return nil, adapters.Bug()
	}
	sum, kept := sha256.New(), &window{}
	bounded := &io.LimitedReader{R: io.TeeReader(file, io.MultiWriter(sum, kept)), N: mostBytes + 1}
	r := p.reader(bounded)
	if err := p.pinned(r, kept); err != nil {
		return nil, err
	}
	for line := 1; ; line++ {
		from := r.InputOffset()
		fields, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			sum.Sum(x.sum[:0])
			return x, nil
		case err != nil:
			return nil, broken(err, line)
		case bounded.N == 0, len(x.rows) == mostRows, r.InputOffset()-from > mostRow:
			return nil, adapters.BadData("/", "a file within bounds")
		}
		raw := kept.take(from, r.InputOffset())
		if p.key >= len(fields) {
			return nil, adapters.BadData("/rows/"+strconv.Itoa(line), "as many fields as the header has")
		}
		x.add(fields[p.key], row{at: from, size: int32(len(raw)), line: int32(line), sum: shortSum(raw)})
	}
}

func (x *index) add(person string, r row) {
	of := x.id(person)
	r.before = -1
	if before, known := x.last[of]; known {
		r.before = before
	}
	x.last[of] = int32(len(x.rows))
	x.rows = append(x.rows, r)
}

// broken is what a file has that cannot be read: one that the network cut off, or no CSV.
// A quote that is not closed may hold anybody's rows, so it costs the whole file.
func broken(err error, line int) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return adapters.BadData("/rows/"+strconv.Itoa(line), "CSV (RFC 4180)")
	}
	return err
}

func (p *plan) reader(from io.Reader) *csv.Reader {
	r := csv.NewReader(from)
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = p.delimiter, -1, true
	return r
}

// pinned refuses a file that has another header than the mapping.
func (p *plan) pinned(r *csv.Reader, kept *window) error {
	header, err := r.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return broken(err, 0)
	}
	for i, name := range header {
		if i == 0 {
			name = strings.TrimPrefix(name, "\xef\xbb\xbf")
		}
		header[i], _ = p.decode(name)
	}
	kept.take(0, r.InputOffset())
	if !slices.Equal(header, p.header) {
		return adapters.BadData("/header", "the header of the mapping")
	}
	return nil
}

// rows reads the rows of one person, in the order of the file.
func (p *plan) rows(x *index, file io.ReaderAt, person mapping.Person) (list source.List, err error) {
	at, known := x.last[x.id(person.Reveal())]
	for known && at >= 0 {
		r := x.rows[at]
		raw := make([]byte, r.size)
		if n, err := file.ReadAt(raw, r.at); n < len(raw) {
			return source.List{}, errors.Join(errChanged, err)
		}
		fields, err := p.reader(bytes.NewReader(raw)).Read()
		if err != nil || shortSum(raw) != r.sum {
			return source.List{}, errChanged
		}
		if len(list.Records) == mostFound {
			return source.List{}, adapters.BadData("/", "at most "+strconv.Itoa(mostFound)+" rows of one person")
		}
		n, err := p.record(fields, raw, int(r.line))
		if err != nil {
			return source.List{}, err
		}
		list.Records = append(list.Records, n)
		at = r.before
	}
	slices.Reverse(list.Records)
	return list, nil
}

// errChanged says that a file is not the one that the index is of.
var errChanged = errors.New("the file was changed")

// window keeps what was read of a file, from the row on that is read now.
type window struct {
	from int64
	held []byte
}

func (w *window) Write(p []byte) (int, error) {
	w.held = append(w.held, p...)
	return len(p), nil
}

// take gives the bytes of a row, and forgets what stands before its end.
func (w *window) take(from, to int64) []byte {
	raw := w.held[from-w.from : to-w.from]
	w.held, w.from = w.held[to-w.from:], to
	return raw
}
