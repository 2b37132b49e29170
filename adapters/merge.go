package adapters

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters/codelist"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Kinds of record that Merge knows apart.
const (
	RecordAward      = "award"       // award message (iPgb 501): the money
	RecordAllocation = "wmo301"      // allocation of care in kind (iWmo 301)
	RecordJeugd      = "jw301"       // the same (iJw 301)
	RecordDecision   = "case_system" // decision in a case system
	RecordRegister   = "iwlz"        // Wlz register: a mediation is a decision on the form
)

// mostRecords is how many provenances a line can hold.
const mostRecords = 8

// Merge joins what is told of one right at two levels: a decision (for the Wlz a mediation
// for a personal budget), and the awards (of a personal budget) or allocations (in kind) of
// the same funder, law, category and form on some of the same days. What those say counts on the days they cover; the decision
// keeps a line of its own for each stretch of days that none of them covers, with what it
// grants per period of time. The provenance of both stands on the line. A decision that
// grants other money for exactly the same days gives a CONFLICT notice.
//
// A record that came twice counts once; one that came with two contents counts once
// without money where they differ. The outcome does not depend on the order of the
// lines, and merging it again changes nothing. The lines are left as they are; where nothing
// changes, they are the outcome.
func Merge(lines []*budgetv1.BudgetLine) ([]*budgetv1.BudgetLine, []*budgetv1.Notice) {
	lines, notices := once(lines)
	var merged, decisions []*budgetv1.BudgetLine
	var rights []*granted
	for _, l := range lines {
		switch {
		case isDecision(l):
			decisions = append(decisions, l)
		case has(l, RecordAward) || isAllocation(l):
			rights = append(rights, &granted{line: proto.CloneOf(l)})
		default:
			merged = append(merged, l)
		}
	}
	for _, d := range decisions {
		var of []*granted
		for _, r := range rights {
			if r.grants(d) {
				of = append(of, r)
			}
		}
		if len(of) == 0 {
			merged = append(merged, d)
			continue
		}
		notices = append(notices, contradicts(d, of)...)
		for _, r := range of {
			r.decisions = append(r.decisions, d)
		}
		merged = append(merged, stretches(d, of)...)
	}
	for _, r := range rights {
		notices = append(notices, r.packageContradicts()...)
		notices = append(notices, r.absorb()...)
		merged = append(merged, r.line)
	}
	merged, skipped := ground(merged)
	slices.SortStableFunc(merged, compareAll)
	return merged, append(notices, skipped...)
}

// ground lays each Wlz indication under the lines that it is the ground of: those of the
// same funder on some of the same days, in whatever form. It keeps a line of its own for
// each stretch of its days that none of them covers, nor an earlier indication: on those it
// is not known how the care is delivered.
func ground(lines []*budgetv1.BudgetLine) (kept []*budgetv1.BudgetLine, notices []*budgetv1.Notice) {
	var grounds []*budgetv1.BudgetLine
	for _, l := range lines {
		if l.GetDeliveryForm() == budgetv1.FormUndecided && has(l, RecordRegister) {
			grounds = append(grounds, l)
		} else {
			kept = append(kept, l)
		}
	}
	if len(grounds) == 0 { // nearly always: nothing is laid under anything
		return kept, nil
	}
	for i, l := range kept {
		kept[i] = proto.CloneOf(l)
	}
	slices.SortFunc(grounds, func(a, b *budgetv1.BudgetLine) int {
		return cmp.Or(cmp.Compare(a.GetPeriod().GetStart(), b.GetPeriod().GetStart()), compareAll(a, b))
	})
	for _, g := range grounds {
		whole, _ := span(g.GetPeriod()) // sound has read it
		var covered []Span
		for _, l := range kept {
			if !overlaps(l, g) || l.GetFunder() != g.GetFunder() || l.GetLaw() != g.GetLaw() {
				continue
			}
			s, _ := span(l.GetPeriod())
			covered = append(covered, s)
			profiled(l, []*budgetv1.BudgetLine{g})
			notices = append(notices, join(l, g, true)...)
		}
		for _, s := range Uncovered(whole, covered) {
			kept = append(kept, part(g, s))
		}
	}
	return kept, notices
}

