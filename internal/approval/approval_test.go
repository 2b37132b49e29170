package approval

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

func digit(n int) string { return strings.Repeat(fmt.Sprint(n), 64) }

func subject() Subject {
	return Subject{Bundle: digit(1), Revision: digit(2), Parent: digit(3), Test: digit(4), Diff: digit(5)}
}

var noon = time.Unix(1_800_000_000, 0)

// people are officers with their keys, by name; each may do all.
func people(t testing.TB, names ...string) (map[string]crypto.Signer, []Officer) {
	keys, all := map[string]crypto.Signer{}, []Officer(nil)
	for _, name := range names {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		keys[name] = key
		all = append(all, Officer{name, Roles(), key.Public()})
	}
	return keys, all
}

// Who must have signed: every way in which three people can.
func TestWhoMustHaveApproved(t *testing.T) {
	keys, officers := people(t, "anna", "bram", "cor")
	sign := func(name, role string, at int) []byte {
		raw, err := Person{name, role, keys[name]}.Sign(subject(), noon.Add(time.Duration(at)*time.Second))
		require.NoError(t, err)
		return raw
	}
	for name, one := range map[string]struct {
		all  [][]byte
		says string // empty: approved
	}{
		"nobody":                             {nil, "there is 0"},
		"one":                                {[][]byte{sign("anna", PrivacyOfficer, 0)}, "there is 1"},
		"one, in two roles":                  {[][]byte{sign("anna", PrivacyOfficer, 0), sign("anna", Author, 1)}, "there is 1"},
		"one, the same twice":                {[][]byte{sign("anna", PrivacyOfficer, 0), sign("anna", PrivacyOfficer, 0)}, "there is 1"},
		"author and privacy officer":         {[][]byte{sign("bram", Author, 0), sign("anna", PrivacyOfficer, 1)}, ""},
		"whoever was first":                  {[][]byte{sign("anna", PrivacyOfficer, 0), sign("bram", Author, 1)}, ""},
		"two authors":                        {[][]byte{sign("bram", Author, 0), sign("anna", Author, 1)}, "not the only author"},
		"the author is the privacy officer":  {[][]byte{sign("anna", Author, 0), sign("anna", PrivacyOfficer, 0), sign("bram", LegalAdviser, 1)}, "not the only author"},
		"one of two authors":                 {[][]byte{sign("anna", Author, 0), sign("anna", PrivacyOfficer, 0), sign("bram", Author, 1)}, ""},
		"nobody says author: the first is":   {[][]byte{sign("bram", LegalAdviser, 1), sign("anna", PrivacyOfficer, 0)}, "not the only author"},
		"nobody says author: another was":    {[][]byte{sign("bram", LegalAdviser, 0), sign("anna", PrivacyOfficer, 1)}, ""},
		"two privacy officers":               {[][]byte{sign("bram", PrivacyOfficer, 0), sign("anna", PrivacyOfficer, 1)}, ""},
		"advisers":                           {[][]byte{sign("bram", LegalAdviser, 0), sign("cor", LegalAdviser, 1)}, "not the only author"},
		"three":                              {[][]byte{sign("bram", Author, 0), sign("cor", LegalAdviser, 1), sign("anna", PrivacyOfficer, 2)}, ""},
		"too many":                           {slicesOf(sign("bram", Author, 0), most+1), "more than"},
		"of a time that has not come":        {[][]byte{sign("bram", Author, 0), sign("anna", PrivacyOfficer, 301)}, "has not come"},
		"of a clock that is ahead, a little": {[][]byte{sign("bram", Author, 0), sign("anna", PrivacyOfficer, 300)}, ""},
	} {
		got, err := Check(officers, subject(), one.all, noon)
		if one.says == "" {
			require.NoError(t, err, name)
			require.Len(t, got, len(one.all), name)
			continue
		}
		require.ErrorIs(t, err, ErrApproval, name)
		require.ErrorContains(t, err, one.says, name)
	}
}

