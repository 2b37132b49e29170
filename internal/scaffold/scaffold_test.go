package scaffold

import (
	"encoding/json"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/modfile"
)

func options(t testing.TB) Options {
	return Options{Kind: "csv", Agency: "Gemeente 's-Hertogenbosch", Dir: filepath.Join(t.TempDir(), "made"), Version: "v1.2.3"}
}

func read(t testing.TB, o Options, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(o.Dir, name))
	require.NoError(t, err)
	return string(raw)
}

// What is not a name, a code, a path or a folder is refused, and nothing is made.
func TestHostileNamesAreRefused(t *testing.T) {
	const evil = "\nimport \"os\"\n"
	for name, change := range map[string]func(*Options){
		"no kind":           func(o *Options) { o.Kind = "" },
		"a kind by a path":  func(o *Options) { o.Kind = "../all" },
		"no agency":         func(o *Options) { o.Agency = "" },
		"one letter":        func(o *Options) { o.Agency = "A" },
		"traversal":         func(o *Options) { o.Agency = "../../etc" },
		"a slash":           func(o *Options) { o.Agency = "A/B" },
		"a newline":         func(o *Options) { o.Agency = "Agency" + evil },
		"a quote":           func(o *Options) { o.Agency = `Agency "x"` },
		"a backtick":        func(o *Options) { o.Agency = "Agency `id`" },
		"a colon":           func(o *Options) { o.Agency = "Agency: x" },
		"a specifier":       func(o *Options) { o.Agency = "Agency %n" },
		"a comment's end":   func(o *Options) { o.Agency = "Agency */ x" },
		"a template":        func(o *Options) { o.Agency = "Agency {{.Module}}" },
		"from right":        func(o *Options) { o.Agency = "Agency \u202e x" },
		"no width":          func(o *Options) { o.Agency = "Age\u200bncy" },
		"look-alike":        func(o *Options) { o.Agency = "\u0410gency" }, // a Cyrillic letter
		"marks apart":       func(o *Options) { o.Agency = "Coo\u0308peratie" },
		"no UTF-8":          func(o *Options) { o.Agency = "Agency \xff" },
		"digits first":      func(o *Options) { o.Agency = "113 Agency" },
		"no letters":        func(o *Options) { o.Agency = "''" },
		"too long":          func(o *Options) { o.Agency = strings.Repeat("a", 81) },
		"another law":       func(o *Options) { o.Law = "WIA" },
		"a law as code":     func(o *Options) { o.Law = "WMO]\nx: [" },
		"a small code":      func(o *Options) { o.Party = "gm0193" },
		"a code as YAML":    func(o *Options) { o.Party = "GM1\nx: y" },
		"a module up":       func(o *Options) { o.Module = "agency.example/../x" },
		"a module as go":    func(o *Options) { o.Module = "agency.example/x" + evil },
		"a module absolute": func(o *Options) { o.Module = "/etc/x" },
		"our module":        func(o *Options) { o.Module = "github.com/ontschot/ontschot" },
		"within ours":       func(o *Options) { o.Module = "github.com/ontschot/ontschot/internal/x" },
		"a folder's name":   func(o *Options) { o.Dir += "\n" },
		"no version":        func(o *Options) { o.Version = "(devel)" },
		"a changed version": func(o *Options) { o.Version = "v1.2.3+dirty" },
		"no checkout":       func(o *Options) { o.Replace = o.Dir },
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			dir := o.Dir
			change(&o)
			_, err := Write(o)
			require.ErrorIs(t, err, ErrInput)
			require.NoFileExists(t, filepath.Join(dir, "go.mod"))
		})
	}
}

// What is there is never written over, be it one file or a link.
func TestNothingIsWrittenOver(t *testing.T) {
	o := options(t)
	names, err := Write(o)
	require.NoError(t, err)
	before := read(t, o, "mapping.yaml")
	o.Law = "JW"
	_, err = Write(o)
	require.ErrorIs(t, err, ErrInput)
	require.Equal(t, before, read(t, o, "mapping.yaml"))
	for _, name := range names {
		require.ErrorIs(t, put(filepath.Join(o.Dir, name), nil), os.ErrExist)
	}
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.Symlink(outside, filepath.Join(o.Dir, "link")))
	require.ErrorIs(t, put(filepath.Join(o.Dir, "link"), nil), os.ErrExist)
	require.NoFileExists(t, outside)

	o = options(t)
	o.Dir = filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(o.Dir, nil, 0o600))
	_, err = Write(o)
	require.Error(t, err)
}

