package main

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// traffic asks without pause, each time over a connection of its own, and counts.
type traffic struct {
	h      *house
	files  sync.RWMutex                  // held while the client's own files are replaced
	tokens atomic.Pointer[signed.Signer] // by whom tokens are signed
	rounds []atomic.Int64                // of each caller
	failed atomic.Pointer[error]
	stop   chan struct{}
	all    sync.WaitGroup
}

func (h *house) traffic(callers int) *traffic {
	t := &traffic{h: h, rounds: make([]atomic.Int64, callers), stop: make(chan struct{})}
	t.tokens.Store(&h.family.Requester().Token)
	for i := range callers {
		t.all.Go(func() {
			for {
				select {
				case <-t.stop:
					return
				default:
				}
				if err := t.once(); err != nil {
					t.failed.CompareAndSwap(nil, &err)
					return
				}
				t.rounds[i].Add(1)
			}
		})
	}
	return t
}

// once asks twice over one connection and verifies both answers.
func (t *traffic) once() error {
	t.files.RLock()
	token, tokenErr := t.mint()
	cl, err := client.Open(filepath.Join(t.h.dir, "client.yaml"), func(context.Context) (string, error) { return token, nil })
	t.files.RUnlock()
	if err := errors.Join(tokenErr, err); err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for range 2 {
		if _, err := cl.AssembleBudget(ctx, requestOf(t.h.family.Case), nil); err != nil {
			return err
		}
	}
	return nil
}

// mint makes a token for the certificate that the client shows now.
func (t *traffic) mint() (string, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(t.h.dir, "client/cert.pem"), filepath.Join(t.h.dir, "client/key.pem"))
	if err != nil {
		return "", err
	}
	return family.MintToken(*t.tokens.Load(), pair.Leaf, t.h.family.CaseCommitment, t.h.family.Case.Purpose, time.Now(), nil)
}

// settle waits until every caller has asked anew since.
func (t *traffic) settle() {
	t.h.t.Helper()
	want := make([]int64, len(t.rounds))
	for i := range want {
		want[i] = t.rounds[i].Load() + 2
	}
	require.Eventually(t.h.t, func() bool {
		for i := range want {
			if t.failed.Load() == nil && t.rounds[i].Load() < want[i] {
				return false
			}
		}
		return true
	}, 60*time.Second, time.Millisecond)
	if err := t.failed.Load(); err != nil {
		require.NoError(t.h.t, *err)
	}
}

func (t *traffic) end() {
	close(t.stop)
	t.all.Wait()
}

// replace writes a file as tools do that renew certificates: whole, by renaming.
func (h *house) replace(name string, content []byte) {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	require.NoError(h.t, os.WriteFile(path+".new", content, 0o600))
	require.NoError(h.t, os.Rename(path+".new", path))
}

// trust changes the trust file; the gateway then takes it over.
func (h *house) trust(change func(*config.Organisation)) {
	h.t.Helper()
	raw, err := os.ReadFile(filepath.Join(h.dir, "trust.yaml"))
	require.NoError(h.t, err)
	var t config.Trust
	require.NoError(h.t, yaml.Unmarshal(raw, &t))
	change(&t.Parties[0])
	raw, err = yaml.Marshal(t)
	require.NoError(h.t, err)
	h.replace("trust.yaml", raw)
	h.takeOver()
}

func (h *house) takeOver() {
	h.t.Helper()
	changed, err := h.server.ReloadKeys(context.Background())
	require.NoError(h.t, err)
	_ = changed // the gateway may have seen it first
	_, err = h.server.Certificates.Reload()
	require.NoError(h.t, err)
}

