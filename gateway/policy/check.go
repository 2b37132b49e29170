package policy

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"go.yaml.in/yaml/v3"

	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Check finds everything that is wrong in a folder of policies: what New would refuse, and
// what would work and not be meant: a word of no list, a code without a text or a case, a
// cell that no case touches, what takes nothing away. With it come the cases as they came
// out, nil where the folder cannot be judged by. It is none of Check's business whether a
// case comes out as it says.
func Check(ctx context.Context, fsys fs.FS) (Problems, *CaseReport) {
	t, problems := readTree(ctx, fsys)
	set, more := gatherCases(fsys)
	problems = append(problems, more...)
	l := &linter{fsys: fsys, tree: t}
	l.references()
	l.texts()
	if len(problems) == 0 && t.compiles(ctx, &problems) {
		var err error
		if l.report, err = t.run(ctx, set); err != nil {
			problems = append(problems, asProblems(casesRules, err)...)
		}
	}
	l.codes()
	if l.report != nil {
		l.doors()
		l.cells()
		l.overlays()
		l.needs()
		l.names()
		for _, c := range l.cases() {
			problems = append(problems, (&CaseReport{Cases: []CaseResult{c}}).wrongWords()...)
		}
	}
	for _, p := range l.problems {
		same := func(other Problem) bool {
			return p.Line > 0 && other.File == p.File && other.Line == p.Line && other.Column == p.Column
		}
		if !slices.ContainsFunc(problems, same) { // what is said of a place already is not said twice
			problems = append(problems, p)
		}
	}
	problems.sort()
	return problems, l.report
}

// wrongWords are the problems of cases that could not be judged.
func (r *CaseReport) wrongWords() Problems {
	return slices.DeleteFunc(r.Failures(), func(p Problem) bool { return strings.HasPrefix(p.EN, "the case comes out") })
}

// compiles reports whether the rules and their tests compile and answer as they must.
func (t *tree) compiles(ctx context.Context, problems *Problems) bool {
	_, err := t.engine(ctx, Config{})
	if err == nil {
		all := maps.Clone(t.modules)
		maps.Copy(all, t.tests)
		_, err = t.compileAll(all)
	}
	*problems = append(*problems, asProblems("rules/core", err)...)
	return err == nil
}

// linter looks for what works and is not meant.
type linter struct {
	fsys     fs.FS
	tree     *tree
	report   *CaseReport
	problems Problems
}

func (l *linter) say(file string, node *yaml.Node, nl, en string) {
	l.problems = append(l.problems, placed(file, node, nl, en))
}

// notice is something to know that is not wrong.
func (l *linter) notice(file string, node *yaml.Node, nl, en string) {
	p := placed(file, node, nl, en)
	p.Notice = true
	l.problems = append(l.problems, p)
}

// A reference is a word of a table that stands in a catalog: path as for pick.
type reference struct{ tables, path, list string }

func references() []reference {
	return []reference{
		{"rules/matrix/", "sources.@", "source_kinds"}, {"rules/matrix/", "sources.*.@", "laws"}, {"rules/matrix/", "sources.*.*.fields.@", "categories"},
		{"rules/matrix/", "sources.*.*.basis.*.avg6", "legal_bases"}, {"rules/matrix/", "sources.*.*.basis.*.avg9", "legal_bases"},
		{"rules/matrix/", "sources.*.*.dated.*.avg6", "legal_bases"}, {"rules/matrix/", "sources.*.*.dated.*.avg9", "legal_bases"},
		{"rules/matrix/", "sources.*.*.dated.*.statute", "statutes"}, {"rules/matrix/", "sources.*.*.roles.*", "roles"},
		{"rules/matrix/", "sources.*.*.assurance", "assurance"}, {"rules/matrix/", "sources.*.*.notify.*", "notified"},
		{"rules/catalog/operations/", "*.roles.*", "roles"}, {"rules/catalog/operations/", "*.assurance", "assurance"},
		{"rules/catalog/purposes/", "*.needs.@", "source_kinds"}, {"rules/catalog/purposes/", "*.needs.*.@", "laws"},
		{"rules/catalog/purposes/", "*.needs.*.*.*", "categories"}, {"rules/catalog/statutes/", "*.laws.*", "laws"},
		{"rules/overlays/", "purposes.@", "purposes"}, {"rules/overlays/", "purposes.*.remove_sources.*", "source_kinds"},
		{"rules/overlays/", "purposes.*.remove_roles.*", "roles"}, {"rules/overlays/", "purposes.*.remove_categories.@", "source_kinds"},
		{"rules/overlays/", "purposes.*.remove_categories.*.*", "categories"}, {"rules/overlays/", "operations.@", "operations"},
		{"rules/overlays/", "operations.*.remove_roles.*", "roles"}, {"rules/overlays/", "operations.*.assurance", "assurance"},
	}
}

