package sandbox_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/boundary"
	"github.com/ontschot/ontschot/adapters/cak"
	"github.com/ontschot/ontschot/adapters/careoffice"
	"github.com/ontschot/ontschot/adapters/education"
	"github.com/ontschot/ontschot/adapters/host"
	"github.com/ontschot/ontschot/adapters/insurer"
	"github.com/ontschot/ontschot/adapters/municipality"
	"github.com/ontschot/ontschot/adapters/svb"
	"github.com/ontschot/ontschot/adapters/transport"
	"github.com/ontschot/ontschot/adapters/trial"
	"github.com/ontschot/ontschot/adapters/uwv"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/sandbox"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// The test program is the adapter program as well: with an adapter's name as its
// argument it serves that.
func TestMain(m *testing.M) {
	known := map[string]func() adapters.Adapter{
		"municipality": municipality.New, "careoffice": careoffice.New, "uwv": uwv.New, "insurer": insurer.New,
		"svb": svb.New, "cak": cak.New, "education": education.New, "transport": transport.New,
	}
	if len(os.Args) == 3 && os.Args[1] == "adapter" {
		adapters.Serve(known[os.Args[2]]())
		return
	}
	os.Exit(m.Run())
}

func kinds() map[string]string {
	return map[string]string{
		"MUNICIPALITY": "municipality", "CARE_OFFICE": "careoffice", "UWV": "uwv", "INSURER": "insurer",
		"SVB": "svb", "CAK": "cak", "EDUCATION": "education", "TRANSPORT": "transport",
	}
}

const secret = "zeer geheim & niet te raden"

// rig is a sandbox with an adapter process beside each of its systems.
type rig struct {
	t         *testing.T
	c         *casefile.Case
	box       *sandbox.Sandbox
	processes map[string]*host.Process
	signers   map[string]string // certificates of the systems, by party, PEM
	log       *buffer
}

// buffer is a log that may be written from several sides.
type buffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

func embedded(t *testing.T, name string) *casefile.Case {
	c, err := casefile.Open(name)
	require.NoError(t, err)
	return c
}

func newRig(t *testing.T, c *casefile.Case) *rig {
	ca := trial.NewCA(t)
	r := &rig{t: t, c: c, processes: map[string]*host.Process{}, signers: map[string]string{}, log: &buffer{}}
	var err error
	r.box, err = sandbox.Start(sandbox.Config{
		Case: c, CA: ca.Pool(), Log: r.log,
		Certificate: func(party string) tls.Certificate {
			pair := ca.Pair(party)
			r.signers[party] = trial.PEM(pair)
			return pair
		},
		ClientSecret: func(string) string { return secret },
	})
	require.NoError(t, err)
	t.Cleanup(r.box.Close)
	for _, party := range c.Parties {
		if kind := kinds()[party.Kind]; kind != "" {
			r.processes[party.Code] = r.start(ca, party, kind)
		}
	}
	return r
}

func (r *rig) start(ca *trial.CA, party casefile.Organisation, kind string) *host.Process {
	certificate, key := ca.Issue("gateway")
	config := map[string]any{
		"party": party.Code, "scheme_codes": []string{party.SchemeCode()}, "url": r.box.URL(party.Code), "ca_pem": ca.PEM(), "cert_pem": certificate,
	}
	secrets := map[string]string{"tls_key": key, "record_key": strings.Repeat("5a", 32)}
	if at := r.box.TokenURL(party.Code); at != "" { // an adapter takes what it names, and nothing else
		config["token_url"], config["client_id"], secrets["client_secret"] = at, "gateway", secret
	}
	if kind == "uwv" {
		config["signer_pem"] = r.signers[party.Code]
	}
	raw, err := json.Marshal(config)
	require.NoError(r.t, err)
	p, err := host.Start(r.t.Context(), host.Config{
		Args: []string{"adapter", kind}, Party: party.Code, Kind: kind, ConfigJSON: raw, Secrets: secrets, Log: r.log,
		Boundary: boundary.Profile{Ports: []uint16{r.port(party.Code)}},
	})
	require.NoError(r.t, err)
	r.t.Cleanup(p.Close)
	return p
}

// port is that of a party's system, the one to which its adapter may connect.
func (r *rig) port(party string) uint16 {
	u, err := url.Parse(r.box.URL(party))
	require.NoError(r.t, err)
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	require.NoError(r.t, err)
	return uint16(port)
}

