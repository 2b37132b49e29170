package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What "ontschot keys" says at each step of a rotation, and what is to be done.
func TestKeysSaysWhatToDo(t *testing.T) {
	f := open(t, "meppel")
	dir := t.TempDir()
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	require.NoError(t, f.Write(dir, layout))
	conf := filepath.Join(dir, "gateway.yaml")
	edit := func(name, old, new string) {
		t.Helper()
		raw, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Contains(t, string(raw), old)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(string(raw), old, new, 1)), 0o600))
	}
	rows := func(want int) map[string]keyRow {
		t.Helper()
		code, out, errs := cli(t, "keys", "--config", conf, "--format", "json")
		require.Equal(t, want, code, errs)
		var all struct{ Keys []keyRow }
		require.NoError(t, json.Unmarshal([]byte(out), &all))
		by := map[string]keyRow{}
		for _, r := range all.Keys {
			by[r.What+" "+r.Owner+" "+r.ID] = r
		}
		return by
	}
	require.Equal(t, "in use", rows(exitDone)["signing GM0119 sign-1"].State)

	next := filepath.Join(dir, "gateway", "sign-2.pem")
	code, steps, errs := cli(t, "keys", "new", "--kind", "signing", "--id", "sign-2", "--out", next)
	require.Equal(t, exitDone, code, errs)
	info, err := os.Stat(next)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	code, _, errs = cli(t, "keys", "new", "--kind", "signing", "--id", "sign-2", "--out", next)
	require.Equal(t, exitUsage, code, "a key that is there is not overwritten")
	require.Contains(t, errs, "exists")

	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	edit("gateway.yaml", "file: gateway/sign.pem\n", "file: gateway/sign.pem\n        - {id: sign-2, file: gateway/sign-2.pem, from: \""+later+"\"}\n")
	unknown := rows(exitNo)["signing GM0119 sign-2"]
	require.Equal(t, "announced", unknown.State)
	require.Contains(t, unknown.Do, "pin its public half")
	public := steps[strings.Index(steps, "-----BEGIN"):]
	public = public[:strings.Index(public, "\n\n")+1]
	require.NoError(t, os.WriteFile(filepath.Join(dir, "trust", "sign-2.pem"), []byte(public), 0o600))
	edit("trust.yaml", "file: trust/GM0119-sign.pem\n", "file: trust/GM0119-sign.pem\n        - {id: sign-2, alg: ES256, kinds: [ontschot-result+jwt], file: trust/sign-2.pem}\n")
	require.Empty(t, rows(exitDone)["signing GM0119 sign-2"].Do, "announced as it should be")

	edit("gateway.yaml", later, time.Now().Add(-time.Minute).UTC().Format(time.RFC3339))
	used := rows(exitNo)
	require.Equal(t, "in use", used["signing GM0119 sign-2"].State)
	require.Equal(t, "earlier", used["signing GM0119 sign-1"].State)
	require.Contains(t, used["signing GM0119 sign-1"].Do, "retire it")
	edit("trust.yaml", "file: trust/GM0119-sign.pem\n", "file: trust/GM0119-sign.pem\n          retired: \""+time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)+"\"\n")
	require.Equal(t, "retired", rows(exitDone)["pinned GM0119 sign-1 ES256"].State)

	// A log key: announced among log_keys, or others would not believe a receipt.
	code, _, errs = cli(t, "keys", "new", "--kind", "log", "--config", conf, "--out", filepath.Join(dir, "gateway", "log-2.key"))
	require.Equal(t, exitDone, code, errs)
	edit("gateway.yaml", "log: gateway/log.key", "log: gateway/log-2.key")
	found := false
	for name, r := range rows(exitNo) {
		found = found || strings.HasPrefix(name, "log ") && strings.Contains(r.Do, "log_keys")
	}
	require.True(t, found)
	code, _, _ = cli(t, "keys", "new", "--kind", "pseudonym", "--out", filepath.Join(dir, "gateway", "pseudonym-2.key"))
	require.Equal(t, exitDone, code)
	raw, err := os.ReadFile(filepath.Join(dir, "gateway", "pseudonym-2.key"))
	require.NoError(t, err)
	require.Len(t, raw, 32)
	for _, args := range [][]string{{"keys", "new", "--kind", "x", "--out", "y"}, {"keys", "new", "--kind", "signing", "--out", "y"}, {"keys", "new"}, {"keys", "nothing"}, {"keys", "--format", "x"}} {
		code, _, _ := cli(t, args...)
		require.Equal(t, exitUsage, code, args)
	}

	// A certificate that ends soon is to be renewed, and one that has ended replaced.
	r := ends(keyRow{State: "in use"}, time.Now().Add(10*24*time.Hour+time.Minute), time.Now())
	require.Contains(t, r.Do, "10 days")
	require.Equal(t, "expired", ends(keyRow{}, time.Now().Add(-time.Minute), time.Now()).State)
}
