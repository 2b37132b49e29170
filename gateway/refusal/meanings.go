// Package refusal answers: which error does a caller get when it is refused? Errors are mapped
// here, once, at the edge of the gateway; what is not in the table is Internal and unsaid.
package refusal

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/token"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// domain of every google.rpc.ErrorInfo.
const domain = "ontschot.nl"

// Reasons of no error in particular.
const (
	internal     = "INTERNAL"
	invalidField = "INVALID_FIELD"
)

// meaning is what a caller sees of an error: code, reason, and what to do next.
type meaning struct {
	is     error
	code   codes.Code
	reason string
	next   string
}

// meanings is the one table of errors. What is not in it is Internal and unsaid.
func meanings() []meaning {
	return slices.Concat(betweenGateways(), []meaning{
		{token.ErrMissing, codes.Unauthenticated, ontschotv1.ReasonTokenMissing, `send the metadata "authorization: Bearer <token>"`},
		{token.ErrExpired, codes.Unauthenticated, ontschotv1.ReasonTokenExpired, "ask your token issuer for a new one"},
		{token.ErrBinding, codes.Unauthenticated, ontschotv1.ReasonTokenNotBound, "use the token on the connection of the certificate it was issued for"},
		{token.ErrAudience, codes.Unauthenticated, ontschotv1.ReasonTokenAudience, "ask for a token whose audience is this gateway's OIN"},
		{token.ErrRole, codes.Unauthenticated, "TOKEN_ROLE", "the token must hold exactly one role that the trust file knows of its issuer"},
		{token.ErrIssuer, codes.Unavailable, "ISSUER_UNAVAILABLE", "try again, and tell the operator if it lasts"},
		{token.ErrDelegation, codes.PermissionDenied, "NO_DELEGATION", "let the organisation register a signed delegation for the one that acts, with this purpose"},
		{token.ErrDocument, codes.InvalidArgument, "DELEGATION_INVALID", "let the organisation that is acted for sign it again"},
		{token.ErrInvalid, codes.Unauthenticated, ontschotv1.ReasonTokenInvalid, "ask your token issuer for a token as RFC 9068 describes, signed with a key this gateway has pinned"},
		{admission.ErrPurpose, codes.PermissionDenied, budgetv1.ReasonPurposeNotAllowed, "ask your token issuer for a token whose authorization_details name the purpose, the sources and the categories"},
		{admission.ErrSecond, codes.PermissionDenied, "SECOND_PERSON", "let another case worker log in for the same case, and send that token as ontschot-second"},
		{admission.ErrNotOwn, codes.PermissionDenied, "OTHER_ORGANISATION", "ask the gateway of your own organisation"},
		{audit.ErrUnavailable, codes.Unavailable, ontschotv1.ReasonRecordUnavailable, "nothing was released; try again, and tell the operator if it lasts"},
		{audit.ErrDamaged, codes.Unavailable, ontschotv1.ReasonRecordUnavailable, "nothing was released; the operator runs: ontschot audit verify"},
		{audit.ErrTampered, codes.Unavailable, ontschotv1.ReasonRecordUnavailable, "nothing was released; the operator runs: ontschot audit verify"},
		{audit.ErrBehind, codes.Unavailable, ontschotv1.ReasonRecordUnavailable, "nothing was released; the operator puts a whole record back: ontschot restore"},
		{audit.ErrNoDocument, codes.NotFound, "NO_DOCUMENT", "register the consent first"},
		{audit.ErrConflict, codes.AlreadyExists, ontschotv1.ReasonDocumentConflict, "another document has this id; issue it under a new one"},
		{audit.ErrEnded, codes.FailedPrecondition, ontschotv1.ReasonDocumentEnded, "issue a new document; for a budget that rests on it: ask for a new one"},
		{register.ErrReplaced, codes.FailedPrecondition, ontschotv1.ReasonDocumentReplaced, "name the last of those that came in its place"},
		{register.ErrKeyState, codes.FailedPrecondition, "KEY_NOT_IN_USE", "sign it with a key that is in use; the trust files say which are"},
		{register.ErrNotWaiting, codes.FailedPrecondition, "NOT_WAITING", "it counts as it is"},
		{agreement.ErrBothWait, codes.FailedPrecondition, ontschotv1.ReasonBothWait, "propose it again, in its place: what both sign now is certain"},
		{register.ErrSaysLess, codes.FailedPrecondition, "SAYS_LESS", "name the consent that it replaces, or narrow that one"},
		{audit.ErrDay, codes.Aborted, "DAY_CHANGED", "ask again"},
		{audit.ErrJudged, codes.Aborted, ontschotv1.ReasonChangedMeanwhile, "ask again"},
		{token.ErrCase, codes.PermissionDenied, budgetv1.ReasonOtherHousehold, "use a token for the case it belongs to"},
		{policy.ErrRole, codes.PermissionDenied, budgetv1.ReasonPolicyDenied, "the matrix of the policy says which roles and levels may"},
		{agreement.ErrAssurance, codes.PermissionDenied, budgetv1.ReasonPolicyDenied, "log in at the level that the agreement asks for"},
		{result.ErrTooOld, codes.FailedPrecondition, "BUDGET_TOO_OLD", "ask for a new budget"},
		{result.ErrMismatch, codes.InvalidArgument, "BUDGET_NOT_AUTHENTIC", "present the budget exactly as this gateway released it"},
		{consent.ErrPurpose, codes.InvalidArgument, budgetv1.ReasonPurposeNotAllowed, "the policy and the texts know which purposes there are"},
		{consent.ErrAuthority, codes.FailedPrecondition, budgetv1.ReasonAuthorityUnclear, "a case worker finds out who may sign (gezagsregister, a ruling of the court) and asks again with what was found"},
		{consent.ErrWrongSigner, codes.FailedPrecondition, budgetv1.ReasonWrongSigner, "AskConsent says who must sign"},
		{consent.ErrOtherPerson, codes.PermissionDenied, "OTHER_PERSON", "name the person the consent is of"},
		{consent.ErrDocument, codes.InvalidArgument, "CONSENT_INVALID", "let the keeper issue it again"},
		{agreement.ErrDocument, codes.InvalidArgument, ontschotv1.ReasonAgreementInvalid, "every party must sign the same terms with a key this gateway has pinned"},
		{agreement.ErrDraft, codes.InvalidArgument, "DRAFT_INVALID", "mend the draft and read it again: ontschot agreement new writes one that is good"},
		{agreement.ErrStatement, codes.InvalidArgument, ontschotv1.ReasonStatementInvalid, "it must be signed by a party, about the terms as they were signed"},
		{agreement.ErrUnknown, codes.NotFound, ontschotv1.ReasonUnknownAgreement, "ontschot agreement list shows what there is"},
		{agreement.ErrOtherTerms, codes.FailedPrecondition, ontschotv1.ReasonOtherTerms, "read the terms again, and accept what you have read"},
		{agreement.ErrOwnProposal, codes.FailedPrecondition, "OWN_PROPOSAL", "the other party accepts it; you can take it back with reject"},
		{agreement.ErrClosed, codes.FailedPrecondition, ontschotv1.ReasonProposalClosed, "ontschot agreement show says what became of it; propose again"},
		{agreement.ErrInForce, codes.FailedPrecondition, ontschotv1.StatusInForce, "revoke it, or propose what is to take its place"},
		{agreement.ErrNotInForce, codes.FailedPrecondition, "NOT_IN_FORCE", "reject it"},
		{agreement.ErrDeliveries, codes.ResourceExhausted, ontschotv1.ReasonTooManyDeliveries, "deliver the rest later"},
		{agreement.ErrHalfway, codes.Unavailable, "PEER_SILENT", "accept it again: whatever came of it, both ends then hold the same"},
		{admission.ErrAssurance, codes.PermissionDenied, "ASSURANCE_TOO_LOW", "log in at the level substantieel or higher"},
		{admission.ErrActor, codes.PermissionDenied, "DELEGATE_MAY_NOT", "the organisation itself delegates, and ends delegations"},
		{agreement.ErrTooMany, codes.ResourceExhausted, ontschotv1.ReasonTooManyProposals, "wait until some have been answered, or take some back"},
		{admission.ErrCertificate, codes.Unauthenticated, ontschotv1.ReasonCertificate, "connect again with a certificate that is valid now"},
		{agreement.ErrUnreached, codes.Unavailable, "PEER_UNREACHABLE", "nothing has come into force; try again, and tell the other party if it lasts"},
		{audit.ErrKeyReused, codes.FailedPrecondition, "IDEMPOTENCY_KEY_REUSED", "use a new key for another request"},
		{register.ErrRefused, codes.InvalidArgument, "DOCUMENT_DOES_NOT_FIT", "read what it is to take the place of, and say so"},
	}, ofAnyCall())
}

