package main

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/wording"
)

// errCases means that a case comes out otherwise than it says.
var errCases = errors.New("not every case comes out as it says")

func policyTestCommand() *cobra.Command {
	var o officer
	var file string
	c := &cobra.Command{
		Use:   "test",
		Short: "Run the worked cases of a folder of policies",
		Long: `Run the worked cases of a folder of policies: each on a line, in the words of who wrote it, and where it comes
out otherwise what was expected, what it is now, and why. Then how many cases touch each cell, door and code. The
cases are judged by the Rego test in the folder, which stock OPA runs as well. Exit code 1 when a case fails, 5 when
the folder cannot be used.`,
		Example: "  ontschot policy test --dir policies\n  ontschot policy test --dir policies --format junit\n  ontschot policy test --dir policies --out test.json",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			fsys, err := o.open("table", "json", "junit")
			if err != nil {
				return err
			}
			report, err := policy.RunCases(c.Context(), fsys)
			if err != nil {
				return o.told(err)
			}
			texts, err := wording.ReadTexts(fsys)
			if err != nil {
				return err
			}
			if err := writeReport(file, report); err != nil {
				return err
			}
			if err := (&casePage{officer: o, texts: texts, report: report}).print(c.OutOrStdout()); err != nil {
				return err
			}
			if !report.Passed {
				return errCases
			}
			return nil
		},
	}
	o.flags(c, "table, json (exactly one object on stdout), or junit")
	c.Flags().StringVar(&file, "out", "", "a file for the report, JSON: an approval names it")
	return c
}

// reportBytes is a report as it is kept: the same report is the same bytes.
func reportBytes(report any) ([]byte, error) {
	raw, err := json.MarshalIndent(report, "", "  ")
	return append(raw, '\n'), err
}

// writeReport keeps a report in a file; no name keeps nothing.
func writeReport(file string, report any) error {
	if file == "" {
		return nil
	}
	raw, err := reportBytes(report)
	if err != nil {
		return err
	}
	return os.WriteFile(file, raw, 0o600)
}

// casePage tells how the cases came out.
type casePage struct {
	officer
	texts  *wording.Texts
	report *policy.CaseReport
}

func (p *casePage) print(w io.Writer) error {
	switch p.format {
	case "json":
		raw, err := reportBytes(p.report)
		if err == nil {
			_, err = w.Write(raw)
		}
		return err
	case "junit":
		return p.junit(w)
	}
	var out strings.Builder
	group, failed := "", 0
	for _, c := range p.report.Cases {
		if c.Group != group {
			group = c.Group
			fmt.Fprintf(&out, "\n%s\n", group)
		}
		if c.Passed {
			fmt.Fprintf(&out, "  PASS %s\n", c.Name)
			continue
		}
		failed++
		fmt.Fprintf(&out, "  FAIL %s\n", c.Name)
		for _, line := range p.why(c) {
			fmt.Fprintf(&out, "       %s\n", line)
		}
	}
	out.WriteString("\n" + p.coverage())
	fmt.Fprintf(&out, p.say("%d gevallen: %d goed, %d fout. Revisie %s.\n", "%d cases: %d passed, %d failed. Revision %s.\n"),
		len(p.report.Cases), len(p.report.Cases)-failed, failed, p.report.Revision[:12])
	_, err := io.WriteString(w, out.String())
	return err
}

