package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const (
	matrixFile  = "rules/matrix/integral_budget.compose/data.yaml"
	doorsFile   = "rules/catalog/operations/data.yaml"
	overlayFile = "rules/overlays/" + overlaid + "/data.yaml"
)

// folder is a copy of the folder that a test can change.
func folder(t testing.TB) fstest.MapFS {
	m := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(policies.FS, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS, file)
		m[file] = &fstest.MapFile{Data: raw}
		return err
	}))
	return m
}

func edit(t testing.TB, m fstest.MapFS, file, old, changed string) {
	before := string(m[file].Data)
	require.Contains(t, before, old)
	m[file] = &fstest.MapFile{Data: []byte(strings.Replace(before, old, changed, 1))}
}

func engineOf(t testing.TB, m fstest.MapFS) *Engine {
	e, err := New(context.Background(), Config{FS: m, Timeout: patience})
	require.NoError(t, err)
	return e
}

func TestMistakesInATableAreReportedWithLineAndSuggestion(t *testing.T) {
	for name, c := range map[string]struct{ file, old, changed, want string }{
		"role":             {matrixFile, "roles: [consulent, regisseur]", "roles: [consulent, regiseur]", "data.yaml:41:26: sources.municipality.wmo.roles.1"},
		"suggestion":       {matrixFile, "roles: [consulent, regisseur]", "roles: [consulent, regiseur]", "did you mean regisseur?"},
		"unknown key":      {matrixFile, "retention_days: 90", "retention_dagen: 90", "did you mean retention_days?"},
		"source kind":      {matrixFile, "  careoffice:", "  careofice:", "did you mean careoffice?"},
		"category":         {matrixFile, "{entitlement: none", "{entitlment: none", "did you mean entitlement?"},
		"mask":             {matrixFile, "amount: none", "amount: secret", "fields.amount"},
		"no consent":       {matrixFile, "      consent: true\n", "", "consent is required"},
		"consent no bool":  {matrixFile, "consent: true", "consent: maybe", "wmo.consent"},
		"twice":            {matrixFile, "      consent: true\n", "      consent: true\n      consent: false\n", "already defined"},
		"no yaml":          {matrixFile, "sources:", "sources: [", "data.yaml"},
		"overlay key":      {overlayFile, "remove_roles", "remove_rols", "did you mean remove_roles?"},
		"adding":           {overlayFile, "remove_roles", "add_roles", "add_roles is not allowed"},
		"longer":           {overlayFile, "retention_days: 30", "retention_days: 3650", "purposes.integral_budget.compose.retention_days"},
		"a door's role":    {doorsFile, "roles: [consulent, regisseur]", "roles: [consulent, regiseur]", "did you mean regisseur?"},
		"a door's name":    {doorsFile, "consents.narrow:\n", "consents.narow:\n", "did you mean consents.narrow?"},
		"three persons":    {doorsFile, "persons: 1", "persons: 3", "consents.give.persons"},
		"a door for less":  {overlayFile, "persons: 2", "persons: 1", "operations.agreements.accept.persons"},
		"a door's purpose": {overlayFile, "  integral_budget.compose:", "  consents.give:", "purposes"},
		"label":            {"rules/catalog/laws/data.yaml", "code: WMO, ", "", "code is required"},
	} {
		t.Run(name, func(t *testing.T) {
			m := folder(t)
			edit(t, m, c.file, c.old, c.changed)
			_, err := New(t.Context(), Config{FS: m})
			require.ErrorIs(t, err, ErrRules)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, c.file)
		})
	}
}

