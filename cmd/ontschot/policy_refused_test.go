package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/internal/approval"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// send activates what no command would send.
func send(t *testing.T, conf string, bundle []byte, m made) error {
	t.Helper()
	c, err := config.ReadGateway(conf)
	require.NoError(t, err)
	client, end, err := server.DialOperator(c)
	require.NoError(t, err)
	defer end()
	var approvals [][]byte
	for _, name := range m.approvals {
		raw, err := os.ReadFile(name)
		require.NoError(t, err)
		approvals = append(approvals, raw)
	}
	reports, err := (&reportFiles{test: m.test, diff: m.diff}).read()
	require.NoError(t, err)
	stream, err := client.ActivatePolicy(t.Context())
	require.NoError(t, err)
	_ = server.SendPolicies(func(f *ontschotv1.PolicyFile) error { return stream.Send(&ontschotv1.ActivatePolicyRequest{File: f}) }, bundle, approvals, reports)
	_, err = stream.CloseAndRecv()
	return err
}

// smuggled is a bundle with one more entry.
func smuggled(t *testing.T, raw []byte, h tar.Header) []byte {
	zipped, err := gzip.NewReader(bytes.NewReader(raw))
	require.NoError(t, err)
	var out bytes.Buffer
	to := gzip.NewWriter(&out)
	from, w := tar.NewReader(zipped), tar.NewWriter(to)
	require.NoError(t, w.WriteHeader(&h))
	for {
		one, err := from.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		require.NoError(t, w.WriteHeader(one))
		_, err = io.Copy(w, from)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, to.Close())
	return out.Bytes()
}

// What may not come into force does not, whatever is wrong with it: nothing changes, and the
// reason is said to who tried, in the log of the process and in the status.
func TestPoliciesThatAreRefused(t *testing.T) {
	o := newOfficers(t, "anna", "bram", "eve")
	h := play(t, open(t, "meppel"), options{without: true, change: o.enter})
	conf := filepath.Join(h.dir, "gateway.yaml")
	first := statusOf(t, conf).Revision
	folder := o.folder(matrixFile, "retention_days: 90", "retention_days: 30")
	good := o.make(folder, first)
	raw, err := os.ReadFile(good.bundle)
	require.NoError(t, err)
	other := o.make(o.folder(matrixFile, "retention_days: 90", "retention_days: 29"), first)
	failing := o.folder("rules/core/decision_test.rego", "import", "test_no if false\n\nimport")
	size := h.server.Log.Register().Size()

	with := func(change func(*made)) made {
		m := good
		m.approvals = append([]string{}, good.approvals...)
		change(&m)
		return m
	}
	report := func(old, new string, file string) string {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		return o.report(strings.Replace(string(text), old, new, 1))
	}
	for name, one := range map[string]struct {
		m    made
		says string
	}{
		"by nobody": {with(func(m *made) { m.approvals = nil }), "two different people"},
		"by one":    {with(func(m *made) { m.approvals = m.approvals[:1] }), "two different people"},
		"twice by one": {with(func(m *made) {
			m.approvals = []string{m.approvals[1], o.approve(good, "anna", approval.PrivacyOfficer)}
		}), "two different people"},
		"the only author": {with(func(m *made) {
			m.approvals = []string{o.approve(good, "anna", approval.PrivacyOfficer), o.approve(good, "bram", approval.LegalAdviser)}
		}), "who is not the only author"},
		"no privacy officer":      {with(func(m *made) { m.approvals = []string{m.approvals[0], o.approve(good, "bram", approval.LegalAdviser)} }), "two different people"},
		"by a stranger":           {with(func(m *made) { m.approvals[1] = o.approve(good, "eve", approval.PrivacyOfficer) }), "none of the officers"},
		"in a role that is not":   {with(func(m *made) { m.approvals[0] = o.approve(good, "bram", approval.PrivacyOfficer) }), "is no privacy_officer"},
		"approval of another":     {with(func(m *made) { m.approvals[0] = other.approvals[0] }), "approved another bundle"},
		"bundle of another":       {with(func(m *made) { m.bundle = other.bundle }), "report is of revision"},
		"test report of another":  {with(func(m *made) { m.test = other.test }), "the test report is of revision"},
		"diff of another":         {with(func(m *made) { m.diff = other.diff }), "the diff report is of revision"},
		"another test report":     {with(func(m *made) { m.test = report(`"cases":[]`, `"cases":[{}]`, good.test) }), "approved another test report"},
		"another diff":            {with(func(m *made) { m.diff = report(`}`, `,"x":1}`, good.diff) }), "approved another diff"},
		"a case fails, by report": {with(func(m *made) { m.test = report("true", "false", good.test) }), "a case fails"},
		"no report":               {with(func(m *made) { m.test = o.report("{}") }), "is none of ontschot.policy-test/1"},
		"compared with another":   {with(func(m *made) { m.diff = report(first, strings.Repeat("0", 64), good.diff) }), "compares with revision 0000"},
		"made from another":       {o.make(folder, strings.Repeat("1", 64)), "made from revision 1111"},
		"a test fails here":       {o.make(failing, first), "test_no does not pass"},
		"a case fails here":       {o.make(o.folder("cases/agreement/data.yaml", "expect: {decision: allow, fields: [entitlement, amount]}", "expect: {decision: allow, fields: [entitlement]}"), first), "1 of its cases come out otherwise"},
	} {
		code, said := o.activate(conf, one.m)
		require.Equal(t, exitNo, code, "%s: %s", name, said)
		require.Contains(t, said, one.says, name)
		require.Contains(t, statusOf(t, conf).Refused, one.says, name)
	}
	bomb := new(bytes.Buffer)
	w := gzip.NewWriter(bomb)
	_, err = w.Write(make([]byte, 2*policy.MaxBundle))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for name, one := range map[string]struct {
		raw  []byte
		says string
	}{
		"nothing":       {nil, "no tar.gz"},
		"too large":     {make([]byte, policy.MaxBundle+1), "larger than"},
		"a zip bomb":    {bomb.Bytes(), "when it is unpacked"},
		"a path escape": {smuggled(t, raw, tar.Header{Typeflag: tar.TypeReg, Name: "/../evil"}), "leads out"},
		"a symlink":     {smuggled(t, raw, tar.Header{Typeflag: tar.TypeSymlink, Name: "/core/evil.rego", Linkname: "/etc/passwd"}), "no regular file"},
		"a name twice":  {smuggled(t, raw, tar.Header{Typeflag: tar.TypeReg, Name: "/README.md"}), "twice"},
	} {
		require.ErrorContains(t, send(t, conf, one.raw, good), one.says, name)
	}
	for at := 0; at < len(raw); at += 1 + len(raw)/64 { // each region of it
		tampered := bytes.Clone(raw)
		tampered[at] ^= 1
		require.Error(t, send(t, conf, tampered, good), "byte %d", at)
	}
	for i, name := range good.approvals {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for at := 0; at < len(text); at += 1 + len(text)/32 {
			tampered := bytes.Clone(text)
			tampered[at] ^= 1
			require.NoError(t, os.WriteFile(filepath.Join(h.dir, "tampered"), tampered, 0o600))
			m := with(func(m *made) { m.approvals[i] = filepath.Join(h.dir, "tampered") })
			require.Error(t, send(t, conf, raw, m), "approval %d, byte %d", i, at)
		}
	}
	require.Equal(t, first, statusOf(t, conf).Revision)
	require.Equal(t, size, h.server.Log.Register().Size(), "nothing of it is in the log")
	require.NoDirExists(t, filepath.Join(h.dir, "data", server.PolicyFolder))
	require.Contains(t, h.stderr.String(), "those in force stay")
	code, said := o.activate(conf, good)
	require.Equal(t, exitDone, code, said)
}

