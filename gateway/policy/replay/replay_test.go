package replay_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/policy/replay"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const (
	own     = identity.OIN("00000099000000119000")
	purpose = "integral_budget.compose"
)

// engine judges by the rules that are built in, with something replaced in the matrix.
func engine(t testing.TB, old, now string) *policy.Engine {
	t.Helper()
	folder := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(policies.FS, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS, file)
		if file == "rules/matrix/"+purpose+"/data.yaml" {
			require.Contains(t, string(raw), old)
			raw = []byte(strings.ReplaceAll(string(raw), old, now))
		}
		folder[file] = &fstest.MapFile{Data: raw}
		return err
	}))
	e, err := policy.New(t.Context(), policy.Config{FS: folder, Timeout: time.Minute})
	require.NoError(t, err)
	return e
}

func facts() policy.Facts {
	return policy.Facts{
		Assurance: "substantieel", Kind: budgetv1.KindMunicipality, Laws: []string{"WMO"}, Role: "consulent",
		Consent: &policy.ConsentedFacts{By: "self", Categories: []string{"entitlement", "amount"}, From: "2026-01-01", Until: "2026-12-31"},
	}
}

// gathered is a log of one decision by rules, about the organisation's own source.
func gathered(t testing.TB, by *policy.Engine, change func(*audit.PairJudgement)) *replay.Log {
	t.Helper()
	day, err := civil.Parse("2026-06-01")
	require.NoError(t, err)
	f := facts()
	past := policy.Past{Purpose: purpose, Day: day, Source: own, Facts: f}
	past.Facts.Requester, past.Facts.RequesterKind = own, budgetv1.KindMunicipality
	scopes, gaps := by.Again(t.Context(), past)
	require.NotEmpty(t, scopes)
	pair := audit.PairJudgement{Source: own, Subject: "c29tZWJvZHk", Facts: f.Encode(), Scopes: audit.ScopesOf(scopes)}
	for _, g := range gaps {
		pair.Refusals = append(pair.Refusals, audit.Refusal{Reason: g.GetReason(), Code: g.GetCode(), Laws: g.GetLaws(), Categories: g.GetCategories()})
	}
	if change != nil {
		change(&pair)
	}
	log := replay.NewLog(own, budgetv1.KindMunicipality, day)
	leaf := &audit.Leaf{Kind: audit.Decision, Activity: purpose, Day: day.String(), Policy: by.Revision()}
	for n := range int64(3) {
		log.Entry(audit.Passed{Index: n, Leaf: leaf, Judgement: &audit.Judgement{Pairs: []audit.PairJudgement{pair}}})
	}
	return log
}

// Of each kind of change one, three times: what is the same is judged once and counted.
func TestEachKindOfChangeIsTold(t *testing.T) {
	const cell = "fields: {entitlement: none, product: none, period: none, quantity: none, amount: none, reference: none}"
	active := engine(t, cell, cell+" ")
	for kind, now := range map[string]string{
		"":                 cell + "  ",
		replay.Fewer:       "fields: {entitlement: none, product: none, period: none, quantity: none, reference: none}",
		replay.Masked:      "fields: {entitlement: none, product: none, period: none, quantity: none, amount: exists, reference: none}",
		replay.Reasons:     "fields: {entitlement: none, period: none, quantity: none, amount: none, reference: none}",
		replay.NewlyDenied: "fields: {product: none}",
	} {
		r, err := gathered(t, active, nil).Judge(t.Context(), replay.Rules{Active: active, Candidate: engine(t, cell, now)})
		require.NoError(t, err)
		require.Equal(t, 3, r.Reproduced, kind)
		if kind == "" {
			require.Equal(t, 3, r.Same)
			require.Empty(t, r.Changes)
			continue
		}
		require.Len(t, r.Changes, 1, kind)
		require.Equal(t, kind, r.Changes[0].Kind)
		require.Equal(t, 3, r.Changes[0].Pairs)
	}
	less := engine(t, cell, "fields: {entitlement: none, product: none, period: none, quantity: none, reference: none}")
	r, err := gathered(t, less, nil).Judge(t.Context(), replay.Rules{Active: less, Candidate: active})
	require.NoError(t, err)
	require.Equal(t, replay.More, r.Changes[0].Kind)
	require.Equal(t, []string{"WMO amount"}, r.Changes[0].Fields)
}

