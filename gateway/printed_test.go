package gateway_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// altered is a source whose answer was changed under way.
type altered struct {
	gateway.Source
	change func(r *budgetv1.FetchResponse)
}

func (a altered) Fetch(ctx context.Context, q *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	r, err := a.Source.Fetch(ctx, q)
	if err == nil {
		a.change(r)
	}
	return r, err
}

// steering are characters that steer a terminal, or make a text read as another.
func steering() []string {
	return []string{"\x1b[2J", "\x00", "\n", "\u009b31m", "\u202e", "\u2066", "\u200b", "\u00ad", "\ufeff", "\u2028", "\u061c"}
}

// A label that cannot be shown is left out, with a notice; a record of which a code or
// an identifier cannot be shown is a gap. Neither reaches what is signed, and the records
// beside it do.
func TestWhatCannotBeShownIsNotReleased(t *testing.T) {
	for _, bad := range steering() {
		for name, c := range map[string]struct {
			spoil func(l *budgetv1.BudgetLine)
			lines int
		}{
			"label":      {func(l *budgetv1.BudgetLine) { l.Product.Label = "Huis" + bad + "houden" }, 2},
			"local code": {func(l *budgetv1.BudgetLine) { l.Product.LocalCode = "A" + bad }, 1},
			"decision":   {func(l *budgetv1.BudgetLine) { l.Decision.Number = bad + "1" }, 1},
			"pointer": {func(l *budgetv1.BudgetLine) {
				l.Provenance = []*budgetv1.Provenance{{Source: "GM0119", RecordType: "award", Pointer: "/" + bad}}
			}, 1},
		} {
			h := newHouse(t, func(g *server.BrokerConfig) {
				g.Sources["GM0119"] = altered{g.Sources["GM0119"], func(r *budgetv1.FetchResponse) {
					second := proto.CloneOf(r.Lines[0])
					second.Decision.Number, second.Decision.Budget = "2", "other"
					c.spoil(r.Lines[0])
					r.Lines = append(r.Lines, second)
				}}
			})
			p := h.person("P")
			h.give(p, "", all("GM0119", "SVB")...)
			b, err := h.compose(h.municipality().call(), h.request([]person{p}, [2]string{"P", "GM0119"}))
			require.NoError(t, err, "%s %q", name, bad)
			require.Len(t, b.GetLines(), c.lines, "%s %q", name, bad)
			raw, err := protojson.Marshal(b)
			require.NoError(t, err)
			back := &budgetv1.Budget{}
			require.NoError(t, protojson.Unmarshal(raw, back))
			back.Receipt = nil // a checkpoint is lines of text, of the gateway's own
			require.Empty(t, budgetv1.Unprintable(back), "%s %q", name, bad)
			if name == "label" {
				require.Equal(t, budgetv1.Unlisted, b.GetLines()[0].GetProduct().GetLabel())
				require.True(t, b.GetComplete(), "a label is no money")
				continue
			}
			require.Equal(t, []string{budgetv1.ReasonBadDataAtSource}, gapOf(b, [2]string{"P", "GM0119"}), "%s %q", name, bad)
			require.False(t, b.GetComplete())
		}
	}
}

// An adapter that does not say in plain text who it is gives no answer.
func TestAnAnswerOfWhoCannotBeShownIsBad(t *testing.T) {
	h := newHouse(t, func(g *server.BrokerConfig) {
		g.Sources["GM0119"] = altered{g.Sources["GM0119"], func(r *budgetv1.FetchResponse) { r.Adapter = "\x1b[1m" }}
	})
	p := h.person("P")
	h.give(p, "", all("GM0119")...)
	b, err := h.compose(h.municipality().call(), h.request([]person{p}, [2]string{"P", "GM0119"}))
	require.NoError(t, err)
	require.Equal(t, []string{budgetv1.ReasonBadDataAtSource}, gapOf(b, [2]string{"P", "GM0119"}))
	require.Empty(t, b.GetLines())
}

