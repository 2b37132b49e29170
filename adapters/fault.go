package adapters

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Domain is the ErrorInfo domain of every error an adapter gives.
const Domain = "adapter.ontschot.nl"

// Reasons of errors: the closed list of the adapter service.
const (
	ReasonSubjectNotFound   = budgetv1.FaultSubjectNotFound
	ReasonNotAuthorised     = budgetv1.FaultNotAuthorised
	ReasonScopeUnsupported  = budgetv1.FaultScopeUnsupported
	ReasonSourceUnavailable = budgetv1.FaultSourceUnavailable
	ReasonSourceTimeout     = budgetv1.FaultSourceTimeout
	ReasonRateLimited       = budgetv1.FaultRateLimited
	ReasonBadData           = budgetv1.FaultBadData
	ReasonNotConfigured     = budgetv1.FaultNotConfigured
	ReasonAdapterBug        = budgetv1.FaultAdapterBug
)

// Fault makes the error of a reason. detail is what stands in the metadata:
// paths and rules, never what was found there.
func Fault(code codes.Code, reason string, detail map[string]string) error {
	s, err := status.New(code, reason).WithDetails(&errdetails.ErrorInfo{
		Reason: reason, Domain: Domain, Metadata: detail,
	})
	if err != nil {
		return status.Error(code, reason) // only for codes.OK, which no caller passes
	}
	return s.Err()
}

// SubjectNotFound says that the identifier itself is unknown at a source that
// distinguishes this from having nothing. Normally an answer without lines is given.
func SubjectNotFound() error { return Fault(codes.NotFound, ReasonSubjectNotFound, nil) }

// LoginRefused says that the source does not accept our name or secret.
func LoginRefused() error {
	return Fault(codes.PermissionDenied, ReasonNotAuthorised, map[string]string{"cause": budgetv1.GapLoginRefused})
}

// NotAuthorised says that the source refuses us.
func NotAuthorised() error { return Fault(codes.PermissionDenied, ReasonNotAuthorised, nil) }

// ScopeUnsupported says that the request has a part this adapter cannot answer.
func ScopeUnsupported(path string) error {
	return Fault(codes.InvalidArgument, ReasonScopeUnsupported, map[string]string{"path": path})
}

// Unavailable says that the source cannot be reached or does not work.
func Unavailable() error { return Fault(codes.Unavailable, ReasonSourceUnavailable, nil) }

// Timeout says that the source did not answer in time.
func Timeout() error { return Fault(codes.DeadlineExceeded, ReasonSourceTimeout, nil) }

// RateLimited says that the source takes no more requests for now.
func RateLimited() error { return Fault(codes.ResourceExhausted, ReasonRateLimited, nil) }

// BadData says that the source gave what cannot be right: path says where in
// its message, rule what should have been there. Neither may hold a value of it.
func BadData(path, rule string) error {
	return Fault(codes.DataLoss, ReasonBadData, map[string]string{"path": path, "rule": rule})
}

// NotConfigured says that there is no configuration yet.
func NotConfigured() error { return Fault(codes.FailedPrecondition, ReasonNotConfigured, nil) }

// Bug says that the adapter itself is wrong.
func Bug() error { return Fault(codes.Internal, ReasonAdapterBug, nil) }

// FromTransport turns an error of a network call into the one to return. The
// text of network errors holds addresses and sometimes more: it is not kept.
func FromTransport(ctx context.Context, err error) error {
	var timeout net.Error
	switch {
	case Reason(err) != "":
		return err
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Timeout()
	}
	if cause := causeOf(err); cause != "" {
		return Fault(codes.Unavailable, ReasonSourceUnavailable, map[string]string{"cause": cause})
	}
	return Unavailable()
}

// causeOf says what a network call failed by, as far as it decides who can repair it.
func causeOf(err error) string {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var alert *net.OpError
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return budgetv1.GapNameNotFound
	case errors.As(err, &certificate):
		return budgetv1.GapSourceCertificate
	case errors.As(err, &alert) && alert.Op == "remote error": // crypto/tls: an alert of the other side
		if text := alert.Err.Error(); strings.Contains(text, "certificate") {
			return budgetv1.GapCertificateRefused
		}
	}
	return ""
}

// Reason reads the reason of an error that came from an adapter; empty for any other.
func Reason(err error) string { return info(err).GetReason() }

// Cause reads what an error was caused by, by who can repair it: a code of
// budgetv1.GapDetails, or empty.
func Cause(err error) string {
	cause := info(err).GetMetadata()["cause"]
	for _, known := range budgetv1.GapDetails() {
		if slices.Contains(known, cause) {
			return cause
		}
	}
	return ""
}

// Path reads where in the source's message the data was bad.
func Path(err error) string { return info(err).GetMetadata()["path"] }

// Rule reads what should have stood there.
func Rule(err error) string { return info(err).GetMetadata()["rule"] }

func info(err error) *errdetails.ErrorInfo {
	s, ok := status.FromError(err)
	if !ok {
		return nil
	}
	for _, d := range s.Details() {
		if found, ok := d.(*errdetails.ErrorInfo); ok && found.GetDomain() == Domain {
			return found
		}
	}
	return nil
}

// public keeps an error that was made with the functions above and hides any other.
func public(err error) error {
	switch {
	case err == nil, Reason(err) != "":
		return err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Timeout()
	default:
		return Bug()
	}
}
