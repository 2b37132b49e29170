package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// oracle judges requests as the way to yes has it, and shares nothing with what finds one
// but the rules.
type oracle struct {
	*testing.T
	e    *Engine
	most int // acts that are tried together where NEVER is said
}

// wanted are the asked fields that are needed; of none any will do.
func (o oracle) wanted(in Input) (list []string) {
	a, r := in.Action.Properties, in.Resource.Properties
	for _, c := range o.e.needs[a.Purpose][r.SourceKind][a.Law] {
		if slices.Contains(r.Fields, string(c)) {
			list = append(list, string(c))
		}
	}
	return list
}

// yes reports whether all of the fields pass whole.
func (o oracle) yes(in Input, fields []string) bool {
	said := o.e.Evaluate(o.Context(), in)
	return said.Allow && !slices.ContainsFunc(fields, func(f string) bool { return said.Fields[f] == "" || said.Fields[f] == "exists" })
}

// does is the request after one act.
func (o oracle) does(in Input, a *budgetv1.WayToYes) Input {
	r, context := in.Resource.Properties, in.Context
	switch a.GetAct() {
	case budgetv1.ActRequest:
		in.Context.Contract, in.Subject.Type, in.Action.Name, in.Resource.Type = ContractRequest, "organisation", "read", "person"
		if in.Resource.ID == "" {
			in.Resource.ID = "somebody"
		}
		if len(r.Source) != 20 {
			in.Resource.Properties.Source = "00000000000000000000"
		}
	case budgetv1.ActRole:
		in.Subject.Properties.Role = a.GetRole()
	case budgetv1.ActAssurance:
		in.Subject.Properties.Assurance = a.GetAssurance()
	case budgetv1.ActLegalBasis:
		in.Resource.Properties.LegalBasis = a.GetLegalBasis()
	case budgetv1.ActAgreementPropose, budgetv1.ActAgreementRenew, budgetv1.ActAgreementExtend:
		fields := a.GetCategories()
		if context.Agreement != nil {
			fields = slices.Concat(context.Agreement.Fields, fields)
		}
		in.Context.Agreement = &AgreementTerms{
			ID: "new", Digest: "new", Requester: in.Subject.ID, Source: r.Source, Purposes: []string{in.Action.Properties.Purpose},
			From: context.Date, Until: context.Date, Fields: fields,
		}
	case budgetv1.ActConsentAsk, budgetv1.ActConsentRenew, budgetv1.ActConsentSigner, budgetv1.ActConsentAgain, budgetv1.ActAuthority:
		in.Context.Consent = &ConsentTerms{
			ID: "new", Status: "active", Subject: in.Resource.ID, By: "self", Purposes: []string{in.Action.Properties.Purpose},
			Sources: []string{r.Source}, From: context.Date, Until: context.Date,
		}
	default:
		o.Fatalf("%s is no act about a request", a.GetAct())
	}
	return in
}

// domain are all acts that there are; each choice of a subset holds one of a kind.
func (o oracle) domain(in Input) [][]*budgetv1.WayToYes {
	kinds := [][]*budgetv1.WayToYes{
		{{Act: budgetv1.ActRequest}},
		{{Act: budgetv1.ActAgreementPropose, Categories: in.Resource.Properties.Fields}},
		{{Act: budgetv1.ActConsentAsk}}, {}, {}, {},
	}
	for _, role := range []string{"consulent", "kwaliteitsmedewerker", "regisseur"} {
		kinds[3] = append(kinds[3], &budgetv1.WayToYes{Act: budgetv1.ActRole, Role: role})
	}
	for _, level := range ontschotv1.Assurances() {
		kinds[4] = append(kinds[4], &budgetv1.WayToYes{Act: budgetv1.ActAssurance, Assurance: level})
	}
	for _, basis := range []string{"avg-6-1-a", "avg-6-1-c", "avg-6-1-e", "avg-9-2-a", "avg-9-2-h"} {
		kinds[5] = append(kinds[5], &budgetv1.WayToYes{Act: budgetv1.ActLegalBasis, LegalBasis: basis})
	}
	return kinds
}

// reachable reports whether at most so many acts of the domain make it a yes.
func (o oracle) reachable(in Input, fields []string, most int) bool {
	var try func(in Input, kinds [][]*budgetv1.WayToYes, left int) bool
	try = func(in Input, kinds [][]*budgetv1.WayToYes, left int) bool {
		if len(kinds) == 0 || left == 0 {
			return o.yes(in, fields)
		}
		if try(in, kinds[1:], left) {
			return true
		}
		return slices.ContainsFunc(kinds[0], func(a *budgetv1.WayToYes) bool { return try(o.does(in, a), kinds[1:], left-1) })
	}
	return try(in, o.domain(in), most)
}

