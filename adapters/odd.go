package adapters

import (
	"regexp"
	"slices"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Odd says that a record, or a part of one, could not be read: err is what is wrong with
// it, with its place. It is skipped with a notice and what is sound beside it stands. The
// answer stays whole only if the record's own days show that it lies wholly outside
// window and history: pass the days of each right in it, as far as they are known. Else
// it leaves a gap. The law is empty when it is not known.
//
// Odd gives nil, and any other error than bad data back as it is: a source that cannot be
// reached costs more than a record.
func (w *Writer) Odd(err error, law string, days ...Days) error {
	if err == nil || Reason(err) != ReasonBadData {
		return err
	}
	if !slices.Contains(budgetv1.Laws(), law) {
		law = ""
	}
	n := &budgetv1.Notice{
		Code: NoticeSkipped, Reason: SkippedOdd, Law: law,
		Pointer: cut(Path(err), longestPointer), Rule: cut(Rule(err), longestRule), Gap: budgetv1.GapRecordSkipped,
	}
	if w.Outside(days...) {
		n.Gap = ""
	}
	w.notices = append(w.notices, n)
	return nil
}

// Incomplete says that an answer lacks something beside its lines: gap is
// budgetv1.GapVersionConflict or budgetv1.GapUnknownLaw, at says of which record.
func (w *Writer) Incomplete(gap, law string, at Cursor) {
	w.notices = append(w.notices, &budgetv1.Notice{
		Code: NoticeSkipped, Reason: gap, Law: law, Pointer: cut(at.Path, longestPointer), Gap: gap,
	})
}

// OtherLaw accounts for a record of a law that is not on our list; code is where that
// stands. Without a law there is no line, and to coerce it into one would be wrong; that it
// is missing is said, unless it ended before all that was asked about.
func (w *Writer) OtherLaw(at Cursor, code string, days ...Days) {
	w.Notice(NoticeUnknownCode, "", code)
	if w.Outside(days...) {
		w.Skipped(SkippedOtherLaw, "", at.Path)
		return
	}
	w.Incomplete(budgetv1.GapUnknownLaw, "", at)
}

// unlisted reports whether nobody who asks would ask this source for a law: of what the
// source has under it nobody else speaks. A law that was asked for by itself, or that was
// refused, has its own answer or gap.
func (w *Writer) unlisted(law string) bool {
	return law != "" && len(w.request.GetLaws()) > 0 && !slices.Contains(w.request.GetLaws(), law) && len(Granted(w.request, law)) == 0
}

// Outside reports whether days are known, and all of them show that a right lies wholly
// outside window and history.
func (w *Writer) Outside(days ...Days) bool {
	asked := Span{From: min(w.history, w.window.From), To: w.window.To}
	return len(days) > 0 && !slices.ContainsFunc(days, func(d Days) bool { return !d.outside(asked) })
}

// Period gives the days of a right as a line has them. The error is bad data: days that
// are known in part, where what is not known changes a cent of the window.
func (w *Writer) Period(days Days, basis string, at Cursor) (*budgetv1.Period, error) {
	if days.Lapsed() || !days.certain(w.window, basis) {
		return nil, at.Bad("days that are known where they count, in order")
	}
	return PeriodOf(days.Span), nil
}

// Unknown says that a record has a member that the adapter does not know. Its name is
// passed on only when it looks like one: a name may hold a value.
func (w *Writer) Unknown(law, name string, at Cursor) {
	if len(name) > 64 || !elementName.MatchString(name) || manyDigits.MatchString(name) {
		name = ""
	}
	w.notices = append(w.notices, &budgetv1.Notice{Code: NoticeUnknownElement, Law: law, Element: name, Pointer: cut(at.Path, longestPointer)})
}

var (
	elementName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	manyDigits  = regexp.MustCompile(`[0-9]{4}`)
)

// Bounds of a notice, as the message has them.
const (
	longestPointer = 256
	longestRule    = 128
)

func cut(text string, n int) string { return text[:min(len(text), n)] }

// mostNotices is from how many on those of one code and reason are one, whatever they
// point at.
const mostNotices = 128

// alike reports whether two notices are of one kind. Where a record stands matters only
// for what is said of a line.
func alike(a, b *budgetv1.Notice, many bool) bool {
	same := a.GetCode() == b.GetCode() && a.GetReason() == b.GetReason() && a.GetLaw() == b.GetLaw() && a.GetGap() == b.GetGap()
	if !same || many {
		return same
	}
	pointed := a.GetCode() != NoticeSkipped && a.GetCode() != NoticeUnknownElement
	return a.GetElement() == b.GetElement() && a.GetRule() == b.GetRule() &&
		a.GetProduct().GetCode() == b.GetProduct().GetCode() && (!pointed || a.GetPointer() == b.GetPointer())
}

// count adds a notice to an answer: as one more of its kind, or as the first.
func count(r *budgetv1.FetchResponse, n *budgetv1.Notice) {
	for _, one := range r.Notices {
		if alike(one, n, len(r.Notices) >= mostNotices) {
			one.Count = max(one.GetCount(), 1) + max(n.GetCount(), 1)
			return
		}
	}
	r.Notices = append(r.Notices, n)
}
