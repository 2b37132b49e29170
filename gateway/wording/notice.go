package wording

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/internal/civil"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// NoticeVersion is the version of the texts that a person reads. It stands in the
// consent, beside the SHA-256 of the text, and goes up when a text changes.
const NoticeVersion = "3"

// Notice is what a person is asked. Civil dates, both inclusive.
type Notice struct {
	Controller string // name of the organisation that asks
	// Reader is the role of who reads it, of the catalog "signers"; empty: the person.
	Reader string
	// Child says that the person who reads it is 12 to 15 years old: they read a text of
	// their own (GDPR art. 12(1)). It changes nothing for another reader.
	Child bool
	// Person is the name by which the reader knows the person. Empty, or read by the
	// person: "u", "uw kind" and so on.
	Person  string
	Purpose string // code
	Sources []NoticeSource
	// LapsesOn is the day on which others must sign: a birthday, or the end of an authority;
	// zero: none is to come.
	From, Until, LapsesOn civil.Date
	Signers               []NoticeSigner // who must sign
	Withdraw              string         // address of the page for withdrawing
	// RetentionDays is how long the controller retains what it gets, at most.
	RetentionDays int
	// Officer says how to reach the data protection officer (GDPR art. 13(1)(b)).
	Officer string
	// Reference makes the hash of the text one that cannot be guessed, because every
	// source that reads the consent sees the hash, and may not learn from it which
	// other sources were asked. At least 16 bytes that nobody else knows, written in
	// hexadecimal: drawn, or made of the question with a key of the keeper's, so that
	// the same text can be made again.
	Reference string
}

// NoticeSource is a source with the categories that are asked of it; in a receipt
// none means that the answer to it was no.
type NoticeSource struct {
	Name       string
	Kind       string // of the catalog "source_kinds", by code or key
	Categories []string
}

// NoticeSigner is so many people, each in one of these roles.
type NoticeSigner struct {
	Roles  []string
	People int
}

// Receipt is what the person takes home to read. Fields as in Notice.
type Receipt struct {
	ID                    string // of the consent
	Controller            string
	Reader, Person        string
	Purpose               string
	Sources               []NoticeSource
	Given                 civil.Date // on which it was said
	From, Until, LapsesOn civil.Date
	GivenBy               []string // roles, one for each signature
	// MandatedUntil is the last day of the mandate on which a gemachtigde gave it; zero:
	// it rests on none.
	MandatedUntil civil.Date
	Withdraw      string
}

// notices is reasons/notice.<lang>.yaml.
type notices struct {
	Notice   string                   `yaml:"notice"`
	Child    string                   `yaml:"child"`
	ChildWho string                   `yaml:"child_who"`
	Receipt  string                   `yaml:"receipt"`
	Source   string                   `yaml:"source"`
	Kind     string                   `yaml:"kind"`
	Item     string                   `yaml:"item"`
	Nothing  string                   `yaml:"nothing"`
	Lapses   string                   `yaml:"lapses"`
	Mandate  string                   `yaml:"mandate"`
	Or       string                   `yaml:"or"`
	Roles    map[string]noticeRole    `yaml:"roles"`
	Purposes map[string]noticePurpose `yaml:"purposes"`
}

type noticeRole struct {
	Reader string `yaml:"reader"`
	Who    string `yaml:"who"`
	One    string `yaml:"one"`
	More   string `yaml:"more"`
}

type noticePurpose struct {
	Purpose string `yaml:"purpose"`
	Child   string `yaml:"child"` // the same, for a child
	Law     string `yaml:"law"`
}

// Notice words what a person is asked, before a yes or a no. The same notice gives
// the same text. A purpose that nobody explains and a role that does not exist give
// an empty text: then nothing can be asked.
func (t *Texts) Notice(lang string, n Notice) string {
	words := t.language(lang).notices
	purpose, explained := words.Purposes[n.Purpose]
	reader, who, ok := words.reads(n.Reader, n.Person)
	if !ok || !explained {
		return ""
	}
	text := words.Notice
	if n.Child && (n.Reader == "" || n.Reader == ontschotv1.SignerSelf) {
		text, who, purpose.Purpose = words.Child, words.ChildWho, purpose.Child
	}
	return t.fill(text, lang, map[string]string{
		"controller": oneLine(n.Controller), "reader": reader, "who": who, "purpose": purpose.Purpose, "law": purpose.Law,
		"sources": t.sources(lang, n.Sources), "signers": t.signers(lang, who, n.Signers),
		"from": n.From.String(), "to": n.Until.String(), "lapses": t.lapses(lang, n.LapsesOn, n.Until),
		"withdraw": oneLine(n.Withdraw), "reference": oneLine(n.Reference), "days": strconv.Itoa(n.RetentionDays), "officer": oneLine(n.Officer),
	})
}

// NoticeSHA256 is the hash of a notice as a consent carries it: hexadecimal.
func NoticeSHA256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Receipt words what was said. A role that does not exist gives an empty text.
func (t *Texts) Receipt(lang string, r Receipt) string {
	words := t.language(lang).notices
	_, who, ok := words.reads(r.Reader, r.Person)
	if !ok {
		return ""
	}
	purpose, explained := words.Purposes[r.Purpose]
	if !explained {
		purpose.Purpose = oneLine(r.Purpose)
	}
	return t.fill(words.Receipt, lang, map[string]string{
		"controller": oneLine(r.Controller), "who": who, "purpose": purpose.Purpose,
		"sources": t.sources(lang, r.Sources), "signers": t.signers(lang, who, counted(r.GivenBy)), "date": r.Given.String(), "mandate": t.mandate(lang, r.MandatedUntil),
		"from": r.From.String(), "to": r.Until.String(), "lapses": t.lapses(lang, r.LapsesOn, r.Until),
		"withdraw": oneLine(r.Withdraw), "id": oneLine(r.ID),
	})
}

