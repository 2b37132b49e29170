package message

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/money"
	"github.com/ontschot/ontschot/adapters/native"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// allocation is one product of an allocation message (WMO301, JW301): care in kind that a
// municipality assigns to a provider. It never carries a personal budget. It is known by
// its number, within a municipality and a law; sent again, the newest counts.
type allocation struct {
	law, number string
	sent        string // day and time on which it was allocated; empty when not known
	removed     bool   // to be taken as never sent
	line        *budgetv1.BudgetLine
	days        adapters.Days
	odd         error // it cannot be read: it is there, and gives no line
	record      adapters.Record
	at          adapters.Cursor
}

// allocations reads the products of a message.
func (r Reader) allocations(f Found, all []allocation, out *adapters.Writer) ([]allocation, error) {
	o := r.open(f, map[string]string{"414": "WMO", "436": "JW"}, "Header/Afzender", out)
	products := f.All("Client/ToegewezenProducten/ToegewezenProduct")
	var days []adapters.Days
	for _, p := range products {
		a := r.product(o.law, p)
		days = append(days, a.days)
		if o.unknown == nil {
			a.odd = cmp.Or(o.odd, a.odd)
			a.line.Provider = provider(f.Text("Header/Ontvanger"))
			a.record = p.At().Record(strings.ToLower(string(f.Kind)), a.number)
			all = append(all, a)
		}
	}
	if len(products) == 0 && o.unknown == nil {
		o.unknown = cmp.Or(o.odd, f.Bad("Client/ToegewezenProducten", "at least one"))
	}
	return all, out.Odd(o.unknown, o.law, days...)
}

// provider keeps an AGB code, eight digits, and nothing else that may stand there.
func provider(code string) string {
	if len(code) != 8 || strings.Trim(code, "0123456789") != "" {
		return ""
	}
	return code
}

func (r Reader) product(law string, n native.Node) allocation {
	a := allocation{law: law, number: number(n.Text("ToewijzingNummer")), sent: moment(n), at: n.At()}
	a.days, a.odd = adapters.Dates{
		From: n.Text("Ingangsdatum"), To: n.Text("Einddatum"), FromAt: "Ingangsdatum", ToAt: "Einddatum",
	}.Read(n.At())
	reason := strings.TrimLeft(n.Text("RedenWijziging"), "0")
	a.removed = reason == "13" || reason == "1" && a.days.To != 0 && a.days.To == a.days.From // 01 in release 3.0
	a.line = &budgetv1.BudgetLine{
		Law: law, Funder: r.Party, Kind: "ENTITLEMENT", DeliveryForm: "ZIN", Fungibility: "IN_KIND",
		Period: &budgetv1.Period{Start: a.days.From.String()},
	}
	if a.days.To != 0 {
		a.line.Period.End = proto.String(a.days.To.String())
	}
	if n.Get("Product").Has() { // a generic allocation has none
		list := map[string]codelist.List{"WMO": codelist.Wmo, "JW": codelist.Jeugd}[law]
		code := codelist.Code(list, n.Text("Product/Categorie"))
		label, _ := codelist.Label(list, code)
		a.line.Product = &budgetv1.Product{System: string(list), Code: code, Label: label, LocalCode: n.Text("Product/Code")}
	}
	quantity, err := Quantity(n.At().Field("Omvang"), n.Number("Omvang/Volume"), n.Text("Omvang/Eenheid"), n.Text("Omvang/Frequentie"))
	a.line.Quantity, a.odd = quantity, cmp.Or(a.odd, err)
	if a.number == "" || a.number == native.Unclear {
		a.odd = cmp.Or(a.odd, n.Bad("ToewijzingNummer", "the number of an allocation"))
	}
	return a
}

// number is a number as it is written without zeros in front: 007 is 7.
func number(text string) string {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return text
	}
	return cmp.Or(strings.TrimLeft(text, "0"), "0")
}

var clock = regexp.MustCompile(`^([01][0-9]|2[0-3])(:[0-5][0-9]){2}([.][0-9]+)?$`)

// moment is when a product was allocated, so that later ones compare as greater. A day
// without a readable time counts as its start.
func moment(n native.Node) string {
	day, err := adapters.DateISO.Day(n.Text("Toewijzingsdatum"))
	if err != nil {
		return ""
	}
	at := n.Text("Toewijzingstijd")
	if !clock.MatchString(at) {
		at = "00:00:00"
	}
	return day.String() + " " + at
}

// newest writes, of each allocation, the line of the newest message about it. Which came
// last of two with one moment, or with none, nobody can tell: what they differ in is left
// out, and it is said.
func (r Reader) newest(all []allocation, out *adapters.Writer) error {
	type key struct{ law, number string }
	byNumber := map[key][]allocation{}
	var order []key
	for _, a := range all {
		k := key{a.law, a.number}
		if a.number == "" || a.number == native.Unclear { // no other can be about it
			k.number = a.at.Path
		}
		if byNumber[k] == nil {
			order = append(order, k)
		}
		byNumber[k] = append(byNumber[k], a)
	}
	for _, k := range order {
		if err := r.counts(byNumber[k], out); err != nil {
			return err
		}
	}
	return nil
}

// counts writes what the messages about one allocation come to.
func (r Reader) counts(about []allocation, out *adapters.Writer) error {
	last := slices.MaxFunc(about, func(a, b allocation) int { return cmp.Compare(a.sent, b.sent) }).sent
	var now []allocation
	for _, a := range about {
		if a.sent == last || a.sent == "" {
			now = append(now, a)
		} else {
			out.Skipped(adapters.SkippedSuperseded, a.law, a.at.Path)
		}
	}
	removed := slices.ContainsFunc(now, func(a allocation) bool { return a.removed && a.odd == nil }) // it follows what it removes
	var lines []*budgetv1.BudgetLine
	var records []adapters.Record
	for _, a := range now {
		switch {
		case removed:
			out.Skipped(adapters.SkippedRemoved, a.law, a.at.Path)
		case a.odd != nil:
			if err := out.Odd(a.odd, a.law, a.days); err != nil {
				return err
			}
		case a.days.Lapsed():
			out.Skipped(adapters.SkippedLapsed, a.law, a.at.Path)
		default:
			if _, err := out.Period(a.days, "", a.at); err != nil {
				if err := out.Odd(err, a.law, a.days); err != nil {
					return err
				}
				continue
			}
			lines, records = append(lines, a.line), append(records, a.record)
			if p := a.line.GetProduct(); p != nil && p.GetLabel() == codelist.Unknown {
				out.Notice(adapters.NoticeUnknownCode, a.law, a.at.Field("Product/Categorie").Pointer)
			}
		}
	}
	if len(lines) > 0 {
		one, differ := adapters.Undecided(lines)
		out.Line(one, records...)
		if differ {
			out.Disputed(one)
		}
	}
	return nil
}

// Quantity reads a volume with its unit (code list WJ756) and frequency (WMO757); nil
// when there is none. An error is bad data at the volume of at.
func Quantity(at adapters.Cursor, volume money.Number, unit, frequency string) (*budgetv1.Quantity, error) {
	if volume.String() == "" {
		return nil, nil
	}
	exact, err := money.Dutch.Volume(volume)
	if err != nil {
		return nil, at.Field("volume").Bad("a number with at most four decimals")
	}
	return &budgetv1.Quantity{
		Volume: exact, Unit: codelist.Code(codelist.Unit, unit), Frequency: codelist.Code(codelist.Frequency, frequency),
	}, nil
}
