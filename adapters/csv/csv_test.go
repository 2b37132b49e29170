package csv

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/trial"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const header = "bsn;gemeente;wet;product;bedrag;per;vanaf;tot;naam\n"

// mapped is a municipality's file of every night, in the form that a program from before
// UTF-8 writes.
const mapped = `
mapping: 1
id: gm0193-nightly
version: 1.0.0
laws: [WMO, JW]
identifiers: [bsn]
source:
  kind: csv
  file: "rechten_{yyyymmdd}.csv"
  encoding: windows-1252
  header: [bsn, gemeente, wet, product, bedrag, per, vanaf, tot, naam]
  key: bsn
  stale_after: 3
dates: dd-mm-yyyy
person: r.bsn
party: r.gemeente
fields:
  law: code(r.wet, "wet")
  kind: ENTITLEMENT
  form: PGB
  fungibility: POOLABLE
  product:
    system: code(r.wet, "list")
    code: r.product
  period:
    from: r.vanaf
    to: r.tot
  amount:
    cents: cents(r.bedrag)
    basis: code(r.per, "per")
codes:
  wet:
    unknown: refuse
    values: {Wmo: WMO, Jw: JW}
  list:
    unknown: refuse
    values: {Wmo: WMO020, Jw: JZ020}
  per:
    unknown: refuse
    values: {jaar: PER_YEAR, maand: PER_MONTH, "één keer": ONE_OFF}
ignored: [naam]
tests:
  - name: a right
    answer: |
      bsn;gemeente;wet;product;bedrag;per;vanaf;tot;naam
      999940004;0193;Wmo;2;1.234,50;jaar;01-01-2025;31-12-2025;"De Vries; H."
      999940016;0193;Jw;45;10,00;jaar;01-01-2025;;Somebody else
    person: "999940004"
    scheme_codes: ["0193"]
    lines:
      - {law: WMO, product: "02", label: begeleiding, cents: 123450, basis: PER_YEAR, from: 2025-01-01, to: 2025-12-31}
`

func right(bsn, euros string) string {
	return bsn + ";0193;Wmo;02;" + euros + ";jaar;01-01-2025;31-12-2025;\"De Vries; H.\"\n"
}

// put writes a file and its checksum, as a sender does.
func put(t testing.TB, dir, day, text string) {
	name := filepath.Join(dir, "rechten_"+day+".csv")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	sum := sha256.Sum256([]byte(text))
	require.NoError(t, os.WriteFile(name+sidecar, []byte(hex.EncodeToString(sum[:])+"  "+filepath.Base(name)+"\n"), 0o600))
}

func today(back int) string { return time.Now().AddDate(0, 0, -back).Format("20060102") }

// running is an adapter that was configured.
type running struct{ *adapters.Service }

func run(t testing.TB, config map[string]any, secrets map[string]string) running {
	s := adapters.NewService(New([]byte(mapped)))
	return running{s}.configure(t, config, secrets)
}

func (r running) configure(t testing.TB, config map[string]any, secrets map[string]string) running {
	all := map[string]any{"party": "GM0193", "scheme_codes": []string{"0193"}}
	for k, v := range config {
		all[k] = v
	}
	raw, err := json.Marshal(all)
	require.NoError(t, err)
	require.Empty(t, trial.Configure(t, r.Service, raw, secrets))
	return r
}

func (r running) fetch(t testing.TB, bsn string) (*budgetv1.FetchResponse, error) {
	return r.Fetch(t.Context(), trial.Request(bsn, "WMO", "JW"))
}

func cents(a *budgetv1.FetchResponse) (all []int64) {
	for _, l := range a.GetLines() {
		all = append(all, l.GetAmount().GetCents())
	}
	return all
}

func TestItsOwnTestsPass(t *testing.T) {
	_, err := mapping.Validate(Kind{}, []byte(mapped))
	require.NoError(t, err)
}

