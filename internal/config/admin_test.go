package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/config"
)

// Metrics go to this machine alone: any other address is refused, with what to do.
func TestTheAdminAddressIsOfThisMachine(t *testing.T) {
	example, err := os.ReadFile("../../docs/gateway.example.yaml")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	for listen, good := range map[string]bool{
		"127.0.0.1:9090": true, "'[::1]:9090'": true, "127.9.9.9:0": true, "0.0.0.0:9090": false, "':9090'": false, "192.0.2.1:9090": false,
		"localhost:9090": false, "'[::]:9090'": false, "127.0.0.1": false, "gateway.example.nl:9090": false, "'[::ffff:192.0.2.1]:1'": false,
	} {
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(example), "listen: 127.0.0.1:9090", "listen: "+listen, 1)), 0o600))
		_, err := config.ReadGateway(path)
		if good {
			require.NoError(t, err, listen)
			continue
		}
		require.ErrorIs(t, err, config.ErrConfig, listen)
		require.ErrorContains(t, err, "127.0.0.1:9090", "what to write instead")
	}
}
