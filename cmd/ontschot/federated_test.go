package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// federation is a case that is played by a gateway for each organisation, all of them in this
// process.
type federation struct {
	*house
	mu       sync.Mutex
	gateways map[string]*server.Server
}

// playFederated starts a federation and ends it with the test. change may alter what lies in
// the folder before anything starts.
func playFederated(t *testing.T, f *family.Family, change func(dir string)) *federation {
	t.Helper()
	h := &federation{house: &house{t: t, dir: t.TempDir(), family: f, stderr: new(buffer)}, gateways: map[string]*server.Server{}}
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	layout.Federated = true
	require.NoError(t, f.Write(h.dir, layout))
	if change != nil {
		change(h.dir)
	}
	h.box, err = startSandbox(f.Case, h.dir, nil, io.Discard)
	require.NoError(t, err)
	t.Cleanup(h.box.Close)
	t.Cleanup(func() {
		h.each(func(code string) error { h.stop(code); return nil })
	})
	h.each(h.start)
	h.server = h.gateways[f.Case.Requester]
	return h
}

// each does something for every organisation at once.
func (h *federation) each(do func(code string) error) {
	h.t.Helper()
	errs := make([]error, len(h.family.Case.Parties))
	var wait sync.WaitGroup
	for i, p := range h.family.Case.Parties {
		wait.Go(func() { errs[i] = do(p.Code) })
	}
	wait.Wait()
	for _, err := range errs {
		require.NoError(h.t, err, h.stderr)
	}
}

// folder of an organisation's gateway.
func (h *federation) folder(code string) string {
	return filepath.Join(h.dir, h.family.FolderOf(code))
}

func (h *federation) start(code string) error {
	conf, err := config.ReadGateway(filepath.Join(h.folder(code), "gateway.yaml"))
	if err != nil {
		return err
	}
	s, err := server.Start(context.Background(), conf, h.stderr)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gateways[code] = s
	return nil
}

// stop ends a gateway; one that has ended stays so.
func (h *federation) stop(code string) {
	h.mu.Lock()
	s := h.gateways[code]
	delete(h.gateways, code)
	h.mu.Unlock()
	if s != nil {
		s.Close()
	}
}

// judged are the entries about questions in an organisation's log: what it decided, no or
// yes, and what it gave.
func (h *federation) judged(code string) []audit.Leaf {
	h.t.Helper()
	list, err := entriesOf(h.t.Context(), filepath.Join(h.folder(code), "data", server.RecordFile), h.family.Parties[code].OIN, func(l audit.Leaf) bool {
		return l.Kind == audit.Decision || l.Kind == audit.Deny || l.Kind == audit.Release
	})
	require.NoError(h.t, err)
	leaves := []audit.Leaf{}
	for _, e := range list {
		leaves = append(leaves, e.leaf)
	}
	return leaves
}

// clientOf is a client of another organisation's own gateway.
func (h *federation) clientOf(code string) *client.Client {
	return openClient(h.t, filepath.Join(h.folder(code), "client.yaml"), func() (string, error) { return mintToken(h.folder(code)) })
}

// played asks for the budget and holds the plan of the case against it.
func (h *federation) played() *played {
	h.t.Helper()
	b, err := h.ask()
	require.NoError(h.t, err)
	d := &played{budget: b}
	d.unplanned = d.plan(h.t.Context(), h.client(nil), h.family.Case)
	return d
}

// same is what of a budget does not depend on where and when its sources were asked: all but
// the names of documents, times, digests under keys of their own, proofs and signatures, and
// of a source which program answered: its gateway keeps that when there is nothing to tell.
func same(t *testing.T, b *budgetv1.Budget) string {
	t.Helper()
	return sameJSON(t, asJSON(t, b))
}

