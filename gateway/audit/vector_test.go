package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/gowebpki/jcs"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

type vector struct {
	Digest     string                         `json:"budget_digest"`
	Origin     string                         `json:"origin"`
	PublicKey  string                         `json:"public_key"`
	Leaf       string                         `json:"leaf"`
	Decided    string                         `json:"decision"`
	Opening    map[string][]map[string][]byte `json:"opening"`
	RecordHash string                         `json:"record_hash"`
	Index      int64                          `json:"index"`
	Decision   int64                          `json:"decision_index"`
	Salt       []byte                         `json:"salt"`
	Proof      [][]byte                       `json:"proof"`
	Checkpoint string                         `json:"checkpoint"`
}

func readVector(t testing.TB) vector {
	t.Helper()
	raw, err := os.ReadFile("testdata/vector-release.json")
	require.NoError(t, err)
	var v vector
	require.NoError(t, json.Unmarshal(raw, &v))
	return v
}

// TestVector fixes the bytes: whoever changes them breaks every receipt given out.
func TestVector(t *testing.T) {
	v := readVector(t)
	digest, err := hex.DecodeString(v.Digest)
	require.NoError(t, err)
	require.NoError(t, audit.VerifyReceipt(&budgetv1.Receipt{
		Origin: v.Origin, Index: v.Index, DecisionIndex: v.Decision, Leaf: []byte(v.Leaf),
		Salt: v.Salt, Proof: v.Proof, Checkpoint: v.Checkpoint,
	}, [32]byte(digest), audit.Keys{verifierOf(t, v.PublicKey)}))
	record := sha256.Sum256(append([]byte{0}, v.Leaf...)) // RFC 6962, section 2.1
	require.Equal(t, v.RecordHash, hex.EncodeToString(record[:]))
	var leaf map[string]any
	require.NoError(t, json.Unmarshal([]byte(v.Leaf), &leaf))
	opened := 0
	for field, values := range v.Opening {
		for i, o := range values {
			text := append([]byte("ontschot/leaf/1/"+field+"\x00"), append(o["salt"], o["value"]...)...)
			sum := sha256.Sum256(text)
			got := base64.RawURLEncoding.EncodeToString(sum[:])
			if list, many := leaf[field].([]any); many {
				require.Equal(t, list[i], got, field)
			} else {
				require.Equal(t, leaf[field], got, field)
			}
			opened++
		}
	}
	require.Equal(t, 6, opened)
	decided, err := audit.ParseLeaf([]byte(v.Decided))
	require.NoError(t, err)
	require.Equal(t, audit.Decision, decided.Kind)
	require.EqualValues(t, 2, decided.RetryOf)
}

func TestLeavesThatAreRefused(t *testing.T) {
	good := readVector(t).Leaf
	_, err := audit.ParseLeaf([]byte(good))
	require.NoError(t, err)
	for name, change := range map[string][2]string{
		"space":                 {`{"activity"`, `{ "activity"`},
		"version":               {`"version":2`, `"version":1`},
		"kind":                  {`"kind":"release"`, `"kind":"other"`},
		"unknown member":        {`"version":2`, `"version":2,"z":1`},
		"twice":                 {`"version":2`, `"version":2,"version":2`},
		"missing":               {`"status":"Ok",`, ``},
		"other case":            {`"status"`, `"Status"`},
		"null list":             {`"organisations":["00000099000000119000"]`, `"organisations":null`},
		"escape":                {`"Ok"`, `"\u004fk"`},
		"quote":                 {`"Ok"`, `"O\"k"`},
		"trace":                 {`4bf92f35`, `4BF92F35`},
		"no trace":              {`"trace":"4bf92f3577b34da6a3ce929d0e0e4736"`, `"trace":""`},
		"OIN":                   {`"tenant":"00000099000000119000"`, `"tenant":"119000"`},
		"time":                  {`"time":1767225600123`, `"time":-1`},
		"time as text":          {`"time":1767225600123`, `"time":"1767225600123"`},
		"time with exponent":    {`"time":1767225600123`, `"time":1767225600123e0`},
		"id":                    {`"id":"01a201e6-8b15-7`, `"id":"01a201e6-8b15-4`},
		"a release again":       {`"retry_of":-1`, `"retry_of":2`},
		"retry of nothing":      {`"retry_of":-1`, `"retry_of":-2`},
		"no retry_of":           {`"retry_of":-1,`, ``},
		"not decided":           {`"decided":3`, `"decided":-1`},
		"commitment":            {`"payload":"5eNd`, `"payload":"5eN`},
		"commitment in base64":  {`4ErKs"`, `4ErK+"`},
		"commitment, last bits": {`4ErKs"`, `4ErKt"`},
		"agreement":             {`7bf71585`, `7BF71585`},
	} {
		changed := bytes.Replace([]byte(good), []byte(change[0]), []byte(change[1]), 1)
		require.NotEqual(t, good, string(changed), name)
		_, err := audit.ParseLeaf(changed)
		require.Error(t, err, name)
	}
	for _, raw := range []string{"", "null", "[]", "{}", good + " ", good + "{}", good[1:], good[:len(good)-1]} {
		_, err := audit.ParseLeaf([]byte(raw))
		require.Error(t, err, "%d bytes", len(raw))
	}
}

// FuzzParseLeaf: what is accepted is exactly RFC 8785, whatever it came from.
func FuzzParseLeaf(f *testing.F) {
	good := readVector(f).Leaf
	f.Add([]byte(good))
	f.Add([]byte(readVector(f).Decided))
	f.Add([]byte("{}"))
	f.Add(bytes.Replace([]byte(good), []byte(`"decided":3`), []byte(`"decided":3.0`), 1))
	f.Add(bytes.Replace([]byte(good), []byte(`"kind":"release"`), []byte(`"kind":"deny"`), 1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := audit.ParseLeaf(raw); err != nil {
			return
		}
		canonical, err := jcs.Transform(raw)
		if err != nil || !bytes.Equal(canonical, raw) {
			t.Fatal("accepted a leaf that is not canonical")
		}
	})
}

// TestWhatIsWrittenIsCanonical compares what the log writes with the reference
// implementation of RFC 8785, in the database.
func TestWhatIsWrittenIsCanonical(t *testing.T) {
	b := newBench(t)
	story(b)
	for _, r := range rowsOf(t, b) {
		for _, raw := range [][]byte{r.Leaf, r.Opening} {
			canonical, err := jcs.Transform(raw)
			require.NoError(t, err)
			require.Equal(t, string(canonical), string(raw))
		}
	}
}

func rowsOf(t testing.TB, b *bench) (rows []audit.Row) {
	t.Helper()
	require.NoError(t, b.store.View(context.Background(), tenant, func(s audit.Snapshot) (err error) {
		rows, err = s.Rows(0, 1000)
		return err
	}))
	require.NotEmpty(t, rows)
	return rows
}
