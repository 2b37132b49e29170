package policy

import (
	"errors"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// ContractDecision is the version of the contract that the rules answer in.
const ContractDecision = "ontschot.decision/1"

// errAnswer means that the rules gave something that is no decision. It never
// leaves this package: it becomes SYS-01.
var errAnswer = errors.New("not a decision of " + ContractDecision)

// outcome reads what the rules answered (schemas/decision.json) and holds them to
// their contract: an answer that gives more than was asked, that says yes though
// a check failed, or that asks for what nobody knows, is no answer.
func outcome(value ast.Value, asked []string) (Outcome, error) {
	r := newReader(value, 7)
	o := Outcome{
		Reasons: r.codes("reasons"),
		Checks:  r.codes("checks"),
		Fields:  r.texts("fields"),
		Dropped: r.texts("dropped"),
		Allow:   r.flag("decision"),
	}
	if r.text("contract") != ContractDecision || r.failed || !within(o.Fields, asked) || !within(o.Dropped, asked) {
		return Outcome{}, errAnswer
	}
	if !o.Allow {
		return denied(o, newReader(r.member("obligations"), 0))
	}
	return allowed(o, newReader(r.member("obligations"), 2))
}

func denied(o Outcome, obligations *reader) (Outcome, error) {
	if len(o.Reasons) == 0 || len(o.Fields) > 0 || obligations.failed {
		return Outcome{}, errAnswer
	}
	return o, nil
}

func allowed(o Outcome, obligations *reader) (Outcome, error) {
	o.RetentionDays, o.Notify = obligations.days("retention_days"), obligations.list("notify")
	if obligations.failed || len(o.Reasons) > 0 || len(o.Fields) == 0 {
		return Outcome{}, errAnswer
	}
	if slices.ContainsFunc(o.Notify, func(who string) bool { return who != "betrokkene" && who != "functionaris" }) {
		return Outcome{}, errAnswer
	}
	for category, mask := range o.Fields {
		if !knownMask(budgetv1.Category(category), budgetv1.Mask(mask)) {
			return Outcome{}, errAnswer
		}
	}
	return o, nil
}

// knownMask holds the closed list of masks. That there is a right cannot be disclosed in part.
func knownMask(c budgetv1.Category, mask budgetv1.Mask) bool {
	return slices.Contains(budgetv1.MaskNames(), mask) && (mask == budgetv1.MaskNone || c != budgetv1.CategoryEntitlement)
}

func within(fields map[string]string, asked []string) bool {
	for category := range fields {
		if !slices.Contains(asked, category) {
			return false
		}
	}
	return true
}
