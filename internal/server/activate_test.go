package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/approval"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/policies"
)

// The environment of a process that is to be killed: the folder of a gateway, what it does,
// and at which step it ends.
const (
	killedIn = "ONTSCHOT_TEST_KILLED_IN"
	killedBy = "ONTSCHOT_TEST_KILLED_BY"
	killedAt = "ONTSCHOT_TEST_KILLED_AT" // step/how many times before
)

// gatewayIn starts the gateway of a folder.
func gatewayIn(t *testing.T, dir string) *Server {
	t.Helper()
	conf, err := config.ReadGateway(filepath.Join(dir, "gateway.yaml"))
	require.NoError(t, err)
	s, err := Start(t.Context(), conf, new(lines))
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// twoOfficers makes keys of two people, and enters them.
func twoOfficers(t *testing.T) func(*config.Gateway) {
	return func(c *config.Gateway) {
		for name, role := range map[string]string{"anna": approval.PrivacyOfficer, "bram": approval.Author} {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			require.NoError(t, err)
			secret, err := x509.MarshalPKCS8PrivateKey(key)
			require.NoError(t, err)
			public, err := x509.MarshalPKIXPublicKey(key.Public())
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(c.Path(name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
			require.NoError(t, os.WriteFile(c.Path(name+".pub.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600))
			c.Officers = append(c.Officers, config.Officer{Name: name, Roles: []string{role}, Key: name + ".pub.pem"})
		}
	}
}

// offeredIn reads what lies in the folder to be activated.
func offeredIn(t *testing.T, dir string) offer {
	t.Helper()
	read := func(name string) []byte {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return raw
	}
	return offer{bundle: read("bundle.tar.gz"), approvals: [][]byte{read("bram.json"), read("anna.json")}, reports: approval.Reports{Test: read("test.json"), Diff: read("diff.json")}}
}

// offeringIn makes that: another revision, approved by two.
func offeringIn(t *testing.T, dir, parent string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "policies")
	require.NoError(t, os.CopyFS(folder, policies.FS))
	const matrix = "rules/matrix/integral_budget.compose/data.yaml"
	raw, err := os.ReadFile(filepath.Join(folder, matrix))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, matrix), []byte(strings.Replace(string(raw), "retention_days: 90", "retention_days: 30", 1)), 0o600))
	p, err := readPolicies(t.Context(), os.DirFS(folder))
	require.NoError(t, err)
	revision := p.engine.Revision()
	bundle, err := policy.WriteBundle(p.folder, revision, parent)
	require.NoError(t, err)
	reports := approval.Reports{
		Test: fmt.Appendf(nil, `{"contract":%q,"revision":%q,"passed":true}`, approval.ContractTest, revision),
		Diff: fmt.Appendf(nil, `{"contract":%q,"revision":%q,"parent":%q}`, approval.ContractDiff, revision, parent),
	}
	about, err := reports.About(sumHex(bundle), revision, parent)
	require.NoError(t, err)
	files := map[string][]byte{"bundle.tar.gz": bundle, "test.json": reports.Test, "diff.json": reports.Diff}
	for name, role := range map[string]string{"anna": approval.PrivacyOfficer, "bram": approval.Author} {
		key, err := config.PrivateKey(filepath.Join(dir, name+".pem"))
		require.NoError(t, err)
		files[name+".json"], err = approval.Person{Name: name, Role: role, Key: key}.Sign(about, time.Now())
		require.NoError(t, err)
	}
	for name, raw := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), raw, 0o600))
	}
	return revision
}

// TestKilledWhilePoliciesChange is, in a process of its own, the gateway that is killed.
func TestKilledWhilePoliciesChange(t *testing.T) {
	dir := os.Getenv(killedIn)
	if dir == "" {
		return // it is for TestPoliciesAreTheOldOrTheNew
	}
	s := gatewayIn(t, dir)
	at := os.Getenv(killedAt)
	times := map[string]int{}
	s.policies.at = func(step string) {
		if fmt.Sprintf("%s/%d", step, times[step]) == at {
			require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGKILL))
			select {}
		}
		times[step]++
	}
	var err error
	if os.Getenv(killedBy) == "rollback" {
		_, err = s.policies.rollback(t.Context())
	} else {
		_, err = s.policies.activate(t.Context(), offeredIn(t, dir))
	}
	require.NoError(t, err)
	t.Fatal("it was to be killed at " + at)
}

// A gateway that is killed at any step of a change begins with the policies of before or with
// the new ones, and the log says which.
func TestPoliciesAreTheOldOrTheNew(t *testing.T) {
	h := newTown(t, twoOfficers(t))
	dir, s := h.dir, h.server
	before := s.policies.current.engine.Revision()
	after := offeringIn(t, dir, before)
	s.Close()
	run := func(by, at string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWhilePoliciesChange$")
		c.Env = append(os.Environ(), killedIn+"="+dir, killedBy+"="+by, killedAt+"="+at)
		out, err := c.CombinedOutput()
		var ended *exec.ExitError
		require.ErrorAs(t, err, &ended, string(out))
		require.Equal(t, syscall.SIGKILL, ended.Sys().(syscall.WaitStatus).Signal(), "%s: %s", at, out)
	}
	inForce := func() string {
		t.Helper()
		s := gatewayIn(t, dir)
		defer s.Close()
		require.Equal(t, s.policies.current.engine.Revision(), s.policy.Revision())
		return s.policy.Revision()
	}
	for _, at := range []string{"judged/0", "kept one/0", "kept one/1", "kept one/2", "kept one/3", "kept one/4", "kept/0"} {
		run("activate", at)
		require.Equal(t, before, inForce(), at)
	}
	for _, at := range []string{"entered/0", "swapped/0"} {
		run("activate", at)
		require.Equal(t, after, inForce(), at)
		run("rollback", "kept/0")
		require.Equal(t, after, inForce(), at)
		run("rollback", at)
		require.Equal(t, before, inForce(), at)
	}
	conf, err := config.ReadGateway(filepath.Join(dir, "gateway.yaml"))
	require.NoError(t, err)
	_, own, err := conf.ReadTrust()
	require.NoError(t, err)
	c, err := RecordConfig(conf, own)
	require.NoError(t, err)
	store, err := sqlite.Inspect(context.Background(), filepath.Join(conf.Path(conf.Data), RecordFile))
	require.NoError(t, err)
	defer store.Close()
	report, err := audit.Verify(t.Context(), store, audit.Inspection{Tenant: own.OIN, Keys: c.Earlier})
	require.NoError(t, err)
	require.EqualValues(t, 4, report.Kinds[audit.Policy])
}
