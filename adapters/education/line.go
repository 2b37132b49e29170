package education

import (
	"encoding/json"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/money"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// award is a toekenning: support over one school year, money in euros.
type award struct {
	Swv             money.Text `json:"swv"`
	Brin            money.Text `json:"brin"`
	Onderwijsnummer money.Text `json:"onderwijsnummer"`
	Soort           string     `json:"soort"`
	Nummer          money.Text `json:"nummer"`
	Schooljaar      string     `json:"schooljaar"`
	Bedrag          money.Text `json:"bedrag"`
	Ontvanger       string     `json:"ontvanger"`
}

// mostAwards bounds what is accepted of one pupil.
const mostAwards = 500

// reader turns an answer into lines.
type reader struct {
	pupil adapters.Number
	party string
	ours  func(code string) bool
}

func (r reader) read(raw []byte, out *adapters.Writer) error {
	var answer struct {
		Awards []json.RawMessage `json:"toekenningen"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return adapters.BadData("/", "JSON of the partnership")
	}
	if answer.Awards == nil || len(answer.Awards) > mostAwards {
		return adapters.BadData("/toekenningen", "a list of at most "+strconv.Itoa(mostAwards))
	}
	for i, native := range answer.Awards {
		at := adapters.Cursor{}.Field("toekenningen").Item(i).Begin(native)
		var a award
		if err := json.Unmarshal(native, &a); err != nil {
			return at.Bad("an award")
		}
		line, err := r.line(a, at)
		if err != nil {
			return err
		}
		if line.GetProduct().GetLabel() == codelist.Unknown {
			out.Notice(adapters.NoticeUnknownCode, "EDU", at.Field("soort").Path)
		}
		if line.GetProvider() == "" && strings.TrimSpace(a.Ontvanger) != "" {
			out.Notice(adapters.NoticeUnknownCode, "EDU", at.Field("ontvanger").Path)
		}
		out.Line(line, at.Record("education", a.Nummer.String()))
	}
	return nil
}

func (r reader) line(a award, at adapters.Cursor) (*budgetv1.BudgetLine, error) {
	switch {
	case a.Onderwijsnummer.String() != r.pupil.Reveal():
		return nil, at.Field("onderwijsnummer").Bad("the pupil who was asked about")
	case !r.ours(a.Swv.String()):
		return nil, at.Field("swv").Bad("a code of the party that answers")
	}
	period, ok := schoolYear(strings.TrimSpace(a.Schooljaar))
	if !ok {
		return nil, at.Field("schooljaar").Bad("a school year, as in 2024-2025")
	}
	code := product(a.Soort)
	label, _ := codelist.Label(codelist.Support, code)
	line := &budgetv1.BudgetLine{
		Law: "EDU", Funder: r.party, Kind: "PROVISION", DeliveryForm: "SUBSIDY", Fungibility: "RINGFENCED",
		Product:  &budgetv1.Product{System: string(codelist.Support), Code: code, Label: label},
		Period:   period,
		Decision: &budgetv1.Decision{Number: a.Nummer.String()},
		Provider: a.receiver(),
	}
	if a.Bedrag.String() == "" { // a toelaatbaarheidsverklaring often has no money of its own
		return line, nil
	}
	cents, err := money.Euros(a.Bedrag.String())
	if err != nil {
		return nil, at.Field("bedrag").Bad("an amount in euros")
	}
	line.Amount = &budgetv1.Amount{Cents: cents, Basis: "PERIOD_TOTAL"}
	return line, nil
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
func (a award) receiver() string {
	if !strings.EqualFold(strings.TrimSpace(a.Ontvanger), "school") {
		return ""
	}
	if isBRIN(a.Brin.String()) {
		return a.Brin.String()
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
func schoolYear(text string) (*budgetv1.Period, bool) {
	from, to, _ := strings.Cut(text, "-")
	first, err := adapters.DateISO.Parse(from + "-08-01")
	if err != nil {
		return nil, false
	}
	last, err := adapters.DateISO.Parse(to + "-07-31")
	if err != nil || last != first.AddMonths(12)-1 {
		return nil, false
	}
	return &budgetv1.Period{Start: first.String(), End: proto.String(last.String())}, true
}
