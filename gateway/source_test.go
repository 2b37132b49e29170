package gateway_test

import (
	"context"

	"google.golang.org/protobuf/proto"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Amounts of the played sources, in cents; the record may hold none of them. They are
// so long that none turns up by chance.
const (
	wmoCents   = 7654321098
	wlzCents   = 8765432109
	wiaCents   = 2319999123
	wmoSpent   = 1234567890
	wlzSpent   = 2345678901
	ownMonthly = 2137
)

// award is how a source numbers its awards, and decided how it numbers its decisions.
const (
	award   = "AWARD-NUMBER-"
	decided = "DECISION-NUMBER-1"
)

// source plays the system of a party: it answers the same of everybody.
type source struct {
	code  string
	seams *seams
}

func (s *source) Fetch(_ context.Context, _ *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	s.seams.pass("before a source looks")
	r := &budgetv1.FetchResponse{Adapter: "played", Version: "1.0.0", AsOfMs: 1751241600000, AnswerId: "answer"}
	s.seams.pass("while a source looks")
	s.fill(r)
	s.seams.pass("after a source looked")
	return r, nil
}

func (s *source) fill(r *budgetv1.FetchResponse) {
	switch s.code {
	case "GM0119":
		r.Lines = s.lines("WMO", "WMO020", "02", wmoCents)
	case "ZK5503":
		r.Lines = s.lines("WLZ", "COD163", "830", wlzCents)
	case "UWV":
		r.Lines = s.lines("WIA", "CdSzWet", "WIA", 0)
		l := r.Lines[0]
		l.Kind, l.DeliveryForm, l.Fungibility, l.Amount = "BENEFIT", "CASH", "INCOME", nil
		l.Income = &budgetv1.Amount{Cents: wiaCents, Basis: "PER_MONTH", Gross: true}
	case "SVB":
		r.Spends = []*budgetv1.Spend{
			{Budget: award + "GM0119", Function: "02", Start: "2025-01-01", Cents: proto.Int64(wmoSpent), AsOf: "2025-05-31"},
			{Budget: award + "ZK5503", Function: "99", Start: "2025-01-01", Cents: proto.Int64(wlzSpent), AsOf: "2025-05-31"},
		}
	case "CAK":
		r.OwnContributions = []*budgetv1.OwnContribution{{
			Law: "WMO", CentsPerMonth: proto.Int64(ownMonthly), Household: "their-household", Period: &budgetv1.Period{Start: "2025-01-01", End: proto.String("2025-12-31")},
		}}
	}
}

func (s *source) lines(law, list, product string, cents int64) []*budgetv1.BudgetLine {
	return []*budgetv1.BudgetLine{{
		Law: law, Funder: s.code, Kind: "ENTITLEMENT", DeliveryForm: "PGB", Fungibility: "POOLABLE",
		Product: &budgetv1.Product{System: list, Code: product, Label: "onbekend"},
		Period:  &budgetv1.Period{Start: "2025-01-01", End: proto.String("2025-12-31")},
		Amount:  &budgetv1.Amount{Cents: cents, Basis: "PERIOD_TOTAL"}, Decision: &budgetv1.Decision{Number: decided, Budget: award + s.code},
	}}
}
