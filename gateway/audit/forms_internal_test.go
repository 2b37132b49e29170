package audit

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
)

const (
	ours   = identity.OIN("00000099000000119000")
	theirs = identity.OIN("00000099000000193000")
)

func aConsent() Entry {
	return Entry{Kind: Consent, Put: &Document{Body: []byte("b"), Document: register.Document{
		ID: "c", Kind: ConsentDocument, Purpose: "p", Subjects: []string{strings.Repeat("s", 32)},
		Recipients: []identity.OIN{ours}, Grants: []register.Grant{{Source: theirs, Categories: []string{"amount"}}},
	}}}
}

func anAgreement() Entry {
	return Entry{Kind: Agreement, Put: &Document{Body: []byte("b"), Document: register.Document{ID: "a", Kind: AgreementDocument, PartyA: ours, PartyB: theirs}}}
}

func aRelease() Entry { return Entry{Kind: Release, Payload: make([]byte, 32)} }

func aDecision() Entry {
	return Entry{Kind: Decision, Once: &Once{Key: [32]byte{1}, Body: [32]byte{1}}}
}

func aKey() Entry {
	return Entry{Kind: Key, Key: &register.KeyChange{Owner: ours, Digest: strings.Repeat("f", 64), State: "in_use"}}
}

// What may not be in an entry, each by itself, in these words; and the most there may be.
func TestWhatAnEntryMayHold(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for name, c := range map[string]struct {
		of     func() Entry
		change func(*Entry)
		says   string // empty: it is good
	}{
		"a release":                       {aRelease, func(*Entry) {}, ""},
		"a digest of 31 bytes":            {aRelease, func(e *Entry) { e.Payload = make([]byte, 31) }, "payload: a release commits to a digest of 32 bytes"},
		"a digest of 33 bytes":            {aRelease, func(e *Entry) { e.Payload = make([]byte, 33) }, "payload: a release commits to a digest of 32 bytes"},
		"decided before the log":          {aRelease, func(e *Entry) { e.Decided = -1 }, "decided"},
		"decided at the last index":       {aRelease, func(e *Entry) { e.Decided = maxIndex }, ""},
		"decided behind the last":         {aRelease, func(e *Entry) { e.Decided = maxIndex + 1 }, "decided"},
		"nothing is withdrawn":            {func() Entry { return Entry{Kind: Withdrawal} }, func(*Entry) {}, "end: a withdrawal ends a document"},
		"a withdrawal":                    {func() Entry { return Entry{Kind: Withdrawal, End: "c"} }, func(*Entry) {}, ""},
		"what ends is no id":              {func() Entry { return Entry{Kind: Withdrawal, End: "a b"} }, func(*Entry) {}, "end"},
		"an id of 64":                     {func() Entry { return Entry{Kind: Withdrawal, End: x(64)} }, func(*Entry) {}, ""},
		"an id of 65":                     {func() Entry { return Entry{Kind: Withdrawal, End: x(65)} }, func(*Entry) {}, "end"},
		"a key":                           {aKey, func(*Entry) {}, ""},
		"a key in another entry":          {aKey, func(e *Entry) { e.Kind = Admin }, "key"},
		"a key without a digest":          {aKey, func(e *Entry) { e.Key.Digest = "" }, "key"},
		"a key in no state":               {aKey, func(e *Entry) { e.Key.State = "Ok" }, "key"},
		"a key with a digest in capitals": {aKey, func(e *Entry) { e.Key.Digest = strings.Repeat("F", 64) }, "key"},

		"a consent":                            {aConsent, func(*Entry) {}, ""},
		"a consent that puts nothing":          {aConsent, func(e *Entry) { e.Put = nil }, "put: required for this kind"},
		"a consent that ends and puts nothing": {aConsent, func(e *Entry) { e.Put, e.End = nil, "c" }, "put: required for this kind"},
		"an agreement that puts nothing":       {anAgreement, func(e *Entry) { e.Put = nil }, "put: required for this kind"},
		"an agreement that ends one":           {anAgreement, func(e *Entry) { e.Put, e.End = nil, "a" }, ""},
		"a consent that is an agreement":       {aConsent, func(e *Entry) { e.Kind = Agreement }, "put.kind"},
		"an agreement that is a consent":       {anAgreement, func(e *Entry) { e.Kind = Consent }, "put.kind"},
		"a statement that is an agreement":     {anAgreement, func(e *Entry) { e.Kind, e.End = Withdrawal, "c" }, "put.kind"},
		"a decision with a document":           {anAgreement, func(e *Entry) { e.Kind = Decision }, "put.kind"},
		"a proposal":                           {anAgreement, func(e *Entry) { e.Put.Kind = ProposalDocument }, ""},
		"a statement":                          {anAgreement, func(e *Entry) { e.Put.Kind = StatementDocument }, ""},
		"a delegation":                         {anAgreement, func(e *Entry) { e.Put.Kind = DelegationDocument }, ""},
		"a withdrawal with its statement":      {anAgreement, func(e *Entry) { e.Kind, e.End, e.Put.Kind = Withdrawal, "c", StatementDocument }, ""},
		"itself":                               {anAgreement, func(e *Entry) { e.End = "a" }, "end: a document cannot replace itself"},

		"no id":                  {anAgreement, func(e *Entry) { e.Put.ID, e.End = "", "b" }, "put.id"},
		"no document":            {aConsent, func(e *Entry) { e.Put.Body = nil }, "put.body"},
		"the largest document":   {aConsent, func(e *Entry) { e.Put.Body = make([]byte, 64<<10) }, ""},
		"a larger document":      {aConsent, func(e *Entry) { e.Put.Body = make([]byte, 64<<10+1) }, "put.body"},
		"the largest openings":   {aConsent, func(e *Entry) { e.Put.Openings = make([]byte, 128<<10) }, ""},
		"larger openings":        {aConsent, func(e *Entry) { e.Put.Openings = make([]byte, 128<<10+1) }, "put.openings"},
		"replaces no text":       {aConsent, func(e *Entry) { e.Put.Replaces = "a b" }, "put.replaces, put.case"},
		"a case that is no text": {aConsent, func(e *Entry) { e.Put.Case = "a b" }, "put.replaces, put.case"},
		"a case of 128":          {aConsent, func(e *Entry) { e.Put.Case = x(128) }, ""},
		"a case of 129":          {aConsent, func(e *Entry) { e.Put.Case = x(129) }, "put.replaces, put.case"},

		"of nobody":                        {aConsent, func(e *Entry) { e.Put.Subjects = nil }, "put.subjects"},
		"of eight":                         {aConsent, func(e *Entry) { e.Put.Subjects = slices.Repeat(e.Put.Subjects, 8) }, ""},
		"of nine":                          {aConsent, func(e *Entry) { e.Put.Subjects = slices.Repeat(e.Put.Subjects, 9) }, "put.subjects"},
		"a pseudonym of 15":                {aConsent, func(e *Entry) { e.Put.Subjects[0] = x(15) }, "put.subjects"},
		"a pseudonym of 16":                {aConsent, func(e *Entry) { e.Put.Subjects[0] = x(16) }, ""},
		"a pseudonym of 64":                {aConsent, func(e *Entry) { e.Put.Subjects[0] = x(64) }, ""},
		"a pseudonym of 65":                {aConsent, func(e *Entry) { e.Put.Subjects[0] = x(65) }, "put.subjects"},
		"no purpose":                       {aConsent, func(e *Entry) { e.Put.Purpose = "" }, "put.purpose"},
		"a purpose that is no text":        {aConsent, func(e *Entry) { e.Put.Purpose = "a b" }, "put.purpose"},
		"sixteen recipients":               {aConsent, func(e *Entry) { e.Put.Recipients = slices.Repeat(e.Put.Recipients, 16) }, ""},
		"seventeen recipients":             {aConsent, func(e *Entry) { e.Put.Recipients = slices.Repeat(e.Put.Recipients, 17) }, "put.recipients, put.grants: too many"},
		"sixteen grants":                   {aConsent, func(e *Entry) { e.Put.Grants = slices.Repeat(e.Put.Grants, 16) }, ""},
		"seventeen grants":                 {aConsent, func(e *Entry) { e.Put.Grants = slices.Repeat(e.Put.Grants, 17) }, "put.recipients, put.grants: too many"},
		"a consent of a party":             {aConsent, func(e *Entry) { e.Put.PartyA = ours }, "put.party: a consent has none"},
		"a consent of another party":       {aConsent, func(e *Entry) { e.Put.PartyB = ours }, "put.party: a consent has none"},
		"sixteen categories":               {aConsent, func(e *Entry) { e.Put.Grants[0].Categories = slices.Repeat([]string{"amount"}, 16) }, ""},
		"seventeen categories":             {aConsent, func(e *Entry) { e.Put.Grants[0].Categories = slices.Repeat([]string{"amount"}, 17) }, "put.grants"},
		"a category that is no text":       {aConsent, func(e *Entry) { e.Put.Grants[0].Categories = []string{"a b"} }, "put.grants"},
		"a party that is none":             {anAgreement, func(e *Entry) { e.Put.PartyA = "1" }, "put.party"},
		"another party that is none":       {anAgreement, func(e *Entry) { e.Put.PartyB = "" }, "put.party"},
		"a party with itself":              {anAgreement, func(e *Entry) { e.Put.PartyB = ours }, "put.party"},
		"an agreement of a person":         {anAgreement, func(e *Entry) { e.Put.Subjects = []string{x(32)} }, "put.subject: only a consent has one"},
		"an agreement for a purpose alone": {anAgreement, func(e *Entry) { e.Put.Purpose = "p" }, "put.subject: only a consent has one"},

		"without a key":    {aDecision, func(e *Entry) { e.Once = nil }, ""},
		"a key once":       {aDecision, func(*Entry) {}, ""},
		"no key":           {aDecision, func(e *Entry) { e.Once.Key = [32]byte{} }, "once.key"},
		"no request":       {aDecision, func(e *Entry) { e.Once.Body = [32]byte{} }, "once.body"},
		"a ref":            {aDecision, func(e *Entry) { e.Once.Ref = "r" }, ""},
		"a ref that is no": {aDecision, func(e *Entry) { e.Once.Ref = "a b" }, "once.ref"},
		"no life":          {aDecision, func(e *Entry) { e.Once.Life = -time.Nanosecond }, "once.life"},

		"224 consents":        {aDecision, func(e *Entry) { e.Consents = slices.Repeat([]string{"c"}, 224) }, ""},
		"225 consents":        {aDecision, func(e *Entry) { e.Consents = slices.Repeat([]string{"c"}, 225) }, "consents, rests, subjects: too many"},
		"448 rests":           {aDecision, func(e *Entry) { e.Rests = slices.Repeat([]register.Rest{{ID: "c"}}, 448) }, ""},
		"449 rests":           {aDecision, func(e *Entry) { e.Rests = slices.Repeat([]register.Rest{{ID: "c"}}, 449) }, "consents, rests, subjects: too many"},
		"224 subjects":        {aDecision, func(e *Entry) { e.Subjects = slices.Repeat([][]byte{{1}}, 224) }, ""},
		"225 subjects":        {aDecision, func(e *Entry) { e.Subjects = slices.Repeat([][]byte{{1}}, 225) }, "consents, rests, subjects: too many"},
		"a consent no id":     {aDecision, func(e *Entry) { e.Consents = []string{"c", ""} }, "consents[1]"},
		"a rest no id":        {aDecision, func(e *Entry) { e.Rests = []register.Rest{{ID: "c"}, {ID: ""}} }, "rests[1]"},
		"a subject of none":   {aDecision, func(e *Entry) { e.Subjects = [][]byte{{1}, {}} }, "subjects[1]"},
		"a subject of 64":     {aDecision, func(e *Entry) { e.Subjects = [][]byte{bytes.Repeat([]byte{1}, 64)} }, ""},
		"a subject of 65":     {aDecision, func(e *Entry) { e.Subjects = [][]byte{bytes.Repeat([]byte{1}, 65)} }, "subjects[0]"},
		"a commitment of 128": {aDecision, func(e *Entry) { e.Case = make([]byte, 128) }, ""},
		"a commitment of 129": {aDecision, func(e *Entry) { e.Case = make([]byte, 129) }, "case"},
		"the largest payload": {aDecision, func(e *Entry) { e.Payload = make([]byte, 512<<10) }, ""},
		"a larger payload":    {aDecision, func(e *Entry) { e.Payload = make([]byte, 512<<10+1) }, "payload"},
	} {
		e := c.of()
		c.change(&e)
		err := e.check()
		if c.says == "" {
			require.NoError(t, err, name)
			continue
		}
		require.EqualError(t, err, ErrInvalid.Error()+": "+c.says, name)
	}
}

