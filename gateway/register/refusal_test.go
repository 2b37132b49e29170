package register_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// but changes what an entry puts.
func but(e register.Entry, change func(d *register.Document)) register.Entry {
	d := *e.Put
	change(&d)
	e.Put = &d
	return e
}

// dated puts a document of other days.
func dated(e register.Entry, from, until civil.Date) register.Entry {
	return but(e, func(d *register.Document) { d.From, d.Until = from, until })
}

func termsOf(kind register.Kind, id, replaces string) register.Entry {
	return register.Entry{Put: &register.Document{ID: id, Kind: kind, From: first, Until: first + 9, PartyA: "X", PartyB: "Y", Replaces: replaces}}
}

func ending(id string) register.Entry { return register.Entry{End: id, Stated: true} }

func keyIs(digest string, state register.KeyState) register.Entry {
	return register.Entry{Key: &register.KeyChange{Owner: "X", Digest: digest, State: state}}
}

// many are so many categories.
func many(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

// Each refusal is compared whole, beside the nearest that is none.
func TestWhyAnEntryIsRefused(t *testing.T) {
	type entries = []register.Entry
	ended := func(id string) error { return &register.EndedError{ID: id} }
	replaced := func(id, last string) error { return &register.ReplacedError{ID: id, Last: last} }
	refused := func(why string) error { return fmt.Errorf("%w: %s", register.ErrRefused, why) }
	again := fmt.Errorf("%w: and is never in use again", register.ErrKeyState)
	more := refused("it says more than the consent that it narrows")
	differs := refused("it differs from the consent that it narrows in more than its grants and an earlier end")
	stranger := refused("it is no consent of this person for this purpose in this case")
	elsewhere := refused("it is between other parties")
	own := digestOf("own1")
	signed := func(e register.Entry, keys ...string) register.Entry {
		return but(e, func(d *register.Document) { d.Keys = keys })
	}
	void := but(consentOf("P", "v", "", "a"), func(d *register.Document) { d.Void = true })
	one := consentOf("P", "1", "", "a", "b")
	wide := but(one, func(d *register.Document) {
		d.Recipients = []identity.OIN{"R1", "R2"}
		d.Grants = append(d.Grants, register.Grant{Source: "S2", Categories: []string{"c"}})
	})
	narrower := func(id, replaces string, grants ...register.Grant) register.Entry {
		return but(narrowingOf(id, replaces), func(d *register.Document) { d.Recipients, d.Grants = wide.Put.Recipients, grants })
	}
	s1, s2 := register.Grant{Source: "S1", Categories: []string{"a"}}, register.Grant{Source: "S2"}
	withParties := func(e register.Entry, a, b identity.OIN) register.Entry {
		return but(e, func(d *register.Document) { d.PartyA, d.PartyB = a, b })
	}
	const agreement, proposal = register.Agreement, register.Proposal

	for name, c := range map[string]struct {
		before entries
		next   register.Entry
		want   error
	}{
		"a key in use, once more":   {nil, keyIs(own, register.InUse), nil},
		"a retired key, once more":  {entries{keyIs(own, register.Retired)}, keyIs(own, register.Retired), nil},
		"a retired key is lost":     {entries{keyIs(own, register.Retired)}, keyIs(own, register.Lost), nil},
		"a retired key in use":      {entries{keyIs(own, register.Retired)}, keyIs(own, register.InUse), again},
		"a lost key, once more":     {entries{keyIs(own, register.Lost)}, keyIs(own, register.Lost), nil},
		"a lost key is retired":     {entries{keyIs(own, register.Lost)}, keyIs(own, register.Retired), again},
		"a lost key in use":         {entries{keyIs(own, register.Lost)}, keyIs(own, register.InUse), again},
		"another key was lost":      {entries{keyIs("other", register.Lost)}, keyIs(own, register.InUse), nil},
		"a key that nobody knows":   {nil, signed(one, "other"), register.ErrKeyState},
		"a key that is known only":  {entries{signed(void), keyIs("other", "burnt")}, signed(one, "other"), register.ErrKeyState},
		"signed with a retired key": {entries{keyIs(own, register.Retired)}, one, register.ErrKeyState},
		"signed with a lost key":    {entries{keyIs(own, register.Lost)}, one, register.ErrKeyState},
		"the second key is unknown": {nil, signed(one, own, "other"), register.ErrKeyState},

		"nothing ends":                  {nil, ending("1"), register.ErrNoDocument},
		"it ends":                       {entries{one}, ending("1"), nil},
		"it ended":                      {entries{one, ending("1")}, ending("1"), ended("1")},
		"it ended, what followed not":   {entries{one, ending("1"), consentOf("P", "2", "1", "a")}, ending("1"), nil},
		"it ended, and nobody said so":  {entries{one, ending("1"), consentOf("P", "2", "1", "a")}, register.Entry{End: "1"}, ended("1")},
		"nothing is confirmed":          {entries{one, {Epoch: true}}, register.Entry{Confirm: "2"}, register.ErrNoDocument},
		"what ended is confirmed":       {entries{one, {Epoch: true}, ending("1")}, register.Entry{Confirm: "1"}, ended("1")},
		"what does not wait":            {entries{one}, register.Entry{Confirm: "1"}, register.ErrNotWaiting},
		"what waits":                    {entries{one, {Epoch: true}}, register.Entry{Confirm: "1"}, nil},
		"nobody is erased":              {entries{one}, register.Entry{Erase: []string{"Q"}}, register.ErrNoDocument},
		"one of two is erased":          {entries{one}, register.Entry{Erase: []string{"Q", "P"}}, nil},
		"an entry of a day only":        {nil, register.Entry{}, nil},
		"the same document":             {entries{one}, one, register.ErrConflict},
		"the same, and it ended":        {entries{one, ending("1")}, one, ended("1")},
		"another of this id":            {entries{one}, but(one, func(d *register.Document) { d.Digest[0]++ }), register.ErrConflict},
		"another of this id, and ended": {entries{one, ending("1")}, but(one, func(d *register.Document) { d.Digest[0]++ }), register.ErrConflict},
		"64 categories":                 {entries{one}, consentOf("Q", "2", "", append(many(62), "a")...), nil},
		"65 categories":                 {entries{one}, consentOf("Q", "2", "", many(63)...), refused("there are 64 categories at most")},

		"a void consent in the place of nothing": {nil, but(void, func(d *register.Document) { d.Replaces = "nobody" }), nil},
		"a consent in the place of nothing":      {nil, consentOf("P", "2", "nobody", "a"), register.ErrNoDocument},
		"in the place of no consent":             {entries{termsOf(agreement, "1", "")}, consentOf("P", "2", "1", "a"), stranger},
		"in the place of a void one":             {entries{void}, consentOf("P", "2", "v", "a"), stranger},
		"of another person":                      {entries{one}, consentOf("Q", "2", "1", "a"), stranger},
		"for another purpose":                    {entries{one}, but(consentOf("P", "2", "1", "a"), func(d *register.Document) { d.Purpose = "other" }), stranger},
		"in another case":                        {entries{one}, but(consentOf("P", "2", "1", "a"), func(d *register.Document) { d.Case = "other" }), stranger},
		"in the place of what ended":             {entries{one, ending("1")}, consentOf("P", "2", "1", "a"), nil},
		"the last of those in its place":         {entries{one, consentOf("P", "2", "1", "a"), consentOf("P", "3", "2", "a")}, consentOf("P", "4", "1", "a"), replaced("1", "3")},

		"narrows what ended":                   {entries{one, ending("1")}, narrowingOf("2", "1", "a"), ended("1")},
		"narrows what a lost key signed":       {entries{keyIs("other", register.InUse), signed(one, "other"), keyIs("other", register.Lost)}, narrowingOf("2", "1", "a"), ended("1")},
		"narrows what was narrowed":            {entries{one, narrowingOf("2", "1", "a")}, narrowingOf("3", "1", "b"), replaced("1", "2")},
		"narrows the narrowing":                {entries{wide, narrower("2", "1", s1, register.Grant{Source: "S2", Categories: []string{"c"}})}, narrower("3", "2", s1, s2), nil},
		"narrows what is replaced today":       {entries{dated(one, first-1, first+9), dated(consentOf("P", "2", "1", "a"), first, first+9)}, dated(narrowingOf("3", "1", "a"), first-1, first+9), replaced("1", "2")},
		"narrows what is replaced tomorrow":    {entries{one, dated(consentOf("P", "2", "1", "a"), first+1, first+9)}, narrowingOf("3", "1", "a"), nil},
		"narrows what begins as its successor": {entries{dated(one, first+2, first+9), dated(consentOf("P", "2", "1", "a"), first+2, first+9)}, dated(narrowingOf("3", "1", "a"), first+2, first+9), replaced("1", "2")},
		"narrows what begins before it":        {entries{dated(one, first+2, first+9), dated(consentOf("P", "2", "1", "a"), first+3, first+9)}, dated(narrowingOf("3", "1", "a"), first+2, first+9), nil},
		"narrows to a category more":           {entries{one, consentOf("Q", "q", "", "c")}, narrowingOf("2", "1", "a", "c"), more},
		"narrows to an unknown category":       {entries{one}, narrowingOf("2", "1", "a", "unknown"), more},
		"narrows to a source more":             {entries{one, but(consentOf("Q", "q", "", "a"), func(d *register.Document) { d.Grants = []register.Grant{{Source: "S3"}} })}, narrower("2", "1", register.Grant{Source: "S3"}), more},
		"narrows":                              {entries{wide}, narrower("2", "1", s1, s2), nil},
		"narrows to nothing":                   {entries{wide}, narrower("2", "1", s2, register.Grant{Source: "S1"}), differs},
		"narrows from another day":             {entries{wide}, dated(narrower("2", "1", s1, s2), first+1, first+9), differs},
		"narrows to an earlier day":            {entries{wide}, dated(narrower("2", "1", s1, s2), first, first+8), nil},
		"narrows to a later day":               {entries{wide}, dated(narrower("2", "1", s1, s2), first, first+10), differs},
		"narrows to no day":                    {entries{wide}, dated(narrower("2", "1", s1, s2), first, 0), differs},
		"narrows for others":                   {entries{wide}, but(narrower("2", "1", s1, s2), func(d *register.Document) { d.Recipients = d.Recipients[:1] }), differs},
		"narrows and leaves out a source":      {entries{wide}, narrower("2", "1", s1), differs},

		"says less":                                   {entries{one}, consentOf("P", "2", "", "a"), register.ErrSaysLess},
		"says as much":                                {entries{one}, consentOf("P", "2", "", "b", "a"), nil},
		"says less to the second recipient":           {entries{one}, but(consentOf("P", "2", "", "a"), func(d *register.Document) { d.Recipients = []identity.OIN{"R9", "R1"} }), register.ErrSaysLess},
		"says less of the second source":              {entries{one}, but(consentOf("P", "2", ""), func(d *register.Document) { d.Grants = []register.Grant{s2, s1} }), register.ErrSaysLess},
		"says no":                                     {entries{one}, consentOf("P", "2", ""), nil},
		"says less than what is over":                 {entries{dated(one, first-9, first-1)}, consentOf("P", "2", "", "a"), nil},
		"says less than what ends today":              {entries{dated(one, first-9, first)}, consentOf("P", "2", "", "a"), register.ErrSaysLess},
		"for as long":                                 {entries{one}, one2(first + 9), nil},
		"for a day less":                              {entries{one}, one2(first + 8), register.ErrSaysLess},
		"without an end":                              {entries{one}, one2(0), nil},
		"with an end, and the other without":          {entries{dated(one, first, 0)}, one2(first + 9), register.ErrSaysLess},
		"for a shorter time than a no":                {entries{consentOf("P", "1", "")}, one2(first + 1), nil},
		"for a shorter time, and discloses to no one": {entries{but(one, func(d *register.Document) { d.Recipients = []identity.OIN{"R2"} })}, one2(first + 1), nil},

		"an agreement in the place of what is not there":   {nil, termsOf(agreement, "2", "unknown"), nil},
		"an agreement in whose place another came first":   {entries{termsOf(agreement, "2", "late")}, termsOf(agreement, "late", ""), ended("late")},
		"a proposal in the place of nothing":               {nil, termsOf(proposal, "proposal:2", "unknown"), register.ErrNoDocument},
		"a proposal in the place of a consent of its name": {entries{consentOf("P", "proposal:1", "", "a")}, termsOf(proposal, "proposal:2", "1"), register.ErrNoDocument},
		"a proposal between other parties":                 {entries{termsOf(agreement, "1", "")}, withParties(termsOf(proposal, "proposal:2", "1"), "X", "Z"), elsewhere},
		"an agreement between other parties":               {entries{termsOf(agreement, "1", "")}, withParties(termsOf(agreement, "2", "1"), "Z", "Y"), elsewhere},
		"a proposal of the other party":                    {entries{termsOf(agreement, "1", "")}, withParties(termsOf(proposal, "proposal:2", "1"), "Y", "X"), nil},
		"a proposal in the place of a rejected one":        {entries{termsOf(proposal, "proposal:1", ""), ending("proposal:1")}, termsOf(proposal, "proposal:2", "1"), ended("1")},
		"a proposal in the place of a revoked agreement":   {entries{termsOf(agreement, "1", ""), ending("1")}, termsOf(proposal, "proposal:2", "1"), ended("1")},
		"an agreement in the place of a revoked one":       {entries{termsOf(agreement, "1", ""), ending("1")}, termsOf(agreement, "2", "1"), nil},
		"an answer to what would replace a revoked one":    {entries{termsOf(agreement, "1", ""), termsOf(proposal, "proposal:2", "1"), ending("1")}, termsOf(proposal, "proposal:3", "2"), ended("1")},
		"an agreement on that":                             {entries{termsOf(agreement, "1", ""), termsOf(proposal, "proposal:2", "1"), ending("1")}, termsOf(agreement, "3", "2"), nil},
		"an answer to a first proposal":                    {entries{termsOf(proposal, "proposal:1", "")}, termsOf(proposal, "proposal:2", "1"), nil},
		"a proposal in the place of what was replaced":     {entries{termsOf(agreement, "1", ""), termsOf(agreement, "2", "1"), termsOf(agreement, "3", "2")}, termsOf(proposal, "proposal:4", "1"), replaced("1", "3")},
		"an agreement in the place of what was replaced":   {entries{termsOf(agreement, "1", ""), termsOf(agreement, "2", "1")}, termsOf(agreement, "3", "1"), replaced("1", "2")},
		"an answer to what would replace what was already": {entries{termsOf(agreement, "1", ""), termsOf(proposal, "proposal:2", "1"), termsOf(agreement, "3", "1")}, termsOf(proposal, "proposal:4", "2"), replaced("1", "3")},
		"a statement": {entries{termsOf(agreement, "1", ""), ending("1")}, termsOf(register.Statement, "s", "1"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := begun(t, c.before...)
			c.next.Index, c.next.Day = a.r.Size(), first
			require.Equal(t, c.want, a.r.Refuse(c.next))
		})
	}
}

// one2 allows the same as the first consent of the table above, until another day.
func one2(until civil.Date) register.Entry {
	return dated(consentOf("P", "2", "", "a", "b"), first, until)
}

func TestTheTextsOfRefusals(t *testing.T) {
	for err, text := range map[error]string{
		&register.EndedError{ID: "1"}:                  "document 1: a document this rests on has ended",
		&register.ReplacedError{ID: "1", Last: "last"}: "document 1: another document has come in the place of the one this replaces: last",
	} {
		require.EqualError(t, err, text)
	}
	require.ErrorIs(t, &register.EndedError{}, register.ErrEnded)
	require.ErrorIs(t, &register.ReplacedError{}, register.ErrReplaced)
}

// Whoever was erased does not come back under the same id.
func TestWhatIsGoneIsRefusedByItsID(t *testing.T) {
	a := begun(t, consentOf("P", "1", "", "a"))
	tale(t, a, register.Entry{Erase: []string{"P"}, Gone: goneIDs("1")})
	e := consentOf("P", "1", "", "a")
	require.Equal(t, &register.EndedError{ID: "1"}, a.r.Refuse(e))
	require.NoError(t, a.r.Refuse(consentOf("P", "2", "", "a")))
}

// Something is left to end while the document or one that followed from it lives.
func TestWhatIsLeftToEnd(t *testing.T) {
	one, two := consentOf("P", "1", "", "a"), consentOf("P", "2", "1", "a")
	for name, c := range map[string]struct {
		entries []register.Entry
		want    bool
	}{
		"nothing is there":             {nil, false},
		"it lives":                     {[]register.Entry{one}, true},
		"it ended":                     {[]register.Entry{one, ending("1")}, false},
		"what followed lives":          {[]register.Entry{one, ending("1"), two}, true},
		"what followed ended":          {[]register.Entry{one, two, ending("1")}, false},
		"what followed on that lives":  {[]register.Entry{one, ending("1"), two, consentOf("P", "3", "2", "a"), {End: "2"}}, true},
		"its proposal ended":           {[]register.Entry{termsOf(register.Proposal, "proposal:1", ""), termsOf(register.Agreement, "1", ""), ending("proposal:1")}, false},
		"a proposal of its name ended": {[]register.Entry{one, termsOf(register.Proposal, "proposal:1", ""), ending("proposal:1")}, true},
		"a proposal of it lives":       {[]register.Entry{termsOf(register.Agreement, "1", ""), {End: "1"}, termsOf(register.Proposal, "proposal:1", "")}, true},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, begun(t, c.entries...).r.Ends("1")) })
	}
}

func goneIDs(ids ...string) (all [][32]byte) {
	for _, id := range ids {
		all = append(all, sha256.Sum256([]byte(id)))
	}
	return all
}
