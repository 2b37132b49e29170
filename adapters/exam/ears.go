package exam

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"sync"
	"unicode"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters/handshake"
)

// ears hear all that comes out of an adapter, and know what must not: the numbers and names
// of the persons, and the secrets.
type ears struct {
	mu      sync.Mutex
	persons [][]byte // as they are heard: small letters, digits without what stands between them
	secrets [][]byte
	others  [][]byte       // identifiers that are none
	heard   map[string]int // by kind and sink
	streams []*stream
}

// Where something was heard.
const (
	inStream = "stream"
	inError  = "error"
	inAnswer = "answer"
)

// Kinds of what is heard.
const (
	ofPerson    = "person"
	ofSecret    = "secret"
	ofInjection = "injection"
)

// shortest is the shortest text that is listened for: a shorter one is anywhere.
const shortest = 6

func newEars(p *Persons, secrets map[string]string) *ears {
	e := &ears{heard: map[string]int{}}
	for _, text := range p.canaries() {
		e.persons = listenFor(e.persons, text)
	}
	for _, secret := range secrets {
		for line := range strings.Lines(secret) { // of a key in PEM, each line is one
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
				e.secrets = listenFor(e.secrets, line)
			}
		}
	}
	return e
}

func listenFor(all [][]byte, text string) [][]byte {
	if plain := plain([]byte(text)); len(plain) >= shortest {
		return append(all, plain)
	}
	return all
}

// secret has the ears know another secret.
func (e *ears) secret(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.secrets = listenFor(e.secrets, text)
}

// injection has the ears know an identifier that is none.
func (e *ears) injection(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.others = listenFor(e.others, text)
}

// plain is a text as it is compared: in small letters, and without a space, point or dash
// between two digits.
func plain(text []byte) []byte {
	all := bytes.ToLower(text)
	to := all[:0]
	for i, b := range all {
		if (b == ' ' || b == '.' || b == '-') && len(to) > 0 && isDigit(to[len(to)-1]) && i+1 < len(all) && isDigit(all[i+1]) {
			continue
		}
		to = append(to, b)
	}
	return to
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// hear looks for what must not be there.
func (e *ears) hear(sink string, text []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	said := plain(text)
	for kind, list := range map[string][][]byte{ofPerson: e.persons, ofSecret: e.secrets, ofInjection: e.others} {
		for _, canary := range list {
			if bytes.Contains(said, canary) {
				e.heard[kind+" "+sink]++
			}
		}
	}
}

// count is how often something of a kind was heard.
func (e *ears) count(kind, sink string) int {
	for _, s := range e.all() {
		s.flush()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.heard[kind+" "+sink]
}

func (e *ears) all() []*stream {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*stream{}, e.streams...)
}

// unary listens to one call.
func (e *ears) unary(ctx context.Context, method string, q, a any, conn *grpc.ClientConn, call grpc.UnaryInvoker, options ...grpc.CallOption) error {
	var header, trailer metadata.MD
	err := call(ctx, method, q, a, conn, append(options, grpc.Header(&header), grpc.Trailer(&trailer))...)
	for _, md := range []metadata.MD{header, trailer} {
		for key, values := range md {
			e.hear(inError, []byte(key+" "+strings.Join(values, " ")))
		}
	}
	if err != nil {
		if raw, bad := proto.Marshal(status.Convert(err).Proto()); bad == nil {
			e.hear(inError, raw)
		}
		return err
	}
	if m, ok := a.(proto.Message); ok {
		if raw, bad := proto.Marshal(m); bad == nil && len(raw) <= handshake.MaxAnswer {
			e.hear(inAnswer, raw)
		}
	}
	return nil
}

// clean makes a text fit to be shown: nothing that was listened for, no number of nine digits,
// nothing that steers a terminal.
func (e *ears) clean(text string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return '?'
		}
		return r
	}, text)
	text = nine.ReplaceAllString(text, "*********")
	for _, list := range [][][]byte{e.persons, e.secrets, e.others} {
		for _, canary := range list {
			text = written(canary).ReplaceAllString(text, "***")
		}
	}
	const most = 400
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// written finds a text in every way in which it may be written.
func written(canary []byte) *regexp.Regexp {
	var pattern strings.Builder
	pattern.WriteString("(?i)")
	for i, r := range string(canary) {
		if i > 0 && r >= '0' && r <= '9' && isDigit(canary[i-1]) {
			pattern.WriteString("[ .-]?")
		}
		pattern.WriteString(regexp.QuoteMeta(string(r)))
	}
	return regexp.MustCompile(pattern.String())
}

var nine = regexp.MustCompile(`[0-9]([ .-]?[0-9]){8}`)

func (e *ears) cleaned(t Text) Text { return Text{NL: e.clean(t.NL), EN: e.clean(t.EN)} }

// stream is what one process prints to one of its streams.
type stream struct {
	ears  *ears
	mu    sync.Mutex
	tail  []byte
	bytes int
	ends  int // of lines
}

func (e *ears) stream() *stream {
	s := &stream{ears: e}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.streams = append(e.streams, s)
	return s
}

// Of what was printed last so much is kept, in bytes, for what is said in two pieces.
const (
	mostTail = 64 << 10
	overlap  = 4 << 10
)

// Write implements io.Writer.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes += len(p)
	s.ends += bytes.Count(p, []byte("\n"))
	s.tail = append(s.tail, p...)
	if len(s.tail) > mostTail {
		s.ears.hear(inStream, s.tail)
		s.tail = append([]byte{}, s.tail[len(s.tail)-overlap:]...)
	}
	return len(p), nil
}

func (s *stream) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ears.hear(inStream, s.tail)
	s.tail = s.tail[:0]
}

// printed gives how many bytes and ends of lines there were.
func (s *stream) printed() (size, ends int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes, s.ends
}
