package consent

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Narrow gives the same consent with something taken out: the categories named of a
// source, or without categories the whole source. It needs no new signature, as
// withdrawing a part is as easy as giving (AVG art. 7 lid 3), and it replaces the old
// one. A source that is taken out stays as a no: the last word decides, and without
// it an older yes to that source would count again. Errors: ErrDocument, naming what
// is wrong, also when nothing would be left or nothing is taken out.
func (d Document) Narrow(without []Grant) (Draft, error) {
	left := d.Grants()
	for i, w := range without {
		at := slices.IndexFunc(left, func(g Grant) bool { return g.Source == w.Source })
		if at < 0 {
			return Draft{}, fmt.Errorf("%w: without[%d].source: the consent does not name it", ErrDocument, i)
		}
		if !known(w.Categories) {
			return Draft{}, fmt.Errorf("%w: without[%d].categories: each must be known, and listed once", ErrDocument, i)
		}
		left[at].Categories = slices.DeleteFunc(left[at].Categories, func(c budgetv1.Category) bool {
			return len(w.Categories) == 0 || slices.Contains(w.Categories, c)
		})
	}
	if reflect.DeepEqual(left, d.Grants()) {
		return Draft{}, fmt.Errorf("%w: without: nothing is taken out", ErrDocument)
	}
	if !slices.ContainsFunc(left, func(g Grant) bool { return len(g.Categories) > 0 }) {
		return Draft{}, fmt.Errorf("%w: without: nothing is left; withdraw the consent instead", ErrDocument)
	}
	draft := d.again(left)
	draft.From, draft.Until = d.span.From, d.span.To
	c := d.Claims()
	draft.Authority, draft.GivenBy, draft.CoGivenBy, draft.Notice = c.Authority, c.GivenBy, c.CoGivenBy, c.Notice
	return draft, nil
}

// EndAuthority gives the same consent up to the last day on which the authority that it
// rests on is known to have held: it says less, so nobody has to sign for it, and it replaces
// the old one. Errors: ErrDocument when it rests on no authority, ended before that or had
// not begun by then; in the last case it never held, and is withdrawn.
func (d Document) EndAuthority(last civil.Date) (Draft, error) {
	switch {
	case d.claims.Authority.AgeGroup == from16:
		return Draft{}, fmt.Errorf("%w: authority_until: a child of 16 or 17 decides alone", ErrDocument)
	case last < d.span.From:
		return Draft{}, fmt.Errorf("%w: authority_until: before the consent begins; withdraw it instead", ErrDocument)
	case last >= d.effective().To:
		return Draft{}, fmt.Errorf("%w: authority_until: the consent ends no later", ErrDocument)
	}
	draft := d.again(d.Grants())
	c := d.Claims()
	draft.From, draft.Until = d.span.From, d.span.To
	draft.Authority, draft.GivenBy, draft.CoGivenBy, draft.Notice = c.Authority, c.GivenBy, c.CoGivenBy, c.Notice
	draft.Authority.Until = last.String()
	return draft, nil
}

// again is what narrowing leaves unchanged.
func (d Document) again(grants []Grant) Draft {
	c := d.Claims()
	return Draft{
		Keeper: c.Issuer, Purpose: c.Purpose, Case: c.Case, Grants: grants,
		Controller: c.Controller, Recipients: c.Recipients, Basis: c.Basis,
		Withdraw: c.Withdraw, Replaces: c.ID, old: &d,
	}
}

// follows holds a draft against the consent it started from: it is of the same
// person and replaces it, and what was narrowed differs in nothing else and grants
// nothing more, whatever was written into the draft since.
func (d Draft) follows(c Claims, subject identity.BSN) error {
	if d.old == nil {
		return nil
	}
	if !subject.IsZero() && !d.old.isOf(subject) {
		return ErrOtherPerson
	}
	if c.Replaces != d.old.ID() {
		return fmt.Errorf("%w: replaces: must be the consent it started from", ErrDocument)
	}
	was := d.old.Claims()
	was.ID, was.IssuedAt, was.Subject, was.Grants, was.Replaces = c.ID, c.IssuedAt, c.Subject, c.Grants, c.Replaces
	was.LapsesOn, was.Authority.Until = c.LapsesOn, c.Authority.Until // Lapses lets them come earlier, and never later
	was.Recipients, was.CoGivenBy = append([]identity.OIN{}, was.Recipients...), append([]Signature{}, was.CoGivenBy...)
	if !reflect.DeepEqual(was, c) || !within(d.Grants, d.old.grants) {
		return fmt.Errorf("%w: what is narrowed may differ in its grants and the end of authority alone, and grant nothing more", ErrDocument)
	}
	return nil
}

// within reports whether the grants are for the same sources, each for no more than it was.
func within(narrow []Grant, wide map[identity.OIN]grant) bool {
	for _, g := range narrow {
		was, ok := wide[g.Source]
		if !ok || slices.ContainsFunc(g.Categories, func(c budgetv1.Category) bool { return !slices.Contains(was.categories, c) }) {
			return false
		}
	}
	return len(narrow) == len(wide)
}
