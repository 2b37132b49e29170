package setup

import (
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/docs"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/door"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
)

const meppel = identity.OIN("00000099000000119000")

func organisation(dir string) Organisation {
	return Organisation{
		OIN: meppel, Name: "Gemeente Meppel", Code: "GM0119", Host: "localhost", Listen: "127.0.0.1:8443",
		WithdrawURL: "https://toestemming.meppel.example/intrekken", Officer: "fg@meppel.example", Dir: dir,
	}
}

// ready is the folder of an organisation whose certificates have come.
func ready(t *testing.T, o Organisation) string {
	t.Helper()
	_, err := Init(o)
	require.NoError(t, err)
	ca := filepath.Join(t.TempDir(), "ca")
	for _, folder := range []string{"tls", "client"} {
		request, err := os.ReadFile(filepath.Join(o.Dir, folder, "request.csr"))
		require.NoError(t, err)
		cert, err := family.SignRequest(ca, request, time.Now())
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(o.Dir, folder, "cert.pem"), cert, 0o600))
	}
	roots, err := os.ReadFile(filepath.Join(ca, "ca.pem"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(o.Dir, "tls/ca.pem"), roots, 0o600))
	return filepath.Join(o.Dir, "gateway.yaml")
}

// checker looks at files with what a gateway reads them with.
func checker(now time.Time) Checker {
	return Checker{
		Now: now, Policies: server.CheckPolicies, Limits: func(config.Limits) *config.Problem { return nil },
		LogKey: func(c *config.Gateway) error { _, err := server.LogKey(c); return err },
		PinnedLogKey: func(c *config.Gateway, own config.Organisation) error {
			_, err := server.RecordConfig(c, own)
			return err
		},
	}
}

func check(t *testing.T, path string) Report {
	t.Helper()
	return checker(time.Now()).Check(t.Context(), path)
}

// From nothing to files that a gateway starts with: what only the authority can give, and what only
// the organisation knows, is asked for, and nothing else.
func TestWhatIsMadeIsWholeButForWhatOthersGive(t *testing.T) {
	o := organisation(filepath.Join(t.TempDir(), "meppel"))
	o.WithdrawURL = ""
	made, err := Init(o)
	require.NoError(t, err)
	require.Empty(t, made.There)
	var said []string
	report := check(t, filepath.Join(o.Dir, "gateway.yaml"))
	for _, p := range report.Problems {
		said = append(said, p.Key)
	}
	require.Equal(t, []string{"tls.certificate", "tls.ca", "withdraw_url"}, said)
	require.True(t, report.Broken())
	require.NotEmpty(t, report.Policy)
	require.Equal(t, []string{"listen", "data"}, []string{report.Listens[0].Key, report.Listens[1].Key})

	require.NoError(t, filepath.WalkDir(o.Dir, func(path string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		is, err := d.Info()
		require.NoError(t, err)
		require.Zero(t, is.Mode().Perm()&0o077, path)
		return nil
	}))

	o = organisation(filepath.Join(t.TempDir(), "meppel"))
	path := ready(t, o)
	report = check(t, path)
	require.Empty(t, report.Problems)
	require.NotEmpty(t, report.Until)
	_, err = config.ReadClient(filepath.Join(o.Dir, "client.yaml"))
	require.NoError(t, err)
}

// The request has the OIN where it is read, and the certificate that comes of it is believed.
func TestTheRequestSaysWhoItIs(t *testing.T) {
	o := organisation(t.TempDir())
	ready(t, o)
	raw, err := os.ReadFile(filepath.Join(o.Dir, "tls/request.csr"))
	require.NoError(t, err)
	block, _ := pem.Decode(raw)
	r, err := x509.ParseCertificateRequest(block.Bytes)
	require.NoError(t, err)
	require.NoError(t, r.CheckSignature())
	require.Equal(t, string(meppel), r.Subject.SerialNumber)
	require.Contains(t, r.Subject.String(), "2.5.4.97=")
	require.Equal(t, []string{"localhost"}, r.DNSNames)
	raw, err = os.ReadFile(filepath.Join(o.Dir, "tls/cert.pem"))
	require.NoError(t, err)
	block, _ = pem.Decode(raw)
	cert, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	oin, err := certificate.Peer(cert)
	require.NoError(t, err, "one number in both places")
	require.Equal(t, meppel, oin)
}

