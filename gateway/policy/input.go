package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// ContractRequest is the version of the contract that Input is written in.
const ContractRequest = "ontschot.request/1"

// ErrInput means that a request is not of the contract's form. The message names
// the path and never the value.
var ErrInput = errors.New("not a request of " + ContractRequest)

// Bounds of a request.
const (
	maxInputBytes = 64 << 10
	maxText       = 128
	maxList       = 32
	maxFields     = 16
)

// Input is one request, in the shape of AuthZEN 1.0: one person, one source, one
// law. It is all that the rules see. What they see are facts that Go verified;
// there is no time of day, request id or trace in it, so that a decision can be
// cached, replayed and checked.
type Input struct {
	Subject  Subject  `json:"subject"`
	Action   Action   `json:"action"`
	Resource Resource `json:"resource"`
	Context  Context  `json:"context"`
}

// Subject is the organisation that asks.
type Subject struct {
	Type       string            `json:"type"` // organisation
	ID         string            `json:"id"`   // OIN
	Properties SubjectProperties `json:"properties"`
}

// SubjectProperties come from the access token and the party table.
type SubjectProperties struct {
	OrgType   string `json:"org_type"`  // gemeente ...; see OrgType
	Role      string `json:"role"`      // consulent, regisseur
	Assurance string `json:"assurance"` // laag, substantieel, hoog
}

// Action is what is asked for.
type Action struct {
	Name       string           `json:"name"` // read
	Properties ActionProperties `json:"properties"`
}

// ActionProperties are the purpose and the law. A law is in lower case; see LawKey.
type ActionProperties struct {
	Purpose string `json:"purpose"`
	Law     string `json:"law"`
}

// Resource is the person the data are of, and the source that holds them.
type Resource struct {
	Type       string             `json:"type"` // person
	ID         string             `json:"id"`   // pseudonym, never a BSN
	Properties ResourceProperties `json:"properties"`
}

// ResourceProperties say what is asked of the source. Fields are categories.
type ResourceProperties struct {
	Source     string   `json:"source"`      // OIN
	SourceKind string   `json:"source_kind"` // see KindKey
	Fields     []string `json:"fields"`
	LegalBasis string   `json:"legal_basis"` // avg-6-1-e ...
}

// Context holds the civil date in Europe/Amsterdam and the documents the request
// rests on, as Go verified them.
type Context struct {
	Contract string `json:"contract"` // ContractRequest
	Date     string `json:"date"`     // YYYY-MM-DD
	// Agreement in force between the two; nil where there is none. The asking
	// party's own source needs none.
	Agreement *AgreementTerms `json:"agreement,omitempty"`
	// Consent of the person; nil where there is none.
	Consent *ConsentTerms `json:"consent,omitempty"`
}

// AgreementTerms are the terms of one agreement for this pair of parties. Dates
// are civil dates, both inclusive.
type AgreementTerms struct {
	ID        string   `json:"id"`
	Requester string   `json:"requester"` // OIN
	Source    string   `json:"source"`    // OIN
	Purposes  []string `json:"purposes"`
	From      string   `json:"from"`
	Until     string   `json:"until"`
	Fields    []string `json:"fields"`
	Digest    string   `json:"digest"` // of the signed document
}

// ConsentTerms are what one consent says about this source. Dates are civil
// dates, both inclusive.
type ConsentTerms struct {
	ID string `json:"id"`
	// Status: active, withdrawn, wrong_signer, authority_unclear. Any other, such
	// as expired, covers nothing.
	Status  string `json:"status"`
	Subject string `json:"subject"` // pseudonym, as Resource.ID
	// By: self, ouder_met_gezag, voogd, curator, mentor, gemachtigde.
	By       string   `json:"by"`
	Purposes []string `json:"purposes"`
	Sources  []string `json:"sources"` // OINs
	From     string   `json:"from"`
	Until    string   `json:"until"`
	// Mandate on which a gemachtigde gave it; nil when another signer did.
	Mandate *MandateTerms `json:"mandate,omitempty"`
}

