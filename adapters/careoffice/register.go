package careoffice

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/native"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// mediations is the table of a bemiddelingspecificatie. Percentages are not asked for: they
// say how much of a right is delivered by whom, and change no day and no cent of it.
func mediations() native.Table {
	const office = "bemiddeling/"
	return native.Table{
		Format: "iWlz bemiddelingspecificatie",
		Read: []string{
			"bemiddelingspecificatieID", "leveringsvorm", "zzpCode", "toewijzingIngangsdatum", "toewijzingEinddatum",
			"vaststellingMoment", "redenIntrekking", office + "verantwoordelijkZorgkantoor",
			office + "verantwoordelijkheidIngangsdatum", office + "verantwoordelijkheidEinddatum", office + "client/bsn",
		},
		Ignored: []string{
			"uitvoerendZorgkantoor", "percentage", "pgbPercentage", "soortToewijzing", "opname", "etmalen", "instelling",
			"instellingBestemming", office + "bemiddelingID", office + "wlzIndicatieID", office + "client/clientID",
		},
	}
}

// indications is the table of a WlzIndicatie.
func indications() native.Table {
	const profile = "geindiceerdZorgzwaartepakket[]/"
	return native.Table{
		Format: "iWlz WlzIndicatie",
		Read: []string{
			"wlzindicatieID", "bsn", "besluitnummer", "afgiftedatum", "ingangsdatum", "einddatum",
			profile + "zzpCode", profile + "ingangsdatum", profile + "einddatum",
		},
		Ignored: []string{"soortWlzindicatie", "meerzorg", profile + "financiering", profile + "voorkeurClient"},
	}
}

// register turns what the iWlz network knows of one person into lines without money: a
// mediation says how the care is delivered from day to day, an indication that there is a
// right. The writer joins them with the awards, and lays an indication under whatever it
// is the ground of.
type register struct {
	bsn   adapters.BSN
	party string
	ours  func(code string) bool // reports whether a care office is the party that answers
	out   *adapters.Writer
	// own are the days on which mediations say that the party is responsible for the care,
	// elsewhere those of another office.
	own, elsewhere []adapters.Span
}

func wlz(native.Node) string { return budgetv1.LawWLZ }

// between reads two dates of a record.
func between(n native.Node, from, to string) (adapters.Days, error) {
	return adapters.Dates{From: n.Text(from), To: n.Text(to), FromAt: from, ToAt: to}.Read(n.At())
}

// daysOf gives the days of a record about the person, as far as they can be read.
func (r *register) daysOf(bsn, from, to string) func(native.Node) []adapters.Days {
	return func(n native.Node) []adapters.Days {
		if n.Text(bsn) != r.bsn.Reveal() {
			return nil
		}
		days, _ := between(n, from, to)
		return []adapters.Days{days}
	}
}

func (r *register) readMediations(records []native.Node) error {
	return native.Reader{
		Table: mediations(), Law: wlz, Read: r.mediation,
		Days: r.daysOf("bemiddeling/client/bsn", "toewijzingIngangsdatum", "toewijzingEinddatum"),
	}.All(r.current(records), r.out)
}

func (r *register) readIndications(records []native.Node) error {
	return native.Reader{
		Table: indications(), Law: wlz, Read: r.indication, Days: r.daysOf("bsn", "ingangsdatum", "einddatum"),
	}.All(records, r.out)
}

// current leaves out what was fixed anew: of the records with one id the one that was
// fixed last counts, and a withdrawal is such a record. Those of one moment stay.
func (r *register) current(records []native.Node) (kept []native.Node) {
	fixed := func(n native.Node) time.Time {
		at, _ := time.Parse(time.RFC3339, n.Text("vaststellingMoment")) // not known is longest ago
		return at
	}
	for i, n := range records {
		id := n.Text("bemiddelingspecificatieID")
		newer := slices.IndexFunc(records, func(o native.Node) bool {
			return id != "" && o.Text("bemiddelingspecificatieID") == id && fixed(o).After(fixed(n))
		})
		again := slices.IndexFunc(records[:i], func(o native.Node) bool { return bytes.Equal(o.Raw(), n.Raw()) })
		if newer >= 0 || again >= 0 {
			r.out.Skipped(adapters.SkippedSuperseded, budgetv1.LawWLZ, n.At().Path)
			continue
		}
		kept = append(kept, n)
	}
	return kept
}

