package impact

import (
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/policies"
)

// Files of the rules, and texts in them.
const (
	composeFile    = "rules/matrix/integral_budget.compose/data.yaml"
	operationsFile = "rules/catalog/operations/data.yaml"
	wlzFields      = "fields: {entitlement: none, product: group, period: none, quantity: none, amount: none, reference: none}"
)

// edit is one text in one file of the rules, and what stands in its place.
type edit struct{ file, from, to string }

// edited is the folder that is built in, with edits.
func edited(t testing.TB, edits ...edit) fstest.MapFS {
	t.Helper()
	all := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(policies.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS, path)
		all[path] = &fstest.MapFile{Data: raw}
		return err
	}))
	for _, e := range edits {
		text := string(all[e.file].Data)
		require.Contains(t, text, e.from, e.file)
		all[e.file] = &fstest.MapFile{Data: []byte(strings.Replace(text, e.from, e.to, 1))}
	}
	return all
}

func core(t testing.TB, fsys fs.FS) *policy.Core {
	t.Helper()
	c, err := policy.ReadCore(t.Context(), fsys)
	require.NoError(t, err)
	return c
}

// points is how many combinations are asked of both engines in a test.
const points = 400

func compare(t testing.TB, edits ...edit) *Certificate {
	t.Helper()
	c, err := Compare(t.Context(), core(t, policies.FS), core(t, edited(t, edits...)), Options{Points: points})
	require.NoError(t, err)
	return c
}

func withoutAmount() edit {
	return edit{composeFile, wlzFields, "fields: {entitlement: none, product: group, period: none, quantity: none, reference: none}"}
}

func TestNothingChangesBetweenARevisionAndItself(t *testing.T) {
	c := compare(t)
	require.Zero(t, c.Changed)
	require.Empty(t, c.Groups)
	require.GreaterOrEqual(t, c.Combinations, uint64(10_000_000))
	require.LessOrEqual(t, c.Evaluations, maxEvaluations)
	var names []string
	for _, i := range c.Invariants {
		require.True(t, i.Holds, "%s: %v", i.Name, i.Broken)
		names = append(names, i.Name)
	}
	require.ElementsMatch(t, Invariants(), names)
}

func TestACategoryThatIsTakenOutIsNamed(t *testing.T) {
	c := compare(t, withoutAmount())
	require.NotZero(t, c.Kinds[FewerFields])
	require.NotZero(t, c.Kinds[ReasonsOnly])
	require.Equal(t, c.Changed, c.Kinds[FewerFields]+c.Kinds[ReasonsOnly], "nothing else changes")
	g := c.Groups[0]
	require.Equal(t, FewerFields, g.Kind)
	require.Equal(t, []Part{{dimPurpose: {"integral_budget.compose"}, dimKind: {"careoffice"}, dimLaw: {"wlz"}, dimCategory: {"amount"}}}, g.Where)
	require.Equal(t, []string{"consulent", "regisseur"}, g.For[dimRole])
	for _, g := range c.Groups {
		require.Equal(t, []string{"amount"}, g.Where[0][dimCategory])
	}
}

// Of an answer that lists a category which was not asked the gateway makes none: a change to
// that is named as a denial, or as other reasons where it was one already.
func TestAnAnswerAboutWhatWasNotAskedIsNoAnswer(t *testing.T) {
	for _, e := range []edit{
		{"rules/core/fields.rego", "some category in (asked - passing)", "some category in (agreed - passing)"},
		{"rules/core/fields.rego", "some category in (asked - passing)", "some category in (asked - passing)\n\ndropped[\"amount\"] := \"VELD-01\" if count(passing) > 0"},
	} {
		c := compare(t, e)
		require.NotZero(t, c.Changed, e.to)
		for _, g := range c.Groups {
			if g.Change.Kind != ReasonsOnly || len(g.Change.ReasonsNew) > 0 {
				require.Equal(t, []string{policy.CodeUndecided}, g.Change.ReasonsNew, "%s: %+v", e.to, g)
			}
		}
	}
}

