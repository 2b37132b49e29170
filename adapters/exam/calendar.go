package exam

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// kindOf says of what kind a broken rule is, by the field.
func kindOf(field, rule string) string {
	switch {
	case slices.Contains([]string{"cents", "cents_per_month", "divisor", "value_cents"}, field):
		return wrongCents
	case slices.Contains([]string{"start", "end", "original_end", "issued", "as_of"}, field):
		return wrongDate
	case rule == "string.in":
		return wrongCode
	}
	return wrongMessage
}

// calendar looks whether dates exist, in their order.
func calendar(at string, p *budgetv1.Period) (all []mistake) {
	if p == nil {
		return nil
	}
	bad := func(name, rule string) { all = append(all, mistake{wrongDate, at + name, rule}) }
	if !isDate(p.GetStart()) {
		bad("start", "a date of the calendar")
	}
	for name, end := range map[string]*string{"end": p.End, "original_end": p.OriginalEnd} {
		switch {
		case end == nil:
		case !isDate(*end):
			bad(name, "a date of the calendar")
		case *end < p.GetStart():
			bad(name, "not before the start")
		}
	}
	return all
}

func isDate(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

// strays tells of each field that came and that the message does not have, or has as another
// type: money as a floating number is one.
func strays(at string, m protoreflect.Message, tell func(path string)) {
	for raw := m.GetUnknown(); len(raw) > 0; {
		number, _, n := protowire.ConsumeField(raw)
		if n < 0 {
			tell(at + "?")
			break
		}
		name := fmt.Sprintf("%d", number)
		if f := m.Descriptor().Fields().ByNumber(number); f != nil {
			name = string(f.Name())
		}
		tell(at + name)
		raw = raw[n:]
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil || f.IsMap():
		case f.IsList():
			for i := range v.List().Len() {
				strays(fmt.Sprintf("%s%s[%d].", at, f.Name(), i), v.List().Get(i).Message(), tell)
			}
		default:
			strays(at+string(f.Name())+".", v.Message(), tell)
		}
		return true
	})
}