// mediation writes the line of a bemiddelingspecificatie on the days on which the party is
// responsible for it: another office may execute it.
func (r *register) mediation(n native.Node) error {
	if n.Text("bemiddeling/client/bsn") != r.bsn.Reveal() {
		return n.Bad("bemiddeling/client/bsn", "the person who was asked about")
	}
	days, err := between(n, "toewijzingIngangsdatum", "toewijzingEinddatum")
	if err != nil {
		return err
	}
	withdrawn := n.Text("redenIntrekking") != ""
	if withdrawn && days.To == 0 {
		return n.Bad("toewijzingEinddatum", "a last day, where something was withdrawn")
	}
	if days.Lapsed() || withdrawn && days.To == days.From {
		r.out.Skipped(adapters.SkippedLapsed, budgetv1.LawWLZ, n.At().Path)
		return nil
	}
	if _, err := r.out.Period(days, "", n.At()); err != nil {
		return err
	}
	responsible, mine, err := r.responsible(n, days.Span)
	if err != nil {
		return err
	}
	form := formOf(n)
	switch {
	case !mine:
		r.out.Skipped(adapters.SkippedOtherParty, budgetv1.LawWLZ, n.At().Path)
		return nil
	case form == waits: // nothing was allocated
		r.out.Skipped(adapters.SkippedNoAward, budgetv1.LawWLZ, n.At().Path)
		return nil
	}
	line := r.line(deliveryForm(form), adapters.PeriodOf(responsible))
	if line.DeliveryForm == budgetv1.FormUndecided {
		r.out.Notice(adapters.NoticeUnknownCode, budgetv1.LawWLZ, n.At().Field("leveringsvorm").Pointer)
	}
	r.product(line, n.Text("zzpCode"), n.At().Field("zzpCode"))
	r.out.Line(line, n.At().Record(adapters.RecordRegister, id(n, "bemiddelingspecificatieID")))
	return nil
}

// responsible gives the days of a mediation on which the party is responsible for it; mine
// is false when there are none. It keeps what the record says of who is responsible when.
func (r *register) responsible(n native.Node, s adapters.Span) (days adapters.Span, mine bool, err error) {
	office := n.Get("bemiddeling")
	code := office.Text("verantwoordelijkZorgkantoor")
	if code == "" || code == native.Unclear {
		return days, false, office.Bad("verantwoordelijkZorgkantoor", "a code")
	}
	period, err := between(office, "verantwoordelijkheidIngangsdatum", "verantwoordelijkheidEinddatum")
	if err != nil {
		return days, false, err
	}
	days, overlap := shared(s, period.Span)
	switch {
	case !r.ours(code):
		r.elsewhere = append(r.elsewhere, s, period.Span)
		return days, false, nil
	case formOf(n) != waits: // who waits has no care yet that an office took over
		r.own = append(r.own, period.Span)
	}
	return days, overlap, nil
}

// shared gives the days that two spans have in common, open where both are.
func shared(a, b adapters.Span) (days adapters.Span, overlap bool) {
	days, overlap = a.Overlap(b)
	if a.To == 0 && b.To == 0 {
		days.To = 0
	}
	return days, overlap
}

