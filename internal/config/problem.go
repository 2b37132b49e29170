package config

import (
	"fmt"
	"regexp"
	"strings"
)

// Problem is one thing that is wrong with what the operator wrote down, or, as a warning, one
// that will need care. It never repeats a value of a file.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`   // from 1; 0: of the file as a whole
	Column int    `json:"column,omitempty"` // from 1, in characters
	// Key is where it is in the file, for example sources[1].allow.read[0]; empty: nowhere in
	// particular.
	Key  string `json:"key,omitempty"`
	What string `json:"what"`
	// Do is what to do about it; empty: What says it.
	Do string `json:"do,omitempty"`
	// Warning says that a gateway starts nevertheless.
	Warning bool `json:"warning,omitempty"`
}

// String is file:line:column: what; what to do.
func (p Problem) String() string {
	text := p.File
	if p.Line > 0 {
		text += fmt.Sprintf(":%d:%d", p.Line, p.Column)
	}
	text += ": " + p.What
	if p.Do != "" {
		text += "; " + p.Do
	}
	return text
}

// mostProblems are told of one file; a file with more is another kind of file.
const mostProblems = 100

// asError is nil when nothing is wrong. Errors: ErrConfig, with all that is.
func asError(all []Problem) error {
	var texts []string
	for _, p := range all {
		if !p.Warning {
			texts = append(texts, p.String())
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrConfig, strings.Join(texts, "\n  "))
}

// rule is what must not be so, and how that is said. What is said begins with the key that it is
// about, where it is about one.
type rule struct {
	broken bool
	says   string
}

// broken gives what is said of those rules that are broken.
func broken(rules ...rule) []string {
	var all []string
	for _, r := range rules {
		if r.broken {
			all = append(all, r.says)
		}
	}
	return all
}

// leading is the key with which a sentence about it begins.
var leading = regexp.MustCompile(`^[a-z_]+(\[\d+\])?(\.[a-z_]+(\[\d+\])?)*`)

// keyIn gives the key that a sentence of a part of the file is about: "sources[1]: allow.read[0]
// must be ..." is about sources[1].allow.read[0].
func keyIn(says string) string {
	key := leading.FindString(says)
	if rest, more := strings.CutPrefix(says[len(key):], ": "); more {
		if inner := leading.FindString(rest); inner != "" {
			return key + "." + inner
		}
	}
	return key
}

// under puts the key of a part before what is said of it.
func under(key, joint string, all []string) []string {
	for i := range all {
		all[i] = key + joint + all[i]
	}
	return all
}
