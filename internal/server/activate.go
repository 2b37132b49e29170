package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/approval"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// PolicyFolder is where, in the data folder, every bundle is kept that was ever in force,
// with its approvals and reports: one folder for each revision.
const PolicyFolder = "policies"

// Kinds of file that come with an activation; each is kept as kind-SHA256.extension.
const (
	kindBundle   = "bundle"
	kindApproval = "approval"
	kindTest     = "test"
	kindDiff     = "diff"
	kindReplay   = "replay"
)

// mostOfKind bounds each file in bytes, and of approvals all together.
func mostOfKind() map[string]int {
	return map[string]int{kindBundle: policy.MaxBundle, kindApproval: 8 * signed.MaxBytes, kindTest: 8 << 20, kindDiff: 8 << 20, kindReplay: 8 << 20}
}

// ErrPolicies means that no other policies have come into force; the message says why.
var ErrPolicies = errors.New("the policies in force stay")

// policyKeeper holds the policies in force, and has others come into force: one change at a time.
type policyKeeper struct {
	dir      string
	log      *audit.Log
	own      identity.OIN
	officers func() []approval.Officer // as they are now
	now      func() time.Time
	logger   *slog.Logger
	rules    *policy.Rules
	texts    *wording.Texts
	changes  *wording.AgreementTexts
	// at is called at each step of a change; nil outside of tests.
	at func(step string)

	changing  sync.Mutex // one change at a time, which is who writes what follows
	mu        sync.Mutex
	current   policySet
	refused   error
	refusedAt time.Time
}

// offer is what comes to be activated.
type offer struct {
	bundle    []byte
	approvals [][]byte
	reports   approval.Reports
}