// From a caller such characters are refused, and a reference that can be a BSN; the field
// is named, and its value is not.
func TestWhatACallerSendsCanBeShown(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	h.give(p, "", all("GM0119")...)
	b, err := h.compose(h.municipality().call(), h.request([]person{p}, [2]string{"P", "GM0119"}))
	require.NoError(t, err)
	altered := func(change func(*ontschotv1.AssembleBudgetRequest)) func(context.Context) error {
		return func(ctx context.Context) error {
			r := h.request([]person{p}, [2]string{"P", "GM0119"})
			change(r)
			_, err := h.compose(ctx, r)
			return err
		}
	}
	named := func(ref string) func(context.Context) error {
		return altered(func(r *ontschotv1.AssembleBudgetRequest) { r.Persons[0].Ref, r.Asks[0].Person = ref, ref })
	}
	plan := func(change func(*budgetv1.Plan)) func(context.Context) error {
		return func(ctx context.Context) error {
			plan := &budgetv1.Plan{Goals: []string{"goal"}, Allocations: []*budgetv1.Allocation{{Id: "a", Activity: "x", Caregiver: "y", Beneficiaries: []string{"P"}}}}
			change(plan)
			_, err := h.CheckPlan(ctx, &ontschotv1.CheckPlanRequest{Budget: proto.CloneOf(b), Plan: plan})
			return err
		}
	}
	same := func(*ontschotv1.AssembleBudgetRequest) {}
	for name, c := range map[string]struct {
		do    func(context.Context) error
		more  []string
		field string
	}{
		"a BSN":                 {do: named("999940004"), field: "persons[0].ref"},
		"a BSN in a word":       {do: named("P-999940004"), field: "persons[0].ref"},
		"a BSN in parts":        {do: named("9999-40-004"), field: "persons[0].ref"},
		"a BSN of eight digits": {do: named("12345672"), field: "persons[0].ref"},
		"an allocation":         {do: plan(func(p *budgetv1.Plan) { p.Allocations[0].Id = "999.940.004" }), field: "plan.allocations[0].id"},
		"a carer":               {do: plan(func(p *budgetv1.Plan) { p.Allocations[0].Caregiver = "999 940 004" }), field: "plan.allocations[0].caregiver"},
		"who it is for": {do: plan(func(p *budgetv1.Plan) {
			p.Allocations[0].Beneficiaries = append(p.Allocations[0].Beneficiaries, "999940004")
		}),
			field: "plan.allocations[0].beneficiaries[1]"},
		"a retry":     {do: altered(same), more: []string{"idempotency-key", "retry-999940004-of-this"}, field: "idempotency-key"},
		"a case":      {do: altered(same), more: []string{"ontschot-case", "999940004"}, field: "ontschot-case"},
		"a goal":      {do: plan(func(p *budgetv1.Plan) { p.Goals[0] = "a\x1b[2J" }), field: "plan.goals[0]"},
		"an activity": {do: plan(func(p *budgetv1.Plan) { p.Allocations[0].Activity = "\u202e" }), field: "plan.allocations[0].activity"},
		"a municipality": {do: altered(func(r *ontschotv1.AssembleBudgetRequest) {
			r.Persons[0].Residences = []*ontschotv1.Residence{{Municipality: "GM\u200b1"}}
		}), field: "persons[0].residences[0].municipality"},
		"an idle reference": {do: named("P1"), field: ""},
		"a UUID":            {do: altered(same), more: []string{"idempotency-key", "0190e2d4-9999-7400-8400-1234567890ab"}, field: ""},
	} {
		err := c.do(h.municipality().call(c.more...))
		if c.field == "" {
			require.NotEqual(t, codes.InvalidArgument, codeOf(err), name)
			continue
		}
		require.Equal(t, "InvalidArgument INVALID_FIELD", codeOf(err).String()+" "+reasonOf(err), name)
		require.Contains(t, said(err).Message(), c.field+": ", name)
		require.NotRegexp(t, `9999|1234|\x1b`, said(err).Message(), name)
	}
	require.NotContains(t, h.said.String(), "999940004")
}
