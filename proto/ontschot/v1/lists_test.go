package ontschotv1_test

import (
	"slices"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// The closed lists are those by which the messages are checked.
func TestTheClosedListsAreThoseOfTheMessages(t *testing.T) {
	for field, list := range map[protoreflect.Name][]string{"kind": ontschotv1.Proofs(), "loa": ontschotv1.Assurances()} {
		f := (&ontschotv1.ConsentSignature{}).ProtoReflect().Descriptor().Fields().ByName(field)
		rules, ok := proto.GetExtension(f.Options(), validate.E_Field).(*validate.FieldRules)
		require.True(t, ok)
		require.Equal(t, list, rules.GetString().GetIn(), field)
	}
}

func TestNoListNamesAWordTwice(t *testing.T) {
	var operations []string
	for _, o := range ontschotv1.Operations() {
		operations = append(operations, string(o))
	}
	for name, list := range map[string][]string{
		"operations": operations, "purposes": ontschotv1.Purposes(), "signing roles": ontschotv1.SigningRoles(),
		"agreements": ontschotv1.AgreementStatuses(), "consents": ontschotv1.ConsentStatuses(), "delegations": ontschotv1.DelegationStatuses(),
	} {
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(list))), len(list), name)
	}
	require.Subset(t, ontschotv1.SigningRoles(), ontschotv1.Signers())
}
