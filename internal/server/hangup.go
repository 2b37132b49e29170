package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/ontschot/ontschot/gateway/register"
)

// Reload takes over at once, and says in the log of the process, what the files say now: our
// certificate and those we believe, revocation lists, the directory, keys, trust and peers, and
// the policies of the configuration. What cannot be taken over stays as it was, each for itself.
// What else is in gateway.yaml needs a restart. The error is of all that was not taken over.
func (s *Server) Reload(ctx context.Context) error {
	var failed error
	one := func(what string, err error) {
		report(s.logger, what, err)
		failed = errors.Join(failed, err)
	}
	_, err := s.Certificates.Reload()
	one("certificates", errors.Join(err, s.Certificates.Refresh(ctx)))
	if s.directory != nil {
		one("directory", s.ReloadDirectory(ctx))
	}
	_, err = s.ReloadKeys(ctx)
	one("keys", err)
	if err == nil { // the officers are among them, who must have approved the policies
		one("policies", s.reloadPolicies(ctx))
	}
	return failed
}

// reloadPolicies has those of the configuration come into force as a restart would: only where
// none were activated since, for those stay until others are. Errors: policy.ErrRules,
// wording.ErrTable, config.ErrConfig; audit's when it could not be recorded.
func (s *Server) reloadPolicies(ctx context.Context) error {
	conf, err := s.Conf.Again()
	if err == nil {
		err = refuseOpen(conf, nil, s.logger) // the keys of others were looked at where they are taken over
	}
	if err != nil {
		return err
	}
	p := s.policies
	p.changing.Lock()
	defer p.changing.Unlock()
	if list := s.Log.Register().Policies(); len(list) > 0 && list[len(list)-1].Status != register.PolicyUsed {
		return nil
	}
	next, err := configuredPolicies(ctx, conf)
	if err == nil {
		err = s.approvedConfigured(conf, next)
	}
	if err != nil {
		return p.refuse("reload", fmt.Errorf("%w: %w", ErrPolicies, err))
	}
	inForce := p.current.engine.Revision()
	if next.engine.Revision() == inForce {
		p.forgive()
		return nil
	}
	bundle, err := p.keepSet(next)
	if err != nil {
		return p.refuse("reload", fmt.Errorf("%w: keeping them in the data folder: %w", ErrPolicies, err))
	}
	_, err = p.swap(ctx, next, policyChange{
		Approvals: []string{}, Bundle: bundle, Contract: contractChange, Parent: inForce, ParentSource: p.current.source,
		Revision: next.engine.Revision(), Source: next.source, Status: string(register.PolicyUsed),
	})
	return err
}
