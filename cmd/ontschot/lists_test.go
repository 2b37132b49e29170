package main

import (
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/certificate"
)

// "ontschot keys" shows revocation lists as they are in use, and asks nobody for them.
func TestKeysShowsRevocationLists(t *testing.T) {
	f := open(t, "meppel")
	dir := t.TempDir()
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	require.NoError(t, f.Write(dir, layout))
	root := issue(t, nil, with(issuing("root"), func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCRLSign }))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "root.crl"), root.crl(t, 12, time.Hour), 0o600))
	conf := filepath.Join(dir, "gateway.yaml")
	raw, err := os.ReadFile(conf)
	require.NoError(t, err)
	const url = "http://127.0.0.1:1/list.crl" // nobody is there
	lists := strings.Replace(string(raw), "    ca: ca.pem\n", "    ca: ca.pem\n    crls: [root.crl, \""+url+"\"]\n", 1)
	require.NotEqual(t, string(raw), lists)
	require.NoError(t, os.WriteFile(conf, []byte(lists), 0o600))
	code, out, errs := cli(t, "keys", "--config", conf, "--format", "json")
	require.Equal(t, exitDone, code, errs)
	var all struct{ Keys []keyRow }
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	states := map[string]string{}
	for _, r := range all.Keys {
		if r.What == "revocation list" {
			states[filepath.Base(r.ID)] = r.State + " " + r.Owner + r.Do
		}
	}
	require.Equal(t, map[string]string{"root.crl": "waits for its authority CN=root", "list.crl": "not there "}, states)

	now := time.Now()
	list := certificate.List{Where: "x", Authority: "CN=x", ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour), Proven: true}
	require.Equal(t, "in use", listRow(list, now).State)
	require.Empty(t, listRow(list, now).Do)
	late := listRow(list, now.Add(2*time.Hour))
	require.Equal(t, "expired", late.State)
	require.NotEmpty(t, late.Do)
	list.Problem = "it is older than the one in use"
	require.Equal(t, list.Problem, listRow(list, now).Do)
}
