package adapters

import (
	"cmp"
	"slices"
	"strings"
	"time"

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

// Forever is the last day that a Date can be; a Span that is open reaches it.
const Forever = civil.Forever

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

// Day reads a day as systems send it: a date; midnight without a zone; or an instant
// with one, which is the day that it is in Amsterdam.
func (f DateForm) Day(text string) (Date, error) {
	days, err := f.days(text)
	if err != nil || days.From != days.To {
		return 0, civil.ErrDate
	}
	return days.From, nil
}

// DayOrNone reads a day that moves no money, such as that of a decision, as YYYY-MM-DD.
// It is empty when there is none, and when the day of it is not known. A time of day
// without a zone, as some suppliers add one, is that of the day.
func (f DateForm) DayOrNone(text string) (string, error) {
	if f.Open(text) {
		return "", nil
	}
	days, err := f.days(text)
	if date, clock, _ := strings.Cut(text, "T"); err != nil && !strings.ContainsAny(clock, "Z+-") {
		days, err = f.days(date)
	}
	if err != nil || days.From != days.To {
		return "", err
	}
	return days.From.String(), nil
}

// days reads the days that a text may stand for: one, or as many as there are in the
// month or the year of which the day is not known (yyyymm00, yyyy0000).
func (f DateForm) days(text string) (Span, error) {
	date, clock, timed := strings.Cut(text, "T")
	switch {
	case timed && strings.Trim(clock, "0:.") != "":
		t, err := time.Parse(time.RFC3339, text)
		if err != nil || t.Year() < 1850 || t.Year() > 2298 {
			return Span{}, civil.ErrDate
		}
		return Span{From: civil.Today(t), To: civil.Today(t)}, nil
	case timed && !strings.HasPrefix(clock, "00:00"):
		return Span{}, civil.ErrDate
	}
	if d, err := f.Parse(date); err == nil {
		return Span{From: d, To: d}, nil
	}
	return f.part(date)
}

// part reads a date of which the day, or the month and the day, are zeros.
func (f DateForm) part(date string) (Span, error) {
	layout := string(cmp.Or(f, DateISO))
	if len(date) != len(layout) {
		return Span{}, civil.ErrDate
	}
	field := func(name string) (text string) {
		at := strings.Index(layout, name)
		return date[at : at+len(name)]
	}
	year, month, day := field("yyyy"), field("mm"), field("dd")
	if day != "00" {
		return Span{}, civil.ErrDate
	}
	if month == "00" {
		first, err := civil.Parse(year + "-01-01")
		return Span{From: first, To: civil.New(first.Year(), 12, 31)}, err
	}
	first, err := civil.Parse(year + "-" + month + "-01")
	return Span{From: first, To: first.EndOfMonth()}, err
}

// Dates are the first and the last day of a right, both inclusive, as a record of a
// source has them.
type Dates struct {
	From string
	// To is open when it is empty or a date that stands for none: 31 December 9999 or
	// 2999, 30 December 9999, 31 December 8888, 1 January of the year 1, zeros.
	To string
	// FromAt and ToAt are the fields of the record in which the two stand; empty when
	// an error is to name the record as a whole.
	FromAt, ToAt string
	Form         DateForm
}

// Days are the first and the last day of a right as far as a source says them. A day of
// which only the month or the year is known counts as the first or the last of it, so
// that the right is as long as it can be. The zero Days know nothing.
type Days struct {
	// Span is From and To; a zero To is open.
	Span
	fromLatest, toEarliest Date // the same as From and To when those are certain
	noFrom, noTo           bool // could not be read
	read                   bool
}

// Read reads both days. The error is bad data at the field of a day that is wrong; the
// other one may be known all the same. A last day before the first is no error: whether
// the right then lapsed or the record is odd, Lapsed leaves to the adapter.
func (d Dates) Read(at Cursor) (days Days, err error) {
	days.read = true
	form := cmp.Or(d.Form, DateISO)
	if from, wrong := form.days(d.From); wrong != nil {
		days.noFrom, err = true, at.Field(d.FromAt).Bad("a first day "+string(form))
	} else {
		days.From, days.fromLatest = from.From, from.To
	}
	if form.Open(d.To) {
		return days, err
	}
	to, wrong := form.days(d.To)
	if wrong != nil {
		days.noTo = true
		return days, cmp.Or(err, at.Field(d.ToAt).Bad("a last day "+string(form)))
	}
	days.To, days.toEarliest = to.To, to.From
	return days, err
}

// Absent reports whether a text stands for no day at all: it is empty, zeros, or the first
// day of the year 1.
func (f DateForm) Absent(text string) bool {
	day, written := f.midnight(text)
	return written && (day == "" || day == "00010101")
}

// Open reports whether a text stands for no last day: as Absent does, or a day that its
// sender means none by.
func (f DateForm) Open(text string) bool {
	day, written := f.midnight(text)
	return written && slices.Contains([]string{"", "00010101", "99991231", "99991230", "88881231", "29991231"}, day)
}

// midnight gives the digits of a day, or of midnight on it, as yyyymmdd, and of zeros none;
// written is false for any other text.
func (f DateForm) midnight(text string) (day string, written bool) {
	date, clock, _ := strings.Cut(text, "T")
	digits := strings.ReplaceAll(date, "-", "")
	switch {
	case strings.Trim(digits, "0") == "":
		return "", true
	case strings.Trim(clock, "0:.Z") != "" || len(digits) != 8:
		return "", false
	case f == DateDutch:
		return digits[4:] + digits[2:4] + digits[:2], true
	}
	return digits, true
}

// Lapsed reports whether the right ended before it began.
func (d Days) Lapsed() bool {
	return d.read && !d.noFrom && !d.noTo && d.To != 0 && d.To < d.From
}

// Whole reports whether both days are known to the day; an end that is none is.
func (d Days) Whole() bool {
	return d.read && !d.noFrom && !d.noTo && d.From == d.fromLatest && d.To == d.toEarliest
}

// certain reports whether both days are known, or what is not known of them changes no
// cent of a window: the right is in force all through it, or not at all, and is paid by a
// basis that does not depend on how long it lasts.
func (d Days) certain(window Span, basis string) bool {
	switch {
	case d.noFrom || d.noTo:
		return false
	case d.From == d.fromLatest && d.To == d.toEarliest, d.outside(window):
		return true
	case basis == "PERIOD_TOTAL" || basis == "ONE_OFF":
		return false
	}
	return (d.From == d.fromLatest || d.fromLatest <= window.From) &&
		(d.To == d.toEarliest || d.toEarliest >= window.To)
}

// outside reports whether the days show that the right lies wholly outside a span: what
// is known of them lies on one side of it, and reaches no further.
func (d Days) outside(s Span) bool {
	before := d.read && !d.noTo && d.To != 0 && d.To < s.From && (d.noFrom || d.From < s.From)
	after := d.read && !d.noFrom && d.From > s.To && (d.noTo || d.To == 0 || d.To > s.To)
	return before || after
}

// Span reads both days, which must be certain and in order.
func (d Dates) Span(at Cursor) (Span, error) {
	days, err := d.Read(at)
	switch {
	case err != nil:
		return Span{}, err
	case days.From != days.fromLatest:
		return Span{}, at.Field(d.FromAt).Bad("a whole first day")
	case days.Lapsed() || days.To != days.toEarliest:
		return Span{}, at.Field(d.ToAt).Bad("a last day " + string(cmp.Or(d.Form, DateISO)) + ", not before the first")
	}
	return days.Span, nil
}

// Period is Span as a line has it.
func (d Dates) Period(at Cursor) (*budgetv1.Period, error) {
	s, err := d.Span(at)
	if err != nil {
		return nil, err
	}
	return PeriodOf(s), nil
}

// PeriodOf is a span as a line has it.
func PeriodOf(s Span) *budgetv1.Period {
	p := &budgetv1.Period{Start: s.From.String()}
	if s.To != 0 {
		p.End = proto.String(s.To.String())
	}
	return p
}
