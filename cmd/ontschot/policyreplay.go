package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/policy/replay"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
)

// errNotReproduced is the no of "policy replay".
var errNotReproduced = errors.New("the rules do not decide again what the log says; nothing was compared")

type replayOptions struct {
	output
	config, dir, since, out string
}

func policyReplayCommand() *cobra.Command {
	var o replayOptions
	c := &cobra.Command{
		Use:   "replay --dir DIR [--config FILE --since 90d --out FILE]",
		Short: "Decide again what was asked before, by a candidate (privacy officer)",
		Long: `Walk the audit log of a gateway, as "audit verify" does, and decide again what was asked since a day. First by the
rules of that time: they must decide what the log says. Then by the candidate in --dir: what it would have denied or
allowed, and which fields, is counted by who asked, source and reason. Nobody is named. Reads only; the gateway may be running.

--since is a day (YYYY-MM-DD) or a number of days (90d). --out writes the report, which an approval names.
Exit code 1 when the rules do not decide again what the log says.`,
		Example: "  ontschot policy replay --dir policies --config gateway.yaml --since 90d",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			if o.dir == "" {
				return fmt.Errorf("%w: --dir is needed: the folder of the candidate", errUsage)
			}
			return o.run(c)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.config, "config", "gateway.yaml", "the gateway's configuration, YAML")
	c.Flags().StringVar(&o.dir, "dir", "", "the folder of the candidate, or its bundle")
	c.Flags().StringVar(&o.since, "since", "90d", "a day, YYYY-MM-DD, or a number of days, 90d")
	c.Flags().StringVar(&o.out, "out", "", "a file for the report, JSON")
	return c
}

func (o *replayOptions) run(c *cobra.Command) error {
	conf, err := config.ReadGateway(o.config)
	if err != nil {
		return err
	}
	_, own, err := conf.ReadTrust()
	if err != nil {
		return err
	}
	since, err := o.sinceDay(conf)
	if err != nil {
		return err
	}
	log := replay.NewLog(own.OIN, own.Kind, since)
	walked, err := walkFor(c.Context(), conf, own, log)
	if err != nil {
		return err
	}
	rules, err := o.rules(c.Context(), conf, walked.Policy)
	if err != nil {
		return err
	}
	report, err := log.Judge(c.Context(), rules)
	if err != nil {
		return err
	}
	report.Entries = walked.Size
	raw, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	raw = append(raw, '\n')
	if o.out != "" {
		if err := os.WriteFile(o.out, raw, 0o600); err != nil {
			return err
		}
	}
	if err := o.show(c.OutOrStdout(), conf, report, raw); err != nil {
		return err
	}
	if len(report.Differs) > 0 {
		return errNotReproduced
	}
	return nil
}

// sinceDay reads --since.
func (o *replayOptions) sinceDay(conf *config.Gateway) (civil.Date, error) {
	if days, found := strings.CutSuffix(o.since, "d"); found {
		n, err := strconv.Atoi(days)
		if err == nil && n >= 0 && n <= 36600 {
			today, err := conf.CivilDate()
			return cmp.Or(today, civil.Today(conf.Clock()())) - civil.Date(n), err
		}
	} else if day, err := civil.Parse(o.since); err == nil {
		return day, nil
	}
	return 0, fmt.Errorf("%w: --since is a day, YYYY-MM-DD, or a number of days, as in 90d", errUsage)
}

// rules are the candidate's, those in force by the log, and all that the gateway has kept. A
// revision says itself of which rules it is: what was kept needs no other proof.
func (o *replayOptions) rules(ctx context.Context, conf *config.Gateway, inForce string) (r replay.Rules, err error) {
	if r.Candidate, err = patient(ctx, o.dir); err != nil {
		return r, err
	}
	r.Earlier = map[string]*policy.Engine{}
	kept, err := rulesKept(conf)
	if err != nil {
		return r, err
	}
	for _, file := range kept {
		one, err := patient(ctx, file)
		if err != nil { // one that cannot be read any more proves nothing
			continue
		}
		r.Earlier[one.Revision()] = one
		if r.Active == nil || one.Revision() == inForce {
			r.Active = one
		}
	}
	if r.Active == nil || inForce != "" && r.Active.Revision() != inForce {
		return r, fmt.Errorf("%w: the policies that are in force by the log (%.12s) are not in %s", config.ErrConfig, inForce, filepath.Join(conf.Path(conf.Data), server.PolicyFolder))
	}
	return r, nil
}

// rulesKept are where rules are that a gateway may have decided by: all that came into force,
// what it is configured with, and what is built in.
func rulesKept(conf *config.Gateway) ([]string, error) {
	kept, err := filepath.Glob(filepath.Join(conf.Path(conf.Data), server.PolicyFolder, "*", "bundle-*.tar.gz"))
	if conf.Policies != "" {
		kept = append(kept, conf.Path(conf.Policies))
	}
	return append(kept, ""), err
}

// patient judges by a folder or a bundle and is in no hurry.
func patient(ctx context.Context, name string) (*policy.Engine, error) {
	folder, err := openPolicies(name)
	if err != nil {
		return nil, err
	}
	return policy.New(ctx, policy.Config{FS: folder, Timeout: replayTimeout})
}

// replayTimeout bounds one judgement: nobody waits for it, and a busy machine changes no answer.
const replayTimeout = 10e9 // ns

// gatherer is told what an auditor passes; see audit.Inspection.
type gatherer interface {
	Entry(e audit.Passed)
	Read(d audit.Stored)
}

