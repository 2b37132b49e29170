package mapping

import (
	"errors"
	"math/big"
	"reflect"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/money"
	"github.com/ontschot/ontschot/adapters/native"
)

// The types of expressions beside those of CEL. What stands in a record has a type of its
// own, which nothing but our functions takes: no number in it can become a float, and
// nothing but cents() gives money.
func recordType() *cel.Type { return cel.ObjectType("record") }
func moneyType() *cel.Type  { return cel.ObjectType("money", traits.AdderType|traits.MultiplierType) }
func volumeType() *cel.Type { return cel.ObjectType("volume", traits.AdderType|traits.MultiplierType) }

var errConvert = errors.New("cannot be converted")

// fixed is what the values have in common: they are not converted.
type fixed struct{ is *cel.Type }

// ConvertToNative implements ref.Val.
func (fixed) ConvertToNative(reflect.Type) (any, error) { return nil, errConvert }

// ConvertToType implements ref.Val.
func (f fixed) ConvertToType(t ref.Type) ref.Val { return types.WrapErr(errConvert) }

// Type implements ref.Val.
func (f fixed) Type() ref.Type { return f.is }

// member is a value in a record, or the record.
type member struct {
	fixed
	node native.Node
	in   *reading
}

func (r *reading) member(n native.Node) *member { return &member{fixed{recordType()}, n, r} }

// Value implements ref.Val.
func (m *member) Value() any { return m }

// Equal implements ref.Val: of two members nobody can say it without knowing what they are.
func (m *member) Equal(ref.Val) ref.Val { return types.WrapErr(errConvert) }

// get is a member of the member.
func (m *member) get(name string) *member { return m.in.member(m.node.Get(name)) }

// Get implements traits.Indexer, for r["a name with spaces"].
func (m *member) Get(name ref.Val) ref.Val {
	text, ok := name.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(name)
	}
	return m.get(string(text))
}

// bad is the error that the member is not what it should be.
func (m *member) bad(rule string) ref.Val { return types.WrapErr(m.node.Bad("", rule)) }

// longest bounds the text of a member that an expression reads, in bytes.
const longest = 4096

// text is the text of a member; read is false, and the rule told, when it has none that
// can be read one way.
func (m *member) text() (text string, err error) {
	text = m.node.Text("")
	if text == native.Unclear || len(text) > longest {
		return "", m.node.Bad("", "a single value")
	}
	return text, nil
}

// exact is an exact number: cents of money, or a volume. Without a number it is not known.
type exact struct {
	fixed
	number *big.Rat
}

func cash(r *big.Rat) *exact   { return &exact{fixed: fixed{moneyType()}, number: r} }
func volume(r *big.Rat) *exact { return &exact{fixed: fixed{volumeType()}, number: r} }

// Value implements ref.Val.
func (e *exact) Value() any { return e }

// Equal implements ref.Val.
func (e *exact) Equal(other ref.Val) ref.Val {
	o, ok := other.(*exact)
	if !ok || o.is.TypeName() != e.is.TypeName() {
		return types.False
	}
	if e.number == nil || o.number == nil {
		return types.Bool(e.number == o.number)
	}
	return types.Bool(e.number.Cmp(o.number) == 0)
}

// Add implements traits.Adder. What is not known makes the sum not known.
func (e *exact) Add(other ref.Val) ref.Val {
	return e.with(other, e.is, (*big.Rat).Add)
}

// Multiply implements traits.Multiplier: money by a volume, or the other way round.
func (e *exact) Multiply(other ref.Val) ref.Val {
	return e.with(other, moneyType(), (*big.Rat).Mul)
}

func (e *exact) with(other ref.Val, is *cel.Type, do func(z, x, y *big.Rat) *big.Rat) ref.Val {
	o, ok := other.(*exact)
	if !ok {
		return types.NoSuchOverloadErr()
	}
	sum := &exact{fixed: fixed{is}}
	if e.number != nil && o.number != nil {
		sum.number = do(new(big.Rat), e.number, o.number)
	}
	return sum
}

// reading is how the records of one source are read: it goes with each member.
type reading struct {
	numbers money.Style
	dates   adapters.DateForm
	unit    string // euros or cents
	codes   map[string]*table
	unknown func(at native.Node) // told of each code that a table does not have
}
