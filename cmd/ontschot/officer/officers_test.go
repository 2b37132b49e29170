package officer_test

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Who may approve is read again while the gateway runs: who is added can, who is taken out
// cannot any more, and a list that cannot be taken over changes nothing.
func TestOfficersAreTakenOverWhileItRuns(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	done(t, "dev", "init", "--case", "meppel", "--dir", at("gateway"))
	config := at("gateway/gateway.yaml")
	without, err := os.ReadFile(config)
	require.NoError(t, err)
	list := "officers:\n"
	for name, role := range map[string]string{"anna": "privacy_officer", "bram": "author"} {
		out := done(t, "keys", "new", "--kind", "officer", "--id", name, "--out", at(name+".pem"))
		block, _ := pem.Decode([]byte(out[strings.Index(out, "-----BEGIN"):]))
		require.NoError(t, os.WriteFile(at(name+".pub.pem"), pem.EncodeToMemory(block), 0o600))
		list += fmt.Sprintf("  - {name: %s, roles: [%s], key: %s}\n", name, role, at(name+".pub.pem"))
	}
	has := func(more string) { require.NoError(t, os.WriteFile(config, append([]byte(more), without...), 0o600)) }
	parent, rules := explained(t, "--law", "wams=on").Revision, at("policies")
	done(t, "policy", "init", "--dir", rules)
	change(t, filepath.Join(rules, "rules/matrix/integral_budget.compose/data.yaml"), "retention_days: 90", "retention_days: 60")
	revision := explained(t, "--law", "wams=on", "--dir", rules).Revision
	require.NoError(t, os.WriteFile(at("test.json"), fmt.Appendf(nil, `{"contract":"ontschot.policy-test/1","revision":%q,"passed":true,"cases":[]}`, revision), 0o600))
	require.NoError(t, os.WriteFile(at("diff.json"), fmt.Appendf(nil, `{"contract":"ontschot.policy-diff/1","revision":%q,"parent":%q}`, revision, parent), 0o600))
	done(t, "policy", "build", "--dir", rules, "--out", at("rules.tar.gz"))
	reports := []string{"--test", at("test.json"), "--diff", at("diff.json")}
	activate := append([]string{"policy", "activate", at("rules.tar.gz"), "--config", config}, reports...)
	for name, role := range map[string]string{"anna": "privacy_officer", "bram": "author"} {
		done(t, append([]string{"policy", "approve", at("rules.tar.gz"), "--key", at(name + ".pem"), "--as", name, "--role", role, "--out", at(name + ".json")}, reports...)...)
		activate = append(activate, "--approval", at(name+".json"))
	}

	_, log := running(t, "serve", "--config", config)
	says := func(text string) {
		t.Helper()
		require.Eventually(t, func() bool {
			_, _, said := does(t, activate...)
			return strings.Contains(said, text)
		}, 60*time.Second, 100*time.Millisecond, text)
	}
	says("no officers stand in gateway.yaml")
	has(strings.SplitAfter(list, "}\n")[0]) // one of the two
	says("is none of the officers")
	has(list + fmt.Sprintf("  - {name: carla, roles: [author], key: %s}\n", at("anna.pub.pem"))) // a key of two people
	require.Eventually(t, func() bool {
		said, err := os.ReadFile(log)
		return err == nil && strings.Contains(string(said), "not taken over")
	}, 60*time.Second, 100*time.Millisecond)
	says("is none of the officers")
	has(list)
	require.Eventually(t, func() bool {
		code, _, _ := does(t, activate...)
		return code == 0
	}, 60*time.Second, 100*time.Millisecond)
	taken := func() int {
		said, err := os.ReadFile(log)
		require.NoError(t, err)
		return strings.Count(string(said), "taken over") - strings.Count(string(said), "not taken over")
	}
	before := taken()
	has("")
	require.Eventually(t, func() bool { return taken() > before }, 60*time.Second, 100*time.Millisecond)
	require.Regexp(t, `"adapter": *\{`, done(t, "adapter", "reload", "UWV", "--config", config, "--format", "json"))
	require.Regexp(t, `^\{"revision":"[0-9a-f]{64}","parent":"`+revision+`","entry":\d+,"status":"rolled_back"\}\n$`, done(t, "policy", "rollback", "--config", config, "--format", "json"))
	says("no officers stand in gateway.yaml")
}
