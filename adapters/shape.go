package adapters

import (
	"cmp"
	"slices"
	"strconv"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// most is how many lines, history lines and notices an answer can hold.
const most = 256

// Response shapes what was collected: two records of one right become one line,
// what lies outside the window becomes history or a notice, and of the rest
// only what was granted is kept.
func (w *Writer) Response() (*budgetv1.FetchResponse, error) {
	sound, err := w.sound()
	if err != nil {
		return nil, err
	}
	r := &budgetv1.FetchResponse{
		Adapter: w.origin.Adapter, Version: w.origin.Version,
		AsOfMs: w.asOf.UnixMilli(), AnswerId: w.answer,
	}
	lines, conflicts := Merge(sound)
	for _, l := range lines {
		w.place(r, l)
	}
	if err := w.placeSpends(r); err != nil {
		return nil, err
	}
	if err := w.placeContributions(r); err != nil {
		return nil, err
	}
	for _, n := range slices.Concat(w.notices, conflicts) {
		w.notify(r, n)
	}
	slices.SortFunc(r.Lines, compareAll) // of what was masked the order says nothing either
	if err := bounded(r); err != nil {
		return nil, err
	}
	return r, nil
}

// sound gives the lines that keep the rules of the message. What breaks them came from the
// source and is an odd record; a line without a funder is the adapter's own mistake.
func (w *Writer) sound() (lines []*budgetv1.BudgetLine, err error) {
	for _, l := range w.lines {
		if budgetv1.DropLabel(l.GetProduct()) {
			w.notices = append(w.notices, budgetv1.NoticeOfText(l.GetLaw(), pointerOf(l)))
		}
		switch err := checkLine(l); {
		case err == nil:
			lines = append(lines, l)
		case l.GetFunder() == "":
			return nil, err
		default:
			if err := w.Odd(err, l.GetLaw(), daysOf(l.GetPeriod())); err != nil {
				return nil, err
			}
		}
	}
	return lines, nil
}

func pointerOf(l *budgetv1.BudgetLine) string {
	if len(l.GetProvenance()) == 0 {
		return ""
	}
	return l.GetProvenance()[0].GetPointer()
}

// daysOf reads the days of a period as far as they are civil dates.
func daysOf(p *budgetv1.Period) Days {
	days, _ := Dates{From: p.GetStart(), To: p.GetEnd()}.Read(Cursor{})
	return days
}

func bounded(r *budgetv1.FetchResponse) error {
	for name, n := range map[string]int{
		"lines": len(r.Lines), "history": len(r.History), "notices": len(r.Notices),
		"spends": len(r.Spends), "own_contributions": len(r.OwnContributions),
	} {
		if n > most {
			return BadData(name, "at most "+strconv.Itoa(most))
		}
	}
	return nil
}

// checkLine holds a line against the rules of the message. What breaks them
// came from the source, so it is the source's data that is bad.
func checkLine(l *budgetv1.BudgetLine) error {
	at := ""
	if len(l.GetProvenance()) > 0 {
		at = placeOf(l.GetProvenance()[0].GetRecordType(), l.GetProvenance()[0].GetPointer())
	}
	if err := checkMessage(at, l); err != nil {
		return err
	}
	if l.GetAmount() != nil && l.GetIncome() != nil {
		return BadData(at+"income", "amount or income, not both")
	}
	s, err := span(l.GetPeriod())
	if err != nil || s.Until() < s.From {
		return BadData(at+"period", "two civil dates in order")
	}
	if l.GetPeriod().OriginalEnd != nil {
		original, err := civil.Parse(l.GetPeriod().GetOriginalEnd())
		if err != nil || original < s.From {
			return BadData(at+"period.original_end", "a civil date after the start")
		}
	}
	return nil
}

// checkMessage holds a message against its rules, and refuses codes, identifiers and
// dates that cannot be shown: they would be printed and signed at the other end.
func checkMessage(at string, m proto.Message) error {
	if kept, shown := budgetv1.Sound(m); kept && shown { // nearly always
		return nil
	}
	if err := protovalidate.Validate(m); err != nil {
		return BadData(at+budgetv1.FieldPath(err), "as the message allows")
	}
	if path := budgetv1.Unprintable(m); path != "" {
		return BadData(at+path, "without control and format characters")
	}
	return nil
}

// placeOf names a record in an error, unless its own name cannot be shown.
func placeOf(recordType, pointer string) string {
	if !budgetv1.Printable(recordType + pointer) {
		return ""
	}
	return recordType + pointer + ": "
}

func span(p *budgetv1.Period) (s civil.Span, err error) {
	if s.From, err = civil.Parse(p.GetStart()); err != nil || p.End == nil {
		return s, err
	}
	s.To, err = civil.Parse(p.GetEnd())
	return s, err
}

// place puts a line where it belongs: in the answer, in the history, or nowhere.
func (w *Writer) place(r *budgetv1.FetchResponse, l *budgetv1.BudgetLine) {
	granted, masks := Granted(w.request, l.GetLaw()), Masks(w.request, l.GetLaw())
	if reason := refusal(granted); reason != "" {
		if w.unlisted(l.GetLaw()) && !w.Outside(daysOf(l.GetPeriod())) {
			w.notify(r, &budgetv1.Notice{Code: NoticeSkipped, Reason: budgetv1.GapUnknownLaw, Gap: budgetv1.GapUnknownLaw})
			return
		}
		w.notify(r, &budgetv1.Notice{Code: NoticeSkipped, Reason: reason}) // without its law: not even that there is one
		return
	}
	s, _ := span(l.GetPeriod()) // checkLine has read it
	if _, ok := s.Overlap(w.window); ok {
		budgetv1.Minimise(l, granted, masks)
		r.Lines = append(r.Lines, l)
		return
	}
	if s.Until() < w.window.From && s.Until() >= w.history {
		h := history(l)
		budgetv1.Minimise(h, granted, masks)
		r.History = append(r.History, h)
		return
	}
	w.notify(r, &budgetv1.Notice{Code: NoticeSkipped, Reason: SkippedOutsideWindow, Law: l.GetLaw(), Pointer: pointerOf(l)})
}

func refusal(granted []budgetv1.Category) string {
	switch {
	case len(granted) == 0:
		return SkippedOtherLaw
	case !slices.Contains(granted, budgetv1.CategoryEntitlement):
		return SkippedNotGranted
	}
	return ""
}

// history says that there was a line: law, product and dates.
func history(l *budgetv1.BudgetLine) *budgetv1.HistoryLine {
	return &budgetv1.HistoryLine{
		Law: l.GetLaw(),
		Product: &budgetv1.Product{
			System: l.GetProduct().GetSystem(), Code: l.GetProduct().GetCode(), Label: l.GetProduct().GetLabel(),
		},
		Period: &budgetv1.Period{Start: l.GetPeriod().GetStart(), End: proto.String(l.GetPeriod().GetEnd())},
	}
}

// notify adds a notice. Under a law that was not granted it says neither which
// law nor where: record types are named after laws.
func (w *Writer) notify(r *budgetv1.FetchResponse, n *budgetv1.Notice) {
	if budgetv1.Unprintable(n) != "" { // what it says of where is left out; that it says it stays
		n = &budgetv1.Notice{Code: n.GetCode(), Gap: n.GetGap()}
	}
	if n.GetLaw() != "" {
		granted := Granted(w.request, n.GetLaw())
		if !budgetv1.Discloses(granted) {
			hidden := &budgetv1.Notice{Code: n.GetCode(), Reason: n.GetReason()}
			if n.GetGap() != "" && w.unlisted(n.GetLaw()) { // no other gap says that something is missing
				hidden.Gap = budgetv1.GapUnknownLaw
			}
			n, granted = hidden, nil
		}
		budgetv1.Minimise(n, granted, Masks(w.request, n.GetLaw()))
	}
	count(r, n)
}

// compareLines orders an answer, so that the same records give the same answer.
func compareLines(a, b *budgetv1.BudgetLine) int {
	return cmp.Or(
		cmp.Compare(a.GetLaw(), b.GetLaw()),
		cmp.Compare(a.GetProduct().GetCode(), b.GetProduct().GetCode()),
		cmp.Compare(a.GetPeriod().GetStart(), b.GetPeriod().GetStart()),
		cmp.Compare(a.GetDecision().GetBudget(), b.GetDecision().GetBudget()),
		cmp.Compare(a.GetDecision().GetNumber(), b.GetDecision().GetNumber()),
		cmp.Compare(a.GetAmount().GetCents(), b.GetAmount().GetCents()),
	)
}
