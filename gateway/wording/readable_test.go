package wording

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/policies"
)

// B1, as far as it can be counted: in one text a sentence has twelve words on average, and
// none has more than twenty.
const meanWords, mostWords = 12, 20

// banned are words that readers at level B1 stumble over, and what to say for them.
func banned() map[string]string {
	return map[string]string{
		"aangaande": "over", "aldaar": "daar", "alsmede": "en", "alsook": "en", "alvorens": "voor", "betreffende": "over", "betrokkene": "de persoon",
		"betwist": "onder voorbehoud", "conform": "volgens", "derhalve": "daarom", "desbetreffende": "deze", "desgewenst": "als u wilt", "dient": "moet", "dienen": "moeten",
		"doch": "maar", "echter": "maar", "geschieden": "gebeuren", "gelieve": "wilt u", "heden": "vandaag", "hetgeen": "wat", "indien": "als", "ingevolge": "volgens",
		"inzake": "over", "jegens": "tegen", "krachtens": "volgens", "met betrekking tot": "over", "middels": "met", "mits": "als", "nimmer": "nooit", "omtrent": "over",
		"onderhavige": "deze", "ondergetekende": "ik", "reeds": "al", "ten behoeve van": "voor", "ten einde": "om", "teneinde": "om", "tevens": "ook", "thans": "nu",
		"tenzij": "behalve als", "trachten": "proberen", "uiterlijk": "op zijn laatst", "vigerend": "geldend", "voornoemde": "deze", "waarborgen": "zorgen voor", "wederom": "weer",
		"zulks": "dat", "zodoende": "zo", "verwerkingsverantwoordelijke": "de organisatie", "fungibel": "vrij te besteden", "allocatie": "verdeling", "prorateren": "verdelen",
	}
}

var sentenceEnd = regexp.MustCompile(`[.:;?!][”")]*(\s|$)|\n`)

// english are words that stand in nearly every English text, and in no Dutch one.
var english = regexp.MustCompile(`(?i)(^|[^\pL])(the|and|with|from|which|not|this|that|your|their|cannot|nothing)($|[^\pL])`)

// abbreviations hold a point that ends no sentence.
var abbreviations = strings.NewReplacer("art. ", "art ", "lid. ", "lid ", "(incl. ", "(incl ", "(excl. ", "(excl ")

// requireReadable holds one Dutch text, filled in, to B1.
func requireReadable(t *testing.T, name, text string) {
	t.Helper()
	sentences, words := requireShort(t, name, text)
	require.LessOrEqual(t, words, meanWords*sentences, "%s: on average too long: %s", name, text)
}

// requireShort holds each sentence to B1, and counts them and their words.
func requireShort(t *testing.T, name, text string) (sentences, words int) {
	t.Helper()
	for _, sentence := range sentenceEnd.Split(abbreviations.Replace(text), -1) {
		n := len(strings.Fields(strings.TrimLeft(sentence, "- ")))
		require.LessOrEqual(t, n, mostWords, "%s: too long: %s", name, sentence)
		if n > 0 {
			sentences, words = sentences+1, words+n
		}
	}
	require.Positive(t, sentences, "%s: no text", name)
	require.NotRegexp(t, english, text, "%s: English", name)
	for word, better := range banned() {
		found := regexp.MustCompile(`(?i)(^|[^\pL])` + word + `($|[^\pL])`).MatchString(text)
		require.False(t, found, "%s: not %q but %q: %s", name, word, better, text)
	}
	return sentences, words
}

// sample fills every place with something of an ordinary length.
func sample() map[string]string {
	return map[string]string{
		"person": "Femke Veldkamp", "source": "Gemeente Meppel", "law": "JW", "product": "45", "label": "jeugdhulp ambulant", "line": "x", "number": "education_number",
		"from": "2025-01-01", "to": "2025-12-31", "date": "2025-11-03", "days": "365", "amount": "123456", "basis": "stb-2019-255", "parts": "A3 WMO 898560\nA4 WLZ 5",
	}
}

