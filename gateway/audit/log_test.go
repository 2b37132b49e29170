package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/identity"
)

func TestAReceiptVerifies(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	for range 20 {
		p, digest := b.exchange("c-1")
		require.NoError(t, audit.VerifyReceipt(p.Receipt(), digest, audit.Keys{b.key.Verifier}))
		leaf, err := audit.ParseLeaf(p.Leaf)
		require.NoError(t, err)
		require.Equal(t, audit.Release, leaf.Kind)
		require.Equal(t, p.Index-1, leaf.Decided)
		require.Equal(t, tenant, leaf.Tenant)
	}
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, 41, report.Size)
	require.EqualValues(t, 20, report.Kinds[audit.Release])
	require.EqualValues(t, 1, report.LiveDocuments)
}

func TestAnEmptyLogVerifies(t *testing.T) {
	report, err := newBench(t).verify()
	require.NoError(t, err)
	require.Zero(t, report.Size)
}

func TestLeavesHoldNoHandleOfAPerson(t *testing.T) {
	b := newBench(t)
	first := b.append(consent("consent-of-somebody"))
	trace := b.trace()
	d := b.append(decision(trace))
	r := b.append(release(trace, d.Index, sha256.Sum256([]byte("x")), "consent-of-somebody"))
	w := b.append(withdrawal("consent-of-somebody"))
	seen := map[string]bool{}
	for _, p := range []audit.Proof{first, d, r, w} {
		leaf, err := audit.ParseLeaf(p.Leaf)
		require.NoError(t, err)
		require.NotContains(t, string(p.Leaf), "somebody")
		require.NotContains(t, string(p.Leaf), "pseudonym")
		all := slices.Concat([]string{leaf.Case, leaf.End, leaf.Put, leaf.Payload}, leaf.Consents, leaf.Rests, leaf.Subjects)
		for _, c := range all {
			require.False(t, c != "" && seen[c], "no commitment occurs twice")
			seen[c] = true
		}
	}
}

func TestWithdrawalIsImmediate(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	b.append(agreement("a-1"))
	b.exchange("c-1", "a-1")
	trace := b.trace()
	d := b.append(decision(trace))
	w := b.append(withdrawal("c-1"))
	_, err := b.log.Append(t.Context(), release(trace, d.Index, sha256.Sum256(nil), "a-1", "c-1"))
	var ended *audit.EndedError
	require.ErrorAs(t, err, &ended)
	require.ErrorIs(t, err, audit.ErrEnded)
	require.Equal(t, "c-1", ended.ID)
	again := b.append(withdrawal("c-1"))
	require.Equal(t, w.Index, again.Index, "a withdrawal twice is answered the same")
	b.append(release(trace, d.Index, sha256.Sum256(nil), "a-1"))
	_, err = b.verify()
	require.NoError(t, err)
	list := b.log.Register().Consents([]string{"pseudonym of a person"}, "integral_budget.compose")
	require.Len(t, list, 1)
	require.False(t, list[0].Live())
	require.Equal(t, w.Index, list[0].Ended)
}

