package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/policy/replay"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
)

// errNotKept means that the rules by which an entry was decided are not here any more.
var errNotKept = errors.New("the rules by which this was decided are not kept here")

// explainedEntry is a decision of the log.
type explainedEntry struct {
	Index   int64           `json:"index"`
	Kind    string          `json:"kind"` // decision or deny
	Purpose string          `json:"purpose"`
	Pairs   []explainedPair `json:"pairs"`
}

// explainedPair is what was decided about persons at one source, the same for each of them.
type explainedPair struct {
	// Persons of the entry by number, from 1, in the order in which they were asked about.
	Persons   []int  `json:"persons"`
	Source    string `json:"source"` // OIN
	Agreement string `json:"agreement,omitempty"`
	// NotAsked is the reason of a gap that no rule made: then nobody was asked, whatever passes.
	NotAsked string         `json:"not_asked,omitempty"`
	Laws     []explainedLaw `json:"laws"`
}

type explainedLaw struct {
	Law string `json:"law"`
	*explained
}

// switchedPair is what passes of persons at a source with the switch and not without it, or
// the other way round.
type switchedPair struct {
	Persons []int    `json:"persons"`
	Source  string   `json:"source"` // OIN
	Law     string   `json:"law"`
	Basis   string   `json:"basis"`
	Article []string `json:"article"`
	Gained  []string `json:"gained,omitempty"`
	Lost    []string `json:"lost,omitempty"`
}

// entryOf explains one entry of the log of a gateway.
type entryOf struct {
	*whatIf
	log    *replay.Entry
	rules  fs.FS
	engine *policy.Engine
	texts  *wording.Texts
}

// explainEntry explains an entry of the log, in the language that was asked for to its errors.
func (q *whatIf) explainEntry(c *cobra.Command) error { return q.ofEntry(q.tellEntry(c)) }

// ofEntry words what went wrong with an entry.
func (q *whatIf) ofEntry(err error) error {
	var one *replay.EntryError
	in := func(nl string) error {
		if err == nil || q.lang == wording.English {
			return err
		}
		return &toldError{nl, err}
	}
	switch {
	case errors.As(err, new(*toldError)):
		return err
	case errors.As(err, &one):
		return in("dit besluit is niet uit te leggen: " + one.NL)
	case errors.Is(err, replay.ErrOtherwise):
		return in(fmt.Sprintf("regel %d van het logboek: deze regels besluiten nu iets anders dan er in het logboek staat. Controleer het logboek met: ontschot audit verify", q.entry))
	case errors.Is(err, audit.ErrTampered), errors.Is(err, audit.ErrDamaged), errors.Is(err, audit.ErrBehind):
		return in("het logboek klopt niet, dus er is niets uit te leggen. Meld dit aan uw beheerder. Wat er mis is: " + err.Error())
	case errors.Is(err, policy.ErrRules), errors.Is(err, wording.ErrTable):
		return q.unusable(err)
	case errors.Is(err, config.ErrConfig), errors.Is(err, fs.ErrNotExist):
		return in("het logboek is niet te lezen. Geef met --config aan welk gateway.yaml van uw gateway is. Wat er mis is: " + err.Error())
	}
	return in("dit besluit is niet uit te leggen. Wat er mis is: " + fmt.Sprint(err))
}

// tellEntry explains an entry of the log, and what a statute that is switched changes of it.
func (q *whatIf) tellEntry(c *cobra.Command) error {
	x, err := q.readEntry(c.Context())
	if err != nil {
		return err
	}
	pairs, err := x.log.Explain(c.Context(), x.engine)
	if err != nil {
		return err
	}
	leaf := x.log.Leaf()
	told := explanation{Contract: contractExplain, Revision: x.engine.Revision(), Date: leaf.Day}
	told.Entry = &explainedEntry{Index: q.entry, Kind: string(leaf.Kind), Purpose: leaf.Activity, Pairs: x.pairs(pairs)}
	if len(q.statutes) > 0 {
		if told.Switched, err = x.switched(c.Context(), pairs, told.Date); err != nil {
			return err
		}
		if q.asOf {
			told.Switched.Date = q.date
		}
	}
	page := &explainPage{officer: q.officer, texts: x.texts, told: told, parties: x.parties}
	return page.print(c.OutOrStdout())
}

