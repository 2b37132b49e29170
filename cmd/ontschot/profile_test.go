package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// A care profile tells a group of diagnoses. It stands in the registers of the care office
// and nowhere else: not in the budget or what is made of it, on no page, in no log and in
// no file of the gateway.
func TestTheProfileIsNowhere(t *testing.T) {
	const profile = "XYZZY" // as no other code, hash or number reads
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	registers := bytes.ReplaceAll(cf.Records["ZK5503"]["iwlz"], []byte(`"830"`), []byte(`"`+profile+`"`))
	require.Equal(t, 2, bytes.Count(registers, []byte(profile)))
	cf.Records["ZK5503"]["iwlz"] = bytes.Replace(registers, []byte(`"bemiddelingspecificaties": [`), []byte(`"bemiddelingspecificaties": [
		{"bsn": "999940041", "leveringsvorm": "7", "zzpCode": "`+profile+`2", "toewijzingIngangsdatum": "2025-02-01", "toewijzingEinddatum": "2025-03-31"},`), 1)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	h := play(t, f, options{})
	b, err := h.ask()
	require.NoError(t, err)
	for _, id := range []string{"A4/WLZ/99/2025-01-01", "A4/WLZ/99/2025-02-01"} {
		require.True(t, holds(b, id), id)
	}

	c := h.client(nil)
	made := []proto.Message{b}
	keep := func(m proto.Message, err error) {
		t.Helper()
		require.NoError(t, err)
		made = append(made, m)
	}
	p := new(budgetv1.Plan)
	require.NoError(t, protojson.Unmarshal(cf.Plan, p))
	view, err := c.View(t.Context(), &ontschotv1.ViewRequest{Budget: b, Person: "A4"})
	keep(view, err)
	check, err := c.CheckPlan(t.Context(), &ontschotv1.CheckPlanRequest{Budget: b, Plan: p})
	keep(check, err)
	accounts, err := c.Account(t.Context(), &ontschotv1.AccountRequest{Budget: b, Plan: p})
	require.NoError(t, err)
	for _, one := range accounts.GetAccounts() {
		keep(one, nil)
	}
	dissolution, err := c.Dissolve(t.Context(), &ontschotv1.DissolveRequest{Budget: b, Date: "2025-07-01"})
	keep(dissolution, err)
	for _, m := range made {
		require.NotContains(t, protojson.Format(m), profile, "%T", m)
	}
	for _, lang := range []string{"nl", "en"} {
		var page bytes.Buffer
		o := &output{lang: lang, codes: true}
		require.NoError(t, o.printBudget(&page, cf, b))
		require.NoError(t, o.printBudget(&page, cf, view))
		require.NotContains(t, page.String(), profile, lang)
		require.Contains(t, page.String(), "99")
	}
	require.NotContains(t, h.stderr.String(), profile)
	require.NoError(t, filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		require.NotContains(t, string(raw), profile, path)
		return err
	}))
}

func holds(b *budgetv1.Budget, id string) bool {
	for _, l := range b.GetLines() {
		if l.GetId() == id {
			return true
		}
	}
	return false
}
