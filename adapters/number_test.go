package adapters_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func TestNumberIsTakenOutAndPrintsAsNothing(t *testing.T) {
	r := ask(scope("EDU"))
	r.Identifiers = &budgetv1.Identifiers{EducationNumber: " 199940065 ", PassNumber: "VAL-1"}
	pupil, err := adapters.TakeEducationNumber(r)
	require.NoError(t, err)
	require.Equal(t, "199940065", pupil.Reveal())
	pass, err := adapters.TakePassNumber(r)
	require.NoError(t, err)
	require.Equal(t, "VAL-1", pass.Reveal())
	require.Empty(t, r.GetIdentifiers().GetEducationNumber()+r.GetIdentifiers().GetPassNumber())
	raw, err := json.Marshal(map[string]any{"p": pupil})
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s %q %x %s", pupil, pupil, pupil, pupil, pupil, pupil, raw), "199940065")
}

func TestNumberOfTheSchemeIsNeededAndNoBSN(t *testing.T) {
	for path, ids := range map[string]*budgetv1.Identifiers{
		"identifiers":                  nil,
		"identifiers.bsn":              {Bsn: "999940004", EducationNumber: "199940065"},
		"identifiers.education_number": {EducationNumber: "999940004"},
	} {
		_, err := adapters.TakeEducationNumber(&budgetv1.FetchRequest{Identifiers: ids})
		require.Equal(t, adapters.ReasonScopeUnsupported, adapters.Reason(err))
		require.Equal(t, path, adapters.Path(err))
	}
	for path, ids := range map[string]*budgetv1.Identifiers{
		"identifiers":             nil,
		"identifiers.bsn":         {Bsn: "999940004", PassNumber: "VAL-1"},
		"identifiers.pass_number": {EducationNumber: "199940065", PassNumber: " "},
	} {
		_, err := adapters.TakePassNumber(&budgetv1.FetchRequest{Identifiers: ids})
		require.Equal(t, path, adapters.Path(err))
	}
}

// The host strips what an adapter did not declare; the service refuses it.
func TestNumberThatWasNotDeclaredIsRefused(t *testing.T) {
	s := adapters.NewService(&fake{})
	require.Empty(t, configure(s, `{}`, secrets()))
	for path, spoil := range map[string]func(r *budgetv1.FetchRequest){
		"identifiers.education_number": func(r *budgetv1.FetchRequest) { r.Identifiers.EducationNumber = "199940065" },
		"identifiers.pass_number":      func(r *budgetv1.FetchRequest) { r.Identifiers.PassNumber = "VAL-1" },
	} {
		r := ask(scope("WMO"))
		spoil(r)
		_, err := s.Fetch(t.Context(), r)
		require.Equal(t, adapters.ReasonScopeUnsupported, adapters.Reason(err))
		require.Equal(t, path, adapters.Path(err))
	}
	r := ask(scope("WMO"))
	r.Proofs = &budgetv1.Proofs{SubjectKey: make([]byte, 32)}
	_, err := s.Fetch(t.Context(), r)
	require.NoError(t, err, "who may have the BSN may check whose consent it is")

	blind := adapters.NewService(&fake{identifiers: []string{"pass_number"}})
	require.Empty(t, configure(blind, `{}`, secrets()))
	_, err = blind.Fetch(t.Context(), ask(scope("WMO")))
	require.Equal(t, "identifiers.bsn", adapters.Path(err))
	r.Identifiers.Bsn = ""
	_, err = blind.Fetch(t.Context(), r)
	require.Equal(t, "proofs.subject_key", adapters.Path(err))
}
