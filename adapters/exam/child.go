package exam

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ontschot/ontschot/adapters/handshake"
)

// child is one run of the program, started as a gateway starts it.
type child struct {
	cmd      *exec.Cmd
	dir      string   // of its socket
	lifeline *os.File // ours; closing it says that the host is gone
	side     *tls.Config
	first    chan string // the first line on standard output; closed without one when it ends
	stdout   *stream
	stderr   *stream
	exited   chan struct{}
	at       hello          // where it serves, once it said so
	reading  sync.WaitGroup // what it prints
	once     sync.Once
}

// how a program is started.
type how struct {
	version int  // protocol that is asked for; zero: the one there is
	byHand  bool // without what tells it that a gateway starts it
}

// Bounds of a start.
const (
	longestStart = 10 * time.Second
	longestLine  = 4096
)

var errStart = errors.New("the program cannot be started")

// launch starts the program.
func (x *examination) launch(h how) (*child, error) {
	dir, err := os.MkdirTemp("", "exam") // short: the address of a socket has 108 bytes
	if err != nil {
		return nil, errStart
	}
	if err := os.Mkdir(dir+"/tmp", 0o700); err != nil { // sockets go elsewhere
		return nil, errStart
	}
	c := &child{dir: dir, first: make(chan string, 1), exited: make(chan struct{})}
	c.stdout, c.stderr = x.ears.stream(), x.ears.stream()
	side, pair, err := handshake.NewPair()
	if err != nil {
		return nil, errStart
	}
	c.side = side
	c.cmd = exec.Command(x.Command[0], x.Command[1:]...)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.cmd.Env = []string{"TMPDIR=" + dir + "/tmp", "PLUGIN_UNIX_SOCKET_DIR=" + dir, "PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000"}
	if h.version == 0 {
		h.version = handshake.Protocol
	}
	if known := handshake.Config(); !h.byHand {
		c.cmd.Env = append(c.cmd.Env, known.MagicCookieKey+"="+known.MagicCookieValue,
			"PLUGIN_PROTOCOL_VERSIONS="+strconv.Itoa(h.version), handshake.LifelineEnv+"=3")
	}
	if err := c.start(pair); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if !h.byHand {
		x.runs = append(x.runs, c)
	}
	return c, nil
}

func (c *child) start(pair []byte) error {
	var ends [6]*os.File
	for i := 0; i < len(ends); i += 2 {
		var err error
		if ends[i], ends[i+1], err = os.Pipe(); err != nil {
			return errStart
		}
	}
	theirs := []*os.File{ends[0], ends[3], ends[5]} // lifeline, standard output, standard error
	c.lifeline = ends[1]
	c.cmd.ExtraFiles = []*os.File{ends[0]}
	c.cmd.Stdout, c.cmd.Stderr = ends[3], ends[5]
	err := c.cmd.Start()
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		for _, f := range []*os.File{ends[1], ends[2], ends[4]} {
			f.Close()
		}
		return errStart
	}
	_, _ = c.lifeline.Write(pair) // fits in an empty pipe; whoever did not get it answers nobody
	c.reading.Go(func() { c.read(ends[2]) })
	c.reading.Go(func() { _, _ = io.Copy(c.stderr, ends[4]); ends[4].Close() })
	go func() { _ = c.cmd.Wait(); close(c.exited) }() // how it ended is of no use
	return nil
}

// read passes the first line on, and listens to all of it.
func (c *child) read(from *os.File) {
	defer from.Close()
	defer close(c.first)
	r := bufio.NewReaderSize(from, longestLine)
	line, err := r.ReadSlice('\n')
	_, _ = c.stdout.Write(line)
	if err == nil {
		c.first <- strings.TrimSuffix(string(line), "\n")
	}
	_, _ = io.Copy(c.stdout, r)
}

// hello is the line by which a program says where it serves: core|protocol|network|address|grpc.
type hello struct {
	core, protocol         int
	network, address, kind string
}

// hears waits for the line; what is wrong is said, and not what it was.
func (c *child) hears(ctx context.Context) (hello, *finding) {
	ctx, cancel := context.WithTimeout(ctx, longestStart)
	defer cancel()
	select {
	case line, ok := <-c.first:
		if !ok {
			return hello{}, fails("het programma stopt zonder een regel op stdout", "the program ends without a line on stdout")
		}
		h, f := parse(line)
		if f == nil && (h.network != "unix" || filepath.Dir(h.address) != c.dir) {
			return h, fails("het luistert niet aan een socket in de map van PLUGIN_UNIX_SOCKET_DIR", "it does not listen at a socket in the folder of PLUGIN_UNIX_SOCKET_DIR")
		}
		return h, f
	case <-ctx.Done():
		return hello{}, fails("na %v is er geen regel op stdout", "after %v there is no line on stdout", longestStart)
	}
}

func parse(line string) (h hello, f *finding) {
	bad := fails("de eerste regel op stdout is niet 1|%d|unix|ADRES|grpc", "the first line on stdout is not 1|%d|unix|ADDRESS|grpc", handshake.Protocol)
	parts := strings.Split(line, "|")
	if len(parts) < 5 {
		return h, bad
	}
	var err, err2 error
	h.core, err = strconv.Atoi(parts[0])
	h.protocol, err2 = strconv.Atoi(parts[1])
	h.network, h.address, h.kind = parts[2], parts[3], parts[4]
	if err != nil || err2 != nil || h.core != 1 || h.kind != "grpc" || h.network != "unix" && h.network != "tcp" {
		return h, bad
	}
	return h, nil
}

// dial reaches its socket.
func (h hello) dial(ctx context.Context) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, h.network, h.address)
}

// alive reports whether it has not ended.
func (c *child) alive() bool {
	select {
	case <-c.exited:
		return false
	default:
		return true
	}
}

// ends waits until it has ended.
func (c *child) ends(within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-c.exited:
		return true
	case <-timer.C:
		return false
	}
}

// farewell is how long a program may take to end once its lifeline closed.
const farewell = 2 * time.Second

// close ends the program and what it left in its process group.
func (c *child) close() {
	c.once.Do(func() {
		_ = c.lifeline.Close()
		c.ends(farewell)
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
		<-c.exited
		read := make(chan struct{})
		go func() { c.reading.Wait(); close(read) }()
		select {
		case <-read:
		case <-time.After(farewell): // what left its process group may hold its streams
		}
		_ = os.RemoveAll(c.dir)
	})
}

func (c *child) pid() int { return c.cmd.Process.Pid }