func sameJSON(t *testing.T, whole map[string]any) string {
	t.Helper()
	differs := []string{
		"agreement", "consent", "fetched_at_ms", "sha256", "as_of_ms", "elapsed_ms", "disclosure", "receipt", "signature",
	}
	var strip func(any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range differs {
				delete(v, key)
			}
			for _, one := range v {
				strip(one)
			}
		case []any:
			for _, one := range v {
				strip(one)
			}
		}
	}
	strip(whole)
	sources, _ := whole["sources"].([]any)
	for _, one := range sources {
		report, _ := one.(map[string]any)
		delete(report, "adapter")
		delete(report, "version")
	}
	raw, err := json.MarshalIndent(whole, "", " ")
	require.NoError(t, err)
	return string(raw)
}

// sampled are small cases in which another organisation is asked, that are played by several
// gateways in every run; with ONTSCHOT_LONG=1 all small cases are.
var sampled = []string{
	"figures-svb-odd-figure", "move-with-stay-and-without", "said-uwv-cut-off", "said-uwv-not-allowed", "uwv-law-not-listed-for-uwv",
	"wlz-two-offices-at-once", "zvw-two-insurers-at-once",
}

// Each organisation with a gateway of its own comes to the same budget, to the cent and the
// word, as one gateway that asks them all: with numbers that are no BSN, masks, moves, gaps of
// each kind, figures without rights.
func TestSmallCasesComeOutFederated(t *testing.T) {
	files, err := filepath.Glob("testdata/cases/*.json")
	require.NoError(t, err)
	if os.Getenv("ONTSCHOT_LONG") == "1" {
		files = append(files, smallCases(t)...)
	} else {
		for _, name := range sampled {
			files = append(files, filepath.Join("testdata/field", name+".json"))
		}
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			var others []string
			several := holdSmall(t, file, func(cf *casefile.Case) *played {
				f, err := family.New(cf, time.Now())
				require.NoError(t, err)
				h := playFederated(t, f, nil)
				played := h.played()
				for _, p := range cf.Parties { // each was asked by the gateway that asks, in its own log
					if slices.ContainsFunc(played.budget.GetSources(), func(r *budgetv1.SourceReport) bool { return r.GetSource() == p.Code && r.GetDisclosure() != nil }) {
						require.NotEmpty(t, h.judged(p.Code), p.Code)
					}
				}
				others = h.others()
				return played
			})
			cf, err := casefile.Open(file)
			require.NoError(t, err)
			one, err := demo(t.Context(), cf, file, "", io.Discard)
			require.NoError(t, err)
			require.Equal(t, same(t, one.budget), same(t, several.budget))
			for _, r := range one.budget.GetSources() { // whoever answers one gateway's adapter is asked by its own
				if r.Disclosed() && r.GetSource() != cf.Requester {
					require.Contains(t, others, r.GetSource())
				}
			}
			require.Equal(t, len(one.plans), len(several.plans))
		})
	}
}

// others are the organisations that were asked by another's gateway.
func (h *federation) others() (list []string) {
	for _, p := range h.family.Case.Parties {
		if p.Code != h.family.Case.Requester && len(h.judged(p.Code)) > 0 {
			list = append(list, p.Code)
		}
	}
	return list
}

// What a withdrawal ends at its keeper is asked of nobody any more, and a new consent opens
// it again: of one source, while the others go on.
func TestAWithdrawalReachesNoOtherGateway(t *testing.T) {
	h := playFederated(t, open(t, "meppel"), nil)
	b, err := h.ask()
	require.NoError(t, err)
	require.Len(t, b.GetGaps(), 1, "that of A2, who never consented")
	given := sourceReport(b, "A1", "UWV")
	require.NotEmpty(t, given.GetConsent())
	asked, others := h.judged("UWV"), h.judged("ZK5503")
	require.Len(t, asked, 2, "one decision and one disclosure")

	cl := h.client(nil)
	_, err = cl.Consents.WithdrawConsent(t.Context(), &ontschotv1.WithdrawConsentRequest{Id: given.GetConsent()})
	require.NoError(t, err)
	b, err = h.ask()
	require.NoError(t, err)
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, gapOf(b, "A1", "UWV"))
	require.Equal(t, asked, h.judged("UWV"), "nobody asked about them after the withdrawal")
	require.Len(t, h.judged("ZK5503"), len(others)+2, "the others were asked as before")
	require.Empty(t, gapOf(b, "A4", "ZK5503"))

	again := h.family.Case.Consents[slices.IndexFunc(h.family.Case.Consents, func(c casefile.Consent) bool { return c.Person == "A1" })]
	doc, _, err := h.family.Consent(again, nil)
	require.NoError(t, err)
	_, err = cl.Register(t.Context(), doc)
	require.NoError(t, err)
	b, err = h.ask()
	require.NoError(t, err)
	require.Empty(t, gapOf(b, "A1", "UWV"))
	require.Len(t, h.judged("UWV"), len(asked)+2)
}

