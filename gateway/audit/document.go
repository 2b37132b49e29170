package audit

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/ontschot/ontschot/internal/identity"
)

// DocumentKind says what a kept document is.
type DocumentKind string

// The kinds of document. Releases rest on consents and agreements; the others are
// what leads to an agreement, ends one, or lets somebody act for a party.
const (
	ConsentDocument    DocumentKind = "CONSENT"
	AgreementDocument  DocumentKind = "AGREEMENT"
	ProposalDocument   DocumentKind = "PROPOSAL"
	StatementDocument  DocumentKind = "STATEMENT"
	DelegationDocument DocumentKind = "DELEGATION"
)

// Status of a document in the store.
type Status string

// A document is live from the entry that puts it to the entry that ends it.
const (
	Live  Status = "live"
	Ended Status = "ended"
)

// NotEnded is the Ended index of a document that no entry ended.
const NotEnded = -1

// Document is a signed document that counts from one entry of the log until
// another. Its zero value is not live.
type Document struct {
	// ID is the document's own identifier (its jti), at most 64 characters of
	// letters, digits and ._:- . Required.
	ID   string
	Kind DocumentKind
	// Digest is the SHA-256 of Body in lower-case hexadecimal. Empty when putting
	// means: computed.
	Digest string
	// Body is the document as it was signed, at most 64 KiB. Required.
	Body []byte
	// Openings are what the keeper needs to open the document's salted digests,
	// as the caller encodes them; at most 128 KiB; never an amount, name or BSN.
	Openings []byte
	// Subject is the keeper's pseudonym of the person, 16 to 64 bytes, and
	// Purpose what the consent is for. Consents only, both required there.
	Subject []byte
	Purpose string
	// PartyA and PartyB are the two parties; the store keeps them in ascending
	// order. All kinds but consents, both required there.
	PartyA, PartyB identity.OIN
	// Status, Entered and Ended are the log's: the index of the entry that put the
	// document, and that of the entry that ended it or NotEnded. Since and Until are
	// the times of these entries, in milliseconds since 1970; Until is 0 when live.
	Status         Status
	Entered, Ended int64
	Since, Until   int64
}

// Live tells whether a release may rest on the document. Both columns must say
// so: whoever changes one of them in the database revives nothing.
func (d Document) Live() bool { return d.Status == Live && d.Ended == NotEnded }

// description is what an entry commits to about the document it puts: every
// column but the body, which the digest stands for, and the life cycle, which
// the log itself tells.
type description struct {
	Digest   string       `json:"digest"`
	ID       string       `json:"id"`
	Kind     DocumentKind `json:"kind"`
	Openings string       `json:"openings"` // SHA-256, hexadecimal
	PartyA   string       `json:"party_a"`
	PartyB   string       `json:"party_b"`
	Purpose  string       `json:"purpose"`
	Subject  string       `json:"subject"` // hexadecimal
}

func (d Document) description() description {
	return description{
		Digest: d.Digest, ID: d.ID, Kind: d.Kind, Openings: hexDigest(d.Openings),
		PartyA: string(d.PartyA), PartyB: string(d.PartyB),
		Purpose: d.Purpose, Subject: hex.EncodeToString(d.Subject),
	}
}

// filled gives the document as it is stored: digest computed, parties in order.
func (d Document) filled() Document {
	if d.Digest == "" {
		d.Digest = hexDigest(d.Body)
	}
	if d.PartyA > d.PartyB {
		d.PartyA, d.PartyB = d.PartyB, d.PartyA
	}
	d.Status, d.Entered, d.Ended = Live, 0, NotEnded
	d.Since, d.Until = 0, 0
	return d
}

func hexDigest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