func TestAFolderThatCannotBeJudgedByIsRefused(t *testing.T) {
	for name, change := range map[string]func(fstest.MapFS){
		"no rules": func(m fstest.MapFS) {
			for file := range m {
				if strings.HasPrefix(file, "rules/") {
					delete(m, file)
				}
			}
		},
		"no capabilities": func(m fstest.MapFS) { delete(m, "capabilities.json") },
		"no schema":       func(m fstest.MapFS) { delete(m, "schemas/matrix.json") },
		"a misnamed table": func(m fstest.MapFS) {
			m["rules/matrix/integral_budget.compose/date.yaml"] = &fstest.MapFile{Data: []byte("sources: {}")}
		},
		"a table elsewhere": func(m fstest.MapFS) { m["rules/data.yaml"] = &fstest.MapFile{Data: []byte("matrix: {}")} },
		"an overlay of nobody": func(m fstest.MapFS) {
			m["rules/overlays/12/data.yaml"] = m[overlayFile]
		},
		"an overlay with a key that is no text": func(m fstest.MapFS) {
			m[overlayFile] = &fstest.MapFile{Data: []byte("purposes: {1: {}}")}
		},
		"an overlay that is nothing": func(m fstest.MapFS) { m[overlayFile] = &fstest.MapFile{Data: []byte("null")} },
		"a matrix with a key that is no text": func(m fstest.MapFS) {
			m[matrixFile] = &fstest.MapFile{Data: append(slices.Clone(m[matrixFile].Data), "\n? [a]\n: {}\n"...)}
		},
		"no rego": func(m fstest.MapFS) {
			m["rules/core/extra.rego"] = &fstest.MapFile{Data: []byte("package core\nallow {")}
		},
		"too long": func(m fstest.MapFS) { m["rules/core/extra.rego"] = &fstest.MapFile{Data: make([]byte, maxFileBytes+1)} },
		"a clock": func(m fstest.MapFS) {
			m["rules/core/extra.rego"] = &fstest.MapFile{Data: []byte("package core\n\nnow := time.now_ns()\n")}
		},
		"the network": func(m fstest.MapFS) {
			m["rules/core/extra.rego"] = &fstest.MapFile{Data: []byte("package core\n\nx := http.send({\"method\": \"get\", \"url\": \"https://example.org\"})\n")}
		},
		"not strict": func(m fstest.MapFS) {
			m["rules/core/extra.rego"] = &fstest.MapFile{Data: []byte("package core\n\nx if {\n\tunused := 1\n}\n")}
		},
		"allows nothing asked": func(m fstest.MapFS) {
			m["rules/core/decision.rego"] = &fstest.MapFile{Data: []byte(`package core

decision := {"contract": "ontschot.decision/1", "decision": true, "reasons": [], "checks": [], "fields": {}, "dropped": {}, "obligations": {}}
`)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := folder(t)
			change(m)
			_, err := New(t.Context(), Config{FS: m})
			require.ErrorIs(t, err, ErrRules)
		})
	}
	_, err := New(t.Context(), Config{})
	require.ErrorContains(t, err, "Config.FS")
}

func TestRevisionIsOfTheContents(t *testing.T) {
	first := newEngine(t).Revision()
	require.Len(t, first, 64)
	require.Equal(t, first, engineOf(t, folder(t)).Revision())
	m := folder(t)
	edit(t, m, matrixFile, "retention_days: 90", "retention_days: 89")
	require.NotEqual(t, first, engineOf(t, m).Revision())
}

func TestOverlaysMayBeAbsent(t *testing.T) {
	m := folder(t)
	delete(m, overlayFile)
	require.True(t, engineOf(t, m).Evaluate(t.Context(), request()).Allow)
}

