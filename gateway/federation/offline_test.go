package federation_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/result"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// clients is by what a client verifies: the keys of all in its trust file.
func (w *two) clients() result.Trust {
	t := w.asker.config.Trust
	t.Sources = map[string]result.Source{w.code: {OIN: w.source.party.OIN, Log: w.source.keys()}}
	return t
}

// A budget proves offline what each source said of its own: changed in any way, also by who
// releases it, it does not verify.
func TestABudgetProvesWhatItsSourcesDisclosed(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	old := w.composed(p)
	b := w.composed(p)
	_, err := result.Verify(b, w.clients())
	require.NoError(t, err)

	view, err := w.asker.View(w.asker.call(nil), &ontschotv1.ViewRequest{Budget: b, Person: "P"})
	require.NoError(t, err)
	_, err = result.Verify(view.GetBudget(), w.clients())
	require.NoError(t, err, "and so does what the person sees of it")
	require.NotNil(t, view.GetBudget().GetSources()[0].GetDisclosure())

	for name, change := range map[string]func(*budgetv1.SourceReport){
		"no statement":      func(r *budgetv1.SourceReport) { r.Disclosure.Statement = "" },
		"no receipt":        func(r *budgetv1.SourceReport) { r.Disclosure.Receipt = nil },
		"nothing":           func(r *budgetv1.SourceReport) { r.Disclosure = &budgetv1.Disclosure{} },
		"another's receipt": func(r *budgetv1.SourceReport) { r.Disclosure.Receipt = old.Sources[0].Disclosure.Receipt },
		"another's":         func(r *budgetv1.SourceReport) { r.Disclosure.Statement = old.Sources[0].Disclosure.Statement },
		"another source":    func(r *budgetv1.SourceReport) { r.Source = "UWV" },
		"the head of another log": func(r *budgetv1.SourceReport) {
			r.Disclosure.Receipt.Checkpoint = b.GetReceipt().GetCheckpoint()
		},
	} {
		other := proto.CloneOf(b)
		change(other.Sources[0])
		_, err := result.Verify(other, w.clients())
		require.ErrorIs(t, err, result.ErrMismatch, name)
		_, err = result.Verify(w.released(other), w.clients())
		require.ErrorIs(t, err, result.ErrMismatch, name)
	}
	twice := proto.CloneOf(b)
	twice.Sources = append(twice.Sources, twice.Sources[0])
	_, err = result.Verify(w.released(twice), w.clients())
	require.ErrorIs(t, err, result.ErrStatement)

	nobody := w.clients()
	nobody.Sources = map[string]result.Source{}
	_, err = result.Verify(b, nobody)
	require.ErrorIs(t, err, result.ErrStatement)
	nobody.Sources[w.code] = result.Source{OIN: w.source.party.OIN}
	_, err = result.Verify(b, nobody)
	require.ErrorIs(t, err, result.ErrStatement, "without the key of its log nothing is believed")
	nobody.Sources[w.code] = result.Source{OIN: w.source.party.OIN, Log: w.asker.keys()}
	_, err = result.Verify(b, nobody)
	require.ErrorIs(t, err, audit.ErrTampered)
}

// released is a budget that its gateway changed, recorded and signed.
func (w *two) released(b *budgetv1.Budget) *budgetv1.Budget {
	w.t.Helper()
	b = proto.CloneOf(b)
	of, err := audit.ParseLeaf(b.GetReceipt().GetLeaf())
	require.NoError(w.t, err)
	decided := b.GetReceipt().GetDecisionIndex()
	digest, err := result.Digest(b)
	require.NoError(w.t, err)
	proof, err := w.asker.log.Append(context.Background(), audit.Entry{
		Kind: audit.Release, Trace: of.Trace, Activity: of.Activity, Decided: decided, Decision: "allow", Payload: digest[:], Day: w.asker.today(),
	})
	require.NoError(w.t, err)
	require.NoError(w.t, result.Sign(b, result.Release{
		Digest: digest, Receipt: proof.Receipt(), Case: "case", Times: result.Times{Now: w.now(), Expires: w.now().Add(time.Hour), KeepUntil: w.now().Add(time.Hour)},
	}, w.asker.party.Sign))
	return b
}

// Where the copies of the two ends differ, what is shorter holds.
func TestTheShortestTimesHold(t *testing.T) {
	w := newTwo(t, options{noAgreement: true})
	id := newID()
	with := func(age, retention int) func(*agreement.Terms) {
		return func(t *agreement.Terms) {
			t.ID, t.Grants[0].MaxAgeDays, t.Grants[0].RetentionDays = id, age, retention
		}
	}
	w.asker.take(w.signed(with(30, 90)))
	w.source.take(w.signed(with(5, 10)))
	p := w.person("P")
	w.give(p, "")
	b := w.composed(p)
	require.Len(t, b.GetLines(), 1)
	c, err := result.Verify(b, w.clients())
	require.NoError(t, err)
	require.EqualValues(t, 5*24*3600, c.Expires-c.IssuedAt)
	require.EqualValues(t, 10*24*3600, c.KeepUntil-c.IssuedAt)
}
