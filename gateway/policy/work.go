package policy

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// errWork means that what was brought is not in the form in which a door asks.
var errWork = fmt.Errorf("%w: not a request of %s", ErrInput, ContractOperation)

// Work is what somebody comes to do at a door, in the shape of AuthZEN 1.0.
type Work struct {
	Subject Workers     `json:"subject"`
	Action  WorkAction  `json:"action"`
	Context WorkContext `json:"context"`
}

// Workers are the organisation, who does it, and who does it too where two are needed.
type Workers struct {
	Type       string  `json:"type"` // organisation
	ID         string  `json:"id"`   // OIN
	Properties Worker  `json:"properties"`
	Second     *Worker `json:"second,omitempty"`
}

// Worker is a case worker as far as the rules look.
type Worker struct {
	Role      string `json:"role"`
	Assurance string `json:"assurance"`
}

// WorkAction is one of ontschotv1.Operations.
type WorkAction struct {
	Name string `json:"name"`
}

// WorkContext says in which contract it asks.
type WorkContext struct {
	Contract string `json:"contract"` // ContractOperation
}

// ParseWork reads what is done at a door from JSON, as ParseInput does. Errors: ErrInput.
func ParseWork(raw []byte) (Work, error) {
	var w Work
	if len(raw) > maxInputBytes || !readKnown(raw, &w) || w.Subject.Type == "" || w.Subject.ID == "" || w.Action.Name == "" {
		return Work{}, errWork
	}
	if w.doing().tooLong() {
		return Work{}, fmt.Errorf("%w: a text is too long", errWork)
	}
	return w, nil
}

// EvaluateWork judges what somebody comes to do, as every door does, and gives the way to
// yes where it is a no. What cannot be judged is denied with SYS-01.
func (e *Engine) EvaluateWork(ctx context.Context, w Work) (Outcome, []*budgetv1.WayToYes) {
	d := w.doing()
	o := e.operation(ctx, d)
	if w.Subject.Type != "organisation" {
		o = undecided()
	}
	if o.Allow {
		return o, nil
	}
	way := e.wayThrough(ctx, d)
	if w.Subject.Type != "organisation" {
		way = inOrder(merge(way, &budgetv1.WayToYes{Act: budgetv1.ActRequest}))
	}
	return o, way
}

// doing is the same for the rules. An empty contract is none: it is not the right one.
func (w Work) doing() doing {
	d := doing{
		contract: w.Context.Contract, organisation: w.Subject.ID, operation: w.Action.Name,
		worker: worker{w.Subject.Properties.Role, w.Subject.Properties.Assurance},
	}
	if d.contract == "" {
		d.contract = "-"
	}
	if s := w.Subject.Second; s != nil {
		d.second = &worker{s.Role, s.Assurance}
	}
	return d
}

// wayThrough is the way to yes at a door: another role, a higher level, a second person.
func (e *Engine) wayThrough(ctx context.Context, d doing) (way []*budgetv1.WayToYes) {
	fails := func(d doing, code string) bool { return slices.Contains(e.operation(ctx, d).Reasons, code) }
	if fails(d, "SYS-02") || fails(d, CodeUndecided) {
		d.contract = ContractOperation
		if !identity.IsOIN(identity.OIN(d.organisation)) {
			d.organisation = anOIN
		}
		way = append(way, &budgetv1.WayToYes{Act: budgetv1.ActRequest})
	}
	if fails(d, CodeUndecided) {
		return nil // it could not be judged, and nothing is said
	}
	never := []*budgetv1.WayToYes{{Act: budgetv1.ActNever, Code: "ROL-01", Party: e.barred(d)}}
	if fails(d, "ROL-01") {
		i := slices.IndexFunc(e.ways.workers(), func(w worker) bool { return !fails(d.as(w), "ROL-01") })
		if i < 0 {
			return never
		}
		w := e.ways.workers()[i]
		d, way = d.as(w), append(way, workers(w)...)
	}
	if fails(d, "ROL-02") {
		who := d.worker
		if d.second != nil {
			who = *d.second
		}
		i := slices.IndexFunc(e.ways.workers(), func(w worker) bool { return !fails(d.with(who.as(w)), "ROL-02") })
		switch {
		case !fails(d.with(who), "ROL-02"):
		case i < 0:
			return never
		default:
			who = who.as(e.ways.workers()[i])
		}
		way = append(way, &budgetv1.WayToYes{Act: budgetv1.ActSecondPerson, Role: who.role, Assurance: who.assurance})
	}
	return way
}

// as is the same with another role or level; empty: as it is.
func (w worker) as(other worker) worker {
	return worker{cmp.Or(other.role, w.role), cmp.Or(other.assurance, w.assurance)}
}

func (d doing) as(w worker) doing {
	d.worker = d.worker.as(w)
	return d
}

func (d doing) with(second worker) doing {
	d.second = &second
	return d
}

// barred is the organisation, where its own rules are stricter at this door.
func (e *Engine) barred(d doing) string {
	if len(member(member(member(e.tables["overlays"], d.organisation), "operations"), d.operation)) > 0 {
		return d.organisation
	}
	return ""
}