func sourceReport(b *budgetv1.Budget, person identity.PersonRef, source string) *budgetv1.SourceReport {
	for _, r := range b.GetSources() {
		if r.GetPerson() == string(person) && r.GetSource() == source {
			return r
		}
	}
	return nil
}

// codesOf gives reason and code of the gap of one person at one source.
func codesOf(b *budgetv1.Budget, person identity.PersonRef, source string) []string {
	for _, g := range b.GetGaps() {
		if g.GetPerson() == string(person) && g.GetSource() == source {
			return []string{g.GetReason(), g.GetCode()}
		}
	}
	return nil
}

// A source that ended the agreement says no by its own log, whatever the asking gateway
// still has: it heard nothing of it. Once it hears, it does not ask any more.
func TestAnAgreementThatEndedAtTheSourceAlone(t *testing.T) {
	f := open(t, "meppel")
	h := playFederated(t, f, func(dir string) { // the source's trust file names no gateway to deliver to
		forget(t, filepath.Join(dir, "trust.yaml"), filepath.Join(dir, "deaf.yaml"), f.Case.Requester)
		rewrite(t, filepath.Join(dir, "peers/ZK5503/gateway.yaml"), "../../trust.yaml", "../../deaf.yaml")
	})
	b, err := h.ask()
	require.NoError(t, err)
	require.Len(t, b.GetGaps(), 1, "that of A2, who never consented")
	agreed := sourceReport(b, "A4", "ZK5503").GetAgreement()
	before := len(h.judged("ZK5503"))
	revoked, err := h.clientOf("ZK5503").Agreements.RevokeAgreement(t.Context(), &ontschotv1.RevokeAgreementRequest{Id: agreed, Reason: "it ends"})
	require.NoError(t, err)
	require.False(t, revoked.GetDelivered())

	b, err = h.ask()
	require.NoError(t, err)
	require.Equal(t, []string{budgetv1.ReasonPeerRefused, budgetv1.GapPeerAgreement}, codesOf(b, "A4", "ZK5503"))
	told := h.judged("ZK5503")[before:]
	require.Len(t, told, 1)
	require.Equal(t, audit.Deny, told[0].Kind, "its no stands in its own log, and no disclosure")

	_, err = h.client(nil).Agreements.RevokeAgreement(t.Context(), &ontschotv1.RevokeAgreementRequest{Id: agreed, Reason: "it ends here too"})
	require.NoError(t, err)
	b, err = h.ask()
	require.NoError(t, err)
	require.Equal(t, budgetv1.ReasonAgreementExpired, gapOf(b, "A4", "ZK5503"))
	require.Len(t, h.judged("ZK5503"), before+1, "not asked any more")
}

// forget writes a trust file anew, without the address of one party's gateway.
func forget(t *testing.T, from, to, code string) {
	t.Helper()
	raw, err := os.ReadFile(from)
	require.NoError(t, err)
	var trust config.Trust
	require.NoError(t, yaml.Unmarshal(raw, &trust))
	for i := range trust.Parties {
		if trust.Parties[i].Code == code {
			trust.Parties[i].Gateway = ""
		}
	}
	raw, err = yaml.Marshal(trust)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, raw, 0o600))
}

// rewrite puts a text for another that is in a file once.
func rewrite(t *testing.T, file, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(raw), from), file)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(raw), from, to, 1)), 0o600))
}

