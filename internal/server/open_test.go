package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/config"
)

// A folder above that of the gateway, to which others may write, keeps it from starting in
// production, and from taking anything over; in development it is warned of, once.
func TestAFolderAboveThatIsOpen(t *testing.T) {
	h := newTown(t, nil)
	above, err := filepath.EvalSymlinks(filepath.Dir(h.dir))
	require.NoError(t, err)
	is, err := os.Stat(above)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.Chmod(above, is.Mode().Perm())) })
	says := "what is in the folder " + above + " can be replaced by others"
	require.NotContains(t, h.log.String(), "does not start so")

	require.NoError(t, os.Chmod(above, 0o777))
	h.server.Close()
	h.start()
	require.Equal(t, 1, strings.Count(h.log.String(), says))
	h.trust(func(trust *config.Trust) { party(trust, "UWV").Name = "another" })
	h.takeOver()
	require.Equal(t, 2, strings.Count(h.log.String(), says), "when it starts, and when it takes over")

	path := filepath.Join(h.dir, "gateway.yaml")
	conf, err := config.ReadGateway(path)
	require.NoError(t, err)
	conf.Dev, conf.Today = false, ""
	h.yaml("gateway.yaml", conf)
	h.trust(func(trust *config.Trust) { party(trust, "UWV").Name = "a third" })
	_, err = h.server.ReloadKeys(t.Context())
	require.ErrorContains(t, err, says)
	known, _ := h.server.organisations.ByCode("UWV")
	require.Equal(t, "another", known.Name, "what was there stays")
	_, err = Start(t.Context(), conf, h.log)
	require.ErrorIs(t, err, config.ErrConfig)
	require.ErrorContains(t, err, says)
	require.ErrorContains(t, err, "chmod go-w "+above)
}
