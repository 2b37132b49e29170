package policy

import (
	"context"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// ContractOperation is the version of the contract in which a door asks.
const ContractOperation = "ontschot.operation/1"

// maxOperationBytes bounds the name of an operation.
const maxOperationBytes = 64

// RefusedError means that the policy lets this case worker not do this.
type RefusedError struct {
	Operation ontschotv1.Operation
	// Codes of the checks that failed, such as ROL-01, in the order of Codes.
	Codes []string
	// Way to yes; see Engine.Way.
	Way []*budgetv1.WayToYes
}

// Error names the operation and the codes.
func (e *RefusedError) Error() string {
	return "the policy does not allow " + string(e.Operation) + ": " + strings.Join(e.Codes, " ")
}

// MayDo reports whether a case worker may do something at the gateway of an organisation, with
// another who does it too where the cell asks for two; the zero Caller is nobody. Nil means yes. What cannot be
// judged, in time and in full, is a no. Errors: *RefusedError.
func (e *Engine) MayDo(ctx context.Context, own identity.OIN, caller, also token.Caller, operation ontschotv1.Operation) error {
	d := doing{
		organisation: string(own), operation: string(operation),
		worker: worker{caller.Role(), caller.Assurance()},
	}
	if also.Role() != "" {
		d.second = &worker{also.Role(), also.Assurance()}
	}
	o := e.operation(ctx, d)
	if s := e.shadow.Load(); s != nil {
		s.offer(offered{door: d, said: o})
	}
	if o.Allow {
		return nil
	}
	return &RefusedError{operation, o.Reasons, e.wayThrough(ctx, d)}
}

// doing is everything the rules see of what somebody comes to do.
type doing struct {
	contract     string // empty: ContractOperation
	organisation string
	operation    string
	worker
	second *worker // nil: nobody else
}

// worker is a case worker as far as the rules look.
type worker struct{ role, assurance string }

// operation judges, or finds what was judged before of the very same.
func (e *Engine) operation(ctx context.Context, d doing) Outcome {
	if d.contract == "" {
		d.contract = ContractOperation
	}
	if d.tooLong() {
		return undecided()
	}
	key := d.key()
	if o, ok := e.doors.get(key); ok {
		return o.clone()
	}
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	o, err := e.judgeOperation(ctx, e.names.operation(d))
	if err != nil || ctx.Err() != nil {
		return undecided() // not cached: the next time may be better
	}
	e.doors.put("", key, o.clone())
	return o
}

func (e *Engine) judgeOperation(ctx context.Context, input ast.Value) (Outcome, error) {
	results, err := e.operations.Eval(ctx, rego.EvalParsedInput(input))
	if err != nil {
		return Outcome{}, err
	}
	if len(results) != 1 || len(results[0].Expressions) != 1 {
		return Outcome{}, errAnswer
	}
	value, _ := results[0].Expressions[0].Value.(ast.Value)
	return operationOutcome(value)
}

// operationOutcome reads what the rules answered, and holds them to their contract.
func operationOutcome(value ast.Value) (Outcome, error) {
	r := newReader(value, 4)
	o := Outcome{Reasons: r.codes("reasons"), Checks: r.codes("checks"), Allow: r.flag("decision")}
	// A yes with a check that failed, without checks, or a no without a reason is no answer.
	if r.text("contract") != ContractDecision || r.failed || o.Allow != (len(o.Reasons) == 0) || len(o.Checks) == 0 {
		return Outcome{}, errAnswer
	}
	return o, nil
}

func (d doing) texts() []string {
	all := []string{d.contract, d.organisation, d.operation, d.role, d.assurance}
	if d.second != nil {
		all = append(all, d.second.role, d.second.assurance)
	}
	return all
}

func (d doing) tooLong() bool {
	for _, text := range d.texts() {
		if len(text) > maxText {
			return true
		}
	}
	return len(d.operation) > maxOperationBytes
}

// key stands for everything the rules see, each text preceded by its length.
func (d doing) key() []byte { return appendTexts(nil, d.texts()...) }

// operation writes it as the rules read it.
func (v vocabulary) operation(d doing) ast.Value {
	subject := [][2]*ast.Term{
		v.text("type", "organisation"), v.text("id", d.organisation),
		v.object("properties", v.text("role", d.role), v.text("assurance", d.assurance)),
	}
	if d.second != nil {
		subject = append(subject, v.object("second", v.text("role", d.second.role), v.text("assurance", d.second.assurance)))
	}
	return ast.NewObject(
		v.object("subject", subject...),
		v.object("action", v.text("name", d.operation)),
		v.object("context", v.text("contract", d.contract)),
	)
}
