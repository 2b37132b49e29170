package bench

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/internal/civil"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Memory is the adapter id of the source that answers from memory.
const Memory = "memory"

// memoryLines make an answer of about 2 KB.
const memoryLines = 6

// memory is an adapter of a care office that has the same awards for everybody.
type memory struct{ party string }

// NewMemory gives the adapter that answers from memory, so that what is measured is the
// gateway and the adapter's kit.
func NewMemory() adapters.Adapter { return &memory{} }

// Describe implements adapters.Adapter.
func (*memory) Describe() *adapterv1.DescribeResponse {
	return &adapterv1.DescribeResponse{
		Id: Memory, Version: "1.0.0", Laws: []string{"WLZ"},
		Categories:  []string{"entitlement", "product", "period", "amount", "reference", "quantity", "provider"},
		Identifiers: []string{"bsn"},
	}
}

// Configure implements adapters.Adapter.
func (m *memory) Configure(_ context.Context, c adapters.Config) error {
	var settings struct {
		Party string `json:"party"`
	}
	if err := c.Decode(&settings); err != nil {
		return err
	}
	m.party = settings.Party
	return nil
}

// Fetch implements adapters.Adapter: an award for every two months of the window.
func (m *memory) Fetch(_ context.Context, r *budgetv1.FetchRequest, out *adapters.Writer) error {
	if _, err := adapters.TakeBSN(r); err != nil {
		return err
	}
	from, err := civil.Parse(r.GetWindow().GetFrom())
	if err != nil {
		return adapters.ScopeUnsupported("window.from")
	}
	for i := range memoryLines {
		start, id := from.AddMonths(2*i), fmt.Sprintf("WLZ-5503-2025-%02d", i)
		out.Line(&budgetv1.BudgetLine{
			Law: "WLZ", Funder: m.party, Kind: "ENTITLEMENT", DeliveryForm: "PGB", Fungibility: "POOLABLE",
			Product:  &budgetv1.Product{System: "WLZ022", Code: "99", Label: "Wlz-zorg"},
			Period:   &budgetv1.Period{Start: start.String(), End: proto.String((start.AddMonths(2) - 1).String())},
			Amount:   &budgetv1.Amount{Cents: int64(840000 + i), Basis: "PERIOD_TOTAL"},
			Decision: &budgetv1.Decision{Number: id, Budget: id},
		}, adapters.Record{Native: []byte(id), Type: "award", ID: id, Pointer: fmt.Sprintf("/Budget/%d", i)})
	}
	return nil
}
