package exam

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed checks.yaml
var checksYAML []byte

// words are what is said of a check. The id is for ever.
type words struct {
	ID       string `json:"id" yaml:"id"`
	Must     bool   `json:"must" yaml:"must"`
	Sentence Text   `json:"sentence" yaml:"sentence"`
	Repair   Text   `json:"repair" yaml:"repair"`
	at       int
}

// Group is the first word of the id.
func (w words) Group() string {
	group, _, _ := strings.Cut(w.ID, ".")
	return group
}

// readChecks gives the words by id.
func readChecks() (map[string]words, error) {
	var list []words
	d := yaml.NewDecoder(bytes.NewReader(checksYAML))
	d.KnownFields(true)
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("%w: checks.yaml: %w", ErrConfig, err)
	}
	all := map[string]words{}
	for i, w := range list {
		w.at = i
		all[w.ID] = w
	}
	return all, nil
}

// check is one thing that is looked at. It is made after those that must pass before it says
// anything, so that one mistake fails one check.
type check struct {
	id    string
	needs need
	after []string
	run   func(context.Context, *examination) *finding // nil: it passes
}

// finding is why a check does not pass.
type finding struct {
	outcome Outcome
	seen    Text
}

// fails says what was seen, in both languages, with the same values.
func fails(nl, en string, args ...any) *finding { return &finding{Failed, text(nl, en, args...)} }

// passes says something of a check that passes.
func passes(nl, en string, args ...any) *finding { return &finding{Passed, text(nl, en, args...)} }

// beside says why a check does not apply.
func beside(nl, en string, args ...any) *finding {
	return &finding{NotApplicable, text(nl, en, args...)}
}

// need is what a check cannot do without.
type need int

const (
	aProcess need = 1 << iota // a program, not an address
	anAddress
	persons
	proc     // the kernel's view of a process
	aSource  // a way in between the adapter and its source
	manifest // that was given
)

// lacks says what of it there is not; nil: all there is.
func (x *examination) lacks(n need) *Text {
	why := func(nl, en string) *Text { return &Text{NL: nl, EN: en} }
	switch {
	case n&aProcess != 0 && len(x.Command) == 0:
		return why("alleen te zien aan een programma (--exec)", "to be seen of a program alone (--exec)")
	case n&anAddress != 0 && x.Address == "":
		return why("alleen aan een adres (--addr)", "of an address alone (--addr)")
	case n&persons != 0 && (x.Persons == nil || len(x.Persons.Persons) == 0):
		return why("er zijn geen personen gegeven (--persons)", "no persons were given (--persons)")
	case n&manifest != 0 && x.Manifest == nil:
		return why("er is geen manifest gegeven", "no manifest was given")
	case n&proc != 0 && !hasProc():
		return why("dit systeem toont geen processen in /proc", "this system shows no processes in /proc")
	case n&aSource != 0 && x.what != nil:
		return x.between()
	}
	return nil
}