func everything() []string {
	var names []string
	for _, c := range budgetv1.Categories() {
		names = append(names, string(c))
	}
	return names
}

// request asks everything of a party about a person of the case. It holds all the
// numbers the person has: that an adapter gets its own only is the host's doing.
func (r *rig) request(party, person string) *budgetv1.FetchRequest {
	member, ok := r.c.Member(identity.PersonRef(person))
	require.True(r.t, ok)
	p, ok := r.c.Party(party)
	require.True(r.t, ok)
	q := &budgetv1.FetchRequest{
		Identifiers: &budgetv1.Identifiers{
			Bsn: member.BSN, EducationNumber: member.IDs.Onderwijsnummer, PassNumber: member.IDs.Pasnummer,
		},
		Window:      &budgetv1.Window{From: r.c.Window.From.String(), To: r.c.Window.To.String()},
		HistoryFrom: r.c.Window.From.AddMonths(-12).String(),
		Purpose:     r.c.Purpose, Requester: "00000099000000119000", Trace: strings.Repeat("ab", 16),
	}
	laws := p.Laws
	if len(laws) == 0 { // SVB and CAK have no law of their own: all that their adapter has
		laws = r.processes[party].Describe().GetLaws()
	}
	q.Scopes = scopes(laws...)
	return q
}

func (r *rig) fetch(party string, q *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	return r.processes[party].Fetch(ctx, q)
}

func (r *rig) answer(party, person string) *budgetv1.FetchResponse {
	a, err := r.fetch(party, r.request(party, person))
	require.NoError(r.t, err, "%s %s", party, person)
	return a
}

// story writes a line in the words of a test's expectation:
// law/code start..end(original end) form fungibility money quantity records
func story(l *budgetv1.BudgetLine) string {
	p := l.GetPeriod()
	s := fmt.Sprintf("%s/%s %s..%s", l.GetLaw(), l.GetProduct().GetCode(), p.GetStart(), p.GetEnd())
	if p.OriginalEnd != nil {
		s += "(" + p.GetOriginalEnd() + ")"
	}
	s += " " + l.GetDeliveryForm() + " " + l.GetFungibility()
	if a := cmp.Or(l.GetAmount(), l.GetIncome()); a != nil {
		cents := fmt.Sprint(a.GetCents())
		if a.GetDivisor() > 1 {
			cents += fmt.Sprint("/", a.GetDivisor())
		}
		s += fmt.Sprintf(" %s %s", cents, a.GetBasis())
	}
	if q := l.GetQuantity(); q != nil {
		s += fmt.Sprintf(" %s×%s/%s", q.GetVolume(), q.GetUnit(), q.GetFrequency())
	}
	var records []string
	for _, from := range l.GetProvenance() {
		records = append(records, from.GetRecordType())
	}
	return s + " " + strings.Join(records, "+")
}

// cents writes an amount; "-" where none is known.
func cents(n *int64) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatInt(*n, 10)
}

func stories(a *budgetv1.FetchResponse) []string {
	all := []string{}
	for _, l := range a.GetLines() {
		all = append(all, story(l))
	}
	for _, s := range a.GetSpends() {
		all = append(all, fmt.Sprintf("spent %s/%s %s %s %s", s.GetBudget(), s.GetFunction(), s.GetStart(), cents(s.Cents), s.GetAsOf()))
	}
	for _, c := range a.GetOwnContributions() {
		all = append(all, fmt.Sprintf("own %s %s..%s %s", c.GetLaw(), c.GetPeriod().GetStart(), c.GetPeriod().GetEnd(), cents(c.CentsPerMonth)))
	}
	slices.Sort(all)
	return all
}

func histories(a *budgetv1.FetchResponse) []string {
	all := []string{}
	for _, h := range a.GetHistory() {
		all = append(all, fmt.Sprintf("%s/%s %s..%s", h.GetLaw(), h.GetProduct().GetCode(),
			h.GetPeriod().GetStart(), h.GetPeriod().GetEnd()))
	}
	return all
}

func notices(a *budgetv1.FetchResponse) []string {
	all := []string{}
	for _, n := range a.GetNotices() {
		for range max(n.GetCount(), 1) {
			all = append(all, strings.TrimSpace(n.GetCode()+" "+n.GetReason()))
		}
	}
	slices.Sort(all)
	return all
}
