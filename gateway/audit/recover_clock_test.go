package audit_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/civil"
)

// A machine whose clock runs behind begins no epoch: what was withdrawn in what is lacking
// and is registered again would seem to be new.
func TestAClockThatIsBehindRecoversNothing(t *testing.T) {
	b := newBench(t)
	b.log.Close()
	b.store.Close()
	path := filepath.Join(t.TempDir(), "record.db")
	head := &audit.HeadFile{Path: filepath.Join(t.TempDir(), "head")}
	s, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	cfg := b.config(s)
	cfg.Head = head
	l, err := audit.Open(t.Context(), cfg)
	require.NoError(t, err)
	_, err = l.Append(t.Context(), agreement("a-1"))
	require.NoError(t, err)
	copied := filepath.Join(t.TempDir(), "copy.db")
	require.NoError(t, s.Copy(t.Context(), copied))
	id, _ := uuid.NewV7()
	_, err = l.Append(t.Context(), consent(id.String()))
	require.NoError(t, err)
	_, err = l.Append(t.Context(), withdrawal(id.String()))
	require.NoError(t, err)
	l.Close()
	s.Close()
	raw, err := os.ReadFile(copied)
	require.NoError(t, err)
	for _, x := range []string{"-wal", "-shm"} {
		os.Remove(path + x)
	}
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	s, err = sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	defer s.Close()
	cfg.Store = s
	cfg.Now = func() time.Time { return time.Now().Add(-time.Hour) }
	_, err = audit.Recover(t.Context(), cfg, 0)
	require.ErrorIs(t, err, audit.ErrClock)
	cfg.Now = nil
	_, err = audit.Recover(t.Context(), cfg, 0)
	require.NoError(t, err)
	l, err = audit.Open(t.Context(), cfg)
	require.NoError(t, err)
	defer l.Close()
	_, err = l.Append(t.Context(), consent(id.String())) // the documents folder
	require.NoError(t, err)
	word := l.Register().LastWord(register.Thing{Pseudonyms: []string{"pseudonym of a person"}, Purpose: "integral_budget.compose",
		Case: "case-" + id.String(), Recipient: tenant, Source: other}, civil.Today(time.Now()))
	require.NotEqual(t, register.Yes, word.Standing, "withdrawn before the loss")
}
