package register_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// What is known of a document is compared whole, at the last size that does not know of a
// change and the first that does.
func TestARecordIsTheDocumentAsItWasAtASize(t *testing.T) {
	one := but(dated(consentOf("P", "1", "", "a", "b"), first, first+9), func(d *register.Document) { d.Opens = [32]byte{7} })
	a := newAlone(register.New)
	for _, e := range []register.Entry{
		0:  keyIs(digestOf("own1"), register.InUse),
		1:  one,
		2:  {Epoch: true},
		3:  dated(consentOf("P", "2", "1", "a"), first+3, first+9),
		4:  narrowingOf("3", "1", "a"),
		5:  ending("1"),
		6:  keyIs(digestOf("own1"), register.Lost),
		7:  but(consentOf("Q", "v", "elsewhere"), func(d *register.Document) { d.Void, d.Keys = true, nil }),
		8:  termsOf(register.Agreement, "a", ""),
		9:  termsOf(register.Proposal, "proposal:b", "a"),
		10: but(consentOf("R", "proposal:c", ""), func(d *register.Document) { d.Keys = nil }),
		11: but(consentOf("R", "d", "proposal:c"), func(d *register.Document) { d.Keys = nil }),
	} {
		e.Day = first
		require.NoError(t, a.enter(e))
	}
	record := func(change func(d *register.Record)) register.Record {
		d := register.Record{
			ID: "1", Kind: register.Consent, Digest: one.Put.Digest, Opens: one.Put.Opens, Purpose: "compose", Case: "k", From: first, Until: first + 9,
			Subject: "P", Entered: 1, Ended: register.NotEnded, Since: 1,
		}
		change(&d)
		return d
	}
	waits := func(d *register.Record) { d.Uncertain = true }
	replaced := func(d *register.Record) { waits(d); d.Successor, d.SuccessorFrom = "2", first+3 }
	narrowed := func(d *register.Record) { replaced(d); d.Successor, d.SuccessorFrom = "3", first }
	ended := func(d *register.Record) { narrowed(d); d.Uncertain, d.Ended = false, 5 }
	for size, change := range map[int64]func(*register.Record){
		2: func(*register.Record) {}, 3: waits, 4: replaced, 5: narrowed, 6: ended,
		7: func(d *register.Record) { ended(d); d.Lost = true },
	} {
		d, ok := a.r.At(size).Document("1")
		require.True(t, ok)
		require.Equal(t, record(change), d, "size %d", size)
	}
	_, ok := a.r.At(1).Document("1")
	require.False(t, ok, "it is entered after that")
	for id, want := range map[string]register.Record{
		"3":          {ID: "3", Kind: register.Consent, Digest: narrowingOf("3", "").Put.Digest, Purpose: "compose", Case: "k", From: first, Until: first + 9, Replaces: "1", Narrows: true, Subject: "P", Entered: 4, Ended: 5, Since: 1, Lost: true},
		"v":          {ID: "v", Kind: register.Consent, Digest: consentOf("", "v", "").Put.Digest, Purpose: "compose", Case: "k", From: first, Until: first + 9, Replaces: "elsewhere", Void: true, Subject: "Q", Entered: 7, Ended: register.NotEnded, Since: 1},
		"d":          {ID: "d", Kind: register.Consent, Digest: consentOf("", "d", "").Put.Digest, Purpose: "compose", Case: "k", From: first, Until: first + 9, Replaces: "proposal:c", Subject: "R", Entered: 11, Ended: register.NotEnded, Since: 1},
		"proposal:b": {ID: "proposal:b", Kind: register.Proposal, From: first, Until: first + 9, Replaces: "a", PartyA: "X", PartyB: "Y", Entered: 9, Ended: register.NotEnded, Since: 1},
	} {
		d, ok := a.view().Document(id)
		require.True(t, ok)
		require.Equal(t, want, d)
	}
}

