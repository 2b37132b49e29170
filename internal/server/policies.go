package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/approval"
	"github.com/ontschot/ontschot/internal/config"
)

// Where policies come from.
const (
	sourceBuiltIn   = "built_in"
	sourceFolder    = "folder"    // policies: in gateway.yaml
	sourceBundle    = "bundle"    // likewise, with its approvals
	sourceActivated = "activated" // on a running gateway; the log says which
)

// policySet is a folder of policies that was read: what may pass, and in which words.
type policySet struct {
	folder  fs.FS
	bundle  []byte // nil: it came as a folder
	source  string
	engine  *policy.Engine
	texts   *wording.Texts
	changes *wording.AgreementTexts
}

// readPolicies reads a folder wholly before any of it counts. Errors: policy.ErrRules and
// wording.ErrTable, naming the file.
func readPolicies(ctx context.Context, fsys fs.FS) (p policySet, err error) {
	if p.folder, err = policy.ReadFolder(fsys); err != nil {
		return p, err
	}
	if p.engine, err = policy.New(ctx, policy.Config{FS: p.folder, Timeout: policyTimeout}); err != nil {
		return p, err
	}
	if p.texts, err = wording.ReadTexts(p.folder); err != nil {
		return p, err
	}
	p.changes, err = wording.ReadAgreementTexts(p.folder, p.texts)
	return p, err
}

// readBundle is readPolicies of a bundle, whose rules are of the revision that it says.
func readBundle(ctx context.Context, b policy.Bundle) (policySet, error) {
	p, err := readPolicies(ctx, b.FS)
	if err == nil && p.engine.Revision() != b.Revision {
		err = fmt.Errorf("%w: bundle: its rules are of revision %.12s, and it says %.12s; build it again", policy.ErrRules, p.engine.Revision(), b.Revision)
	}
	return p, err
}

// configuredPolicies reads those of the configuration, or those that are built in.
func configuredPolicies(ctx context.Context, conf *config.Gateway) (policySet, error) {
	file := conf.Path(conf.Policies)
	if is, err := os.Stat(file); conf.Policies != "" && err == nil && is.Mode().IsRegular() {
		return configuredBundle(ctx, file)
	}
	folder, done, err := conf.PolicyFolder()
	if err != nil {
		return policySet{}, err
	}
	defer done()
	p, err := readPolicies(ctx, folder)
	p.source = sourceFolder
	if conf.Policies == "" {
		p.source = sourceBuiltIn
	}
	return p, err
}

func configuredBundle(ctx context.Context, file string) (policySet, error) {
	raw, err := readBounded(file, policy.MaxBundle)
	if err != nil {
		return policySet{}, fmt.Errorf("%w: policies: %w", config.ErrConfig, err)
	}
	b, err := policy.ReadBundle(raw)
	if err != nil {
		return policySet{}, err
	}
	p, err := readBundle(ctx, b)
	p.source, p.bundle = sourceBundle, raw
	return p, err
}

// approvers are who may approve policies, as gateway.yaml says by now.
func (s *Server) approvers() []approval.Officer { return *s.officers.Load() }

// approvedConfigured refuses a configured set that nobody has approved, where people are to.
func (s *Server) approvedConfigured(conf *config.Gateway, p policySet) error {
	if len(s.approvers()) == 0 || p.source == sourceBuiltIn {
		return nil
	}
	const todo = "leave policies out of gateway.yaml, start, and activate them: ontschot policy build, approve, activate"
	if p.source == sourceFolder {
		return fmt.Errorf("%w: policies: there are officers, and nobody has approved this folder; %s", config.ErrConfig, todo)
	}
	var approvals [][]byte
	for _, file := range conf.PolicyApprovals {
		one, err := config.ReadFile(conf.Path(file))
		if err != nil {
			return err
		}
		approvals = append(approvals, one)
	}
	about := approval.Subject{}
	if len(approvals) > 0 { // which reports they saw, all of them must say alike
		first, err := approval.Unverified(approvals[0])
		if err != nil {
			return err
		}
		about = first.Subject()
	}
	about.Bundle, about.Revision = sumHex(p.bundle), p.engine.Revision()
	if _, err := approval.Check(s.approvers(), about, approvals, s.now()); err != nil {
		return fmt.Errorf("%w: policy_approvals: %w; %s", config.ErrConfig, err, todo)
	}
	return nil
}

