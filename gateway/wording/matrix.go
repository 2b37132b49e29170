package wording

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
)

// Matrix says which categories a purpose knows, for who expands "*" in a consent.
// It permits nothing: only gateway/policy does.
type Matrix struct {
	purposes map[string]purposeTable
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

// ReadMatrix reads rules/matrix/<purpose>/data.yaml for every purpose. Errors:
// ErrTable, naming the file.
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
	return m, nil
}

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
