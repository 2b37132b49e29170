package budgetv1_test

import (
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// The list of laws is the one that a line is checked by.
func TestLawsAreThoseOfALine(t *testing.T) {
	field := (&budgetv1.BudgetLine{}).ProtoReflect().Descriptor().Fields().ByName("law")
	rules, ok := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
	require.True(t, ok)
	require.ElementsMatch(t, rules.GetString().GetIn(), budgetv1.Laws())
	require.Less(t, budgetv1.LawRank("WMO"), budgetv1.LawRank("VALYS"))
	require.Equal(t, len(budgetv1.Laws()), budgetv1.LawRank("-"))
}
