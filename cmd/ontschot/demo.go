package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func demoCommand() *cobra.Command {
	var out output
	var name string
	var s staging
	c := &cobra.Command{
		Use:   "demo [--case CASE] [--federated]",
		Short: "Play a family's case from start to finish",
		Long: `Play a case from start to finish: make keys and certificates, start the parties' own systems, a
gateway with an adapter process for each party, sign the agreements and consents, ask for the
integrated budget, verify its signature and receipt, and print it. Everything is real but the people.

With --federated every organisation of the case has a gateway of its own, each a process, and each decides
for itself. Then two logs are laid beside each other, a consent is withdrawn, and a gateway stops.

Nothing is left behind, unless --keep names a folder.`,
		Example: "  ontschot demo\n  ontschot demo --federated\n  ontschot demo --case woerden --format json | jq .totals\n  ontschot demo --case FILE --keep DIR",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return s.run(c, &out, name) },
	}
	c.Flags().StringVar(&name, "case", "meppel", caseHelp)
	c.Flags().StringVar(&s.keep, "keep", "", "leave everything that was made in this folder, and say how to go on by hand")
	c.Flags().BoolVar(&s.federated, "federated", false, "a gateway for each organisation, each a process of its own")
	out.flags(c)
	return c
}

// run plays a case and prints what came of it.
func (s staging) run(c *cobra.Command, out *output, name string) error {
	if err := out.check(); err != nil {
		return err
	}
	cf, err := casefile.Open(name)
	if err != nil {
		return err
	}
	s.acts = s.federated && out.format == "table"
	played, err := s.play(c.Context(), cf, name, c.ErrOrStderr())
	if err != nil {
		return err
	}
	if err := out.print(c.OutOrStdout(), cf, played.budget); err != nil {
		return err
	}
	if out.format == "table" {
		if err := out.printFor(c, cf, played.budget, nil, played.show); err != nil {
			return err
		}
	}
	if s.keep != "" {
		fmt.Fprintf(c.ErrOrStderr(), "\nEverything is in %s. %s", s.keep, handSteps(played.family, s.keep, s.federated))
	}
	if out.format == "table" {
		return played.unplanned
	}
	return nil
}

// played is what came of a case: the budget, and for a case with a plan what the
// plan comes to, as things are and under the basis the case assumes.
type played struct {
	family *family.Family
	budget *budgetv1.Budget
	plans  []planned
	acts   []act // what was done after it
	// unplanned says why there are no plans though the case holds one.
	unplanned error
}

// planned is what the plan comes to under one answer about the legal basis.
type planned struct {
	check    *budgetv1.PlanCheck
	accounts []*budgetv1.Account
}

func (d *played) show(p *page) {
	for _, one := range d.plans {
		p.planCheck(one.check)
		p.accounts(one.accounts)
	}
	for _, one := range d.acts {
		one.show(p)
	}
}

// plan checks the case's plan against the budget, under each basis in turn.
func (d *played) plan(ctx context.Context, cl *client.Client, cf *casefile.Case) error {
	if len(cf.Plan) == 0 || string(cf.Plan) == "null" {
		return nil
	}
	p := new(budgetv1.Plan)
	if err := parsePlan(cf.Plan, cf.Name, p); err != nil {
		return err
	}
	bases := []*budgetv1.LegalBasis{nil}
	if len(cf.TestLegalBasis) > 0 && string(cf.TestLegalBasis) != "null" {
		assumed := new(budgetv1.LegalBasis)
		if err := parsePart(cf.TestLegalBasis, cf.Name, assumed); err != nil {
			return err
		}
		bases = append(bases, assumed)
	}
	for _, basis := range bases {
		check, err := cl.CheckPlan(ctx, &ontschotv1.CheckPlanRequest{Budget: d.budget, Plan: p, Assume: basis})
		if err != nil {
			return err
		}
		accounts, err := cl.Account(ctx, &ontschotv1.AccountRequest{Budget: d.budget, Plan: p, Assume: basis})
		if err != nil {
			return err
		}
		d.plans = append(d.plans, planned{check, accounts.GetAccounts()})
	}
	return nil
}

// staging is how a case is played.
type staging struct {
	keep      string // folder that stays; empty: nothing does
	federated bool   // a gateway for each organisation, each a process
	acts      bool   // federated: what comes after the budget, too
	policies  string // folder by which the requester's gateway decides; empty: those that are built in
	basis     string // legal basis that the agreements name; empty: as usual
}

// demo plays a case with one gateway and gives the verified budget.
func demo(ctx context.Context, cf *casefile.Case, name, keep string, stderr io.Writer) (*played, error) {
	return staging{keep: keep}.play(ctx, cf, name, stderr)
}

// play plays a case and gives the verified budget.
func (s staging) play(ctx context.Context, cf *casefile.Case, name string, stderr io.Writer) (*played, error) {
	begin := time.Now()
	say := func(format string, args ...any) {
		fmt.Fprintf(stderr, "%5d ms  %s\n", time.Since(begin).Milliseconds(), fmt.Sprintf(format, args...))
	}
	f, dir, err := s.folder(cf, name)
	if err != nil {
		return nil, err
	}
	if s.keep == "" {
		defer os.RemoveAll(dir)
	}
	say("keys, certificates, %d agreements and %d consents signed", len(cf.Parties)-1, len(cf.Consents))
	box, err := startSandbox(cf, dir, nil, io.Discard)
	if err != nil {
		return nil, err
	}
	defer box.Close()
	say("the parties' own systems answer on loopback")
	running, end, err := s.serve(ctx, f, dir, stderr)
	if err != nil {
		return nil, err
	}
	defer end()
	say("%s", running)
	cl, err := client.Open(dir+"/client.yaml", func(context.Context) (string, error) { return f.Token(time.Now(), nil) })
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	asking, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	b, err := cl.AssembleBudget(asking, requestOf(cf), progressTo(stderr))
	if err != nil {
		return nil, err
	}
	say("budget received; signature and receipt verified")
	d := &played{family: f, budget: b}
	if err := d.plan(asking, cl, cf); err != nil {
		d.unplanned = fmt.Errorf("the budget is good; its plan was not checked: %w", err)
	}
	if d.plans != nil {
		say("plan checked and accounts drawn up on the signed budget")
	}
	if all, several := running.(processes); several && s.acts {
		if d.acts, err = (&stage{f, dir, cl, all, b, say}).acts(ctx); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// serve starts one gateway here, or one for each organisation as a process.
func (s staging) serve(ctx context.Context, f *family.Family, dir string, stderr io.Writer) (fmt.Stringer, func(), error) {
	if s.federated {
		all, err := startProcesses(ctx, f, dir, stderr)
		return all, all.close, err
	}
	conf, err := config.ReadGateway(dir + "/gateway.yaml")
	if err != nil {
		return nil, nil, err
	}
	conf.Quiet = true
	one, err := server.Start(ctx, conf, stderr)
	if err != nil {
		return nil, nil, err
	}
	return one, one.Close, nil
}

// folder makes the folder that the gateways read. One that does not stay holds no case, and
// goes when the demo ends.
func (s staging) folder(cf *casefile.Case, name string) (*family.Family, string, error) {
	if s.keep != "" {
		f, err := makeFolder(cf, name, s.keep, s.federated)
		return f, s.keep, err
	}
	dir, err := os.MkdirTemp("", "ontschot-demo-")
	if err != nil {
		return nil, "", err
	}
	f, err := s.layOut(cf, dir)
	if err != nil {
		os.RemoveAll(dir)
	}
	return f, dir, err
}
