package config

import (
	"net"
	"net/netip"
)

// Admin is where an operator's tools look: /livez, /readyz and /metrics. It is plain HTTP, and
// nobody has to show who they are, so it is for this machine alone.
type Admin struct {
	Listen string `yaml:"listen"` // host:port, a loopback address
}

// check names what is wrong; empty: nothing.
func (a *Admin) check() string {
	host, _, err := net.SplitHostPort(a.Listen)
	if err != nil {
		return "listen is no host:port such as 127.0.0.1:9090"
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return "listen is plain HTTP and asks nobody who they are, so it must be an address of this machine alone, such as 127.0.0.1:9090; to look from elsewhere put a program before it that asks, or let the collector run here"
	}
	return ""
}
