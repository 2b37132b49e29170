package plan

import (
	"slices"
	"strconv"
	"strings"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// refusal is one allocation that cannot be paid so.
type refusal struct {
	allocation string
	code       string
	lines      []string
	laws       []string
	params     map[string]string // what its text may mention
}

// refusal starts one about lines of the purse.
func (p *purse) refusal(c claim, code string, lines []int) refusal {
	r := refusal{allocation: c.GetId(), code: code, params: map[string]string{}}
	for _, i := range lines {
		l := p.lines[i]
		r.lines = append(r.lines, l.GetId())
		if !slices.Contains(r.laws, l.law()) {
			r.laws = append(r.laws, l.law())
		}
	}
	if len(lines) > 0 {
		first := p.lines[lines[0]]
		r.params["line"], r.params["person"] = first.GetId(), first.GetPerson()
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
	m := &budgetv1.Refusal{Allocation: r.allocation, Code: r.code, Lines: r.lines, Laws: r.laws}
	if texts != nil {
		m.TextNl, m.InsteadNl = texts.Refusal(r.code, "nl", r.params)
		m.TextEn, m.InsteadEn = texts.Refusal(r.code, "en", r.params)
	}
	return m
}

func cents(n int64) string { return strconv.FormatInt(n, 10) }
