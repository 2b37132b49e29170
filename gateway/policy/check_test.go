package policy

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/policies"
)

func TestTheBuiltInPoliciesAreInOrder(t *testing.T) {
	problems, report := Check(t.Context(), policies.FS)
	require.Empty(t, problems, "%v", fmt.Sprint(problems))
	require.NotNil(t, report)
	require.GreaterOrEqual(t, len(report.Cases), 150)
	for _, c := range report.Coverage.Cells {
		require.Equal(t, c.Of, c.Given, "%v", c)
	}
}

const otherOverlay = "rules/overlays/00000099000999998000/data.yaml"

// put writes a file of a folder.
func put(m fstest.MapFS, file, text string) { m[file] = &fstest.MapFile{Data: []byte(text)} }

// What is wrong is said with its place, whether a gateway would start with it or not.
func TestCheckSaysWhatIsWrongAndWhere(t *testing.T) {
	swap := func(file, old, changed string) func(testing.TB, fstest.MapFS) {
		return func(t testing.TB, m fstest.MapFS) { edit(t, m, file, old, changed) }
	}
	for says, c := range map[string]struct {
		starts bool
		change func(testing.TB, fstest.MapFS)
	}{
		// What a gateway does not start with.
		matrixFile + ":41:26: sources.municipality.wmo.roles.1: ":  {false, swap(matrixFile, "roles: [consulent, regisseur]", "roles: [consulent, regiseur]")},
		"rules/core/fields.rego:3:22: rego_unsafe_var_error":       {false, swap("rules/core/fields.rego", "some category in input.resource", "some category in inputs.resource")},
		"rules/core/cases_test.rego:":                              {false, swap(casesRules, "named(group, entries)", "nmaed(group, entries)")},
		"this allows more than the program itself does: http.send": {false, swap("capabilities.json", `"builtins": [`, `"builtins": [{"name": "http.send", "decl": {"type": "function", "args": [{"type": "any"}], "result": {"type": "any"}}},`)},
		"this allows more than the program itself does: allow_net": {false, swap("capabilities.json", `"allow_net": [],`, ``)},
		"does: example.org":                    {false, swap("capabilities.json", `"allow_net": []`, `"allow_net": ["example.org"]`)},
		"does: abs":                            {false, swap("capabilities.json", `"name":"abs","decl":{"args":[{"type":"number"}]`, `"name":"abs","decl":{"args":[{"type":"string"}]`)},
		"it refers to \"file:///etc/passwd\"":  {false, swap("schemas/catalog.json", `"type": "string",`, `"$ref": "file:///etc/passwd",`)},
		"it refers to \"https://example.org\"": {false, swap("schemas/overlay.json", `"title":`, `"$id": "https://example.org", "title":`)},
		"cases/who/data.yaml:17:12: Een doel":  {true, swap("cases/who/data.yaml", "fraud.detect", "fraud.detct")},
		"there is no case at all": {false, func(_ testing.TB, m fstest.MapFS) {
			maps.DeleteFunc(m, func(f string, _ *fstest.MapFile) bool { return strings.HasPrefix(f, "cases/") })
		}},
		// What it starts with, and nobody means.
		"rules/catalog/operations/data.yaml: log.read: this door has no cell": {true, func(t testing.TB, m fstest.MapFS) {
			before, _, found := strings.Cut(string(m[doorsFile].Data), "log.read:")
			require.True(t, found)
			put(m, doorsFile, before)
			edit(t, m, "rules/overlays/00000099000999998000/data.yaml", "  log.read: {assurance: hoog}\n", "")
		}},
		"budget.sunset: no case lets anybody do this":                                {true, swap("cases/doors/data.yaml", "  work: {does: budget.sunset}", "  work: {does: budget.plan}")},
		"budget.sunset: no case keeps anybody from this":                             {true, swap("cases/doors/data.yaml", "  work: {does: budget.sunset, role", "  work: {does: budget.plan, role")},
		matrixFile + ":158:50: no case gives period of uwv under tw":                 {true, swap("cases/matrix/data.yaml", "law: tw, fields: [entitlement, product, period,", "law: tw, fields: [entitlement, product,")},
		"TOEST-05: is in no case":                                                    {true, swap("cases/consent/data.yaml", "consent: {status: authority_unclear, by: ouder_met_gezag}", "consent: {by: ouder_met_gezag}")},
		"rules/core/consent.rego:15:28: OVK-09: the program does not know this code": {false, swap("rules/core/consent.rego", `default consent_checks := {"TOEST-01"}`, `default consent_checks := {"OVK-09"}`)},
		"OVK-03: has no title in " + checksFile:                                      {true, swap(checksFile, "ovk-03: {code: OVK-03", "ovk-03: {code: OVK-04")},
		"OVK-04: no rule checks this":                                                {true, swap(checksFile, "ovk-03: {code: OVK-03", "ovk-03: {code: OVK-04")},
		"OVK-03: has no text in reasons/en.yaml":                                     {true, swap("reasons/en.yaml", "OVK-03:", "OVK-04:")},
		"reasons/en.yaml:13:1: OVK-04 is not in reasons/nl.yaml":                     {true, swap("reasons/en.yaml", "OVK-03:", "OVK-04:")},
		"OVK-03: article is not there":                                               {true, swap("reasons/nl.yaml", "  article: AVG art. 5 lid 1 onder b\n", "")},
		"GROND-01 short: there is no text here":                                      {true, swap("reasons/nl.yaml", "short: De wettelijke grond past niet", `short: " "`)},
		"reasons/gaps.en.yaml":                                                       {true, func(_ testing.TB, m fstest.MapFS) { delete(m, "reasons/gaps.en.yaml") }},
		"there should be texts here": {true, func(_ testing.TB, m fstest.MapFS) {
			maps.DeleteFunc(m, func(f string, _ *fstest.MapFile) bool { return strings.HasPrefix(f, "agreements/") })
		}},
		"agreements/words.nl.yaml:1:1: this cannot be read":                                                                             {true, func(_ testing.TB, m fstest.MapFS) { put(m, "agreements/words.nl.yaml", "a: [") }},
		otherOverlay + ":3:3: integral_budget.compse is not in rules/catalog/purposes/data.yaml; did you mean integral_budget.compose?": {true, swap(otherOverlay, "integral_budget.compose:", "integral_budget.compse:")},
		"this is longer than any cell retains":                                                                                          {true, swap(otherOverlay, "account:\n    remove_roles: [consulent]", "account:\n    remove_roles: [consulent]\n    retention_days: 91")},
		"laag is less than the cell asks":                                                                                               {true, swap(otherOverlay, "log.read: {assurance: hoog}", "log.read: {assurance: laag}")},
		"rules/matrix/integral_budget.other/data.yaml: integral_budget.other is not in rules/catalog/purposes/data.yaml": {true, func(_ testing.TB, m fstest.MapFS) {
			m["rules/matrix/integral_budget.other/data.yaml"] = m[matrixFile]
		}},
		matrixFile + ":40:20: wgz is not in rules/catalog/statutes/data.yaml; did you mean wgs?": {true, swap(matrixFile, "statute: wams", "statute: wgz")},
		"kwaliteitsmedewerker is not in rules/catalog/roles/data.yaml":                           {true, swap("rules/catalog/roles/data.yaml", "kwaliteitsmedewerker: {code: kwaliteitsmedewerker", "kwaliteit: {code: kwaliteit")},
		"two cases have this name": {true, swap("cases/who/data.yaml", "Een regisseur mag het ook:", "De overeenkomst is gisteren afgelopen:")},
	} {
		t.Run(says, func(t *testing.T) {
			m := folder(t)
			c.change(t, m)
			problems, _ := Check(t.Context(), m)
			require.NotEmpty(t, problems)
			require.Contains(t, problems.Error(), says)
			for _, p := range problems {
				require.NotEmpty(t, p.File)
				require.NotEmpty(t, p.NL, p.EN)
			}
			_, err := New(t.Context(), Config{FS: m, Timeout: patience})
			if !c.starts && !strings.Contains(says, "case") {
				require.ErrorIs(t, err, ErrRules)
			}
			if c.starts {
				require.NoError(t, err)
			}
		})
	}
}