func TestARecordReportsWhetherItIsLiveAndReplaced(t *testing.T) {
	require.True(t, register.Record{Ended: register.NotEnded}.Live())
	require.False(t, register.Record{Ended: 0}.Live(), "the first entry ended it")
	for day, want := range map[civil.Date]bool{4: false, 5: true, 6: true} {
		require.Equal(t, want, register.Record{Successor: "2", SuccessorFrom: 5}.Replaced(day), "day %d", day)
	}
	require.False(t, register.Record{}.Replaced(5))
}

func idsOf(records []register.Record) (ids []string) {
	for _, d := range records {
		ids = append(ids, d.ID)
	}
	return ids
}

// Each list at each size: what came later is not in it, and the newest is the first.
func TestListsGiveWhatWasThereAtASize(t *testing.T) {
	other := but(consentOf("P", "o", "", "a"), func(d *register.Document) { d.Purpose = "another" })
	a := begun(t, // from entry 1
		consentOf("P", "1", "", "a"), other, consentOf("P", "2", "1", "a"), consentOf("Q", "q", "", "a"),
		termsOf(register.Agreement, "a", ""), termsOf(register.Proposal, "proposal:b", "a"), termsOf(register.Agreement, "c", ""),
		ending("1"), register.Entry{Epoch: true}, register.Entry{Confirm: "q"}, ending("c"), keyIs(digestOf("own1"), register.Retired), keyIs(digestOf("own1"), register.Lost),
	)
	type lists struct {
		all, compose, between, proposals, agreements []string
		count, live, waiting                         int64
		key                                          register.KeyState
	}
	for size, want := range []lists{
		{},
		{key: register.InUse},
		{all: []string{"1"}, compose: []string{"1"}, count: 1, live: 1, key: register.InUse},
		{all: []string{"o", "1"}, compose: []string{"1"}, count: 2, live: 2, key: register.InUse},
		{all: []string{"2", "o", "1"}, compose: []string{"2", "1"}, count: 3, live: 2, key: register.InUse},
		{all: []string{"2", "o", "1"}, compose: []string{"2", "1"}, count: 4, live: 3, key: register.InUse},
		{all: []string{"2", "o", "1"}, compose: []string{"2", "1"}, between: []string{"a"}, agreements: []string{"a"}, count: 5, live: 4, key: register.InUse},
		{all: []string{"2", "o", "1"}, compose: []string{"2", "1"}, between: []string{"a"}, proposals: []string{"proposal:b"}, agreements: []string{"a"}, count: 6, live: 5, key: register.InUse},
		{all: []string{"2", "o", "1"}, compose: []string{"2", "1"}, between: []string{"c", "a"}, proposals: []string{"proposal:b"}, agreements: []string{"c", "a"}, count: 7, live: 6, key: register.InUse},
		{all: []string{"2", "o", "1"}, compose: []string{"2", "1"}, between: []string{"c", "a"}, proposals: []string{"proposal:b"}, agreements: []string{"c", "a"}, count: 7, live: 5, key: register.InUse},
		{all: []string{"2", "o", "1"}, compose: []string{"2", "1"}, between: []string{"c", "a"}, proposals: []string{"proposal:b"}, count: 7, live: 5, waiting: 5, key: register.InUse},
		{all: []string{"2", "o", "1"}, compose: []string{"2", "1"}, between: []string{"c", "a"}, proposals: []string{"proposal:b"}, count: 7, live: 5, waiting: 4, key: register.InUse},
		{all: []string{"2", "o", "1"}, compose: []string{"2", "1"}, between: []string{"c", "a"}, proposals: []string{"proposal:b"}, count: 7, live: 4, waiting: 3, key: register.InUse},
		{all: []string{"2", "o", "1"}, compose: []string{"2", "1"}, between: []string{"c", "a"}, proposals: []string{"proposal:b"}, count: 7, live: 4, waiting: 3, key: register.Retired},
		{all: []string{"2", "o", "1"}, compose: []string{"2", "1"}, between: []string{"c", "a"}, proposals: []string{"proposal:b"}, count: 7, live: 4, waiting: 3, key: register.Lost},
	} {
		v := a.r.At(int64(size))
		is := lists{
			all: idsOf(v.Consents([]string{"P"}, "")), compose: idsOf(v.Consents([]string{"P"}, "compose")), between: idsOf(v.Between(register.Agreement, "Y", "X")),
			proposals: idsOf(v.List(register.Proposal)), agreements: v.Agreements("Y", "X", first), waiting: v.Waiting(), key: v.Keys()[digestOf("own1")],
		}
		is.count, is.live = v.Count(first)
		require.Equal(t, want, is, "size %d", size)
		require.Equal(t, int64(size), v.Size())
	}
	require.Equal(t, []string{"q", "2", "o", "1"}, idsOf(a.view().List(register.Consent)))
	require.Equal(t, []string{"another", "compose"}, a.view().Purposes())
	require.EqualValues(t, 7, a.r.Documents())
	require.Empty(t, a.view().Between(register.Proposal, "X", "Z"))
	tale(t, a, termsOf(register.Agreement, "d", "c"), dated(termsOf(register.Agreement, "e", ""), first, first+9), termsOf(register.Agreement, "f", "e")) // entries 14, 15, 16
	for size, want := range map[int64][]string{14: nil, 15: {"d"}, 16: {"e", "d"}, 17: {"f", "d"}} {
		require.Equal(t, want, a.r.At(size).Agreements("X", "Y", first), "size %d", size)
	}
}

