package config

import (
	"io/fs"
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
		"trust: trust.yaml":       {"trust: {a: b}", "trust: one value is needed here"},
		"min_rsa_bits: 2048":      {"min_rsa_bits: 1024", "from 2048 to 8192"},
		"_rsa_bits: 2048":         {"_rsa_bits: 3072000", "from 2048 to 8192"},
		"next_update: refuse":     {"next_update: hope", "refuse or accept"},
		"- tls/root.crl":          {"- ldap://crl.example.nl/root", "tls.crls[0]"},
		"- http://crl.":           {"- http://user:word@crl.", "tls.crls[1]"},
		"streams: 256":            {"streams: 100", "limits.streams is a number from 136 to 65536"},
		"connections: 4096":       {"connections: -1", "limits.connections is a number from 1"},
		"handshake_timeout: 5s":   {"handshake_timeout: 5", "limits.handshake_timeout is a duration such as 5s, from 100ms to 1m0s"},
		"drain: 30s":              {"drain: 30h", "limits.drain is a duration"},
		"metadata_bytes: 65536":   {"metadata_bytes: 100", "limits.metadata_bytes is a number from 16384"},
		"peer: true":              {"peer: true\n    adapter: uwv", "sources[3]: one of adapter, command, address and peer"},
		"    peer: true":          {"", "sources[3]: one of adapter, command, address and peer"},
		"peer: true #":            {"peer: true\n    secrets: {tls_key: a} #", "sources[3]: peer: true goes with party and nothing else"},
		"listen: 127.0.0.1:8445":  {"listen: 8445", "https.listen is no host:port"},
		"- party: UWV":            {"- party: ZK5503", "sources[3]: ZK5503 is listed twice"},
		"- party: SVB":            {"- party: \"\"", "sources[2]: party is needed"},
		"[/opt/agency":            {"[opt/agency", "sources[1]: command[0] must be an absolute path"},
		"adapter.svb.example:":    {"adapter.svb.example #", "sources[2]: address must be host:port"},
		"certificate: \"0":        {"certificate: \"x", "sources[2]: certificate is an OIN"},
		"certificate: \"00":       {"secrets: {a: b}\n    certificate: \"00", "sources[2]: address: an adapter at an address is configured where it runs"},
		"users: 62000-62999":      {"users: 0-62999", "adapters.users must be FIRST-LAST"},
		"users: 62000":            {"users: x62000", "adapters.users must be FIRST-LAST"},
		"    manifest: sources":   {"    # manifest: sources", "sources[1]: command: a command needs a manifest"},
		"[/srv/export/nightly]":   {"[srv/export]", "sources[1]: allow.read[0] must be an absolute path"},
		"[/srv/export/nightly":    {"[/", "allow.read[0]"},
		"[/srv/export":            {"[/srv/../etc", "allow.read[0]"},
		"db.example:5432":         {"db.example", "allow.connect[0] must be host:port"},
		"memory_mib: 512":         {"memory_mib: 1", "allow.memory_mib is from 64"},
		"processes: 256":          {"processes: 1", "allow.processes is from 16"},
		"  - party: UWV\n":        {"  - party: UWV\n    allow: {}\n", "allow goes with adapter or command"},
		"address: adapter.svb":    {"manifest: x\n    address: adapter.svb", "manifest goes with command"},
		"peer: true # no":         {"peer: true\n    certificate: \"00000001003214345000\" # no", "sources[3]: peer: true goes with party"},
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
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// An adapter may connect to the addresses in its configuration, wherever they stand, unless
// the operator names others.
func TestWhichPortsAnAdapterMayConnectTo(t *testing.T) {
	s := Source{Settings: Settings{Config: map[string]any{
		"url": "https://registers.example:8443/x", "token_url": "https://login.example/token", "party": "ZK5503", "text": "12:30", "n": 5432,
		"source": map[string]any{"dsn": "postgres://db.example/x", "list": []any{"db.example:1433", "http://[::1]:81", "host:0", "host:70000", "::", ":8443"}},
	}}}
	require.Equal(t, []uint16{30, 81, 443, 1433, 5432, 8443}, s.Ports(), "one too many is a port that nobody needs")
	require.Equal(t, []uint16{443}, s.PortsAt([]string{"token_url", "nothing", "source.nothing", "party.x"}))
	require.Equal(t, []uint16{81, 1433, 5432, 8443}, s.PortsAt([]string{"source", "url"}))
	require.Empty(t, s.PortsAt(nil))
	s.Allow = &Allow{}
	require.NotEmpty(t, s.Ports(), "nothing is said of connecting")
	s.Allow.Connect = []string{}
	require.Empty(t, s.Ports(), "nowhere")
	s.Allow.Connect = []string{"a:1", "b:2", "c:1"}
	require.Equal(t, []uint16{1, 2}, s.Ports())
}

func FuzzReadGateway(f *testing.F) {
	raw, err := os.ReadFile("../../docs/gateway.example.yaml")
	require.NoError(f, err)
	f.Add(string(raw))
	path := filepath.Join(f.TempDir(), "gateway.yaml")
	f.Fuzz(func(t *testing.T, s string) {
		if os.WriteFile(path, []byte(s), 0o600) == nil {
			_, problems := CheckGateway(path)
			require.LessOrEqual(t, len(problems), mostProblems)
			for _, p := range problems {
				require.NotEmpty(t, p.What)
				require.LessOrEqual(t, len(p.String()), 8<<10)
			}
		}
	})
}

// keysOf are the keys of a type and of what is in it.
func keysOf(t reflect.Type, keys []string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return keys
	}
	for name, inner := range fieldsOf(t) {
		keys = keysOf(inner, append(keys, name))
	}
	return keys
}

