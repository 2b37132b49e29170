package main

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/signed"
)

// hostile is a case of the corpus in testdata/hostile: a good document of a kind,
// and what is done to it. Texts are templates; tools in hostile_build_test.go says
// what they can hold.
type hostile struct {
	Name string
	// Why it must be refused: the clause of the standard or the rule it breaks.
	Why string
	// Of are the kinds of document it is made of; none: every kind of one signature.
	Of []string
	// Is what the room of signatures says: malformed, key or signature; good:
	// it has nothing to say against it, and the room of its kind has.
	Is string
	// Told is the reason that its own front door gives; empty: any.
	Told string
	// Taken are the doors that take it, because it is good after all.
	Taken []string

	// Head and Claims set members, whose values are JSON; an empty one takes a member out.
	Head, Claims map[string]string
	// Header, Payload and Bytes replace the first text by the second, once.
	Header, Payload, Bytes [][2]string
	By                     string // the key that signs, as PARTY/ID
	Alg                    string // the algorithm it signs with; empty: that of the key
	Signature              string // how the signature is spoilt
	Form                   string // the serialisation; empty: that of the kind
	Raw                    string // the bytes themselves, instead of all of this
	Beside                 string // how what comes beside a consent is spoilt
	Leaf                   string // whose connection it comes over
}

// corpus reads every case.
func corpus(t *testing.T) []hostile {
	t.Helper()
	files, err := filepath.Glob("testdata/hostile/*.yaml")
	require.NoError(t, err)
	var all []hostile
	names := map[string]bool{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		d := yaml.NewDecoder(bytes.NewReader(raw))
		d.KnownFields(true)
		var some []hostile
		require.NoError(t, d.Decode(&some), file)
		for _, c := range some {
			require.False(t, names[c.Name], "%s is listed twice", c.Name)
			require.True(t, c.Name != "" && len(c.Why) > 15 && c.Is != "", "%s: name, why and is are needed", c.Name)
			names[c.Name] = true
		}
		all = append(all, some...)
	}
	require.Greater(t, len(all), 80)
	return all
}

// Every hostile document at every door: refused with a code and a reason, without a
// word of what was in it, and without a trace in the audit log.
func TestHostileDocumentsAtEveryDoor(t *testing.T) {
	s := besiege(t)
	begin := s.entries()
	s.size = begin
	for _, c := range corpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			for _, kind := range c.kinds() {
				d := s.build(t, c, kind)
				s.rooms(t, c, d)
				s.frontDoors(t, c, d)
			}
		})
	}
	require.Equal(t, begin, s.entries()-s.honest, "entries that no honest action made")
	b, err := s.ask()
	require.NoError(t, err)
	require.Equal(t, int64(11184437), b.GetCareTotalCents(), "an honest request is answered as before")
	require.Equal(t, begin+s.honest+2, s.entries())
	s.startAmongThem(t)
	s.nothingIsLeft(t)
}

// startAmongThem starts a gateway with all of the documents in its folder that do not
// stop a start: those that end nothing. Each is left out, and reported.
func (s *siege) startAmongThem(t *testing.T) {
	t.Helper()
	var documents []document
	for _, d := range s.seen {
		kind, _ := signed.KindOf(d.raw)
		if kind != signed.Statement && !d.taken {
			documents = append(documents, d)
		}
	}
	require.Greater(t, len(documents), 300)
	s.server.Close()
	conf := s.inFolder(t, documents)
	conf.Sources = nil
	again, err := server.Start(t.Context(), conf, s.stderr)
	require.NoError(t, err)
	defer again.Close()
	require.Len(t, again.Refused, len(documents))
	said := strings.Join(again.Refused, "\n")
	for _, d := range documents {
		leaks(t, "what is reported at start", said, d)
	}
	s.server = again
	require.Equal(t, s.size+2, s.entries())
}

// kinds it is made of.
func (c hostile) kinds() []string {
	if len(c.Of) == 0 {
		return slices.DeleteFunc(kinds(), together)
	}
	return c.Of
}

