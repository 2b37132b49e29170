package host

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// An adapter made with our kit cannot say these things; one made otherwise can.

func declaring(categories ...string) asked {
	return asked{party: "P", describe: &adapterv1.DescribeResponse{
		Id: "fake", Categories: categories, Identifiers: []string{"pass_number"},
	}}
}

func asking(scopes ...*budgetv1.Scope) *budgetv1.FetchRequest {
	return &budgetv1.FetchRequest{Window: &budgetv1.Window{From: "2025-01-01", To: "2025-12-31"}, Scopes: scopes}
}

func scope(law string, categories ...string) *budgetv1.Scope {
	return &budgetv1.Scope{Law: law, Categories: categories}
}

// strange is a spending with a field that nobody has given a category.
func strange() *budgetv1.Spend {
	s := &budgetv1.Spend{Law: "WMO", Cents: proto.Int64(1)}
	s.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 1))
	return s
}

func TestSpendIsHeldAgainstTheRequest(t *testing.T) {
	both := []*budgetv1.Scope{scope("WMO", "spending", "product", "period"), scope("JW", "spending", "period")}
	for name, c := range map[string]struct {
		spend  *budgetv1.Spend
		scopes []*budgetv1.Scope
		path   string
	}{
		"as asked":             {&budgetv1.Spend{Law: "WMO", Start: "2025-12-31", Cents: proto.Int64(1), AsOf: "2025-06-30"}, both, ""},
		"product of its law":   {&budgetv1.Spend{Law: "WMO", Function: "02"}, both, ""},
		"product of the other": {&budgetv1.Spend{Law: "JW", Function: "02"}, both, "spends[0].*"},
		"reference":            {&budgetv1.Spend{Law: "WMO", Budget: "B1"}, both, "spends[0].*"},
		"after the window":     {&budgetv1.Spend{Law: "WMO", Start: "2026-01-01"}, both, "spends[0].start"},
		"unknown field":        {strange(), both, "spends[0].*"},
		"spending not granted": {&budgetv1.Spend{Law: "WMO", Start: "2025-01-01"}, []*budgetv1.Scope{scope("WMO", "period")}, "spends[0].*"},
		"another law":          {&budgetv1.Spend{Law: "WLZ", Cents: proto.Int64(1)}, both, "spends[0].*"},
		"no law":               {&budgetv1.Spend{Cents: proto.Int64(1)}, both, "spends[0].*"},
	} {
		answer := &budgetv1.FetchResponse{Spends: []*budgetv1.Spend{c.spend}}
		require.Equal(t, c.path, adapters.Path(declaring("spending").check(asking(c.scopes...), answer)), name)
		require.Equal(t, "spends[0].*", adapters.Path(declaring("amount").check(asking(c.scopes...), answer)), "it has none, it said")
	}
}

func TestOwnContributionIsHeldAgainstTheRequest(t *testing.T) {
	own := func(law, start, end string) *budgetv1.OwnContribution {
		c := &budgetv1.OwnContribution{Law: law, CentsPerMonth: proto.Int64(1), Household: "h"}
		if start != "" {
			c.Period = &budgetv1.Period{Start: start}
		}
		if end != "" {
			c.Period.End = &end
		}
		return c
	}
	scopes := []*budgetv1.Scope{scope("WMO", "own_contribution", "period"), scope("WLZ", "own_contribution"), scope("JW", "period")}
	for name, c := range map[string]struct {
		contribution *budgetv1.OwnContribution
		path         string
	}{
		"as asked":          {own("WMO", "2025-12-31", ""), ""},
		"ends on its first": {own("WMO", "2024-01-01", "2025-01-01"), ""},
		"without period":    {own("WLZ", "", ""), ""},
		"period of WLZ":     {own("WLZ", "2025-01-01", ""), "own_contributions[0].*"},
		"not granted":       {own("JW", "", ""), "own_contributions[0].*"},
		"not asked":         {own("ZVW", "", ""), "own_contributions[0].law"},
		"of no law":         {own("", "", ""), "own_contributions[0].law"},
		"after the window":  {own("WMO", "2026-01-01", ""), "own_contributions[0].period"},
		"before the window": {own("WMO", "2024-01-01", "2024-12-31"), "own_contributions[0].period"},
	} {
		answer := &budgetv1.FetchResponse{OwnContributions: []*budgetv1.OwnContribution{c.contribution}}
		require.Equal(t, c.path, adapters.Path(declaring("own_contribution").check(asking(scopes...), answer)), name)
		require.NotEmpty(t, adapters.Path(declaring("amount").check(asking(scopes...), answer)), "it has none, it said")
	}
}

func TestLineIsHeldAgainstTheRequest(t *testing.T) {
	line := func(law string, sources ...string) *budgetv1.BudgetLine {
		l := &budgetv1.BudgetLine{
			Law: law, Funder: "P", Kind: "ENTITLEMENT", DeliveryForm: "PGB", Fungibility: "POOLABLE",
			Product: &budgetv1.Product{System: "WMO020", Code: "02"}, Period: &budgetv1.Period{Start: "2025-01-01"},
		}
		for _, s := range sources {
			l.Provenance = append(l.Provenance, &budgetv1.Provenance{Source: s, Adapter: "fake", Version: "1", RecordType: "award", Sha256: make([]byte, 32)})
		}
		return l
	}
	for name, c := range map[string]struct {
		line *budgetv1.BudgetLine
		path string
	}{
		"as asked":                     {line("WMO", "P"), ""},
		"of two records":               {line("WMO", "P", "P"), ""},
		"not asked":                    {line("WLZ", "P"), "lines[1].law"},
		"may not be known to exist":    {line("JW", "P"), "lines[1].law"},
		"rests on another's record":    {line("WMO", "Q"), "lines[1].provenance.source"},
		"rests on another's as well":   {line("WMO", "P", "Q"), "lines[1].provenance.source"},
		"whose money is the gateway's": {func() *budgetv1.BudgetLine { l := line("WMO", "P"); l.Funder = "Q"; return l }(), ""},
	} {
		r := asking(scope("WMO", "entitlement", "product", "period"), scope("JW", "product"))
		answer := &budgetv1.FetchResponse{Lines: []*budgetv1.BudgetLine{line("WMO", "P"), c.line}}
		err := declaring("entitlement").check(r, answer)
		require.Equal(t, c.path, adapters.Path(err), name)
		require.Equal(t, c.path == "", err == nil, "%s: %v", name, err)
	}
}

func TestOnlyWhatWasDeclaredIsSentAlong(t *testing.T) {
	r := asking(scope("VALYS", "entitlement"))
	r.Identifiers = &budgetv1.Identifiers{Bsn: "999940004", EducationNumber: "199940004", PassNumber: "VAL-1"}
	r.Proofs = &budgetv1.Proofs{Consent: "c", SubjectKey: []byte("k")}
	q := declaring().narrowed(r)
	require.True(t, proto.Equal(&budgetv1.Identifiers{PassNumber: "VAL-1"}, q.GetIdentifiers()))
	require.Empty(t, q.GetProofs().GetSubjectKey(), "with it a BSN could be found by trying all there are")
	require.Equal(t, "c", q.GetProofs().GetConsent())
	require.Equal(t, "999940004", r.GetIdentifiers().GetBsn(), "the caller's own is left alone")
}
