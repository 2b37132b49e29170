package insurer

import (
	"encoding/json"
	"math/big"
	"strconv"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/money"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// award is a toekenning: hours a week at a tariff in euros.
type award struct {
	Uzovi        money.Text `json:"uzovi"`
	Bsn          money.Text `json:"bsn"`
	Toekenning   money.Text `json:"toekenning"`
	Functie      money.Text `json:"functie"`
	UrenPerWeek  money.Text `json:"urenPerWeek"`
	Tarief       money.Text `json:"tarief"`
	Ingangsdatum string     `json:"ingangsdatum"`
	Einddatum    string     `json:"einddatum"`
}

// reader turns an answer into lines.
type reader struct {
	bsn   adapters.BSN
	party string
	ours  func(code string) bool
}

// mostAwards bounds what is accepted of one person.
const mostAwards = 500

func (r reader) read(raw []byte, out *adapters.Writer) error {
	var answer struct {
		Toekenningen []json.RawMessage `json:"toekenningen"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return adapters.BadData("/", "JSON of the insurer")
	}
	if answer.Toekenningen == nil || len(answer.Toekenningen) > mostAwards {
		return adapters.BadData("/toekenningen", "a list of at most "+strconv.Itoa(mostAwards))
	}
	for i, native := range answer.Toekenningen {
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
			out.Notice(adapters.NoticeUnknownCode, "ZVW", at.Field("functie").Path)
		}
		out.Line(line, at.Record("zvw", a.Toekenning.String()))
	}
	return nil
}

func (r reader) line(a award, at adapters.Cursor) (*budgetv1.BudgetLine, error) {
	switch {
	case a.Bsn.String() != r.bsn.Reveal():
		return nil, at.Field("bsn").Bad("the person who was asked about")
	case !r.ours(a.Uzovi.String()):
		return nil, at.Field("uzovi").Bad("a code of the party that answers")
	}
	period, err := adapters.Dates{
		From: a.Ingangsdatum, To: a.Einddatum, FromAt: "ingangsdatum", ToAt: "einddatum", Form: adapters.DateDutch,
	}.Period(at)
	if err != nil {
		return nil, err
	}
	label, _ := codelist.Label(codelist.Nursing, a.Functie.String())
	line := &budgetv1.BudgetLine{
		Law: "ZVW", Funder: r.party, Kind: "ENTITLEMENT", DeliveryForm: "PGB", Fungibility: "POOLABLE",
		Product:  &budgetv1.Product{System: string(codelist.Nursing), Code: a.Functie.String(), Label: label},
		Period:   period,
		Decision: &budgetv1.Decision{Number: a.Toekenning.String()},
	}
	if a.UrenPerWeek.String() == "" {
		return line, nil
	}
	hours, err := money.Volume(a.UrenPerWeek.String())
	if err != nil {
		return nil, at.Field("urenPerWeek").Bad("hours with at most four decimals")
	}
	line.Quantity = &budgetv1.Quantity{Volume: hours, Unit: "04", Frequency: "2"}
	if a.Tarief.String() == "" {
		return line, nil
	}
	tariff, err := money.Decimal(a.Tarief.String())
	if err != nil {
		return nil, at.Field("tarief").Bad("an amount in euros")
	}
	exact, _ := new(big.Rat).SetString(hours) // Volume writes nothing else
	if line.Amount = weekly(exact, tariff); line.Amount == nil {
		return nil, at.Field("tarief").Bad("an amount within bounds")
	}
	return line, nil
}

// weekly gives hours times tariff, which is the award itself: an amount that is
// derived and counted. What is no whole number of cents a week is given as a
// fraction, so that it is rounded once, where it is valued (N2). nil when it is
// too large to be accepted.
func weekly(hours, tariff *big.Rat) *budgetv1.Amount {
	week := new(big.Rat).Mul(hours, tariff)
	week.Mul(week, big.NewRat(100, 1))
	if week.Num().Cmp(big.NewInt(money.Most)) > 0 || !week.Denom().IsInt64() || week.Denom().Int64() > mostParts {
		return nil
	}
	a := &budgetv1.Amount{Cents: week.Num().Int64(), Basis: "PER_WEEK", Derived: true}
	if !week.IsInt() {
		a.Divisor = week.Denom().Int64()
	}
	return a
}

// mostParts bounds the fraction: four decimals of an hour and two of a euro.
const mostParts = 1_000_000
