package mapping_test

import (
	"encoding/json"
	"fmt"

	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/rest"
	"github.com/ontschot/ontschot/adapters/trial"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// whole is a mapping with one of everything.
const whole = `mapping: 1
id: gm0119-rights
version: 1.2.3
laws: [WMO, JW]
identifiers: [bsn]
record: case_system
source:
  kind: rest
  path: /rechten
  body: {bsn: "{person}", van: "{from}", tot: "{to}", sinds: "{history}", soort: [1, true, null]}
rows: _embedded/besluit
each: producten
dates: yyyy-mm-dd
amounts: euros
person: r.client.bsn
party: [r.gemeente]
skip:
  - when: text(e.resultaat) == "afgewezen"
    reason: REFUSED
checks:
  - that: empty(e.tot) || date(e.van) <= date(e.tot)
    rule: a first day not after the last
fields:
  law: code(r.wet, "wet")
  kind: ENTITLEMENT
  form: code(e.vorm, "vorm")
  fungibility: 'text(e.vorm) == "pgb" ? "POOLABLE" : "IN_KIND"'
  id: r.id
  product:
    system: code(r.wet, "lijst")
    code: e["code van product"]
    local_code: e.eigen
  period:
    from: e.van
    to: day_before(date(e.totdag))
  quantity:
    volume: volume(e.uren) + volume(e.extra)
    unit: 04
    frequency: 2
  amount:
    cents: 'text(e.vorm) == "pgb" ? cents(e.bedrag) + cents(e.toeslag) : no_cents()'
    basis: code(e.per, "per")
  decision:
    number: r.nummer
    issued: r.datum
  provider: e.agb
codes:
  wet:
    unknown: refuse
    fold: true
    values: {wmo: WMO, jw: JW, pw: PW}
  lijst:
    unknown: refuse
    fold: true
    values: {wmo: WMO020, jw: JZ020, pw: X}
  vorm:
    unknown: refuse
    values: {pgb: PGB, zin: ZIN}
  per:
    unknown: refuse
    values: {jaar: PER_YEAR, totaal: PERIOD_TOTAL, maand: maandelijks}
ignored: [client/naam, "producten[]/opmerking"]
tests:
  - name: two products of one decision
    answer: |
      {"_embedded": {"besluit": [{"id": "D1", "client": {"bsn": "999940004", "naam": "Een"}, "gemeente": "0119", "wet": "Wmo", "nummer": "B-7",
        "datum": "2024-12-01T00:00:00", "producten": [
          {"vorm": "pgb", "code van product": 2, "eigen": "x", "van": "2025-01-01", "totdag": "2026-01-01", "uren": "2,5", "extra": 1,
           "bedrag": "1.000,50", "toeslag": 0.5, "per": "jaar", "agb": null, "opmerking": "geheim"},
          {"vorm": "zin", "code van product": "07", "van": "2025-01-01", "uren": null, "extra": 1, "agb": "12345678"},
          {"vorm": "pgb", "resultaat": "afgewezen"}]}]}}
    person: "999940004"
    scheme_codes: ["0119"]
    lines:
      - {law: WMO, form: PGB, fungibility: POOLABLE, system: WMO020, product: "02", label: begeleiding, local_code: x, from: 2025-01-01, to: 2025-12-31,
         volume: 3.5, unit: "04", frequency: 2, cents: 100100, basis: PER_YEAR, number: B-7, issued: 2024-12-01}
      - {law: WMO, form: ZIN, fungibility: IN_KIND, product: "07", to: "", volume: "", cents: "", provider: "12345678"}
    notices:
      - {code: SKIPPED, reason: REFUSED, law: WMO, path: /_embedded/besluit/0/producten/2}
`

// read gives what comes of an answer by a mapping; the party has the code 0119.
func read(t testing.TB, text, answer string) (*adapters.Writer, error) {
	m, err := mapping.Parse(rest.Kind{}, []byte(text))
	require.NoError(t, err)
	w := trial.Writer(t, "WMO", "JW")
	return w, m.ReadAnswer([]byte(answer), trial.BSN(t), mapping.Us{Party: "GM0119", Codes: []string{"0119"}}, w)
}

func TestItsOwnTestsPass(t *testing.T) {
	m, err := mapping.Validate(rest.Kind{}, []byte(whole))
	require.NoError(t, err)
	d := m.Describe()
	require.Equal(t, "gm0119-rights 1.2.3", d.GetId()+" "+d.GetVersion())
	require.Equal(t, []string{"entitlement", "product", "period", "quantity", "amount", "reference", "provider"}, d.GetCategories())
	require.Equal(t, []string{"bsn"}, d.GetIdentifiers())
	require.Contains(t, m.Table().Read, "producten[]/code van product")
}

// What a test of a mapping expects and does not get is told where it stands.
func TestTestsOfAMappingCanFail(t *testing.T) {
	for change, want := range map[[2]string]string{
		{"cents: 100100", "cents: 100101"}:                   "75:7: tests[0].lines: different: not there: ",
		{"form: ZIN, fungibility", "form: PGB, fungibility"}: "not expected: {form: ZIN, ",
		{"reason: REFUSED, law", "reason: REMOVED, law"}:     "tests[0].notices: different: not there: {code: SKIPPED, ",
		{`person: "999940004"`, `person: "999940005"`}:       "tests[0].person: no number that fits identifiers",
		{`{"_embedded"`, `{"embedded"`}:                      `tests[0].refused: refused at "/_embedded/besluit" (a list), not at ""`,
		{"    lines:\n", "    refused: /x\n    lines:\n"}:    "tests[0].refused: not together",
		{"- {law: WMO, form: PGB", "- {lav: WMO, form: PGB"}: "tests[0].lines[0].lav: unknown key; did you mean law?",
	} {
		text := strings.Replace(whole, change[0], change[1], 1)
		require.NotEqual(t, whole, text, change)
		_, err := mapping.Validate(rest.Kind{}, []byte(text))
		require.ErrorContains(t, err, want, change)
	}
}

// Everything that is wrong is told at once, with its place and what to do.
func TestWhatIsWrongIsTold(t *testing.T) {
	for change, want := range map[[2]string]string{
		{"mapping: 1", "mapping: 2"}:                                     "1:10: mapping: one of: 1",
		{"mapping: 1\n", ""}:                                             "1:1: mapping: is missing",
		{"id: gm0119-rights", "id: GM 0119"}:                             "2:5: id: small letters",
		{"version: 1.2.3", "version: 1.2"}:                               "3:10: version: three numbers",
		{"laws: [WMO, JW]", "laws: [WMO, JV]"}:                           "4:7: laws: unknown law; did you mean JW?",
		{"identifiers: [bsn]", "identifiers: [bsn, pass_number]"}:        "5:14: identifiers: one of: bsn",
		{"kind: rest", "kind: soap"}:                                     "8:9: source.kind: this adapter is of kind rest",
		{"path: /rechten", "path: /rechten/{person}"}:                    "9:9: source.path: starts with / and has no query and no person",
		{`"{person}"`, "{person}"}:                                       "10:15: source.body: put a placeholder between quotes",
		{`"{from}"`, `"{form}"`}:                                         "10:32: source.body: unknown placeholder",
		{`"{person}"`, `"x"`}:                                            `8:3: source: "{person}" is needed`,
		{"rows:", "row:"}:                                                "11:1: row: unknown key; did you mean rows?",
		{"dates: yyyy-mm-dd", "dates: dd/mm/yyyy"}:                       "13:8: dates: one of: yyyy-mm-dd",
		{"person: r.client.bsn", "person: client.bsn"}:                   "15:9: person: the expression is wrong: undeclared reference",
		{"reason: REFUSED\n", "reason: REFUSD\n"}:                        "19:13: skip[0].reason: one of:",
		{"when: text(e.resultaat)", "when: txt(e.resultaat)"}:            "did you mean text?",
		{`when: text(e.resultaat) == "afgewezen"`, "when: e.resultaat"}:  "18:11: skip[0].when: bool is needed, this is record",
		{"kind: ENTITLEMENT", "kind: ENTITLEMENTS"}:                      "not on the list; did you mean ENTITLEMENT?",
		{"volume(e.uren) + volume(e.extra)", "volume(e.uren) + 1.5"}:     "found no matching overload for '_+_' applied to '(volume, double)'",
		{"cents(e.bedrag) + cents(e.toeslag) : no_cents()", "1.5 : 2.5"}: "money is needed, this is double; write cents(r.member): money is never a float",
		{"cents(e.bedrag) + cents(e.toeslag)", "e.bedrag * 100"}:         "found no matching overload for '_*_' applied to '(record, int)'",
		{"cents(e.bedrag) + cents(e.toeslag)", "double(text(e.bedrag))"}: "found no matching overload for '_?_:_'",
		{`code(e.per, "per")`, `code(e.per, "pre")`}:                     "no table of that name under codes; did you mean per?",
		{`code(e.per, "per")`, `code(e.per, text(e.x))`}:                 "the name of a table is a fixed text",
		{`e["code van product"]`, `e["code/product"]`}:                   "the name of a member is a fixed text without /",
		{`e["code van product"]`, `e[text(r.x)]`}:                        "the name of a member is a fixed text",
		{"each: producten\n", ""}:                                        "there is an e only with each",
		{"    unknown: refuse\n    fold", "    fold"}:                    "codes.wet.unknown: is missing",
		{"values: {wmo: WMO, jw", "values: {WMO: WMO, wmo: WMO, jw"}:     "two codes differ in capitals alone",
		{"fields:\n", "fields: &x\n"}:                                    "no anchors",
		{"codes:\n", "codes: !!map\n"}:                                   "no anchors, references or tags",
		{"amounts: euros", "amounts: euros\namounts: cents"}:             "15:1: amounts: key is there twice",
		{"tests:\n", "categories: [entitlement]\ntests:\n"}:              "categories: a field is of category product",
		{"tests:\n", "own_contribution: {}\ntests:\n"}:                   "fields: fields or own_contribution is needed, one of the two",
		{"rule: a first", "rule: " + strings.Repeat("x", 128) + " a"}:    "checks[0].rule: at most 128 characters",
		{"party: [r.gemeente]", "party: [{x: y}]"}:                       "party",
	} {
		text := strings.Replace(whole, change[0], change[1], 1)
		require.NotEqual(t, whole, text, change)
		_, err := mapping.Parse(rest.Kind{}, []byte(text))
		require.ErrorContains(t, err, want, "%v", change)
	}
	both := strings.NewReplacer("dates: yyyy-mm-dd", "dates: x", "version: 1.2.3", "versie: 1").Replace(whole)
	_, err := mapping.Parse(rest.Kind{}, []byte(both))
	require.Len(t, strings.Split(err.Error(), "\n"), 3, "all of it: %v", err)
	for _, raw := range []string{"", "[]", "a: [", "\xff", strings.Repeat("a", 300<<10), strings.Repeat("[", 10_000)} {
		_, err := mapping.Parse(rest.Kind{}, []byte(raw))
		require.Error(t, err)
	}
}

const decision = `{"id":"D1","client":{"bsn":"999940004"},"gemeente":"0119","wet":"wmo","producten":[%s]}`

const product = `{"vorm":"pgb","code van product":"02","van":"2025-01-01","totdag":"2026-01-01","bedrag":"10,00","toeslag":"1,00","per":"jaar"}`

func decisions(products ...string) string {
	return `{"_embedded":{"besluit":[` + fmt.Sprintf(decision, strings.Join(products, ",")) + `]}}`
}

// What is odd in one element costs that element, and what is odd in the record costs it.
func TestOneOddElementCostsItselfAlone(t *testing.T) {
	at := "/_embedded/besluit/0"
	for _, c := range []struct{ from, to, path string }{
		{`"pgb"`, `"vpt"`, at + "/producten/0/vorm"},
		{`"10,00"`, `"10,005"`, at + "/producten/0/bedrag"},
		{`"10,00"`, `1e99`, at + "/producten/0/bedrag"},
		{`"10,00"`, `-1`, at + "/producten/0/bedrag"},
		{`"jaar"`, `"maand"`, at + "/producten/0/per"}, // which is no basis
		{`"jaar"`, `"eeuw"`, at + "/producten/0/per"},
		{`"2025-01-01"`, `"01-01-2025"`, at + "/producten/0/van"},
		{`"2026-01-01"`, `"01-01-2026"`, at + "/producten/0/totdag"},
		{`"2026-01-01"`, `"2024-01-01"`, at + "/producten/0"},
		{`"van"`, `"tot":"2024-12-31","van"`, at + "/producten/0/tot"}, // the check
		{`"02"`, `"hulp voor Een"`, "case_system/producten/0: product.code"},
		{`"02"`, `null`, "case_system/producten/0: product.code"},
		{`"02"`, `"` + strings.Repeat("x", 5000) + `"`, at + "/producten/0/code van product"},
	} {
		w, err := read(t, whole, decisions(strings.Replace(product, c.from, c.to, 1), strings.Replace(product, `"02"`, `"07"`, 1)))
		a := trial.Odd(t, w, err, c.path)
		require.Len(t, a.GetLines(), 1, c)
		require.Equal(t, "07", a.GetLines()[0].GetProduct().GetCode())
	}
	for _, c := range []struct{ from, to, path string }{
		{"999940004", "999940016", at + "/client/bsn"},
		{"0119", "0193", at + "/gemeente"},
		{`"client":{"bsn":"999940004"}`, `"client":[]`, at + "/client"},
		{`"id":"D1"`, `"id":"D1","id":"D1"`, at},
		{`"id":"D1"`, `"ID":"D1"`, at},
		{`"id":"D1"`, `"id":{}`, at + "/id"},
	} {
		w, err := read(t, whole, strings.Replace(decisions(product), c.from, c.to, 1))
		a := trial.Odd(t, w, err, c.path)
		require.Empty(t, a.GetLines(), c)
	}
	w, err := read(t, whole, strings.Replace(decisions(product), `"wmo"`, `"pw"`, 1))
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	require.Empty(t, a.GetLines(), "a law that is none of the mapping")
	require.Equal(t, []string{"UNKNOWN_CODE ", "SKIPPED UNKNOWN_LAW"}, []string{
		a.GetNotices()[0].GetCode() + " " + a.GetNotices()[0].GetGap(), a.GetNotices()[1].GetCode() + " " + a.GetNotices()[1].GetGap()})
}

func TestMoneyThatIsNotKnown(t *testing.T) {
	one := func(from, to string) *budgetv1.FetchResponse {
		w, err := read(t, whole, decisions(strings.Replace(product, from, to, 1)))
		require.NoError(t, err)
		a, err := w.Response()
		require.NoError(t, err)
		require.Len(t, a.GetLines(), 1)
		return a
	}
	require.EqualValues(t, 1100, one("x", "x").GetLines()[0].GetAmount().GetCents())
	require.Nil(t, one(`"10,00"`, "null").GetLines()[0].GetAmount(), "of a sum of which a part is not known nothing is known")
	require.EqualValues(t, 100, one(`"10,00"`, "0").GetLines()[0].GetAmount().GetCents(), "zero is known")
	a := one(`"totdag":"2026-01-01",`, `"totdag":"9999-12-31",`)
	require.NotNil(t, a.GetLines()[0].GetAmount())
	w, err := read(t, whole, decisions(strings.NewReplacer(`"totdag":"2026-01-01",`, "", `"jaar"`, `"totaal"`).Replace(product)))
	require.NoError(t, err)
	a, err = w.Response()
	require.NoError(t, err)
	require.Nil(t, a.GetLines()[0].GetAmount(), "a total over no end")
	require.Equal(t, adapters.SkippedAmount, a.GetNotices()[0].GetReason())
}

func TestMemberThatNobodyKnowsIsTold(t *testing.T) {
	w, err := read(t, whole, strings.Replace(decisions(product), `"id"`, `"nieuw":"geheim","id"`, 1))
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	require.Len(t, a.GetLines(), 1)
	require.Equal(t, []string{"UNKNOWN_ELEMENT nieuw"}, []string{a.GetNotices()[0].GetCode() + " " + a.GetNotices()[0].GetElement()})
	require.NotContains(t, a.String(), "geheim")
}

// Without a mapping of its own an adapter is one of no law and no person until it is
// configured; then it says what the mapping says.
func TestMappingOfTheConfiguration(t *testing.T) {
	certificate, key := trial.NewCA(t).Issue("gateway")
	config := func(more map[string]any) []byte {
		all := map[string]any{"party": "GM0119", "url": "https://127.0.0.1:1", "ca_pem": trial.NewCA(t).PEM(), "cert_pem": certificate}
		for k, v := range more {
			all[k] = v
		}
		raw, err := json.Marshal(all)
		require.NoError(t, err)
		return raw
	}
	secrets := map[string]string{"tls_key": key}
	a := rest.New(nil)
	require.Equal(t, "rest", a.Describe().GetId())
	require.Empty(t, a.Describe().GetLaws())
	require.Empty(t, a.Describe().GetIdentifiers())
	s := adapters.NewService(a)
	for name, c := range map[string]struct {
		config []byte
		path   string
		says   string
	}{
		"none":        {config(nil), "mapping", "is needed"},
		"no text":     {config(map[string]any{"mapping": 1}), "mapping", "wrong kind of value"},
		"wrong":       {config(map[string]any{"mapping": strings.Replace(whole, "kind: ENTITLEMENT", "kind: X", 1)}), "mapping.fields.kind", "25:9: not on the list"},
		"unknown key": {config(map[string]any{"mapping": whole, "adres": "x"}), "adres", "unknown key"},
		"no JSON":     {[]byte("{"), ".", "no valid JSON"},
	} {
		findings := trial.Configure(t, s, c.config, secrets)
		require.Len(t, findings, 1, name)
		require.Equal(t, c.path, findings[0].GetPath(), name)
		require.Contains(t, findings[0].GetTextEn(), c.says, name)
		require.NotEmpty(t, findings[0].GetTextNl())
	}
	require.Empty(t, trial.Configure(t, s, config(map[string]any{"mapping": whole}), secrets))
	require.Equal(t, "rest 1.2.3", a.Describe().GetId()+" "+a.Describe().GetVersion())
	require.Equal(t, []string{"WMO", "JW"}, a.Describe().GetLaws())
	require.Len(t, trial.Configure(t, s, config(nil), secrets), 1)
	require.NotEmpty(t, a.Describe().GetLaws(), "a bad configuration leaves the one there is")

	own := rest.New([]byte(whole))
	before := own.Describe()
	findings := trial.Configure(t, adapters.NewService(own), config(map[string]any{"mapping": whole}), secrets)
	require.Equal(t, "mapping", findings[0].GetPath(), "one that is compiled in is not changed by a configuration")
	require.Empty(t, trial.Configure(t, adapters.NewService(own), config(nil), secrets))
	require.Equal(t, before.String(), own.Describe().String())

	// Validate takes nothing over, and runs the tests of the mapping.
	fresh := rest.New(nil)
	failing := strings.NewReplacer("cents: 100100", "cents: 1", "reason: REFUSED, law", "reason: REMOVED, law").Replace(whole)
	answer, err := adapters.NewService(fresh).ValidateConfig(t.Context(), &adapterv1.ValidateConfigRequest{
		Config: config(map[string]any{"mapping": failing}), Secrets: map[string]string{"tls_key": "none", "record_key": strings.Repeat("ab", 32)},
	})
	require.NoError(t, err)
	var paths []string
	for _, f := range answer.GetFindings() {
		paths = append(paths, f.GetPath())
	}
	require.Subset(t, paths, []string{"mapping.tests[0].lines", "mapping.tests[0].notices", "cert_pem"})
	require.Empty(t, fresh.Describe().GetLaws())

	broken := rest.New([]byte("mapping: 1\n"))
	require.Empty(t, broken.Describe().GetLaws())
	require.Equal(t, "mapping.id", trial.Configure(t, adapters.NewService(broken), config(nil), secrets)[0].GetPath())
}

// An expression costs no more than it may, whatever a source sends.
func TestExpressionThatCostsTooMuch(t *testing.T) {
	text := strings.Replace(whole, `empty(e.tot) || date(e.van) <= date(e.tot)`,
		`text(e.opmerking).split("").all(a, text(e.opmerking).split("").all(b, text(e.opmerking).split("").all(c, a != "!" && b != "!" && c != "!")))`, 1)
	text = strings.Replace(text, `, "producten[]/opmerking"`, "", 1)
	long := strings.Replace(product, `"van"`, `"opmerking":"`+strings.Repeat("x", 4000)+`","van"`, 1)
	w, err := read(t, text, decisions(long, product))
	a := trial.Odd(t, w, err, "/_embedded/besluit/0/producten/0/opmerking")
	require.Len(t, a.GetLines(), 1)
}

// No member of a record reaches an error, whatever is asked of it.
func TestNoValueIsQuoted(t *testing.T) {
	const canary = "KANARIE77"
	for _, expression := range []string{
		`cents(e.x) + cents(e.bedrag)`, `[cents(e.bedrag)][int(text(e.x))]`, `{"a": cents(e.bedrag)}[text(e.x)]`,
		`int(text(e.x)) == int(text(e.x)) ? cents(e.bedrag) : no_cents()`, `timestamp(text(e.x)) == timestamp("2025-01-01T00:00:00Z") ? cents(e.bedrag) : no_cents()`,
		`"a".matches(text(e.x) + "[") ? cents(e.bedrag) : no_cents()`, `text(e.x).substring(20) == "" ? cents(e.bedrag) : no_cents()`,
	} {
		text := strings.Replace(whole, `'text(e.vorm) == "pgb" ? cents(e.bedrag) + cents(e.toeslag) : no_cents()'`, "'"+expression+"'", 1)
		text = strings.Replace(text, "ignored: [", `ignored: ["producten[]/toeslag", `, 1)
		w, err := read(t, text, decisions(strings.Replace(product, `"van"`, `"x":"`+canary+`","van"`, 1)))
		require.NoError(t, err, expression)
		a, err := w.Response()
		require.NoError(t, err)
		require.NotContains(t, a.String(), canary, expression)
		require.Empty(t, a.GetLines(), expression)
		require.Len(t, a.GetNotices(), 1, expression)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	for _, seed := range []string{"mapping: 1\nid: a", "fields: {law: 'cents('}", "codes: {a: {values: [x]}}", "tests: [1]", "party: [[x]]", "source: {kind: rest, body: {a: '{x}'}}", "? [a]\n: b"} {
		f.Add([]byte(seed))
		f.Add([]byte(whole + seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := mapping.Parse(rest.Kind{}, raw)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		_ = m.Test() // it may fail, and does not panic
	})
}

// Whatever somebody writes as an expression, a record that it is worked out on costs no more
// than itself.
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{"cents(e.bedrag)", "cents(r.x) * volume(r.y)", "r", `e["a b"]`, "[1,2].map(x, x)[0] == 1 ? cents(e.a) : no_cents()", "cents(e.bedrag) + cents(e.bedrag)", "cents(has(r.a.b) ? r.a : r.b)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		raw, err := json.Marshal(expression)
		require.NoError(t, err)
		text := strings.Replace(whole, `'text(e.vorm) == "pgb" ? cents(e.bedrag) + cents(e.toeslag) : no_cents()'`, string(raw), 1)
		m, err := mapping.Parse(rest.Kind{}, []byte(text))
		if err != nil {
			return
		}
		w := trial.Writer(t, "WMO", "JW")
		require.NoError(t, m.ReadAnswer([]byte(decisions(product, product)), trial.BSN(t), mapping.Us{Party: "GM0119", Codes: []string{"0119"}}, w))
		_, err = w.Response()
		require.NoError(t, err)
	})
}

func FuzzAnswer(f *testing.F) {
	m, err := mapping.Parse(rest.Kind{}, []byte(whole))
	require.NoError(f, err)
	for _, seed := range []string{decisions(product), decisions(), decisions(`{"vorm":null}`), decisions(`[]`), `{"_embedded":{"besluit":[null]}}`, `{"_embedded":{"besluit":[{"client":7,"producten":{}}]}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		w := trial.Writer(t, "WMO", "JW")
		trial.Settle(t, w, m.ReadAnswer(raw, trial.BSN(t), mapping.Us{Party: "GM0119", Codes: []string{"0119"}}, w))
	})
}

func TestNoAnswerPassesForMoreThanItIs(t *testing.T) {
	m, err := mapping.Parse(rest.Kind{}, []byte(whole))
	require.NoError(t, err)
	record := fmt.Sprintf(decision, product)
	trial.Whole(t, [2]string{record, strings.NewReplacer("D1", "D2", `"02"`, `"07"`).Replace(record)}, func(records ...string) string {
		return `{"_embedded":{"besluit":[` + strings.Join(records, ",") + `]}}`
	}, func(raw string) (*adapters.Writer, error) {
		w := trial.Writer(t, "WMO", "JW")
		return w, m.ReadAnswer([]byte(raw), trial.BSN(t), mapping.Us{Party: "GM0119", Codes: []string{"0119"}}, w)
	})
}