// why tells what was expected of a case that failed, and what it is now.
func (p *casePage) why(c policy.CaseResult) []string {
	var lines []string
	for _, one := range c.Problems {
		lines = append(lines, one.In(p.lang))
	}
	if len(lines) > 0 {
		return lines
	}
	lines = append(lines, p.say("verwacht: ", "expected: ")+p.answer(c.Expected), p.say("gekregen: ", "got:      ")+p.answer(c.Got))
	for _, code := range c.Got.Codes {
		if reason, ok := p.texts.Reason(code, p.lang); ok && !slices.Contains(c.Expected.Codes, code) {
			lines = append(lines, fmt.Sprintf("%s: %s. %s (%s)", code, reason.Short, reason.Explanation, reason.Article))
		}
	}
	for _, category := range slices.Sorted(maps.Keys(c.Got.Dropped)) {
		code := c.Got.Dropped[category]
		if reason, ok := p.texts.Reason(code, p.lang); ok && c.Expected.Dropped[category] != code {
			lines = append(lines, fmt.Sprintf("%s: %s: %s (%s)", p.texts.Label("categories", category, p.lang), code, reason.Short, reason.Article))
		}
	}
	return lines
}

// answer words an outcome.
func (p *casePage) answer(a policy.CaseAnswer) string {
	parts := []string{map[string]string{"allow": p.say("mag", "allowed"), "deny": p.say("mag niet", "not allowed")}[a.Decision]}
	if len(a.Codes) > 0 {
		parts = append(parts, strings.Join(a.Codes, " "))
	}
	for _, category := range slices.Sorted(maps.Keys(a.Fields)) {
		one := p.texts.Label("categories", category, p.lang)
		if mask := a.Fields[category]; mask != "none" {
			one += " (" + mask + ")"
		}
		parts = append(parts, one)
	}
	for _, category := range slices.Sorted(maps.Keys(a.Dropped)) {
		parts = append(parts, p.say("niet ", "not ")+p.texts.Label("categories", category, p.lang)+" ("+a.Dropped[category]+")")
	}
	if a.RetentionDays > 0 {
		parts = append(parts, fmt.Sprintf(p.say("%d dagen bewaren", "retained %d days"), a.RetentionDays))
	}
	if a.Basis != "" {
		parts = append(parts, a.Basis)
	}
	return strings.Join(parts, "; ") // a label may hold a comma
}

// coverage tells which cells, doors and codes the cases touch.
func (p *casePage) coverage() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n", p.say("Vakken van de matrix: gegevens die een geval geeft, en hoeveel gevallen erover gaan", "Cells of the matrix: data that a case gives, and how many cases are about it"))
	for _, c := range p.report.Coverage.Cells {
		fmt.Fprintf(&out, "  %-24s %-13s %-14s %d/%d  %3d\n", c.Purpose, c.Source, c.Law, c.Given, c.Of, c.Cases)
	}
	for _, list := range []struct {
		title string
		of    []policy.CountCoverage
	}{
		{p.say("Deuren", "Doors"), p.report.Coverage.Doors}, {p.say("Codes", "Codes"), p.report.Coverage.Codes},
	} {
		var words []string
		for _, one := range list.of {
			words = append(words, fmt.Sprintf("%s %d", one.Name, one.Cases))
		}
		fmt.Fprintf(&out, "%s: %s\n", list.title, strings.Join(words, ", "))
	}
	return out.String() + "\n"
}

// The parts of JUnit's XML that the tools read.
type (
	caseSuites struct {
		XMLName xml.Name    `xml:"testsuites"`
		Name    string      `xml:"name,attr"`
		Suites  []caseSuite `xml:"testsuite"`
	}
	caseSuite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Cases    []caseTest `xml:"testcase"`
	}
	caseTest struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Failure *caseFailure `xml:"failure"`
	}
	caseFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

func (p *casePage) junit(w io.Writer) error {
	all := caseSuites{Name: "ontschot policy " + p.report.Revision}
	for _, c := range p.report.Cases {
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != c.Group {
			all.Suites = append(all.Suites, caseSuite{Name: c.Group})
		}
		s := &all.Suites[len(all.Suites)-1]
		one := caseTest{Class: "policy." + c.Group, Name: c.Name}
		if !c.Passed {
			lines := p.why(c)
			one.Failure = &caseFailure{Message: cmp.Or(lines[0], c.Name), Text: strings.Join(lines, "\n")}
			s.Failures++
		}
		s.Tests++
		s.Cases = append(s.Cases, one)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
