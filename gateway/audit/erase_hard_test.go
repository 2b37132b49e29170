package audit_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/gateway/store/storetest"
	"github.com/ontschot/ontschot/internal/identity"
)

// gatedStore holds back the writer at its first transaction, so that what waits comes in
// one group.
type gatedStore struct {
	audit.Store
	entered, free chan struct{}
	first         sync.Once
}

func (g *gatedStore) Update(ctx context.Context, tenant identity.OIN, f func(audit.Tx) error) error {
	g.first.Do(func() {
		close(g.entered)
		<-g.free
	})
	return g.Store.Update(ctx, tenant, f)
}

// An erasure that has much to list takes several entries; all of it is destroyed, and the
// neighbours in its group are recorded.
func TestAnErasureOfMuchIsWhole(t *testing.T) {
	b := newBench(t)
	b.append(of(gone, consent("c-2")))
	for range 100 {
		e := of(gone, decision(b.trace()))
		for range 223 {
			e.Subjects = append(e.Subjects, []byte(gone))
			e.Consents = append(e.Consents, "c-2")
		}
		b.append(e)
	}
	b.log.Close()
	g := &gatedStore{Store: b.store, entered: make(chan struct{}), free: make(chan struct{})}
	l, err := audit.Open(t.Context(), b.config(g))
	require.NoError(t, err)
	go l.Append(context.Background(), decision(b.trace())) // holds the writer
	<-g.entered
	erased := make(chan error, 1)
	go func() { _, err := l.Erase(context.Background(), erasure(gone)); erased <- err }()
	require.Eventually(t, func() bool { return l.Waiting() == 1 }, 5*time.Second, time.Millisecond)
	next := make(chan error, 1)
	go func() { _, err := l.Append(context.Background(), decision(b.trace())); next <- err }()
	require.Eventually(t, func() bool { return l.Waiting() == 2 }, 5*time.Second, time.Millisecond)
	close(g.free)
	require.NoError(t, <-erased)
	require.NoError(t, <-next)
	_, known := l.Register().Document("c-2")
	require.False(t, known)
	l.Close()
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, 2, report.Kinds[audit.Erasure])
	_, err = b.verify()
	require.NoError(t, err, "the audit log verifies")
	l, err = audit.Open(t.Context(), b.config(b.store))
	require.NoError(t, err, "the gateway starts again")
	l.Close()
}

// What somebody put into another person's entry is not destroyed, and no erasure vouches
// for it: a withdrawal would be gone.
func TestAnErasureTouchesNothingThatDoesNotHold(t *testing.T) {
	b := newBench(t)
	b.append(agreement("a-1"))
	b.append(consent("c-1")) // of "pseudonym of a person"
	b.append(of(gone, consent("c-2")))
	w := b.append(withdrawal("c-1"))
	d, _ := b.log.Register().Document("c-1")
	require.False(t, d.Live())
	storetest.Change(t, b.path, w.Index, func(r *audit.Row) {
		var o map[string][]map[string][]byte
		require.NoError(t, json.Unmarshal(r.Opening, &o))
		o["end"][0]["value"] = []byte("c-2") // salt stays: it opens nothing
		raw, err := json.Marshal(o)
		require.NoError(t, err)
		r.Opening = raw
	})
	_, err := b.log.Erase(t.Context(), erasure(gone))
	var found *audit.TamperError
	require.ErrorAs(t, err, &found)
	require.Equal(t, w.Index, found.Index)
	_, known := b.log.Register().Document("c-2")
	require.True(t, known, "nothing was erased")
}

// Two processes: an idle one puts an older head in the place of a newer one.
func TestAnIdleProcessPutsNoOlderHeadOutside(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	b.log.Close()
	head := &audit.HeadFile{Path: filepath.Join(t.TempDir(), "head")}
	cfg := b.config(b.store)
	s, err := b.store, error(nil)
	require.NoError(t, s.View(t.Context(), tenant, func(v audit.Snapshot) error {
		h, err := v.Head()
		require.NoError(t, err)
		return head.Write(h.Checkpoint)
	}))
	cfg.Head = head
	one, err := audit.Open(t.Context(), cfg)
	require.NoError(t, err)
	s2, err := sqlite.Open(t.Context(), b.path)
	require.NoError(t, err)
	defer s2.Close()
	cfg2 := cfg
	cfg2.Store = s2
	two, err := audit.Open(t.Context(), cfg2)
	require.NoError(t, err)
	_, err = one.Append(t.Context(), decision(b.trace()))
	require.NoError(t, err)
	_, err = two.Append(t.Context(), withdrawal("c-1")) // acknowledged: the file is durable
	require.NoError(t, err)
	want, err := head.Read()
	require.NoError(t, err)
	time.Sleep(1500 * time.Millisecond)
	got, err := head.Read()
	require.NoError(t, err)
	one.Close()
	two.Close()
	require.Equal(t, want, got, "the head outside the store went back behind the withdrawal")
}