func TestADoorThatOpensForOneMoreRoleIsNamed(t *testing.T) {
	c := compare(t, edit{operationsFile, "roles: [consulent, regisseur], assurance: substantieel, persons: 1}", "roles: [consulent, regisseur, kwaliteitsmedewerker], assurance: substantieel, persons: 1}"})
	require.Len(t, c.Groups, 1)
	require.Equal(t, c.Changed, c.Kinds[NewlyAllowed])
	require.Equal(t, []string{"kwaliteitsmedewerker"}, c.Groups[0].For[dimRole])
	require.Equal(t, []Part{{dimOperation: {"consents.give"}}}, c.Groups[0].Where)
}

// Each kind of change is found by a change that makes one.
func TestEachKindOfChangeIsNamed(t *testing.T) {
	s, parent := newSession(), core(t, policies.FS)
	for kind, e := range map[string]edit{
		NewlyAllowed:  {"rules/core/consent.rego", "input.context.consent.status != \"wrong_signer\"\n", "true\n"},
		MoreFields:    {composeFile, wlzFields, strings.Replace(wlzFields, "amount", "provider: none, amount", 1)},
		MasksLooser:   {composeFile, "product: group", "product: none"},
		NewlyDenied:   {"rules/catalog/signers/data.yaml", "curator: {code: curator, nl: \"de curator\", en: \"the curator\", mandate: false}", "curator: {code: curator, nl: \"de curator\", en: \"the curator\"}"},
		FewerFields:   {composeFile, wlzFields, "fields: {entitlement: none, product: group, period: none}"},
		MasksStricter: {composeFile, "product: group", "product: exists"},
		Obligations:   {composeFile, "retention_days: 90", "retention_days: 89"},
		ReasonsOnly:   {"rules/core/agreement.rego", `default agreement_checks := {"OVK-01"}`, `default agreement_checks := {"OVK-01", "OVK-02"}`},
	} {
		c, err := s.compare(t.Context(), parent, core(t, edited(t, e)), Options{Points: points / 8})
		require.NoError(t, err)
		require.NotZero(t, c.Kinds[kind], kind)
	}
}

func TestTheCertificateIsTheSameAgain(t *testing.T) {
	first, err := compare(t, withoutAmount()).JSON()
	require.NoError(t, err)
	second, err := compare(t, withoutAmount()).JSON()
	require.NoError(t, err)
	require.Equal(t, string(first), string(second))
	var c Certificate
	require.NoError(t, json.Unmarshal(first, &c))
	hash := c.SHA256
	require.NoError(t, c.seal())
	require.Equal(t, hash, c.SHA256, "the hash is that of what the file says")
	c.Changed++
	require.NoError(t, c.seal())
	require.NotEqual(t, hash, c.SHA256)
}

// As stock OPA loads a folder, and answers the witnesses of a certificate.
func TestStockOPAAnswersTheWitnesses(t *testing.T) {
	fsys := edited(t, withoutAmount(), edit{operationsFile, "roles: [consulent, regisseur]", "roles: [regisseur]"})
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, fsys))
	c, err := Compare(t.Context(), core(t, policies.FS), core(t, fsys), Options{Points: points})
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(c.Groups), 3)
	for _, g := range c.Groups {
		for folder, want := range map[string]json.RawMessage{"../../../policies/rules": g.Witness.Parent, filepath.Join(dir, "rules"): g.Witness.Revision} {
			results, err := rego.New(rego.Load([]string{folder}, nil), rego.Query(g.Witness.Query), rego.Input(g.Witness.Input)).Eval(t.Context())
			require.NoError(t, err)
			said, err := json.Marshal(results[0].Expressions[0].Value)
			require.NoError(t, err)
			require.JSONEq(t, string(want), string(said))
		}
	}
}

// A combination is written for the rules as the gateway writes it.
func TestACombinationIsWrittenAsTheGatewayWritesIt(t *testing.T) {
	d, err := requests(readVocabulary(core(t, policies.FS)))
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		point := d.draw(random)
		ours, err := json.Marshal(d.document(point))
		require.NoError(t, err)
		theirs, err := json.Marshal(d.asked(point))
		require.NoError(t, err)
		require.JSONEq(t, string(theirs), string(ours))
	}
}