func TestRefusals(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	b.append(consent("c-2"))
	b.append(withdrawal("c-2"))
	b.append(agreement("a-0"))
	trace := b.trace()
	d := b.append(decision(trace))
	changed := consent("c-1")
	changed.Put.Body = []byte("another body")
	replaces := consent("c-3")
	replaces.End = "c-2"
	digest := sha256.Sum256(nil)
	for name, c := range map[string]struct {
		entry audit.Entry
		want  error
	}{
		"rests on nothing known":      {release(trace, d.Index, digest, "nobody"), audit.ErrEnded},
		"same id, another document":   {changed, audit.ErrConflict},
		"an ended document again":     {consent("c-2"), audit.ErrEnded},
		"replaces what has ended":     {replaces, audit.ErrEnded},
		"withdraws nothing":           {withdrawal("nobody"), audit.ErrNoDocument},
		"decision of another trace":   {release(b.trace(), d.Index, digest), audit.ErrInvalid},
		"decision that is a consent":  {release(trace, 0, digest), audit.ErrInvalid},
		"decision that is to come":    {release(trace, 1000, digest), audit.ErrInvalid},
		"release without payload":     {audit.Entry{Kind: audit.Release, Trace: trace, Decided: d.Index}, audit.ErrInvalid},
		"no kind":                     {audit.Entry{Trace: trace}, audit.ErrInvalid},
		"no trace":                    {audit.Entry{Kind: audit.Decision}, audit.ErrInvalid},
		"a text with a quote":         {audit.Entry{Kind: audit.Admin, Activity: `a"b`}, audit.ErrInvalid},
		"a text too long":             {audit.Entry{Kind: audit.Admin, Status: strings.Repeat("a", 129)}, audit.ErrInvalid},
		"an OIN too short":            {audit.Entry{Kind: audit.Admin, Organisations: []identity.OIN{"1"}}, audit.ErrInvalid},
		"an agreement by name":        {audit.Entry{Kind: audit.Admin, Agreements: []string{"a-1"}}, audit.ErrInvalid},
		"too many subjects":           {audit.Entry{Kind: audit.Admin, Subjects: make([][]byte, 65)}, audit.ErrInvalid},
		"an empty subject":            {audit.Entry{Kind: audit.Admin, Subjects: make([][]byte, 1)}, audit.ErrInvalid},
		"too long a payload":          {audit.Entry{Kind: audit.Admin, Payload: make([]byte, 512<<10+1)}, audit.ErrInvalid},
		"a document of no such entry": {audit.Entry{Kind: audit.Admin, Put: consent("c-5").Put}, audit.ErrInvalid},
		"a consent without document":  {audit.Entry{Kind: audit.Consent}, audit.ErrInvalid},
		"a withdrawal of what":        {audit.Entry{Kind: audit.Withdrawal}, audit.ErrInvalid},
		"an agreement about nothing":  {audit.Entry{Kind: audit.Agreement}, audit.ErrInvalid},
		"an agreement that is none":   {audit.Entry{Kind: audit.Agreement, Put: consent("c-5").Put}, audit.ErrInvalid},
		"a withdrawal with a consent": {audit.Entry{Kind: audit.Withdrawal, End: "c-1", Put: consent("c-5").Put}, audit.ErrInvalid},
		"a proposal by a consent":     {audit.Entry{Kind: audit.Consent, Put: between(audit.ProposalDocument, "p").Put}, audit.ErrInvalid},
		"a kind of its own":           {between("LETTER", "l"), audit.ErrInvalid},
		"an end that has ended":       {audit.Entry{Kind: audit.Agreement, End: "c-2"}, audit.ErrEnded},
		"an end of nothing":           {audit.Entry{Kind: audit.Agreement, End: "nobody"}, audit.ErrNoDocument},
		"stored, but not yet instead": {audit.Entry{Kind: audit.Agreement, Put: agreement("a-0").Put, End: "c-1"}, audit.ErrConflict},
		"an agreement with oneself": {audit.Entry{Kind: audit.Agreement, Put: &audit.Document{Body: []byte("b"), Document: register.Document{
			ID: "a", Kind: register.Agreement, PartyA: tenant, PartyB: tenant}}}, audit.ErrInvalid},
	} {
		_, err := b.log.Append(t.Context(), c.entry)
		require.ErrorIs(t, err, c.want, name)
		for _, value := range []string{`a"b`, "pseudonym", "another body", "000000001190"} {
			require.NotContains(t, err.Error(), value, name)
		}
	}
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, 5, report.Size, "what is refused leaves no entry")
}

func TestTheSameDocumentAgain(t *testing.T) {
	b := newBench(t)
	first := b.append(consent("c-1"))
	b.exchange("c-1")
	again := b.append(consent("c-1"))
	require.Equal(t, first.Index, again.Index)
	require.Equal(t, first.Leaf, again.Leaf)
	require.NotEqual(t, first.Checkpoint, again.Checkpoint, "proven against the newest head")
}

func TestOneDocumentReplacesAnother(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	next := consent("c-2")
	next.End = "c-1"
	p := b.append(next)
	b.exchange("c-2")
	trace := b.trace()
	d := b.append(decision(trace))
	_, err := b.log.Append(t.Context(), release(trace, d.Index, sha256.Sum256(nil), "c-1"))
	require.ErrorIs(t, err, audit.ErrEnded)
	require.Equal(t, p.Index, b.append(next).Index, "the replacing entry again")
	_, err = b.verify()
	require.NoError(t, err)
}

func TestReopening(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	trace := b.trace()
	d := b.append(decision(trace))
	for i := range 9 {
		b.log.Close()
		require.NoError(t, b.store.Close())
		b.open()
		if i == 4 {
			b.append(release(trace, d.Index, sha256.Sum256(nil), "c-1")) // the decision is read from the store
		}
		p, digest := b.exchange("c-1")
		require.NoError(t, audit.VerifyReceipt(p.Receipt(), digest, audit.Keys{b.key.Verifier}))
	}
	_, err := b.verify()
	require.NoError(t, err)
}

// TestCrash copies the files of a store that nobody closed, as a machine that
// loses power leaves them.
func TestCrash(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	p, digest := b.exchange("c-1")
	crashed := copyFiles(t, b.path)
	s, err := sqlite.Open(t.Context(), crashed)
	require.NoError(t, err)
	defer s.Close()
	report, err := audit.Verify(t.Context(), s, b.inspection())
	require.NoError(t, err)
	require.Equal(t, p.Index+1, report.Size, "what was answered is there")
	require.NoError(t, audit.VerifyReceipt(p.Receipt(), digest, audit.Keys{b.key.Verifier}))
	l, err := audit.Open(t.Context(), b.config(s))
	require.NoError(t, err)
	defer l.Close()
	next, err := l.Append(t.Context(), decision(b.trace()))
	require.NoError(t, err)
	require.Equal(t, report.Size, next.Index)
}

