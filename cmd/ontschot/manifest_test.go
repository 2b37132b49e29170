package main

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/adapters/boundary"
	"github.com/ontschot/ontschot/adapters/host"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/manifest"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/signed"
)

// ownProgram is a program of a care office's own: a copy of this one, as they would have built
// it, in a folder with the key that signs it.
type ownProgram struct {
	program, key, manifest string
	oin, id                string
}

func newOwnProgram(t *testing.T, f *family.Family, code string) ownProgram {
	t.Helper()
	dir := t.TempDir()
	p := ownProgram{program: dir + "/adapter", key: dir + "/key.pem", manifest: dir + "/manifest.json"}
	raw, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(p.program, raw, 0o755))
	for _, party := range f.Parties {
		if party.Code == code {
			p.oin, p.id = string(party.OIN), party.Sign.KeyID
			der, err := x509.MarshalPKCS8PrivateKey(party.Sign.Key)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(p.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
		}
	}
	require.NotEmpty(t, p.oin)
	return p
}

func (p ownProgram) sign(t *testing.T) {
	t.Helper()
	code, out, errs := cli(t, "adapter", "sign", "--organisation", p.oin, "--key", p.key, "--key-id", p.id, "--out", p.manifest, "--", p.program, "adapter", "run", "careoffice")
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "careoffice 1.")
	require.Contains(t, out, "SHA-256")
}

// ofAdapters has every party's sign key in the trust file sign adapters too.
func ofAdapters(t *testing.T, conf *config.Gateway) {
	t.Helper()
	path := conf.Path(conf.Trust)
	trust, err := config.ReadTrust(path)
	require.NoError(t, err)
	for i := range trust.Parties {
		for j, k := range trust.Parties[i].Keys {
			if k.ID != "token-1" {
				trust.Parties[i].Keys[j].Kinds = append(k.Kinds, signed.Manifest)
			}
		}
	}
	raw, err := yaml.Marshal(trust)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, raw, 0o600))
}

// runs has the source of the care office be that program.
func (p ownProgram) runs(c *config.Gateway) {
	for i, s := range c.Sources {
		if s.Party == "ZK5503" {
			c.Sources[i].Adapter, c.Sources[i].Manifest = "", p.manifest
			c.Sources[i].Command = []string{p.program, "adapter", "run", "careoffice"}
		}
	}
}

// From a program of somebody else's to a line in a budget: the agency signs, the operator
// reads and countersigns, and the gateway starts that program and no other.
func TestAForeignProgramIsSignedTwiceAndRuns(t *testing.T) {
	f := open(t, "meppel")
	p := newOwnProgram(t, f, "ZK5503")
	p.sign(t)
	h := play(t, f, options{change: func(c *config.Gateway) {
		ofAdapters(t, c)
		at := filepath.Join(filepath.Dir(c.Path("x")), "gateway.yaml")
		code, out, errs := cli(t, "adapter", "trust", p.manifest, "--config", at)
		require.Equal(t, exitDone, code, errs)
		for _, text := range []string{"Zorgkantoor", p.oin, "bsn", "Nothing is signed yet", "Er is nog niets ondertekend"} {
			require.Contains(t, out, text)
		}
		code, out, errs = cli(t, "adapter", "trust", p.manifest, "--config", at, "--accept")
		require.Equal(t, exitDone, code, errs)
		require.Contains(t, out, "manifest: "+p.manifest)
		code, out, errs = cli(t, "adapter", "trust", p.manifest, "--config", at)
		require.Equal(t, exitDone, code, errs)
		require.Contains(t, out, "You have signed this already")
		p.runs(c)
		c.Adapters.Floor = boundary.Floor()
	}})
	b, err := h.ask()
	require.NoError(t, err)
	require.Equal(t, int64(11184437), b.GetCareTotalCents())
	require.Empty(t, gapOf(b, "A4", "ZK5503"))

	// A program that was replaced, by whoever can write there, is not started; what runs goes on.
	conf, process := h.server.Conf, h.server.Adapters["ZK5503"].(*host.Process)
	pid := process.PID()
	swapped, err := os.OpenFile(p.program, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err, "it is no program that runs: that is a copy")
	_, err = swapped.WriteString("x")
	require.NoError(t, err)
	require.NoError(t, swapped.Close())
	_, err = server.Start(t.Context(), conf, h.stderr)
	require.ErrorIs(t, err, manifest.ErrProgram)
	require.Equal(t, pid, process.PID())
	b, err = h.ask()
	require.NoError(t, err)
	require.Equal(t, int64(11184437), b.GetCareTotalCents())
}