// Withdrawn, then judged, then erased, then recorded: an honest log that does not verify.
func TestWhatWasJudgedBeforeAnErasureIsJudgedAnew(t *testing.T) {
	b := newBench(t)
	b.append(of(gone, consent("c-2")))
	b.append(withdrawal("c-2"))
	judged := b.log.Register().Size()
	_, err := b.log.Erase(t.Context(), erasure(gone))
	require.NoError(t, err)
	payload, err := json.Marshal(audit.Judgement{Judged: judged, Pairs: []audit.PairJudgement{{
		Subject: base64.RawURLEncoding.EncodeToString([]byte(gone)), Source: other, Refusals: []audit.Refusal{{Reason: "CONSENT_WITHDRAWN"}},
	}}})
	require.NoError(t, err)
	e := of(gone, decision(b.trace()))
	e.Case, e.Payload, e.By = []byte("case-c-2"), payload, judged
	_, err = b.log.Append(t.Context(), e)
	require.ErrorIs(t, err, audit.ErrJudged)
	e.Payload, e.By = nil, b.log.Register().Size()
	b.append(e)
	_, err = b.verify()
	require.NoError(t, err)
}

// What is recorded of a person after an erasure, or without any consent, cannot be erased.
func TestWhoHasNoConsentCanBeErased(t *testing.T) {
	b := newBench(t)
	b.append(of(gone, consent("c-2")))
	_, err := b.log.Erase(t.Context(), erasure(gone))
	require.NoError(t, err)
	b.append(of(gone, decision(b.trace()))) // a request that was on its way
	_, err = b.log.Erase(t.Context(), erasure(gone))
	require.NoError(t, err)
	require.Empty(t, inFiles(t, b.path))
}

// A reader (audit verify, backup) during an erasure: what was erased stays in the files.
func TestWhatIsErasedLeavesTheFilesWhenNobodyReads(t *testing.T) {
	b := newBench(t)
	lives(b)
	for range 50 {
		b.append(of(gone, decision(b.trace())))
	}
	reader, err := sqlite.Inspect(t.Context(), b.path)
	require.NoError(t, err)
	require.NoError(t, reader.View(t.Context(), tenant, func(s audit.Snapshot) error {
		_, err := s.Head()
		require.NoError(t, err)
		_, err = b.log.Erase(t.Context(), erasure(gone))
		return err
	}))
	require.NoError(t, reader.Close())
	for range 20 {
		b.append(decision(b.trace()))
	}
	require.Empty(t, inFiles(t, b.path))
}

// An erasure is recorded among what others record.
func TestAnErasureUnderLoad(t *testing.T) {
	b := newBench(t)
	b.append(of(gone, consent("c-2")))
	stop := make(chan struct{})
	for range 64 {
		go func() {
			for {
				select {
				case <-stop:
					return
				default:
					b.log.Append(context.Background(), decision(b.trace()))
				}
			}
		}()
	}
	time.Sleep(100 * time.Millisecond)
	_, err := b.log.Erase(t.Context(), erasure(gone))
	close(stop)
	require.NoError(t, err)
	_, err = b.verify()
	require.NoError(t, err)
}

// The id of what was erased stays with the idempotency key.
func TestAnErasureTakesTheIdempotencyKeysToo(t *testing.T) {
	b := newBench(t)
	e := of(gone, consent("c-of-one-who-goes-away"))
	e.Once = once("key", "body")
	e.Once.Ref = "c-of-one-who-goes-away"
	b.append(e)
	_, err := b.log.Erase(t.Context(), erasure(gone))
	require.NoError(t, err)
	raw, err := os.ReadFile(b.path)
	require.NoError(t, err)
	require.False(t, bytes.Contains(raw, []byte("c-of-one-who-goes-away")))
}

// An erasure that is asked for again with the same key.
func TestAnErasureAskedForAgain(t *testing.T) {
	b := newBench(t)
	b.append(of(gone, consent("c-2")))
	e := erasure(gone)
	e.Once = once("key", "body")
	done, err := b.log.Erase(t.Context(), e)
	require.NoError(t, err)
	again, err := b.log.Erase(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, done.Index, again.Index)
}
