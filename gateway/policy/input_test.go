package policy

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/stretchr/testify/require"
)

// leaves visits every text and list of a request by reflection, so that a field
// added to the type cannot be forgotten by visit, value or key.
func leaves(v reflect.Value, path string, visit func(path string, leaf reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		leaves(v.Elem(), path, visit)
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			leaves(v.Field(i), strings.TrimPrefix(path+"."+name, "."), visit)
		}
	default:
		visit(path, v)
	}
}

func TestTheKeyHoldsEverythingTheRulesSee(t *testing.T) {
	base := request()
	seen := map[string]string{string(base.key(nil)): "nothing"}
	count := 0
	leaves(reflect.ValueOf(&base), "", func(string, reflect.Value) { count++ })
	require.Equal(t, 34, count)
	for i := range count {
		in, n := request(), 0
		leaves(reflect.ValueOf(&in), "", func(path string, leaf reflect.Value) {
			if n == i {
				change(leaf)
				require.NotContains(t, seen, string(in.key(nil)), path)
				seen[string(in.key(nil))] = path
			}
			n++
		})
	}
	for _, drop := range []func(*Input){
		func(in *Input) { in.Context.Agreement = nil },
		func(in *Input) { in.Context.Consent = nil },
		func(in *Input) { in.Context.Agreement = &AgreementTerms{} },
		func(in *Input) { in.Context.Consent = &ConsentTerms{} },
		func(in *Input) { in.Context.Consent.Mandate = nil },
		func(in *Input) { in.Context.Consent.Mandate = &MandateTerms{} },
		func(in *Input) { in.Resource.Properties.Fields = []string{"entitlementamount"} },
		func(in *Input) { in.Context.Agreement, in.Context.Consent = nil, nil },
		func(in *Input) { in.Context.Agreement, in.Context.Consent = &AgreementTerms{}, nil },
		func(in *Input) { in.Context.Agreement, in.Context.Consent = nil, &ConsentTerms{} },
	} {
		in := request()
		drop(&in)
		require.NotContains(t, seen, string(in.key(nil)))
		seen[string(in.key(nil))] = "dropped"
	}
}

// That a document is there stands in the key too: else these two would be one request, of
// a consent without an agreement and of an agreement without a consent.
func TestTheKeyHoldsWhichDocumentItIsOf(t *testing.T) {
	one, other := request(), request()
	one.Context.Agreement, one.Context.Consent = nil, &ConsentTerms{Purposes: []string{"\x00"}}
	other.Context.Agreement, other.Context.Consent = &AgreementTerms{ID: "\x00", From: "\x01"}, nil
	require.NotEqual(t, one.key(nil), other.key(nil))
}

func change(leaf reflect.Value) {
	if leaf.Kind() == reflect.String {
		leaf.SetString(leaf.String() + "x")
		return
	}
	leaf.Set(reflect.Append(leaf, reflect.ValueOf("x")))
}

func TestVisitNamesEveryPath(t *testing.T) {
	in := request()
	var want, got []string
	leaves(reflect.ValueOf(&in), "", func(path string, _ reflect.Value) { want = append(want, path) })
	in.visit(visitor{
		text:    func(path, _ string) { got = append(got, path) },
		list:    func(path string, _ []string) { got = append(got, path) },
		present: func(string, bool) {},
	})
	require.ElementsMatch(t, want, got)
}

// The rules must see what encoding/json would write, for a decision to be replayed
// from its record with stock tools.
func TestTheRulesSeeWhatJSONSays(t *testing.T) {
	bare := request()
	bare.Context.Agreement, bare.Context.Consent = nil, nil
	bySelf := request()
	bySelf.Context.Consent.By, bySelf.Context.Consent.Mandate = "self", nil
	for _, in := range []Input{request(), bare, bySelf} {
		raw, err := json.Marshal(in)
		require.NoError(t, err)
		want, err := ast.ValueFromReader(strings.NewReader(string(raw)))
		require.NoError(t, err)
		require.Zero(t, want.Compare(newVocabulary(nil).value(&in)))
	}
}

