package wording

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// words is how a language writes what is filled in.
type words struct {
	Unknown map[string]string `yaml:"unknown"` // by placeholder
	Day     string            `yaml:"day"`
	Days    string            `yaml:"days"`
	Months  []string          `yaml:"months"`
	Numbers map[string]string `yaml:"numbers"` // by the name of an identifier
	// Unlisted names a product that is in no list of ours, by its code.
	Unlisted string `yaml:"unlisted"`
	// Sentences that say that only a part is missing.
	OnlyLaws       string `yaml:"only_laws"`
	OnlyCategories string `yaml:"only_categories"`
	OnlyBoth       string `yaml:"only_both"`
}

// fill puts the params in the places of a text. It goes over the text once, so
// that a param that looks like a place stays as it is.
func (t *Texts) fill(text, lang string, params map[string]string) string {
	var out strings.Builder
	for text != "" {
		before, rest, found := strings.Cut(text, "{")
		out.WriteString(before)
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			break
		}
		out.WriteString(t.word(name, lang, params, startsSentence(out.String())))
		text = after
	}
	return out.String()
}

func startsSentence(before string) bool { return before == "" || strings.HasSuffix(before, ". ") }

func (t *Texts) word(name, lang string, params map[string]string, first bool) string {
	w, value := t.language(lang).words, params[name]
	switch name {
	case "product":
		value = t.product(lang, value, params["label"])
	case "laws":
		value = t.labels("laws", params["law"], lang)
	}
	if value == "" {
		value = w.Unknown[name]
		if first && value != "" {
			return strings.ToUpper(value[:1]) + value[1:]
		}
		return value
	}
	switch name {
	case "law":
		return shortLaws(t.labels("laws", value, lang))
	case "category":
		return t.labels("categories", value, lang)
	case "from", "to", "date":
		return w.date(value)
	case "days":
		return w.days(value)
	case "role":
		return t.Label("roles", value, lang)
	case "assurance":
		return t.Label("assurance", value, lang)
	case "legal_basis":
		return t.Label("legal_bases", value, lang)
	case "number":
		return cmp.Or(w.Numbers[value], value)
	}
	return value
}

// product is the name of a product; where no list has one, its code in words. No code
// and no name is no product.
func (t *Texts) product(lang, code, label string) string {
	switch {
	case label != "" && label != budgetv1.Unlisted:
		return label
	case code != "":
		return strings.ReplaceAll(t.language(lang).words.Unlisted, "{product}", code)
	}
	return ""
}

// shortLaws leaves out what the name of each law says between brackets.
func shortLaws(names string) string {
	laws := strings.Split(names, ", ")
	for i, law := range laws {
		laws[i], _, _ = strings.Cut(law, " (")
	}
	return strings.Join(laws, ", ")
}

// labels names each entry of a list with commas. No list has no names.
func (t *Texts) labels(list, value, lang string) string {
	if value == "" {
		return ""
	}
	entries := strings.Split(value, ", ")
	for i, entry := range entries {
		entries[i] = t.Label(list, entry, lang)
	}
	return strings.Join(entries, ", ")
}

// only gives the sentence that says which part it is about, with a space before
// it; nothing when it is about the whole.
func (w words) only(params map[string]string) string {
	switch laws, categories := params["law"] != "", params["category"] != ""; {
	case laws && categories:
		return " " + w.OnlyBoth
	case laws:
		return " " + w.OnlyLaws
	case categories:
		return " " + w.OnlyCategories
	}
	return ""
}

// date writes a civil date out; what is no date stays as it is.
func (w words) date(value string) string {
	d, err := civil.Parse(value)
	if err != nil {
		return value
	}
	return strconv.Itoa(d.Day()) + " " + w.Months[d.Month()-1] + " " + strconv.Itoa(d.Year())
}

func (w words) days(value string) string {
	if value == "1" {
		return value + " " + w.Day
	}
	return value + " " + w.Days
}

// places lists the names between braces in a text.
func places(text string) []string {
	var names []string
	for {
		_, rest, found := strings.Cut(text, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return names
		}
		names, text = append(names, name), after
	}
}
