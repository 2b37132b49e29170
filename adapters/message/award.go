package message

import (
	"encoding/xml"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/money"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
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
	BSN   identity.BSN
	Party string
	// Ours tells whether a funder code is the party's.
	Ours func(code string) bool
	// Product gives what a Wlz award is for, and the further records it rests on;
	// nil where no Wlz awards are to be expected.
	Product func(start civil.Date) (*budgetv1.Product, *budgetv1.Decision, []adapters.Record)
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
		return adapters.BadData(f.Path, "an award message")
	}
	law, known := map[string]string{"wmo": "WMO", "jw": "JW", "wlz": "WLZ"}[strings.ToLower(strings.TrimSpace(m.Wet))]
	switch {
	case m.Bsn != r.BSN.Reveal():
		return adapters.BadData(f.Path+"/Bsn", "the person who was asked about")
	case !r.Ours(m.Verstrekker):
		return adapters.BadData(f.Path+"/Verstrekker", "a code of the party that answers")
	case !known:
		return adapters.BadData(f.Path+"/Wet", "Wmo, Jw or Wlz")
	case len(m.Functies) == 0:
		return adapters.BadData(f.Path+"/Functiebudgetten", "at least one")
	}
	for i, funds := range m.Functies {
		pointer := "/Functiebudgetten/" + strconv.Itoa(i)
		if err := r.funds(f, m, law, funds, pointer, out); err != nil {
			return err
		}
	}
	return nil
}

func (r Reader) funds(f Found, m AwardMessage, law string, funds Funds, pointer string, out *adapters.Writer) error {
	period, amount, err := funds.read(f.Path + pointer)
	if err != nil {
		return err
	}
	if amount == nil && funds.hasMoney() {
		out.Skipped(adapters.SkippedAmount, law, pointer+"/Bedrag")
	}
	line := &budgetv1.BudgetLine{
		Law: law, Funder: r.Party, Kind: "ENTITLEMENT", DeliveryForm: "PGB", Fungibility: "POOLABLE",
		Period: period, Amount: amount,
	}
	records := []adapters.Record{{
		Native: f.Native, Type: adapters.RecordAward, ID: m.Budgetidentificatie, Pointer: pointer,
	}}
	var known bool
	if line.Product, known = product(law, funds.Zorgfunctie); law == "WLZ" && r.Product != nil {
		start, _ := civil.Parse(period.GetStart()) // read has parsed it
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
		out.Notice(adapters.NoticeUnknownCode, law, pointer+"/Zorgfunctie")
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
func (f Funds) read(path string) (*budgetv1.Period, *budgetv1.Amount, error) {
	period, err := Dates(f.Begindatum, f.Einddatum, path, "/Begindatum", "/Einddatum")
	if err != nil {
		return nil, nil, err
	}
	text, at := f.Bedrag, "/Bedrag"
	cut := f.Bedrag == "" && f.BedragOorspronkelijk != "" && f.OorspronkelijkeEinddatum != ""
	if cut {
		text, at = f.BedragOorspronkelijk, "/BedragOorspronkelijk"
		if _, err := civil.Parse(f.OorspronkelijkeEinddatum); err != nil {
			return nil, nil, adapters.BadData(path+"/OorspronkelijkeEinddatum", "a civil date")
		}
		period.OriginalEnd = proto.String(f.OorspronkelijkeEinddatum)
	}
	if text == "" || period.End == nil && period.OriginalEnd == nil {
		return period, nil, nil
	}
	cents, err := money.Cents(strings.TrimSpace(text))
	if err != nil {
		return nil, nil, adapters.BadData(path+at, "a whole number of cents")
	}
	return period, &budgetv1.Amount{Cents: cents, Basis: "PERIOD_TOTAL"}, nil
}

// Dates reads a start and an end that may be absent.
func Dates(from, to, path, fromAt, toAt string) (*budgetv1.Period, error) {
	start, err := civil.Parse(from)
	if err != nil {
		return nil, adapters.BadData(path+fromAt, "a civil date")
	}
	period := &budgetv1.Period{Start: start.String()}
	if civil.IsOpen(to) {
		return period, nil
	}
	end, err := civil.Parse(to)
	if err != nil || end < start {
		return nil, adapters.BadData(path+toAt, "a civil date, not before the start")
	}
	period.End = proto.String(end.String())
	return period, nil
}
