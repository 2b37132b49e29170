// Package scaffold answers: what does an agency begin with, to make an adapter of its own? A
// folder with a whole Go module that works at once, with people who do not exist.
package scaffold

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

//go:embed all:files
var files embed.FS

// ErrInput means that something that was asked for cannot be; what it says is for who asked.
var ErrInput = errors.New("a new adapter")

// Kinds of source that there is a beginning for.
func Kinds() []string { return []string{"sql", "rest", "graphql", "soap", "csv"} }

// all are the files of every kind; the others are of one.
const all = "all"

// Write makes the folder, which must not be there or be empty, and gives the names of its
// files in order. Nothing is written over. Errors: ErrInput, and those of the file system.
func Write(o Options) ([]string, error) {
	f, err := o.facts()
	if err != nil {
		return nil, err
	}
	made, err := render(f)
	if err != nil {
		return nil, err
	}
	if there, err := os.ReadDir(f.Dir); err == nil && len(there) > 0 {
		return nil, fmt.Errorf("%w: %s is not empty; name a new folder with --dir", ErrInput, f.Dir)
	}
	names := slices.Sorted(maps.Keys(made))
	for _, name := range names {
		if err := put(filepath.Join(f.Dir, filepath.FromSlash(name)), made[name]); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// put writes a file that is not there yet. What is in secrets is for its owner alone.
func put(name string, content []byte) error {
	mode, folder := fs.FileMode(0o644), fs.FileMode(0o755)
	if filepath.Base(filepath.Dir(name)) == "secrets" {
		mode, folder = 0o600, 0o700
	}
	if err := os.MkdirAll(filepath.Dir(name), folder); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// sources has the parts of a mapping that are of one kind.
const sources = "source.yaml"

// render gives the contents of the files by name.
func render(f facts) (map[string][]byte, error) {
	made := map[string][]byte{}
	for _, kind := range []string{all, f.Kind} {
		root := path.Join("files", kind)
		err := fs.WalkDir(files, root, func(at string, d fs.DirEntry, err error) error {
			name := strings.TrimSuffix(strings.TrimPrefix(at, root+"/"), ".tmpl")
			if err != nil || d.IsDir() || name == sources {
				return err
			}
			made[name], err = filled(f, at)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(f.Sums) > 0 {
		made["go.sum"] = f.Sums
	}
	for name, content := range made { // as a sender puts it there
		if strings.HasSuffix(name, ".csv") {
			sum := sha256.Sum256(content)
			made[name+".sha256"] = []byte(hex.EncodeToString(sum[:]) + "  " + path.Base(name) + "\n")
		}
	}
	return made, nil
}

// filled is one file.
func filled(f facts, at string) ([]byte, error) {
	t, err := template.New(path.Base(at)).Funcs(template.FuncMap{"quote": strconv.Quote, "sorted": sorted}).Option("missingkey=error").
		ParseFS(files, at, path.Join("files", f.Kind, sources+".tmpl"))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, f); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// sorted gives imports in the order of gofmt, whatever the kind.
func sorted(names ...string) []string { return slices.Sorted(slices.Values(names)) }

// recordKey is a fresh key that salts the hashes of records.
func recordKey() string {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	return hex.EncodeToString(key[:])
}
