package token

import (
	"cmp"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// lowest level of assurance: what is left when an issuer says nothing we know.
const lowest = ontschotv1.AssuranceLow

// Issuer is an organisation's own identity provider, such as Keycloak or Entra, as
// the trust configuration pins it. What it may say is what is listed here.
type Issuer struct {
	Organisation identity.OIN
	Tokens       *signed.Outside
	Audience     string // exactly; a token for others beside us is refused
	MaxLife      time.Duration
	// Clients that may present its tokens, by id, each with the thumbprints
	// (x5t#S256) of its certificates. Empty where the issuer puts cnf in the token.
	Clients map[string][]string
	// Roles in our words by the issuer's, Assurances by its acr.
	Roles, Assurances map[string]string
	// Scopes are what a scope of the issuer's means, by its name.
	Scopes map[string]Detail
	// CaseInMetadata takes the case commitment from the call, not from the token.
	CaseInMetadata bool
}

// outside are the claims of an outside token that are looked at.
type outside struct {
	Issuer       string   `json:"iss"`
	Audience     audience `json:"aud"`
	Subject      string   `json:"sub"`
	IssuedAt     int64    `json:"iat"`
	NotBefore    int64    `json:"nbf"` // Keycloak has none by default
	Expires      int64    `json:"exp"`
	ID           string   `json:"jti"`
	EntraID      string   `json:"uti"`
	AZP          string   `json:"azp"`
	Client       string   `json:"client_id"`
	AppID        string   `json:"appid"`
	Confirmation *struct {
		X5T string          `json:"x5t#S256"`
		JKT json.RawMessage `json:"jkt"` // DPoP (RFC 9449), which is not checked here
	} `json:"cnf"`

	// Kind is Keycloak's own, Version Entra's; the others are those of an ID token.
	Kind      string          `json:"typ"`
	Version   string          `json:"ver"`
	Nonce     json.RawMessage `json:"nonce"`
	TokenHash json.RawMessage `json:"at_hash"`
	CodeHash  json.RawMessage `json:"c_hash"`
	StateHash json.RawMessage `json:"s_hash"`

	Roles         []string          `json:"roles"`
	RealmRoles    access            `json:"realm_access"`
	ResourceRoles map[string]access `json:"resource_access"`
	ACR           string            `json:"acr"`
	Scope         string            `json:"scope"`
	EntraScope    string            `json:"scp"`
	Details       *[]Detail         `json:"authorization_details"`
	Case          string            `json:"case"`
	Actor         *Actor            `json:"act"`
}

type access struct {
	Roles []string `json:"roles"`
}

// audience is a text or a list of one. A token that is meant for others too could be
// presented here by one of them.
type audience string

func (a *audience) UnmarshalJSON(raw []byte) error {
	if json.Unmarshal(raw, (*string)(a)) == nil {
		return nil
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	if len(list) == 1 {
		*a = audience(list[0])
	}
	return nil // several: meant for none
}

// read verifies a token of this issuer and puts what is looked at later in our own words.
func (i Issuer) read(raw []byte, call Call, now time.Time) (Claims, error) {
	var o outside
	if err := i.Tokens.Compact(raw, &o); err != nil {
		return Claims{}, invalid(err)
	}
	if o.Issuer != i.Tokens.Issuer || !o.isAccess() {
		return Claims{}, fmt.Errorf("%w: no access token", ErrInvalid)
	}
	starts := cmp.Or(o.NotBefore, o.IssuedAt)
	life := lifetime{o.IssuedAt, starts, o.Expires}
	if err := life.check(now, i.MaxLife); err != nil {
		return Claims{}, err
	}
	if string(o.Audience) != i.Audience {
		return Claims{}, ErrAudience
	}
	client := o.client()
	pinned, known := i.Clients[client]
	if !known || !isText(o.Subject) {
		return Claims{}, fmt.Errorf("%w: client or subject", ErrInvalid)
	}
	if !o.bound(call.Leaf, pinned) {
		return Claims{}, ErrBinding
	}
	role, err := i.role(o)
	if err != nil {
		return Claims{}, err
	}
	details, err := i.details(o)
	if err != nil {
		return Claims{}, err
	}
	return Claims{
		Issuer: i.Organisation, Organisation: i.Organisation, Subject: o.Subject, Client: client, ID: cmp.Or(o.ID, o.EntraID),
		Case: i.caseOf(o, call.Case), Role: role, Assurance: i.assurance(o), Details: details, Actor: o.Actor,
	}, nil
}

// isAccess distinguishes an access token from an ID token and whatever else an issuer signs
// with the same key.
func (o outside) isAccess() bool {
	if o.Kind != "" && o.Kind != "Bearer" || o.Nonce != nil || o.TokenHash != nil || o.CodeHash != nil || o.StateHash != nil {
		return false
	}
	switch o.Version {
	case "":
		return true
	case "1.0":
		return o.AppID != "" && o.AZP == ""
	case "2.0":
		return o.AZP != "" && o.AppID == ""
	}
	return false
}

// client gives the one client that the token names; empty for none or several.
func (o outside) client() string {
	one := cmp.Or(o.AZP, o.Client, o.AppID)
	for _, other := range []string{o.AZP, o.Client, o.AppID} {
		if other != "" && other != one {
			return ""
		}
	}
	return one
}

// bound reports whether the token may come over the connection of this certificate: by
// what it says itself, by the certificates pinned for its client, or by both where
// there are both.
func (o outside) bound(leaf *x509.Certificate, pinned []string) bool {
	if leaf == nil || o.Confirmation == nil && len(pinned) == 0 {
		return false
	}
	print := Thumbprint(leaf)
	if o.Confirmation != nil && (o.Confirmation.X5T != print || o.Confirmation.JKT != nil) {
		return false
	}
	return len(pinned) == 0 || slices.Contains(pinned, print)
}

// role gives the one role of ours that the issuer's roles come to. Of several we
// would have to choose.
func (i Issuer) role(o outside) (string, error) {
	role := ""
	for _, list := range [][]string{o.RealmRoles.Roles, o.ResourceRoles[i.Audience].Roles, o.Roles} {
		for _, said := range list {
			ours, known := i.Roles[said]
			if known && role != "" && role != ours {
				return "", ErrRole
			}
			if known {
				role = ours
			}
		}
	}
	if role == "" {
		return "", ErrRole
	}
	return role, nil
}

func (i Issuer) assurance(o outside) string {
	if level, known := i.Assurances[o.ACR]; known && o.ACR != "" {
		return level
	}
	return lowest
}

// details are those of the token itself (RFC 9396), or what its scopes mean.
func (i Issuer) details(o outside) ([]Detail, error) {
	if o.Details != nil {
		return *o.Details, nil
	}
	if o.Scope != "" && o.EntraScope != "" && o.Scope != o.EntraScope {
		return nil, fmt.Errorf("%w: scope and scp differ", ErrInvalid)
	}
	var all []Detail
	for name := range strings.FieldsSeq(cmp.Or(o.Scope, o.EntraScope)) {
		if d, known := i.Scopes[name]; known {
			all = append(all, d)
		}
	}
	return all, nil
}

// caseOf gives the case commitment; empty, which is refused, where token and call differ.
func (i Issuer) caseOf(o outside, said string) string {
	if !i.CaseInMetadata {
		return o.Case
	}
	if o.Case != "" && o.Case != said {
		return ""
	}
	return said
}
