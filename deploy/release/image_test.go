package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The same program at the same time is the same image, wherever and whenever it is made.
func TestAnImageIsTheSameBytesAgain(t *testing.T) {
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	made := func(i image) string {
		path := filepath.Join(t.TempDir(), "image.tar")
		require.NoError(t, i.write(path))
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(raw)
	}
	one := image{program: []byte("program"), arch: "amd64", version: "1.2.3", at: at}
	require.Equal(t, made(one), made(one))
	for name, other := range map[string]image{
		"program": {program: []byte("other"), arch: "amd64", version: "1.2.3", at: at},
		"arch":    {program: []byte("program"), arch: "arm64", version: "1.2.3", at: at},
		"version": {program: []byte("program"), arch: "amd64", version: "1.2.4", at: at},
	} {
		require.NotEqual(t, made(one), made(other), name)
	}
}

// Without a key that fits nothing is made: not after the minutes that the rest takes.
func TestAReleaseNeedsItsKeyFirst(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	key := filepath.Join(t.TempDir(), "key.pem")
	require.ErrorContains(t, run(nil), "--out and --key are needed")
	require.ErrorIs(t, run([]string{"--out", out, "--key", key}), os.ErrNotExist)
	require.NoError(t, os.WriteFile(key, []byte("no key"), 0o600))
	require.ErrorContains(t, run([]string{"--out", out, "--key", key}), "no PEM")
	require.NoDirExists(t, out)
}

// What .ci/run installs is what a release is made with.
func TestTheToolsAreThoseOfCI(t *testing.T) {
	raw, err := os.ReadFile("../../.ci/run")
	require.NoError(t, err)
	for name, tool := range map[string]string{"NFPM": nfpm, "CYCLONEDX": cyclonedx} {
		_, version, _ := strings.Cut(tool, "@")
		require.Contains(t, string(raw), " "+name+"="+version)
	}
}
