package uwv

import (
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/adapters/money"
	"github.com/ontschot/ontschot/adapters/native"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// clients is the table of ClientSuwi as a whole.
func clients() native.Table {
	return native.Table{
		Format: "SuwiML ClientSuwi", Read: []string{"Burgerservicenr"},
		Ignored: []string{"Uitkeringsverhouding[]/*", "Voorziening[]/*", "Kind[]/*", "AanvraagUitkering[]/*"},
	}
}

// benefits is the table of a benefit. Dates are yyyymmdd, of which a part may be unknown;
// amounts are cents (assumed: the schema has no unit). What is paid out after taxes says
// nothing beside what is paid before them.
func benefits() native.Table {
	const period, gross = "Uitkeringsperiode[]/", "Uitkeringsperiode[]/BrutoUitkeringsbedr[]/"
	return native.Table{
		Format: "SuwiML Uitkeringsverhouding",
		Read: []string{
			"DatBUitkeringsverhouding", "DatEUitkeringsverhouding", "SzWet/CdSzWet",
			period + "DatBUitkeringsperiode", period + "DatEUitkeringsperiode",
			gross + "CdMunteenheid", gross + "CdPositiefNegatief", gross + "WaardeBedr", gross + "CdUitkeringsperiode",
			gross + "DatBBrutoUitkeringsbedr", gross + "DatEBrutoUitkeringsbedr",
		},
		Ignored: []string{period + "NettoUitkeringsbedr[]/*", period + "SpecifiekeGegevensAow/*", "SpecifiekeGegevensRemigratiewet[]/*"},
	}
}

// provisions is the table of a provision (assumed: no schema that is published has one).
func provisions() native.Table {
	return native.Table{Format: "Voorziening (assumed)", Read: []string{"soort", "DatB", "DatE", "WaardeBedr"}}
}

// reader turns an answer into lines.
type reader struct {
	bsn   adapters.BSN
	party string
	out   *adapters.Writer
}

func (r reader) read(raw []byte) error {
	c, err := client(raw, r.out)
	if err != nil || !c.Has() {
		return err
	}
	unknown, err := clients().Check(c)
	if err != nil {
		return err
	}
	if c.Text("Burgerservicenr") != r.bsn.Reveal() {
		return c.Bad("Burgerservicenr", "the person who was asked about")
	}
	for _, u := range unknown {
		r.out.Unknown("", u.Name(), c.At())
	}
	err = native.Reader{
		Table: benefits(), Read: r.benefit, Days: daysOfBenefit,
		Law: func(n native.Node) string { return lawOf(n.Text("SzWet/CdSzWet")) },
	}.All(c.Begun("Uitkeringsverhouding"), r.out)
	if err != nil {
		return err
	}
	return native.Reader{
		Table: provisions(), Read: r.provision,
		Law:  func(native.Node) string { return budgetv1.LawUWVProvision },
		Days: func(n native.Node) []adapters.Days { return known(between(n, "DatB", "DatE")) },
	}.All(c.Begun("Voorziening"), r.out)
}

// codes are UWV's codes of the laws (assumed: the list is not published); the provisions
// rest on several laws and have none.
func codes() map[string]string {
	return map[string]string{"WIA": "WIA", "WAO": "WAO", "WAJ": "WAJONG", "WW": "WW", "ZW": "ZW", "TW": "TW"}
}

// lawOf gives the law of UWV's code; empty for one that is not on our list.
func lawOf(code string) string { return codes()[code] }

// between reads two dates of a node.
func between(n native.Node, from, to string) (adapters.Days, error) {
	return adapters.Dates{From: n.Text(from), To: n.Text(to), FromAt: from, ToAt: to, Form: adapters.DateCompact}.Read(n.At())
}

// known is a list of days as far as they could be read.
func known(days adapters.Days, _ error) []adapters.Days { return []adapters.Days{days} }

func daysOfBenefit(n native.Node) []adapters.Days {
	return known(between(n, "DatBUitkeringsverhouding", "DatEUitkeringsverhouding"))
}

// benefit gives a line for each gross amount, and one without money for a period, or a
// benefit, of which no amount is known. A period or an amount that is odd costs itself.
func (r reader) benefit(n native.Node) error {
	b := benefit{reader: r, node: n, code: n.Text("SzWet/CdSzWet")}
	if b.code == "" || b.code == native.Unclear {
		return n.Bad("SzWet/CdSzWet", "a code")
	}
	if b.law = lawOf(b.code); b.law == "" {
		r.out.OtherLaw(n.At(), n.At().Field("SzWet/CdSzWet").Pointer, daysOfBenefit(n)...)
		return nil
	}
	periods := n.All("Uitkeringsperiode")
	if len(periods) == 0 {
		return b.line(n, nil)
	}
	for _, p := range periods {
		amounts := p.All("BrutoUitkeringsbedr")
		if len(amounts) == 0 {
			amounts = []native.Node{{}} // a period of which no amount is known
		}
		for _, a := range amounts {
			if err := b.line(p, &a); err != nil {
				return err
			}
		}
	}
	return nil
}

// benefit is one benefit while it is read.
type benefit struct {
	reader
	node      native.Node
	law, code string
}

// line writes one amount, or that there is a benefit without one. An error costs the line,
// not the benefit: it is given back only where the source is at fault for more.
func (b benefit) line(period native.Node, amount *native.Node) error {
	s := stretch{benefit: b.node, period: period}
	if amount != nil {
		s.amount = *amount
	}
	days, err := s.days()
	if err == nil {
		err = b.paid(s, days)
	}
	return b.out.Odd(err, b.law, days)
}

func (b benefit) paid(s stretch, days adapters.Days) error {
	income, err := b.income(s.amount)
	if err != nil {
		return err
	}
	at := s.at()
	if days.Lapsed() && income == nil {
		b.out.Skipped(adapters.SkippedLapsed, b.law, at.Pointer)
		return nil
	}
	period, err := b.out.Period(days, income.GetBasis(), at)
	if err != nil {
		return err
	}
	if income == nil && s.amount.Text("WaardeBedr") != "" { // the benefit stands, its money does not
		if err := b.out.Odd(s.amount.Bad("CdUitkeringsperiode", "a span of time over which money counts"), b.law, days); err != nil {
			return err
		}
	}
	label, _ := codelist.Label(codelist.Benefit, b.code)
	b.out.Line(&budgetv1.BudgetLine{
		Law: b.law, Funder: b.party, Kind: "BENEFIT", DeliveryForm: budgetv1.FormCash, Fungibility: budgetv1.MoneyIncome,
		Product: &budgetv1.Product{System: string(codelist.Benefit), Code: b.code, Label: label},
		Period:  period, Income: income,
	}, at.Record("suwi", ""))
	return nil
}

// stretch is what an amount is paid over: its own days, within those of its period and of
// the benefit.
type stretch struct{ benefit, period, amount native.Node }

// at is the innermost of its elements.
func (s stretch) at() adapters.Cursor {
	if s.amount.Has() {
		return s.amount.At()
	}
	return s.period.At()
}

// edge is a first or a last day: a member of one of the elements.
type edge struct {
	of   native.Node
	name string
}

func (e edge) text() string { return e.of.Text(e.name) }

// first reports whether there is a first day, and last whether there is a last one.
func (e edge) first() bool { return !adapters.DateCompact.Absent(e.text()) }
func (e edge) last() bool  { return !adapters.DateCompact.Open(e.text()) }

// from reads a first day by itself.
func (e edge) from() (adapters.Days, error) {
	return adapters.Dates{From: e.text(), FromAt: e.name, Form: adapters.DateCompact}.Read(e.of.At())
}

// days are the days that all three have in common. A one-off payment without a last day of
// its own is of its first.
func (s stretch) days() (adapters.Days, error) {
	if s.period.At().Path == s.benefit.At().Path { // a benefit without periods
		return between(s.benefit, "DatBUitkeringsverhouding", "DatEUitkeringsverhouding")
	}
	own := edge{s.amount, "DatBBrutoUitkeringsbedr"}
	first := edge{s.period, "DatBUitkeringsperiode"}
	start, wrong := first.from()
	if own.first() {
		if mine, err := own.from(); err != nil || wrong != nil || mine.From >= start.From {
			first, start, wrong = own, mine, err
		}
	}
	if whole := (edge{s.benefit, "DatBUitkeringsverhouding"}); whole.first() {
		if began, err := whole.from(); err == nil && wrong == nil && began.From > start.From {
			first, start = whole, began
		}
	}
	ends := []edge{{s.amount, "DatEBrutoUitkeringsbedr"}, {s.period, "DatEUitkeringsperiode"}, {s.benefit, "DatEUitkeringsverhouding"}}
	if basisOf(s.amount.Text("CdUitkeringsperiode")) == "ONE_OFF" && !ends[0].last() && (first.name == own.name || !ends[1].last()) {
		ends = []edge{first}
	}
	days := start
	for _, end := range ends {
		one, err := adapters.Dates{From: first.text(), To: end.text(), ToAt: end.name, Form: adapters.DateCompact}.Read(end.of.At())
		if wrong == nil {
			wrong = err
		}
		if one.To != 0 && (days.To == 0 || one.To < days.To) {
			days = one
		}
	}
	return days, wrong
}

// income reads an amount; nil where none is known, or over no span of time that counts.
// Without a currency it is euros.
func (b benefit) income(a native.Node) (*budgetv1.Amount, error) {
	text := a.Text("WaardeBedr")
	switch {
	case text == "":
		return nil, nil
	case a.Text("CdMunteenheid") != "" && a.Text("CdMunteenheid") != "EUR":
		return nil, a.Bad("CdMunteenheid", "EUR")
	case a.Text("CdPositiefNegatief") != "" && a.Text("CdPositiefNegatief") != "+":
		return nil, a.Bad("CdPositiefNegatief", "an amount that is paid")
	}
	cents, err := money.Cents(text)
	if err != nil {
		return nil, a.Bad("WaardeBedr", "a whole number of cents")
	}
	basis := basisOf(a.Text("CdUitkeringsperiode"))
	if basis == "" {
		b.out.Notice(adapters.NoticeUnknownCode, b.law, a.At().Field("CdUitkeringsperiode").Pointer)
		return nil, nil
	}
	return &budgetv1.Amount{Cents: cents, Basis: basis, Gross: true}, nil
}

// basisOf reads CdUitkeringsperiode (assumed: the list is not published); empty for a code
// that is over no span of time of ours: 0, not applicable; 5, five weeks; and what nobody
// knows. UWV's other list of periods, CdPeriode, gives the same codes other meanings and
// may never be read with this.
func basisOf(code string) string {
	return map[string]string{
		"1": "PER_DAY", "2": "PER_WEEK", "3": "PER_2_WEEKS", "4": "PER_4_WEEKS",
		"6": "PER_MONTH", "7": "PER_QUARTER", "8": "PER_YEAR", "9": "ONE_OFF",
	}[code]
}

// provision is money for one purpose: a total from its first to its last day.
func (r reader) provision(n native.Node) error {
	days, err := between(n, "DatB", "DatE")
	if err != nil {
		return err
	}
	text, at := n.Text("WaardeBedr"), n.At()
	var amount *budgetv1.Amount
	if text != "" && days.To != 0 { // a total without an end has no value in any window
		cents, err := money.Cents(text)
		if err != nil {
			return n.Bad("WaardeBedr", "a whole number of cents")
		}
		amount = &budgetv1.Amount{Cents: cents, Basis: "PERIOD_TOTAL"}
	}
	if days.Lapsed() && amount == nil {
		r.out.Skipped(adapters.SkippedLapsed, budgetv1.LawUWVProvision, at.Pointer)
		return nil
	}
	period, err := r.out.Period(days, amount.GetBasis(), at)
	if err != nil {
		return err
	}
	code := strings.ToUpper(n.Text("soort"))
	label, listed := codelist.Label(codelist.Provision, code)
	if !listed {
		r.out.Notice(adapters.NoticeUnknownCode, budgetv1.LawUWVProvision, at.Field("soort").Pointer)
	}
	if text != "" && amount == nil {
		r.out.Skipped(adapters.SkippedAmount, budgetv1.LawUWVProvision, at.Field("WaardeBedr").Pointer)
	}
	r.out.Line(&budgetv1.BudgetLine{
		Law: budgetv1.LawUWVProvision, Funder: r.party, Kind: "PROVISION", DeliveryForm: budgetv1.FormReimbursement, Fungibility: budgetv1.MoneyRingfenced,
		Product: &budgetv1.Product{System: string(codelist.Provision), Code: code, Label: label},
		Period:  period, Amount: amount,
	}, at.Record("suwi", ""))
	return nil
}