// What an answer needs and the matrix no longer lets pass may be meant: a budget says that
// it is missing. It is told, and is not wrong.
func TestWhatIsNeededAndTakenAwayIsANotice(t *testing.T) {
	m := folder(t)
	edit(t, m, matrixFile, "product: group, period: none, quantity: none, amount: none", "product: group, period: none, amount: none")
	put(m, "cases/matrix/data.yaml", strings.Replace(string(m["cases/matrix/data.yaml"].Data),
		"{source: careoffice, law: wlz, fields: [entitlement, product, period, quantity,", "{source: careoffice, law: wlz, fields: [entitlement, product, period,", 1))
	problems, _ := Check(t.Context(), m)
	require.Len(t, problems, 1)
	require.True(t, problems[0].Notice)
	require.Equal(t, purposesFile+":17:7: quantity of careoffice under wlz is needed and not in the matrix: the budget then says that it is missing (VELD-01)", problems[0].In("en"))
}

// Every mistake of every table at once, and in its place: also for a gateway that starts.
func TestAllMistakesOfAllTablesAtOnce(t *testing.T) {
	m := folder(t)
	edit(t, m, matrixFile, "roles: [consulent, regisseur]", "roles: [consulent, regiseur]")
	edit(t, m, overlayFile, "remove_roles", "remove_rols")
	edit(t, m, doorsFile, "persons: 1", "persons: 3")
	put(m, "rules/catalog/laws/data.yaml", "wmo: [")
	put(m, "rules/core/extra.txt", "x")
	_, err := New(t.Context(), Config{FS: m})
	var problems Problems
	require.ErrorAs(t, err, &problems)
	require.Len(t, problems, 5)
	checked, _ := Check(t.Context(), m)
	for _, p := range problems {
		require.Contains(t, checked, p)
	}
}

