package adapters_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/handshake"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// The test program is an adapter process when asked to be.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "adapter" {
		adapters.Serve(&fake{})
		return
	}
	os.Exit(m.Run())
}

type fake struct {
	err         error
	identifiers []string // nil is the BSN
}

func (f *fake) Describe() *adapterv1.DescribeResponse {
	needs := f.identifiers
	if needs == nil {
		needs = []string{"bsn"}
	}
	return &adapterv1.DescribeResponse{Id: "fake", Version: "1", Laws: []string{"WMO"}, Identifiers: needs}
}

func (*fake) Configure(_ context.Context, c adapters.Config) error {
	var settings struct {
		URL string `json:"url"`
	}
	return c.Decode(&settings)
}

func (f *fake) Fetch(_ context.Context, r *budgetv1.FetchRequest, _ *adapters.Writer) error {
	if f.err != nil {
		return f.err
	}
	_, err := adapters.TakeBSN(r)
	return err
}

func configure(s *adapters.Service, config string, secrets map[string]string) []string {
	a, err := s.Configure(context.Background(), &adapterv1.ConfigureRequest{Config: []byte(config), Secrets: secrets})
	if err != nil {
		return []string{err.Error()}
	}
	var paths []string
	for _, f := range a.GetFindings() {
		paths = append(paths, f.GetPath())
	}
	return paths
}

func secrets() map[string]string { return map[string]string{"record_key": strings.Repeat("ab", 32)} }

func TestConfigurationIsReadStrictly(t *testing.T) {
	s := adapters.NewService(&fake{})
	_, err := s.Fetch(t.Context(), ask(scope("WMO")))
	require.Equal(t, adapters.ReasonNotConfigured, adapters.Reason(err))
	require.Equal(t, []string{"secrets.record_key"}, configure(s, `{}`, nil))
	require.Equal(t, []string{"secrets.record_key"}, configure(s, `{}`, map[string]string{"record_key": "abcd"}))
	require.Equal(t, []string{"urll"}, configure(s, `{"urll":"x"}`, secrets()))
	require.Equal(t, []string{"url"}, configure(s, `{"url":1}`, secrets()))
	require.Equal(t, []string{"."}, configure(s, `{"url":`, secrets()))
	require.Equal(t, []string{"."}, configure(s, `{} {}`, secrets()))
	_, err = s.Fetch(t.Context(), ask(scope("WMO")))
	require.Equal(t, adapters.ReasonNotConfigured, adapters.Reason(err), "a refused configuration changes nothing")
	require.Empty(t, configure(s, `{"url":"x"}`, secrets()))
	a, err := s.Fetch(t.Context(), ask(scope("WMO")))
	require.NoError(t, err)
	require.Empty(t, a.GetLines())
}

func TestRequestIsChecked(t *testing.T) {
	s := adapters.NewService(&fake{})
	require.Empty(t, configure(s, `{}`, secrets()))
	for path, spoil := range map[string]func(r *budgetv1.FetchRequest){
		"scopes[0].law":           func(r *budgetv1.FetchRequest) { r.Scopes[0].Law = "WIA" },
		"scopes[0].categories[0]": func(r *budgetv1.FetchRequest) { r.Scopes[0].Categories = []string{"diagnosis"} },
		"identifiers":             func(r *budgetv1.FetchRequest) { r.Identifiers = nil },
		"identifiers.bsn":         func(r *budgetv1.FetchRequest) { r.Identifiers.Bsn = "999940005" },
		"window.from":             func(r *budgetv1.FetchRequest) { r.Window.From = "2025-02-31" },
		"window.to":               func(r *budgetv1.FetchRequest) { r.Window.To = "2024-12-31" },
		"history_from":            func(r *budgetv1.FetchRequest) { r.HistoryFrom = "2025" },
		"requester":               func(r *budgetv1.FetchRequest) { r.Requester = "1" },
	} {
		r := ask(scope("WMO"))
		spoil(r)
		_, err := s.Fetch(t.Context(), r)
		require.Equal(t, adapters.ReasonScopeUnsupported, adapters.Reason(err), path)
		require.Equal(t, path, adapters.Path(err))
	}
}

