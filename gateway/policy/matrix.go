package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/internal/identity"
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

// retention is how many days what a cell lets pass may be retained, by purpose, source
// kind and law; and for how many at most by what an organisation's overlay says.
type retention struct {
	cells    map[string]map[string]map[string]int
	overlays map[identity.OIN]map[string]int // by purpose
}

func newRetention(data map[string]any) retention {
	r := retention{map[string]map[string]map[string]int{}, map[identity.OIN]map[string]int{}}
	for purpose, table := range member(data, "matrix") {
		r.cells[purpose] = map[string]map[string]int{}
		for kind, laws := range member(table, "sources") {
			r.cells[purpose][kind] = map[string]int{}
			for law, cell := range member(laws, "") {
				r.cells[purpose][kind][law] = days(member(cell, "")["retention_days"])
			}
		}
	}
	for oin, overlay := range member(data, "overlays") {
		r.overlays[identity.OIN(oin)] = map[string]int{}
		for purpose, less := range member(overlay, "purposes") {
			if n := days(member(less, "")["retention_days"]); n > 0 {
				r.overlays[identity.OIN(oin)][purpose] = n
			}
		}
	}
	return r
}

// days reads a whole number of a table; what is none is 0.
func days(value any) int {
	n, err := strconv.Atoi(fmt.Sprint(value))
	if err != nil {
		return 0
	}
	return n
}

// RetentionDays is for how many days who asks may retain at most what a source of this
// kind discloses under this law, with what the overlays of both take off. 0: nothing may
// be asked of it.
func (e *Engine) RetentionDays(purpose, kind, law string, between ...identity.OIN) int {
	n := e.retention.cells[purpose][KindKey(kind)][LawKey(law)]
	for _, oin := range between {
		if less, ok := e.retention.overlays[oin][purpose]; ok {
			n = min(n, less)
		}
	}
	return n
}

// Bases are the statutes that pool money of several laws: those that are active, with both
// their days, the youngest first. They may have lapsed. Nobody changes them.
func (e *Engine) Bases() []*budgetv1.LegalBasis { return slices.Clip(e.bases) }

func newBases(data map[string]any) []*budgetv1.LegalBasis {
	var all []*budgetv1.LegalBasis
	for _, entry := range member(data["catalog"], "statutes") {
		statute := member(entry, "")
		if statute["active"] != true || !slices.Contains(words(statute["use"]), usePooling) {
			continue
		}
		text := func(name string) string { value, _ := statute[name].(string); return value }
		all = append(all, &budgetv1.LegalBasis{
			Id: text("code"), Article: text("article"), From: text("from"), To: text("to"),
			PoolableLaws: words(statute["laws"]), Municipalities: words(statute["municipalities"]),
		})
	}
	slices.SortFunc(all, func(a, b *budgetv1.LegalBasis) int {
		return cmp.Or(cmp.Compare(b.GetFrom(), a.GetFrom()), cmp.Compare(a.GetId(), b.GetId()))
	})
	return all
}

// usePooling is the use of a statute that pools money.
const usePooling = "pooling"

// words reads a list of texts of a table.
func words(value any) []string {
	list, _ := value.([]any)
	var all []string
	for _, one := range list {
		if word, ok := one.(string); ok {
			all = append(all, word)
		}
	}
	return all
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
