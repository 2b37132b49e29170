package csv

import (
	"context"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/ontschot/ontschot/adapters"
)

// pattern is the name of a file, perhaps with a date in it.
type pattern struct {
	name   string
	layout string // of package time; empty without a date
}

// newPattern reads a pattern; false when it is none.
func newPattern(text string) (pattern, bool) {
	layouts := map[string]string{"{yyyymmdd}": "20060102", "{yyyy-mm-dd}": "2006-01-02"}
	p := pattern{name: text}
	for place, layout := range layouts {
		if strings.Count(text, place) == 1 && p.layout == "" {
			p = pattern{strings.Replace(text, place, "*", 1), layout}
		}
	}
	return p, regexp.MustCompile(`^[A-Za-z0-9_. -]*\*?[A-Za-z0-9_. -]+$`).MatchString(p.name) && !strings.HasPrefix(p.name, ".") && (p.layout != "") == strings.Contains(p.name, "*")
}

// date is the day in the name of a file; false when the name is another.
func (p pattern) date(name string) (day time.Time, ok bool) {
	if p.layout == "" {
		return time.Time{}, name == p.name
	}
	before, behind, _ := strings.Cut(p.name, "*")
	text, ok := strings.CutPrefix(name, before)
	if !ok {
		return time.Time{}, false
	}
	if text, ok = strings.CutSuffix(text, behind); !ok {
		return time.Time{}, false
	}
	day, err := time.Parse(p.layout, text)
	return day, err == nil
}

// found is a file that fits the pattern.
type found struct {
	name string
	info fs.FileInfo
	day  time.Time // in its name; else that on which it was last changed
}

// newest is the file of the newest day, of those of which the checksum is there: the
// sender puts that beside it last. No day to come counts.
func (p *plan) newest(all []fs.FileInfo, now time.Time) (newest found, ok bool) {
	beside := map[string]bool{}
	for _, info := range all {
		beside[info.Name()] = info.Mode().IsRegular()
	}
	for _, info := range all {
		day, fits := p.pattern.date(info.Name())
		if !fits || !info.Mode().IsRegular() || p.checksum && !beside[info.Name()+sidecar] {
			continue
		}
		if p.pattern.layout == "" {
			day = info.ModTime()
		}
		if !day.After(now.Add(24*time.Hour)) && (!ok || day.After(newest.day)) {
			newest, ok = found{info.Name(), info, day}, true
		}
	}
	return newest, ok
}

// sidecar is what the name of a checksum ends in.
const sidecar = ".sha256"

// file is an open file.
type file interface {
	io.ReadCloser
	io.ReaderAt
	Stat() (fs.FileInfo, error)
}

// folder is where the files are. One is opened for each question, and closed after it.
type folder interface {
	List() ([]fs.FileInfo, error)
	Open(name string) (file, error)
	Close() error
}

// place opens a folder. Its errors, and those of the folder, fault maps.
type place interface {
	open(ctx context.Context) (folder, error)
}

// local is a folder of this machine. Nothing outside it is opened, by whatever link.
type local string

func (l local) open(context.Context) (folder, error) {
	root, err := os.OpenRoot(string(l))
	if err != nil {
		return nil, err
	}
	return localFolder{root}, nil
}

type localFolder struct{ *os.Root }

// List implements folder.
func (f localFolder) List() (all []fs.FileInfo, err error) {
	dir, err := f.Root.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdir(mostFiles)
}

// mostFiles bounds a folder.
const mostFiles = 10_000

// Open implements folder.
func (f localFolder) Open(name string) (file, error) { return f.Root.Open(name) }

// fault maps an error of a folder. Its text holds paths, and is not kept.
func fault(ctx context.Context, err error) error {
	switch {
	case err == nil || adapters.Reason(err) != "":
		return err
	case ctx.Err() != nil:
		return adapters.Timeout()
	case os.IsPermission(err):
		return adapters.NotAuthorised()
	}
	return adapters.FromTransport(ctx, err)
}