func TestAMaskIsWhatTheTableSays(t *testing.T) {
	m := folder(t)
	edit(t, m, matrixFile, "product: group, period: none, quantity: none, amount: none", "product: none, period: none, quantity: none, amount: exists")
	in := request()
	in.Resource.Properties.Fields = []string{"entitlement", "product", "amount"}
	in.Context.Agreement.Fields = in.Resource.Properties.Fields
	require.Equal(t, map[string]string{"entitlement": "none", "product": "none", "amount": "exists"}, engineOf(t, m).Evaluate(t.Context(), in).Fields)
	require.Equal(t, map[string]string{"entitlement": "none", "product": "group", "amount": "none"}, newEngine(t).Evaluate(t.Context(), in).Fields)

	for _, mask := range []string{"round:1000", "last4", "EXISTS", "whole"} {
		m = folder(t)
		edit(t, m, matrixFile, "product: group", "product: "+mask)
		_, err := New(t.Context(), Config{FS: m})
		require.ErrorIs(t, err, ErrRules, mask)
	}
	m = folder(t)
	edit(t, m, matrixFile, "{entitlement: none, product: group", "{entitlement: exists, product: group")
	_, err := New(t.Context(), Config{FS: m})
	require.ErrorIs(t, err, ErrRules, "a right is there or it is not")
}

// Rules that answer with a mask of which nobody knows what it leaves deny.
func TestAnUnknownMaskDenies(t *testing.T) {
	m := folder(t)
	edit(t, m, "rules/core/decision.rego", "released := granted if allow", `released := {category: "blur" | some category, _ in granted} if allow`)
	o := engineOf(t, m).Evaluate(t.Context(), request())
	require.False(t, o.Allow)
	require.Equal(t, []string{CodeUndecided}, o.Reasons)
	require.Empty(t, o.Fields)
}

func TestMatrixAsItIsAskedFor(t *testing.T) {
	e := newEngine(t)
	require.Equal(t, []string{"TW", "UWV_PROVISION", "WAJONG", "WAO", "WIA", "WW", "ZW"}, e.Laws("integral_budget.compose", "UWV"))
	require.Equal(t, []string{"WLZ"}, e.Laws("integral_budget.compose", "CARE_OFFICE"))
	require.Empty(t, e.Laws("integral_budget.compose", "BANK"))
	require.Equal(t, []budgetv1.Category{budgetv1.CategoryPeriod, budgetv1.CategoryOwnContribution}, e.Categories("integral_budget.compose", "CAK", "WLZ"))
	require.Empty(t, e.Categories("fraud.detect", "CAK", "WLZ"))
}

// Every law a source can hold has a cell, and no cell has both kinds of money.
func TestTheMatrixCoversTheSourcesOfADutchHousehold(t *testing.T) {
	e := newEngine(t)
	for kind, laws := range map[string][]string{
		"MUNICIPALITY": {"JW", "LLV", "WMO"}, "CARE_OFFICE": {"WLZ"}, "UWV": {"TW", "UWV_PROVISION", "WAJONG", "WAO", "WIA", "WW", "ZW"},
		"INSURER": {"ZVW"}, "SVB": {"JW", "WLZ", "WMO"}, "CAK": {"WLZ", "WMO"}, "EDUCATION": {"EDU"}, "TRANSPORT": {"VALYS"},
	} {
		require.Equal(t, laws, e.Laws("integral_budget.compose", kind))
		for _, law := range laws {
			cell := e.Categories("integral_budget.compose", kind, law)
			require.False(t, slices.Contains(cell, budgetv1.CategoryAmount) && slices.Contains(cell, budgetv1.CategoryIncome), "%s/%s", kind, law)
			benefit := slices.Contains([]string{"WIA", "WAO", "WAJONG", "WW", "ZW", "TW"}, law)
			require.Equal(t, benefit, slices.Contains(cell, budgetv1.CategoryIncome), "%s/%s: a benefit is income and nothing else is", kind, law)
		}
	}
}