// noBasis is how a table says that there is no basis under AVG art. 9.
const noBasis = "geen"

// references looks whether each word of a table stands in its catalog. The purpose of a
// matrix is the name of its folder.
func (l *linter) references() {
	for _, file := range slices.Sorted(maps.Keys(l.tree.nodes)) {
		for _, r := range references() {
			if !strings.HasPrefix(file, r.tables) {
				continue
			}
			for _, node := range pick(l.tree.nodes[file], r.path) {
				if node.Value != noBasis {
					l.refer(file, node, node.Value, r.list)
				}
			}
		}
		if strings.HasPrefix(file, "rules/matrix/") {
			l.refer(file, nil, strings.Split(file, "/")[2], "purposes")
		}
	}
}

func (l *linter) refer(file string, node *yaml.Node, word, list string) {
	entries := member(l.tree.data["catalog"], list)
	known := slices.Sorted(maps.Keys(entries))
	for _, entry := range entries {
		if code, ok := member(entry, "")["code"].(string); ok && code == word {
			return
		}
	}
	if slices.Contains(known, word) {
		return
	}
	meant := nearest(word, known)
	l.say(file, node, word+" staat niet in rules/catalog/"+list+"/data.yaml"+didYouMean(meant, "; bedoelt u %s?"),
		word+" is not in rules/catalog/"+list+"/data.yaml"+didYouMean(meant, "; did you mean %s?"))
}

// pick gives the nodes at a path: names, "*" for every value and "@" for every key.
func pick(node *yaml.Node, path string) []*yaml.Node {
	if node == nil {
		return nil
	}
	if node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		node = node.Content[0]
	}
	if node.Kind == yaml.AliasNode {
		return nil // what it stands for is looked at where it stands
	}
	if path == "" {
		return []*yaml.Node{node}
	}
	name, rest, _ := strings.Cut(path, ".")
	var all []*yaml.Node
	for i, child := range node.Content {
		switch {
		case node.Kind == yaml.SequenceNode:
			if name == "*" {
				all = append(all, pick(child, rest)...)
			}
		case i%2 == 1:
		case name == "@":
			all = append(all, child)
		case name == "*" || name == child.Value:
			all = append(all, pick(node.Content[i+1], rest)...)
		}
	}
	return all
}

// keyAt gives the key of the last of some names, for its place; nil when it is not there.
func keyAt(node *yaml.Node, names ...string) *yaml.Node {
	key, _ := entryAt(node, names...)
	return key
}

// entryAt gives the key of the last of some names, and its value; nil when it is not there.
func entryAt(node *yaml.Node, names ...string) (key, value *yaml.Node) {
	if node == nil {
		return nil, nil
	}
	if node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		node = node.Content[0]
	}
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		switch {
		case node.Content[i].Value != names[0]:
		case len(names) == 1:
			return node.Content[i], node.Content[i+1]
		default:
			return entryAt(node.Content[i+1], names[1:]...)
		}
	}
	return nil, nil
}

