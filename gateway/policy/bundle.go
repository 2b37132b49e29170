package policy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/internal/identity"
)

// ContractBundle is the version of the form of a bundle, in its manifest.
const ContractBundle = "ontschot.policy-bundle/1"

// MaxBundle bounds a bundle in bytes, as it is stored and as it is unpacked: the files of a
// folder, and what tar puts around each.
const MaxBundle = maxFolderBytes + (maxFiles+2)*4*tarBlock

const (
	tarBlock     = 512
	manifestName = ".manifest"
)

// Bundle is a folder of policies in one file, in the form of OPA (a tar.gz with a manifest):
// what lies under rules/ is at its root, so that stock opa loads it where the rules expect it,
// and the other parts beside that. The same folder is the same bytes, on every machine.
type Bundle struct {
	// FS is the folder, in memory.
	FS fs.FS
	// Revision is what the manifest says the rules are; Engine.Revision says what they are.
	Revision string
	// Parent is the revision that it was made from; empty: it does not say.
	Parent string
	// Digest is the SHA-256 of the file, in lower-case hexadecimal.
	Digest string
}

// manifest is that of OPA, with all that is in ours and nothing else.
type manifest struct {
	Metadata    manifestMetadata `json:"metadata"`
	RegoVersion int              `json:"rego_version"`
	Revision    string           `json:"revision"`
	Roots       []string         `json:"roots"`
}

type manifestMetadata struct {
	Contract string `json:"contract"`
	Parent   string `json:"parent,omitempty"`
}

// beside are the parts of a folder that are in a bundle under their own names.
func beside() []string {
	return slices.DeleteFunc(parts(), func(name string) bool { return name == "rules" })
}

// inBundle is under which name a file of a folder is in a bundle.
func inBundle(name string) string { return strings.TrimPrefix(name, "rules/") }

// inFolder is where a file of a bundle is in the folder.
func inFolder(name string) string {
	if top, _, _ := strings.Cut(name, "/"); slices.Contains(beside(), top) {
		return name
	}
	return "rules/" + name
}

// WriteBundle writes a folder of policies as a bundle; parent is the revision that it was made
// from, or empty. The revision is that of the folder's own engine. Errors: ErrRules.
func WriteBundle(fsys fs.FS, revision, parent string) ([]byte, error) {
	files := map[string][]byte{}
	fsys, err := ReadFolder(fsys)
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[name], err = readFile(fsys, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	raw, err := writeBundle(files, revision, parent)
	if err != nil {
		return nil, err
	}
	_, err = ReadBundle(raw) // what cannot be read again is not given to anybody
	return raw, err
}

// writeBundle writes files, by their names in the folder.
func writeBundle(files map[string][]byte, revision, parent string) ([]byte, error) {
	var names, roots []string
	inPackage := regexp.MustCompile(`(?m)^package +([A-Za-z0-9_]+)`)
	for name, raw := range files {
		inside := inBundle(name)
		if inFolder(inside) != name || inside == manifestName {
			return nil, fmt.Errorf("%w: %s: the folder %q cannot be called that under rules/; rename it", ErrRules, name, strings.Split(inside, "/")[0])
		}
		names = append(names, inside)
		if top, _, deep := strings.Cut(inside, "/"); deep {
			roots = append(roots, top)
		}
		if in := inPackage.FindSubmatch(raw); in != nil && strings.HasSuffix(name, ".rego") {
			roots = append(roots, string(in[1])) // opa refuses a package beside the roots
		}
	}
	slices.Sort(names)
	slices.Sort(roots)
	head, err := json.Marshal(manifest{
		Metadata: manifestMetadata{ContractBundle, parent}, RegoVersion: 1, Revision: revision, Roots: slices.Compact(roots),
	})
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	// Not compressed: then the bytes do not depend on who wrote the compressor.
	zipped, err := gzip.NewWriterLevel(&packed, gzip.NoCompression)
	if err != nil {
		return nil, err
	}
	archive := tar.NewWriter(zipped)
	err = writeFile(archive, manifestName, head)
	for _, name := range names {
		err = errors.Join(err, writeFile(archive, name, files[inFolder(name)]))
	}
	if err := errors.Join(err, archive.Close(), zipped.Close()); err != nil {
		return nil, fmt.Errorf("%w: as a bundle: %w", ErrRules, err)
	}
	return packed.Bytes(), nil
}

func writeFile(to *tar.Writer, name string, raw []byte) error {
	err := to.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "/" + name, Size: int64(len(raw)), Mode: 0o644, Format: tar.FormatUSTAR})
	if err == nil {
		_, err = to.Write(raw)
	}
	return err
}

