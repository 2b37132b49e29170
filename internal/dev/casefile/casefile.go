// Package casefile answers: what does a worked case say? A case file holds a
// household, the parties, the consents, what each party's own system holds, and
// what must come out (schema ontschot.case/1).
package casefile

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

//go:embed cases/*.json
var embedded embed.FS

// ErrCase means that a file is no case of the schema; the message names the path.
var ErrCase = errors.New("not a case file")

// maxBytes bounds a case file.
const maxBytes = 8 << 20

// Case is one worked case. Dates are civil dates, both ends inclusive.
type Case struct {
	Schema    string         `json:"schema"`
	Name      string         `json:"name"`
	Title     string         `json:"title"`
	Window    Window         `json:"window"`
	Today     Date           `json:"today"`
	Purpose   string         `json:"purpose"`
	Requester string         `json:"requester"` // party code
	Parties   []Organisation `json:"parties"`
	Household []Member       `json:"household"`
	Authority []Authority    `json:"authority"`
	Consents  []Consent      `json:"consents"`
	// Ask holds the sources that are asked about a person without a consent.
	Ask map[string][]string `json:"ask"`
	// LegalBasis in force (null: none), and one only assumed, to check the plan under pooling.
	LegalBasis     json.RawMessage `json:"legal_basis"`
	TestLegalBasis json.RawMessage `json:"test_legal_basis"`
	// Plan to be checked against the budget, in the shape of the message Plan.
	Plan json.RawMessage `json:"plan"`
	// Records holds, by party code and kind of record, what a system holds in its native shape.
	Records map[string]map[string]json.RawMessage `json:"records"`
	// Answers are what a system says instead, by party code: bodies that no records come to.
	Answers  map[string][]Answer `json:"answers"`
	Expected Expected            `json:"expected"`
	// Note is for who reads the file.
	Note json.RawMessage `json:"note"`
}

// Answer is what a system says to each request at a path, whatever it holds and whoever is
// asked about: a page, an error with status 200, a record that is odd in a way that records
// cannot be, an answer that breaks off.
type Answer struct {
	// Path of the request, which may have a page: /aanvragen?page=2. One without answers
	// each page that has no answer of its own.
	Path string `json:"path"`
	// Type is the content type.
	Type string `json:"type"`
	// Status; absent is 200.
	Status int `json:"status"`
	// Body: a text as it is, and other JSON as it stands in the file, to the byte.
	Body json.RawMessage `json:"body"`
}

// Bytes are what is sent.
func (a Answer) Bytes() []byte {
	var text string
	if len(a.Body) > 0 && a.Body[0] == '"' && json.Unmarshal(a.Body, &text) == nil {
		return []byte(text)
	}
	return a.Body
}

// Window is the span the budget is drawn up for.
type Window struct {
	From Date `json:"from"`
	To   Date `json:"to"`
}

// Span gives the window as a span.
func (w Window) Span() civil.Span { return civil.Span{From: w.From.Date, To: w.To.Date} }

// Date is a civil date in JSON; null and "" are no date.
type Date struct{ civil.Date }

// UnmarshalJSON reads YYYY-MM-DD, "" or null.
func (d *Date) UnmarshalJSON(raw []byte) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil || s == "" {
		return err
	}
	var err error
	d.Date, err = civil.Parse(s)
	return err
}

// Organisation is an organisation in the case.
type Organisation struct {
	Code string       `json:"code"`
	OIN  identity.OIN `json:"oin"`
	// Kind: MUNICIPALITY CARE_OFFICE UWV INSURER SVB CAK EDUCATION TRANSPORT.
	Kind string   `json:"kind"`
	Name string   `json:"name"`
	Laws []string `json:"laws"`
}

