package adapters

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// spend is a spending and where it stands in the source's message.
type spend struct {
	message *budgetv1.Spend
	from    Record
}

// Spend adds what was spent of one budget and function in one slice of its period. What is
// disclosed is what was granted under its law. Its type and pointer serve to name the place
// of an error.
func (w *Writer) Spend(s *budgetv1.Spend, from Record) {
	w.spends = append(w.spends, spend{s, from})
}

// placeSpends puts in the answer what may be disclosed of each spending. Of a budget that
// starts after the window nothing is disclosed; one that came twice counts once.
func (w *Writer) placeSpends(r *budgetv1.FetchResponse) error {
	seen := map[string]bool{}
	for _, s := range w.spends {
		law := s.message.GetLaw()
		granted := Granted(w.request, law)
		if err := checkSpend(s); err != nil {
			if err := w.Odd(err, law); err != nil {
				return err
			}
			continue
		}
		start, _ := civil.Parse(s.message.GetStart()) // checkSpend has read it
		switch key := text(s.message); {
		case seen[key]:
		case !slices.Contains(granted, budgetv1.CategorySpending):
			w.notify(r, &budgetv1.Notice{Code: NoticeSkipped, Reason: SkippedNotGranted})
		case start > w.window.To:
			w.notify(r, &budgetv1.Notice{Code: NoticeSkipped, Reason: SkippedOutsideWindow, Pointer: s.from.Pointer})
		default:
			seen[key] = true // before it is cut: two budgets may look alike afterwards
			budgetv1.Minimise(s.message, granted, Masks(w.request, law))
			r.Spends = append(r.Spends, s.message)
		}
	}
	slices.SortStableFunc(r.Spends, compareSpends)
	return nil
}

func checkSpend(s spend) error {
	at := placeOf(s.from.Type, s.from.Pointer)
	if err := checkMessage(at, s.message); err != nil {
		return err
	}
	if !slices.Contains(budgetv1.Laws(), s.message.GetLaw()) {
		return BadData(at+"law", "a law")
	}
	if _, err := civil.Parse(s.message.GetStart()); err != nil {
		return BadData(at+"start", "a civil date")
	}
	if end, err := civil.Parse(s.message.GetEnd()); s.message.GetEnd() != "" && (err != nil || end.String() < s.message.GetStart()) {
		return BadData(at+"end", "a civil date, not before the start")
	}
	if _, err := civil.Parse(s.message.GetAsOf()); err != nil && (s.message.Cents != nil || s.message.GetAsOf() != "") {
		return BadData(at+"as_of", "a civil date")
	}
	return nil
}

// text is all that is in a message, to tell two of them apart.
func text(m proto.Message) string {
	raw, _ := proto.MarshalOptions{Deterministic: true}.Marshal(m) // fails on invalid UTF-8 only, checked before
	return string(raw)
}

func compareSpends(a, b *budgetv1.Spend) int {
	return cmp.Or(
		cmp.Compare(a.GetBudget(), b.GetBudget()), cmp.Compare(a.GetFunction(), b.GetFunction()),
		cmp.Compare(a.GetStart(), b.GetStart()), cmp.Compare(a.GetEnd(), b.GetEnd()), cmp.Compare(a.GetAsOf(), b.GetAsOf()),
		cmp.Compare(a.GetCents(), b.GetCents()), cmp.Compare(a.GetLaw(), b.GetLaw()), cmp.Compare(a.GetFunder(), b.GetFunder()),
	)
}
