package admission

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Whatever rule a proto file has, who breaks it reads what is wanted: a new rule without words
// fails here.
func TestEveryRuleOfTheProtosHasWords(t *testing.T) {
	asked := map[string]int{}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(file.Package()), "ontschot.") {
			for i := range file.Messages().Len() {
				rulesIn(t, file.Messages().Get(i), asked)
			}
		}
		return true
	})
	for _, kind := range []string{"required", "string.pattern", "string.max_len", "string.min_len", "string.in", "repeated.max_items", "repeated.min_items", "repeated.unique", "bytes.max_len", "map.max_pairs", "int64.gte_lte", "int32.gte_lte"} {
		require.Positive(t, asked[kind], kind)
	}
}

func rulesIn(t *testing.T, d protoreflect.MessageDescriptor, asked map[string]int) {
	t.Helper()
	whole, err := protovalidate.ResolveMessageRules(d)
	require.NoError(t, err)
	require.Zero(t, proto.Size(whole), "%s: a rule of a whole message has no words yet", d.FullName())
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		r, err := protovalidate.ResolveFieldRules(f)
		require.NoError(t, err)
		ofValue(t, string(f.FullName()), r, asked)
	}
	for i := range d.Messages().Len() {
		rulesIn(t, d.Messages().Get(i), asked)
	}
}

// ofValue asks for the words of each rule of a value, as the validator names them.
func ofValue(t *testing.T, name string, r *validate.FieldRules, asked map[string]int) {
	t.Helper()
	if r == nil {
		return
	}
	r.ProtoReflect().Range(func(kind protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if kind.Kind() != protoreflect.MessageKind {
			worded(t, name, r, string(kind.Name()), asked)
			return true
		}
		var bounds []string
		v.Message().Range(func(rule protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			switch inner := v.Interface().(type) {
			case protoreflect.Message:
				ofValue(t, fmt.Sprintf("%s (%s)", name, rule.Name()), inner.Interface().(*validate.FieldRules), asked)
			default:
				if rule.Name() == "gte" || rule.Name() == "lte" {
					bounds = append(bounds, string(rule.Name()))
				}
				worded(t, name, r, fmt.Sprintf("%s.%s", kind.Name(), rule.Name()), asked)
			}
			return true
		})
		if len(bounds) == 2 {
			worded(t, name, r, string(kind.Name())+".gte_lte", asked)
		}
		return true
	})
}

func worded(t *testing.T, name string, r *validate.FieldRules, id string, asked map[string]int) {
	t.Helper()
	asked[id]++
	require.NotEmpty(t, wanted(r, id), "%s: the rule %s has no words in wanted.go", name, id)
}

// What is refused says field, rule and what is wanted, and nothing of what was sent.
func TestABrokenRuleSaysWhatIsWanted(t *testing.T) {
	rules, err := Rules()
	require.NoError(t, err)
	a := &Admission{validate: rules}
	const sent = "Secret 999940016"
	question := func(change func(*ontschotv1.ConsentQuestion)) proto.Message {
		q := &ontschotv1.ConsentQuestion{
			Person: &ontschotv1.Person{Ref: "P", Identifiers: &budgetv1.Identifiers{Bsn: "999940016"}}, Purpose: "integral_budget.compose",
			Grants: []*ontschotv1.ConsentGrant{{Source: "UWV", Categories: []string{"*"}}}, From: "2025-01-01", Authority: &ontschotv1.ConsentAuthority{},
		}
		change(q)
		return &ontschotv1.AskConsentRequest{Question: q}
	}
	require.NoError(t, a.WellFormed(question(func(*ontschotv1.ConsentQuestion) {})))
	for says, m := range map[string]proto.Message{
		"question.from: breaks the rule string.pattern: it must be a civil date, YYYY-MM-DD":               question(func(q *ontschotv1.ConsentQuestion) { q.From = sent }),
		"question.until: breaks the rule string.pattern: it must be a civil date, YYYY-MM-DD, or empty":    question(func(q *ontschotv1.ConsentQuestion) { q.Until = sent }),
		"question.grants[0].source: breaks the rule string.pattern: it must be a party code: 1 to 32":      question(func(q *ontschotv1.ConsentQuestion) { q.Grants[0].Source = sent }),
		"question.person.ref: breaks the rule string.pattern: it must be 1 to 32 letters, digits, - and _": question(func(q *ontschotv1.ConsentQuestion) { q.Person.Ref = sent }),
		"question.person: breaks the rule required: it is needed":                                          question(func(q *ontschotv1.ConsentQuestion) { q.Person = nil }),
		"question.grants: breaks the rule repeated.min_items: it must have 1 to 16 items":                  question(func(q *ontschotv1.ConsentQuestion) { q.Grants = nil }),
		"id: breaks the rule string.max_len: it must have 1 to 64 characters":                              &ontschotv1.WithdrawConsentRequest{Id: strings.Repeat(sent, 5)},
		"page_size: breaks the rule int32.gte_lte: it must be a whole number from 0 to 500":                &ontschotv1.ListAgreementsRequest{PageSize: 999940016},
		"question.authority.holders: breaks the rule int32":                                                question(func(q *ontschotv1.ConsentQuestion) { q.Authority.Holders = -1 }),
	} {
		err := a.WellFormed(m)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "Secret")
		require.NotContains(t, err.Error(), "99994")
		require.Regexp(t, `: breaks the rule [a-z0-9_.]+: it `, err.Error())
	}
}

