package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// act is something that is done between gateways after a budget, and what comes of it.
type act interface{ show(p *page) }

// stage is a case that is being played by several gateways, each a process.
type stage struct {
	family   *family.Family
	dir      string
	client   *client.Client
	gateways processes
	budget   *budgetv1.Budget // as it is now
	progress func(format string, args ...any)
}

// acts lays the logs of two gateways beside each other, withdraws a consent and asks again,
// ends a gateway and asks again. What there is nobody for is left out. A gateway that nobody
// would be asked about after the withdrawal stops before it.
func (s *stage) acts(ctx context.Context) ([]act, error) {
	seen := s.report(func(*budgetv1.SourceReport) bool { return true })
	if seen == nil {
		return nil, nil
	}
	both, err := s.logs(ctx, seen.GetSource())
	if err != nil {
		return nil, err
	}
	given := s.report(func(r *budgetv1.SourceReport) bool { return r.GetConsent() != "" })
	if given == nil {
		gone, err := s.stop(ctx, seen)
		return []act{both, gone}, err
	}
	steps := []func() (act, error){func() (act, error) { return s.withdraw(ctx, given) }}
	other := s.report(func(r *budgetv1.SourceReport) bool { return r.GetConsent() != given.GetConsent() })
	if other != nil {
		steps = append(steps, func() (act, error) { return s.stop(ctx, other) })
	} else {
		steps = slices.Insert(steps, 0, func() (act, error) { return s.stop(ctx, seen) })
	}
	acts := []act{both}
	for _, step := range steps {
		one, err := step()
		if err != nil {
			return nil, err
		}
		acts = append(acts, one)
	}
	return acts, nil
}

// withdraw withdraws the consent that an answer rests on, and asks again.
func (s *stage) withdraw(ctx context.Context, r *budgetv1.SourceReport) (act, error) {
	w, err := s.client.Consents.WithdrawConsent(ctx, &ontschotv1.WithdrawConsentRequest{Id: r.GetConsent()})
	if err != nil {
		return nil, err
	}
	s.progress("a consent withdrawn: entry %d of the log of %s", w.GetIndex(), s.family.Case.Requester)
	gaps, err := s.again(ctx)
	return withdrawn{r.GetPerson(), s.family.Case.Requester, w.GetIndex(), gaps}, err
}

// stop ends the gateway that gave an answer, and asks again.
func (s *stage) stop(ctx context.Context, r *budgetv1.SourceReport) (act, error) {
	s.gateways[r.GetSource()].stop()
	s.progress("the gateway of %s stopped", r.GetSource())
	gaps, err := s.again(ctx)
	return stopped{r.GetSource(), gaps}, err
}

// report is the first answer of another organisation's gateway that is so; nil when none is.
func (s *stage) report(so func(*budgetv1.SourceReport) bool) *budgetv1.SourceReport {
	for _, r := range s.budget.GetSources() {
		if r.GetDisclosure() != nil && so(r) {
			return r
		}
	}
	return nil
}

// again asks the same, and gives the gaps that were not there before.
func (s *stage) again(ctx context.Context) ([]*budgetv1.Gap, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	before := s.budget
	var err error
	if s.budget, err = s.client.AssembleBudget(ctx, requestOf(s.family.Case), nil); err != nil {
		return nil, err
	}
	var more []*budgetv1.Gap
	for _, g := range s.budget.GetGaps() {
		if !slices.ContainsFunc(before.GetGaps(), func(b *budgetv1.Gap) bool { return proto.Equal(b, g) }) {
			more = append(more, g)
		}
	}
	s.progress("asked again; signature and receipt verified; gaps that were not there before: %d", len(more))
	return more, nil
}

// logs reads what two gateways wrote down about the budget's question, under its trace.
func (s *stage) logs(ctx context.Context, source string) (sideBySide, error) {
	leaf, err := audit.ParseLeaf(s.budget.GetReceipt().GetLeaf())
	if err != nil {
		return sideBySide{}, err
	}
	both := sideBySide{trace: leaf.Trace, source: source, asks: s.family.Case.Requester}
	for _, code := range []string{both.asks, both.source} {
		data := filepath.Join(s.dir, s.family.FolderOf(code), "data")
		entries, err := entriesOf(ctx, filepath.Join(data, server.RecordFile), s.family.Parties[code].OIN, func(l audit.Leaf) bool { return l.Trace == leaf.Trace })
		if err != nil {
			return both, fmt.Errorf("the log of %s: %w", code, err)
		}
		for _, e := range entries {
			both.entries = append(both.entries, logged{code, e})
		}
	}
	slices.SortStableFunc(both.entries, func(a, b logged) int { return cmp.Compare(a.leaf.Time, b.leaf.Time) })
	s.progress("the logs of %s and %s read: %d entries under one trace", both.asks, both.source, len(both.entries))
	return both, nil
}

