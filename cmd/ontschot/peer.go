package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/peercheck"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/policies"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func peerCommand() *cobra.Command {
	return group("peer", "Find out how this gateway stands to another", peerCheckCommand())
}

func peerCheckCommand() *cobra.Command {
	var path, purpose, lang, format string
	c := &cobra.Command{
		Use:   "check CODE",
		Short: "Try every hop to another organisation's gateway, and say what is wrong and who repairs it",
		Long: `Try every hop to another organisation's gateway, in order: trust file, name, TCP, TLS and whose
certificate, OIN, whether ours is accepted, version, clock, keys pinned at both ends, an agreement in force at
both ends, what both policies would let pass of a question about nobody, and an adapter. Nobody's data are
asked for. Your own gateway must be running for what rests on its log. Exit code 1 when something must be
repaired.`,
		Example: "  ontschot peer check UWV --config gateway.yaml\n  ontschot peer check UWV --lang en --format json",
		Args:    oneArg("a party code"),
		RunE: func(c *cobra.Command, args []string) error {
			if format != "table" && format != "json" || lang != "nl" && lang != "en" {
				return fmt.Errorf("%w: --format is table or json, --lang is nl or en", errUsage)
			}
			check, err := newPeerCheck(path, purpose)
			if err != nil {
				return err
			}
			r := check.Of(c.Context(), args[0])
			if err := printPeerCheck(c.OutOrStdout(), r, lang, format); err != nil {
				return err
			}
			if r.Failed() {
				return errToDo
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&path, "config", "gateway.yaml", "your gateway's configuration, YAML")
	f.StringVar(&purpose, "purpose", ontschotv1.PurposeComposeBudget, "what the question about nobody is for")
	f.StringVar(&lang, "lang", language(), "language of the texts: nl or en; default by LANG, and nl")
	f.StringVar(&format, "format", "table", "table, or json: exactly one object on stdout")
	return c
}

func newPeerCheck(path, purpose string) (peercheck.Check, error) {
	conf, err := config.ReadGateway(path)
	if err != nil {
		return peercheck.Check{}, err
	}
	trust, own, err := server.ReadTrust(conf)
	if err != nil {
		return peercheck.Check{}, err
	}
	texts, err := wording.ReadTexts(policies.FS)
	if err != nil {
		return peercheck.Check{}, err
	}
	check := peercheck.Check{Conf: conf, Trust: trust, Own: own, Purpose: purpose, Now: time.Now, Texts: texts}
	if check.Holder, err = conf.Certificates(own.OIN, certificate.Rules{}); err != nil {
		check.Holder = nil // the report says so
		return check, nil
	}
	authorities, err := server.AuthoritiesOf(trust, own.OIN)
	if err != nil {
		return peercheck.Check{}, err
	}
	check.Holder.Believe(authorities)
	return check, nil
}

func printPeerCheck(w io.Writer, r *peercheck.Report, lang, format string) error {
	if format == "json" {
		return json.NewEncoder(w).Encode(r)
	}
	words := map[string]map[string]string{
		"nl": {"good": "goed", "notice": "let op", "fault": "FOUT", peercheck.You: "u", peercheck.They: "zij", peercheck.Both: "samen", "what": "stap", "state": "staat", "who": "wie herstelt", "text": "bevinding"},
		"en": {"good": "good", "notice": "notice", "fault": "FAULT", peercheck.You: "you", peercheck.They: "they", peercheck.Both: "both", "what": "hop", "state": "state", "who": "who repairs", "text": "finding"},
	}[lang]
	table := [][]string{{words["what"], words["state"], words["who"], words["text"]}}
	for _, f := range r.Findings {
		table = append(table, []string{f.Hop, words[string(f.State)], orDash(words[f.Repair]), f.Text(lang)})
	}
	p := &page{w: w, width: operatorWidth}
	p.columnsOfText(nil, table)
	return p.err
}
