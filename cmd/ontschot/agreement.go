package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func agreementCommand() *cobra.Command {
	return group("agreement", "Propose, compare, accept and end agreements with other organisations",
		agreementNewCommand(), agreementProposeCommand(), agreementSupersedeCommand(), agreementListCommand(), agreementShowCommand(), agreementDiffCommand(),
		agreementAcceptCommand(), agreementRejectCommand(), agreementRevokeCommand(), agreementConfirmCommand(), agreementDelegateCommand(), agreementDelegationsCommand(), agreementUndelegateCommand())
}

// oneArg takes exactly one argument, which it names.
func oneArg(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%w: %q takes one argument, %s; see %s --help", errUsage, c.CommandPath(), name, c.CommandPath())
		}
		return nil
	}
}

func agreementNewCommand() *cobra.Command {
	var conf, template, with, from, until, breach, dpia string
	templates, err := wording.AgreementTemplates(policies.FS)
	known := strings.Join(templates, ", ")
	if err != nil {
		known = err.Error()
	}
	c := &cobra.Command{
		Use:   "new --template NAME --with CODE --breach-contact ADDRESS --dpia FILE",
		Short: "Write a draft from a template, to be read and changed",
		Long: `Write the draft of an agreement to stdout: YAML that a lawyer and a privacy officer can read and
change. It is filled in for the organisation of the client configuration and the party that --with
names. Nothing is sent; "agreement propose" does that.

Templates: ` + known + `.`,
		Example: "  ontschot agreement new --template municipality-careoffice --with ZK5503 --breach-contact fg@meppel.nl --dpia dpia.pdf > draft.yaml",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if breach == "" || dpia == "" {
				return fmt.Errorf("%w: --breach-contact and --dpia are needed: an agreement says whom to warn, and which assessment it rests on", errUsage)
			}
			assessment, err := readInput(c, dpia)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(assessment)
			draft, err := newDraft(conf, template, with, map[string]string{
				"from": from, "until": until, "breach_contact": breach, "dpia_sha256": hex.EncodeToString(sum[:]),
			})
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(draft)
			return err
		},
	}
	today := civil.Today(time.Now())
	f := c.Flags()
	f.StringVar(&conf, "config", "client.yaml", "the client's configuration, YAML")
	f.StringVar(&template, "template", "", "name of the template")
	f.StringVar(&with, "with", "", "party code of the other organisation")
	f.StringVar(&from, "from", today.String(), "first day, YYYY-MM-DD")
	f.StringVar(&until, "until", (today.Birthday(1) - 1).String(), "last day, YYYY-MM-DD")
	f.StringVar(&breach, "breach-contact", "", "whom to warn of a data breach: an e-mail address, an https address or tel:+31...")
	f.StringVar(&dpia, "dpia", "", "the file with the data protection impact assessment; its SHA-256 is in the agreement")
	return c
}

// newDraft fills in a template. The first party of its name asks, the second is asked.
func newDraft(conf, template, with string, values map[string]string) ([]byte, error) {
	cl, err := config.ReadClient(conf)
	if err != nil {
		return nil, err
	}
	trust, own, err := cl.ReadTrust()
	if err != nil {
		return nil, err
	}
	other, err := trust.Party(with)
	if err != nil {
		return nil, err
	}
	raw, err := wording.AgreementTemplate(policies.FS, template)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if asks, _, _ := strings.Cut(template, "-"); asks == "municipality" && own.Kind != budgetv1.KindMunicipality && other.Kind == budgetv1.KindMunicipality {
		own, other = other, own
	}
	values["consumer_oin"], values["consumer_name"] = string(own.OIN), own.Name
	values["source_oin"], values["source_name"] = string(other.OIN), other.Name
	draft, err := wording.Fill(raw, values)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	_, err = agreement.ReadDraft(draft)
	return draft, err
}

// readDraft reads a draft from a file, or from stdin for "-".
func readDraft(c *cobra.Command, path string) (*ontschotv1.AgreementTerms, error) {
	raw, err := readInput(c, path)
	if err != nil {
		return nil, err
	}
	terms, err := agreement.ReadDraft(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", config.ErrConfig, path, err)
	}
	return ontschotv1.NewAgreementTerms(terms)
}