// What is there is never written over, whoever made it, and nobody's folder becomes another's.
func TestInitMakesOnlyWhatLacks(t *testing.T) {
	o := organisation(t.TempDir())
	require.NoError(t, os.WriteFile(filepath.Join(o.Dir, "gateway.yaml"), []byte("mine"), 0o600))
	first, err := Init(o)
	require.NoError(t, err)
	require.Equal(t, []string{"gateway.yaml"}, first.There)
	before := contents(t, o.Dir)
	require.Equal(t, "mine", before["gateway.yaml"])
	second, err := Init(o)
	require.NoError(t, err)
	require.Empty(t, second.New)
	require.Equal(t, before, contents(t, o.Dir))
	require.NoError(t, os.Remove(filepath.Join(o.Dir, "party.yaml")))
	third, err := Init(o)
	require.NoError(t, err)
	require.Equal(t, []string{"party.yaml"}, third.New)
	require.Equal(t, before, contents(t, o.Dir), "of the same keys")
	o.OIN = "00000099000005503000"
	_, err = Init(o)
	require.ErrorIs(t, err, ErrInput)
	require.Equal(t, before, contents(t, o.Dir))
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			all[strings.TrimPrefix(path, dir+"/")] = string(raw)
		}
		return err
	}))
	return all
}

func TestWhatInitAsksFor(t *testing.T) {
	for name, spoil := range map[string]func(*Organisation){
		"no OIN":            func(o *Organisation) { o.OIN = "123" },
		"no name":           func(o *Organisation) { o.Name = "" },
		"a name of lines":   func(o *Organisation) { o.Name = "a\ntrust: x" },
		"no code":           func(o *Organisation) { o.Code = "" },
		"an unclear code":   func(o *Organisation) { o.Code = "MEPPEL" },
		"no kind there is":  func(o *Organisation) { o.Kind = "MINISTRY" },
		"no law there is":   func(o *Organisation) { o.Laws = []string{"BW"} },
		"a port alone":      func(o *Organisation) { o.Listen = "8443" },
		"a host with port":  func(o *Organisation) { o.Host = "a:1" },
		"a link with lines": func(o *Organisation) { o.WithdrawURL = "a\nb: c" },
	} {
		o := organisation(filepath.Join(t.TempDir(), "none"))
		spoil(&o)
		_, err := Init(o)
		require.ErrorIs(t, err, ErrInput, name)
		require.NoDirExists(t, o.Dir, name)
	}
}

// The example is the one text: what is written holds every line of explanation in it, and is read.
func TestWhatIsWrittenIsTheExample(t *testing.T) {
	o := organisation(t.TempDir())
	require.NoError(t, o.complete())
	for _, c := range []struct{ example, made string }{{string(docs.GatewayExample), string(o.gateway())}, {string(docs.ClientExample), string(o.client())}} {
		for line := range strings.Lines(c.example) {
			if explains := strings.TrimSpace(line); strings.HasPrefix(explains, "#") {
				require.Contains(t, c.made, explains)
			}
		}
		var uncommented []string
		for line := range strings.Lines(c.made) {
			if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "#") {
				uncommented = append(uncommented, strings.Split(text, ":")[0])
			}
		}
		require.NotContains(t, uncommented, "crls")
		require.NotContains(t, uncommented, "sources")
		require.Contains(t, uncommented, "trust")
	}
	require.Panics(t, func() { fill(docs.ClientExample, map[string]string{"nothing": "x"}) })
}

// Two organisations exchange their entries; what is there stays, and nothing that is wrong counts.
func TestAnEntryOfAnother(t *testing.T) {
	here, there := organisation(t.TempDir()), organisation(t.TempDir())
	there.OIN, there.Code, there.Name = "00000099000005503000", "ZK5503", "Zorgkantoor Drenthe"
	ready(t, here)
	_, err := Init(there)
	require.NoError(t, err)
	theirs := filepath.Join(there.Dir, "party.yaml")
	p, err := ReadParty(theirs)
	require.NoError(t, err)
	require.Regexp(t, `^([0-9a-f]{4}-){7}[0-9a-f]{4}$`, p.Fingerprint())
	trust := filepath.Join(here.Dir, "trust.yaml")
	require.NoError(t, Add(trust, p))
	require.Empty(t, check(t, filepath.Join(here.Dir, "gateway.yaml")).Problems)
	raw, err := os.ReadFile(trust)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(raw), "# The trust file"), "comments stay")
	read, err := config.ReadTrust(trust)
	require.NoError(t, err)
	require.Len(t, read.Parties, 2)
	require.ErrorIs(t, Add(trust, p), ErrKnown)
	p.Code = "ZK5504"
	require.ErrorIs(t, Add(trust, p), ErrKnown, "the same OIN")

	other, err := ReadParty(theirs)
	require.NoError(t, err)
	same := other.Fingerprint()
	for name, spoil := range map[string]func(){
		"a key": func() { other.Keys[0].PEM = other.Keys[1].PEM }, "an address": func() { other.Gateway = "x:1" }, "a log": func() { other.LogKeys = nil },
		"what a key signs": func() { other.Keys[0].Kinds = other.Keys[0].Kinds[:1] }, "a name": func() { other.Name += "." },
	} {
		before := other.Fingerprint()
		spoil()
		require.NotEqual(t, before, other.Fingerprint(), name)
		require.NotEqual(t, same, other.Fingerprint(), name)
	}
}