// ofAnyCall are those of no call in particular; an error that says more comes before them.
func ofAnyCall() []meaning {
	return []meaning{
		{admission.ErrEnding, codes.Unavailable, ontschotv1.ReasonGatewayEnding, "try again at this address in a few seconds"},
		{context.DeadlineExceeded, codes.DeadlineExceeded, "DEADLINE", "allow more time"},
		{context.Canceled, codes.Canceled, "CANCELLED", "the caller hung up"},
	}
}

// betweenGateways are those of questions that other organisations' gateways ask.
func betweenGateways() []meaning {
	return []meaning{
		{admission.ErrNoPeer, codes.Unauthenticated, ontschotv1.ReasonUnknownPeer, "both organisations must be in the trust file, with the OIN of the certificate"},
		{token.ErrUsed, codes.FailedPrecondition, ontschotv1.ReasonPermitUsed, "write a new permit for every question"},
		{token.ErrPermitTime, codes.Unauthenticated, ontschotv1.ReasonPermitTime, "set the clocks of both gateways by NTP; a permit is written when it is used"},
		{token.ErrPermit, codes.PermissionDenied, ontschotv1.ReasonPermitInvalid, "write the permit over exactly what is asked"},
		{admission.ErrNumber, codes.PermissionDenied, "NUMBER_NOT_ALLOWED", "ask with the number that this kind of source goes by, and no other"},
		{admission.ErrRate, codes.ResourceExhausted, budgetv1.GapRateLimited, "ask again in the next minute; the agreement says how many"},
		{admission.ErrDescribed, codes.ResourceExhausted, "TOO_MANY_QUESTIONS", "ask again in the next minute"},
		{admission.ErrEvaluated, codes.ResourceExhausted, "TOO_MANY_QUESTIONS", "ask again in the next minute"},
		{admission.ErrNoSource, codes.FailedPrecondition, budgetv1.ReasonNoAdapter, "its operator configures an adapter for its own system"},
	}
}

