package host

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFirstCrashIsAnsweredAtOnceAndTheSixthNotAtAll(t *testing.T) {
	var waits []time.Duration
	for crashes := 1; crashes <= 5; crashes++ {
		wait, stop := pause(crashes)
		require.False(t, stop)
		waits = append(waits, wait)
	}
	ms := time.Millisecond
	require.Equal(t, []time.Duration{0, 100 * ms, 200 * ms, 400 * ms, 800 * ms}, waits)
	_, stop := pause(6)
	require.True(t, stop)
}

func TestOldCrashesAreForgotten(t *testing.T) {
	now := time.Date(2025, 6, 30, 12, 0, 0, 0, time.UTC)
	crashes := []time.Time{now.Add(-6 * time.Minute), now.Add(-4 * time.Minute), now}
	require.Len(t, recent(crashes, now), 2)
}

// Frozen is found within 35 seconds, though nobody asks: so many checks in a row, and how long
// the last of them is waited for.
func TestFrozenIsFoundInTime(t *testing.T) {
	require.LessOrEqual(t, mostMisses*healthEvery+healthPatence, 35*time.Second)
	c, err := Config{Party: "GM0001", Kind: "fake"}.complete()
	require.NoError(t, err)
	require.Equal(t, healthEvery, c.HealthEvery)
}

func TestSocketDirectoryLeavesRoomForAnAddress(t *testing.T) {
	t.Setenv("TMPDIR", "/tmp/a-very-long-directory-name-that-no-unix-socket-address-can-hold-together-with-a-file-name")
	dir, err := newDirectory()
	require.NoError(t, err)
	defer dir.remove()
	require.LessOrEqual(t, len(dir.path), socketRoom)
}

func TestDirectoryOfAKilledHostIsSwept(t *testing.T) {
	short, err := os.MkdirTemp("/tmp", "host")
	require.NoError(t, err)
	defer func() { require.NoError(t, os.RemoveAll(short)) }()
	t.Setenv("TMPDIR", short)
	living, err := newDirectory()
	require.NoError(t, err)
	defer living.remove()
	killed, err := newDirectory()
	require.NoError(t, err)
	require.NoError(t, killed.lock.Close()) // as the kernel does
	next, err := newDirectory()
	require.NoError(t, err)
	defer next.remove()
	require.DirExists(t, living.path)
	require.NoDirExists(t, killed.path)
}
