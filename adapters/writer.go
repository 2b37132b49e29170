package adapters

import (
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"github.com/google/uuid"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Record names the native record that a line rests on.
type Record struct {
	// Native is the record as the system gave it, byte for byte.
	Native []byte
	// Type of record: award, case_system, wmo301, jw301, suwi, iwlz, zvw, ...
	Type string
	// ID of the record at the source; empty when it has none.
	ID string
	// Pointer is the path inside the record, for example /Functiebudgetten/0.
	Pointer string
}

// Reasons why a native record gave no line, or a part of it no money.
const (
	SkippedRefused       = "REFUSED"                 // the application was turned down
	SkippedOutsideWindow = "OUTSIDE_WINDOW"          // written by the Writer itself
	SkippedNoAward       = "NO_AWARD"                // of which nothing was awarded or allocated
	SkippedOtherParty    = "OTHER_PARTY"             // of another party, which answers for itself
	SkippedNoDecision    = "NO_DECISION"             // an application that is not decided yet
	SkippedOtherLaw      = "OTHER_LAW"               // of a law that was not asked for
	SkippedNotGranted    = "NOT_GRANTED"             // not even that it exists may be disclosed
	SkippedOtherMessage  = "OTHER_MESSAGE"           // a message that says nothing of a budget
	SkippedRemoved       = "REMOVED"                 // taken back: to be treated as never sent
	SkippedSuperseded    = "SUPERSEDED"              // an older figure or message: a newer one came since
	SkippedZero          = budgetv1.NoticeReasonZero // withdrawn, and not as it should be: over more than its first day
	SkippedLapsed        = "LAPSED"                  // ended before it began: it never was a right
	SkippedOdd           = "ODD_RECORD"              // could not be read: written by Odd
	// SkippedAmount: the line stands, its money does not. A total over a period
	// without an end has no value in any window; guessing an end would invent money.
	SkippedAmount = "AMOUNT_WITHOUT_END"
)

// Codes of notices.
const (
	NoticeSkipped        = budgetv1.NoticeSkipped
	NoticeStale          = budgetv1.NoticeStale
	NoticeUnknownCode    = budgetv1.NoticeUnknownCode
	NoticeConflict       = budgetv1.NoticeConflict
	NoticeUnknownElement = budgetv1.NoticeUnknownElement // written by Unknown
	NoticeRowOmitted     = budgetv1.NoticeRowOmitted     // written by Omitted
)

// Origin is who answers.
type Origin struct {
	Adapter, Version string
	Key              []byte // record key, 32 bytes, known to the source only
}

// Writer collects what one source has on one person. It is not safe for
// use by several goroutines at once.
type Writer struct {
	request *budgetv1.FetchRequest
	window  civil.Span
	history civil.Date
	origin  Origin
	answer  string
	salt    []byte
	asOf    time.Time
	lines   []*budgetv1.BudgetLine
	notices []*budgetv1.Notice
	// What is not a line: never summed with lines.
	spends        []spend
	contributions []contribution
}

// NewWriter makes the writer for one request.
func NewWriter(r *budgetv1.FetchRequest, o Origin) (*Writer, error) {
	w := &Writer{request: r, origin: o, answer: uuid.NewString(), asOf: time.Now()}
	var err error
	if w.window.From, err = civil.Parse(r.GetWindow().GetFrom()); err != nil {
		return nil, ScopeUnsupported("window.from")
	}
	if w.window.To, err = civil.Parse(r.GetWindow().GetTo()); err != nil || w.window.To < w.window.From {
		return nil, ScopeUnsupported("window.to")
	}
	if w.history, err = civil.Parse(r.GetHistoryFrom()); err != nil {
		return nil, ScopeUnsupported("history_from")
	}
	// The salt can be made again only by those who have the key: a record
	// can be guessed, so its bare hash would disclose it.
	mac := hmac.New(sha256.New, o.Key)
	mac.Write([]byte(w.answer))
	w.salt = mac.Sum(nil)
	return w, nil
}

// Line adds a line and the native records it rests on, the one that holds the
// money first; of more than eight the rest is left out. The line's funder must be set; id, person and provenance must not.
// Response refuses a line without a funder. That is for the developer, who sees at once
// what is wrong; which party a line may name the gateway decides, and nobody else.
func (w *Writer) Line(l *budgetv1.BudgetLine, records ...Record) {
	for _, r := range records[:min(len(records), mostRecords)] {
		sum := sha256.New()
		sum.Write(w.salt)
		sum.Write(r.Native)
		l.Provenance = append(l.Provenance, &budgetv1.Provenance{
			Source: l.GetFunder(), Adapter: w.origin.Adapter, Version: w.origin.Version,
			RecordType: r.Type, RecordId: r.ID, Pointer: r.Pointer,
			Sha256: sum.Sum(nil), FetchedAtMs: w.asOf.UnixMilli(),
		})
	}
	w.lines = append(w.lines, l)
}

// Skipped says that a native record gives no line, and why. The pointer is a path
// in the native message and never holds a value.
func (w *Writer) Skipped(reason, law, pointer string) {
	w.notices = append(w.notices, &budgetv1.Notice{Code: NoticeSkipped, Reason: reason, Law: law, Pointer: pointer})
}

// Notice says something about the answer: NoticeStale or NoticeUnknownCode.
func (w *Writer) Notice(code, law, pointer string) {
	w.notices = append(w.notices, &budgetv1.Notice{Code: code, Law: law, Pointer: pointer})
}

// Disputed says of a line that was written that nobody can tell which of several versions
// of it holds, and that they differ: it must have no money.
func (w *Writer) Disputed(l *budgetv1.BudgetLine) { w.notices = append(w.notices, VersionConflict(l)) }

// Omitted says that an award left out a right that the one before it had, and that it
// should have told again. The right counts no more; of one outside the window nothing is
// said.
func (w *Writer) Omitted(law string, product *budgetv1.Product, period *budgetv1.Period, at Cursor) {
	w.gone(&budgetv1.Notice{Law: law, Product: product, Period: period, Pointer: cut(at.Pointer, longestPointer)})
}

// Zeroed says that an award withdrew a right, by an amount of 0, and not as it should:
// over more days than the first. The right counts no more. The source's owner finds it in
// the log, and who asks finds it beside the lines.
func (w *Writer) Zeroed(law string, product *budgetv1.Product, period *budgetv1.Period, at Cursor) {
	w.notices = append(w.notices, &budgetv1.Notice{
		Code: NoticeSkipped, Reason: SkippedZero, Law: law, Pointer: cut(at.Path, longestPointer), Rule: "an amount of 0 on the first day alone",
	})
	w.gone(&budgetv1.Notice{Reason: SkippedZero, Law: law, Product: product, Period: period, Pointer: cut(at.Pointer, longestPointer)})
}

func (w *Writer) gone(n *budgetv1.Notice) {
	if s, err := span(n.GetPeriod()); err == nil {
		if _, touches := s.Overlap(w.window); touches {
			n.Code = NoticeRowOmitted
			w.notices = append(w.notices, n)
		}
	}
}

// BeforeWindow reports whether what ends on a civil date (YYYY-MM-DD) ended before the
// window. What has no end, or no date for one, did not.
func (w *Writer) BeforeWindow(end string) bool {
	d, err := civil.Parse(end)
	return err == nil && d < w.window.From
}

// AsOf says when the source's data was read; without it that is when the Writer was made.
// Call it before the first Line.
func (w *Writer) AsOf(t time.Time) { w.asOf = t }
