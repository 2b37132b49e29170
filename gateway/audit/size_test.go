package audit_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
)

// asker asks one question about one person, as the gateway writes it down: a decision, and
// the release of the answer on a consent and an agreement.
type asker struct {
	*bench
	consent, agreement, digest, revision string
	person                               [32]byte
}

func newAsker(b *bench) *asker {
	id := func() string { return uuid.Must(uuid.NewV7()).String() }
	a := &asker{bench: b, consent: id(), agreement: id(), person: sha256.Sum256([]byte("person"))}
	revision, signed := sha256.Sum256([]byte("rules")), sha256.Sum256([]byte("signed "+a.agreement))
	a.revision, a.digest = hex.EncodeToString(revision[:]), hex.EncodeToString(signed[:])
	c := consent(a.consent)
	c.Put.Subjects, c.Put.Case = []string{string(a.person[:])}, "2026-000123"
	b.append(c)
	b.append(agreement(a.agreement))
	return a
}

func (a *asker) entry(trace string) audit.Entry {
	return audit.Entry{
		Trace: trace, Activity: "integral_budget.compose", Organisations: []identity.OIN{tenant, other}, PolicyRevision: a.revision, Decision: "allow",
		Case: []byte("2026-000123"), Subjects: [][]byte{a.person[:]}, Consents: []string{a.consent}, Agreements: []string{a.digest},
	}
}

func (a *asker) decision(trace string) audit.Entry {
	e := a.entry(trace)
	e.Kind = audit.Decision
	var err error
	e.Payload, err = json.Marshal(audit.Judgement{Judged: 2, Pairs: []audit.PairJudgement{{
		Agreement: a.agreement, Consent: a.consent, Source: other, Subject: base64.RawURLEncoding.EncodeToString(a.person[:]),
		Scopes: []audit.Scope{{Categories: []string{"entitlement", "product", "period", "quantity", "amount"}, Law: "WLZ"}},
	}}})
	require.NoError(a.t, err)
	return e
}

// ask asks a question.
func (a *asker) ask() {
	sum := sha256.Sum256(fmt.Append(nil, a.next.Add(1)))
	trace := hex.EncodeToString(sum[:16])
	d, err := a.log.Append(a.t.Context(), a.decision(trace))
	if err != nil {
		a.t.Error(err)
		return
	}
	e := a.entry(trace)
	e.Kind, e.Decided, e.Payload, e.Status = audit.Release, d.Index, sum[:], "complete"
	e.RestOn(register.Rest{ID: a.consent, Source: other, Recipient: tenant}, register.Rest{ID: a.agreement})
	if _, err := a.log.Append(a.t.Context(), e); err != nil {
		a.t.Error(err)
	}
}

// questions asks so many questions, by so many at a time.
func (a *asker) questions(n, at int) {
	var wg sync.WaitGroup
	for w := range at {
		wg.Go(func() {
			for i := w; i < n; i += at {
				a.ask()
			}
		})
	}
	wg.Wait()
}

// transactions is how many a log took.
func transactions(t *testing.T, path string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.QueryRow("SELECT count(*) FROM entries").Scan(&n))
	return n
}

// A question takes little room on disk, whether it is asked alone or with others. What is
// counted is the whole file, without what was in it before the questions.
func TestBytesPerQuestion(t *testing.T) {
	const questions = 800
	for _, at := range []int{1, 16} {
		b := newBench(t)
		a := newAsker(b)
		size := func() int64 {
			b.log.Close()
			require.NoError(t, b.store.Close()) // which moves all into the one file
			info, err := os.Stat(b.path)
			require.NoError(t, err)
			b.open()
			return info.Size()
		}
		before := size()
		a.questions(questions, at)
		if transactions := transactions(t, b.path); at > 1 {
			require.Less(t, transactions, 2*questions/3, "what waits is written together")
		}
		each := (size() - before) / questions
		t.Logf("%d at a time: %d bytes a question", at, each)
		require.LessOrEqual(t, each, int64(2048))
		report, err := b.verify()
		require.NoError(t, err)
		require.EqualValues(t, 2+2*questions, report.Size)
	}
}
