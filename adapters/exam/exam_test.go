package exam_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/adapters/exam"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// elsewhere listens at a port that no adapter may know.
func elsewhere(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func config(t testing.TB, args ...string) exam.Config {
	self, err := os.Executable()
	require.NoError(t, err)
	raw, err := json.Marshal(map[string]any{"party": "GM0119", "url": source(t), "port": elsewhere(t)})
	require.NoError(t, err)
	people, err := exam.ReadPersons("testdata/persons.yaml")
	require.NoError(t, err)
	return exam.Config{
		Command: append([]string{self}, args...), JSON: raw, Persons: people, Manifest: manifestOf(t),
		Secrets:  map[string]string{"token": token, "record_key": strings.Repeat("5a", 32)},
		Parallel: 64, Soak: 150,
	}
}

func manifestOf(t testing.TB) func(*adapterv1.DescribeResponse) string {
	d := (&clerk{}).Describe()
	d.Capabilities = []string{"probe", "validate"}
	schema := d.ConfigSchema
	d.ConfigSchema = nil
	raw, err := protojson.Marshal(d)
	require.NoError(t, err)
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &all))
	all["configSchema"] = schema
	raw, err = json.Marshal(all)
	require.NoError(t, err)
	manifest, err := exam.Described(raw)
	require.NoError(t, err)
	return manifest
}

func examined(t testing.TB, c exam.Config) *exam.Report {
	r, err := exam.Run(t.Context(), c)
	require.NoError(t, err)
	return r
}

func printed(t testing.TB, r *exam.Report) string {
	var b strings.Builder
	require.NoError(t, r.Write(&b, exam.FormatText, "en"))
	return b.String()
}

// An adapter that does as it should passes all there is, by hand and with the kit.
func TestAWholeAdapterPasses(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"adapter", ""}, {"kit"}} {
		r := examined(t, config(t, args...))
		require.Empty(t, r.Failures(true), printed(t, r))
		require.Empty(t, r.Failures(false), printed(t, r))
		for _, one := range r.Results {
			if one.Group() != "remote" {
				require.Equal(t, exam.Passed, one.Outcome, "%s: %s", one.ID, one.Seen.EN)
			}
		}
	}
}

// few are examined in every run, one of a kind; with ONTSCHOT_LONG=1 all of them are.
func few() []broken {
	return []broken{
		"prints on stdout", "ignores its lifeline", "is another each time", "takes a bad configuration", "prints its secret", "crashes on second use",
		"answers of another person", "says more than was asked", "has money as a float", "ends all by a panic", "ignores a deadline",
		"says nothing when it is down", "goes on when hung up on", "says a number in an error", "has a name in a label",
	}
}