// A rest's text holds an id and two organisations; whoever names longer ones is refused.
func TestTheLongestRest(t *testing.T) {
	e := aDecision()
	for n, good := range map[int]bool{93: true, 94: false} {
		e.Rests = []register.Rest{{ID: "c", Source: identity.OIN(strings.Repeat("1", n))}}
		require.Equal(t, good, e.check() == nil, n)
	}
}

// The forms of what is in a leaf, at their bounds.
func TestForms(t *testing.T) {
	id := "01980000-7c0e-7d6b-9a53-0b1f6d2c9e11"
	for name, c := range map[string]struct {
		is   func(string) bool
		good []string
		bad  []string
	}{
		"text":       {isText, []string{"", "az.AZ_09:/#@=,-", strings.Repeat("a", 128)}, []string{strings.Repeat("a", 129), " ", "é", "\"", "<", "`", "{", "[", "a\n"}},
		"id":         {isID, []string{"a", "._:-", strings.Repeat("a", 64)}, []string{"", strings.Repeat("a", 65), "/", "@"}},
		"trace":      {identity.IsTrace, []string{strings.Repeat("0", 32), strings.Repeat("f", 32), strings.Repeat("9a", 16)}, []string{strings.Repeat("0", 31), strings.Repeat("0", 33), strings.Repeat("g", 32), strings.Repeat("F", 32), strings.Repeat("/", 32), strings.Repeat(":", 32), strings.Repeat("`", 32)}},
		"digest":     {identity.IsSHA256, []string{strings.Repeat("a", 64)}, []string{strings.Repeat("a", 63), strings.Repeat("a", 65), strings.Repeat("A", 64)}},
		"commitment": {identity.IsHash, []string{strings.Repeat("A", 43)}, []string{"", strings.Repeat("A", 42), strings.Repeat("A", 44), strings.Repeat("A", 42) + "B", strings.Repeat("A", 42) + "\n", strings.Repeat("A", 42) + "+", strings.Repeat("A", 43) + "\n"}},
		"uuid":       {identity.IsUUIDv7, []string{id}, []string{"", strings.ToUpper(id), "6f1c3ad2-7c0e-4d6b-9a53-0b1f6d2c9e11", "01980000-7c0e-7d6b-ca53-0b1f6d2c9e11", "{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", "")}},
	} {
		for _, s := range c.good {
			require.True(t, c.is(s), "%s %q", name, s)
		}
		for _, s := range c.bad {
			require.False(t, c.is(s), "%s %q", name, s)
		}
	}
	many := func(n int) (oins []identity.OIN, digests []string) {
		for i := range n {
			oins, digests = append(oins, identity.OIN(fmt.Sprintf("%020d", i))), append(digests, strings.Repeat("a", 64))
		}
		return oins, digests
	}
	for n, good := range map[int]bool{0: true, 32: true, 33: false} {
		oins, _ := many(n)
		require.Equal(t, good, checkOrganisations(oins) == nil, n)
	}
	for n, good := range map[int]bool{0: true, 64: true, 65: false} {
		_, digests := many(n)
		require.Equal(t, good, checkAgreements(digests) == nil, n)
	}
	require.ErrorContains(t, checkOrganisations([]identity.OIN{ours, "1"}), "organisations[1]")
	require.ErrorContains(t, checkAgreements([]string{strings.Repeat("a", 64), "x"}), "agreements[1]")
}
