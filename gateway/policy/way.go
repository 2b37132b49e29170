package policy

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// journey is one no, and how it is judged again under a supposition.
type journey struct {
	// codes are why it is a no; none: every category that is needed passes. by is the
	// category that a code is about, empty where it is about all.
	codes func(s supposed) []obstacle
	all   supposed // everything that can be supposed of documents
	bases bool     // whether another legal basis can be supposed
	ways  *domain
}

// obstacle is a check that failed, for one category or for all.
type obstacle struct {
	code     string
	category string
}

// domain is what the tables know that somebody can be or name: the finite part of a way.
type domain struct {
	roles, levels, bases []string // levels from low to high
}

func newDomain(data map[string]any) *domain {
	list := func(name string) []string { return slices.Sorted(maps.Keys(member(data["catalog"], name))) }
	d := &domain{roles: list("roles"), levels: list("assurance"), bases: list("legal_bases")}
	rank := func(level string) int { return days(member(member(data["catalog"], "assurance"), level)["rank"]) }
	slices.SortFunc(d.levels, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return d
}

// find gives the fewest suppositions under which nothing stands in the way, and what
// stands there under all of them. It tries each role, level and basis of the tables, and
// what is left out again is tried too: what it gives, flips.
func (j journey) find() (least supposed, never []obstacle) {
	s := j.all
	left := j.codes(s)
	if holds(left, "GROND-01") && j.bases {
		s, left = j.choose(s, left, "GROND-01", j.withBasis(s))
	}
	if holds(left, "ROL-01") {
		s, left = j.choose(s, left, "ROL-01", j.withWorker(s))
	}
	if slices.ContainsFunc(left, func(o obstacle) bool { return o.category == "" }) {
		return supposed{}, left
	}
	for _, without := range []func(supposed) supposed{
		func(s supposed) supposed { s.consent = false; return s },
		func(s supposed) supposed { s.agreement = false; return s },
		func(s supposed) supposed { s.token = false; return s },
		func(s supposed) supposed { s.request = false; return s },
		func(s supposed) supposed { s.basis = ""; return s },
		func(s supposed) supposed { s.assurance = ""; return s },
		func(s supposed) supposed { s.role = ""; return s },
	} {
		if less := without(s); less != s && onlyOf(j.codes(less), left) {
			s = less
		}
	}
	return s, left
}

// choose takes the first of some suppositions under which a check passes.
func (j journey) choose(s supposed, left []obstacle, code string, options []supposed) (supposed, []obstacle) {
	for _, option := range options {
		if codes := j.codes(option); !holds(codes, code) {
			return option, codes
		}
	}
	return s, left
}

func (j journey) withBasis(s supposed) (options []supposed) {
	for _, s.basis = range j.ways.bases {
		options = append(options, s)
	}
	return options
}

// withWorker supposes a higher level, then another role, then both.
func (j journey) withWorker(s supposed) (options []supposed) {
	for _, w := range j.ways.workers() {
		s.role, s.assurance = w.role, w.assurance
		options = append(options, s)
	}
	return options
}

// workers are who can ask: another level, another role, or both; empty: as it is.
func (d *domain) workers() (all []worker) {
	for _, level := range d.levels {
		all = append(all, worker{"", level})
	}
	for _, role := range d.roles {
		all = append(all, worker{role, ""})
	}
	for _, role := range d.roles {
		for _, level := range d.levels {
			all = append(all, worker{role, level})
		}
	}
	return all
}

// onlyOf reports whether what stands in the way is of categories that nothing helps.
func onlyOf(list, left []obstacle) bool {
	return !slices.ContainsFunc(list, func(o obstacle) bool {
		return o.category == "" || !slices.ContainsFunc(left, func(l obstacle) bool { return l.category == o.category })
	})
}

func holds(list []obstacle, code string) bool {
	return slices.ContainsFunc(list, func(o obstacle) bool { return o.code == code })
}

// withWays says of each gap what would turn it. Of a question that nobody asks nothing is said.
func (e *Engine) withWays(ctx context.Context, q Access, laws []string, gaps []*budgetv1.Gap) []*budgetv1.Gap {
	if q.supposed != nil || q.again {
		return gaps
	}
	for _, gap := range gaps {
		about := gap.GetLaws()
		if len(about) == 0 { // all that have no gap of their own
			about = slices.DeleteFunc(slices.Clone(laws), func(law string) bool {
				return slices.ContainsFunc(gaps, func(g *budgetv1.Gap) bool { return len(g.GetCategories()) == 0 && slices.Contains(g.GetLaws(), law) })
			})
		}
		gap.Way = e.wayOf(ctx, q, about, gap.GetCategories())
	}
	return gaps
}

// WayToAsk is the way to yes of who may ask nothing at all for a purpose: another role or
// level. As with MayAsk, nothing of what others signed is looked at.
func (e *Engine) WayToAsk(ctx context.Context, q Access) []*budgetv1.WayToYes {
	for _, w := range e.ways.workers() {
		q.supposed = &supposed{role: w.role, assurance: w.assurance}
		codes := e.MayAsk(ctx, q)
		if slices.Contains(codes, CodeUndecided) {
			return nil
		}
		if len(codes) == 0 {
			return workers(w)
		}
	}
	q.supposed = nil
	return e.nevers([]obstacle{{code: e.MayAsk(ctx, q)[0]}}, cellOf{purpose: q.Purpose, requester: q.Requester, source: q.Requester})
}

// wayOf is the way to yes of one source under some laws, for some categories: none means
// all that is needed. Each law has its own, and they are put together.
func (e *Engine) wayOf(ctx context.Context, q Access, laws, categories []string) []*budgetv1.WayToYes {
	var way, shut []*budgetv1.WayToYes
	for _, law := range laws {
		acts, never := e.wayUnder(ctx, q, law, categories)
		if len(acts) == 0 && never == nil {
			return nil // it could not be judged, and nothing is said
		}
		for _, n := range never {
			n.Laws = []string{law}
			shut = merge(shut, n)
		}
		for _, a := range acts {
			way = merge(way, a)
		}
	}
	for _, n := range shut {
		if len(n.GetLaws()) == len(laws) {
			n.Laws = nil
		}
	}
	return inOrder(append(way, shut...))
}

// wayUnder is the way to yes under one law.
func (e *Engine) wayUnder(ctx context.Context, q Access, law string, categories []string) (acts, never []*budgetv1.WayToYes) {
	real := q
	q.Subject = nobody // for a way is of nobody, and can be remembered for all
	known, needed := e.Categories(q.Purpose, q.SourceKind, law), e.needed(q.Purpose, q.SourceKind, law)
	targets := e.targets(categories, known, needed)
	codes := func(s supposed) []obstacle {
		q.supposed = &s
		return e.obstacles(ctx, q, law, targets)
	}
	least, left := journey{codes: codes, all: supposed{token: true, agreement: !q.own(), consent: true}, bases: !q.own(), ways: e.ways}.find()
	if holds(left, CodeUndecided) {
		return nil, nil
	}
	never = e.nevers(left, cellOf{q.Purpose, KindKey(q.SourceKind), LawKey(law), q.Requester, q.Source})
	targets = slices.DeleteFunc(slices.Clone(targets), func(c budgetv1.Category) bool {
		return slices.ContainsFunc(left, func(o obstacle) bool { return o.category == string(c) })
	})
	if slices.ContainsFunc(left, func(o obstacle) bool { return o.category == "" }) || len(targets) == 0 {
		return nil, never
	}
	if least.token { // whose token is not for it does not learn what the person said
		least.consent = false
	}
	said := e.evaluate(ctx, real.input(law, union(known, needed)))
	return real.acts(least, said, targets), never
}

// targets are the categories that have to pass: those that are missing, or else all that
// an answer needs. A law without needs needs all that it knows. That there is a right is
// told before anything else is.
func (e *Engine) targets(categories []string, known, needed []budgetv1.Category) []budgetv1.Category {
	if len(categories) > 0 {
		return slices.DeleteFunc(budgetv1.Categories(), func(c budgetv1.Category) bool { return !slices.Contains(categories, string(c)) })
	}
	if len(needed) == 0 {
		return known
	}
	if slices.Contains(known, budgetv1.CategoryEntitlement) && !slices.Contains(needed, budgetv1.CategoryEntitlement) {
		return union([]budgetv1.Category{budgetv1.CategoryEntitlement}, needed)
	}
	return needed
}

// obstacles are why the targets do not pass, judged as Decide judges.
func (e *Engine) obstacles(ctx context.Context, q Access, law string, targets []budgetv1.Category) (all []obstacle) {
	known, needed := e.Categories(q.Purpose, q.SourceKind, law), e.needed(q.Purpose, q.SourceKind, law)
	said := e.evaluate(ctx, q.input(law, union(known, needed)))
	if no := q.firstFailure(said); no != nil {
		return refusedBy(said, strings.Fields(no.code), texted(targets))
	}
	for _, c := range targets {
		no := q.missing(said, c)
		mask := budgetv1.Mask(said.Fields[string(c)])
		if !slices.Contains(known, c) || mask == budgetv1.MaskExists && slices.Contains(needed, c) {
			no = &refusal{code: "VELD-01"}
		}
		if no != nil {
			all = addOnce(all, obstacle{no.code, string(c)})
		}
	}
	first := budgetv1.CategoryEntitlement // without which nothing of the law passes
	if slices.Contains(union(known, needed), first) && slices.Contains(targets, first) {
		if i := slices.IndexFunc(all, func(o obstacle) bool { return o.category == string(first) }); i >= 0 {
			return []obstacle{{code: all[i].code}}
		}
	}
	return all
}

// refusedBy are the codes of a no to all. Where nothing remains, it is for what each of the
// categories is taken away.
func refusedBy(said Outcome, codes, targets []string) (all []obstacle) {
	for _, code := range slices.Concat(codes, said.Reasons) {
		all = addOnce(all, obstacle{code: code})
	}
	if !holds(all, CodeNoField) {
		return all
	}
	for c, code := range said.Dropped {
		if len(targets) == 0 || slices.Contains(targets, c) {
			all = addOnce(all, obstacle{code, c})
		}
	}
	slices.SortFunc(all, func(a, b obstacle) int {
		return cmp.Or(strings.Compare(a.category, b.category), strings.Compare(a.code, b.code))
	})
	return all
}

func addOnce(all []obstacle, o obstacle) []obstacle {
	if slices.Contains(all, o) {
		return all
	}
	return append(all, o)
}

// merge puts an act to others, with its laws and categories where it is among them.
func merge(way []*budgetv1.WayToYes, a *budgetv1.WayToYes) []*budgetv1.WayToYes {
	for _, w := range way {
		if w.GetAct() == a.GetAct() && w.GetParty() == a.GetParty() && w.GetRole() == a.GetRole() && w.GetAssurance() == a.GetAssurance() &&
			w.GetLegalBasis() == a.GetLegalBasis() && w.GetCode() == a.GetCode() && w.GetArticle() == a.GetArticle() &&
			(a.GetAct() != budgetv1.ActNever || len(w.GetCategories()) == 0 == (len(a.GetCategories()) == 0)) {
			w.Categories, w.Laws = both(w.GetCategories(), a.GetCategories()), both(w.GetLaws(), a.GetLaws())
			return way
		}
	}
	return append(way, a)
}

// both lists the words of two lists, each once and sorted.
func both(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// inOrder sorts acts in the order in which they are done.
func inOrder(way []*budgetv1.WayToYes) []*budgetv1.WayToYes {
	order := budgetv1.Acts()
	slices.SortStableFunc(way, func(a, b *budgetv1.WayToYes) int {
		return slices.Index(order, a.GetAct()) - slices.Index(order, b.GetAct())
	})
	return way
}

// cellOf is a cell of the matrix, and between whom it is asked.
type cellOf struct {
	purpose, kind, law string
	requester, source  identity.OIN
}

// nevers are why something stays a no. That nothing remains is said by why.
func (e *Engine) nevers(left []obstacle, at cellOf) (never []*budgetv1.WayToYes) {
	for _, o := range left {
		if o.code != CodeNoField || len(left) == 1 {
			never = merge(never, e.never(o, at))
		}
	}
	return never
}

// never is why something stays a no: the check, whose own rules it is, and of a statute
// that is not in force its article.
func (e *Engine) never(o obstacle, at cellOf) *budgetv1.WayToYes {
	n := &budgetv1.WayToYes{Act: budgetv1.ActNever, Code: o.code}
	if o.category != "" {
		n.Categories = []string{o.category}
	}
	switch o.code {
	case "VELD-03", "ROL-01":
		n.Party = e.strictest(at, o)
	case "GROND-01":
		n.Article = e.lapsed(at)
	}
	return n
}

// strictest is the party whose own rules take something away; empty: it is nobody's.
func (e *Engine) strictest(at cellOf, o obstacle) string {
	for _, oin := range []identity.OIN{at.requester, at.source} {
		overlay := member(member(member(e.tables["overlays"], string(oin)), "purposes"), at.purpose)
		switch {
		case o.code == "ROL-01" && len(words(overlay["remove_roles"])) > 0,
			o.code == "VELD-03" && slices.Contains(words(overlay["remove_sources"]), at.kind),
			o.code == "VELD-03" && slices.Contains(words(member(overlay, "remove_categories")[at.kind]), o.category):
			return string(oin)
		}
	}
	return ""
}

// lapsed is the article of the first statute on which the cell rests and that does not count.
func (e *Engine) lapsed(at cellOf) string {
	cell := member(member(member(member(e.tables["matrix"], at.purpose), "sources"), at.kind), at.law)
	dated, _ := cell["dated"].([]any)
	for _, basis := range dated {
		name, _ := member(basis, "")["statute"].(string)
		article, _ := member(member(e.tables["catalog"], "statutes"), name)["article"].(string)
		if article != "" {
			return article
		}
	}
	return ""
}