// Each broken adapter fails the one check that is of what is broken, and no other that must
// pass.
func TestEachBrokenAdapterFailsItsCheck(t *testing.T) {
	t.Parallel()
	all := brokenOnes()
	names := few()
	if os.Getenv("ONTSCHOT_LONG") == "1" {
		names = slices.Sorted(maps.Keys(all))
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	reports := map[broken]*exam.Report{}
	room := make(chan struct{}, 12) // most of an exam is waiting
	for _, name := range names {
		c := config(t, "adapter", string(name))
		room <- struct{}{}
		wait.Go(func() {
			defer func() { <-room }()
			r, err := exam.Run(t.Context(), c)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			reports[name] = r
		})
	}
	wait.Wait()
	for _, name := range names {
		r, want := reports[name], all[name]
		require.NotNil(t, r, name)
		require.NotEmpty(t, want, name)
		if !assert.Equal(t, []string{want}, r.Failures(true), "%s\n%s", name, printed(t, r)) {
			continue
		}
		require.False(t, r.Passed())
		text := printed(t, r) + fmt.Sprint(r)
		for _, secret := range []string{anna, bert, chris, annasName, token} {
			require.NotContains(t, text, secret, "a report says no value of a person")
		}
	}
}

// There is no check that must pass and that nothing was seen to fail.
func TestEachCheckIsFailedBySomeone(t *testing.T) {
	c := config(t, "adapter", "does not greet")
	failed := slices.Collect(maps.Values(brokenOnes()))
	for _, one := range examined(t, c).Results {
		if one.Must && one.Group() != "remote" {
			require.Contains(t, failed, one.ID)
		}
	}
}

// A report says the same in every form, and in both languages.
func TestReports(t *testing.T) {
	r := examined(t, config(t, "adapter", "has no health"))
	var raw, junit, dutch strings.Builder
	require.NoError(t, r.Write(&raw, exam.FormatJSON, "nl"))
	require.NoError(t, r.Write(&junit, exam.FormatJUnit, "nl"))
	require.NoError(t, r.Write(&dutch, exam.FormatText, "nl"))
	var said struct {
		Adapter string
		Passed  bool
		Results []struct {
			ID, Outcome string
			Must        bool
			Sentence    struct{ NL, EN string }
			Repair      struct{ NL, EN string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(raw.String()), &said))
	require.Equal(t, "clerk", said.Adapter)
	require.False(t, said.Passed)
	var suites struct {
		Suites []struct {
			Name            string `xml:"name,attr"`
			Tests, Failures int    `xml:",attr"`
			Cases           []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal([]byte(junit.String()), &suites))
	tests := map[string]bool{}
	for _, suite := range suites.Suites {
		for _, one := range suite.Cases {
			tests[one.Name] = one.Failure != nil
		}
	}
	require.Len(t, tests, len(said.Results))
	for _, one := range said.Results {
		require.Equal(t, one.Must && one.Outcome == "failed", tests[one.ID], one.ID)
		require.Contains(t, dutch.String(), one.Sentence.NL, one.ID)
		require.NotEqual(t, one.Sentence.NL, one.Sentence.EN)
		require.NotEmpty(t, one.Repair.NL)
		require.NotEmpty(t, one.Repair.EN)
	}
	require.Contains(t, dutch.String(), "Gezakt.")
	require.Contains(t, printed(t, r), "Not passed.")
}

// What cannot be examined is an error, and no report.
func TestWhatCannotBeExamined(t *testing.T) {
	for name, c := range map[string]exam.Config{
		"nothing": {}, "both": {Command: []string{"x"}, Address: "x:1"}, "no certificates": {Address: "x:1"},
	} {
		_, err := exam.Run(t.Context(), c)
		require.ErrorIs(t, err, exam.ErrConfig, name)
	}
	r := examined(t, exam.Config{Command: []string{"/nonexistent/adapter"}})
	require.Equal(t, []string{"lifecycle.handshake"}, r.Failures(true))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := exam.Run(ctx, config(t, "adapter", ""))
	require.ErrorIs(t, err, context.Canceled)
}

var update = flag.Bool("update", false, "write the answers anew")

// What is recorded is what the file says.
func TestWhatIsRecordedIsTheFile(t *testing.T) {
	c := config(t, "adapter", "")
	raw, err := exam.Record(t.Context(), c)
	require.NoError(t, err)
	said, err := os.ReadFile("testdata/persons.yaml")
	require.NoError(t, err)
	head, _, _ := strings.Cut(string(said), "\n")
	if *update {
		require.NoError(t, os.WriteFile("testdata/persons.yaml", []byte(head+"\n"+string(raw)), 0o644))
		return
	}
	require.Equal(t, string(said), head+"\n"+string(raw))
}

// Without persons nothing is said of answers; an address that the exam cannot come between is
// no failure either.
func TestWhatDoesNotApplyIsNotPassed(t *testing.T) {
	t.Parallel()
	c := config(t, "adapter", "")
	c.Persons, c.Manifest = nil, nil
	c.JSON = []byte(`{"party":"GM0119","url":"https://source.example"}`)
	r := examined(t, c)
	require.Empty(t, r.Failures(true), printed(t, r))
	for _, one := range r.Results {
		if slices.Contains([]string{"fetch", "failure"}, one.Group()) {
			require.Equal(t, exam.NotApplicable, one.Outcome, one.ID)
		}
	}
	require.Contains(t, printed(t, r), "no persons were given")
	c = config(t, "adapter", "")
	c.JSON = []byte(strings.Replace(string(c.JSON), "http://127.0.0.1", "https://source.invalid", 1))
	for _, one := range examined(t, c).Results {
		if one.Group() == "failure" {
			require.Contains(t, []exam.Outcome{exam.NotApplicable, exam.NotReached}, one.Outcome, one.ID)
		}
	}
}
