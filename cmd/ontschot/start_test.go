package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/host"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
)

// A gateway that cannot start says why, answers nobody, and leaves no adapter behind,
// whichever part it was and however far the others were.
func TestAStartThatStops(t *testing.T) {
	f := open(t, "meppel")
	for name, c := range map[string]struct {
		change func(dir string, c *config.Gateway)
		want   error
		says   string
	}{
		"an adapter of another kind":                {func(_ string, c *config.Gateway) { ofUWV(c).Adapter = "nothing" }, host.ErrStart, "sources[2]: UWV: "},
		"an adapter that refuses its configuration": {func(_ string, c *config.Gateway) { ofUWV(c).Config = map[string]any{"unknown": 1} }, host.ErrConfigured, "sources[2]: UWV: "},
		"a secret that is not there":                {func(_ string, c *config.Gateway) { ofUWV(c).Secrets = map[string]string{"record_key": "none"} }, config.ErrConfig, ""},
		"no key of the log, while adapters start":   {func(_ string, c *config.Gateway) { c.Keys.Log = "none" }, config.ErrConfig, ""},
		"a file that is no document, while adapters start": {func(dir string, c *config.Gateway) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "documents", "0.json"), []byte(`{"document":7}`), 0o600))
		}, config.ErrConfig, "0.json"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			layout, err := f.FreeLayout()
			require.NoError(t, err)
			require.NoError(t, f.Write(dir, layout))
			conf, err := config.ReadGateway(filepath.Join(dir, "gateway.yaml"))
			require.NoError(t, err)
			c.change(dir, conf)
			before := childrenOf(os.Getpid())
			_, err = server.Start(t.Context(), conf, io.Discard)
			require.ErrorIs(t, err, c.want)
			require.ErrorContains(t, err, c.says)
			_, err = net.DialTimeout("tcp", conf.Listen, time.Second)
			require.Error(t, err)
			require.Subset(t, before, childrenOf(os.Getpid()))
		})
	}
}

// ofUWV is its source in a configuration.
func ofUWV(c *config.Gateway) *config.Source {
	return &c.Sources[slices.IndexFunc(c.Sources, func(s config.Source) bool { return s.Party == "UWV" })]
}