// parts gives, of the days of an indication, each stretch that is the party's to tell of:
// all of them while no mediation says who is responsible, else those on which the party is.
func (r *register) parts(s adapters.Span) (parts []adapters.Span) {
	if len(r.own) == 0 && len(r.elsewhere) == 0 {
		return []adapters.Span{s}
	}
	return adapters.Uncovered(s, slices.Concat(r.elsewhere, adapters.Uncovered(s, r.own)))
}

// waits is the code of COD578 of who waits in hospital.
const waits = "9"

func formOf(n native.Node) string { return strings.TrimLeft(n.Text("leveringsvorm"), "0") }

// deliveryForm is the form of a code of COD578; not known where the list has none.
func deliveryForm(code string) string {
	form, known := map[string]string{
		"2": budgetv1.FormPGB, "4": budgetv1.FormZIN, "5": budgetv1.FormVPT, "7": budgetv1.FormMPT, "8": budgetv1.FormDTV,
	}[code]
	if !known {
		return budgetv1.FormUndecided
	}
	return form
}

// indication writes a line of which it is not known how the care is delivered, for each
// stretch of its days on which the party may be responsible for the care.
func (r *register) indication(n native.Node) error {
	if n.Text("bsn") != r.bsn.Reveal() {
		return n.Bad("bsn", "the person who was asked about")
	}
	days, err := between(n, "ingangsdatum", "einddatum")
	if err != nil {
		return err
	}
	if days.Lapsed() {
		r.out.Skipped(adapters.SkippedLapsed, budgetv1.LawWLZ, n.At().Path)
		return nil
	}
	if _, err := r.out.Period(days, "", n.At()); err != nil {
		return err
	}
	parts := r.parts(days.Span)
	if len(parts) == 0 {
		r.out.Skipped(adapters.SkippedOtherParty, budgetv1.LawWLZ, n.At().Path)
	}
	for _, part := range parts {
		r.undecided(n, part)
	}
	return nil
}

func (r *register) undecided(n native.Node, days adapters.Span) {
	line := r.line(budgetv1.FormUndecided, adapters.PeriodOf(days))
	if number := n.Text("besluitnummer"); number != "" {
		issued, _ := adapters.DateISO.Day(n.Text("afgiftedatum")) // a day that cannot be read is not told
		line.Decision = &budgetv1.Decision{Number: number, Issued: issued.String()}
	}
	for _, p := range n.All("geindiceerdZorgzwaartepakket") {
		if of, err := between(p, "ingangsdatum", "einddatum"); err == nil && of.Contains(days.From) {
			r.product(line, p.Text("zzpCode"), p.At().Field("zzpCode"))
		}
	}
	r.out.Line(line, n.At().Record(adapters.RecordRegister, id(n, "wlzindicatieID")))
}

// line is a Wlz right without money.
func (r *register) line(form string, period *budgetv1.Period) *budgetv1.BudgetLine {
	kind := budgetv1.MoneyInKind
	if form == budgetv1.FormPGB {
		kind = budgetv1.MoneyPoolable
	}
	return &budgetv1.BudgetLine{
		Law: budgetv1.LawWLZ, Funder: r.party, Kind: "ENTITLEMENT", DeliveryForm: form, Fungibility: kind, Period: period,
		Product: &budgetv1.Product{System: budgetv1.ListWlzFunctions, Code: budgetv1.CodeWlzCare, Label: budgetv1.LabelWlzCare},
	}
}

// product puts the care profile on a line, where it was asked for.
func (r *register) product(line *budgetv1.BudgetLine, code string, at adapters.Cursor) {
	if code == "" {
		return
	}
	label, known := codelist.Label(codelist.Wlz, code)
	if !known {
		r.out.Notice(adapters.NoticeUnknownCode, budgetv1.LawWLZ, at.Pointer)
	}
	line.Product = &budgetv1.Product{System: string(codelist.Wlz), Code: code, Label: label}
}

// id is the id of a record; none when it cannot be read one way.
func id(n native.Node, name string) string {
	if text := n.Text(name); text != native.Unclear {
		return text
	}
	return ""
}
