// Package csv answers: what stands in an agency's file of every night on one person, by a
// mapping? The file is in a folder, or on a server that speaks SFTP. Its header is pinned,
// a SHA-256 beside it says that it is whole, and its date is that of the answer. No copy
// of it is made: an index in memory says where in it the rows of one person stand.
package csv

import (
	_ "embed" // the schema
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/source"
)

//go:embed config.schema.json
var schema []byte

// New gives an adapter by a mapping that belongs to the program; without one (nil) the
// configuration has it, as the key mapping.
func New(raw []byte) adapters.Adapter { return mapping.New(Kind{}, raw) }

// Kind is that of this package.
type Kind struct{}

// Facts implements mapping.Kind.
func (Kind) Facts() mapping.Facts {
	return mapping.Facts{Name: "csv", Schema: schema, Secrets: []string{"sftp_key", "sftp_password"}, Egress: []string{"sftp_address"}}
}

// plan is the section source of a mapping.
type plan struct {
	pattern   pattern
	delimiter rune
	latin     bool // Windows-1252
	header    []string
	columns   []string // the header as members of a record
	key       int      // the column of the person
	checksum  bool
	stale     int // days after which the data is older than it should be; 0: never
}

// Plan implements mapping.Kind.
func (Kind) Plan(s *mapping.Section, rows string) mapping.Plan {
	s.Known("kind", "file", "delimiter", "encoding", "header", "key", "checksum", "stale_after")
	s.Need("file", "header", "key", "stale_after")
	p := &plan{
		delimiter: delimiters()[s.Word("delimiter", ";", ",", "tab", "|")], latin: s.Word("encoding", "utf-8", "windows-1252") == "windows-1252",
		header: s.Words("header"), checksum: s.Word("checksum", "sha256", "none") == "sha256", stale: s.Number("stale_after", 366, 0),
	}
	var ok bool
	if p.pattern, ok = newPattern(s.Text("file")); !ok {
		s.Problem("file", "een bestandsnaam, met ten hoogste een {yyyymmdd} of {yyyy-mm-dd}", "the name of a file, with at most one {yyyymmdd} or {yyyy-mm-dd}")
	}
	for _, name := range p.header {
		column := strings.ReplaceAll(strings.TrimSpace(name), "/", "_")
		if column == "" || slices.ContainsFunc(p.columns, func(c string) bool { return strings.EqualFold(c, column) }) {
			s.Problem("header", "elke kolom een eigen naam", "each column a name of its own")
		}
		p.columns = append(p.columns, column)
	}
	if p.key = slices.Index(p.columns, s.Text("key")); p.key < 0 {
		s.Problem("key", "een kolom van header", "a column of header")
	}
	if rows != "" {
		s.Problem("", "rows hoort niet bij csv: elke regel is een record", "rows has no place with csv: each row is a record")
	}
	return p
}

func delimiters() map[string]rune {
	return map[string]rune{";": ';', ",": ',', "tab": '\t', "|": '|'}
}

// Columns implements mapping.Columned.
func (p *plan) Columns() []string { return p.columns }

// record makes a record of the fields of a row: an object of texts. It is a bare list,
// which no mapping takes for a record, when the row has other fields than the header, or
// text that is not in the encoding.
func (p *plan) record(fields []string, raw []byte, number int) (native.Node, error) {
	pairs := make([]native.Pair, len(fields))
	sound := len(fields) == len(p.header)
	for i, field := range fields {
		text, ok := p.decode(field)
		if sound = sound && ok; !sound {
			break
		}
		pairs[i] = native.Pair{Name: p.columns[i], Text: text}
	}
	if !sound {
		pairs = nil
	}
	at := adapters.Cursor{}.Field("rows").Item(number)
	return native.Row(pairs, at.Begin(raw))
}

func (p *plan) decode(field string) (string, bool) {
	if p.latin {
		text, err := charmap.Windows1252.NewDecoder().String(field)
		return text, err == nil && !strings.ContainsRune(text, utf8.RuneError)
	}
	return field, utf8.ValidString(field)
}

// Read implements mapping.Plan: the rows of a whole file that are the person's.
func (p *plan) Read(raw []byte, person mapping.Person) (source.List, error) {
	x, err := p.index(strings.NewReader(string(raw)))
	if err != nil {
		return source.List{}, err
	}
	return p.rows(x, strings.NewReader(string(raw)), person)
}
