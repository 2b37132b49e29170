package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/token"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// domain of every google.rpc.ErrorInfo.
const domain = "ontschot.nl"

var (
	errPurpose   = errors.New("the access token was not issued for this purpose")
	errMidnight  = errors.New("the day ended while the question was asked")
	errSecond    = errors.New("the second token is of no other person of the same organisation, case, purpose and client")
	errCase      = errors.New("what is asked about is of another case than the token")
	errRole      = errors.New("the role or assurance level of the case worker does not suffice")
	errTooOld    = errors.New("the budget is older than the agreements allow")
	errStore     = errors.New("the store cannot be read")
	errNotOwn    = errors.New("the caller is of another organisation than the gateway")
	errBadAnswer = errors.New("the answer of the source breaks its contract")

	errPurposeUnknown = errors.New("nobody can be asked for this purpose")

	errNoAgreement = errors.New("no agreement or proposal has this id")
	errOtherTerms  = errors.New("these are not the terms that were proposed")
	errOwnProposal = errors.New("the proposal is this organisation's own")
	errClosed      = errors.New("the proposal was answered, replaced or taken back")
	errInForce     = errors.New("the agreement has been accepted")
	errNotInForce  = errors.New("the proposal has not been accepted")
	errDeliveries  = errors.New("this party has brought too many documents in this hour")
	errHalfway     = errors.New("the other party's gateway did not answer; the agreement may be in force at its end")
	errAssurance   = errors.New("who signs for an organisation must be known well enough")
	errActor       = errors.New("who acts for another organisation does not pass that on")
	errTooMany     = errors.New("too many proposals of this party wait for an answer")
	errCertificate = errors.New("the certificate of the connection has ended, or its authority is not believed any more")
	errNoPeer      = errors.New("the certificate is of no organisation this gateway deals with")
	errUnreached   = errors.New("the other party's gateway cannot be reached")
)

// meaning is how an error is told to a caller: code, reason, and what to do next.
type meaning struct {
	is     error
	code   codes.Code
	reason string
	next   string
}

