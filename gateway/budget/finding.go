package budget

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Codes of the findings made here, and what they weigh. The system never
// decides a right: a finding asks a human to look.
const (
	sameRecord       = "SAME_RECORD"
	gapInRight       = "GAP"
	lineCrosses      = "LINE_CROSSES_WINDOW"
	partialBudget    = "PARTIAL"
	unknownCode      = "UNKNOWN_CODE"
	recordsConflict  = "CONFLICT"
	severityInfo     = "INFO"
	severityWarning  = "WARNING"
	severityError    = "ERROR"
	noticeOfUnknown  = "UNKNOWN_CODE"
	noticeOfConflict = "CONFLICT"
)

// rule is one kind of finding. It reads the view and says what it sees, in any
// order; saying the same twice does no harm.
type rule func(*view) []*budgetv1.Finding

// rules lists what is looked for.
func rules() []rule {
	return []rule{
		sameRecords,
		holes,
		crossings,
		partial,
		unknownCodes,
		conflicts,
	}
}

// findings applies the rules. The gravest come first, then they go by person,
// law, product, code, line and date.
func (v *view) findings() []*budgetv1.Finding {
	var all []*budgetv1.Finding
	for _, look := range rules() {
		all = append(all, look(v)...)
	}
	slices.SortFunc(all, byGravity)
	all = slices.CompactFunc(all, func(a, b *budgetv1.Finding) bool { return byGravity(a, b) == 0 && proto.Equal(a, b) })
	for _, f := range all {
		v.wordFinding(f)
	}
	return all
}

func byGravity(a, b *budgetv1.Finding) int {
	weight := func(f *budgetv1.Finding) int {
		return slices.Index([]string{severityError, severityWarning, severityInfo}, f.GetSeverity())
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
	}
	if i := slices.IndexFunc(v.lines, func(l line) bool { return l.GetId() == f.GetLine() }); i >= 0 {
		params["source"] = v.lines[i].GetFunder()
		params["label"] = v.lines[i].GetProduct().GetLabel()
	}
	f.TextNl = v.q.Text.Finding(f.GetCode(), "nl", params)
	f.TextEn = v.q.Text.Finding(f.GetCode(), "en", params)
}

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
