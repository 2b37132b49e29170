package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/config"
)

// Whoever on this machine holds connections to the admin address open, however far they have
// come, shuts out nobody who looks; and is let go by itself.
func TestHeldConnectionsDoNotBlindWhoLooks(t *testing.T) {
	h := newTown(t, func(c *config.Gateway) { c.Admin = &config.Admin{Listen: "127.0.0.1:0"} })
	address := h.server.AdminAddr.String()
	looks := func(what string) {
		t.Helper()
		for _, path := range []string{"/livez", "/readyz", "/metrics"} {
			by := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
			got, err := by.Get("http://" + address + path)
			require.NoError(t, err, "%s: %s", what, path)
			raw, err := io.ReadAll(got.Body)
			require.NoError(t, err, what)
			require.NoError(t, got.Body.Close())
			require.Equal(t, http.StatusOK, got.StatusCode, what)
			require.NotEmpty(t, raw)
		}
	}
	looks("before")
	begun := map[string]func(net.Conn) error{
		"that say nothing":  func(net.Conn) error { return nil },
		"that begin to ask": func(c net.Conn) error { _, err := io.WriteString(c, "GET /livez HTTP/1.1\r\nHost: "); return err },
		"that have been answered": func(c net.Conn) error {
			if _, err := io.WriteString(c, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				return err
			}
			got, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, got.Body)
			return err
		},
	}
	hold := func(what string) net.Conn {
		c, err := net.Dial("tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		require.NoError(t, begun[what](c), what)
		return c
	}
	for what := range begun {
		for range 200 { // there are 64 places
			hold(what)
		}
		looks("among many " + what)
	}
	held := map[string]net.Conn{}
	for what := range begun {
		held[what] = hold(what)
	}
	for what, c := range held {
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		_, err := io.Copy(io.Discard, c)
		require.NoError(t, err, "%s: the gateway ends them", what)
	}
}
