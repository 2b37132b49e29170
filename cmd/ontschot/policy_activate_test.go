package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/approval"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/policies"
)

// officers are people with keys, in a folder, and the lines of gateway.yaml.
type officers struct {
	t    *testing.T
	dir  string
	real bool // reports of the commands, and not their form alone
}

// newOfficers makes their keys with the command, as people do.
func newOfficers(t *testing.T, names ...string) *officers {
	o := &officers{t: t, dir: t.TempDir()}
	for _, name := range names {
		code, out, errs := cli(t, "keys", "new", "--kind", "officer", "--id", name, "--out", o.file(name+".pem"))
		require.Equal(t, exitDone, code, errs)
		block, _ := pem.Decode([]byte(out[strings.Index(out, "-----BEGIN"):]))
		require.NotNil(t, block, out)
		require.NoError(t, os.WriteFile(o.file(name+".pub.pem"), pem.EncodeToMemory(block), 0o600))
	}
	return o
}

func (o *officers) file(name string) string { return filepath.Join(o.dir, name) }

// enter puts them in a configuration.
func (o *officers) enter(c *config.Gateway) {
	c.Officers = []config.Officer{
		{Name: "anna", Roles: []string{approval.PrivacyOfficer}, Key: o.file("anna.pub.pem")},
		{Name: "bram", Roles: []string{approval.Author, approval.LegalAdviser}, Key: o.file("bram.pub.pem")},
	}
}

// folder is what is built in, with something replaced in one file.
func (o *officers) folder(file, old, new string) string {
	o.t.Helper()
	dir := filepath.Join(o.t.TempDir(), "policies")
	require.NoError(o.t, os.CopyFS(dir, policies.FS))
	raw, err := fs.ReadFile(policies.FS, file)
	require.NoError(o.t, err)
	require.Contains(o.t, string(raw), old)
	require.NoError(o.t, os.WriteFile(filepath.Join(dir, file), []byte(strings.Replace(string(raw), old, new, 1)), 0o600))
	return dir
}

// made is a bundle with its reports and approvals.
type made struct {
	bundle, test, diff string
	revision, parent   string
	approvals          []string
}

// make builds, reports and has both approve, in the place of a revision.
func (o *officers) make(dir, parent string) made {
	o.t.Helper()
	m := made{bundle: filepath.Join(o.t.TempDir(), "bundle.tar.gz"), parent: parent}
	code, _, errs := cli(o.t, "policy", "build", "--dir", dir, "--out", m.bundle, "--parent", parent)
	require.Equal(o.t, exitDone, code, errs)
	_, b, err := readBundleFile(m.bundle)
	require.NoError(o.t, err)
	m.revision = b.Revision
	if o.real {
		code, out, errs := cli(o.t, "policy", "test", "--dir", dir, "--format", "json")
		require.Equal(o.t, exitDone, code, errs)
		m.test, m.diff = o.report(out), filepath.Join(o.t.TempDir(), "diff.json")
		code, _, errs = cli(o.t, "policy", "diff", builtIn, dir, "--out", m.diff)
		require.Equal(o.t, exitDone, code, errs)
		m.approvals = []string{o.approve(m, "bram", approval.Author), o.approve(m, "anna", approval.PrivacyOfficer)}
		return m
	}
	m.test = o.report(fmt.Sprintf(`{"contract":"ontschot.policy-test/1","revision":%q,"passed":true,"cases":[]}`, m.revision))
	m.diff = o.report(fmt.Sprintf(`{"contract":"ontschot.policy-diff/1","revision":%q,"parent":%q}`, m.revision, parent))
	m.approvals = []string{o.approve(m, "bram", approval.Author), o.approve(m, "anna", approval.PrivacyOfficer)}
	return m
}