// agreements is what the commands that ask a gateway have in common.
type agreements struct {
	call call
	out  output
}

func (a *agreements) command(c *cobra.Command, run func(ctx context.Context, cl ontschotv1.AgreementServiceClient, args []string, c *cobra.Command) error) *cobra.Command {
	a.call.flags(c)
	a.call.keyFlag(c)
	a.out.flags(c)
	if c.Args == nil {
		c.Args = noArgs
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := a.out.check(); err != nil {
			return err
		}
		a.out.parties = a.call.parties()
		return a.call.do(c.Context(), func(ctx context.Context, cl *client.Client) error { return run(ctx, cl.Agreements, args, c) })
	}
	return c
}

func agreementProposeCommand() *cobra.Command {
	var a agreements
	var replaces string
	c := &cobra.Command{
		Use:   "propose FILE",
		Short: "Sign a draft and deliver it to the other party",
		Long: `Sign the terms of a draft with the organisation's key, record the proposal, and deliver it to the
gateway of the other party. If that cannot be reached, the proposal is stored and delivered later.
Answer a proposal of the other party with --replaces: its terms, changed.`,
		Example: "  ontschot agreement propose draft.yaml\n  ontschot agreement show ID --yaml > counter.yaml   # change it, then:\n  ontschot agreement propose counter.yaml --replaces ID",
		Args:    oneArg("the file with the draft, or -"),
	}
	c.Flags().StringVar(&replaces, "replaces", "", "id of the agreement it takes the place of, or of the proposal it answers")
	return a.command(c, func(ctx context.Context, cl ontschotv1.AgreementServiceClient, args []string, c *cobra.Command) error {
		return a.propose(ctx, cl, c, args[0], replaces)
	})
}

func agreementSupersedeCommand() *cobra.Command {
	var a agreements
	c := &cobra.Command{
		Use:   "supersede ID FILE",
		Short: "Propose what is to take the place of an agreement",
		Long: `Propose new terms in the place of an agreement that is in force. The old one stays in force until the
other party has accepted the new one, and ends in the same moment.`,
		Example: "  ontschot agreement supersede ID draft.yaml",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("%w: supersede takes an id and a file; see %s --help", errUsage, c.CommandPath())
			}
			return nil
		},
	}
	return a.command(c, func(ctx context.Context, cl ontschotv1.AgreementServiceClient, args []string, c *cobra.Command) error {
		return a.propose(ctx, cl, c, args[1], args[0])
	})
}

func (a *agreements) propose(ctx context.Context, cl ontschotv1.AgreementServiceClient, c *cobra.Command, file, replaces string) error {
	terms, err := readDraft(c, file)
	if err != nil {
		return err
	}
	answer, err := cl.ProposeAgreement(ctx, &ontschotv1.ProposeAgreementRequest{Terms: terms, Replaces: replaces})
	if err != nil {
		return err
	}
	return a.out.printAny(c, answer, func(p *page) {
		p.agreement(answer.GetAgreement())
		p.delivered(answer.GetNotDelivered(), answer.GetAgreement().GetWith())
	})
}

func agreementListCommand() *cobra.Command {
	var a agreements
	var with string
	c := &cobra.Command{
		Use: "list", Short: "List proposals and agreements, newest first",
		Long:    "List the proposals and agreements of the organisation, those that ended too, newest first.",
		Example: "  ontschot agreement list --with ZK5503",
	}
	c.Flags().StringVar(&with, "with", "", "party code; default all")
	return a.command(c, func(ctx context.Context, cl ontschotv1.AgreementServiceClient, _ []string, c *cobra.Command) error {
		answer := &ontschotv1.ListAgreementsResponse{}
		err := everyPage(func(token string) (string, error) {
			one, err := cl.ListAgreements(ctx, &ontschotv1.ListAgreementsRequest{With: with, PageToken: token})
			answer.Agreements = append(answer.Agreements, one.GetAgreements()...)
			return one.GetNextPageToken(), err
		})
		if err != nil {
			return err
		}
		return a.out.printAny(c, answer, func(p *page) { p.agreements(answer.GetAgreements()) })
	})
}