// What stands at a place of the input depends on the dimensions that are said of it, and on
// no others.
func TestEachPlaceOfTheInputDependsOnWhatIsSaidOfIt(t *testing.T) {
	words := readVocabulary(core(t, policies.FS))
	for name, make := range map[string]func(vocabulary) (*domain, error){"requests": requests, "doors": doors} {
		d, err := make(words)
		require.NoError(t, err)
		random := rand.New(rand.NewPCG(3, 4))
		places := 0
		for range 4000 {
			a, b := d.draw(random), d.draw(random)
			for _, p := range d.paths {
				agree := true
				for _, level := range d.touching(p.name, true) {
					agree = agree && a[level] == b[level]
				}
				if !agree {
					continue
				}
				first, one := place(d.document(a), strings.Split(p.name, "."))
				second, two := place(d.document(b), strings.Split(p.name, "."))
				require.Equal(t, one, two, "%s: %s", name, p.name)
				if _, object := first.(map[string]any); !object {
					require.Equal(t, first, second, "%s: %s", name, p.name)
				}
				places++
			}
		}
		require.Greater(t, places, 10_000)
		documented := map[string]bool{}
		for range 200 {
			leaves("", d.document(d.draw(random)), documented)
		}
		for written := range documented {
			require.True(t, slices.ContainsFunc(d.paths, func(p path) bool { return p.name == written }), "%s: nothing is said of %s", name, written)
		}
	}
}

// leaves gathers the places of a document.
func leaves(at string, document any, into map[string]bool) {
	object, ok := document.(map[string]any)
	if !ok {
		into[at] = true
		return
	}
	for name, inner := range object {
		leaves(strings.TrimPrefix(at+"."+name, "."), inner, into)
	}
}

// comparing makes a comparison over one domain, of which a part may be cut out.
func comparing(t testing.TB, fsys fs.FS, door bool, cut func(d *domain)) (*comparison, differences) {
	t.Helper()
	cores := [2]*policy.Core{core(t, policies.FS), core(t, fsys)}
	words := readVocabulary(cores[0], cores[1])
	p := &comparison{name: "requests", rule: "data.core.decision", cores: cores, options: Options{}}
	d, err := requests(words)
	if door {
		p.name, p.rule = "doors", "data.core.operation"
		d, err = doors(words)
	}
	require.NoError(t, err)
	cut(d)
	p.world = newWorld(newSession(), d)
	require.NoError(t, p.answer(t.Context()))
	found, err := p.compare(p.answers[0], p.answers[1])
	require.NoError(t, err)
	return p, found
}

// enumerate visits every combination of a domain.
func enumerate(d *domain, visit func(point []int)) {
	point := d.somewhere()
	var down func(level int, c controls)
	down = func(level int, c controls) {
		if level == len(d.dims) {
			visit(point)
			return
		}
		d.allowed(level, c).each(func(i int) {
			point[level] = i
			down(level+1, c.with(d.dims[level].control, i))
		})
	}
	down(0, d.start())
}

// requireCounts asks both engines for every combination of a domain, and compares counts, and
// in which groups each combination lies.
func requireCounts(t testing.TB, p *comparison, found differences) (all, changes uint64) {
	t.Helper()
	byKind, counted := map[string]uint64{}, map[string]uint64{}
	groups := p.groups(found)
	enumerate(p.domain, func(point []int) {
		all++
		a, b := p.answers[0].read(p.whole(t.Context(), 0, point), p.category(point)), p.answers[1].read(p.whole(t.Context(), 1, point), p.category(point))
		change, changed := compared(a, b)
		in := 0
		for _, g := range groups {
			g.each(func(b box) {
				if holds(b, point) {
					in++
					require.Equal(t, change, g.change)
				}
			})
		}
		if changed {
			byKind[change.Kind]++
			changes++
			require.Equal(t, 1, in, "in exactly one box of one group")
		} else {
			require.Zero(t, in)
		}
	})
	for _, g := range groups {
		counted[g.change.Kind] += g.count
	}
	require.Equal(t, byKind, counted)
	require.Equal(t, all, p.domain.counted(p.domain.whole()))
	return all, changes
}