func (o *officers) report(text string) string {
	file := filepath.Join(o.t.TempDir(), "report.json")
	require.NoError(o.t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func (o *officers) approve(m made, name, role string) string {
	o.t.Helper()
	file := filepath.Join(o.t.TempDir(), "approval.json")
	code, _, errs := cli(o.t, "policy", "approve", m.bundle, "--key", o.file(name+".pem"), "--as", name, "--role", role, "--test", m.test, "--diff", m.diff, "--out", file)
	require.Equal(o.t, exitDone, code, errs)
	return file
}

// activate gives exit code and what is printed.
func (o *officers) activate(conf string, m made) (int, string) {
	o.t.Helper()
	args := []string{"policy", "activate", m.bundle, "--test", m.test, "--diff", m.diff, "--config", conf}
	for _, a := range m.approvals {
		args = append(args, "--approval", a)
	}
	code, out, errs := cli(o.t, args...)
	return code, out + errs
}

// restart starts the gateway of a house anew.
func (h *house) restart(change func(*config.Gateway)) {
	h.t.Helper()
	h.server.Close()
	conf, err := config.ReadGateway(filepath.Join(h.dir, "gateway.yaml"))
	require.NoError(h.t, err)
	conf.Sources = nil
	change(conf)
	h.server, err = server.Start(h.t.Context(), conf, h.stderr)
	require.NoError(h.t, err)
}

// statusOf is what "policy status" says.
func statusOf(t *testing.T, conf string) (all struct {
	Revision, Source, Refused string
	Changes                   []struct {
		Entry, Revision, Parent, Status string
		Approvals                       []struct{ Name, Role string }
	}
}) {
	t.Helper()
	code, out, errs := cli(t, "policy", "status", "--config", conf, "--format", "json")
	require.Equal(t, exitDone, code, errs)
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	return all
}

const matrixFile = "rules/matrix/integral_budget.compose/data.yaml"

// From a folder to policies in force, and back: each change by two people, in the log, and
// still there after a restart.
func TestPoliciesComeIntoForce(t *testing.T) {
	o := newOfficers(t, "anna", "bram")
	h := play(t, open(t, "meppel"), options{without: true, change: o.enter})
	conf := filepath.Join(h.dir, "gateway.yaml")
	first := statusOf(t, conf)
	require.Equal(t, "built_in", first.Source)
	require.Empty(t, first.Changes)

	o.real = true
	m := o.make(o.folder(matrixFile, "retention_days: 90", "retention_days: 30"), first.Revision)
	o.real = false
	require.NotEqual(t, first.Revision, m.revision)
	code, said := o.activate(conf, m)
	require.Equal(t, exitDone, code, said)
	b, err := h.ask()
	require.NoError(t, err)
	require.Equal(t, m.revision, b.GetPolicyRevision())
	now := statusOf(t, conf)
	require.Equal(t, m.revision, now.Revision)
	require.Equal(t, "activated", now.Source)
	require.Len(t, now.Changes[0].Approvals, 2)
	require.Equal(t, "anna", now.Changes[0].Approvals[1].Name)

	code, said = o.activate(conf, m) // it is in force, and was made from another one
	require.Equal(t, exitNo, code)
	require.Contains(t, said, "made from revision "+first.Revision+", and "+m.revision+" is in force")
	require.Contains(t, statusOf(t, conf).Refused, "is in force")
	require.Contains(t, h.stderr.String(), "policies not taken over")

	h.restart(o.enter)
	require.Equal(t, m.revision, statusOf(t, conf).Revision)
	second := o.make(o.folder(matrixFile, "retention_days: 90", "retention_days: 31"), m.revision)
	code, said = o.activate(conf, second)
	require.Equal(t, exitDone, code, said)
	for _, want := range []string{m.revision, first.Revision} {
		code, said, errs := cli(t, "policy", "rollback", "--config", conf)
		require.Equal(t, exitDone, code, said+errs)
		require.Equal(t, want, statusOf(t, conf).Revision)
		b, err := h.ask()
		require.NoError(t, err)
		require.Equal(t, want, b.GetPolicyRevision())
		h.restart(o.enter)
		require.Equal(t, want, statusOf(t, conf).Revision)
	}
	code, _, errs := cli(t, "policy", "rollback", "--config", conf)
	require.Equal(t, exitNo, code)
	require.Contains(t, errs, "nothing was activated")
	for _, lang := range []string{"nl", "en"} {
		code, out, errs := cli(t, "policy", "history", "--config", conf, "--lang", lang)
		require.Equal(t, exitDone, code, errs)
		require.Equal(t, 5, strings.Count(out, "\n"), out)
		require.Contains(t, out, map[string]string{"nl": "teruggezet", "en": "rolled back"}[lang])
		code, out, errs = cli(t, "policy", "status", "--config", conf, "--lang", lang)
		require.Equal(t, exitDone, code, errs)
		require.Contains(t, out, first.Revision)
	}
	h.server.Close()
	code, out, errs := cli(t, "audit", "verify", "--data", filepath.Join(h.dir, "data"))
	require.Equal(t, exitDone, code, out+errs)

	// A file that was kept is changed, or gone: no start, and it says what to do.
	kept, err := filepath.Glob(filepath.Join(h.dir, "data", "policies", first.Revision, "bundle-*"))
	require.NoError(t, err)
	require.Len(t, kept, 1)
	raw, err := os.ReadFile(kept[0])
	require.NoError(t, err)
	gateway, err := config.ReadGateway(conf)
	require.NoError(t, err)
	gateway.Sources = nil
	for _, change := range []func() error{
		func() error { return os.WriteFile(kept[0], append(bytes.Clone(raw), 0), 0o600) },
		func() error { return os.Remove(kept[0]) },
	} {
		require.NoError(t, change())
		_, err = server.Start(t.Context(), gateway, h.stderr)
		require.ErrorIs(t, err, config.ErrConfig)
		require.ErrorContains(t, err, "build it again")
	}
}

// A copy of the audit log has the policies beside it that it names: a gateway starts on both.
func TestABackupHasThePolicies(t *testing.T) {
	o := newOfficers(t, "anna", "bram")
	h := play(t, open(t, "meppel"), options{without: true, change: o.enter})
	conf, data := filepath.Join(h.dir, "gateway.yaml"), filepath.Join(h.dir, "data")
	m := o.make(o.folder(matrixFile, "retention_days: 90", "retention_days: 30"), statusOf(t, conf).Revision)
	code, said := o.activate(conf, m)
	require.Equal(t, exitDone, code, said)
	copied := filepath.Join(t.TempDir(), "record.db")
	code, _, errs := cli(t, "backup", "--config", conf, "--to", copied)
	require.Equal(t, exitDone, code, errs)
	h.server.Close()
	for _, file := range server.RecordFiles(filepath.Join(data, server.RecordFile)) {
		require.NoError(t, os.RemoveAll(file))
	}
	require.NoError(t, os.RemoveAll(filepath.Join(data, server.PolicyFolder)))
	code, _, errs = cli(t, "restore", "--config", conf, "--from", copied)
	require.Equal(t, exitDone, code, errs)
	h.restart(o.enter)
	require.Equal(t, m.revision, statusOf(t, conf).Revision)
}

// A text that is another one is no other revision of the rules, and is approved, said and taken
// back all the same.
func TestTextsComeIntoForce(t *testing.T) {
	o := newOfficers(t, "anna", "bram")
	h := play(t, open(t, "meppel"), options{without: true, change: o.enter})
	conf := filepath.Join(h.dir, "gateway.yaml")
	first := statusOf(t, conf).Revision
	says := func() string {
		b, err := h.ask()
		require.NoError(t, err)
		require.NotEmpty(t, b.GetGaps())
		return b.GetGaps()[0].GetTextNl()
	}
	before := says()
	raw, err := fs.ReadFile(policies.FS, "reasons/gaps.nl.yaml")
	require.NoError(t, err)
	dir := o.folder("reasons/gaps.nl.yaml", string(raw), strings.ReplaceAll(string(raw), "missing: De ", "missing: Alle "))
	m := o.make(dir, first)
	require.Equal(t, first, m.revision)
	code, said := o.activate(conf, m)
	require.Equal(t, exitDone, code, said)
	after := says()
	require.NotEqual(t, before, after)
	h.restart(o.enter)
	require.Equal(t, after, says())
	code, out, errs := cli(t, "policy", "rollback", "--config", conf)
	require.Equal(t, exitDone, code, out+errs)
	require.Equal(t, before, says())
}
