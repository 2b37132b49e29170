package adapters

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Kinds of record that Merge knows apart.
const (
	RecordAward    = "award"       // award message (iPgb 501): the money
	RecordDecision = "case_system" // decision in a case system: the quantity
)

// mostRecords is how many provenances a line can hold.
const mostRecords = 8

// right is what two records must share to be records of one right.
type right struct{ law, product, start string }

// Merge joins the award message and the decision of one personal budget: money
// and end from the award, quantity and decision number from the decision, the
// provenance of both. A decision with other money than the award gives a
// CONFLICT notice. A record that came twice counts once. The outcome does not
// depend on the order of the lines, and merging it again changes nothing.
func Merge(lines []*budgetv1.BudgetLine) ([]*budgetv1.BudgetLine, []*budgetv1.Notice) {
	lines, conflicts := once(lines)
	groups := map[right][]*budgetv1.BudgetLine{}
	var merged []*budgetv1.BudgetLine
	for _, l := range lines {
		if l.GetDeliveryForm() != "PGB" || !(has(l, RecordAward) || has(l, RecordDecision)) {
			merged = append(merged, l)
			continue
		}
		groups[rightOf(l)] = append(groups[rightOf(l)], l)
	}
	for _, k := range slices.SortedFunc(maps.Keys(groups), compareRights) {
		one, notices := join(groups[k])
		merged, conflicts = append(merged, one...), append(conflicts, notices...)
	}
	slices.SortStableFunc(merged, compareAll)
	return merged, conflicts
}

func compareRights(a, b right) int {
	return cmp.Or(cmp.Compare(a.law, b.law), cmp.Compare(a.product, b.product), cmp.Compare(a.start, b.start))
}

func compareAll(a, b *budgetv1.BudgetLine) int {
	return cmp.Or(compareLines(a, b), bytes.Compare(wire(a), wire(b)))
}

func wire(l *budgetv1.BudgetLine) []byte {
	raw, _ := proto.MarshalOptions{Deterministic: true}.Marshal(l) // fails on invalid UTF-8 only, checked before
	return raw
}

func has(l *budgetv1.BudgetLine, recordType string) bool {
	return slices.ContainsFunc(l.GetProvenance(), func(p *budgetv1.Provenance) bool {
		return p.GetRecordType() == recordType
	})
}

// once drops lines of a record that was given before, and gives a conflict when one
// record id comes with two contents for one right: then both stay, for it cannot be
// known which holds.
func once(lines []*budgetv1.BudgetLine) (kept []*budgetv1.BudgetLine, conflicts []*budgetv1.Notice) {
	type place struct{ recordType, id, pointer, sum string }
	type version struct {
		recordType, id string
		of             right
	}
	seen, versions := map[place]bool{}, map[version]string{}
	for _, l := range slices.SortedFunc(slices.Values(lines), compareAll) {
		if len(l.GetProvenance()) == 0 {
			kept = append(kept, l)
			continue
		}
		p, sum := l.GetProvenance()[0], string(l.GetProvenance()[0].GetSha256())
		at := place{p.GetRecordType(), p.GetRecordId(), p.GetPointer(), sum}
		if seen[at] {
			continue
		}
		seen[at] = true
		v := version{p.GetRecordType(), p.GetRecordId(), rightOf(l)}
		if first, known := versions[v]; known && first != sum && v.id != "" {
			conflicts = append(conflicts, conflict(l))
		}
		versions[v] = sum
		kept = append(kept, l)
	}
	return kept, conflicts
}

func rightOf(l *budgetv1.BudgetLine) right {
	return right{l.GetLaw(), l.GetProduct().GetCode(), l.GetPeriod().GetStart()}
}

func conflict(l *budgetv1.BudgetLine) *budgetv1.Notice {
	return &budgetv1.Notice{Code: NoticeConflict, Law: l.GetLaw(), Product: proto.CloneOf(l.GetProduct()), Pointer: l.GetProvenance()[0].GetPointer()}
}

// join merges the lines of one right. Several awards stay several lines: they
// are several budgets. The decision with the money of an award goes to that
// award; what is then left goes to the first, and never counts a second time.
func join(group []*budgetv1.BudgetLine) (lines []*budgetv1.BudgetLine, conflicts []*budgetv1.Notice) {
	slices.SortFunc(group, compareAll)
	var awards, decisions []*budgetv1.BudgetLine
	for _, l := range group {
		if has(l, RecordAward) {
			awards = append(awards, proto.CloneOf(l))
		} else {
			decisions = append(decisions, l)
		}
	}
	if len(awards) == 0 {
		return decisions, nil
	}
	for _, d := range decisions {
		to := awardFor(awards, d)
		if to == nil {
			lines, conflicts = append(lines, d), append(conflicts, conflict(d))
			continue
		}
		if !agree(to, d) {
			conflicts = append(conflicts, conflict(to))
		}
		absorb(to, d)
	}
	return append(awards, lines...), conflicts
}

// awardFor chooses the award a decision belongs to; nil when all are full.
func awardFor(awards []*budgetv1.BudgetLine, d *budgetv1.BudgetLine) *budgetv1.BudgetLine {
	room := slices.DeleteFunc(slices.Clone(awards), func(a *budgetv1.BudgetLine) bool {
		return len(a.GetProvenance())+len(d.GetProvenance()) > mostRecords
	})
	if len(room) == 0 {
		return nil
	}
	if i := slices.IndexFunc(room, func(a *budgetv1.BudgetLine) bool { return fits(a, d) }); i >= 0 {
		return room[i]
	}
	return room[0]
}

// fits reports whether a decision names the very money of an award that has none yet.
func fits(award, decision *budgetv1.BudgetLine) bool {
	return !has(award, RecordDecision) && decision.GetAmount() != nil && agree(award, decision)
}

func absorb(award, decision *budgetv1.BudgetLine) {
	if award.GetQuantity() == nil {
		award.Quantity = decision.GetQuantity()
	}
	if award.GetAmount() == nil {
		award.Amount = decision.GetAmount()
	}
	if award.Decision == nil {
		award.Decision = &budgetv1.Decision{}
	}
	if award.GetDecision().GetNumber() == "" {
		award.Decision.Number, award.Decision.Issued = decision.GetDecision().GetNumber(), decision.GetDecision().GetIssued()
	}
	if award.GetProduct().GetLocalCode() == "" && award.Product != nil {
		award.Product.LocalCode = decision.GetProduct().GetLocalCode()
	}
	award.Provenance = append(award.Provenance, decision.GetProvenance()...)
}