// Every key and certificate is announced, used and retired while requests are made,
// and not one of them fails.
func TestRotationUnderTraffic(t *testing.T) {
	h := play(t, open(t, "meppel"), options{without: true})
	load := h.traffic(4)
	load.settle()
	f := h.family
	own := f.Requester()

	// The signing key.
	_, private, public, err := family.NewSigningKey(own.OIN, "sign-2")
	require.NoError(t, err)
	h.replace("trust/sign-2.pem", public)
	h.replace("gateway/sign-2.pem", private)
	h.trust(func(p *config.Organisation) {
		p.Keys = append(p.Keys, config.Key{ID: "sign-2", Alg: "ES256", Kinds: family.DocumentKinds(), File: "trust/sign-2.pem"})
	})
	load.settle() // announced: all have pinned it
	raw, err := os.ReadFile(filepath.Join(h.dir, "gateway.yaml"))
	require.NoError(t, err)
	h.replace("gateway.yaml", []byte(strings.Replace(string(raw), "file: gateway/sign.pem\n", "file: gateway/sign.pem\n        - id: sign-2\n          file: gateway/sign-2.pem\n", 1)))
	h.takeOver()
	require.Equal(t, "sign-2", h.server.Ring.Signer().KeyID, "used")
	load.settle()
	h.trust(func(p *config.Organisation) { p.Keys[0].Retired = time.Now().UTC().Format(time.RFC3339) })
	load.settle() // retired: consents it signed before stay good
	b, err := h.ask()
	require.NoError(t, err)
	require.Empty(t, gapOf(b, "A4", "GM0119"), "a consent that the retired key signed")

	// The key of tokens.
	issuer, _, public, err := family.NewSigningKey(own.OIN, "token-2")
	require.NoError(t, err)
	h.replace("trust/token-2.pem", public)
	h.trust(func(p *config.Organisation) {
		p.Keys = append(p.Keys, config.Key{ID: "token-2", Alg: "ES256", Kinds: p.Keys[1].Kinds, File: "trust/token-2.pem"})
	})
	load.settle() // announced
	load.tokens.Store(&issuer)
	load.settle() // used
	h.trust(func(p *config.Organisation) { p.Keys[1].Retired = time.Now().UTC().Format(time.RFC3339) })
	load.settle() // retired
	old := own.Token
	_, err = h.client(func() (string, error) {
		return family.MintToken(old, own.Client.TLS.Leaf, f.CaseCommitment, f.Case.Purpose, time.Now(), nil)
	}).AssembleBudget(t.Context(), requestOf(f.Case), nil)
	_, why, _ := reason(t, err)
	require.Equal(t, "TOKEN_INVALID", why, "a token of the retired key")
	own.Token = issuer

	// The certificates, under the same authority and then under another.
	for range 2 {
		require.NoError(t, f.Renew(own.Code))
		h.showCertificates(load, own)
		load.settle()
		lives := h.client(nil)
		_, err = lives.AssembleBudget(t.Context(), requestOf(f.Case), nil)
		require.NoError(t, err)
		before := f.CAPEM
		require.NoError(t, f.Replace())
		h.replace("ca.pem", append(append([]byte{}, before...), f.CAPEM...))
		h.takeOver()
		load.settle() // announced
		require.NoError(t, f.Renew(own.Code))
		h.showCertificates(load, own)
		load.settle() // used
		h.replace("ca.pem", f.CAPEM)
		h.takeOver()
		load.settle() // retired
		_, err = lives.AssembleBudget(t.Context(), requestOf(f.Case), nil)
		_, why, _ = reason(t, err)
		require.Equal(t, "CERTIFICATE_NOT_TRUSTED", why, "a connection that lives on, under the old authority")
	}

	// What the retired key signs now is refused.
	list, err := h.consents(nil).ListConsents(t.Context(), &ontschotv1.ListConsentsRequest{Identifiers: identifiersOf(f.Case, "A4"), Purpose: f.Case.Purpose})
	require.NoError(t, err)
	w, err := f.Withdrawal(list.GetReceipts()[0].GetId())
	require.NoError(t, err)
	_, err = h.client(nil).Register(t.Context(), w)
	_, why, _ = reason(t, err)
	require.Equal(t, "CONSENT_INVALID", why)

	// Started anew, what the retired key signed is still there and nothing is left out.
	load.end()
	h.server.Close()
	conf, err := config.ReadGateway(filepath.Join(h.dir, "gateway.yaml"))
	require.NoError(t, err)
	conf.Sources = nil
	h.server, err = server.Start(t.Context(), conf, h.stderr)
	require.NoError(t, err)
	require.Empty(t, h.server.Refused)
	b, err = h.ask()
	require.NoError(t, err)
	require.Empty(t, gapOf(b, "A4", "GM0119"))
}

// showCertificates puts new ones in place: the gateway's first by its key, then the
// certificate, between which it keeps the old pair.
func (h *house) showCertificates(load *traffic, p *family.Organisation) {
	load.files.Lock()
	h.replace("client/key.pem", p.Client.KeyPEM)
	h.replace("client/cert.pem", p.Client.CertPEM)
	load.files.Unlock()
	h.replace("gateway/key.pem", p.Server.KeyPEM)
	h.replace("gateway/cert.pem", p.Server.CertPEM)
	h.takeOver()
}
