package mapping

import (
	"slices"

	"github.com/ontschot/ontschot/adapters/native"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// supplies holds the categories that the mapping names against those of its fields.
func (m *Mapping) supplies(s *Section) {
	has := m.supplied()
	m.categories = s.Words("categories")
	if !s.Has("categories") {
		m.categories = has
	}
	for _, c := range m.categories {
		if !slices.Contains(has, c) {
			s.Problem("categories", "geen veld van de categorie "+c, "no field is of category "+c)
		}
	}
	for _, c := range has {
		if !slices.Contains(m.categories, c) {
			s.Problem("categories", "er is een veld van de categorie "+c, "a field is of category "+c)
		}
	}
}

func (m *Mapping) supplied() (all []string) {
	add := func(when bool, c budgetv1.Category) {
		if when {
			all = append(all, string(c))
		}
	}
	if o := m.own; o != nil {
		return []string{string(budgetv1.CategoryPeriod), string(budgetv1.CategoryOwnContribution)}
	}
	l := m.line
	if l == nil {
		return nil
	}
	add(true, budgetv1.CategoryEntitlement)
	add(l.code != nil, budgetv1.CategoryProduct)
	add(true, budgetv1.CategoryPeriod)
	add(l.volume != nil, budgetv1.CategoryQuantity)
	add(l.amount.cents != nil, budgetv1.CategoryAmount)
	add(l.income.cents != nil, budgetv1.CategoryIncome)
	add(l.number != nil || l.issued != nil || l.budget != nil || l.id != nil, budgetv1.CategoryReference)
	add(l.provider != nil, budgetv1.CategoryProvider)
	return all
}

// members is the table of a record: what the expressions read, and what is known and not
// read.
func (m *Mapping) members(s *Section) native.Table {
	t := native.Table{Format: m.record, Ignored: s.Words("ignored")}
	for _, x := range m.expressions() {
		if x == nil {
			continue
		}
		for _, r := range x.reads {
			path := r.path
			if r.of == "e" {
				path = m.each + "[]/" + path
			}
			if !slices.Contains(t.Read, path) {
				t.Read = append(t.Read, path)
			}
		}
	}
	return t
}

// columns holds the members that a mapping reads against those that there are.
func (m *Mapping) columns(s *Section, known []string) {
	var read []string
	for _, x := range m.expressions() {
		if x == nil {
			continue
		}
		for _, r := range x.reads {
			path := r.path
			if r.of == "e" {
				path = m.each + "/" + path
			}
			read = append(read, path)
			if !slices.Contains(known, path) {
				near := nearest(path, known)
				s.doc.say(x.at, x.path, "er is geen veld "+path+suggest("; bedoelt u %s?", near), "there is no member "+path+suggest("; did you mean %s?", near))
			}
		}
	}
	for _, column := range known {
		if !slices.Contains(read, column) && !slices.Contains(m.table.Ignored, column) {
			s.Problem("ignored", column+" wordt niet gelezen: noem het hier, of vraag er niet om", column+" is not read: name it here, or do not ask for it")
		}
	}
}

func (m *Mapping) expressions() []*expression {
	all := append([]*expression{m.person}, m.party...)
	for _, s := range m.skips {
		all = append(all, s.when)
	}
	for _, c := range m.checks {
		all = append(all, c.that)
	}
	if l := m.line; l != nil {
		all = append(all, l.all()...)
	}
	if o := m.own; o != nil {
		all = append(all, o.law, o.from, o.to, o.cents, o.household)
	}
	return all
}
