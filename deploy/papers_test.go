package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return string(raw)
}

// tracked are the files of the project, also those that are not committed yet.
func tracked(t *testing.T) []string {
	t.Helper()
	c := exec.Command("git", "ls-files", "-co", "--exclude-standard")
	c.Dir = root
	out, err := c.Output()
	require.NoError(t, err)
	all := strings.Fields(string(out))
	require.Greater(t, len(all), 1000)
	return all
}

// tests are all there are, as text.
var tests = sync.OnceValues(func() (string, error) {
	var all strings.Builder
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			raw, failed := os.ReadFile(path)
			all.Write(raw)
			return failed
		}
		return err
	})
	return all.String(), err
})

// anchor of a heading, as hosts of repositories make it.
func anchor(heading string) string {
	kept := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(heading), "")
	return strings.ReplaceAll(strings.TrimSpace(kept), " ", "-")
}

// follows every link and every name of a test in a text, and counts them.
func follows(t *testing.T, page, text string) int {
	t.Helper()
	count := 0
	for _, m := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
		if strings.HasPrefix(m[1], "https://") {
			continue
		}
		count++
		name, place, deep := strings.Cut(m[1], "#")
		target := page
		if name != "" {
			target = filepath.Join(filepath.Dir(page), name)
		}
		require.FileExists(t, maybe(t, target), "%s: %s", page, m[1])
		if deep {
			headings := regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(read(t, target), -1)
			require.True(t, slices.ContainsFunc(headings, func(h []string) bool { return anchor(h[1]) == place }), "%s: %s has no such heading", page, m[1])
		}
	}
	code, err := tests()
	require.NoError(t, err)
	for _, m := range regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(text, -1) {
		count++
		require.True(t, strings.Contains(code, "func "+m[1]+"("), "%s: there is no %s", page, m[1])
	}
	return count
}

// maybe gives a file for a folder that is there.
func maybe(t *testing.T, target string) string {
	t.Helper()
	path := filepath.Join(root, target)
	if is, err := os.Stat(path); err == nil && is.IsDir() {
		inside, err := filepath.Glob(path + "/*.*")
		require.NoError(t, err)
		require.NotEmpty(t, inside, target)
		return inside[0]
	}
	return path
}

// rows of the tables under the second-level headings of a page, without their heads.
func rows(text string) (all [][]string) {
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if strings.HasPrefix(line, "| ") && len(cells) == 3 && cells[0] != "| requirement" && cells[0] != "| control" {
			all = append(all, []string{strings.TrimPrefix(cells[0], "| "), cells[1], strings.TrimSuffix(cells[2], " |")})
		}
	}
	return all
}

// Each requirement of version 0.8.0 is met with something that proves it, or says plainly why not.
func TestEveryRequirementHasItsProof(t *testing.T) {
	const page = "docs/standard-for-public-code.md"
	criteria := strings.Split(read(t, page), "\n## ")[1:]
	var counts []int
	for _, c := range criteria {
		name, _, _ := strings.Cut(c, "\n")
		here := rows(c)
		counts = append(counts, len(here))
		for _, r := range here {
			require.Regexp(t, `^(MUST|SHOULD|OPTIONAL)`, r[0], name)
			if strings.Contains(r[1], "not met") || r[1] == "partly" {
				require.Contains(t, r[2], "because", "%s: %s", name, r[0])
			} else {
				require.Equal(t, "met", r[1], "%s: %s", name, r[0])
			}
		}
	}
	require.Equal(t, []int{5, 4, 10, 8, 5, 8, 9, 3, 9, 8, 7, 10, 6, 10, 4, 6}, counts, "as many as the standard has")
	require.Greater(t, follows(t, page, read(t, page)), 90)
}

// Each control says what proves that the program does its part, and what is left to the operator.
func TestEveryControlHasItsProof(t *testing.T) {
	const page = "docs/bio2.md"
	controls := rows(read(t, page))
	require.Greater(t, len(controls), 40)
	for _, c := range controls {
		require.Regexp(t, `^[5-8]\.\d+ `, c[0])
		require.NotEmpty(t, c[2], c[0])
		if c[0] != "8.14 redundancy" { // there is none
			require.Positive(t, follows(t, page, c[1]), c[0])
		}
	}
	follows(t, page, read(t, page))
}

// The other papers lead somewhere too.
func TestPapersLeadSomewhere(t *testing.T) {
	for _, page := range []string{"SECURITY.md", "GOVERNANCE.md", "CODE_OF_CONDUCT.md", "deploy/README.md"} {
		follows(t, page, read(t, page))
	}
	for _, section := range []string{"## What is supported", "within two working days", "security@ontschot.nl"} {
		require.Contains(t, read(t, "SECURITY.md"), section)
	}
}

