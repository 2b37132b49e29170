package main

import (
	"crypto/elliptic"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/signed"
)

// Every kind of document, honestly made, at every room and every front door: none is
// taken for another (RFC 8725 section 3.12).
func TestAKindOfDocumentPassesItsOwnDoorAlone(t *testing.T) {
	s := besiege(t)
	own := map[string]string{
		"token": "token exchange agreements consents", "consent": "consent register folder", "withdrawal": "withdrawal register folder",
		"delegation": "delegation register folder", "agreement": "agreement proposal register folder", "proposal": "proposal deliver",
		"reject": "statement deliver", "revoke": "statement deliver", "result": "result presented", "account": "account", "dissolution": "dissolution", "permit": "", "directory": "directory", "manifest": "manifest",
	}
	var want, got [][]string
	for _, kind := range kinds() {
		d := s.good(t, kind)
		want = append(want, append([]string{kind}, strings.Fields(own[kind])...))
		got = append(got, append([]string{kind}, s.takenBy(t, d, strings.Fields(own[kind]))...))
	}
	should, did := table(s.columns(), want), table(s.columns(), got)
	require.True(t, should == did, "it should be\n%s\nand it is\n%s", should, did)
}

// columns are the rooms and the front doors.
func (s *siege) columns() []string {
	columns := slices.Sorted(maps.Keys(s.verifiers()))
	for _, door := range s.doors() {
		columns = append(columns, door.name)
	}
	return append(columns, "folder")
}

// takenBy presents a document everywhere, last where it belongs, and gives who took it.
// What is refused leaves no trace in the audit log.
func (s *siege) takenBy(t *testing.T, d document, own []string) []string {
	t.Helper()
	ways := map[string]func(document) error{"folder": func(d document) error { return s.folder(t, d) }}
	maps.Copy(ways, s.verifiers())
	for _, door := range s.doors() {
		ways[door.name] = door.present
	}
	var taken []string
	names := slices.SortedFunc(maps.Keys(ways), func(a, b string) int {
		return slices.Index(own, a) - slices.Index(own, b)
	})
	for _, name := range names {
		before := s.entries()
		err := ways[name](d)
		if err == nil {
			taken = append(taken, name)
			continue
		}
		require.NotContains(t, []codes.Code{codes.Internal, codes.Unknown}, codeOf(err), "%s at %s: %v", d.kind, name, err)
		require.Equal(t, before, s.entries(), "%s at %s", d.kind, name)
	}
	return taken
}

// codeOf gives the code of a call's error, and for an error of a room InvalidArgument.
func codeOf(err error) codes.Code {
	if s, ok := status.FromError(err); ok {
		return s.Code()
	}
	return codes.InvalidArgument
}

// table writes rows with a mark under each column that a row names.
func table(columns []string, rows [][]string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%-11s", "")
	for _, c := range columns {
		fmt.Fprintf(&out, " %s", c)
	}
	for _, row := range rows {
		fmt.Fprintf(&out, "\n%-11s", row[0])
		for _, c := range columns {
			mark := "."
			if slices.Contains(row[1:], c) {
				mark = "TAKEN"
			}
			fmt.Fprintf(&out, " %-*s", len(c), mark)
		}
	}
	return out.String() + "\n"
}

// folder presents a document by the documents folder, as a start does.
func (s *siege) folder(t *testing.T, documents ...document) error {
	t.Helper()
	again := &server.Server{Conf: s.inFolder(t, documents), Broker: s.server.Broker}
	if err := again.TakeDocuments(t.Context()); err != nil {
		return err
	}
	if len(again.Refused) > 0 {
		return fmt.Errorf("left out: %s", strings.Join(again.Refused, "; "))
	}
	return nil
}

// inFolder writes documents to a folder of their own and gives the configuration.
func (s *siege) inFolder(t *testing.T, documents []document) *config.Gateway {
	t.Helper()
	conf := *s.server.Conf
	conf.Documents = s.scratch
	require.NoError(t, os.RemoveAll(s.scratch))
	require.NoError(t, os.Mkdir(s.scratch, 0o700))
	for i, d := range documents {
		raw, err := protojson.Marshal(d.request())
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(conf.Documents, fmt.Sprintf("%04d.json", i)), raw, 0o600))
	}
	return &conf
}

// A signature of ES256 has a twin that anybody can make, and signatures can be in
// another order. Neither makes a second document of one, or anything happen twice.
func TestTheTwinOfADocumentCountsForNothingMore(t *testing.T) {
	s := besiege(t)
	doors := map[string]door{}
	for _, door := range s.doors() {
		for _, kind := range door.kinds {
			doors[kind] = door
		}
	}
	for _, kind := range kinds() {
		door, ok := doors[kind]
		if !ok || kind == "token" { // a token is good for many calls, and so for its twin's
			continue
		}
		d := s.good(t, kind)
		require.NoError(t, door.present(d), kind)
		before := s.entries()
		require.NoError(t, door.present(d), kind)
		again := s.entries() - before // nothing, or what a budget presented again leaves each time
		before = s.entries()

		twins := []document{s.twin(t, d)}
		if kind == "agreement" {
			twins = append(twins, turned(t, d))
		}
		for _, twin := range twins {
			require.NotEqual(t, d.raw, twin.raw)
			for name, verify := range s.verifiers() {
				require.Equal(t, verify(d) == nil, verify(twin) == nil, "its signature holds: %s at %s", kind, name)
			}
			err := door.present(twin)
			require.Contains(t, []codes.Code{codes.OK, codes.AlreadyExists}, status.Code(err), "%s: %v", kind, err)
			require.Equal(t, before+again, s.entries(), kind)
			before += again
		}
	}
}

// twin gives the document with r and n-s in the place of r and s.
func (s *siege) twin(t *testing.T, d document) document {
	t.Helper()
	other := func(encoded string) string {
		sig := []byte(unb64(t, encoded))
		n := elliptic.P256().Params().N
		return b64(string(fixed(new(big.Int).SetBytes(sig[:32]), new(big.Int).Sub(n, new(big.Int).SetBytes(sig[32:])))))
	}
	if !together(d.kind) {
		at := strings.LastIndex(string(d.raw), ".") + 1
		d.raw = []byte(string(d.raw[:at]) + other(string(d.raw[at:])))
		return d
	}
	var doc general
	require.NoError(t, json.Unmarshal(d.raw, &doc))
	last := &doc.Signatures[len(doc.Signatures)-1]
	last.Signature = other(last.Signature)
	return rewritten(t, d, doc)
}

// turned gives an agreement with its signatures in the other order.
func turned(t *testing.T, d document) document {
	t.Helper()
	var doc general
	require.NoError(t, json.Unmarshal(d.raw, &doc))
	slices.Reverse(doc.Signatures)
	return rewritten(t, d, doc)
}

func rewritten(t *testing.T, d document, doc general) document {
	t.Helper()
	var err error
	d.raw, err = signed.Canonical(doc)
	require.NoError(t, err)
	return d
}
