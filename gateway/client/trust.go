package client

import (
	"fmt"
	"time"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/config"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Trust is whose budgets are believed: the organisation that releases, its log, and the parties
// whose own gateways say what they disclosed.
type Trust struct{ of result.Trust }

// Verified is what is known of a budget that verifies.
type Verified struct {
	ID       string // of the release, a UUID of version 7
	Releaser string // OIN, twenty digits
	Released time.Time
	// BuildUntil is until when plans may be built upon it, and KeepUntil until when it may be
	// kept, accounted for and dissolved. Both are the caller's to judge.
	BuildUntil, KeepUntil time.Time
	PolicyRevision        string // SHA-256, hexadecimal
	Complete              bool   // no gaps
}

// ReadTrust reads whose budgets a client.yaml believes, to verify one that was stored, without
// a gateway. Neither certificate nor token is needed. Errors: ErrConfig.
func ReadTrust(path string) (Trust, error) {
	conf, err := config.ReadClient(path)
	if err != nil {
		return Trust{}, err
	}
	return trustOf(conf)
}

func trustOf(conf *config.Client) (Trust, error) {
	trust, releaser, err := conf.ReadTrust()
	if err != nil {
		return Trust{}, err
	}
	keys, err := trust.Verifier()
	if err != nil {
		return Trust{}, err
	}
	log, err := audit.ParseKeys(releaser.LogKeys...)
	if err != nil {
		return Trust{}, fmt.Errorf("%w: log_keys of %s in the trust file", ErrConfig, releaser.Code)
	}
	t := result.Trust{Keys: keys, Releaser: releaser.OIN, Log: log, Sources: map[string]result.Source{}}
	for _, p := range trust.Parties {
		source := result.Source{OIN: p.OIN}
		if len(p.LogKeys) > 0 {
			logs, err := audit.ParseKeys(p.LogKeys...)
			if err != nil {
				return Trust{}, fmt.Errorf("%w: log_keys of %s in the trust file", ErrConfig, p.Code)
			}
			source.Log = logs.Remembering()
		}
		t.Sources[p.Code] = source
	}
	return Trust{t}, nil
}

// Verify checks signature, contents, receipt and disclosures of a budget. Errors: those that wrap
// result.ErrMismatch or audit.ErrTampered, of which result.ReasonOf gives the reason.
func (t *Trust) Verify(b *budgetv1.Budget) (Verified, error) {
	if t == nil || t.of.Keys == nil {
		return Verified{}, fmt.Errorf("%w: ReadTrust gives whose budgets are believed", ErrConfig)
	}
	c, err := result.Verify(b, t.of)
	if err != nil {
		return Verified{}, err
	}
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
	return Verified{
		ID: c.ID, Releaser: string(c.Issuer), Released: at(c.IssuedAt), BuildUntil: at(c.Expires), KeepUntil: at(c.Until()),
		PolicyRevision: c.PolicyRevision, Complete: c.Complete,
	}, nil
}

// VerifyAccount checks an account of the releaser. Errors: as Verify.
func (t *Trust) VerifyAccount(a *budgetv1.Account) error {
	if t == nil || t.of.Keys == nil {
		return fmt.Errorf("%w: ReadTrust gives whose accounts are believed", ErrConfig)
	}
	return result.VerifyAccount(a, t.of)
}

// VerifyDissolution checks a dissolution of the releaser. Errors: as Verify.
func (t *Trust) VerifyDissolution(d *budgetv1.Dissolution) error {
	if t == nil || t.of.Keys == nil {
		return fmt.Errorf("%w: ReadTrust gives whose dissolutions are believed", ErrConfig)
	}
	return result.VerifyDissolution(d, t.of)
}
