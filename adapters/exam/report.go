package exam

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// Outcome of a check.
type Outcome string

// The outcomes.
const (
	Passed        Outcome = "passed"
	Failed        Outcome = "failed"
	NotApplicable Outcome = "not applicable" // of this adapter, or where it runs, it cannot be said
	NotReached    Outcome = "not reached"    // something else must be repaired first
)

// Text in both languages.
type Text struct {
	NL string `json:"nl" yaml:"nl"`
	EN string `json:"en" yaml:"en"`
}

// text fills both languages with the same values.
func text(nl, en string, args ...any) Text {
	return Text{NL: fmt.Sprintf(nl, args...), EN: fmt.Sprintf(en, args...)}
}

func (t Text) in(lang string) string {
	if lang == "en" {
		return t.EN
	}
	return t.NL
}

// Result of one check.
type Result struct {
	words
	Outcome      Outcome `json:"outcome"`
	Seen         Text    `json:"seen"` // never a value of a person
	Milliseconds int64   `json:"milliseconds"`
}

// Figures that were measured; zero: not measured.
type Figures struct {
	StartMilliseconds int64 `json:"start_ms"`         // from start to the answer of Describe
	IdleKiB           int64 `json:"idle_private_kib"` // private memory, configured and idle
	SoakCalls         int   `json:"soak_calls"`
	SoakGrowthKiB     int64 `json:"soak_growth_kib"` // private memory after the soak, less that before
}

// Report is what came of an exam.
type Report struct {
	Adapter string   `json:"adapter"`
	Version string   `json:"version"`
	Target  string   `json:"target"` // program or address
	Results []Result `json:"results"`
	Figures Figures  `json:"figures"`
}

// Passed reports whether everything passes that must; what does not apply does not count.
func (r *Report) Passed() bool { return len(r.Failures(true)) == 0 }

// Failures are the ids of the checks that failed: of those that must pass, or should.
func (r *Report) Failures(must bool) (ids []string) {
	for _, one := range r.Results {
		if one.Must == must && one.Outcome == Failed {
			ids = append(ids, one.ID)
		}
	}
	return ids
}

func (r *Report) count(o Outcome) (n int) {
	for _, one := range r.Results {
		if one.Outcome == o {
			n++
		}
	}
	return n
}

// The forms of a report.
const (
	FormatText  = "text"
	FormatJSON  = "json"
	FormatJUnit = "junit"
)

// IsFormat reports whether Write has a form.
func IsFormat(format string) bool {
	return format == FormatText || format == FormatJSON || format == FormatJUnit
}

// Write writes the report as text in a language (nl or en), as JSON, or as JUnit's XML.
func (r *Report) Write(to io.Writer, format, lang string) error {
	switch format {
	case FormatJSON:
		e := json.NewEncoder(to)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			*Report
			Passed bool `json:"passed"`
		}{r, r.Passed()})
	case FormatJUnit:
		return r.junit(to, lang)
	}
	_, err := io.WriteString(to, r.text(lang))
	return err
}

func (r *Report) text(lang string) string {
	say := func(nl, en string) string { return Text{nl, en}.in(lang) }
	mark := map[Outcome]string{
		Passed: "ok  ", Failed: say("FOUT", "FAIL"), NotApplicable: say("nvt ", "n/a "), NotReached: "... ",
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s  (%s)\n", r.Adapter, r.Version, r.Target)
	group := ""
	for _, one := range r.Results {
		if one.Group() != group {
			group = one.Group()
			fmt.Fprintf(&b, "\n%s\n", group)
		}
		level := say("moet", "MUST")
		if !one.Must {
			level = say("hoort", "SHOULD")
		}
		fmt.Fprintf(&b, "  %s %-32s %s\n", mark[one.Outcome], one.ID, one.Sentence.in(lang))
		if seen := one.Seen.in(lang); seen != "" {
			fmt.Fprintf(&b, "       %s: %s\n", say("gezien", "seen"), seen)
		}
		if one.Outcome == Failed {
			fmt.Fprintf(&b, "       %s; %s: %s\n", level, say("herstel", "repair"), one.Repair.in(lang))
		}
	}
	f := r.Figures
	fmt.Fprintf(&b, "\nstart %d ms, %s %d KiB, %s %d: %+d KiB\n", f.StartMilliseconds, say("in rust", "idle"), f.IdleKiB,
		say("vragen na elkaar", "calls in a row"), f.SoakCalls, f.SoakGrowthKiB)
	fmt.Fprintf(&b, "%d %s, %d %s, %d %s, %d %s\n", r.count(Passed), say("in orde", "passed"), r.count(Failed), say("fout", "failed"),
		r.count(NotReached), say("niet bereikt", "not reached"), r.count(NotApplicable), say("niet van toepassing", "not applicable"))
	if r.Passed() {
		fmt.Fprintln(&b, say("Geslaagd: alles wat moet, is in orde.", "Passed: all that must be so is so."))
	} else {
		fmt.Fprintln(&b, say("Gezakt.", "Not passed."))
	}
	return b.String()
}

// The parts of JUnit's XML that the tools read.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Name    string       `xml:"name,attr"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string     `xml:"classname,attr"`
		Name    string     `xml:"name,attr"`
		Time    string     `xml:"time,attr"`
		Failure *junitSeen `xml:"failure"`
		Skipped *junitSeen `xml:"skipped"`
	}
	junitSeen struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit has a suite for each group. What only should be so, and is not, is skipped there: a
// build that reads it fails as the exam does.
func (r *Report) junit(to io.Writer, lang string) error {
	all := junitSuites{Name: strings.TrimSpace(r.Adapter + " " + r.Version)}
	for _, one := range r.Results {
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != one.Group() {
			all.Suites = append(all.Suites, junitSuite{Name: one.Group()})
		}
		s := &all.Suites[len(all.Suites)-1]
		c := junitCase{Class: "exam." + one.Group(), Name: one.ID, Time: fmt.Sprintf("%.3f", float64(one.Milliseconds)/1000)}
		switch {
		case one.Outcome == Failed && one.Must:
			c.Failure = &junitSeen{Message: one.Seen.in(lang), Text: one.Sentence.in(lang) + "\n" + one.Repair.in(lang)}
			s.Failures++
		case one.Outcome != Passed:
			c.Skipped = &junitSeen{Message: string(one.Outcome) + ": " + one.Seen.in(lang)}
			s.Skipped++
		}
		s.Tests++
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(to, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(to)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(to, "\n")
	return err
}
