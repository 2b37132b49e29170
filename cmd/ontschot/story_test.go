package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/server"
)

// TestStories plays testdata/stories: scripts that a privacy officer can read. Every
// gateway, adapter and system in them is a process of its own, and every command is
// the program itself. What the scripts can do beside it is in commands.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/stories", Cmds: commands(), RequireExplicitExec: true,
		Setup: installProgram,
	})
}

// installProgram puts the test binary on the path under the name of the program;
// TestMain makes it behave as such.
func installProgram(env *testscript.Env) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	bin := filepath.Join(env.WorkDir, ".bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		return err
	}
	env.Setenv("LANG", "nl_NL.UTF-8")
	env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
	return os.Symlink(self, filepath.Join(bin, programName))
}

// commands of the stories.
//
//	ready DIR               wait until the systems of the sources of DIR/gateway.yaml listen
//	token DIR               mint a token for the client of DIR, which lives five minutes
//	capture NAME PATH       put the value at a path of the JSON on stdout in a variable
//	soon TEXT COMMAND...    run a command again and again until a text is on its stdout
//	edit FILE OLD NEW       replace a text that is in a file once
//	halt DIR                end the gateway of DIR, and see its adapters end with it
//	nowhere DIR FILE...     no number or name of a person of DIR/case.json is in the
//	                        data folders of DIR, nor in the files, stdout and stderr too
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	plain := func(arguments int, run func(ts *testscript.TestScript, args []string)) func(*testscript.TestScript, bool, []string) {
		return func(ts *testscript.TestScript, neg bool, args []string) {
			if neg || len(args) < arguments {
				ts.Fatalf("wrong usage: see commands in story_test.go")
			}
			run(ts, args)
		}
	}
	return map[string]func(*testscript.TestScript, bool, []string){
		"ready": plain(1, ready), "token": plain(1, freshToken), "capture": plain(2, capture), "soon": plain(2, soon), "edit": plain(3, edit), "halt": plain(1, halt), "nowhere": plain(1, nowhere),
	}
}

// patience bounds what a story waits for.
const patience = 20 * time.Second

// eventually looks again and again until it is so.
func eventually(ts *testscript.TestScript, what string, so func() bool) {
	for until := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			ts.Fatalf("%s: not within %s", what, patience)
		}
	}
}

func gatewayOf(ts *testscript.TestScript, dir string) *config.Gateway {
	conf, err := config.ReadGateway(ts.MkAbs(filepath.Join(dir, "gateway.yaml")))
	ts.Check(err)
	return conf
}

// adaptersOf are the sources that a gateway asks by itself, and not another gateway.
func adaptersOf(ts *testscript.TestScript, dir string) []config.Source {
	return slices.DeleteFunc(gatewayOf(ts, dir).Sources, func(s config.Source) bool { return s.Peer })
}

func ready(ts *testscript.TestScript, args []string) {
	for _, s := range adaptersOf(ts, args[0]) {
		at, err := url.Parse(fmt.Sprint(s.Config["url"]))
		ts.Check(err)
		eventually(ts, s.Party, func() bool {
			conn, err := net.Dial("tcp", at.Host)
			if err == nil {
				conn.Close()
			}
			return err == nil
		})
	}
}

func freshToken(ts *testscript.TestScript, args []string) {
	dir := ts.MkAbs(args[0])
	raw, err := mintToken(dir)
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(dir, "client", "token"), []byte(raw), 0o600))
}

func capture(ts *testscript.TestScript, args []string) {
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &value))
	for step := range strings.SplitSeq(args[1], ".") {
		switch at := value.(type) {
		case map[string]any:
			value = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(at) {
				ts.Fatalf("%s: no %s", args[1], step)
			}
			value = at[i]
		}
	}
	text, ok := value.(string)
	if !ok || text == "" {
		ts.Fatalf("%s: no text there", args[1])
	}
	ts.Setenv(args[0], text)
}

func soon(ts *testscript.TestScript, args []string) {
	eventually(ts, args[0], func() bool {
		ts.Check(ts.Exec(args[1], args[2:]...))
		return strings.Contains(ts.ReadFile("stdout"), args[0])
	})
}

func edit(ts *testscript.TestScript, args []string) {
	content := ts.ReadFile(args[0])
	if n := strings.Count(content, args[1]); n != 1 {
		ts.Fatalf("%s: %q is in it %d times", args[0], args[1], n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(content, args[1], args[2], 1)), 0o600))
}

func halt(ts *testscript.TestScript, args []string) {
	conf := filepath.ToSlash(filepath.Join(args[0], "gateway.yaml"))
	for _, c := range ts.BackgroundCmds() {
		if !slices.Contains(c.Args, conf) {
			continue
		}
		adapters := childrenOf(c.Process.Pid)
		if want := len(adaptersOf(ts, args[0])); runtime.GOOS == "linux" && len(adapters) != want {
			ts.Fatalf("%s: %d adapters run, and %d are in its configuration", conf, len(adapters), want)
		}
		ts.Check(c.Process.Signal(os.Interrupt))
		for _, pid := range adapters {
			eventually(ts, "an adapter ends with its gateway", func() bool { return !exists("/proc/" + pid) })
		}
		return
	}
	ts.Fatalf("no gateway of %s runs", conf)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func nowhere(ts *testscript.TestScript, args []string) {
	cf, err := casefile.Open(ts.MkAbs(filepath.Join(args[0], "case.json")))
	ts.Check(err)
	var secrets []string
	for _, m := range cf.Household {
		secrets = append(secrets, m.BSN, hex.EncodeToString([]byte(m.BSN)), m.Name)
	}
	clean := func(where string, content []byte) {
		for _, s := range secrets {
			if bytes.Contains(content, []byte(s)) {
				ts.Fatalf("%s names a person of the case", where)
			}
		}
	}
	for _, name := range args[1:] {
		clean(name, []byte(ts.ReadFile(name)))
	}
	records := 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Base(filepath.Dir(path)) != "data" { // a socket holds nothing
			return err
		}
		if d.Name() == server.RecordFile {
			records++
		}
		content, err := os.ReadFile(path)
		clean(path, content)
		return err
	}))
	if records == 0 {
		ts.Fatalf("%s holds no audit log to look in", args[0])
	}
}
