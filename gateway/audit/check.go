package audit

import (
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/internal/identity"
)

// check returns what is wrong with the parts of an entry that are not in the
// leaf as they are; Leaf.check does the others.
func (e *Entry) check() error {
	switch {
	case e.Kind == Release && len(e.Payload) != 32:
		return invalid("payload: a release commits to a digest of 32 bytes")
	case e.Kind == Release && (e.Decided < 0 || e.Decided > maxIndex):
		return invalid("decided")
	case e.Kind == Withdrawal && e.End == "":
		return invalid("end: a withdrawal ends a document")
	case e.End != "" && !isID(e.End):
		return invalid("end")
	}
	if (e.Key != nil) && (e.Kind != Key || !identity.IsSHA256(e.Key.Digest) || !e.Key.State.Known()) {
		return invalid("key")
	}
	switch {
	case (e.Kind == NewEpoch) != (e.epoch > firstEpoch):
		return invalid("kind: Recover makes the entry that begins an epoch")
	case (e.Kind == Erasure) != (e.erase != nil) || e.Kind == Erasure && len(e.Subjects) == 0:
		return invalid("kind: Erase makes the entry of an erasure")
	case (e.Kind == Snapshotted) != (e.snapshot != nil):
		return invalid("kind: the log itself makes snapshots")
	case (e.Kind == Confirmation) != (e.Confirm != "") || e.Confirm != "" && !isID(e.Confirm):
		return invalid("confirm")
	case (e.Kind == Confirmation || e.Kind == NewEpoch || e.Kind == Erasure || e.Kind == Snapshotted) && e.End != "":
		return invalid("end: an entry of this kind ends nothing")
	}
	if err := e.checkPut(); err != nil {
		return err
	}
	if err := e.Once.check(); err != nil {
		return err
	}
	return e.checkValues()
}

// puts lists the documents that an entry of this kind may put.
func (k Kind) puts() []DocumentKind {
	switch k {
	case Consent:
		return []DocumentKind{ConsentDocument}
	case Agreement:
		return []DocumentKind{AgreementDocument, ProposalDocument, StatementDocument, DelegationDocument}
	case Withdrawal:
		return []DocumentKind{StatementDocument}
	}
	return nil
}

func (e *Entry) checkPut() error {
	switch {
	case e.Put == nil && (e.Kind == Consent || e.Kind == Agreement && e.End == ""):
		return invalid("put: required for this kind")
	case e.Put == nil:
		return nil
	case !slices.Contains(e.Kind.puts(), e.Put.Kind):
		return invalid("put.kind")
	case e.Put.ID == e.End:
		return invalid("end: a document cannot replace itself")
	}
	return e.Put.check()
}

func (e *Entry) checkValues() error {
	if len(e.Consents) > consentsField.limit() || len(e.Rests) > restsField.limit() || len(e.Subjects) > subjectsField.limit() {
		return invalid("consents, rests, subjects: too many")
	}
	for i, id := range e.Consents {
		if !isID(id) {
			return invalid("consents[%d]", i)
		}
	}
	for i, r := range e.Rests {
		if !isID(r.ID) || len(restText(r)) > restsField.size() {
			return invalid("rests[%d]", i)
		}
	}
	for i, s := range e.Subjects {
		if len(s) == 0 || len(s) > subjectsField.size() {
			return invalid("subjects[%d]", i)
		}
	}
	switch {
	case len(e.Case) > caseField.size():
		return invalid("case")
	case len(e.Payload) > payloadField.size():
		return invalid("payload")
	}
	return nil
}

func (d *Document) check() error {
	switch {
	case !isID(d.ID):
		return invalid("put.id")
	case len(d.Body) == 0 || len(d.Body) > maxDocument:
		return invalid("put.body")
	case len(d.Openings) > maxOpenings:
		return invalid("put.openings")
	case !isText(d.Replaces) || !isText(d.Case):
		return invalid("put.replaces, put.case")
	case d.Kind == ConsentDocument:
		return d.checkConsent()
	}
	return d.checkParties()
}

func (d *Document) checkConsent() error {
	odd := func(s string) bool { return len(s) < 16 || len(s) > 64 }
	switch {
	case len(d.Subjects) == 0 || len(d.Subjects) > maxPseudonyms || slices.ContainsFunc(d.Subjects, odd):
		return invalid("put.subjects")
	case d.Purpose == "" || !isText(d.Purpose):
		return invalid("put.purpose")
	case len(d.Recipients) > maxGrants || len(d.Grants) > maxGrants:
		return invalid("put.recipients, put.grants: too many")
	case d.PartyA != "" || d.PartyB != "":
		return invalid("put.party: a consent has none")
	}
	for _, g := range d.Grants {
		if len(g.Categories) > maxGrants || slices.ContainsFunc(g.Categories, func(c string) bool { return !isText(c) }) {
			return invalid("put.grants")
		}
	}
	return nil
}

func (d *Document) checkParties() error {
	switch {
	case !identity.IsOIN(d.PartyA) || !identity.IsOIN(d.PartyB) || d.PartyA == d.PartyB:
		return invalid("put.party")
	case len(d.Subjects) > 0 || d.Purpose != "":
		return invalid("put.subject: only a consent has one")
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