// reads says how the text addresses its reader, and how it speaks of the person.
func (w notices) reads(role, person string) (reader, who string, ok bool) {
	if role == "" {
		role = ontschotv1.SignerSelf
	}
	r, ok := w.Roles[role]
	if name := oneLine(person); name != "" && role != ontschotv1.SignerSelf {
		return r.Reader, name, ok
	}
	return r.Reader, r.Who, ok
}

// sources is a block of lines: each source, and under it what is asked of it.
func (t *Texts) sources(lang string, sources []NoticeSource) string {
	words := t.language(lang).notices
	var lines []string
	for _, s := range sources {
		lines = append(lines, t.fill(words.Source, lang, map[string]string{"source": t.named(lang, s)}))
		if len(s.Categories) == 0 {
			lines = append(lines, words.Nothing)
		}
		for _, category := range s.Categories {
			lines = append(lines, t.fill(words.Item, lang, map[string]string{"category": oneLine(category)}))
		}
	}
	return strings.Join(lines, "\n")
}

// named says what kind of organisation a source is, where its name does not.
func (t *Texts) named(lang string, s NoticeSource) string {
	name, kind := oneLine(s.Name), t.Label("source_kinds", s.Kind, lang)
	inName := strings.Contains(strings.ToLower(name), strings.ToLower(kind))
	switch {
	case strings.HasPrefix(kind, name): // "UWV", and "UWV (employee insurance agency)"
		return kind
	case inName || kind == "":
		return name
	}
	return t.fill(t.language(lang).notices.Kind, lang, map[string]string{"source": name, "kind": kind})
}

// signers is a block of lines: who must sign, or who did.
func (t *Texts) signers(lang, who string, signers []NoticeSigner) string {
	words := t.language(lang).notices
	var lines []string
	for _, s := range signers {
		var roles []string
		for _, role := range s.Roles {
			text := words.Roles[role].One
			if s.People > 1 {
				text = words.Roles[role].More
			}
			if text == "" {
				text = t.Label("signers", oneLine(role), lang)
			}
			roles = append(roles, t.fill(text, lang, map[string]string{"who": who, "people": strconv.Itoa(s.People)}))
		}
		lines = append(lines, "- "+strings.Join(roles, words.Or))
	}
	return strings.Join(lines, "\n")
}

// counted groups roles: two parents are one line.
func counted(roles []string) []NoticeSigner {
	var all []NoticeSigner
	for _, role := range roles {
		at := slices.IndexFunc(all, func(s NoticeSigner) bool { return s.Roles[0] == role })
		if at < 0 {
			all, at = append(all, NoticeSigner{Roles: []string{role}}), len(all)
		}
		all[at].People++
	}
	return all
}

// lapses is said only of a birthday before the end.
func (t *Texts) lapses(lang string, on, until civil.Date) string {
	if on.IsZero() || on > until {
		return ""
	}
	return t.fill(t.language(lang).notices.Lapses, lang, map[string]string{"date": on.String()})
}

// mandate is said only of what a gemachtigde gave.
func (t *Texts) mandate(lang string, until civil.Date) string {
	if until.IsZero() {
		return ""
	}
	return t.fill(t.language(lang).notices.Mandate, lang, map[string]string{"date": until.String()})
}

// oneLine stops a name from writing lines of its own.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// check refuses texts that are empty, and any that leaves out what a person must
// be informed of or has a place that nothing fills.
func (w notices) check(lang string) error {
	file := "reasons/notice." + lang + ".yaml"
	for _, t := range []struct{ name, text, places string }{
		{"notice", w.Notice, "controller reader who purpose sources from to lapses signers withdraw law reference days officer"},
		{"child", w.Child, "controller purpose sources from to lapses signers withdraw law reference days officer"},
		{"receipt", w.Receipt, "controller who purpose sources from to lapses signers mandate withdraw date id"},
		{"source", w.Source, "source"}, {"kind", w.Kind, "source kind"}, {"item", w.Item, "category"}, {"lapses", w.Lapses, "date"}, {"mandate", w.Mandate, "date"},
		{"nothing", w.Nothing, ""}, {"or", w.Or, ""}, {"child_who", w.ChildWho, ""},
	} {
		has, must := slices.Compact(slices.Sorted(slices.Values(places(t.text)))), slices.Sorted(strings.FieldsSeq(t.places))
		if strings.TrimSpace(t.text) == "" || !slices.Equal(has, must) {
			return fmt.Errorf("%w: %s: %s must be there, with exactly these places: %s", ErrTable, file, t.name, t.places)
		}
	}
	for role, r := range w.Roles {
		allowed := func(place string) bool { return place == "who" || place == "people" }
		if r.Reader == "" || r.Who == "" || r.One == "" || r.More == "" || slices.ContainsFunc(places(r.One+r.More), func(p string) bool { return !allowed(p) }) {
			return fmt.Errorf("%w: %s: roles.%s needs reader, who, one and more, with no places but {who} and {people}", ErrTable, file, role)
		}
	}
	for purpose, p := range w.Purposes {
		if p.Purpose == "" || p.Child == "" || p.Law == "" || len(places(p.Purpose+p.Child+p.Law)) > 0 {
			return fmt.Errorf("%w: %s: purposes.%s needs purpose, child and law, without places", ErrTable, file, purpose)
		}
	}
	return nil
}
