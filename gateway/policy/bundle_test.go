package policy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/policies"
)

const noRevision = "0000000000000000000000000000000000000000000000000000000000000000"

// built is the bundle of what is built in.
func built(t testing.TB) ([]byte, *Engine) {
	t.Helper()
	e, err := New(t.Context(), Config{FS: policies.FS})
	require.NoError(t, err)
	raw, err := WriteBundle(policies.FS, e.Revision(), noRevision)
	require.NoError(t, err)
	return raw, e
}

// What is read from a bundle is the folder it was made of, and the same folder is always the
// same bytes.
func TestABundleIsTheFolder(t *testing.T) {
	raw, e := built(t)
	again, _ := built(t)
	require.True(t, bytes.Equal(raw, again))
	b, err := ReadBundle(raw)
	require.NoError(t, err)
	require.Equal(t, e.Revision(), b.Revision)
	require.Equal(t, noRevision, b.Parent)
	files := 0
	require.NoError(t, fs.WalkDir(policies.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		want, err := fs.ReadFile(policies.FS, name)
		require.NoError(t, err)
		got, err := fs.ReadFile(b.FS, name)
		require.NoError(t, err, name)
		require.Equal(t, string(want), string(got), name)
		files++
		return nil
	}))
	require.Greater(t, files, 50)
	same, err := New(t.Context(), Config{FS: b.FS})
	require.NoError(t, err)
	require.Equal(t, e.Revision(), same.Revision())
	require.NoError(t, Prove(t.Context(), b.FS))
	twice, err := WriteBundle(b.FS, b.Revision, b.Parent)
	require.NoError(t, err)
	require.True(t, bytes.Equal(raw, twice))
}

// OPA reads it as a bundle, and its rules answer there as they do here.
func TestOPALoadsABundle(t *testing.T) {
	raw, e := built(t)
	b, err := bundle.NewReader(bytes.NewReader(raw)).Read()
	require.NoError(t, err)
	require.Equal(t, e.Revision(), b.Manifest.Revision)
	results, err := rego.New(rego.Query("data.core.decision"), rego.ParsedBundle("policies", &b), rego.Input(map[string]any{})).Eval(t.Context())
	require.NoError(t, err)
	require.Len(t, results, 1)
	answer, _ := results[0].Expressions[0].Value.(map[string]any)
	require.Equal(t, false, answer["decision"])
	require.NotEmpty(t, answer["reasons"])
	opa, err := exec.LookPath("opa")
	if err != nil {
		return // the same code ran above
	}
	file := filepath.Join(t.TempDir(), "bundle.tar.gz")
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	out, err := exec.Command(opa, "inspect", file).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), e.Revision())
}

