package exam

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// recordKey is the secret that every adapter takes: it salts the digests of records.
const recordKey = "record_key"

// inWords: what it says of itself is of the closed lists, and enough.
func inWords(_ context.Context, x *examination) *finding {
	d := x.what
	var all []string
	for _, c := range budgetv1.Categories() {
		all = append(all, string(c))
	}
	for _, list := range []struct {
		field       string
		said, known []string
	}{
		{"laws", d.GetLaws(), budgetv1.Laws()}, {"categories", d.GetCategories(), all},
		{"identifiers", d.GetIdentifiers(), budgetv1.IdentifierNames()},
	} {
		if len(list.said) == 0 {
			return fails("%s is leeg", "%s is empty", list.field)
		}
		for i, word := range list.said {
			if !slices.Contains(list.known, word) {
				return fails("%s[%d] staat niet op de lijst", "%s[%d] is not on the list", list.field, i)
			}
			if slices.Contains(list.said[:i], word) {
				return fails("%s[%d] staat er twee keer", "%s[%d] is there twice", list.field, i)
			}
		}
	}
	for field, text := range map[string]string{"id": d.GetId(), "version": d.GetVersion()} {
		if text == "" || len(text) > 64 || !budgetv1.Printable(text) {
			return fails("%s: 1 tot 64 leesbare tekens", "%s: 1 to 64 printable characters", field)
		}
	}
	return nil
}

// steady: it always says the same, in this run and in the next.
func steady(ctx context.Context, x *examination) *finding {
	for range 2 {
		t, f := x.open(ctx)
		if f != nil {
			return f
		}
		defer t.close()
		for range 3 {
			again, err := t.describe(ctx)
			if err != nil {
				return fails("Describe geeft %s", "Describe gives %s", outcome(err))
			}
			if !proto.Equal(again, x.what) {
				return fails("nu is %s anders", "%s is another now", differs("", x.what.ProtoReflect(), again.ProtoReflect()))
			}
		}
	}
	return nil
}

// asManifest: it is what the manifest says.
func asManifest(_ context.Context, x *examination) *finding {
	if field := x.Manifest(x.what); field != "" {
		return fails("%s is anders dan in het manifest", "%s is not as in the manifest", field)
	}
	return nil
}

// Described is the manifest of an adapter that must say of itself what its mode describe
// printed before, in JSON. Errors: ErrConfig.
func Described(raw []byte) (func(*adapterv1.DescribeResponse) string, error) {
	want, err := readDescribed(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: the manifest is not what the mode describe prints", ErrConfig)
	}
	want.ConfigSchema = compact(want.GetConfigSchema())
	return func(what *adapterv1.DescribeResponse) string {
		said := proto.CloneOf(what)
		said.ConfigSchema = compact(said.GetConfigSchema())
		return differs("", want.ProtoReflect(), said.ProtoReflect())
	}, nil
}

// readDescribed reads what the mode describe prints: the schema stands in it as an object.
func readDescribed(raw []byte) (*adapterv1.DescribeResponse, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	schema := all["configSchema"]
	delete(all, "configSchema")
	rest, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	var d adapterv1.DescribeResponse
	if err := protojson.Unmarshal(rest, &d); err != nil {
		return nil, err
	}
	d.ConfigSchema = schema
	return &d, nil
}

func compact(raw []byte) []byte {
	var value any
	if len(raw) == 0 || json.Unmarshal(raw, &value) != nil {
		return raw
	}
	again, _ := json.Marshal(value) // it was JSON
	return again
}

// maxSchema bounds the schema of a configuration, in bytes.
const maxSchema = 64 << 10

