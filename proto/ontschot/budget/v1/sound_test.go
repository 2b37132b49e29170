package budgetv1_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	_ "github.com/ontschot/ontschot/proto/ontschot/v1" // its messages
)

// texts keep most patterns of ours, or break one by little, or cannot be shown.
func texts() []string {
	return []string{
		"", "2025-01-01", "2025-01-011", "2025-1-01", "2025-01/01", "2025-01-01\n", "202é-01-01", "WLZ", "WMO", "A4", "99", "integral_budget.compose",
		"00000001003214345000", "0000000100321434500", "4", "1.5", "4.", "GM0119", strings.Repeat("a", 64), strings.Repeat("é", 64), strings.Repeat("é", 65),
		strings.Repeat("x", 32), strings.Repeat("x", 33), strings.Repeat("x", 129), strings.Repeat("y", 257), "é", "\u202e", "\u2028", "\x00", "\x7f", "a\tb", "PGB ", "#1",
	}
}

// filler fills messages with what nearly keeps their rules.
type filler struct {
	*rand.Rand
	wrong int // one value of so many is any
}

func (r filler) rulesOf(f protoreflect.FieldDescriptor) *validate.FieldRules {
	rules, err := protovalidate.ResolveFieldRules(f)
	if err != nil {
		panic(err)
	}
	if f.IsList() {
		return rules.GetRepeated().GetItems()
	}
	return rules
}

func (r filler) text(rules *validate.StringRules) string {
	all := texts()
	if in := rules.GetIn(); len(in) > 0 && r.IntN(r.wrong) > 0 {
		return in[r.IntN(len(in))]
	}
	if strings.Contains(rules.GetPattern(), "{4}-") && r.IntN(r.wrong) > 0 {
		return all[1]
	}
	return all[r.IntN(len(all))]
}

func (r filler) one(f protoreflect.FieldDescriptor, rules *validate.FieldRules, message func() protoreflect.Value, depth int) protoreflect.Value {
	n := int64(r.Uint64()) >> r.IntN(64)
	switch f.Kind() {
	case protoreflect.MessageKind:
		v := message()
		r.fill(v.Message(), depth-1)
		return v
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(r.text(rules.GetString()))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(make([]byte, []int{0, 1, 32, 33}[r.IntN(4)]))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(n&1 == 1)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(n))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64([]int64{0, 1, -1, 100000000000, 100000000001, 1000000, 1000001, n}[r.IntN(8)])
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(n))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(uint64(n))
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(n & 3))
	}
	panic(f.Kind())
}

func (r filler) fill(m protoreflect.Message, depth int) {
	for i := range m.Descriptor().Fields().Len() {
		f := m.Descriptor().Fields().Get(i)
		if r.IntN(4) == 0 || depth == 0 && f.Message() != nil {
			continue
		}
		rules := r.rulesOf(f)
		switch {
		case f.IsMap():
			for range r.IntN(5) {
				m.Mutable(f).Map().Set(r.one(f.MapKey(), rules.GetMap().GetKeys(), nil, 0).MapKey(), r.one(f.MapValue(), rules.GetMap().GetValues(), nil, 0))
			}
		case f.IsList():
			l := m.Mutable(f).List()
			for range r.IntN(4) {
				l.Append(r.one(f, rules, l.NewElement, depth))
			}
		default:
			m.Set(f, r.one(f, rules, func() protoreflect.Value { return m.NewField(f) }, depth))
		}
	}
}

// Of every message there is the tables say what the libraries say.
func TestSoundIsWhatTheLibrariesSay(t *testing.T) {
	validator, err := protovalidate.New(protovalidate.WithFailFast())
	require.NoError(t, err)
	kinds, kept, broken, hidden := 0, map[protoreflect.FullName]int{}, 0, 0
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		name := mt.Descriptor().FullName()
		if !strings.HasPrefix(string(name), "ontschot.") || strings.Contains(string(name), ".adapter.") {
			return true
		}
		kinds++
		for seed := range uint64(400) {
			m := mt.New()
			filler{rand.New(rand.NewPCG(1, seed)), 2 + int(seed)%40}.fill(m, int(seed)%4)
			wasKept, wasShown := budgetv1.Sound(m.Interface())
			require.Equal(t, validator.Validate(m.Interface()) == nil, wasKept, "%s %v", name, m.Interface())
			require.Equal(t, budgetv1.Unprintable(m.Interface()) == "", wasShown, "%s %v", name, m.Interface())
			if wasKept {
				kept[name]++
			} else {
				broken++
			}
			if !wasShown {
				hidden++
			}
		}
		return true
	})
	require.Greater(t, kinds, 60)
	require.Greater(t, len(kept), kinds*2/3, "of most there is one that keeps its rules")
	require.Greater(t, broken, 1000)
	require.Greater(t, hidden, 1000)
	require.Positive(t, kept["ontschot.budget.v1.BudgetLine"])
	require.Positive(t, kept["ontschot.budget.v1.Scope"])
}