// What the schemas list, the catalogs and the messages list too.
func TestSchemasKnowWhatTheCatalogsKnow(t *testing.T) {
	tree, err := load(t.Context(), policies.FS)
	require.NoError(t, err)
	raw, err := fs.ReadFile(policies.FS, "schemas/matrix.json")
	require.NoError(t, err)
	words := wordsOf(raw)
	for _, list := range []string{"laws", "source_kinds", "categories", "roles", "legal_bases", "assurance", "notified"} {
		for key := range member(tree.data["catalog"], list) {
			require.Contains(t, words, key, list)
		}
	}
	for _, category := range budgetv1.Categories() {
		require.Contains(t, member(tree.data["catalog"], "categories"), string(category))
	}
	require.Len(t, member(tree.data["catalog"], "categories"), len(budgetv1.Categories()))
}

func TestRequestsAndDecisionsAreOfTheirSchemas(t *testing.T) {
	e := newEngine(t)
	for _, c := range readCases(t) {
		in := c.input()
		results, err := e.query.Eval(t.Context(), evalInput(e, &in))
		require.NoError(t, err)
		decision, err := ast.JSON(results[0].Expressions[0].Value.(ast.Value))
		require.NoError(t, err)
		requireSchema(t, "schemas/decision.json", decision)
		if c.Expect.Decision == "allow" {
			requireSchema(t, "schemas/request.json", in)
		}
	}
}

func requireSchema(t *testing.T, file string, document any) {
	schema, err := fs.ReadFile(policies.FS, file)
	require.NoError(t, err)
	raw, err := json.Marshal(document)
	require.NoError(t, err)
	known, err := newSchemas(t.Context())
	require.NoError(t, err)
	found, err := known.match(t.Context(), raw, schema)
	require.NoError(t, err)
	require.Empty(t, found)
}

// FuzzReadTable: no bytes of a table make the reader panic.
func FuzzReadTable(f *testing.F) {
	for _, file := range []string{matrixFile, overlayFile, "rules/catalog/laws/data.yaml"} {
		raw, err := fs.ReadFile(policies.FS, file)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("purposes: {x.y: {remove_roles: [directeur]}}"))
	f.Add([]byte("{1: 2}"))
	schema, err := fs.ReadFile(policies.FS, "schemas/overlay.json")
	require.NoError(f, err)
	known, err := newSchemas(f.Context())
	require.NoError(f, err)
	read := &tree{schemas: known}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := read.readTable(t.Context(), "data.yaml", raw, schema); err != nil {
			require.ErrorIs(t, err, ErrRules)
		}
	})
}

// The bounds of a folder, and that its revision is of every name and every byte.
func TestTheBoundsOfAFolder(t *testing.T) {
	m := fstest.MapFS{"rules/z.rego": {Data: []byte("z")}, "rules/a/b.rego": {Data: []byte("b")}, "rules/a.rego": {Data: []byte("a")}, "other/x.rego": {}}
	files, err := list(m)
	require.NoError(t, err)
	require.Equal(t, []string{"rules/a.rego", "rules/a/b.rego", "rules/z.rego"}, files)
	for i := range maxFiles - 3 {
		m[fmt.Sprintf("rules/m/%d.rego", i)] = &fstest.MapFile{}
	}
	files, err = list(m)
	require.NoError(t, err)
	require.Len(t, files, maxFiles)
	m["rules/one.rego"] = &fstest.MapFile{}
	_, err = list(m)
	require.ErrorIs(t, err, ErrRules)
	require.ErrorContains(t, err, "more than 1024 files")

	m["large"] = &fstest.MapFile{Data: make([]byte, maxFileBytes)}
	raw, err := readFile(m, "large")
	require.NoError(t, err)
	require.Len(t, raw, maxFileBytes)
	m["large"].Data = make([]byte, maxFileBytes+1)
	raw, err = readFile(m, "large")
	require.EqualError(t, err, "these rules cannot be used: large: larger than 1048576 bytes")
	require.Empty(t, raw)
	_, err = readFile(m, "none")
	require.ErrorIs(t, err, ErrRules)

	revision := func(name, content string) string {
		m := folder(t)
		m["rules/core/"+name+"_test.rego"] = &fstest.MapFile{Data: []byte(content)}
		tree, err := load(t.Context(), m)
		require.NoError(t, err)
		require.NotContains(t, tree.modules, "rules/core/"+name+"_test.rego", "a test judges nothing")
		return tree.revision
	}
	require.Equal(t, revision("a", "x"), revision("a", "x"))
	require.NotEqual(t, revision("a", "x"), revision("a", "y"))
	require.NotEqual(t, revision("a", "x"), revision("b", "x"))
	var one, two bytes.Buffer
	fold(&one, "ab", []byte("c"))
	fold(&two, "a", []byte("bc"))
	require.NotEqual(t, one.String(), two.String())
	require.Equal(t, "\x02\x01abc", one.String())
}