// readEntry verifies the log, and finds the rules by which the entry was decided.
func (q *whatIf) readEntry(ctx context.Context) (*entryOf, error) {
	conf, err := config.ReadGateway(q.config)
	if err != nil {
		return nil, err
	}
	trust, own, err := conf.ReadTrust()
	if err != nil {
		return nil, err
	}
	q.parties = map[string]string{}
	x := &entryOf{whatIf: q, log: replay.NewEntry(own.OIN, own.Kind, q.entry)}
	for _, party := range trust.Parties {
		x.parties[string(party.OIN)] = party.Name
	}
	walked, err := walkFor(ctx, conf, own, x.log)
	if err != nil {
		return nil, err
	}
	if x.log.Leaf() == nil {
		return nil, q.usage("--entry %d: het logboek heeft %d regels, van 0 tot en met %d", "--entry %d: the log has %d entries, from 0 to %d", q.entry, walked.Size, walked.Size-1)
	}
	if err := x.log.Explainable(); err != nil {
		return nil, err
	}
	if x.rules, x.engine, err = q.rulesOf(ctx, conf, x.log.Leaf().Policy); err != nil {
		return nil, err
	}
	if err := q.known(x.engine); err != nil {
		return nil, err
	}
	x.texts, err = wording.ReadTexts(x.rules)
	return x, err
}

// rulesOf finds the rules of a revision: in --dir, or among all that the gateway has kept.
func (q *whatIf) rulesOf(ctx context.Context, conf *config.Gateway, revision string) (fs.FS, *policy.Engine, error) {
	places := []string{q.dir}
	if q.dir == "" {
		var err error
		if places, err = rulesKept(conf); err != nil {
			return nil, nil, err
		}
	}
	for _, name := range places {
		folder, err := openPolicies(name)
		if err != nil && q.dir != "" {
			return nil, nil, q.told(err)
		}
		if err != nil { // one that cannot be read any more explains nothing
			continue
		}
		e, err := policy.New(ctx, policy.Config{FS: folder, Timeout: explainTimeout})
		if err == nil && e.Revision() == revision {
			return folder, e, nil
		}
	}
	if q.dir != "" {
		return nil, nil, q.notKept("regel %[1]d is beslist met regels %.12[2]s, en %[3]s is een andere versie. Wat andere regels ervan vinden, zegt: ontschot policy replay --dir %[3]s",
			"entry %[1]d was decided by %.12[2]s, and %[3]s is another revision; what other rules decide of it says: ontschot policy replay --dir %[3]s", q.entry, revision, q.dir)
	}
	return nil, nil, q.notKept("regel %d is beslist met regels %.12s, en die staan niet in %s. Wijs de map of de bundel aan met --dir, of zet ze terug met: ontschot restore",
		"entry %d was decided by %.12s, which is not in %s; name the folder or the bundle with --dir, or put it back: ontschot restore",
		q.entry, revision, filepath.Join(conf.Path(conf.Data), server.PolicyFolder))
}

func (q *whatIf) notKept(nl, en string, args ...any) error {
	begin := q.say("de regels van dit besluit zijn hier niet meer: ", errNotKept.Error()+": ")
	return &toldError{begin + fmt.Sprintf(q.say(nl, en), args...), errNotKept}
}

// pairs are the pairs of the decision, those that are the same but for the person together.
func (x *entryOf) pairs(all []replay.Pair) (told []explainedPair) {
	var said [][]byte
	for _, p := range all {
		one := explainedPair{Source: string(p.Past.Source), Agreement: p.Past.Facts.Agreement, NotAsked: p.NotAsked()}
		for _, law := range p.Laws {
			one.Laws = append(one.Laws, explainedLaw{law.Law, x.law(p, law)})
		}
		raw, err := json.Marshal(one)
		i := slices.IndexFunc(said, func(other []byte) bool { return err == nil && bytes.Equal(raw, other) })
		if i < 0 {
			told, said, i = append(told, one), append(said, raw), len(told)
		}
		told[i].Persons = append(told[i].Persons, p.Person)
	}
	return told
}