// A source that never registered the agreement refuses; the others stand.
func TestAnAgreementThatTheSourceDoesNotHave(t *testing.T) {
	h := playFederated(t, open(t, "meppel"), func(dir string) {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "peers/UWV/documents")))
	})
	b, err := h.ask()
	require.NoError(t, err)
	require.Equal(t, []string{budgetv1.ReasonPeerRefused, budgetv1.GapPeerAgreement}, codesOf(b, "A1", "UWV"))
	require.Equal(t, budgetv1.ReasonNoConsent, gapOf(b, "A2", "UWV"))
	require.Len(t, b.GetGaps(), 2)
}

// A gateway that stops is a gap while it is away, and answers again when it is back: on the
// same connection pool, without anybody restarting the one that asks.
func TestAGatewayThatStopsAndComesBack(t *testing.T) {
	h := playFederated(t, open(t, "meppel"), nil)
	whole, err := h.ask()
	require.NoError(t, err)
	for range 2 {
		h.stop("UWV")
		b, err := h.ask()
		require.NoError(t, err)
		require.Equal(t, []string{budgetv1.ReasonSourceUnavailable, budgetv1.GapPeerUnreachable}, codesOf(b, "A1", "UWV"))
		require.NotContains(t, b.GetTotals().GetByLaw(), "WIA")
		require.NoError(t, h.start("UWV"))
		require.Eventually(t, func() bool {
			b, err = h.ask()
			require.NoError(t, err)
			return gapOf(b, "A1", "UWV") == ""
		}, 15*time.Second, 50*time.Millisecond, "%s", h.stderr)
		require.Equal(t, same(t, whole), same(t, b))
	}
}

// fortune is what happened to a federated case so far.
type fortune struct {
	h       *federation
	consent map[identity.PersonRef]string // that counts now; empty: withdrawn
	down    map[string]bool
	back    map[string]bool // came back, and may be unreachable for a moment
	revoked map[string]bool // the agreement, at the source alone
	want    map[string]int  // entries that the log of a source must have
}

// expected is reason and code of the gap of a pair, and how many entries a question about it
// makes at the source; the requester's own source has none.
func (f *fortune) expected(p casefile.Pair) (reason, code string, entries int) {
	switch own := p.Source == f.h.family.Case.Requester; {
	case p.Person == "A2":
		return budgetv1.ReasonNoConsent, "", 0
	case f.consent[p.Person] == "":
		return budgetv1.ReasonConsentWithdrawn, "", 0
	case own:
		return "", "", 0
	case f.down[p.Source]:
		return budgetv1.ReasonSourceUnavailable, budgetv1.GapPeerUnreachable, 0
	case f.revoked[p.Source]:
		return budgetv1.ReasonPeerRefused, budgetv1.GapPeerAgreement, 1
	}
	return "", "", 2
}

// hold asks, and holds every pair of the answer and every log against what must be. A gateway
// that came back may still be unreachable for the first questions, and is asked again.
func (f *fortune) hold(step string) {
	t := f.h.t
	for until := time.Now().Add(patience); f.ask(step) && time.Now().Before(until); {
		time.Sleep(10 * time.Millisecond)
	}
	require.False(t, f.ask(step), "%s: every gateway that is up is reached", step)
}

// ask holds one answer, and reports whether a gateway that came back was not reached.
func (f *fortune) ask(step string) (again bool) {
	t := f.h.t
	b, err := f.h.ask()
	require.NoError(t, err, step)
	for _, p := range f.h.family.Case.Pairs() {
		reason, code, entries := f.expected(p)
		if got := codesOf(b, p.Person, p.Source); f.back[p.Source] && len(got) == 2 && got[1] == budgetv1.GapPeerUnreachable {
			again = true
			continue
		}
		if entries > 0 {
			defer delete(f.back, p.Source) // reached
		}
		require.Equal(t, reason, gapOf(b, p.Person, p.Source), "%s: %v", step, p)
		if code != "" {
			require.Equal(t, []string{reason, code}, codesOf(b, p.Person, p.Source), "%s: %v", step, p)
		}
		if reason != "" {
			require.Empty(t, linesOf(b, p), "%s: %v: nothing of what is a gap", step, p)
		}
		f.want[p.Source] += entries
	}
	for _, p := range f.h.family.Case.Parties {
		if p.Code != f.h.family.Case.Requester {
			require.Len(t, f.h.judged(p.Code), f.want[p.Code], "%s: the log of %s", step, p.Code)
		}
	}
	return again
}

