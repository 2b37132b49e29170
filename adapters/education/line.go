package education

import (
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/money"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/source"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// list is where the awards stand in an answer.
const list = "toekenningen"

// Tables are the formats of record that are read here, with their members.
func Tables() []native.Table { return []native.Table{awardsTable()} }

// awardsTable lists the members of a toekenning: support over one school year, money in euros.
func awardsTable() native.Table {
	return native.Table{
		Format: "education",
		Read:   []string{"swv", "brin", "onderwijsnummer", "soort", "nummer", "schooljaar", "bedrag", "ontvanger"},
	}
}

// reader turns an answer into lines.
type reader struct {
	pupil   adapters.Number
	party   string
	ours    func(code string) bool
	numbers money.Style
}

func (r reader) read(found source.List, out *adapters.Writer) error {
	found.Notice(out)
	return native.Reader{
		Table: awardsTable(), Law: func(native.Node) string { return "EDU" }, Days: r.days,
		Read: func(n native.Node) error { return r.award(n, out) },
	}.All(found.Records, out)
}

func (r reader) days(n native.Node) []adapters.Days {
	if n.Text("onderwijsnummer") != r.pupil.Reveal() {
		return nil
	}
	days, _ := schoolYear(n)
	return []adapters.Days{days}
}

func (r reader) award(n native.Node, out *adapters.Writer) error {
	line, err := r.line(n, out)
	if err != nil {
		return err
	}
	if line.GetProduct().GetLabel() == codelist.Unknown {
		out.Notice(adapters.NoticeUnknownCode, "EDU", n.At().Field("soort").Path)
	}
	if line.GetProvider() == "" && n.Text("ontvanger") != "" {
		out.Notice(adapters.NoticeUnknownCode, "EDU", n.At().Field("ontvanger").Path)
	}
	out.Line(line, n.At().Record("education", n.Text("nummer")))
	return nil
}

func (r reader) line(n native.Node, out *adapters.Writer) (*budgetv1.BudgetLine, error) {
	switch {
	case n.Text("onderwijsnummer") != r.pupil.Reveal():
		return nil, n.Bad("onderwijsnummer", "the pupil who was asked about")
	case !r.ours(n.Text("swv")):
		return nil, n.Bad("swv", "a code of the party that answers")
	}
	days, err := schoolYear(n)
	if err != nil {
		return nil, err
	}
	code := product(n.Text("soort"))
	label, _ := codelist.Label(codelist.Support, code)
	line := &budgetv1.BudgetLine{
		Law: "EDU", Funder: r.party, Kind: "PROVISION", DeliveryForm: "SUBSIDY", Fungibility: "RINGFENCED",
		Product:  &budgetv1.Product{System: string(codelist.Support), Code: code, Label: label},
		Decision: &budgetv1.Decision{Number: n.Text("nummer")},
		Provider: receiver(n),
	}
	if bedrag := n.Number("bedrag"); bedrag.String() != "" { // a toelaatbaarheidsverklaring often has no money of its own
		cents, err := r.numbers.Euros(bedrag)
		if err != nil {
			return nil, n.Bad("bedrag", "an amount in euros with at most two decimals")
		}
		line.Amount = &budgetv1.Amount{Cents: cents, Basis: "PERIOD_TOTAL"}
	}
	line.Period, err = out.Period(days, line.GetAmount().GetBasis(), n.At())
	return line, err
}

// product gives the code of a kind of support; one that is not known is kept in
// capitals.
func product(kind string) string {
	code := strings.ToUpper(strings.TrimSpace(kind))
	if short, ok := map[string]string{"ARRANGEMENT": "ARR", "TOELAATBAARHEIDSVERKLARING": "TLV"}[code]; ok {
		return short
	}
	return code
}

// receiver is who gets the money: the school, by its BRIN. Anything else is free text, in
// which a name can stand, and is not disclosed.
func receiver(n native.Node) string {
	if !strings.EqualFold(n.Text("ontvanger"), "school") {
		return ""
	}
	if brin := n.Text("brin"); isBRIN(brin) {
		return brin
	}
	return "school"
}

// isBRIN reports whether a text is a BRIN: two digits and two letters, and perhaps the
// two digits of a branch.
func isBRIN(code string) bool {
	is := func(from, to int, low, high byte) bool {
		for i := from; i < to; i++ {
			if code[i] < low || code[i] > high {
				return false
			}
		}
		return true
	}
	return (len(code) == 4 || len(code) == 6) && is(0, 2, '0', '9') && is(2, 4, 'A', 'Z') && is(4, len(code), '0', '9')
}

// schoolYear reads "2024-2025": 1 August 2024 to 31 July 2025, both inclusive (WPO
// article 1 has the school year so).
func schoolYear(n native.Node) (adapters.Days, error) {
	from, to, _ := strings.Cut(n.Text("schooljaar"), "-")
	days, err := adapters.Dates{From: from + "-08-01", To: to + "-07-31"}.Read(adapters.Cursor{})
	if err != nil || days.To != days.From.AddMonths(12)-1 {
		return adapters.Days{}, n.Bad("schooljaar", "a school year, as in 2024-2025")
	}
	return days, nil
}