func holds(b box, point []int) bool {
	for i, s := range b {
		if !s.has(point[i]) {
			return false
		}
	}
	return true
}

// All doors are few enough to go through one by one.
func TestTheCountsOfDoorsAreThoseOfEnumeration(t *testing.T) {
	fsys := edited(t, edit{operationsFile, "roles: [kwaliteitsmedewerker], assurance: substantieel, persons: 2", "roles: [kwaliteitsmedewerker, regisseur], assurance: hoog, persons: 2"},
		edit{"rules/overlays/00000099000999999000/data.yaml", "agreements.accept: {assurance: hoog, persons: 2}", "agreements.accept: {assurance: laag}"})
	p, found := comparing(t, fsys, true, func(*domain) {})
	all, changes := requireCounts(t, p, found)
	require.Greater(t, all, uint64(10_000))
	require.NotZero(t, changes)
}

// Parts of the domain of requests, small enough to go through one by one, each with changes
// of tables and of the core.
func TestTheCountsOfRequestsAreThoseOfEnumeration(t *testing.T) {
	changes := []edit{
		withoutAmount(),
		{"rules/core/consent.rego", "input.context.consent.status != \"wrong_signer\"\n", "true\n"},
		{"rules/core/fields.rego", "(asked & agreed) - removed", "asked - removed"},
		{"rules/core/decision.rego", "failed := required - pass", `failed := required - (pass | {"OVK-02"})`},
		{"rules/catalog/statutes/data.yaml", "  active: false\n", "  active: true\n"},
		{"rules/overlays/00000099000999999000/data.yaml", "municipality: [quantity]", "careoffice: [amount]"},
	}
	random, changing, rounds := rand.New(rand.NewPCG(5, 6)), 0, 2
	if os.Getenv("ONTSCHOT_LONG") == "" {
		changes, rounds = changes[:2], 1
	}
	for _, e := range changes {
		fsys := edited(t, e)
		for range rounds {
			p, found := comparing(t, fsys, false, func(d *domain) { cutOut(d, random) })
			if _, n := requireCounts(t, p, found); n > 0 {
				changing++
			}
		}
	}
	require.Greater(t, changing, len(changes)*rounds/3, "a count of nothing says nothing")
}

// cutOut leaves a small part of a domain, near to what is in order.
func cutOut(d *domain, random *rand.Rand) {
	near := map[string]set{
		dimPurpose: d.only(dimPurpose, "integral_budget.compose"), dimKind: d.only(dimKind, "careoffice", "municipality"), dimLaw: d.only(dimLaw, "wlz", "wmo"),
		dimCategory: d.only(dimCategory, "amount", "quantity"), dimRole: d.only(dimRole, "consulent"), dimAssurance: d.only(dimAssurance, "hoog"),
		dimBasis: d.only(dimBasis, "avg-6-1-e", "avg-6-1-c"), dimDate: d.only(dimDate, "2026-01-05", "2025-12-31"),
	}
	left := make([]set, len(d.dims))
	for i, dim := range d.dims {
		left[i] = d.all(i)
		if s, ok := near[dim.name]; ok {
			left[i] = s
		} else if dim.order != 0 {
			left[i] = dim.best | dim.order&1
			if dim.best == 0 {
				left[i] = dim.order
			}
		}
	}
	for range 4 { // and a few of the others
		i := random.IntN(len(d.dims))
		left[i] |= 1 << random.IntN(len(d.dims[i].values))
	}
	signer := d.at[dimSigner]
	left[signer] = d.only(dimSigner, notThere, "self", "gemachtigde")
	permit := d.permit
	d.permit = func(level int, c controls) set {
		s := permit(level, c) & left[level]
		if s == 0 {
			return permit(level, c)
		}
		return s
	}
}