// part is a line on some of its days.
func part(l *budgetv1.BudgetLine, days Span) *budgetv1.BudgetLine {
	l = proto.CloneOf(l)
	l.Period = PeriodOf(days)
	return l
}

func overlaps(a, b *budgetv1.BudgetLine) bool {
	mine, err := span(a.GetPeriod())
	theirs, err2 := span(b.GetPeriod())
	if err != nil || err2 != nil {
		return false
	}
	_, overlap := mine.Overlap(theirs)
	return overlap
}

// profiled gives a Wlz award, which has one function for everything, the care profile of
// the record beneath it that is in force on its first day, or else of the first.
func profiled(l *budgetv1.BudgetLine, beneath []*budgetv1.BudgetLine) {
	if l.GetProduct().GetSystem() != budgetv1.ListWlzFunctions {
		return
	}
	for _, b := range slices.SortedFunc(slices.Values(beneath), func(a, b *budgetv1.BudgetLine) int {
		return cmp.Compare(a.GetPeriod().GetStart(), b.GetPeriod().GetStart())
	}) {
		first := l.GetProduct().GetSystem() == budgetv1.ListWlzFunctions
		if b.GetProduct().GetSystem() == budgetv1.ListWlzProfiles && (first || b.GetPeriod().GetStart() <= l.GetPeriod().GetStart()) {
			l.Product = proto.CloneOf(b.GetProduct())
		}
	}
}

// join puts the decision of a record and its provenance on a line that tells the same
// right. It gives a notice when there is no room for it.
func join(l, d *budgetv1.BudgetLine, numbered bool) []*budgetv1.Notice {
	if l.Decision == nil {
		l.Decision = &budgetv1.Decision{}
	}
	if numbered && l.GetDecision().GetNumber() == "" {
		l.Decision.Number, l.Decision.Issued = d.GetDecision().GetNumber(), d.GetDecision().GetIssued()
	}
	if has := d.GetProvenance()[0]; slices.ContainsFunc(l.GetProvenance(), func(p *budgetv1.Provenance) bool { return proto.Equal(p, has) }) {
		return nil // the record stands there for other days of it
	}
	if len(l.GetProvenance())+len(d.GetProvenance()) > mostRecords {
		return []*budgetv1.Notice{{
			Code: NoticeSkipped, Reason: SkippedSuperseded, Law: d.GetLaw(), Pointer: d.GetProvenance()[0].GetPointer(),
		}}
	}
	l.Provenance = append(l.Provenance, d.GetProvenance()...)
	return nil
}

func isAllocation(l *budgetv1.BudgetLine) bool {
	return has(l, RecordAllocation) || has(l, RecordJeugd)
}

// isDecision reports whether a line is a decision that was not merged yet: one of a case
// system, or a mediation for a Wlz personal budget.
func isDecision(l *budgetv1.BudgetLine) bool {
	decides := has(l, RecordDecision) || has(l, RecordRegister) && l.GetDeliveryForm() == "PGB"
	return decides && !has(l, RecordAward) && !isAllocation(l) && !l.GetAwardMissing()
}

