package budgetv1_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func files() []protoreflect.FileDescriptor {
	return []protoreflect.FileDescriptor{
		budgetv1.File_ontschot_budget_v1_budget_proto, budgetv1.File_ontschot_budget_v1_line_proto,
		budgetv1.File_ontschot_budget_v1_source_proto, budgetv1.File_ontschot_budget_v1_plan_proto, ontschotv1.File_ontschot_v1_budget_service_proto, adapterv1.File_ontschot_adapter_v1_adapter_proto,
		ontschotv1.File_ontschot_v1_exchange_proto, ontschotv1.File_ontschot_v1_registry_proto,
	}
}

func eachField(t *testing.T, visit func(f protoreflect.FieldDescriptor, c budgetv1.Category)) {
	seen := 0
	var messages func(ms protoreflect.MessageDescriptors)
	messages = func(ms protoreflect.MessageDescriptors) {
		for i := range ms.Len() {
			if ms.Get(i).IsMapEntry() {
				continue
			}
			for j := range ms.Get(i).Fields().Len() {
				f := ms.Get(i).Fields().Get(j)
				visit(f, budgetv1.CategoryOf(f))
				seen++
			}
			messages(ms.Get(i).Messages())
		}
	}
	for _, f := range files() {
		messages(f.Messages())
	}
	require.Greater(t, seen, 100)
}

func TestEveryFieldCarriesOneCategoryOfTheClosedList(t *testing.T) {
	closed := append(budgetv1.Categories(), "person", "technical")
	eachField(t, func(f protoreflect.FieldDescriptor, c budgetv1.Category) {
		require.Contains(t, closed, c, f.FullName())
		if c == "technical" && f.IsMap() {
			require.Nil(t, f.MapValue().Message(), "%s: minimisation does not enter maps", f.FullName())
		}
	})
}

// A generated message prints a number even when its field is marked redacted, so
// identifying numbers live in Identifiers and nowhere else.
func TestIdentifyingNumbersLiveInOneMessage(t *testing.T) {
	home := (&budgetv1.Identifiers{}).ProtoReflect().Descriptor().FullName()
	eachField(t, func(f protoreflect.FieldDescriptor, c budgetv1.Category) {
		if slices.Contains([]protoreflect.Name{"bsn", "education_number", "pass_number"}, f.Name()) && f.Kind() == protoreflect.StringKind && !f.IsList() {
			require.Equal(t, home, f.Parent().FullName(), f.FullName())
			require.Equal(t, budgetv1.Category("person"), c, f.FullName())
		}
	})
}

func TestMinimise(t *testing.T) {
	full := func() *budgetv1.BudgetLine {
		return &budgetv1.BudgetLine{
			Law: "WMO", Funder: "GM0001", Kind: "ENTITLEMENT",
			Product: &budgetv1.Product{Code: "02"}, Period: &budgetv1.Period{Start: "2025-01-01"},
			Amount: &budgetv1.Amount{Cents: 5}, Income: &budgetv1.Amount{Cents: 6},
			Decision:   &budgetv1.Decision{Number: "7"},
			Provenance: []*budgetv1.Provenance{{Source: "GM0001", RecordId: "7"}},
		}
	}
	line := full()
	budgetv1.Minimise(line, []budgetv1.Category{budgetv1.CategoryEntitlement, budgetv1.CategoryIncome}, nil)
	require.True(t, proto.Equal(&budgetv1.BudgetLine{
		Law: "WMO", Funder: "GM0001", Kind: "ENTITLEMENT", Income: &budgetv1.Amount{Cents: 6},
		Provenance: []*budgetv1.Provenance{{Source: "GM0001"}},
	}, line), "the amount inside income is governed by income; the record id inside provenance is not")

	line = full()
	budgetv1.Minimise(line, budgetv1.Categories(), nil)
	require.True(t, proto.Equal(full(), line))

	line = full()
	line.ProtoReflect().SetUnknown([]byte{0x98, 0x7d, 0x01})
	budgetv1.Minimise(line, nil, nil)
	require.True(t, proto.Equal(&budgetv1.BudgetLine{Funder: "GM0001", Provenance: []*budgetv1.Provenance{{Source: "GM0001"}}}, line))
}
