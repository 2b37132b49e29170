package budget

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// gapsOf gives the gaps an answer comes with, its stale data and the records that could
// not be read among them. An
// answer with neither a response nor a reason is a source that did not answer:
// nothing may be missing in silence.
func gapsOf(a Answer) []*budgetv1.Gap {
	var gaps []*budgetv1.Gap
	for _, g := range a.Gaps {
		if g != nil {
			gaps = append(gaps, a.own(proto.CloneOf(g)))
		}
	}
	for _, n := range a.Response.GetNotices() {
		if n.GetCode() == budgetv1.NoticeStale {
			gaps = append(gaps, a.own(&budgetv1.Gap{Reason: budgetv1.ReasonStale, Laws: some(n.GetLaw())}))
		}
		if n.GetGap() != "" {
			gaps = append(gaps, a.own(&budgetv1.Gap{Reason: budgetv1.ReasonBadDataAtSource, Code: n.GetGap(), Laws: some(n.GetLaw())}))
		}
	}
	if a.Response == nil && len(gaps) == 0 {
		gaps = append(gaps, a.own(&budgetv1.Gap{Reason: budgetv1.ReasonSourceUnavailable}))
	}
	return gaps
}

// unreadable is the gap for a line that was sent and cannot be counted.
func unreadable(a Answer, law, category string) *budgetv1.Gap {
	return a.own(&budgetv1.Gap{
		Reason:     budgetv1.ReasonBadDataAtSource,
		Laws:       some(law),
		Categories: some(category),
	})
}

// missing reports whether a source of a kind has a gap that touches a category of one
// person under one law. An empty person or law is any.
func (v *view) missing(kind, person, law string, category budgetv1.Category) bool {
	about := func(list []string, one string) bool {
		return one == "" || len(list) == 0 || slices.Contains(list, one)
	}
	return slices.ContainsFunc(v.gaps, func(g *budgetv1.Gap) bool {
		return v.party(g.GetSource()).Kind == kind && (person == "" || g.GetPerson() == person) &&
			about(g.GetLaws(), law) && about(g.GetCategories(), string(category))
	})
}

func (a Answer) own(g *budgetv1.Gap) *budgetv1.Gap {
	g.Person, g.Source = string(a.Person), a.Source
	for _, w := range g.GetWay() {
		switch w.GetAct() {
		case budgetv1.ActAskAnew, budgetv1.ActToken, budgetv1.ActRole, budgetv1.ActAssurance, budgetv1.ActNever:
		default: // a document is about the source
			w.Party = cmp.Or(w.GetParty(), a.Source)
		}
	}
	slices.Sort(g.Laws)
	slices.Sort(g.Categories)
	return g
}

// some is a list of one text, or of none when it is empty.
func some(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// settle orders the gaps, each once, and words them.
func (v *view) settle(gaps []*budgetv1.Gap) []*budgetv1.Gap {
	slices.SortFunc(gaps, func(a, b *budgetv1.Gap) int {
		if c := cmp.Or(
			cmp.Compare(a.GetPerson(), b.GetPerson()),
			cmp.Compare(a.GetSource(), b.GetSource()),
			cmp.Compare(a.GetReason(), b.GetReason()),
			slices.Compare(a.GetLaws(), b.GetLaws()),
			slices.Compare(a.GetCategories(), b.GetCategories()),
		); c != 0 {
			return c
		}
		return bytes.Compare(written(a), written(b))
	})
	gaps = slices.CompactFunc(gaps, func(a, b *budgetv1.Gap) bool { return proto.Equal(a, b) })
	for _, g := range gaps {
		v.wordGap(g, g.GetCode())
	}
	return gaps
}

// wordGap fills in the texts that are not there yet: those of the reason, or of a detail
// that has a text of its own.
func (v *view) wordGap(g *budgetv1.Gap, detail string) {
	if v.q.Text == nil {
		return
	}
	params := map[string]string{
		"person":   g.GetPerson(),
		"source":   v.nameOf(g.GetSource()),
		"law":      strings.Join(g.GetLaws(), ", "),
		"category": strings.Join(g.GetCategories(), ", "),
		"number":   budgetv1.IdentifierOf(v.party(g.GetSource()).Kind),
		"code":     detail,
	}
	if len(g.GetWay()) > 0 {
		params["way"] = "told"
	}
	for _, w := range g.GetWay() {
		params["party "+w.GetParty()] = v.nameOf(w.GetParty())
		if w.GetAct() == budgetv1.ActNever {
			w.Article = cmp.Or(w.GetArticle(), v.q.Text.Article(w.GetCode()))
		}
	}
	said := func(lang string) string {
		return strings.TrimSpace(v.q.Text.Gap(g.GetReason(), lang, params) + " " + v.q.Text.Way(g.GetWay(), "family", lang, params))
	}
	if g.TextNl == "" {
		g.TextNl = said("nl")
	}
	if g.TextEn == "" {
		g.TextEn = said("en")
	}
}

// reports says how each source fared for each person. A source that answered is OK, also
// when a part was withheld; it is PARTIAL when a part of its answer could not be read. Of
// one that did not answer it is the first reason.
func (v *view) reports() []*budgetv1.SourceReport {
	var out []*budgetv1.SourceReport
	for _, a := range v.answers {
		out = append(out, report(a))
	}
	slices.SortFunc(out, func(a, b *budgetv1.SourceReport) int {
		if c := cmp.Or(cmp.Compare(a.GetPerson(), b.GetPerson()), cmp.Compare(a.GetSource(), b.GetSource())); c != 0 {
			return c
		}
		return bytes.Compare(written(a), written(b))
	})
	return slices.CompactFunc(out, func(a, b *budgetv1.SourceReport) bool { return proto.Equal(a, b) })
}

func report(a Answer) *budgetv1.SourceReport {
	status := budgetv1.StatusOK
	gaps := gapsOf(a)
	if a.Response == nil {
		status = gaps[0].GetReason()
	} else if slices.ContainsFunc(gaps, func(g *budgetv1.Gap) bool { return g.GetReason() == budgetv1.ReasonBadDataAtSource }) {
		status = budgetv1.StatusPartial
	}
	return &budgetv1.SourceReport{
		Source:    a.Source,
		Person:    string(a.Person),
		Status:    status,
		ElapsedMs: max(0, a.Elapsed.Milliseconds()),
		Adapter:   a.Response.GetAdapter(),
		Version:   a.Response.GetVersion(),
		AsOfMs:    a.Response.GetAsOfMs(),
		Consent:   a.Consent,
		Agreement: a.Agreement, Disclosure: a.Response.GetDisclosure(),
	}
}

// WithheldBy are the gaps of what a source keeps back that decides for itself: another
// organisation's gateway.
func WithheldBy(r *budgetv1.FetchResponse) (gaps []*budgetv1.Gap) {
	for _, w := range r.GetWithheld() {
		gaps = append(gaps, &budgetv1.Gap{
			Reason: budgetv1.ReasonPeerRefused, Code: budgetv1.PeerDetail(w.GetReason()),
			Laws:       slices.DeleteFunc(slices.Clone(w.GetLaws()), func(law string) bool { return !slices.Contains(budgetv1.Laws(), law) }),
			Categories: slices.DeleteFunc(slices.Clone(w.GetCategories()), func(c string) bool { return !slices.Contains(budgetv1.Categories(), budgetv1.Category(c)) }),
		})
	}
	return gaps
}