func isEmpty(node *yaml.Node) bool {
	return node != nil && node.Kind == yaml.ScalarNode && strings.TrimSpace(node.Value) == ""
}

const (
	checksFile     = "rules/catalog/checks/data.yaml"
	operationsFile = "rules/catalog/operations/data.yaml"
	purposesFile   = "rules/catalog/purposes/data.yaml"
)

// codeForm is the form of a code of the rules.
var codeForm = regexp.MustCompile(`^[A-Z]{2,8}-[0-9]{2}$`)

// codes looks whether each code of the rules is known, has a title, a text with an article in
// both languages, and a case; and whether each title is of a code of the rules.
func (l *linter) codes() {
	used := l.codesOfTheRules()
	inCases := map[string]bool{}
	for _, c := range l.cases() {
		for _, code := range slices.Concat(c.Got.Codes, slices.Collect(maps.Values(c.Got.Dropped))) {
			inCases[code] = true
		}
	}
	titles := map[string]string{} // key by code
	for key, entry := range member(l.tree.data["catalog"], "checks") {
		code, _ := member(entry, "")["code"].(string)
		titles[code] = key
		if _, ok := used[code]; !ok {
			l.say(checksFile, keyAt(l.tree.nodes[checksFile], key), code+": geen regel controleert dit", code+": no rule checks this")
		}
	}
	for code, place := range used {
		if !slices.Contains(Codes(), code) {
			l.problems = append(l.problems, place.saying(code+": het programma kent deze code niet", code+": the program does not know this code"))
		}
		if titles[code] == "" {
			l.problems = append(l.problems, place.saying(code+": heeft geen titel in "+checksFile, code+": has no title in "+checksFile))
		}
		if !inCases[code] && l.report != nil {
			l.problems = append(l.problems, place.saying(code+": komt in geen enkel geval voor", code+": is in no case"))
		}
		for _, file := range []string{"reasons/nl.yaml", "reasons/en.yaml"} {
			l.worded(file, code, place)
		}
	}
}

// cases are those that were judged; none where nothing could be.
func (l *linter) cases() []CaseResult {
	if l.report == nil {
		return nil
	}
	return l.report.Cases
}

// worded looks whether a code has all its texts in a file.
func (l *linter) worded(file, code string, place Problem) {
	raw, err := readFile(l.fsys, file)
	if err != nil {
		return // texts says so
	}
	var node yaml.Node
	if yaml.Unmarshal(raw, &node) != nil {
		return
	}
	if keyAt(&node, code) == nil {
		l.problems = append(l.problems, place.saying(code+": heeft geen tekst in "+file, code+": has no text in "+file))
		return
	}
	for _, part := range []string{"short", "explanation", "do", "article"} {
		if len(pick(&node, code+"."+part)) != 1 {
			l.say(file, keyAt(&node, code), code+": "+part+" ontbreekt", code+": "+part+" is not there")
		}
	}
}

// codesOfTheRules are the codes that stand in the core, each with its first place.
func (l *linter) codesOfTheRules() map[string]Problem {
	used := map[string]Problem{}
	for _, file := range slices.Sorted(maps.Keys(l.tree.modules)) {
		module, err := ast.ParseModuleWithOpts(file, l.tree.modules[file], ast.ParserOptions{Capabilities: l.tree.capabilities, RegoVersion: ast.RegoV1})
		if err != nil {
			continue // it does not compile, and that is said
		}
		ast.WalkTerms(module, func(term *ast.Term) bool {
			code, ok := term.Value.(ast.String)
			if _, seen := used[string(code)]; ok && !seen && codeForm.MatchString(string(code)) {
				place := Problem{File: file}
				if term.Location != nil {
					place.Line, place.Column = term.Location.Row, term.Location.Col
				}
				used[string(code)] = place
			}
			return false
		})
	}
	return used
}