func FuzzReadParty(f *testing.F) {
	o := organisation(f.TempDir())
	_, err := Init(o)
	require.NoError(f, err)
	raw, err := os.ReadFile(filepath.Join(o.Dir, "party.yaml"))
	require.NoError(f, err)
	f.Add(string(raw))
	path := filepath.Join(f.TempDir(), "party.yaml")
	f.Fuzz(func(t *testing.T, s string) {
		require.NoError(t, os.WriteFile(path, []byte(s), 0o600))
		if p, err := ReadParty(path); err == nil {
			require.Regexp(t, plain, p.Code)
			require.NotEmpty(t, p.Fingerprint())
		}
	})
}

// Whatever stands in gateway.yaml, the check says what it thinks of it, and no more than it must.
func FuzzCheck(f *testing.F) {
	o := organisation(f.TempDir())
	_, err := Init(o)
	require.NoError(f, err)
	path := filepath.Join(o.Dir, "gateway.yaml")
	raw, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(string(raw))
	f.Add(string(docs.GatewayExample))
	f.Fuzz(func(t *testing.T, s string) {
		require.NoError(t, os.WriteFile(path, []byte(s), 0o600))
		for _, p := range checker(time.Unix(0, 0)).Check(t.Context(), path).Problems {
			require.NotEmpty(t, p.What)
		}
	})
}

// Each mistake of an operator is found where it was made, before anything is started.
func TestWhatIsWrongWithTheFilesThatAreNamed(t *testing.T) {
	o := organisation(t.TempDir())
	path := ready(t, o)
	good := contents(t, o.Dir)
	for name, c := range map[string]struct {
		spoil func() error
		key   string
		says  string
	}{
		"a key of somebody else":        {func() error { return swap(o.Dir, "keys/sign-1.pem", "client/token.pem") }, "keys.signing[0].file", "is not among the keys of GM0119"},
		"a key that is none":            {func() error { return write(o.Dir, "keys/sign-1.pem", "x") }, "keys.signing[0].file", "no private key"},
		"no key of the log":             {func() error { return os.Remove(o.Dir + "/keys/log.key") }, "keys.log", "is not there"},
		"a log key that is none":        {func() error { return write(o.Dir, "keys/log.key", "x") }, "keys.log", "no key of a log"},
		"a short pseudonym key":         {func() error { return write(o.Dir, "keys/pseudonym.key", "x") }, "keys.pseudonym[0]", "32 random bytes"},
		"a certificate without its key": {func() error { return swap(o.Dir, "tls/key.pem", "client/key.pem") }, "tls.certificate", "no private key that fits"},
		"another authority":             {func() error { return swap(o.Dir, "tls/ca.pem", "tls/cert.pem") }, "tls.certificate", "is not an authority's"},
		"another host":                  {func() error { return edit(o.Dir, "trust.yaml", "localhost:8443", "elsewhere.example:8443") }, "tls.certificate", "not made out to elsewhere.example"},
		"another organisation":          {func() error { return edit(o.Dir, "gateway.yaml", "organisation: GM0119", "organisation: GM0193") }, "organisation", "no party of this code"},
		"no such folder":                {func() error { return edit(o.Dir, "gateway.yaml", "# documents: documents", "documents: documents") }, "documents", "is not there"},
		"no such policies": {func() error {
			return edit(o.Dir, "gateway.yaml", "# policies: policies.tar.gz", "policies: policies.tar.gz")
		}, "policies", "is not there"},
		"a trust file that is torn": {func() error { return edit(o.Dir, "trust.yaml", "kind: MUNICIPALITY", "kind: TOWN") }, "parties[0].kind", "must be one of"},
		"a pinned key that is gone": {func() error { return os.Remove(o.Dir + "/trust/GM0119-sign-1.pem") }, "parties", "no such file"},
		"two that listen at one": {func() error {
			return edit(o.Dir, "gateway.yaml", "data: data", "authzen: {listen: 127.0.0.1:8443}\ndata: data")
		}, "authzen.listen", "that of listen too"},
		"a source of nobody": {func() error {
			return edit(o.Dir, "gateway.yaml", "data: data", "sources: [{party: UWV, peer: true}]\ndata: data")
		}, "sources[0].party", "no party of the trust file"},
		"an adapter there is not": {func() error {
			return edit(o.Dir, "gateway.yaml", "data: data", "sources: [{party: GM0119, adapter: gemeente}]\ndata: data")
		}, "sources[0].adapter", "there is no adapter"},
		"a secret that is gone": {func() error {
			return edit(o.Dir, "gateway.yaml", "data: data", "sources: [{party: GM0119, adapter: csv, secrets: {record_key: none}}]\ndata: data")
		}, "sources[0].secrets.record_key", "is not there"},
		"a key for everybody": {func() error { return os.Chmod(o.Dir+"/keys/sign-1.pem", 0o644) }, "keys.signing[0].file", "can be read by others"},
	} {
		require.NoError(t, c.spoil(), name)
		report := check(t, path)
		found := false
		for _, p := range report.Problems {
			found = found || p.Key == c.key && strings.Contains(p.What, c.says)
			require.NotZero(t, p.Line, "%s: %s", name, p)
		}
		require.True(t, found, "%s: %v", name, report.Problems)
		require.True(t, report.Broken(), name)
		for file, content := range good {
			require.NoError(t, write(o.Dir, file, content))
			require.NoError(t, os.Chmod(filepath.Join(o.Dir, file), 0o600))
		}
	}
	require.Empty(t, check(t, path).Problems)

	// What only the service has cannot be looked at from outside, and is no fault.
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	require.NoError(t, edit(o.Dir, "gateway.yaml", "keys/log.key", "$CREDENTIALS_DIRECTORY/keys_log.key"))
	report := check(t, path)
	require.Len(t, report.Problems, 1)
	require.Equal(t, "keys.log", report.Problems[0].Key)
	require.False(t, report.Broken())
}