func compareAll(a, b *budgetv1.BudgetLine) int {
	if c := compareLines(a, b); c != 0 {
		return c
	}
	return bytes.Compare(wire(a), wire(b))
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

// granted is an award or an allocation, and the decisions that grant the same right.
type granted struct {
	line      *budgetv1.BudgetLine
	decisions []*budgetv1.BudgetLine
}

// grants reports whether a decision is that of the right which this award or allocation is of.
func (t *granted) grants(d *budgetv1.BudgetLine) bool {
	l := t.line
	return overlaps(l, d) && l.GetFunder() == d.GetFunder() && l.GetLaw() == d.GetLaw() &&
		(l.GetDeliveryForm() == "PGB") == (d.GetDeliveryForm() == "PGB") && oneCategory(l, d)
}

// oneCategory reports whether two lines of one law are of one product category: the whole
// package fits every category.
func oneCategory(a, b *budgetv1.BudgetLine) bool {
	x, y := a.GetProduct().GetCode(), b.GetProduct().GetCode()
	return x != "" && y != "" && (x == y || x == codelist.Whole || y == codelist.Whole)
}

// stretches gives a line of a decision for each stretch that nothing else tells of. A
// total is not cut in parts beside an award, nor is a quantity in all.
func stretches(d *budgetv1.BudgetLine, of []*granted) (lines []*budgetv1.BudgetLine) {
	whole, _ := span(d.GetPeriod()) // grants has read them
	var covered []Span
	for _, t := range of {
		s, _ := span(t.line.GetPeriod())
		covered = append(covered, s)
	}
	for _, s := range Uncovered(whole, covered) {
		l := part(d, s)
		l.AwardMissing = true
		if !strings.HasPrefix(l.GetAmount().GetBasis(), "PER_") {
			l.Amount = nil
		}
		if l.GetQuantity().GetFrequency() == inAll {
			l.Quantity = nil
		}
		lines = append(lines, l)
	}
	return lines
}

// inAll is the frequency of a volume over the whole period (WMO757).
const inAll = "6"

// Uncovered gives, in order, each stretch of days of a span that none of the others
// covers. Each is as long as it can be: a day before and a day after it are covered or
// outside the span.
func Uncovered(s Span, by []Span) (left []Span) {
	by = slices.Clone(by)
	slices.SortFunc(by, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	from := s.From
	for _, b := range by {
		if b.Until() < from {
			continue
		}
		if b.From > s.Until() {
			break
		}
		if b.From > from {
			left = append(left, Span{From: from, To: b.From - 1})
		}
		if b.Until() >= s.Until() {
			return left
		}
		from = b.Until() + 1
	}
	return append(left, Span{From: from, To: s.To})
}

// absorb takes over what decisions say and the line does not, and their provenance. It
// gives a notice for a record for which there is no room.
func (t *granted) absorb() (notices []*budgetv1.Notice) {
	l := t.line
	slices.SortFunc(t.decisions, compareAll)
	for i, d := range t.decisions {
		if len(t.decisions) == 1 && l.GetQuantity() == nil && (d.GetQuantity().GetFrequency() != inAll || sameDays(l, d)) {
			l.Quantity = proto.CloneOf(d.GetQuantity())
		}
		if len(t.decisions) == 1 && l.GetProduct().GetLocalCode() == "" && l.Product != nil {
			l.Product.LocalCode = d.GetProduct().GetLocalCode()
		}
		notices = append(notices, join(l, d, i == 0)...)
	}
	profiled(l, t.decisions)
	return notices
}

func sameDays(a, b *budgetv1.BudgetLine) bool {
	return a.GetPeriod().GetStart() == b.GetPeriod().GetStart() && a.GetPeriod().GetEnd() == b.GetPeriod().GetEnd()
}

// contradicts gives a notice when a decision and the awards of its right grant unequal
// money for exactly the same days: neither one of them nor all of them together comes to
// what the decision says.
func contradicts(d *budgetv1.BudgetLine, of []*granted) []*budgetv1.Notice {
	var same []*budgetv1.BudgetLine
	for _, t := range of {
		if t.line.GetAmount() != nil && sameDays(t.line, d) && !t.isPackageOver(d) {
			same = append(same, t.line)
		}
	}
	if d.GetAmount() == nil || len(same) == 0 || len(same) > 1 && comeTo(d, same) ||
		slices.ContainsFunc(same, func(l *budgetv1.BudgetLine) bool { return agree(l, d) }) {
		return nil
	}
	slices.SortFunc(same, compareAll)
	return []*budgetv1.Notice{conflict(same[0])}
}

// isPackageOver reports whether a whole package is awarded where a decision is about one
// category: it is held against all of its decisions together.
func (t *granted) isPackageOver(d *budgetv1.BudgetLine) bool {
	return t.line.GetProduct().GetCode() == codelist.Whole && d.GetProduct().GetCode() != codelist.Whole
}

// packageContradicts is contradicts for a whole package: each of its decisions must state
// money for exactly its days, or nothing can be compared.
func (t *granted) packageContradicts() []*budgetv1.Notice {
	of := slices.DeleteFunc(slices.Clone(t.decisions), func(d *budgetv1.BudgetLine) bool { return !t.isPackageOver(d) })
	comparable := func(d *budgetv1.BudgetLine) bool { return sameDays(t.line, d) && d.GetAmount() != nil }
	if len(of) == 0 || t.line.GetAmount() == nil || comeTo(t.line, of) ||
		slices.ContainsFunc(of, func(d *budgetv1.BudgetLine) bool { return !comparable(d) }) {
		return nil
	}
	return []*budgetv1.Notice{conflict(t.line)}
}

func conflict(l *budgetv1.BudgetLine) *budgetv1.Notice {
	return &budgetv1.Notice{
		Code: NoticeConflict, Law: l.GetLaw(), Product: proto.CloneOf(l.GetProduct()),
		Pointer: l.GetProvenance()[0].GetPointer(), Period: proto.CloneOf(l.GetPeriod()),
	}
}

// once drops lines of a record that was given before. Of one record id that comes with two
// contents for one right nobody can tell which holds: one line is left of them.
func once(lines []*budgetv1.BudgetLine) (kept []*budgetv1.BudgetLine, notices []*budgetv1.Notice) {
	type place struct{ recordType, id, pointer, sum, start string } // a record can have several stretches
	type version struct{ recordType, id, law, product, start string }
	seen := map[place]bool{}
	versions := map[version][]*budgetv1.BudgetLine{}
	for _, l := range slices.SortedFunc(slices.Values(lines), compareAll) {
		if len(l.GetProvenance()) == 0 {
			kept = append(kept, l)
			continue
		}
		p := l.GetProvenance()[0]
		at := place{p.GetRecordType(), p.GetRecordId(), p.GetPointer(), string(p.GetSha256()), l.GetPeriod().GetStart()}
		v := version{p.GetRecordType(), p.GetRecordId(), l.GetLaw(), l.GetProduct().GetCode(), l.GetPeriod().GetStart()}
		switch {
		case seen[at]:
		case v.id == "" || l.GetAwardMissing():
			kept = append(kept, l)
		default:
			versions[v] = append(versions[v], l)
		}
		seen[at] = true
	}
	for _, v := range slices.SortedFunc(maps.Keys(versions), func(a, b version) int {
		return cmp.Or(cmp.Compare(a.recordType, b.recordType), cmp.Compare(a.id, b.id), cmp.Compare(a.law, b.law),
			cmp.Compare(a.product, b.product), cmp.Compare(a.start, b.start))
	}) {
		same := versions[v]
		if !slices.ContainsFunc(same, func(l *budgetv1.BudgetLine) bool {
			return !bytes.Equal(l.GetProvenance()[0].GetSha256(), same[0].GetProvenance()[0].GetSha256())
		}) {
			kept = append(kept, same...)
			continue
		}
		one, differ := Undecided(same)
		kept = append(kept, one)
		if differ {
			notices = append(notices, VersionConflict(one))
		}
	}
	return kept, notices
}

// Undecided is what several versions of one right come to when nobody can tell which is
// the newest: what they agree on counts once, and where they differ the line has neither
// money nor quantity, and the latest end. It is never the sum.
func Undecided(versions []*budgetv1.BudgetLine) (one *budgetv1.BudgetLine, differ bool) {
	versions = slices.SortedFunc(slices.Values(versions), compareAll)
	one = proto.CloneOf(versions[0])
	bare := func(l *budgetv1.BudgetLine) *budgetv1.BudgetLine {
		l = proto.CloneOf(l)
		l.Provenance, l.Decision = nil, nil
		return l
	}
	for _, l := range versions[1:] {
		differ = differ || !proto.Equal(bare(one), bare(l))
		one.Provenance = append(one.Provenance, l.GetProvenance()...)
	}
	one.Provenance = one.Provenance[:min(len(one.Provenance), mostRecords)]
	if !differ {
		return one, false
	}
	one.Amount, one.Income, one.Quantity = nil, nil, nil
	for _, l := range versions[1:] {
		if one.GetPeriod().End != nil && (l.GetPeriod().End == nil || l.GetPeriod().GetEnd() > one.GetPeriod().GetEnd()) {
			one.Period.End = l.GetPeriod().End
		}
	}
	one.Period.OriginalEnd = nil
	return one, true
}

// VersionConflict is the notice for a line of which several versions contradict each other.
func VersionConflict(l *budgetv1.BudgetLine) *budgetv1.Notice {
	n := conflict(l)
	n.Gap = budgetv1.GapVersionConflict
	return n
}
