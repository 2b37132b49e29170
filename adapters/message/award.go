package message

import (
	"encoding/xml"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/money"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// AwardMessage is a toekenningsbericht (iPgb 501): the money of a personal
// budget, from the funder to SVB. Amounts are in cents.
type AwardMessage struct {
	Verstrekker         string  `xml:"Verstrekker"`
	Bsn                 string  `xml:"Bsn"`
	Wet                 string  `xml:"Wet"`
	Budgetidentificatie string  `xml:"Budgetidentificatie"`
	Functies            []Funds `xml:"Functiebudgetten>Functiebudget"`
}

// Funds is the budget for one function.
type Funds struct {
	Zorgfunctie              string `xml:"Zorgfunctie"`
	Begindatum               string `xml:"Begindatum"`
	Einddatum                string `xml:"Einddatum"`
	Bedrag                   string `xml:"Bedrag"`
	BedragOorspronkelijk     string `xml:"BedragOorspronkelijk"`
	OorspronkelijkeEinddatum string `xml:"OorspronkelijkeEinddatum"`
}

// Reader turns messages about one person into lines of one party.
type Reader struct {
	BSN   adapters.BSN
	Party string
	// Ours reports whether a funder code is the party's.
	Ours func(code string) bool
	// Product gives what a Wlz award is for, and the further records it rests on;
	// nil where no Wlz awards are to be expected.
	Product func(start adapters.Date) (*budgetv1.Product, *budgetv1.Decision, []adapters.Record)
}

// Read writes the lines of one message.
func (r Reader) Read(f Found, out *adapters.Writer) error {
	switch f.Kind {
	case Award:
		return r.award(f, out)
	case Wmo, Jeugd:
		return r.allocation(f, out)
	}
	out.Skipped(adapters.SkippedOtherMessage, "", f.Path)
	return nil
}

func (r Reader) award(f Found, out *adapters.Writer) error {
	var m AwardMessage
	if err := xml.Unmarshal(f.Native, &m); err != nil {
		return f.Bad("an award message")
	}
	switch {
	case m.Bsn != r.BSN.Reveal():
		return f.Field("Bsn").Bad("the person who was asked about")
	case !r.Ours(m.Verstrekker):
		return f.Field("Verstrekker").Bad("a code of the party that answers")
	case m.law() == "":
		return f.Field("Wet").Bad("Wmo, Jw or Wlz")
	case len(m.Functies) == 0:
		return f.Field("Functiebudgetten").Bad("at least one")
	}
	for i, funds := range m.Functies {
		if err := r.funds(m, funds, f.Field("Functiebudgetten").Item(i), out); err != nil {
			return err
		}
	}
	return nil
}

// law is the law of the act that the message names; empty when it is another.
func (m AwardMessage) law() string {
	return map[string]string{"wmo": "WMO", "jw": "JW", "wlz": "WLZ"}[strings.ToLower(strings.TrimSpace(m.Wet))]
}

func (r Reader) funds(m AwardMessage, funds Funds, at adapters.Cursor, out *adapters.Writer) error {
	period, amount, err := funds.read(at)
	if err != nil {
		return err
	}
	law := m.law()
	if amount == nil && funds.hasMoney() {
		out.Skipped(adapters.SkippedAmount, law, at.Field("Bedrag").Pointer)
	}
	line := &budgetv1.BudgetLine{
		Law: law, Funder: r.Party, Kind: "ENTITLEMENT", DeliveryForm: "PGB", Fungibility: "POOLABLE",
		Period: period, Amount: amount,
	}
	records := []adapters.Record{at.Record(adapters.RecordAward, m.Budgetidentificatie)}
	var known bool
	if line.Product, known = product(law, funds.Zorgfunctie); law == "WLZ" && r.Product != nil {
		start, _ := adapters.DateISO.Parse(period.GetStart()) // read has parsed it
		var more []adapters.Record
		better, decision, rest := r.Product(start)
		if better != nil {
			line.Product = better
			_, known = codelist.Label(codelist.Wlz, better.GetCode())
		}
		line.Decision, more = decision, rest
		records = append(records, more...)
	}
	if line.Decision == nil {
		line.Decision = &budgetv1.Decision{}
	}
	line.Decision.Budget = m.Budgetidentificatie
	if !known {
		out.Notice(adapters.NoticeUnknownCode, law, at.Field("Zorgfunctie").Pointer)
	}
	out.Line(line, records...)
	return nil
}

// product is the function of an award as a product. The Wlz has one function for
// everything (99), which is no care profile.
func product(law, code string) (*budgetv1.Product, bool) {
	list := map[string]codelist.List{"WMO": codelist.Wmo, "JW": codelist.Jeugd, "WLZ": codelist.Function}[law]
	label, known := codelist.Label(list, code)
	return &budgetv1.Product{System: string(list), Code: code, Label: label}, known
}

func (f Funds) hasMoney() bool { return f.Bedrag != "" || f.BedragOorspronkelijk != "" }

// read gives the period and the money. A line that was cut short keeps the total
// that was decided and the end it then had; when a new amount was sent as well,
// that one holds and the old end says nothing any more.
func (f Funds) read(at adapters.Cursor) (*budgetv1.Period, *budgetv1.Amount, error) {
	days := adapters.Dates{From: f.Begindatum, To: f.Einddatum, FromAt: "Begindatum", ToAt: "Einddatum"}
	period, err := days.Period(at)
	if err != nil {
		return nil, nil, err
	}
	text, field := f.Bedrag, "Bedrag"
	cut := f.Bedrag == "" && f.BedragOorspronkelijk != "" && f.OorspronkelijkeEinddatum != ""
	if cut {
		text, field = f.BedragOorspronkelijk, "BedragOorspronkelijk"
		if _, err := adapters.DateISO.Parse(f.OorspronkelijkeEinddatum); err != nil {
			return nil, nil, at.Field("OorspronkelijkeEinddatum").Bad("a civil date")
		}
		period.OriginalEnd = proto.String(f.OorspronkelijkeEinddatum)
	}
	if text == "" || period.End == nil && period.OriginalEnd == nil {
		return period, nil, nil
	}
	cents, err := money.Cents(strings.TrimSpace(text))
	if err != nil {
		return nil, nil, at.Field(field).Bad("a whole number of cents")
	}
	return period, &budgetv1.Amount{Cents: cents, Basis: "PERIOD_TOTAL"}, nil
}