func slicesOf(one []byte, n int) (all [][]byte) {
	for range n {
		all = append(all, one)
	}
	return all
}

// Each part of what is approved counts, and so does each byte of an approval.
func TestWhatIsApproved(t *testing.T) {
	keys, officers := people(t, "anna", "bram")
	with := subject()
	with.Replay = digit(6)
	sign := func(about Subject) [][]byte {
		one, err := Person{"bram", Author, keys["bram"]}.Sign(about, noon)
		require.NoError(t, err)
		other, err := Person{"anna", PrivacyOfficer, keys["anna"]}.Sign(about, noon)
		require.NoError(t, err)
		return [][]byte{one, other}
	}
	good := sign(with)
	_, err := Check(officers, with, good, noon)
	require.NoError(t, err)
	for what, change := range map[string]func(*Subject){
		"bundle": func(s *Subject) { s.Bundle = digit(9) }, "revision": func(s *Subject) { s.Revision = digit(9) }, "parent revision": func(s *Subject) { s.Parent = digit(9) },
		"test report": func(s *Subject) { s.Test = digit(9) }, "diff certificate": func(s *Subject) { s.Diff = digit(9) }, "replay report": func(s *Subject) { s.Replay = "" },
	} {
		other := with
		change(&other)
		_, err := Check(officers, other, good, noon)
		require.ErrorContains(t, err, "approved another "+what)
		if what == "replay report" {
			continue
		}
		other = with
		switch what {
		case "bundle":
			other.Bundle = "x"
		case "revision":
			other.Revision = ""
		case "parent revision":
			other.Parent = strings.Repeat("A", 64)
		case "test report":
			other.Test = ""
		default:
			other.Diff = digit(1)[1:]
		}
		_, err = Person{"anna", PrivacyOfficer, keys["anna"]}.Sign(other, noon)
		require.ErrorIs(t, err, ErrApproval, what)
	}
	for at := range good[0] {
		tampered := bytes.Clone(good[0])
		tampered[at] ^= 1
		_, err := Check(officers, with, [][]byte{tampered, good[1]}, noon)
		require.ErrorIs(t, err, ErrApproval, "byte %d", at)
	}
	says, err := Unverified(good[1])
	require.NoError(t, err)
	require.Equal(t, with, says.Subject())
	require.Equal(t, "anna", says.Name)
}

// Whose key it is, under which name, and as what.
func TestWhoseApprovalCounts(t *testing.T) {
	keys, officers := people(t, "anna", "bram", "eve")
	officers[0].Roles = []string{PrivacyOfficer}
	sign := func(name, role string, key crypto.Signer) []byte {
		raw, err := Person{name, role, key}.Sign(subject(), noon)
		require.NoError(t, err)
		return raw
	}
	for name, one := range map[string]struct {
		raw  []byte
		says string
	}{
		"a stranger":             {sign("eve", PrivacyOfficer, keys["eve"]), "eve is none of the officers"},
		"another's name":         {sign("anna", PrivacyOfficer, keys["eve"]), "not signed with their key"},
		"a role of somebody's":   {sign("anna", Author, keys["anna"]), "anna is no author"},
		"no document":            {[]byte("x"), "malformed"},
		"a document of a kind":   {kindOf(t, signed.Agreement, keys["anna"]), "malformed"},
		"signatures of two keys": {kindOf(t, signed.Approval, keys["anna"], keys["eve"]), ""},
	} {
		_, err := Check(officers[:2], subject(), [][]byte{sign("bram", Author, keys["bram"]), one.raw}, noon)
		require.ErrorIs(t, err, ErrApproval, name)
		require.ErrorContains(t, err, one.says, name)
	}
	for _, name := range []string{"", "a b", "ä", strings.Repeat("a", 65), "a/b"} {
		_, err := Person{name, Author, keys["anna"]}.Sign(subject(), noon)
		require.ErrorIs(t, err, ErrApproval, name)
	}
	_, err := Person{"anna", "mayor", keys["anna"]}.Sign(subject(), noon)
	require.ErrorIs(t, err, ErrApproval)
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	_, err = Person{"anna", Author, other}.Sign(subject(), noon)
	require.ErrorIs(t, err, ErrApproval)
}