// settlePolicies says by which policies this gateway begins: the last that were activated by
// the log, or else those of the configuration. The log says so when they are others than
// before.
func (s *Server) settlePolicies(ctx context.Context, bc *BrokerConfig, configured policySet, broken error) error {
	s.policies = &policyKeeper{
		dir: filepath.Join(s.Conf.Path(s.Conf.Data), PolicyFolder), log: s.Log, own: s.own, officers: s.approvers, now: s.now, logger: s.logger,
	}
	p := configured
	list := s.Log.Register().Policies()
	if n := len(list); n > 0 && list[n-1].Status != register.PolicyUsed {
		if broken != nil {
			s.logger.Warn("policies in gateway.yaml cannot be used; those that were activated are in force", "error", broken.Error())
		}
		var err error
		if p, err = s.policies.activated(ctx, list[n-1]); err != nil {
			return err
		}
	} else if broken != nil {
		return broken
	} else if err := s.approvedConfigured(s.Conf, p); err != nil {
		return err
	}
	if p.source == sourceFolder || p.source == sourceBundle && len(s.approvers()) == 0 {
		s.logger.Warn("these policies are used as they are: no officers stand in gateway.yaml, so nobody has to approve them", "revision", p.engine.Revision())
	}
	s.policies.current = p
	bc.Policy, bc.Texts, bc.Changes = policy.NewRules(p.engine), p.texts, p.changes
	s.policies.rules, s.policies.texts, s.policies.changes = bc.Policy, p.texts, p.changes
	return s.policies.used(ctx, list)
}

// readBounded reads a regular file of so many bytes at most.
func readBounded(path string, most int64) ([]byte, error) {
	is, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, err
	case !is.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", path)
	case is.Size() > most:
		return nil, fmt.Errorf("%s is larger than %d bytes", path, most)
	}
	return os.ReadFile(path)
}

// errPolicyFile says what to do about a file that the log names and that is not as it was.
func errPolicyFile(path, sum string, err error) error {
	return fmt.Errorf("%w: %s: %w. By the log these policies are in force, and no others are taken. Put the file back from a backup; or build it again from the same folder (ontschot policy build): its SHA-256 must be %s",
		config.ErrConfig, path, err, sum)
}

// policyChange is the payload of an entry by which policies come into force, as RFC 8785 JSON.
// Here and below members are in the order of their names.
type policyChange struct {
	Approvals    []string `json:"approvals"` // SHA-256 of each
	Bundle       string   `json:"bundle"`    // SHA-256
	Contract     string   `json:"contract"`
	Diff         string   `json:"diff"` // SHA-256 of the reports; empty: none
	Parent       string   `json:"parent"`
	ParentBundle string   `json:"parent_bundle"` // SHA-256; empty: it is not kept
	ParentSource string   `json:"parent_source"`
	Replay       string   `json:"replay"`
	Revision     string   `json:"revision"`
	Source       string   `json:"source"`
	Status       string   `json:"status"`
	Test         string   `json:"test"`
}

// contractChange is the version of its form.
const contractChange = "ontschot.policy-change/1"

func readChange(raw []byte) (c policyChange, err error) {
	if err = json.Unmarshal(raw, &c); err == nil && c.Contract != contractChange {
		err = errors.New("of another form")
	}
	return c, err
}

// changeAt reads what an entry of the log says of a change.
func (p *policyKeeper) changeAt(ctx context.Context, of register.PolicyChange) (policyChange, error) {
	raw, err := p.log.Payload(ctx, of.Entry)
	if err != nil {
		return policyChange{}, err
	}
	c, err := readChange(raw)
	if err == nil && (c.Revision != of.Revision || c.Parent != of.Parent) {
		err = errors.New("not what its leaf says")
	}
	if err != nil {
		return policyChange{}, fmt.Errorf("%w: entry %d: a change of the policies: %w", audit.ErrTampered, of.Entry, err)
	}
	return c, nil
}

// activated reads the policies that the log says are in force, from their bundle. One that is
// gone, or is another, is refused.
func (p *policyKeeper) activated(ctx context.Context, last register.PolicyChange) (policySet, error) {
	c, err := p.changeAt(ctx, last)
	if err != nil {
		return policySet{}, err
	}
	return p.kept(ctx, c)
}

// kept reads the bundle of a change.
func (p *policyKeeper) kept(ctx context.Context, c policyChange) (policySet, error) {
	path := p.path(c.Revision, kindBundle, c.Bundle)
	raw, err := readBounded(path, policy.MaxBundle)
	if err == nil && sumHex(raw) != c.Bundle {
		err = errors.New("it was changed")
	}
	if err != nil {
		return policySet{}, errPolicyFile(path, c.Bundle, err)
	}
	b, err := policy.ReadBundle(raw)
	if err != nil {
		return policySet{}, errPolicyFile(path, c.Bundle, err)
	}
	set, err := readBundle(ctx, b)
	if err == nil && b.Revision != c.Revision {
		err = fmt.Errorf("it is of revision %.12s, and the log says %.12s", b.Revision, c.Revision)
	}
	if err != nil {
		return policySet{}, errPolicyFile(path, c.Bundle, err)
	}
	set.source, set.bundle = c.Source, raw
	return set, nil
}

// CheckPolicies reads the policies of a configuration, or those that are built in, holds them
// against the officers who must have approved them, and gives their revision. Errors:
// config.ErrConfig, policy.ErrRules, wording.ErrTable, approval.ErrApproval.
func CheckPolicies(ctx context.Context, conf *config.Gateway, officers []approval.Officer) (string, error) {
	s := &Server{now: conf.Clock()}
	s.officers.Store(&officers)
	p, err := configuredPolicies(ctx, conf)
	if err != nil {
		return "", err
	}
	return p.engine.Revision(), s.approvedConfigured(conf, p)
}