// MandateTerms are what a mandate is for, and its last day: a civil date, inclusive.
type MandateTerms struct {
	Scope []string `json:"scope"` // purposes
	Until string   `json:"until"`
}

// LawKey is how the rules write a law of the messages: WMO is wmo.
func LawKey(law string) string { return strings.ToLower(law) }

// KindKey is how the rules write a kind of source of the messages: CARE_OFFICE is
// careoffice.
func KindKey(kind string) string { return strings.ToLower(strings.ReplaceAll(kind, "_", "")) }

// OrgType is how the rules write the kind of the organisation that asks:
// MUNICIPALITY is gemeente. No other kind may ask yet.
func OrgType(kind string) string {
	if kind == budgetv1.KindMunicipality {
		return "gemeente"
	}
	return KindKey(kind)
}

// ParseInput reads a request from JSON, as AuthZEN 1.0 asks of who receives one: a member that
// nobody knows is as if it were not there, also one that is written in another case; what the
// standard lets a request leave out is empty, and denied when it is judged; without what it
// requires, the types, the ids and the name of the action, it is refused. Errors: ErrInput.
func ParseInput(raw []byte) (Input, error) {
	var in Input
	if len(raw) > maxInputBytes {
		return Input{}, fmt.Errorf("%w: larger than %d bytes", ErrInput, maxInputBytes)
	}
	if !readKnown(raw, &in) {
		return Input{}, ErrInput // the message of encoding/json may hold values
	}
	for _, required := range [][2]string{
		{"subject.type", in.Subject.Type}, {"subject.id", in.Subject.ID}, {"action.name", in.Action.Name},
		{"resource.type", in.Resource.Type}, {"resource.id", in.Resource.ID},
	} {
		if required[1] == "" {
			return Input{}, fmt.Errorf("%w: %s is missing", ErrInput, required[0])
		}
	}
	return in, in.bounded(func(day string) bool { return day == "" || onCalendar(day) })
}

// readKnown reads JSON into a struct by its exact names; false when it is no such object.
// encoding/json by itself takes names in any case.
func readKnown[T any](raw []byte, into *T) bool {
	var loose T
	var said, members any
	if json.Unmarshal(raw, &loose) != nil || json.Unmarshal(raw, &said) != nil {
		return false
	}
	again, err := json.Marshal(loose)
	if err != nil || json.Unmarshal(again, &members) != nil {
		return false
	}
	again, err = json.Marshal(known(said, members))
	return err == nil && json.Unmarshal(again, into) == nil
}

// known is what was said without the members that nobody knows.
func known(said, members any) any {
	all, ok := said.(map[string]any)
	names, object := members.(map[string]any)
	if !ok || !object {
		return said
	}
	for name, value := range all {
		if one, is := names[name]; is {
			all[name] = known(value, one)
		} else {
			delete(all, name)
		}
	}
	return all
}

// check refuses what is out of bounds before the rules see it: texts and lists
// that are too long, fields that are no words and days that are on no calendar.
func (in *Input) check() error { return in.bounded(onCalendar) }

// bounded is check with what a day may be.
func (in *Input) bounded(day func(string) bool) error {
	var bad string
	in.visit(visitor{
		text: func(path, s string) {
			if len(s) > maxText || holdsDate(path) && !day(s) {
				bad = path
			}
		},
		list: func(path string, ss []string) {
			for _, s := range ss {
				if len(s) > maxText || path == pathFields && !isWord(s) {
					bad = path
				}
			}
			if len(ss) > maxList || path == pathFields && len(ss) > maxFields {
				bad = path
			}
		},
		present: func(string, bool) {},
	})
	if bad != "" {
		return fmt.Errorf("%w: %s", ErrInput, bad)
	}
	return nil
}

func holdsDate(path string) bool {
	return strings.HasSuffix(path, ".date") || strings.HasSuffix(path, ".from") || strings.HasSuffix(path, ".until")
}

func onCalendar(s string) bool {
	_, err := civil.Parse(s)
	return err == nil
}

// isWord keeps what comes back as the key of a dropped field to plain words.
func isWord(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' }) < 0
}