// linesOf are the lines of a person that a source gave.
func linesOf(b *budgetv1.Budget, p casefile.Pair) (list []string) {
	for _, l := range b.GetLines() {
		if l.GetPerson() == string(p.Person) && slices.ContainsFunc(l.GetProvenance(), func(o *budgetv1.Provenance) bool { return o.GetSource() == p.Source }) {
			list = append(list, l.GetId())
		}
	}
	return list
}

// flip turns a consent, a gateway or an agreement into what it is not; an agreement that
// ended stays so.
func (f *fortune) flip(t *testing.T, what string) {
	person := identity.PersonRef(what)
	source, ends := strings.CutPrefix(what, "-")
	h := f.h
	switch id, is := f.consent[person]; {
	case is && id != "":
		_, err := h.client(nil).Consents.WithdrawConsent(t.Context(), &ontschotv1.WithdrawConsentRequest{Id: id})
		require.NoError(t, err)
		f.consent[person] = ""
	case is:
		given := h.family.Case.Consents[slices.IndexFunc(h.family.Case.Consents, func(c casefile.Consent) bool { return c.Person == person })]
		doc, id, err := h.family.Consent(given, nil)
		require.NoError(t, err)
		_, err = h.client(nil).Register(t.Context(), doc)
		require.NoError(t, err)
		f.consent[person] = id
	case ends && !f.down[source] && !f.revoked[source]:
		list, err := h.clientOf(source).Agreements.ListAgreements(t.Context(), &ontschotv1.ListAgreementsRequest{})
		require.NoError(t, err)
		require.Len(t, list.GetAgreements(), 1)
		_, err = h.clientOf(source).Agreements.RevokeAgreement(t.Context(), &ontschotv1.RevokeAgreementRequest{Id: list.GetAgreements()[0].GetId(), Reason: "it ends"})
		require.NoError(t, err)
		f.revoked[source] = true
	case !ends && f.down[source]:
		require.NoError(t, h.start(source))
		f.down[source], f.back[source] = false, true
	case !ends:
		h.stop(source)
		f.down[source], f.back[source] = true, false
	}
}

// Whatever happens to consents, agreements and gateways, in whatever order: each pair of a
// person and a source is told what is so, and each log has exactly the questions that its
// gateway was asked.
func TestWhateverHappensBetweenGateways(t *testing.T) {
	things := []string{"A1", "A3", "A4", "A5", "UWV", "ZK5503", "SVB", "CAK", "-SVB", "-UWV"}
	seeds := []uint64{1, 2}
	if os.Getenv("ONTSCHOT_LONG") == "1" {
		for seed := uint64(3); seed < 20; seed++ {
			seeds = append(seeds, seed)
		}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			c := open(t, "meppel")
			h := playFederated(t, c, func(dir string) { // no source's trust file names the gateway that asks: nothing is delivered there
				forget(t, filepath.Join(dir, "trust.yaml"), filepath.Join(dir, "deaf.yaml"), c.Case.Requester)
				for _, p := range c.Case.Parties {
					if p.Code != c.Case.Requester {
						rewrite(t, filepath.Join(dir, c.FolderOf(p.Code), "gateway.yaml"), "../../trust.yaml", "../../deaf.yaml")
					}
				}
			})
			b, err := h.ask()
			require.NoError(t, err)
			f := &fortune{h: h, consent: map[identity.PersonRef]string{}, down: map[string]bool{}, back: map[string]bool{}, revoked: map[string]bool{}, want: map[string]int{}}
			for _, r := range b.GetSources() {
				if r.GetConsent() != "" {
					f.consent[identity.PersonRef(r.GetPerson())] = r.GetConsent()
				}
			}
			for _, p := range c.Case.Parties {
				f.want[p.Code] = len(h.judged(p.Code))
			}
			dice := rand.New(rand.NewPCG(seed, 0))
			done := "at first"
			f.hold(done)
			for range 16 {
				for range 1 + dice.IntN(2) {
					what := things[dice.IntN(len(things))]
					done += " " + what
					f.flip(t, what)
				}
				f.hold(done)
			}
		})
	}
}

