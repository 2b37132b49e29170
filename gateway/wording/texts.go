package wording

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"sync/atomic"
)

// The languages of the texts. Any other is answered in Dutch.
const (
	Dutch   = "nl"
	English = "en"
)

// Texts holds every text in both languages. It is safe for concurrent use.
type Texts struct{ now atomic.Pointer[said] }

// said is what is said by the texts of one folder.
type said struct {
	languages map[string]language
	catalogs  map[string]map[string]label
}

// Replace says everything by the texts of another folder from here on.
func (t *Texts) Replace(by *Texts) { t.now.Store(by.now.Load()) }

type language struct {
	reasons  map[string]Reason
	gaps     map[string]gapText
	findings map[string]findingText
	refusals refusals
	notices  notices
	words    words
	hops     hops
	ways     ways
}

// Reason is what a policy code means, for a human.
type Reason struct {
	Short       string `yaml:"short"`
	Explanation string `yaml:"explanation"` // B1: short sentences
	Do          string `yaml:"do"`          // who can do what now
	Article     string `yaml:"article"`
}

type gapText struct {
	Short       string `yaml:"short"` // its name in a table
	missingText `yaml:",inline"`
	// Codes are what takes the place of the text of a reason, by the detail of the gap.
	Codes map[string]missingText `yaml:"codes"`
}

type missingText struct {
	Missing string `yaml:"missing"`
	Do      string `yaml:"do"`
	// Act says what to do in the place of do: the text of an act of the way to yes.
	Act string `yaml:"act"`
}

// of gives the text for a detail; where it has none of its own, that of the reason.
func (g gapText) of(detail string) missingText {
	if text, ok := g.Codes[detail]; ok {
		return text
	}
	return g.missingText
}

type findingText struct {
	saysText `yaml:",inline"`
	// Codes are what takes the place of the text, by what more is known of the finding.
	Codes map[string]saysText `yaml:"codes"`
}

type saysText struct {
	Says string `yaml:"says"`
	Do   string `yaml:"do"`
}

// of gives the text for a detail; where it has none of its own, that of the finding.
func (f findingText) of(detail string) saysText {
	if text, ok := f.Codes[detail]; ok {
		return text
	}
	return f.saysText
}

// ReadTexts reads reasons/ and rules/catalog/, and refuses a text that is empty or
// that is there in one language only. Errors: ErrTable, naming the file.
func ReadTexts(fsys fs.FS) (*Texts, error) {
	t := new(Texts)
	t.now.Store(&said{languages: map[string]language{}, catalogs: map[string]map[string]label{}})
	for _, lang := range []string{Dutch, English} {
		read, err := readLanguage(fsys, lang)
		if err != nil {
			return nil, err
		}
		t.now.Load().languages[lang] = read
	}
	if err := t.readCatalogs(fsys); err != nil {
		return nil, err
	}
	return t, t.complete()
}

func readLanguage(fsys fs.FS, lang string) (language, error) {
	var l language
	for _, table := range []struct {
		file string
		into any
	}{
		{lang + ".yaml", &l.reasons},
		{"gaps." + lang + ".yaml", &l.gaps},
		{"findings." + lang + ".yaml", &l.findings},
		{"notice." + lang + ".yaml", &l.notices},
		{"words." + lang + ".yaml", &l.words},
	} {
		if err := readTable(fsys, "reasons/"+table.file, table.into); err != nil {
			return language{}, err
		}
	}
	var err error
	if l.refusals, err = readRefusals(fsys, lang); err != nil {
		return language{}, err
	}
	if l.hops, err = readHops(fsys, lang); err != nil {
		return language{}, err
	}
	l.ways, err = readWays(fsys, lang)
	return l, err
}

func (t *Texts) readCatalogs(fsys fs.FS) error {
	files, err := fs.Glob(fsys, "rules/catalog/*/data.yaml")
	if err != nil {
		return fmt.Errorf("%w: rules/catalog: %w", ErrTable, err)
	}
	for _, file := range files {
		list := path.Base(path.Dir(file))
		if t.now.Load().catalogs[list], err = readCatalog(fsys, list); err != nil {
			return err
		}
	}
	return nil
}

// Gap words the reason of a gap: what is missing, and who can do what. Params may
// hold person, source, law, category, product, from, to, days, date and line; number,
// the name of an identifier; and code, which selects the text where the reason has one
// for it. What is absent is worded as such. Law and category may be lists ("WMO, JW"): the text
// then says that it is about these only. A reason that is not known gives an empty text.
// With way, whatever it holds, the text does not say what to do: see Way.
func (t *Texts) Gap(reason, lang string, params map[string]string) string {
	l := t.language(lang)
	reasons, ok := l.gaps[reason]
	if !ok {
		return ""
	}
	text := reasons.of(params["code"])
	said := text.Missing + l.words.only(params)
	if params["way"] == "" {
		said += " " + cmp.Or(text.Do, l.ways.Acts[text.Act].Family)
	}
	return t.fill(said, lang, params)
}

// Finding words a finding: what it says, and who can do what. Params as for Gap, and label,
// the name of the product; code selects the text of a detail.
func (t *Texts) Finding(code, lang string, params map[string]string) string {
	l := t.language(lang)
	finding, ok := l.findings[code]
	if !ok {
		return ""
	}
	text := finding.of(params["code"])
	return t.fill(text.Says+" "+text.Do, lang, params)
}

// GapName is the short name of a reason, for a table. One that is not known is its own name.
func (t *Texts) GapName(reason, lang string) string {
	return cmp.Or(t.language(lang).gaps[reason].Short, reason)
}

// Law is the short name of a law, for a sentence; "Wmo 2015 (ondersteuning)" is "Wmo 2015".
func (t *Texts) Law(law, lang string) string { return shortLaws(t.Label("laws", law, lang)) }

// Product is the name of a product, from its code and label: a code that is in no list of
// ours is worded as such, and none at all is "an unknown product".
func (t *Texts) Product(code, label, lang string) string {
	return cmp.Or(t.product(lang, code, label), t.language(lang).words.Unknown["product"])
}

// Date writes a civil date (YYYY-MM-DD) out; what is no date stays as it is.
func (t *Texts) Date(date, lang string) string { return t.language(lang).words.date(date) }

// Reason words a policy code such as OVK-01; ok is false when it is not known.
func (t *Texts) Reason(code, lang string) (reason Reason, ok bool) {
	reason, ok = t.language(lang).reasons[code]
	return reason, ok
}

// Label is the name of an entry of a catalog (laws, source_kinds, categories,
// statuses, delivery_forms, fungibilities, roles ...), by its code or its key. An
// entry that is not known is its own label, so that nothing is dropped.
func (t *Texts) Label(list, code, lang string) string {
	labels := t.now.Load().catalogs[list]
	if entry, ok := labels[keyOf(labels, code)]; ok {
		return entry.in(lang)
	}
	return code
}

func (t *Texts) language(lang string) language {
	languages := t.now.Load().languages
	if l, ok := languages[lang]; ok {
		return l
	}
	return languages[Dutch]
}
