package wording

import (
	"fmt"
	"io/fs"
	"strings"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Readers of the way to yes.
const (
	ReaderFamily  = "family"
	ReaderWorker  = "worker"  // the case worker
	ReaderOfficer = "officer" // the privacy officer
)

// ways is reasons/way.<lang>.yaml: what somebody can do so that the answer becomes yes.
type ways struct {
	// Several stands before more than one act; Grounds behind what an officer reads.
	Several string             `yaml:"several"`
	Grounds string             `yaml:"grounds"`
	Acts    map[string]wayText `yaml:"acts"`
}

type wayText struct {
	readersText `yaml:",inline"`
	Command     string `yaml:"command"`
	// Codes are what takes the place of the texts, by the code of the act.
	Codes map[string]readersText `yaml:"codes"`
}

type readersText struct {
	Family  string `yaml:"family"`
	Worker  string `yaml:"worker"`
	Officer string `yaml:"officer"`
}

func (r readersText) of(reader string) string {
	switch reader {
	case ReaderWorker:
		return r.Worker
	case ReaderOfficer:
		return r.Officer
	}
	return r.Family
}

func readWays(fsys fs.FS, lang string) (ways, error) {
	var w ways
	err := readTable(fsys, "reasons/way."+lang+".yaml", &w)
	return w, err
}

// check refuses empty texts, and places that nobody fills in.
func (w ways) check(l language, lang string) error {
	file := "way." + lang + ".yaml"
	if err := l.texts(file, "several or grounds", w.Several, w.Grounds); err != nil {
		return err
	}
	for act, text := range w.Acts {
		if err := l.texts(file, act, text.Family, text.Worker, text.Officer, text.Command+"."); err != nil {
			return err
		}
		for code, own := range text.Codes {
			if err := l.texts(file, act+" "+code, own.Family, own.Worker, own.Officer); err != nil {
				return err
			}
		}
	}
	for reason, g := range l.gaps {
		for code, text := range g.Codes {
			if _, known := w.Acts[text.Act]; text.Act != "" && !known {
				return fmt.Errorf("%w: reasons/gaps.%s.yaml: %s %s names an act that way.%s.yaml does not have", ErrTable, lang, reason, code, lang)
			}
		}
		if _, known := w.Acts[g.Act]; g.Act != "" && !known {
			return fmt.Errorf("%w: reasons/gaps.%s.yaml: %s names an act that way.%s.yaml does not have", ErrTable, lang, reason, lang)
		}
	}
	return nil
}

// wayCodes are the acts, and beside them each with a code that has a text of its own.
func (l language) wayCodes() []string {
	all := keys(l.ways.Acts)
	for act, text := range l.ways.Acts {
		for code := range text.Codes {
			all = append(all, act+" "+code)
		}
	}
	return all
}

// Way words the acts of a way to yes for a reader, in the order in which they are given; an
// officer reads code, article and cell behind them. Params may hold person, source and
// source_code, code, article and cell, and under "party CODE" the name of a party. None
// gives an empty text, and an act that is not known is left out.
func (t *Texts) Way(way []*budgetv1.WayToYes, reader, lang string, params map[string]string) string {
	l := t.language(lang)
	var parts []string
	if len(way) > 1 {
		parts = append(parts, l.ways.Several)
	}
	for _, w := range way {
		text, known := l.ways.Acts[w.GetAct()]
		if !known {
			continue
		}
		worded := text.readersText
		if own, ok := text.Codes[w.GetCode()]; ok {
			worded = own
		}
		p := t.ofAct(w, params)
		said := worded.of(reader)
		if w.GetAct() == budgetv1.ActNever && len(way) > 1 || len(w.GetLaws()) > 0 {
			said += l.words.only(map[string]string{"law": p["law"], "category": p["part"]})
		}
		if reader == ReaderOfficer {
			said += " " + l.ways.Grounds
		}
		parts = append(parts, t.fill(said, lang, p))
	}
	return strings.Join(parts, " ")
}

// Commands are what a case worker types for the acts of a way, each once; an act without a
// command has none. Params as for Way.
func (t *Texts) Commands(way []*budgetv1.WayToYes, lang string, params map[string]string) (commands []string) {
	seen := map[string]bool{}
	for _, w := range way {
		command := t.fill(t.language(lang).ways.Acts[w.GetAct()].Command, lang, t.ofAct(w, params))
		if command != "" && !seen[command] {
			seen[command], commands = true, append(commands, command)
		}
	}
	return commands
}

// ofAct are the params of one act.
func (t *Texts) ofAct(w *budgetv1.WayToYes, params map[string]string) map[string]string {
	p := map[string]string{}
	for _, name := range []string{"person", "source", "source_code", "code", "article", "cell"} {
		p[name] = params[name]
	}
	p["party"], p["role"], p["assurance"], p["legal_basis"] = params["party "+w.GetParty()], w.GetRole(), w.GetAssurance(), w.GetLegalBasis()
	p["law"], p["category"] = strings.Join(w.GetLaws(), ", "), strings.Join(w.GetCategories(), ", ")
	if w.GetAct() == budgetv1.ActNever {
		p["part"], p["code"] = p["category"], w.GetCode()
		if w.GetArticle() != "" {
			p["article"] = w.GetArticle()
		}
	}
	if p["party"] == "" {
		p["party"] = w.GetParty()
	}
	return p
}

// Article is where a policy code rests on, such as "AVG art. 7 lid 3"; in Dutch, for that is
// the language of the law. None: the code is not known.
func (t *Texts) Article(code string) string { return t.language(Dutch).reasons[code].Article }