// Whatever makes a folder useless is reported with its file, and by nothing that is fine.
func TestWhyAFolderIsRefused(t *testing.T) {
	for says, change := range map[string]func(fstest.MapFS){
		"capabilities.json: ": func(m fstest.MapFS) { m["capabilities.json"] = &fstest.MapFile{Data: []byte("{")} },
		"rules cannot be used:\nrules: ": func(m fstest.MapFS) {
			maps.DeleteFunc(m, func(file string, _ *fstest.MapFile) bool { return strings.HasPrefix(file, "rules/") })
		},
		"open capabilities.json":              func(m fstest.MapFS) { delete(m, "capabilities.json") },
		"open schemas/matrix.json":            func(m fstest.MapFS) { delete(m, "schemas/matrix.json") },
		"open schemas/operations.json":        func(m fstest.MapFS) { delete(m, "schemas/operations.json") },
		"open schemas/purposes.json":          func(m fstest.MapFS) { delete(m, "schemas/purposes.json") },
		"open schemas/catalog.json":           func(m fstest.MapFS) { delete(m, "schemas/catalog.json") },
		"open schemas/overlay.json":           func(m fstest.MapFS) { delete(m, "schemas/overlay.json") },
		"its schema cannot be used":           func(m fstest.MapFS) { m["schemas/overlay.json"] = &fstest.MapFile{Data: []byte("{")} },
		"rules/README.md: only *.rego":        func(m fstest.MapFS) { m["rules/README.md"] = &fstest.MapFile{} },
		"tables are in matrix/<purpose>":      func(m fstest.MapFS) { m["rules/matrix/data.yaml"] = m[matrixFile] },
		"rules/other/x/data.yaml: tables are": func(m fstest.MapFS) { m["rules/other/x/data.yaml"] = m[matrixFile] },
		"rules/matrix/a/b/data.yaml: tables":  func(m fstest.MapFS) { m["rules/matrix/a/b/data.yaml"] = m[matrixFile] },
		"x_test.rego: larger than": func(m fstest.MapFS) {
			m["rules/core/x_test.rego"] = &fstest.MapFile{Data: make([]byte, maxFileBytes+1)}
		},
		"data/data.yaml:1:1: this cannot be read as YAML: line 1": func(m fstest.MapFS) { m["rules/catalog/data/data.yaml"] = &fstest.MapFile{Data: []byte("purposes: [")} },
		"self/data.yaml:1:1: this cannot be read as YAML: anchor": func(m fstest.MapFS) { m["rules/catalog/self/data.yaml"] = &fstest.MapFile{Data: []byte("a: &a [*a]")} },
		"the folder must be the OIN":                              func(m fstest.MapFS) { m["rules/overlays/12/data.yaml"] = m[overlayFile] },
		"data.yaml:1:12: a key is no text":                        func(m fstest.MapFS) { m[overlayFile] = &fstest.MapFile{Data: []byte("purposes: {1: {}}")} },
		"rules/core/extra.rego:2:7: rego_": func(m fstest.MapFS) {
			m["rules/core/extra.rego"] = &fstest.MapFile{Data: []byte("package core\nallow {")}
		},
		"undefined function time.now_ns": func(m fstest.MapFS) {
			m["rules/core/extra.rego"] = &fstest.MapFile{Data: []byte("package core\n\nnow := time.now_ns()\n")}
		},
		"does not answer an empty request": func(m fstest.MapFS) {
			m["rules/core/decision.rego"] = &fstest.MapFile{Data: []byte("package core\n\ndecision := 1\n")}
		},
		"rules/core does not answer who may do": func(m fstest.MapFS) {
			m["rules/core/operation.rego"] = &fstest.MapFile{Data: []byte("package core\n\noperation := 1\n")}
		},
	} {
		m := folder(t)
		change(m)
		_, err := New(t.Context(), Config{FS: m, Timeout: patience})
		require.ErrorIs(t, err, ErrRules, says)
		require.ErrorContains(t, err, says)
	}
}

