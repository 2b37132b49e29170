package adapters

import (
	"bytes"
	"io"
	"sync"
)

// Masker passes text on with everything in it that looks like a
// burgerservicenummer replaced by asterisks: nine digits, written together or
// in groups. Better one number too many than one too few; the 11-check is not
// done, for a mistyped number belongs to somebody too.
type Masker struct {
	mu   sync.Mutex
	to   io.Writer
	line []byte // what was written since the last end of line
}

// maxLine bounds what is held back while waiting for an end of line, and
// longest is the longest text that can be taken for a number.
const (
	maxLine = 16 << 10
	longest = 9 + 8
)

// NewMasker writes to to, whole lines at a time.
func NewMasker(to io.Writer) *Masker {
	return &Masker{to: to}
}

// Write holds text back until its line is complete, so that a number that
// arrives in two pieces is still seen.
func (m *Masker) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.line = append(m.line, p...)
	if end := bytes.LastIndexByte(m.line, '\n'); end >= 0 {
		return len(p), m.pass(end + 1)
	}
	if len(m.line) > maxLine {
		return len(p), m.pass(m.cut())
	}
	return len(p), nil
}

// Flush passes on a last line without an end.
func (m *Masker) Flush() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pass(len(m.line))
}

// cut is where an endless line can be broken without breaking a number.
func (m *Masker) cut() int {
	at := len(m.line)
	for at > len(m.line)-2*longest && bytes.IndexByte([]byte("0123456789 .-"), m.line[at-1]) >= 0 {
		at--
	}
	return at
}

func (m *Masker) pass(n int) error {
	_, err := m.to.Write(Mask(m.line[:n]))
	m.line = append(m.line[:0], m.line[n:]...)
	return err
}

// Mask gives the text with what looks like a burgerservicenummer masked.
func Mask(text []byte) []byte {
	masked := bytes.Clone(text)
	for at := 0; at < len(masked); {
		if !digit(masked[at]) {
			at++
			continue
		}
		end := runEnd(masked, at)
		hide(masked[at:end])
		at = end
	}
	return masked
}

func digit(b byte) bool { return b >= '0' && b <= '9' }

// runEnd is where a run of digits ends that are written together or in groups
// with one space, point or dash between them.
func runEnd(text []byte, at int) int {
	for at < len(text) {
		switch {
		case digit(text[at]):
			at++
		case bytes.IndexByte([]byte(" .-"), text[at]) >= 0 && at+1 < len(text) && digit(text[at+1]):
			at++
		default:
			return at
		}
	}
	return at
}

func blank(run []byte) {
	for i, b := range run {
		if digit(b) {
			run[i] = '*'
		}
	}
}

func digits(run []byte) (n int) {
	for _, b := range run {
		if digit(b) {
			n++
		}
	}
	return n
}

// hide blanks a run of nine digits, and in any other run the groups of nine.
func hide(run []byte) {
	if digits(run) == 9 {
		blank(run)
		return
	}
	// The groups are parts of run, so what is blanked in them is blanked in it.
	for _, group := range bytes.FieldsFunc(run, func(r rune) bool { return r < '0' || r > '9' }) {
		if len(group) == 9 {
			blank(group)
		}
	}
}
