// Package civil answers: which day is it in the Netherlands, and how many days
// lie between? Dates carry no time of day and no zone; spans include both ends.
package civil

import (
	"errors"
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // Europe/Amsterdam must be known on a machine without zone files
)

// Date counts days; 1 is 1 January of the year 1. The zero value is no date.
type Date int32

// ErrDate means that a text is no civil date between 1850 and 2299.
var ErrDate = errors.New("no civil date")

const (
	iso     = "2006-01-02"
	compact = "20060102"   // SuwiML
	dutch   = "02-01-2006" // insurers
)

// Parse reads YYYY-MM-DD.
func Parse(s string) (Date, error) { return parse(iso, s) }

// ParseCompact reads yyyymmdd, as SuwiML writes dates.
func ParseCompact(s string) (Date, error) { return parse(compact, s) }

// ParseDutch reads dd-mm-yyyy.
func ParseDutch(s string) (Date, error) { return parse(dutch, s) }

func parse(layout, s string) (Date, error) {
	if len(s) != len(layout) { // time.Parse is lenient about digits in places
		return 0, ErrDate
	}
	t, err := time.Parse(layout, s)
	if err != nil || t.Year() < 1850 || t.Year() > 2299 {
		return 0, ErrDate // the text is not repeated: it may be anything
	}
	return of(t), nil
}

// MustParse is Parse for dates written in source code; it panics.
func MustParse(s string) Date {
	d, err := Parse(s)
	if err != nil {
		panic(fmt.Sprintf("civil: %q: %v", s, err))
	}
	return d
}

// New gives the date of a year, month and day; overflow is normalised as time.Date does.
func New(year int, month time.Month, day int) Date {
	return of(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// epoch is the number of days from 1 January of the year 1 to 1 January 1970, plus one.
const epoch = 719163

func of(t time.Time) Date {
	secs := t.Unix()
	days := secs / 86400
	if secs%86400 < 0 {
		days--
	}
	return Date(days + epoch)
}

// Today gives the civil date in Europe/Amsterdam at an instant.
func Today(now time.Time) Date {
	local := now.In(amsterdam())
	return New(local.Year(), local.Month(), local.Day())
}

// amsterdam reads the zone once: to read it is to read a file.
var amsterdam = sync.OnceValue(func() *time.Location {
	loc, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		panic(err) // tzdata is embedded
	}
	return loc
})

func (d Date) time() time.Time { return time.Unix((int64(d)-epoch)*86400, 0).UTC() }

// IsZero reports whether there is no date.
func (d Date) IsZero() bool { return d == 0 }

// String writes YYYY-MM-DD, or nothing for no date.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	return d.time().Format(iso)
}

// Compact writes yyyymmdd.
func (d Date) Compact() string { return d.time().Format(compact) }

// Dutch writes dd-mm-yyyy.
func (d Date) Dutch() string { return d.time().Format(dutch) }

// Year of the date.
func (d Date) Year() int { return d.time().Year() }

// Month of its year.
func (d Date) Month() time.Month { return d.time().Month() }

// Day of its month, from one.
func (d Date) Day() int { return d.time().Day() }

// Birthday is the day on which somebody born on d becomes that old. Who is born
// on 29 February has their birthday on 1 March in other years (BW 1:2 counts
// completed years).
func (d Date) Birthday(years int) Date { return New(d.Year()+years, d.Month(), d.Day()) }

// AddMonths moves by whole months and stays inside the month arrived at.
func (d Date) AddMonths(n int) Date {
	first := New(d.Year(), d.Month()+time.Month(n), 1)
	if last := first.EndOfMonth(); int(last-first)+1 < d.Day() {
		return last
	}
	return first + Date(d.Day()-1)
}

// EndOfMonth is the last day of the month of d.
func (d Date) EndOfMonth() Date { return New(d.Year(), d.Month()+1, 1) - 1 }

// Span is a run of days, both ends inclusive. A zero To is open.
type Span struct{ From, To Date }

// Forever is the last day that can be written; a Span without an end reaches it.
const Forever = Date(839692) // 2299-12-31

// Until is To, or Forever when it is open.
func (s Span) Until() Date {
	if s.To == 0 {
		return Forever
	}
	return s.To
}

// Contains reports whether the day is in the span.
func (s Span) Contains(d Date) bool { return d >= s.From && d <= s.Until() }

// Overlap is what two spans share; ok is false when that is nothing.
func (s Span) Overlap(o Span) (Span, bool) {
	both := Span{From: max(s.From, o.From), To: min(s.Until(), o.Until())}
	return both, both.From <= both.To
}

// Days counts the days of a closed span; an empty one has none.
func (s Span) Days() int { return max(0, int(s.Until()-s.From)+1) }