// SchemeCode is the code the party has in its own field's lists (CBS code, care
// office code, UZOVI): the digits behind the letters of its short name.
func (p Organisation) SchemeCode() string {
	return strings.TrimLeft(p.Code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

// Member is a person of the household.
type Member struct {
	Ref          identity.PersonRef `json:"ref"`
	BSN          string             `json:"bsn"`
	Name         string             `json:"name"`
	Born         Date               `json:"born"`
	Municipality []Residence        `json:"municipality"`
	Role         string             `json:"role"`
	IDs          struct {
		Onderwijsnummer string `json:"onderwijsnummer"`
		Pasnummer       string `json:"pasnummer"`
	} `json:"ids"`
}

// Residence is a municipality (CBS code) over a period.
type Residence struct {
	Code string `json:"code"`
	From Date   `json:"from"`
	To   Date   `json:"to"`
}

// Authority is parental authority or guardianship in the register's own terms.
type Authority struct {
	Person  identity.PersonRef   `json:"person"`
	Kind    string               `json:"kind"`
	Holders []identity.PersonRef `json:"holders"`
	From    Date                 `json:"from"`
	To      Date                 `json:"to"`
}

// AuthorityOn is what the case says of who decides for a person on a day (the zero Authority:
// nothing), and the last day before somebody else does; zero: no end is said.
func (c *Case) AuthorityOn(person identity.PersonRef, day civil.Date) (a Authority, until civil.Date) {
	on := func(day civil.Date) (last Authority) {
		for _, one := range c.Authority {
			if one.Person == person && (civil.Span{From: one.From.Date, To: one.To.Date}).Contains(day) {
				last = one
			}
		}
		return last
	}
	a = on(day)
	for _, one := range c.Authority {
		for _, next := range []civil.Date{one.From.Date, one.To.Date + 1} {
			if next > day && next > 1 && (until == 0 || next-1 < until) && !a.continuesAs(on(next)) {
				until = next - 1
			}
		}
	}
	return a, until
}

// continuesAs reports whether the same people decide on care. Who manages the money, or acts
// on a mandate, takes nothing from the person.
func (a Authority) continuesAs(b Authority) bool {
	own := []string{"", "Bewind", "Volmacht", "Machtiging"}
	if slices.Contains(own, a.Kind) && slices.Contains(own, b.Kind) {
		return true
	}
	holders := func(a Authority) []identity.PersonRef { return slices.Sorted(slices.Values(a.Holders)) }
	return a.Kind == b.Kind && slices.Equal(holders(a), holders(b))
}

// Consent of one person for one or more sources.
type Consent struct {
	Person     identity.PersonRef   `json:"person"`
	Signers    []identity.PersonRef `json:"signers"`
	Sources    []string             `json:"sources"`
	Categories []string             `json:"categories"` // "*" is all of the purpose
	From       Date                 `json:"from"`
	Until      Date                 `json:"until"`
	Withdrawn  Date                 `json:"withdrawn"`
}

// Expected is what must come out; what a check does not use stays raw.
type Expected struct {
	Lines                map[string]*int64           `json:"lines"`
	Totals               map[string]map[string]int64 `json:"totals"`
	CareTotalCents       *int64                      `json:"care_total_cents"`
	IncomeCents          *int64                      `json:"income_cents"`
	RingfencedCents      *int64                      `json:"ringfenced_cents"`
	OwnContributionCents *int64                      `json:"own_contribution_cents"`
	CarryOverCents       map[string]int64            `json:"carry_over_cents"`
	RemainingCents       map[string]int64            `json:"remaining_cents"`
	Findings             []map[string]any            `json:"findings"`
	NoFindings           []string                    `json:"no_findings"`
	Gaps                 []struct {
		Person, Source, Reason string
		Code, May              json.RawMessage // not looked at here, as those below
	}
	ContestedLines []string        `json:"contested_lines"`
	ContestedCents *int64          `json:"contested_cents"`
	Plan           *ExpectedPlan   `json:"plan"`
	Workings       json.RawMessage `json:"workings"`
	Complete       json.RawMessage `json:"complete"`
	Forms          json.RawMessage `json:"forms"`
	Sources        json.RawMessage `json:"sources"`
	Ends           json.RawMessage `json:"ends"`
	OriginalEnds   json.RawMessage `json:"original_ends"`
	LineFields     json.RawMessage `json:"line_fields"`
	Matrix         json.RawMessage `json:"matrix"`
	NoMatrix       json.RawMessage `json:"no_matrix"`
	NoFindingFor   json.RawMessage `json:"no_finding_for"`
	Open           json.RawMessage `json:"open"`
}

// ExpectedPlan is what the plan must come to, as things are and under a basis.
type ExpectedPlan struct {
	Without *ExpectedCheck `json:"without_legal_basis"`
	With    *ExpectedCheck `json:"with_legal_basis"`
	// Findings are not looked at here.
	Findings json.RawMessage `json:"findings"`
}

// ExpectedCheck: absent figures are not looked at. Account is allocated cents by
// funder and law.
type ExpectedCheck struct {
	Refused          []string                    `json:"refused"`
	AllocatedCents   *int64                      `json:"allocated_cents"`
	UnallocatedCents *int64                      `json:"unallocated_cents"`
	UnallocatedByLaw map[string]int64            `json:"unallocated_by_law"`
	Account          map[string]map[string]int64 `json:"account"`
}

// Pair is one person at one source.
type Pair struct {
	Person identity.PersonRef
	Source string
}

// Pairs lists what is asked: every person × source of the consents, and Ask.
func (c *Case) Pairs() []Pair {
	set := map[Pair]bool{}
	for _, consent := range c.Consents {
		for _, source := range consent.Sources {
			set[Pair{consent.Person, source}] = true
		}
	}
	for person, sources := range c.Ask {
		for _, source := range sources {
			set[Pair{identity.PersonRef(person), source}] = true
		}
	}
	return slices.SortedFunc(maps.Keys(set), func(a, b Pair) int {
		if d := strings.Compare(string(a.Person), string(b.Person)); d != 0 {
			return d
		}
		return strings.Compare(a.Source, b.Source)
	})
}

// Party finds a party by its code.
func (c *Case) Party(code string) (Organisation, bool) {
	i := slices.IndexFunc(c.Parties, func(p Organisation) bool { return p.Code == code })
	if i < 0 {
		return Organisation{}, false
	}
	return c.Parties[i], true
}

// Member finds a person by reference.
func (c *Case) Member(ref identity.PersonRef) (Member, bool) {
	i := slices.IndexFunc(c.Household, func(m Member) bool { return m.Ref == ref })
	if i < 0 {
		return Member{}, false
	}
	return c.Household[i], true
}

// Names lists the embedded cases.
func Names() []string { return []string{"meppel", "woerden", "diemen-zwolle"} }

// Raw gives the bytes of an embedded case by its name, or of a case file by its path.
func Raw(nameOrPath string) ([]byte, error) {
	var f io.ReadCloser
	var err error
	if slices.Contains(Names(), nameOrPath) {
		f, err = embedded.Open("cases/" + nameOrPath + ".json")
	} else {
		f, err = os.Open(nameOrPath)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %q is neither a file nor one of %s (%w)", ErrCase, nameOrPath, strings.Join(Names(), ", "), fs.ErrNotExist)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil || len(raw) > maxBytes {
		return nil, fmt.Errorf("%w: %s cannot be read, or is larger than %d bytes", ErrCase, nameOrPath, maxBytes)
	}
	return raw, nil
}

// Open reads and checks an embedded case by its name, or a case file by its path.
func Open(nameOrPath string) (*Case, error) {
	raw, err := Raw(nameOrPath)
	if err != nil {
		return nil, err
	}
	return parse(nameOrPath, raw)
}

// Parse reads and checks a case.
func Parse(raw []byte) (*Case, error) { return parse("", raw) }

// parse reads and checks a case; what is wrong is said with its place in the file of that name.
func parse(name string, raw []byte) (*Case, error) {
	s, err := newStrict(raw)
	c := new(Case)
	if err == nil && json.Unmarshal(raw, c) != nil {
		err = &mistake{what: "it cannot be read as a case"}
	}
	if err == nil {
		err = c.check()
	}
	if err == nil {
		return c, nil
	}
	at := s.place(leading.FindString(err.Error()))
	if m := (*mistake)(nil); errors.As(err, &m) {
		at = m.at
	}
	line, column := lineAndColumn(raw, at)
	where := fmt.Sprintf("%s:%d:%d", name, line, column)
	if name == "" {
		where = fmt.Sprintf("line %d, column %d", line, column)
	}
	return nil, fmt.Errorf("%w: %s: %w; what a case file holds says: ontschot schema case", ErrCase, where, err)
}

// leading is the key with which a sentence about it begins.
var leading = regexp.MustCompile(`^[a-z_]+(\.[A-Za-z0-9_]+|\[\d+\])*`)

func (c *Case) check() error {
	switch {
	case c.Schema != "ontschot.case/1":
		return errors.New(`schema: "ontschot.case/1" is needed here, by which a case file is known`)
	case c.Window.From.IsZero() || c.Window.To.IsZero() || c.Window.To.Date < c.Window.From.Date:
		return errors.New("window: from and to are needed, in that order")
	case c.Today.IsZero():
		return errors.New("today: a date is needed")
	case c.Purpose == "":
		return errors.New("purpose: needed")
	case len(c.Household) == 0:
		return errors.New("household: at least one person")
	}
	if err := c.checkNames(); err != nil {
		return err
	}
	for i, consent := range c.Consents {
		path := fmt.Sprintf("consents[%d]", i)
		if consent.From.IsZero() || consent.Until.IsZero() {
			return fmt.Errorf("%s: from and until are needed", path)
		}
		for _, ref := range append([]identity.PersonRef{consent.Person}, consent.Signers...) {
			if _, ok := c.Member(ref); !ok {
				return fmt.Errorf("%s: person %q is not in the household", path, ref)
			}
		}
		for _, code := range consent.Sources {
			if _, ok := c.Party(code); !ok {
				return fmt.Errorf("%s: source %q is no party", path, code)
			}
		}
	}
	for person, sources := range c.Ask {
		if _, ok := c.Member(identity.PersonRef(person)); !ok {
			return fmt.Errorf("ask: person %q is not in the household", person)
		}
		for _, code := range sources {
			if _, ok := c.Party(code); !ok {
				return fmt.Errorf("ask.%s: source %q is no party", person, code)
			}
		}
	}
	for code := range c.Records {
		if _, ok := c.Party(code); !ok {
			return fmt.Errorf("records: %q is no party", code)
		}
	}
	return c.checkAnswers()
}

func (c *Case) checkAnswers() error {
	for code, all := range c.Answers {
		if _, ok := c.Party(code); !ok {
			return fmt.Errorf("answers: %q is no party", code)
		}
		for i, a := range all {
			if !strings.HasPrefix(a.Path, "/") || a.Type == "" || a.Status != 0 && (a.Status < 200 || a.Status > 599) {
				return fmt.Errorf("answers.%s[%d]: a path, a type, and a status of 200 to 599 are needed", code, i)
			}
		}
	}
	return nil
}

func (c *Case) checkNames() error {
	codes, refs := map[string]bool{}, map[identity.PersonRef]bool{}
	for i, p := range c.Parties {
		if _, err := identity.ParseOIN(string(p.OIN)); err != nil {
			return fmt.Errorf("parties[%d].oin: %w", i, err)
		}
		if p.Kind == "" {
			return fmt.Errorf("parties[%d].kind: needed", i)
		}
		if p.Code == "" || codes[p.Code] || codes[string(p.OIN)] {
			return fmt.Errorf("parties[%d]: code and OIN must be there and unique", i)
		}
		codes[p.Code], codes[string(p.OIN)] = true, true
	}
	if _, ok := c.Party(c.Requester); !ok {
		return fmt.Errorf("requester: %q is no party", c.Requester)
	}
	for i, m := range c.Household {
		if _, err := identity.ParseBSN(m.BSN); err != nil {
			return fmt.Errorf("household[%d].bsn: %w", i, err)
		}
		if m.Ref == "" || refs[m.Ref] {
			return fmt.Errorf("household[%d].ref: must be there and unique", i)
		}
		refs[m.Ref] = true
	}
	return nil
}
