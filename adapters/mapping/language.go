package mapping

import (
	"math/big"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/money"
)

// Bounds of an expression: of its text, and of what it may cost on one record.
const (
	longestExpression = 2048
	mostCost          = 20_000
)

// language is CEL with the functions of a mapping. r is the record; e is the element of
// it that a line is made of, where the mapping says each.
func language() (*cel.Env, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	return cel.NewEnv(append(functions(),
		cel.CustomTypeProvider(&provider{registry}), cel.CustomTypeAdapter(registry),
		cel.Variable("r", recordType()), cel.Variable("e", recordType()),
		ext.Strings(ext.StringsVersion(3)),
		cel.ParserRecursionLimit(32), cel.ParserExpressionSizeLimit(longestExpression),
	)...)
}

// provider gives a record every member that somebody asks for: which it has, only the
// source knows.
type provider struct{ *types.Registry }

// FindStructType implements types.Provider.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	switch name {
	case "record":
		return types.NewTypeTypeWithParam(recordType()), true
	case "money":
		return types.NewTypeTypeWithParam(moneyType()), true
	case "volume":
		return types.NewTypeTypeWithParam(volumeType()), true
	}
	return p.Registry.FindStructType(name)
}

// FindStructFieldType implements types.Provider.
func (p *provider) FindStructFieldType(of, name string) (*types.FieldType, bool) {
	if of != "record" {
		return p.Registry.FindStructFieldType(of, name)
	}
	return &types.FieldType{
		Type:    recordType(),
		IsSet:   func(target any) bool { m, ok := target.(*member); return ok && m.node.Get(name).Has() },
		GetFrom: func(target any) (any, error) { return take(target, name) },
	}, true
}

func take(target any, name string) (any, error) {
	m, ok := target.(*member)
	if !ok {
		return nil, errConvert
	}
	return m.get(name), nil
}

func functions() []cel.EnvOption {
	r, s, b, m, v := recordType(), cel.StringType, cel.BoolType, moneyType(), volumeType()
	of := func(name string, args []*cel.Type, result *cel.Type, bind cel.OverloadOpt) cel.EnvOption {
		id := strings.Trim(name, "_")
		for _, a := range args {
			id += "_" + a.TypeName()
		}
		return cel.Function(name, cel.Overload("mapping_"+id, args, result, bind))
	}
	one := func(do func(*member) ref.Val) cel.OverloadOpt {
		return cel.UnaryBinding(func(x ref.Val) ref.Val { return do(x.(*member)) })
	}
	named := func(do func(*member, string) ref.Val) cel.OverloadOpt {
		return cel.BinaryBinding(func(x, y ref.Val) ref.Val { return do(x.(*member), string(y.(types.String))) })
	}
	none := func(e *exact) cel.OverloadOpt {
		return cel.FunctionBinding(func(...ref.Val) ref.Val { return e })
	}
	zero := cel.UnaryBinding(func(x ref.Val) ref.Val {
		n := x.(*exact).number
		return types.Bool(n != nil && n.Sign() == 0)
	})
	return []cel.EnvOption{
		of("text", []*cel.Type{r}, s, one(textOf)),
		of("digits", []*cel.Type{r}, s, one(digitsOf)),
		of("empty", []*cel.Type{r}, b, one(func(m *member) ref.Val { return types.Bool(m.node.Empty()) })),
		of("cents", []*cel.Type{r}, m, one(centsOf)),
		of("volume", []*cel.Type{r}, v, one(volumeOf)),
		of("date", []*cel.Type{r}, s, one(dateOf)),
		of("open", []*cel.Type{r}, b, one(openOf)),
		of("code", []*cel.Type{r, s}, s, named(codeOf)),
		of("day_before", []*cel.Type{s}, s, cel.UnaryBinding(dayBefore)),
		of("zero", []*cel.Type{m}, b, zero), of("zero", []*cel.Type{v}, b, zero),
		of("no_cents", nil, m, none(cash(nil))), of("no_volume", nil, v, none(volume(nil))),
		cel.Function(operators.Add, cel.Overload("add_money", []*cel.Type{m, m}, m), cel.Overload("add_volume", []*cel.Type{v, v}, v)),
		cel.Function(operators.Multiply, cel.Overload("money_by_volume", []*cel.Type{m, v}, m), cel.Overload("volume_by_money", []*cel.Type{v, m}, m)),
		cel.Function(operators.Index, cel.Overload("index_record", []*cel.Type{r, s}, r)),
	}
}

func textOf(m *member) ref.Val {
	text, err := m.text()
	if err != nil {
		return types.WrapErr(err)
	}
	return types.String(text)
}

// digitsOf gives the digits at the end of a text: VO2602 has 2602.
func digitsOf(m *member) ref.Val {
	text, err := m.text()
	if err != nil {
		return types.WrapErr(err)
	}
	return types.String(text[len(strings.TrimRight(text, "0123456789")):])
}

// centsOf reads money in the unit that the mapping declares; what is absent is not known,
// and not zero.
func centsOf(m *member) ref.Val {
	n := m.node.Number("")
	if m.node.Empty() && n.String() == "" {
		return cash(nil)
	}
	if m.in.unit == "cents" {
		cents, err := money.WholeCents(n)
		if err != nil {
			return m.bad("a whole number of cents")
		}
		return cash(new(big.Rat).SetInt64(cents))
	}
	euros, err := m.in.numbers.Decimal(n, 2)
	if err != nil {
		return m.bad("an amount in euros with at most two decimals")
	}
	return cash(euros.Mul(euros, big.NewRat(100, 1)))
}

func volumeOf(m *member) ref.Val {
	n := m.node.Number("")
	if m.node.Empty() && n.String() == "" {
		return volume(nil)
	}
	number, err := m.in.numbers.Decimal(n, 4)
	if err != nil {
		return m.bad("a number with at most four decimals")
	}
	return volume(number)
}

// dateOf gives the day as YYYY-MM-DD; empty when there is none, or it stands for none.
func dateOf(m *member) ref.Val {
	text, err := m.text()
	if err != nil {
		return types.WrapErr(err)
	}
	if m.in.dates.Open(text) {
		return types.String("")
	}
	day, err := m.in.dates.Day(text)
	if err != nil {
		return m.bad("a day " + string(m.in.dates))
	}
	return types.String(day.String())
}

func openOf(m *member) ref.Val { return types.Bool(m.in.dates.Open(m.node.Text(""))) }

// dayBefore is for a source that gives the first day on which a right is no more. An empty
// text stays so.
func dayBefore(x ref.Val) ref.Val {
	text := string(x.(types.String))
	if text == "" {
		return x
	}
	day, err := adapters.DateISO.Parse(text)
	if err != nil {
		return types.WrapErr(errConvert)
	}
	return types.String((day - 1).String())
}

// codeOf looks a code up in a table of the mapping. One that the table does not have is
// dealt with as the table says, and never passes in silence.
func codeOf(m *member, name string) ref.Val {
	text, err := m.text()
	if err != nil {
		return types.WrapErr(err)
	}
	t := m.in.codes[name] // that it is there was checked when the mapping was compiled
	if text == "" || t == nil {
		return types.String("")
	}
	if t.fold {
		text = strings.ToUpper(text)
	}
	code, known := t.values[text]
	switch {
	case known:
		return types.String(code)
	case t.unknown == unknownRefuse:
		return m.bad("a code of the table " + name)
	}
	m.in.unknown(m.node)
	if t.unknown == unknownDrop {
		return types.String("")
	}
	return types.String(text)
}