// The mistakes of a table stand in the order of its lines, twenty at most.
func TestMistakesInOrder(t *testing.T) {
	m := folder(t)
	table := string(m[matrixFile].Data)
	m[matrixFile] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(strings.ReplaceAll(table, "retention_days:", "retention_dagen:"), "assurance:", "assurence:"))}
	_, err := New(t.Context(), Config{FS: m})
	require.ErrorIs(t, err, ErrRules)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 1+maxMistakes)
	before := 0
	for _, line := range lines[1:] {
		place, _, _ := strings.Cut(strings.TrimPrefix(line, matrixFile+":"), ":")
		at, err := strconv.Atoi(place)
		require.NoError(t, err, line)
		require.GreaterOrEqual(t, at, before, line)
		before = at
	}
	require.ErrorContains(t, err, "did you mean")
}

// A key may hold dots itself: the longest that fits is the one that is meant.
func TestThePlaceOfAMistake(t *testing.T) {
	for _, text := range []string{"a: {b: 1}\na.b: 2\n", "a.b: 2\na: {b: 1}\n"} {
		var document yaml.Node
		require.NoError(t, yaml.Unmarshal([]byte(text), &document))
		node, word := find(&document, mistake{Field: "a.b"})
		require.Equal(t, "2", word)
		require.Equal(t, "2", node.Value)
	}
	var document yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte("a:\n  - x\n  - y: z\n"), &document))
	for field, want := range map[string]string{"a.0": "x", "a.1.y": "z", "a.1.none": "", "(root)": ""} {
		_, word := find(&document, mistake{Field: field})
		require.Equal(t, want, word, field)
	}
	node, word := find(&document, mistake{Field: "(root)", Desc: "Additional property a is not allowed"})
	require.Equal(t, "a", word)
	require.Equal(t, 1, node.Line)
}

// A statute that is switched is a folder of another revision, in which it counts or does not and
// nothing else is otherwise.
func TestAStatuteIsSwitched(t *testing.T) {
	before := engineOf(t, folder(t))
	for state, same := range map[bool]bool{true: false, false: true} {
		m, err := Switched(folder(t), map[string]bool{"wams": state})
		require.NoError(t, err)
		after, err := New(t.Context(), Config{FS: m, Timeout: patience})
		require.NoError(t, err)
		require.Equal(t, same, reflect.DeepEqual(before.tables, after.tables))
		table := func(e *Engine) map[string]any { return member(member(e.tables["catalog"], "statutes"), "wams") }
		require.Equal(t, state, table(after)["active"])
		table(after)["active"] = table(before)["active"]
		require.Equal(t, before.tables, after.tables)
	}
	_, err := Switched(folder(t), map[string]bool{"wamz": true})
	require.ErrorIs(t, err, ErrInput)
	broken := folder(t)
	put(broken, statutesFile, "wams: [")
	_, err = Switched(broken, map[string]bool{"wams": true})
	require.ErrorIs(t, err, ErrRules)
	put(broken, statutesFile, "")
	_, err = Switched(broken, map[string]bool{"wams": true})
	require.ErrorIs(t, err, ErrInput)
}
