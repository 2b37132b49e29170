package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/gowebpki/jcs"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func budgetCommand() *cobra.Command {
	return group("budget", "Ask a gateway for an integrated budget, and work with it",
		budgetGetCommand(), budgetPlanCommand(), budgetAccountCommand(), budgetDissolveCommand(), budgetViewCommand(), budgetSunsetCommand(), budgetVerifyCommand())
}

// output is how an answer is printed.
type output struct {
	format, lang string
	codes        bool
	parties      map[string]string // names by code, as far as the command knows them
}

func (o *output) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.format, "format", "table", "table, or json: exactly one object on stdout")
	c.Flags().StringVar(&o.lang, "lang", language(), "language of the texts: nl or en; default by LANG, and nl")
	c.Flags().BoolVar(&o.codes, "codes", false, "print the codes behind the words, and the ids of budgets")
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
	var call call
	var name string
	c := &cobra.Command{
		Use:   "get --config FILE --case CASE",
		Short: "Ask for the budget of a household and verify the answer",
		Long: `Ask a gateway for the integrated budget of the household in a case file, verify its signature and
its receipt, and print it. A budget that does not verify is not printed, exit code 4.`,
		Example: "  ontschot budget get --config DIR/client.yaml --case DIR/case.json\n  ontschot budget get --case meppel --format json > budget.json",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			cf, err := casefile.Open(name)
			if err != nil {
				return err
			}
			var b *budgetv1.Budget
			err = call.do(c.Context(), func(ctx context.Context, cl *client.Client) (err error) {
				b, err = cl.AssembleBudget(ctx, requestOf(cf), progressTo(c.ErrOrStderr()))
				return err
			})
			if err != nil {
				return err
			}
			out.parties = call.parties()
			return out.print(c.OutOrStdout(), cf, b)
		},
	}
	c.Flags().StringVar(&name, "case", "case.json", caseHelp)
	call.flags(c)
	call.keyFlag(c)
	out.flags(c)
	return c
}

// call is how a gateway is reached.
type call struct {
	config, token, second string
	timeout               time.Duration
	key                   string
}

func (k *call) flags(c *cobra.Command) {
	c.Flags().StringVar(&k.config, "config", "client.yaml", "the client's configuration, YAML")
	c.Flags().StringVar(&k.token, "token", "", "a file with an access token; default client/token beside the configuration")
	c.Flags().StringVar(&k.second, "second-token", "", "a file with the access token of a second person, where the policy asks for two")
	c.Flags().DurationVar(&k.timeout, "timeout", 15*time.Second, "how long to wait; what is not there by then is a gap")
}

// keyFlag is for commands that the audit log counts, of which an honest retry is recognised.
func (k *call) keyFlag(c *cobra.Command) {
	c.Flags().StringVar(&k.key, "idempotency-key", "", "16 to 128 characters, such as a UUID: the same command with the same key counts once")
}

// parties gives the names of the organisations that the client's trust file names, by code;
// none when it cannot be read.
func (k *call) parties() map[string]string {
	names := map[string]string{}
	if conf, err := config.ReadClient(k.config); err == nil {
		if trust, _, err := conf.ReadTrust(); err == nil {
			for _, p := range trust.Parties {
				names[p.Code] = p.Name
			}
		}
	}
	return names
}

// do connects and asks, and words it when nobody answers.
func (k *call) do(ctx context.Context, ask func(context.Context, *client.Client) error) error {
	if _, err := k.accessToken(); err != nil {
		return err
	}
	cl, err := client.Open(k.config, func(context.Context) (string, error) { return k.accessToken() })
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	if k.key != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "idempotency-key", k.key)
	}
	if k.second != "" {
		raw, err := config.ReadFile(k.second)
		if err != nil {
			return err
		}
		ctx = metadata.AppendToOutgoingContext(ctx, "ontschot-second", strings.TrimSpace(string(raw)))
	}
	err = ask(ctx, cl)
	if code := status.Code(err); reasonOf(err) == "" && (code == codes.DeadlineExceeded || code == codes.Unavailable) {
		return fmt.Errorf("no answer from the gateway that %s names, within %s; is it running (ontschot serve)? %w", k.config, k.timeout, err)
	}
	return err
}

// accessToken reads the one that was named, or the one that lies beside the configuration. With
// dev: true in that it is minted when there is none, or none that holds any more.
func (k *call) accessToken() (string, error) {
	path := cmp.Or(k.token, filepath.Join(filepath.Dir(k.config), "client", "token"))
	raw, err := config.ReadFile(path)
	if conf, unread := config.ReadClient(k.config); unread == nil && conf.Dev && k.token == "" {
		if err != nil || !stillGood(raw, time.Now()) {
			return mintNarrow(filepath.Dir(k.config), narrowing{})
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w; have your token issuer write one there, or for a trial: ontschot dev token --dir %s > %s", err, filepath.Dir(k.config), path)
	}
	return strings.TrimSpace(string(raw)), err
}

// stillGood reports whether a token says that it will be good for some seconds yet. Whether it is one
// is for the gateway to say.
func stillGood(raw []byte, now time.Time) bool {
	var says struct {
		Expires int64 `json:"exp"`
	}
	parts := strings.Split(strings.TrimSpace(string(raw)), ".")
	if len(parts) != 3 {
		return false
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && json.Unmarshal(claims, &says) == nil && says.Expires > now.Unix()+5
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
		fmt.Fprintf(w, "  %d/%d  %-10s answered about %-4s in %d ms\n", p.GetHeard(), p.GetAsked(), p.GetSource(), p.GetPerson(), p.GetElapsedMs())
	}
}

// print writes the budget to stdout in the chosen form. JSON holds every field,
// empty ones too, so that a reader need not know which can be absent; only an
// amount that is not known is left out.
func (o *output) print(w io.Writer, cf *casefile.Case, b *budgetv1.Budget) error {
	if o.format == "table" {
		return o.printBudget(w, cf, b)
	}
	return printJSON(w, b)
}

// printJSON writes one message as one line of JSON.
func printJSON(w io.Writer, m proto.Message) error {
	raw, err := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return errors.New("printing: not a valid message")
	}
	compact, err := jcs.Transform(raw)
	if err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	_, err = fmt.Fprintln(w, string(compact))
	return err
}
