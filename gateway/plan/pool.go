package plan

import (
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// pool is a legal basis as far as it reaches this municipality: which laws may
// pay together, and on which days (Wlz art. 10.1.2). The zero pool allows nothing.
type pool struct {
	id   string
	span civil.Span
	laws []string
}

// poolOf reads a basis. One without two dates in order, or that does not name the
// municipality that asked, pools nothing.
func poolOf(basis *budgetv1.LegalBasis, municipality string) pool {
	from, err := civil.Parse(basis.GetFrom())
	if err != nil {
		return pool{}
	}
	to, err := civil.Parse(basis.GetTo())
	if err != nil || to < from || municipality == "" || !slices.Contains(basis.GetMunicipalities(), municipality) {
		return pool{}
	}
	return pool{id: basis.GetId(), span: civil.Span{From: from, To: to}, laws: basis.GetPoolableLaws()}
}

// covers reports whether all these laws may pay together on every one of the days.
func (p pool) covers(days civil.Span, laws ...string) bool {
	if len(p.laws) == 0 || !p.span.Contains(days.From) || !p.span.Contains(days.To) {
		return false
	}
	return !slices.ContainsFunc(laws, func(law string) bool { return !slices.Contains(p.laws, law) })
}

// touches reports whether something may be pooled on some of the days.
func (p pool) touches(days civil.Span) bool {
	_, both := p.span.Overlap(days)
	return len(p.laws) > 0 && both && days.From != 0
}

// always is the same pool as if it had no beginning and no end.
func (p pool) always() pool {
	return pool{id: p.id, span: civil.Span{From: 1, To: civil.Forever}, laws: p.laws}
}

// beyond gives the first of the days on which the basis is not in force; false when it is
// on all of them, and for no basis.
func (p pool) beyond(days civil.Span) (civil.Span, bool) {
	switch {
	case len(p.laws) == 0:
		return civil.Span{}, false
	case days.From < p.span.From:
		return civil.Span{From: days.From, To: min(days.To, p.span.From-1)}, true
	case days.To > p.span.To:
		return civil.Span{From: max(days.From, p.span.To+1), To: days.To}, true
	}
	return civil.Span{}, false
}
