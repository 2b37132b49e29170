package result_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// A verifier needs to know which members the messages have, of which type, and whether zero is
// something that can be said: the example verifiers have that in a file, which is that of the
// messages as they are.
func TestTheMessagesOfVerifiers(t *testing.T) {
	messages := map[string]map[string]string{}
	for _, m := range []proto.Message{&budgetv1.Budget{}, &budgetv1.Account{}, &budgetv1.Dissolution{}} {
		describe(t, messages, m.ProtoReflect().Descriptor())
	}
	raw := indented(t, messages)
	for _, path := range []string{"../../docs/examples/typescript/messages.json", "../../docs/examples/python/messages.json", "../../docs/examples/java/messages.json"} {
		if *update {
			require.NoError(t, os.WriteFile(path, raw, 0o644))
		}
		there, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(there), string(raw), "write it anew: go test ./gateway/result -run Messages -update")
	}
}

// describe writes a message and those in it: "int64", "int64?" where it is set or not, "int64[]"
// a list, "int64{}" a map by texts; the name of a message for a scalar's.
func describe(t *testing.T, messages map[string]map[string]string, d protoreflect.MessageDescriptor) {
	t.Helper()
	name := string(d.Name())
	require.EqualValues(t, "ontschot.budget.v1."+name, d.FullName())
	if messages[name] != nil {
		return
	}
	messages[name] = map[string]string{}
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		of, suffix := f, ""
		switch {
		case f.IsMap():
			require.Equal(t, protoreflect.StringKind, f.MapKey().Kind())
			of, suffix = f.MapValue(), "{}"
		case f.IsList():
			suffix = "[]"
		case f.HasPresence() && f.Message() == nil:
			require.True(t, f.HasOptionalKeyword(), f.FullName())
			suffix = "?"
		}
		kind := of.Kind().String()
		if of.Message() != nil {
			kind = string(of.Message().Name())
			describe(t, messages, of.Message())
		} else {
			require.Contains(t, []string{"string", "bool", "int64", "int32", "uint32", "bytes"}, kind, f.FullName())
		}
		messages[name][string(f.Name())] = kind + suffix
	}
}