// A key is in a state from the first entry that says so.
func TestAKeyIsInAStateFromTheFirstTime(t *testing.T) {
	a := begun(t, keyIs(digestOf("own1"), register.Retired), keyIs(digestOf("own1"), register.Retired))
	for size, want := range []register.KeyState{"", register.InUse, register.Retired, register.Retired} {
		require.Equal(t, want, a.r.At(int64(size)).Keys()[digestOf("own1")], "size %d", size)
	}
}

// A document that is replaced from a day is live until then.
func TestWhatIsReplacedLaterIsLiveTillThen(t *testing.T) {
	a := begun(t, consentOf("P", "1", "", "a"), dated(consentOf("P", "2", "1", "a"), first+2, first+9))
	for day, want := range map[civil.Date]int64{first + 1: 2, first + 2: 1, first + 3: 1} {
		all, live := a.view().Count(day)
		require.Equal(t, []int64{2, want}, []int64{all, live}, "day %d", day-first)
	}
}

// What an entry may rest on, of each kind, on the first and the last day and beside them.
func TestWhatMayBeRestedOn(t *testing.T) {
	days := func(from, until civil.Date, days ...civil.Date) map[civil.Date]bool {
		all := map[civil.Date]bool{}
		for _, day := range days {
			all[day] = from <= day && (until == 0 || day <= until)
		}
		return all
	}
	around := []civil.Date{first - 1, first, first + 9, first + 10}
	lost := keyIs(digestOf("own1"), register.Lost)
	signed := func(kind register.Kind, id string) register.Entry {
		return but(termsOf(kind, id, ""), func(d *register.Document) { d.Keys = []string{digestOf("own1")} })
	}
	never := days(first+99, 0, around...)
	always := days(0, 0, around...)
	rest := register.Rest{ID: "1", Source: "S1", Recipient: "R1"}
	for name, c := range map[string]struct {
		entries []register.Entry
		rest    register.Rest
		want    map[civil.Date]bool
	}{
		"nothing":                             {nil, rest, never},
		"a consent":                           {[]register.Entry{consentOf("P", "1", "", "a")}, rest, days(first, first+9, around...)},
		"a consent without an end":            {[]register.Entry{dated(consentOf("P", "1", "", "a"), first, 0)}, rest, days(first, 0, around...)},
		"a consent of another source":         {[]register.Entry{consentOf("P", "1", "", "a")}, register.Rest{ID: "1", Source: "S2", Recipient: "R1"}, never},
		"a consent for another":               {[]register.Entry{consentOf("P", "1", "", "a")}, register.Rest{ID: "1", Source: "S1", Recipient: "R2"}, never},
		"a no":                                {[]register.Entry{consentOf("P", "1", "")}, rest, never},
		"a consent before the last":           {[]register.Entry{consentOf("P", "1", "", "a"), consentOf("P", "2", "1", "a")}, rest, never},
		"an agreement":                        {[]register.Entry{signed(register.Agreement, "1")}, rest, days(first, first+9, around...)},
		"an agreement that a lost key signed": {[]register.Entry{signed(register.Agreement, "1"), lost}, rest, never},
		"a revoked agreement":                 {[]register.Entry{signed(register.Agreement, "1"), ending("1")}, rest, never},
		"a proposal":                          {[]register.Entry{signed(register.Proposal, "1")}, rest, always},
		"a proposal that waits":               {[]register.Entry{signed(register.Proposal, "1"), {Epoch: true}}, rest, always},
		"a rejected proposal":                 {[]register.Entry{signed(register.Proposal, "1"), ending("1")}, rest, never},
		"a proposal that a lost key signed":   {[]register.Entry{signed(register.Proposal, "1"), lost}, rest, never},
		"a delegation":                        {[]register.Entry{signed(register.Delegation, "1")}, rest, always},
		"a delegation that waits":             {[]register.Entry{signed(register.Delegation, "1"), {Epoch: true}}, rest, never},
		"a delegation that ended":             {[]register.Entry{signed(register.Delegation, "1"), ending("1")}, rest, never},
		"a delegation that a lost key signed": {[]register.Entry{signed(register.Delegation, "1"), lost}, rest, never},
	} {
		t.Run(name, func(t *testing.T) {
			a := begun(t, c.entries...)
			for day, want := range c.want {
				require.Equal(t, want, a.view().Counts(c.rest, day, a.r.Size()), "day %d", day-first)
			}
			require.False(t, a.r.At(1).Counts(c.rest, first, 1), "it was not there yet")
		})
	}
}

