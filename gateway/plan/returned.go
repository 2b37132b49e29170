package plan

import (
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// stake is what one line put in and what was spent of it, in cents.
type stake struct {
	line               int
	contributed, spent int64
}

// returned is what goes back at a date, in the order of the budget; lines that get
// nothing are absent. over are the lines of which more was spent than they contributed.
func (p *purse) returned(b *budgetv1.Budget, date civil.Date) (out []*budgetv1.Returned, over []*budgetv1.Finding) {
	eve := civil.Span{From: date - 1, To: date - 1}
	pool := poolOf(b.GetLegalBasis(), b.GetRequester())
	var common []stake
	back := map[int]int64{}
	for _, s := range p.stakes(b.GetSpentCents(), date) {
		if pool.covers(eve, p.lines[s.line].law()) {
			common = append(common, s)
			continue
		}
		back[s.line] = s.contributed - s.spent
		over = append(over, p.overspent([]stake{s}, b, date)...)
	}
	for n, cents := range left(common) {
		back[common[n].line] = cents
	}
	over = append(over, p.overspent(common, b, date)...)
	for i, l := range p.lines {
		if back[i] > 0 {
			out = append(out, &budgetv1.Returned{Line: l.GetId(), Funder: l.funder(), Law: l.law(), Cents: back[i], SpentAsOf: b.GetSpentAsOf()[l.GetId()]})
		}
	}
	return out, over
}

// overspent lists the lines of a pot of which more was spent than they contributed, each
// with those whose money covers it.
func (p *purse) overspent(pot []stake, b *budgetv1.Budget, date civil.Date) []*budgetv1.Finding {
	var cover []string
	for _, s := range pot {
		if s.spent < s.contributed {
			cover = append(cover, p.lines[s.line].GetId())
		}
	}
	var over []*budgetv1.Finding
	for _, s := range pot {
		if s.spent <= s.contributed {
			continue
		}
		f := about(p.lines[s.line], budgetv1.FindingOverspent, budgetv1.SeverityWarning)
		f.Lines, f.Date = among(append(f.Lines, cover...)), date.String()
		over = append(over, f)
	}
	return over
}

// stakes are those of the care money that had begun before the date and of which
// it is known what was spent.
func (p *purse) stakes(spent map[string]int64, date civil.Date) []stake {
	var stakes []stake
	for i, l := range p.lines {
		figure, known := spent[l.GetId()]
		if !known || figure < -maxValue || figure > maxValue || !l.payable() || !l.dated || l.span.From >= date {
			continue
		}
		contributed, ok := budget.Value(l.money(), l.GetPeriod(), civil.Span{From: l.span.From, To: date - 1})
		if ok {
			stakes = append(stakes, stake{i, contributed, figure})
		}
	}
	return stakes
}

// left divides what was not spent of one pot in the proportion contributed.
func left(pot []stake) []int64 {
	sum, weights := int64(0), make([]int64, len(pot))
	for n, s := range pot {
		weights[n] = s.contributed
		sum = plus(sum, s.contributed-s.spent)
	}
	return divide(max(0, sum), weights)
}
