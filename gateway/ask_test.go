package gateway_test

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// spoilt is a played source whose answer a test changes. It remembers what it was asked.
type spoilt struct {
	gateway.Source
	change func(*budgetv1.FetchResponse)
	mu     sync.Mutex
	asked  []*budgetv1.FetchRequest
}

func (s *spoilt) Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	s.mu.Lock()
	s.asked = append(s.asked, proto.CloneOf(r))
	s.mu.Unlock()
	answer, err := s.Source.Fetch(ctx, r)
	if s.change != nil {
		s.change(answer)
	}
	return answer, err
}

// spoil puts a changed source in the place of one that is played.
func spoil(s *spoilt, code string) func(*server.BrokerConfig) {
	return func(c *server.BrokerConfig) {
		s.Source = c.Sources[code]
		c.Sources[code] = s
	}
}

// What a source may not say is refused here too, by whatever way its answer came: its
// answer is a gap, and the others are released.
func TestAnAnswerThatBreaksTheContractIsAGap(t *testing.T) {
	first := func(change func(*budgetv1.BudgetLine)) func(*budgetv1.FetchResponse) {
		return func(r *budgetv1.FetchResponse) { change(r.Lines[0]) }
	}
	const bad = budgetv1.ReasonBadDataAtSource
	for name, c := range map[string]struct {
		change func(*budgetv1.FetchResponse)
		want   []string
	}{
		"as it should be":          {nil, nil},
		"a line of another funder": {first(func(l *budgetv1.BudgetLine) { l.Funder = "GM0119" }), []string{bad}},
		"a line of no funder":      {first(func(l *budgetv1.BudgetLine) { l.Funder = "" }), []string{bad}},
		"a line with an id":        {first(func(l *budgetv1.BudgetLine) { l.Id = "P/WLZ/99/2025-01-01" }), []string{bad}},
		"a line with a person":     {first(func(l *budgetv1.BudgetLine) { l.Person = "P" }), []string{bad}},
		"a line of another person": {first(func(l *budgetv1.BudgetLine) { l.Person = "Q" }), []string{bad}},
		"a line with a value":      {first(func(l *budgetv1.BudgetLine) { l.ValueCents = proto.Int64(1) }), []string{bad}},
		"a line with a value of 0": {first(func(l *budgetv1.BudgetLine) { l.ValueCents = proto.Int64(0) }), []string{bad}},
		"a contested line":         {first(func(l *budgetv1.BudgetLine) { l.Contested = true }), []string{bad}},
		"an amount and an income": {first(func(l *budgetv1.BudgetLine) {
			l.Income = &budgetv1.Amount{Cents: wiaCents, Basis: "PER_MONTH", Gross: true}
		}), []string{bad}},
		"the second line is of another": {func(r *budgetv1.FetchResponse) {
			another := proto.CloneOf(r.Lines[0])
			another.Funder, another.Period.Start = "GM0119", "2025-02-01"
			r.Lines = append(r.Lines, another)
		}, []string{bad}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &spoilt{change: c.change}
			h := newHouse(t, spoil(s, "ZK5503"))
			p := h.person("P")
			h.give(p, "", all("GM0119", "ZK5503")...)
			b, err := h.compose(h.municipality().call(), h.request([]person{p}, [2]string{"P", "GM0119"}, [2]string{"P", "ZK5503"}))
			require.NoError(t, err)
			require.Len(t, s.asked, 1)
			require.Equal(t, c.want, gapOf(b, [2]string{"P", "ZK5503"}))
			require.Equal(t, c.want == nil, len(disclosed(b, [2]string{"P", "ZK5503"})) == 1)
			require.Len(t, disclosed(b, [2]string{"P", "GM0119"}), 1, "the others are released, and nothing in their name")
		})
	}
}

