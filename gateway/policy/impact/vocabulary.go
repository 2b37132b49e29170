package impact

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// vocabulary is every word that the tables and the rules of two revisions know, by the list
// that it belongs to, and for each list a word that they do not know.
type vocabulary struct {
	purposes, kinds, laws, categories, roles, assurance, orgTypes, bases []string
	statuses, signers, overlays, dates, operations                       []string
	cells                                                                []Part // what each cell of the tables is about
}

// read takes the words of both revisions together.
func readVocabulary(cores ...*policy.Core) vocabulary {
	v := vocabulary{
		purposes: []string{unknown + ".purpose"}, operations: []string{unknown + ".operation"},
		statuses: []string{"active", "withdrawn", "wrong_signer", "authority_unclear", "expired", "replaced", "uncertain"},
		signers:  ontschotv1.SigningRoles(),
		dates:    []string{"2026-01-05"},
	}
	for _, kind := range budgetv1.Kinds() {
		v.orgTypes = append(v.orgTypes, policy.OrgType(kind))
		v.kinds = append(v.kinds, policy.KindKey(kind))
	}
	for _, o := range ontschotv1.Operations() {
		v.operations = append(v.operations, string(o))
	}
	for _, c := range budgetv1.Categories() {
		v.categories = append(v.categories, string(c))
	}
	for _, list := range []*[]string{&v.kinds, &v.laws, &v.categories, &v.roles, &v.assurance, &v.orgTypes, &v.bases, &v.statuses, &v.signers} {
		*list = append(*list, unknown)
	}
	for _, core := range cores {
		v.tables(core.Data)
		v.constants(core)
	}
	for _, list := range v.lists() {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	v.sides()
	slices.SortFunc(v.cells, func(a, b Part) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return v
}

func (v *vocabulary) lists() map[string]*[]string {
	return map[string]*[]string{
		dimPurpose: &v.purposes, dimKind: &v.kinds, dimLaw: &v.laws, dimCategory: &v.categories, dimRole: &v.roles,
		dimAssurance: &v.assurance, dimOrgType: &v.orgTypes, dimBasis: &v.bases, dimStatus: &v.statuses, dimSigner: &v.signers,
		dimAsker: &v.overlays, dimDate: &v.dates, dimOperation: &v.operations,
	}
}

// tables takes the words of the tables: those of the catalogs, and those that a cell or an
// overlay uses.
func (v *vocabulary) tables(data map[string]any) {
	add := func(to *[]string, words []string) { *to = append(*to, words...) }
	for list, to := range map[string]*[]string{
		"purposes": &v.purposes, "source_kinds": &v.kinds, "laws": &v.laws, "categories": &v.categories, "roles": &v.roles,
		"assurance": &v.assurance, "legal_bases": &v.bases, "signers": &v.signers, "operations": &v.operations,
	} {
		add(to, keys(member(data, "catalog", list)))
	}
	add(&v.overlays, keys(member(data, "overlays")))
	for purpose, table := range member(data, "matrix") {
		add(&v.purposes, []string{purpose})
		add(&v.orgTypes, texts(member(table)["asked_by"]))
		for kind, laws := range member(table, "sources") {
			add(&v.kinds, []string{kind})
			for law, cell := range member(laws) {
				add(&v.laws, []string{law})
				v.cell(Part{dimPurpose: {purpose}, dimKind: {kind}, dimLaw: {law}, dimOrgType: texts(member(table)["asked_by"])}, member(cell))
			}
		}
	}
	for operation, cell := range member(data, "catalog", "operations") {
		v.cell(Part{dimOperation: {operation}}, member(cell))
	}
	for _, overlay := range member(data, "overlays") {
		v.overlay(member(overlay))
	}
	eachText(data, func(text string) {
		if _, err := civil.Parse(text); err == nil {
			add(&v.dates, []string{text})
		}
	})
}

func (v *vocabulary) cell(about Part, cell map[string]any) {
	v.categories = append(v.categories, keys(member(cell, "fields"))...)
	v.roles = append(v.roles, texts(cell["roles"])...)
	about[dimCategory], about[dimRole], about[dimSecondRole] = keys(member(cell, "fields")), texts(cell["roles"]), texts(cell["roles"])
	v.cells = append(v.cells, about)
	if level, ok := cell["assurance"].(string); ok {
		v.assurance = append(v.assurance, level)
	}
	for _, list := range []any{cell["basis"], cell["dated"]} {
		bases, _ := list.([]any)
		for _, basis := range bases {
			if word, ok := member(basis)["avg6"].(string); ok {
				about[dimBasis] = append(about[dimBasis], word)
				v.bases = append(v.bases, word)
			}
		}
	}
}

func (v *vocabulary) overlay(overlay map[string]any) {
	for purpose, less := range member(overlay, "purposes") {
		v.purposes = append(v.purposes, purpose)
		v.roles = append(v.roles, texts(member(less)["remove_roles"])...)
		v.kinds = append(v.kinds, texts(member(less)["remove_sources"])...)
		for kind, categories := range member(less, "remove_categories") {
			v.kinds = append(v.kinds, kind)
			v.categories = append(v.categories, texts(categories)...)
		}
	}
	for operation, stricter := range member(overlay, "operations") {
		v.operations = append(v.operations, operation)
		v.roles = append(v.roles, texts(member(stricter)["remove_roles"])...)
	}
}

// eachText visits every text of a table, keys too.
func eachText(table any, visit func(string)) {
	switch t := table.(type) {
	case string:
		visit(t)
	case []any:
		for _, inner := range t {
			eachText(inner, visit)
		}
	case map[string]any:
		for key, inner := range t {
			visit(key)
			eachText(inner, visit)
		}
	}
}

// sides puts beside each date the day before it and the day after it, as far as there are.
func (v *vocabulary) sides() {
	all := map[string]bool{}
	for _, text := range v.dates {
		today, err := civil.Parse(text)
		if err != nil {
			continue
		}
		for _, day := range []civil.Date{today - 1, today, today + 1} {
			_, before := civil.Parse((day - 2).String())
			_, after := civil.Parse((day + 2).String())
			if before == nil && after == nil {
				all[day.String()] = true
			}
		}
	}
	v.dates = slices.Sorted(maps.Keys(all))
}

var plainWord = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,63}$`)

// constants takes the words that the rules themselves hold a value of the input against,
// such as a purpose that always needs a consent: a table need not know them.
func (v *vocabulary) constants(core *policy.Core) {
	lists, held := v.lists(), newSource(core).held()
	for place, words := range held {
		name := map[string]string{
			"action.properties.purpose": dimPurpose, "action.properties.law": dimLaw, "action.name": dimOperation,
			"resource.properties.source_kind": dimKind, "resource.properties.fields": dimCategory, "resource.properties.legal_basis": dimBasis,
			"subject.properties.role": dimRole, "subject.properties.assurance": dimAssurance, "subject.properties.org_type": dimOrgType,
			"context.consent.status": dimStatus, "context.consent.by": dimSigner, "subject.id": dimAsker, "resource.properties.source": dimAsker,
			"context.date": dimDate,
		}[place]
		for _, word := range words {
			switch _, err := civil.Parse(word); {
			case err == nil:
				v.dates = append(v.dates, word)
			case name == dimAsker && oin.MatchString(word), name != "" && name != dimAsker && name != dimDate && plainWord.MatchString(word):
				*lists[name] = append(*lists[name], word)
			}
		}
	}
	for _, place := range []string{"subject.properties", "subject.second"} {
		for _, word := range held[place] {
			if !plainWord.MatchString(word) || strings.Contains(word, ".") {
				continue
			}
			v.roles, v.assurance = append(v.roles, word), append(v.assurance, word)
		}
	}
}

var oin = regexp.MustCompile(`^[0-9]{20}$`)
