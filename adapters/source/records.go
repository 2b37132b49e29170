package source

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
)

// Bounds of an answer in pages.
const (
	mostPages = 100
	mostBytes = 16 << 20
)

// List is a whole list of records, as a system gave it.
type List struct {
	// Records begin each with their own pointers.
	Records []native.Node
	// Unknown are the members beside the records that nobody knows.
	Unknown []native.Node
}

// Notice says of each unknown member that it is there.
func (l List) Notice(out *adapters.Writer) {
	for _, u := range l.Unknown {
		out.Unknown("", u.Name(), adapters.Cursor{})
	}
}

// Records asks for a list of JSON records and follows its pages (_links.next, as in HAL)
// with the same request, which never leaves for another host. name is where the list
// stands in an answer, such as _embedded/aanvraag; empty when the answer is the list. What may not be all there is, is bad
// data: an answer without the list, unless it counts none; a count that disagrees; an
// error beside the records; pages that go round, elsewhere, or on and on.
func (s *Source) Records(ctx context.Context, m Message, name string) (List, error) {
	p := pages{name: name}
	here, err := url.Parse(s.settings.URL + m.Path)
	if err != nil {
		return List{}, adapters.Bug()
	}
	base := *here
	seen := map[string]bool{}
	for size := 0; ; {
		if seen[here.String()] || len(seen) == mostPages {
			return List{}, adapters.BadData("/_links/next", "at most "+strconv.Itoa(mostPages)+" pages, each once")
		}
		seen[here.String()] = true
		m.Path = strings.TrimPrefix(here.String(), s.settings.URL)
		raw, err := s.Post(ctx, m)
		if err != nil {
			return List{}, err
		}
		if size += len(raw); size > mostBytes {
			return List{}, adapters.BadData("/", "at most "+strconv.Itoa(mostBytes)+" bytes")
		}
		next, err := p.read(raw)
		if err != nil {
			return List{}, err
		}
		if next == "" {
			return p.List, p.whole()
		}
		if here, err = here.Parse(next); err != nil || here.Scheme != base.Scheme || here.Host != base.Host || here.User != nil {
			return List{}, adapters.BadData("/_links/next", "an address of the same system")
		}
	}
}

// OnePage reads a list that is one page.
func OnePage(raw []byte, name string) (List, error) {
	p := pages{name: name}
	next, err := p.read(raw)
	if err == nil && next != "" {
		err = adapters.BadData("/_links/next", "one page")
	}
	if err == nil {
		err = p.whole()
	}
	return p.List, err
}

// pages gathers the pages of a list.
type pages struct {
	List
	name string
	// n is how many were read, counts what each says of how many records there are, and
	// parts of how many pages.
	n             int
	counts, parts []string
}

// table is what may stand around the records. An unknown member may be anything.
func (p *pages) table() native.Table {
	return native.Table{
		Format: "list",
		Read:   []string{"_links/next", "_links/next/href", "page/totalElements", "page/totalPages"},
		Ignored: []string{
			p.name + "[]/*", "_links/next/templated", "_links/self/*", "_links/first/*", "_links/last/*", "_links/prev/*", "_links/curies/*",
			"page/size", "page/number",
		},
	}
}

// read adds a page, and gives the address of the next; empty when it is the last.
func (p *pages) read(raw []byte) (next string, err error) {
	n, err := native.JSON(raw)
	if err != nil {
		return "", err
	}
	if p.name == "" {
		return "", p.bare(n)
	}
	if p.n > 0 {
		n = n.In(n.At().Field("page").Item(p.n))
	}
	p.n++
	unknown, err := p.table().Check(n)
	if err != nil {
		return "", err
	}
	for _, u := range unknown {
		switch name := strings.ToLower(u.Name()); {
		case u.Empty():
		case slices.Contains(counts(), name):
			p.counts = append(p.counts, u.Text(""))
		case slices.Contains(notWhole(), name):
			return "", n.Bad("", "no error beside the records, and no next page but that of HAL")
		}
	}
	records := n.Begun(p.name)
	count := n.Text("page/totalElements")
	if found := n.Get(p.name); !found.Has() && (count != "0" || n.Get("_embedded").Has()) {
		return "", n.Bad(p.name, "a list")
	}
	p.Records, p.Unknown = append(p.Records, records...), append(p.Unknown, unknown...)
	p.counts, p.parts = append(p.counts, count), append(p.parts, n.Text("page/totalPages"))
	link := n.Get("_links/next")
	if href := n.Text("_links/next/href"); link.Has() && (href == "" || href == native.Unclear || n.Text("_links/next/templated") == "true") {
		return "", n.Bad("_links/next", "an address")
	} else if link.Has() {
		return href, nil
	}
	return "", nil
}

// bare reads an answer that is a list and nothing else. It has one page: there is no place
// in it to say that there is more.
func (p *pages) bare(n native.Node) error {
	if !n.IsList() {
		return n.Bad("", "a list")
	}
	p.Records = n.Begun("")
	return nil
}

// notWhole are members by which systems say that an answer is an error, or is not all.
func notWhole() []string {
	return []string{
		"error", "errors", "fault", "fout", "fouten", "foutmelding", "exception", "problem", "invalidparams",
		"next", "nextpage", "volgende", "hasmore", "truncated",
	}
}

// counts are members by which systems say how many records there are in all.
func counts() []string {
	return []string{"count", "total", "totalcount", "totalelements", "totaal", "aantal"}
}

// whole reports whether there are as many records and pages as every page says.
func (p *pages) whole() error {
	for _, c := range p.counts {
		if c != "" && c != strconv.Itoa(len(p.Records)) {
			return adapters.BadData("/page/totalElements", "the number of records that came")
		}
	}
	for _, c := range p.parts {
		if c != "" && c != strconv.Itoa(p.n) && (c != "0" || len(p.Records) > 0) {
			return adapters.BadData("/page/totalPages", "the number of pages that came")
		}
	}
	return nil
}
