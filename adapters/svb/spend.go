package svb

import (
	"encoding/xml"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/message"
	"github.com/ontschot/ontschot/adapters/money"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// payment is a Besteding: what was paid out of one function of one budget, up to
// and including a day. A budget that got another number has the one it had in
// BudgetidentificatieOud; the award is found by the one it has, so that is kept.
type payment struct {
	Bsn                 string `xml:"Bsn"`
	Budgetidentificatie string `xml:"Budgetidentificatie"`
	Zorgfunctie         string `xml:"Zorgfunctie"`
	Begindatum          string `xml:"Begindatum"`
	Einddatum           string `xml:"Einddatum"` // seldom there
	Besteed             string `xml:"Besteed"`   // cents, cumulative over the award
	Peildatum           string `xml:"Peildatum"`
}

// mostPayments bounds what is accepted of one person.
const mostPayments = 500

// place is where a payment stands in the answer.
func place(i int) adapters.Cursor { return adapters.Cursor{}.Field("Bestedingen/Besteding").Item(i) }

// reader turns an answer into spendings.
type reader struct{ bsn adapters.BSN }

func (r reader) read(raw []byte, out *adapters.Writer) error {
	if err := message.Bounded(raw); err != nil {
		return err
	}
	var answer struct {
		XMLName  xml.Name
		Payments []payment `xml:"Besteding"`
	}
	if err := xml.Unmarshal(raw, &answer); err != nil || answer.XMLName.Local != "Bestedingen" {
		return adapters.BadData("/", "element Bestedingen")
	}
	if len(answer.Payments) > mostPayments {
		return adapters.BadData("/Bestedingen", "at most "+strconv.Itoa(mostPayments))
	}
	spends := make([]*budgetv1.Spend, len(answer.Payments))
	for i, p := range answer.Payments {
		var err error
		if spends[i], err = r.spend(p, place(i)); err != nil {
			return err
		}
	}
	newest, err := latest(spends)
	if err != nil {
		return err
	}
	for i, s := range spends {
		at := place(i)
		switch {
		case newest[keyOf(s)] != s && !proto.Equal(newest[keyOf(s)], s):
			out.Skipped(adapters.SkippedSuperseded, "", at.Pointer)
		case out.BeforeWindow(answer.Payments[i].Einddatum):
			out.Skipped(adapters.SkippedOutsideWindow, "", at.Pointer)
		default:
			out.Spend(s, at.Record("payments", ""))
		}
	}
	return nil
}

func (r reader) spend(p payment, at adapters.Cursor) (*budgetv1.Spend, error) {
	switch {
	case p.Bsn != r.bsn.Reveal():
		return nil, at.Field("Bsn").Bad("the person who was asked about")
	case strings.TrimSpace(p.Budgetidentificatie) == "":
		return nil, at.Field("Budgetidentificatie").Bad("the number of a budget")
	case !code(p.Zorgfunctie):
		return nil, at.Field("Zorgfunctie").Bad("the code of a function")
	}
	days := adapters.Dates{From: p.Begindatum, To: p.Einddatum, FromAt: "Begindatum", ToAt: "Einddatum"}
	if _, err := days.Span(at); err != nil {
		return nil, err
	}
	s := &budgetv1.Spend{
		Budget: strings.TrimSpace(p.Budgetidentificatie), Function: p.Zorgfunctie, Start: p.Begindatum,
	}
	if p.Besteed == "" { // not known is not zero
		return s, nil
	}
	cents, err := signed(strings.TrimSpace(p.Besteed))
	if err != nil {
		return nil, at.Field("Besteed").Bad("a whole number of cents")
	}
	if _, err := adapters.DateISO.Parse(p.Peildatum); err != nil {
		return nil, at.Field("Peildatum").Bad("a civil date")
	}
	s.Cents, s.AsOf = proto.Int64(cents), p.Peildatum
	return s, nil
}

// signed reads cents that can be below zero: more was paid back than paid out.
func signed(text string) (int64, error) {
	digits, below := strings.CutPrefix(text, "-")
	cents, err := money.Cents(digits)
	if below {
		cents = -cents
	}
	return cents, err
}

// code reports whether a text is the code of a function, and no sentence.
func code(text string) bool {
	return text != "" && len(text) <= 16 && strings.IndexFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

// key is what a figure is about.
type key struct{ budget, function, start string }

func keyOf(s *budgetv1.Spend) key { return key{s.GetBudget(), s.GetFunction(), s.GetStart()} }

// latest finds the newest figure of each function. The figures are cumulative: an
// older one is part of a newer, and adding the two would count it twice. Two
// figures of one day contradict each other, and it cannot be known which holds.
func latest(spends []*budgetv1.Spend) (map[key]*budgetv1.Spend, error) {
	newest := map[key]*budgetv1.Spend{}
	for i, s := range spends {
		other, there := newest[keyOf(s)]
		switch {
		case !there || s.GetAsOf() > other.GetAsOf(): // ISO dates are in order as texts
			newest[keyOf(s)] = s
		case s.GetAsOf() == other.GetAsOf() && !proto.Equal(s, other):
			return nil, place(i).Field("Besteed").Bad("one figure of a function for one day")
		}
	}
	return newest, nil
}