// What is wrong with a manifest stops the start, and says what to do.
func TestAForeignProgramThatIsNotStarted(t *testing.T) {
	f := open(t, "meppel")
	p := newOwnProgram(t, f, "ZK5503")
	dir := t.TempDir()
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	require.NoError(t, f.Write(dir, layout))
	at := filepath.Join(dir, "gateway.yaml")
	conf, err := config.ReadGateway(at)
	require.NoError(t, err)
	for i := range conf.Sources {
		if conf.Sources[i].Party == "ZK5503" {
			conf.Sources = conf.Sources[i : i+1]
			break
		}
	}
	start := func(want error, text string) {
		t.Helper()
		s, err := server.Start(t.Context(), conf, new(buffer))
		if s != nil {
			s.Close()
		}
		require.ErrorIs(t, err, want)
		require.ErrorContains(t, err, text)
		require.ErrorContains(t, err, "ZK5503")
	}
	p.sign(t)
	p.runs(conf)
	start(manifest.ErrManifest, "key not trusted") // a key for other documents
	ofAdapters(t, conf)
	start(manifest.ErrManifest, "has not signed") // the operator has not
	raw, err := os.ReadFile(p.manifest)
	require.NoError(t, err)

	other := newOwnProgram(t, f, "UWV") // well signed, and not by whose source it is
	other.sign(t)
	accept := func(file string) {
		t.Helper()
		code, _, errs := cli(t, "adapter", "trust", file, "--config", at, "--accept")
		require.Equal(t, exitDone, code, errs)
	}
	accept(other.manifest)
	conf.Sources[0].Manifest = other.manifest
	start(manifest.ErrManifest, "it is not of ZK5503")

	accept(p.manifest)
	good, err := os.ReadFile(p.manifest)
	require.NoError(t, err)
	conf.Sources[0].Manifest = p.manifest
	require.NoError(t, os.WriteFile(p.manifest, good[:len(good)/2], 0o600))
	start(manifest.ErrManifest, "malformed")
	require.NoError(t, os.WriteFile(p.manifest, []byte(strings.Repeat("x", 2<<20)), 0o600))
	start(config.ErrConfig, "larger")
	require.NoError(t, os.WriteFile(p.manifest, good, 0o600))

	command := conf.Sources[0].Command // the program is right, and says that it is another one
	conf.Sources[0].Command = []string{p.program, "adapter", "run", "uwv"}
	start(host.ErrKind, `wanted "careoffice"`)
	conf.Sources[0].Command = append(command[:1:1], p.key)
	start(manifest.ErrManifest, "command[1] is a file, which it does not cover")
	conf.Sources[0].Command = command

	conf.Sources[0].Secrets["more"] = conf.Sources[0].Secrets["record_key"]
	start(manifest.ErrManifest, `no secret "more"`)
	delete(conf.Sources[0].Secrets, "more")

	keys, err := config.ReadTrust(conf.Path(conf.Trust))
	require.NoError(t, err)
	v, err := keys.Verifier()
	require.NoError(t, err)
	m, err := manifest.Verify(v, good, f.Requester().OIN, time.Now())
	require.NoError(t, err)
	m.Issued++ // a newer one ran meanwhile
	require.NoError(t, server.Manifests(conf).Admit("ZK5503", m))
	start(manifest.ErrOlder, "ontschot adapter trust --older")
	code, _, errs := cli(t, "adapter", "trust", p.manifest, "--config", at, "--older")
	require.Equal(t, exitDone, code, errs)
	require.NoError(t, os.WriteFile(p.program, []byte("#!/bin/sh\necho swapped\n"), 0o755))
	start(manifest.ErrProgram, "its SHA-256 is ")
	require.NotEqual(t, string(raw), string(good))
}

func TestSigningAndTrustingAskedWrongly(t *testing.T) {
	for _, args := range [][]string{
		{"sign"}, {"sign", "x"}, {"sign", "x", "--organisation", "1", "--key", "k", "--key-id", "i", "--out", "o"}, {"trust"}, {"trust", "a", "b"},
	} {
		code, _, _ := cli(t, append([]string{"adapter"}, args...)...)
		require.Equal(t, exitUsage, code, args)
	}
}
