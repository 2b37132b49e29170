package policy

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/policies"
)

// OINs of the requests in these tests.
const (
	asker  = "00000099000000119000"
	source = "00000099000005503000"
)

// patience is for machines that are busy: the tests are about what is answered.
const patience = time.Minute

func newEngine(t testing.TB) *Engine {
	t.Helper()
	e, err := New(context.Background(), Config{FS: policies.FS, Timeout: patience})
	require.NoError(t, err)
	return e
}

// request is one that is in order in every respect.
func request() Input {
	return Input{
		Subject: Subject{Type: "organisation", ID: asker, Properties: SubjectProperties{OrgType: "gemeente", Role: "consulent", Assurance: "substantieel"}},
		Action:  Action{Name: "read", Properties: ActionProperties{Purpose: "integral_budget.compose", Law: "wlz"}},
		Resource: Resource{Type: "person", ID: "p-1", Properties: ResourceProperties{
			Source: source, SourceKind: "careoffice", Fields: []string{"entitlement", "amount"}, LegalBasis: "avg-6-1-e",
		}},
		Context: Context{
			Contract: ContractRequest, Date: "2026-01-05",
			Agreement: &AgreementTerms{
				ID: "a-1", Requester: asker, Source: source, Purposes: []string{"integral_budget.compose"},
				From: "2026-01-01", Until: "2026-12-31", Fields: []string{"entitlement", "amount"}, Digest: "d-1",
			},
			Consent: &ConsentTerms{
				ID: "c-1", Status: "active", Subject: "p-1", By: "gemachtigde", Purposes: []string{"integral_budget.compose"},
				Sources: []string{source}, From: "2026-01-01", Until: "2026-12-31",
				Mandate: &MandateTerms{Scope: []string{"integral_budget.compose"}, Until: "2026-12-31"},
			},
		},
	}
}

func TestARequestInOrderIsAllowed(t *testing.T) {
	require.Equal(t, Outcome{
		Allow: true, Reasons: []string{},
		Checks:        []string{"SYS-02", "SYS-01", "DOEL-01", "GROND-01", "OVK-01", "OVK-02", "OVK-03", "TOEST-05", "TOEST-01", "TOEST-02", "TOEST-03", "TOEST-04", "ROL-01", "VELD-00"},
		Fields:        map[string]string{"entitlement": "none", "amount": "none"},
		Dropped:       map[string]string{},
		RetentionDays: 90, Notify: []string{"betrokkene"},
	}, newEngine(t).Evaluate(t.Context(), request()))
}

// Rules that answer nothing at all as they must, and a real request with something else
// or not at all: that request is denied as undecided, and not cached.
func TestRulesThatFallSilent(t *testing.T) {
	const no = `{"contract": "ontschot.decision/1", "decision": false, "reasons": ["SYS-02"], "checks": ["SYS-02"]`
	for name, rest := range map[string]string{
		"undefined":         "\n",
		"no decision":       "\ndecision := {\"x\": 1} if input.subject\n\noperation := {\"x\": 1} if input.subject\n",
		"a yes too many":    "\ndecision := " + strings.Replace(no, "false", "true", 1) + ", \"fields\": {\"spending\": \"none\"}, \"dropped\": {}, \"obligations\": {}} if input.subject\n",
		"two that conflict": "\ndecision := 1 if input.subject\n\ndecision := 2 if input.action\n\noperation := 1 if input.subject\n\noperation := 2 if input.action\n",
	} {
		m := folder(t)
		m["rules/core/decision.rego"] = &fstest.MapFile{Data: []byte("package core\n\ndecision := " + no + ", \"fields\": {}, \"dropped\": {}, \"obligations\": {}} if not input.subject\n\noperation := " + no + "} if not input.subject\n" + rest)}
		delete(m, "rules/core/operation.rego")
		e := engineOf(t, m)
		require.Equal(t, undecided(), e.Evaluate(t.Context(), request()), name)
		require.Zero(t, e.cache.size(), name)
		require.Equal(t, undecided(), e.operation(t.Context(), doing{organisation: asker, operation: "consents.give", worker: worker{"consulent", "hoog"}}), name)
		require.Zero(t, e.doors.size(), name)
	}
}
