package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/policy/replay"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
)

// replayed runs "policy replay" over the log of a house.
func (h *house) replayed(dir string, args ...string) (code int, r replay.Report, out string) {
	h.t.Helper()
	report := filepath.Join(h.t.TempDir(), "replay.json")
	args = append([]string{"policy", "replay", "--config", filepath.Join(h.dir, "gateway.yaml"), "--dir", dir, "--out", report}, args...)
	code, out, errs := cli(h.t, args...)
	raw, err := os.ReadFile(report)
	require.NoError(h.t, err, errs)
	require.NoError(h.t, json.Unmarshal(raw, &r))
	return code, r, out
}

// candidate is a folder of policies with something replaced in the table of composing.
func candidate(t *testing.T, old, now string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "policies")
	require.NoError(t, writePolicies(dir))
	table := filepath.Join(dir, "rules", "matrix", "integral_budget.compose", "data.yaml")
	raw, err := os.ReadFile(table)
	require.NoError(t, err)
	require.Contains(t, string(raw), old)
	require.NoError(t, os.WriteFile(table, bytes.ReplaceAll(raw, []byte(old), []byte(now)), 0o600))
	return dir
}

// What was asked before is decided again: by the rules of that time as the log says, also what
// was withdrawn, denied or is without an adapter; and by a candidate otherwise, where it is
// otherwise.
func TestThePastIsDecidedAgain(t *testing.T) {
	f := open(t, "meppel")
	documents, ids := withIDs(t, f)
	h := play(t, f, options{documents: documents})
	_, err := h.ask()
	require.NoError(t, err)
	w, err := f.Withdrawal(ids[0])
	require.NoError(t, err)
	_, err = h.client(nil).Register(t.Context(), w)
	require.NoError(t, err)
	for range 2 {
		_, err = h.ask()
		require.NoError(t, err)
	}
	code, same, out := h.replayed(candidate(t, "# Doel:", "# Het doel:"), "--since", "2000-01-01")
	require.Equal(t, exitDone, code, out)
	require.Equal(t, 3, same.Decisions)
	require.Positive(t, same.Pairs)
	require.Equal(t, same.Pairs, same.Reproduced, "%v", same)
	require.Equal(t, same.Pairs, same.Same)
	require.Empty(t, same.Changes)
	require.NotEqual(t, same.Parent, same.Revision)

	code, less, out := h.replayed(candidate(t, "fields: {entitlement: none, product: group, period: none, quantity: none, amount: none", "fields: {entitlement: none, product: group, period: none, quantity: none"), "--since", "2000-01-01", "--lang", "en")
	require.Equal(t, exitDone, code, out)
	require.Equal(t, same.Pairs, less.Reproduced)
	require.NotEmpty(t, less.Changes)
	changed := 0
	for _, c := range less.Changes {
		require.Equal(t, replay.Fewer, c.Kind)
		require.Equal(t, []string{"WLZ amount"}, c.Fields)
		require.Contains(t, c.Codes, "VELD-01")
		changed += c.Pairs
	}
	require.Equal(t, less.Pairs, less.Same+changed)
	require.Contains(t, out, "fewer fields")

	_, none, _ := h.replayed(candidate(t, "roles: [consulent, regisseur]", "roles: [regisseur]"), "--since", "2000-01-01")
	kinds := map[string]int{}
	for _, c := range none.Changes {
		kinds[c.Kind] += c.Pairs
	}
	require.Positive(t, kinds[replay.NewlyDenied])
	require.Zero(t, kinds[replay.NewlyAllowed])

	_, later, _ := h.replayed(candidate(t, "# Doel:", "# Het doel:"), "--since", "2099-01-01")
	require.Zero(t, later.Decisions)
}

// Rules that were in force are kept, whatever the configuration says by now; without them
// nothing is compared.
func TestTheRulesOfThatTimeAreKept(t *testing.T) {
	f := open(t, "meppel")
	other := candidate(t, "roles: [consulent, regisseur]", "roles: [consulent]")
	h := play(t, f, options{change: func(c *config.Gateway) { c.Policies = other }})
	_, err := h.ask()
	require.NoError(t, err)
	code, r, out := h.replayed(candidate(t, "# Doel:", "# Het doel:"), "--since", "2000-01-01")
	require.Equal(t, exitDone, code, out)
	require.Positive(t, r.Pairs)
	require.Equal(t, r.Pairs, r.Reproduced)
	require.NoError(t, os.RemoveAll(filepath.Join(h.dir, "data", server.PolicyFolder)))
	code, _, errs := cli(t, "policy", "replay", "--config", filepath.Join(h.dir, "gateway.yaml"), "--dir", candidate(t, "# Doel:", "# Het doel:"))
	require.Equal(t, exitNo, code)
	require.Contains(t, errs, "in force by the log")
}

// What an erasure destroyed is told with its days and its entries, at most twenty of them.
func TestWhatWasDestroyedIsTold(t *testing.T) {
	for lang, says := range map[string][]string{
		"nl": {"Gewist, en nooit meer na te gaan: 3\nDat waren beslissingen van 2 januari 2026 tot en met 4 maart 2026.", "Regels van het logboek: 7 9 ...\n"},
		"en": {"Erased, and never to be checked again: 3\nThose were decisions of 2 January 2026 up to and including 4 March 2026.", "Entries of the log: 7 9 ...\n"},
	} {
		var out bytes.Buffer
		p, err := (&output{lang: lang}).newPage(&out, nil)
		require.NoError(t, err)
		p.replayed(replay.Report{
			Since: "2026-01-01", Skipped: map[string]int{replay.Erased: 3, replay.NoPairs: 1},
			Erased: replay.Destroyed{Decisions: 3, From: "2026-01-02", Until: "2026-03-04", Entries: []int64{7, 9}},
		})
		for _, text := range says {
			require.Contains(t, out.String(), text)
		}
	}
}