// Secrets of one organisation lie in no folder of another.
func TestAFederatedFolderSharesNoSecret(t *testing.T) {
	f := open(t, "diemen-zwolle")
	dir := t.TempDir()
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	layout.Federated = true
	require.NoError(t, f.Write(dir, layout))
	for _, p := range f.Parties {
		mine := filepath.Join(dir, f.FolderOf(p.Code))
		secrets := []string{p.ClientSecret, p.RecordKey, p.LogSigner, string(p.PseudonymKey), string(p.Server.KeyPEM), string(p.Client.KeyPEM)}
		found := 0
		require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			for _, secret := range secrets {
				if strings.Contains(string(raw), secret) {
					found++
					rel, err := filepath.Rel(mine, path)
					require.NoError(t, err)
					require.False(t, strings.HasPrefix(rel, "..") || strings.HasPrefix(rel, "peers"), "%s of %s", path, p.Code)
				}
			}
			return nil
		}))
		require.GreaterOrEqual(t, found, len(secrets), p.Code)
	}
	consents := 0
	for _, p := range f.Case.Parties {
		names, err := filepath.Glob(filepath.Join(dir, f.FolderOf(p.Code), "documents", "*-consent.json"))
		require.NoError(t, err)
		require.True(t, len(names) == 0 || p.Code == f.Case.Requester, "consents stay with their keeper")
		consents += len(names)
	}
	require.Equal(t, len(f.Case.Consents), consents)
}

// The program itself, with a process for each organisation, prints the same object as with one
// gateway, for each case that comes with it; and nothing of it stays.
func TestTheFederatedDemoSaysTheSame(t *testing.T) {
	bin := built(t)
	names := casefile.Names()
	if os.Getenv("ONTSCHOT_LONG") == "" {
		names = names[:1] // there all of them
	}
	for _, name := range names {
		dir := t.TempDir()
		one, errs, err := shell(t, dir, bin, "ontschot demo --format json --case "+name)
		require.NoError(t, err, errs)
		several, errs, err := shell(t, dir, bin, "ontschot demo --federated --format json --keep kept --case "+name)
		require.NoError(t, err, errs)
		require.Equal(t, sameJSON(t, oneObject(t, one)), sameJSON(t, oneObject(t, several)), name)
		require.Equal(t, 1, strings.Count(several, "\n"))
		require.Empty(t, running(t, dir), "no gateway and no adapter stays")

		cf, err := casefile.Open(name)
		require.NoError(t, err)
		for _, r := range oneObject(t, several)["sources"].([]any) {
			report := r.(map[string]any)
			own := report["source"] == cf.Requester || report["status"] != "OK"
			require.Equal(t, own, report["disclosure"] == nil, "%v", report)
		}
		for _, m := range cf.Household { // what gateways say on the way names nobody
			require.NotContains(t, errs, m.BSN)
			require.NotContains(t, errs, m.Name)
		}
	}
}

func oneObject(t *testing.T, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	var one map[string]any
	require.NoError(t, d.Decode(&one))
	require.False(t, d.More(), "exactly one object")
	return one
}

// running are the processes whose command line or working folder is of a folder, as Linux tells.
func running(t *testing.T, dir string) (list []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, p := range all {
		line, _ := os.ReadFile(filepath.Join(p, "cmdline"))
		in, _ := os.Readlink(filepath.Join(p, "cwd"))
		if strings.Contains(string(line), dir) || in == dir {
			list = append(list, string(line))
		}
	}
	return list
}

