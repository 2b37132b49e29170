package scaffold

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/text/unicode/norm"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// sdk is the module of this program, which has what an adapter is made with.
const sdk = "github.com/ontschot/ontschot"

// Options say what to make.
type Options struct {
	Kind   string // one of Kinds
	Agency string // its name, as people write it
	// Party is the agency's code in a gateway, Dir the folder to make, Module the path of the
	// Go module, each made of the rest when empty. Law is one of Laws; empty: the first.
	Party, Law, Dir, Module string
	// Version of this program's module that the adapter is made with, as in v1.2.3. Replace is a
	// checkout of it that is used instead; then the version does not matter.
	Version, Replace string
}

// product is what a law's rights are of in the beginning: a code of a national list with its
// label, and the agency's own word for it.
type product struct{ System, Code, Label, Own, party string }

func products() map[string]product {
	return map[string]product{
		budgetv1.LawWMO: {"WMO020", "02", "begeleiding", "BG", "GM9999"},
		budgetv1.LawJW:  {"JZ020", "45", "jeugdhulp ambulant", "JHA", "GM9999"},
		budgetv1.LawWLZ: {"WLZ022", "99", "Wlz-zorg", "ZORG", "ZK9999"},
		budgetv1.LawZVW: {"Zvw-pgb", "VV", "verpleging en verzorging", "VENV", "UZOVI9999"},
	}
}

// Laws that there is a beginning for. For others a reference adapter is one.
func Laws() []string {
	return []string{budgetv1.LawWMO, budgetv1.LawJW, budgetv1.LawWLZ, budgetv1.LawZVW}
}

// facts are what the templates are filled with.
type facts struct {
	Options
	product
	ID        string             // of the adapter
	User      string             // of its process at the agency
	Synthetic string             // folder of the invented data, absolute
	Go        string             // version of the language
	Requires  []*modfile.Require // what else a checkout is made with; empty without one
	Sums      []byte             // of them, as go.sum has them
	RecordKey string
}

var (
	partyForm = regexp.MustCompile(`^[A-Z][A-Z0-9]{0,31}$`)
	dashes    = regexp.MustCompile(`[^a-z0-9]+`)
)

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInput}, args...)...)
}

func (o Options) facts() (f facts, err error) {
	switch {
	case !slices.Contains(Kinds(), o.Kind):
		return f, wrong("--kind is one of %s", strings.Join(Kinds(), ", "))
	case !named(o.Agency):
		return f, wrong("--agency is a name of 2 to 80 characters: letters, digits, spaces and - . , & ' ( ), of which a letter is the first")
	}
	o.Law = cmp.Or(o.Law, Laws()[0])
	of, known := products()[o.Law]
	if !known {
		return f, wrong("--law is one of %s; for another law begin with the reference adapter that has it", strings.Join(Laws(), ", "))
	}
	if o.Party = cmp.Or(o.Party, of.party); !partyForm.MatchString(o.Party) {
		return f, wrong("--party is a code of 1 to 32 capitals and digits, such as GM0193")
	}
	f = facts{product: of, ID: slug(o.Agency), Go: "1.26", RecordKey: recordKey()}
	f.User = strings.Trim(f.ID[:min(len(f.ID), 31)], "-")
	o.Module = cmp.Or(o.Module, "agency.example/"+f.ID)
	if module.CheckPath(o.Module) != nil || o.Module == sdk || strings.HasPrefix(o.Module, sdk+"/") {
		return f, wrong("--module is a path as Go has them, with a dot in its first part, such as agency.example/adapter")
	}
	if o.Dir, err = folder(cmp.Or(o.Dir, f.ID)); err != nil {
		return f, err
	}
	f.Options, f.Synthetic = o, filepath.Join(o.Dir, "synthetic")
	return f, f.kit()
}

// kit settles where the kit comes from. With a checkout all that it is made with is written
// down, so that nothing needs to be looked up.
func (f *facts) kit() (err error) {
	if f.Replace == "" {
		if !semver.IsValid(f.Version) || semver.Build(f.Version) != "" {
			return wrong("this program is no published version: name a checkout of it with --replace FOLDER")
		}
		return nil
	}
	f.Version = "v0.0.0"
	if f.Replace, err = folder(f.Replace); err != nil {
		return err
	}
	none := wrong("--replace is a folder with the module %s", sdk)
	raw, err := os.ReadFile(filepath.Join(f.Replace, "go.mod"))
	if err != nil || modfile.ModulePath(raw) != sdk {
		return none
	}
	of, err := modfile.ParseLax("go.mod", raw, nil)
	if err != nil || of.Go == nil {
		return none
	}
	f.Go, f.Requires = of.Go.Version, of.Require
	if f.Sums, err = os.ReadFile(filepath.Join(f.Replace, "go.sum")); err != nil {
		return none
	}
	return nil
}

// folder makes a path absolute. One with what is not to be seen is refused: it is written
// into files.
func folder(name string) (string, error) {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", wrong("a folder's name has characters that cannot be printed")
	}
	return filepath.Abs(name)
}

// named reports whether a text is a name, and nothing else wherever it is written.
func named(text string) bool {
	if runes := []rune(text); len(runes) < 2 || len(runes) > 80 || !unicode.IsLetter(runes[0]) && runes[0] != '\'' || !norm.NFC.IsNormalString(text) {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.Is(unicode.Latin, r) && (r < '0' || r > '9') && !strings.ContainsRune(" -.,&'()", r)
	}) && slug(text) != ""
}

// slug is a name as small letters, digits and hyphens; empty when it has none.
func slug(text string) string {
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(strings.ToLower(text)))
	s := strings.Trim(dashes.ReplaceAllString(plain, "-"), "-")
	if s == "" || s[0] < 'a' {
		return ""
	}
	return strings.Trim(s[:min(len(s), 48)], "-")
}
