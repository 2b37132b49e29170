package config

import (
	"crypto"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/internal/approval"
	"github.com/ontschot/ontschot/internal/signed"
)

// Officer is a person who approves policies.
type Officer struct {
	Name  string   `yaml:"name"`
	Roles []string `yaml:"roles"` // see approval.Roles
	Key   string   `yaml:"key"`   // a file: the public half of theirs, PEM
}

// checkOfficers names what is wrong with how they are written down.
func (c *Gateway) checkOfficers() []string {
	var all []string
	names := map[string]bool{}
	for i, o := range c.Officers {
		all = append(all, under(fmt.Sprintf("officers[%d]", i), ": ", broken(
			rule{!approval.IsName(o.Name), "name must be at most 64 letters, digits and . _ - @"},
			rule{o.Name != "" && names[o.Name], "name is listed twice"},
			rule{len(o.Roles) == 0 || slices.ContainsFunc(o.Roles, func(r string) bool { return !slices.Contains(approval.Roles(), r) }), fmt.Sprintf("roles must be some of %v", approval.Roles())},
			rule{o.Key == "", "key is needed: the file of the public half, PEM"},
		))...)
		names[o.Name] = true
	}
	return all
}

// ApprovedBy reads the keys of the officers. None may be listed twice, or be one of those of
// organisations: a key is one person's alone. Errors: ErrConfig.
func (c *Gateway) ApprovedBy(trust *Trust) ([]approval.Officer, error) {
	used := map[string]string{}
	if len(c.Officers) > 0 {
		if err := c.organisationsKeys(trust, used); err != nil {
			return nil, err
		}
	}
	var all []approval.Officer
	for i, o := range c.Officers {
		public, err := PublicKey(c.Path(o.Key))
		if err != nil {
			return nil, err
		}
		digest, err := signed.Key{Public: public}.Digest()
		if err != nil {
			return nil, fmt.Errorf("%w: officers[%d]: %s: %w", ErrConfig, i, o.Key, err)
		}
		key := signed.Key{ID: o.Name, Alg: "ES256", Public: public, Kinds: []signed.Kind{signed.Approval}}
		if err := key.Fits(); err != nil {
			return nil, fmt.Errorf("%w: officers[%d]: %s: %w; make one with: ontschot keys new --kind officer", ErrConfig, i, o.Key, err)
		}
		if whose := used[digest]; whose != "" {
			return nil, fmt.Errorf("%w: officers[%d]: the key of %s is that of %s too; each person has a key of their own: ontschot keys new --kind officer", ErrConfig, i, o.Name, whose)
		}
		used[digest] = o.Name
		all = append(all, approval.Officer{Name: o.Name, Roles: o.Roles, Key: public})
	}
	return all, nil
}

// organisationsKeys notes whose each key of an organisation is, ours and those of others.
func (c *Gateway) organisationsKeys(trust *Trust, used map[string]string) error {
	note := func(public crypto.PublicKey, whose string) {
		if digest, err := (signed.Key{Public: public}).Digest(); err == nil {
			used[digest] = whose
		}
	}
	for _, k := range c.Keys.Signing {
		key, err := PrivateKey(c.Path(k.File))
		if err != nil {
			return err
		}
		note(key.Public(), c.Organisation)
	}
	pins, err := trust.Pins()
	if err != nil {
		return err
	}
	for _, p := range trust.Parties {
		for _, k := range pins[p.OIN] {
			note(k.Public, p.Code)
		}
	}
	return nil
}
