package mapping

import (
	"math/big"
	"slices"
	"strconv"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/money"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// filling works out the fields of a line, up to the first that is wrong.
type filling struct {
	scope
	err error
}

func (f *filling) text(x *expression) string {
	if f.err != nil {
		return ""
	}
	text, err := x.text(f.scope)
	f.err = err
	return text
}

func (f *filling) word(x *expression, list []string) string {
	text := f.text(x)
	if f.err == nil && !slices.Contains(list, text) {
		f.err = f.where(x).Bad("a word of the closed list of this field")
	}
	return text
}

func (f *filling) number(x *expression) *big.Rat {
	if f.err != nil {
		return nil
	}
	n, err := x.number(f.scope)
	if f.err = err; err != nil {
		return nil
	}
	return n.number
}

func (f *filling) decision(l *lineFields, form adapters.DateForm) *budgetv1.Decision {
	d := &budgetv1.Decision{Number: f.text(l.number), Budget: f.text(l.budget)}
	issued := f.text(l.issued)
	if f.err != nil || issued == "" {
		return d
	}
	if !l.issued.out.IsExactType(recordType()) {
		form = adapters.DateISO
	}
	day, err := form.DayOrNone(issued)
	if err != nil {
		f.err = f.where(l.issued).Bad("a day " + string(form))
	}
	d.Issued = day
	return d
}

// quantity is nil when the volume is not known.
func (f *filling) quantity(l *lineFields) *budgetv1.Quantity {
	n := f.number(l.volume)
	if n == nil {
		return nil
	}
	text, err := money.Point.Volume(money.Number{Text: decimal(n)})
	if err != nil {
		f.err = f.where(l.volume).Bad("a number with at most four decimals")
		return nil
	}
	return &budgetv1.Quantity{
		Volume: text, Unit: codelist.Code(codelist.Unit, f.text(l.unit)), Frequency: codelist.Code(codelist.Frequency, f.text(l.frequency)),
	}
}

// decimal writes a number with a point, with as many decimals as it takes up to eight.
func decimal(n *big.Rat) string {
	if n.IsInt() {
		return n.Num().String()
	}
	text := n.FloatString(8)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	return text
}

// mostParts bounds a fraction of a cent: four decimals of a volume and two of a euro.
const mostParts = 1_000_000

// sum is nil when the money is not known, which is not zero. What is no whole number of
// cents is given as a fraction, so that it is rounded once, where it is valued.
func (f *filling) sum(s sum) *budgetv1.Amount {
	n := f.number(s.cents)
	if n == nil {
		return nil
	}
	if outside(n) || !n.Denom().IsInt64() || n.Denom().Int64() > mostParts {
		f.err = f.where(s.cents).Bad("an amount within bounds, in parts of a cent of at most " + strconv.Itoa(mostParts))
		return nil
	}
	a := &budgetv1.Amount{Cents: n.Num().Int64(), Basis: f.word(s.basis, bases()), Derived: s.derived, Gross: s.gross}
	if !n.IsInt() {
		a.Divisor = n.Denom().Int64()
	}
	return a
}

func outside(n *big.Rat) bool { return n.Sign() < 0 || n.Num().Cmp(big.NewInt(money.Most)) > 0 }
