package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ontschot/ontschot/gateway/refusal"
	"github.com/ontschot/ontschot/gateway/web"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

const root = "../../.."

// described is the file as a reader of YAML finds it.
type described struct {
	Info  struct{ Version string }
	Paths map[string]map[string]struct {
		OperationID string `yaml:"operationId"`
		Parameters  []struct{ Name, In string }
		RequestBody struct {
			Content map[string]struct{ Schema map[string]any }
		} `yaml:"requestBody"`
		Responses map[string]struct {
			Ref     string `yaml:"$ref"`
			Content map[string]struct{ Schema map[string]any }
		}
	}
	Components struct {
		Schemas map[string]struct {
			Properties map[string]any
			Required   []string
		}
		Responses map[string]struct{ Description string }
	}
}

func read(t *testing.T) described {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, yamlFile))
	require.NoError(t, err)
	var d described
	require.NoError(t, yaml.Unmarshal(raw, &d))
	return d
}

// What is in the repository is what the protos, the paths and the reasons come to.
func TestTheDescriptionIsCurrent(t *testing.T) {
	fresh, err := files(root)
	require.NoError(t, err)
	require.Len(t, fresh, 2)
	for name, raw := range fresh {
		have, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		require.True(t, string(have) == string(raw), "%s is not current: go run ./internal/dev/openapi", name)
	}
	var fromYAML, fromJSON any
	require.NoError(t, yaml.Unmarshal(fresh[yamlFile], &fromYAML))
	require.NoError(t, json.Unmarshal(fresh[jsonFile], &fromJSON))
	again, err := json.Marshal(fromYAML)
	require.NoError(t, err)
	both, err := json.Marshal(fromJSON)
	require.NoError(t, err)
	require.JSONEq(t, string(both), string(again))
}

// Every call that a municipal system makes is described, with every field that it can have
// and every field of its answer, by their names in JSON.
func TestEveryCallAndEveryFieldIsDescribed(t *testing.T) {
	d := read(t)
	require.Equal(t, web.Version, d.Info.Version)
	calls, fields := 0, 0
	for _, file := range ontschotv1.Files() {
		for i := range file.Services().Len() {
			s := file.Services().Get(i)
			if s.Name() == "PeerService" { // of other gateways
				continue
			}
			for j := range s.Methods().Len() {
				m := s.Methods().Get(j)
				at := slices.IndexFunc(web.Routes(), func(r web.Route) bool { return r.Method() == m })
				require.GreaterOrEqual(t, at, 0, m.FullName())
				r := web.Routes()[at]
				o := d.Paths[strings.TrimPrefix(r.Path, "/v1")][strings.ToLower(r.Verb)]
				require.Equal(t, string(m.Name()), o.OperationID)
				calls++
				var have []string
				for _, p := range o.Parameters {
					have = append(have, p.Name)
				}
				if r.Verb == "POST" {
					name := strings.TrimPrefix(o.RequestBody.Content["application/json"].Schema["$ref"].(string), "#/components/schemas/")
					for f := range d.Components.Schemas[name].Properties {
						have = append(have, f)
					}
				}
				for k := range m.Input().Fields().Len() {
					require.Contains(t, have, m.Input().Fields().Get(k).JSONName(), m.FullName())
				}
				fields += everyField(t, d, m.Output(), map[protoreflect.FullName]bool{})
				for k := range m.Input().Fields().Len() {
					if md := m.Input().Fields().Get(k).Message(); md != nil {
						fields += everyField(t, d, md, map[protoreflect.FullName]bool{})
					}
				}
			}
		}
	}
	require.Equal(t, len(web.Routes()), calls)
	require.Greater(t, fields, 500)
}

// everyField looks up those of a message and of all that is in it.
func everyField(t *testing.T, d described, md protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) (n int) {
	t.Helper()
	if md.IsMapEntry() || seen[md.FullName()] {
		return 0
	}
	seen[md.FullName()] = true
	s := d.Components.Schemas[string(md.Name())]
	for i := range md.Fields().Len() {
		f := md.Fields().Get(i)
		require.Contains(t, s.Properties, f.JSONName(), md.FullName())
		n++
		if f.Message() != nil {
			n += everyField(t, d, f.Message(), seen)
		}
	}
	return n
}

// Two messages of one name would be described as one.
func TestNoTwoMessagesHaveOneName(t *testing.T) {
	by := map[string]protoreflect.FullName{}
	var walk func(md protoreflect.MessageDescriptor)
	walk = func(md protoreflect.MessageDescriptor) {
		if md.IsMapEntry() {
			return
		}
		other, seen := by[string(md.Name())]
		require.True(t, !seen || other == md.FullName(), "%s and %s", other, md.FullName())
		by[string(md.Name())] = md.FullName()
		for i := range md.Fields().Len() {
			if f := md.Fields().Get(i); f.Message() != nil && !seen {
				walk(f.Message())
			}
		}
	}
	for _, r := range web.Routes() {
		walk(r.Method().Input())
		walk(r.Method().Output())
	}
	require.Greater(t, len(by), 60)
}

// Each reason for which a call can be refused is named at the status with which it comes.
func TestEveryReasonIsDescribed(t *testing.T) {
	d := read(t)
	n := 0
	for code, reasons := range refusal.ReasonsByCode() {
		at, known := web.Statuses()[code]
		if !known {
			at = 500
		}
		for _, reason := range reasons {
			require.Contains(t, d.Components.Responses[nameOf(at)].Description, reason, code)
			n++
		}
	}
	require.Greater(t, n, 70)
	for path, operations := range d.Paths {
		for verb, o := range operations {
			require.NotEmpty(t, o.Responses["200"].Content, path)
			for _, at := range []int{403, 406} {
				require.Equal(t, "#/components/responses/"+nameOf(at), o.Responses[strconv.Itoa(at)].Ref, "%s %s", verb, path)
			}
		}
	}
}
