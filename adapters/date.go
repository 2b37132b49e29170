package adapters

import (
	"cmp"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Date is a civil date between 1850 and 2299: a day, without time of day or zone. It
// counts days, so d+1 is the day after d and < compares; the zero Date is none. String
// writes YYYY-MM-DD; Year, Month, Day, AddMonths and EndOfMonth do what they say.
type Date = civil.Date

// Span is a run of days from From to To, both inclusive; a zero To is open. Contains
// reports whether a day lies in it, Overlap gives what two spans share.
type Span = civil.Span

// DateForm is a way in which sources write a date. The zero DateForm is DateISO.
type DateForm string

// The forms.
const (
	DateISO     DateForm = "yyyy-mm-dd"
	DateCompact DateForm = "yyyymmdd"   // SuwiML
	DateDutch   DateForm = "dd-mm-yyyy" // insurers, letters
)

// Parse reads a date in this form and no other. The error does not repeat the text.
func (f DateForm) Parse(text string) (Date, error) {
	switch f {
	case "", DateISO:
		return civil.Parse(text)
	case DateCompact:
		return civil.ParseCompact(text)
	case DateDutch:
		return civil.ParseDutch(text)
	}
	return 0, civil.ErrDate
}

// Dates are the first and the last day of a right, both inclusive, as a record of a
// source has them.
type Dates struct {
	From string
	// To is open when it is empty or 31 December 9999, in any form.
	To string
	// FromAt and ToAt are the fields of the record in which the two stand; empty when
	// an error is to name the record as a whole.
	FromAt, ToAt string
	Form         DateForm
}

// Span reads both days. An error is bad data at the field of the day that is wrong; a
// last day before the first is.
func (d Dates) Span(at Cursor) (s Span, err error) {
	form := cmp.Or(d.Form, DateISO)
	if s.From, err = form.Parse(d.From); err != nil {
		return Span{}, at.Field(d.FromAt).Bad("a first day " + string(form))
	}
	if civil.IsOpen(d.To) {
		return s, nil
	}
	if s.To, err = form.Parse(d.To); err != nil || s.To < s.From {
		return Span{}, at.Field(d.ToAt).Bad("a last day " + string(form) + ", not before the first")
	}
	return s, nil
}

// Period is Span as a line has it.
func (d Dates) Period(at Cursor) (*budgetv1.Period, error) {
	s, err := d.Span(at)
	if err != nil {
		return nil, err
	}
	p := &budgetv1.Period{Start: s.From.String()}
	if s.To != 0 {
		p.End = proto.String(s.To.String())
	}
	return p, nil
}
