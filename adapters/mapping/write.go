package mapping

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/codelist"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// contribution writes an own contribution.
func (r *reader) contribution(s scope, law string) error {
	days, err := r.between(s)
	if err != nil {
		return err
	}
	cents, err := r.own.cents.number(s)
	if err != nil {
		return err
	}
	own := &budgetv1.OwnContribution{Law: law}
	if cents.number != nil {
		if !cents.number.IsInt() || outside(cents.number) {
			return s.where(r.own.cents).Bad("a whole number of cents, within bounds")
		}
		own.CentsPerMonth = proto.Int64(cents.number.Num().Int64())
	}
	if own.Household, err = r.own.household.text(s); err != nil || len(own.Household) > 256 {
		return s.where(r.own.household).Bad("a key of at most 256 bytes")
	}
	if days.Lapsed() && own.CentsPerMonth == nil {
		r.out.Skipped(adapters.SkippedLapsed, law, s.at().Path)
		return nil
	}
	if own.Period, err = r.out.Period(days, "PER_MONTH", s.at()); err != nil {
		return err
	}
	r.notice(law, nil, s)
	r.out.OwnContribution(own, s.at().Record(r.Mapping.record, ""))
	return nil
}

// right writes a line.
func (r *reader) right(s scope, law string) error {
	days, err := r.between(s)
	if err != nil {
		return err
	}
	f := &filling{scope: s}
	l := r.line
	system := f.text(l.system)
	code := codelist.Code(codelist.List(system), f.text(l.code))
	line := &budgetv1.BudgetLine{
		Law: law, Funder: r.us.Party, Kind: f.word(l.kind, kinds()),
		DeliveryForm: f.word(l.form, budgetv1.DeliveryForms()), Fungibility: f.word(l.fungibility, budgetv1.Fungibilities()),
		Product:  &budgetv1.Product{System: system, Code: code, Label: l.label(system, code), LocalCode: f.text(l.local)},
		Quantity: f.quantity(l), Amount: f.sum(l.amount), Income: f.sum(l.income), Decision: f.decision(l, r.dates),
		Provider: f.text(l.provider),
	}
	id := f.text(l.id)
	if f.err != nil {
		return f.err
	}
	if days.Lapsed() && line.Amount == nil && line.Income == nil {
		r.out.Skipped(adapters.SkippedLapsed, law, s.at().Path)
		return nil
	}
	basis := line.GetAmount().GetBasis() + line.GetIncome().GetBasis() // one of them is empty
	if line.Period, err = r.out.Period(days, basis, s.at()); err != nil {
		return err
	}
	if line.Period.End == nil && basis == "PERIOD_TOTAL" {
		r.out.Skipped(adapters.SkippedAmount, law, s.where(l.amount.cents).Path)
		line.Amount, line.Income = nil, nil
	}
	if line.GetProduct().GetLabel() == codelist.Unknown {
		r.notice(law, l.code, s)
	} else {
		r.notice(law, nil, s)
	}
	r.out.Line(line, s.at().Record(r.Mapping.record, id))
	return nil
}

// notice says of each code of the record that was not known that it was not, once: those
// of the tables, and the one that an expression reads.
func (r *reader) notice(law string, x *expression, s scope) {
	var paths []string
	for _, n := range r.seen {
		paths = append(paths, n.At().Path)
	}
	if x != nil {
		paths = append(paths, s.where(x).Path)
	}
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		r.out.Notice(adapters.NoticeUnknownCode, law, path)
	}
}