// rooms presents a document to every room that reads documents: first the one of
// signatures, as each kind, then the rooms of the kinds.
func (s *siege) rooms(t *testing.T, c hostile, d document) {
	t.Helper()
	sentinels := map[string]error{"malformed": signed.ErrMalformed, "key": signed.ErrKey, "signature": signed.ErrSignature}
	for name, read := range s.entrances() {
		err := read(d.raw)
		own := slices.Contains(entrancesOf(d.kind), name)
		switch {
		case own && c.Is == "good" || slices.Contains(c.Taken, name):
			require.NoError(t, err, "%s at %s", d.kind, name)
			continue
		case own:
			require.ErrorIs(t, err, sentinels[c.Is], "%s at %s", d.kind, name)
		}
		require.Error(t, err, "%s at %s", d.kind, name)
		s.says(t, err.Error(), d)
	}
	for name, verify := range s.verifiers() {
		err := verify(d)
		if slices.Contains(c.Taken, name) {
			require.NoError(t, err, "%s at %s", d.kind, name)
			continue
		}
		require.Error(t, err, "%s at the room of %s", d.kind, name)
		s.says(t, err.Error(), d)
	}
}

// frontDoors presents a document to every service that takes documents.
func (s *siege) frontDoors(t *testing.T, c hostile, d document) {
	t.Helper()
	for _, door := range s.doors() {
		if !door.carries(d.raw) {
			continue
		}
		err := door.present(d)
		before, after := s.size, s.entries()
		s.size = after
		if slices.Contains(c.Taken, door.name) {
			require.NoError(t, err, "%s at %s", d.kind, door.name)
			s.honest += after - before
			continue
		}
		if strings.Contains(status.Convert(err).Message(), "header list size to send violates the maximum size") {
			require.Greater(t, len(d.raw), 60_000, "more metadata than a gateway takes: who asks is told so before it is sent")
			require.Equal(t, before, after)
			continue
		}
		code, why, _ := reason(t, err)
		require.Contains(t, refusals(), code, "%s at %s: %v", d.kind, door.name, err)
		require.True(t, why != "" || code == codes.ResourceExhausted, "%s at %s: %v", d.kind, door.name, err)
		if c.Told != "" && slices.Contains(door.kinds, d.kind) {
			require.Equal(t, c.Told, why, "%s at %s: %v", d.kind, door.name, err)
		}
		s.says(t, err.Error(), d)
		require.Equal(t, before, after, "%s at %s is in the audit log", d.kind, door.name)
	}
	if err := s.folder(t, d); slices.Contains(c.Taken, "register") {
		require.NoError(t, err, d.kind)
	} else if len(d.raw) <= signed.MaxBytes {
		require.Error(t, err, d.kind)
		s.says(t, err.Error(), d)
	}
	require.Equal(t, s.size, s.entries(), "%s in the folder is in the audit log", d.kind)
}

// refusals are the codes of what is the caller's own fault.
func refusals() []codes.Code {
	return []codes.Code{codes.InvalidArgument, codes.Unauthenticated, codes.PermissionDenied, codes.FailedPrecondition,
		codes.NotFound, codes.AlreadyExists, codes.ResourceExhausted}
}

// nothingIsLeft looks for persons in all that the gateway wrote, and verifies its audit log.
func (s *siege) nothingIsLeft(t *testing.T) {
	t.Helper()
	written := s.stderr.String()
	require.NotContains(t, written, "panic")
	require.NotContains(t, written, "internal error")
	said := distinct(written)
	require.False(t, s.nine.MatchString(said), "a number of nine digits on standard error")
	for _, d := range s.seen {
		leaks(t, "standard error", said, d)
	}
	code, out, errs := cli(t, "audit", "verify", "--data", filepath.Join(s.dir, "data"))
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "releases")
	secrets := secretsOf(t, s.family.Case)
	require.NoError(t, filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		search(t, filepath.Base(path), content, secrets)
		return err
	}))
	search(t, "standard error", []byte(written), secrets)
}

// distinct gives each line of a log once, without its time.
func distinct(log string) string {
	clock := regexp.MustCompile(`"time":"[^"]*",`)
	once := map[string]bool{}
	for line := range strings.Lines(log) {
		once[clock.ReplaceAllString(line, "")] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(once)), "")
}
