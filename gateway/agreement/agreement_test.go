package agreement_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/internal/casefile"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/signed"
	"github.com/ontschot/ontschot/internal/testfamily"
)

func family(t testing.TB) (*testfamily.Family, *signed.Verifier) {
	t.Helper()
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := testfamily.New(cf, time.Now())
	require.NoError(t, err)
	keys, err := f.Verifier()
	require.NoError(t, err)
	return f, keys
}

func TestTermsThatCannotBeEnforcedAreRefused(t *testing.T) {
	f, keys := family(t)
	for name, change := range map[string]func(*agreement.Terms){
		"another version":        func(a *agreement.Terms) { a.Version = 2 },
		"no id":                  func(a *agreement.Terms) { a.ID = "" },
		"no such day":            func(a *agreement.Terms) { a.From = "2025-02-29" },
		"ends before it begins":  func(a *agreement.Terms) { a.Until = "2000-01-01" },
		"one party":              func(a *agreement.Terms) { a.Parties = a.Parties[:1] },
		"a party twice":          func(a *agreement.Terms) { a.Parties[1] = a.Parties[0] },
		"a grant to a stranger":  func(a *agreement.Terms) { a.Grants[0].Consumer = f.Parties["SVB"].OIN },
		"a grant of a stranger":  func(a *agreement.Terms) { a.Grants[0].Source = f.Parties["SVB"].OIN },
		"a grant to the grantor": func(a *agreement.Terms) { a.Grants[0].Consumer = a.Grants[0].Source },
	} {
		raw, err := f.Agreement("UWV", change)
		require.NoError(t, err)
		_, err = agreement.Verify(keys, raw)
		require.ErrorIs(t, err, agreement.ErrDocument, name)
	}
}

func TestFindSaysWhatCameClosest(t *testing.T) {
	f, keys := family(t)
	today := f.Case.Today.Date
	make := func(change func(*agreement.Terms)) agreement.Agreement {
		raw, err := f.Agreement("UWV", change)
		require.NoError(t, err)
		a, err := agreement.Verify(keys, raw)
		require.NoError(t, err)
		return a
	}
	good := make(nil)
	expired := make(func(a *agreement.Terms) { a.Until = (today - 1).String() })
	lastDay := make(func(a *agreement.Terms) { a.Until = today.String() })
	other := make(func(a *agreement.Terms) { a.Grants[0].Purposes = []string{"x"} })
	find := func(day civil.Date, all ...agreement.Agreement) (agreement.Covering, error) {
		return agreement.Find(all, f.Requester().OIN, f.Parties["UWV"].OIN, f.Case.Purpose, day)
	}
	_, err := find(today)
	require.ErrorIs(t, err, agreement.ErrNone)
	_, err = find(today, expired)
	require.ErrorIs(t, err, agreement.ErrExpired)
	_, err = find(today, expired, other)
	require.ErrorIs(t, err, agreement.ErrPurpose)
	_, err = find(today, lastDay)
	require.NoError(t, err, "both ends count")
	_, err = find(today+1, lastDay)
	require.ErrorIs(t, err, agreement.ErrExpired)
	c, err := find(today, expired, other, good)
	require.NoError(t, err)
	require.Equal(t, good.ID(), c.Agreement().ID())
	_, err = find(today, agreement.Agreement{})
	require.Error(t, err, "the zero agreement covers nothing")
}

func FuzzVerify(f *testing.F) {
	fam, keys := family(f)
	raw, err := fam.Agreement("UWV", nil)
	require.NoError(f, err)
	f.Add(string(raw))
	f.Add(`{"payload":"","signatures":[]}`)
	f.Fuzz(func(t *testing.T, doc string) {
		if _, err := agreement.Verify(keys, []byte(doc)); err == nil && doc != string(raw) {
			t.Fatal("accepted what was never signed")
		}
	})
}