func TestErrorOfAnAdapterKeepsItsReasonOnly(t *testing.T) {
	f := &fake{}
	s := adapters.NewService(f)
	require.Empty(t, configure(s, `{}`, secrets()))
	for want, err := range map[string]error{
		adapters.ReasonAdapterBug:        errors.New("where bsn = 999940004"),
		adapters.ReasonSourceTimeout:     fmt.Errorf("999940004: %w", context.DeadlineExceeded),
		adapters.ReasonSourceUnavailable: adapters.Unavailable(),
		adapters.ReasonSubjectNotFound:   adapters.SubjectNotFound(),
		adapters.ReasonNotAuthorised:     adapters.NotAuthorised(),
	} {
		f.err = err
		_, got := s.Fetch(t.Context(), ask(scope("WMO")))
		require.Equal(t, want, adapters.Reason(got))
		require.NotContains(t, got.Error(), "999940004")
	}
}

func TestSecretPrintsAsNothing(t *testing.T) {
	s := adapters.NewConfig(nil, map[string]string{"db": "hunter2"}).Secret("db")
	raw, err := json.Marshal(map[string]any{"s": s})
	require.NoError(t, err)
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x", s, s, s, s, s, s), string(raw)} {
		require.NotContains(t, text, "hunter2")
	}
	require.Equal(t, "hunter2", s.Reveal())
	require.True(t, adapters.NewConfig(nil, nil).Secret("db").IsZero())
}

// The process outlives signals while its lifeline is up, and not the lifeline.
func TestProcessEndsWithItsLifeline(t *testing.T) {
	read, write, err := os.Pipe()
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "adapter")
	cmd.ExtraFiles = []*os.File{read}
	cmd.Env = []string{
		handshake.Config().MagicCookieKey + "=" + handshake.Config().MagicCookieValue,
		"PLUGIN_PROTOCOL_VERSIONS=1", handshake.LifelineEnv + "=3", "TMPDIR=" + t.TempDir(),
	}
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	require.NoError(t, read.Close())
	first := make([]byte, 4)
	_, err = io.ReadFull(stdout, first) // the handshake: it is up
	require.NoError(t, err)
	require.Equal(t, "1|1|", string(first))
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.NoError(t, write.Close())
	require.NoError(t, cmd.Wait(), "it ended by itself, not by a signal")
}

func TestMaskerHidesNumbersHoweverTheyArrive(t *testing.T) {
	for text, want := range map[string]string{
		"bsn 999940004 x\n":                 "bsn ********* x\n",
		"bsn=999.940.004\n":                 "bsn=***.***.***\n",
		"9999 40 004\n":                     "**** ** ***\n",
		"oin 00000099000000119000\n":        "oin 00000099000000119000\n",
		"on 2025-06-30 at 12:00\n":          "on 2025-06-30 at 12:00\n",
		"step 1 999940004\n":                "step 1 *********\n",
		"no end of line 999940004":          "no end of line *********",
		strings.Repeat("x", 20000) + "\n":   strings.Repeat("x", 20000) + "\n",
		strings.Repeat("1234567890 ", 2000): strings.Repeat("1234567890 ", 2000),
	} {
		var out bytes.Buffer
		m := adapters.NewMasker(&out)
		for i := range len(text) { // a byte at a time
			_, err := m.Write([]byte{text[i]})
			require.NoError(t, err)
		}
		require.NoError(t, m.Flush())
		require.Equal(t, want, out.String())
	}
}

func FuzzMask(f *testing.F) {
	f.Add([]byte("a 999940004 b"))
	f.Add([]byte("999-940-004.1 2"))
	f.Fuzz(func(t *testing.T, text []byte) {
		masked := adapters.Mask(text)
		require.Len(t, masked, len(text))
		require.Equal(t, masked, adapters.Mask(masked), "masking twice changes nothing")
	})
}