func TestParseInput(t *testing.T) {
	raw, err := json.Marshal(request())
	require.NoError(t, err)
	in, err := ParseInput(raw)
	require.NoError(t, err)
	require.Equal(t, request(), in)

	for name, bad := range map[string]string{
		"two values":    string(raw) + "{}",
		"another type":  strings.Replace(string(raw), `"2026-01-05"`, `20260105`, 1),
		"missing":       strings.Replace(string(raw), `"name":"read",`, "", 1),
		"no last day":   strings.Replace(string(raw), `"until":"2026-12-31"}}}`, `"until":"2026-02-30"}}}`, 1),
		"no calendar":   strings.Replace(string(raw), `"2026-01-05"`, `"2026-02-30"`, 1),
		"too long":      strings.Replace(string(raw), `"p-1"`, `"`+strings.Repeat("p", maxText+1)+`"`, 1),
		"field no word": strings.Replace(string(raw), `["entitlement","amount"]`, `["123456782"]`, 1),
		"too large":     `{"subject":"` + strings.Repeat("x", maxInputBytes) + `"}`,
		"nothing":       "",
	} {
		_, err := ParseInput([]byte(bad))
		require.ErrorIs(t, err, ErrInput, name)
		require.NotEqual(t, string(raw), bad, name)
		require.NotContains(t, err.Error(), "123456782")
		require.NotContains(t, err.Error(), "2026-02-30")
	}
	for name, same := range map[string]string{
		"unknown":         strings.Replace(string(raw), `"date"`, `"time":"10:00","date"`, 1),
		"unknown above":   strings.Replace(string(raw), `{"subject"`, `{"later":{"x":[1]},"subject"`, 1),
		"unknown below":   strings.Replace(string(raw), `"mandate":{`, `"mandate":{"name":"x",`, 1),
		"in another case": strings.Replace(string(raw), `"date"`, `"DATE":"2020-01-01","date"`, 1),
	} {
		in, err := ParseInput([]byte(same))
		require.NoError(t, err, name)
		require.NotEqual(t, string(raw), same, name)
		require.Equal(t, request(), in, name)
	}
	for name, less := range map[string]string{
		"no context":             string(raw[:strings.Index(string(raw), `,"context"`)]) + "}",
		"a date of another name": strings.Replace(string(raw), `"date"`, `"DATE"`, 1),
		"no properties":          `{"subject":{"type":"organisation","id":"x"},"action":{"name":"read"},"resource":{"type":"person","id":"p"}}`,
	} {
		in, err := ParseInput([]byte(less))
		require.NoError(t, err, name)
		require.Equal(t, undecided(), newEngine(t).Evaluate(t.Context(), in), name)
	}
}

// What a request leaves out is never a yes that it was not before: each member, left out alone.
func TestWhatARequestLeavesOutIsDenied(t *testing.T) {
	e := newEngine(t)
	require.True(t, e.Evaluate(t.Context(), request()).Allow)
	raw, err := json.Marshal(request())
	require.NoError(t, err)
	var leaveOut func(all any, from map[string]any)
	leaveOut = func(all any, from map[string]any) {
		for name, value := range maps.Clone(from) {
			delete(from, name)
			less, err := json.Marshal(all)
			require.NoError(t, err)
			if in, err := ParseInput(less); err == nil {
				require.False(t, e.Evaluate(t.Context(), in).Allow && name != "digest" && name != "mandate", name)
			}
			from[name] = value
			if inside, is := value.(map[string]any); is {
				leaveOut(all, inside)
			}
		}
	}
	var all map[string]any
	require.NoError(t, json.Unmarshal(raw, &all))
	leaveOut(all, all)
}

func TestKeysOfTheMessages(t *testing.T) {
	require.Equal(t, "uwv_provision", LawKey("UWV_PROVISION"))
	require.Equal(t, "careoffice", KindKey("CARE_OFFICE"))
	require.Equal(t, "gemeente", OrgType("MUNICIPALITY"))
	require.Equal(t, "careoffice", OrgType("CARE_OFFICE"))
}

// The longest text, list and field that may stand in a request, and one more.
func TestTheBoundsOfARequest(t *testing.T) {
	many := func(n int) []string {
		return slices.Repeat([]string{"a"}, n)
	}
	for name, c := range map[string]struct {
		most   int
		change func(*Input, int)
		path   string
	}{
		"a text":          {128, func(in *Input, n int) { in.Resource.ID = strings.Repeat("p", n) }, "resource.id"},
		"a text of many":  {128, func(in *Input, n int) { in.Context.Consent.Sources[0] = strings.Repeat("p", n) }, "context.consent.sources"},
		"a field":         {128, func(in *Input, n int) { in.Resource.Properties.Fields[0] = strings.Repeat("p", n) }, pathFields},
		"fields":          {16, func(in *Input, n int) { in.Resource.Properties.Fields = many(n) }, pathFields},
		"another list":    {32, func(in *Input, n int) { in.Context.Agreement.Fields = many(n) }, "context.agreement.fields"},
		"the last of all": {128, func(in *Input, n int) { in.Context.Consent.By = strings.Repeat("p", n) }, "context.consent.by"},
	} {
		in := request()
		c.change(&in, c.most)
		require.NoError(t, in.check(), name)
		c.change(&in, c.most+1)
		require.EqualError(t, in.check(), ErrInput.Error()+": "+c.path, name)
	}
	for path, change := range map[string]func(*Input){
		"context.date":            func(in *Input) { in.Context.Date = "2026-02-30" },
		"context.agreement.from":  func(in *Input) { in.Context.Agreement.From = "x" },
		"context.agreement.until": func(in *Input) { in.Context.Agreement.Until = "" },
		"context.consent.from":    func(in *Input) { in.Context.Consent.From = "2026-1-1" },
		"context.consent.until":   func(in *Input) { in.Context.Consent.Until = "2026-13-01" },
	} {
		in := request()
		change(&in)
		require.EqualError(t, in.check(), ErrInput.Error()+": "+path)
	}
	for field, good := range map[string]bool{"a": true, "z": true, "_": true, "own_contribution": true, "": false, "`": false, "{": false, "A": false, "a-b": false, "é": false} {
		require.Equal(t, good, isWord(field), field)
	}
	raw, err := json.Marshal(request())
	require.NoError(t, err)
	padded := string(raw) + strings.Repeat(" ", maxInputBytes-len(raw))
	_, err = ParseInput([]byte(padded))
	require.NoError(t, err)
	_, err = ParseInput([]byte(padded + " "))
	require.EqualError(t, err, ErrInput.Error()+": larger than 65536 bytes")
}
