package authzen

import (
	"maps"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/wording"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// answer is one decision (Authorization API 1.0, section 6.2).
type answer struct {
	Decision bool    `json:"decision"`
	Context  details `json:"context"`
}

// details are the members of ontschot.decision/1, the same in words, and the way to yes.
type details struct {
	Contract    string            `json:"contract,omitempty"`
	Revision    string            `json:"revision,omitempty"`
	Reasons     []string          `json:"reasons"`
	Checks      []string          `json:"checks"`
	Fields      map[string]string `json:"fields"`
	Dropped     map[string]string `json:"dropped"`
	Obligations obligations       `json:"obligations"`
	// ReasonAdmin is for a privacy officer, ReasonUser for everybody; by language.
	ReasonAdmin map[string]string `json:"reason_admin,omitempty"`
	ReasonUser  map[string]string `json:"reason_user,omitempty"`
	Way         []act             `json:"way,omitempty"`
}

type obligations struct {
	RetentionDays int      `json:"retention_days,omitempty"`
	Notify        []string `json:"notify,omitempty"`
}

// act is a budgetv1.WayToYes; its party is an OIN.
type act struct {
	Act        string   `json:"act"`
	Party      string   `json:"party,omitempty"`
	Categories []string `json:"categories,omitempty"`
	Role       string   `json:"role,omitempty"`
	Assurance  string   `json:"assurance,omitempty"`
	LegalBasis string   `json:"legal_basis,omitempty"`
	Article    string   `json:"article,omitempty"`
	Code       string   `json:"code,omitempty"`
}

// answer puts an outcome in the form of the API.
func (p *Point) answer(e *policy.Engine, o policy.Outcome, way []*budgetv1.WayToYes) answer {
	a := answer{Decision: o.Allow, Context: details{
		Contract: policy.ContractDecision, Revision: e.Revision(),
		Reasons: listed(o.Reasons), Checks: listed(o.Checks), Fields: mapped(o.Fields), Dropped: mapped(o.Dropped),
		Obligations: obligations{o.RetentionDays, o.Notify},
	}}
	codes := slices.Concat(o.Reasons, slices.Sorted(maps.Values(o.Dropped)))
	for _, w := range way {
		one := act{
			Act: w.GetAct(), Party: w.GetParty(), Categories: w.GetCategories(), Role: w.GetRole(), Assurance: w.GetAssurance(),
			LegalBasis: w.GetLegalBasis(), Article: w.GetArticle(), Code: w.GetCode(),
		}
		if one.Act == budgetv1.ActNever && one.Article == "" {
			one.Article = p.Texts.Article(one.Code)
		}
		a.Context.Way = append(a.Context.Way, one)
	}
	if len(codes) == 0 {
		return a
	}
	a.Context.ReasonAdmin, a.Context.ReasonUser = map[string]string{}, map[string]string{}
	for _, lang := range []string{wording.Dutch, wording.English} {
		a.Context.ReasonAdmin[lang], a.Context.ReasonUser[lang] = p.said(codes, way, lang)
	}
	return a
}

// said words the codes and the way: for an officer with code, article and cell, and for
// everybody without.
func (p *Point) said(codes []string, way []*budgetv1.WayToYes, lang string) (admin, user string) {
	var officers, all []string
	for _, code := range slices.Compact(slices.Clone(codes)) {
		r, known := p.Texts.Reason(code, lang)
		if !known {
			continue
		}
		officers = append(officers, code+": "+r.Short+" ("+r.Article+").")
		all = append(all, r.Short+". "+r.Explanation)
	}
	params := map[string]string{"code": codes[0], "article": p.Texts.Article(codes[0])}
	officers = append(officers, p.Texts.Way(way, wording.ReaderOfficer, lang, params))
	all = append(all, p.Texts.Way(way, wording.ReaderFamily, lang, params))
	return strings.TrimSpace(strings.Join(officers, " ")), strings.TrimSpace(strings.Join(all, " "))
}

func listed(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func mapped(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
