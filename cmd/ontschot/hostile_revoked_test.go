package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/server"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// crl is a revocation list of an authority, with the certificates on it.
func (i issued) crl(t *testing.T, number int64, lasts time.Duration, revoked ...issued) []byte {
	t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(lasts)}
	for _, r := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: r.cert.SerialNumber, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, i.cert, i.key)
	require.NoError(t, err)
	return der
}

// files of a certificate, as a party's configuration names them.
func (i issued) files(t *testing.T, ca []byte) certificate.Files {
	t.Helper()
	dir := t.TempDir()
	f := certificate.Files{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), CA: filepath.Join(dir, "ca.pem")}
	key, err := x509.MarshalPKCS8PrivateKey(i.key)
	require.NoError(t, err)
	for path, content := range map[string][]byte{
		f.Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw}),
		f.Key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		f.CA:          ca,
	} {
		require.NoError(t, os.WriteFile(path, content, 0o600))
	}
	return f
}

// A caller keeps its connection, and its peer keeps the one to us. A certificate that is
// revoked meanwhile is worth nothing at the next call, either way; renewing heals it, and
// nothing is started anew.
func TestRevokedWhileConnectionsAreOpen(t *testing.T) {
	root := issue(t, nil, with(issuing("root"), func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCRLSign }))
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.cert.Raw})
	f := open(t, "meppel")
	own := f.Requester().OIN
	both := func(c *x509.Certificate) {
		c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	caller, gateway, peer := issue(t, &root, leafOf(own)), issue(t, &root, with(leafOf(own), both)), issue(t, &root, with(leafOf(f.Parties["UWV"].OIN), both))
	ours, theirs := filepath.Join(t.TempDir(), "ours.crl"), filepath.Join(t.TempDir(), "theirs.crl")
	require.NoError(t, os.WriteFile(ours, root.crl(t, 1, time.Hour), 0o600))
	require.NoError(t, os.WriteFile(theirs, root.crl(t, 1, time.Hour), 0o600))
	shows := gateway.files(t, ca)
	h := play(t, f, options{without: true, change: func(conf *config.Gateway) {
		conf.TLS = config.TLS{Certificate: shows.Certificate, Key: shows.Key, CA: shows.CA, CRLs: []string{ours}}
	}})
	publish := func(list string, holder *certificate.Holder, content []byte) {
		require.NoError(t, os.WriteFile(list+".new", content, 0o600))
		require.NoError(t, os.Rename(list+".new", list))
		require.NoError(t, holder.Refresh(t.Context()))
	}

	pool := x509.NewCertPool()
	pool.AddCert(root.cert)
	kept, err := grpc.NewClient(h.server.Addr.String(), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool, Certificates: []tls.Certificate{caller.tls()}})))
	require.NoError(t, err)
	defer kept.Close()
	ask := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		token, err := family.MintToken(f.Requester().Token, caller.cert, f.CaseCommitment, f.Case.Purpose, time.Now(), nil)
		require.NoError(t, err)
		stream, err := ontschotv1.NewExchangeServiceClient(kept).AssembleBudget(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token), requestOf(f.Case))
		for err == nil {
			var event *ontschotv1.AssembleBudgetResponse
			if event, err = stream.Recv(); event.GetBudget() != nil {
				return nil
			}
		}
		return err
	}
	refused := func(when string) {
		t.Helper()
		_, why, _ := reason(t, ask())
		require.Equal(t, "CERTIFICATE_NOT_TRUSTED", why, when)
	}
	require.NoError(t, ask())
	publish(ours, h.server.Certificates, root.crl(t, 2, time.Hour, caller))
	refused("revoked")
	publish(ours, h.server.Certificates, root.crl(t, 3, time.Hour))
	require.NoError(t, ask(), "no longer on hold")
	publish(ours, h.server.Certificates, root.crl(t, 4, 300*time.Millisecond))
	require.Eventually(t, func() bool { return ask() != nil }, 20*time.Second, 50*time.Millisecond)
	refused("the list has ended")
	publish(ours, h.server.Certificates, root.crl(t, 5, time.Hour))
	require.NoError(t, ask(), "renewed")

	// The other way: a peer that keeps its connection to our gateway.
	holder, err := certificate.Open(peer.files(t, ca), f.Parties["UWV"].OIN, certificate.Rules{Lists: []string{theirs}})
	require.NoError(t, err)
	to, err := server.NewPeer(h.server.Addr.String(), holder, own)
	require.NoError(t, err)
	defer to.Close()
	proposal, err := f.Agreement("UWV", nil, f.Parties["UWV"].Sign)
	require.NoError(t, err)
	deliver := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := to.Deliver(ctx, &ontschotv1.DeliverRequest{Document: proposal})
		return err
	}
	require.NoError(t, deliver())
	publish(theirs, holder, root.crl(t, 2, time.Hour, gateway))
	for range 2 { // on the connection it has, and on attempts at another
		require.Contains(t, []codes.Code{codes.Unavailable, codes.DeadlineExceeded}, status.Code(deliver()))
	}
	next := issue(t, &root, with(leafOf(own), both)).files(t, ca)
	for from, path := range map[string]string{next.Certificate: shows.Certificate, next.Key: shows.Key} {
		require.NoError(t, os.Rename(from, path))
	}
	require.Eventually(t, func() bool { return deliver() == nil }, 20*time.Second, 100*time.Millisecond, "the gateway has another certificate, which it takes over by itself")
}