// repacked gives another archive: each entry as a function leaves it, zipped anew.
func repacked(t testing.TB, raw []byte, change func(h *tar.Header, body *[]byte, w *tar.Writer) bool) []byte {
	t.Helper()
	zipped, err := gzip.NewReader(bytes.NewReader(raw))
	require.NoError(t, err)
	from := tar.NewReader(zipped)
	var out bytes.Buffer
	to := gzip.NewWriter(&out)
	w := tar.NewWriter(to)
	for {
		h, err := from.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		body, err := io.ReadAll(from)
		require.NoError(t, err)
		if change(h, &body, w) {
			if h.Typeflag == tar.TypeReg {
				h.Size = int64(len(body))
			}
			require.NoError(t, w.WriteHeader(h))
			_, err = w.Write(body)
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	require.NoError(t, to.Close())
	return out.Bytes()
}

// add puts one more entry at the end of the manifest.
func add(t testing.TB, raw []byte, h tar.Header, body string) []byte {
	return repacked(t, raw, func(at *tar.Header, _ *[]byte, w *tar.Writer) bool {
		if at.Name == "/"+manifestName {
			h.Size, h.Mode = int64(len(body)), 0o644
			require.NoError(t, w.WriteHeader(&h))
			_, err := w.Write([]byte(body))
			require.NoError(t, err)
		}
		return true
	})
}

// What is not written by us is refused with its reason.
func TestBundlesThatAreRefused(t *testing.T) {
	raw, _ := built(t)
	manifest := func(f func(string) string) []byte {
		return repacked(t, raw, func(h *tar.Header, body *[]byte, _ *tar.Writer) bool {
			if h.Name == "/"+manifestName {
				*body = []byte(f(string(*body)))
			}
			return true
		})
	}
	bomb := func() []byte {
		var out bytes.Buffer
		w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
		require.NoError(t, err)
		_, err = w.Write(make([]byte, 2*MaxBundle))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return out.Bytes()
	}()
	require.Less(t, len(bomb), 1<<17)
	named := func(name, comment string) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		w.Name, w.Comment = name, comment
		require.NoError(t, w.Close())
		return out.Bytes()
	}
	for name, one := range map[string]struct {
		raw  []byte
		says string
	}{
		"nothing":               {nil, "no tar.gz"},
		"another file":          {[]byte("PK\x03\x04"), "no tar.gz"},
		"a name in the gzip":    {named("x", ""), "gzip header"},
		"a comment in the gzip": {named("", "x"), "gzip header"},
		"a zip bomb":            {bomb, "when it is unpacked"},
		"too large":             {make([]byte, MaxBundle+1), "larger than"},
		"two gzip parts":        {append(bytes.Clone(raw), raw...), "something follows"},
		"something behind":      {append(bytes.Clone(raw), 0), "something follows"},
		"cut off":               {raw[:len(raw)-1], "damaged or cut off"},
		"path escape":           {add(t, raw, tar.Header{Typeflag: tar.TypeReg, Name: "/../evil.rego"}, "x"), "leads out"},
		"path escape, inside":   {add(t, raw, tar.Header{Typeflag: tar.TypeReg, Name: "/core/../../evil.rego"}, "x"), "leads out"},
		"two strokes":           {add(t, raw, tar.Header{Typeflag: tar.TypeReg, Name: "//etc/passwd"}, "x"), "leads out"},
		"no stroke":             {add(t, raw, tar.Header{Typeflag: tar.TypeReg, Name: "core/more.rego"}, "x"), "leads out"},
		"a backslash":           {add(t, raw, tar.Header{Typeflag: tar.TypeReg, Name: `/core\more.rego`}, "x"), "leads out"},
		"a symlink":             {add(t, raw, tar.Header{Typeflag: tar.TypeSymlink, Name: "/core/more.rego", Linkname: "/etc/passwd"}, ""), "no regular file"},
		"a hard link":           {add(t, raw, tar.Header{Typeflag: tar.TypeLink, Name: "/core/more.rego", Linkname: "/core/fields.rego"}, ""), "no regular file"},
		"a device":              {add(t, raw, tar.Header{Typeflag: tar.TypeChar, Name: "/core/more.rego"}, ""), "no regular file"},
		"a pipe":                {add(t, raw, tar.Header{Typeflag: tar.TypeFifo, Name: "/core/more.rego"}, ""), "no regular file"},
		"a folder":              {add(t, raw, tar.Header{Typeflag: tar.TypeDir, Name: "/core"}, ""), "no regular file"},
		"a name twice":          {add(t, raw, tar.Header{Typeflag: tar.TypeReg, Name: "/core/fields.rego"}, "x"), "twice"},
		"the manifest twice":    {add(t, raw, tar.Header{Typeflag: tar.TypeReg, Name: "/" + manifestName}, "{}"), "twice"},
		"a file as a folder":    {add(t, raw, tar.Header{Typeflag: tar.TypeReg, Name: "/core/fields.rego/x.rego"}, "x"), "a file and a folder"},
		"a large file":          {add(t, raw, tar.Header{Typeflag: tar.TypeReg, Name: "/core/more.rego"}, strings.Repeat("#", maxFileBytes+1)), "larger than"},
		"an unsorted file":      {add(t, raw, tar.Header{Typeflag: tar.TypeReg, Name: "/core/more.rego"}, "x"), "not as ontschot policy build"},
		"another mode":          {repacked(t, raw, func(h *tar.Header, _ *[]byte, _ *tar.Writer) bool { h.Mode = 0o4755; return true }), "not as ontschot policy build"},
		"no manifest":           {repacked(t, raw, func(h *tar.Header, _ *[]byte, _ *tar.Writer) bool { return h.Name != "/"+manifestName }), "is missing"},
		"a manifest of delta":   {manifest(func(s string) string { return strings.Replace(s, "{", `{"wasm":[],`, 1) }), "not the manifest"},
		"another order":         {manifest(func(s string) string { return strings.Replace(s, "{", "{ ", 1) }), "not as ontschot"},
		"other roots":           {manifest(func(s string) string { return strings.Replace(s, `"core",`, "", 1) }), "not as ontschot"},
		"no revision":           {manifest(func(s string) string { return strings.Replace(s, `"revision":"`, `"revision":"x`, 1) }), "64 hexadecimal"},
		"another contract":      {manifest(func(s string) string { return strings.Replace(s, "bundle/1", "bundle/2", 1) }), "of another form"},
	} {
		_, err := ReadBundle(one.raw)
		require.ErrorIs(t, err, ErrRules, name)
		require.ErrorContains(t, err, one.says, name)
	}
	many := map[string][]byte{}
	for i := range maxFiles + 1 {
		many["rules/core/"+strings.Repeat("x", i%50)+string(rune('a'+i/50))+".rego"] = nil
	}
	require.Greater(t, len(many), maxFiles)
	packed, err := writeBundle(many, noRevision, "")
	require.NoError(t, err)
	_, err = ReadBundle(packed)
	require.ErrorContains(t, err, "files")
	for _, name := range []string{"rules/cases/data.yaml", "rules/.manifest", "rules/README.md"} {
		_, err := writeBundle(map[string][]byte{name: nil}, noRevision, "")
		require.ErrorContains(t, err, "rename it", name)
	}
}

// One byte that is another one, at any place, is another bundle or none: never the same one.
func TestEveryByteOfABundleCounts(t *testing.T) {
	raw, e := built(t)
	whole, err := ReadBundle(raw)
	require.NoError(t, err)
	refused := 0
	for at := 0; at < len(raw); at += 1 + len(raw)/200 {
		other := bytes.Clone(raw)
		other[at] ^= 1 << (at % 8)
		b, err := ReadBundle(other)
		if err != nil {
			refused++
			continue
		}
		require.NotEqual(t, whole.Digest, b.Digest) // such as the system that a gzip header names
		require.Equal(t, e.Revision(), b.Revision)
	}
	require.Greater(t, refused, 190)
}

func TestProveRunsWhatAFolderBrings(t *testing.T) {
	require.NoError(t, Prove(t.Context(), policies.FS))
	const file = "rules/core/decision_test.rego"
	raw, err := fs.ReadFile(policies.FS, file)
	require.NoError(t, err)
	other := func(more string) fs.FS {
		files := map[string][]byte{}
		require.NoError(t, fs.WalkDir(policies.FS, ".", func(name string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				files[name], err = fs.ReadFile(policies.FS, name)
			}
			return err
		}))
		files[file] = append(bytes.Clone(raw), more...)
		fsys, err := inMemory(files)
		require.NoError(t, err)
		return fsys
	}
	require.ErrorContains(t, Prove(t.Context(), other("\ntest_no if false\n")), "test_no does not pass")
	require.ErrorContains(t, Prove(t.Context(), other("\ntodo_test_later if true\n")), "test_later does not pass")
	require.ErrorContains(t, Prove(t.Context(), other("\ntest_no if x\n")), "x")
	require.ErrorContains(t, Prove(t.Context(), other("\ntest_now if time.now_ns() > 0\n")), "time.now_ns")
}

