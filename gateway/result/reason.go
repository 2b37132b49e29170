package result

import (
	"errors"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/signed"
)

// Reason is why something does not verify: a word of a closed list. Verifiers in every
// language say the same one of the same budget, see docs/clients.md. It is an error, and says
// it in words.
type Reason string

// The reasons beside the flaws of a receipt (audit.Flaw), in the order in which they are
// looked for.
const (
	// Malformed: it is no JSON of the message. Who reads it says so, before Verify.
	Malformed          Reason = "MALFORMED"
	SignatureMalformed Reason = "SIGNATURE_MALFORMED" // no compact JWS in the strict form, or other claims
	SignatureKey       Reason = "SIGNATURE_KEY"       // no pinned key of that name, algorithm and use, or a lost one
	SignatureInvalid   Reason = "SIGNATURE_INVALID"
	UnknownField       Reason = "UNKNOWN_FIELD" // on the wire only
	OtherReleaser      Reason = "RELEASER"
	Changed            Reason = "CHANGED"
	ReceiptChanged     Reason = "RECEIPT_CHANGED"
)

// What is wrong with a disclosure, beside its signature and its receipt. ReasonOf puts
// DISCLOSURE_ before all of them.
const (
	NoParty       Reason = "PARTY"    // the source is none of the trust file
	OtherAudience Reason = "AUDIENCE" // of another source, or to another organisation
	BadMember     Reason = "FORM"
	OtherDecision Reason = "DECISION"
	Twice         Reason = "TWICE" // one for two answers
)

const ofADisclosure = "DISCLOSURE_"

// Reasons lists all that ReasonOf and a reader say.
func Reasons() []Reason {
	receipts := []Reason{}
	for _, f := range audit.Flaws() {
		receipts = append(receipts, Reason(f))
	}
	signatures := []Reason{SignatureMalformed, SignatureKey, SignatureInvalid}
	all := append([]Reason{Malformed, UnknownField, OtherReleaser, Changed, ReceiptChanged}, signatures...)
	all = append(all, receipts...)
	for _, r := range append(append(append([]Reason{NoParty}, signatures...), OtherAudience, BadMember, OtherDecision, Twice), receipts...) {
		all = append(all, ofADisclosure+r)
	}
	return all
}

// Error implements error.
func (r Reason) Error() string {
	switch r {
	case UnknownField:
		return "it holds fields this program does not know; use the version it was made with, or a newer one"
	case OtherReleaser:
		return "signed by another organisation than the pinned one"
	case Changed:
		return "its contents were changed"
	case ReceiptChanged:
		return "its receipt was changed"
	case NoParty:
		return "it is no party of the trust file"
	case OtherAudience:
		return "of another source, or to another organisation"
	case BadMember:
		return "a member of it is not in its form"
	case OtherDecision:
		return "of another decision than its receipt"
	case Twice:
		return "one for two answers"
	}
	return string(r)
}

// errDisclosed marks what is wrong with a disclosure in a budget.
var errDisclosed = errors.New("a disclosure")

// ReasonOf gives the reason in an error of Verify, VerifyAccount, VerifyDissolution or
// audit.VerifyReceipt; empty: there is none in it.
func ReasonOf(err error) Reason {
	var why Reason
	var flaw audit.Flaw
	switch {
	case err == nil:
		return ""
	case errors.As(err, &why):
	case errors.As(err, &flaw):
		why = Reason(flaw)
	case errors.Is(err, signed.ErrMalformed):
		why = SignatureMalformed
	case errors.Is(err, signed.ErrKey):
		why = SignatureKey
	case errors.Is(err, signed.ErrSignature):
		why = SignatureInvalid
	case errors.Is(err, errMessage):
		return Malformed
	}
	if why != "" && errors.Is(err, errDisclosed) {
		return ofADisclosure + why
	}
	return why
}