// meanings is the one table of errors. What is not in it is Internal and unsaid.
func meanings() []meaning {
	return []meaning{
		{token.ErrMissing, codes.Unauthenticated, "TOKEN_MISSING", `send the metadata "authorization: Bearer <token>"`},
		{token.ErrExpired, codes.Unauthenticated, "TOKEN_EXPIRED", "ask your token issuer for a new one"},
		{token.ErrBinding, codes.Unauthenticated, "TOKEN_NOT_BOUND", "use the token on the connection of the certificate it was issued for"},
		{token.ErrAudience, codes.Unauthenticated, "TOKEN_AUDIENCE", "ask for a token whose audience is this gateway's OIN"},
		{token.ErrRole, codes.Unauthenticated, "TOKEN_ROLE", "the token must hold exactly one role that the trust file knows of its issuer"},
		{token.ErrIssuer, codes.Unavailable, "ISSUER_UNAVAILABLE", "try again, and tell the operator if it lasts"},
		{token.ErrDelegation, codes.PermissionDenied, "NO_DELEGATION", "let the organisation register a signed delegation for the one that acts, with this purpose"},
		{token.ErrDocument, codes.InvalidArgument, "DELEGATION_INVALID", "let the organisation that is acted for sign it again"},
		{token.ErrInvalid, codes.Unauthenticated, "TOKEN_INVALID", "ask your token issuer for a token as RFC 9068 describes, signed with a key this gateway has pinned"},
		{errPurpose, codes.PermissionDenied, budgetv1.ReasonPurposeNotAllowed, "ask your token issuer for a token whose authorization_details name the purpose, the sources and the categories"},
		{errSecond, codes.PermissionDenied, "SECOND_PERSON", "let another case worker log in for the same case, and send that token as ontschot-second"},
		{errNotOwn, codes.PermissionDenied, "OTHER_ORGANISATION", "ask the gateway of your own organisation"},
		{audit.ErrUnavailable, codes.Unavailable, "RECORD_UNAVAILABLE", "nothing was released; try again, and tell the operator if it lasts"},
		{audit.ErrDamaged, codes.Unavailable, "RECORD_UNAVAILABLE", "nothing was released; the operator runs: ontschot audit verify"},
		{audit.ErrTampered, codes.Unavailable, "RECORD_UNAVAILABLE", "nothing was released; the operator runs: ontschot audit verify"},
		{audit.ErrBehind, codes.Unavailable, "RECORD_UNAVAILABLE", "nothing was released; the operator puts a whole record back: ontschot restore"},
		{audit.ErrNoDocument, codes.NotFound, "NO_DOCUMENT", "register the consent first"},
		{audit.ErrConflict, codes.AlreadyExists, "DOCUMENT_CONFLICT", "another document has this id; issue it under a new one"},
		{audit.ErrEnded, codes.FailedPrecondition, "DOCUMENT_ENDED", "issue a new document; for a budget that rests on it: ask for a new one"},
		{register.ErrReplaced, codes.FailedPrecondition, "DOCUMENT_REPLACED", "name the last of those that came in its place"},
		{register.ErrKeyState, codes.FailedPrecondition, "KEY_NOT_IN_USE", "sign it with a key that is in use; the trust files say which are"},
		{register.ErrNotWaiting, codes.FailedPrecondition, "NOT_WAITING", "it counts as it is"},
		{errBothWait, codes.FailedPrecondition, "UNCERTAIN", "propose it again, in its place: what both sign now is certain"},
		{register.ErrSaysLess, codes.FailedPrecondition, "SAYS_LESS", "name the consent that it replaces, or narrow that one"},
		{audit.ErrDay, codes.Aborted, "DAY_CHANGED", "ask again"},
		{errMidnight, codes.Aborted, "DAY_CHANGED", "ask again"},
		{audit.ErrJudged, codes.Aborted, "CHANGED_MEANWHILE", "ask again"},
		{errCase, codes.PermissionDenied, budgetv1.ReasonOtherHousehold, "use a token for the case it belongs to"},
		{errRole, codes.PermissionDenied, budgetv1.ReasonPolicyDenied, "the matrix of the policy says which roles and levels may"},
		{errTooOld, codes.FailedPrecondition, "BUDGET_TOO_OLD", "ask for a new budget"},
		{result.ErrMismatch, codes.InvalidArgument, "BUDGET_NOT_AUTHENTIC", "bring the budget exactly as this gateway released it"},
		{errPurposeUnknown, codes.InvalidArgument, budgetv1.ReasonPurposeNotAllowed, "the policy and the texts know which purposes there are"},
		{consent.ErrAuthority, codes.FailedPrecondition, budgetv1.ReasonAuthorityUnclear, "a case worker finds out who may sign (gezagsregister, a ruling of the court) and asks again with what was found"},
		{consent.ErrWrongSigner, codes.FailedPrecondition, budgetv1.ReasonWrongSigner, "AskConsent says who must sign"},
		{consent.ErrOtherPerson, codes.PermissionDenied, "OTHER_PERSON", "name the person the consent is of"},
		{consent.ErrDocument, codes.InvalidArgument, "CONSENT_INVALID", "let the keeper issue it again"},
		{agreement.ErrDocument, codes.InvalidArgument, "AGREEMENT_INVALID", "every party must sign the same terms with a key this gateway has pinned"},
		{agreement.ErrDraft, codes.InvalidArgument, "DRAFT_INVALID", "mend the draft and read it again: ontschot agreement new writes one that is good"},
		{agreement.ErrStatement, codes.InvalidArgument, "STATEMENT_INVALID", "it must be signed by a party, about the terms as they were signed"},
		{errNoAgreement, codes.NotFound, "NO_AGREEMENT", "ontschot agreement list shows what there is"},
		{errOtherTerms, codes.FailedPrecondition, "OTHER_TERMS", "read the terms again, and accept what you have read"},
		{errOwnProposal, codes.FailedPrecondition, "OWN_PROPOSAL", "the other party accepts it; you can take it back with reject"},
		{errClosed, codes.FailedPrecondition, "PROPOSAL_CLOSED", "ontschot agreement show tells what became of it; propose again"},
		{errInForce, codes.FailedPrecondition, "IN_FORCE", "revoke it, or propose what is to take its place"},
		{errNotInForce, codes.FailedPrecondition, "NOT_IN_FORCE", "reject it"},
		{errDeliveries, codes.ResourceExhausted, "TOO_MANY_DELIVERIES", "bring the rest later"},
		{errHalfway, codes.Unavailable, "PEER_SILENT", "accept it again: whatever came of it, both ends then keep the same"},
		{errAssurance, codes.PermissionDenied, "ASSURANCE_TOO_LOW", "log in at the level substantieel or higher"},
		{errActor, codes.PermissionDenied, "DELEGATE_MAY_NOT", "the organisation itself delegates, and ends delegations"},
		{errTooMany, codes.ResourceExhausted, "TOO_MANY_PROPOSALS", "wait until some have been answered, or take some back"},
		{errCertificate, codes.Unauthenticated, "CERTIFICATE_NOT_TRUSTED", "connect again with a certificate that is valid now"},
		{errNoPeer, codes.Unauthenticated, "UNKNOWN_PEER", "both organisations must be in the trust file, with the OIN of the certificate"},
		{errUnreached, codes.Unavailable, "PEER_UNREACHABLE", "nothing has come into force; try again, and tell the other party if it lasts"},
		{audit.ErrKeyReused, codes.FailedPrecondition, "IDEMPOTENCY_KEY_REUSED", "use a new key for another request"},
		{register.ErrRefused, codes.InvalidArgument, "DOCUMENT_DOES_NOT_FIT", "read what it is to take the place of, and say so"},
		{errStore, codes.Unavailable, "RECORD_UNAVAILABLE", "nothing was released; try again, and tell the operator if it lasts"},
		{context.DeadlineExceeded, codes.DeadlineExceeded, "DEADLINE", "allow more time"},
		{context.Canceled, codes.Canceled, "CANCELLED", "the caller hung up"},
	}
}

