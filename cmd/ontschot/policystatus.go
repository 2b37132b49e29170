package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// policyView is a command that shows what a gateway says of its policies.
func policyView(c *cobra.Command, show func(p *page, all *ontschotv1.GetPoliciesResponse)) *cobra.Command {
	var out output
	operated(c, func(c *cobra.Command, _ []string, client ontschotv1.OperatorServiceClient) error {
		if err := out.check(); err != nil {
			return err
		}
		all, err := client.GetPolicies(c.Context(), &ontschotv1.GetPoliciesRequest{})
		if err != nil {
			return err
		}
		if out.format == "json" {
			return printOperator(c.OutOrStdout(), all)
		}
		p := &page{w: c.OutOrStdout(), lang: out.lang, width: operatorWidth}
		show(p, all)
		return p.err
	})
	c.Flags().StringVar(&out.format, "format", "table", "table, or json: exactly one object on stdout")
	c.Flags().StringVar(&out.lang, "lang", language(), "language of the texts: nl or en; default by LANG, and nl")
	return c
}

// printOperator prints what a running gateway says to its operator, as it is.
func printOperator(w io.Writer, all proto.Message) error {
	raw, err := protojson.MarshalOptions{Multiline: true, EmitUnpopulated: true}.Marshal(all)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", raw)
	return err
}

func policyStatusCommand() *cobra.Command {
	return policyView(&cobra.Command{
		Use:   "status --config FILE",
		Short: "Say which policies are in force on a running gateway, since when and by whom approved",
		Long: `Say which policies are in force on the gateway that runs with a configuration: which revision, since when by its audit
log, who approved it, why the last attempt at a change was refused, and what a candidate in shadow would have answered
otherwise.`,
		Example: "  ontschot policy status --config gateway.yaml\n  ontschot policy status --format json",
		Args:    noArgs,
	}, func(p *page, all *ontschotv1.GetPoliciesResponse) {
		rows := [][]string{
			{p.say("Van kracht", "In force"), all.GetRevision()},
			{p.say("Herkomst", "From"), p.policySource(all.GetSource())},
			{p.say("Sinds", "Since"), localTime(all.GetSince())},
		}
		if len(all.GetChanges()) > 0 {
			rows = append(rows, []string{p.say("Goedgekeurd door", "Approved by"), approvers(all.GetChanges()[0])})
		}
		if all.GetRefused() != "" {
			rows = append(rows, []string{p.say("Laatste poging geweigerd", "Last attempt refused"), localTime(all.GetRefusedAt()) + ": " + all.GetRefused()})
		}
		p.columnsOfText(nil, rows)
		if s := all.GetShadow(); s != nil {
			p.line("")
			p.shadow(s)
		}
	})
}

func policyHistoryCommand() *cobra.Command {
	return policyView(&cobra.Command{
		Use:   "history --config FILE",
		Short: "List which policies were in force on a running gateway, by its audit log",
		Long: `List which policies were in force on the gateway that runs with a configuration, the last first: by its audit log,
with who approved them. Every bundle is kept in the data folder, under policies.`,
		Example: "  ontschot policy history --config gateway.yaml\n  ontschot policy history --lang en",
		Args:    noArgs,
	}, func(p *page, all *ontschotv1.GetPoliciesResponse) {
		rows := [][]string{}
		for _, c := range all.GetChanges() {
			rows = append(rows, []string{localTime(c.GetAt()), fmt.Sprint(c.GetEntry()), p.policyStatus(c.GetStatus()), fmt.Sprintf("%.12s", c.GetRevision()), orDash(fmt.Sprintf("%.12s", c.GetParent())), approvers(c)})
		}
		if len(rows) == 0 {
			p.line("%s", p.say("Het logboek noemt nog geen regels: wat ingebouwd is, geldt.", "The log names no policies yet: what is built in is in force."))
			return
		}
		p.columnsOfText([]string{p.say("sinds", "since"), p.say("logboek", "log"), p.say("hoe", "how"), p.say("revisie", "revision"), p.say("in plaats van", "instead of"), p.say("goedgekeurd door", "approved by")}, rows)
	})
}

func (p *page) policySource(source string) string {
	words := map[string]string{
		"built_in": p.say("ingebouwd", "built in"), "folder": p.say("map van gateway.yaml, niet goedgekeurd", "folder of gateway.yaml, not approved"),
		"bundle": p.say("bundel van gateway.yaml", "bundle of gateway.yaml"), "activated": p.say("geactiveerd", "activated"),
	}
	return words[source]
}

func (p *page) policyStatus(status string) string {
	words := map[string]string{"activated": p.say("geactiveerd", "activated"), "rolled_back": p.say("teruggezet", "rolled back"), "used": p.say("in gebruik genomen", "used")}
	return words[status]
}

func localTime(t *timestamppb.Timestamp) string {
	if t == nil {
		return "-"
	}
	return t.AsTime().Local().Format(time.DateTime)
}

func approvers(c *ontschotv1.PolicyChange) string {
	var all []string
	for _, a := range c.GetApprovals() {
		all = append(all, a.GetName()+" ("+a.GetRole()+")")
	}
	return orDash(strings.Join(all, ", "))
}