func sumHex(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func (p *policyKeeper) path(revision, kind, sum string) string {
	extension := map[string]string{kindBundle: ".tar.gz", kindApproval: ".json", kindTest: ".json", kindDiff: ".json", kindReplay: ".json"}[kind]
	return filepath.Join(p.dir, revision, kind+"-"+sum+extension)
}

func (p *policyKeeper) step(name string) {
	if p.at != nil {
		p.at(name)
	}
}

// activate has what is offered come into force, or changes nothing and says why: in the error,
// in the log of the process and in the status. Errors: ErrPolicies; audit's when it could not
// be recorded.
func (p *policyKeeper) activate(ctx context.Context, o offer) (int64, error) {
	p.changing.Lock()
	defer p.changing.Unlock()
	next, c, err := p.judge(ctx, o)
	if err == nil {
		err = p.keep(c, o)
	}
	if err != nil {
		return 0, p.refuse("activation", fmt.Errorf("%w: %w", ErrPolicies, err))
	}
	return p.swap(ctx, next, c)
}

// refuse notes why a change did not come about.
func (p *policyKeeper) refuse(what string, err error) error {
	p.mu.Lock()
	p.refused, p.refusedAt = err, p.now()
	p.mu.Unlock()
	p.logger.Error("policies not taken over; those in force stay", "what", what, "in_force", p.current.engine.Revision(), "error", err.Error())
	return err
}

// forgive forgets it: what was refused is not there any more.
func (p *policyKeeper) forgive() {
	p.mu.Lock()
	p.refused = nil
	p.mu.Unlock()
}

// judge looks at all of it before any of it counts: who approved what, in the place of which
// revision, and whether it works here.
func (p *policyKeeper) judge(ctx context.Context, o offer) (policySet, policyChange, error) {
	b, err := policy.ReadBundle(o.bundle)
	if err != nil {
		return policySet{}, policyChange{}, err
	}
	inForce := p.current.engine.Revision()
	if b.Parent != "" && b.Parent != inForce {
		return policySet{}, policyChange{}, fmt.Errorf("this bundle was made from revision %s, and %s is in force; build it from that one, and have it approved anew", b.Parent, inForce)
	}
	about, err := o.reports.About(b.Digest, b.Revision, inForce)
	if err != nil {
		return policySet{}, policyChange{}, err
	}
	officers := p.officers()
	if len(officers) == 0 {
		return policySet{}, policyChange{}, errors.New("no officers stand in gateway.yaml, so nobody's approval counts; see docs/gateway.example.yaml")
	}
	if _, err := approval.Check(officers, about, o.approvals, p.now()); err != nil {
		return policySet{}, policyChange{}, err
	}
	next, err := readBundle(ctx, b)
	if err != nil {
		return policySet{}, policyChange{}, err
	}
	if err := policy.Prove(ctx, b.FS); err != nil {
		return policySet{}, policyChange{}, err
	}
	p.step("judged")
	next.source, next.bundle = sourceActivated, o.bundle
	c := policyChange{
		Approvals: []string{}, Bundle: b.Digest, Contract: contractChange, Diff: about.Diff, Parent: inForce, ParentSource: p.current.source,
		Replay: about.Replay, Revision: b.Revision, Source: sourceActivated, Status: string(register.PolicyActivated), Test: about.Test,
	}
	for _, raw := range o.approvals {
		c.Approvals = append(c.Approvals, sumHex(raw))
	}
	return next, c, nil
}

// keep writes down, durably, what the log will name: before the log does.
func (p *policyKeeper) keep(c policyChange, o offer) error {
	files := map[string][]byte{p.path(c.Revision, kindBundle, c.Bundle): o.bundle}
	for kind, raw := range map[string][]byte{kindTest: o.reports.Test, kindDiff: o.reports.Diff, kindReplay: o.reports.Replay} {
		if len(raw) > 0 {
			files[p.path(c.Revision, kind, sumHex(raw))] = raw
		}
	}
	for _, raw := range o.approvals {
		files[p.path(c.Revision, kindApproval, sumHex(raw))] = raw
	}
	for path, raw := range files {
		if err := durably(path, raw); err != nil {
			return fmt.Errorf("keeping it in the data folder: %w", err)
		}
		p.step("kept one")
	}
	return nil
}

// durably writes a file whole or not at all, and returns when it is on disk.
func durably(path string, raw []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-")
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	for _, at := range []string{dir, filepath.Dir(dir), filepath.Dir(filepath.Dir(dir))} { // each may be new
		d, err := os.Open(at)
		if err == nil {
			err = errors.Join(d.Sync(), d.Close())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keepCurrent keeps what is in force as a bundle, so that it can come back whatever becomes of
// the folder or the program that it came from.
func (p *policyKeeper) keepCurrent() (bundle string, err error) { return p.keepSet(p.current) }

func (p *policyKeeper) keepSet(set policySet) (bundle string, err error) {
	revision := set.engine.Revision()
	raw := set.bundle
	if raw == nil {
		if raw, err = policy.WriteBundle(set.folder, revision, ""); err != nil {
			return "", err
		}
	}
	return sumHex(raw), durably(p.path(revision, kindBundle, sumHex(raw)), raw)
}

// swap enters the change in the log, and lets it count from there on. A question that has
// begun ends by the policies that it began with.
func (p *policyKeeper) swap(ctx context.Context, next policySet, c policyChange) (entry int64, err error) {
	if c.Parent != "" && c.ParentBundle == "" {
		if c.ParentBundle, err = p.keepCurrent(); err != nil {
			return 0, p.refuse(c.Status, fmt.Errorf("%w: keeping those in force: %w", ErrPolicies, err))
		}
	}
	p.step("kept")
	if entry, err = p.enter(ctx, c); err != nil {
		return 0, p.refuse(c.Status, err)
	}
	p.step("entered")
	p.texts.Replace(next.texts)
	p.changes.Replace(next.changes)
	p.rules.Replace(next.engine)
	p.mu.Lock()
	p.current, p.refused = next, nil
	p.mu.Unlock()
	p.logger.Warn("other policies are in force", "how", c.Status, "revision", c.Revision, "parent", c.Parent, "bundle", c.Bundle, "entry", entry)
	p.step("swapped")
	return entry, nil
}

// enter appends the entry of a change.
func (p *policyKeeper) enter(ctx context.Context, c policyChange) (int64, error) {
	payload, err := signed.Canonical(c)
	if err != nil {
		return 0, err
	}
	proof, err := p.log.Append(context.WithoutCancel(ctx), audit.Entry{
		Kind: audit.Policy, Activity: "policies", Organisations: []identity.OIN{p.own},
		PolicyRevision: c.Revision, Decision: c.Parent, Status: c.Status, Payload: payload,
	})
	return proof.Index, err
}

// used enters, at start, that policies are used that came with the configuration or the
// program, when they are others than before. A log in which nothing was ever said of them,
// while those that are built in are used, goes on saying nothing.
func (p *policyKeeper) used(ctx context.Context, list []register.PolicyChange) error {
	c := policyChange{
		Approvals: []string{}, Contract: contractChange, Revision: p.current.engine.Revision(), Source: p.current.source, Status: string(register.PolicyUsed),
	}
	switch n := len(list); {
	case n > 0 && list[n-1].Status != register.PolicyUsed, n == 0 && p.current.source == sourceBuiltIn, n > 0 && list[n-1].Revision == c.Revision:
		return nil
	case n > 0:
		c.Parent = list[n-1].Revision
	}
	var err error
	if c.Bundle, err = p.keepCurrent(); err != nil {
		return err
	}
	_, err = p.enter(ctx, c)
	return err
}

// before is what was in force before the last activation that still counts, by the log.
func (p *policyKeeper) before(ctx context.Context) (policyChange, error) {
	var stack []register.PolicyChange // what is in force, and what lies under it
	for _, c := range p.log.Register().Policies() {
		switch {
		case c.Status == register.PolicyUsed:
			stack = stack[:0]
		case c.Status == register.PolicyActivated:
			stack = append(stack, c)
		case len(stack) > 0:
			stack = stack[:len(stack)-1]
		}
	}
	if len(stack) == 0 {
		return policyChange{}, errors.New("nothing was activated that could be taken back; see: ontschot policy history")
	}
	top, err := p.changeAt(ctx, stack[len(stack)-1])
	if err != nil {
		return policyChange{}, err
	}
	to := policyChange{Approvals: []string{}, Bundle: top.ParentBundle, Revision: top.Parent, Source: top.ParentSource}
	if len(stack) > 1 {
		if to, err = p.changeAt(ctx, stack[len(stack)-2]); err != nil {
			return policyChange{}, err
		}
	}
	if to.Source == sourceFolder && len(p.officers()) > 0 {
		return policyChange{}, errors.New("what was in force before is a folder that nobody has approved, and there are officers")
	}
	return to, nil
}

// rollback goes back to what was in force before the last activation. Errors: as activate.
func (p *policyKeeper) rollback(ctx context.Context) (int64, error) {
	p.changing.Lock()
	defer p.changing.Unlock()
	c, err := p.before(ctx)
	var next policySet
	if err == nil {
		next, err = p.kept(ctx, c)
	}
	if err != nil {
		return 0, p.refuse("rollback", fmt.Errorf("%w: %w", ErrPolicies, err))
	}
	c.Contract, c.Status, c.Parent, c.ParentSource, c.ParentBundle = contractChange, string(register.PolicyRolledBack), p.current.engine.Revision(), p.current.source, ""
	return p.swap(ctx, next, c)
}
