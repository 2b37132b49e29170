package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/policy/impact"
	"github.com/ontschot/ontschot/gateway/wording"
)

// contractCheck is the version of the contract in which policy check reports.
const contractCheck = "ontschot.policy-check/1"

// errProblems means that something is wrong in policies that can be used.
var errProblems = errors.New("something in these policies is not as it should be")

// officer is what the commands of a privacy officer have in common: a folder, and how it is
// told.
type officer struct{ dir, lang, format string }

func (o *officer) flags(c *cobra.Command, formats string) {
	f := c.Flags()
	f.StringVar(&o.dir, "dir", "", "the folder of policies; without it those that are built in")
	f.StringVar(&o.lang, "lang", language(), "language of the texts: nl or en; default by LANG, and nl")
	f.StringVar(&o.format, "format", "table", formats)
}

// open reads the folder once it is clear how it is to be told. Errors: errUsage, policy.ErrRules.
func (o *officer) open(formats ...string) (fs.FS, error) {
	if o.lang != wording.Dutch && o.lang != wording.English {
		return nil, fmt.Errorf("%w: --lang is nl or en", errUsage)
	}
	if !slices.Contains(formats, o.format) {
		return nil, fmt.Errorf("%w: --format is one of %s", errUsage, strings.Join(formats, ", "))
	}
	return openPolicies(o.dir)
}

// say gives the text of the language that was asked for.
func (o *officer) say(nl, en string) string {
	if o.lang == wording.English {
		return en
	}
	return nl
}

// told is an error in the language that was asked for.
func (o *officer) told(err error) error {
	var problems policy.Problems
	if !errors.As(err, &problems) || o.lang == wording.English {
		return err
	}
	lines := []string{"deze regels kunnen niet worden gebruikt:"}
	for _, p := range problems {
		lines = append(lines, p.In(o.lang))
	}
	return &toldError{strings.Join(lines, "\n"), err}
}

// toldError is an error in other words.
type toldError struct {
	text string
	err  error
}

// Error is in those words.
func (e *toldError) Error() string { return e.text }

// Unwrap is the error itself.
func (e *toldError) Unwrap() error { return e.err }

func policyCheckCommand() *cobra.Command {
	var o officer
	c := &cobra.Command{
		Use:   "check",
		Short: "Say everything that is wrong in a folder of policies, each with its place",
		Long: `Say everything that is wrong in a folder of policies at once, each with file, line and column, and which word
was probably meant: tables, rules, cases, texts, and what works but cannot be meant, such as a cell of the matrix
that no case touches. Exit code 1 when something is wrong, 5 when a gateway would not start with it.`,
		Example: "  ontschot policy check --dir policies\n  ontschot policy check --dir policies --lang en --format json",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			fsys, err := o.open("table", "json")
			if err != nil {
				return err
			}
			problems, report := policy.Check(c.Context(), fsys)
			problems = append(problems, textProblems(fsys, problems)...)
			if report != nil {
				problems = append(problems, factorProblems(c.Context(), fsys)...)
			}
			if err := o.printCheck(c.OutOrStdout(), problems, report); err != nil {
				return err
			}
			wrong := slices.DeleteFunc(slices.Clone(problems), func(p policy.Problem) bool { return p.Notice })
			switch {
			case len(wrong) == 0:
				return nil
			case report == nil:
				return &toldError{o.counted(problems) + o.say(": deze regels kunnen niet worden gebruikt", ": these rules cannot be used"), policy.ErrRules}
			}
			return &toldError{o.counted(problems), errProblems}
		},
	}
	o.flags(c, "table, or json: exactly one object on stdout")
	return c
}

// textProblems is what the texts are refused for, unless something was said of that file.
func textProblems(fsys fs.FS, said policy.Problems) policy.Problems {
	texts, err := wording.ReadTexts(fsys)
	if err == nil {
		_, err = wording.ReadAgreementTexts(fsys, texts)
	}
	if err == nil {
		return nil
	}
	file, text, _ := strings.Cut(strings.TrimPrefix(err.Error(), wording.ErrTable.Error()+": "), ": ")
	if slices.ContainsFunc(said, func(p policy.Problem) bool {
		return strings.HasPrefix(p.File, strings.TrimSuffix(file, "{nl,en}.yaml"))
	}) {
		return nil
	}
	return policy.Problems{{File: file, NL: "de teksten zijn niet volledig: " + text, EN: text}}
}

// factorProblems is why these rules cannot be compared with others.
func factorProblems(ctx context.Context, fsys fs.FS) policy.Problems {
	core, err := policy.ReadCore(ctx, fsys)
	if err == nil {
		err = impact.Factors(ctx, core)
	}
	if err == nil {
		return nil
	}
	return policy.Problems{{File: "rules/core", NL: "deze regels zijn met geen andere te vergelijken: " + err.Error(), EN: err.Error()}}
}

func (o *officer) printCheck(w io.Writer, problems policy.Problems, report *policy.CaseReport) error {
	revision := ""
	if report != nil {
		revision = report.Revision
	}
	if o.format == "json" {
		return json.NewEncoder(w).Encode(map[string]any{
			"contract": contractCheck, "revision": revision, "problems": slices.Concat(policy.Problems{}, problems),
			"passed": !slices.ContainsFunc(problems, func(p policy.Problem) bool { return !p.Notice }),
		})
	}
	var out strings.Builder
	for _, p := range problems {
		line := p.In(o.lang)
		if p.Notice {
			line += o.say(" (let op)", " (notice)")
		}
		out.WriteString(line + "\n")
	}
	if report != nil {
		fmt.Fprintf(&out, o.say("%s. %d gevallen, %d vakken, %d deuren. Revisie %s.\n", "%s. %d cases, %d cells, %d doors. Revision %s.\n"), o.counted(problems),
			len(report.Cases), len(report.Coverage.Cells), len(report.Coverage.Doors), revision[:12])
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// counted says how much is wrong.
func (o *officer) counted(problems policy.Problems) string {
	notices := 0
	for _, p := range problems {
		if p.Notice {
			notices++
		}
	}
	text := fmt.Sprintf(o.say("%d fout(en)", "%d mistake(s)"), len(problems)-notices)
	if len(problems) == notices {
		text = o.say("In orde", "In order")
	}
	if notices > 0 {
		text += fmt.Sprintf(o.say(", %d keer let op", ", %d notice(s)"), notices)
	}
	return text
}
