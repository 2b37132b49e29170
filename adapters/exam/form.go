package exam

import (
	"context"
	"fmt"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters/handshake"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Of what kind a mistake in an answer is.
const (
	wrongMessage = "message"
	wrongCents   = "cents"
	wrongDate    = "date"
	wrongCode    = "code"
)

// formed gives the check that no answer has a mistake of a kind.
func formed(kind string) func(context.Context, *examination) *finding {
	return func(ctx context.Context, x *examination) *finding {
		return x.known(ctx, func(p Person, r *budgetv1.FetchResponse) *finding {
			for _, m := range mistakes(r) {
				if m.kind == kind {
					return fails("%s: %s (%s)", "%s: %s (%s)", p.ID, m.path, m.rule)
				}
			}
			return nil
		})
	}
}

// mistake in an answer: where, and against which rule.
type mistake struct{ kind, path, rule string }

// mistakes lists those against the rules of the message, the types of its fields, and the
// calendar.
func mistakes(r *budgetv1.FetchResponse) (all []mistake) {
	if err, ok := protovalidate.Validate(r).(*protovalidate.ValidationError); ok {
		for _, v := range err.Violations {
			path := protovalidate.FieldPathString(v.Proto.GetField())
			all = append(all, mistake{kindOf(lastOf(path), v.Proto.GetRuleId()), path, v.Proto.GetRuleId()})
		}
	}
	strays("", r.ProtoReflect(), func(path string) {
		all = append(all, mistake{kindOf(lastOf(path), ""), path, "unknown field, or another type"})
	})
	for i, l := range r.GetLines() {
		at := fmt.Sprintf("lines[%d].", i)
		all = append(all, calendar(at+"period.", l.GetPeriod())...)
		if l.GetAmount() != nil && l.GetIncome() != nil {
			all = append(all, mistake{wrongMessage, at + "income", "amount or income, not both"})
		}
		if d := l.GetDecision().GetIssued(); d != "" && !isDate(d) {
			all = append(all, mistake{wrongDate, at + "decision.issued", "a date of the calendar"})
		}
	}
	for i, h := range r.GetHistory() {
		all = append(all, calendar(fmt.Sprintf("history[%d].period.", i), h.GetPeriod())...)
	}
	for i, c := range r.GetOwnContributions() {
		all = append(all, calendar(fmt.Sprintf("own_contributions[%d].period.", i), c.GetPeriod())...)
	}
	for i, s := range r.GetSpends() {
		for name, day := range map[string]string{"start": s.GetStart(), "end": s.GetEnd(), "as_of": s.GetAsOf()} {
			if day != "" && !isDate(day) {
				all = append(all, mistake{wrongDate, fmt.Sprintf("spends[%d].%s", i, name), "a date of the calendar"})
			}
		}
	}
	return all
}

func lastOf(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// small: an answer is no larger than a gateway takes.
func small(ctx context.Context, x *examination) *finding {
	return x.known(ctx, func(p Person, r *budgetv1.FetchResponse) *finding {
		if size := proto.Size(r); size > handshake.MaxAnswer {
			return fails("%s: %d bytes; ten hoogste %d", "%s: %d bytes; at most %d", p.ID, size, handshake.MaxAnswer)
		}
		return nil
	})
}

// printable: every text can be shown as it stands.
func printable(ctx context.Context, x *examination) *finding {
	return x.known(ctx, func(p Person, r *budgetv1.FetchResponse) *finding {
		if path := budgetv1.Unprintable(r); path != "" {
			return fails("%s: %s", "%s: %s", p.ID, path)
		}
		return nil
	})
}

// inWindow: lines touch the window, and history is of the time before it that was asked.
func inWindow(ctx context.Context, x *examination) *finding {
	q := x.question(Numbers{})
	from, to, since := q.GetWindow().GetFrom(), q.GetWindow().GetTo(), q.GetHistoryFrom()
	return x.known(ctx, func(p Person, r *budgetv1.FetchResponse) *finding {
		for i, l := range r.GetLines() {
			if d := l.GetPeriod(); d.GetStart() > to || d.End != nil && d.GetEnd() < from { // ISO dates are in order as texts
				return fails("%s: lines[%d].period valt buiten de gevraagde dagen", "%s: lines[%d].period is outside the days that were asked", p.ID, i)
			}
		}
		for i, h := range r.GetHistory() {
			if d := h.GetPeriod(); d.GetEnd() >= from || d.GetEnd() < since {
				return fails("%s: history[%d].period is niet van ervoor", "%s: history[%d].period is not of before", p.ID, i)
			}
		}
		for i, c := range r.GetOwnContributions() {
			if d := c.GetPeriod(); d != nil && (d.GetStart() > to || d.End != nil && d.GetEnd() < from) {
				return fails("%s: own_contributions[%d].period valt buiten de gevraagde dagen", "%s: own_contributions[%d].period is outside the days that were asked", p.ID, i)
			}
		}
		return nil
	})
}

// own: every line is of the party that answers.
func own(ctx context.Context, x *examination) *finding {
	party := x.Persons.Party
	return x.known(ctx, func(p Person, r *budgetv1.FetchResponse) *finding {
		for i, l := range r.GetLines() {
			if party == "" {
				party = l.GetFunder()
			}
			if l.GetFunder() != party {
				return fails("%s: lines[%d].funder is een andere partij", "%s: lines[%d].funder is another party", p.ID, i)
			}
			for j, from := range l.GetProvenance() {
				if from.GetSource() != party {
					return fails("%s: lines[%d].provenance[%d].source is een andere partij", "%s: lines[%d].provenance[%d].source is another party", p.ID, i, j)
				}
			}
		}
		return nil
	})
}

// traced: an answer says who gives it and when, and each line on which records it rests.
func traced(ctx context.Context, x *examination) *finding {
	return x.known(ctx, func(p Person, r *budgetv1.FetchResponse) *finding {
		says := func(where string) *finding {
			return fails("%s: %s", "%s: %s", p.ID, where)
		}
		switch {
		case r.GetAdapter() != x.what.GetId() || r.GetVersion() != x.what.GetVersion():
			return says("adapter, version")
		case r.GetAnswerId() == "":
			return says("answer_id")
		case r.GetAsOfMs() <= 0:
			return says("as_of_ms")
		}
		for i, l := range r.GetLines() {
			if len(l.GetProvenance()) == 0 {
				return says(fmt.Sprintf("lines[%d].provenance", i))
			}
			for j, from := range l.GetProvenance() {
				if from.GetAdapter() != r.GetAdapter() || from.GetVersion() != r.GetVersion() || from.GetRecordType() == "" || from.GetFetchedAtMs() <= 0 {
					return says(fmt.Sprintf("lines[%d].provenance[%d]", i, j))
				}
			}
		}
		return nil
	})
}

// notItsOwn: it says nothing that assembly, or another gateway, alone may say.
func notItsOwn(ctx context.Context, x *examination) *finding {
	return x.known(ctx, func(p Person, r *budgetv1.FetchResponse) *finding {
		if len(r.GetWithheld()) > 0 || r.GetDisclosure() != nil {
			return fails("%s: withheld, disclosure", "%s: withheld, disclosure", p.ID)
		}
		for i, l := range r.GetLines() {
			if l.GetId() != "" || l.GetPerson() != "" || l.ValueCents != nil || l.GetContested() {
				return fails("%s: lines[%d]: id, person, value_cents, contested", "%s: lines[%d]: id, person, value_cents, contested", p.ID, i)
			}
			for j, from := range l.GetProvenance() {
				if from.GetConsent() != "" || from.GetAgreement() != "" {
					return fails("%s: lines[%d].provenance[%d]: consent, agreement", "%s: lines[%d].provenance[%d]: consent, agreement", p.ID, i, j)
				}
			}
		}
		return nil
	})
}
