package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/approval"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Bounds: how many changes are told, and a piece of a file in bytes.
const (
	mostChanges   = 100
	operatorPiece = 32 << 10
)

// SendPolicies sends the files of an activation, by their kinds, in pieces that the gateway
// takes.
func SendPolicies(send func(*ontschotv1.PolicyFile) error, bundle []byte, approvals [][]byte, reports approval.Reports) error {
	one := func(kind string, raw []byte) error {
		for first := true; first || len(raw) > 0; first = false {
			n := min(len(raw), operatorPiece)
			if err := send(&ontschotv1.PolicyFile{Kind: kind, First: first, Data: raw[:n]}); err != nil {
				return err
			}
			raw = raw[n:]
		}
		return nil
	}
	err := one(kindBundle, bundle)
	for _, raw := range approvals {
		err = errors.Join(err, one(kindApproval, raw))
	}
	for _, report := range []struct {
		kind string
		raw  []byte
	}{{kindTest, reports.Test}, {kindDiff, reports.Diff}, {kindReplay, reports.Replay}} {
		if err == nil && len(report.raw) > 0 {
			err = one(report.kind, report.raw)
		}
	}
	return err
}

// filesOf reads what an operator sends, each file within its bound.
func filesOf(next func() (*ontschotv1.PolicyFile, error)) (offer, error) {
	var o offer
	files := map[string][][]byte{}
	left := mostOfKind()
	for last := ""; ; {
		piece, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return o, err
		}
		kind := piece.GetKind()
		more, known := left[kind]
		switch {
		case !known || !piece.GetFirst() && kind != last || len(piece.GetData()) > operatorPiece:
			return o, status.Error(codes.InvalidArgument, "no piece of a policy file")
		case piece.GetFirst() && kind != kindApproval && len(files[kind]) > 0, len(files[kind]) > 16:
			return o, status.Error(codes.InvalidArgument, "more files of a kind than there can be: "+kind)
		case len(piece.GetData()) > more:
			return o, status.Errorf(codes.FailedPrecondition, "%v: the %s is larger than %d bytes", ErrPolicies, kind, mostOfKind()[kind])
		}
		left[kind], last = more-len(piece.GetData()), kind
		if piece.GetFirst() {
			files[kind] = append(files[kind], nil)
		}
		if n := len(files[kind]); n > 0 {
			files[kind][n-1] = append(files[kind][n-1], piece.GetData()...)
		}
	}
	one := func(kind string) []byte { return slices.Concat(files[kind]...) }
	o.bundle, o.approvals = one(kindBundle), files[kindApproval]
	o.reports = approval.Reports{Test: one(kindTest), Diff: one(kindDiff), Replay: one(kindReplay)}
	return o, nil
}

// refusedChange is what an operator hears of a change that did not come about.
func refusedChange(err error) error {
	if errors.Is(err, ErrPolicies) || errors.Is(err, register.ErrPolicy) {
		return status.Error(codes.FailedPrecondition, err.Error())
	}
	return status.Error(codes.Unavailable, err.Error())
}

// ActivatePolicy implements the operator's service.
func (o operator) ActivatePolicy(stream ontschotv1.OperatorService_ActivatePolicyServer) error {
	files, err := filesOf(func() (*ontschotv1.PolicyFile, error) {
		r, err := stream.Recv()
		return r.GetFile(), err
	})
	if err != nil {
		return err
	}
	entry, err := o.server.policies.activate(stream.Context(), files)
	if err != nil {
		return refusedChange(err)
	}
	return stream.SendAndClose(&ontschotv1.ActivatePolicyResponse{Change: o.server.policies.told(stream.Context(), entry)})
}

// RollbackPolicy implements the operator's service.
func (o operator) RollbackPolicy(ctx context.Context, _ *ontschotv1.RollbackPolicyRequest) (*ontschotv1.RollbackPolicyResponse, error) {
	entry, err := o.server.policies.rollback(ctx)
	if err != nil {
		return nil, refusedChange(err)
	}
	return &ontschotv1.RollbackPolicyResponse{Change: o.server.policies.told(ctx, entry)}, nil
}

// GetPolicies implements the operator's service.
func (o operator) GetPolicies(ctx context.Context, _ *ontschotv1.GetPoliciesRequest) (*ontschotv1.GetPoliciesResponse, error) {
	p := o.server.policies
	p.mu.Lock()
	out := &ontschotv1.GetPoliciesResponse{Revision: p.current.engine.Revision(), Source: p.current.source, Shadow: toldShadow(p.rules.Shadow())}
	if p.refused != nil {
		out.Refused, out.RefusedAt = p.refused.Error(), timestamppb.New(p.refusedAt)
	}
	p.mu.Unlock()
	list := p.log.Register().Policies()
	for i := len(list) - 1; i >= 0 && len(out.Changes) < mostChanges; i-- {
		out.Changes = append(out.Changes, p.tell(ctx, list[i]))
	}
	if len(out.Changes) > 0 {
		out.Since = out.Changes[0].GetAt()
	}
	return out, nil
}

// told is tell of the change of an entry.
func (p *policyKeeper) told(ctx context.Context, entry int64) *ontschotv1.PolicyChange {
	for _, c := range p.log.Register().Policies() {
		if c.Entry == entry {
			return p.tell(ctx, c)
		}
	}
	return nil
}

// tell says what is known of a change: what the log holds of it, and what of its files is
// still as it was.
func (p *policyKeeper) tell(ctx context.Context, of register.PolicyChange) *ontschotv1.PolicyChange {
	out := &ontschotv1.PolicyChange{
		Entry: of.Entry, At: timestamppb.New(time.UnixMilli(of.Since)), Revision: of.Revision, Parent: of.Parent, Status: string(of.Status),
	}
	c, err := p.changeAt(ctx, of)
	if err != nil {
		return out
	}
	out.Bundle = c.Bundle
	for _, sum := range c.Approvals {
		one := &ontschotv1.PolicyApproval{Name: "?", Role: fmt.Sprintf("%s is not in the data folder any more", p.path(c.Revision, kindApproval, sum))}
		if raw, err := readBounded(p.path(c.Revision, kindApproval, sum), 1<<20); err == nil && sumHex(raw) == sum {
			if says, err := approval.Unverified(raw); err == nil {
				one = &ontschotv1.PolicyApproval{Name: says.Name, Role: says.Role, At: timestamppb.New(time.Unix(says.At, 0))}
			}
		}
		out.Approvals = append(out.Approvals, one)
	}
	return out
}
