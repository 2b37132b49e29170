package boundary

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// lease is a user id that no other adapter on this machine has, for as long as it is held.
type lease struct {
	user uint32
	lock *os.File
}

// leases is where they are kept, by whoever may switch users: root.
func leases() string { return filepath.Join("/run", "ontschot-adapters") }

// leaseUser takes a free user of the range, beginning where the name says, so that an
// adapter mostly has the same.
func leaseUser(users [2]uint32, name string) (*lease, error) {
	if users[0] == 0 || users[1] < users[0] {
		return nil, fmt.Errorf("no users to choose from")
	}
	folder := leases()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(folder); err != nil || !info.IsDir() || info.Mode().Perm()&0o022 != 0 || ownerOf(info) != 0 {
		return nil, fmt.Errorf("%s is not root's alone", folder)
	}
	taken := running()
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(name))
	count := users[1] - users[0] + 1
	for i := range count {
		user := users[0] + (sum.Sum32()%count+i)%count
		if taken[user] {
			continue // of whomever: it is not alone
		}
		if lock := locked(filepath.Join(folder, strconv.FormatUint(uint64(user), 10))); lock != nil {
			return &lease{user, lock}, nil
		}
	}
	return nil, fmt.Errorf("users %d to %d are all in use", users[0], users[1])
}

func locked(path string) *os.File {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		_ = f.Close()
		return nil
	}
	return f
}

func (l *lease) end() {
	if l != nil {
		_ = l.lock.Close()
	}
}

// running are the users that have processes now.
func running() map[uint32]bool {
	users := map[uint32]bool{}
	all, err := os.ReadDir("/proc")
	if err != nil {
		return users
	}
	for _, e := range all {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		if info, err := e.Info(); err == nil {
			users[ownerOf(info)] = true
		}
	}
	return users
}

func ownerOf(info os.FileInfo) uint32 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Uid
	}
	return 0
}