// Everything that is wrong is told at once, each with its place.
func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(path, []byte(`organisation: GM0119
listen: 8443
data: [data]
trust: trust.yaml
source_timeout: soon
dev: perhaps
keys:
  singing: [{id: sign-1}]
  signing:
    - {id: sign-1, fil: x}
  log: log.key
  pseudonym: [a]
tls: {certificate: a, key: b, ca: c, min_rsa_bits: many}
sources:
  - party: UWV
  - party: UWV
    peer: true
    secrets: {a: b}
trust: other.yaml
`), 0o600))
	_, problems := CheckGateway(path)
	var said []string
	for _, p := range problems {
		require.Equal(t, path, p.File)
		said = append(said, strings.TrimPrefix(p.String(), path+":"))
	}
	require.ElementsMatch(t, []string{
		`3:7: data: one value is needed here, and no list or keys`,
		`6:6: dev: true or false is needed here`,
		`8:3: unknown key "singing" (did you mean "signing"?)`,
		`10:20: unknown key "fil" (did you mean "file"?)`,
		`13:52: tls.min_rsa_bits: a whole number is needed here`,
		`19:1: the key "trust" is here twice`,
		`2:1: listen must be host:port, such as 0.0.0.0:8443`,
		`1:1: withdraw_url is needed`,
		`1:1: data_protection_officer is needed`,
		`10:8: keys.signing[0]: id, file, and from as 2026-01-31T00:00:00Z or none are needed`,
		`5:1: source_timeout is no duration such as 5s`,
		`15:5: sources[0]: one of adapter, command, address and peer: true is needed, and no other`,
		`17:5: sources[1]: peer: true goes with party and nothing else`,
		`16:5: sources[1]: UWV is listed twice`,
	}, said)
	_, err := ReadGateway(path)
	for _, one := range said {
		require.ErrorContains(t, err, one)
	}
}

// What YAML can do beside saying what is so is not read: it hides what a file says.
func TestYAMLThatSaysNothingOfItself(t *testing.T) {
	for text, says := range map[string]string{
		"":                                 "it is empty",
		"# nothing but this\n":             "it is empty",
		"---\n...\n":                       "is needed",
		"a: &a [x]\nb: {c: *a, d: *a}\n":   "write it out",
		"a: 1\n---\nb: 2\n":                "more than one document",
		"trust: &x t\nhead: *x\n":          "write it out",
		"tls: &x {key: a}\nkeys: {<<: *x}": "write it out",
		"keys: {<<: {log: a}}":             "a key is one text",
		"sources: [{config: {a: &x b}}]":   "write it out",
		"? [a, b]\n: c\n":                  "a key is one text",
		"\tlisten: x":                      "cannot be read as YAML",
		"- a\n- b\n":                       "keys with values are needed here",
		"sources: 5\n":                     "sources: a list is needed here",
		"sources: [5]\n":                   "sources[0]: keys with values are needed here",
	} {
		path := filepath.Join(t.TempDir(), "gateway.yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := ReadGateway(path)
		require.ErrorIs(t, err, ErrConfig, text)
		require.ErrorContains(t, err, says, text)
	}
}

// A path that begins with $CREDENTIALS_DIRECTORY/ is a credential of the service, and no way out of
// that folder; elsewhere it says what it is for.
func TestAPathToACredential(t *testing.T) {
	const name = "$CREDENTIALS_DIRECTORY/keys_sign-1.pem"
	t.Setenv("CREDENTIALS_DIRECTORY", "/run/credentials/ontschot.service")
	c := &Gateway{path: "/etc/ontschot/gateway.yaml"}
	require.Equal(t, "/run/credentials/ontschot.service/keys_sign-1.pem", c.Path(name))
	require.NotContains(t, c.Path("$CREDENTIALS_DIRECTORY/../x"), "/run/credentials")
	require.Equal(t, "/etc/ontschot/keys/sign-1.pem", c.Path("keys/sign-1.pem"))
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	_, err := ReadFile(c.Path(name))
	require.ErrorIs(t, err, ErrConfig)
	require.ErrorContains(t, err, "for a service of systemd")
}