// proves holds a way against the rules: it flips, nothing smaller does, and NEVER is told
// of what no acts at all bring.
func (o oracle) proves(in Input, about string) {
	o.Helper()
	fields := o.wanted(in)
	way := o.e.Way(o.Context(), in)
	if o.yes(in, fields) {
		require.Empty(o, way, about)
		return
	}
	if said := o.e.Evaluate(o.Context(), in); len(said.Checks) == 0 { // out of bounds: the rules never saw it
		require.Empty(o, way, about)
		return
	}
	require.NotEmpty(o, way, about)
	var acts []*budgetv1.WayToYes
	kinds := map[string]bool{}
	for _, a := range way {
		require.Contains(o, budgetv1.Acts(), a.GetAct(), about)
		if a.GetAct() == budgetv1.ActNever {
			require.Contains(o, Codes(), a.GetCode(), about)
			if len(a.GetCategories()) == 0 || !slices.ContainsFunc(way, func(w *budgetv1.WayToYes) bool { return w.GetAct() != budgetv1.ActNever }) {
				require.Empty(o, acts, about)
				continue
			}
			for _, c := range a.GetCategories() {
				require.False(o, o.reachable(in, []string{c}, o.most), "%s: %s never passes", about, c)
			}
			fields = slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return slices.Contains(a.GetCategories(), f) })
			continue
		}
		require.False(o, kinds[a.GetAct()], "%s: %s twice", about, a.GetAct())
		kinds[a.GetAct()] = true
		acts = append(acts, a)
	}
	if len(acts) == 0 {
		require.False(o, o.reachable(in, fields, o.most), "%s: it is said to be never, %v", about, way)
		return
	}
	done := in
	for _, a := range acts {
		done = o.does(done, a)
	}
	require.True(o, o.yes(done, fields), "%s: %v does not flip it: %v", about, acts, o.e.Evaluate(o.Context(), done))
	require.False(o, o.reachable(in, fields, len(acts)-1), "%s: fewer than %v do", about, acts)
}

func TestTheWayOfEveryCaseOfAnOfficerIsProved(t *testing.T) {
	e, never, some := newEngine(t), 0, 0
	for _, c := range readCases(t) {
		o := oracle{t, e, 6}
		in := c.input()
		o.proves(in, c.Name)
		for _, a := range o.e.Way(t.Context(), in) {
			if a.GetAct() == budgetv1.ActNever {
				never++
			} else {
				some++
			}
		}
	}
	require.Greater(t, never, 5)
	require.Greater(t, some, 20)
}

// faults are what can be wrong with a request in order.
func faults() map[string]func(*Input) {
	return map[string]func(*Input){
		"no agreement":            func(in *Input) { in.Context.Agreement = nil },
		"agreement over":          func(in *Input) { in.Context.Agreement.Until = "2026-01-04" },
		"agreement of others":     func(in *Input) { in.Context.Agreement.Source = overlaid },
		"agreement for something": func(in *Input) { in.Context.Agreement.Purposes = []string{"something.else"} },
		"agreement to less":       func(in *Input) { in.Context.Agreement.Fields = in.Context.Agreement.Fields[:1] },
		"agreement to nothing":    func(in *Input) { in.Context.Agreement.Fields = []string{} },
		"no consent":              func(in *Input) { in.Context.Consent = nil },
		"consent over":            func(in *Input) { in.Context.Consent.Until = "2026-01-04" },
		"consent withdrawn":       func(in *Input) { in.Context.Consent.Status = "withdrawn" },
		"consent expired":         func(in *Input) { in.Context.Consent.Status = "expired" },
		"wrong signer":            func(in *Input) { in.Context.Consent.By = "bewindvoerder" },
		"authority unclear":       func(in *Input) { in.Context.Consent.Status = "authority_unclear" },
		"consent of another":      func(in *Input) { in.Context.Consent.Subject = "p-2" },
		"consent for another":     func(in *Input) { in.Context.Consent.Sources = []string{overlaid} },
		"mandate over":            func(in *Input) { in.Context.Consent.Mandate.Until = "2026-01-04" },
		"role":                    func(in *Input) { in.Subject.Properties.Role = "kwaliteitsmedewerker" },
		"level":                   func(in *Input) { in.Subject.Properties.Assurance = "laag" },
		"basis":                   func(in *Input) { in.Resource.Properties.LegalBasis = "avg-9-2-h" },
		"contract":                func(in *Input) { in.Context.Contract = "ontschot.request/2" },
		"no person":               func(in *Input) { in.Resource.ID = "" },
		"who asks":                func(in *Input) { in.Subject.Properties.OrgType = "bank" },
		"law":                     func(in *Input) { in.Action.Properties.Law = "bbz" },
		"overlay":                 func(in *Input) { in.Subject.ID = overlaid },
		"own":                     func(in *Input) { in.Resource.Properties.Source = in.Subject.ID },
	}
}