// ReasonsByCode are those that a caller can get, by their code.
func ReasonsByCode() map[codes.Code][]string {
	all := map[codes.Code][]string{
		codes.InvalidArgument: {invalidField}, codes.Internal: {internal}, codes.PermissionDenied: budgetv1.GapReasons(), codes.FailedPrecondition: {agreement.PeerRefused},
	}
	for _, m := range meanings() {
		all[m.code] = append(all[m.code], m.reason)
	}
	for code, reasons := range all {
		slices.Sort(reasons)
		all[code] = slices.Compact(reasons)
	}
	return all
}

// Reasons are all that a caller can get, sorted. What another gateway or a source says is taken
// over only when it is one of them.
func Reasons() []string {
	all := slices.Concat(budgetv1.GapReasons(), budgetv1.Faults(), ontschotv1.DeliveryReasons(), ontschotv1.PermitReasons(), []string{invalidField, internal, agreement.PeerRefused})
	for _, m := range meanings() {
		all = append(all, m.reason)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Of maps an error to what the caller gets; nil stays nil.
func Of(err error) error {
	if err == nil {
		return nil
	}
	if said, ok := ofType(err); ok {
		return said
	}
	for _, m := range meanings() {
		if errors.Is(err, m.is) {
			return refuse(m.code, m.is.Error()+"; "+m.next, info(m.reason, nil))
		}
	}
	return refuse(codes.Internal, "something went wrong inside the gateway; its operator finds more in its log", info(internal, nil))
}

// ofType maps the errors that say more than that they occurred.
func ofType(err error) (error, bool) {
	var bad *admission.Violation
	if errors.As(err, &bad) {
		return refuse(codes.InvalidArgument, bad.Error(), info(invalidField, map[string]string{"field": bad.Field}),
			&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: bad.Field, Description: bad.What}}}), true
	}
	var refused *policy.RefusedError
	if errors.As(err, &refused) {
		return refuse(codes.PermissionDenied, policy.ErrRole.Error()+"; the table of operations says which roles and levels may: "+string(refused.Operation),
			info(budgetv1.ReasonPolicyDenied, map[string]string{
				"codes": strings.Join(refused.Codes, " "), "operation": string(refused.Operation), "way": budgetv1.WrittenWay(refused.Way),
			})), true
	}
	var lacks *consent.MandateError
	if errors.As(err, &lacks) {
		return refuse(codes.FailedPrecondition, lacks.Error()+"; AskConsent says who must sign", info(budgetv1.ReasonWrongSigner, nil)), true
	}
	var no *policy.DeniedError
	if errors.As(err, &no) {
		return denied(no), true
	}
	var source interface {
		error
		Status(domain string) *status.Status
	}
	if errors.As(err, &source) { // what a source behind this gateway said
		return source.Status(domain).Err(), true
	}
	var peer *agreement.PeerError
	if errors.As(err, &peer) {
		return ofPeer(peer), true
	}
	return nil, false
}

