package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// page prints an answer for a family or a case worker, in words. It is shown to who asked,
// so it may name the persons: the answer itself speaks of references only.
type page struct {
	w       io.Writer
	b       *budgetv1.Budget  // the budget it is about; nil: of another kind of answer
	title   string            // of the case, in English; empty: no case
	names   map[string]string // of persons, by reference
	parties map[string]string // names of parties, by code
	texts   *wording.Texts
	lang    string
	codes   bool // print codes behind the words
	width   int  // columns; 0: defaultWidth
	colour  bool
	err     error
}

// A page is as wide as a terminal of old, unless the terminal is narrower.
const defaultWidth, leastWidth = 80, 30

// newPage makes a page for a writer. A case gives the names of its members and parties.
func (o *output) newPage(w io.Writer, cf *casefile.Case) (*page, error) {
	texts, err := wording.ReadTexts(policies.FS)
	if err != nil {
		return nil, err
	}
	p := &page{w: w, texts: texts, lang: o.lang, codes: o.codes, names: map[string]string{}, parties: map[string]string{}}
	for code, name := range o.parties {
		p.parties[code] = name
	}
	if cf != nil {
		p.title = cf.Title
		for _, m := range cf.Household {
			p.names[string(m.Ref)] = m.Name
		}
		for _, party := range cf.Parties {
			p.parties[party.Code] = party.Name
		}
	}
	if columns := terminal(w); columns > 0 {
		p.width, p.colour = min(max(columns, leastWidth), defaultWidth), os.Getenv("NO_COLOR") == ""
	}
	return p, nil
}

// terminal gives the columns of a terminal; 0 when a writer is none.
func terminal(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(cmp.Or(size.Col, defaultWidth))
}

func (p *page) say(nl, en string) string {
	if p.lang == "en" {
		return en
	}
	return nl
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *page) columns() int { return cmp.Or(p.width, defaultWidth) }

// text prints text from an indent on, and breaks lines between words.
func (p *page) text(indent int, text string) {
	for _, line := range wrap(text, p.columns()-indent) {
		p.line("%s%s", strings.Repeat(" ", indent), line)
	}
}

