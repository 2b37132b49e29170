package setup

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// keyLine is a line that begins a key of an example, and valueOf the parts of it.
var keyLine = regexp.MustCompile(`^( *)([a-z_]+):( +[^#]*?)?( +#.*)?$`)

// commented is a key that stands in an example as a comment.
var commented = regexp.MustCompile(`^# ([a-z_]+):`)

// filling fills in an example, line for line.
type filling struct {
	set   map[string]string // values by path
	used  map[string]bool
	out   []string
	block string // the key of the top level that we are in
	keep  bool   // its lines stay as they are or are filled in; else each is a comment
	drop  bool   // what is below a value that was filled in
	whole bool   // the value is that of the whole block
	mute  bool   // what is below a key that was not
}

// fill gives an example of which certain keys, by their path, have the values of somebody, and
// all others are comments. It keeps every explanation: the example is the one text. A value that
// is empty leaves that of the example. It panics when the example lacks a key: it is ours.
func fill(example []byte, set map[string]string) []byte {
	f := &filling{set: set, used: map[string]bool{}}
	for _, line := range strings.Split(strings.TrimRight(string(example), "\n"), "\n") {
		f.line(line)
	}
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if !f.used[key] {
			panic("the example lacks " + key)
		}
	}
	return []byte(strings.Join(f.out, "\n") + "\n")
}

func (f *filling) line(line string) {
	at := keyLine.FindStringSubmatch(line)
	switch {
	case strings.TrimSpace(line) == "":
		f.out = append(f.out, line)
	case commented.MatchString(line) && f.has(commented.FindStringSubmatch(line)[1]):
		f.write(commented.FindStringSubmatch(line)[1], strings.TrimPrefix(line, "# "))
	case strings.HasPrefix(line, "#"):
		f.out = append(f.out, line)
	case at != nil && at[1] == "":
		f.top(line, at[2])
	case !f.keep:
		f.out = append(f.out, "# "+line)
	case at != nil && at[1] == "  ":
		f.member(line, f.block+"."+at[2])
	case f.mute && !strings.HasPrefix(strings.TrimSpace(line), "#"):
		f.out = append(f.out, comment(line))
	case !f.drop || !f.whole && !strings.HasPrefix(line, "   "): // what explains the next key
		f.out = append(f.out, line)
	}
}

func (f *filling) has(key string) bool { _, has := f.set[key]; return has }

// top begins a key of the top level: filled in, the place of some that are, or a comment.
func (f *filling) top(line, key string) {
	f.block, f.drop, f.mute, f.whole = key, false, false, f.has(key)
	inside := slices.ContainsFunc(slices.Collect(maps.Keys(f.set)), func(path string) bool { return strings.HasPrefix(path, key+".") })
	switch f.keep = inside; {
	case f.has(key):
		f.keep, f.drop = true, true
		f.write(key, line)
	case inside:
		f.out = append(f.out, line)
	default:
		f.out = append(f.out, "# "+line)
	}
}

// member is a key of the second level, in a block of which some are filled in.
func (f *filling) member(line, path string) {
	if f.drop = f.has(path); f.drop {
		f.mute = false
		f.write(path, line)
		return
	}
	f.mute = true
	f.out = append(f.out, comment(line))
}

// write writes a key with its value, and what stands behind it.
func (f *filling) write(path, line string) {
	f.used[path] = true
	at := keyLine.FindStringSubmatch(line)
	value := f.set[path]
	if value == "" {
		f.out = append(f.out, line)
		return
	}
	f.out = append(f.out, at[1]+at[2]+": "+value+at[4])
}

// comment makes a comment of a line, at its own indentation.
func comment(line string) string {
	text := strings.TrimLeft(line, " ")
	return line[:len(line)-len(text)] + "# " + text
}
