package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheExampleIsRead(t *testing.T) {
	c, err := ReadGateway("../../docs/gateway.example.yaml")
	require.NoError(t, err)
	require.Equal(t, "careoffice", c.Sources[0].Adapter)
	timeout, err := c.Timeout()
	require.NoError(t, err)
	require.Equal(t, "5s", timeout.String())
	// Every key there is is in the example.
	raw, err := os.ReadFile("../../docs/gateway.example.yaml")
	require.NoError(t, err)
	for _, key := range keysOf(reflect.TypeOf(c), nil) {
		require.Contains(t, string(raw), key+":", "undocumented key")
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	raw, err := os.ReadFile("../../docs/gateway.example.yaml")
	require.NoError(t, err)
	for from, c := range map[string]struct{ to, names string }{
		"source_timeout: 5s":      {"source_timeuot: 5s", `unknown key "source_timeuot" (did you mean "source_timeout"?)`},
		"listen: 0.0.0.0:8443":    {"", "listen is needed"},
		"# today: \"2025-06-30\"": {"today: \"2025-06-30\"", "only with dev: true"},
		"source_timeout: 5":       {"source_timeout: x", "source_timeout"},
		"data: data":              {"data: [", "line"},
		"trust: trust.yaml":       {"trust: {a: b}", "line"},
		"min_rsa_bits: 2048":      {"min_rsa_bits: 1024", "from 2048 to 8192"},
		"_rsa_bits: 2048":         {"_rsa_bits: 3072000", "from 2048 to 8192"},
		"next_update: refuse":     {"next_update: hope", "refuse or accept"},
		"- tls/root.crl":          {"- ldap://crl.example.nl/root", "tls.crls[0]"},
		"- http://crl.":           {"- http://user:word@crl.", "tls.crls[1]"},
		"peer: true":              {"peer: true\n    adapter: uwv", "sources[1]: either adapter, or peer: true"},
		"    peer: true":          {"", "sources[1]: either adapter, or peer: true"},
		"peer: true #":            {"peer: true\n    secrets: {tls_key: a} #", "sources[1]: either adapter, or peer: true"},
	} {
		path := filepath.Join(t.TempDir(), "gateway.yaml")
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(raw), from, c.to, 1)), 0o600))
		_, err := ReadGateway(path)
		require.ErrorIs(t, err, ErrConfig, from)
		require.ErrorContains(t, err, c.names)
		require.ErrorContains(t, err, path)
	}
	_, err = ReadGateway("nowhere.yaml")
	require.ErrorIs(t, err, ErrConfig)
}

func FuzzReadGateway(f *testing.F) {
	raw, err := os.ReadFile("../../docs/gateway.example.yaml")
	require.NoError(f, err)
	f.Add(string(raw))
	path := filepath.Join(f.TempDir(), "gateway.yaml")
	f.Fuzz(func(t *testing.T, s string) {
		if os.WriteFile(path, []byte(s), 0o600) == nil {
			_, _ = ReadGateway(path) // must not panic
		}
	})
}
