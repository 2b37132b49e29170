package policy

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// maxFolderBytes bounds all files of a folder together.
const maxFolderBytes = 16 << 20

// parts are what a folder of policies consists of; what else lies in it is not read.
func parts() []string {
	return []string{"README.md", "agreements", "capabilities.json", "cases", "reasons", "rules", "schemas"}
}

// ReadFolder copies a folder of policies into memory, as it is at this moment: what is
// checked is then what is used. Only regular files count. Errors: ErrRules.
func ReadFolder(fsys fs.FS) (fs.FS, error) {
	all, err := filesOf(fsys)
	if err != nil {
		return nil, err
	}
	return inMemory(all)
}

// filesOf are the files of a folder by their paths.
func filesOf(fsys fs.FS) (map[string][]byte, error) {
	all, total := map[string][]byte{}, 0
	err := fs.WalkDir(fsys, ".", func(file string, entry fs.DirEntry, err error) error {
		top, _, _ := strings.Cut(file, "/")
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrRules, err)
		case file == ".":
			return nil
		case !slices.Contains(parts(), top):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			return fmt.Errorf("%w: %s: is no regular file; put the file itself there", ErrRules, file)
		}
		raw, err := readFile(fsys, file)
		if err != nil {
			return err
		}
		if all[file], total = raw, total+len(raw); len(all) > maxFiles || total > maxFolderBytes {
			return fmt.Errorf("%w: the folder holds more than %d files or %d bytes", ErrRules, maxFiles, maxFolderBytes)
		}
		return nil
	})
	return all, err
}

// inMemory makes a folder of files by their paths.
func inMemory(files map[string][]byte) (fs.FS, error) {
	var copied bytes.Buffer
	w := zip.NewWriter(&copied)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		out, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = out.Write(files[name])
		}
		if err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return zip.NewReader(bytes.NewReader(copied.Bytes()), int64(copied.Len()))
}
