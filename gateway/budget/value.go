package budget

import (
	"math/big"
	"slices"
	"time"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Bounds in cents. The first is that of the messages (line.proto). The second
// keeps the sum over 12 persons × 16 sources × 256 lines inside an int64.
const (
	maxAmount = 100_000_000_000
	maxValue  = 100_000_000_000_000
)

const (
	periodTotal = "PERIOD_TOTAL"
	oneOff      = "ONE_OFF"
)

// term is a period that was read: a decided total runs over all of it. That it once was
// to end later changes nothing: the amount of a line that was cut short is the new one.
type term struct{ span civil.Span }

// Value is what an amount over a period comes to in a window, in whole cents:
// exact rationals, rounded half up once. A window that the period
// does not touch gives 0. ok is false when it cannot be known: no amount or
// period, dates that are none or contradict each other, an unknown basis,
// cents out of bounds, or a PERIOD_TOTAL without an end.
func Value(a *budgetv1.Amount, p *budgetv1.Period, w civil.Span) (cents int64, ok bool) {
	t, ok := readTerm(p)
	if !ok {
		return 0, false
	}
	return t.value(a, w)
}

// readTerm reads a period; ok is false when a date is none, or comes before
// the one it should follow.
func readTerm(p *budgetv1.Period) (t term, ok bool) {
	start, err := civil.Parse(p.GetStart())
	if err != nil {
		return term{}, false
	}
	end, endOK := readEnd(p.GetEnd(), p != nil && p.End != nil)
	original, originalOK := readEnd(p.GetOriginalEnd(), p != nil && p.OriginalEnd != nil)
	t = term{civil.Span{From: start, To: end}}
	inOrder := start <= t.span.Until() && (original == 0 || end != 0 && end <= original)
	return t, endOK && originalOK && inOrder
}

func readEnd(text string, present bool) (civil.Date, bool) {
	if !present {
		return 0, true
	}
	d, err := civil.Parse(text)
	return d, err == nil
}

func (t term) value(a *budgetv1.Amount, w civil.Span) (int64, bool) {
	known := a.GetBasis() == periodTotal || a.GetBasis() == oneOff || rate(a.GetBasis()) != nil
	if a == nil || a.GetCents() < 0 || a.GetCents() > maxAmount || !known {
		return 0, false
	}
	if a.GetDivisor() < 0 || a.GetDivisor() > 1 && rate(a.GetBasis()) == nil {
		return 0, false // a total or a one-off is decided in whole cents
	}
	if a.GetBasis() == periodTotal && t.span.To == 0 {
		return 0, false // a total over an unknown time cannot be divided
	}
	part, touches := t.span.Overlap(w)
	if !touches {
		return 0, true
	}
	var cents int64
	switch a.GetBasis() {
	case periodTotal:
		cents = t.upTo(a.GetCents(), part.To) - t.upTo(a.GetCents(), part.From-1)
	case oneOff:
		if w.Contains(t.span.From) {
			cents = a.GetCents()
		}
	default:
		times := rate(a.GetBasis())(part)
		times.Mul(times, new(big.Rat).SetInt64(a.GetCents()))
		if a.GetDivisor() > 1 {
			times.Quo(times, new(big.Rat).SetInt64(a.GetDivisor()))
		}
		cents = round(times)
	}
	return cents, cents <= maxValue
}

// upTo is what a total has come to at the end of a day. Each window is the
// difference of two of these, so that windows and successive funders that
// adjoin add up to the cent (cumulative rounding).
func (t term) upTo(total int64, d civil.Date) int64 {
	days := int64(civil.Span{From: t.span.From, To: d}.Days())
	whole := int64(civil.Span{From: t.span.From, To: t.span.To}.Days())
	return round(big.NewRat(total*days, whole)) // maxAmount over all days there are fits
}

// round rounds half up. What does not fit is far beyond maxValue.
func round(x *big.Rat) int64 {
	whole, rest := new(big.Int).QuoRem(x.Num(), x.Denom(), new(big.Int))
	if !whole.IsInt64() {
		return maxValue + 1
	}
	if rest.Lsh(rest, 1).Cmp(x.Denom()) >= 0 {
		return whole.Int64() + 1
	}
	return whole.Int64()
}

// rate says how often the amount of a basis falls in a span of days; nil for a
// basis that is no rate.
func rate(basis string) func(civil.Span) *big.Rat {
	switch basis {
	case "PER_YEAR":
		return years
	case "PER_QUARTER": // three months, counted as months are
		return func(s civil.Span) *big.Rat { return new(big.Rat).Mul(months(s), big.NewRat(1, 3)) }
	case "PER_MONTH":
		return months
	}
	bases := [...]string{"PER_DAY", "PER_WEEK", "PER_2_WEEKS", "PER_4_WEEKS", "PER_13_WEEKS", "PER_52_WEEKS"}
	days := [...]int64{1, 7, 14, 28, 91, 364}
	i := slices.Index(bases[:], basis)
	if i < 0 {
		return nil
	}
	return func(s civil.Span) *big.Rat { return big.NewRat(int64(s.Days()), days[i]) }
}

// years counts each calendar year's days over 365 or 366.
func years(s civil.Span) *big.Rat {
	return pieces(s, func(d civil.Date) civil.Span {
		return civil.Span{From: civil.New(d.Year(), time.January, 1), To: civil.New(d.Year(), time.December, 31)}
	})
}

// months counts whole calendar months, and days over the days in the month.
func months(s civil.Span) *big.Rat {
	return pieces(s, func(d civil.Date) civil.Span {
		return civil.Span{From: d - civil.Date(d.Day()-1), To: d.EndOfMonth()}
	})
}

// pieces cuts a span where the calendar does and adds up the shares.
func pieces(s civil.Span, around func(civil.Date) civil.Span) *big.Rat {
	sum, whole := new(big.Rat), int64(0)
	for d := s.From; d <= s.To; {
		unit := around(d)
		part, _ := unit.Overlap(s)
		if part == unit {
			whole++
		} else {
			sum.Add(sum, big.NewRat(int64(part.Days()), int64(unit.Days())))
		}
		d = unit.To + 1
	}
	return sum.Add(sum, new(big.Rat).SetInt64(whole))
}
