package config

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Adapters is what holds for every adapter process beside the gateway.
type Adapters struct {
	// Floor names the layers of the boundary without which no adapter is started; nil means
	// the default: in production those that every supported Linux gives, in development none.
	Floor []string `yaml:"floor,omitempty"`
	// Users are user ids that nobody else on this machine has, FIRST-LAST, of which each
	// adapter gets one where the gateway runs as root; empty: 62000-62999.
	Users string `yaml:"users,omitempty"`
}

// Allow is what one adapter process may do beside answering the gateway.
type Allow struct {
	// Read are files and folders, absolute, for example of a nightly export.
	Read []string `yaml:"read,omitempty"`
	// Connect are host:port over TCP; nil: those of the URLs in config.
	Connect []string `yaml:"connect,omitempty"`
	// MemoryMiB is the most that it may use; zero: 512.
	MemoryMiB int `yaml:"memory_mib,omitempty"`
	// Processes is the most that it may have, threads among them; zero: 256.
	Processes int `yaml:"processes,omitempty"`
}

// Range reads Users; two zeros when there are none.
func (a Adapters) Range() ([2]uint32, error) {
	if a.Users == "" {
		return [2]uint32{}, nil
	}
	from, to, _ := strings.Cut(a.Users, "-")
	first, err := strconv.ParseUint(from, 10, 32)
	last, err2 := strconv.ParseUint(to, 10, 32)
	if err != nil || err2 != nil || first < 1000 || last < first || last-first > 1<<20 {
		return [2]uint32{}, fmt.Errorf("%w: adapters.users must be FIRST-LAST, from 1000 on, for example 62000-62999", ErrConfig)
	}
	return [2]uint32{uint32(first), uint32(last)}, nil
}

// Bounds of what an adapter may be allowed.
const (
	leastMemory, mostMemory       = 64, 1 << 16
	leastProcesses, mostProcesses = 16, 1 << 14
	mostPaths                     = 64
)

// check names what is wrong.
func (a *Allow) check() []string {
	if a == nil {
		return nil
	}
	all := broken(
		rule{len(a.Read) > mostPaths || len(a.Connect) > mostPaths, fmt.Sprintf("allow: at most %d paths and %d addresses", mostPaths, mostPaths)},
		rule{a.MemoryMiB != 0 && (a.MemoryMiB < leastMemory || a.MemoryMiB > mostMemory), fmt.Sprintf("allow.memory_mib is from %d to %d", leastMemory, mostMemory)},
		rule{a.Processes != 0 && (a.Processes < leastProcesses || a.Processes > mostProcesses), fmt.Sprintf("allow.processes is from %d to %d", leastProcesses, mostProcesses)},
	)
	for i, path := range a.Read[:min(len(a.Read), mostPaths)] {
		all = append(all, broken(rule{!filepath.IsAbs(path) || filepath.Clean(path) != path || path == "/", fmt.Sprintf("allow.read[%d] must be an absolute path, and not all there is", i)})...)
	}
	for i, to := range a.Connect[:min(len(a.Connect), mostPaths)] {
		_, ok := portOf(to)
		all = append(all, broken(rule{!ok, fmt.Sprintf("allow.connect[%d] must be host:port", i)})...)
	}
	return all
}

// portOf reads the port of host:port.
func portOf(address string) (uint16, bool) {
	host, port, err := net.SplitHostPort(address)
	n, err2 := strconv.ParseUint(port, 10, 16)
	return uint16(n), err == nil && err2 == nil && host != "" && n > 0
}

// Ports are those that the adapter may connect to: of allow.connect, or else of every
// address in config, of which there is one wherever it asks something of a system.
func (s Source) Ports() []uint16 {
	var ports []uint16
	add := func(port uint16) {
		if !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	if s.Allow != nil && s.Allow.Connect != nil {
		for _, to := range s.Allow.Connect {
			if port, ok := portOf(to); ok {
				add(port)
			}
		}
		return ports
	}
	addresses(s.Config, add)
	slices.Sort(ports)
	return ports
}

// PortsAt are those of the addresses at certain keys of config, each a path with points.
func (s Source) PortsAt(keys []string) []uint16 {
	var ports []uint16
	for _, key := range keys {
		addresses(at(s.Config, key), func(port uint16) {
			if !slices.Contains(ports, port) {
				ports = append(ports, port)
			}
		})
	}
	slices.Sort(ports)
	return ports
}

// at is the value of a key; nil when there is none.
func at(config map[string]any, key string) any {
	var here any = config
	for _, name := range strings.Split(key, ".") {
		inside, ok := here.(map[string]any)
		if !ok {
			return nil
		}
		here = inside[name]
	}
	return here
}

// addresses finds the ports of addresses in a value of the configuration, however deep.
func addresses(v any, add func(uint16)) {
	switch v := v.(type) {
	case map[string]any:
		for _, each := range v {
			addresses(each, add)
		}
	case []any:
		for _, each := range v {
			addresses(each, add)
		}
	case string:
		if port, ok := urlPort(v); ok {
			add(port)
		} else if port, ok := portOf(v); ok {
			add(port)
		}
	}
}

// urlPort is the port of a URL, its own or that of its scheme.
func urlPort(text string) (uint16, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return 0, false
	}
	if n, err := strconv.ParseUint(u.Port(), 10, 16); err == nil && n > 0 {
		return uint16(n), true
	}
	usual := map[string]uint16{
		"http": 80, "https": 443, "sftp": 22, "ssh": 22, "postgres": 5432, "postgresql": 5432, "mysql": 3306, "mariadb": 3306,
		"sqlserver": 1433, "oracle": 1521, "ldap": 389, "ldaps": 636,
	}
	port, ok := usual[u.Scheme]
	return port, ok
}