// schema compiles that of the configuration; nil without one.
func schema(raw []byte) (*jsonschema.Schema, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // it reaches nothing
	c.AssertFormat()
	if err := c.AddResource("config.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("config.json")
}

func compiles(_ context.Context, x *examination) *finding {
	raw := x.what.GetConfigSchema()
	if len(raw) > maxSchema {
		return fails("%d bytes; ten hoogste %d", "%d bytes; at most %d", len(raw), maxSchema)
	}
	rules, err := schema(raw)
	if err != nil {
		return fails("het is geen JSON Schema 2020-12 zonder verwijzing naar buiten", "it is no JSON Schema 2020-12 without a reference to the outside")
	}
	if rules == nil || len(x.JSON) == 0 {
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(x.JSON))
	if err != nil || rules.Validate(value) != nil {
		return fails("de gegeven configuratie (-c) voldoet er niet aan", "the configuration that was given (-c) does not conform to it")
	}
	return nil
}

func hasSchema(_ context.Context, x *examination) *finding {
	if len(x.what.GetConfigSchema()) == 0 {
		return fails("er is geen schema", "there is no schema")
	}
	return nil
}

// secretsNamed: each secret has a name, none is a key of the configuration, and what it was
// given it knows.
func secretsNamed(_ context.Context, x *examination) *finding {
	keys := properties(x.what.GetConfigSchema())
	for i, name := range x.what.GetSecrets() {
		switch {
		case name == "" || len(name) > 64 || !budgetv1.Printable(name) || slices.Contains(x.what.GetSecrets()[:i], name):
			return fails("secrets[%d]: een naam, één keer", "secrets[%d]: a name, once", i)
		case name == recordKey:
			return fails("%s heeft elke adapter en hoort niet in de lijst", "%s every adapter has; it does not belong in the list", recordKey)
		case keys[name] != nil:
			return fails("secrets[%d] is ook een sleutel van de configuratie", "secrets[%d] is a key of the configuration too", i)
		}
	}
	for name := range x.Secrets {
		if name != recordKey && !slices.Contains(x.what.GetSecrets(), name) {
			return fails("het gegeven geheim %q noemt het niet", "it does not name the secret %q that was given", name)
		}
	}
	return nil
}

// properties are the keys of a configuration by the schema, each with its own.
func properties(raw []byte) map[string]any {
	var object struct {
		Properties map[string]any `json:"properties"`
	}
	_ = json.Unmarshal(raw, &object) // one that does not compile has none
	return object.Properties
}

// egressKeys: each is a key of the configuration that can hold an address.
func egressKeys(_ context.Context, x *examination) *finding {
	if len(x.what.GetEgress()) == 0 {
		return beside("het noemt geen adressen", "it names no addresses")
	}
	if len(x.what.GetConfigSchema()) == 0 {
		return beside("er is geen schema", "there is no schema")
	}
	for i, key := range x.what.GetEgress() {
		at := any(map[string]any{"properties": properties(x.what.GetConfigSchema())})
		for _, name := range strings.Split(key, ".") {
			object, _ := at.(map[string]any)
			inside, _ := object["properties"].(map[string]any)
			at = inside[name]
		}
		object, ok := at.(map[string]any)
		if kind := object["type"]; !ok || kind != nil && kind != "string" && kind != "array" {
			return fails("egress[%d] is geen sleutel met een tekst", "egress[%d] is no key with a text", i)
		}
	}
	return nil
}

// capable: it has what it says that it has.
func capable(ctx context.Context, x *examination) *finding {
	t, f := x.open(ctx)
	if f != nil {
		return f
	}
	defer t.close()
	for i, what := range x.what.GetCapabilities() {
		var err error
		switch what {
		case canValidate:
			_, err = t.asks.ValidateConfig(ctx, &adapterv1.ValidateConfigRequest{Config: x.JSON, Secrets: x.Secrets})
		case canProbe:
			_, err = t.asks.Probe(ctx, &adapterv1.ProbeRequest{})
		default:
			return fails("capabilities[%d] staat niet op de lijst", "capabilities[%d] is not on the list", i)
		}
		if status.Code(err) == codes.Unimplemented {
			return fails("capabilities[%d] is er niet", "capabilities[%d] is not there", i)
		}
	}
	return nil
}

// Capabilities.
const (
	canValidate = "validate"
	canProbe    = "probe"
)
