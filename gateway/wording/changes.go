package wording

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ontschot/ontschot/internal/civil"
)

// AgreementTexts words what changes in an agreement. It is safe for concurrent use.
type AgreementTexts struct {
	texts *Texts
	now   atomic.Pointer[agreementSaid]
}

// agreementSaid is what is said by the tables of one folder.
type agreementSaid struct {
	matrix *Matrix
	words  map[string]agreementWords
}

// Replace words what changes by the tables of another folder from here on.
func (t *AgreementTexts) Replace(by *AgreementTexts) { t.now.Store(by.now.Load()) }

// agreementWords is agreements/words.<lang>.yaml.
type agreementWords struct {
	Changes map[string]map[string]string `yaml:"changes"` // by path without places, and by kind
	Which   string                       `yaml:"which"`
	Roles   map[string]string            `yaml:"roles"`
}

// ChangeParams is one change, as agreement.Diff gives it.
type ChangeParams struct {
	Path, Kind, Old, New string
	// Party, Consumer and Source are OINs; Purposes codes with ", " between.
	Party, Consumer, Source, Purposes string
	// Name gives the name of an organisation by its OIN; nil or "" leaves the OIN.
	Name func(oin string) string
}

// ReadAgreementTexts reads agreements/words.{nl,en}.yaml and the matrix; they lean on the
// texts of the same folder. Errors: ErrTable, naming the file.
func ReadAgreementTexts(fsys fs.FS, texts *Texts) (*AgreementTexts, error) {
	t, s := &AgreementTexts{texts: texts}, &agreementSaid{words: map[string]agreementWords{}}
	t.now.Store(s)
	var err error
	if s.matrix, err = ReadMatrix(fsys); err != nil {
		return nil, err
	}
	for _, lang := range []string{Dutch, English} {
		var w agreementWords
		if err := readTable(fsys, "agreements/words."+lang+".yaml", &w); err != nil {
			return nil, err
		}
		if err := w.check(lang); err != nil {
			return nil, err
		}
		s.words[lang] = w
	}
	nl, en := s.words[Dutch], s.words[English]
	if one, differs := difference(nl.sentences(), en.sentences()); differs {
		return nil, fmt.Errorf("%w: agreements/words.{nl,en}.yaml: %s is there in one language only", ErrTable, one)
	}
	return t, nil
}

// sentences lists what there are words for, sorted.
func (w agreementWords) sentences() []string {
	var all []string
	for path, kinds := range w.Changes {
		for kind := range kinds {
			all = append(all, path+" "+kind)
		}
	}
	for role := range w.Roles {
		all = append(all, "role "+role)
	}
	return slices.Sorted(slices.Values(all))
}

func (w agreementWords) check(lang string) error {
	known := []string{"old", "new", "party", "consumer", "source", "purposes"}
	all := []string{w.Which}
	for path, kinds := range w.Changes {
		for kind, text := range kinds {
			if !slices.Contains([]string{"added", "removed", "changed"}, kind) {
				return fmt.Errorf("%w: agreements/words.%s.yaml: %s can be added, removed or changed only", ErrTable, lang, path)
			}
			all = append(all, text)
		}
	}
	all = slices.AppendSeq(all, maps.Values(w.Roles))
	for _, text := range all {
		if strings.TrimSpace(text) == "" {
			return fmt.Errorf("%w: agreements/words.%s.yaml: a text is empty", ErrTable, lang)
		}
		for _, name := range places(text) {
			if !slices.Contains(known, name) {
				return fmt.Errorf("%w: agreements/words.%s.yaml: a place {%s} that nobody fills", ErrTable, lang, name)
			}
		}
	}
	return nil
}

// Change words one change. A change for which there are no words is given by its
// path, never left out.
func (t *AgreementTexts) Change(lang string, c ChangeParams) string {
	words := t.now.Load().words
	w, ok := words[lang]
	if !ok {
		lang, w = Dutch, words[Dutch]
	}
	path := withoutPlaces(c.Path)
	params := map[string]string{
		"old": t.label(lang, path, c.Old, c.name), "new": t.label(lang, path, c.New, c.name),
		"party": c.name(c.Party), "consumer": c.name(c.Consumer), "source": c.name(c.Source),
		"purposes": t.label(lang, "grants.purposes", c.Purposes, c.name),
	}
	text := w.Changes[path][c.Kind]
	if text == "" {
		return c.Path + ": " + c.Old + " → " + c.New
	}
	if c.Purposes != "" {
		text += w.Which
	}
	return t.texts.fill(text, lang, params)
}

func (c ChangeParams) name(oin string) string {
	if c.Name != nil {
		if name := c.Name(oin); name != "" {
			return name
		}
	}
	return oin
}

// withoutPlaces cuts the places in lists out of a path: grants[0].purposes is
// grants.purposes.
func withoutPlaces(path string) string {
	var out strings.Builder
	for path != "" {
		before, rest, found := strings.Cut(path, "[")
		out.WriteString(before)
		if _, after, closed := strings.Cut(rest, "]"); found && closed {
			path = after
			continue
		}
		break
	}
	return out.String()
}

// label names a value of a term as people call it.
func (t *AgreementTexts) label(lang, path, value string, name func(string) string) string {
	words := t.texts.language(lang).words
	switch path {
	case "grants", "grants.purposes":
		return each(value, func(purpose string) string { return t.purpose(lang, purpose) })
	case "grants.categories":
		return each(value, func(c string) string { return t.texts.Label("categories", c, lang) })
	case "grants.legal_basis":
		return t.texts.Label("legal_bases", value, lang)
	case "grants.assurance":
		return t.texts.Label("assurance", value, lang)
	case "parties", "oversight.auditors":
		return each(value, name)
	case "parties.role":
		if role, ok := t.now.Load().words[lang].Roles[value]; ok {
			return role
		}
	case "grants.retention_days", "grants.max_age_days":
		return words.days(value)
	case "from", "until":
		return words.date(value)
	case "proposed_at":
		if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
			return words.date(civil.Today(time.Unix(seconds, 0)).String())
		}
	}
	return value
}

// each names every entry of a list. Names hold commas, so there is a semicolon
// between them.
func each(list string, name func(string) string) string {
	entries := strings.Split(list, ", ")
	for i, entry := range entries {
		entries[i] = name(entry)
	}
	return strings.Join(entries, "; ")
}

// purpose is the title of a purpose in the matrix; one that is not there is its own.
func (t *AgreementTexts) purpose(lang, purpose string) string {
	if title := t.now.Load().matrix.purposes[purpose].Title[lang]; title != "" {
		return title
	}
	return purpose
}
