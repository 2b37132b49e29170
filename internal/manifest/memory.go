package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Memory is a file that holds, for each party, how new the manifest is that ran last. It
// keeps an old program with its old manifest, both of them well signed, from coming back.
type Memory struct {
	path string
	mu   sync.Mutex
}

// NewMemory keeps it in a file, which need not be there.
func NewMemory(path string) *Memory { return &Memory{path: path} }

// mostMemory bounds the file, in bytes.
const mostMemory = 1 << 20

// Admit remembers a manifest, unless a newer one ran before. Errors: ErrOlder.
func (m *Memory) Admit(party string, one Manifest) error {
	return m.change(party, one, func(before int64) error {
		if one.Issued < before {
			return fmt.Errorf("%w; if you mean to go back to it: ontschot adapter trust --older", ErrOlder)
		}
		return nil
	})
}

// Older has an older one count again, because the operator says so.
func (m *Memory) Older(party string, one Manifest) error {
	return m.change(party, one, func(int64) error { return nil })
}

func (m *Memory) change(party string, one Manifest, may func(before int64) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	all, err := m.read()
	if err != nil {
		return err
	}
	if err := may(all[party]); err != nil || all[party] == one.Issued {
		return err
	}
	all[party] = one.Issued
	return m.write(all)
}

func (m *Memory) read() (map[string]int64, error) {
	f, err := os.Open(m.path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]int64{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := map[string]int64{}
	if err := json.NewDecoder(io.LimitReader(f, mostMemory)).Decode(&all); err != nil || all == nil {
		return nil, fmt.Errorf("%w: %s cannot be read; put it back from a backup", ErrManifest, m.path)
	}
	return all, nil
}

// write replaces the file whole.
func (m *Memory) write(all map[string]int64) error {
	raw, err := json.Marshal(all)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(m.path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(m.path), ".manifests-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // when it is still there
	_, err = f.Write(raw)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), m.path)
}
