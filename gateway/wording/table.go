package wording

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

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
		return fmt.Errorf("%w: %s: %w", ErrTable, name, err)
	}
	return nil
}