// Education and transport may not be sent a BSN. Without the number they go by they are
// not asked at all, and the gap says what to do; with it they are sent that alone.
func TestASourceThatMayNotBeSentABSN(t *testing.T) {
	const pupil, pass = "199940065", "VAL-1"
	for name, c := range map[string]struct {
		party casefile.Organisation
		ids   *budgetv1.Identifiers // beside the BSN
		sent  *budgetv1.Identifiers // nil: no source is asked
		word  string
	}{
		"education":                         {school(), &budgetv1.Identifiers{EducationNumber: pupil}, &budgetv1.Identifiers{EducationNumber: pupil}, ""},
		"education without a number":        {school(), &budgetv1.Identifiers{}, nil, "pupil number"},
		"education with that of a pass":     {school(), &budgetv1.Identifiers{PassNumber: pass}, nil, "pupil number"},
		"transport":                         {valys(), &budgetv1.Identifiers{PassNumber: pass}, &budgetv1.Identifiers{PassNumber: pass}, ""},
		"transport without a number":        {valys(), &budgetv1.Identifiers{}, nil, "pass number"},
		"transport with that of a pupil":    {valys(), &budgetv1.Identifiers{EducationNumber: pupil}, nil, "pass number"},
		"education with the number of both": {school(), &budgetv1.Identifiers{EducationNumber: pupil, PassNumber: pass}, &budgetv1.Identifiers{EducationNumber: pupil}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := &spoilt{}
			h := newHouseAmong(t, []casefile.Organisation{c.party}, spoil(s, c.party.Code))
			p, pair := h.person("P"), [2]string{"P", c.party.Code}
			h.give(p, "", all("GM0119", c.party.Code)...)
			q := h.request([]person{p}, [2]string{"P", "GM0119"}, pair)
			ids := q.Persons[0].Identifiers
			ids.EducationNumber, ids.PassNumber = c.ids.GetEducationNumber(), c.ids.GetPassNumber()
			b, err := h.compose(h.municipality().call(), q)
			require.NoError(t, err)
			require.Len(t, disclosed(b, [2]string{"P", "GM0119"}), 1, "the others are asked")
			if c.sent != nil {
				require.Empty(t, gapOf(b, pair))
				require.Len(t, s.asked, 1)
				require.True(t, proto.Equal(c.sent, s.asked[0].GetIdentifiers()), "that number alone")
				require.Empty(t, s.asked[0].GetProofs().GetSubjectKey(), "with the key a BSN can be found by trying")
				return
			}
			require.Empty(t, s.asked, "nobody is asked")
			require.Equal(t, []string{budgetv1.ReasonSourceUnavailable}, gapOf(b, pair))
			for _, gap := range b.GetGaps() {
				if gap.GetSource() == c.party.Code {
					require.Equal(t, "NUMBER_MISSING", gap.GetCode())
					require.Equal(t, "The data of P at "+c.party.Name+" are missing. The question holds no "+c.word+", and this source may not be sent a BSN. The case worker can fill in the number and ask again.", gap.GetTextEn())
					require.NotContains(t, gap.GetTextNl()+gap.GetTextEn(), p.bsn)
				}
			}
		})
	}
}

func school() casefile.Organisation {
	return casefile.Organisation{Code: "SWV2602", OIN: "00000099000202602000", Kind: "EDUCATION", Name: "Samenwerkingsverband VO2602 (fictief)", Laws: []string{"EDU"}}
}

func valys() casefile.Organisation {
	return casefile.Organisation{Code: "VALYS", OIN: "00000099000100004000", Kind: "TRANSPORT", Name: "Valys", Laws: []string{"VALYS"}}
}

// failing is a source that cannot answer.
type failing struct{ err error }

func (f failing) Fetch(context.Context, *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	return nil, f.err
}