// A release rests on what was judged: what is taken out since, of what it is about, stops it.
func TestWhatIsTakenOutSinceItWasJudged(t *testing.T) {
	a := begun(t, consentOf("P", "1", "", "a", "b"), consentOf("P", "2", "", "a", "b"), narrowingOf("3", "1", "a")) // entries 1, 2, 3
	rest := register.Rest{ID: "2", Source: "S1", Recipient: "R1"}
	for judged, want := range map[int64]bool{2: false, 3: false, 4: true} {
		require.Equal(t, want, a.view().Counts(rest, first, judged), "judged at size %d", judged)
	}
}

// The last word on a thing, in each standing.
func TestTheStandingOfTheLastWord(t *testing.T) {
	one, lost := consentOf("P", "1", "", "b", "a"), keyIs(digestOf("own1"), register.Lost)
	yes := register.Word{ID: "1", Standing: register.Yes, Categories: []string{"a", "b"}}
	elsewhere := func(e register.Entry) register.Entry { return but(e, func(d *register.Document) { d.Case = "other" }) }
	toR2 := func(e register.Entry) register.Entry {
		return but(e, func(d *register.Document) { d.Recipients = []identity.OIN{"R2"} })
	}
	both := func(e register.Entry, s2 string) register.Entry {
		return but(e, func(d *register.Document) {
			d.Grants = append(d.Grants, register.Grant{Source: "S2", Categories: []string{s2}})
		})
	}
	ofS2 := func(e register.Entry) register.Entry {
		return but(e, func(d *register.Document) {
			d.Grants = []register.Grant{{Source: "S2", Categories: d.Grants[0].Categories}}
		})
	}
	standing := func(s register.Standing) register.Word { return register.Word{ID: "1", Standing: s} }
	for name, c := range map[string]struct {
		entries []register.Entry
		day     civil.Date
		want    register.Word
	}{
		"nobody said anything":                     {nil, first, register.Word{}},
		"it has not begun":                         {[]register.Entry{one}, first - 1, register.Word{}},
		"the first day":                            {[]register.Entry{one}, first, yes},
		"the last day":                             {[]register.Entry{one}, first + 9, yes},
		"it is over":                               {[]register.Entry{one}, first + 10, standing(register.Expired)},
		"it has no last day":                       {[]register.Entry{dated(one, first, 0)}, first + 99, yes},
		"a no":                                     {[]register.Entry{consentOf("P", "1", "")}, first, standing(register.SaidNo)},
		"it was withdrawn":                         {[]register.Entry{one, {Epoch: true}, ending("1"), lost}, first + 10, standing(register.Withdrawn)},
		"its key was lost":                         {[]register.Entry{one, {Epoch: true}, lost}, first + 10, standing(register.KeyLost)},
		"it waits":                                 {[]register.Entry{one, {Epoch: true}}, first + 10, standing(register.Uncertain)},
		"a void one says nothing":                  {[]register.Entry{but(one, func(d *register.Document) { d.Void = true })}, first, register.Word{}},
		"one for another purpose":                  {[]register.Entry{but(one, func(d *register.Document) { d.Purpose = "other" })}, first, register.Word{}},
		"one in another case":                      {[]register.Entry{but(one, func(d *register.Document) { d.Case = "other" })}, first, register.Word{}},
		"one for another":                          {[]register.Entry{but(one, func(d *register.Document) { d.Recipients = []identity.OIN{"R2"} })}, first, register.Word{}},
		"one of another source":                    {[]register.Entry{but(one, func(d *register.Document) { d.Grants = []register.Grant{{Source: "S2"}} })}, first, register.Word{}},
		"a narrowing of nothing":                   {[]register.Entry{narrowingOf("1", "", "a", "b")}, first, yes},
		"a narrowing of nothing takes nothing out": {[]register.Entry{one, dated(narrowingOf("2", "", "a", "b"), first+5, first+9)}, first, yes},
		"a narrowing of nothing, in a new epoch":   {[]register.Entry{{Epoch: true}, narrowingOf("1", "", "a", "b")}, first, yes},
		"a source that is left out":                {[]register.Entry{both(consentOf("P", "0", "", "a"), "a"), one, both(narrowingOf("2", "0"), "a")}, first, standing(register.SaidNo)},
		"what is taken out of another source":      {[]register.Entry{ofS2(consentOf("P", "0", "", "a", "b")), one, ofS2(narrowingOf("2", "0", "a"))}, first, yes},
		"what is taken out of another":             {[]register.Entry{consentOf("P", "0", "", "a", "b"), one, narrowingOf("2", "0", "a")}, first, register.Word{ID: "1", Standing: register.Yes, Categories: []string{"a"}}},
		"what was taken out before":                {[]register.Entry{consentOf("P", "0", "", "a", "b"), narrowingOf("2", "0", "a"), one}, first, yes},
		"what is taken out in another case":        {[]register.Entry{elsewhere(consentOf("P", "0", "", "a", "b")), one, elsewhere(narrowingOf("2", "0", "a"))}, first, yes},
		"what is taken out for another":            {[]register.Entry{toR2(consentOf("P", "0", "", "a", "b")), one, toR2(narrowingOf("2", "0", "a"))}, first, yes},
		"in its place for another":                 {[]register.Entry{consentOf("P", "0", "", "a"), but(consentOf("P", "1", "0", "a"), func(d *register.Document) { d.Recipients = []identity.OIN{"R2"} })}, first, standing(register.SaidNo)},
	} {
		t.Run(name, func(t *testing.T) {
			a := begun(t, c.entries...)
			require.Equal(t, c.want, a.view().LastWord(register.Thing{Pseudonyms: []string{"P"}, Purpose: "compose", Case: "k", Recipient: "R1", Source: "S1"}, c.day))
		})
	}
}
