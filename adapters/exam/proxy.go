package exam

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// fault is what is wrong with a source.
type fault int

const (
	well    fault = iota
	down          // each connection is broken off
	silent        // it takes what it is sent, and says nothing
	garbled       // it says what is no answer
)

// proxy is one line between an adapter and its source, at the level of TCP.
type proxy struct {
	to       string
	listener net.Listener
	mu       sync.Mutex
	fault    fault
	open     map[*line]bool
	closed   bool
}

// line is one connection through a proxy.
type line struct {
	adapter, source net.Conn
}

func newProxy(to string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{to: to, listener: l, open: map[*line]bool{}}
	go p.accept()
	return p, nil
}

func (p *proxy) port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// play changes what is wrong. Connections of before are broken off when a source goes down or
// comes up again, as they would be; a source that falls silent falls silent on them too.
func (p *proxy) play(f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	if f == silent {
		return
	}
	for l := range p.open {
		l.end()
	}
}

func (p *proxy) now() fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.serve(c)
	}
}

func (p *proxy) serve(c net.Conn) {
	l := &line{adapter: c}
	defer l.end()
	p.mu.Lock()
	f, closed := p.fault, p.closed
	p.open[l] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.open, l)
		p.mu.Unlock()
	}()
	switch {
	case closed || f == down:
		return
	case f == garbled:
		garble(c)
		return
	case f == silent:
		_, _ = io.Copy(io.Discard, c)
		return
	}
	source, err := net.DialTimeout("tcp", p.to, 5*time.Second)
	if err != nil {
		return
	}
	p.mu.Lock()
	l.source = source
	p.mu.Unlock()
	go p.copy(l, source, c)
	p.copy(l, c, source)
}

// copy passes on what comes; while the source is silent, nothing.
func (p *proxy) copy(l *line, to io.Writer, from io.Reader) {
	defer l.end()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && p.now() != silent {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// garble answers what asks over HTTP with what looks like an answer, and all others with noise.
func garble(c net.Conn) {
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	head := make([]byte, 32<<10)
	n, _ := c.Read(head)
	const noise = "\x00{<[ dit is geen antwoord\xff"
	answer := noise
	for _, method := range []string{"GET ", "POST ", "PUT ", "HEAD "} {
		if bytes.HasPrefix(head[:n], []byte(method)) {
			answer = fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(noise), noise)
		}
	}
	_, _ = io.WriteString(c, answer)
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, c) // what it still says would break off what it has to read
}

// end breaks off a connection; it may be called twice.
func (l *line) end() {
	_ = l.adapter.Close()
	if l.source != nil {
		_ = l.source.Close()
	}
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.play(down)
}
