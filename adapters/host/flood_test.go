package host

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is too much is counted and said; lines stay whole; the last of it is kept.
func TestFlood(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1_800_000_000, 0)
	f := newFlood(&out, "GM0001")
	f.now = func() time.Time { return now }
	write := func(text string) {
		n, err := f.Write([]byte(text))
		require.NoError(t, err)
		require.Equal(t, len(text), n, "never short: the adapter goes on")
	}
	line := strings.Repeat("x", 1023) + "\n"
	for range logEachMinute / len(line) {
		write(line)
	}
	require.Equal(t, logEachMinute, out.Len())
	write("one too many ")
	write("that goes on\n")
	now = now.Add(time.Minute - 1)
	write("still the same minute, 12345")
	now = now.Add(1)
	write("6782 is the end of a line that was dropped\n")
	require.Equal(t, logEachMinute, out.Len())
	write("room again\n")
	require.Equal(t, "ontschot: GM0001: 97 bytes of its log were too much and are not here\nroom again\n", out.String()[logEachMinute:])
	kept, dropped := f.last()
	require.EqualValues(t, 97, dropped)
	require.Len(t, kept, lastKept)
	require.True(t, bytes.HasSuffix(kept, []byte("a line that was dropped\nroom again\n")), "what was dropped is kept for the report")
	write(strings.Repeat("y", 3*lastKept))
	kept, _ = f.last()
	require.Equal(t, strings.Repeat("y", lastKept), string(kept))
}