// When the rules of that time decide otherwise than the log says, nothing is compared: one
// field more, one less, another mask, another reason.
func TestWhatIsNotReproducedIsNotCompared(t *testing.T) {
	active := engine(t, "# Doel", "# Het doel")
	candidate := engine(t, "roles: [consulent, regisseur]", "roles: [regisseur]")
	for name, change := range map[string]func(*audit.PairJudgement){
		"more": func(p *audit.PairJudgement) { p.Scopes[0].Categories = append(p.Scopes[0].Categories, "income") },
		"less": func(p *audit.PairJudgement) { p.Scopes[0].Categories = p.Scopes[0].Categories[1:] },
		"mask": func(p *audit.PairJudgement) { p.Scopes[0].Masks = map[string]string{"amount": "exists"} },
		"none": func(p *audit.PairJudgement) { p.Scopes = nil },
		"gap": func(p *audit.PairJudgement) {
			p.Refusals = append(p.Refusals, audit.Refusal{Reason: "NO_CONSENT", Code: "TOEST-01"})
		},
	} {
		r, err := gathered(t, active, change).Judge(t.Context(), replay.Rules{Active: active, Candidate: candidate})
		require.NoError(t, err)
		require.Equal(t, []int64{0}, r.Differs, name)
		require.Empty(t, r.Changes, name)
		require.Zero(t, r.Same, name)
	}
	// What no rule says, but a machine, is not held against the rules.
	r, err := gathered(t, active, func(p *audit.PairJudgement) {
		p.Scopes = nil
		p.Refusals = append(p.Refusals, audit.Refusal{Reason: budgetv1.ReasonNoAdapter})
	}).Judge(t.Context(), replay.Rules{Active: active, Candidate: candidate})
	require.NoError(t, err)
	require.Empty(t, r.Differs)
	require.Equal(t, replay.NewlyDenied, r.Changes[0].Kind)
}

// What cannot be judged again is counted by why, and never judged by half.
func TestWhatCannotBeJudgedAgainIsCounted(t *testing.T) {
	active := engine(t, "# Doel", "# Het doel")
	for why, change := range map[string]func(*audit.PairJudgement){
		replay.NoFacts: func(p *audit.PairJudgement) { p.Facts = nil },
		replay.Unreadable: func(p *audit.PairJudgement) {
			p.Facts = json.RawMessage(`{"assurance":"hoog","kind":"UWV","role":"x","unknown":1}`)
		},
		replay.Unreadable + " agreement": func(p *audit.PairJudgement) {
			f := facts()
			f.Agreement = "gone"
			p.Facts = f.Encode()
		},
	} {
		r, err := gathered(t, active, change).Judge(t.Context(), replay.Rules{Active: active, Candidate: active})
		require.NoError(t, err)
		why, _, _ = strings.Cut(why, " ")
		require.Equal(t, map[string]int{why: 3}, r.Skipped)
		require.Zero(t, r.Reproduced)
	}
	log := replay.NewLog(own, budgetv1.KindMunicipality, 0)
	log.Entry(audit.Passed{Index: 1, Leaf: &audit.Leaf{Kind: audit.Decision, Day: "2026-06-01"}})
	log.Entry(audit.Passed{Index: 2, Leaf: &audit.Leaf{Kind: audit.Release, Day: "2026-06-01"}})
	for n := int64(3); n < 24; n++ {
		log.Entry(audit.Passed{Index: n, Leaf: &audit.Leaf{Kind: audit.Deny, Day: fmt.Sprintf("2026-06-%02d", n)}, Erased: true})
	}
	r, err := log.Judge(t.Context(), replay.Rules{Active: active, Candidate: active})
	require.NoError(t, err)
	require.Equal(t, map[string]int{replay.NoPairs: 1, replay.Erased: 21}, r.Skipped)
	require.Equal(t, 22, r.Decisions)
	require.Equal(t, []string{"2026-06-03", "2026-06-23"}, []string{r.Erased.From, r.Erased.Until})
	require.Equal(t, 21, r.Erased.Decisions)
	require.Len(t, r.Erased.Entries, 20)
}

// BenchmarkReplay judges decisions again, each of another consent.
func BenchmarkReplay(b *testing.B) {
	active := engine(b, "# Doel", "# Het doel")
	candidate := engine(b, "roles: [consulent, regisseur]", "roles: [regisseur]")
	past := facts()
	log := replay.NewLog(own, budgetv1.KindMunicipality, 0)
	leaf := &audit.Leaf{Kind: audit.Decision, Activity: purpose, Day: "2026-06-01", Policy: "other"}
	first, err := civil.Parse("2026-06-02")
	require.NoError(b, err)
	for n := range b.N {
		past.Consent.Until = (first + civil.Date(n)).String()
		log.Entry(audit.Passed{Index: int64(n), Leaf: leaf, Judgement: &audit.Judgement{Pairs: []audit.PairJudgement{{Source: own, Facts: past.Encode()}}}})
	}
	b.ResetTimer()
	_, err = log.Judge(b.Context(), replay.Rules{Active: active, Candidate: candidate})
	require.NoError(b, err)
}
