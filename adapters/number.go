package adapters

import (
	"slices"
	"strings"

	"github.com/ontschot/ontschot/internal/identity"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Number is a pupil's number or the number of a pass. Like a Secret it prints as
// "***" in every way Go prints.
type Number struct{ Secret }

// TakeEducationNumber takes the onderwijsnummer out of a request and clears it
// there. A number that passes the 11-check is refused: it is a BSN that somebody
// put in the wrong place, for an onderwijsnummer leaves 5 where a BSN leaves 0.
func TakeEducationNumber(r *budgetv1.FetchRequest) (Number, error) {
	n, err := takeNumber(r, "education_number", func(ids *budgetv1.Identifiers) *string { return &ids.EducationNumber })
	if err != nil {
		return Number{}, err
	}
	if _, err := identity.ParseBSN(n.Reveal()); err == nil {
		return Number{}, ScopeUnsupported("identifiers.education_number")
	}
	return n, nil
}

// TakePassNumber takes the number of a transport pass out of a request and clears
// it there.
func TakePassNumber(r *budgetv1.FetchRequest) (Number, error) {
	return takeNumber(r, "pass_number", func(ids *budgetv1.Identifiers) *string { return &ids.PassNumber })
}

// takeNumber refuses a request that holds a BSN beside the number. A number that
// the law prescribes may be used for what the law names only (UAVG art. 46), and
// no law names it for education or Valys.
func takeNumber(r *budgetv1.FetchRequest, name string, at func(*budgetv1.Identifiers) *string) (Number, error) {
	if r.GetIdentifiers() == nil {
		return Number{}, ScopeUnsupported("identifiers")
	}
	held := at(r.GetIdentifiers())
	number := strings.TrimSpace(*held)
	*held = ""
	switch {
	case r.GetIdentifiers().GetBsn() != "":
		return Number{}, ScopeUnsupported("identifiers.bsn")
	case number == "":
		return Number{}, ScopeUnsupported("identifiers." + name)
	}
	return Number{Secret{number}}, nil
}

// undeclared names what a request holds that identifies the person and that the
// adapter did not ask for; empty when there is nothing. The host strips it, so
// that it came past the host is reason enough to refuse. With the key of the
// consent's commitment a BSN can be found by trying all there are.
func undeclared(r *budgetv1.FetchRequest, what *adapterv1.DescribeResponse) string {
	ids := r.GetIdentifiers()
	for _, held := range []struct {
		need, path string
		there      bool
	}{
		{"bsn", "identifiers.bsn", ids.GetBsn() != ""},
		{"education_number", "identifiers.education_number", ids.GetEducationNumber() != ""},
		{"pass_number", "identifiers.pass_number", ids.GetPassNumber() != ""},
		{"bsn", "proofs.subject_key", len(r.GetProofs().GetSubjectKey()) > 0},
	} {
		if held.there && !slices.Contains(what.GetIdentifiers(), held.need) {
			return held.path
		}
	}
	return ""
}