// wrap breaks a text between words in lines of at most so many characters. A word that is
// longer stands on a line of its own. An amount is one word.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(strings.ReplaceAll(text, "€ ", euroSign)) {
		word = strings.ReplaceAll(word, euroSign, "€ ")
		if line != "" && long(line)+1+long(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// euroSign stands for a sign and the space behind it while lines are broken.
const euroSign = "€\x00"

func long(text string) int { return utf8.RuneCountInString(text) }

// coded is a word with its code behind it, where codes are asked for.
func (p *page) coded(word, code string) string {
	if !p.codes || word == code || code == "" {
		return word
	}
	return word + " (" + code + ")"
}

// code prints what only codes say, where they are asked for.
func (p *page) code(indent int, codes ...string) {
	text := strings.Join(strings.Fields(strings.Join(codes, " ")), " ")
	if p.codes && text != "" {
		p.text(indent, "["+text+"]")
	}
}

func (p *page) heading(nl, en string) {
	p.line("")
	for _, line := range wrap(strings.ToUpper(p.say(nl, en)), p.columns()) {
		p.line("%s", p.bold(line))
	}
}

// Colours, on a terminal only.
const (
	plain  = "\x1b[0m"
	strong = "\x1b[1m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
)

func (p *page) bold(text string) string { return p.in(strong, text) }

func (p *page) in(colour, text string) string {
	if !p.colour {
		return text
	}
	return colour + text + plain
}

// euro writes cents as € 1.234,56, or €1,234.56 in English.
func (p *page) euro(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	whole := fmt.Sprint(cents / 100)
	point, comma := ".", ","
	if p.lang == "en" {
		point, comma = ",", "."
	}
	var groups []string
	for len(whole) > 3 {
		groups = append([]string{whole[len(whole)-3:]}, groups...)
		whole = whole[:len(whole)-3]
	}
	return fmt.Sprintf("€ %s%s%s%02d", sign, strings.Join(append([]string{whole}, groups...), point), comma, cents%100)
}

// amount is an amount, or that none is known.
func (p *page) amount(cents *int64) string {
	if cents == nil {
		return p.say("niet bekend", "not known")
	}
	return p.euro(*cents)
}

// date writes a civil date out.
func (p *page) date(date string) string { return p.texts.Date(date, p.lang) }

// span writes two civil dates out, both inclusive; without an end it goes on.
func (p *page) span(from, to string) string {
	switch to {
	case "":
		return p.say("vanaf ", "from ") + p.date(from)
	case from:
		return p.say("op ", "on ") + p.date(from)
	}
	return p.date(from) + p.say(" tot en met ", " up to and including ") + p.date(to)
}

func (p *page) person(ref string) string { return p.coded(cmp.Or(p.names[ref], ref), ref) }

func (p *page) party(code string) string { return p.coded(cmp.Or(p.parties[code], code), code) }

func (p *page) label(list, code string) string { return p.texts.Label(list, code, p.lang) }

// law is the short name of a law.
func (p *page) law(code string) string { return p.texts.Law(code, p.lang) }

// word is what a reference to a person can look like in a text.
var word = regexp.MustCompile(`[A-Za-z0-9_-]+`)

// named puts the names of persons for their references in a text.
func (p *page) named(text string) string {
	return word.ReplaceAllStringFunc(text, func(w string) string { return cmp.Or(p.names[w], w) })
}

// table prints rows in columns under a header, which may be nil; the first column to the
// left, the others, which are figures, to the right. What does not fit is printed as cards.
func (p *page) table(header []string, rows [][]string) { p.rows(header, rows, true) }

// columnsOfText prints rows in columns likewise, all to the left.
func (p *page) columnsOfText(header []string, rows [][]string) { p.rows(header, rows, false) }

func (p *page) rows(header []string, rows [][]string, figures bool) {
	all := rows
	if header != nil {
		all = append([][]string{header}, rows...)
	}
	widths := widthsOf(all)
	switch {
	case total(widths) <= p.columns():
	case header == nil:
		p.pairs(rows, widths[0])
		return
	default:
		for _, row := range rows {
			p.card(header, row, figures)
		}
		return
	}
	for _, row := range all {
		var cells []string
		for i, cell := range row {
			cells = append(cells, pad(cell, widths[i], figures && i > 0))
		}
		p.line("  %s", strings.TrimRight(strings.Join(cells, "   "), " "))
	}
}

// pairs prints what rows call something and what it is, where they fit behind each other,
// else below each other.
func (p *page) pairs(rows [][]string, width int) {
	for _, row := range rows {
		value := strings.Join(row[1:], " ")
		if 2+width+3+long(value) <= p.columns() {
			p.line("  %s   %s", pad(row[0], width, false), value)
			continue
		}
		p.text(2, row[0])
		p.text(4, value)
	}
}

func widthsOf(rows [][]string) (widths []int) {
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], long(cell))
		}
	}
	return widths
}

// total is how many characters a row takes: an indent, and three spaces between columns.
func total(widths []int) int {
	sum := 2
	for i, w := range widths {
		if i > 0 {
			sum += 3
		}
		sum += w
	}
	return sum
}

func pad(cell string, width int, right bool) string {
	space := strings.Repeat(" ", max(0, width-long(cell)))
	if right {
		return space + cell
	}
	return cell + space
}

// card prints one row as a card: its first cell, and under it what the others are called and
// hold. What is empty, or "-", is left out.
func (p *page) card(header, row []string, figures bool) {
	p.text(2, row[0])
	var pairs [][]string
	for i, cell := range row[1:] {
		if cell == "" || cell == "-" {
			continue
		}
		name := ""
		if i+1 < len(header) {
			name = header[i+1]
		}
		pairs = append(pairs, []string{name, cell})
	}
	widths := widthsOf(pairs)
	for _, pair := range pairs {
		if total(widths)+2 <= p.columns() {
			p.line("%s", strings.TrimRight("    "+pad(pair[0], widths[0], false)+"   "+pad(pair[1], widths[1], figures), " "))
			continue
		}
		if pair[0] != "" {
			p.text(4, pair[0]+":")
		}
		p.text(6, pair[1])
	}
}

// pair prints what stands to the left and to the right of a line; what stands to the left can
// take more lines than one.
func (p *page) pair(indent int, left, right string) {
	lines := wrap(left, max(1, p.columns()-indent-long(right)-3))
	last := len(lines) - 1
	for _, line := range lines[:last] {
		p.line("%s%s", strings.Repeat(" ", indent), line)
	}
	p.line("%s%s", strings.Repeat(" ", indent)+lines[last], pad(right, p.columns()-indent-long(lines[last]), true))
}
