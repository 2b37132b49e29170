package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// retrust changes the keys of a party in the trust file.
func retrust(t *testing.T, conf *config.Gateway, code string, change func([]config.Key) []config.Key) {
	t.Helper()
	path := conf.Path(conf.Trust)
	trust, err := config.ReadTrust(path)
	require.NoError(t, err)
	at := slices.IndexFunc(trust.Parties, func(p config.Organisation) bool { return p.Code == code })
	trust.Parties[at].Keys = change(trust.Parties[at].Keys)
	raw, err := yaml.Marshal(trust)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, raw, 0o600))
}

// retired retires the key of an id since an hour.
func retired(id string) func([]config.Key) []config.Key {
	return func(keys []config.Key) []config.Key {
		for i := range keys {
			if keys[i].ID == id {
				keys[i].Retired = time.Now().Add(-time.Hour).Format(time.RFC3339)
			}
		}
		return keys
	}
}

// restart ends the gateway and starts it again.
func (s *siege) restart(t *testing.T, change func(*config.Gateway)) error {
	t.Helper()
	s.server.Close()
	conf, err := s.server.Conf.Again()
	require.NoError(t, err)
	conf.Sources = nil
	if change != nil {
		change(conf)
	}
	again, err := server.Start(t.Context(), conf, s.stderr)
	if err == nil {
		s.server, s.lines = again, map[string]*line{}
	}
	return err
}

// put writes a document into the documents folder.
func (s *siege) put(t *testing.T, name string, r *ontschotv1.RegisterRequest) string {
	t.Helper()
	raw, err := protojson.Marshal(r)
	require.NoError(t, err)
	path := filepath.Join(s.server.Conf.Path(s.server.Conf.Documents), name)
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	return path
}

// A key that is retired signs nothing new; what was taken in before stays good, and
// a gateway whose folder holds it starts as before.
func TestARetiredKeySignsNothingNewAtAnyDoor(t *testing.T) {
	s := besiege(t)
	f := s.family
	early, err := f.Withdrawal(s.consents[1]) // of another member than A1
	require.NoError(t, err)
	s.put(t, "zz-early.json", early)
	require.NoError(t, s.restart(t, nil))
	ended := s.gaps(t)
	require.Equal(t, "NO_ADAPTER", ended["A1/UWV"])
	require.Contains(t, ended, string(f.Case.Consents[1].Person)+"/"+f.Case.Consents[1].Sources[0])

	// The other party's key.
	retrust(t, s.server.Conf, "UWV", retired("sign-1"))
	require.NoError(t, s.restart(t, nil))
	require.Empty(t, s.server.Refused, "the audit log holds them already")
	require.Equal(t, ended, s.gaps(t))
	before := s.entries()
	for kind, want := range map[string]string{"agreement": "AGREEMENT_INVALID", "proposal": "AGREEMENT_INVALID", "reject": "STATEMENT_INVALID", "revoke": "STATEMENT_INVALID"} {
		for _, door := range s.doors() {
			if slices.Contains(door.kinds, kind) {
				_, why, _ := reason(t, door.present(s.good(t, kind)))
				require.Equal(t, want, why, kind)
			}
		}
	}
	require.Equal(t, before, s.entries())

	// Our own key, after another took its place.
	signed, err := s.trusted().AssembleBudget(t.Context(), requestOf(f.Case), nil)
	require.NoError(t, err)
	s.rotate(t)
	require.NoError(t, s.restart(t, s.withSecond))
	require.Equal(t, ended, s.gaps(t), "what it signed stays good")
	for kind, want := range map[string]string{"consent": "CONSENT_INVALID", "withdrawal": "CONSENT_INVALID", "delegation": "DELEGATION_INVALID"} {
		_, err := s.trusted().Register(t.Context(), s.good(t, kind).request())
		_, why, _ := reason(t, err)
		require.Equal(t, want, why, kind)
	}
	_, err = s.trusted().View(t.Context(), &ontschotv1.ViewRequest{Budget: signed, Person: "A1"})
	require.NoError(t, err, "a budget that it signed is taken back")

	// A withdrawal that came too late for its key stops the start, as all that would
	// narrow does; a delegation does not.
	delegation := s.put(t, "zz-delegation.json", s.good(t, "delegation").request())
	require.NoError(t, s.restart(t, s.withSecond))
	require.Contains(t, s.server.String(), filepath.Base(delegation)+": delegation invalid")
	s.put(t, "zz-late.json", s.good(t, "withdrawal").request())
	require.ErrorContains(t, s.restart(t, s.withSecond), "zz-late.json: a document that ends another was refused")
}

// rotate retires the requester's signing key and pins a second.
func (s *siege) rotate(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{"gateway/sign-2.pem": {Type: "PRIVATE KEY", Bytes: private}, "trust/GM0119-sign-2.pem": {Type: "PUBLIC KEY", Bytes: public}} {
		require.NoError(t, os.WriteFile(s.server.Conf.Path(name), pem.EncodeToMemory(block), 0o600))
	}
	retrust(t, s.server.Conf, "GM0119", func(keys []config.Key) []config.Key {
		kinds := []signed.Kind{signed.Consent, signed.Agreement, signed.Statement, signed.Result}
		return append(retired("sign-1")(keys), config.Key{ID: "sign-2", Alg: "ES256", Kinds: kinds, File: "trust/GM0119-sign-2.pem"})
	})
}

// withSecond has the second key sign.
func (s *siege) withSecond(conf *config.Gateway) {
	conf.Keys.Signing = append(conf.Keys.Signing, config.SigningKey{ID: "sign-2", File: "gateway/sign-2.pem"})
}

// gaps of an honest request, each with its reason.
func (s *siege) gaps(t *testing.T) map[string]string {
	t.Helper()
	b, err := s.trusted().AssembleBudget(t.Context(), requestOf(s.family.Case), nil)
	require.NoError(t, err)
	all := map[string]string{}
	for _, g := range b.GetGaps() {
		all[g.GetPerson()+"/"+g.GetSource()] = g.GetReason()
	}
	return all
}