// What the tables do not know is left to the libraries.
func TestSoundDoesNotKnow(t *testing.T) {
	line := &budgetv1.Product{Code: "99"}
	kept, shown := budgetv1.Sound(line)
	require.True(t, kept && shown)
	for name, unknown := range map[string][]byte{
		"a number that no field has": protowire.AppendVarint(protowire.AppendTag(nil, 63, protowire.VarintType), 1),
		"a large number":             protowire.AppendVarint(protowire.AppendTag(nil, 1<<20, protowire.VarintType), 1),
		"a field of another form":    protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.VarintType), 1),
	} {
		m := proto.CloneOf(line)
		m.ProtoReflect().SetUnknown(unknown)
		kept, shown = budgetv1.Sound(m)
		require.False(t, kept || shown, name)
	}
	kept, shown = budgetv1.Sound(&budgetv1.Product{Code: "99", Label: "a\xff"})
	require.False(t, kept || shown, "no UTF-8")
	kept, _ = budgetv1.Sound(durationpb.New(1)) // of another package, without rules
	require.True(t, kept)
	for name, rules := range map[string]string{
		"another rule": "string: {email: true}", "when it is ignored": "ignore: IGNORE_IF_ZERO_VALUE string: {max_len: 9}",
		"an expression": "cel_expression: \"this != ''\"", "bytes of a length": "bytes: {len: 3}", "another number": "int64: {gt: 3}",
		"of items": "repeated: {items: {string: {email: true}}}", "of a value": "map: {values: {string: {email: true}}}",
	} {
		kept, _ = budgetv1.Sound(dynamicpb.NewMessage(ruled(t, name, rules)))
		require.False(t, kept, name)
	}
	kept, _ = budgetv1.Sound(dynamicpb.NewMessage(ruled(t, "known", "string: {max_len: 3}")))
	require.True(t, kept)
}

// ruled is a message with one field under a rule.
func ruled(t *testing.T, name, text string) protoreflect.MessageDescriptor {
	rules := &validate.FieldRules{}
	require.NoError(t, prototext.Unmarshal([]byte(text), rules))
	options := &descriptorpb.FieldOptions{}
	proto.SetExtension(options, validate.E_Field, rules)
	name = strings.ReplaceAll(name, " ", "_")
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String(name + ".proto"), Syntax: proto.String("proto3"), Package: proto.String("test"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String(name), Field: []*descriptorpb.FieldDescriptorProto{{
			Name: proto.String("f"), Number: proto.Int32(1), Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Options: options,
		}}}},
	}, nil)
	require.NoError(t, err)
	return file.Messages().Get(0)
}

// Whatever comes in, the tables say no more than the libraries.
func FuzzSound(f *testing.F) {
	r := filler{rand.New(rand.NewPCG(3, 4)), 40}
	for range 20 {
		m := &budgetv1.FetchResponse{}
		r.fill(m.ProtoReflect(), 3)
		raw, err := proto.Marshal(m)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, m := range []proto.Message{&budgetv1.FetchResponse{}, &budgetv1.FetchRequest{}, &budgetv1.Budget{}} {
			if proto.Unmarshal(raw, m) != nil {
				continue
			}
			kept, shown := budgetv1.Sound(m)
			require.False(t, kept && protovalidate.Validate(m) != nil)
			require.False(t, shown && budgetv1.Unprintable(m) != "")
		}
	})
}

func BenchmarkSound(b *testing.B) {
	m := &budgetv1.FetchResponse{}
	for seed := uint64(0); len(m.Lines) < 6; seed++ {
		one := &budgetv1.BudgetLine{}
		filler{rand.New(rand.NewPCG(5, seed)), 1000}.fill(one.ProtoReflect(), 2)
		if kept, _ := budgetv1.Sound(one); kept {
			m.Lines = append(m.Lines, one)
		}
	}
	b.Run("tables", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			budgetv1.Sound(m)
		}
	})
	b.Run("libraries", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = protovalidate.Validate(m), budgetv1.Unprintable(m)
		}
	})
}