// publiccode.yml has what the standard of that name (core, 0.4) makes mandatory, within its bounds.
func TestPubliccodeIsWellFormed(t *testing.T) {
	var p struct {
		Version           string `yaml:"publiccodeYmlVersion"`
		Name, URL         string
		LandingURL        string `yaml:"landingURL"`
		Platforms         []string
		Categories        []string
		DevelopmentStatus string                              `yaml:"developmentStatus"`
		SoftwareType      string                              `yaml:"softwareType"`
		IntendedAudience  struct{ Countries, Scope []string } `yaml:"intendedAudience"`
		Description       map[string]struct {
			Short    string `yaml:"shortDescription"`
			Long     string `yaml:"longDescription"`
			Features []string
		}
		Legal struct {
			License string
			Owner   string `yaml:"mainCopyrightOwner"`
			Repo    string `yaml:"repoOwner"`
		}
		Maintenance struct {
			Type     string
			Contacts []struct{ Name, Email string }
		}
		Localisation struct {
			Ready     bool     `yaml:"localisationReady"`
			Languages []string `yaml:"availableLanguages"`
		}
		DependsOn any `yaml:"dependsOn"`
	}
	d := yaml.NewDecoder(strings.NewReader(read(t, "publiccode.yml")))
	d.KnownFields(true)
	require.NoError(t, d.Decode(&p))
	require.Equal(t, "0.4", p.Version)
	for _, needed := range []string{p.Name, p.URL, p.LandingURL, p.Legal.License} {
		require.NotEmpty(t, needed)
	}
	require.Regexp(t, `^https://.+\.git$`, p.URL)
	require.NotEmpty(t, p.Platforms)
	require.NotEmpty(t, p.Categories)
	require.Contains(t, []string{"concept", "development", "beta", "stable", "obsolete"}, p.DevelopmentStatus)
	require.Equal(t, "standalone/backend", p.SoftwareType)
	for _, language := range []string{"en", "nl"} {
		text := p.Description[language]
		require.NotEmpty(t, text.Short)
		require.LessOrEqual(t, len([]rune(text.Short)), 150, language)
		require.GreaterOrEqual(t, len([]rune(text.Long)), 150, language)
		require.LessOrEqual(t, len([]rune(text.Long)), 10000, language)
		require.NotEmpty(t, text.Features)
		for _, f := range text.Features {
			require.LessOrEqual(t, len([]rune(f)), 100, f)
		}
		require.Contains(t, p.Localisation.Languages, language)
	}
	require.Contains(t, []string{"internal", "contract", "community", "none"}, p.Maintenance.Type)
	require.NotEmpty(t, p.Maintenance.Contacts, "of a community, mandatory")
	require.NotEmpty(t, p.Maintenance.Contacts[0].Name)
	require.True(t, p.Localisation.Ready)
	require.FileExists(t, filepath.Join(root, "LICENSES", p.Legal.License+".txt"))
}

// By the rules of REUSE: each file has a copyright and a licence, each licence has its text, and
// each text is of a licence that a file has.
func TestEveryFileHasALicence(t *testing.T) {
	type annotation struct{ path, licence, copyright string }
	var all []annotation
	for _, part := range strings.Split(read(t, "REUSE.toml"), "[[annotations]]")[1:] {
		value := func(key string) string {
			m := regexp.MustCompile(`(?m)^` + key + ` = "(.+)"$`).FindStringSubmatch(part)
			require.NotNil(t, m, key)
			return m[1]
		}
		all = append(all, annotation{value("path"), value("SPDX-License-Identifier"), value("SPDX-FileCopyrightText")})
	}
	used := map[string]int{}
	for _, file := range tracked(t) {
		var last annotation // the last that matches counts
		for _, a := range all {
			if prefix, is := strings.CutSuffix(a.path, "**"); is && strings.HasPrefix(file, prefix) || a.path == file {
				last = a
			}
		}
		require.NotEmpty(t, last.licence, file)
		require.Regexp(t, `^\d{4}(-\d{4})? .+`, last.copyright, file)
		used[last.licence]++
	}
	texts, err := filepath.Glob(filepath.Join(root, "LICENSES", "*.txt"))
	require.NoError(t, err)
	require.Len(t, texts, len(used))
	for licence := range used {
		require.FileExists(t, filepath.Join(root, "LICENSES", licence+".txt"))
	}
	require.Positive(t, used["Apache-2.0"])
	require.Equal(t, read(t, "LICENSE"), read(t, "LICENSES/EUPL-1.2.txt"))
	require.Contains(t, read(t, "LICENSES/Apache-2.0.txt"), "Version 2.0, January 2004")
}
