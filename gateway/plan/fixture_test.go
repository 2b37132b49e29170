package plan_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// meppelCase is what the case file says of the plan, read by itself.
type meppelCase struct {
	Plan           json.RawMessage `json:"plan"`
	TestLegalBasis json.RawMessage `json:"test_legal_basis"`
	Expected       struct {
		Lines map[string]*int64 `json:"lines"`
		Plan  struct {
			Without struct {
				Refused []string `json:"refused"`
			} `json:"without_legal_basis"`
			With struct {
				Allocated        int64                       `json:"allocated_cents"`
				Unallocated      int64                       `json:"unallocated_cents"`
				UnallocatedByLaw map[string]int64            `json:"unallocated_by_law"`
				Account          map[string]map[string]int64 `json:"account"`
			} `json:"with_legal_basis"`
		} `json:"plan"`
	} `json:"expected"`
}

func meppel(t testing.TB) (meppelCase, plan.Input, *budgetv1.LegalBasis) {
	raw, err := casefile.Raw("meppel")
	require.NoError(t, err)
	var c meppelCase
	require.NoError(t, json.Unmarshal(raw, &c))
	q := plan.Input{Budget: meppelBudget(), Plan: new(budgetv1.Plan), Texts: texts(t)}
	basis := new(budgetv1.LegalBasis)
	require.NoError(t, protojson.Unmarshal(c.Plan, q.Plan))
	require.NoError(t, protojson.Unmarshal(c.TestLegalBasis, basis))
	return c, q, basis
}

func texts(t testing.TB) *wording.Texts {
	all, err := wording.ReadTexts(policies.FS)
	require.NoError(t, err)
	return all
}

// right is one line as a source sends it.
func right(law, funder, code, start, end string, a *budgetv1.Amount) *budgetv1.BudgetLine {
	l := &budgetv1.BudgetLine{
		Law: law, Funder: funder, Kind: "ENTITLEMENT", DeliveryForm: "PGB", Fungibility: "POOLABLE",
		Product: &budgetv1.Product{Code: code}, Period: &budgetv1.Period{Start: start}, Amount: a,
	}
	if end != "" {
		l.Period.End = &end
	}
	return l
}

func amount(cents int64, basis string) *budgetv1.Amount {
	return &budgetv1.Amount{Cents: cents, Basis: basis}
}

func total(cents int64) *budgetv1.Amount { return amount(cents, "PERIOD_TOTAL") }

func income(code, start, end string, a *budgetv1.Amount) *budgetv1.BudgetLine {
	l := right("WIA", "UWV", code, start, end, nil)
	l.Kind, l.DeliveryForm, l.Fungibility, l.Income = "BENEFIT", "CASH", "INCOME", a
	return l
}

func inKind(law, funder, code, start, end string) *budgetv1.BudgetLine {
	l := right(law, funder, code, start, end, nil)
	l.DeliveryForm, l.Fungibility = "ZIN", "IN_KIND"
	return l
}

// meppelBudget is the budget of the case, from answers made by hand.
func meppelBudget() *budgetv1.Budget {
	b := assemble(map[string][]*budgetv1.BudgetLine{
		"A1/UWV": {
			income("WIA", "2024-02-01", "", amount(231000, "PER_MONTH")),
			income("WIA", "2025-05-22", "2025-05-22", amount(221760, "ONE_OFF")),
		},
		"A2/UWV": nil,
		"A3/GM0119": {
			right("WMO", "GM0119", "02", "2025-01-01", "2025-12-31", total(1248000)),
			right("WMO", "GM0119", "07", "2025-04-01", "2025-12-31", total(624000)),
			inKind("WMO", "GM0119", "07", "2024-07-01", "2025-03-31"),
		},
		"A4/ZK5503": {right("WLZ", "ZK5503", "99", "2025-01-01", "2025-12-31", total(8541000))},
		"A5/GM0119": {
			right("JW", "GM0119", "45", "2025-02-01", "2025-07-31", total(421200)),
			right("JW", "GM0119", "45", "2025-08-01", "2026-01-31", total(421200)),
			inKind("JW", "GM0119", "54", "2025-01-15", "2025-12-31"),
		},
	}, "2025-01-01", "2025-12-31")
	b.SpentCents = map[string]int64{
		"A3/WMO/02/2025-01-01": 600000, "A3/WMO/07/2025-04-01": 192000,
		"A4/WLZ/99/2025-01-01": 4120000, "A5/JW/45/2025-02-01": 260000,
	}
	return b
}

// assemble puts answers by "person/party" together, asked on 30 June 2025.
func assemble(answers map[string][]*budgetv1.BudgetLine, from, to string) *budgetv1.Budget {
	q := budget.Request{
		Purpose: "integral_budget.compose", Requester: "GM0119", Today: civil.MustParse("2025-06-30"),
		Window: civil.Span{From: civil.MustParse(from), To: civil.MustParse(to)},
	}
	var all []budget.Answer
	for n := range 12 {
		person := fmt.Sprintf("A%d", n)
		for _, source := range []string{"GM0119", "ZK5503", "UWV", "ZV1", "EDU1"} {
			if lines, asked := answers[person+"/"+source]; asked {
				q.Persons = append(q.Persons, budget.Person{Ref: identity.PersonRef(person)})
				all = append(all, budget.Answer{
					Person: identity.PersonRef(person), Source: source,
					Response: &budgetv1.FetchResponse{Lines: lines},
				})
			}
		}
	}
	return budget.Assemble(q, all)
}

// basis pools the laws of care in Meppel over some days.
func basis(from, to string) *budgetv1.LegalBasis {
	return &budgetv1.LegalBasis{
		Id: "test", From: from, To: to,
		PoolableLaws: []string{"WMO", "JW", "WLZ", "ZVW"}, Municipalities: []string{"GM0119"},
	}
}

func split(line string, cents int64) *budgetv1.Split {
	return &budgetv1.Split{Line: line, Cents: cents}
}

// allocation has as many cents as its splits.
func allocation(id string, people []string, splits ...*budgetv1.Split) *budgetv1.Allocation {
	a := &budgetv1.Allocation{Id: id, Caregiver: "carer of " + id, Beneficiaries: people, Splits: splits}
	for _, s := range splits {
		a.Cents += s.GetCents()
	}
	return a
}

func asked(b *budgetv1.Budget, allocations ...*budgetv1.Allocation) plan.Input {
	return plan.Input{Budget: b, Plan: &budgetv1.Plan{Allocations: allocations}}
}

func refusedIn(c *budgetv1.PlanCheck) []string {
	var out []string
	for _, r := range c.GetRefused() {
		out = append(out, r.GetAllocation()+" "+r.GetCode())
	}
	return out
}

// found reports whether the findings hold a code about a line; an empty line is any.
func found(c *budgetv1.PlanCheck, code, line string) bool {
	for _, f := range c.GetFindings() {
		if f.GetCode() == code && (line == "" || f.GetLine() == line) {
			return true
		}
	}
	return false
}