// saying is something at a place.
func (p Problem) saying(nl, en string) Problem {
	p.NL, p.EN = nl, en
	return p
}

// doors looks whether each operation of the program has a cell, and a case that opens it and
// one that does not.
func (l *linter) doors() {
	cells := member(l.tree.data["catalog"], "operations")
	cases := map[string]map[string]bool{}
	for _, c := range l.cases() {
		if cases[c.About.Operation] == nil {
			cases[c.About.Operation] = map[string]bool{}
		}
		cases[c.About.Operation][c.Got.Decision] = true
	}
	for _, operation := range ontschotv1.Operations() {
		name, node := string(operation), keyAt(l.tree.nodes[operationsFile], string(operation))
		switch {
		case cells[name] == nil:
			l.say(operationsFile, nil, name+": deze deur heeft geen vak en gaat voor niemand open", name+": this door has no cell and opens for nobody")
		case !cases[name]["allow"]:
			l.say(operationsFile, node, name+": geen enkel geval laat iemand dit doen", name+": no case lets anybody do this")
		case !cases[name]["deny"]:
			l.say(operationsFile, node, name+": geen enkel geval houdt iemand tegen", name+": no case keeps anybody from this")
		}
	}
}

// cells looks whether a case gives each category of each cell, and so each mask.
func (l *linter) cells() {
	given := map[string]bool{}
	for _, c := range l.cases() {
		for category := range c.Got.Fields {
			given[cellName(c.About.Purpose, c.About.Source, c.About.Law, category)] = true
		}
	}
	for _, file := range l.tables("rules/matrix/") {
		purpose := strings.Split(file, "/")[2]
		for kind, laws := range member(member(l.tree.data["matrix"], purpose), "sources") {
			for law, cell := range member(laws, "") {
				for category := range member(cell, "fields") {
					if !given[cellName(purpose, kind, law, category)] {
						l.say(file, keyAt(l.tree.nodes[file], "sources", kind, law, "fields", category),
							"geen enkel geval geeft "+category+" van "+kind+" over "+law, "no case gives "+category+" of "+kind+" under "+law)
					}
				}
			}
		}
	}
}

func cellName(parts ...string) string { return strings.Join(parts, "/") }

func (l *linter) tables(prefix string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.tree.nodes)), func(file string) bool { return !strings.HasPrefix(file, prefix) })
}

// overlays looks whether what an organisation takes away takes anything away.
func (l *linter) overlays() {
	for _, file := range l.tables("rules/overlays/") {
		overlay := l.tree.data["overlays"].(map[string]any)[strings.Split(file, "/")[2]] // it was read
		for purpose, less := range member(overlay, "purposes") {
			if n := days(member(less, "")["retention_days"]); n > l.longest(purpose) {
				l.say(file, keyAt(l.tree.nodes[file], "purposes", purpose, "retention_days"),
					"dit is langer dan elk vak bewaart; een organisatie kan alleen korter", "this is longer than any cell retains; an organisation can only do with less")
			}
		}
		ranks := member(l.tree.data["catalog"], "assurance")
		for name, less := range member(overlay, "operations") {
			own, _ := member(less, "")["assurance"].(string)
			cell, _ := member(member(l.tree.data["catalog"], "operations"), name)["assurance"].(string)
			if own != "" && days(member(ranks, own)["rank"]) < days(member(ranks, cell)["rank"]) {
				l.say(file, keyAt(l.tree.nodes[file], "operations", name, "assurance"),
					own+" is minder dan het vak vraagt; een organisatie kan alleen strenger", own+" is less than the cell asks; an organisation can only be stricter")
			}
		}
	}
}

// names looks whether each case has a name of its own: an approval names it.
func (l *linter) names() {
	seen := map[string]bool{}
	for _, c := range l.cases() {
		if seen[c.Name] {
			l.problems = append(l.problems, c.place.saying(c.Name+": twee gevallen heten zo", c.Name+": two cases have this name"))
		}
		seen[c.Name] = true
	}
}

