package program

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/door"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func (p program) describe(ctx context.Context, args []string) error {
	if err := p.flags("describe", args, func(*flag.FlagSet) {}); err != nil {
		return err
	}
	what, err := adapters.NewService(p.make()).Describe(ctx, nil)
	if err != nil {
		return err
	}
	printed := proto.CloneOf(what)
	printed.ConfigSchema = nil // bytes, which would be printed in base64
	raw, err := protojson.Marshal(printed)
	if err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return err
	}
	if len(what.GetConfigSchema()) > 0 {
		all["configSchema"] = what.GetConfigSchema()
	}
	return printJSON(p.out, all)
}

func printJSON(to io.Writer, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(to, "%s\n", raw)
	return err
}

var errFindings = errors.New("the configuration is not taken")

func (p program) validate(ctx context.Context, args []string) error {
	var file string
	if err := p.flags("validate", args, func(s *flag.FlagSet) { fileFlag(s, &file) }); err != nil {
		return err
	}
	conf, err := readFile(file)
	if err != nil {
		return err
	}
	fits := p.fits(conf)
	raw, secrets, err := conf.Read(conf.Path)
	if err != nil {
		return err
	}
	adapter := p.make()
	if _, ok := adapter.(adapters.Validator); !ok {
		return errors.New("this adapter cannot validate without being configured")
	}
	answer, err := adapters.NewService(adapter).ValidateConfig(ctx, &adapterv1.ValidateConfigRequest{Config: raw, Secrets: secrets})
	if err != nil {
		return err
	}
	if len(answer.GetFindings()) > 0 {
		p.tell(answer.GetFindings())
		return errFindings
	}
	if !fits {
		return errFindings
	}
	_, err = fmt.Fprintln(p.out, "In orde. The configuration is taken.")
	return err
}

// fits reports whether this process may open files enough for the limits, and tells what lacks.
func (p program) fits(conf *config.Adapter) bool {
	lacks := door.Check(conf.Limits)
	if lacks == nil {
		return true
	}
	at := conf.Problem(lacks.Key, lacks.What)
	at.Do = lacks.Do
	mark := ""
	if lacks.Warning {
		mark = "warning: "
	}
	fmt.Fprintln(p.err, mark+at.String())
	return lacks.Warning
}

// tell prints what is wrong, in both languages.
func (p program) tell(findings []*adapterv1.ConfigFinding) {
	for _, f := range findings {
		fmt.Fprintf(p.err, "%s: %s / %s\n", f.GetPath(), f.GetTextNl(), f.GetTextEn())
	}
}

func fileFlag(s *flag.FlagSet, into *string) {
	s.StringVar(into, "c", "adapter.yaml", "file with the adapter's configuration")
}

func readFile(path string) (*config.Adapter, error) { return config.ReadAdapter(path) }

// configured gives the service of an adapter with the configuration of its file.
func (p program) configured(ctx context.Context, conf *config.Adapter) (*adapters.Service, error) {
	raw, secrets, err := conf.Read(conf.Path)
	if err != nil {
		return nil, err
	}
	s := adapters.NewService(p.make())
	answer, err := s.Configure(ctx, &adapterv1.ConfigureRequest{Config: raw, Secrets: secrets})
	if err != nil {
		return nil, err
	}
	if len(answer.GetFindings()) > 0 {
		p.tell(answer.GetFindings())
		return nil, errFindings
	}
	return s, nil
}

// synthetic is the prefix of burgerservicenummers that are given to nobody.
const synthetic = "9999"

// fetch asks about a person who does not exist: that of a real one would stand in the
// shell's history.
func (p program) fetch(ctx context.Context, args []string) error {
	var file, number, from, to string
	var invented bool
	year := time.Now().Format("2006")
	args = joinNumber(args)
	if err := p.flags("fetch", args, func(s *flag.FlagSet) {
		fileFlag(s, &file)
		s.BoolVar(&invented, "synthetic", false, "the person does not exist: required")
		s.StringVar(&number, "number", "", "burgerservicenummer that begins with 9999; or the number of a student or pass; empty: nobody's")
		s.StringVar(&from, "from", year+"-01-01", "first civil date")
		s.StringVar(&to, "to", year+"-12-31", "last civil date, included")
	}); err != nil {
		return err
	}
	if !invented || number != "" && !strings.HasPrefix(number, synthetic) {
		fmt.Fprintln(p.err, "fetch: --synthetic is needed, and a number that begins with 9999: those are given to nobody")
		return ErrUsage
	}
	conf, err := readFile(file)
	if err != nil {
		return err
	}
	s, err := p.configured(ctx, conf)
	if err != nil {
		return err
	}
	what, err := s.Describe(ctx, nil)
	if err != nil {
		return err
	}
	answer, err := s.Fetch(ctx, adapters.SyntheticRequest(what, number, &budgetv1.Window{From: from, To: to}))
	if err != nil {
		return explained(err)
	}
	raw, err := protojson.Marshal(answer)
	if err != nil {
		return err
	}
	return printJSON(p.out, json.RawMessage(raw))
}

// joinNumber has "--synthetic NUMBER" mean "--synthetic --number NUMBER".
func joinNumber(args []string) []string {
	for i, a := range args {
		if (a == "--synthetic" || a == "-synthetic") && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			return append(append(append([]string{}, args[:i+1]...), "--number"), args[i+1:]...)
		}
	}
	return args
}

// explained says the reason and the place of an error of the service.
func explained(err error) error {
	if adapters.Reason(err) == "" {
		return err
	}
	text := adapters.Reason(err)
	if path := adapters.Path(err); path != "" {
		text += " at " + path
	}
	if rule := adapters.Rule(err); rule != "" {
		text += ": wanted " + rule
	}
	return errors.New(text)
}
