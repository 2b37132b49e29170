package policies

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
)

// Matrix tells what the purposes know, for those who must word a question. It
// permits nothing: only gateway/policy does.
type Matrix struct {
	purposes map[string]purposeTable
	laws     map[string]label
	kinds    map[string]label
}

type purposeTable struct {
	Title   map[string]string               `yaml:"title"`
	AskedBy []string                        `yaml:"asked_by"`
	Sources map[string]map[string]cellTable `yaml:"sources"`
}

// cellTable is one cell; what is not needed for wording stays unread.
type cellTable struct {
	Fields map[string]string `yaml:"fields"`
	Rest   map[string]any    `yaml:",inline"`
}

// ReadMatrix reads rules/matrix/<purpose>/data.yaml for every purpose, and the
// catalogs of laws and source kinds. Errors: ErrTable, naming the file.
func ReadMatrix(fsys fs.FS) (*Matrix, error) {
	m := &Matrix{purposes: map[string]purposeTable{}}
	files, err := fs.Glob(fsys, "rules/matrix/*/data.yaml")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("%w: rules/matrix holds no purpose", ErrTable)
	}
	for _, file := range files {
		var table purposeTable
		if err := readTable(fsys, file, &table); err != nil {
			return nil, err
		}
		m.purposes[path.Base(path.Dir(file))] = table
	}
	if m.laws, err = readCatalog(fsys, "laws"); err != nil {
		return nil, err
	}
	m.kinds, err = readCatalog(fsys, "source_kinds")
	return m, err
}

// Purposes lists the purposes, sorted.
func (m *Matrix) Purposes() []string { return slices.Sorted(maps.Keys(m.purposes)) }

// Categories is the union of the categories of all cells of a purpose, sorted:
// what "*" in a consent stands for. A purpose that is not known has none.
func (m *Matrix) Categories(purpose string) []string {
	union := map[string]bool{}
	for _, laws := range m.purposes[purpose].Sources {
		for _, cell := range laws {
			for category := range cell.Fields {
				union[category] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(union))
}

// SourceKinds lists the kinds of source a purpose knows, as the messages write
// them (MUNICIPALITY, CARE_OFFICE ...), sorted.
func (m *Matrix) SourceKinds(purpose string) []string {
	return codes(m.kinds, maps.Keys(m.purposes[purpose].Sources))
}

// Laws lists the laws for which a purpose has a cell for this kind of source, as
// the messages write them (WMO, UWV_PROVISION ...), sorted. The kind is taken in
// either form, CARE_OFFICE or careoffice.
func (m *Matrix) Laws(purpose, kind string) []string {
	laws := m.purposes[purpose].Sources[keyOf(m.kinds, kind)]
	return codes(m.laws, maps.Keys(laws))
}

// CellCategories lists the categories of one cell, sorted; law and kind are
// taken in either form. No cell: none.
func (m *Matrix) CellCategories(purpose, kind, law string) []string {
	cell := m.purposes[purpose].Sources[keyOf(m.kinds, kind)][keyOf(m.laws, law)]
	return slices.Sorted(maps.Keys(cell.Fields))
}