// Every text that a family or a case worker reads.
func TestEveryDutchTextIsReadable(t *testing.T) {
	texts := read(t)
	nl := texts.now.Load().languages[Dutch]
	with := func(more map[string]string) map[string]string {
		params := sample()
		for name, value := range more {
			params[name] = value
		}
		return params
	}
	for reason, g := range nl.gaps {
		require.LessOrEqual(t, len(g.Short), 30, "%s: the short name stands in a table", reason)
		for _, code := range append(keys(g.Codes), "") {
			params := with(map[string]string{"code": code, "law": ""})
			requireReadable(t, reason+" "+code, texts.Gap(reason, Dutch, params))
			params["law"], params["category"] = "JW", "amount"
			requireReadable(t, reason+" "+code, texts.Gap(reason, Dutch, params))
		}
	}
	for finding, f := range nl.findings {
		for _, code := range append(keys(f.Codes), "") {
			requireReadable(t, finding+" "+code, texts.Finding(finding, Dutch, with(map[string]string{"code": code})))
		}
	}
	for code := range nl.refusals.Refusals {
		why, instead := texts.Refusal(code, Dutch, with(nil))
		requireReadable(t, code, why)
		requireReadable(t, code+" instead", instead)
	}
	for code := range nl.hops {
		requireReadable(t, code, texts.Hop(code, Dutch, "iets", "iets", "iets"))
	}
	for code, r := range nl.reasons {
		requireReadable(t, code, r.Short+". "+r.Explanation+" "+r.Do)
	}
	for list, labels := range texts.now.Load().catalogs {
		for key, entry := range labels {
			requireReadable(t, list+" "+key, entry.NL)
		}
	}
}

// What a person reads before saying yes or no and takes home, whoever reads it.
func TestEveryNoticeIsReadable(t *testing.T) {
	texts := read(t)
	for _, reader := range keys(texts.now.Load().catalogs["signers"]) {
		n := everything(texts)
		n.Reader = reader
		r := receipt()
		r.Reader, r.Sources = reader, n.Sources
		requireReadable(t, reader, texts.Notice(Dutch, n))
		n.Child = true
		requireReadable(t, reader+", a child", texts.Notice(Dutch, n))
		requireReadable(t, reader, texts.Receipt(Dutch, r))
	}
	for _, lang := range []string{Dutch, English} { // on a page of eighty columns
		child := meppel()
		child.Reader, child.Child = "self", true
		for line := range strings.Lines(texts.Notice(lang, meppel()) + texts.Notice(lang, child) + texts.Receipt(lang, receipt())) {
			require.LessOrEqual(t, len([]rune(line)), 81, line)
		}
	}
	article := regexp.MustCompile(`(?i)\bart\.|artikel|article|\d+\.\d`)
	for _, lang := range []string{Dutch, English} {
		text := texts.Notice(lang, meppel())
		child := meppel()
		child.Reader, child.Child = "self", true
		require.False(t, article.MatchString(texts.Notice(lang, child)[:len(text)/2]), lang)
		require.False(t, article.MatchString(text[:len(text)/2]), "%s: no law before the second half", lang)
		require.True(t, article.MatchString(text[len(text)/2:]), lang)
	}
}

// What changes in an agreement: a list of sentences, each about one thing.
func TestEveryWordForAChangeIsReadable(t *testing.T) {
	base, err := ReadTexts(policies.FS)
	require.NoError(t, err)
	texts, err := ReadAgreementTexts(policies.FS, base)
	require.NoError(t, err)
	name := func(string) string { return "Gemeente Meppel" }
	sentences, words := 0, 0
	for path, kinds := range texts.now.Load().words[Dutch].Changes {
		for kind := range kinds {
			old, now := "2025-01-01", "2026-01-01"
			if path == "grants.categories" {
				old, now = "amount", "reference"
			}
			s, w := requireShort(t, path+" "+kind, texts.Change(Dutch, ChangeParams{
				Path: path, Kind: kind, Old: old, New: now, Party: "1", Consumer: "2", Source: "3", Name: name,
			}))
			sentences, words = sentences+s, words+w
		}
	}
	require.LessOrEqual(t, words, meanWords*sentences)
}

// What stands in Go itself and not in a file of texts: what a page says, the headings over
// its parts, the words for a state, and what is wrong in a configuration.
func TestEveryDutchTextInGoIsReadable(t *testing.T) {
	seen := map[string]int{}
	require.NoError(t, filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".pb.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			for kind, text := range dutch(n) {
				seen[kind[:strings.IndexByte(kind, ' ')]]++
				requireReadable(t, path, text)
			}
			return true
		})
		return nil
	}))
	for kind, least := range map[string]int{"say": 110, "heading": 12, "totalsBy": 3, "refused": 6, "NL": 3, "nl": 12, "table": 80} {
		require.GreaterOrEqual(t, seen[kind], least, "%s: fewer than there are", kind)
	}
}