// kindOf is what these keys sign in Anna's name, as a document of a kind.
func kindOf(t *testing.T, kind signed.Kind, keys ...crypto.Signer) []byte {
	s := subject()
	var by []signed.Signer
	for _, key := range keys {
		by = append(by, signed.Signer{Issuer: identity.OIN("x"), KeyID: "anna", Alg: "ES256", Key: key})
	}
	raw, err := signed.Together(kind, Claims{Bundle: s.Bundle, Diff: s.Diff, At: noon.Unix(), Name: "anna", Parent: s.Parent, Revision: s.Revision, Role: PrivacyOfficer, Test: s.Test}, by...)
	require.NoError(t, err)
	return raw
}

// Reports are about the bundle, and about the change.
func TestReportsFit(t *testing.T) {
	text := func(contract, revision, parent string, passed bool) []byte {
		return fmt.Appendf(nil, `{"contract":%q,"revision":%q,"parent":%q,"passed":%t,"more":[]}`, contract, revision, parent, passed)
	}
	good := Reports{Test: text(ContractTest, digit(2), "", true), Diff: text(ContractDiff, digit(2), digit(3), false)}
	s, err := good.About(digit(1), digit(2), digit(3))
	require.NoError(t, err)
	require.Empty(t, s.Replay)
	require.Equal(t, sum(good.Test), s.Test)
	parent, err := good.Parent()
	require.NoError(t, err)
	require.Equal(t, digit(3), parent)
	with := good
	with.Replay = text(ContractReplay, digit(2), digit(3), false)
	s, err = with.About(digit(1), digit(2), digit(3))
	require.NoError(t, err)
	require.Equal(t, sum(with.Replay), s.Replay)
	for says, r := range map[string]Reports{
		"the test report is none of":          {Diff: good.Diff},
		"the diff report is none of":          {Test: good.Test},
		"the replay report is none of":        {good.Test, good.Diff, []byte("x")},
		"the test report is of revision":      {text(ContractTest, digit(3), "", true), good.Diff, nil},
		"the diff report is of revision":      {good.Test, text(ContractDiff, digit(3), digit(3), true), nil},
		"the replay report is of revision":    {good.Test, good.Diff, text(ContractReplay, digit(3), digit(3), true)},
		"a case fails":                        {text(ContractTest, digit(2), "", false), good.Diff, nil},
		"the diff report compares with":       {good.Test, text(ContractDiff, digit(2), digit(2), true), nil},
		"the replay report compares with":     {good.Test, good.Diff, text(ContractReplay, digit(2), digit(2), true)},
		"make one with: ontschot policy test": {good.Diff, good.Diff, nil},
	} {
		_, err := r.About(digit(1), digit(2), digit(3))
		require.ErrorIs(t, err, ErrApproval, says)
		require.ErrorContains(t, err, says)
	}
}

// Whatever comes is refused, or is what somebody signed.
func FuzzCheck(f *testing.F) {
	keys, officers := people(f, "anna", "bram")
	one, err := Person{"bram", Author, keys["bram"]}.Sign(subject(), noon)
	require.NoError(f, err)
	other, err := Person{"anna", PrivacyOfficer, keys["anna"]}.Sign(subject(), noon)
	require.NoError(f, err)
	f.Add(string(one))
	f.Add(string(other))
	f.Add("")
	f.Fuzz(func(t *testing.T, raw string) {
		if _, err := Check(officers, subject(), [][]byte{one, []byte(raw)}, noon); err != nil {
			require.ErrorIs(t, err, ErrApproval)
			return
		}
		says, err := Unverified([]byte(raw))
		require.NoError(t, err)
		require.Equal(t, "anna", says.Name)
	})
}
