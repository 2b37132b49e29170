package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// files are what is presented to a gateway with a request.
type files struct{ budget, plan, assume, name string }

func (f *files) flags(c *cobra.Command, plan bool) {
	c.Flags().StringVar(&f.budget, "budget", "budget.json", "a budget as ontschot budget get --format json printed it")
	if plan {
		c.Flags().StringVar(&f.plan, "plan", "plan.json", "the plan: JSON {goals, allocations}, or a case file that holds one")
		c.Flags().StringVar(&f.assume, "assume-basis", "", "a legal basis to assume, JSON, or a case file with a test_legal_basis; the answer says it was assumed")
	}
	c.Flags().StringVar(&f.name, "case", "", caseHelp+"; only for the names on the page, and by default the plan, when that is a case file")
}

// readCase reads the case that gives the names; nil: there is none.
func (f *files) readCase() (*casefile.Case, error) {
	if f.name != "" {
		return casefile.Open(f.name)
	}
	if f.plan == "" {
		return nil, nil
	}
	cf, err := casefile.Open(f.plan)
	if err != nil {
		return nil, nil // a plan of its own
	}
	return cf, nil
}

// readBudget reads a stored budget.
func (f *files) readBudget() (*budgetv1.Budget, error) {
	b := new(budgetv1.Budget)
	return b, readMessage(f.budget, b)
}