// maxReasons bounds the pairs whose own reason is said; all reasons are always said.
const maxReasons = 48

// denied says the first reason in the order of the checks, and each pair's own.
func denied(no *policy.DeniedError) error {
	order := budgetv1.GapReasons()
	reasons, policyCodes := map[string]bool{}, map[string]bool{}
	metadata := map[string]string{}
	var way []*budgetv1.WayToYes
	for _, gap := range no.Gaps {
		way = append(way, gap.GetWay()...)
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
	metadata["way"] = budgetv1.WrittenWay(way)
	return refuse(codes.PermissionDenied, no.Error()+": "+metadata["reasons"], info(sorted[0], metadata))
}

// ofPeer says the reason of another gateway in our own words.
func ofPeer(peer *agreement.PeerError) error {
	for _, m := range meanings() {
		if m.reason == peer.Reason {
			return refuse(m.code, peer.Error()+": "+m.is.Error()+"; "+m.next, info(m.reason, nil))
		}
	}
	return refuse(codes.FailedPrecondition, peer.Error()+"; ask its operator why", info(agreement.PeerRefused, nil))
}

func info(reason string, metadata map[string]string) *errdetails.ErrorInfo {
	return &errdetails.ErrorInfo{Reason: reason, Domain: domain, Metadata: metadata}
}

func refuse(code codes.Code, text string, details ...protoadapt.MessageV1) error {
	s, err := status.New(code, text).WithDetails(details...)
	if err != nil {
		return status.Error(code, text)
	}
	return s.Err()
}

// Reason is that of the google.rpc.ErrorInfo in a status; empty when there is none.
func Reason(s *status.Status) string {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}