// The page goes on with both logs, a withdrawal and a gateway that stops; where nobody else
// would be asked after the withdrawal, the other way round.
func TestTheFederatedDemoShowsBothEnds(t *testing.T) {
	bin, dir := built(t), t.TempDir()
	out, errs, err := shell(t, dir, bin, "ontschot demo --federated")
	require.NoError(t, err, errs)
	_, after, found := strings.Cut(out, "TWEE LOGBOEKEN OVER ÉÉN VRAAG")
	require.True(t, found, out)
	require.Regexp(t, `(?s)Gemeente Meppel +UWV\n.*besluit: ja \(\d+\)\n[^\n]* {20,}besluit: ja \(\d+\)\n[^\n]* {20,}gegeven \(\d+\)\n[^\n]*:[\d.]+ {3}vrijgegeven \(\d+\)\n +kenmerk van de vraag +[0-9a-f]{32}\n`, after)
	require.Regexp(t, `(?s)EEN TOESTEMMING STOPT.*Harm Veldkamp, UWV\n.*ingetrokken.*EEN GATEWAY STOPT.*De gateway van CAK is gestopt.*Jurre Veldkamp, CAK\n`, after)
	logs, _, _ := strings.Cut(after, "EEN TOESTEMMING STOPT")
	require.NotContains(t, logs, "Veldkamp", "no person in what both logs say")
	require.NotContains(t, logs, "€")
	require.Contains(t, errs, "adapters ready: UWV\n", "each has its own adapter, and no other")

	out, errs, err = shell(t, dir, bin, "ontschot demo --federated --case woerden --lang en --codes")
	require.NoError(t, err, errs)
	require.Regexp(t, `(?s)TWO LOGS ABOUT ONE QUESTION.*A GATEWAY STOPS.*\[SOURCE_UNAVAILABLE PEER_UNREACHABLE\].*A CONSENT ENDS.*\[CONSENT_WITHDRAWN`, out)
	require.Empty(t, running(t, dir))
}

// Who stops the demo stops all of its gateways.
func TestAFederatedDemoThatIsStoppedLeavesNothing(t *testing.T) {
	bin, dir := built(t), t.TempDir()
	for _, after := range []string{"0.05", "0.6", "1.2"} {
		folder := filepath.Join(dir, "after-"+after)
		_, _, _ = shell(t, dir, bin, "timeout -s INT "+after+" ontschot demo --federated --keep "+folder)
		require.Eventually(t, func() bool { return len(running(t, dir)) == 0 }, patience, 20*time.Millisecond, "%v", running(t, dir))
	}
}

// Nor does it leave anything when it is killed and can stop nobody: while its gateways start, and
// when they serve.
func TestAFederatedDemoThatIsKilledLeavesNothing(t *testing.T) {
	bin, dir := built(t), t.TempDir()
	for i, seen := range []string{"keys, certificates", "adapters ready: UWV", "gateway of GM"} {
		said := new(buffer)
		c := exec.Command(filepath.Join(bin, "ontschot"), "demo", "--federated", "--keep", filepath.Join(dir, fmt.Sprint(i)))
		c.Dir, c.Stderr = dir, said
		require.NoError(t, c.Start())
		require.Eventually(t, func() bool { return strings.Contains(said.String(), seen) && len(running(t, dir)) > 3 }, patience, time.Millisecond, "%s", said)
		require.NoError(t, c.Process.Kill())
		_ = c.Wait()
		require.Eventually(t, func() bool { return len(running(t, dir)) == 0 }, patience, 20*time.Millisecond, "%v", running(t, dir))
	}
}

// One gateway that does not start is named, and the others end again.
func TestAGatewayThatDoesNotStartIsNamed(t *testing.T) {
	f := open(t, "woerden")
	dir := t.TempDir()
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	layout.Federated = true
	require.NoError(t, f.Write(dir, layout))
	rewrite(t, filepath.Join(dir, "peers/UWV/gateway.yaml"), "organisation: UWV", "organization: UWV")
	said := new(buffer)
	_, err = startProcesses(t.Context(), f, dir, said)
	require.ErrorContains(t, err, "the gateway of UWV did not start: exit status 1")
	require.Regexp(t, `(?m)^ +UWV +ontschot: .*unknown key "organization" \(did you mean "organisation"`, said.String())
	require.Empty(t, running(t, dir))
}