func agreementShowCommand() *cobra.Command {
	var a agreements
	var yaml bool
	c := &cobra.Command{
		Use: "show ID", Short: "Show one with its terms",
		Long: `Show a proposal or an agreement: its state, who proposed it, how long it took, and its terms as the
readable YAML. With --yaml only the YAML, to be changed and proposed again.`,
		Example: "  ontschot agreement show ID\n  ontschot agreement show ID --yaml > counter.yaml",
		Args:    oneArg("its id"),
	}
	c.Flags().BoolVar(&yaml, "yaml", false, "only the terms, as a draft")
	return a.command(c, func(ctx context.Context, cl ontschotv1.AgreementServiceClient, args []string, c *cobra.Command) error {
		answer, err := cl.GetAgreement(ctx, &ontschotv1.GetAgreementRequest{Id: args[0]})
		if err != nil {
			return err
		}
		draft, err := a.draft(answer.GetAgreement().GetTerms())
		if err != nil {
			return err
		}
		if yaml {
			_, err = c.OutOrStdout().Write(draft)
			return err
		}
		return a.out.printAny(c, answer, func(p *page) {
			p.agreement(answer.GetAgreement())
			p.line("\n%s", strings.TrimSpace(string(draft)))
		})
	})
}

// draft writes terms as people read them, with the names of the trust file.
func (a *agreements) draft(m *ontschotv1.AgreementTerms) ([]byte, error) {
	var terms agreement.Terms
	if err := m.Into(&terms); err != nil {
		return nil, err
	}
	names := map[identity.OIN]string{}
	if cl, err := config.ReadClient(a.call.config); err == nil {
		if trust, _, err := cl.ReadTrust(); err == nil {
			for _, p := range trust.Parties {
				names[p.OIN] = p.Name
			}
		}
	}
	return agreement.WriteDraft(terms, func(o identity.OIN) string { return names[o] }), nil
}

func agreementDiffCommand() *cobra.Command {
	var a agreements
	var against, file string
	c := &cobra.Command{
		Use: "diff ID", Short: "Say in words what one changes against another",
		Long: `Say in words what a proposal changes: against what it replaces, against another (--against), or
against a draft such as the organisation's own template (--draft).`,
		Example: "  ontschot agreement diff ID\n  ontschot agreement diff ID --draft our-own.yaml",
		Args:    oneArg("its id"),
	}
	c.Flags().StringVar(&against, "against", "", "id of another proposal or agreement")
	c.Flags().StringVar(&file, "draft", "", "a file with a draft, or -")
	return a.command(c, func(ctx context.Context, cl ontschotv1.AgreementServiceClient, args []string, c *cobra.Command) error {
		r := &ontschotv1.DiffAgreementsRequest{Id: args[0], Against: against}
		if file != "" {
			var err error
			if r.AgainstTerms, err = readDraft(c, file); err != nil {
				return err
			}
		}
		answer, err := cl.DiffAgreements(ctx, r)
		if err != nil {
			return err
		}
		return a.out.printAny(c, answer, func(p *page) { p.changes(answer.GetChanges()) })
	})
}

func agreementAcceptCommand() *cobra.Command {
	var a agreements
	c := &cobra.Command{
		Use: "accept ID", Short: "Countersign a proposal; it is in force at both ends then",
		Long: `Countersign a proposal of the other party with the organisation's key. The other party's gateway
verifies and records it first, then this one; when the command is done it is in force at both ends.`,
		Example: "  ontschot agreement accept ID",
		Args:    oneArg("its id"),
	}
	return a.command(c, func(ctx context.Context, cl ontschotv1.AgreementServiceClient, args []string, c *cobra.Command) error {
		// The terms under an id are never others: their hash says which were read.
		read, err := cl.GetAgreement(ctx, &ontschotv1.GetAgreementRequest{Id: args[0]})
		if err != nil {
			return err
		}
		answer, err := cl.AcceptAgreement(ctx, &ontschotv1.AcceptAgreementRequest{Id: args[0], TermsSha256: read.GetAgreement().GetTermsSha256()})
		if err != nil {
			return err
		}
		return a.out.printAny(c, answer, func(p *page) { p.agreement(answer.GetAgreement()) })
	})
}