func TestRowsOfOnePersonInAFolder(t *testing.T) {
	dir := t.TempDir()
	text := header
	for i := range 5000 {
		text += right(fmt.Sprintf("9%08d", i), "1,00")
		if i%2500 == 0 {
			text += right(trial.Number, fmt.Sprintf("%d,10", i))
		}
	}
	put(t, dir, today(1), text)
	r := run(t, map[string]any{"folder": dir}, nil)
	a, err := r.fetch(t, trial.Number)
	require.NoError(t, err)
	require.ElementsMatch(t, []int64{10, 250010}, cents(a))
	require.Empty(t, a.GetNotices())
	require.Equal(t, today(1), time.UnixMilli(a.GetAsOfMs()).UTC().Format("20060102"), "the date of the file")

	put(t, dir, today(0), header+right(trial.Number, "7,00"))
	a, err = r.fetch(t, trial.Number)
	require.NoError(t, err)
	require.Equal(t, []int64{700}, cents(a), "the file of tonight")

	put(t, dir, today(0), header+right("999940016", "9,00")+right(trial.Number, "8,00"))
	a, err = r.fetch(t, trial.Number)
	require.NoError(t, err)
	require.Equal(t, []int64{800}, cents(a), "a file that was put in its place")

	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 4, "nothing is written beside the files")
}

func TestFileThatIsNotWholeIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, name string)
		path  string
	}{
		"cut off": {func(t *testing.T, name string) { require.NoError(t, os.Truncate(name, 60)) }, "/sha256"},
		"another checksum": {func(t *testing.T, name string) {
			require.NoError(t, os.WriteFile(name+sidecar, []byte("00"), 0o600))
		}, "/sha256"},
		"another header": {func(t *testing.T, name string) { rewrite(t, name, "wet;product", "product;wet") }, "/header"},
		"an open quote":  {func(t *testing.T, name string) { rewrite(t, name, `H."`, `H.`) }, "/rows/1"},
		"a short row":    {func(t *testing.T, name string) { rewrite(t, name, "999940004;", "\"\"\n999940004;") }, ""},
		"empty":          {func(t *testing.T, name string) { require.NoError(t, os.Truncate(name, 0)) }, "/header"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, today(1), header+right(trial.Number, "1,00"))
			c.spoil(t, filepath.Join(dir, "rechten_"+today(1)+".csv"))
			_, err := run(t, map[string]any{"folder": dir}, nil).fetch(t, trial.Number)
			if c.path == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), "%v", err)
			require.Equal(t, c.path, adapters.Path(err))
		})
	}
}

func rewrite(t *testing.T, name, from, to string) {
	raw, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Contains(t, string(raw), from)
	text := strings.Replace(string(raw), from, to, 1)
	sum := sha256.Sum256([]byte(text))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	require.NoError(t, os.WriteFile(name+sidecar, []byte(hex.EncodeToString(sum[:])), 0o600))
}

func TestOddRowCostsItselfAlone(t *testing.T) {
	for odd, path := range map[string]string{
		strings.Replace(right(trial.Number, "1,00"), ";0193", "", 1):            "/rows/1",
		strings.Replace(right(trial.Number, "1,00"), "0193", "0194", 1):         "/rows/1/gemeente",
		strings.Replace(right(trial.Number, "1,00"), "jaar", "eeuw", 1):         "/rows/1/per",
		right(trial.Number, "1,005"):                                            "/rows/1/bedrag",
		strings.Replace(right(trial.Number, "1,00"), "De Vries", "\x81\x8d", 1): "/rows/1",
	} {
		dir := t.TempDir()
		put(t, dir, today(0), header+odd+right(trial.Number, "2,00"))
		a, err := run(t, map[string]any{"folder": dir}, nil).fetch(t, trial.Number)
		require.NoError(t, err)
		require.Equal(t, []int64{200}, cents(a))
		require.Len(t, a.GetNotices(), 1)
		require.Equal(t, budgetv1.GapRecordSkipped, a.GetNotices()[0].GetGap())
		require.Equal(t, path, a.GetNotices()[0].GetPointer())
	}
}

func TestOldFileIsSaidToBeOld(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, today(5), header+right(trial.Number, "1,00"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rechten_"+today(0)+".csv"), []byte(header), 0o600)) // being sent: no checksum yet
	a, err := run(t, map[string]any{"folder": dir}, nil).fetch(t, trial.Number)
	require.NoError(t, err)
	require.Equal(t, []int64{100}, cents(a))
	require.Len(t, a.GetNotices(), 1)
	require.Equal(t, adapters.NoticeStale, a.GetNotices()[0].GetCode())

	_, err = run(t, map[string]any{"folder": t.TempDir()}, nil).fetch(t, trial.Number)
	require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(err), "no file at all is no person without rights")
}

func TestLinkOutOfTheFolderIsNotFollowed(t *testing.T) {
	elsewhere, dir := t.TempDir(), t.TempDir()
	put(t, elsewhere, today(0), header+right(trial.Number, "1,00"))
	for _, suffix := range []string{"", sidecar} {
		name := "rechten_" + today(0) + ".csv" + suffix
		require.NoError(t, os.Symlink(filepath.Join(elsewhere, name), filepath.Join(dir, name)))
	}
	_, err := run(t, map[string]any{"folder": dir}, nil).fetch(t, trial.Number)
	require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(err))
}

