package budget

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// hidden stands for a part that may not be seen.
const hidden = "-"

// line is a budget line of our own, with its period as it was read.
type line struct {
	*budgetv1.BudgetLine
	term  term
	dated bool // the period could be read
}

// adopt copies a source's line and fills in what assembly decides: whatever
// the source put there is not believed.
func adopt(a Answer, m *budgetv1.BudgetLine) line {
	own := proto.CloneOf(m)
	own.Person = string(a.Person)
	own.ValueCents = nil
	own.Contested = false
	for _, p := range own.Provenance {
		p.Consent, p.Agreement = a.Consent, a.Agreement
	}
	l := line{BudgetLine: own}
	l.term, l.dated = readTerm(own.GetPeriod())
	own.Id = l.name()
	return l
}

// name is the id as far as it does not depend on other lines.
func (l line) name() string {
	start := hidden
	if l.dated {
		start = l.term.span.From.String()
	}
	return l.GetPerson() + "/" + part(l.GetLaw()) + "/" + part(l.GetProduct().GetCode()) + "/" + start
}

// part is a code inside an id, where a character of no code could forge
// another line's id.
func part(code string) string {
	odd := func(r rune) bool {
		letter := 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
		return !letter && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	}
	if code == "" || len(code) > 64 || strings.ContainsFunc(code, odd) {
		return hidden
	}
	return code
}

func (l line) right() right { return rightOf(l.GetPerson(), l.GetLaw(), l.GetProduct().GetCode()) }

// money is what the line is worth as decided: income for a benefit, else the
// amount, so that income can never pass for care money. ok is false when
// a line has the one that it should not have.
func (l line) money() (a *budgetv1.Amount, ok bool) {
	switch {
	case l.Amount != nil && l.Income != nil:
		return nil, false
	case l.GetFungibility() == "": // withheld: only what it is called is unknown
		return cmp.Or(l.Amount, l.Income), true
	case l.GetFungibility() == budgetv1.MoneyIncome:
		return l.Income, l.Amount == nil
	default:
		return l.Amount, l.Income == nil
	}
}

// moneyCategory names the data category of the line's money.
func (l line) moneyCategory() string {
	if l.Income != nil {
		return string(budgetv1.CategoryIncome)
	}
	return string(budgetv1.CategoryAmount)
}

// assess sets what falls in the window. It is false when there is money and
// a period, and yet no value: then the source's data are wrong. Without money
// or without a period, nothing is known and nothing is wrong.
func (l line) assess(w civil.Span) bool {
	a, ok := l.money()
	if l.GetPeriod() == nil || ok && a == nil {
		return true
	}
	if !ok || !l.dated {
		return false
	}
	cents, ok := l.term.value(a, w)
	if ok {
		l.ValueCents = &cents
	}
	return ok
}

// number puts lines in the order of their ids and distinguishes those that share
// one by funder, decision reference and amount.
func number(lines []line) []line {
	slices.SortFunc(lines, order)
	lines = slices.CompactFunc(lines, sameRecordTwice)
	base, n := "", 0
	for _, l := range lines {
		if l.Id != base {
			base, n = l.Id, 0
		}
		if n++; n > 1 {
			l.Id = fmt.Sprintf("%s#%d", base, n)
		}
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.Id, b.Id) })
	return lines
}

// order is total: two lines that compare equal are the same message.
func order(a, b line) int {
	if c := cmp.Or(
		cmp.Compare(a.Id, b.Id),
		cmp.Compare(a.GetFunder(), b.GetFunder()),
		cmp.Compare(a.reference(), b.reference()),
		cmp.Compare(a.cents(), b.cents()),
	); c != 0 {
		return c
	}
	return bytes.Compare(written(a.BudgetLine), written(b.BudgetLine))
}

// reference is the number of the decision, or of the award when that is all
// there is.
func (l line) reference() string {
	return cmp.Or(l.GetDecision().GetNumber(), l.GetDecision().GetBudget())
}

func (l line) cents() int64 {
	a, _ := l.money()
	return a.GetCents()
}

// sameRecordTwice reports whether a native record came in twice: everything is
// equal, the salted hash of the record included (merging is idempotent).
func sameRecordTwice(a, b line) bool {
	hashed := slices.ContainsFunc(a.Provenance, func(p *budgetv1.Provenance) bool { return len(p.GetSha256()) > 0 })
	return hashed && proto.Equal(a.BudgetLine, b.BudgetLine)
}

// written is a message as bytes, to compare by. Text that is no UTF-8 cannot
// be written; what comes over gRPC always is.
func written(m proto.Message) []byte {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil
	}
	return raw
}
