package wording

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// hops are what is found on the way to another gateway, by code.
type hops map[string]string

// mostParams is how many places such a text can have: {1} and on.
const mostParams = 3

func readHops(fsys fs.FS, lang string) (hops, error) {
	h := hops{}
	err := readTable(fsys, "reasons/peer."+lang+".yaml", &h)
	return h, err
}

// check refuses empty texts, and places that nobody fills in.
func (h hops) check(lang string) error {
	for code, text := range h {
		if strings.TrimSpace(text) == "" {
			return fmt.Errorf("%w: reasons/peer.%s.yaml: %s has an empty text", ErrTable, lang, code)
		}
		for _, name := range places(text) {
			if n, err := strconv.Atoi(name); err != nil || n < 1 || n > mostParams {
				return fmt.Errorf("%w: reasons/peer.%s.yaml: %s has a place {%s} that nobody fills", ErrTable, lang, code, name)
			}
		}
	}
	return nil
}

// Hop says what was found at a hop to another gateway, with what is filled in: {1} is the
// first. A code without a text is given as it is.
func (t *Texts) Hop(code, lang string, params ...string) string {
	text, known := t.language(lang).hops[code]
	if !known {
		return code
	}
	named := map[string]string{}
	for i, p := range params {
		named[strconv.Itoa(i+1)] = p
	}
	return t.fill(text, lang, named)
}