// Records that a source could not give are a gap beside its lines, and the log says where
// they are. What was told all the same rests on the consent like any other answer: it goes
// when the consent does.
func TestRecordsThatCannotBeReadAreAGapBesideTheLines(t *testing.T) {
	s := &spoilt{change: func(r *budgetv1.FetchResponse) {
		r.Notices = append(r.Notices,
			&budgetv1.Notice{Code: "SKIPPED", Reason: "ODD_RECORD", Law: "WMO", Gap: budgetv1.GapRecordSkipped, Pointer: "/aanvraag/1/bsn", Rule: "each member once", Count: 3},
			&budgetv1.Notice{Code: "SKIPPED", Reason: "ODD_RECORD", Law: "WMO", Pointer: "/aanvraag/999940004", Rule: "999940004"},
			&budgetv1.Notice{Code: "SKIPPED", Reason: "ODD_RECORD", Law: "ZVW", Gap: budgetv1.GapUnknownLaw},
			&budgetv1.Notice{Code: "UNKNOWN_ELEMENT", Law: "WMO", Element: "regenboog", Count: 2})
	}}
	h := newHouse(t, spoil(s, "GM0119"))
	f := h.household()
	b, err := h.compose(h.municipality().call(), h.about(f))
	require.NoError(t, err)
	require.False(t, b.GetComplete())
	require.Len(t, disclosed(b, [2]string{"P", "GM0119"}), 1)
	require.Len(t, b.GetGaps(), 1, "of a law that was not granted nothing is said")
	gap := b.GetGaps()[0]
	require.Equal(t, []string{"BAD_DATA_AT_SOURCE", "RECORD_SKIPPED", "WMO"}, []string{gap.GetReason(), gap.GetCode(), gap.GetLaws()[0]})
	require.Contains(t, gap.GetTextNl(), "niet kunnen lezen")
	for _, r := range b.GetSources() {
		want := budgetv1.StatusOK
		if r.GetSource() == "GM0119" {
			want = budgetv1.StatusPartial
		}
		require.Equal(t, want, r.GetStatus(), r.GetSource())
	}
	for _, c := range b.GetMatrix()[0].GetCells() {
		require.Equal(t, c.GetLaw() == "WMO", c.GetStatus() == budgetv1.StatusPartial, c.GetLaw())
	}
	codes := map[string]string{}
	for _, found := range b.GetFindings() {
		codes[found.GetCode()] = found.GetSeverity()
	}
	require.Equal(t, budgetv1.SeverityInfo, codes[budgetv1.FindingUnknownElement])

	h.withdraw(f.care)
	for name, do := range tasks() {
		if name == "Account" { // it rests on no consent
			continue
		}
		answer, err := do(h, h.municipality().call(), proto.CloneOf(b))
		require.NoError(t, err, name)
		require.NotContains(t, protojson.Format(answer), strconv.Itoa(wmoCents), name)
	}
}

// A gap says who can repair it, when the adapter of the source says what it is caused by.
func TestAGapHasTheCodeOfItsCause(t *testing.T) {
	for _, c := range []struct{ said, cause, reason, code string }{
		{"SOURCE_UNAVAILABLE", budgetv1.GapNameNotFound, budgetv1.ReasonSourceUnavailable, budgetv1.GapNameNotFound},
		{"SOURCE_UNAVAILABLE", budgetv1.GapSourceCertificate, budgetv1.ReasonSourceUnavailable, budgetv1.GapSourceCertificate},
		{"SOURCE_UNAVAILABLE", "P is 999940004", budgetv1.ReasonSourceUnavailable, ""},
		{"SOURCE_UNAVAILABLE", budgetv1.GapRateLimited, budgetv1.ReasonSourceUnavailable, ""},
		{"NOT_AUTHORISED_AT_SOURCE", budgetv1.GapLoginRefused, budgetv1.ReasonPeerRefused, budgetv1.GapLoginRefused},
		{"NOT_AUTHORISED_AT_SOURCE", "", budgetv1.ReasonPeerRefused, budgetv1.GapNotAuthorised},
		{"SOURCE_TIMEOUT", budgetv1.GapNameNotFound, budgetv1.ReasonSourceTimeout, ""},
		{"BAD_DATA_AT_SOURCE", budgetv1.GapLoginRefused, budgetv1.ReasonBadDataAtSource, "BAD_DATA_AT_SOURCE"},
	} {
		said, err := status.New(codes.Unavailable, "x").WithDetails(&errdetails.ErrorInfo{Reason: c.said, Metadata: map[string]string{"cause": c.cause}})
		require.NoError(t, err)
		h := newHouse(t, func(b *server.BrokerConfig) { b.Sources["GM0119"] = failing{said.Err()} })
		p := h.person("P")
		h.give(p, "", all("GM0119")...)
		b, err := h.compose(h.municipality().call(), h.request([]person{p}, [2]string{"P", "GM0119"}))
		require.NoError(t, err)
		require.Len(t, b.GetGaps(), 1)
		require.Equal(t, []string{c.reason, c.code}, []string{b.GetGaps()[0].GetReason(), b.GetGaps()[0].GetCode()}, c.cause)
	}
}
