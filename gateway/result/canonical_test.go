package result

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	_ "github.com/ontschot/ontschot/proto/ontschot/v1" // its messages
)

// texts are what is hard to write, or to order.
var texts = []string{
	"", "A4", "Wlz-zorg", `"`, `\`, "/", "\x00", "\x1f", "\x7f", "\b\t\n\v\f\r", "<&>'", "\u2028\u2029", "é", "ｅ", "\ufffd", "\ue000", "😀", "\ud7ff",
	"a\u0301", "__proto__", "0", "-0", "1e3", strings.Repeat("x", 300), "nul", "B\u00fcrger",
}

func fill(r *rand.Rand, m protoreflect.Message, depth int) {
	for i := range m.Descriptor().Fields().Len() {
		f := m.Descriptor().Fields().Get(i)
		if r.IntN(3) == 0 || depth == 0 && f.Message() != nil {
			continue
		}
		one := func(f protoreflect.FieldDescriptor, message func() protoreflect.Value) protoreflect.Value {
			n := int64(r.Uint64()) >> r.IntN(64)
			switch f.Kind() {
			case protoreflect.MessageKind:
				v := message()
				fill(r, v.Message(), depth-1)
				return v
			case protoreflect.StringKind:
				return protoreflect.ValueOfString(texts[r.IntN(len(texts))] + texts[r.IntN(len(texts))])
			case protoreflect.BytesKind:
				return protoreflect.ValueOfBytes(binary.BigEndian.AppendUint64(nil, r.Uint64())[:r.IntN(9)])
			case protoreflect.BoolKind:
				return protoreflect.ValueOfBool(n&1 == 1)
			case protoreflect.Int32Kind:
				return protoreflect.ValueOfInt32(int32(n))
			case protoreflect.Int64Kind:
				return protoreflect.ValueOfInt64(n)
			case protoreflect.Uint32Kind:
				return protoreflect.ValueOfUint32(uint32(n))
			case protoreflect.Uint64Kind:
				return protoreflect.ValueOfUint64(uint64(n))
			}
			panic(f.Kind())
		}
		switch {
		case f.IsMap():
			for range r.IntN(5) {
				m.Mutable(f).Map().Set(one(f.MapKey(), nil).MapKey(), one(f.MapValue(), nil))
			}
		case f.IsList():
			l := m.Mutable(f).List()
			for range r.IntN(4) {
				l.Append(one(f, l.NewElement))
			}
		default:
			m.Set(f, one(f, func() protoreflect.Value { return m.NewField(f) }))
		}
	}
}

// What is written directly is, for every message there is, what the libraries make in two steps.
func TestCanonicalIsThatOfTheLibraries(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	kinds := 0
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		name := mt.Descriptor().FullName()
		if !strings.HasPrefix(string(name), "ontschot.") || !shapeOf(mt.Descriptor()).plain {
			return true
		}
		kinds++
		for range 60 {
			m := mt.New()
			fill(r, m, 4)
			left := []protoreflect.Name{"receipt", "signature"}[:r.IntN(3)]
			want, err := byTransform(m.Interface(), left...)
			require.NoError(t, err)
			got, err := canonicalWithout(m.Interface(), left...)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got), name)
		}
		return true
	})
	require.Greater(t, kinds, 60)
	require.True(t, shapeOf((&budgetv1.Budget{}).ProtoReflect().Descriptor()).plain)
}

// What is of a kind that is not written here goes by the libraries, and bad text is refused.
func TestCanonicalOfWhatIsNotWrittenHere(t *testing.T) {
	for _, m := range []proto.Message{durationpb.New(1500), wrapperspb.Double(1e21)} {
		want, err := byTransform(m)
		if err != nil { // a JSON value that is no object
			_, err = Canonical(m)
			require.Error(t, err)
			continue
		}
		got, err := Canonical(m)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
	bad := &budgetv1.Budget{Lines: []*budgetv1.BudgetLine{{Id: "a\xff"}}}
	_, err := Canonical(bad)
	require.ErrorIs(t, err, errMessage)
	_, err = byTransform(bad)
	require.ErrorIs(t, err, errMessage)
}

func FuzzCanonical(f *testing.F) {
	f.Add([]byte("\x0a\x02A4"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b := &budgetv1.Budget{}
		if proto.Unmarshal(raw, b) != nil {
			return
		}
		want, errWant := byTransform(b, "receipt", "signature")
		got, err := canonicalWithout(b, "receipt", "signature")
		require.Equal(t, errWant, err)
		require.Equal(t, string(want), string(got))
	})
}

func BenchmarkDigest(b *testing.B) {
	m := &budgetv1.Budget{}
	fill(rand.New(rand.NewPCG(3, 4)), m.ProtoReflect(), 4)
	b.ReportAllocs()
	for b.Loop() {
		_, err := Digest(m)
		require.NoError(b, err)
	}
}
