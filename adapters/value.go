package adapters

import (
	"math/big"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// agree reports whether two lines of the same days name the same money. Money that cannot
// be compared contradicts nothing.
func agree(a, b *budgetv1.BudgetLine) bool {
	if a.GetAmount().GetBasis() == b.GetAmount().GetBasis() {
		return a.GetAmount().GetCents() == b.GetAmount().GetCents()
	}
	return comeTo(a, []*budgetv1.BudgetLine{b})
}

// comeTo reports whether the money of a line is that of others of the same days together,
// as far as it can be compared.
func comeTo(l *budgetv1.BudgetLine, others []*budgetv1.BudgetLine) bool {
	s, err := span(l.GetPeriod())
	if err != nil || s.To == 0 {
		return true
	}
	sum := new(big.Int)
	for _, o := range others {
		x := over(o.GetAmount(), s)
		if x == nil {
			return true
		}
		sum.Add(sum, x)
	}
	x := over(l.GetAmount(), s)
	return x == nil || x.Cmp(sum) == 0
}

// over gives what an amount comes to over a whole closed period, in whole cents
// rounded half up; nil for a basis that has no length.
func over(a *budgetv1.Amount, s civil.Span) *big.Int {
	var share *big.Rat
	switch a.GetBasis() {
	case "PERIOD_TOTAL", "ONE_OFF":
		share = big.NewRat(1, 1)
	case "PER_YEAR":
		share = years(s)
	case "PER_QUARTER":
		share = new(big.Rat).Quo(months(s), big.NewRat(3, 1))
	case "PER_MONTH":
		share = months(s)
	default:
		days, ok := map[string]int64{
			"PER_DAY": 1, "PER_WEEK": 7, "PER_2_WEEKS": 14, "PER_4_WEEKS": 28, "PER_13_WEEKS": 91, "PER_52_WEEKS": 364,
		}[a.GetBasis()]
		if !ok {
			return nil
		}
		share = big.NewRat(int64(s.Days()), days)
	}
	exact := share.Mul(share, new(big.Rat).SetInt64(a.GetCents()))
	exact.Add(exact, big.NewRat(1, 2))
	return new(big.Int).Quo(exact.Num(), exact.Denom()) // not negative, so this rounds down
}

// years counts calendar years, each day as a part of its own year.
func years(s civil.Span) *big.Rat {
	sum := new(big.Rat)
	for y := s.From.Year(); y <= s.To.Year(); y++ {
		year := civil.Span{From: civil.New(y, 1, 1), To: civil.New(y, 12, 31)}
		if part, ok := year.Overlap(s); ok {
			sum.Add(sum, big.NewRat(int64(part.Days()), int64(year.Days())))
		}
	}
	return sum
}

// months counts whole months, and days as parts of their own month.
func months(s civil.Span) *big.Rat {
	sum := new(big.Rat)
	for first := civil.New(s.From.Year(), s.From.Month(), 1); first <= s.To; first = first.AddMonths(1) {
		month := civil.Span{From: first, To: first.EndOfMonth()}
		if part, ok := month.Overlap(s); ok {
			sum.Add(sum, big.NewRat(int64(part.Days()), int64(month.Days())))
		}
	}
	return sum
}
