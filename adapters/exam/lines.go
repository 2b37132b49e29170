package exam

import (
	"bytes"
	"encoding/json"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// lines are between an adapter and its source: what it connects to, by the keys of its
// configuration that it says hold addresses, leads through a proxy of the exam.
type lines struct {
	config  []byte // with the proxies' addresses
	proxies []*proxy
	why     *Text // there are none because of this
}

// between says why the exam cannot come between the adapter and its source; nil: it does.
func (x *examination) between() *Text {
	switch {
	case len(x.Command) == 0:
		t := text("alleen aan een programma (--exec)", "of a program alone (--exec)")
		return &t
	case x.lines == nil:
		t := text("de adapter is niet te bereiken", "the adapter cannot be reached")
		return &t
	}
	return x.lines.why
}

// insert makes the proxies. Ports change and names stay, so that the names in certificates
// do too: an address is led through a proxy when its name is of this machine.
func (x *examination) insert() *lines {
	l := &lines{config: x.JSON}
	not := func(nl, en string, args ...any) *lines {
		l.close()
		t := text(nl, en, args...)
		return &lines{config: x.JSON, why: &t}
	}
	if len(x.what.GetEgress()) == 0 {
		return not("de adapter noemt geen adressen (egress)", "the adapter names no addresses (egress)")
	}
	var conf any
	d := json.NewDecoder(bytes.NewReader(x.JSON))
	d.UseNumber()
	if d.Decode(&conf) != nil {
		return not("de configuratie is geen JSON", "the configuration is no JSON")
	}
	for _, key := range x.what.GetEgress() {
		if why := l.through(conf, strings.Split(key, ".")); why != "" {
			return not("%s: %s", "%s: %s", key, why)
		}
	}
	if len(l.proxies) == 0 {
		return not("de configuratie heeft geen van de adressen", "the configuration has none of the addresses")
	}
	raw, err := json.Marshal(conf)
	if err != nil {
		return not("de configuratie is geen JSON", "the configuration is no JSON")
	}
	l.config = raw
	return l
}

// through leads the address under a key through a proxy; it says why when that cannot be.
func (l *lines) through(at any, key []string) string {
	object, ok := at.(map[string]any)
	if !ok || len(key) == 0 {
		return ""
	}
	value, ok := object[key[0]]
	if !ok {
		return "" // not every address is configured
	}
	if len(key) > 1 {
		return l.through(value, key[1:])
	}
	list, many := value.([]any)
	if !many {
		list = []any{value}
	}
	for i, one := range list {
		address, ok := one.(string)
		if !ok || address == "" {
			continue
		}
		led, why := l.lead(address)
		if why != "" {
			return why
		}
		list[i] = led
	}
	if !many {
		object[key[0]] = list[0]
	}
	return ""
}

// lead gives the address at which an address is reached through a proxy.
func (l *lines) lead(address string) (led, why string) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" { // host:port
		u = &url.URL{Host: address}
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = map[string]string{
			"http": "80", "https": "443", "postgres": "5432", "postgresql": "5432", "mysql": "3306", "sqlserver": "1433", "sftp": "22", "oracle": "1521",
		}[u.Scheme]
	}
	if host == "" || port == "" {
		return "", "no host:port"
	}
	if !here(host) {
		if u.Scheme != "http" {
			return "", "the name is not of this machine (see /etc/hosts), and its certificate would not fit another"
		}
		host = "127.0.0.1"
	}
	p, err := l.proxy(net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return "", "no port to listen on"
	}
	led = net.JoinHostPort(host, strconv.Itoa(p.port()))
	if u.Scheme == "" {
		return led, ""
	}
	u.Host = led
	return u.String(), ""
}

// here reports whether a name is of this machine.
func here(host string) bool {
	addresses, err := net.LookupIP(host)
	if err != nil || len(addresses) == 0 {
		return false
	}
	for _, ip := range addresses {
		if !ip.IsLoopback() {
			return false
		}
	}
	return true
}

// proxy gives the one to an address.
func (l *lines) proxy(to string) (*proxy, error) {
	for _, p := range l.proxies {
		if p.to == to {
			return p, nil
		}
	}
	p, err := newProxy(to)
	if err == nil {
		l.proxies = append(l.proxies, p)
	}
	return p, err
}

// play has all lines behave so from now on.
func (l *lines) play(f fault) {
	for _, p := range l.proxies {
		p.play(f)
	}
}

// of reports whether a port is that of a proxy.
func (l *lines) of(port int) bool {
	for _, p := range l.proxies {
		if p.port() == port {
			return true
		}
	}
	return false
}

func (l *lines) close() {
	for _, p := range l.proxies {
		p.close()
	}
}
