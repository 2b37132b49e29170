package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/rego"
	"go.yaml.in/yaml/v3"
)

// ContractTest is the version of the contract in which a CaseReport is written.
const ContractTest = "ontschot.policy-test/1"

const (
	casesTimeout = time.Minute
	maxCases     = 4096
	// casesRules are the rules that run the cases: in the folder, so that the stock tools
	// run the very same.
	casesRules = "rules/core/cases_test.rego"
)

// CaseReport is how the worked cases of a folder come out by its rules. It is a function of
// the folder alone: no time, no place on a disk.
type CaseReport struct {
	Contract string       `json:"contract"` // ContractTest
	Revision string       `json:"revision"`
	Passed   bool         `json:"passed"`
	Cases    []CaseResult `json:"cases"` // by group, in the order of the file
	Coverage Coverage     `json:"coverage"`
}

// Coverage says how many cases touch each cell, each door and each code.
type Coverage struct {
	Cells []CellCoverage  `json:"cells"` // in the order of purpose, source and law
	Doors []CountCoverage `json:"doors"`
	Codes []CountCoverage `json:"codes"` // in the order of Codes
}

// CellCoverage is one cell of the matrix: how many of its categories a case gives, out of
// how many, and how many cases are about it.
type CellCoverage struct {
	Purpose string `json:"purpose"`
	Source  string `json:"source"`
	Law     string `json:"law"`
	Given   int    `json:"given"`
	Of      int    `json:"of"`
	Cases   int    `json:"cases"`
}

// CountCoverage is a door or a code, and how many cases have it.
type CountCoverage struct {
	Name  string `json:"name"`
	Cases int    `json:"cases"`
}

// CaseResult is one case. Expected holds what the case says, and Got the same parts of what
// the rules answer.
type CaseResult struct {
	Group    string     `json:"group"`
	Name     string     `json:"name"`
	Passed   bool       `json:"passed"`
	About    CaseAbout  `json:"about"`
	Expected CaseAnswer `json:"expected"`
	Got      CaseAnswer `json:"got"`
	// Problems is what is wrong with the words of the case; it then was not judged.
	Problems Problems `json:"problems,omitempty"`
	place    Problem
}

// CaseAbout says what a case is about: a question (Purpose, Source and Law), what somebody
// does (Operation), or money that is put together (Municipality).
type CaseAbout struct {
	Purpose      string            `json:"purpose,omitempty"`
	Source       string            `json:"source,omitempty"`
	Law          string            `json:"law,omitempty"`
	Masks        map[string]string `json:"masks,omitempty"` // as if the cell had them
	Statute      string            `json:"statute,omitempty"`
	Operation    string            `json:"operation,omitempty"`
	Municipality string            `json:"municipality,omitempty"`
}

// CaseAnswer is an outcome; what is not compared is absent.
type CaseAnswer struct {
	Decision      string            `json:"decision,omitempty"` // allow, deny
	Codes         []string          `json:"codes,omitempty"`
	Fields        map[string]string `json:"fields,omitempty"` // category to mask
	Dropped       map[string]string `json:"dropped,omitempty"`
	RetentionDays int               `json:"retention_days,omitempty"`
	Basis         string            `json:"basis,omitempty"`
}

// RunCases runs the cases of a folder with the Rego test that lies in it. That a case fails
// is no error; that there are none, or that the folder cannot be used, is. Errors: ErrRules.
func RunCases(ctx context.Context, fsys fs.FS) (*CaseReport, error) {
	t, err := load(ctx, fsys)
	if err != nil {
		return nil, err
	}
	set, problems := gatherCases(fsys)
	if len(problems) > 0 {
		return nil, problems
	}
	return t.run(ctx, set)
}

// caseSet are the cases of a folder as data, and where each of them stands.
type caseSet struct {
	data   map[string]any
	cases  []casePlace
	groups map[string]caseFile
}

type caseFile struct {
	file string
	node *yaml.Node
}

type casePlace struct {
	group, name string
	key, value  *yaml.Node
}

