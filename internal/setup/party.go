package setup

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// Party is party.yaml: an organisation's entry in a trust file, whole in one file, for others to
// add to theirs. It proves nothing: who adds it compares the fingerprint.
type Party struct {
	Code    string       `yaml:"code"`
	OIN     identity.OIN `yaml:"oin"`
	Kind    string       `yaml:"kind"`
	Name    string       `yaml:"name"`
	Laws    []string     `yaml:"laws"`
	Gateway string       `yaml:"gateway,omitempty"`
	LogKeys []string     `yaml:"log_keys,omitempty"`
	Keys    []PartyKey   `yaml:"keys"`
}

// PartyKey is one public key in it.
type PartyKey struct {
	ID    string        `yaml:"id"`
	Alg   string        `yaml:"alg"`
	Kinds []signed.Kind `yaml:"kinds"`
	PEM   string        `yaml:"pem"`
}

// ErrKnown means that a trust file has an entry of that code or OIN.
var ErrKnown = errors.New("the trust file has an entry of this code or OIN")

// plain is the form of what becomes part of the name of a file.
var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// ReadParty reads party.yaml and checks all of it. Errors: config.ErrConfig.
func ReadParty(path string) (Party, error) {
	var p Party
	if err := config.ReadYAML(path, &p); err != nil {
		return p, err
	}
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s: %s", config.ErrConfig, path, fmt.Sprintf(format, args...))
	}
	if !plain.MatchString(p.Code) || len(p.Keys) == 0 || len(p.Keys) > 16 || len(p.LogKeys) > 16 || !oneLine(p.Name) || !oneLine(p.Gateway) {
		return p, wrong("it is no entry of an organisation: code, name, and one to 16 keys are needed")
	}
	seen := map[string]bool{}
	for i, k := range p.Keys {
		public, err := config.ParsePublic([]byte(k.PEM), fmt.Sprintf("keys[%d].pem", i))
		if err != nil {
			return p, wrong("keys[%d].pem is no public key", i)
		}
		if !plain.MatchString(k.ID) || seen[k.ID] {
			return p, wrong("keys[%d].id: letters, digits, _ and -, and each once", i)
		}
		seen[k.ID] = true
		if err := (signed.Key{ID: k.ID, Alg: k.Alg, Public: public, Kinds: k.Kinds}).Fits(); err != nil {
			return p, wrong("keys[%d]: %s", i, err)
		}
	}
	return p, nil
}

// file is how it is sent.
func (p Party) file() ([]byte, error) {
	raw, err := yaml.Marshal(p)
	return append([]byte(`# The entry of this organisation in the trust files of others: nothing in it is secret. Send it to those
# who are to deal with you. They add it with ontschot trust add, after they have compared the
# fingerprint with you by another way, such as a telephone number that they knew: ontschot trust show
`), raw...), err
}

// Digest is the SHA-256 of a public key, hexadecimal.
func (k PartyKey) Digest() string {
	public, err := config.ParsePublic([]byte(k.PEM), k.ID)
	if err != nil {
		return ""
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// Fingerprint is over everything in the entry, however it was written down: eight groups of four
// hexadecimal digits, 128 bits of a SHA-256.
func (p Party) Fingerprint() string {
	keys := make([][3]any, 0, len(p.Keys))
	for _, k := range p.Keys {
		keys = append(keys, [3]any{k.ID, k.Alg, append([]signed.Kind{signed.Kind(k.Digest())}, k.Kinds...)})
	}
	raw, _ := json.Marshal([]any{p.Code, p.OIN, p.Kind, p.Name, p.Laws, p.Gateway, p.LogKeys, keys}) // plain values
	sum := sha256.Sum256(raw)
	text := hex.EncodeToString(sum[:16])
	var groups []string
	for i := 0; i < len(text); i += 4 {
		groups = append(groups, text[i:i+4])
	}
	return strings.Join(groups, "-")
}

// Add puts the entry into a trust file, with its keys as files beside it in trust/. All of it is
// checked before any of it counts; what stands in the file, comments too, stays. Errors:
// config.ErrConfig, ErrKnown.
func Add(path string, p Party) error {
	trust, err := config.ReadTrust(path)
	if err != nil {
		return err
	}
	for _, known := range trust.Parties {
		if known.Code == p.Code || known.OIN == p.OIN {
			return fmt.Errorf("%w: %s, %s", ErrKnown, known.Code, path)
		}
	}
	entry := config.Organisation{Code: p.Code, OIN: p.OIN, Kind: p.Kind, Name: p.Name, Laws: p.Laws, LogKeys: p.LogKeys, Gateway: p.Gateway}
	dir := filepath.Join(filepath.Dir(path), "trust")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, k := range p.Keys {
		name := p.Code + "-" + k.ID + ".pem"
		if err := public(filepath.Join(dir, name), []byte(k.PEM)); err != nil {
			return err
		}
		entry.Keys = append(entry.Keys, config.Key{ID: k.ID, Alg: k.Alg, Kinds: k.Kinds, File: "trust/" + name})
	}
	raw, err := with(path, entry)
	if err != nil {
		return err
	}
	return replace(path, raw)
}

// public writes the file of a public key. One that is there with another key is not written over:
// something rests on it.
func public(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		there, err := config.ReadFile(path)
		if err == nil && !bytes.Equal(bytes.TrimSpace(there), bytes.TrimSpace(content)) {
			err = fmt.Errorf("%w: %s is there, and holds another key; move it away", config.ErrConfig, path)
		}
		return err
	}
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// with gives a trust file with one more entry at the end of its parties.
func with(path string, entry config.Organisation) ([]byte, error) {
	raw, err := config.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var root, one yaml.Node
	if err := yaml.Unmarshal(raw, &root); err != nil || len(root.Content) == 0 {
		return nil, fmt.Errorf("%w: %s: it cannot be read as YAML", config.ErrConfig, path)
	}
	if err := one.Encode(entry); err != nil {
		return nil, err
	}
	top := root.Content[0]
	for i := 0; i+1 < len(top.Content); i += 2 {
		if list := top.Content[i+1]; top.Content[i].Value == "parties" {
			if list.Kind != yaml.SequenceNode {
				top.Content[i+1] = &yaml.Node{Kind: yaml.SequenceNode}
				list = top.Content[i+1]
			}
			list.Style = 0
			list.Content = append(list.Content, &one)
		}
	}
	var out bytes.Buffer
	to := yaml.NewEncoder(&out)
	to.SetIndent(2)
	err = to.Encode(&root)
	return out.Bytes(), errors.Join(err, to.Close())
}

// replace has a trust file be another whole one, which was read before as a gateway reads it.
func replace(path string, raw []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".trust-*.yaml") // 0600, in the folder to which its paths are relative
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	trust, err := config.ReadTrust(f.Name())
	if err == nil {
		_, err = trust.Verifier()
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
