package signed

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of a document.
const (
	maxDepth   = 8
	maxMembers = 128 // of one object
)

// scanner walks JSON that is known to be valid, in one pass and without copying.
type scanner struct {
	raw       []byte
	at        int
	canonical bool
	member    func(depth int, name string, value []byte)
}

// scan refuses JSON that is not exactly one value, nests too deep, or has an object
// with the same member twice. Members that differ only in case count as the same,
// because encoding/json reads them as the same. Canonical: it must be the RFC 8785
// form as well, with whole numbers only. member is called with every member.
func scan(raw []byte, canonical bool, member func(depth int, name string, value []byte)) error {
	if !json.Valid(raw) || !utf8.Valid(raw) {
		return malformed("not one JSON value")
	}
	s := &scanner{raw: raw, canonical: canonical, member: member}
	if err := s.value(0); err != nil {
		return err
	}
	if canonical && s.at != len(raw) {
		return malformed("not in canonical form")
	}
	return nil
}

func (s *scanner) value(depth int) error {
	if depth > maxDepth {
		return malformed("JSON too deep")
	}
	if err := s.space(); err != nil {
		return err
	}
	switch s.raw[s.at] {
	case '{':
		return s.object(depth + 1)
	case '[':
		return s.list(depth + 1)
	case '"':
		_, err := s.text()
		return err
	}
	return s.word()
}

// space skips white space, of which the canonical form has none.
func (s *scanner) space() error {
	begin := s.at
	for s.at < len(s.raw) && strings.IndexByte(" \t\r\n", s.raw[s.at]) >= 0 {
		s.at++
	}
	if s.canonical && s.at > begin {
		return malformed("not in canonical form")
	}
	return nil
}

// next steps over one of the characters between values and gives which it was.
func (s *scanner) next() (byte, error) {
	if err := s.space(); err != nil {
		return 0, err
	}
	s.at++
	return s.raw[s.at-1], nil
}

func (s *scanner) list(depth int) error {
	s.at++
	if err := s.space(); err != nil {
		return err
	}
	if s.raw[s.at] == ']' {
		s.at++
		return nil
	}
	for {
		if err := s.value(depth); err != nil {
			return err
		}
		if c, err := s.next(); c != ',' || err != nil {
			return err
		}
	}
}

func (s *scanner) object(depth int) error {
	s.at++
	if err := s.space(); err != nil {
		return err
	}
	if s.raw[s.at] == '}' {
		s.at++
		return nil
	}
	var names []string
	for {
		if err := s.space(); err != nil {
			return err
		}
		name, err := s.name(names)
		if err != nil {
			return err
		}
		names = append(names, name)
		if _, err := s.next(); err != nil { // the colon
			return err
		}
		if err := s.space(); err != nil {
			return err
		}
		begin := s.at
		if err := s.value(depth); err != nil {
			return err
		}
		s.member(depth, name, s.raw[begin:s.at])
		if c, err := s.next(); c != ',' || err != nil {
			return err
		}
	}
}

// name reads the name of a member that none of the names before it is.
func (s *scanner) name(before []string) (string, error) {
	text, err := s.text()
	if err != nil {
		return "", err
	}
	name := string(text)
	if strings.IndexFunc(name, func(r rune) bool { return r > 127 || r == '\\' }) >= 0 {
		return "", malformed("a member name that is not plain ASCII") // encoding/json folds more than is seen
	}
	if len(before) >= maxMembers {
		return "", malformed("an object of more than %d members", maxMembers)
	}
	for _, b := range before {
		if strings.EqualFold(b, name) {
			return "", malformed("a member is listed twice")
		}
	}
	if s.canonical && len(before) > 0 && before[len(before)-1] > name {
		return "", malformed("not in canonical form")
	}
	return name, nil
}

// text gives what is between the quotes of a string.
func (s *scanner) text() ([]byte, error) {
	begin := s.at + 1
	for s.at = begin; s.raw[s.at] != '"'; s.at++ {
		if s.raw[s.at] != '\\' {
			continue
		}
		if s.canonical && !shortest(s.raw[s.at+1:]) {
			return nil, malformed("not in canonical form")
		}
		s.at++
	}
	s.at++
	return s.raw[begin : s.at-1], nil
}

// shortest reports whether an escape is the one that RFC 8785 section 3.2.2.2 has for
// its character.
func shortest(escape []byte) bool {
	if escape[0] != 'u' {
		return escape[0] != '/'
	}
	digits := escape[1:5]
	return bytes.HasPrefix(digits, []byte("00")) && (digits[2] == '0' || digits[2] == '1') && bytes.IndexByte([]byte("ABCDEF"), digits[3]) < 0 &&
		!(digits[2] == '0' && bytes.IndexByte([]byte("89acd"), digits[3]) >= 0)
}

// word reads a number, true, false or null.
func (s *scanner) word() error {
	begin := s.at
	for s.at < len(s.raw) && strings.IndexByte(",]} \t\r\n", s.raw[s.at]) < 0 {
		s.at++
	}
	word := string(s.raw[begin:s.at])
	if s.canonical && word != "true" && word != "false" && word != "null" && !exact(word) {
		return malformed("a number that is not whole and small")
	}
	return nil
}

// exact reports whether a number is whole and not beyond 2^53, up to where those who read
// numbers as floating point read the same (RFC 8785 section 3.2.2.3).
func exact(number string) bool {
	n, err := strconv.ParseInt(number, 10, 64)
	return err == nil && number != "-0" && max(n, -n) <= 1<<53
}
