package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Sums lists the SHA-256 of every file as sha256sum writes it; Signature is over its bytes, as
// openssl dgst reads it (ECDSA, DER); Public is the public half of the key, for those who have
// not got it another way yet.
const (
	Sums      = "SHA256SUMS"
	Signature = "SHA256SUMS.sig"
	Public    = "release.pub.pem"
)

func readKey(path string) (*ecdsa.PrivateKey, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	signer, ok := key.(*ecdsa.PrivateKey)
	if err != nil || !ok || signer.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%s: no private key, PKCS#8, P-256", path)
	}
	return signer, nil
}

// seal sums up a folder and signs that.
func seal(dir string, key *ecdsa.PrivateKey) error {
	files, err := os.ReadDir(dir) // in the order of their names
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(raw), f.Name())
	}
	digest := sha256.Sum256([]byte(sums.String()))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	return errors.Join(err,
		os.WriteFile(filepath.Join(dir, Sums), []byte(sums.String()), 0o644),
		os.WriteFile(filepath.Join(dir, Signature), signature, 0o644),
		os.WriteFile(filepath.Join(dir, Public), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o644))
}