const reasonHelp = "why, for the other party to read; no personal data"

func agreementRejectCommand() *cobra.Command {
	var a agreements
	var reason string
	c := &cobra.Command{
		Use: "reject ID --reason TEXT", Short: "Turn down a proposal, or take back one's own",
		Long:    "Turn down a proposal with a signed statement of the reason, which the other party reads. One's own proposal is taken back so.",
		Example: "  ontschot agreement reject ID --reason \"De bewaartermijn is te lang.\"",
		Args:    oneArg("its id"),
	}
	c.Flags().StringVar(&reason, "reason", "", reasonHelp)
	return a.command(c, func(ctx context.Context, cl ontschotv1.AgreementServiceClient, args []string, c *cobra.Command) error {
		answer, err := cl.RejectAgreement(ctx, &ontschotv1.RejectAgreementRequest{Id: args[0], Reason: reason})
		if err != nil {
			return err
		}
		return a.out.printAny(c, answer, func(p *page) {
			p.agreement(answer.GetAgreement())
			p.delivered(answer.GetNotDelivered(), answer.GetAgreement().GetWith())
		})
	})
}

func agreementRevokeCommand() *cobra.Command {
	var a agreements
	var reason string
	c := &cobra.Command{
		Use: "revoke ID --reason TEXT", Short: "End an agreement at once",
		Long: `End an agreement with a signed statement of the reason. Nothing that rests on it is released from that
moment on. The other party is notified; if its gateway cannot be reached, later.`,
		Example: "  ontschot agreement revoke ID --reason \"Wij gaan over op een nieuw systeem.\"",
		Args:    oneArg("its id"),
	}
	c.Flags().StringVar(&reason, "reason", "", reasonHelp)
	return a.command(c, func(ctx context.Context, cl ontschotv1.AgreementServiceClient, args []string, c *cobra.Command) error {
		answer, err := cl.RevokeAgreement(ctx, &ontschotv1.RevokeAgreementRequest{Id: args[0], Reason: reason})
		if err != nil {
			return err
		}
		return a.out.printAny(c, answer, func(p *page) {
			p.agreement(answer.GetAgreement())
			p.delivered(answer.GetNotDelivered(), answer.GetAgreement().GetWith())
		})
	})
}

func agreementConfirmCommand() *cobra.Command {
	var a agreements
	c := &cobra.Command{
		Use: "confirm ID", Short: "Say after a loss that an agreement or a delegation still holds",
		Long: `Say that an agreement, or a delegation, still holds, which waits since the audit log was taken on from one that
lacked entries ("ontschot audit recover"). The other party's gateway is asked, and its no counts. Where none
answers, ask the other party in another way and say so with --asked.`,
		Example: "  ontschot agreement confirm ID\n  ontschot agreement confirm ID --asked",
		Args:    oneArg("its id"),
	}
	var asked bool
	c.Flags().BoolVar(&asked, "asked", false, "the other party was asked in another way; counts only where no gateway answers")
	return a.command(c, func(ctx context.Context, cl ontschotv1.AgreementServiceClient, args []string, c *cobra.Command) error {
		answer, err := cl.ConfirmAgreement(ctx, &ontschotv1.ConfirmAgreementRequest{Id: args[0], Asked: asked})
		if err != nil {
			return err
		}
		return a.out.printAny(c, answer, func(p *page) {
			p.line(p.say("Bevestigd: het geldt weer (regel %d van het logboek).", "Confirmed: it counts again (entry %d of the log)."), answer.GetIndex())
		})
	})
}

