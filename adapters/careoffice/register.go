package careoffice

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/money"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// entry is one record of a register, with the days on which it is in force.
type entry struct {
	at      adapters.Cursor
	span    adapters.Span
	id      string // of an indication
	product string // care profile of a mediation
	form    string // leveringsvorm (COD578) of a mediation
	number  string // besluitnummer of an indication
	issued  string
	used    bool // an award rests on it
}

// register holds what the iWlz network knows of one person.
type register struct {
	bsn         string
	ours        func(code string) bool
	mediations  []entry
	indications []entry
}

func (r *register) readMediations(records []json.RawMessage) error {
	for i, raw := range records {
		var m struct {
			Bsn         money.Text `json:"bsn"`
			Form        money.Text `json:"leveringsvorm"`
			Product     money.Text `json:"zzpCode"`
			From        money.Text `json:"toewijzingIngangsdatum"`
			To          money.Text `json:"toewijzingEinddatum"`
			Zorgkantoor money.Text `json:"uitvoerendZorgkantoor"`
		}
		at := adapters.Cursor{}.Field("bemiddelingspecificatie").Item(i).Begin(raw)
		if err := json.Unmarshal(raw, &m); err != nil {
			return at.Bad("a record of the register")
		}
		if code := m.Zorgkantoor.String(); code != "" && !r.ours(code) {
			return at.Field("uitvoerendZorgkantoor").Bad("a code of the party that answers")
		}
		span, err := r.days(at, m.Bsn, adapters.Dates{
			From: m.From.String(), To: m.To.String(), FromAt: "toewijzingIngangsdatum", ToAt: "toewijzingEinddatum",
		})
		if err != nil {
			return err
		}
		r.mediations = append(r.mediations, entry{
			at: at, span: span, product: m.Product.String(), form: m.Form.String(),
		})
	}
	return nil
}

func (r *register) readIndications(records []json.RawMessage) error {
	for i, raw := range records {
		var m struct {
			ID     money.Text `json:"wlzindicatieID"`
			Bsn    money.Text `json:"bsn"`
			Number money.Text `json:"besluitnummer"`
			Issued money.Text `json:"afgiftedatum"`
			From   money.Text `json:"ingangsdatum"`
			To     money.Text `json:"einddatum"`
		}
		at := adapters.Cursor{}.Field("wlzIndicatie").Item(i).Begin(raw)
		if err := json.Unmarshal(raw, &m); err != nil {
			return at.Bad("a record of the register")
		}
		span, err := r.days(at, m.Bsn, adapters.Dates{
			From: m.From.String(), To: m.To.String(), FromAt: "ingangsdatum", ToAt: "einddatum",
		})
		if err != nil {
			return err
		}
		r.indications = append(r.indications, entry{
			at: at, span: span, id: m.ID.String(), number: m.Number.String(), issued: m.Issued.String(),
		})
	}
	return nil
}

// days checks whose record it is and reads when it is in force.
func (r *register) days(at adapters.Cursor, bsn money.Text, d adapters.Dates) (adapters.Span, error) {
	if bsn.String() != r.bsn {
		return adapters.Span{}, at.Field("bsn").Bad("the person who was asked about")
	}
	return d.Span(at)
}

// personalBudget is the delivery form of a mediation for a personal budget (COD578).
const personalBudget = "2"

// product gives what an award that starts on a day is for: the care profile of
// the mediation in force then, and the indication beneath it. Without a mediation
// the award's own function stays.
func (r *register) product(start adapters.Date) (*budgetv1.Product, *budgetv1.Decision, []adapters.Record) {
	var product *budgetv1.Product
	var decision *budgetv1.Decision
	var records []adapters.Record
	if m := inForce(r.mediations, start); m != nil {
		records = append(records, m.record())
		if m.product != "" {
			label, _ := codelist.Label(codelist.Wlz, m.product)
			product = &budgetv1.Product{System: string(codelist.Wlz), Code: m.product, Label: label}
		}
	}
	if i := inForce(r.indications, start); i != nil {
		records = append(records, i.record())
		decision = &budgetv1.Decision{Number: i.number, Issued: i.issued}
	}
	return product, decision, records
}

func (e *entry) record() adapters.Record {
	e.used = true
	return e.at.Record("iwlz", e.id)
}

// inForce chooses among several: one for a personal budget first, then the
// latest, then by code, so that the order of an answer does not matter.
func inForce(entries []entry, day adapters.Date) *entry {
	var best *entry
	for i := range entries {
		e := &entries[i]
		if e.span.Contains(day) && (best == nil || before(e, best)) {
			best = e
		}
	}
	return best
}

func before(a, b *entry) bool {
	return cmp.Or(
		cmp.Compare(rank(a), rank(b)), cmp.Compare(b.span.From, a.span.From),
		cmp.Compare(a.product, b.product), cmp.Compare(a.id, b.id),
	) < 0
}

func rank(e *entry) int {
	if e.form == personalBudget {
		return 0
	}
	return 1
}

// rest accounts for the records that no award rests on: a right without money of
// ours gives no line.
func (r *register) rest(out *adapters.Writer) {
	for _, e := range slices.Concat(r.mediations, r.indications) {
		if !e.used {
			out.Skipped(adapters.SkippedNoAward, "WLZ", e.at.Path)
		}
	}
}
