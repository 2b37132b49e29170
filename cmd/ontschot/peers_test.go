package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// apart starts the gateway of another party from its own folder, with the adapter that the
// requester's gateway would have had, and lets that one ask there.
func apart(t *testing.T, code string) *house {
	t.Helper()
	h := play(t, open(t, "meppel"), options{change: func(conf *config.Gateway) {
		theirs, err := config.ReadGateway(filepath.Join(filepath.Dir(conf.Path("gateway.yaml")), "peers", code, "gateway.yaml"))
		require.NoError(t, err)
		i := slices.IndexFunc(conf.Sources, func(s config.Source) bool { return s.Party == code })
		moved := conf.Sources[i]
		for _, files := range []map[string]string{moved.ConfigFiles, moved.Secrets} {
			for name, path := range files {
				files[name] = conf.Path(path)
			}
		}
		theirs.Sources = []config.Source{moved}
		conf.Sources[i] = config.Source{Party: code, Peer: true}
		s, err := server.Start(t.Context(), theirs, new(buffer))
		require.NoError(t, err)
		t.Cleanup(s.Close)
	}})
	return h
}

// A budget of which one source decided for itself is the same to the cent, is verified by the
// client and offline, and says who disclosed what; with another log key it is not believed.
func TestABudgetSaysWhoDisclosed(t *testing.T) {
	alone, err := play(t, open(t, "meppel"), options{}).ask()
	require.NoError(t, err)
	h := apart(t, "ZK5503")
	b, err := h.ask()
	require.NoError(t, err, "%s", h.stderr)
	require.Equal(t, alone.GetCareTotalCents(), b.GetCareTotalCents())
	require.Len(t, b.GetLines(), len(alone.GetLines()))
	require.Len(t, b.GetGaps(), len(alone.GetGaps()))
	disclosed := 0
	for _, r := range b.GetSources() {
		if require.Equal(t, r.GetSource() == "ZK5503" && r.GetStatus() == "OK", r.GetDisclosure() != nil); r.GetDisclosure() != nil {
			disclosed++
		}
	}
	require.Positive(t, disclosed)

	var raw bytes.Buffer
	require.NoError(t, printJSON(&raw, b))
	file, client := filepath.Join(t.TempDir(), "budget.json"), filepath.Join(h.dir, "client.yaml")
	require.NoError(t, os.WriteFile(file, raw.Bytes(), 0o600))
	code, out, errs := cli(t, "budget", "verify", file, "--config", client)
	require.Equal(t, exitDone, code, errs)
	require.Equal(t, disclosed, strings.Count(out, "ZK5503 (OIN "), out)
	require.Contains(t, out, "to be used for 30 days and kept for 90 at most")
	says := printed[budgetAnswer](t, "budget", "verify", file, "--config", client)
	require.Len(t, says.Disclosures, disclosed)
	require.Equal(t, []int64{30, 90}, []int64{says.Disclosures[0].MaxAgeDays, says.Disclosures[0].RetentionDays})
	require.Equal(t, b.GetReceipt().GetIndex(), says.Entry)

	trust := filepath.Join(h.dir, "trust.yaml")
	pinned, err := os.ReadFile(trust)
	require.NoError(t, err)
	key := h.family.Parties["ZK5503"].LogPublic
	require.Contains(t, string(pinned), key)
	require.NoError(t, os.WriteFile(trust, bytes.Replace(pinned, []byte(key), []byte(h.family.Parties["UWV"].LogPublic), 1), 0o600))
	code, out, errs = cli(t, "budget", "verify", file, "--config", client)
	require.Equal(t, exitTampered, code, errs)
	require.Empty(t, out)
	var got *budgetv1.Budget
	got, err = h.ask()
	require.ErrorIs(t, err, audit.ErrTampered)
	require.Nil(t, got, "nothing of it may be used")
}
