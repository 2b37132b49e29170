package budgetv1_test

import (
	"cmp"
	"slices"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// in gives the words by which a field is checked, of one text or of a list of them.
func in(t *testing.T, m proto.Message, field protoreflect.Name) []string {
	f := m.ProtoReflect().Descriptor().Fields().ByName(field)
	rules, ok := proto.GetExtension(f.Options(), validate.E_Field).(*validate.FieldRules)
	require.True(t, ok)
	if f.IsList() {
		return rules.GetRepeated().GetItems().GetString().GetIn()
	}
	return rules.GetString().GetIn()
}

// The closed lists are those by which the messages are checked.
func TestTheClosedListsAreThoseOfTheMessages(t *testing.T) {
	line, scope := &budgetv1.BudgetLine{}, &budgetv1.Scope{}
	require.ElementsMatch(t, in(t, line, "law"), budgetv1.Laws())
	require.ElementsMatch(t, in(t, scope, "law"), budgetv1.Laws())
	require.ElementsMatch(t, in(t, line, "delivery_form"), budgetv1.DeliveryForms())
	require.ElementsMatch(t, in(t, line, "fungibility"), budgetv1.Fungibilities())
	require.ElementsMatch(t, in(t, &budgetv1.Notice{}, "code"), budgetv1.NoticeCodes())
	var categories []string
	for _, c := range budgetv1.Categories() {
		categories = append(categories, string(c))
	}
	require.Equal(t, in(t, scope, "categories"), categories)
}

func TestNoListNamesAWordTwice(t *testing.T) {
	for name, list := range map[string][]string{
		"kinds": budgetv1.Kinds(), "laws": budgetv1.Laws(), "forms": budgetv1.DeliveryForms(), "money": budgetv1.Fungibilities(),
		"reasons": budgetv1.GapReasons(), "findings": budgetv1.FindingCodes(), "severities": budgetv1.Severities(),
		"statuses": budgetv1.Statuses(), "refusals": budgetv1.RefusalCodes(), "notices": budgetv1.NoticeCodes(),
	} {
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(list))), len(list), name)
	}
}

// The names of the numbers are those of the fields, and only education and transport have
// another number than the BSN.
func TestIdentifiers(t *testing.T) {
	var fields []string
	all := (&budgetv1.Identifiers{}).ProtoReflect().Descriptor().Fields()
	for i := range all.Len() {
		fields = append(fields, string(all.Get(i).Name()))
	}
	require.ElementsMatch(t, fields, budgetv1.IdentifierNames())
	for _, kind := range budgetv1.Kinds() {
		want := map[string]string{"EDUCATION": "education_number", "TRANSPORT": "pass_number"}[kind]
		require.Equal(t, cmp.Or(want, "bsn"), budgetv1.IdentifierOf(kind), kind)
	}
}

func TestLawRank(t *testing.T) {
	require.Less(t, budgetv1.LawRank("WMO"), budgetv1.LawRank("VALYS"))
	require.Equal(t, len(budgetv1.Laws()), budgetv1.LawRank("-"))
}