// law words what was decided under one law: what the rules said, and what token, agreement and
// consent took away beside them.
func (x *entryOf) law(p replay.Pair, law policy.Explained) *explained {
	told := x.explain(x.engine, x.texts, law.Asked, law.Outcome)
	told.Allow = false
	var failed []string
	for _, field := range law.Asked.Resource.Properties.Fields {
		mask, no := p.Under(law.Law, field)
		one := explainedField{Category: field, Mask: mask, Code: no.Code}
		told.Allow = told.Allow || mask != ""
		switch {
		case mask != "":
		case no.Reason == "":
			one.Why = x.say("was niet gevraagd", "was not asked")
		default:
			code, _, _ := strings.Cut(no.Code, " ")
			reason, known := x.texts.Reason(code, x.lang)
			one.Why, one.Article = reason.Short, reason.Article
			if failed = append(failed, code); !known {
				one.Why = x.texts.GapName(no.Reason, x.lang)
			}
		}
		told.Fields = append(told.Fields, one)
	}
	x.found(told, p, law.Law)
	if !told.Allow {
		told.RetentionDays, told.Notify = 0, nil
	}
	told.Way = x.way(law.Way, law.Asked, failed, x.texts)
	return told
}

// found puts what the gateway found itself among the checks: the rules are told only that there
// is no agreement or consent that counts, and never of the token.
func (x *entryOf) found(told *explained, p replay.Pair, law string) {
	for _, r := range p.Refusals {
		if len(r.Categories) > 0 || len(r.Laws) > 0 && !slices.Contains(r.Laws, law) {
			continue
		}
		for _, code := range strings.Fields(r.Code) {
			if _, known := x.texts.Reason(code, x.lang); !known || slices.ContainsFunc(told.Checks, func(c explainedCheck) bool { return c.Code == code && !c.Passed }) {
				continue
			}
			kind, _, _ := strings.Cut(code, "-")
			told.Checks = slices.DeleteFunc(told.Checks, func(c explainedCheck) bool { return !c.Passed && strings.HasPrefix(c.Code, kind+"-") || c.Code == code })
			told.Checks = append(told.Checks, x.check(x.texts, code, false))
		}
	}
}

// switched is what the switch changes of this decision, on its day or another.
func (x *entryOf) switched(ctx context.Context, pairs []replay.Pair, date string) (*switchedLaws, error) {
	other, err := x.switchedRules(ctx, x.rules)
	if err != nil {
		return nil, err
	}
	told := &switchedLaws{Statutes: x.statutes, Cells: []switchedCell{}, Pooling: []switchedPool{}, Silent: []silentStatute{}}
	for _, p := range pairs {
		if x.asOf {
			day, err := civil.Parse(x.date)
			if err != nil {
				return nil, err
			}
			p.Past.Day, date = day, x.date
		}
		x.differing(told, p, p.Compare(ctx, x.engine, other))
	}
	for _, name := range x.engine.Words("statutes") {
		if _, asked := x.statutes[name]; asked && len(told.Entry) == 0 {
			told.Silent = append(told.Silent, silentStatute{name, x.nothing(x.texts, name, date)})
		}
	}
	return told, nil
}

// differing notes what differs of a pair, with others that differ in the same.
func (x *entryOf) differing(told *switchedLaws, p replay.Pair, d replay.Differing) {
	for _, law := range p.Laws {
		under := func(fields []string) (list []string) {
			for _, field := range fields {
				if of, category, _ := strings.Cut(field, " "); of == law.Law {
					list = append(list, category)
				}
			}
			return list
		}
		one := switchedPair{Source: string(p.Past.Source), Law: law.Law, Basis: law.Asked.Resource.Properties.LegalBasis, Article: []string{}, Gained: under(d.Won), Lost: under(d.Lost)}
		if len(one.Gained)+len(one.Lost) == 0 {
			continue
		}
		if cell := cellOf(x.engine, p.Past.Purpose, law.Asked.Resource.Properties.SourceKind, law.Asked.Action.Properties.Law); cell != nil {
			one.Article = x.articles(*cell, one.Basis)
		}
		i := slices.IndexFunc(told.Entry, func(e switchedPair) bool {
			return e.Source == one.Source && e.Law == one.Law && e.Basis == one.Basis && slices.Equal(e.Gained, one.Gained) && slices.Equal(e.Lost, one.Lost)
		})
		if i < 0 {
			told.Entry, i = append(told.Entry, one), len(told.Entry)
		}
		told.Entry[i].Persons = append(told.Entry[i].Persons, p.Person)
	}
}
