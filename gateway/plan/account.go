package plan

import (
	"cmp"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// row is one law of one funder.
type row struct{ funder, law string }

// Account draws up what each funder gets to see: its own money, per law, and
// no identity. There is one account for each funder of care money of a
// known amount, in the order of the party codes; they are not signed and hold no
// digest. All figures are cents over the window of the budget.
//
// awarded is the value of the lines, allocated what the allocations that can be
// paid (Check) take of them: the sum over all funders is what the plan pays.
//
// spent is present when it is known of every line of the row. What was spent of a
// line is cumulative over the award; it is what was spent in the window only when
// the line begins in it, and the window or the line was not over before today. A
// line that had not begun today has nothing spent of it. unspent is awarded less
// spent, and negative when too much was. spent_as_of is the earliest day of the figures
// that count; as_of of the account the day on which the budget was composed. overspent is
// what was spent of single lines above the whole of their award: what other lines have
// left, also under other laws that are pooled, does not hide it.
//
// shifted_out is what pooling took from a law, and shifted_in what it saved
// another: the money of a line whose holder is no beneficiary of the allocation,
// where no beneficiary has a right under the same law. It is shifted in to the
// lines of the beneficiaries under pooled laws, in proportion to their value,
// largest remainder first. A split by a line of a beneficiary is their own share and
// shifts nothing. Over all funders in and out are equal; without pooling both are 0.
func Account(q Input) []*budgetv1.Account {
	o := weigh(q)
	rows := o.rows(q.Budget)
	o.shift(rows)
	accounts := map[string]*budgetv1.Account{}
	for _, r := range slices.SortedFunc(maps.Keys(rows), inOrder) {
		a := accounts[r.funder]
		if a == nil {
			a = &budgetv1.Account{Funder: r.funder, Window: proto.CloneOf(q.Budget.GetWindow()), AsOf: q.Budget.GetToday()}
			accounts[r.funder] = a
		}
		a.Laws = append(a.Laws, rows[r])
	}
	return slices.SortedFunc(maps.Values(accounts), func(a, b *budgetv1.Account) int {
		return cmp.Compare(a.GetFunder(), b.GetFunder())
	})
}

// Without leaves out of accounts what is hidden: under a law of a funder all of it; and under a
// law that one of the payers, who know what was spent, hides, the spending. A figure that is
// left is the one of Account. The accounts are changed.
func Without(accounts []*budgetv1.Account, payers []string, hides func(source, law string, what budgetv1.Category) bool) []*budgetv1.Account {
	for _, a := range accounts {
		a.Laws = slices.DeleteFunc(a.Laws, func(l *budgetv1.AccountLine) bool { return hides(a.GetFunder(), l.GetLaw(), budgetv1.CategoryAmount) })
		for _, l := range a.GetLaws() {
			for _, payer := range payers {
				if hides(payer, l.GetLaw(), budgetv1.CategorySpending) {
					l.SpentCents, l.UnspentCents, l.OverspentCents, l.SpentAsOf = nil, nil, 0, ""
				}
			}
		}
	}
	return slices.DeleteFunc(accounts, func(a *budgetv1.Account) bool { return len(a.GetLaws()) == 0 })
}

// inOrder puts the laws of care first, then the others by their code.
func inOrder(a, b row) int {
	return cmp.Or(cmp.Compare(a.funder, b.funder), cmp.Compare(budgetv1.LawRank(a.law), budgetv1.LawRank(b.law)), cmp.Compare(a.law, b.law))
}

func (o *outcome) rows(b *budgetv1.Budget) map[row]*budgetv1.AccountLine {
	rows, unknown, asOf := map[row]*budgetv1.AccountLine{}, map[row]bool{}, map[row][]string{}
	today, _ := civil.Parse(b.GetToday())
	for i, l := range o.purse.lines {
		if !l.payable() {
			continue
		}
		r := l.row()
		if rows[r] == nil {
			rows[r] = &budgetv1.AccountLine{Law: r.law, SpentCents: new(int64)}
		}
		rows[r].AwardedCents = plus(rows[r].AwardedCents, l.value())
		rows[r].AllocatedCents = plus(rows[r].AllocatedCents, o.taken[i])
		spent, known := o.purse.spent(l, b.GetSpentCents(), today)
		*rows[r].SpentCents = plus(*rows[r].SpentCents, spent)
		unknown[r] = unknown[r] || !known
		if _, told := b.GetSpentCents()[l.GetId()]; told && known {
			asOf[r] = append(asOf[r], b.GetSpentAsOf()[l.GetId()])
		}
		if left := b.GetRemainingCents()[l.GetId()]; left < 0 && left >= -maxValue {
			rows[r].OverspentCents = plus(rows[r].OverspentCents, -left)
		}
	}
	for r, a := range rows {
		if unknown[r] {
			a.SpentCents = nil
			continue
		}
		a.UnspentCents = new(plus(a.AwardedCents, -*a.SpentCents))
		if len(asOf[r]) > 0 {
			a.SpentAsOf = slices.Min(asOf[r]) // civil dates sort as text; one that is not known comes first
		}
	}
	return rows
}

func (l line) row() row { return row{l.funder(), l.law()} }

// spent is what was spent of a line in the window, as far as that can be known.
func (p *purse) spent(l line, figures map[string]int64, today civil.Date) (cents int64, known bool) {
	if !l.dated || today == 0 {
		return 0, false
	}
	if l.span.From > today {
		return 0, true
	}
	inWindow := l.span.From >= p.window.From && min(l.span.Until(), today) <= p.window.To
	cents, known = figures[l.GetId()]
	if !known || !inWindow || cents < -maxValue || cents > maxValue {
		return 0, false
	}
	return cents, true
}

// shift moves what pooled lines paid for beneficiaries under other laws.
func (o *outcome) shift(rows map[row]*budgetv1.AccountLine) {
	for _, c := range o.standing {
		for _, s := range c.shares {
			if o.purse.use(c, s, o.pool) != pooledUse {
				continue
			}
			from := rows[o.purse.lines[s.line].row()]
			from.ShiftedOutCents = plus(from.ShiftedOutCents, s.cents)
			parts := divide(s.cents, o.purse.values(c.receivers))
			for n, i := range c.receivers {
				to := rows[o.purse.lines[i].row()]
				to.ShiftedInCents = plus(to.ShiftedInCents, parts[n])
			}
		}
	}
}

func (p *purse) values(lines []int) []int64 {
	values := make([]int64, len(lines))
	for n, i := range lines {
		values[n] = p.lines[i].value()
	}
	return values
}
