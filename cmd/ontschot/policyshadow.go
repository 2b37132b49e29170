package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/internal/approval"
	"github.com/ontschot/ontschot/internal/server"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func policyShadowCommand() *cobra.Command {
	var out output
	var stop bool
	c := operated(&cobra.Command{
		Use:   "shadow BUNDLE|DIR --config FILE",
		Short: "Count what other policies would answer on a running gateway, deciding nothing",
		Long: `Have a folder or bundle of policies judge what is asked of the gateway that runs with a configuration, beside the
policies in force, and count where it would answer otherwise: by source, purpose, law and reason, never by person. It
decides nothing, and no question waits for it: what it has no time for is dropped, and counted. "ontschot policy status"
shows the counts. --stop ends it, and so do an activation, a rollback and a restart.`,
		Example: "  ontschot policy shadow policies --config gateway.yaml\n  ontschot policy shadow --stop --config gateway.yaml",
	}, func(c *cobra.Command, args []string, client ontschotv1.OperatorServiceClient) error {
		if err := out.check(); err != nil {
			return err
		}
		if stop == (len(args) == 1) || len(args) > 1 {
			return fmt.Errorf("%w: name one folder or bundle, or say --stop", errUsage)
		}
		p := &page{w: c.OutOrStdout(), lang: out.lang, width: operatorWidth}
		if stop {
			answer, err := client.StopShadow(c.Context(), &ontschotv1.StopShadowRequest{})
			if err != nil {
				return unchanged(err)
			}
			p.shadow(answer.GetShadow())
			return p.err
		}
		bundle, err := candidateOf(c, args[0])
		if err != nil {
			return err
		}
		stream, err := client.StartShadow(c.Context())
		if err != nil {
			return unchanged(err)
		}
		err = server.SendPolicies(func(f *ontschotv1.PolicyFile) error { return stream.Send(&ontschotv1.StartShadowRequest{File: f}) }, bundle, nil, approval.Reports{})
		if err != nil && !errors.Is(err, io.EOF) {
			return unchanged(err)
		}
		answer, err := stream.CloseAndRecv()
		if err != nil {
			return unchanged(err)
		}
		p.shadow(answer.GetShadow())
		return p.err
	})
	c.Flags().BoolVar(&stop, "stop", false, "end it, and print what was counted")
	c.Flags().StringVar(&out.lang, "lang", language(), "language of the texts: nl or en; default by LANG, and nl")
	out.format = "table"
	return c
}

// candidateOf is a bundle, or that of a folder.
func candidateOf(c *cobra.Command, name string) ([]byte, error) {
	if is, err := os.Stat(name); err != nil || !is.IsDir() {
		raw, _, err := readBundleFile(name)
		return raw, err
	}
	folder, err := openPolicies(name)
	if err != nil {
		return nil, err
	}
	e, err := loadPolicies(c.Context(), folder)
	if err != nil {
		return nil, err
	}
	return policy.WriteBundle(folder, e.Revision(), "")
}

// shadow prints what a candidate has counted.
func (p *page) shadow(s *ontschotv1.PolicyShadow) {
	p.columnsOfText(nil, [][]string{
		{p.say("In schaduw", "In shadow"), s.GetRevision()},
		{p.say("Sinds", "Since"), localTime(s.GetSince())},
		{p.say("Beoordeeld", "Judged"), fmt.Sprint(s.GetJudged())},
		{p.say("Anders", "Different"), fmt.Sprint(s.GetDifferent())},
		{p.say("Overgeslagen", "Dropped"), fmt.Sprint(s.GetDropped())},
		{p.say("Niet gelukt", "Failed"), fmt.Sprint(s.GetFailed())},
	})
	rows := [][]string{}
	for _, d := range s.GetDifferences() {
		rows = append(rows, []string{fmt.Sprint(d.GetCount()), p.effect(d.GetEffect()), orDash(d.GetReason()), orDash(d.GetPurpose()), orDash(d.GetSource()), orDash(d.GetLaw())})
	}
	if len(rows) > 0 {
		p.line("")
		p.columnsOfText([]string{p.say("aantal", "count"), p.say("gevolg", "effect"), p.say("reden", "reason"), p.say("doel", "purpose"), p.say("bron", "source"), p.say("wet", "law")}, rows)
	}
}

func (p *page) effect(effect string) string {
	words := map[string]string{
		policy.EffectDenied: p.say("zou weigeren", "would deny"), policy.EffectAllowed: p.say("zou toestaan", "would allow"),
		policy.EffectFewer: p.say("minder gegevens", "fewer data"), policy.EffectMore: p.say("meer gegevens", "more data"),
		policy.EffectOther: p.say("andere reden of termijn", "other reason or term"),
	}
	return words[effect]
}