// walkFor has a log gathered while it is verified.
func walkFor(ctx context.Context, conf *config.Gateway, own config.Organisation, log gatherer) (audit.Report, error) {
	keys, err := audit.ParseKeys(own.LogKeys...)
	if err != nil {
		return audit.Report{}, fmt.Errorf("%w: the log_keys of %s in the trust file", config.ErrConfig, own.Code)
	}
	head, err := audit.HeadFile{Path: conf.HeadPath()}.Read()
	if err != nil {
		return audit.Report{}, err
	}
	path := filepath.Join(conf.Path(conf.Data), server.RecordFile)
	s, err := sqlite.Inspect(ctx, path)
	if err != nil {
		return audit.Report{}, unreadable(path, err)
	}
	defer s.Close()
	by := inspectionOf(keys, head)
	by.Entry, by.Read = log.Entry, log.Read
	report, err := audit.Verify(ctx, s, by)
	if err != nil {
		return audit.Report{}, unreadable(path, err)
	}
	return report, nil
}

// show prints the report, in words or as it is.
func (o *replayOptions) show(w io.Writer, conf *config.Gateway, r replay.Report, raw []byte) error {
	if o.format == "json" {
		var one bytes.Buffer
		if err := json.Compact(&one, raw); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w, one.String())
		return err
	}
	p, err := o.newPage(w, nil)
	if err != nil {
		return err
	}
	trust, _, err := conf.ReadTrust()
	if err != nil {
		return err
	}
	for _, party := range trust.Parties {
		p.parties[string(party.OIN)] = party.Name
	}
	p.replayed(r)
	return p.err
}

// replayed tells what a candidate would have decided.
func (p *page) replayed(r replay.Report) {
	p.line("%s", fmt.Sprintf(p.say("Sinds %s: %d beslissingen, over %d keer één persoon bij één bron.", "Since %s: %d decisions, about one person at one source %d times."), p.texts.Date(r.Since, p.lang), r.Decisions, r.Pairs))
	if len(r.Differs) > 0 {
		p.line("%s", fmt.Sprintf(p.say("De regels van toen beslissen nu iets anders dan in het logboek staat. Regels van het logboek: %s", "The rules of that time now decide otherwise than the log says. Entries of the log: %s"), strings.Trim(fmt.Sprint(r.Differs), "[]")))
		return
	}
	p.line("%s", fmt.Sprintf(p.say("De regels van toen beslissen %d keer weer hetzelfde.", "The rules of that time decide the same again %d times."), r.Reproduced))
	for _, why := range slices.Backward(slices.Sorted(maps.Keys(r.Skipped))) { // what was erased is the last, with more of it
		p.line("%s", fmt.Sprintf("%s %d", p.skippedWords(why), r.Skipped[why]))
	}
	p.erased(r.Erased)
	for _, revision := range slices.Sorted(maps.Keys(r.Unproven)) {
		p.line("%s", fmt.Sprintf(p.say("%d keer beslist door regels die hier niet zijn (%.12s); dat is niet na te gaan.", "Decided %d times by rules that are not here (%.12s); that cannot be checked."), r.Unproven[revision], revision))
	}
	p.line("%s", fmt.Sprintf(p.say("Met de nieuwe regels mag er %d keer hetzelfde.", "By the new rules the same may pass %d times."), r.Same))
	table := [][]string{{p.say("wat", "what"), p.say("vrager", "who asks"), p.say("bron", "source"), p.say("waarover", "about"), "code", p.say("keer", "times")}}
	for _, c := range r.Changes {
		table = append(table, []string{p.changeWords(c.Kind), p.party(string(c.Requester)), p.party(string(c.Source)), p.fieldWords(c.Fields), strings.Join(c.Codes, " "), strconv.Itoa(c.Pairs)})
	}
	if len(r.Changes) > 0 {
		p.width = operatorWidth
		p.columnsOfText(nil, table)
	}
}

// erased tells which part of the log was destroyed with what was held of persons.
func (p *page) erased(d replay.Destroyed) {
	if d.Decisions == 0 {
		return
	}
	entries := strings.Trim(fmt.Sprint(d.Entries), "[]")
	if d.Decisions > len(d.Entries) {
		entries += " ..."
	}
	p.line("%s", fmt.Sprintf(p.say("Dat waren beslissingen van %s. Waarover zij gingen, is vernietigd toen iemand is gewist. Regels van het logboek: %s",
		"Those were decisions of %s. What they were about was destroyed when somebody was erased. Entries of the log: %s"), p.span(d.From, d.Until), entries))
}

func (p *page) changeWords(kind string) string {
	switch kind {
	case replay.NewlyDenied:
		return p.say("mag niet meer", "no longer allowed")
	case replay.NewlyAllowed:
		return p.say("mag nu wel", "allowed now")
	case replay.Fewer:
		return p.say("minder gegevens", "fewer fields")
	case replay.More:
		return p.say("meer gegevens", "more fields")
	case replay.Masked:
		return p.say("meer of minder precies", "more or less precise")
	}
	return p.say("om een andere reden niet", "not, for another reason")
}

func (p *page) skippedWords(why string) string {
	switch why {
	case replay.NoFacts:
		return p.say("Van een eerdere versie, die minder bewaarde:", "Of an earlier version, which kept less:")
	case replay.NoPairs:
		return p.say("Geen vraag aan een bron:", "No question to a source:")
	case replay.Erased:
		return p.say("Gewist, en nooit meer na te gaan:", "Erased, and never to be checked again:")
	}
	return p.say("Niet te lezen:", "Cannot be read:")
}

// fieldWords words fields, each a law and a category.
func (p *page) fieldWords(fields []string) string {
	var all []string
	for _, field := range fields {
		law, category, _ := strings.Cut(field, " ")
		all = append(all, p.texts.Law(law, p.lang)+": "+p.texts.Label("categories", category, p.lang))
	}
	return strings.Join(all, ", ")
}
