package audit_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store"
)

// A record that the version before this one made (the story of these tests) is taken over
// when it is opened: the same head, every entry, and it goes on.
func TestARecordOfTheVersionBeforeIsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.db")
	packed, err := os.ReadFile("testdata/record-of-schema-3.db.gz")
	require.NoError(t, err)
	z, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	raw, err := io.ReadAll(z)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	secret, err := os.ReadFile("testdata/record-of-schema-3.db.key")
	require.NoError(t, err)
	key, err := audit.ParseKey(strings.TrimSpace(string(secret)))
	require.NoError(t, err)

	_, err = store.Inspect(t.Context(), path)
	require.ErrorIs(t, err, store.ErrEarlier, "whoever only looks changes nothing")
	b := &bench{t: t, key: key, path: path}
	b.open()
	defer func() { b.log.Close(); b.store.Close() }()
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, storySize, report.Size)
	require.EqualValues(t, 3, report.Documents)
	first, _ := b.log.Register().Document("c-1")
	require.False(t, first.Live())
	b.next.Store(1000)
	b.exchange("c-2", "a-1")
	b.log.Close()
	require.NoError(t, b.store.Close())
	b.open()
	report, err = b.verify()
	require.NoError(t, err)
	require.EqualValues(t, storySize+2, report.Size)
}
