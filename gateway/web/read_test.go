package web

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// What is wrong with a body is said of the field, and what was in it is not said.
func TestAHostileBodyIsRefusedByTheNameOfItsField(t *testing.T) {
	const bsn = "999940004"
	question := func(in string) string {
		return `{"question":{"person":{"identifiers":{"bsn":"` + bsn + `"}},` + in + `}}`
	}
	for name, c := range map[string]struct{ body, field string }{
		"nothing":                     {``, "body"},
		"spaces":                      {`   `, "body"},
		"a list":                      {`[]`, "body"},
		"a text":                      {`"x"`, "body"},
		"null":                        {`null`, "body"},
		"two objects":                 {`{}{}`, "body"},
		"a comment":                   {`{/* */}`, "body"},
		"half an object":              {`{"question":`, "body"},
		"a comma too many":            {`{"signatures":[],}`, "body"},
		"no UTF-8":                    {"{\"noticeSha256\":\"\xff\"}", "body"},
		"half of a pair":              {`{"noticeSha256":"\ud800"}`, "body"},
		"a byte order mark":           {"\ufeff{}", "body"},
		"an unknown member":           {`{"x":1}`, "x"},
		"one that is a number":        {`{"` + bsn + `":1}`, "body"},
		"one that is a person":        {question(`"` + bsn + `":"` + bsn + `"`), "question"},
		"one of signs":                {`{"\u0000":1}`, "body"},
		"one that is long":            {`{"` + strings.Repeat("a", 65) + `":1}`, "body"},
		"one deeper":                  {question(`"authority":{"kinds":"x"}`), "question.authority.kinds"},
		"one in another case":         {`{"Question":{}}`, "Question"},
		"the name of the proto":       {`{"notice_sha256":"x"}`, "notice_sha256"},
		"a member twice":              {`{"noticeSha256":"x","noticeSha256":"y"}`, "noticeSha256"},
		"twice, once escaped":         {`{"noticeSha256":"x","notice\u0053ha256":"y"}`, "noticeSha256"},
		"twice, once null":            {`{"noticeSha256":null,"noticeSha256":"y"}`, "noticeSha256"},
		"a number for a text":         {question(`"purpose":` + bsn), "question.purpose"},
		"an object for a text":        {question(`"purpose":{}`), "question.purpose"},
		"a text for an object":        {question(`"authority":"` + bsn + `"`), "question.authority"},
		"an object for a list":        {`{"signatures":{}}`, "signatures"},
		"null in a list":              {`{"signatures":[null]}`, "signatures[0]"},
		"a list in a list":            {`{"signatures":[{"role":"self"},[]]}`, "signatures[1]"},
		"a text in a list of objects": {`{"signatures":[{"role":"self"},"` + bsn + `"]}`, "signatures[1]"},
		"a fraction":                  {question(`"authority":{"holders":1.5}`), "question.authority.holders"},
		"an exponent":                 {question(`"authority":{"holders":1e9999999}`), "question.authority.holders"},
		"a large number":              {question(`"authority":{"holders":2147483648}`), "question.authority.holders"},
		"a far larger number":         {question(`"authority":{"holders":` + strings.Repeat("9", 10000) + `}`), "question.authority.holders"},
		"a number with a zero":        {question(`"authority":{"holders":"007"}`), "question.authority.holders"},
		"no number":                   {question(`"authority":{"holders":NaN}`), "body"},
		"no number, as a text":        {question(`"authority":{"holders":"NaN"}`), "question.authority.holders"},
		"infinite":                    {question(`"authority":{"holders":"Infinity"}`), "question.authority.holders"},
		"a truth for a number":        {question(`"authority":{"holders":true}`), "question.authority.holders"},
		"brackets for a text":         {`{"noticeSha256":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, "notice_sha256"},
		"many values":                 {`{"signatures":[` + strings.Repeat("{},", maxValues) + `{}]}`, "body"},
	} {
		err := readMessage([]byte(c.body), (&ontschotv1.GiveConsentRequest{}).ProtoReflect(), nil)
		var v *admission.Violation
		require.ErrorAs(t, err, &v, name)
		require.Equal(t, c.field, v.Field, name)
		require.NotContains(t, v.Error(), bsn, name)
		require.Less(t, len(v.Error()), 200, name)
	}
	for name, c := range map[string]struct {
		body  string
		into  proto.Message
		field string
	}{
		"no base64":               {`{"document":"***"}`, &ontschotv1.RegisterRequest{}, "document"},
		"a number for bytes":      {`{"document":1}`, &ontschotv1.RegisterRequest{}, "document"},
		"a number for a truth":    {`{"asked":1}`, &ontschotv1.ConfirmAgreementRequest{}, "asked"},
		"a text for a map":        {`{"budget":{"totals":{"byLaw":"1"}}}`, &ontschotv1.ViewRequest{}, "budget.totals.by_law"},
		"a key of a map, twice":   {`{"budget":{"totals":{"byLaw":{"a":"1","a":"1"}}}}`, &ontschotv1.ViewRequest{}, "budget.totals.by_law.a"},
		"null in a map":           {`{"budget":{"totals":{"byLaw":{"a":null}}}}`, &ontschotv1.ViewRequest{}, "budget.totals.by_law"},
		"a fraction in a map":     {`{"budget":{"totals":{"byLaw":{"a":0.5}}}}`, &ontschotv1.ViewRequest{}, "budget.totals.by_law"},
		"what is in the path too": {`{"id":"x"}`, &ontschotv1.RejectAgreementRequest{}, "id"},
	} {
		err := readMessage([]byte(c.body), c.into.ProtoReflect(), []string{"id"})
		var v *admission.Violation
		require.ErrorAs(t, err, &v, name)
		require.Equal(t, c.field, v.Field, name)
	}
}

// What is not needed may be null, as many systems write it, and numbers may be texts.
func TestABodyMayBeWrittenInMoreWaysThanOne(t *testing.T) {
	for _, body := range []string{
		`{"question":{"authority":{"kind":"Voogdij","holders":2},"replaces":null},"signatures":null}`,
		` {"signatures":[],"question":{"authority":{"holders":"2","kind":"Voogd\u0069j"}}} `,
	} {
		var got ontschotv1.GiveConsentRequest
		require.NoError(t, readMessage([]byte(body), got.ProtoReflect(), nil))
		want := &ontschotv1.GiveConsentRequest{Question: &ontschotv1.ConsentQuestion{Authority: &ontschotv1.ConsentAuthority{Kind: "Voogdij", Holders: 2}}}
		require.True(t, proto.Equal(want, &got))
	}
}

// Whatever the bytes are, they are refused with the name of a field and without what was in it, or
// read as what protojson reads, from which the same JSON can be made and read again.
func FuzzABody(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"question":{"person":{"ref":"A1","identifiers":{"bsn":"999940004"}},"purpose":"integral_budget.compose"}}`,
		`{"budget":{"carryOverCents":{"WMO":"100"},"gaps":[{}]},"person":"A1"}`, `{"document":"AAE=","disclosures":["a","b"]}`,
		`{"x":[{}],"x":1e400}`, "{\"a\":\"\xff\"}", `{"signatures":[null,[[[]]]]}`,
	} {
		f.Add([]byte(seed))
	}
	kinds := []proto.Message{&ontschotv1.GiveConsentRequest{}, &ontschotv1.ViewRequest{}, &ontschotv1.RegisterRequest{}, &ontschotv1.AssembleBudgetRequest{}, &budgetv1.Budget{}}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, kind := range kinds {
			got := proto.Clone(kind)
			err := readMessage(body, got.ProtoReflect(), nil)
			var v *admission.Violation
			switch {
			case errors.As(err, &v):
				require.True(t, utf8.ValidString(v.Error()) && len(v.Error()) < 1024, "bounded")
				require.False(t, identity.HoldsBSN(v.Error()))
				continue
			case err != nil:
				t.Fatal(err)
			}
			require.True(t, json.Valid(body))
			plain := proto.Clone(kind)
			require.NoError(t, protojson.Unmarshal(body, plain))
			require.True(t, proto.Equal(plain, got))
			again, err := protojson.Marshal(got)
			require.NoError(t, err)
			twice := proto.Clone(kind)
			require.NoError(t, readMessage(again, twice.ProtoReflect(), nil))
			require.True(t, proto.Equal(got, twice))
		}
	})
}
