package web

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Every call has one place, but for those of other gateways.
func TestEveryCallHasOnePlace(t *testing.T) {
	var want, have []string
	for _, file := range ontschotv1.Files() {
		for i := range file.Services().Len() {
			for j := range file.Services().Get(i).Methods().Len() {
				m := file.Services().Get(i).Methods().Get(j)
				if m.Parent().Name() != "PeerService" {
					want = append(want, "/"+string(m.Parent().FullName())+"/"+string(m.Name()))
				}
			}
		}
	}
	places := map[string]bool{}
	for _, r := range Routes() {
		have = append(have, r.RPC)
		require.False(t, places[r.Verb+r.Path], r.Path)
		places[r.Verb+r.Path] = true
		require.True(t, strings.HasPrefix(r.Path, "/v"+strings.Split(Version, ".")[0]+"/"), r.Path)
		require.False(t, strings.HasSuffix(r.Path, "/"), r.Path)
		require.Contains(t, []string{"GET", "POST"}, r.Verb)
	}
	require.ElementsMatch(t, want, have)
}

// What stands in an address is written down by everything on its way: it is an id, a code or a
// place in a list, by the category of its field, and never of a person.
func TestNothingOfAPersonStandsInAnAddress(t *testing.T) {
	inAddress := 0
	for _, r := range compiled()[1:] {
		fields := r.in.Descriptor().Fields()
		for i := range fields.Len() {
			f := fields.Get(i)
			inPath := slices.Contains(r.inPath, string(f.Name()))
			if !inPath && r.Verb == "POST" {
				continue
			}
			inAddress++
			require.Equal(t, "technical", proto.GetExtension(f.Options(), budgetv1.E_Category), f.FullName())
			require.Contains(t, []string{"id", "with", "page_size", "page_token"}, string(f.Name()), "think before you add one")
			require.True(t, f.Kind() == protoreflect.StringKind || !inPath && f.Kind() == protoreflect.Int32Kind, f.FullName())
			require.False(t, f.IsList() || f.HasPresence(), f.FullName())
		}
	}
	require.Greater(t, inAddress, 10)
}

// The reader knows every kind of field that there is in what is served.
func TestTheReaderKnowsEveryKind(t *testing.T) {
	kinds := []protoreflect.Kind{
		protoreflect.StringKind, protoreflect.BytesKind, protoreflect.BoolKind, protoreflect.Int32Kind, protoreflect.Int64Kind, protoreflect.MessageKind,
	}
	seen, depth := map[protoreflect.FullName]bool{}, 0
	var walk func(md protoreflect.MessageDescriptor, at int)
	walk = func(md protoreflect.MessageDescriptor, at int) {
		depth = max(depth, at)
		require.Less(t, at, maxDepth, "of %s", md.FullName())
		if seen[md.FullName()] {
			return
		}
		seen[md.FullName()] = true
		require.False(t, strings.HasPrefix(string(md.FullName()), "google.protobuf."), md.FullName())
		for i := range md.Fields().Len() {
			f := md.Fields().Get(i)
			require.Contains(t, kinds, f.Kind(), f.FullName())
			require.True(t, !f.IsMap() || f.MapKey().Kind() == protoreflect.StringKind && f.MapValue().Kind() != protoreflect.MessageKind, f.FullName())
			if f.Message() != nil && !f.IsMap() {
				walk(f.Message(), at+1)
			}
		}
	}
	for _, r := range compiled()[1:] {
		walk(r.in.Descriptor(), 1)
	}
	require.Greater(t, len(seen), 40)
	require.Greater(t, depth, 3)
}