func write(dir, name, content string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600)
}

// swap writes the content of one file into another.
func swap(dir, name, with string) error {
	raw, err := os.ReadFile(filepath.Join(dir, with))
	if err != nil {
		return err
	}
	return write(dir, name, string(raw))
}

func edit(dir, name, from, to string) error {
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	if !strings.Contains(string(raw), from) {
		return os.ErrNotExist
	}
	return write(dir, name, strings.Replace(string(raw), from, to, 1))
}

// What a gateway does at its start with limits, for want of descriptors, is said before: that it
// does not start, or has fewer than usual; with the place in the file, and what to do.
func TestLimitsAreHeldAgainstTheDescriptors(t *testing.T) {
	var was syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was))
	now := was
	now.Cur = 4096
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &now))
	t.Cleanup(func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was)) })
	o := organisation(t.TempDir())
	path := ready(t, o)
	good := contents(t, o.Dir)["gateway.yaml"]
	lines := strings.Count(good, "\n")
	c := checker(time.Now())
	c.Limits = server.CheckLimits
	for limits, want := range map[string]struct {
		key, says string
		broken    bool
		line      int // below the last of those that were there
	}{
		"limits:\n  connections: 4000\n":                    {"limits.connections", "4000 connections, 512 handshakes and 512 descriptors in reserve are more than the 4096 files", true, 2},
		"limits:\n  connections: 100\n  handshakes: 4050\n": {"limits.handshakes", "4050 handshakes", true, 3},
		"limits:\n  descriptors_in_reserve: 4000\n":         {"limits.descriptors_in_reserve", "4000 descriptors", true, 2},
		"limits:\n  streams: 200\n":                         {"limits", "3072 are for connections", false, 1},
		"":                                                  {"limits", "3072 are for connections", false, 0},
		"limits:\n  handshakes: 0x\n":                       {"limits.handshakes", "a whole number is needed", true, 2},
		"limits:\n  connections: 3\n":                       {"limits.connections", "is a number from 16", true, 2},
		"limits:\n  connections: 100\n  handshakes: 64\n  descriptors_in_reserve: 64\n":                {},
		"limits: {connections: 3000, handshakes: 500, descriptors_in_reserve: 596, drain: 10s}\n":      {},
		"limits: {connections: 3001, handshakes: 500, descriptors_in_reserve: 596, drain: 10s}\n":      {"limits.connections", "more than the 4096 files", true, 1},
		"limits: {connections: 3000, handshakes: 500, drain: 10s, connections_per_organisation: 16}\n": {},
	} {
		require.NoError(t, write(o.Dir, "gateway.yaml", good+limits))
		report := c.Check(t.Context(), path)
		require.Equal(t, want.broken, report.Broken(), limits)
		if want.key == "" {
			require.Empty(t, report.Problems, limits)
		} else {
			require.Len(t, report.Problems, 1, limits)
			p := report.Problems[0]
			require.Equal(t, want.key, p.Key, limits)
			require.Contains(t, p.What, want.says, limits)
			require.NotZero(t, p.Column, limits)
			if want.line > 0 {
				require.Equal(t, lines+want.line, p.Line, limits)
			}
			if strings.Contains(p.What, "files") {
				require.Contains(t, p.Do, "LimitNOFILE", limits)
			}
		}
		conf, err := config.ReadGateway(path)
		if err == nil {
			_, err = door.New(door.Config{Limits: conf.Limits, Log: slog.New(slog.DiscardHandler)})
		}
		require.Equal(t, want.broken, err != nil, "%s: a start does as it was said", limits)
	}
}
