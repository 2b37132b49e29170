package directory

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// Draft is directory.yaml: a directory as its operator writes it. Paths are relative to the file.
type Draft struct {
	Operator identity.OIN   `yaml:"operator"`
	Version  int64          `yaml:"version"`
	Parties  []DraftListing `yaml:"parties"`
}

// DraftListing is one organisation; its members are those of the trust file.
type DraftListing struct {
	Code    string       `yaml:"code"`
	OIN     identity.OIN `yaml:"oin"`
	Kind    string       `yaml:"kind"`
	Name    string       `yaml:"name"`
	Laws    []string     `yaml:"laws,omitempty"`
	Gateway string       `yaml:"gateway,omitempty"`
	CA      string       `yaml:"ca,omitempty"`
	LogKeys []string     `yaml:"log_keys,omitempty"`
	Keys    []DraftKey   `yaml:"keys,omitempty"`
}

// DraftKey is one public key; Vouched is a file with the party's own word about it.
type DraftKey struct {
	ID      string        `yaml:"id"`
	Alg     string        `yaml:"alg"`
	Kinds   []signed.Kind `yaml:"kinds"`
	File    string        `yaml:"file"`
	From    string        `yaml:"from,omitempty"`
	Retired string        `yaml:"retired,omitempty"`
	Lost    bool          `yaml:"lost,omitempty"`
	Vouched string        `yaml:"vouched,omitempty"`
}

// ReadDraft reads directory.yaml with the files that it names. Errors: config.ErrConfig.
func ReadDraft(path string, now time.Time) (Claims, error) {
	var d Draft
	if err := config.ReadYAML(path, &d); err != nil {
		return Claims{}, err
	}
	c := Claims{IssuedAt: now.Unix(), Issuer: d.Operator, Parties: []Listing{}, Version: d.Version}
	text := func(name string) (string, error) {
		if name == "" {
			return "", nil
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		raw, err := config.ReadFile(name)
		return string(raw), err
	}
	for _, p := range d.Parties {
		one := Listing{Code: p.Code, Gateway: p.Gateway, Keys: []Key{}, Kind: p.Kind, Laws: append([]string{}, p.Laws...), LogKeys: append([]string{}, p.LogKeys...), Name: p.Name, OIN: p.OIN}
		var err error
		if one.CA, err = text(p.CA); err != nil {
			return Claims{}, err
		}
		for _, k := range p.Keys {
			key := Key{Alg: k.Alg, From: k.From, ID: k.ID, Kinds: k.Kinds, Lost: k.Lost, Retired: k.Retired}
			if key.PEM, err = text(k.File); err != nil {
				return Claims{}, err
			}
			if key.Vouched, err = text(k.Vouched); err != nil {
				return Claims{}, err
			}
			key.Vouched = strings.TrimSpace(key.Vouched)
			one.Keys = append(one.Keys, key)
		}
		c.Parties = append(c.Parties, one)
	}
	return c, nil
}

// Sign signs a directory that every gateway would take. Errors: ErrDirectory.
func Sign(c Claims, by signed.Signer, now time.Time) ([]byte, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	c.ID = id.String()
	raw, err := by.Compact(signed.Directory, c)
	if err != nil {
		return nil, err
	}
	_, err = Verify(raw, Operator{c.Issuer, []signed.Key{{ID: by.KeyID, Alg: by.Alg, Public: by.Key.Public(), Kinds: []signed.Kind{signed.Directory}}}}, now)
	return raw, err
}

// AlgOf is the algorithm that a public key signs by.
func AlgOf(public crypto.PublicKey) (string, error) {
	switch public.(type) {
	case *ecdsa.PublicKey:
		return "ES256", nil
	case ed25519.PublicKey:
		return "EdDSA", nil
	}
	return "", fmt.Errorf("%w: a key of P-256 or Ed25519 is needed", ErrDirectory)
}

// ReadOperatorKey reads the public key of a directory's operator. Errors: config.ErrConfig, ErrDirectory.
func ReadOperatorKey(id, path string) (signed.Key, error) {
	public, err := config.PublicKey(path)
	if err != nil {
		return signed.Key{}, err
	}
	alg, err := AlgOf(public)
	return signed.Key{ID: id, Alg: alg, Public: public, Kinds: []signed.Kind{signed.Directory}}, err
}