// denied means that the caller may ask nothing at all of what was asked.
type denied struct{ gaps []*budgetv1.Gap }

func (d *denied) Error() string { return "nothing of what was asked is permitted" }

// refuse maps an error at the edge, once, and notes it in the request log.
func (g *Gateway) refuse(ctx context.Context, err error) error {
	out := outward(err)
	s := status.Convert(out)
	log := g.Log
	if t := trailOf(ctx); t != nil {
		log = log.With("trace", t.trace, "link", t.link)
	}
	log.Info("refused", "code", s.Code().String(), "reason", reasonOf(s))
	if s.Code() == codes.Internal {
		log.Error("internal error", "kind", fmt.Sprintf("%T", err)) // its text may hold anything
	}
	return out
}

func outward(err error) error {
	var bad *violation
	if errors.As(err, &bad) {
		return rpcError(codes.InvalidArgument, bad.Error(), "INVALID_FIELD", map[string]string{"field": bad.field},
			&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: bad.field, Description: bad.what}}})
	}
	var refused *policy.RefusedError
	if errors.As(err, &refused) {
		return rpcError(codes.PermissionDenied, errRole.Error()+"; the table of operations says which roles and levels may: "+string(refused.Operation), budgetv1.ReasonPolicyDenied,
			map[string]string{"codes": strings.Join(refused.Codes, " "), "operation": string(refused.Operation)})
	}
	var lacks *consent.MandateError
	if errors.As(err, &lacks) {
		return rpcError(codes.FailedPrecondition, lacks.Error()+"; AskConsent says who must sign", budgetv1.ReasonWrongSigner, nil)
	}
	var no *denied
	if errors.As(err, &no) {
		return no.status()
	}
	var peer *peerRefusal
	if errors.As(err, &peer) {
		return peer.status()
	}
	for _, m := range meanings() {
		if errors.Is(err, m.is) {
			return rpcError(m.code, m.is.Error()+"; "+m.next, m.reason, nil)
		}
	}
	return rpcError(codes.Internal, "something went wrong inside the gateway; its operator finds more in its log", "INTERNAL", nil)
}

