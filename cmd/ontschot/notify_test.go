package main

import (
	"context"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// listener is what systemd would be: everything that is said to it, in order.
func listener(t *testing.T, watchdog time.Duration) <-chan string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_PID", "")
	t.Setenv("WATCHDOG_USEC", strconv.FormatInt(watchdog.Microseconds(), 10))
	said := make(chan string, 1000)
	go func() {
		for buf := make([]byte, 4096); ; {
			n, err := socket.Read(buf)
			if err != nil {
				return
			}
			said <- string(buf[:n])
		}
	}()
	return said
}

// The watchdog hears of a gateway whose record answers, also with an error, and nothing of one
// whose record hangs, whether or not that heeds its context.
func TestTheWatchdogHearsOfARecordThatAnswers(t *testing.T) {
	said := listener(t, 20*time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	held := make(chan struct{})
	asked := make(chan struct{}, 1000)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		watchdog(ctx, func(context.Context) error {
			asked <- struct{}{}
			if len(asked) > 5 {
				<-held
			}
			return errNoAnswer
		})
	}()
	require.Eventually(t, func() bool { return len(asked) >= 20 }, 20*time.Second, time.Millisecond)
	cancel()
	<-ended
	close(held)
	require.NotEmpty(t, said)
	require.Less(t, len(said), 10, "it hung from the sixth time on")
	require.Equal(t, "WATCHDOG=1", <-said)
}

// Without a watchdog, and without systemd, nothing is asked and nobody is told.
func TestWithoutSystemdNobodyIsTold(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	watchdog(t.Context(), func(context.Context) error { panic("asked") })
	sayReady("x")
	sayReloading()
	sayStopping()
}
