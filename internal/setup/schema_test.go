package setup

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/docs"
	"github.com/ontschot/ontschot/internal/config"
)

func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	raw, err := Schema(name, nil)
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("x.json", doc))
	rules, err := c.Compile("x.json")
	require.NoError(t, err)
	return rules
}

// valueOf reads YAML as JSON has it.
func valueOf(t *testing.T, text string) any {
	t.Helper()
	var v any
	require.NoError(t, yaml.Unmarshal([]byte(text), &v))
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	return value
}

// The schema and the strict reader take the same keys: the examples hold by both, and each key of
// them, spelled wrongly, by neither.
func TestSchemaAndReaderTakeTheSameKeys(t *testing.T) {
	read := map[string]func(string) error{
		"gateway": func(path string) error { _, err := config.ReadGateway(path); return err },
		"trust":   func(path string) error { _, err := config.ReadTrust(path); return err },
		"client":  func(path string) error { _, err := config.ReadClient(path); return err },
	}
	for name, example := range map[string][]byte{"gateway": docs.GatewayExample, "trust": docs.TrustExample, "client": docs.ClientExample} {
		rules := compile(t, name)
		require.NoError(t, rules.Validate(valueOf(t, string(example))), name)
		tried := 0
		lines := strings.Split(string(example), "\n")
		inside := 0 // of what somebody else knows: config, roles and the like
		for i, line := range lines {
			at := keyLine.FindStringSubmatch(strings.Replace(line, "- ", "  ", 1))
			if at == nil || strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			if inside > 0 && len(at[1]) > inside {
				continue
			}
			inside = 0
			if of := []string{"config", "config_files", "secrets", "roles", "assurances", "scopes"}; contains(of, at[2]) {
				inside = len(at[1])
				if inside == 0 {
					inside = 1
				}
			}
			spoiled := append([]string{}, lines...)
			spoiled[i] = strings.Replace(line, at[2]+":", at[2]+"x:", 1)
			text := strings.Join(spoiled, "\n")
			path := filepath.Join(t.TempDir(), name+".yaml")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			require.ErrorContains(t, read[name](path), `unknown key "`+at[2]+`x" (did you mean`, "%s: %s", name, line)
			require.Error(t, rules.Validate(valueOf(t, text)), "%s: %s", name, line)
			tried++
		}
		require.Greater(t, tried, 5, name)
	}
}

func contains(list []string, one string) bool {
	for _, s := range list {
		if s == one {
			return true
		}
	}
	return false
}

// What the example explains, the schema says.
func TestSchemasSayWhatTheExampleSays(t *testing.T) {
	raw, err := Schema("gateway", nil)
	require.NoError(t, err)
	require.Contains(t, string(raw), "Every client must show a certificate.")
	require.Contains(t, string(raw), "OIN in Subject.serialNumber")
	_, err = Schema("nothing", nil)
	require.ErrorIs(t, err, ErrInput)
}