// maxReasons bounds the pairs whose own reason is told; all reasons are always told.
const maxReasons = 48

// status tells the first reason in the order of the locks, and each pair's own.
func (d *denied) status() error {
	order := budgetv1.GapReasons()
	reasons, policyCodes := map[string]bool{}, map[string]bool{}
	metadata := map[string]string{}
	for _, gap := range d.gaps {
		reasons[gap.GetReason()] = true
		for code := range strings.FieldsSeq(gap.GetCode()) {
			policyCodes[code] = true
		}
		if len(metadata) < maxReasons { // a trailer must fit where others read it
			metadata[gap.GetPerson()+"/"+gap.GetSource()] = gap.GetReason()
		}
	}
	sorted := slices.SortedFunc(maps.Keys(reasons), func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	if len(sorted) == 0 { // a no that says no reason is the policy's
		sorted = []string{budgetv1.ReasonPolicyDenied}
	}
	metadata["reasons"] = strings.Join(sorted, " ")
	metadata["codes"] = strings.Join(slices.Sorted(maps.Keys(policyCodes)), " ")
	return rpcError(codes.PermissionDenied, d.Error()+": "+metadata["reasons"], sorted[0], metadata)
}

func rpcError(code codes.Code, text, reason string, metadata map[string]string, more ...protoadapt.MessageV1) error {
	details := append([]protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: reason, Domain: domain, Metadata: metadata}}, more...)
	s, err := status.New(code, text).WithDetails(details...)
	if err != nil {
		return status.Error(code, text)
	}
	return s.Err()
}

func reasonOf(s *status.Status) string {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// path is what a place in a source's message can look like; anything else a source
// says of it is not passed on.
var (
	path   = regexp.MustCompile(`^[A-Za-z0-9_/.\[\]-]{1,128}$`)
	number = regexp.MustCompile(`[0-9]{6}`)
)

// pathOf says where in the source's message the data was bad, never what stood there.
func pathOf(s *status.Status) string {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && path.MatchString(info.GetMetadata()["path"]) && !number.MatchString(info.GetMetadata()["path"]) {
			return info.GetMetadata()["path"]
		}
	}
	return ""
}

// gapOf maps what a source said, or did not say, to a reason of the closed list;
// what it said itself is the code.
func gapOf(ctx context.Context, err error) *budgetv1.Gap {
	if errors.Is(err, errBadAnswer) {
		return &budgetv1.Gap{Reason: budgetv1.ReasonBadDataAtSource}
	}
	s := status.Convert(err)
	said := reasonOf(s)
	switch said {
	case "BAD_DATA_AT_SOURCE", "ADAPTER_BUG", "NOT_CONFIGURED", "SUBJECT_NOT_FOUND":
		return &budgetv1.Gap{Reason: budgetv1.ReasonBadDataAtSource, Code: strings.TrimSpace(said + " " + pathOf(s))}
	case "NOT_AUTHORISED_AT_SOURCE", "SCOPE_UNSUPPORTED":
		return &budgetv1.Gap{Reason: budgetv1.ReasonPeerRefused, Code: said}
	case "SOURCE_TIMEOUT":
		return &budgetv1.Gap{Reason: budgetv1.ReasonSourceTimeout}
	}
	if s.Code() == codes.DeadlineExceeded || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &budgetv1.Gap{Reason: budgetv1.ReasonSourceTimeout}
	}
	return &budgetv1.Gap{Reason: budgetv1.ReasonSourceUnavailable}
}