// Which policies a gateway begins with, when people are to approve them and when not.
func TestPoliciesThatNobodyApproved(t *testing.T) {
	o := newOfficers(t, "anna", "bram")
	folder := o.folder(matrixFile, "retention_days: 90", "retention_days: 30")
	h := play(t, open(t, "meppel"), options{without: true, change: func(c *config.Gateway) { c.Policies = folder }})
	conf := filepath.Join(h.dir, "gateway.yaml")
	now := statusOf(t, conf)
	require.Equal(t, "folder", now.Source)
	require.Len(t, now.Changes, 1)
	require.Equal(t, "used", now.Changes[0].Status)
	require.Contains(t, h.stderr.String(), "no officers stand in gateway.yaml")
	h.restart(func(c *config.Gateway) { c.Policies = folder })
	require.Len(t, statusOf(t, conf).Changes, 1, "it was used before")
	h.restart(func(c *config.Gateway) {})
	require.Len(t, statusOf(t, conf).Changes, 2, "what is built in is another one")
	code, said := o.activate(conf, o.make(folder, statusOf(t, conf).Revision))
	require.Equal(t, exitNo, code)
	require.Contains(t, said, "no officers stand in gateway.yaml")

	start := func(change func(*config.Gateway)) error {
		c, err := config.ReadGateway(conf)
		require.NoError(t, err)
		c.Sources = nil
		o.enter(c)
		change(c)
		s, err := server.Start(t.Context(), c, h.stderr)
		if err == nil {
			s.Close()
		}
		return err
	}
	first := statusOf(t, conf).Revision
	h.server.Close()
	require.ErrorContains(t, start(func(c *config.Gateway) { c.Policies = folder }), "nobody has approved this folder")
	m := o.make(folder, first)
	bundle := func(c *config.Gateway) { c.Policies, c.PolicyApprovals = m.bundle, m.approvals }
	require.NoError(t, start(bundle))
	require.ErrorContains(t, start(func(c *config.Gateway) { bundle(c); c.PolicyApprovals = m.approvals[:1] }), "two different people")
	require.ErrorContains(t, start(func(c *config.Gateway) { bundle(c); c.PolicyApprovals = nil }), "two different people")
	other := o.make(o.folder(matrixFile, "retention_days: 90", "retention_days: 29"), first)
	require.ErrorContains(t, start(func(c *config.Gateway) { bundle(c); c.PolicyApprovals = other.approvals }), "approved another bundle")

	own := filepath.Join(h.dir, "trust", "GM0119-sign.pem")
	for name, one := range map[string]struct {
		officers func(*config.Gateway) []config.Officer
		says     string
	}{
		"a key twice":             {func(c *config.Gateway) []config.Officer { c.Officers[1].Key = c.Officers[0].Key; return c.Officers }, "is that of anna too"},
		"a key of the signing":    {func(c *config.Gateway) []config.Officer { c.Officers[0].Key = own; return c.Officers }, "is that of GM0119 too"},
		"a key that is not there": {func(c *config.Gateway) []config.Officer { c.Officers[0].Key = "nowhere"; return c.Officers }, "nowhere"},
	} {
		require.ErrorContains(t, start(func(c *config.Gateway) { c.Officers = one.officers(c) }), one.says, name)
	}
}