// run lets the Rego test judge the cases.
func (t *tree) run(ctx context.Context, set caseSet) (*CaseReport, error) {
	answered, words, err := t.judgeCases(ctx, set)
	if err != nil {
		return nil, err
	}
	report := &CaseReport{Contract: ContractTest, Revision: t.revision, Passed: true, Cases: []CaseResult{}}
	for _, c := range set.cases {
		r := CaseResult{Group: c.group, Name: c.name}
		file := set.groups[c.group].file
		r.place = placed(file, c.key, "", "")
		if said, ok := answered[c.group][c.name]; ok {
			r.Passed, r.About, r.Expected, r.Got = said.Passed, said.About, said.Expected, said.Got
			r.Problems = describe(file, c.value, said.Problems, words)
		} else {
			r.Problems = Problems{placed(file, c.key, "dit geval is niet beoordeeld: het vak waar het over gaat is er niet", "this case was not judged: the cell that it is about is not there")}
		}
		r.Passed = r.Passed && len(r.Problems) == 0
		report.Passed = report.Passed && r.Passed
		report.Cases = append(report.Cases, r)
	}
	report.Coverage = t.coverage(report.Cases)
	return report, nil
}

func (t *tree) coverage(cases []CaseResult) Coverage {
	c := Coverage{Cells: []CellCoverage{}, Doors: []CountCoverage{}, Codes: []CountCoverage{}}
	given, about := map[string]bool{}, map[string]int{}
	for _, r := range cases {
		cell := cellName(r.About.Purpose, r.About.Source, r.About.Law)
		about[cell]++
		about[r.About.Operation]++
		for category := range r.Got.Fields {
			given[cellName(cell, category)] = true
		}
		for _, code := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(r.Got.Codes, slices.Collect(maps.Values(r.Got.Dropped)))))) {
			about[code]++
		}
	}
	m := newMatrix(t.data)
	for _, purpose := range slices.Sorted(maps.Keys(m)) {
		for _, kind := range slices.Sorted(maps.Keys(m[purpose])) {
			for _, law := range slices.Sorted(maps.Keys(m[purpose][kind])) {
				one := CellCoverage{Purpose: purpose, Source: kind, Law: law, Of: len(m[purpose][kind][law]), Cases: about[cellName(purpose, kind, law)]}
				for _, category := range m[purpose][kind][law] {
					if given[cellName(purpose, kind, law, string(category))] {
						one.Given++
					}
				}
				c.Cells = append(c.Cells, one)
			}
		}
	}
	for _, door := range slices.Sorted(maps.Keys(member(t.data["catalog"], "operations"))) {
		c.Doors = append(c.Doors, CountCoverage{door, about[door]})
	}
	for _, code := range Codes() {
		c.Codes = append(c.Codes, CountCoverage{code, about[code]})
	}
	return c
}

// said is what the Rego test says of one case.
type said struct {
	Passed   bool       `json:"passed"`
	About    CaseAbout  `json:"about"`
	Expected CaseAnswer `json:"expected"`
	Got      CaseAnswer `json:"got"`
	Problems []mistake  `json:"problems"`
}

func (t *tree) judgeCases(ctx context.Context, set caseSet) (map[string]map[string]said, []string, error) {
	var answer struct {
		Results map[string]map[string]said `json:"results"`
		Words   []string                   `json:"words"`
	}
	err := t.askCases(ctx, set, `{"results": data.cases_test.results, "words": data.cases_test.vocabulary}`, &answer)
	return answer.Results, answer.Words, err
}

// askCases asks the Rego test something, with the cases as its data. Errors: ErrRules.
func (t *tree) askCases(ctx context.Context, set caseSet, query string, into any) error {
	if t.tests[casesRules] == "" {
		return Problems{{File: casesRules, NL: "dit bestand voert de gevallen uit en ontbreekt; neem het over van: ontschot policy init",
			EN: "this file runs the cases and is not there; take it from: ontschot policy init"}}
	}
	sources := maps.Clone(t.modules)
	maps.Copy(sources, t.tests)
	compiler, err := t.compileAll(sources)
	if err != nil {
		return err
	}
	with := *t
	with.data = maps.Clone(t.data)
	with.data["cases"] = set.data
	ctx, cancel := context.WithTimeout(ctx, casesTimeout)
	defer cancel()
	results, err := rego.New(
		rego.Query("x := "+query), rego.Compiler(compiler), rego.Store(with.store()), rego.Capabilities(t.capabilities),
	).Eval(ctx)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrRules, casesRules, err)
	}
	if len(results) != 1 || reread(results[0].Bindings["x"], into) != nil {
		return Problems{{File: casesRules, NL: "de test van de gevallen geeft geen uitslag", EN: "the test of the cases gives no results"}}
	}
	return nil
}

