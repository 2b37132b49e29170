package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/directory"
	"github.com/ontschot/ontschot/internal/server"
)

// An operator signs a directory with the word of a party about its next key, and a gateway that
// runs takes it over: the key counts.
func TestADirectoryIsSignedShownAndTakenOver(t *testing.T) {
	h := play(t, open(t, "meppel"), options{without: true})
	uwv := h.family.Parties["UWV"]
	at := func(name string) string { return filepath.Join(h.dir, name) }
	command := func(want int, args ...string) string {
		t.Helper()
		var out, said bytes.Buffer
		require.Equal(t, want, run(t.Context(), args, &out, &said), said.String())
		return out.String()
	}
	put := func(name string, raw []byte) {
		t.Helper()
		require.NoError(t, os.WriteFile(at(name), raw, 0o600))
	}
	const operator = "00000099000000001000"
	_, private, public, err := family.NewSigningKey(operator, "directory-1")
	require.NoError(t, err)
	put("operator.key", private)
	put("operator.pem", public)
	_, _, next, err := family.NewSigningKey(uwv.OIN, "sign-2")
	require.NoError(t, err)
	put("next.pem", next)
	vouched := command(exitDone, "directory", "vouch", "--config", at("peers/UWV/gateway.yaml"), "--key", at("peers/UWV/gateway/sign.pem"), "--id", "sign-1", "--next", at("next.pem"), "--next-id", "sign-2")
	put("sign-2.vouched", []byte(vouched))

	draft := directory.Draft{Operator: operator, Version: 1, Parties: []directory.DraftListing{{
		Code: "UWV", OIN: uwv.OIN, Kind: "UWV", Name: "UWV", Gateway: "gateway.uwv.example:8443", LogKeys: []string{uwv.LogPublic},
		Keys: []directory.DraftKey{{ID: "sign-2", Alg: "ES256", Kinds: family.DocumentKinds(), File: "next.pem", Vouched: "sign-2.vouched"}},
	}}}
	sign := func(want int) []byte {
		raw, err := yaml.Marshal(draft)
		require.NoError(t, err)
		put("directory.yaml", raw)
		return []byte(command(want, "directory", "sign", "--in", at("directory.yaml"), "--key", at("operator.key"), "--id", "directory-1"))
	}
	put("directory.jwt", sign(exitDone))
	by := []string{"--key", at("operator.pem"), "--id", "directory-1", "--operator", operator}
	shown := command(exitDone, append([]string{"directory", "show", at("directory.jwt")}, by...)...)
	require.Contains(t, shown, "Directory version 1 of "+operator)
	require.Contains(t, shown, "gateway.uwv.example:8443")
	require.NotEqual(t, exitDone, run(t.Context(), append([]string{"directory", "show", at("directory.yaml")}, by...), new(bytes.Buffer), new(bytes.Buffer)))
	command(exitUsage, "directory", "show", "a", "b")
	command(exitUsage, "directory", "show", at("directory.jwt"), "--key", at("operator.pem"))
	command(exitUsage, "directory", "sign")
	command(exitUsage, "directory", "vouch")
	draft.Version = 0
	require.Empty(t, sign(exitNo))
	draft.Version, draft.Parties[0].Kind = 1, "BANK"
	require.Empty(t, sign(exitNo))
	draft.Parties[0].Kind = "UWV"

	// The gateway reads it, for what its trust file leaves open.
	h.retrusted(func(p *config.Organisation) { p.Gateway = "" })
	conf, err := config.ReadGateway(at("gateway.yaml"))
	require.NoError(t, err)
	conf.Sources, conf.Directory = nil, &config.Directory{File: "directory.jwt", Operator: operator, Keys: []config.DirectoryKey{{ID: "directory-1", File: "operator.pem"}}}
	raw, err := yaml.Marshal(conf)
	require.NoError(t, err)
	h.replace("gateway.yaml", raw)
	require.Contains(t, command(exitDone, "directory", "show", "--config", at("gateway.yaml")), "sign-2")
	h.server.Close()
	h.server, err = server.Start(t.Context(), conf, h.stderr)
	require.NoError(t, err)
	var ids []string
	for _, k := range h.server.Keys.Keys(uwv.OIN) {
		ids = append(ids, k.ID)
	}
	require.Equal(t, []string{"sign-1", "sign-2", "token-1"}, ids)
	r, _ := h.peerCheck("UWV")
	require.Contains(t, strings.Join(faults(r), " "), "NAME_UNKNOWN", "at the address of the directory")

	// A key that is lost is lost as soon as it says so, and never comes back.
	draft.Version, draft.Parties[0].Keys[0].Lost = 2, true
	put("directory.jwt", sign(exitDone))
	require.NoError(t, h.server.ReloadDirectory(t.Context()))
	for _, k := range h.server.Keys.Keys(uwv.OIN) {
		require.Equal(t, k.ID == "sign-2", k.Lost, k.ID)
	}
	draft.Version, draft.Parties[0].Keys[0].Lost = 3, false
	put("directory.jwt", sign(exitDone))
	require.Error(t, h.server.ReloadDirectory(t.Context()))
}