// dutch gives the Dutch texts of one node, by what kind of text it is and which of them.
func dutch(n ast.Node) map[string]string {
	found := map[string]string{}
	add := func(kind string, e ast.Expr) {
		if text, ok := literal(e); ok && regexp.MustCompile(`\pL{3}`).MatchString(text) {
			found[kind+" "+strconv.Itoa(len(found))] = text
		}
	}
	switch n := n.(type) {
	case *ast.CallExpr:
		name := ""
		switch f := n.Fun.(type) {
		case *ast.SelectorExpr:
			name = f.Sel.Name
		case *ast.Ident: // refused; what a command says on the way, in English, is no page
			name = strings.TrimPrefix(f.Name, "say")
		}
		at, known := map[string]int{"say": 0, "heading": 0, "totalsBy": 0, "refused": 1}[name]
		if known && len(n.Args) > at+1 {
			add(name, n.Args[at])
		}
	case *ast.CompositeLit: // a table of pairs, Dutch first
		if kind, ok := n.Type.(*ast.MapType); ok && isPair(kind.Value) {
			for _, one := range n.Elts {
				if pair, ok := one.(*ast.KeyValueExpr).Value.(*ast.CompositeLit); ok && len(pair.Elts) == 2 {
					add("table", pair.Elts[0])
				}
			}
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "NL" {
			add("NL", n.Value)
		}
	case *ast.AssignStmt:
		name, ok := n.Lhs[0].(*ast.Ident)
		words, is := n.Rhs[0].(*ast.CompositeLit)
		if !ok || !is || name.Name != "nl" {
			return nil
		}
		for _, one := range words.Elts {
			if pair, ok := one.(*ast.KeyValueExpr); ok {
				add("nl", pair.Value)
			}
		}
	}
	return found
}

// isPair reports whether a type is [2]string.
func isPair(e ast.Expr) bool {
	array, ok := e.(*ast.ArrayType)
	if !ok {
		return false
	}
	length, sized := array.Len.(*ast.BasicLit)
	of, is := array.Elt.(*ast.Ident)
	return sized && length.Value == "2" && is && of.Name == "string"
}

// literal is a text as it stands in Go, with one word for each part that is put in later.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, one := literal(e.X)
		right, other := literal(e.Y)
		if !one {
			left = "iets"
		}
		if !other {
			right = "iets"
		}
		return left + " " + right, one || other
	}
	return "", false
}

// dutchOf is the Dutch part of a page, in texts: its paragraphs and points, and the cells of
// its tables. Code stands for one word, and what is run is left out.
func dutchOf(t *testing.T, page string) []string {
	t.Helper()
	raw, err := os.ReadFile(page)
	require.NoError(t, err)
	_, part, found := strings.Cut(string(raw), "\n## Nederlands\n")
	require.True(t, found, "%s: it has no part in Dutch", page)
	part, _, _ = strings.Cut(part, "\n## English\n")
	part = regexp.MustCompile("(?s)\n```.*?\n```\n").ReplaceAllString(part, "\n\n")
	part = regexp.MustCompile("`[^`]+`").ReplaceAllString(part, "code")
	part = regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`).ReplaceAllString(part, "$1")
	part = regexp.MustCompile(`(?m)^(#+|\d+\.|-) `).ReplaceAllString(part, "\n\n") // each by itself
	var texts []string
	for _, text := range regexp.MustCompile(`\n\s*\n`).Split(part, -1) {
		if !strings.HasPrefix(strings.TrimSpace(text), "|") {
			texts = append(texts, strings.Join(strings.Fields(text), " "))
			continue
		}
		for _, cell := range regexp.MustCompile(`[|\n]`).Split(text, -1) {
			texts = append(texts, strings.Trim(cell, " -"))
		}
	}
	return slices.DeleteFunc(texts, func(text string) bool { return !regexp.MustCompile(`\pL{3}`).MatchString(text) })
}

// The pages that say it in Dutch too.
func TestEveryDutchPageIsReadable(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	seen := 0
	for _, page := range pages {
		raw, err := os.ReadFile(page)
		require.NoError(t, err)
		if !strings.Contains(string(raw), "\n## Nederlands\n") {
			continue
		}
		seen++
		sentences, words := 0, 0
		texts := dutchOf(t, page)
		require.Greater(t, len(texts), 20, page)
		for _, text := range texts {
			s, w := requireShort(t, page, text)
			sentences, words = sentences+s, words+w
		}
		require.LessOrEqual(t, words, meanWords*sentences, "%s: on average too long", page)
	}
	require.Positive(t, seen)
}