// What must hold is told when it does not, with an input that shows it.
func TestAnInvariantThatDoesNotHoldIsNamed(t *testing.T) {
	s, parent := newSession(), core(t, policies.FS)
	for name, e := range map[string]edit{
		ConsentCounts:   {"rules/core/consent.rego", `	input.context.consent.status != "withdrawn"`, "	true"},
		AgreementCounts: {"rules/core/agreement.rego", "input.context.agreement.requester == input.subject.id", "true"},
		OverlaysNarrow:  {"rules/core/purpose.rego", "input.subject.properties.role in cell.roles", "input.subject.properties.role in (cell.roles | removed_roles)"},
		CellsReachable:  {"rules/core/purpose.rego", "input.subject.properties.org_type in purpose.asked_by", "input.subject.properties.org_type == cell.assurance"},
		NothingBeside:   {"rules/core/fields.rego", "object.filter(cell.fields, (asked & agreed) - removed)", `{c: "none" | some c in (asked & agreed) - removed}`},
		CategoriesApart: {"rules/core/fields.rego", `pass contains "VELD-00" if count(granted) > 0`, `pass contains "VELD-00" if count(granted) == 1`},
		DoorsClosed:     {"rules/core/operation.rego", "door := data.catalog.operations[input.action.name]", `door := object.get(data.catalog.operations, input.action.name, data.catalog.operations["log.read"])`},
	} {
		if name == OverlaysNarrow {
			e = edit{"rules/core/purpose.rego", "not input.subject.properties.role in removed_roles", "widened"}
		}
		fsys := edited(t, e)
		if name == OverlaysNarrow { // an overlay that makes up for a role
			fsys["rules/core/more.rego"] = &fstest.MapFile{Data: []byte("package core\n\nwidened if input.subject.properties.role in removed_roles\n\nwidened if input.subject.properties.role == \"consulent\"\n")}
		}
		c, err := s.compare(t.Context(), parent, core(t, fsys), Options{Points: points / 8})
		require.NoError(t, err, name)
		require.False(t, c.Holds(), name)
		i := slices.IndexFunc(c.Invariants, func(i Invariant) bool { return i.Name == name })
		require.False(t, c.Invariants[i].Holds, name)
		require.NotEmpty(t, c.Invariants[i].Broken, name)
		if name != CellsReachable {
			require.NotEmpty(t, c.Invariants[i].Broken[0].Input, name)
		}
	}
}

// Rules that cannot be taken apart are refused, and the message says which and what to do.
func TestRulesThatDoNotFactorAreRefused(t *testing.T) {
	for says, e := range map[string]edit{
		"reads input.context as a whole": {"rules/core/consent.rego", `input.context.consent.subject == input.resource.id`, `whole := input.context; whole.consent.subject == input.resource.id`},
		`uses "with"`:                    {"rules/core/decision.rego", "count(granted) > 0", `count(granted) > 0 with input.action.name as "read"`},
		"fails where it is evaluated":    {"rules/core/shape.rego", `regex.match(` + "`^[0-9]{20}$`, input.subject.id)", `regex.match("[", input.subject.id)`},
		"is read as a whole":             {"rules/core/decision.rego", "count(granted) > 0", "count(granted) > 0\n\tcount(data.core) > 0"},
	} {
		fsys := edited(t, e)
		revision, err := policy.ReadCore(t.Context(), fsys)
		if err != nil {
			require.ErrorIs(t, err, policy.ErrRules, says) // refused by both
			continue
		}
		_, err = Compare(t.Context(), core(t, policies.FS), revision, Options{Points: points})
		require.ErrorIs(t, err, ErrFactor, says)
		require.ErrorContains(t, err, says)
		require.EqualError(t, Factors(t.Context(), revision), strings.TrimPrefix(err.Error(), "revision "+revision.Revision()[:12]+": "), "and the check of a folder says so too")
	}
	require.NoError(t, Factors(t.Context(), core(t, policies.FS)))
}

// A comparison that is wrong is an error, and no certificate.
func TestAnEngineThatAnswersOtherwiseIsAnError(t *testing.T) {
	p, found := comparing(t, edited(t, withoutAmount()), false, func(*domain) {})
	for i, n := range p.answers[1].nodes {
		if p.answers[1].names[i] == "decision" {
			p.answers[1].nodes[i] = leaf(p.session.intern(ast.Boolean(false)))
			_ = n
		}
	}
	p.options.Points = 2000
	_, err := p.check(t.Context(), found, &Invariant{})
	require.ErrorIs(t, err, ErrDisagree)
}