// longest is the longest that a cell of a purpose retains, in days.
func (l *linter) longest(purpose string) int {
	most := 0
	for _, laws := range member(member(l.tree.data["matrix"], purpose), "sources") {
		for _, cell := range member(laws, "") {
			most = max(most, days(member(cell, "")["retention_days"]))
		}
	}
	return most
}

// needs tells of what an answer needs and the matrix does not let pass: a budget then says
// that it is missing. That may be meant, so it is a notice.
func (l *linter) needs() {
	cells := newMatrix(l.tree.data)
	for purpose, kinds := range newNeeds(l.tree.data) {
		for kind, laws := range kinds {
			for law, categories := range laws {
				for _, c := range categories {
					if !slices.Contains(cells[purpose][kind][law], c) {
						l.notice(purposesFile, keyAt(l.tree.nodes[purposesFile], purpose, "needs", kind, law),
							string(c)+" van "+kind+" over "+law+" is nodig en staat niet in de matrix: het budget zegt dan dat het ontbreekt (VELD-01)",
							string(c)+" of "+kind+" under "+law+" is needed and not in the matrix: the budget then says that it is missing (VELD-01)")
					}
				}
			}
		}
	}
}

// texts looks whether the two languages of each pair of files say the same things, each
// with a text.
func (l *linter) texts() {
	for _, folder := range []string{"reasons", "agreements"} {
		files, err := fs.Glob(l.fsys, folder+"/*.yaml")
		if err != nil || len(files) == 0 {
			l.say(folder, nil, "hier horen teksten te staan", "there should be texts here")
		}
		for _, file := range files {
			other := ""
			switch {
			case strings.HasSuffix(file, ".nl.yaml"):
				other = strings.TrimSuffix(file, ".nl.yaml") + ".en.yaml"
			case strings.HasSuffix(file, ".en.yaml"):
				other = strings.TrimSuffix(file, ".en.yaml") + ".nl.yaml"
			case file == "reasons/nl.yaml":
				other = "reasons/en.yaml"
			case file == "reasons/en.yaml":
				other = "reasons/nl.yaml"
			}
			node := l.document(file)
			if node != nil && other != "" {
				l.sameTexts(file, other, node, l.quietly(other))
			}
		}
	}
}

// document reads a file, and says what is wrong with it; nil then.
func (l *linter) document(file string) *yaml.Node {
	raw, err := readFile(l.fsys, file)
	if err == nil {
		var node *yaml.Node
		if node, _, _, err = readYAML(file, raw); err == nil {
			return node
		}
	}
	l.problems = append(l.problems, asProblems(file, err)...)
	return nil
}

// quietly reads a file of which somebody else says what is wrong.
func (l *linter) quietly(file string) *yaml.Node {
	raw, err := readFile(l.fsys, file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var node yaml.Node
	if yaml.Unmarshal(raw, &node) != nil {
		return nil
	}
	return &node
}

// sameTexts looks whether each entry of one file is in the other, and is no empty text where
// that has one. What is empty in both may be meant; the room of the texts refuses it if not.
func (l *linter) sameTexts(file, other string, node, in *yaml.Node, at ...string) {
	if node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		node = node.Content[0]
	}
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		path := append(slices.Clone(at), key.Value)
		there, translated := entryAt(in, path...)
		if in != nil && there == nil {
			l.say(file, key, strings.Join(path, " ")+" staat niet in "+other, strings.Join(path, " ")+" is not in "+other)
			continue
		}
		if isEmpty(value) && !isEmpty(translated) {
			l.say(file, value, strings.Join(path, " ")+": hier staat geen tekst", strings.Join(path, " ")+": there is no text here")
		}
		l.sameTexts(file, other, value, in, path...)
	}
}