// Every fault of a request in order in every cell; and every two, in one cell of every kind
// of source.
func TestTheWayOfEveryFaultIsProved(t *testing.T) {
	e, err := New(t.Context(), Config{FS: policies.FS, Timeout: time.Minute, CacheSize: 1 << 15})
	require.NoError(t, err)
	o, all := oracle{t, e, 2}, faults()
	names, count := slices.Sorted(maps.Keys(all)), 0
	for purpose, kinds := range e.matrix {
		for kind, laws := range kinds {
			for law, categories := range laws {
				for i, one := range names {
					for _, other := range names[i:] {
						if one != other && law != slices.Min(slices.Collect(maps.Keys(laws))) {
							continue
						}
						in, ok := faulty(purpose, kind, law, categories), true
						for _, name := range slices.Compact([]string{one, other}) {
							ok = ok && does(all[name], &in)
						}
						if !ok { // two about what the one took away
							continue
						}
						o.most = 2
						if kind == "careoffice" && purpose == ontschotv1.PurposeComposeBudget || one == other && law == "wmo" {
							o.most = 6 // all that there are
						}
						o.proves(in, strings.Join([]string{purpose, kind, law, one, other}, "/"))
						count++
					}
				}
			}
		}
	}
	require.Greater(t, count, 2500)
}

func does(fault func(*Input), in *Input) (ok bool) {
	defer func() { ok = recover() == nil }()
	fault(in)
	return true
}

// faulty is a request in order, of its own.
func faulty(purpose, kind, law string, categories []budgetv1.Category) Input {
	in := request()
	in.Action.Properties = ActionProperties{purpose, law}
	in.Resource.Properties.SourceKind, in.Resource.Properties.Fields = kind, texted(categories)
	in.Context.Agreement.Fields = texted(categories)
	in.Context.Agreement.Purposes, in.Context.Consent.Purposes = []string{purpose}, []string{purpose}
	in.Context.Consent.Mandate.Scope = []string{purpose}
	return in
}

// The same of the doors: every operation, by everybody, alone and with everybody.
func TestTheWayThroughEveryDoorIsProved(t *testing.T) {
	e, never := newEngine(t), 0
	var everybody []Worker
	for _, role := range []string{"consulent", "regisseur", "kwaliteitsmedewerker", "schoonmaker"} {
		for _, level := range ontschotv1.Assurances() {
			everybody = append(everybody, Worker{role, level})
		}
	}
	yes := func(w Work) bool { o, _ := e.EvaluateWork(t.Context(), w); return o.Allow }
	for _, operation := range append(texts(ontschotv1.Operations()), "nothing.known") {
		for _, organisation := range []string{asker, overlaid} {
			for _, first := range everybody {
				for i := range len(everybody) + 1 {
					w := Work{Subject: Workers{Type: "organisation", ID: organisation, Properties: first}, Action: WorkAction{operation}, Context: WorkContext{ContractOperation}}
					if i > 0 {
						w.Subject.Second = &everybody[i-1]
					}
					_, way := e.EvaluateWork(t.Context(), w)
					about := fmt.Sprint(operation, organisation, first, i, way)
					require.Equal(t, yes(w), len(way) == 0, about)
					if len(way) == 0 {
						continue
					}
					if way[0].GetAct() == budgetv1.ActNever {
						never++
						require.Len(t, way, 1)
						require.False(t, slices.ContainsFunc(everybody, func(a Worker) bool {
							return slices.ContainsFunc(everybody, func(b Worker) bool {
								with := w
								with.Subject.Properties, with.Subject.Second = a, &b
								return yes(with)
							})
						}), about)
						continue
					}
					for without := -1; without < len(way); without++ { // all of them do, and none can be left out
						done := w
						for at, a := range way {
							if at == without {
								continue
							}
							switch a.GetAct() {
							case budgetv1.ActRole:
								done.Subject.Properties.Role = a.GetRole()
							case budgetv1.ActAssurance:
								done.Subject.Properties.Assurance = a.GetAssurance()
							case budgetv1.ActSecondPerson:
								done.Subject.Second = &Worker{a.GetRole(), a.GetAssurance()}
							default:
								t.Fatal(about)
							}
						}
						require.Equal(t, without < 0, yes(done), "%s without %d", about, without)
					}
				}
			}
		}
	}
	require.NotZero(t, never)
}
