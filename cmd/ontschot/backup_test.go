package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// An audit log that is put back without what was withdrawn since does not start, whichever way
// it came to lack it; a whole copy does, and what was withdrawn stays withdrawn.
func TestALogThatLacksAWithdrawalDoesNotStart(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	gatewayFile, data := filepath.Join(h.dir, "gateway.yaml"), filepath.Join(h.dir, "data")
	cl := h.consents(nil)
	before, whole := filepath.Join(t.TempDir(), "before.db"), filepath.Join(t.TempDir(), "whole.db")
	code, out, errs := cli(t, "backup", "--config", gatewayFile, "--to", before)
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "documents")
	code, _, errs = cli(t, "backup", "--config", gatewayFile, "--to", before)
	require.Equal(t, exitNo, code)
	require.Contains(t, errs, "never written over")

	mine, err := cl.ListConsents(bounded(t), &ontschotv1.ListConsentsRequest{Identifiers: identifiersOf(f.Case, "A3"), Purpose: f.Case.Purpose})
	require.NoError(t, err)
	for _, r := range mine.GetReceipts() {
		_, err = cl.WithdrawConsent(bounded(t), &ontschotv1.WithdrawConsentRequest{Id: r.GetId()})
		require.NoError(t, err)
	}
	alone, err := os.ReadFile(filepath.Join(data, server.RecordFile)) // without what is beside it
	require.NoError(t, err)
	made := printed[backupAnswer](t, "backup", "--config", gatewayFile, "--to", whole)
	require.Equal(t, whole, made.File)
	require.Positive(t, made.Documents)
	h.server.Close()

	clean := func() {
		for _, one := range []string{server.RecordFile, server.RecordFile + "-wal", server.RecordFile + "-shm"} {
			require.NoError(t, os.RemoveAll(filepath.Join(data, one)))
		}
	}
	start := func() error {
		conf, err := config.ReadGateway(gatewayFile)
		require.NoError(t, err)
		conf.Sources = nil
		s, err := server.Start(context.Background(), conf, new(bytes.Buffer))
		if err == nil {
			s.Close()
		}
		return err
	}
	clean()
	require.ErrorIs(t, start(), audit.ErrBehind, "the audit log is gone, and the documents folder revives nothing")
	clean()
	require.NoError(t, os.WriteFile(filepath.Join(data, server.RecordFile), alone, 0o600))
	require.Error(t, start(), "the file by itself")
	code, _, _ = cli(t, "audit", "verify", "--data", data)
	require.Equal(t, exitTampered, code, "and verify says so")
	clean()
	code, _, errs = cli(t, "restore", "--config", gatewayFile, "--from", before)
	require.Equal(t, exitTampered, code)
	require.Contains(t, errs, "lacks entries")
	require.NoFileExists(t, filepath.Join(data, server.RecordFile))
	code, out, errs = cli(t, "restore", "--config", gatewayFile, "--from", whole)
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "none is lacking")
	require.NoError(t, start())
	code, _, errs = cli(t, "restore", "--config", gatewayFile, "--from", whole)
	require.Equal(t, exitNo, code, "a log that is there is not written over")
	require.Contains(t, errs, "move it away")

	clean()
	require.Equal(t, restoreAnswer{made.Log, made.Entries}, printed[restoreAnswer](t, "restore", "--config", gatewayFile, "--from", whole))
	says := printed[verifyAnswer](t, "audit", "verify", "--data", data)
	require.Equal(t, verifyAnswer{Log: made.Log, Entries: says.Entries, Documents: made.Documents, InForce: says.InForce, HeadCompared: true, Epoch: 1}, says)
	clean()
	gone := printed[recoverAnswer](t, "audit", "recover", "--config", gatewayFile, "--from", before)
	require.Equal(t, int64(2), gone.Epoch)
	require.Equal(t, says.Entries, gone.Left+*gone.Lacking, "of the head that is stored outside")
	require.Positive(t, gone.Waiting)
}
