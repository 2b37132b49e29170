package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// form is a syntax that several messages ask for, and what judges it in Go.
type form struct {
	pattern string
	is      func(string) bool // nil: the pattern alone
}

func forms() map[string]form {
	date := func(s string) bool { _, err := civil.Parse(s); return err == nil }
	return map[string]form{
		"date":       {`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, date},
		"some date":  {`^$|^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, func(s string) bool { return s == "" || date(s) }},
		"digest":     {`^[0-9a-f]{64}$`, identity.IsSHA256},
		"OIN":        {`^[0-9]{20}$`, func(s string) bool { return identity.IsOIN(identity.OIN(s)) }},
		"some OIN":   {`^([0-9]{20})?$`, func(s string) bool { return s == "" || identity.IsOIN(identity.OIN(s)) }},
		"purpose":    {`^[a-z][a-z0-9_]{0,31}([.][a-z][a-z0-9_]{0,31}){0,3}$`, nil}, // narrower than ontschotv1.IsPurpose, and has a test beside it
		"person":     {`^[A-Za-z0-9_-]{1,32}$`, nil},
		"party":      {`^[A-Z0-9][A-Z0-9_-]{0,31}$`, nil},
		"year":       {`^[0-9]{4}$`, nil},
		"plan item":  {`^[A-Za-z0-9_.-]{1,64}$`, nil},
		"quantity":   {`^[0-9]{1,9}([.][0-9]{1,4})?$`, nil},
		"product":    {`^[A-Za-z0-9][A-Za-z0-9._-]*$`, nil},
		"some hours": {`^$|^[0-9]{1,3}([.][0-9]{1,2})?$`, nil},
	}
}

// A form has one pattern in the messages, however many fields have it, and what Go takes for
// it passes there: the pattern bounds before our code sees anything, and Go decides.
func TestAFormHasOnePattern(t *testing.T) {
	names := map[string]string{} // of forms, by pattern
	for name, f := range forms() {
		names[f.pattern] = name
	}
	require.Len(t, names, len(forms()))
	used := map[string]int{}
	patterned(func(field protoreflect.FieldDescriptor, pattern string) {
		name, known := names[pattern]
		require.True(t, known, "%s has a form of its own: %s", field.FullName(), pattern)
		used[name]++
		if strings.Contains(string(field.Name()), "sha256") {
			require.Equal(t, "digest", name, field.FullName())
		}
	})
	require.ElementsMatch(t, slices.Collect(maps.Keys(forms())), slices.Collect(maps.Keys(used)), "a form that no field has")
	require.Equal(t, 5, used["digest"])

	samples := []string{
		"", "2025-01-01", "2024-02-29", "9999-12-31", "00000099000005503000", "99999999999999999999", strings.Repeat("0123456789abcdef", 4), strings.Repeat("f", 64),
		"2025-1-1", "20250101", strings.Repeat("A", 64), strings.Repeat("a", 63), "A.b", ".a", "a.", "a..b", " 2025-01-01", "2025-01-01\n",
	}
	for name, f := range forms() {
		if f.is == nil {
			continue
		}
		pattern, taken := regexp.MustCompile(f.pattern), 0
		for _, s := range samples {
			if f.is(s) {
				taken++
				require.True(t, pattern.MatchString(s), "%s: %q", name, s)
			}
		}
		require.Positive(t, taken, name)
	}
}

// patterned gives each field of our messages that is held against a pattern.
func patterned(do func(field protoreflect.FieldDescriptor, pattern string)) {
	var walk func(protoreflect.MessageDescriptors)
	walk = func(all protoreflect.MessageDescriptors) {
		for i := range all.Len() {
			walk(all.Get(i).Messages())
			for j := range all.Get(i).Fields().Len() {
				field := all.Get(i).Fields().Get(j)
				rules, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
				for _, r := range []*validate.FieldRules{rules, rules.GetRepeated().GetItems(), rules.GetMap().GetKeys(), rules.GetMap().GetValues()} {
					if pattern := r.GetString().GetPattern(); pattern != "" {
						do(field, pattern)
					}
				}
			}
		}
	}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(file.Package()), "ontschot.") {
			walk(file.Messages())
		}
		return true
	})
}
