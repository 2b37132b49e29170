// Package directory answers: who is there, by what the operator of a directory has signed? What
// it says is laid under the trust file, which always wins.
package directory

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Errors of a directory. None of them repeats what was in it.
var (
	ErrDirectory = errors.New("the directory cannot be used")
	ErrVersion   = errors.New("the directory is older than the one before, or another of the same version")
)

// Bounds of a directory.
const (
	maxParties = 2000
	maxKeys    = 32 // of one party
	maxName    = 200
	maxSkew    = 5 * time.Minute
)

// Claims of a directory. Members are in the order of their names.
type Claims struct {
	IssuedAt int64        `json:"iat"` // seconds since 1970
	Issuer   identity.OIN `json:"iss"` // its operator
	ID       string       `json:"jti"` // UUIDv7
	Parties  []Listing    `json:"parties"`
	Version  int64        `json:"version"` // another directory has a higher one
}

// Listing is one organisation.
type Listing struct {
	CA      string       `json:"ca,omitempty"` // authorities of its certificates, PEM
	Code    string       `json:"code"`
	Gateway string       `json:"gateway,omitempty"` // host:port
	Keys    []Key        `json:"keys"`
	Kind    string       `json:"kind"`
	Laws    []string     `json:"laws"`
	LogKeys []string     `json:"log_keys"`
	Name    string       `json:"name"`
	OIN     identity.OIN `json:"oin"`
}

// Key is a public key by which a party signs documents. Times are RFC 3339.
type Key struct {
	Alg     string        `json:"alg"`
	From    string        `json:"from,omitempty"` // before it the key counts for nothing; empty: at once
	ID      string        `json:"id"`
	Kinds   []signed.Kind `json:"kinds"`
	Lost    bool          `json:"lost,omitempty"`
	PEM     string        `json:"pem"`
	Retired string        `json:"retired,omitempty"`
	// Vouched is a statement of the party itself about this key, signed with one before it.
	Vouched string `json:"vouched,omitempty"`
}

// Directory is one whose signature holds and whose form is good.
type Directory struct {
	Claims
	Sum [sha256.Size]byte // of the signed bytes
	raw []byte
}

// Operator is whose directory counts, and the keys that are pinned of it.
type Operator struct {
	OIN  identity.OIN
	Keys []signed.Key
}

// Verify verifies a directory of an operator. Errors: ErrDirectory.
func Verify(raw []byte, by Operator, now time.Time) (*Directory, error) {
	v, err := signed.NewVerifier(map[identity.OIN][]signed.Key{by.OIN: by.Keys})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDirectory, err)
	}
	d := &Directory{raw: raw, Sum: sha256.Sum256(raw)}
	if _, err := v.Compact(signed.Directory, raw, &d.Claims); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDirectory, err)
	}
	if what := d.check(now); what != "" {
		return nil, fmt.Errorf("%w: %s", ErrDirectory, what)
	}
	return d, nil
}

// codes and names as a directory may have them.
var code = regexp.MustCompile(`^[A-Z][A-Z0-9]{1,15}$`)

// check gives what is wrong; empty when nothing is.
func (c Claims) check(now time.Time) string {
	switch {
	case !identity.IsUUIDv7(c.ID):
		return "jti must be a UUID of version 7"
	case c.Version < 1:
		return "version must be 1 or higher"
	case c.IssuedAt <= 0 || time.Unix(c.IssuedAt, 0).After(now.Add(maxSkew)):
		return "iat is of a time to come"
	case len(c.Parties) == 0 || len(c.Parties) > maxParties:
		return fmt.Sprintf("1 to %d parties", maxParties)
	}
	codes, numbers := map[string]bool{}, map[identity.OIN]bool{}
	for i, p := range c.Parties {
		what := p.check()
		if what == "" && (codes[p.Code] || numbers[p.OIN]) {
			what = "its code or OIN is listed twice"
		}
		if what != "" {
			return fmt.Sprintf("parties[%d]: %s", i, what)
		}
		codes[p.Code], numbers[p.OIN] = true, true
	}
	return ""
}

func (p Listing) check() string {
	host, port, err := net.SplitHostPort(p.Gateway)
	unknown := func(law string) bool { return !slices.Contains(budgetv1.Laws(), law) }
	switch {
	case !identity.IsOIN(p.OIN) || !code.MatchString(p.Code):
		return "code and an OIN of twenty digits are needed"
	case !slices.Contains(budgetv1.Kinds(), p.Kind):
		return "kind"
	case p.Name == "" || len(p.Name) > maxName || !budgetv1.Printable(p.Name):
		return "name"
	case len(p.Laws) > len(budgetv1.Laws()) || slices.ContainsFunc(p.Laws, unknown):
		return "laws"
	case p.Gateway != "" && (err != nil || host == "" || port == ""):
		return "gateway must be host:port"
	case len(p.Keys) > maxKeys || len(p.LogKeys) > maxKeys:
		return "too many keys"
	}
	if p.CA != "" {
		if _, err := certificate.ReadParties(map[identity.OIN][]byte{p.OIN: []byte(p.CA)}); err != nil {
			return "ca holds no authorities"
		}
	}
	keys, err := p.keys()
	if err != nil {
		return "keys"
	}
	if _, err := signed.NewVerifier(map[identity.OIN][]signed.Key{p.OIN: keys}); err != nil {
		return "keys"
	}
	return ""
}