// Another revision comes into force, and goes again, while 16 clients ask: none fails, every
// budget is of one of the two, and the log agrees.
func TestPoliciesChangeUnderLoad(t *testing.T) {
	o := newOfficers(t, "anna", "bram")
	h := play(t, open(t, "meppel"), options{without: true, change: o.enter})
	conf := filepath.Join(h.dir, "gateway.yaml")
	first := statusOf(t, conf).Revision
	m := o.make(o.folder(matrixFile, "retention_days: 90", "retention_days: 30"), first)
	stop := make(chan struct{})
	var all sync.WaitGroup
	var mu sync.Mutex
	seen, failed := map[string]int{}, 0
	for range 16 {
		c := h.client(nil)
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				b, err := c.AssembleBudget(t.Context(), requestOf(h.family.Case), nil)
				mu.Lock()
				if err != nil {
					t.Error(err)
					failed++
				}
				seen[b.GetPolicyRevision()]++
				mu.Unlock()
			}
		})
	}
	asked := func(more int) { // so many more budgets are there
		mu.Lock()
		total := 0
		for _, n := range seen {
			total += n
		}
		mu.Unlock()
		require.Eventually(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			now := 0
			for _, n := range seen {
				now += n
			}
			return now >= total+more
		}, patience, 20*time.Millisecond)
	}
	asked(32)
	for range 2 {
		code, said := o.activate(conf, m)
		require.Equal(t, exitDone, code, said)
		asked(32)
		code, said, errs := cli(t, "policy", "rollback", "--config", conf)
		require.Equal(t, exitDone, code, said+errs)
		asked(32)
	}
	close(stop)
	all.Wait()
	require.Zero(t, failed)
	require.Len(t, seen, 2)
	require.Positive(t, seen[first])
	require.Positive(t, seen[m.revision])
	h.server.Close()
	code, out, errs := cli(t, "audit", "verify", "--data", filepath.Join(h.dir, "data"))
	require.Equal(t, exitDone, code, out+errs)
}

// A candidate in shadow counts, and changes nothing that anybody gets.
func TestPoliciesInShadow(t *testing.T) {
	o := newOfficers(t, "anna", "bram")
	h := play(t, open(t, "meppel"), options{without: true, change: o.enter})
	conf := filepath.Join(h.dir, "gateway.yaml")
	first := statusOf(t, conf).Revision
	folder := o.folder(matrixFile, "retention_days: 90", "retention_days: 30")
	code, out, errs := cli(t, "policy", "shadow", folder, "--config", conf)
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "In schaduw")
	b, err := h.ask()
	require.NoError(t, err)
	require.Equal(t, first, b.GetPolicyRevision())
	require.Eventually(t, func() bool {
		_, out, _ := cli(t, "policy", "status", "--config", conf, "--lang", "en")
		return strings.Contains(out, "other reason or term") && strings.Contains(out, "integral_budget.compose")
	}, patience, 20*time.Millisecond)
	_, out, _ = cli(t, "policy", "status", "--config", conf, "--format", "json")
	for _, person := range h.family.Case.Household {
		require.NotContains(t, out, string(person.Ref))
	}
	code, out, errs = cli(t, "policy", "shadow", "--stop", "--config", conf, "--lang", "en")
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "Different")
	code, _, errs = cli(t, "policy", "shadow", "--stop", "--config", conf)
	require.Equal(t, exitNo, code)
	require.Contains(t, errs, "no policies judge in shadow")
	code, _, _ = cli(t, "policy", "shadow", folder, "--config", conf)
	require.Equal(t, exitDone, code)
	code, said := o.activate(conf, o.make(folder, first))
	require.Equal(t, exitDone, code, said)
	code, _, _ = cli(t, "policy", "shadow", "--stop", "--config", conf)
	require.Equal(t, exitNo, code, "an activation ends it")
}