// entry of a log, as it is in its tree: no person, no amount.
type entry struct {
	index int64
	leaf  audit.Leaf
}

// entriesOf reads those entries of an audit log that are so; the gateway may be running.
func entriesOf(ctx context.Context, path string, tenant identity.OIN, so func(audit.Leaf) bool) (list []entry, err error) {
	store, err := sqlite.Inspect(ctx, path)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	err = store.View(ctx, tenant, func(log audit.Snapshot) error {
		list = nil
		for from := int64(0); ; {
			rows, err := log.Rows(from, 256)
			if err != nil || len(rows) == 0 {
				return err
			}
			for _, row := range rows {
				leaf, err := audit.ParseLeaf(row.Leaf)
				if err != nil {
					return err
				}
				if so(leaf) {
					list = append(list, entry{row.Index, leaf})
				}
			}
			from += int64(len(rows))
		}
	})
	return list, err
}

// String names the gateways that run.
func (all processes) String() string {
	return "a gateway, each a process, of " + strings.Join(slices.Sorted(maps.Keys(all)), " ")
}

// logged is one entry, and whose log it is in.
type logged struct {
	party string
	entry
}

// sideBySide are the entries of both ends about one question.
type sideBySide struct {
	trace, asks, source string
	entries             []logged
}

func (b sideBySide) show(p *page) {
	p.heading("Twee logboeken over één vraag", "Two logs about one question")
	p.text(2, p.say("Elke organisatie beslist zelf en schrijft dat zelf op. In geen van beide staat een naam of een bedrag.",
		"Each organisation decides for itself, and writes that down itself. Neither holds a name or an amount."))
	rows := [][]string{}
	revisions := map[string]string{}
	for _, e := range b.entries {
		row := []string{time.UnixMilli(e.leaf.Time).Format("15:04:05.000"), "", ""}
		row[1+slices.Index([]string{b.asks, b.source}, e.party)] = fmt.Sprintf("%s (%d)", p.did(e.leaf), e.index)
		rows = append(rows, row)
		revisions[e.party] = cmp.Or(e.leaf.Policy, revisions[e.party])
	}
	p.columnsOfText([]string{p.say("moment", "time"), p.party(b.asks), p.party(b.source)}, rows)
	p.table(nil, [][]string{
		{p.say("kenmerk van de vraag", "trace of the question"), b.trace},
		{p.say("beleid", "policy") + " " + p.party(b.asks), fmt.Sprintf("%.12s", revisions[b.asks])},
		{p.say("beleid", "policy") + " " + p.party(b.source), fmt.Sprintf("%.12s", revisions[b.source])},
	})
}

// did says what an entry about a question records.
func (p *page) did(l audit.Leaf) string {
	switch {
	case l.Kind == audit.Deny:
		return p.say("besluit: nee", "decision: no")
	case l.Kind == audit.Decision:
		return p.say("besluit: ja", "decision: yes")
	case l.Kind == audit.Release && l.Status == "disclosed":
		return p.say("gegeven", "disclosed")
	case l.Kind == audit.Release:
		return p.say("vrijgegeven", "released")
	}
	return string(l.Kind)
}

// withdrawn is a consent that was withdrawn, and what the same question lacks since.
type withdrawn struct {
	person, keeper string
	index          int64
	gaps           []*budgetv1.Gap
}

func (w withdrawn) show(p *page) {
	p.heading("Een toestemming stopt", "A consent ends")
	p.text(2, fmt.Sprintf(p.say("Een toestemming van %s is ingetrokken (regel %d van het logboek van %s). Dezelfde vraag geeft nu:",
		"A consent of %s was withdrawn (entry %d of the log of %s). The same question now gives:"), p.person(w.person), w.index, p.party(w.keeper)))
	p.gapLines(w.gaps)
}

// stopped is a gateway that was ended, and what the same question lacks since.
type stopped struct {
	party string
	gaps  []*budgetv1.Gap
}

func (s stopped) show(p *page) {
	p.heading("Een gateway stopt", "A gateway stops")
	p.text(2, fmt.Sprintf(p.say("De gateway van %s is gestopt. Dezelfde vraag geeft nu:",
		"The gateway of %s has stopped. The same question now gives:"), p.party(s.party)))
	p.gapLines(s.gaps)
}
