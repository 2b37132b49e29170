package policy

import (
	"maps"
	"slices"
	"strings"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// matrix is what the tables under rules/matrix say can be asked for, by purpose,
// source kind and law as the rules write them. It words requests; only the rules
// answer them.
type matrix map[string]map[string]map[string][]budgetv1.Category

func newMatrix(data map[string]any) matrix {
	m := matrix{}
	for purpose, table := range member(data, "matrix") {
		m[purpose] = map[string]map[string][]budgetv1.Category{}
		for kind, laws := range member(table, "sources") {
			m[purpose][kind] = map[string][]budgetv1.Category{}
			for law, cell := range member(laws, "") {
				m[purpose][kind][law] = categories(member(cell, "fields"))
			}
		}
	}
	return m
}

// newNeeds reads which categories an answer needs, in the shape of the matrix.
func newNeeds(data map[string]any) matrix {
	needs := matrix{}
	for purpose, entry := range member(data["catalog"], "purposes") {
		needs[purpose] = map[string]map[string][]budgetv1.Category{}
		for kind, laws := range member(entry, "needs") {
			needs[purpose][kind] = map[string][]budgetv1.Category{}
			for law, list := range member(laws, "") {
				named := map[string]any{}
				for _, category := range list.([]any) { // the schema says so
					named[category.(string)] = true
				}
				needs[purpose][kind][law] = categories(named)
			}
		}
	}
	return needs
}

// needed lists the categories without which an answer of this kind of source under
// this law is not complete.
func (e *Engine) needed(purpose, kind, law string) []budgetv1.Category {
	return e.needs[purpose][KindKey(kind)][LawKey(law)]
}

// lawsToAsk are those of the matrix and those that are needed: a cell that was taken
// out is missed, also at a source of which only the tables know the laws.
func (e *Engine) lawsToAsk(purpose, kind string) []string {
	laws := e.Laws(purpose, kind)
	for law := range e.needs[purpose][KindKey(kind)] {
		if law = strings.ToUpper(law); !slices.Contains(laws, law) {
			laws = append(laws, law)
		}
	}
	slices.Sort(laws)
	return laws
}

// member gives a member of an object, or for no name the object itself.
func member(value any, name string) map[string]any {
	object, _ := value.(map[string]any)
	if name == "" {
		return object
	}
	inner, _ := object[name].(map[string]any)
	return inner
}

func categories(fields map[string]any) []budgetv1.Category {
	return slices.DeleteFunc(budgetv1.Categories(), func(c budgetv1.Category) bool {
		_, ok := fields[string(c)]
		return !ok
	})
}

// Laws lists the laws about which a purpose may ask this kind of source, as the
// messages write them, sorted. None: the purpose does not know the source.
func (e *Engine) Laws(purpose, kind string) []string {
	var laws []string
	for _, law := range slices.Sorted(maps.Keys(e.matrix[purpose][KindKey(kind)])) {
		laws = append(laws, strings.ToUpper(law))
	}
	return laws
}

// Categories lists what a purpose may ask this kind of source under this law, in
// the order of the closed list. The outcome of Evaluate may be less.
func (e *Engine) Categories(purpose, kind, law string) []budgetv1.Category {
	return slices.Clone(e.matrix[purpose][KindKey(kind)][LawKey(law)])
}
