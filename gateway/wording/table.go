package wording

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"

	"go.yaml.in/yaml/v3"
)

// ErrTable means that a file of the folder cannot be read; the message names the file.
var ErrTable = errors.New("not a table of policies")

// maxBytes bounds one file.
const maxBytes = 1 << 20

// readTable reads one YAML file into v; keys v does not know are refused.
func readTable(fsys fs.FS, name string, v any) error {
	f, err := fsys.Open(name)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTable, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrTable, name, err)
	}
	if len(raw) > maxBytes {
		return fmt.Errorf("%w: %s: larger than %d bytes", ErrTable, name, maxBytes)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	decoder.KnownFields(true)
	if err := decoder.Decode(v); err != nil {
		return fmt.Errorf("%w: %s%s", ErrTable, name, unreadable(err))
	}
	return nil
}

// How the YAML library says where, and of which key.
var (
	atLine  = regexp.MustCompile(`line (\d+): `)
	unknown = regexp.MustCompile(`field (\S{1,64}) not found in type`)
)

// unreadable words what the YAML library says, without types of Go and without what stands in
// the file.
func unreadable(err error) string {
	where, what := ":1", "this cannot be read as YAML"
	if m := atLine.FindStringSubmatch(err.Error()); m != nil {
		where = ":" + m[1]
	}
	var kind *yaml.TypeError
	switch m := unknown.FindStringSubmatch(err.Error()); {
	case errors.Is(err, io.EOF):
		what = "it is empty"
	case m != nil:
		what = fmt.Sprintf("unknown key %q", m[1])
	case errors.As(err, &kind):
		what = "a text, a list or keys stand here where something else is needed"
	}
	return where + ": " + what
}
