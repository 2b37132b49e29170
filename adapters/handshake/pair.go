package handshake

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"strings"
	"time"
)

// A host and one run of its adapter know each other by a pair: a certificate with its key
// that the host makes for that run and hands down the lifeline, which nobody else can read.
// Both show it and take no other. go-plugin's own way (AutoMTLS) makes two keys on P-521,
// which costs more than all else that an adapter does to start.

// pairName is the name in the certificate of a pair; there is no other.
const pairName = "localhost"

// longestPair bounds what is read of the lifeline, in bytes: the pair, in base64.
const longestPair = 4096

// ErrPair means that what was shown or said is not of this run.
var ErrPair = errors.New("not the certificate of this run")

// NewPair makes a pair for one run: the host's own side of it, and what the adapter must
// read on its lifeline.
func NewPair() (*tls.Config, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{pairName},
		NotBefore: now.Add(-time.Minute), NotAfter: now.AddDate(30, 0, 0), // ends with the process
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	text := base64.StdEncoding.EncodeToString
	side, err := sideOf(der, key)
	return side, []byte(text(der) + " " + text(private) + "\n"), err
}

// ReadPair reads from a lifeline what NewPair wrote, and gives the adapter's side of it.
// The error is ErrPair.
func ReadPair(lifeline io.Reader) (*tls.Config, error) {
	line, err := bufio.NewReader(io.LimitReader(lifeline, longestPair)).ReadString('\n')
	if err != nil {
		return nil, ErrPair
	}
	certificate, private, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	der, err := base64.StdEncoding.DecodeString(certificate)
	if err != nil {
		return nil, ErrPair
	}
	raw, err := base64.StdEncoding.DecodeString(private)
	if err != nil {
		return nil, ErrPair
	}
	key, err := x509.ParsePKCS8PrivateKey(raw)
	if err != nil {
		return nil, ErrPair
	}
	return sideOf(der, key)
}

// sideOf is the same for both sides: each shows the certificate, and wants to be shown it.
func sideOf(der []byte, key any) (*tls.Config, error) {
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, ErrPair
	}
	only := x509.NewCertPool()
	only.AddCert(leaf)
	shown := func(s tls.ConnectionState) error { // also when go-plugin was told to trust another
		if len(s.PeerCertificates) == 0 || !s.PeerCertificates[0].Equal(leaf) {
			return ErrPair
		}
		return nil
	}
	return &tls.Config{
		VerifyConnection: shown,
		MinVersion:       tls.VersionTLS13, ServerName: pairName, RootCAs: only, ClientCAs: only, ClientAuth: tls.RequireAndVerifyClientCert,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}},
	}, nil
}