// reread reads what Rego answered into a type.
func reread(from, into any) error {
	raw, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// gatherCases reads cases/<group>/data.yaml. A file holds cases by their names, or is one
// itself: it then says what is expected.
func gatherCases(fsys fs.FS) (caseSet, Problems) {
	set := caseSet{data: map[string]any{}, groups: map[string]caseFile{}}
	var problems Problems
	err := fs.WalkDir(fsys, "cases", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if strings.Count(file, "/") != 2 || path.Base(file) != "data.yaml" {
			problems = append(problems, Problem{File: file, NL: "gevallen staan in cases/<groep>/data.yaml", EN: "cases are in cases/<group>/data.yaml"})
			return nil
		}
		problems = append(problems, set.add(fsys, file)...)
		if len(set.cases) > maxCases || len(problems) > maxCases {
			return fmt.Errorf("more than %d cases", maxCases)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		problems = append(problems, asProblems("cases", err)...)
	}
	if len(set.cases) == 0 && len(problems) == 0 {
		problems = append(problems, Problem{File: "cases", NL: "er is geen enkel geval", EN: "there is no case at all"})
	}
	return set, problems
}

func (s *caseSet) add(fsys fs.FS, file string) Problems {
	raw, err := readFile(fsys, file)
	if err != nil {
		return asProblems(file, err)
	}
	document, said, _, err := readYAML(file, raw)
	if err != nil {
		return asProblems(file, err)
	}
	entries, ok := said.(map[string]any)
	if !ok || len(entries) == 0 || len(document.Content) != 1 {
		return Problems{placed(file, document, "hier staan geen gevallen: schrijf per geval zijn naam, en daaronder wat er gebeurt", "there are no cases here: write the name of each, and below it what happens")}
	}
	group := path.Base(path.Dir(file))
	s.data[group] = said
	root := document.Content[0]
	s.groups[group] = caseFile{file, root}
	if entries["expect"] != nil {
		name, ok := entries["name"].(string)
		if !ok {
			name = group
		}
		s.cases = append(s.cases, casePlace{group, name, root, root})
		return nil
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if _, named := entries[root.Content[i].Value]; !named || len(root.Content) != 2*len(entries) {
			return Problems{placed(file, root.Content[i], "schrijf elk geval uit, met zijn naam als tekst", "write every case out, with its name as a text")}
		}
		s.cases = append(s.cases, casePlace{group, root.Content[i].Value, root.Content[i], root.Content[i+1]})
	}
	return nil
}

// Err names a case that comes out otherwise than it says, and how many there are. Nil: none.
// Errors: ErrRules.
func (r *CaseReport) Err() error {
	failed := slices.DeleteFunc(slices.Clone(r.Cases), func(c CaseResult) bool { return c.Passed })
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d of its cases come out otherwise than they say, such as %q; see: ontschot policy test", ErrRules, len(failed), failed[0].Name)
}

// Failures are what is wrong with the cases that did not pass, with their places.
func (r *CaseReport) Failures() Problems {
	var all Problems
	for _, c := range r.Cases {
		for _, p := range c.Problems {
			p.NL, p.EN = c.Name+": "+p.NL, c.Name+": "+p.EN
			all = append(all, p)
		}
		if !c.Passed && len(c.Problems) == 0 {
			p := c.place
			p.NL, p.EN = "het geval komt anders uit: "+c.Name, "the case comes out otherwise: "+c.Name
			all = append(all, p)
		}
	}
	return all
}