// Whatever comes, what is read is what is written again.
func FuzzReadBundle(f *testing.F) {
	raw, err := writeBundle(map[string][]byte{"rules/core/a.rego": []byte("package core\n"), "README.md": []byte("x"), "cases/a/data.yaml": []byte("a: 1\n")}, noRevision, "")
	require.NoError(f, err)
	f.Add(raw)
	f.Add(add(f, raw, tar.Header{Typeflag: tar.TypeSymlink, Name: "/core/b.rego", Linkname: "../../x"}, ""))
	f.Add(add(f, raw, tar.Header{Typeflag: tar.TypeReg, Name: "/../x"}, "y"))
	archive, err := unpack(raw)
	require.NoError(f, err)
	f.Add(archive)
	f.Fuzz(func(t *testing.T, raw []byte) {
		zipped := new(bytes.Buffer) // a mutated archive, too: few mutations of a gzip file have a good sum
		w := gzip.NewWriter(zipped)
		_, err := w.Write(raw)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		for _, one := range [][]byte{raw, zipped.Bytes()} {
			b, err := ReadBundle(one)
			if err != nil {
				require.ErrorIs(t, err, ErrRules)
				continue
			}
			again, err := WriteBundle(b.FS, b.Revision, b.Parent)
			require.NoError(t, err)
			is, err := unpack(one)
			require.NoError(t, err)
			want, err := unpack(again)
			require.NoError(t, err)
			require.True(t, bytes.Equal(is, want))
		}
	})
}
