package uwv

import (
	"cmp"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/message"
	"github.com/ontschot/ontschot/adapters/money"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Elements of SuwiML. Dates are yyyymmdd, amounts cents.
type (
	person struct {
		Burgerservicenr string      `xml:"Burgerservicenr"`
		Relations       []relation  `xml:"Uitkeringsverhouding"`
		Provisions      []provision `xml:"Voorziening"`
	}
	relation struct {
		From    string   `xml:"DatBUitkeringsverhouding"`
		To      string   `xml:"DatEUitkeringsverhouding"`
		CdSzWet string   `xml:"SzWet>CdSzWet"`
		Periods []period `xml:"Uitkeringsperiode"`
	}
	period struct {
		From    string   `xml:"DatBUitkeringsperiode"`
		To      string   `xml:"DatEUitkeringsperiode"`
		Amounts []amount `xml:"BrutoUitkeringsbedr"`
	}
	amount struct {
		Currency string `xml:"CdMunteenheid"`
		Cents    string `xml:"WaardeBedr"`
		Per      string `xml:"CdUitkeringsperiode"`
	}
	provision struct {
		Kind  string `xml:"soort"`
		From  string `xml:"DatB"`
		To    string `xml:"DatE"`
		Cents string `xml:"WaardeBedr"`
	}
)

// reader turns an answer into lines.
type reader struct {
	bsn   adapters.BSN
	party string
}

func (r reader) read(raw []byte, out *adapters.Writer) error {
	if err := message.Bounded(raw); err != nil {
		return err
	}
	clients, err := parse(raw)
	if err != nil {
		return err
	}
	for i, c := range clients {
		at := adapters.Cursor{}.Field("Antwoord/ClientSuwi").Item(i).Begin(c.native)
		if c.person.Burgerservicenr != r.bsn.Reveal() {
			return at.Field("Burgerservicenr").Bad("the person who was asked about")
		}
		for j, rel := range c.person.Relations {
			b := benefit{reader: r, at: at.Field("Uitkeringsverhouding").Item(j)}
			if err := b.relation(rel, out); err != nil {
				return err
			}
		}
		for j, p := range c.person.Provisions {
			if err := r.provision(p, at.Field("Voorziening").Item(j), out); err != nil {
				return err
			}
		}
	}
	return nil
}

// benefit is one benefit while it is read.
type benefit struct {
	reader
	at        adapters.Cursor
	law, code string
}

// relation gives a line for each gross amount, and one without money where no
// amount is known.
func (b benefit) relation(rel relation, out *adapters.Writer) error {
	b.code = rel.CdSzWet
	b.law = lawOf(rel.CdSzWet)
	if b.law == "" {
		// A benefit of an act that is never asked for. Without a law there is no
		// line, and to coerce it into a law would be wrong.
		out.Notice(adapters.NoticeUnknownCode, "", b.at.Field("SzWet/CdSzWet").Pointer)
		out.Skipped(adapters.SkippedOtherLaw, "", b.at.Pointer)
		return nil
	}
	if len(rel.Periods) == 0 {
		return b.line(days(rel.From, rel.To), nil, b.at, out)
	}
	for i, p := range rel.Periods {
		at := b.at.Field("Uitkeringsperiode").Item(i)
		if len(p.Amounts) == 0 {
			if err := b.line(days(p.From, cmp.Or(p.To, rel.To)), nil, at, out); err != nil {
				return err
			}
		}
		for j, a := range p.Amounts {
			end := cmp.Or(p.To, rel.To) // the benefit ended, and its last period with it
			if basis, _ := basisOf(a.Per); basis == "ONE_OFF" {
				end = cmp.Or(p.To, p.From) // paid on its day and not again
			}
			if err := b.line(days(p.From, end), &a, at.Field("BrutoUitkeringsbedr").Item(j), out); err != nil {
				return err
			}
		}
	}
	return nil
}

// lawOf gives the law of UWV's code; empty for one we do not ask about.
func lawOf(code string) string {
	for law, known := range codes() {
		if known == code {
			return law
		}
	}
	return ""
}

func (b benefit) line(d adapters.Dates, a *amount, at adapters.Cursor, out *adapters.Writer) error {
	period, err := d.Period(at)
	if err != nil {
		return err
	}
	label, _ := codelist.Label(codelist.Benefit, b.code)
	line := &budgetv1.BudgetLine{
		Law: b.law, Funder: b.party, Kind: "BENEFIT", DeliveryForm: "CASH", Fungibility: "INCOME",
		Product: &budgetv1.Product{System: string(codelist.Benefit), Code: b.code, Label: label},
		Period:  period,
	}
	if a != nil {
		if line.Income, err = a.income(b.law, at, out); err != nil {
			return err
		}
	}
	out.Line(line, at.Record("suwi", ""))
	return nil
}

func (a amount) income(law string, at adapters.Cursor, out *adapters.Writer) (*budgetv1.Amount, error) {
	if a.Currency != "EUR" {
		return nil, at.Field("CdMunteenheid").Bad("EUR")
	}
	cents, err := money.Cents(strings.TrimSpace(a.Cents))
	if err != nil {
		return nil, at.Field("WaardeBedr").Bad("a whole number of cents")
	}
	basis, known := basisOf(a.Per)
	if !known { // the benefit stands; money over an unknown span of time does not
		out.Notice(adapters.NoticeUnknownCode, law, at.Field("CdUitkeringsperiode").Pointer)
		return nil, nil
	}
	return &budgetv1.Amount{Cents: cents, Basis: basis, Gross: true}, nil
}

// basisOf reads CdUitkeringsperiode. UWV's other list of periods, CdPeriode, gives
// the same codes other meanings and may never be read with this one.
func basisOf(code string) (basis string, known bool) {
	basis, known = map[string]string{
		"1": "PER_DAY", "2": "PER_WEEK", "3": "PER_2_WEEKS", "4": "PER_4_WEEKS",
		"6": "PER_MONTH", "7": "PER_QUARTER", "8": "PER_YEAR", "9": "ONE_OFF",
	}[strings.TrimLeft(code, "0")]
	return basis, known
}

// days are two dates of SuwiML. The last can be of another element than the first, so an
// error names the element as a whole.
func days(from, to string) adapters.Dates {
	return adapters.Dates{From: from, To: to, Form: adapters.DateCompact}
}

// provision is money for one purpose: a total from its first to its last day.
func (r reader) provision(p provision, at adapters.Cursor, out *adapters.Writer) error {
	period, err := days(p.From, p.To).Period(at)
	if err != nil {
		return err
	}
	code := strings.ToUpper(strings.TrimSpace(p.Kind))
	label, known := codelist.Label(codelist.Provision, code)
	if !known {
		out.Notice(adapters.NoticeUnknownCode, "UWV_PROVISION", at.Field("soort").Pointer)
	}
	line := &budgetv1.BudgetLine{
		Law: "UWV_PROVISION", Funder: r.party, Kind: "PROVISION", DeliveryForm: "REIMBURSEMENT", Fungibility: "RINGFENCED",
		Product: &budgetv1.Product{System: string(codelist.Provision), Code: code, Label: label},
		Period:  period,
	}
	switch {
	case p.Cents == "":
	case period.End == nil: // a total without an end has no value in any window
		out.Skipped(adapters.SkippedAmount, "UWV_PROVISION", at.Field("WaardeBedr").Pointer)
	default:
		cents, err := money.Cents(strings.TrimSpace(p.Cents))
		if err != nil {
			return at.Field("WaardeBedr").Bad("a whole number of cents")
		}
		line.Amount = &budgetv1.Amount{Cents: cents, Basis: "PERIOD_TOTAL"}
	}
	out.Line(line, at.Record("suwi", ""))
	return nil
}
