package register_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// act is an entry, and what it is to the model.
type act struct {
	name  string
	entry audit.Entry
	model func(m *model) error
}

// Several do something about one person's consents at the same time. Whatever order the
// log gives it: in that order the model takes what the log took, and in the end both say
// the same of every pair.
func TestWhateverTheOrderTheLogIsTheModel(t *testing.T) {
	origin := "ontschot.nl/log/" + string(keeper)
	secret, _, err := audit.GenerateKey(origin)
	require.NoError(t, err)
	key, err := audit.ParseKey(secret)
	require.NoError(t, err)
	taken, refused := 0, 0
	for round := range 60 {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "record.db"))
		require.NoError(t, err)
		log, err := audit.Open(t.Context(), audit.Config{Store: s, Origin: origin, Tenant: keeper, Key: key, Today: func() civil.Date { return first }})
		require.NoError(t, err)
		m := newModel()
		require.NoError(t, m.key("own", "in_use"))
		_, err = log.Append(t.Context(), audit.Entry{Kind: audit.Key, Key: &register.KeyChange{Owner: keeper, Digest: digestOf("own"), State: register.InUse}})
		require.NoError(t, err)
		acts := actsOf(rand.New(rand.NewPCG(uint64(round), 7)))
		for _, d := range acts[:3] {
			require.NoError(t, d.model(m), d.name)
			_, err := log.Append(t.Context(), d.entry)
			require.NoError(t, err, d.name)
		}
		var mu sync.Mutex
		order := map[int64]act{}
		var wg sync.WaitGroup
		for _, d := range acts[3:] {
			wg.Go(func() {
				proof, err := log.Append(context.Background(), d.entry)
				mu.Lock()
				defer mu.Unlock()
				if err != nil || proof.Again {
					refused++
					return
				}
				taken++
				order[proof.Index] = d
			})
		}
		wg.Wait()
		indices := make([]int64, 0, len(order))
		for index := range order {
			indices = append(indices, index)
		}
		slices.Sort(indices)
		for _, index := range indices {
			require.NoError(t, order[index].model(m), "round %d, entry %d: %s", round, index, order[index].name)
		}
		for day := range 6 {
			for _, source := range sources() {
				word := log.Register().LastWord(register.Thing{
					Pseudonyms: []string{"P under version 1"}, Purpose: "compose", Case: "k", Recipient: "R", Source: identity.OIN(source),
				}, first+civil.Date(day))
				require.Equal(t, m.disclosed("P", "compose", "k", "R", source, day), word.Categories, "round %d, day %d, %s", round, day, source)
			}
		}
		log.Close()
		_, err = audit.Verify(t.Context(), s, audit.Inspection{Tenant: keeper, Keys: audit.Keys{key.Verifier}})
		require.NoError(t, err)
		require.NoError(t, s.Close())
	}
	require.Positive(t, taken)
	require.Positive(t, refused)
	t.Logf("%d taken, %d refused", taken, refused)
}

// actsOf are three consents, and what then happens at once.
func actsOf(random *rand.Rand) []act {
	var all []act
	names := []string{}
	subset := func() []string {
		return slices.DeleteFunc([]string{"a", "b", "c"}, func(string) bool { return random.IntN(3) == 0 })
	}
	put := func(c mConsent, what string, model func(m *model) error) {
		d := register.Document{
			ID: c.ID, Kind: register.Consent, Keys: []string{digestOf("own")}, From: first + civil.Date(c.From), Until: first + civil.Date(c.Until), Replaces: c.Replaces,
			Subjects: []string{"P under version 1"}, Purpose: c.Purpose, Case: c.Case, Recipients: []identity.OIN{"R"}, Narrows: c.Narrows, Digest: sha256.Sum256([]byte(c.ID)),
		}
		for _, source := range sources() {
			if categories, ok := c.Grants[source]; ok {
				d.Grants = append(d.Grants, register.Grant{Source: identity.OIN(source), Categories: categories})
			}
		}
		all = append(all, act{what + " " + c.ID, audit.Entry{Kind: audit.Consent, Put: &audit.Document{Document: d, Body: []byte(c.ID), Openings: []byte("[]")}}, model})
	}
	give := func(grants map[string][]string, from int, replaces string) mConsent {
		c := mConsent{
			ID: fmt.Sprintf("c-%d", len(all)), Person: "P", Purpose: "compose", Case: "k", Recipients: []string{"R"},
			Grants: grants, From: from, Until: from + 9, Replaces: replaces, Key: "own",
		}
		put(c, "give", func(m *model) error { return m.give(c) })
		names = append(names, c.ID)
		return c
	}
	whole := func() map[string][]string { return map[string][]string{"S1": {"a", "b", "c"}, "S2": {"a", "b", "c"}} }
	given := []mConsent{give(whole(), 0, ""), give(whole(), 0, ""), give(whole(), 0, "")}
	for range 6 + random.IntN(6) {
		old := given[random.IntN(len(given))]
		switch random.IntN(4) {
		case 0: // a no, to one source or from a later day
			give(map[string][]string{"S1": {}, "S2": {"a", "b", "c"}}, random.IntN(3), "")
		case 1:
			give(map[string][]string{"S1": subset()}, random.IntN(3), old.ID)
		case 2:
			left, takes := whole(), map[string][]string{"S2": {"b"}}
			if random.IntN(2) == 0 {
				takes = map[string][]string{"S1": {}}
				left["S1"] = []string{}
			} else {
				left["S2"] = []string{"a", "c"}
			}
			n := old
			n.ID, n.Replaces, n.Narrows, n.Grants = fmt.Sprintf("c-%d", len(all)), old.ID, true, left
			put(n, "narrow", func(m *model) error { return m.narrow(old.ID, n.ID, takes, "own") })
		case 3:
			id := names[random.IntN(len(names))]
			all = append(all, act{"withdraw " + id, audit.Entry{Kind: audit.Withdrawal, End: id}, func(m *model) error { return m.withdraw(id) }})
		}
	}
	return all
}