// Every rule is broken for real, at the validator's own path to it: of a field, of one value in a
// list, of a key and a value in a map, of a message in another. Each says what is wanted.
func TestEveryRuleIsBrokenForReal(t *testing.T) {
	validator, err := protovalidate.New() // which says all that is wrong
	require.NoError(t, err)
	said := map[string]int{}
	protoregistry.GlobalTypes.RangeMessages(func(kind protoreflect.MessageType) bool {
		if !strings.HasPrefix(string(kind.Descriptor().FullName()), "ontschot.") {
			return true
		}
		for _, of := range []struct {
			text string
			n    int
		}{{"", 0}, {"", 2}, {"Secret 1", 2}, {"Secret 1", 300}, {strings.Repeat("S", 20_000), 1}} {
			var bad *protovalidate.ValidationError
			if !errors.As(validator.Validate(spoiled(kind, of.text, of.n, 0).Interface()), &bad) {
				continue
			}
			for _, v := range bad.Violations {
				said[v.Proto.GetRuleId()]++
				words := brokenRule(kind.Descriptor(), v.Proto)
				if !strings.Contains(words, ": it ") && !strings.Contains(words, ": each ") {
					require.Fail(t, words, protovalidate.FieldPathString(v.Proto.GetField()))
				}
				if strings.Contains(words, "Secret") {
					require.Fail(t, "it repeats what was sent", words)
				}
			}
		}
		return true
	})
	for _, rule := range []string{"string.pattern", "string.max_len", "string.min_len", "string.in", "repeated.max_items", "repeated.min_items", "repeated.unique", "int32.gte_lte", "int64.gte_lte", "bytes.max_len", "required", "map.max_pairs"} {
		require.Positive(t, said[rule], "%s: %v", rule, said)
	}
}

// spoiled is a message of which each field holds a value that fits few rules; lists and maps n.
func spoiled(kind protoreflect.MessageType, text string, n, depth int) protoreflect.Message {
	m := kind.New()
	for i := range m.Descriptor().Fields().Len() {
		f := m.Descriptor().Fields().Get(i)
		inner := func() (protoreflect.Value, bool) {
			if f.Message() == nil {
				return odd(f, text)
			}
			kind, err := protoregistry.GlobalTypes.FindMessageByName(f.Message().FullName())
			if err != nil || depth == 1 || n == 0 {
				return protoreflect.Value{}, false
			}
			return protoreflect.ValueOfMessage(spoiled(kind, text, 2, depth+1)), true
		}
		switch {
		case f.IsMap():
			for k := range n {
				if f.MapKey().Kind() == protoreflect.StringKind && f.MapValue().Kind() == protoreflect.StringKind {
					m.Mutable(f).Map().Set(protoreflect.ValueOfString(fmt.Sprint("Secret", k)).MapKey(), protoreflect.ValueOfString(text))
				}
			}
		case f.IsList():
			for range n {
				if v, ok := inner(); ok {
					m.Mutable(f).List().Append(v)
				}
			}
		default:
			if v, ok := inner(); ok {
				m.Set(f, v)
			}
		}
	}
	return m
}

// odd is a value of a field that few rules allow; none of a message.
func odd(f protoreflect.FieldDescriptor, text string) (protoreflect.Value, bool) {
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(text), true
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(text)), true
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(-1), true
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(-1), true
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true), true
	}
	return protoreflect.Value{}, false
}