// keys are those of a party, as the room of signatures has them.
func (p Listing) keys() ([]signed.Key, error) {
	var all []signed.Key
	for _, k := range p.Keys {
		one, err := k.key()
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (k Key) key() (signed.Key, error) {
	public, err := config.ParsePublic([]byte(k.PEM), k.ID)
	if err != nil {
		return signed.Key{}, err
	}
	retired, errRetired := timeOf(k.Retired)
	_, errFrom := timeOf(k.From)
	if slices.ContainsFunc(k.Kinds, func(kind signed.Kind) bool {
		return kind == signed.Directory || kind == signed.Token || kind == signed.Manifest || kind == signed.Approval || !slices.Contains(signed.Kinds(), kind)
	}) {
		return signed.Key{}, errors.New("kinds")
	}
	return signed.Key{ID: k.ID, Alg: k.Alg, Public: public, Kinds: k.Kinds, Retired: retired, Lost: k.Lost}, errors.Join(errRetired, errFrom)
}

// pinned is a key as the trust file would have it.
func (k Key) pinned() config.Key {
	return config.Key{ID: k.ID, Alg: k.Alg, Kinds: k.Kinds, PEM: k.PEM, Retired: k.Retired, Lost: k.Lost}
}

// begun reports whether a key counts already.
func (k Key) begun(now time.Time) bool {
	from, err := timeOf(k.From)
	return err == nil && !now.Before(from)
}

func timeOf(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, s)
}

// party of the directory by its number.
func (d *Directory) party(oin identity.OIN) (Listing, bool) {
	i := slices.IndexFunc(d.Parties, func(p Listing) bool { return p.OIN == oin })
	if i < 0 {
		return Listing{}, false
	}
	return d.Parties[i], true
}

// Vouching is a party's own word that a key is its next, signed with one before it. Members are
// in the order of their names.
type Vouching struct {
	Act      string       `json:"act"` // vouch
	Alg      string       `json:"alg"`
	IssuedAt int64        `json:"iat"` // seconds since 1970
	Issuer   identity.OIN `json:"iss"` // the party
	Key      string       `json:"key"` // digest of the new key, as signed.Key has it
	KeyID    string       `json:"kid"`
	Kinds    string       `json:"kinds"` // what it may sign, with spaces between
}

const actVouch = "vouch"

// Vouch signs that a key is the party's next. It is a statement that no other room takes.
func Vouch(by signed.Signer, k signed.Key, now time.Time) ([]byte, error) {
	digest, err := k.Digest()
	if err != nil {
		return nil, err
	}
	return by.Compact(signed.Statement, Vouching{actVouch, k.Alg, now.Unix(), by.Issuer, digest, k.ID, kindsOf(k.Kinds)})
}

func kindsOf(kinds []signed.Kind) string {
	var all []string
	for _, k := range kinds {
		all = append(all, string(k))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// vouched are those of the keys that the party itself has vouched for, beginning with the keys
// that are known of it. A key that was lost vouches for none, nor one that was retired then.
func vouched(oin identity.OIN, known []signed.Key, offered []Key) []Key {
	var taken []Key
	for range offered {
		before := len(taken)
		for _, k := range offered {
			one, err := k.key()
			if err != nil || k.Vouched == "" || slices.ContainsFunc(known, func(o signed.Key) bool { return o.ID == k.ID }) {
				continue
			}
			if speaksFor(oin, known, one, k.Vouched) {
				known, taken = append(slices.Clone(known), one), append(taken, k)
			}
		}
		if len(taken) == before {
			break
		}
	}
	return taken
}

func speaksFor(oin identity.OIN, known []signed.Key, k signed.Key, statement string) bool {
	v, err := signed.NewVerifier(map[identity.OIN][]signed.Key{oin: known})
	if err != nil {
		return false
	}
	var says Vouching
	by, err := v.Compact(signed.Statement, []byte(statement), &says)
	digest, errDigest := k.Digest()
	if err != nil || errDigest != nil || says.Act != actVouch || says.Key != digest || says.KeyID != k.ID || says.Alg != k.Alg || says.Kinds != kindsOf(k.Kinds) {
		return false
	}
	i := slices.IndexFunc(known, func(o signed.Key) bool { return o.ID == by.KeyID })
	return i >= 0 && (known[i].Retired.IsZero() || time.Unix(says.IssuedAt, 0).Before(known[i].Retired))
}