// Whatever becomes of a file, the check ends, and says where something is wrong.
func mutated(t testing.TB, m fstest.MapFS, file string, change func([]byte) []byte) {
	put(m, file, string(change(slices.Clone(m[file].Data))))
	problems, report := Check(t.Context(), m)
	for _, p := range problems {
		require.NotEmpty(t, p.File)
		require.False(t, p.Line < 0 || p.Column < 0)
		require.NotEmpty(t, p.EN)
	}
	if _, err := New(t.Context(), Config{FS: m, Timeout: patience}); err != nil {
		require.ErrorIs(t, err, ErrRules)
		require.NotEmpty(t, problems, "%v", err)
	}
	if report == nil {
		require.NotEmpty(t, problems)
	}
}

func TestMutatedFoldersAreRefusedWithAPlace(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	files := slices.Sorted(maps.Keys(folder(t)))
	for range 24 {
		file := files[random.IntN(len(files))]
		at, with := random.Float64(), byte(random.IntN(128))
		mutated(t, folder(t), file, func(raw []byte) []byte {
			i := int(at * float64(len(raw)))
			switch with % 3 {
			case 0:
				return raw[:i]
			case 1:
				return slices.Insert(raw, i, with)
			}
			return slices.Delete(raw, i, min(len(raw), i+int(with)))
		})
	}
}

// FuzzCheck: no bytes of a table, a case or a text make the check panic.
func FuzzCheck(f *testing.F) {
	files := []string{"cases/who/data.yaml", matrixFile, overlayFile, checksFile, "reasons/en.yaml", "capabilities.json", "schemas/overlay.json", casesRules}
	for i, file := range files {
		f.Add(i, folder(f)[file].Data)
	}
	f.Add(0, []byte("a: &a {expect: {}}\nb: *a\n"))
	f.Add(0, []byte("name: [1]\nexpect: {decision: allow}\nquestion: {source: {}, law: [], fields: {}}\n"))
	f.Add(1, []byte("sources: {? [x] : y}"))
	f.Fuzz(func(t *testing.T, which int, raw []byte) {
		if which < 0 || which >= len(files) {
			return
		}
		m := folder(t)
		maps.DeleteFunc(m, func(name string, _ *fstest.MapFile) bool { // an input has ten seconds, on any machine
			return strings.HasPrefix(name, "cases/") && name != files[0]
		})
		mutated(t, m, files[which], func([]byte) []byte { return raw })
	})
}