// Each kind and law: files that are YAML, JSON and a module, numbers that nobody has, and a
// key of its own that nobody else reads.
func TestWhatIsMadeIsSound(t *testing.T) {
	keys := map[string]bool{}
	number := regexp.MustCompile(`\b\d{9}\b`)
	for _, kind := range Kinds() {
		for _, law := range Laws() {
			o := options(t)
			o.Kind, o.Law, o.Dir = kind, law, filepath.Join(o.Dir, `a "folder": with 'quotes' and # é`)
			names, err := Write(o)
			require.NoError(t, err)
			for _, name := range names {
				text := read(t, o, name)
				require.NotContains(t, text, "<no value>", name)
				require.NotContains(t, text, "{{", name)
				for _, n := range number.FindAllString(text, -1) {
					require.True(t, strings.HasPrefix(n, "9999") && eleven(n), "%s: %s", name, n)
				}
				var any any
				switch filepath.Ext(name) {
				case ".yaml":
					require.NoError(t, yaml.Unmarshal([]byte(text), &any), name)
				case ".json":
					require.NoError(t, json.Unmarshal([]byte(text), &any), name)
				case ".go":
					as, err := format.Source([]byte(text))
					require.NoError(t, err, name)
					require.Equal(t, string(as), text, name)
				}
			}
			module, err := modfile.Parse("go.mod", []byte(read(t, o, "go.mod")), nil)
			require.NoError(t, err)
			require.Equal(t, "agency.example/gemeente-s-hertogenbosch", module.Module.Mod.Path)
			require.LessOrEqual(t, strings.Count(read(t, o, "main.go"), "\n"), 20)
			keys[read(t, o, "secrets/record_key")] = true
			info, err := os.Stat(filepath.Join(o.Dir, "secrets/record_key"))
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode())
		}
	}
	require.Len(t, keys, len(Kinds())*len(Laws()))
}

// eleven is the check of a burgerservicenummer.
func eleven(n string) bool {
	sum := -int(n[8] - '0')
	for i := range 8 {
		sum += (9 - i) * int(n[i]-'0')
	}
	return sum%11 == 0
}

// The folder of the data is the same in YAML, whatever its name.
func TestFolderIsWrittenAsItIs(t *testing.T) {
	o := options(t)
	o.Dir = filepath.Join(o.Dir, `"x": {a: 'b'} # \ é`)
	_, err := Write(o)
	require.NoError(t, err)
	var conf struct{ Config struct{ Folder string } }
	require.NoError(t, yaml.Unmarshal([]byte(read(t, o, "adapter.yaml")), &conf))
	require.Equal(t, filepath.Join(o.Dir, "synthetic"), conf.Config.Folder)
	require.FileExists(t, filepath.Join(conf.Config.Folder, "rechten_20250630.csv.sha256"))
}

// Whatever a name is: it is refused, or the files are what they are for any other.
func FuzzAgency(f *testing.F) {
	for _, name := range []string{"Gemeente Súdwest-Fryslân", "'s-Hertogenbosch", "A\nB", "../x", "x\u202ey", "Ĳsselstein (NL), & co."} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		o := options(t)
		o.Agency = name
		made, err := o.facts()
		if err != nil {
			require.ErrorIs(t, err, ErrInput)
			return
		}
		require.Regexp(t, `^[a-z][a-z0-9-]{0,47}$`, made.ID)
		texts, err := render(made)
		require.NoError(t, err)
		main, err := parser.ParseFile(token.NewFileSet(), "main.go", texts["main.go"], parser.ParseComments)
		require.NoError(t, err)
		require.Len(t, main.Imports, 4)
		require.Len(t, main.Decls, 3)
		require.Contains(t, main.Doc.Text(), name)
	})
}
