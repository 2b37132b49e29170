package program_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/program"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// content takes every configuration.
type content struct{}

func (content) Describe() *adapterv1.DescribeResponse            { return &adapterv1.DescribeResponse{} }
func (content) Configure(context.Context, adapters.Config) error { return nil }
func (content) Validate(context.Context, adapters.Config) error  { return nil }
func (content) Fetch(context.Context, *budgetv1.FetchRequest, *adapters.Writer) error {
	return nil
}

// What serving would refuse of the limits, for want of descriptors, validating says.
func TestLimitsAreValidated(t *testing.T) {
	var was syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was))
	now := was
	now.Cur = 1024
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &now))
	t.Cleanup(func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was)) })
	path := filepath.Join(t.TempDir(), "adapter.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "key"), []byte(strings.Repeat("5a", 32)), 0o600))
	for limits, c := range map[string]struct {
		taken bool
		says  string
	}{
		"connections: 1000": {false, path + ":3:3: limits: 1000 connections, 128 handshakes and 256 descriptors in reserve are more than the 1024 files"},
		"streams: 200":      {true, "warning: " + path + ":2:1: limits: of the 1024 files that this process may open 640 are for connections"},
		"connections: 100\n  handshakes: 100\n  descriptors_in_reserve: 100": {true, ""},
	} {
		require.NoError(t, os.WriteFile(path, []byte("secrets: {record_key: key}\nlimits:\n  "+limits+"\n"), 0o600))
		var out, problems bytes.Buffer
		err := program.Run(t.Context(), func() adapters.Adapter { return content{} }, []string{"validate", "-c", path}, &out, &problems)
		require.Equal(t, c.taken, err == nil, "%s: %v %s", limits, err, problems.String())
		if c.says == "" {
			require.Empty(t, problems.String(), limits)
			continue
		}
		require.Contains(t, problems.String(), c.says)
		require.Contains(t, problems.String(), "ulimit -n", "it says what to do")
	}
}
