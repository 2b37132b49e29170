package server

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/ontschot/ontschot/gateway/policy"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// shadow has a bundle judge beside the policies in force. Nobody has to approve it: it decides
// nothing. Errors: ErrPolicies.
func (p *policyKeeper) shadow(ctx context.Context, bundle []byte) (*policy.Shadow, error) {
	b, err := policy.ReadBundle(bundle)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPolicies, err)
	}
	candidate, err := readBundle(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPolicies, err)
	}
	p.changing.Lock() // not while others come into force
	defer p.changing.Unlock()
	s := policy.NewShadow(candidate.engine, p.now())
	p.rules.Beside(s)
	p.logger.Info("policies judge in shadow", "revision", b.Revision)
	return s, nil
}

// StartShadow implements the operator's service.
func (o operator) StartShadow(stream ontschotv1.OperatorService_StartShadowServer) error {
	files, err := filesOf(func() (*ontschotv1.PolicyFile, error) {
		r, err := stream.Recv()
		return r.GetFile(), err
	})
	if err != nil {
		return err
	}
	s, err := o.server.policies.shadow(stream.Context(), files.bundle)
	if err != nil {
		return refusedChange(err)
	}
	return stream.SendAndClose(&ontschotv1.StartShadowResponse{Shadow: toldShadow(s)})
}

// StopShadow implements the operator's service.
func (o operator) StopShadow(context.Context, *ontschotv1.StopShadowRequest) (*ontschotv1.StopShadowResponse, error) {
	s := o.server.policies.rules.Beside(nil)
	if s == nil {
		return nil, status.Error(codes.FailedPrecondition, "no policies judge in shadow; an activation and a restart end them")
	}
	return &ontschotv1.StopShadowResponse{Shadow: toldShadow(s)}, nil
}

// toldShadow is what a shadow has counted; nil when there is none.
func toldShadow(s *policy.Shadow) *ontschotv1.PolicyShadow {
	if s == nil {
		return nil
	}
	c := s.Counts()
	out := &ontschotv1.PolicyShadow{
		Revision: c.Revision, Since: timestamppb.New(c.Since), Judged: c.Judged, Dropped: c.Dropped, Failed: c.Failed, Different: c.Different,
	}
	for _, d := range c.Differences {
		out.Differences = append(out.Differences, &ontschotv1.PolicyDifference{
			Source: d.Source, Purpose: d.Purpose, Law: d.Law, Effect: d.Effect, Reason: d.Reason, Count: d.Count,
		})
	}
	return out
}