// server is a real SFTP server over a folder.
type server struct {
	address, hostKey, userKey string
	sessions                  atomic.Int32
}

func serve(t *testing.T, dir string) *server {
	host, user := key(t), key(t)
	config := &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
		if c.User() != "ontschot" || string(k.Marshal()) != string(user.PublicKey().Marshal()) {
			return nil, errors.New("no")
		}
		return nil, nil
	}}
	config.AddHostKey(host)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{address: l.Addr().String(), hostKey: string(ssh.MarshalAuthorizedKey(host.PublicKey())), userKey: user.pem}
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.session(conn, config, dir) })
		}
	})
	return s
}

func (s *server) session(conn net.Conn, config *ssh.ServerConfig, dir string) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	s.sessions.Add(1)
	go ssh.DiscardRequests(requests)
	for c := range channels {
		channel, asked, err := c.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range asked {
				_ = r.Reply(r.Type == "subsystem", nil)
			}
		}()
		files, err := sftp.NewServer(channel, sftp.ReadOnly(), sftp.WithServerWorkingDirectory(dir))
		if err == nil && errors.Is(files.Serve(), io.EOF) {
			_ = files.Close()
		}
	}
}

type signer struct {
	ssh.Signer
	pem string
}

func key(t *testing.T) signer {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	s, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	require.NoError(t, err)
	return signer{s, string(pem.EncodeToMemory(block))}
}

func (s *server) config(folder string) map[string]any {
	return map[string]any{"folder": folder, "sftp_address": s.address, "sftp_user": "ontschot", "sftp_host_key": s.hostKey}
}

func TestRowsOfOnePersonOverSFTP(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, today(0), header+strings.Repeat(right("999940016", "1,00"), 20_000)+right(trial.Number, "12,34"))
	s := serve(t, dir)
	r := run(t, s.config(dir), map[string]string{"sftp_key": s.userKey})
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			a, err := r.fetch(t, trial.Number)
			if err != nil || len(cents(a)) != 1 || cents(a)[0] != 1234 {
				t.Error("fetch", err, cents(a))
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 12, s.sessions.Load())
}

func TestServerThatIsNotTheOneIsTold(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, today(0), header+right(trial.Number, "1,00"))
	s := serve(t, dir)
	for name, c := range map[string]struct {
		change func(map[string]any, map[string]string)
		reason string
		cause  string
	}{
		"another host key": {func(c map[string]any, _ map[string]string) {
			c["sftp_host_key"] = string(ssh.MarshalAuthorizedKey(key(t).PublicKey()))
		}, adapters.ReasonSourceUnavailable, budgetv1.GapSourceCertificate},
		"another user":  {func(c map[string]any, _ map[string]string) { c["sftp_user"] = "somebody" }, adapters.ReasonNotAuthorised, budgetv1.GapLoginRefused},
		"another key":   {func(_ map[string]any, s map[string]string) { s["sftp_key"] = key(t).pem }, adapters.ReasonNotAuthorised, budgetv1.GapLoginRefused},
		"another place": {func(c map[string]any, _ map[string]string) { c["folder"] = filepath.Join(dir, "none") }, adapters.ReasonSourceUnavailable, ""},
		"no server":     {func(c map[string]any, _ map[string]string) { c["sftp_address"] = "127.0.0.1:1" }, adapters.ReasonSourceUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			config, secrets := s.config(dir), map[string]string{"sftp_key": s.userKey}
			c.change(config, secrets)
			_, err := run(t, config, secrets).fetch(t, trial.Number)
			require.Equal(t, c.reason, adapters.Reason(err), "%v", err)
			require.Equal(t, c.cause, adapters.Cause(err))
			require.NotContains(t, err.Error(), dir)
		})
	}
}

// A server that takes the connection and says nothing costs no more than the question has.
func TestSilentServerEndsWithTheQuestion(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	s := &server{address: l.Addr().String(), hostKey: string(ssh.MarshalAuthorizedKey(key(t).PublicKey())), userKey: key(t).pem}
	r := run(t, s.config("/"), map[string]string{"sftp_key": s.userKey})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = r.Fetch(ctx, trial.Request(trial.Number, "WMO"))
	require.Equal(t, adapters.ReasonSourceTimeout, adapters.Reason(err), "%v", err)
}
