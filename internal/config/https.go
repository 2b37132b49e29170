package config

import "net"

// HTTPS is a listener of its own.
type HTTPS struct {
	Listen string `yaml:"listen"` // host:port for HTTPS with mutual TLS
}

// check names what is wrong with it; empty: nothing, or there is none.
func (h *HTTPS) check() string {
	if h == nil {
		return ""
	}
	if _, _, err := net.SplitHostPort(h.Listen); err != nil {
		return "https.listen is no host:port such as 0.0.0.0:8445"
	}
	return ""
}
