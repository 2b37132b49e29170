package sandbox_test

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/exam"
	"github.com/ontschot/ontschot/adapters/trial"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/sandbox"
)

var update = flag.Bool("update", false, "write the persons of the exams anew")

// Every adapter of ours passes the exam that everybody's must pass, in processes of its own,
// with the system of a case behind it.
func TestEveryAdapterPassesTheExam(t *testing.T) {
	cases := map[string]struct{ name, party string }{
		"municipality": {"meppel", "GM0119"}, "careoffice": {"meppel", "ZK5503"}, "uwv": {"woerden", "UWV"}, "svb": {"meppel", "SVB"},
		"cak": {"meppel", "CAK"}, "education": {"woerden", "SWV2602"}, "transport": {"woerden", "VALYS"}, "insurer": {"diemen-zwolle", "UZOVI9991"},
	}
	require.ElementsMatch(t, slices.Collect(maps.Values(kinds())), slices.Collect(maps.Keys(cases)))
	var wait sync.WaitGroup // most of an exam is waiting
	for kind, of := range cases {
		c := examOf(t, kind, embedded(t, of.name), of.party)
		wait.Go(func() {
			file := filepath.Join("testdata", "exam", kind+".yaml")
			if *update {
				raw, err := exam.Record(t.Context(), c)
				if !assert.NoError(t, err, kind) {
					return
				}
				assert.NoError(t, os.WriteFile(file, append([]byte("# What must come of the persons of the case "+of.name+".\n"), raw...), 0o644))
			}
			var err error
			c.Persons, err = exam.ReadPersons(file)
			if !assert.NoError(t, err, kind) {
				return
			}
			r, err := exam.Run(t.Context(), c)
			if assert.NoError(t, err, kind) {
				passes(t, r)
			}
		})
	}
	wait.Wait()
}

// passes looks whether nothing failed, and everything that applies to a program was reached.
func passes(t *testing.T, r *exam.Report) {
	var text strings.Builder
	assert.NoError(t, r.Write(&text, exam.FormatText, "en"))
	assert.Empty(t, slices.Concat(r.Failures(true), r.Failures(false)), text.String())
	for _, one := range r.Results {
		beside := []string{"describe.manifest", "config.validate-takes-nothing"} // for want of a manifest, or of the capability
		if one.Must && one.Group() != "remote" && !(one.Outcome == exam.NotApplicable && slices.Contains(beside, one.ID)) {
			assert.Equal(t, exam.Passed, one.Outcome, "%s: %s: %s", r.Adapter, one.ID, one.Seen.EN)
		}
	}
}

// examOf is what an adapter is examined with: the system of a party, and the household.
func examOf(t *testing.T, kind string, c *casefile.Case, party string) exam.Config {
	ca := trial.NewCA(t)
	pair := ca.Pair(party)
	box, err := sandbox.Start(sandbox.Config{
		Case: c, CA: ca.Pool(), Certificate: func(string) tls.Certificate { return pair }, ClientSecret: func(string) string { return secret },
	})
	require.NoError(t, err)
	t.Cleanup(box.Close)
	of, ok := c.Party(party)
	require.True(t, ok)
	certificate, key := ca.Issue("gateway")
	conf := map[string]any{"party": party, "scheme_codes": []string{of.SchemeCode()}, "url": box.URL(party), "ca_pem": ca.PEM(), "cert_pem": certificate}
	secrets := map[string]string{"tls_key": key, "record_key": strings.Repeat("5a", 32)}
	if box.TokenURL(party) != "" {
		conf["token_url"], conf["client_id"], secrets["client_secret"] = box.TokenURL(party), "gateway", secret
	}
	if kind == "uwv" {
		conf["signer_pem"] = trial.PEM(pair)
	}
	raw, err := json.Marshal(conf)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	people := &exam.Persons{Party: party, From: c.Window.From.String(), To: c.Window.To.String(), HistoryFrom: c.Window.From.AddMonths(-12).String()}
	for _, m := range c.Household {
		if kind == "education" && m.IDs.Onderwijsnummer == "" || kind == "transport" && m.IDs.Pasnummer == "" {
			continue // a source that knows them by no number
		}
		people.Persons = append(people.Persons, exam.Person{ID: string(m.Ref), Name: m.Name, Numbers: exam.Numbers{
			BSN: m.BSN, EducationNumber: m.IDs.Onderwijsnummer, PassNumber: m.IDs.Pasnummer,
		}})
	}
	return exam.Config{
		Command: []string{self, "adapter", kind}, JSON: raw, Secrets: secrets, Persons: people, Parallel: 128, Soak: 200,
	}
}
