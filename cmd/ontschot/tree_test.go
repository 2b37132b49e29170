package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// commandsThatRun are all commands that do something, by their path without the program's name.
func commandsThatRun(c *cobra.Command) map[string]*cobra.Command {
	all := map[string]*cobra.Command{}
	for _, one := range c.Commands() {
		if one.Runnable() && one.Name() != "help" && one.Name() != "completion" && !one.Hidden && (!one.HasSubCommands() || one.Name() == "keys") {
			all[strings.TrimPrefix(one.CommandPath(), "ontschot ")] = one
		}
		for path, inner := range commandsThatRun(one) {
			all[path] = inner
		}
	}
	return all
}

// withoutTable are the commands whose answer is no table, and what it is.
func withoutTable() map[string][]string {
	return map[string][]string{
		"a document or a key, as it is":         {"agreement new", "dev token", "dev sign", "directory sign", "directory vouch", "adapter sign", "adapter trust", "schema", "policy approve"},
		"what was made, and what comes next":    {"dev init", "dev source", "adapter new"},
		"a log":                                 {"adapter logs"},
		"counts that policy status has as JSON": {"policy shadow"},
		"a program that runs until it is ended": {"serve", "sandbox", "adapter run"},
	}
}

// typed is a command line with as many arguments as the command takes.
func typed(c *cobra.Command, path string, more ...string) []string {
	args := strings.Fields(path)
	for n := range 3 {
		if c.Args == nil || c.Args(c, slices.Repeat([]string{"nowhere.json"}, n)) == nil {
			args = append(args, slices.Repeat([]string{"nowhere.json"}, n)...)
			break
		}
	}
	return append(args, more...)
}

func ran(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// What holds for one command holds for all: help with a sentence, an example and every flag
// explained; the nearest flag when one is typed wrong; a table or JSON; a missing file is wrong
// usage and says what to do.
func TestEveryCommandIsUsedAlike(t *testing.T) {
	t.Chdir(t.TempDir())
	var known []string
	for _, list := range withoutTable() {
		known = append(known, list...)
	}
	all := commandsThatRun(newRoot())
	require.Greater(t, len(all), 60)
	for _, path := range known {
		require.Contains(t, all, path, "no command any more")
	}
	for path, c := range all {
		require.NotEmpty(t, c.Short, path)
		require.NotContains(t, c.Short, ". ", "%s: one sentence", path)
		require.False(t, strings.HasSuffix(c.Short, "."), path)
		require.Contains(t, c.Example, "ontschot "+strings.Fields(path)[0], "%s: an example to work from", path)
		c.Flags().VisitAll(func(f *pflag.Flag) {
			require.NotEmpty(t, f.Usage, "%s --%s", path, f.Name)
		})
		if c.DisableFlagParsing {
			continue
		}
		code, out, errs := ran(t, typed(c, path, "--nothing-such")...)
		require.Equal(t, exitUsage, code, path)
		require.Empty(t, out, path)
		require.Contains(t, errs, "see ontschot "+path+" --help", path)

		if format := c.Flags().Lookup("format"); format != nil {
			require.False(t, slices.Contains(known, path), "%s has a table, by its flags", path)
			code, _, errs := ran(t, typed(c, path, "--format", "xml")...)
			require.Equal(t, exitUsage, code, "%s: %s", path, errs)
			code, _, errs = ran(t, typed(c, path, "--formt", "xml")...)
			require.Equal(t, exitUsage, code, path)
			require.Contains(t, errs, "did you mean --format?", path)
		} else {
			require.Contains(t, known, path, "%s: --format table|json, or say what its answer is", path)
		}
		if lang := c.Flags().Lookup("lang"); lang != nil {
			require.Equal(t, "nl", lang.DefValue, path)
		}
		if conf := c.Flags().Lookup("config"); conf != nil && path != "keys new" {
			code, _, errs := ran(t, typed(c, path, "--config", "nowhere.yaml")...)
			require.Equal(t, exitUsage, code, "%s: %s", path, errs)
			require.NotContains(t, errs, "goroutine", path)
		}
	}
}

// The texts are English where the machine speaks it, and else Dutch.
func TestTheLanguageOfTheMachine(t *testing.T) {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		t.Setenv(name, "")
	}
	for locale, lang := range map[string]string{"": "nl", "C.UTF-8": "nl", "nl_NL.UTF-8": "nl", "en_US.UTF-8": "en", "de_DE": "nl"} {
		t.Setenv("LANG", locale)
		require.Equal(t, lang, language(), locale)
		for path, c := range commandsThatRun(newRoot()) {
			if f := c.Flags().Lookup("lang"); f != nil {
				require.Equal(t, lang, f.DefValue, path)
			}
		}
	}
	t.Setenv("LC_ALL", "nl_NL.UTF-8")
	t.Setenv("LANG", "en_US.UTF-8")
	require.Equal(t, "nl", language())
}

// A word that is not known names the nearest; the version is said in both ways.
func TestWhatIsTypedNearly(t *testing.T) {
	for line, says := range map[string]string{
		"budgt get": "budget", "budget gte": "did you mean get?", "consent withdrw x": "did you mean withdraw?", "config chekc": "did you mean check?", "schema gatway": "gateway",
	} {
		code, _, errs := ran(t, strings.Fields(line)...)
		require.Equal(t, exitUsage, code, line)
		require.Contains(t, errs, says, line)
	}
	_, one, _ := ran(t, "--version")
	_, other, _ := ran(t, "version")
	require.Equal(t, one, other)
	require.Contains(t, one, version)
	for _, kind := range []string{"case", "gateway", "trust", "client", "mapping", "party", "adapter"} {
		code, out, errs := ran(t, "schema", kind)
		require.Equal(t, exitDone, code, errs)
		require.Contains(t, out, `"additionalProperties": false`)
	}
}
