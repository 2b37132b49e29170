package budget

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// mostListed bounds the lines that one finding names beside its own, so that an
// answer full of lines that meet each other stays of a size.
const mostListed = 64

// rule is one kind of finding. It reads the view and says what it sees, in any
// order; saying the same twice does no harm.
type rule func(*view) []*budgetv1.Finding

// rules lists what is looked for. A rule says nothing about a right of which it
// cannot see the law, the product or the dates: what was withheld is no alarm.
func rules() []rule {
	return []rule{
		twoForms, twoFunders, oneNeedTwice, priorityOverlaps, overlappingAwards, // lines that meet
		sameRecords, awardsMissing, crossings, unknownCodes, unknownElements, conflicts, rowsOmitted, partial, // the data
		holes, endings, // days
		adulthood, pensions, // ages
		moves, continuity, // places
		overspent, spendingUnmatched, spendingDisputed, householdsUnclear, // money
		consentsEnding, ageOfConsent, basisEnds, // documents
	}
}

// findings applies the rules. The gravest come first, then they go by person,
// law, product, code, line and date.
func (v *view) findings() []*budgetv1.Finding {
	var all []*budgetv1.Finding
	for _, look := range rules() {
		all = append(all, look(v)...)
	}
	return v.worded(all)
}

// worded puts findings in order, each once, and words those without a text.
func (v *view) worded(all []*budgetv1.Finding) []*budgetv1.Finding {
	for _, f := range all {
		f.Persons, f.Lines = among(f.GetPersons(), f.GetPerson()), among(f.GetLines(), f.GetLine())
	}
	slices.SortFunc(all, byGravity)
	all = slices.CompactFunc(all, func(a, b *budgetv1.Finding) bool { return byGravity(a, b) == 0 && proto.Equal(a, b) })
	for _, f := range all {
		if f.GetTextNl() == "" && f.GetTextEn() == "" {
			v.wordFinding(f)
		}
	}
	return all
}

// among gives a list in order, each once, and the one among them.
func among(list []string, one string) []string {
	if one != "" {
		list = append(list, one)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func byGravity(a, b *budgetv1.Finding) int {
	weight := func(f *budgetv1.Finding) int {
		return slices.Index(budgetv1.Severities(), f.GetSeverity())
	}
	if c := cmp.Or(
		cmp.Compare(weight(a), weight(b)),
		cmp.Compare(a.GetPerson(), b.GetPerson()),
		cmp.Compare(a.GetLaw(), b.GetLaw()),
		cmp.Compare(a.GetProduct(), b.GetProduct()),
		cmp.Compare(a.GetCode(), b.GetCode()),
		cmp.Compare(a.GetLine(), b.GetLine()),
		cmp.Compare(a.GetFrom(), b.GetFrom()),
	); c != 0 {
		return c
	}
	return bytes.Compare(written(a), written(b))
}

func (v *view) wordFinding(f *budgetv1.Finding) {
	if v.q.Text == nil {
		return
	}
	params := map[string]string{
		"person":  f.GetPerson(),
		"law":     f.GetLaw(),
		"product": f.GetProduct(),
		"line":    f.GetLine(),
		"from":    f.GetFrom(),
		"to":      f.GetTo(),
		"date":    f.GetDate(),
		"days":    strconv.Itoa(int(f.GetDays())),
		"label":   v.labelOf(f),
		"code":    budgetv1.FindingDetail(f, v.q.Today.String()),
	}
	if l, ok := v.line(f.GetLine()); ok {
		params["source"] = v.nameOf(l.GetFunder())
	}
	f.TextNl = v.q.Text.Finding(f.GetCode(), "nl", params)
	f.TextEn = v.q.Text.Finding(f.GetCode(), "en", params)
}

// labelOf is the name of the product of a finding: that of its line, or of the right.
func (v *view) labelOf(f *budgetv1.Finding) string {
	if l, ok := v.line(f.GetLine()); ok {
		return l.GetProduct().GetLabel()
	}
	return v.names[right{f.GetPerson(), f.GetLaw(), f.GetProduct()}]
}

// nameOf is what people call a party; one that is not known has a code only.
func (v *view) nameOf(code string) string { return cmp.Or(v.party(code).Name, code) }

// about starts a finding on one line.
func about(l line, code, severity string) *budgetv1.Finding {
	return &budgetv1.Finding{
		Code:     code,
		Severity: severity,
		Person:   l.GetPerson(),
		Law:      l.GetLaw(),
		Product:  l.GetProduct().GetCode(),
		Line:     l.GetId(),
	}
}
