package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// refusal is one allocation that cannot be paid so.
type refusal struct {
	allocation string
	code       string
	text       string // code of its text
	lines      []string
	laws       []string
	params     map[string]string // what its text may mention
}

// splitPastBasis is the text of SPLIT_ACROSS_LAWS where the basis is in force, but not
// on all the days.
const splitPastBasis = "SPLIT_PAST_BASIS"

// blame says that a basis would allow it, were it in force on these days too.
func (r *refusal) blame(pool pool, days civil.Span, text string) {
	r.text = text
	r.params["basis"], r.params["from"], r.params["to"] = pool.id, days.From.String(), days.To.String()
}

// refusal starts one about lines of the purse.
func (p *purse) refusal(c claim, code string, lines []int) refusal {
	r := refusal{allocation: c.GetId(), code: code, text: code, params: map[string]string{}}
	for _, i := range lines {
		l := p.lines[i]
		r.lines = append(r.lines, l.GetId())
		if !slices.Contains(r.laws, l.law()) {
			r.laws = append(r.laws, l.law())
		}
	}
	if len(lines) > 0 {
		first := p.lines[lines[0]]
		r.params["person"] = first.GetPerson()
		r.params["product"], r.params["label"] = first.GetProduct().GetCode(), first.GetProduct().GetLabel()
	}
	r.params["law"] = strings.Join(r.laws, ", ")
	r.params["parts"] = p.parts(c)
	return r
}

// holding is what one person is paid for under one law: the amount of a care
// agreement of their own.
type holding struct{ person, law string }

// parts is the lawful way to share a carer: one care agreement per budget holder
// and law, with what each pays, in the order of the plan.
func (p *purse) parts(c claim) string {
	var order []holding
	sums := map[holding]int64{}
	for _, s := range c.shares {
		h := holding{p.lines[s.line].GetPerson(), p.lines[s.line].law()}
		if _, again := sums[h]; !again {
			order = append(order, h)
		}
		sums[h] = plus(sums[h], s.cents)
	}
	var out strings.Builder
	for i, h := range order {
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(h.person + " " + h.law + " " + cents(sums[h]))
	}
	return out.String()
}

func (r refusal) message(texts Texts) *budgetv1.Refusal {
	m := &budgetv1.Refusal{
		Allocation: r.allocation, Code: r.code, Lines: r.lines, Laws: r.laws,
		Basis: r.params["basis"], From: r.params["from"], To: r.params["to"],
	}
	if texts != nil {
		m.TextNl, m.InsteadNl = texts.Refusal(r.text, "nl", r.params)
		m.TextEn, m.InsteadEn = texts.Refusal(r.text, "en", r.params)
	}
	return m
}

func cents(n int64) string { return strconv.FormatInt(n, 10) }