func (f *files) readPlan() (*budgetv1.Plan, error) {
	p := new(budgetv1.Plan)
	raw, err := casefile.Raw(f.plan)
	if err != nil {
		return nil, err
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(raw, &top); err != nil {
		return nil, fmt.Errorf("%w: %s is no JSON object", casefile.ErrCase, f.plan)
	}
	if _, isCase := top["schema"]; isCase {
		cf, err := casefile.Open(f.plan)
		if err != nil {
			return nil, err
		}
		return p, parsePlan(cf.Plan, f.plan, p)
	}
	for key := range top {
		if key != "goals" && key != "allocations" {
			return nil, fmt.Errorf("%w: %s: a plan holds goals and allocations, and no %q", casefile.ErrCase, f.plan, key)
		}
	}
	return p, parsePlan(raw, f.plan, p)
}

func (f *files) readBasis() (*budgetv1.LegalBasis, error) {
	if f.assume == "" {
		return nil, nil
	}
	b := new(budgetv1.LegalBasis)
	return b, readPart(f.assume, func(c *casefile.Case) json.RawMessage { return c.TestLegalBasis }, b)
}

// readPart reads a message from a file of its own or from a part of a case file.
func readPart(path string, part func(*casefile.Case) json.RawMessage, m proto.Message) error {
	if cf, err := casefile.Open(path); err == nil {
		return parsePart(part(cf), path, m)
	}
	return readMessage(path, m)
}

// parsePlan reads a plan as people write it: hours and tariffs may be numbers, and
// what the message does not have is left aside.
func parsePlan(raw json.RawMessage, path string, p *budgetv1.Plan) error {
	if len(raw) == 0 || string(raw) == "null" {
		return fmt.Errorf("%w: %s holds no plan", casefile.ErrCase, path)
	}
	raw = hours.ReplaceAll(raw, []byte(`$1"$2"`))
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(raw, p); err != nil {
		return fmt.Errorf("%w: %s: plan: %s", casefile.ErrCase, path, place.FindString(err.Error()))
	}
	if len(p.GetAllocations()) == 0 && len(p.GetGoals()) == 0 {
		return fmt.Errorf("%w: %s: the plan holds neither goals nor allocations", casefile.ErrCase, path)
	}
	return nil
}

var (
	hours = regexp.MustCompile(`("hours_per_week"\s*:\s*)([0-9]+(?:\.[0-9]+)?)`)
	// place is what of an error of protojson says where, and not what was there.
	place = regexp.MustCompile(`\(line \d+:\d+\)`)
)

func parsePart(raw json.RawMessage, path string, m proto.Message) error {
	if len(raw) == 0 || string(raw) == "null" {
		return fmt.Errorf("%w: %s holds no %s", casefile.ErrCase, path, m.ProtoReflect().Descriptor().Name())
	}
	if err := protojson.Unmarshal(raw, m); err != nil {
		return fmt.Errorf("%w: %s is no %s %s", config.ErrConfig, path, m.ProtoReflect().Descriptor().Name(), place.FindString(err.Error()))
	}
	return nil
}

func readMessage(path string, m proto.Message) error {
	raw, err := config.ReadFile(path)
	if err != nil {
		return err
	}
	return parsePart(raw, path, m)
}

// asked is what a gateway is asked about a budget and a plan, and how its answer shows.
type asked func(ctx context.Context, cl *client.Client, b *budgetv1.Budget, p *budgetv1.Plan, assume *budgetv1.LegalBasis) (proto.Message, func(*page), error)

// aboutPlan makes a command that presents a budget and a plan to the gateway.
func aboutPlan(c *cobra.Command, ask asked) *cobra.Command {
	var out output
	var call call
	var in files
	c.Args = noArgs
	c.RunE = func(c *cobra.Command, _ []string) error {
		b, p, assume, err := readAll(&out, in)
		if err != nil {
			return err
		}
		cf, err := in.readCase()
		if err != nil {
			return err
		}
		return call.do(c.Context(), func(ctx context.Context, cl *client.Client) error {
			answer, show, err := ask(ctx, cl, b, p, assume)
			if err != nil {
				return err
			}
			out.parties = call.parties()
			return out.printFor(c, cf, b, answer, show)
		})
	}
	in.flags(c, true)
	call.flags(c)
	out.flags(c)
	return c
}

func budgetPlanCommand() *cobra.Command {
	return aboutPlan(&cobra.Command{
		Use:   "plan --budget FILE --plan FILE",
		Short: "Check a plan against a budget: what is left, what is over, what may not be combined",
		Long: `Check a plan against a budget. A split across laws is refused unless a legal basis pools those laws on
every day of it; the refusal says what to do instead. What rests on a consent or an agreement that no
longer counts is left out, and is named with the reason. The gateway stores neither budget nor plan.`,
		Example: "  ontschot budget plan --config client.yaml --budget budget.json --plan case.json\n  ontschot budget plan --budget budget.json --plan case.json --assume-basis case.json",
	}, func(ctx context.Context, cl *client.Client, b *budgetv1.Budget, p *budgetv1.Plan, assume *budgetv1.LegalBasis) (proto.Message, func(*page), error) {
		check, err := cl.CheckPlan(ctx, &ontschotv1.CheckPlanRequest{Budget: b, Plan: p, Assume: assume})
		return check, func(page *page) { page.planCheck(check) }, err
	})
}

// readAll reads everything that a request about a plan presents.
func readAll(out *output, in files) (b *budgetv1.Budget, p *budgetv1.Plan, assume *budgetv1.LegalBasis, err error) {
	if err = out.check(); err != nil {
		return
	}
	if b, err = in.readBudget(); err != nil {
		return
	}
	if p, err = in.readPlan(); err != nil {
		return
	}
	assume, err = in.readBasis()
	return
}

func budgetAccountCommand() *cobra.Command {
	return aboutPlan(&cobra.Command{
		Use:   "account --budget FILE --plan FILE",
		Short: "Draw up the account to each funder, signed",
		Long: `Draw up one account per funder: awarded, allocated, spent, unspent, shifted, per law. It holds nobody's
identity. Each account is signed by the gateway and verified before it is printed. It rests on the
accountability rules of each law and on no consent: nothing is left out when one has ended. The token
must be for the purpose integral_budget.account.

An auditor whom an agreement names (oversight.auditors) gives the same command, with a client.yaml of its own
that names the municipality's gateway, a budget that the municipality handed to it, and a token for
integral_budget.audit in the case of that budget. It gets the accounts of the funders whose agreement names
it today; of the rest it is said why not.`,
		Example: "  ontschot budget account --budget budget.json --plan case.json --format json\n  ontschot budget account --config auditor/client.yaml --token auditor/token --budget budget.json --plan plan.json",
	}, func(ctx context.Context, cl *client.Client, b *budgetv1.Budget, p *budgetv1.Plan, assume *budgetv1.LegalBasis) (proto.Message, func(*page), error) {
		answer, err := cl.Account(ctx, &ontschotv1.AccountRequest{Budget: b, Plan: p, Assume: assume})
		return answer, func(page *page) {
			page.accounts(answer.GetAccounts())
			page.leftOut(answer.GetLeftOut())
		}, err
	})
}

func budgetDissolveCommand() *cobra.Command {
	var out output
	var call call
	var in files
	var date string
	c := &cobra.Command{
		Use:   "dissolve --budget FILE --date DATE",
		Short: "Take a budget apart: every right back at its own person, law and funder",
		Long: `Take a budget apart at a date. Both halves are printed, up to the day before and from the date; put
together again they give the budget back to the cent. It says of which day the rights and the spending
are, and is signed and verified before it is printed. What rests on a consent or an agreement that no
longer counts is left out, and is named with the reason: a household can be taken apart after a member
took back their consent.`,
		Example: "  ontschot budget dissolve --budget budget.json --date 2025-07-01",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			b, err := in.readBudget()
			if err != nil {
				return err
			}
			cf, err := in.readCase()
			if err != nil {
				return err
			}
			return call.do(c.Context(), func(ctx context.Context, cl *client.Client) error {
				d, err := cl.Dissolve(ctx, &ontschotv1.DissolveRequest{Budget: b, Date: date})
				if err != nil {
					return err
				}
				out.parties = call.parties()
				return out.printFor(c, cf, b, d, func(p *page) { p.dissolution(d) })
			})
		},
	}
	c.Flags().StringVar(&date, "date", "", "the first day on which every right is on its own again, YYYY-MM-DD")
	in.flags(c, false)
	call.flags(c)
	out.flags(c)
	return c
}

