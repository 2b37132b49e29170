package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gowebpki/jcs"
	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/casefile"
	"github.com/ontschot/ontschot/internal/config"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func budgetCommand() *cobra.Command {
	c := &cobra.Command{Use: "budget", Short: "Ask a gateway for an integrated budget"}
	c.AddCommand(budgetGetCommand())
	return c
}

// output is how an answer is printed.
type output struct{ format, lang string }

func (o *output) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.format, "format", "table", "table, or json: exactly one object on stdout")
	c.Flags().StringVar(&o.lang, "lang", "nl", "language of the texts: nl or en")
}

func (o *output) check() error {
	if o.format != "table" && o.format != "json" {
		return fmt.Errorf("%w: --format is table or json", errUsage)
	}
	if o.lang != "nl" && o.lang != "en" {
		return fmt.Errorf("%w: --lang is nl or en", errUsage)
	}
	return nil
}

func budgetGetCommand() *cobra.Command {
	var out output
	var path, name, tokenFile string
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "get --config FILE --case CASE --token FILE",
		Short: "Ask for the budget of a household and verify the answer",
		Long: `Ask a gateway for the integrated budget of the household in a case file, verify its signature and
its receipt, and print it. A budget that does not verify is not printed, exit code 4.`,
		Example: "  ontschot budget get --config DIR/client.yaml --case DIR/case.json --token DIR/client/token",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			cf, err := casefile.Open(name)
			if err != nil {
				return err
			}
			cl, err := dial(path, func() (string, error) {
				raw, err := config.ReadFile(tokenFile)
				return strings.TrimSpace(string(raw)), err
			})
			if err != nil {
				return err
			}
			defer cl.Close()
			ctx, cancel := context.WithTimeout(c.Context(), timeout)
			defer cancel()
			b, err := cl.AssembleBudget(ctx, requestOf(cf), progressTo(c.ErrOrStderr()))
			if code := status.Code(err); code == codes.DeadlineExceeded || code == codes.Unavailable {
				return fmt.Errorf("no answer from the gateway that %s names, within %s; is it running (ontschot serve)? %w", path, timeout, err)
			}
			if err != nil {
				return err
			}
			return out.print(c.OutOrStdout(), cf, b)
		},
	}
	c.Flags().StringVar(&path, "config", "client.yaml", "the client's configuration, YAML")
	c.Flags().StringVar(&name, "case", "case.json", caseHelp)
	c.Flags().StringVar(&tokenFile, "token", "client/token", "a file with an access token")
	c.Flags().DurationVar(&timeout, "timeout", 15*time.Second, "how long to wait; what is not there by then is a gap")
	out.flags(c)
	return c
}

// dial makes a client of a client.yaml.
func dial(path string, token func() (string, error)) (*client.Client, error) {
	conf, err := config.ReadClient(path)
	if err != nil {
		return nil, err
	}
	pair, pool, err := conf.TLS.Load(conf.Path)
	if err != nil {
		return nil, err
	}
	trust, err := config.ReadTrust(conf.Path(conf.Trust))
	if err != nil {
		return nil, err
	}
	releaser, err := trust.Party(conf.Releaser)
	if err != nil {
		return nil, err
	}
	keys, err := trust.Verifier()
	if err != nil {
		return nil, err
	}
	logKey, err := note.NewVerifier(releaser.LogKey)
	if err != nil {
		return nil, fmt.Errorf("%w: log_key of %s in the trust file", config.ErrConfig, releaser.Code)
	}
	return client.New(client.Config{
		Address: conf.Gateway, Certificate: pair, CA: pool, Token: token,
		Trust: result.Trust{Keys: keys, Releaser: releaser.OIN, LogOrigin: logKey.Name(), LogKey: logKey},
	})
}

// requestOf asks every pair of a case.
func requestOf(cf *casefile.Case) *ontschotv1.AssembleBudgetRequest {
	r := &ontschotv1.AssembleBudgetRequest{
		Purpose: cf.Purpose, Window: &budgetv1.Window{From: cf.Window.From.String(), To: cf.Window.To.String()},
	}
	for _, m := range cf.Household {
		p := &ontschotv1.Person{
			Ref: string(m.Ref), Born: m.Born.String(),
			Identifiers: &budgetv1.Identifiers{Bsn: m.BSN, EducationNumber: m.IDs.Onderwijsnummer, PassNumber: m.IDs.Pasnummer},
		}
		for _, r := range m.Municipality {
			p.Residences = append(p.Residences, &ontschotv1.Residence{Municipality: r.Code, From: r.From.String(), To: r.To.String()})
		}
		r.Persons = append(r.Persons, p)
	}
	for _, pair := range cf.Pairs() {
		r.Asks = append(r.Asks, &ontschotv1.Ask{Person: string(pair.Person), Source: pair.Source})
	}
	return r
}

func progressTo(w io.Writer) func(*ontschotv1.Progress) {
	return func(p *ontschotv1.Progress) {
		fmt.Fprintf(w, "  %d/%d  %-10s heard about %-4s in %d ms\n", p.GetHeard(), p.GetAsked(), p.GetSource(), p.GetPerson(), p.GetElapsedMs())
	}
}

// print writes the budget to stdout in the chosen form. JSON holds every field,
// empty ones too, so that a reader need not know which can be absent; only an
// amount that is not known is left out.
func (o *output) print(w io.Writer, cf *casefile.Case, b *budgetv1.Budget) error {
	if o.format == "table" {
		return printBudget(w, cf, b, o.lang)
	}
	raw, err := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(b)
	if err != nil {
		return fmt.Errorf("printing the budget: %w", err)
	}
	compact, err := jcs.Transform(raw)
	if err != nil {
		return fmt.Errorf("printing the budget: %w", err)
	}
	_, err = fmt.Fprintln(w, string(compact))
	return err
}
