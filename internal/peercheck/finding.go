// Package peercheck answers: why can this gateway not ask that one, and who repairs it? It tries
// every hop in order, with nobody in question, and says in words what is good and what is not.
package peercheck

import (
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// State of a hop.
type State string

// The states. After a Fault what rests on it is not tried.
const (
	Good   State = "good"
	Notice State = "notice" // it works; somebody should know
	Fault  State = "fault"
)

// Who repairs a fault.
const (
	You  = "you"
	They = "they"
	Both = "both"
)

// Finding is what was found at one hop.
type Finding struct {
	Hop    string `json:"hop"`
	State  State  `json:"state"`
	Cause  string `json:"cause,omitempty"` // a code; empty when it is good
	Repair string `json:"repair,omitempty"`
	TextNL string `json:"text_nl"`
	TextEN string `json:"text_en"`
}

// Text in a language: nl or en.
func (f Finding) Text(lang string) string {
	if lang == "en" {
		return f.TextEN
	}
	return f.TextNL
}

// Report is the findings of one check, in the order of the hops.
type Report struct {
	Party    string    `json:"party"`
	Findings []Finding `json:"findings"`

	texts Texts
}

// Failed reports whether something must be repaired.
func (r *Report) Failed() bool {
	for _, f := range r.Findings {
		if f.State == Fault {
			return true
		}
	}
	return false
}

// Texts words what is found, in Dutch and in English, by its code.
type Texts interface {
	Hop(code, lang string, params ...string) string
}

func (r *Report) good(hop string, c code, params ...string) {
	r.say(Finding{Hop: hop, State: Good}, c, params...)
}

func (r *Report) fault(hop string, c code, params ...string) {
	r.say(Finding{Hop: hop, State: Fault, Repair: repairs()[c]}, c, params...)
}

func (r *Report) say(f Finding, c code, params ...string) {
	if f.State != Good {
		f.Cause = string(c)
	}
	f.TextNL, f.TextEN = r.texts.Hop(string(c), "nl", params...), r.texts.Hop(string(c), "en", params...)
	r.Findings = append(r.Findings, f)
}

// code is what can be found at a hop. Its words stand with all other texts.
type code string

// What is wrong.
const (
	noParty     code = "NO_PARTY"
	noAddress   code = "NO_ADDRESS"
	noName      code = "NAME_UNKNOWN"
	tcpRefused  code = "NOT_LISTENING"
	tcpSilent   code = "NO_ROUTE"
	noTLS       code = "NO_TLS"
	noRoot      code = "AUTHORITY_UNKNOWN"
	certEnded   code = "CERTIFICATE_EXPIRED"
	certRevoked code = "CERTIFICATE_REVOKED"
	noList      code = "NO_REVOCATION_LIST"
	certUnfit   code = "CERTIFICATE_UNFIT"
	otherOIN    code = "OTHER_ORGANISATION"
	ownUnused   code = "OWN_CERTIFICATE"
	refused     code = "OURS_REFUSED"
	unknownUs   code = "OURS_UNKNOWN"
	tooOld      code = "PEER_TOO_OLD"
	version     code = "PEER_VERSION"
	silent      code = "PEER_SILENT"
	clock       code = "CLOCK"
	ownSilent   code = "OWN_GATEWAY"
	oursUnpin   code = "OUR_KEY_NOT_PINNED"
	oursGone    code = "OUR_KEY_NOT_IN_USE"
	theirUnpin  code = "THEIR_KEY_NOT_PINNED"
	theirGone   code = "THEIR_KEY_NOT_IN_USE"
	noAgreed    code = budgetv1.ReasonNoAgreement
	oneSided    code = "AGREEMENT_ONE_SIDED"
	differs     code = "AGREEMENT_DIFFERS"
	ended       code = "AGREEMENT_ENDED"
	nothing     code = "POLICY_DENIES"
	withheldBy  code = "POLICY_WITHHOLDS"
	noAdapter   code = budgetv1.ReasonNoAdapter
)

// repairs says of what is wrong who repairs it; of a policy it is whose policy it is.
func repairs() map[code]string {
	return map[code]string{
		noParty:     You,
		noAddress:   You,
		noName:      You,
		tcpRefused:  They,
		tcpSilent:   Both,
		noTLS:       They,
		noRoot:      You,
		certEnded:   They,
		certRevoked: They,
		noList:      You,
		certUnfit:   They,
		otherOIN:    You,
		ownUnused:   You,
		refused:     They,
		unknownUs:   They,
		tooOld:      They,
		version:     Both,
		silent:      They,
		clock:       Both,
		ownSilent:   You,
		oursUnpin:   They,
		oursGone:    Both,
		theirUnpin:  You,
		theirGone:   Both,
		noAgreed:    Both,
		oneSided:    Both,
		differs:     Both,
		ended:       Both,
		noAdapter:   They,
	}
}

// What is right.
const (
	inTrust      code = "IN_TRUST_FILE"
	ownAnswers   code = "OWN_GATEWAY_ANSWERS"
	adapterReady code = "ADAPTER_READY"
	nameKnown    code = "NAME_KNOWN"
	listening    code = "LISTENING"
	certShown    code = "CERTIFICATE_SHOWN"
	sameOIN      code = "SAME_OIN"
	rootKnown    code = "AUTHORITY_KNOWN"
	accepted     code = "OURS_ACCEPTED"
	sameVersion  code = "SAME_VERSION"
	sameTime     code = "CLOCKS_AGREE"
	pinned       code = "KEY_PINNED"
	inForce      code = "AGREEMENT_IN_FORCE"
	everything   code = "POLICY_PASSES"
)