func budgetViewCommand() *cobra.Command {
	var out output
	var call call
	var in files
	var person string
	c := &cobra.Command{
		Use:   "view --budget FILE --person REF",
		Short: "What one member of the household may see of a budget, signed",
		Long: `Ask for the projection of a budget for one member. What is not theirs is not in it: of the others there is a
row that says "niet gedeeld", whatever they have or decided. Every total is of their own lines.`,
		Example: "  ontschot budget view --budget budget.json --person A3",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			cf, err := in.readCase()
			if err != nil {
				return err
			}
			b, err := in.readBudget()
			if err != nil {
				return err
			}
			return call.do(c.Context(), func(ctx context.Context, cl *client.Client) error {
				view, err := cl.View(ctx, &ontschotv1.ViewRequest{Budget: b, Person: person})
				if err != nil {
					return err
				}
				out.parties = call.parties()
				return out.print(c.OutOrStdout(), cf, view)
			})
		},
	}
	c.Flags().StringVar(&person, "person", "", "the member's reference, for example A3")
	in.flags(c, false)
	call.flags(c)
	out.flags(c)
	return c
}

func budgetSunsetCommand() *cobra.Command {
	return aboutPlan(&cobra.Command{
		Use:   "sunset --budget FILE --plan FILE",
		Short: "What stays for a household from the day after a legal basis ends",
		Long: `Say what stays from the day after a legal basis ends: which rights, how much of them, and which parts of
the plan no longer hold, with what to do instead.`,
		Example: "  ontschot budget sunset --budget budget.json --plan case.json --assume-basis case.json",
	}, func(ctx context.Context, cl *client.Client, b *budgetv1.Budget, p *budgetv1.Plan, assume *budgetv1.LegalBasis) (proto.Message, func(*page), error) {
		s, err := cl.Sunset(ctx, &ontschotv1.SunsetRequest{Budget: b, Plan: p, Assume: assume})
		return s, func(page *page) { page.sunset(s) }, err
	})
}

func budgetVerifyCommand() *cobra.Command {
	var path string
	var say reply
	c := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a stored budget offline: signature, contents, receipt",
		Long: `Check a stored budget without a gateway: that it is signed by the organisation the client's configuration
pins, that nothing in it was changed, and that its receipt proves the release is in the log. Of each source
whose own gateway answered, it prints what that proves too. Exit code 4 when it does not verify.`,
		Example: "  ontschot budget verify budget.json --config client.yaml",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("%w: name one file with a budget", errUsage)
			}
			b := new(budgetv1.Budget)
			if err := readMessage(args[0], b); err != nil {
				return err
			}
			conf, err := config.ReadClient(path)
			if err != nil {
				return err
			}
			trust, err := client.ReadTrust(path)
			if err != nil {
				return err
			}
			v, err := trust.Verify(b)
			if err != nil {
				return err
			}
			age := ""
			switch now := time.Now(); {
			case v.KeepUntil.Before(now):
				age = "; it should have been destroyed"
			case v.BuildUntil.Before(now):
				age = "; too old to build a plan upon: it can be accounted for and dissolved"
			}
			said := budgetAnswer{
				Releaser: conf.Releaser, Released: v.Released, Log: b.GetReceipt().GetOrigin(), Entry: b.GetReceipt().GetIndex(),
				BuildUntil: v.BuildUntil, KeepUntil: v.KeepUntil, PolicyRevision: v.PolicyRevision, Complete: v.Complete, Disclosures: disclosuresOf(b),
			}
			return say.give(c, said, fmt.Sprintf("The budget is what %s released on %s; release %d of %s%s.\n", conf.Releaser,
				v.Released.Format(time.RFC3339), said.Entry, said.Log, age)+inWords(said.Disclosures))
		},
	}
	c.Flags().StringVar(&path, "config", "client.yaml", "the client's configuration, YAML: it pins whose budgets are believed")
	say.flags(c)
	return c
}

// disclosuresOf is what a verified budget proves of each source whose own gateway answered.
func disclosuresOf(b *budgetv1.Budget) []disclosureAnswer {
	all := []disclosureAnswer{}
	for _, r := range b.GetSources() {
		if r.GetDisclosure() == nil {
			continue
		}
		said, receipt := result.Said(r.GetDisclosure()), r.GetDisclosure().GetReceipt()
		all = append(all, disclosureAnswer{
			Source: r.GetSource(), OIN: string(said.Issuer), Person: r.GetPerson(), Disclosed: time.Unix(said.IssuedAt, 0).UTC(), Log: receipt.GetOrigin(),
			Decision: said.Decision, Entry: receipt.GetIndex(), PolicyRevision: said.PolicyRevision, MaxAgeDays: int64(said.MaxAgeDays), RetentionDays: int64(said.RetentionDays),
		})
	}
	return all
}

func inWords(all []disclosureAnswer) (text string) {
	for _, d := range all {
		text += fmt.Sprintf("%s (OIN %s) disclosed its answer about %s on %s: decision %d and disclosure %d of %s, policy %.12s; to be used for %d days and kept for %d at most.\n",
			d.Source, d.OIN, d.Person, d.Disclosed.Format(time.RFC3339), d.Decision, d.Entry, d.Log, d.PolicyRevision, d.MaxAgeDays, d.RetentionDays)
	}
	return text
}
