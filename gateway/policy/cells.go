package policy

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Cell is one cell of the matrix, as the tables have it: for who explains it. It permits
// nothing: only the rules do.
type Cell struct {
	Purpose string `json:"purpose"`
	Source  string `json:"source"` // see KindKey
	Law     string `json:"law"`    // see LawKey
	// Fields are the categories with their masks.
	Fields        map[string]string `json:"fields"`
	Bases         []CellBasis       `json:"basis"`
	Dated         []CellBasis       `json:"dated"` // that count as long as their statute does
	Roles         []string          `json:"roles"`
	Assurance     string            `json:"assurance"`
	Consent       bool              `json:"consent"`
	RetentionDays int               `json:"retention_days"`
	Notify        []string          `json:"notify"`
}

// CellBasis is one ground of a cell.
type CellBasis struct {
	AVG6     string   `json:"avg6"`
	AVG9     string   `json:"avg9"`
	National []string `json:"national"`
	BSN      string   `json:"bsn"`
	Statute  string   `json:"statute,omitempty"`
}

// Cells are all cells, in the order of purpose, source and law. Nobody changes them.
func (e *Engine) Cells() []Cell { return slices.Clip(e.cells) }

// Words are the keys of a catalog, sorted: roles, laws, source_kinds, statutes ...
func (e *Engine) Words(list string) []string { return slices.Clone(e.words[list]) }

func newCells(data map[string]any) []Cell {
	var all []Cell
	for purpose, table := range member(data, "matrix") {
		for kind, laws := range member(table, "sources") {
			for law, entry := range member(laws, "") {
				c := Cell{}
				if reread(entry, &c) != nil {
					continue // the schema says that it can be
				}
				c.Purpose, c.Source, c.Law = purpose, kind, law
				all = append(all, c)
			}
		}
	}
	slices.SortFunc(all, func(a, b Cell) int {
		return strings.Compare(cellName(a.Purpose, a.Source, a.Law), cellName(b.Purpose, b.Source, b.Law))
	})
	return all
}

func newWords(data map[string]any) map[string][]string {
	all := map[string][]string{}
	for list := range member(data, "catalog") {
		all[list] = slices.Sorted(maps.Keys(member(data["catalog"], list)))
	}
	return all
}

// statutesFile is the table of the statutes.
const statutesFile = "rules/catalog/statutes/data.yaml"

// Switched is a folder of policies in which statutes of the table count, or do not, by their
// names: to see what would be. Errors: ErrInput for a name that is not there, ErrRules.
func Switched(fsys fs.FS, statutes map[string]bool) (fs.FS, error) {
	all, err := filesOf(fsys)
	if err != nil {
		return nil, err
	}
	document, _, _, err := readYAML(statutesFile, all[statutesFile])
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(statutes)) {
		active := valueOf(valueOf(document, name), "active")
		if active == nil {
			return nil, fmt.Errorf("%w: no statute is called %q", ErrInput, name)
		}
		active.Tag, active.Value = "!!bool", strconv.FormatBool(statutes[name])
	}
	if all[statutesFile], err = yaml.Marshal(document); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrRules, statutesFile, err)
	}
	return inMemory(all)
}

// valueOf is the value of a key in a mapping, or in the document that is one; nil: it is not there.
func valueOf(node *yaml.Node, key string) *yaml.Node {
	if node != nil && node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		node = node.Content[0]
	}
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}
