package trial

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Postgres is a PostgreSQL server that lives as long as the test. It listens on the
// loopback address, with TLS.
type Postgres struct {
	Address        string // host:port
	User, Password string // of its superuser
	CA             string // authority of its certificate, PEM
}

// NewPostgres starts the newest server of Debian's package (apt-get install postgresql) in
// a folder of its own; as the user postgres when the test is root. On a machine without
// one the test is left out and says so, and fails where the variable CI is "true".
func NewPostgres(t testing.TB) Postgres {
	bin := newest("/usr/lib/postgresql/*/bin/postgres")
	if bin == "" {
		Lacking(t, "a PostgreSQL server (apt-get install postgresql)")
	}
	ca := NewCA(t)
	c := cluster{t: t, bin: filepath.Dir(bin)}
	c.dir, c.as = home(t)
	p := Postgres{Address: free(t), User: "ontschot", Password: "from-a-test", CA: ca.PEM()}
	certificate, key := ca.Issue("postgres")
	c.write("password", p.Password)
	c.run("initdb", "-D", c.dir+"/data", "-U", p.User, "-A", "scram-sha-256", "--pwfile", c.dir+"/password", "-E", "UTF8", "--locale", "C", "--no-sync")
	c.write("data/server.crt", certificate)
	c.write("data/server.key", key)
	_, port, _ := net.SplitHostPort(p.Address)
	c.start("-D", c.dir+"/data", "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+c.dir,
		"-c", "ssl=on", "-c", "fsync=off", "-c", "max_connections=40", "-c", "log_statement=none")
	for range 600 {
		if c.command("pg_isready", "-q", "-h", "127.0.0.1", "-p", port).Run() == nil {
			return p
		}
		time.Sleep(50 * time.Millisecond)
	}
	require.Fail(t, "PostgreSQL does not start")
	return p
}

// newest is the last of the files of a pattern, by the number in their folder.
func newest(pattern string) string {
	all, _ := filepath.Glob(pattern)
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	slices.SortFunc(all, func(a, b string) int { return version(b) - version(a) })
	return append(all, "")[0]
}

// home makes the folder of a server, for the user that it may run as.
func home(t testing.TB) (dir string, as *syscall.Credential) {
	dir, err := os.MkdirTemp("", "ontschot-postgres-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if os.Getuid() != 0 {
		return dir, nil
	}
	u, err := user.Lookup("postgres")
	require.NoError(t, err)
	uid, err := strconv.Atoi(u.Uid)
	require.NoError(t, err)
	gid, err := strconv.Atoi(u.Gid)
	require.NoError(t, err)
	require.NoError(t, os.Chown(dir, uid, gid))
	return dir, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func free(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// cluster is the folder of one server, and its programs.
type cluster struct {
	t        testing.TB
	bin, dir string
	as       *syscall.Credential
}

func (c cluster) write(name, text string) {
	path := filepath.Join(c.dir, name)
	require.NoError(c.t, os.WriteFile(path, []byte(text), 0o600))
	if c.as != nil {
		require.NoError(c.t, os.Chown(path, int(c.as.Uid), int(c.as.Gid)))
	}
}

func (c cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = c.dir, &syscall.SysProcAttr{Credential: c.as}
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	return cmd
}

func (c cluster) run(name string, args ...string) {
	out, err := c.command(name, args...).CombinedOutput()
	require.NoError(c.t, err, "%s", out)
}

// start runs the server until the test ends.
func (c cluster) start(args ...string) {
	cmd := c.command("postgres", args...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(c.t, cmd.Start())
	c.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT) // fast: it ends the connections that there are
		late := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		defer late.Stop()
		if err := cmd.Wait(); err != nil {
			fmt.Fprintln(os.Stderr, "postgres:", err)
		}
		if c.t.Failed() {
			c.t.Log(log.String())
		}
	})
}
