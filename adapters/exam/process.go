package exam

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// What the kernel says of a process, in /proc.

func hasProc() bool {
	_, err := os.Stat("/proc/self/smaps_rollup")
	return err == nil
}

// load is what a process holds.
type load struct{ files, threads int }

func loadOf(pid int) (l load) {
	if all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)); err == nil {
		l.files = len(all)
	}
	if all, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid)); err == nil {
		l.threads = len(all)
	}
	return l
}

// within reports whether it holds no more than another and so much besides.
func (l load) within(other load, files, threads int) bool {
	return l.files <= other.files+files && l.threads <= other.threads+threads
}

// private is the memory of a process that it shares with nobody, in KiB.
func private(pid int) (kib int64) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		words := strings.Fields(line)
		if len(words) == 3 && (words[0] == "Private_Clean:" || words[0] == "Private_Dirty:") {
			n, _ := strconv.ParseInt(words[1], 10, 64)
			kib += n
		}
	}
	return kib
}

// descendants are the processes that a process started, and those that they did.
func descendants(pid int) (all []int) {
	parents := map[int][]int{}
	found, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range found {
		raw, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		behind := strings.Fields(string(raw)[strings.LastIndexByte(string(raw), ')')+1:])
		if len(behind) < 2 || behind[0] == "Z" {
			continue
		}
		of, _ := strconv.Atoi(behind[1])
		self, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		parents[of] = append(parents[of], self)
	}
	for next := []int{pid}; len(next) > 0; {
		var more []int
		for _, p := range next {
			more = append(more, parents[p]...)
		}
		all, next = append(all, more...), more
	}
	return all
}

// exists reports whether a process is there and has not ended.
func exists(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	return !strings.HasPrefix(strings.TrimSpace(string(raw)[strings.LastIndexByte(string(raw), ')')+1:]), "Z")
}

// peers are the ports of the other ends of the TCP connections that a process made, with
// whether each is on loopback. Those that were made to it do not count.
func peers(pid int) (all []peer) {
	sockets := map[string]bool{}
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, f := range files {
		if to, err := os.Readlink(f); err == nil && strings.HasPrefix(to, "socket:[") {
			sockets[strings.Trim(to, "socket:[]")] = true
		}
	}
	var listens []int
	var made []struct {
		local int
		to    peer
	}
	for _, table := range []string{"tcp", "tcp6"} {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(raw)) {
			words := strings.Fields(line)
			if len(words) < 10 || !sockets[words[9]] {
				continue
			}
			local, to := endOf(words[1]), endOf(words[2])
			switch words[3] {
			case "0A":
				listens = append(listens, local.port)
			case "01", "02": // established, or about to be
				made = append(made, struct {
					local int
					to    peer
				}{local.port, to})
			}
		}
	}
	for _, m := range made {
		if !slices.Contains(listens, m.local) {
			all = append(all, m.to)
		}
	}
	return all
}

// peer is the other end of a connection.
type peer struct {
	port     int
	loopback bool
}

// endOf reads an address of /proc/net/tcp: hexadecimal, the bytes of each word turned round.
func endOf(text string) peer {
	address, port, _ := strings.Cut(text, ":")
	n, _ := strconv.ParseInt(port, 16, 32)
	raw, _ := hex.DecodeString(address)
	local := len(raw) == 4 && raw[3] == 127 || len(raw) == 16 && (raw[15] == 127 || raw[15] == 0 && raw[12] == 1)
	return peer{int(n), local}
}