// readInput reads a bounded file, or stdin for "-".
func readInput(c *cobra.Command, path string) ([]byte, error) {
	if path == "-" {
		return config.ReadFrom(c.InOrStdin(), "stdin")
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return config.ReadFile(path)
}

func agreementDelegateCommand() *cobra.Command {
	var a agreements
	var to, from, until string
	var purposes []string
	today := civil.Today(time.Now())
	c := &cobra.Command{
		Use: "delegate --to OIN --purpose CODE", Short: "Let another organisation, such as a software vendor, act for this one",
		Long: `Sign that another organisation may act for this one, for some purposes and for at most twelve months.
Its systems then call with tokens of your own issuer that name it (claim act), over its own
certificate. The audit log names it in all it does.`,
		Example: "  ontschot agreement delegate --to 00000099000000777000 --purpose integral_budget.compose",
	}
	f := c.Flags()
	f.StringVar(&to, "to", "", "OIN of who may act")
	f.StringArrayVar(&purposes, "purpose", nil, "purpose code, once for each")
	f.StringVar(&from, "from", today.String(), "first day, YYYY-MM-DD")
	f.StringVar(&until, "until", (today.Birthday(1) - 1).String(), "last day, YYYY-MM-DD")
	return a.command(c, func(ctx context.Context, cl ontschotv1.AgreementServiceClient, _ []string, c *cobra.Command) error {
		answer, err := cl.Delegate(ctx, &ontschotv1.DelegateRequest{To: to, Purposes: purposes, From: from, Until: until})
		if err != nil {
			return err
		}
		return a.out.printAny(c, answer, func(p *page) {
			p.line("%s: %s", p.say("Machtiging getekend en vastgelegd", "Delegation signed and recorded"), answer.GetId())
		})
	})
}

func agreementDelegationsCommand() *cobra.Command {
	var a agreements
	c := &cobra.Command{
		Use: "delegations", Short: "List who may act for this organisation",
		Long:    "List who may act for this organisation, for what and until when, those that ended too.",
		Example: "  ontschot agreement delegations",
	}
	return a.command(c, func(ctx context.Context, cl ontschotv1.AgreementServiceClient, _ []string, c *cobra.Command) error {
		answer := &ontschotv1.ListDelegationsResponse{}
		err := everyPage(func(token string) (string, error) {
			one, err := cl.ListDelegations(ctx, &ontschotv1.ListDelegationsRequest{PageToken: token})
			answer.Delegations = append(answer.Delegations, one.GetDelegations()...)
			return one.GetNextPageToken(), err
		})
		if err != nil {
			return err
		}
		return a.out.printAny(c, answer, func(p *page) {
			if len(answer.GetDelegations()) == 0 {
				p.line("%s", p.say("Niemand handelt namens deze organisatie.", "Nobody acts for this organisation."))
				return
			}
			header := []string{"id", p.say("gemachtigde", "who may act"), p.say("stand", "state"), p.say("van", "from"), p.say("tot en met", "until"), p.say("doelen", "purposes")}
			var rows [][]string
			for _, d := range answer.GetDelegations() {
				rows = append(rows, []string{d.GetId(), d.GetTo(), p.statusOf(d.GetStatus()), p.date(d.GetFrom()), p.date(d.GetUntil()), strings.Join(p.purposes(d.GetPurposes()), "; ")})
			}
			p.columnsOfText(header, rows)
		})
	})
}

func agreementUndelegateCommand() *cobra.Command {
	var a agreements
	c := &cobra.Command{
		Use: "undelegate ID", Short: "End that another organisation acts for this one",
		Long:    "End a delegation. Nothing is released to who acts on it from that moment on.",
		Example: "  ontschot agreement undelegate ID",
		Args:    oneArg("its id"),
	}
	return a.command(c, func(ctx context.Context, cl ontschotv1.AgreementServiceClient, args []string, c *cobra.Command) error {
		answer, err := cl.EndDelegation(ctx, &ontschotv1.EndDelegationRequest{Id: args[0]})
		if err != nil {
			return err
		}
		return a.out.printAny(c, answer, func(p *page) {
			p.line(p.say("De machtiging is gestopt (regel %d van het logboek).", "The delegation has ended (entry %d of the log)."), answer.GetIndex())
		})
	})
}
