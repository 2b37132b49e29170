package cak

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/money"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// contribution is an eigen bijdrage: cents a month, from a day until a day or until
// further notice. The key of the household goes by one of two names.
type contribution struct {
	Bsn             money.Text `json:"Bsn"`
	Wet             string     `json:"Wet"`
	BedragPerMaand  money.Text `json:"BedragPerMaand"`
	Ingangsdatum    string     `json:"Ingangsdatum"`
	Einddatum       string     `json:"Einddatum"`
	Huishouden      money.Text `json:"Huishouden"`
	Huishoudsleutel money.Text `json:"Huishoudsleutel"`
}

// mostContributions and longestKey bound what is accepted.
const (
	mostContributions = 500
	longestKey        = 256
)

// reader turns an answer into own contributions.
type reader struct{ bsn adapters.BSN }

func (r reader) read(raw []byte, out *adapters.Writer) error {
	var answer struct {
		Contributions []json.RawMessage `json:"eigenbijdragen"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return adapters.BadData("/", "JSON of the CAK")
	}
	if answer.Contributions == nil || len(answer.Contributions) > mostContributions {
		return adapters.BadData("/eigenbijdragen", "a list of at most "+strconv.Itoa(mostContributions))
	}
	for i, native := range answer.Contributions {
		at := adapters.Cursor{}.Field("eigenbijdragen").Item(i)
		var c contribution
		if err := json.Unmarshal(native, &c); err != nil {
			return at.Bad("an own contribution")
		}
		if err := r.contribution(c, at, out); err != nil {
			return err
		}
	}
	return nil
}

func (r reader) contribution(c contribution, at adapters.Cursor, out *adapters.Writer) error {
	if c.Bsn.String() != r.bsn.Reveal() {
		return at.Field("Bsn").Bad("the person who was asked about")
	}
	law, known := lawOf(c.Wet)
	if !known { // of a law that is never asked for: to coerce it into one would be wrong
		out.Notice(adapters.NoticeUnknownCode, "", at.Field("Wet").Pointer)
		out.Skipped(adapters.SkippedOtherLaw, "", at.Pointer)
		return nil
	}
	days := adapters.Dates{From: c.Ingangsdatum, To: c.Einddatum, FromAt: "Ingangsdatum", ToAt: "Einddatum"}
	period, err := days.Period(at)
	if err != nil {
		return err
	}
	household := cmp.Or(c.Huishouden.String(), c.Huishoudsleutel.String())
	if len(household) > longestKey {
		return at.Field("Huishouden").Bad("a key of at most " + strconv.Itoa(longestKey) + " bytes")
	}
	own := &budgetv1.OwnContribution{Law: law, Period: period, Household: household}
	if text := c.BedragPerMaand.String(); text != "" { // not known is not zero
		cents, err := money.Cents(text)
		if err != nil {
			return at.Field("BedragPerMaand").Bad("a whole number of cents")
		}
		own.CentsPerMonth = proto.Int64(cents)
	}
	out.OwnContribution(own, at.Record("own_contribution", ""))
	return nil
}

// lawOf gives the law of the CAK's word for it.
func lawOf(act string) (law string, known bool) {
	law, known = map[string]string{"wmo": "WMO", "wlz": "WLZ"}[strings.ToLower(strings.TrimSpace(act))]
	return law, known
}
