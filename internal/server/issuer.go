package server

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/config"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// issuersOf are the parties' own identity providers, as the trust file pins them.
func issuersOf(trust *config.Trust, dev bool, log *slog.Logger) ([]token.Issuer, error) {
	var all []token.Issuer
	for _, p := range trust.Parties {
		for _, i := range p.Issuers {
			outside, err := trust.Outside(i, dev, func(err error) {
				log.Warn("the keys of a token issuer could not be read", "issuer", i.Issuer, "error", err.Error())
			})
			if err != nil {
				return nil, err
			}
			one := token.Issuer{
				Organisation: p.OIN, Tokens: outside, Audience: i.Audience, Clients: map[string][]string{},
				Roles: i.Roles, Assurances: i.Assurances, CaseInMetadata: i.CaseInMetadata(),
			}
			if one.MaxLife, err = i.Life(); err != nil {
				return nil, fmt.Errorf("%w: issuer %s: max_life", config.ErrConfig, i.Issuer)
			}
			for _, c := range i.Clients {
				one.Clients[c.ID] = c.Certificates
			}
			if one.Scopes, err = scopesOf(i); err != nil {
				return nil, err
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// scopesOf are what an issuer's scopes mean.
func scopesOf(i config.Issuer) (map[string]token.Detail, error) {
	scopes := map[string]token.Detail{}
	for name, s := range i.Scopes {
		for _, c := range s.Categories {
			if c != "*" && !slices.Contains(budgetv1.Categories(), budgetv1.Category(c)) {
				return nil, fmt.Errorf("%w: issuer %s: scope %s: %q is no category; there are %v", config.ErrConfig, i.Issuer, name, c, budgetv1.Categories())
			}
		}
		scopes[name] = token.Detail{Type: token.DetailType, Purposes: s.Purposes, Sources: s.Sources, Categories: s.Categories}
	}
	return scopes, nil
}
