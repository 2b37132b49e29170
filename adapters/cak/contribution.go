package cak

import (
	"cmp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/money"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/source"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// list is where the own contributions stand in an answer.
const list = "eigenbijdragen"

// Tables are the formats of record that are read here, with their members.
func Tables() []native.Table { return []native.Table{contributionsTable()} }

// contributionsTable lists the members of an eigen bijdrage: cents a month, from a day until a
// day or until further notice. The key of the household goes by one of two names.
func contributionsTable() native.Table {
	return native.Table{
		Format: "own_contribution",
		Read:   []string{"Bsn", "Wet", "BedragPerMaand", "Ingangsdatum", "Einddatum", "Huishouden", "Huishoudsleutel"},
	}
}

// longestKey bounds the key of a household.
const longestKey = 256

// reader turns an answer into own contributions.
type reader struct{ bsn adapters.BSN }

func (r reader) read(found source.List, out *adapters.Writer) error {
	found.Notice(out)
	return native.Reader{
		Table: contributionsTable(), Days: r.days,
		Law: func(n native.Node) string {
			law, _ := lawOf(n.Word("Wet"))
			return law
		},
		Read: func(n native.Node) error { return r.contribution(n, out) },
	}.All(found.Records, out)
}

func (r reader) days(n native.Node) []adapters.Days {
	if n.Text("Bsn") != r.bsn.Reveal() {
		return nil
	}
	days, _ := daysOf(n)
	return []adapters.Days{days}
}

func daysOf(n native.Node) (adapters.Days, error) {
	return adapters.Dates{
		From: n.Text("Ingangsdatum"), To: n.Text("Einddatum"), FromAt: "Ingangsdatum", ToAt: "Einddatum",
	}.Read(n.At())
}

func (r reader) contribution(n native.Node, out *adapters.Writer) error {
	if n.Text("Bsn") != r.bsn.Reveal() {
		return n.Bad("Bsn", "the person who was asked about")
	}
	law, known := lawOf(n.Word("Wet"))
	if !known {
		if n.Word("Wet") == "" || n.Word("Wet") == native.Unclear {
			return n.Bad("Wet", "a law")
		}
		days, _ := daysOf(n)
		out.OtherLaw(n.At(), n.At().Field("Wet").Path, days)
		return nil
	}
	days, err := daysOf(n)
	if err != nil {
		return err
	}
	own := &budgetv1.OwnContribution{Law: law}
	if own.Household, err = household(n); err != nil {
		return err
	}
	if text := n.Text("BedragPerMaand"); text != "" { // not known is not zero
		cents, err := money.WholeCents(n.Number("BedragPerMaand"))
		if err != nil {
			return n.Bad("BedragPerMaand", "a whole number of cents")
		}
		own.CentsPerMonth = proto.Int64(cents)
	}
	if days.Lapsed() && own.CentsPerMonth == nil {
		out.Skipped(adapters.SkippedLapsed, law, n.At().Path)
		return nil
	}
	if own.Period, err = out.Period(days, "PER_MONTH", n.At()); err != nil {
		return err
	}
	out.OwnContribution(own, n.At().Record("own_contribution", ""))
	return nil
}

// household is the key of the household; empty when there is none.
func household(n native.Node) (string, error) {
	one, other := n.Text("Huishouden"), n.Text("Huishoudsleutel")
	if key := cmp.Or(one, other); len(key) > longestKey || one != "" && other != "" && one != other {
		return "", n.Bad("Huishouden", "one key of at most "+strconv.Itoa(longestKey)+" bytes")
	}
	return cmp.Or(one, other), nil
}

// lawOf gives the law of the CAK's word for it.
func lawOf(act string) (law string, known bool) {
	law, known = map[string]string{"wmo": "WMO", "wlz": "WLZ"}[strings.ToLower(strings.TrimSpace(act))]
	return law, known
}