func TestSeveralLogsShareAStore(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	second, err := sqlite.Open(t.Context(), b.path)
	require.NoError(t, err)
	defer second.Close()
	l, err := audit.Open(t.Context(), b.config(second))
	require.NoError(t, err)
	defer l.Close()
	var wg sync.WaitGroup
	for _, log := range []*audit.Log{b.log, l, b.log, l} {
		wg.Go(func() {
			for range 25 {
				if _, err := log.Append(context.Background(), decision(b.trace())); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	trace := b.trace()
	d, err := l.Append(t.Context(), decision(trace))
	require.NoError(t, err)
	b.append(release(trace, d.Index, sha256.Sum256(nil), "c-1")) // of what the other one decided
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, 103, report.Size)
}

func TestTenantsShareAStore(t *testing.T) {
	b := newBench(t)
	name := "ontschot.nl/log/" + string(other)
	secret, public, err := audit.GenerateKey(name)
	require.NoError(t, err)
	key, err := audit.ParseKey(secret)
	require.NoError(t, err)
	l, err := audit.Open(t.Context(), audit.Config{Store: b.store, Origin: name, Tenant: other, Key: key})
	require.NoError(t, err)
	defer l.Close()
	for range 5 {
		b.append(decision(b.trace()))
		p, err := l.Append(t.Context(), decision(b.trace()))
		require.NoError(t, err)
		require.Equal(t, name, p.Origin)
	}
	_, err = b.verify()
	require.NoError(t, err)
	_, err = audit.Verify(t.Context(), b.store, audit.Inspection{Tenant: other, Keys: audit.Keys{verifierOf(t, public)}})
	require.NoError(t, err)
}

func TestOpenChecksItsConfig(t *testing.T) {
	b := newBench(t)
	for name, change := range map[string]func(*audit.Config){
		"store":  func(c *audit.Config) { c.Store = nil },
		"tenant": func(c *audit.Config) { c.Tenant = "x" },
		"origin": func(c *audit.Config) { c.Origin = "ontschot.nl/log/x" },
		"key":    func(c *audit.Config) { c.Key = audit.SigningKey{} },
		"halves": func(c *audit.Config) { c.Key.Verifier = newBench(t).key.Verifier },
	} {
		c := b.config(b.store)
		change(&c)
		_, err := audit.Open(t.Context(), c)
		require.True(t, errors.Is(err, audit.ErrInvalid) || errors.Is(err, audit.ErrKey), name)
	}
	// A log is of its tenant by its name, though the key has that name too.
	named := func(name string) error {
		secret, _, err := audit.GenerateKey(name)
		require.NoError(t, err)
		c := newBench(t).config(b.store)
		c.Origin = name
		c.Key, err = audit.ParseKey(secret)
		require.NoError(t, err)
		c.Tenant = other
		l, err := audit.Open(t.Context(), c)
		if err == nil {
			l.Close()
		}
		return err
	}
	longest := "log/" + string(other) + "/" + strings.Repeat("x", 128-len("log/")-len(other)-1)
	require.NoError(t, named(longest))
	require.ErrorIs(t, named(longest+"x"), audit.ErrInvalid)
	require.ErrorIs(t, named("log/of-nobody"), audit.ErrInvalid)
	require.ErrorIs(t, named("log/"+string(tenant)), audit.ErrInvalid)
	_, _, err := audit.GenerateKey("with space")
	require.ErrorIs(t, err, audit.ErrKey)
	good, _, err := audit.GenerateKey(origin)
	require.NoError(t, err)
	for _, secret := range []string{"", "x", good[:len(good)-2], strings.Replace(good, "119000", "119001", 1)} {
		_, err := audit.ParseKey(secret)
		require.ErrorIs(t, err, audit.ErrKey)
	}
}

func TestAppendAfterClose(t *testing.T) {
	b := newBench(t)
	b.log.Close()
	b.log.Close()
	_, err := b.log.Append(t.Context(), decision(b.trace()))
	require.ErrorIs(t, err, audit.ErrUnavailable)
}

func TestProve(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	var digests [][32]byte
	for range 10 {
		_, digest := b.exchange("c-1")
		digests = append(digests, digest)
	}
	for i, digest := range digests {
		p, err := b.log.Prove(t.Context(), int64(2*i+2))
		require.NoError(t, err)
		require.NoError(t, audit.VerifyReceipt(p.Receipt(), digest, audit.Keys{b.key.Verifier}))
	}
	for _, index := range []int64{-1, 21, 1 << 60} {
		_, err := b.log.Prove(t.Context(), index)
		require.ErrorIs(t, err, audit.ErrInvalid)
	}
}

func TestCheckpointsAreC2SP(t *testing.T) {
	p := newBench(t).append
	lines := strings.Split(p(decision(strings.Repeat("a", 32))).Checkpoint, "\n")
	require.Len(t, lines, 6)
	require.Equal(t, origin, lines[0])
	require.Equal(t, "1", lines[1])
	require.Empty(t, lines[3])
	require.True(t, strings.HasPrefix(lines[4], "— "+origin+" "))
	require.True(t, bytes.HasSuffix([]byte(lines[2]), []byte("=")))
}
