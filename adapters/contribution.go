package adapters

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// contribution is an own contribution and where it stands in the source's message.
type contribution struct {
	message *budgetv1.OwnContribution
	from    Record
}

// OwnContribution adds what a person pays per month. Its household is the source's
// own key of it, which does not leave: a handle is made of it here. Type and
// pointer of the record serve to name the place of an error.
func (w *Writer) OwnContribution(c *budgetv1.OwnContribution, from Record) {
	if c.GetHousehold() != "" {
		c.Household = w.handle(c.GetHousehold())
	}
	w.contributions = append(w.contributions, contribution{c, from})
}

// handle stands for a household within one budget. Its persons are asked about in
// requests of their own, whose answers have salts of their own; that a household pays
// once a month can be seen only when its handle is the same in each. The trace is what
// those requests share, so the salt is made of that: two budgets still cannot be
// joined. Without a trace the handle holds in this answer alone.
func (w *Writer) handle(household string) string {
	scope := "trace\x00" + w.request.GetRequester() + "\x00" + w.request.GetTrace()
	if w.request.GetTrace() == "" {
		scope = "answer\x00" + w.answer
	}
	mac := hmac.New(sha256.New, w.origin.Key)
	mac.Write([]byte("ontschot/household/1\x00" + scope + "\x00" + household))
	return hex.EncodeToString(mac.Sum(nil))
}

// placeContributions puts in the answer what may be disclosed of each own contribution:
// of a law that was asked for, in a period that touches the window.
func (w *Writer) placeContributions(r *budgetv1.FetchResponse) error {
	seen := map[string]bool{}
	for _, c := range w.contributions {
		if err := checkContribution(c); err != nil {
			if err := w.Odd(err, c.message.GetLaw(), daysOf(c.message.GetPeriod())); err != nil {
				return err
			}
			continue
		}
		granted := Granted(w.request, c.message.GetLaw())
		s, _ := span(c.message.GetPeriod()) // checkContribution has read it
		_, inside := s.Overlap(w.window)
		switch key := text(c.message); {
		case seen[key]:
		case len(granted) == 0:
			w.notify(r, &budgetv1.Notice{Code: NoticeSkipped, Reason: SkippedOtherLaw})
		case !slices.Contains(granted, budgetv1.CategoryOwnContribution):
			w.notify(r, &budgetv1.Notice{Code: NoticeSkipped, Reason: SkippedNotGranted})
		case !inside:
			w.notify(r, &budgetv1.Notice{Code: NoticeSkipped, Reason: SkippedOutsideWindow, Pointer: c.from.Pointer})
		default:
			seen[key] = true
			budgetv1.Minimise(c.message, granted, Masks(w.request, c.message.GetLaw()))
			r.OwnContributions = append(r.OwnContributions, c.message)
		}
	}
	slices.SortStableFunc(r.OwnContributions, compareContributions)
	return nil
}

func checkContribution(c contribution) error {
	at := placeOf(c.from.Type, c.from.Pointer)
	if err := checkMessage(at, c.message); err != nil {
		return err
	}
	s, err := span(c.message.GetPeriod())
	if err != nil || s.Until() < s.From {
		return BadData(at+"period", "two civil dates in order")
	}
	return nil
}

func compareContributions(a, b *budgetv1.OwnContribution) int {
	return cmp.Or(
		cmp.Compare(a.GetLaw(), b.GetLaw()), cmp.Compare(a.GetPeriod().GetStart(), b.GetPeriod().GetStart()),
		cmp.Compare(a.GetPeriod().GetEnd(), b.GetPeriod().GetEnd()),
		cmp.Compare(a.GetCentsPerMonth(), b.GetCentsPerMonth()),
	)
}
