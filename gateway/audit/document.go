package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// DocumentKind says what a stored document is.
type DocumentKind = register.Kind

// The kinds of document.
const (
	ConsentDocument    = register.Consent
	AgreementDocument  = register.Agreement
	ProposalDocument   = register.Proposal
	StatementDocument  = register.Statement
	DelegationDocument = register.Delegation
)

// NotEnded is the Ended index of a document that no entry ended.
const NotEnded = register.NotEnded

// Document is a signed document that an entry puts. What the register knows of it
// is in the log, the digest computed from Body; the bytes are stored beside it.
type Document struct {
	register.Document
	// Body is the document as it was signed, at most 64 KiB. Required.
	Body []byte
	// Openings are what the keeper needs to open the document's salted digests,
	// as the caller encodes them; at most 128 KiB; never an amount, name or BSN.
	Openings []byte
}

// StoredDocument is a document as the log has it, with its bytes.
type StoredDocument struct {
	register.Record
	Body, Openings []byte
}

// description is what an entry commits to about the document it puts: all that the
// register is made of. Members are in the order of their names.
type description struct {
	Case       string         `json:"case"`
	Digest     string         `json:"digest"`
	From       string         `json:"from"` // civil date, or empty
	Grants     []grant        `json:"grants"`
	ID         string         `json:"id"`
	Keys       []string       `json:"keys"` // SHA-256 of each key that signed it
	Kind       DocumentKind   `json:"kind"`
	Narrows    bool           `json:"narrows"`
	Openings   string         `json:"openings"` // SHA-256, hexadecimal
	PartyA     identity.OIN   `json:"party_a"`
	PartyB     identity.OIN   `json:"party_b"`
	Purpose    string         `json:"purpose"`
	Recipients []identity.OIN `json:"recipients"`
	Replaces   string         `json:"replaces"`
	Subjects   []string       `json:"subjects"` // hexadecimal
	Until      string         `json:"until"`    // civil date, or empty
	Void       bool           `json:"void"`
}

type grant struct {
	Categories []string     `json:"categories"`
	Source     identity.OIN `json:"source"`
}

// parseDescription reads the description of a document; false when it is none.
func parseDescription(text []byte) (description, bool) {
	if d, ok := readDescription(text); ok {
		return d, true
	}
	var d description
	err := decodeCanonical(text, putField.size(), &d)
	return d, err == nil
}

func (d Document) description() description {
	out := description{
		Case: d.Case, Digest: hex.EncodeToString(d.Digest[:]), From: dateText(d.From), Grants: []grant{}, ID: d.ID, Keys: orEmpty(d.Keys), Kind: d.Kind,
		Narrows: d.Narrows, Openings: hex.EncodeToString(d.Opens[:]), PartyA: d.PartyA, PartyB: d.PartyB, Purpose: d.Purpose,
		Recipients: orEmpty(d.Recipients), Replaces: d.Replaces, Subjects: []string{}, Until: dateText(d.Until), Void: d.Void,
	}
	for _, g := range d.Grants {
		out.Grants = append(out.Grants, grant{orEmpty(g.Categories), g.Source})
	}
	for _, s := range d.Subjects {
		out.Subjects = append(out.Subjects, hex.EncodeToString([]byte(s)))
	}
	return out
}

// document is what the register takes from a description; false when it is malformed.
func (d description) document() (register.Document, bool) {
	out := register.Document{
		ID: d.ID, Kind: d.Kind, Keys: d.Keys, Replaces: d.Replaces, Purpose: d.Purpose, Case: d.Case,
		Recipients: d.Recipients, Narrows: d.Narrows, Void: d.Void, PartyA: d.PartyA, PartyB: d.PartyB,
	}
	digest, err := hex.DecodeString(d.Digest)
	opens, failed := hex.DecodeString(d.Openings)
	if err != nil || failed != nil || len(digest) != len(out.Digest) || len(opens) != len(out.Opens) {
		return out, false
	}
	out.Digest, out.Opens = [32]byte(digest), [32]byte(opens)
	ok := true
	out.From, out.Until = dateOf(d.From, &ok), dateOf(d.Until, &ok)
	for _, g := range d.Grants {
		out.Grants = append(out.Grants, register.Grant{Source: g.Source, Categories: g.Categories})
	}
	for _, s := range d.Subjects {
		raw, err := hex.DecodeString(s)
		if err != nil {
			return out, false
		}
		out.Subjects = append(out.Subjects, string(raw))
	}
	return out, ok
}

func dateText(d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

func dateOf(s string, ok *bool) civil.Date {
	if s == "" {
		return 0
	}
	d, err := civil.Parse(s)
	*ok = *ok && err == nil
	return d
}

// filled gives the document as it is put: digest computed, parties in order.
func (d Document) filled() Document {
	d.Digest, d.Opens = sha256.Sum256(d.Body), sha256.Sum256(d.Openings)
	if d.PartyA > d.PartyB {
		d.PartyA, d.PartyB = d.PartyB, d.PartyA
	}
	d.Keys = slices.Clone(d.Keys)
	return d
}
