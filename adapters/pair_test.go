package adapters_test

import (
	"bufio"
	"crypto/tls"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/handshake"
)

// raise starts an adapter process, says on its lifeline what is given, and gives its socket.
func raise(t *testing.T, said []byte) string {
	t.Helper()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "adapter")
	cmd.ExtraFiles = []*os.File{read}
	cmd.Env = []string{
		handshake.Config().MagicCookieKey + "=" + handshake.Config().MagicCookieValue,
		"PLUGIN_PROTOCOL_VERSIONS=1", handshake.LifelineEnv + "=3", "TMPDIR=" + t.TempDir(),
	}
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	require.NoError(t, read.Close())
	_, err = write.Write(said)
	require.NoError(t, err)
	t.Cleanup(func() {
		write.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	parts := strings.Split(line, "|")
	require.Equal(t, "unix", parts[2])
	return parts[3]
}

// hears reports whether the adapter says anything to who calls so: a server of HTTP/2 speaks
// as soon as it knows whom to. One that says nothing is waited for so long.
func hears(t *testing.T, socket string, side *tls.Config, patience time.Duration) bool {
	t.Helper()
	raw, err := net.Dial("unix", socket)
	require.NoError(t, err)
	defer raw.Close()
	require.NoError(t, raw.SetDeadline(time.Now().Add(patience)))
	conn := raw
	if side != nil {
		side = side.Clone()
		side.NextProtos = []string{"h2"}
		conn = tls.Client(raw, side)
	}
	if _, err := conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")); err != nil {
		return false
	}
	header := make([]byte, 9)
	n, _ := conn.Read(header)
	return n == 9 && header[3] == 4 // SETTINGS
}

// An adapter answers who holds the pair of its run, and nobody else; and a host takes no
// other adapter for its own.
func TestOnlyAPairSpeaks(t *testing.T) {
	side, said, err := handshake.NewPair()
	require.NoError(t, err)
	socket := raise(t, said)
	require.True(t, hears(t, socket, side, 20*time.Second))

	other, _, err := handshake.NewPair()
	require.NoError(t, err)
	require.False(t, hears(t, socket, other, 20*time.Second), "of another run")
	trusting := other.Clone() // a caller who would take any adapter
	trusting.InsecureSkipVerify, trusting.VerifyConnection = true, nil
	require.False(t, hears(t, socket, trusting, 20*time.Second), "with the certificate of another run")
	trusting.Certificates = nil
	require.False(t, hears(t, socket, trusting, 20*time.Second), "without a certificate")
	require.False(t, hears(t, socket, nil, 20*time.Second), "in the clear")
	require.True(t, hears(t, socket, side, 20*time.Second), "and still who may")
}

// A host that was made to trust whatever is shown takes no other for its adapter even so:
// go-plugin trusts a certificate that the adapter prints.
func TestAHostTakesNoOtherForItsAdapter(t *testing.T) {
	side, _, err := handshake.NewPair()
	require.NoError(t, err)
	impostor, _, err := handshake.NewPair()
	require.NoError(t, err)
	impostor.ClientAuth, impostor.VerifyConnection = tls.NoClientCert, nil
	shakes := func(host *tls.Config) error {
		ours, theirs := net.Pipe()
		defer ours.Close()
		go func() {
			_ = tls.Server(theirs, impostor).Handshake()
			theirs.Close()
		}()
		return tls.Client(ours, host).Handshake()
	}
	trusting := side.Clone()
	trusting.RootCAs = impostor.ClientCAs
	require.Error(t, shakes(trusting))
	trusting.VerifyConnection = nil
	require.NoError(t, shakes(trusting), "it is that check which says no")
}

// Without a pair an adapter answers nobody: it waits, or ends when what it is told is no pair.
func TestWithoutAPairNobodyIsAnswered(t *testing.T) {
	side, said, err := handshake.NewPair()
	require.NoError(t, err)
	require.False(t, hears(t, raise(t, nil), side, time.Second))
	require.False(t, hears(t, raise(t, said[:len(said)-1]), side, time.Second), "the half of a pair")
}
