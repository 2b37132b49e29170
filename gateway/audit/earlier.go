package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ontschot/ontschot/internal/identity"
)

// Earlier is all of an audit log of version 2, as it was stored.
type Earlier struct {
	Head      Head
	Rows      []Row
	Documents []Stored
}

// EarlierDocument is a document of such a log, as its entries have it.
type EarlierDocument struct {
	Stored
	Kind DocumentKind
	// Subject is the person's pseudonym, of consents only.
	Subject []byte
	// Ended: an entry of the log ended it.
	Ended bool
}

// earlierDescription is what an entry of version 2 commits to about the document it puts.
type earlierDescription struct {
	Digest   string       `json:"digest"`
	ID       string       `json:"id"`
	Kind     DocumentKind `json:"kind"`
	Openings string       `json:"openings"`
	PartyA   string       `json:"party_a"`
	PartyB   string       `json:"party_b"`
	Purpose  string       `json:"purpose"`
	Subject  string       `json:"subject"` // hexadecimal
}

// Verify gives the documents of an audit log of version 2 in the order in which they
// were entered. It checks what makes them believable: that each entry opens what its leaf
// commits to, that all leaves give the signed head, and that each document's bytes are
// those that its entry describes. Nothing in the log can prove that it is whole.
// Errors: ErrTampered.
func (e Earlier) Verify(tenant identity.OIN, keys Keys) ([]EarlierDocument, error) {
	signed, err := signedHead(e.Head, keys.Origin(), keys)
	if err != nil {
		return nil, err
	}
	stored := map[string]Stored{}
	for _, d := range e.Documents {
		stored[d.ID] = d
	}
	var list []EarlierDocument
	at := map[string]int{}
	grown := nothing()
	for n, row := range e.Rows {
		index := int64(n)
		open, err := earlierEntry(row, index, tenant)
		if err != nil {
			return nil, err
		}
		if hashes, err := grown.add(tlog.RecordHash(row.Leaf)); err != nil || !bytes.Equal(hashes, row.Hashes) {
			return nil, tampered(index, "leaf: leaf and hashes do not fit")
		}
		if id, ok := single(open.End); ok {
			if i, known := at[string(id)]; known {
				list[i].Ended = true
			}
		}
		if text, ok := single(open.Put); ok {
			d, err := earlierDocument(text, stored)
			if err != nil {
				return nil, tampered(index, "documents: not as in the log")
			}
			at[d.ID] = len(list)
			list = append(list, d)
		}
	}
	if err := grown.seal(); err != nil {
		return nil, err
	}
	if grown.Tree != signed.Tree {
		return nil, headTampered("checkpoint: its root is not that of the entries")
	}
	return list, nil
}

func earlierEntry(row Row, index int64, tenant identity.OIN) (opening, error) {
	leaf, err := ParseLeaf(row.Leaf)
	if err != nil || row.Index != index || leaf.Version == leafVersion || leaf.Tenant != tenant || leaf.ID != row.ID {
		return opening{}, tampered(index, "leaf: none of version 2 at its place")
	}
	open, err := parseOpening(row.Opening)
	if err == nil {
		err = open.opens(&leaf)
	}
	if err != nil || len(open.missing()) > 0 {
		return open, tampered(index, "opening: does not open the leaf")
	}
	return open, nil
}

func earlierDocument(text []byte, stored map[string]Stored) (EarlierDocument, error) {
	var says earlierDescription
	if err := decodeCanonical(text, putField.size(), &says); err != nil {
		return EarlierDocument{}, err
	}
	d := EarlierDocument{Stored: stored[says.ID], Kind: says.Kind}
	body, openings := sha256.Sum256(d.Body), sha256.Sum256(d.Openings)
	if hex.EncodeToString(body[:]) != says.Digest || hex.EncodeToString(openings[:]) != says.Openings {
		return d, errLeaf
	}
	var err error
	d.Subject, err = hex.DecodeString(says.Subject)
	return d, err
}