// ReadBundle reads a bundle strictly: it is what WriteBundle makes of the folder that is in it,
// to the byte of the archive. Nothing is written anywhere, and nothing of it is believed:
// whether the rules can be used, and are of that revision, is for New. Errors: ErrRules.
func ReadBundle(raw []byte) (Bundle, error) {
	archive, err := unpack(raw)
	if err != nil {
		return Bundle{}, fmt.Errorf("%w: bundle: %w", ErrRules, err)
	}
	files, head, err := readArchive(archive)
	if err != nil {
		return Bundle{}, fmt.Errorf("%w: bundle: %w", ErrRules, err)
	}
	said, err := readManifest(head)
	if err != nil {
		return Bundle{}, fmt.Errorf("%w: bundle: %w", ErrRules, err)
	}
	again, err := writeBundle(files, said.Revision, said.Metadata.Parent)
	if err != nil {
		return Bundle{}, err
	}
	if is, err := unpack(again); err != nil || !bytes.Equal(is, archive) {
		return Bundle{}, fmt.Errorf("%w: bundle: not as ontschot policy build writes it; build it again", ErrRules)
	}
	folder, err := inMemory(files)
	sum := sha256.Sum256(raw)
	return Bundle{folder, said.Revision, said.Metadata.Parent, hex.EncodeToString(sum[:])}, err
}

// unpack gives the archive in a gzip file of one part, of a bounded size.
func unpack(raw []byte) ([]byte, error) {
	if len(raw) > MaxBundle {
		return nil, fmt.Errorf("larger than %d bytes", MaxBundle)
	}
	from := bytes.NewReader(raw)
	zipped, err := gzip.NewReader(from)
	if err != nil {
		return nil, errors.New("no tar.gz")
	}
	zipped.Multistream(false)
	if h := zipped.Header; h.Name != "" || h.Comment != "" || len(h.Extra) > 0 || !h.ModTime.IsZero() {
		return nil, errors.New("its gzip header says more than nothing")
	}
	archive, err := io.ReadAll(io.LimitReader(zipped, MaxBundle+1))
	switch {
	case err != nil:
		return nil, errors.New("its gzip part is damaged or cut off")
	case len(archive) > MaxBundle:
		return nil, fmt.Errorf("more than %d bytes when it is unpacked", MaxBundle)
	case from.Len() > 0:
		return nil, errors.New("something follows on its end")
	}
	return archive, nil
}

// readArchive reads the files, by their names in the folder, and the manifest.
func readArchive(archive []byte) (files map[string][]byte, head []byte, err error) {
	files = map[string][]byte{}
	total := 0
	for from := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := from.Next()
		if errors.Is(err, io.EOF) {
			return files, head, nested(files)
		}
		if err != nil {
			return nil, nil, errors.New("its tar part is damaged or cut off")
		}
		name, err := nameIn(h)
		if err != nil {
			return nil, nil, err
		}
		if h.Size < 0 || h.Size > maxFileBytes {
			return nil, nil, fmt.Errorf("%s: larger than %d bytes", name, maxFileBytes)
		}
		raw := make([]byte, h.Size)
		if _, err := io.ReadFull(from, raw); err != nil {
			return nil, nil, fmt.Errorf("%s: cut off", name)
		}
		place := inFolder(name)
		if _, twice := files[place]; twice || name == manifestName && head != nil {
			return nil, nil, fmt.Errorf("%s: is in it twice", name)
		}
		if name == manifestName {
			head = raw
			continue
		}
		if files[place], total = raw, total+len(raw); len(files) > maxFiles || total > maxFolderBytes {
			return nil, nil, fmt.Errorf("more than %d files or %d bytes", maxFiles, maxFolderBytes)
		}
	}
}

// nested refuses a name that is both a file and a folder.
func nested(files map[string][]byte) error {
	for name := range files {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, is := files[dir]; is {
				return fmt.Errorf("%s: is a file and a folder", dir)
			}
		}
	}
	return nil
}

// nameIn is the name of a regular file of an archive, which leads to no other place.
func nameIn(h *tar.Header) (string, error) {
	name, ok := strings.CutPrefix(h.Name, "/")
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-/", c)
	}
	odd := strings.IndexFunc(name, func(c rune) bool { return !plain(c) }) >= 0
	switch {
	case !ok || odd || !fs.ValidPath(name) || path.Clean(name) != name || name == ".":
		return "", errors.New("a name in it leads out of the folder, or is not of letters, digits and . _ - /")
	case h.Typeflag != tar.TypeReg:
		return "", fmt.Errorf("%s: is no regular file: no links, folders or devices are in a bundle", name)
	}
	return name, nil
}

// readManifest reads what writeBundle writes and nothing else.
func readManifest(raw []byte) (manifest, error) {
	var m manifest
	if raw == nil {
		return m, errors.New(manifestName + " is missing")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, errors.New(manifestName + ": not the manifest of a policy bundle")
	}
	again, err := json.Marshal(m)
	switch {
	case err != nil || !bytes.Equal(again, raw):
		return m, errors.New(manifestName + ": not as ontschot policy build writes it")
	case m.Metadata.Contract != ContractBundle:
		return m, errors.New(manifestName + ": of another form than " + ContractBundle)
	case !identity.IsSHA256(m.Revision) || m.Metadata.Parent != "" && !identity.IsSHA256(m.Metadata.Parent):
		return m, errors.New(manifestName + ": revision and parent are 64 hexadecimal digits")
	}
	return m, nil
}
